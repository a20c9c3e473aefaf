//! Where keys go in Envoy.

use super::*;

pub(in crate::traffic::scenarios) fn ring() -> Scenario {
    keys("RING_HASH, equal weights", RING, &["", "", "", "", ""])
}

pub(in crate::traffic::scenarios) fn ring_weights() -> Scenario {
    keys("RING_HASH, weights 5:1:1", RING, &["load_balancing_weight: 5", "", ""])
}

pub(in crate::traffic::scenarios) fn ring_murmur() -> Scenario {
    keys(
        "RING_HASH, murmur2",
        "lb_policy: RING_HASH\nring_hash_lb_config: {hash_function: MURMUR_HASH_2}",
        THREE,
    )
}

pub(in crate::traffic::scenarios) fn ring_small() -> Scenario {
    keys("RING_HASH, minimum 10", "lb_policy: RING_HASH\nring_hash_lb_config: {minimum_ring_size: 10}", THREE)
}

pub(in crate::traffic::scenarios) fn ring_maximum() -> Scenario {
    keys(
        "RING_HASH, minimum 10, maximum 11",
        "lb_policy: RING_HASH\nring_hash_lb_config: {minimum_ring_size: 10, maximum_ring_size: 11}",
        THREE,
    )
}

pub(in crate::traffic::scenarios) fn ring_hash_keys() -> Scenario {
    let key = |name: &str| format!("metadata: {{filter_metadata: {{envoy.lb: {{hash_key: {name}}}}}}}");
    let (a, b, c) = (key("alpha"), key("beta"), key("gamma"));
    keys("RING_HASH, hosts with a hash_key", RING, &[&a, &b, &c])
}

pub(in crate::traffic::scenarios) fn ring_unhealthy() -> Scenario {
    keys("RING_HASH, one of four UNHEALTHY, one DRAINING", RING, &["", DOWN, "", DRAINING, ""])
}

pub(in crate::traffic::scenarios) fn maglev() -> Scenario {
    keys("MAGLEV, equal weights", MAGLEV, &["", "", "", "", ""])
}

pub(in crate::traffic::scenarios) fn maglev_weights() -> Scenario {
    keys("MAGLEV, weights 3:2:1", MAGLEV, THREE)
}

pub(in crate::traffic::scenarios) fn maglev_small() -> Scenario {
    keys("MAGLEV, table of 7, weights 3:2:1", "lb_policy: MAGLEV\nmaglev_lb_config: {table_size: 7}", THREE)
}

pub(in crate::traffic::scenarios) fn maglev_typed() -> Scenario {
    keys(
        "typed maglev, table of 101, beside lb_policy",
        "lb_policy: RANDOM\nload_balancing_policy:\n  policies:\n  - typed_extension_config:\n      name: maglev\n      \
         typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev\n        \
         table_size: 101",
        THREE,
    )
}

pub(in crate::traffic::scenarios) fn policy_query() -> Scenario {
    policy("hash policy: query parameter", "{query_parameter: {name: id}}", by_query())
}

pub(in crate::traffic::scenarios) fn policy_cookie() -> Scenario {
    let ask = |number: usize| {
        let key = format!("session{number}");
        let headers = vec![("Cookie", format!("a=b; sid={key}; z=1"))];
        Ask { path: "/".into(), headers, key, ..Ask::default() }
    };
    policy("hash policy: cookie", "{cookie: {name: sid}}", each(ask))
}

pub(in crate::traffic::scenarios) fn policy_path() -> Scenario {
    policy(
        "hash policy: rewritten path",
        "{header: {header_name: \":path\", regex_rewrite: {pattern: {regex: '\\?.*$'}, substitution: ''}}}",
        by_path(),
    )
}

pub(in crate::traffic::scenarios) fn policy_source() -> Scenario {
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
