//! Extensions, references, regexes and files at the edge of YAML and JSON: what Envoy refuses and near misses that it
//! takes. Each case was run through `envoy --mode validate` (1.40).

// Clippy's allowance for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

use lbcheck::diagnostic::Severity;
use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;

const T: &str = "type.googleapis.com/envoy";

/// The errors of a file, each with the text it points at.
fn errors_in(path: &str, text: &str) -> Vec<(String, String)> {
    let loader = MemoryLoader::one(path, text);
    let mut sources = Sources::new();
    let reading = read(&loader, &mut sources, &[path.to_owned()], &ReadOptions::new(Dialect::Envoy));
    let errors = reading.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| (sources.text(found.primary.span).to_owned(), found.message.clone())).collect()
}

/// A bootstrap with one cluster `a` that has these further fields.
fn cluster(fields: &str) -> String {
    format!("static_resources: {{clusters: [{{name: a, {fields}}}]}}\n")
}

/// A bootstrap with a connection manager that has these fields, filters before its router, and routes.
fn manager(fields: &str, filters: &str, routes: &str) -> String {
    format!(
        "static_resources:
  clusters: [{{name: c}}]
  listeners:
  - name: l
    address: {{socket_address: {{address: 127.0.0.1, port_value: 10000}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          '@type': {T}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          {fields}
          http_filters: [{filters}{{name: router, typed_config: {{'@type': {T}.extensions.filters.http.router.v3.Router}}}}]
          route_config: {{virtual_hosts: [{{name: v, domains: ['*'], routes: [{routes}]}}]}}
"
    )
}

fn filter(name: &str, config: &str) -> String {
    manager("", &format!("{{name: {name}, typed_config: {config}}}, "), "")
}

fn regex(pattern: &str) -> String {
    manager("", "", &format!("{{match: {{safe_regex: {{regex: '{pattern}'}}}}, route: {{cluster: c}}}}"))
}

fn tag(fields: &str) -> String {
    format!("stats_config: {{stats_tags: [{{{fields}}}]}}\n")
}

fn sink(config: &str) -> String {
    format!("stats_sinks: [{{name: s, typed_config: {{{config}}}}}]\n")
}

fn policies(list: &[&str]) -> String {
    let policy = |name: &&str| {
        format!("{{typed_extension_config: {{name: p, typed_config: {{'@type': {T}.extensions.{name}}}}}}}")
    };
    let list: Vec<String> = list.iter().map(policy).collect();
    cluster(&format!("load_balancing_policy: {{policies: [{}]}}", list.join(", ")))
}

const ECHO: &str = "filters.network.echo.v3.Echo";
const RANDOM: &str = "load_balancing_policies.random.v3.Random";

/// Name, file, and the text that the first error points at.
fn refused() -> Vec<(&'static str, String, String)> {
    let socket = |config: &str| cluster(&format!("transport_socket: {{name: tls{config}}}"));
    let options = |key: &str| {
        cluster(&format!(
            "typed_extension_protocol_options: {{{key}: {{'@type': {T}.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {{http_protocol_options: {{}}}}}}}}"
        ))
    };
    let cds = |service: &str| {
        format!(
            "dynamic_resources: {{cds_config: {{resource_api_version: V3, api_config_source: {{api_type: GRPC, transport_api_version: V3, grpc_services: [{{envoy_grpc: {{cluster_name: {service}}}}}]}}}}}}\n"
        )
    };
    let undefined = "{match: {prefix: /}, route: {cluster: zz}}";
    let typed = |name: &str| format!("{T}.{name}");
    vec![
        (
            "misspelt type",
            filter("x", &format!("{{'@type': {T}.extensions.filters.http.ruter.v3.Router}}")),
            typed("extensions.filters.http.ruter.v3.Router"),
        ),
        (
            "network filter as HTTP filter",
            filter("x", &format!("{{'@type': {T}.extensions.{ECHO}}}")),
            typed("extensions.filters.network.echo.v3.Echo"),
        ),
        (
            "no extension at all",
            filter("x", &format!("{{'@type': {T}.config.route.v3.RouteConfiguration}}")),
            typed("config.route.v3.RouteConfiguration"),
        ),
        (
            "a Struct as settings",
            filter("x", "{'@type': type.googleapis.com/google.protobuf.Struct}"),
            "type.googleapis.com/google.protobuf.Struct".into(),
        ),
        ("empty settings", filter("x", "{}"), "{}".into()),
        ("socket without settings", socket(""), "tls".into()),
        (
            "socket of the other side",
            socket(&format!(
                ", typed_config: {{'@type': {T}.extensions.transport_sockets.tls.v3.DownstreamTlsContext}}"
            )),
            typed("extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
        ),
        (
            "access log without settings",
            manager("access_log: [{name: envoy.access_loggers.stdout}]", "", ""),
            "envoy.access_loggers.stdout".into(),
        ),
        ("no policy of the list is one", policies(&[ECHO]), typed("extensions.filters.network.echo.v3.Echo")),
        (
            "misspelt key of protocol options",
            options("enoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
            "enoy.extensions.upstreams.http.v3.HttpProtocolOptions".into(),
        ),
        (
            "misspelt cluster type",
            cluster("cluster_type: {name: envoy.cluster.strict_dn}"),
            "envoy.cluster.strict_dn".into(),
        ),
        (
            "field inside a nested list",
            cluster("load_assignment: {cluster_name: a, endpoints: [[{lb_endpts: []}]]}"),
            "lb_endpts".into(),
        ),
        (
            "field of TypedStruct",
            sink("'@type': type.googleapis.com/udpa.type.v1.TypedStruct, type_url: x/y.Z, valu: {}"),
            "valu".into(),
        ),
        ("control plane on no cluster", cds("zz"), "zz".into()),
        ("route to no static cluster", format!("{}{}", cds("c"), manager("", "", undefined)), "zz".into()),
        (
            "metrics to no cluster",
            sink(&format!("'@type': {T}.config.metrics.v3.StatsdSink, tcp_cluster_name: zz")),
            "zz".into(),
        ),
        ("endpoints from nowhere", cluster("eds_cluster_config: {}"), "eds_cluster_config".into()),
        (
            "Zipkin by its old default",
            manager(
                &format!(
                    "tracing: {{provider: {{name: z, typed_config: {{'@type': {T}.config.trace.v3.ZipkinConfig, collector_cluster: c, collector_endpoint: /x}}}}}}"
                ),
                "",
                "",
            ),
            String::new(),
        ),
        (
            "field that is gone",
            manager(
                "",
                "",
                "{match: {prefix: /}, route: {cluster: c, rate_limits: [{actions: [{dynamic_metadata: {descriptor_key: a, metadata_key: {key: a, path: [{key: b}]}}}]}]}}",
            ),
            "dynamic_metadata".into(),
        ),
        ("look-ahead in RE2", regex("(?=a)b"), "'(?=a)b'".into()),
        ("regex that is too large", regex(&"a".repeat(97)), format!("'{}'", "a".repeat(97))),
        ("tag without name", tag("regex: '(a)'"), "{regex: '(a)'}".into()),
        ("tag without regex", tag("tag_name: x"), "x".into()),
        ("tag with a named group", tag("tag_name: x, regex: '(?P<a>b)'"), "'(?P<a>b)'".into()),
        (
            "tab on a blank line",
            "static_resources:\n  clusters:\n  - name: a\n\t\n    lb_policy: RANDOM\n".into(),
            "\t".into(),
        ),
        ("key after a tab", "static_resources:\n  clusters:\n  -\tname: a\n".into(), "\t".into()),
        (
            "too deep",
            format!("node: {{metadata: {{x: {}1{}}}}}\n", "{a: ".repeat(98), "}".repeat(98)),
            String::new(),
        ),
    ]
}

/// Conflicts inside messages: name, file, and the text that the first error points at.
fn conflicts() -> Vec<(&'static str, String, &'static str)> {
    let action =
        |fields: &str| manager("", "", &format!("{{match: {{prefix: /}}, route: {{cluster: c, {fields}}}}}"));
    let header = |list: &str, header: &str| {
        manager("", "", &format!("{{match: {{prefix: /}}, route: {{cluster: c}}, {list}: [{header}]}}"))
    };
    let tls = |side: &str, context: &str| {
        format!(
            "{{name: t, typed_config: {{'@type': {T}.extensions.transport_sockets.tls.v3.{side}, {context}}}}}"
        )
    };
    let listener = |chain: &str| {
        format!(
            "static_resources: {{listeners: [{{name: l, address: {{socket_address: {{address: 127.0.0.1, port_value: 1}}}}, filter_chains: [{chain}]}}]}}\n"
        )
    };
    let cors = format!("{{name: cors, typed_config: {{'@type': {T}.extensions.filters.http.cors.v3.Cors}}}}");
    let echo = format!("{{name: echo, typed_config: {{'@type': {T}.extensions.{ECHO}}}}}");
    let check = |fields: &str| {
        cluster(&format!(
            "health_checks: [{{timeout: 1s, interval: 1s, healthy_threshold: 1, unhealthy_threshold: 1, {fields}}}]"
        ))
    };
    vec![
        ("two rewrites", action("prefix_rewrite: /a, regex_rewrite: {pattern: {regex: a}, substitution: b}"), "regex_rewrite"),
        ("upgrade twice", action("upgrade_configs: [{upgrade_type: websocket}, {upgrade_type: WebSocket}]"), "WebSocket"),
        ("CONNECT settings elsewhere", action("upgrade_configs: [{upgrade_type: websocket, connect_config: {}}]"), "connect_config"),
        ("negative timeout", action("timeout: -1s"), "-1s"),
        ("timeout past all bounds", action("timeout: 9223372037s"), "9223372037s"),
        ("back-off that shrinks", action("retry_policy: {retry_back_off: {base_interval: 5s, max_interval: 1s}}"), "1s"),
        ("path as a header to set", header("request_headers_to_add", "{header: {key: ':path', value: x}}"), "':path'"),
        ("host as a header to remove", header("request_headers_to_remove", "Host"), "Host"),
        ("percent sign alone", header("request_headers_to_add", "{header: {key: a, value: '50%'}}"), "'50%'"),
        ("prefix that ends in a slash", manager("", "", "{match: {path_separated_prefix: /a/}, route: {cluster: c}}"), "/a/"),
        ("router not last", manager("", "", "").replace("http_filters: [{name: router", "http_filters: [{name: router, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}, {name: again"), "router"),
        ("no router", listener(&format!("{{filters: [{{name: h, typed_config: {{'@type': {T}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: x, route_config: {{}}, http_filters: [{cors}]}}}}]}}")), "cors"),
        ("echo before echo", listener(&format!("{{filters: [{echo}, {echo}]}}")), "echo"),
        ("half a wildcard", listener("{filter_chain_match: {server_names: ['*a']}}"), "'*a'"),
        ("one suffix, two spellings", listener("{filter_chain_match: {server_names: ['*.a.test']}}, {filter_chain_match: {server_names: ['.a.test']}}"), ""),
        ("network of a name", listener("{filter_chain_match: {prefix_ranges: [{address_prefix: foo, prefix_len: 8}]}}"), "foo"),
        ("TLS without certificate", listener(&format!("{{transport_socket: {}}}", tls("DownstreamTlsContext", "common_tls_context: {}"))), "{}"),
        ("certificate that is none", cluster(&format!("transport_socket: {}", tls("UpstreamTlsContext", "common_tls_context: {validation_context: {trusted_ca: {inline_string: foo}}}"))), "foo"),
        ("statuses of an empty range", check("http_health_check: {path: /, expected_statuses: [{start: 200, end: 200}]}"), "{start: 200, end: 200}"),
        ("payload that is not hexadecimal", check("tcp_health_check: {send: {text: abc}}"), "abc"),
        ("gRPC check without HTTP/2", check("grpc_health_check: {}"), "grpc_health_check"),
        ("ejection that shrinks", cluster("outlier_detection: {max_ejection_time: 1s}"), "1s"),
        ("endpoint without address", cluster("load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: [{endpoint: {}}]}]}"), "{endpoint: {}}"),
        ("source address that is a name", cluster("upstream_bind_config: {source_address: {address: foo, port_value: 0}}"), "foo"),
        ("protocol by TLS without TLS", cluster(&format!("typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{'@type': {T}.extensions.upstreams.http.v3.HttpProtocolOptions, auto_config: {{}}}}}}")), "auto_config"),
        ("control plane of nobody", "dynamic_resources: {cds_config: {resource_api_version: V3, api_config_source: {api_type: GRPC, transport_api_version: V3}}}\n".into(), "GRPC"),
    ]
}

fn taken() -> Vec<(&'static str, String)> {
    vec![
        ("unknown extension", filter("x", "{'@type': type.googleapis.com/example.Filter, a: b}")),
        (
            "extension that is not built in",
            filter("x", &format!("{{'@type': {T}.extensions.filters.http.golang.v3alpha.Config}}")),
        ),
        ("one policy of the list is known", policies(&[ECHO, RANDOM])),
        ("cluster type by name", cluster("cluster_type: {name: envoy.cluster.strict_dns}")),
        (
            "list inside a list",
            cluster("load_assignment: {cluster_name: a, endpoints: [[{lb_endpoints: []}]]}"),
        ),
        ("certificate of a secret that nobody uses", "static_resources: {secrets: [{name: s, tls_certificate: {certificate_chain: {inline_string: foo}}}]}\n".into()),
        ("regex that just fits", regex(&"a".repeat(96))),
        ("anchored literal of any length", regex(&format!("^{}", "a".repeat(200)))),
        (
            "larger programs allowed",
            format!(
                "layered_runtime: {{layers: [{{name: a, static_layer: {{re2.max_program_size.error_level: 1000}}}}]}}\n{}",
                regex(&"a".repeat(97))
            ),
        ),
        ("tag that Envoy knows", tag("tag_name: envoy.cluster_name")),
        ("tag with look-ahead", tag("tag_name: x, regex: '(?=a)(b)'")),
        (
            "quotes over lines",
            "static_resources:\n  clusters:\n  - name: a\n    alt_stat_name: \"a\nb\"\n".into(),
        ),
        ("deep enough", format!("node: {{metadata: {{x: {}1{}}}}}\n", "{a: ".repeat(97), "}".repeat(97))),
    ]
}

#[test]
fn what_envoy_refuses_is_an_error_at_its_place() {
    for (name, text, place) in refused() {
        let found = errors_in("envoy.yaml", &text);
        let Some((shown, _)) = found.first() else { panic!("{name}: nothing found in\n{text}") };
        if !place.is_empty() {
            assert_eq!(*shown, place, "{name}: {found:?}");
        }
    }
}

#[test]
fn conflicts_are_errors_at_their_place() {
    for (name, text, place) in conflicts() {
        let found = errors_in("envoy.yaml", &text);
        let Some((shown, _)) = found.first() else { panic!("{name}: nothing found in\n{text}") };
        if !place.is_empty() {
            assert_eq!(*shown, place, "{name}: {found:?}");
        }
    }
}

#[test]
fn what_envoy_takes_is_no_error() {
    for (name, text) in taken() {
        assert_eq!(errors_in("envoy.yaml", &text), [], "{name}");
    }
}

#[test]
fn json_is_read_as_envoy_reads_it() {
    let cluster =
        |fields: &str| format!("{{\"static_resources\": {{\"clusters\": [{{\"name\": \"a\", {fields}}}]}}}}");
    let refused = [
        ("oneof twice", "\"type\": \"STATIC\", \"type\": \"STATIC\"", "\"type\""),
        ("map key twice", "\"metadata\": {\"filter_metadata\": {\"x\": {}, \"x\": {}}}", "\"x\""),
        ("half a surrogate pair", "\"alt_stat_name\": \"a\\ud800b\"", "\\"),
    ];
    for (name, fields, place) in refused {
        let found = errors_in("envoy.json", &cluster(fields));
        assert!(found.iter().any(|(shown, _)| shown == place), "{name}: {found:?}");
    }
    for fields in ["\"lb_policy\": \"RANDOM\", \"lb_policy\": \"MAGLEV\"", "\"alt_stat_name\": \"a\nb\""] {
        assert_eq!(errors_in("envoy.json", &cluster(fields)), [], "{fields}");
    }
    let twice = format!(
        "{{\"stats_sinks\": [{{\"typed_config\": {{\"@type\": \"{T}.config.metrics.v3.StatsdSink\", \"@type\": \"{T}.config.metrics.v3.StatsdSink\"}}}}]}}"
    );
    assert!(errors_in("envoy.json", &twice).iter().any(|(shown, _)| shown == "\"@type\""));
}

/// The errors of a file that is read for a version.
fn errors_for(version: &str, text: &str) -> Vec<(String, String)> {
    let mut options = ReadOptions::new(Dialect::Envoy);
    options.version = version.parse().unwrap();
    let mut sources = Sources::new();
    let loader = MemoryLoader::one("envoy.yaml", text);
    let reading = read(&loader, &mut sources, &["envoy.yaml".to_owned()], &options);
    let errors = reading.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| (sources.text(found.primary.span).to_owned(), found.message.clone())).collect()
}

/// Each was run through Envoy 1.36.4, 1.37.0, 1.38.3, 1.39.3 and 1.40.0.
#[test]
fn what_a_version_does_not_have_is_an_error() {
    let field = cluster("per_connection_buffer_high_watermark_timeout: 5s");
    let found = errors_for("1.36", &field);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "per_connection_buffer_high_watermark_timeout");
    assert!(found[0].1.contains("in Envoy 1.36: it comes with 1.38"), "{found:?}");
    assert_eq!(errors_for("1.37.0", &field).len(), 1);
    assert_eq!(errors_for("1.38.3", &field), []);
    assert_eq!(errors_for("1.40.7", &field), []);
    let kind = filter("t", &format!("{{'@type': {T}.extensions.filters.http.transform.v3.TransformConfig}}"));
    let found = errors_for("1.36", &kind);
    assert!(
        found.iter().any(|(_, said)| said.contains("has no type `envoy.extensions.filters.http.transform")),
        "{found:?}"
    );
    let value = "static_resources: {listeners: [{name: l, address: {socket_address: {address: 1.2.3.4, port_value: 1}}, filter_chains: [{filters: []}], access_log: [{name: a, filter: {status_code_filter: {comparison: {op: NE, value: {default_value: 1, runtime_key: x}}}}, typed_config: {'@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /dev/null}}]}]}\n";
    assert_eq!(errors_for("1.37", value), []);
    let found = errors_for("1.36", value);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "NE");
}

#[test]
fn unknown_types_of_known_packages_are_errors() {
    let with = |kind: &str| filter("x", &format!("{{'@type': type.googleapis.com/{kind}}}"));
    for refused in [
        "envoy.extensions.filters.http.router.v3000.Router",
        "envoy.extensions.filters.http.fault.v3.HTTPFaultier",
        "google.protobuf.Emptied",
        "envoy.extensions.filters.http.nosuch.v3.Nosuch",
        "envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager",
    ] {
        let found = errors_in("envoy.yaml", &with(refused));
        assert!(found.iter().any(|(_, said)| said.contains("there is no type")), "{refused}: {found:?}");
    }
    // Another build may have them.
    for taken in ["envoy.extensions.filters.http.golang.v3alpha.Config", "io.acme.Filter"] {
        assert_eq!(errors_in("envoy.yaml", &with(taken)), [], "{taken}");
    }
}
