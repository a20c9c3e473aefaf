//! Where single requests go in Envoy. Each expectation was seen on the running proxy.

use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;

use crate::requests::{check, ends};

#[test]
fn envoy_draws_one_number_for_all() {
    let cluster = |name: &str| format!("  - {{ name: {name}, type: STATIC }}\n");
    let text = format!(
        "static_resources:\n  listeners:\n  - name: l\n    address: {{ socket_address: {{ address: 0.0.0.0, port_value: 80 }} }}\n    \
         filter_chains:\n    - filters:\n      - name: h\n        typed_config:\n          \"@type\": \
         type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          \
         stat_prefix: s\n          strip_any_host_port: true\n          route_config:\n            virtual_hosts:\n            \
         - name: v\n              domains: [a.test]\n              routes:\n              \
         - match: {{ prefix: /d, runtime_fraction: {{ default_value: {{ numerator: 30 }} }} }}\n                route: {{ cluster: a }}\n              \
         - match: {{ prefix: /d, runtime_fraction: {{ default_value: {{ numerator: 30 }} }} }}\n                route: {{ cluster: b }}\n              \
         - match: {{ prefix: /d }}\n                route: {{ weighted_clusters: {{ clusters: [{{ name: a, weight: 40 }}, {{ name: c, weight: 60 }}] }} }}\n              \
         - match: {{ safe_regex: {{ regex: \"/r[0-9]\" }} }}\n                route: {{ cluster: b }}\n              \
         - match: {{ prefix: /h, headers: [{{ name: x, range_match: {{ start: 1, end: 3 }} }}] }}\n                route: {{ cluster: c }}\n  \
         clusters:\n{}{}{}",
        cluster("a"),
        cluster("b"),
        cluster("c")
    );
    check(
        Dialect::Envoy,
        &text,
        &[
            // The second 30 % are the numbers that the first rule has taken already.
            ("http://a.test/d", &[], "a 40%, c 60%"),
            ("http://A.test:81/r1", &["Host: A.test:81"], "b"),
            ("http://a.test/r12", &[], "404"),
            ("http://b.test/r1", &[], "404"),
            ("http://a.test/h", &["x: 2"], "c"),
            ("http://a.test/h", &["x: 3"], "404"),
            ("http://a.test/h", &["x: two"], "404"),
        ],
    );
}

/// Filters in front of the router and, for each route, what it sets up for them. The routes lead to `a` and `b`.
fn envoy_filters(filters: &str, a: &str, b: &str) -> String {
    const T: &str = "type.googleapis.com/envoy.extensions.filters";
    let filters = filters.replace("@T", &format!("'@type': {T}.http"));
    let own = |text: &str| match text {
        "" => String::new(),
        text => {
            format!(", typed_per_filter_config: {{{}}}", text.replace("@T", &format!("'@type': {T}.http")))
        }
    };
    let (a, b) = (own(a), own(b));
    format!(
        "static_resources:
  clusters: [{{name: a}}, {{name: b}}]
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: 80}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          '@type': {T}.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          http_filters: [{filters}, {{name: router, typed_config: {{'@type': {T}.http.router.v3.Router}}}}]
          route_config: {{virtual_hosts: [{{name: v, domains: ['*'], routes: [
            {{match: {{prefix: /a}}, route: {{cluster: a}}{a}}},
            {{match: {{prefix: /b}}, route: {{cluster: b}}{b}}}]}}]}}
"
    )
}

const FAULT: &str = "{name: f, typed_config: {@T.fault.v3.HTTPFault, abort: {http_status: 503, percentage: {numerator: 30}}}}";

#[test]
fn filters_of_envoy_answer_before_the_route() {
    let text = envoy_filters(FAULT, "f: {@T.fault.v3.HTTPFault}", "");
    check(
        Dialect::Envoy,
        &text,
        &[
            ("/a", &[], "a"),
            ("/b", &[], "503 30%, b 70%"),
            ("/c", &[], "503 30%, 404 70%"),
            ("/b", &["Connection: upgrade", "Upgrade: websocket"], "403"),
        ],
    );
}

#[test]
fn filters_that_something_else_decides_are_not_known() {
    let text = envoy_filters(
        "{name: z, typed_config: {@T.ext_authz.v3.ExtAuthz}}",
        "z: {@T.ext_authz.v3.ExtAuthzPerRoute, disabled: true}",
        "",
    );
    check(Dialect::Envoy, &text, &[("/a", &[], "a"), ("/b", &[], "respond ?, b ?")]);
    // What it does to headers is not known to the filters behind it.
    let rbac = "{name: z, typed_config: {@T.wasm.v3.Wasm}}, {name: r, typed_config: {@T.rbac.v3.RBAC, rules: {action: DENY, policies: {p: {permissions: [{any: true}], principals: [{header: {name: x-user, present_match: true}}]}}}}}";
    let text = envoy_filters(rbac, "", "");
    check(Dialect::Envoy, &text, &[("/a", &[], "respond ?, 403 ?, a ?")]);
}

#[test]
fn a_disabled_filter_runs_where_a_route_asks_for_it() {
    let health =
        "{name: h, disabled: true, typed_config: {@T.health_check.v3.HealthCheck, pass_through_mode: false}}";
    let text = envoy_filters(
        health,
        "h: {'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig, config: {}}",
        "",
    );
    check(Dialect::Envoy, &text, &[("/a", &[], "200"), ("/b", &[], "b"), ("/c", &[], "404")]);
}

/// A filter draws a number of its own: its share does not depend on which cluster is drawn.
#[test]
fn faults_take_their_part_of_every_arm() {
    let arms = "weighted_clusters: {clusters: [{name: a, weight: 40}, {name: b, weight: 60}]}";
    let text = envoy_filters(FAULT, "", "").replace("cluster: a}", &format!("{arms}}}"));
    check(Dialect::Envoy, &text, &[("/a", &[], "503 30%, a 28%, b 42%")]);
    let mut sources = Sources::new();
    let loader = MemoryLoader::one("proxy", text.as_bytes());
    let reading = read(&loader, &mut sources, &["proxy".to_owned()], &ReadOptions::new(Dialect::Envoy));
    let flows = lbcheck::traffic::flow::flows(&reading.config);
    let case = flows[0].cases.first().expect("a case");
    let shares: Vec<i64> =
        case.arrivals.iter().map(|arrival| (arrival.share * 1000.0).round() as i64).collect();
    assert_eq!(shares, [300, 280, 420]);
}

/// A connection manager with settings of its own, of its routes and of its one host, whose routes compare headers.
fn envoy_headers(manager: &str, routes: &str, host: &str) -> String {
    let route = |path: &str, matcher: &str| {
        format!("{{match: {{path: {path}, headers: [{matcher}]}}, direct_response: {{status: 201}}}},")
    };
    let rules = [
        route("/a", "{name: x, string_match: {exact: a}}"),
        route("/not-a", "{name: x, string_match: {exact: a}, invert_match: true}"),
        route("/joined", "{name: x, string_match: {exact: 'a,b'}}"),
        route("/regex", "{name: x, string_match: {safe_regex: {regex: 'a,b'}}}"),
        route("/prefix", "{name: x, string_match: {prefix: b}}"),
        route("/range", "{name: x, range_match: {start: 1, end: 5}}"),
        route("/via", "{name: via, string_match: {exact: 'a,b'}}"),
        route("/te", "{name: te, string_match: {exact: trailers}}"),
        route("/any-te", "{name: te, present_match: true}"),
        route("/underscore", "{name: a_b, present_match: true}"),
        route("/proto", "{name: x-forwarded-proto, string_match: {exact: https}}"),
    ]
    .concat();
    format!(
        "static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: 80}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          {manager}
          http_filters: [{{name: router, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]
          route_config:
            {routes}
            virtual_hosts: [{{name: v, {host}, routes: [{rules}
              {{match: {{prefix: /}}, direct_response: {{status: 200}}}}]}}]
"
    )
}

const ANY: &str = "domains: ['*']";

#[test]
fn envoy_compares_each_line_of_a_header() {
    let both: &[&str] = &["x: a", "X: b"];
    check(
        Dialect::Envoy,
        &envoy_headers("", "", ANY),
        &[
            ("http://h/a", both, "201"),
            ("http://h/a", &["x: b", "x: a"], "201"),
            ("http://h/not-a", both, "200"),
            ("http://h/not-a", &["x: b", "x: c"], "201"),
            ("http://h/joined", both, "200"),
            ("http://h/joined", &["x: a,b"], "201"),
            ("http://h/regex", both, "200"),
            ("http://h/prefix", both, "201"),
            ("http://h/prefix", &["x: a,b"], "200"),
            ("http://h/range", &["x: 9", "x: 2"], "201"),
            // Some it joins.
            ("http://h/via", &["via: a", "via: b"], "201"),
        ],
    );
}

#[test]
fn envoy_leaves_nothing_of_te_but_trailers() {
    check(
        Dialect::Envoy,
        &envoy_headers("", "", ANY),
        &[
            ("http://h/any-te", &["te: gzip"], "200"),
            ("http://h/any-te", &["te: trailers;q=0.5"], "200"),
            ("http://h/any-te", &["te: Trailers"], "200"),
            ("http://h/te", &["te: gzip, trailers"], "201"),
            ("http://h/te", &["te: gzip", "te: trailers"], "201"),
        ],
    );
}

#[test]
fn envoy_chooses_the_host_by_a_header() {
    let text = envoy_headers("", "vhost_header: X-Host", "domains: [a.test]");
    check(
        Dialect::Envoy,
        &text,
        &[
            ("http://a.test/", &[], "404"),
            ("http://h/", &["x-host: A.test"], "200"),
            ("http://h/", &["x-host: a.test:80"], "404"),
            ("http://h/", &["x-host: a.test", "x-host: b"], "200"),
            ("http://h/", &["x-host: b", "x-host: a.test"], "404"),
        ],
    );
    let text = envoy_headers("", "vhost_header: x-host\n            ignore_port_in_host_matching: true", ANY);
    // Without the header not even the host for all is taken.
    check(Dialect::Envoy, &text, &[("http://h/", &[], "404"), ("http://h/", &["x-host: b:80"], "200")]);
}

#[test]
fn envoy_believes_the_client_about_tls_unless_told_not_to() {
    let host = "domains: ['*'], require_tls: ALL";
    check(
        Dialect::Envoy,
        &envoy_headers("", "", host),
        &[
            ("http://h/", &[], "301"),
            ("http://h/", &["x-forwarded-proto: https"], "200"),
            ("http://h/proto", &["x-forwarded-proto: https"], "201"),
            ("http://h/", &["x-forwarded-proto: HTTPS"], "301"),
            ("http://h/", &["x-forwarded-proto: https", "x-forwarded-proto: https"], "301"),
        ],
    );
    let https: &[&str] = &["x-forwarded-proto: https"];
    let own = envoy_headers("use_remote_address: true", "", host);
    check(Dialect::Envoy, &own, &[("http://h/", https, "301")]);
    let hops = envoy_headers("use_remote_address: true\n          xff_num_trusted_hops: 1", "", host);
    check(Dialect::Envoy, &hops, &[("http://h/", https, "200")]);
}

#[test]
fn envoy_refuses_or_drops_headers_with_underscores() {
    let with = |action: &str| {
        let text = format!("common_http_protocol_options: {{headers_with_underscores_action: {action}}}");
        ends(Dialect::Envoy, &envoy_headers(&text, "", ANY), "http://h/underscore", &["a_b: 1"])
    };
    assert_eq!((with("ALLOW").as_str(), with("REJECT_REQUEST").as_str()), ("201", "400"));
    assert_eq!(with("DROP_HEADER"), "200");
}

#[test]
fn the_star_of_a_domain_of_envoy_stands_for_something() {
    let asked = |domain: &str, host: &str| {
        let text = envoy_headers("", "", &format!("domains: ['{domain}']"));
        ends(Dialect::Envoy, &text, &format!("http://{host}/"), &[])
    };
    for (domain, host, expected) in [
        ("*.ex.test", "a.ex.test", "200"),
        ("*.ex.test", ".ex.test", "404"),
        ("*-x.ex.test", "-x.ex.test", "404"),
        ("ex.*", "ex.", "404"),
        ("ex.*", "ex.a", "200"),
    ] {
        assert_eq!(asked(domain, host), expected, "{domain} {host}");
    }
}

#[test]
fn envoy_refuses_methods_it_does_not_know() {
    let plain = envoy_headers("", "", ANY);
    check(
        Dialect::Envoy,
        &plain,
        &[
            ("FOO http://h/", &[], "400"),
            ("get http://h/", &[], "400"),
            ("QUERY http://h/", &[], "400"),
            ("QUERY http://h/", &["content-type: a/b"], "200"),
            ("PURGE http://h/", &[], "200"),
        ],
    );
    let custom = envoy_headers("http_protocol_options: {allow_custom_methods: true}", "", ANY);
    check(Dialect::Envoy, &custom, &[("FOO http://h/", &[], "200")]);
}

/// What a diff asks for its witnesses reads a request as `route` does.
#[test]
fn the_route_found_for_a_witness_is_that_of_the_header_too() {
    let hosts = "{name: h, domains: [a.test], routes: [{match: {prefix: /}, route: {cluster: a}}]}, \
                 {name: r, domains: ['*'], routes: [{match: {prefix: /}, route: {cluster: b}}]}";
    let text = format!(
        "static_resources:
  clusters: [{{name: a}}, {{name: b}}]
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: 80}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          http_filters: [{{name: router, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]
          route_config: {{vhost_header: x-host, virtual_hosts: [{hosts}]}}
"
    );
    let mut sources = Sources::new();
    let loader = MemoryLoader::one("proxy", text.as_bytes());
    let config = read(&loader, &mut sources, &["proxy".to_owned()], &ReadOptions::new(Dialect::Envoy)).config;
    let mut request = lbcheck::traffic::Request::parse("GET http://b.test/").expect("a request");
    request.add_header("x-host: a.test").expect("a header");
    let found = lbcheck::traffic::find(&config, config.listeners[0].table, &request).expect("a route");
    let lbcheck::model::Action::Forward(lbcheck::model::Target::Pool { pool, .. }) = found.action else {
        panic!("{found:?}")
    };
    assert_eq!(config.pool(pool).name.value, "a");
}
