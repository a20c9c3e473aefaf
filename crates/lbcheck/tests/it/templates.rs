//! Templates: a hole is one finding, whatever it makes of the text, and nothing is concluded from around it.

use lbcheck::diagnostic::Severity;
use lbcheck::dialect::Dialect;
use lbcheck::model::Membership;
use lbcheck::source::Sources;

use crate::support;

/// Rule and line of every finding, informational ones aside.
fn found(dialect: Dialect, text: &str) -> Vec<(&'static str, u32)> {
    let mut sources = Sources::new();
    let reading = support::reading(dialect, text.as_bytes(), &mut sources);
    assert!(!reading.broken, "{text}");
    let report = support::check(&sources, &reading);
    let findings = report.findings.iter().map(|finding| &finding.diagnostic);
    findings
        .filter(|found| found.severity > Severity::Info)
        .map(|found| (found.rule.as_str(), sources.position(found.primary.span).line))
        .collect()
}

const HOLE: &str = "template-unrendered";

#[test]
fn a_haproxy_template_is_a_finding_for_each_line_with_holes() {
    let text = "\
defaults
    mode http
    timeout connect {{ connect }}
    timeout client 30s
    timeout server 30s
frontend web
    bind :{{ port }}{% if tls %} ssl crt {{ crt }}{% endif %}
    default_backend api
backend api
    balance {{ algorithm | default(\"roundrobin\") }}
{% for host in groups['api'] %}
    server {{ host }} {{ hostvars[host].ip }}:8080 check weight {{ weight }}
{% endfor %}
    serverr typo 10.0.0.1:80
";
    assert_eq!(
        found(Dialect::HaProxy, text),
        [(HOLE, 3), (HOLE, 7), (HOLE, 10), (HOLE, 11), (HOLE, 12), ("unknown-directive", 14)]
    );
}

#[test]
fn branches_of_an_nginx_template_are_not_duplicates() {
    let text = "\
events {}
http {
    upstream api {
        server {{ first }}:80;
        server 10.0.0.2:80;
    }
    server {
        {{ if .TLS }}
        listen 8080;
        root /a;
        {{ else }}
        listen 8080;
        root /b;
        {{ end }}
        location / { proxy_pass http://api; }
    }
}
";
    assert_eq!(found(Dialect::Nginx, text), [(HOLE, 4), (HOLE, 8)]);
}

#[test]
fn helm_yaml_is_read_around_its_holes() {
    let text = "\
static_resources:
  clusters:
    - name: api
      type: STATIC
      connect_timeout: {{ .Values.timeout }}
      outlier_detection: { max_ejection_percent: 50 }
      load_assignment:
        cluster_name: api
        endpoints:
          - lb_endpoints:
{{- range .Values.hosts }}
              - endpoint: { address: { socket_address: { address: {{ .ip }}, port_value: {{ .port }} } } }
{{- end }}
  listeners: []
";
    assert_eq!(found(Dialect::Envoy, text), [(HOLE, 5), (HOLE, 11), (HOLE, 12)]);
}

#[test]
fn what_stands_around_a_hole_is_unknown() {
    let text =
        "events {}\nhttp {\n    upstream api { server {{ a }}:80 weight={{ w }}; server 10.0.0.2; }\n}\n";
    let mut sources = Sources::new();
    let reading = support::reading(Dialect::Nginx, text.as_bytes(), &mut sources);
    assert!(matches!(reading.config.pools[0].membership, Membership::Unknown(_)));
    assert!(reading.config.fragment);
    // Places are those of the text as it was written.
    let hole = reading.diagnostics.iter().find(|found| found.rule == HOLE).map(|found| found.primary.span);
    assert_eq!(hole.map(|span| sources.text(span)), Some("{{ a }}"));
    assert_eq!(sources.file(reading.config.files[0]).text(), text);
}

#[test]
fn what_the_program_takes_is_no_template() {
    // Lua tables, expressions, and variables of nginx itself.
    let text = "\
events {}
http {
    map $host $API { default 1; }
    server {
        listen 8080;
        location ~ \"^/[a-z]{2}$\" { return 200 \"${API}\"; }
        location / { content_by_lua_block { local t = {{1, 2}, {3}} } }
    }
}
";
    assert_eq!(found(Dialect::Nginx, text), []);
}
