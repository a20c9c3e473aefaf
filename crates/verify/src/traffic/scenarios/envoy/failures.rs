//! Failures, splits and retries in Envoy.

use lbcheck::dialect::Dialect;
use lbcheck::traffic::scenario::Capacity;

use super::*;

pub(in crate::traffic::scenarios) fn round_robin_fails() -> Scenario {
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

pub(in crate::traffic::scenarios) fn ring_fails() -> Scenario {
    keys("RING_HASH, one of four fails", &checked(RING), &["", "", "", ""]).fails(&[1], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn maglev_fails() -> Scenario {
    keys("MAGLEV, two of five fail", &checked(MAGLEV), &["", "", "", "", ""]).fails(&[0, 3], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn tier_spill() -> Scenario {
    grouped(
        "two priorities, two of four fail in the first",
        &checked(ROUND_ROBIN),
        &[group("priority: 0", 1, &["", "", "", ""]), group("priority: 1", 5, &["", ""])],
        Send::Same(6000),
        Expect::ByChance,
    )
    .fails(&[0, 1], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn tier_takes_over() -> Scenario {
    grouped(
        "two priorities, the whole first fails",
        &checked(ROUND_ROBIN),
        &[group("priority: 0", 1, &["", ""]), group("priority: 1", 3, &["load_balancing_weight: 3", ""])],
        Send::Same(400),
        Expect::ToOneRequest,
    )
    .fails(&[0, 1], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn panic_by_failures() -> Scenario {
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

pub(in crate::traffic::scenarios) fn weighted_clusters() -> Scenario {
    let arms = weighted(&[("pool", 90), ("second", 9), ("third", 1)]);
    end_to_end("weighted clusters 90:9:1", &[&format!("{{match: {{prefix: /}}, {arms}}}")])
}

pub(in crate::traffic::scenarios) fn weighted_clusters_sum() -> Scenario {
    let arms = weighted(&[("pool", 30), ("second", 10), ("third", 0)]);
    end_to_end("weighted clusters 30:10:0", &[&format!("{{match: {{prefix: /}}, {arms}}}")])
}

pub(in crate::traffic::scenarios) fn runtime_fraction() -> Scenario {
    end_to_end("runtime fraction of 30 percent", &[&fraction(30, TO_SECOND), TO_POOL])
}

pub(in crate::traffic::scenarios) fn runtime_fractions() -> Scenario {
    let third = fraction(50, "route: {cluster: third}");
    end_to_end(
        "runtime fractions of 30, then 50 percent: one number for both",
        &[&fraction(30, TO_SECOND), &third, TO_POOL],
    )
}

pub(in crate::traffic::scenarios) fn fraction_into_clusters() -> Scenario {
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

pub(in crate::traffic::scenarios) fn attempts() -> Scenario {
    failing(
        "retry_on 5xx with num_retries 3, every answer is 500",
        ", retry_policy: {retry_on: 5xx, num_retries: 3}",
    )
}

pub(in crate::traffic::scenarios) fn attempts_one() -> Scenario {
    failing("retry_on 5xx, every answer is 500", ", retry_policy: {retry_on: 5xx}")
}

pub(in crate::traffic::scenarios) fn attempts_none() -> Scenario {
    failing("no retry policy, every answer is 500", "")
}

pub(in crate::traffic::scenarios) fn errors_unnoticed() -> Scenario {
    scenario(
        "ROUND_ROBIN 3:2:1, one dead, nothing checks",
        ROUND_ROBIN,
        THREE,
        Send::Same(600),
        Expect::Errors,
    )
    .fails(&[1], Notice::Never)
}

pub(in crate::traffic::scenarios) fn balance_factor() -> Scenario {
    let policy = hashed("{header: {header_name: x-user}}");
    let settings =
        "lb_policy: RING_HASH\ncommon_lb_config: {consistent_hashing_lb_config: {hash_balance_factor: 110}}";
    let config = routed(&policy, &cluster(settings, &group("", 1, &["", "", "", ""])));
    let send = Send::FlowingKeys { at_once: 30, count: 8000, header: "X-User" };
    let title = "RING_HASH, hash_balance_factor 110, 30 always in flight";
    Scenario::new(Dialect::Envoy, title, config, send, Expect::ByChance)
}

pub(in crate::traffic::scenarios) fn localities_without_weights() -> Scenario {
    grouped(
        "localities without any weight under locality weighting",
        LOCALITY_WEIGHTED,
        &[group("locality: {zone: a}", 1, &[""]), group("locality: {zone: b}", 2, &["", ""])],
        Send::Same(900),
        Expect::ToOneRequest,
    )
}

pub(in crate::traffic::scenarios) fn localities_random() -> Scenario {
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

pub(in crate::traffic::scenarios) fn maglev_localities() -> Scenario {
    let groups = [zone("a", 1, 1, &["", ""]), zone("b", 3, 3, &["load_balancing_weight: 2", ""])].concat();
    let settings = "lb_policy: MAGLEV\ncommon_lb_config: {locality_weighted_lb_config: {}}";
    let config = routed(&hashed("{header: {header_name: x-user}}"), &cluster(settings, &groups));
    Scenario::new(Dialect::Envoy, "MAGLEV, localities 1:3", config, by_header("X-User"), Expect::EveryKey)
}

pub(in crate::traffic::scenarios) fn two_workers() -> Scenario {
    scenario("ROUND_ROBIN 3:2:1, two workers", ROUND_ROBIN, THREE, Send::Same(2000), Expect::ToOneRequest)
        .workers(2)
}

pub(in crate::traffic::scenarios) fn random_spill() -> Scenario {
    let mut scenario = grouped(
        "RANDOM, overprovisioning factor 70, 50 and 2 hosts: one number for priority and host",
        "lb_policy: RANDOM",
        &[group("priority: 0", 1, &[""; 50]), group("priority: 1", 51, &["", ""])],
        Send::Same(20_000),
        Expect::ByChance,
    );
    scenario.config.push_str("      policy: {overprovisioning_factor: 70}\n");
    scenario
}

pub(in crate::traffic::scenarios) fn least_request_scan() -> Scenario {
    scenario(
        "LEAST_REQUEST typed, FULL_SCAN, equal weights, 30 in flight",
        "load_balancing_policy:\n  policies:\n  - typed_extension_config:\n      name: least\n      typed_config:\n        \
         \"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest\n        \
         selection_method: FULL_SCAN",
        EQUAL,
        Send::Held(30),
        Expect::InFlight,
    )
}

pub(in crate::traffic::scenarios) fn outlier_ejects() -> Scenario {
    scenario(
        "ROUND_ROBIN, outlier detection ejects the one of ten that is dead",
        "lb_policy: ROUND_ROBIN\noutlier_detection: {interval: 0.05s, base_ejection_time: 60s, \
         consecutive_gateway_failure: 3, enforcing_consecutive_gateway_failure: 100}\n\
         common_lb_config: {update_merge_window: 0s}",
        &[""; 10],
        Send::Same(1800),
        Expect::ToOneRequest,
    )
    .fails(&[4], Notice::Traffic)
}

pub(in crate::traffic::scenarios) fn outlier_does_not_eject() -> Scenario {
    scenario(
        "ROUND_ROBIN, outlier detection, one of nine dead: never ejected",
        "lb_policy: ROUND_ROBIN\noutlier_detection: {interval: 0.05s, base_ejection_time: 60s}",
        &[""; 9],
        Send::Same(1800),
        Expect::ToOneRequest,
    )
    .fails(&[4], Notice::Requests(200))
}

pub(in crate::traffic::scenarios) fn outlier_one_always() -> Scenario {
    scenario(
        "ROUND_ROBIN, always_eject_one_host, one of three dead",
        "lb_policy: ROUND_ROBIN\noutlier_detection: {interval: 0.05s, base_ejection_time: 60s, always_eject_one_host: true}\n\
         common_lb_config: {update_merge_window: 0s}",
        EQUAL,
        Send::Same(600),
        Expect::ToOneRequest,
    )
    .fails(&[1], Notice::Traffic)
}

pub(in crate::traffic::scenarios) fn outlier_panics() -> Scenario {
    scenario(
        "ROUND_ROBIN, max_ejection_percent 100, two of three dead: panic undoes the ejections",
        "lb_policy: ROUND_ROBIN\noutlier_detection: {interval: 0.05s, base_ejection_time: 60s, max_ejection_percent: 100}\n\
         common_lb_config: {update_merge_window: 0s}",
        EQUAL,
        Send::Same(600),
        Expect::ToOneRequest,
    )
    .fails(&[0, 1], Notice::Traffic)
}

pub(in crate::traffic::scenarios) fn panic_off_by_failures() -> Scenario {
    let settings = checked(ROUND_ROBIN)
        .replace("common_lb_config: {", "common_lb_config: {healthy_panic_threshold: {value: 0}, ");
    scenario(
        "panic threshold 0: three of four fail",
        &settings,
        &["", "", "", ""],
        Send::Same(200),
        Expect::ToOneRequest,
    )
    .fails(&[0, 1, 2], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn tier_spill_without_reserve() -> Scenario {
    let mut scenario = grouped(
        "overprovisioning factor 100, one of four fails in the first priority",
        &checked(ROUND_ROBIN),
        &[group("priority: 0", 1, &["", "", "", ""]), group("priority: 1", 5, &["", ""])],
        Send::Same(6000),
        Expect::ByChance,
    )
    .fails(&[2], Notice::Checks);
    scenario.config.push_str("      policy: {overprovisioning_factor: 100}\n");
    scenario
}

pub(in crate::traffic::scenarios) fn localities_fail() -> Scenario {
    let settings = checked(LOCALITY_WEIGHTED.split('\n').next().unwrap_or_default())
        .replace("common_lb_config: {", "common_lb_config: {locality_weighted_lb_config: {}, ");
    grouped(
        "localities 1:1, three of four fail in the first",
        &settings,
        &[zone("a", 1, 1, &["", "", "", ""]), zone("b", 1, 5, &["", "", "", ""])],
        Send::Same(2700),
        Expect::ToOneRequest,
    )
    .fails(&[0, 1, 2], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn every_loss() -> Scenario {
    scenario(
        "ROUND_ROBIN 4:3:2:1, every single loss",
        &checked(ROUND_ROBIN),
        FOUR,
        Send::Same(1200),
        Expect::EveryLoss,
    )
    .fails(&[], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn every_loss_ring() -> Scenario {
    let config = routed(
        &hashed("{header: {header_name: x-user}}"),
        &cluster(&checked(RING), &group("", 1, &["", "", "", ""])),
    );
    Scenario::new(
        Dialect::Envoy,
        "RING_HASH, every single loss",
        config,
        by_header("X-User"),
        Expect::EveryLoss,
    )
    .fails(&[], Notice::Checks)
}

/// Hosts of weight 4, 3, 2 and 1.
const FOUR: &[&str] = &[
    "load_balancing_weight: 4",
    "load_balancing_weight: 3",
    "load_balancing_weight: 2",
    "load_balancing_weight: 1",
];

fn falling(title: &str, limit: u64) -> Scenario {
    let weights = [4, 2, 2, 1, 1].map(|weight| format!("load_balancing_weight: {weight}"));
    let settings = checked(ROUND_ROBIN)
        .replace("common_lb_config: {", "common_lb_config: {healthy_panic_threshold: {value: 0}, ");
    scenario(
        title,
        &settings,
        &weights.each_ref().map(String::as_str),
        Send::Held(60),
        Expect::Cascade(Capacity::Requests(limit)),
    )
    .fails(&[], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn cascade_stops() -> Scenario {
    falling("ROUND_ROBIN 4:2:2:1:1, 60 in flight, hosts that take 22: a cascade that stops", 22)
}

pub(in crate::traffic::scenarios) fn cascade_down() -> Scenario {
    falling("ROUND_ROBIN 4:2:2:1:1, 60 in flight, hosts that take 15: a cascade until all are down", 15)
}

pub(in crate::traffic::scenarios) fn load_grows() -> Scenario {
    scenario(
        "ROUND_ROBIN 4:3:2:1, the heaviest fails under three times the load",
        &checked(ROUND_ROBIN),
        FOUR,
        Send::Held(30),
        Expect::InFlight,
    )
    .fails(&[0], Notice::Checks)
    .load(3.0)
}
