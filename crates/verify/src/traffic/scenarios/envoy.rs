//! Envoy.

use lbcheck::dialect::Dialect;

use super::servers_of;
use crate::traffic::client::Ask;
use crate::traffic::scenario::{
    Expect, Notice, Scenario, Send, by_header, by_path, by_query, by_source, each,
};

const ROUTER: &str = "{name: envoy.filters.http.router, typed_config: \
    {\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";

/// A listener with the given routes, and clusters.
fn routed(routes: &str, clusters: &str) -> String {
    format!(
        "static_resources:\n  listeners:\n  - name: front\n    address: @FRONT@\n    filter_chains:\n    - filters:\n      \
         - name: envoy.filters.network.http_connection_manager\n        typed_config:\n          \
         \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          \
         stat_prefix: front\n          http_filters: [{ROUTER}]\n          route_config:\n            \
         virtual_hosts:\n            - name: all\n              domains: [\"*\"]\n              routes:\n{routes}  \
         clusters:\n{clusters}"
    )
}

/// One cluster `pool`, with settings and a list of locality groups.
fn cluster(settings: &str, groups: &str) -> String {
    let settings: String = settings
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("    {}\n", line.trim_end()))
        .collect();
    format!(
        "  - name: pool\n    type: STATIC\n    connect_timeout: 1s\n{settings}    load_assignment:\n      \
         cluster_name: pool\n      endpoints:\n{groups}"
    )
}

/// A locality group. Its facts are fields of the group, each endpoint's those of the `lb_endpoint`.
fn group(facts: &str, first: usize, endpoints: &[&str]) -> String {
    let lines = servers_of(endpoints, |number, facts| {
        let number = first + number - 1;
        let facts = if facts.is_empty() { String::new() } else { format!(", {facts}") };
        format!("        - {{endpoint: {{address: @BACK{number}@}}{facts}}}\n")
    });
    let facts: String = if facts.is_empty() { String::new() } else { format!("        {facts}\n") };
    let both = format!("{facts}        lb_endpoints:\n{lines}");
    both.replacen("        ", "      - ", 1)
}

const PLAIN: &str = "              - {match: {prefix: /}, route: {cluster: pool}}\n";

/// A route with a hash policy.
fn hashed(policies: &str) -> String {
    format!("              - {{match: {{prefix: /}}, route: {{cluster: pool, hash_policy: [{policies}]}}}}\n")
}

fn scenario(title: &str, settings: &str, endpoints: &[&str], send: Send, expect: Expect) -> Scenario {
    let config = routed(PLAIN, &cluster(settings, &group("", 1, endpoints)));
    Scenario::new(Dialect::Envoy, title, config, send, expect)
}

fn keys(title: &str, settings: &str, endpoints: &[&str]) -> Scenario {
    let policy = hashed("{header: {header_name: x-user}}");
    let config = routed(&policy, &cluster(settings, &group("", 1, endpoints)));
    Scenario::new(Dialect::Envoy, title, config, by_header("X-User"), Expect::EveryKey)
}

fn policy(title: &str, policies: &str, send: Send) -> Scenario {
    let config = routed(&hashed(policies), &cluster(RING, &group("", 1, THREE)));
    Scenario::new(Dialect::Envoy, title, config, send, Expect::EveryKey)
}

fn grouped(title: &str, settings: &str, groups: &[String], send: Send, expect: Expect) -> Scenario {
    let config = routed(PLAIN, &cluster(settings, &groups.concat()));
    Scenario::new(Dialect::Envoy, title, config, send, expect)
}

const ROUND_ROBIN: &str = "lb_policy: ROUND_ROBIN";
const RING: &str = "lb_policy: RING_HASH";
const MAGLEV: &str = "lb_policy: MAGLEV";
const THREE: &[&str] = &["load_balancing_weight: 3", "load_balancing_weight: 2", "load_balancing_weight: 1"];
const EQUAL: &[&str] = &["", "", ""];
const UP: &str = "health_status: HEALTHY";
const DOWN: &str = "health_status: UNHEALTHY";
const DRAINING: &str = "health_status: DRAINING";

/// Active checks that find out fast; also while there is no traffic.
const CHECKS: &str = "health_checks:\n- timeout: 1s\n  interval: 0.05s\n  no_traffic_interval: 0.05s\n  \
    unhealthy_threshold: 2\n  healthy_threshold: 1\n  tcp_health_check: {}\n\
    common_lb_config: {update_merge_window: 0s}";

fn checked(policy: &str) -> String {
    format!("{policy}\n{CHECKS}")
}

pub(super) fn round_robin() -> Scenario {
    scenario("ROUND_ROBIN, equal weights", ROUND_ROBIN, EQUAL, Send::Same(2000), Expect::ToOneRequest)
}

pub(super) fn round_robin_weights() -> Scenario {
    scenario("ROUND_ROBIN, weights 3:2:1", ROUND_ROBIN, THREE, Send::Same(2000), Expect::ToOneRequest)
}

pub(super) fn random() -> Scenario {
    scenario(
        "RANDOM, weights 3:2:1 without effect",
        "lb_policy: RANDOM",
        THREE,
        Send::Same(6000),
        Expect::ByChance,
    )
}

pub(super) fn least_request_equal() -> Scenario {
    scenario(
        "LEAST_REQUEST, equal weights, one request at a time",
        "lb_policy: LEAST_REQUEST",
        EQUAL,
        Send::Same(6000),
        Expect::ByChance,
    )
}

pub(super) fn least_request_choices() -> Scenario {
    scenario(
        "LEAST_REQUEST, choice_count 10, equal weights, 30 always in flight",
        "lb_policy: LEAST_REQUEST\nleast_request_lb_config: {choice_count: 10}",
        EQUAL,
        Send::Flowing { at_once: 30, count: 3000 },
        Expect::ByChance,
    )
}

pub(super) fn least_request_idle() -> Scenario {
    scenario(
        "LEAST_REQUEST, weights 3:2:1, one request at a time",
        "lb_policy: LEAST_REQUEST",
        THREE,
        Send::Same(3000),
        Expect::ByChance,
    )
}

fn biased(title: &str, bias: &str) -> Scenario {
    let bias = if bias.is_empty() {
        String::new()
    } else {
        format!("{{active_request_bias: {{default_value: {bias}, runtime_key: bias}}}}")
    };
    let settings = match bias.as_str() {
        "" => "lb_policy: LEAST_REQUEST".to_owned(),
        bias => format!("lb_policy: LEAST_REQUEST\nleast_request_lb_config: {bias}"),
    };
    scenario(title, &settings, THREE, Send::Flowing { at_once: 30, count: 6000 }, Expect::ByChance)
}

pub(super) fn least_request_busy() -> Scenario {
    biased("LEAST_REQUEST, weights 3:2:1, 30 always in flight", "")
}

pub(super) fn least_request_bias_half() -> Scenario {
    biased("LEAST_REQUEST, bias 0.5, weights 3:2:1, 30 always in flight", "0.5")
}

pub(super) fn least_request_bias_none() -> Scenario {
    biased("LEAST_REQUEST, bias 0, weights 3:2:1, 30 always in flight", "0.0")
}

pub(super) fn least_request_bias_two() -> Scenario {
    biased("LEAST_REQUEST, bias 2, weights 3:2:1, 30 always in flight", "2.0")
}

// ---- health and priorities

pub(super) fn unhealthy() -> Scenario {
    scenario(
        "ROUND_ROBIN 3:2:1, the last UNHEALTHY",
        ROUND_ROBIN,
        &["load_balancing_weight: 3", "load_balancing_weight: 2", DOWN],
        Send::Same(1000),
        Expect::ToOneRequest,
    )
}

pub(super) fn draining() -> Scenario {
    scenario(
        "ROUND_ROBIN, two of three DRAINING",
        ROUND_ROBIN,
        &[DRAINING, UP, DRAINING],
        Send::Same(300),
        Expect::ToOneRequest,
    )
}

pub(super) fn degraded() -> Scenario {
    scenario(
        "ROUND_ROBIN, one of three DEGRADED",
        ROUND_ROBIN,
        &[UP, UP, "health_status: DEGRADED"],
        Send::Same(6000),
        Expect::ByChance,
    )
}

pub(super) fn panic() -> Scenario {
    scenario(
        "ROUND_ROBIN, panic: three of four UNHEALTHY",
        ROUND_ROBIN,
        &[UP, DOWN, DOWN, DOWN],
        Send::Same(2000),
        Expect::ToOneRequest,
    )
}

pub(super) fn panic_disabled() -> Scenario {
    scenario(
        "ROUND_ROBIN, three of four UNHEALTHY, panic threshold 0",
        "lb_policy: ROUND_ROBIN\ncommon_lb_config: {healthy_panic_threshold: {value: 0}}",
        &[UP, DOWN, DOWN, DOWN],
        Send::Same(200),
        Expect::ToOneRequest,
    )
}

pub(super) fn priorities() -> Scenario {
    grouped(
        "two priorities, two of four UNHEALTHY in the first",
        ROUND_ROBIN,
        &[group("priority: 0", 1, &[UP, UP, DOWN, DOWN]), group("priority: 1", 5, &["", ""])],
        Send::Same(6000),
        Expect::ByChance,
    )
}

pub(super) fn priorities_panic() -> Scenario {
    grouped(
        "three priorities of five, one healthy each: panic",
        ROUND_ROBIN,
        &[
            group("priority: 0", 1, &[UP, DOWN, DOWN, DOWN, DOWN]),
            group("priority: 1", 6, &[UP, DOWN, DOWN, DOWN, DOWN]),
            group("priority: 2", 11, &[UP, DOWN, DOWN, DOWN, DOWN]),
        ],
        Send::Same(6000),
        Expect::ByChance,
    )
}

pub(super) fn overprovisioning() -> Scenario {
    let mut scenario = grouped(
        "overprovisioning factor 80, all healthy",
        ROUND_ROBIN,
        &[group("priority: 0", 1, &["", ""]), group("priority: 1", 3, &["", ""])],
        Send::Same(6000),
        Expect::ByChance,
    );
    scenario.config.push_str("      policy: {overprovisioning_factor: 80}\n");
    scenario
}

pub(super) fn priorities_hash() -> Scenario {
    let groups =
        [group("priority: 0", 1, &[UP, UP, DOWN, DOWN]), group("priority: 1", 5, &["", ""])].concat();
    let config = routed(&hashed("{header: {header_name: x-user}}"), &cluster(RING, &groups));
    let title = "RING_HASH, two priorities, two of four UNHEALTHY in the first";
    Scenario::new(Dialect::Envoy, title, config, by_header("X-User"), Expect::EveryKey)
}

// ---- localities

const LOCALITY_WEIGHTED: &str = "lb_policy: ROUND_ROBIN\ncommon_lb_config: {locality_weighted_lb_config: {}}";

fn zone(name: &str, weight: u32, first: usize, endpoints: &[&str]) -> String {
    group(&format!("locality: {{zone: {name}}}\n        load_balancing_weight: {weight}"), first, endpoints)
}

pub(super) fn localities() -> Scenario {
    grouped(
        "localities 1:3, hosts 2 and 1:2",
        LOCALITY_WEIGHTED,
        &[
            zone("a", 1, 1, &["", ""]),
            zone("b", 3, 3, &["load_balancing_weight: 1", "load_balancing_weight: 2"]),
        ],
        Send::Same(2400),
        Expect::ToOneRequest,
    )
}

pub(super) fn localities_ignored() -> Scenario {
    grouped(
        "localities 1:9 without locality weighting",
        ROUND_ROBIN,
        &[zone("a", 1, 1, &["", ""]), zone("b", 9, 3, &["", ""])],
        Send::Same(2000),
        Expect::ToOneRequest,
    )
}

pub(super) fn localities_partial() -> Scenario {
    grouped(
        "localities 1:1, one of four healthy in the first",
        LOCALITY_WEIGHTED,
        &[zone("a", 1, 1, &[UP, DOWN, DOWN, DOWN]), zone("b", 1, 5, &["", "", "", ""])],
        Send::Same(2700),
        Expect::ToOneRequest,
    )
}

pub(super) fn localities_unweighted() -> Scenario {
    grouped(
        "one locality without a weight",
        LOCALITY_WEIGHTED,
        &[group("locality: {zone: a}", 1, &["", ""]), zone("b", 2, 3, &["", ""])],
        Send::Same(400),
        Expect::ToOneRequest,
    )
}

pub(super) fn localities_hash() -> Scenario {
    let groups = [zone("a", 1, 1, &[UP, DOWN]), zone("b", 3, 3, &["load_balancing_weight: 2", ""])].concat();
    let settings = "lb_policy: RING_HASH\ncommon_lb_config: {locality_weighted_lb_config: {}}";
    let config = routed(&hashed("{header: {header_name: x-user}}"), &cluster(settings, &groups));
    let title = "RING_HASH, localities 1:3, one host UNHEALTHY";
    Scenario::new(Dialect::Envoy, title, config, by_header("X-User"), Expect::EveryKey)
}

// ---- hashing

pub(super) fn ring() -> Scenario {
    keys("RING_HASH, equal weights", RING, &["", "", "", "", ""])
}

pub(super) fn ring_weights() -> Scenario {
    keys("RING_HASH, weights 5:1:1", RING, &["load_balancing_weight: 5", "", ""])
}

pub(super) fn ring_murmur() -> Scenario {
    keys(
        "RING_HASH, murmur2",
        "lb_policy: RING_HASH\nring_hash_lb_config: {hash_function: MURMUR_HASH_2}",
        THREE,
    )
}

pub(super) fn ring_small() -> Scenario {
    keys("RING_HASH, minimum 10", "lb_policy: RING_HASH\nring_hash_lb_config: {minimum_ring_size: 10}", THREE)
}

pub(super) fn ring_maximum() -> Scenario {
    keys(
        "RING_HASH, minimum 10, maximum 11",
        "lb_policy: RING_HASH\nring_hash_lb_config: {minimum_ring_size: 10, maximum_ring_size: 11}",
        THREE,
    )
}

pub(super) fn ring_hash_keys() -> Scenario {
    let key = |name: &str| format!("metadata: {{filter_metadata: {{envoy.lb: {{hash_key: {name}}}}}}}");
    let (a, b, c) = (key("alpha"), key("beta"), key("gamma"));
    keys("RING_HASH, hosts with a hash_key", RING, &[&a, &b, &c])
}

pub(super) fn ring_unhealthy() -> Scenario {
    keys("RING_HASH, one of four UNHEALTHY, one DRAINING", RING, &["", DOWN, "", DRAINING, ""])
}

pub(super) fn maglev() -> Scenario {
    keys("MAGLEV, equal weights", MAGLEV, &["", "", "", "", ""])
}

pub(super) fn maglev_weights() -> Scenario {
    keys("MAGLEV, weights 3:2:1", MAGLEV, THREE)
}

pub(super) fn maglev_small() -> Scenario {
    keys("MAGLEV, table of 7, weights 3:2:1", "lb_policy: MAGLEV\nmaglev_lb_config: {table_size: 7}", THREE)
}

pub(super) fn maglev_typed() -> Scenario {
    keys(
        "typed maglev, table of 101, beside lb_policy",
        "lb_policy: RANDOM\nload_balancing_policy:\n  policies:\n  - typed_extension_config:\n      name: maglev\n      \
         typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev\n        \
         table_size: 101",
        THREE,
    )
}

pub(super) fn policy_query() -> Scenario {
    policy("hash policy: query parameter", "{query_parameter: {name: id}}", by_query())
}

pub(super) fn policy_cookie() -> Scenario {
    let ask = |number: usize| {
        let key = format!("session{number}");
        let headers = vec![("Cookie", format!("a=b; sid={key}; z=1"))];
        Ask { path: "/".into(), headers, key, ..Ask::default() }
    };
    policy("hash policy: cookie", "{cookie: {name: sid}}", each(ask))
}

pub(super) fn policy_path() -> Scenario {
    policy(
        "hash policy: rewritten path",
        "{header: {header_name: \":path\", regex_rewrite: {pattern: {regex: '\\?.*$'}, substitution: ''}}}",
        by_path(),
    )
}

pub(super) fn policy_source() -> Scenario {
    let mut scenario =
        policy("hash policy: source address", "{connection_properties: {source_ip: true}}", by_source());
    scenario.config = scenario.config.replace(
        "    filter_chains:\n",
        "    listener_filters:\n    - name: envoy.filters.listener.proxy_protocol\n      typed_config: \
         {\"@type\": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol}\n    \
         filter_chains:\n",
    );
    scenario
}

// ---- failures

pub(super) fn round_robin_fails() -> Scenario {
    let settings = checked(ROUND_ROBIN);
    let weights = ["load_balancing_weight: 4", "load_balancing_weight: 3", "load_balancing_weight: 2", ""];
    scenario(
        "ROUND_ROBIN 4:3:2:1, the heaviest fails",
        &settings,
        &weights,
        Send::Same(1200),
        Expect::ToOneRequest,
    )
    .fails(&[0], Notice::Checks)
}

pub(super) fn ring_fails() -> Scenario {
    keys("RING_HASH, one of four fails", &checked(RING), &["", "", "", ""]).fails(&[1], Notice::Checks)
}

pub(super) fn maglev_fails() -> Scenario {
    keys("MAGLEV, two of five fail", &checked(MAGLEV), &["", "", "", "", ""]).fails(&[0, 3], Notice::Checks)
}

pub(super) fn tier_spill() -> Scenario {
    grouped(
        "two priorities, two of four fail in the first",
        &checked(ROUND_ROBIN),
        &[group("priority: 0", 1, &["", "", "", ""]), group("priority: 1", 5, &["", ""])],
        Send::Same(6000),
        Expect::ByChance,
    )
    .fails(&[0, 1], Notice::Checks)
}

pub(super) fn tier_takes_over() -> Scenario {
    grouped(
        "two priorities, the whole first fails",
        &checked(ROUND_ROBIN),
        &[group("priority: 0", 1, &["", ""]), group("priority: 1", 3, &["load_balancing_weight: 3", ""])],
        Send::Same(400),
        Expect::ToOneRequest,
    )
    .fails(&[0, 1], Notice::Checks)
}

pub(super) fn panic_by_failures() -> Scenario {
    scenario(
        "panic: three of four fail",
        &checked(ROUND_ROBIN),
        &["", "", "", ""],
        Send::Same(400),
        Expect::ToOneRequest,
    )
    .fails(&[0, 1, 2], Notice::Checks)
}

// ---- splits and retries

/// Further clusters of one server each.
fn single(name: &str, back: usize) -> String {
    format!(
        "  - name: {name}\n    type: STATIC\n    connect_timeout: 1s\n    load_assignment:\n      cluster_name: {name}\n      \
         endpoints:\n      - lb_endpoints:\n        - {{endpoint: {{address: @BACK{back}@}}}}\n"
    )
}

fn end_to_end(title: &str, routes: &[&str]) -> Scenario {
    let routes: String = routes.iter().map(|route| format!("              - {route}\n")).collect();
    let two = ["load_balancing_weight: 2", "load_balancing_weight: 1"];
    let clusters =
        [cluster(ROUND_ROBIN, &group("", 1, &two)), single("second", 3), single("third", 4)].concat();
    Scenario::new(Dialect::Envoy, title, routed(&routes, &clusters), Send::Same(8000), Expect::EndToEnd)
}

const TO_SECOND: &str = "route: {cluster: second}";
const TO_POOL: &str = "{match: {prefix: /}, route: {cluster: pool}}";

fn fraction(percent: u32, route: &str) -> String {
    format!(
        "{{match: {{prefix: /, runtime_fraction: {{default_value: {{numerator: {percent}, denominator: HUNDRED}}}}}}, {route}}}"
    )
}

fn weighted(weights: &[(&str, u32)]) -> String {
    let arms: Vec<String> =
        weights.iter().map(|(name, weight)| format!("{{name: {name}, weight: {weight}}}")).collect();
    format!("route: {{weighted_clusters: {{clusters: [{}]}}}}", arms.join(", "))
}

pub(super) fn weighted_clusters() -> Scenario {
    let arms = weighted(&[("pool", 90), ("second", 9), ("third", 1)]);
    end_to_end("weighted clusters 90:9:1", &[&format!("{{match: {{prefix: /}}, {arms}}}")])
}

pub(super) fn weighted_clusters_sum() -> Scenario {
    let arms = weighted(&[("pool", 30), ("second", 10), ("third", 0)]);
    end_to_end("weighted clusters 30:10:0", &[&format!("{{match: {{prefix: /}}, {arms}}}")])
}

pub(super) fn runtime_fraction() -> Scenario {
    end_to_end("runtime fraction of 30 percent", &[&fraction(30, TO_SECOND), TO_POOL])
}

pub(super) fn runtime_fractions() -> Scenario {
    let third = fraction(50, "route: {cluster: third}");
    end_to_end(
        "runtime fractions of 30, then 50 percent: one number for both",
        &[&fraction(30, TO_SECOND), &third, TO_POOL],
    )
}

pub(super) fn fraction_into_clusters() -> Scenario {
    let arms = weighted(&[("second", 50), ("third", 50)]);
    end_to_end(
        "runtime fraction of 50 percent into weighted clusters 50:50",
        &[&fraction(50, &arms), TO_POOL],
    )
}

fn failing(title: &str, retries: &str) -> Scenario {
    let route = format!("              - {{match: {{prefix: /}}, route: {{cluster: pool{retries}}}}}\n");
    let config = routed(&route, &cluster(ROUND_ROBIN, &group("", 1, EQUAL)));
    Scenario::new(Dialect::Envoy, title, config, Send::Failing(100), Expect::Attempts)
}

pub(super) fn attempts() -> Scenario {
    failing(
        "retry_on 5xx with num_retries 3, every answer is 500",
        ", retry_policy: {retry_on: 5xx, num_retries: 3}",
    )
}

pub(super) fn attempts_one() -> Scenario {
    failing("retry_on 5xx, every answer is 500", ", retry_policy: {retry_on: 5xx}")
}

pub(super) fn attempts_none() -> Scenario {
    failing("no retry policy, every answer is 500", "")
}

pub(super) fn errors_unnoticed() -> Scenario {
    scenario(
        "ROUND_ROBIN 3:2:1, one dead, nothing checks",
        ROUND_ROBIN,
        THREE,
        Send::Same(600),
        Expect::Errors,
    )
    .fails(&[1], Notice::Never)
}

pub(super) fn balance_factor() -> Scenario {
    let policy = hashed("{header: {header_name: x-user}}");
    let settings =
        "lb_policy: RING_HASH\ncommon_lb_config: {consistent_hashing_lb_config: {hash_balance_factor: 110}}";
    let config = routed(&policy, &cluster(settings, &group("", 1, &["", "", "", ""])));
    let send = Send::FlowingKeys { at_once: 30, count: 8000, header: "X-User" };
    let title = "RING_HASH, hash_balance_factor 110, 30 always in flight";
    Scenario::new(Dialect::Envoy, title, config, send, Expect::ByChance)
}

pub(super) fn localities_without_weights() -> Scenario {
    grouped(
        "localities without any weight under locality weighting",
        LOCALITY_WEIGHTED,
        &[group("locality: {zone: a}", 1, &[""]), group("locality: {zone: b}", 2, &["", ""])],
        Send::Same(900),
        Expect::ToOneRequest,
    )
}

pub(super) fn localities_random() -> Scenario {
    grouped(
        "RANDOM, localities 1:3",
        "lb_policy: RANDOM\ncommon_lb_config: {locality_weighted_lb_config: {}}",
        &[
            zone("a", 1, 1, &["", ""]),
            zone("b", 3, 3, &["load_balancing_weight: 1", "load_balancing_weight: 2"]),
        ],
        Send::Same(6000),
        Expect::ByChance,
    )
}

pub(super) fn maglev_localities() -> Scenario {
    let groups = [zone("a", 1, 1, &["", ""]), zone("b", 3, 3, &["load_balancing_weight: 2", ""])].concat();
    let settings = "lb_policy: MAGLEV\ncommon_lb_config: {locality_weighted_lb_config: {}}";
    let config = routed(&hashed("{header: {header_name: x-user}}"), &cluster(settings, &groups));
    Scenario::new(Dialect::Envoy, "MAGLEV, localities 1:3", config, by_header("X-User"), Expect::EveryKey)
}

pub(super) fn two_workers() -> Scenario {
    scenario("ROUND_ROBIN 3:2:1, two workers", ROUND_ROBIN, THREE, Send::Same(2000), Expect::ToOneRequest)
        .workers(2)
}
