//! What the model says of a configuration, fact by fact.

// Clippy's allowance for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::Duration;

use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::model::{
    Action, AdminState, Affinity, Algorithm, CheckKind, Condition, Config, HashFunction, HashKey, HashTable,
    Host, Match, Membership, Mode, Origin, Pool, RouteTable, Target, TextMatch, Weakens,
};
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;

const SAMPLE: &str = include_str!("data/envoy.yaml");

fn read_all(files: &[(&str, &str)], paths: &[&str]) -> (Reading, Sources) {
    let files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let loader = MemoryLoader { files };
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let mut sources = Sources::new();
    let reading = read(&loader, &mut sources, &paths, &ReadOptions::new(Dialect::Envoy));
    (reading, sources)
}

fn one(text: &str) -> Reading {
    read_all(&[("envoy.yaml", text)], &["envoy.yaml"]).0
}

fn pool<'c>(config: &'c Config, name: &str) -> &'c Pool {
    config.pools.iter().find(|pool| pool.name.value == name).unwrap()
}

fn table<'c>(config: &'c Config, label: &str) -> &'c RouteTable {
    config.tables.iter().find(|table| table.label == label).unwrap()
}

fn cluster(fields: &str) -> Pool {
    let reading = one(&format!("static_resources: {{clusters: [{{name: a, {fields}}}]}}"));
    reading.config.pools.into_iter().next().unwrap()
}

fn targets(config: &Config, action: &Action) -> Vec<(String, u64)> {
    let name = |target: &Target| match target {
        Target::Pool { pool, .. } => config.pool(*pool).name.value.clone(),
        Target::Undefined(name) => format!("?{}", name.value),
        Target::Dynamic { text, .. } => text.value.clone(),
    };
    match action {
        Action::Forward(target) => vec![(name(target), 1)],
        Action::Split(arms) => arms.iter().map(|arm| (name(&arm.target), arm.weight)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn endpoints_carry_weight_tier_state_and_locality() {
    let config = one(SAMPLE).config;
    let web = pool(&config, "web");
    let facts: Vec<_> = web
        .endpoints
        .iter()
        .map(|endpoint| {
            (endpoint.name.value.as_str(), endpoint.weight.value, endpoint.tier.value, endpoint.state.value)
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("web1.internal:8080", 3, 0, AdminState::Enabled),
            ("web2.internal:8080", 1, 0, AdminState::Draining),
            ("web3.internal:8080", 1, 0, AdminState::Disabled),
            ("unix:/run/spare.sock", 1, 1, AdminState::Enabled),
        ]
    );
    assert!(web.endpoints[1].check_disabled.is_some());
    assert_eq!(web.membership, Membership::Static);
    // The zone written twice is one locality, and its last weight holds.
    let localities: Vec<_> = web
        .localities
        .iter()
        .map(|locality| {
            (locality.name.as_str(), locality.weight.map(|weight| weight.value), locality.priority)
        })
        .collect();
    assert_eq!(localities, [("eu/a/", Some(5), 0), ("", None, 1)]);
    assert_eq!(web.endpoints[2].locality, Some(0));
}

#[test]
fn cluster_settings_are_effective_values_with_origins() {
    let config = one(SAMPLE).config;
    let web = pool(&config, "web");
    assert_eq!(web.algorithm.value, Algorithm::LeastConnections { choices: Some(4), bias_milli: 500 });
    assert_eq!(web.timeouts.connect.unwrap().value, Duration::from_millis(250));
    assert_eq!(web.limits.max_connections.unwrap().value, 200);
    assert_eq!(web.limits.max_retries.unwrap().value, 5);
    assert!(matches!(web.limits.max_requests.unwrap().origin, Origin::Default(_)));
    assert_eq!(web.overprovisioning_percent.unwrap().value, 150);
    assert_eq!(web.panic_threshold_percent.unwrap().value, 50);
    let check = &web.health_checks[0].value;
    assert_eq!(check.kind, CheckKind::Http { path: Some("/healthz".into()) });
    assert_eq!(check.timing.fall.unwrap().value, 3);
    let outlier = web.outlier_detection.unwrap().value;
    assert_eq!((outlier.failures, outlier.max_ejection_percent), (7, Some(50)));
    assert_eq!(outlier.ejection, Some(Duration::from_secs(30)));

    let cafe = pool(&config, "café");
    assert_eq!(cafe.algorithm.value.policy_name(), "random_one");
    assert_eq!(cafe.panic_threshold_percent.unwrap().value, 0);
    assert!(cafe.locality_weighted.is_some());
    assert_eq!(cafe.timeouts.connect.unwrap().value, Duration::from_secs(5));

    let cache = pool(&config, "cache");
    let expected = Algorithm::Hash {
        key: HashKey::RoutePolicy,
        table: HashTable::EnvoyRing { min: 2048, max: 8_388_608 },
        function: HashFunction::Murmur2,
        balance_factor: 150,
    };
    assert_eq!(cache.algorithm.value, expected);
    assert_eq!(cache.endpoints[0].hash_key.as_ref().unwrap().value, "one");
    assert_eq!(cache.endpoints[1].name.value, "[2001:db8::1]:6379");
    assert_eq!(pool(&config, "database").mode.value, Mode::Tcp);
    assert_eq!(cache.mode.value, Mode::Http);
}

#[test]
fn domains_are_in_order_of_precedence() {
    let config = one(SAMPLE).config;
    let hosts = table(&config, "route configuration edge_routes");
    let order: Vec<String> = hosts
        .routes
        .iter()
        .map(|route| match &route.when {
            Condition::Is(Match::Host(text)) => format!("{text:?}"),
            other => format!("{other:?}"),
        })
        .collect();
    let exact = |text: &str| Condition::Is(Match::Host(TextMatch::Exact(text.into())));
    assert_eq!(
        order,
        [
            format!("{:?}", Condition::Any(vec![exact("api.shop.test"), exact("api.shop.test:8443")])),
            "Suffix(\".eu.shop.test\")".to_owned(),
            "Suffix(\".shop.test\")".to_owned(),
            "Prefix(\"shop.\")".to_owned(),
            "Always".to_owned(),
        ]
    );
}

#[test]
fn routes_keep_their_order_and_settings() {
    let config = one(SAMPLE).config;
    let shops = table(&config, "virtual host shops");
    let Action::Respond(health) = &shops.routes[0].action else { panic!() };
    assert_eq!(health.status, Some(200));
    let path = Condition::Is(Match::Path(TextMatch::Prefix("/canary".into())));
    assert_eq!(shops.routes[1].when, Condition::All(vec![path, Condition::Chance(50_000)]));
    assert_eq!(shops.routes[2].when, Condition::Always);
    assert_eq!(targets(&config, &shops.routes[2].action), [("web".to_owned(), 90), ("café".to_owned(), 10)]);
    assert_eq!(shops.routes[2].timeout.unwrap().value, Duration::from_secs(3));
    let retries = shops.routes[2].retries.as_ref().unwrap();
    assert_eq!(retries.attempts.unwrap().value, 2);
    // An unconditional last route closes the table; no answer of its own is added.
    assert_eq!(shops.routes.len(), 3);
}

#[test]
fn a_virtual_host_settles_tls_retries_and_its_own_404() {
    let config = one(SAMPLE).config;
    let api = table(&config, "virtual host api");
    let kinds: Vec<&str> = api.routes.iter().map(|route| route.label.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "require_tls",
            "route by user (safe_regex /v[12]/.*)",
            "route path_separated_prefix /legacy",
            "no route"
        ]
    );
    let user = &api.routes[1];
    let Condition::All(tests) = &user.when else { panic!() };
    assert_eq!(tests[1], Condition::Is(Match::Header("x-user".into(), TextMatch::Present)));
    // A header that is missing does not match, inverted or not.
    assert_eq!(tests[2], Condition::Is(Match::Header("x-canary".into(), TextMatch::Present)));
    assert!(matches!(tests[3], Condition::Not(_)));
    let hashed: Vec<(&str, bool)> =
        user.hash_policies.iter().map(|policy| (policy.key.as_str(), policy.terminal)).collect();
    assert_eq!(hashed, [("header x-user", true), ("source_ip", false)]);
    assert_eq!(user.mirrors[0].share_ppm, 10_000);
    assert_eq!(config.other_uses.len(), 2, "the chain is aliased, so its mirror is there twice");
    assert_eq!(user.retries.as_ref().unwrap().on.as_ref().unwrap().value, "connect-failure");
    assert_eq!(user.timeout.unwrap().value, Duration::from_secs(15));
    let ignoring = TextMatch::IgnoreCase(Box::new(TextMatch::SegmentPrefix("/legacy".into())));
    assert_eq!(api.routes[2].when, Condition::Is(Match::Path(ignoring)));
    assert_eq!(targets(&config, &api.routes[2].action)[0].0, "cluster_header x-cluster");
    let Action::Respond(missing) = &api.routes[3].action else { panic!() };
    assert_eq!(missing.status, Some(404));
}

#[test]
fn filter_chains_go_from_specific_to_general() {
    let config = one(SAMPLE).config;
    let edge = &config.listeners[0];
    assert_eq!((edge.name.value.as_str(), edge.mode), ("edge", Mode::Http));
    assert_eq!(edge.binds[0].host, "*");
    assert_eq!(edge.binds[0].ports, Some((8443, 8443)));
    assert!(edge.binds[0].tls);
    let order: Vec<&Condition> = config.table(edge.table).routes.iter().map(|route| &route.when).collect();
    assert_eq!(order[0], &Condition::Is(Match::Sni(TextMatch::Exact("api.shop.test".into()))));
    assert_eq!(order[1], &Condition::Is(Match::Sni(TextMatch::Suffix(".shop.test".into()))));
    assert_eq!(order.len(), 3);
    let database = &config.listeners[1];
    assert_eq!(database.mode, Mode::Tcp);
    let routes = &config.table(database.table).routes;
    assert_eq!(targets(&config, &routes[0].action), [("database".to_owned(), 1)]);
}

#[test]
fn blocks_and_comments_are_given_for_suppressions() {
    let (reading, sources) = read_all(&[("envoy.yaml", SAMPLE)], &["envoy.yaml"]);
    assert_eq!(reading.comments.len(), 1);
    assert!(sources.text(reading.comments[0]).starts_with("# An edge proxy"));
    let headers: Vec<&str> = reading.blocks.iter().map(|block| sources.text(block.header)).collect();
    assert!(headers.contains(&"name: café") && headers.contains(&"name: api"));
    let cache = reading.blocks.iter().find(|block| sources.text(block.header) == "name: cache").unwrap();
    assert!(sources.text(cache.extent).ends_with("port_value: 6379}}}"));
}

#[test]
fn algorithms_by_every_spelling() {
    let typed = |name: &str, message: &str, rest: &str| {
        format!(
            "load_balancing_policy: {{policies: [{{typed_extension_config: {{name: x, typed_config: {{'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.{name}.v3.{message}{rest}}}}}}}]}}"
        )
    };
    let cases = [
        ("type: STATIC".to_owned(), "round_robin"),
        ("lbPolicy: maglev".to_owned(), "maglev"),
        ("lb_policy: 2".to_owned(), "ring_hash"),
        ("lb_policy: RANDOM, lb_subset_config: {subset_selectors: [{keys: [v]}]}".to_owned(), "subset"),
        ("lb_policy: RANDOM, lb_subset_config: {}".to_owned(), "random_one"),
        (format!("lb_policy: RANDOM, {}", typed("maglev", "Maglev", "")), "maglev"),
        (typed("least_request", "LeastRequest", ", selection_method: FULL_SCAN"), "least_conn"),
        (
            typed("client_side_weighted_round_robin", "ClientSideWeightedRoundRobin", ""),
            "external(client_side_weighted_round_robin)",
        ),
        ("type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED".to_owned(), "original_dst"),
    ];
    for (fields, expected) in cases {
        assert_eq!(cluster(&fields).algorithm.value.policy_name(), expected, "{fields}");
    }
    let full = cluster(&typed("least_request", "LeastRequest", ", selection_method: FULL_SCAN"));
    assert_eq!(full.algorithm.value, Algorithm::LeastConnections { choices: None, bias_milli: 1000 });
    let own_key = typed(
        "maglev",
        "Maglev",
        ", consistent_hashing_lb_config: {hash_policy: [{header: {header_name: X-Id}}]}",
    );
    let Algorithm::Hash { key, .. } = cluster(&own_key).algorithm.value else { panic!() };
    assert_eq!(key, HashKey::Expression("header x-id".into()));
}

#[test]
fn wrapped_policies_are_unwrapped() {
    let random = "{policies: [{typed_extension_config: {name: r, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.random.v3.Random}}}]}";
    let wrapped = |name: &str, message: &str, rest: &str| {
        cluster(&format!(
            "load_balancing_policy: {{policies: [{{typed_extension_config: {{name: x, typed_config: {{'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.{name}.v3.{message}, {rest}}}}}}}]}}"
        ))
    };
    let subset = wrapped(
        "subset",
        "Subset",
        &format!("subset_selectors: [{{keys: [v]}}], subset_lb_policy: {random}"),
    );
    let Algorithm::Subset(inner) = &subset.algorithm.value else { panic!() };
    assert_eq!(inner.policy_name(), "random_one");
    let host = wrapped(
        "override_host",
        "OverrideHost",
        &format!("override_host_sources: [{{header: x-host}}], fallback_policy: {random}"),
    );
    assert_eq!(host.algorithm.value.policy_name(), "random_one");
    assert_eq!(host.affinity[0].value, Affinity::Other("override_host header x-host".into()));
}

#[test]
fn membership_is_unknown_where_the_file_does_not_say() {
    let cases = [
        ("type: EDS, eds_cluster_config: {eds_config: {ads: {}}}", "endpoints come from EDS"),
        ("type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED", "the original destination of each connection"),
        (
            "lb_policy: CLUSTER_PROVIDED, cluster_type: {name: envoy.clusters.aggregate, typed_config: {'@type': type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig, clusters: [b, c]}}",
            "endpoints are those of the clusters b, c",
        ),
        (
            "lb_policy: CLUSTER_PROVIDED, cluster_type: {name: envoy.clusters.dynamic_forward_proxy, typed_config: {'@type': type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig, dns_cache_config: {name: d}}}",
            "the host of each request is the endpoint",
        ),
    ];
    for (fields, expected) in cases {
        assert_eq!(cluster(fields).membership, Membership::Unknown(expected.into()), "{fields}");
    }
}

#[test]
fn host_names_are_hashed_where_the_cluster_says_so() {
    let endpoints = "load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: [{endpoint: {hostname: one, address: {socket_address: {address: a.test, port_value: 1}}}}, {endpoint: {address: {socket_address: {address: b.test, port_value: 1}}}}]}]}";
    let pool = cluster(&format!(
        "type: STRICT_DNS, lb_policy: MAGLEV, common_lb_config: {{consistent_hashing_lb_config: {{use_hostname_for_hashing: true}}}}, {endpoints}"
    ));
    let keys: Vec<&str> =
        pool.endpoints.iter().map(|endpoint| endpoint.hash_key.as_ref().unwrap().value.as_str()).collect();
    assert_eq!(keys, ["one", "b.test"]);
}

#[test]
fn holes_in_addresses_are_unknown() {
    let pool = cluster(
        "type: STRICT_DNS, load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: '${HOST}', port_value: 1}}}}]}]}",
    );
    assert_eq!(pool.endpoints[0].address.host, Host::Unknown("${HOST}".into()));
}

const BOOTSTRAP: &str = "
node: {id: one, cluster: edge}
dynamic_resources:
  cds_config: {path_config_source: {path: /etc/envoy/cds.yaml}}
  lds_config: {path_config_source: {path: lds.json}}
";
const CDS: &str = "
resources:
- '@type': type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: api
  type: EDS
  eds_cluster_config: {service_name: api-v2, eds_config: {path_config_source: {path: /etc/envoy/eds.yaml}}}
- '@type': type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: lost
  type: EDS
  eds_cluster_config: {eds_config: {path_config_source: {path: /etc/envoy/missing.yaml}}}
";
const EDS: &str = "
resources:
- '@type': type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
  cluster_name: api-v2
  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}}]}]
";
const LDS: &str = r#"{"resources": [{"@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
  "name": "web", "address": {"socketAddress": {"address": "0.0.0.0", "portValue": 80}},
  "filterChains": [{"filters": [{"name": "hcm", "typedConfig": {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "statPrefix": "x", "rds": {"routeConfigName": "r", "configSource": {"path": "/etc/envoy/rds.yaml"}}}}]}]}]}"#;
const RDS: &str = "
resources:
- '@type': type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: other
- '@type': type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: r
  virtual_hosts: [{name: v, domains: ['*'], routes: [{match: {prefix: /}, route: {cluster: api}}]}]
";

#[test]
fn resource_files_are_followed() {
    let files = [
        ("etc/envoy.yaml", BOOTSTRAP),
        ("/etc/envoy/cds.yaml", CDS),
        ("/etc/envoy/eds.yaml", EDS),
        ("etc/lds.json", LDS),
        ("/etc/envoy/rds.yaml", RDS),
    ];
    let (reading, sources) = read_all(&files, &["etc/envoy.yaml"]);
    let found: Vec<(&str, &str)> = reading
        .diagnostics
        .iter()
        .map(|found| (found.rule.as_str(), sources.text(found.primary.span)))
        .collect();
    assert_eq!(
        found,
        [("deprecated-directive", "\"path\""), ("include-unresolved", "/etc/envoy/missing.yaml")]
    );
    let config = &reading.config;
    assert!(!config.fragment);
    let api = pool(config, "api");
    assert_eq!(api.membership, Membership::Static);
    assert_eq!(api.endpoints[0].name.value, "10.0.0.1:80");
    assert!(matches!(pool(config, "lost").membership, Membership::Unknown(_)));
    assert_eq!(targets(config, &table(config, "virtual host v").routes[0].action)[0].0, "api");
    assert_eq!(config.gaps_of_routing(), 0);
}

trait RoutingGaps {
    fn gaps_of_routing(&self) -> usize;
}

impl RoutingGaps for Config {
    fn gaps_of_routing(&self) -> usize {
        self.coverage.gaps.iter().filter(|gap| gap.weakens == Weakens::Routing).count()
    }
}

#[test]
fn control_planes_leave_names_open() {
    let text = "
dynamic_resources: {ads_config: {api_type: GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: {cluster_name: xds}}]}, cds_config: {ads: {}, resource_api_version: V3}}
static_resources: {clusters: [{name: xds}]}
";
    let reading = one(text);
    assert_eq!(reading.diagnostics, []);
    assert!(reading.config.fragment);
    assert_eq!(reading.config.gaps_of_routing(), 1);
    // The control plane's own cluster is used by something other than a route.
    assert_eq!(reading.config.other_uses.len(), 1);
}

#[test]
fn every_shape_of_file_is_known() {
    let endpoint = "endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}}]}]";
    let cases = [
        ("list of clusters", "- name: a\n  type: STATIC\n- name: b\n".to_owned(), 2),
        ("list of endpoints", format!("- {{cluster_name: a, {endpoint}}}\n"), 1),
        ("one cluster", "name: a\nconnect_timeout: 1s\n".to_owned(), 1),
        ("static resources", "clusters: [{name: a}]\nlisteners: []\n".to_owned(), 1),
        (
            "discovery response",
            "version_info: '1'\nresources: [{'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster, name: a}]\n"
                .to_owned(),
            1,
        ),
        (
            "list of typed resources",
            "- {'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster, name: a}\n".to_owned(),
            1,
        ),
        ("empty list", "[]\n".to_owned(), 0),
    ];
    for (name, text, pools) in cases {
        let reading = one(&text);
        assert_eq!(reading.diagnostics, [], "{name}");
        assert!(!reading.broken, "{name}");
        assert!(reading.config.fragment, "{name}");
        assert_eq!(reading.config.pools.len(), pools, "{name}");
    }
}

#[test]
fn a_dump_is_the_whole_configuration() {
    let text = r#"{"configs": [
      {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap":
        {"static_resources": {"clusters": [{"name": "s", "new_field": 1}]}, "dynamic_resources": {"cds_config": {"ads": {}}}}},
      {"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
       "static_clusters": [{"cluster": {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "s"}}],
       "dynamic_active_clusters": [{"version_info": "1", "cluster": {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
         "name": "d", "type": "EDS", "eds_cluster_config": {"eds_config": {"ads": {}}}}}]},
      {"@type": "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump", "dynamic_endpoint_configs": [{"endpoint_config":
        {"@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "cluster_name": "d",
         "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {"address": "10.0.0.9", "port_value": 80}}}, "health_status": "HEALTHY", "load_balancing_weight": 1}]}]}}]},
      {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": [{"name": "l", "active_state": {"listener":
        {"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "l",
         "address": {"socket_address": {"address": "0.0.0.0", "port_value": 80}},
         "filter_chains": [{"filters": [{"name": "h", "typed_config": {"@type":
           "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
           "stat_prefix": "x", "rds": {"route_config_name": "r", "config_source": {"ads": {}}}}}]}]}}}]},
      {"@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump", "dynamic_route_configs": [{"route_config":
        {"@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name": "r", "virtual_hosts":
          [{"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "d"}}]}]}}]}
    ]}"#;
    let (reading, _) = read_all(&[("dump.json", text)], &["dump.json"]);
    let config = &reading.config;
    assert!(!config.fragment && !reading.broken);
    let names: Vec<&str> = config.pools.iter().map(|pool| pool.name.value.as_str()).collect();
    assert_eq!(names, ["s", "d"]);
    assert_eq!(config.pools[1].endpoints.len(), 1);
    assert_eq!(targets(config, &table(config, "virtual host v").routes[0].action)[0].0, "d");
    assert_eq!(config.coverage.gaps, []);
    // Nobody loads a dump again: a field of another version is no error.
    assert!(reading.diagnostics.iter().all(|found| found.severity < lbcheck::diagnostic::Severity::Warning));
}

#[test]
fn filters_that_can_reroute_are_gaps() {
    let filter = |name: &str, rest: &str| {
        one(&format!(
            "static_resources: {{listeners: [{{name: l, address: {{socket_address: {{address: 127.0.0.1, port_value: 1}}}}, filter_chains: [{{filters: [{{name: h, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: x, route_config: {{}}, http_filters: [{{name: f, typed_config: {{'@type': type.googleapis.com/{name}{rest}}}}}]}}}}]}}]}}]}}"
        ))
        .config
        .gaps_of_routing()
    };
    let lua = "envoy.extensions.filters.http.lua.v3.Lua";
    assert_eq!(filter(lua, ", default_source_code: {inline_string: 'function envoy_on_request(h) end'}"), 0);
    assert_eq!(filter(lua, ", default_source_code: {inline_string: 'h:clearRouteCache()'}"), 1);
    assert_eq!(filter(lua, ", default_source_code: {filename: /x.lua}"), 1);
    assert_eq!(filter("envoy.extensions.filters.http.cors.v3.Cors", ""), 0);
    assert_eq!(filter("envoy.extensions.filters.http.fault.v3.HTTPFault", ""), 0);
    assert_eq!(filter("example.vendor.Filter", ", a: 1"), 1);
}

#[test]
fn a_route_says_what_it_rewrites() {
    let rewritten = |fields: &str| {
        let reading = one(&format!(
            "name: r
virtual_hosts: [{{name: v, domains: ['*'], routes: [{{match: {{prefix: /}}, route: {{cluster: c{fields}}}}}]}}]"
        ));
        table(&reading.config, "virtual host v").routes[0].rewrite.clone()
    };
    assert_eq!(rewritten(""), None);
    assert_eq!(rewritten(", prefix_rewrite: ''"), None);
    assert_eq!(rewritten(", prefix_rewrite: /x").as_deref(), Some("matched path prefix → /x"));
    let regex = ", regex_rewrite: {pattern: {regex: ^/a}, substitution: /b}, auto_host_rewrite: true";
    let words = "path ~ ^/a → /b, host → the endpoint's hostname";
    assert_eq!(rewritten(regex).as_deref(), Some(words));
}
