//! Envoy.

mod failures;
mod hashing;
mod limits;
mod timing;

pub(super) use failures::*;
pub(super) use hashing::*;
pub(super) use limits::*;
pub(super) use timing::*;

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

// ---- what only run time knows

pub(super) fn subset() -> Scenario {
    let settings = "lb_policy: ROUND_ROBIN\nlb_subset_config: {subset_selectors: [{keys: [stage]}]}";
    let stage = |name: &str| format!("metadata: {{filter_metadata: {{envoy.lb: {{stage: {name}}}}}}}");
    let (a, b) = (stage("prod"), stage("canary"));
    scenario("subset selectors", settings, &[&a, &b], Send::Same(0), Expect::Unknown("metadata"))
}

pub(super) fn client_side_weights() -> Scenario {
    let settings = "load_balancing_policy:\n  policies:\n  - typed_extension_config:\n      name: orca\n      typed_config:\n        \
         \"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin";
    scenario(
        "client-side weighted round robin",
        settings,
        EQUAL,
        Send::Same(0),
        Expect::Unknown("client_side"),
    )
}
