//! What Envoy refuses, and near misses that it takes. Each case was run through `envoy --mode validate` (1.40).

// Clippy's allowance for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

use lbcheck::diagnostic::Severity;
use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;

fn run(text: &str) -> (Reading, Sources) {
    let loader = MemoryLoader::one("envoy.yaml", text);
    let mut sources = Sources::new();
    let paths = ["envoy.yaml".to_owned()];
    let reading = read(&loader, &mut sources, &paths, &ReadOptions::new(Dialect::Envoy));
    (reading, sources)
}

fn errors(text: &str) -> Vec<(&'static str, String, String)> {
    let (reading, sources) = run(text);
    reading
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(|found| {
            (found.rule.as_str(), sources.text(found.primary.span).to_owned(), found.message.clone())
        })
        .collect()
}

/// A bootstrap with one cluster `a` that has these further fields.
fn cluster(fields: &str) -> String {
    format!("static_resources: {{clusters: [{{name: a, {fields}}}]}}\n")
}

/// A bootstrap whose connection manager has these virtual hosts; clusters `c` and `d` exist.
fn hosts(hosts: &str) -> String {
    format!(
        "static_resources:
  clusters: [{{name: c}}, {{name: d}}]
  listeners:
  - name: l
    address: {{socket_address: {{address: 127.0.0.1, port_value: 10000}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          http_filters:
          - name: router
            typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config: {{virtual_hosts: [{hosts}]}}
"
    )
}

/// One virtual host with this route.
fn route(route: &str) -> String {
    hosts(&format!("{{name: v, domains: ['*'], routes: [{route}]}}"))
}

/// One listener with these filter chains.
fn chains(chains: &str) -> String {
    format!(
        "static_resources: {{listeners: [{{name: l, address: {{socket_address: {{address: 127.0.0.1, port_value: 10001}}}}, filter_chains: [{chains}]}}]}}\n"
    )
}

fn endpoints(list: &str) -> String {
    format!("load_assignment: {{cluster_name: a, endpoints: [{{lb_endpoints: [{list}]}}]}}")
}

fn at(address: &str) -> String {
    format!("{{endpoint: {{address: {{socket_address: {{address: {address}, port_value: 80}}}}}}}}")
}

const RAW: &str = "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
const ROUND_ROBIN: &str = "load_balancing_policy: {policies: [{typed_extension_config: {name: x, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}]}";

/// Name, fields of a cluster, and where the first error stands.
const REFUSED_CLUSTERS: &[(&str, &str, &str)] = &[
    ("unknown field", "lb_polcy: RANDOM", "lb_polcy"),
    ("v2 hosts", "hosts: []", "hosts"),
    ("capital first letter", "LbPolicy: RANDOM", "LbPolicy"),
    ("merge key", "<<: {lb_policy: RANDOM}", "<<"),
    ("number for a string", "alt_stat_name: 123", "123"),
    ("boolean word for a string", "alt_stat_name: on", "on"),
    ("one for a boolean", "ignore_health_on_host_removal: 1", "1"),
    ("duration without unit", "connect_timeout: 5", "5"),
    ("duration in ms", "connect_timeout: 250ms", "250ms"),
    ("duration with a bare fraction", "connect_timeout: .5s", ".5s"),
    ("duration of zero", "connect_timeout: 0s", "0s"),
    ("enum with a dash", "lb_policy: round-robin", "round-robin"),
    ("enum number without a name", "lb_policy: 99", "99"),
    ("fraction for a whole number", "per_connection_buffer_limit_bytes: 1.5", "1.5"),
    ("negative count", "per_connection_buffer_limit_bytes: -1", "-1"),
    ("count past 32 bits", "per_connection_buffer_limit_bytes: 4294967296", "4294967296"),
    ("list for a message", "circuit_breakers: [{}]", "[{}]"),
    ("text for a message", "circuit_breakers: x", "x"),
    ("bare percent", "common_lb_config: {healthy_panic_threshold: 5}", "5"),
    ("percent past 100", "common_lb_config: {healthy_panic_threshold: {value: 150}}", "150"),
    ("two of a oneof", "type: STATIC, cluster_type: {name: x}", "cluster_type"),
    ("Any without a type", "transport_socket: {name: s, typed_config: {a: b}}", "{a: b}"),
    ("locality weight 0", "load_assignment: {cluster_name: a, endpoints: [{load_balancing_weight: 0}]}", "0"),
    ("priority 129", "load_assignment: {cluster_name: a, endpoints: [{priority: 129}]}", "129"),
    ("overprovisioning 0", "load_assignment: {cluster_name: a, policy: {overprovisioning_factor: 0}}", "0"),
    ("EDS from nowhere", "type: EDS", "EDS"),
    ("ORIGINAL_DST with round robin", "type: ORIGINAL_DST", ""),
    ("LOGICAL_DNS with nothing", "type: LOGICAL_DNS", ""),
    ("CLUSTER_PROVIDED on STATIC", "lb_policy: CLUSTER_PROVIDED", "CLUSTER_PROVIDED"),
    ("Maglev of 100", "lb_policy: MAGLEV, maglev_lb_config: {table_size: 100}", "100"),
    ("ring below its default", "lb_policy: RING_HASH, ring_hash_lb_config: {maximum_ring_size: 10}", "10"),
    (
        "host names on STATIC",
        "common_lb_config: {consistent_hashing_lb_config: {use_hostname_for_hashing: true}}",
        "true",
    ),
    (
        "balance factor 99",
        "common_lb_config: {consistent_hashing_lb_config: {hash_balance_factor: 99}}",
        "99",
    ),
    ("choice of one", "lb_policy: LEAST_REQUEST, least_request_lb_config: {choice_count: 1}", "1"),
    ("policy missing", "lb_policy: LOAD_BALANCING_POLICY_CONFIG", "LOAD_BALANCING_POLICY_CONFIG"),
    ("no policies", "load_balancing_policy: {policies: []}", "load_balancing_policy"),
    (
        "health check without thresholds",
        "health_checks: [{timeout: 1s, interval: 1s, tcp_health_check: {}}]",
        "timeout",
    ),
    (
        "health check of no kind",
        "health_checks: [{timeout: 1s, interval: 1s, healthy_threshold: 1, unhealthy_threshold: 1}]",
        "",
    ),
    ("ejection percent 150", "outlier_detection: {max_ejection_percent: 150}", "150"),
];

/// Name, routes or virtual hosts, and where the first error stands.
const REFUSED_HOSTS: &[(&str, &str, &str)] = &[
    ("domain twice", "{name: x, domains: [a.test]}, {name: z, domains: [A.TEST]}", "A.TEST"),
    ("two stars", "{name: x, domains: ['*']}, {name: z, domains: ['*']}", "'*'"),
    ("no domains", "{name: x}", "name"),
];

const REFUSED_ROUTES: &[(&str, &str, &str)] = &[
    ("route without action", "{match: {prefix: /}}", "{match: {prefix: /}}"),
    ("match without a path", "{match: {}, route: {cluster: c}}", "{}"),
    (
        "weighted clusters sum to 0",
        "{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: c, weight: 0}]}}}",
        "[{name: c, weight: 0}]",
    ),
    (
        "weighted cluster without weight",
        "{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: c}, {name: d, weight: 1}]}}}",
        "c",
    ),
    (
        "weighted cluster of two names",
        "{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: c, cluster_header: x, weight: 1}]}}}",
        "x",
    ),
    (
        "cluster and weighted clusters",
        "{match: {prefix: /}, route: {cluster: c, weighted_clusters: {clusters: [{name: c, weight: 1}]}}}",
        "weighted_clusters",
    ),
    ("mirror to nothing", "{match: {prefix: /}, route: {cluster: c, request_mirror_policies: [{}]}}", "{}"),
    ("status 99", "{match: {prefix: /}, direct_response: {status: 99}}", "99"),
];

const REFUSED_CHAINS: &[(&str, &str, &str)] = &[
    ("two chains for all", "{name: x}, {name: z}", "name: z"),
    (
        "a server name twice",
        "{filter_chain_match: {server_names: [a.b]}}, {filter_chain_match: {server_names: [c.d, A.b]}}",
        "",
    ),
    ("no chain", "", "l"),
    ("filter without settings", "{filters: [{name: foo}]}", "foo"),
];

const REFUSED_FILES: &[(&str, &str, &str)] = &[
    ("no name", "static_resources: {clusters: [{type: STATIC}]}\n", "type"),
    ("cluster twice", "static_resources: {clusters: [{name: a}, {name: a}]}\n", "a"),
    (
        "two listeners on an address",
        "static_resources:
  listeners:
  - {name: a, address: {socket_address: {address: 127.0.0.1, port_value: 1001}}, filter_chains: [{}]}
  - {name: b, address: {socket_address: {address: 127.0.0.1, port_value: 1001}}, filter_chains: [{}]}
",
        "",
    ),
    (
        "tracer that was removed",
        "tracing: {http: {name: t, typed_config: {'@type': type.googleapis.com/envoy.config.trace.v3.LightstepConfig, collector_cluster: c, access_token_file: x}}}\n",
        "type.googleapis.com/envoy.config.trace.v3.LightstepConfig",
    ),
    ("listener without address", "static_resources: {listeners: [{name: l, filter_chains: [{}]}]}\n", "l"),
    (
        "listener on a name",
        "static_resources: {listeners: [{name: l, filter_chains: [{}], address: {socket_address: {address: localhost, port_value: 1}}}]}\n",
        "localhost",
    ),
    ("not Envoy", "global:\n  daemon: true\n", "global"),
    ("a scalar", "hello\n", "hello"),
    ("empty file", "", ""),
    ("only a comment", "# nothing\n", ""),
    ("unknown alias", "static_resources: *nowhere\n", "*nowhere"),
    ("map as a key", "static_resources:\n  ? {a: b}\n  : 1\n", ""),
    ("tab as indentation", "static_resources:\n\tclusters: []\n", ""),
    ("unclosed list", "static_resources: {clusters: [\n", ""),
];

fn refused() -> Vec<(&'static str, String, &'static str)> {
    let mut cases = Vec::new();
    cases.extend(REFUSED_CLUSTERS.iter().map(|&(name, text, place)| (name, cluster(text), place)));
    cases.extend(REFUSED_HOSTS.iter().map(|&(name, text, place)| (name, hosts(text), place)));
    cases.extend(REFUSED_ROUTES.iter().map(|&(name, text, place)| (name, route(text), place)));
    cases.extend(REFUSED_CHAINS.iter().map(|&(name, text, place)| (name, chains(text), place)));
    cases.extend(REFUSED_FILES.iter().map(|&(name, text, place)| (name, text.to_owned(), place)));
    let weightless = at("1.1.1.1").replace("{endpoint", "{load_balancing_weight: 0, endpoint");
    let portless = "{endpoint: {address: {socket_address: {address: 1.1.1.1}}}}";
    let two = format!("{}, {}", at("a.test"), at("b.test"));
    let inside = format!("transport_socket: {{name: s, typed_config: {{'@type': {RAW}, a: 1}}}}");
    let structured = format!(
        "transport_socket: {{name: s, typed_config: {{'@type': type.googleapis.com/xds.type.v3.TypedStruct, type_url: {RAW}, value: {{a: 1}}}}}}"
    );
    let weighted = format!("{ROUND_ROBIN}, common_lb_config: {{locality_weighted_lb_config: {{}}}}");
    let port = at("1.1.1.1").replace("80", "70000");
    cases.extend([
        ("weight 0", cluster(&endpoints(&weightless)), "0"),
        ("no port", cluster(&endpoints(portless)), "{address: 1.1.1.1}"),
        ("port past 65535", cluster(&endpoints(&port)), "70000"),
        ("name in a STATIC cluster", cluster(&endpoints(&at("api.test"))), "api.test"),
        ("bracketed IPv6", cluster(&endpoints(&at("'[::1]'"))), "'[::1]'"),
        ("LOGICAL_DNS with two", cluster(&format!("type: LOGICAL_DNS, {}", endpoints(&two))), ""),
        ("unknown field inside an Any", cluster(&inside), "a"),
        ("unknown field inside a TypedStruct", cluster(&structured), "a"),
        ("typed policy and locality weights", cluster(&weighted), "locality_weighted_lb_config"),
        (
            "typed policy and subsets",
            cluster(&format!("{ROUND_ROBIN}, lb_subset_config: {{}}")),
            "lb_subset_config",
        ),
    ]);
    cases
}

const TAKEN_CLUSTERS: &[(&str, &str)] = &[
    ("camelCase", "lbPolicy: RANDOM"),
    ("both spellings", "lb_policy: RANDOM, lbPolicy: RANDOM"),
    ("float for a string", "alt_stat_name: 1.5"),
    ("long number for a string", "alt_stat_name: 12345678901"),
    ("yes", "ignore_health_on_host_removal: yes"),
    ("quoted yes", "ignore_health_on_host_removal: 'yes'"),
    ("enum in lower case", "lb_policy: least_request"),
    ("enum by number", "lb_policy: 3"),
    ("enum by quoted number", "lb_policy: '3'"),
    ("duration as a message", "connect_timeout: {seconds: 5, nanos: 100}"),
    ("duration with a fraction", "connect_timeout: 0.25s"),
    ("number as text", "per_connection_buffer_limit_bytes: '32768'"),
    ("number with an exponent", "per_connection_buffer_limit_bytes: 1e3"),
    ("hexadecimal number", "per_connection_buffer_limit_bytes: 0x8000"),
    ("octal look, decimal digits", "per_connection_buffer_limit_bytes: 08"),
    ("wrapper in full", "per_connection_buffer_limit_bytes: {value: 32768}"),
    (
        "one bare message for a list",
        "health_checks: {timeout: 1s, interval: 1s, healthy_threshold: 1, unhealthy_threshold: 1, tcp_health_check: {}}",
    ),
    ("bare text for a list", "lrs_report_endpoint_metrics: abc"),
    ("null for a field", "lb_policy: null"),
    ("empty percent", "common_lb_config: {healthy_panic_threshold: {}}"),
    ("merge key inside a Struct", "metadata: {filter_metadata: {x: {<<: {a: 1}}}}"),
    ("parked anchor", "!ignore spare: &x {a: 1}, metadata: {filter_metadata: {x: *x}}"),
    ("key twice", "lb_policy: RANDOM, lb_policy: MAGLEV"),
    ("unused Maglev size", "maglev_lb_config: {table_size: 100}"),
    ("unused ring size", "ring_hash_lb_config: {minimum_ring_size: 100, maximum_ring_size: 10}"),
    ("priority gap", "load_assignment: {cluster_name: a, endpoints: [{priority: 2}]}"),
];

const TAKEN_HOSTS: &[(&str, &str)] = &[
    ("virtual host name twice", "{name: x, domains: [a.test]}, {name: x, domains: [b.test]}"),
    ("domain with and without port", "{name: x, domains: [a.test]}, {name: z, domains: ['a.test:80']}"),
    ("empty prefix", "{name: v, domains: ['*'], routes: [{match: {prefix: ''}, route: {cluster: c}}]}"),
    (
        "weight 0 beside another",
        "{name: v, domains: ['*'], routes: [{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: c, weight: 0}, {name: d, weight: 1}]}}}]}",
    ),
];

const TAKEN_FILES: &[(&str, &str)] = &[
    ("Windows line ends", "static_resources:\r\n  clusters: []\r\n"),
    ("byte order mark", "\u{feff}static_resources: {}\n"),
    ("JSON in a yaml", "{\"static_resources\": {\n\t\"clusters\": []}}"),
    ("second document", "static_resources: {}\n---\nfoo: [\n"),
    ("empty bootstrap", "{}\n"),
];

fn taken() -> Vec<(&'static str, String)> {
    let mut cases = Vec::new();
    cases.extend(TAKEN_CLUSTERS.iter().map(|&(name, text)| (name, cluster(text))));
    cases.extend(TAKEN_HOSTS.iter().map(|&(name, text)| (name, hosts(text))));
    cases.extend(TAKEN_FILES.iter().map(|&(name, text)| (name, text.to_owned())));
    let socket = |config: String| {
        cluster(&format!(
            "transport_socket: {{name: envoy.transport_sockets.raw_buffer, typed_config: {config}}}"
        ))
    };
    let other_host = RAW.replace("type.googleapis.com", "foo.test");
    let two_names =
        "{filter_chain_match: {server_names: [a.b]}}, {filter_chain_match: {server_names: [c.d]}}";
    let panic_off = format!("{ROUND_ROBIN}, common_lb_config: {{healthy_panic_threshold: {{value: 0}}}}");
    cases.extend([
        ("another host in @type", socket(format!("{{'@type': {other_host}}}"))),
        (
            "TypedStruct",
            socket(format!(
                "{{'@type': type.googleapis.com/udpa.type.v1.TypedStruct, type_url: {RAW}, value: {{}}}}"
            )),
        ),
        ("no endpoints", cluster(&endpoints(""))),
        ("name in STRICT_DNS", cluster(&format!("type: STRICT_DNS, {}", endpoints(&at("localhost"))))),
        ("link-local address", cluster(&endpoints(&at("'fe80::1%lo'")))),
        ("typed policy and panic threshold", cluster(&panic_off)),
        ("typed policy and lb_policy", cluster(&format!("{ROUND_ROBIN}, lb_policy: RANDOM"))),
        ("two server names", chains(two_names)),
    ]);
    cases
}

#[test]
fn what_envoy_refuses_is_an_error_at_its_place() {
    for (name, text, place) in refused() {
        let found = errors(&text);
        let Some((_, shown, _)) = found.first() else { panic!("{name}: nothing found in\n{text}") };
        if !place.is_empty() {
            assert_eq!(shown, place, "{name}: {found:?}");
        }
    }
}

#[test]
fn what_envoy_takes_is_no_error() {
    for (name, text) in taken() {
        let (reading, _) = run(&text);
        assert_eq!(errors(&text), [], "{name}");
        assert!(!reading.broken, "{name}");
    }
}

#[test]
fn all_errors_are_reported_not_only_the_first() {
    let text = "static_resources:
  clusters:
  - name: a
    lb_polcy: x
    type: STATC
    connect_timeout: 5
";
    let rules: Vec<&str> = errors(text).iter().map(|(rule, ..)| *rule).collect();
    assert_eq!(rules, ["unknown-directive", "invalid-value", "invalid-value"]);
    let (reading, _) = run(text);
    let help: Vec<&str> = reading.diagnostics.iter().filter_map(|found| found.help.as_deref()).collect();
    assert_eq!(help, ["did you mean `lb_policy`?", "did you mean `STATIC`?", "add the unit: `5s`"]);
}

#[test]
fn silent_losses_are_warnings() {
    let (reading, sources) = run(&cluster("lb_policy: RANDOM, lb_policy: MAGLEV"));
    let found = reading.diagnostics.first().unwrap();
    assert_eq!((found.rule.as_str(), found.severity), ("duplicate-definition", Severity::Warning));
    assert_eq!(sources.text(found.primary.span), "lb_policy");
    assert_eq!(found.related.len(), 1);
    let (reading, _) = run("static_resources: {}\n---\nx: 1\n");
    assert_eq!(reading.diagnostics.len(), 1);
    assert_eq!(reading.diagnostics[0].severity, Severity::Warning);
}

#[test]
fn aliases_cannot_blow_up() {
    let mut text = String::from("node: {metadata: {a0: &a0 [x, x, x, x, x, x, x, x, x]");
    for level in 1..30 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!(", a{level}: &a{level} [{inner}]"));
    }
    text.push_str("}}\n");
    assert!(run(&text).0.broken);
}

#[test]
fn an_alias_inside_its_own_block_is_refused() {
    assert_eq!(errors("static_resources: &a {clusters: *a}\n")[0].1, "*a");
}

#[test]
fn ports_that_a_static_cluster_cannot_use_are_refused() {
    let endpoint = |kind: &str, endpoint: &str| {
        let fields = format!(
            "type: {kind}, load_assignment: {{cluster_name: a, endpoints: [{{lb_endpoints: [{{endpoint: {{{endpoint}}}}}]}}]}}"
        );
        errors(&cluster(&fields)).into_iter().map(|(_, text, _)| text).collect::<Vec<_>>()
    };
    let named = "address: {socket_address: {address: 127.0.0.1, named_port: http}}";
    assert_eq!(endpoint("STATIC", named), ["http"]);
    assert_eq!(endpoint("STRICT_DNS", named), [""; 0]);
    let pipe = |port: u32| {
        format!("address: {{pipe: {{path: /tmp/x}}}}, health_check_config: {{port_value: {port}}}")
    };
    assert_eq!(endpoint("STATIC", &pipe(80)), ["80"]);
    assert_eq!(endpoint("STATIC", &pipe(0)), [""; 0]);
    assert_eq!(endpoint("STRICT_DNS", &pipe(80)), [""; 0]);
}

/// Envoy calls a key without a text null, and finds no extension of that name.
#[test]
fn a_key_may_be_null() {
    for key in ["null", "~", ""] {
        let text = format!(
            "static_resources: {{clusters: [{{name: a, typed_extension_protocol_options: {{{key}: {{'@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {{http_protocol_options: {{}}}}}}}}}}]}}\n"
        );
        let found = errors(&text);
        assert!(found.iter().any(|(_, _, said)| said.contains("no extension `null`")), "{key}: {found:?}");
    }
}

/// Addresses that Envoy reads while it starts and looks no name up for; each refused by Envoy 1.40 in these words:
/// malformed IP address.
#[test]
fn addresses_that_are_not_looked_up_are_literal() {
    const T: &str = "type.googleapis.com/envoy";
    let socket = |name: &str| format!("{{socket_address: {{address: {name}, port_value: 9}}}}");
    let cluster =
        |fields: &str| format!("static_resources: {{clusters: [{{name: a, type: STATIC, {fields}}}]}}\n");
    let endpoint = |fields: &str| {
        let good = socket("127.0.0.1");
        cluster(&format!(
            "load_assignment: {{cluster_name: a, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {good}, {fields}}}}}]}}]}}"
        ))
    };
    let files = |name: &str| {
        let bad = socket(name);
        [
            format!("admin: {{address: {bad}}}\n"),
            format!(
                "stats_sinks: [{{name: s, typed_config: {{'@type': {T}.config.metrics.v3.StatsdSink, address: {bad}}}}}]\n"
            ),
            cluster(&format!("dns_resolution_config: {{resolvers: [{bad}]}}")),
            cluster(&format!(
                "upstream_bind_config: {{source_address: {{address: 127.0.0.1, port_value: 0}}, extra_source_addresses: [{{address: {{address: {name}, port_value: 0}}}}]}}"
            )),
            endpoint(&format!("additional_addresses: [{{address: {bad}}}]")),
            endpoint(&format!("health_check_config: {{address: {bad}}}")),
        ]
    };
    for (bad, good) in files("b.0.0.0").iter().zip(&files("127.0.0.2")) {
        assert!(errors(bad).iter().any(|(_, at, _)| at == "b.0.0.0"), "{bad}: {:?}", errors(bad));
        let found = errors(good);
        assert!(!found.iter().any(|(_, at, _)| at == "127.0.0.2"), "{good}: {found:?}");
    }
}
