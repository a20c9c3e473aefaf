//! Load assignments: localities, priorities, endpoints.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::{
    Address, AdminState, Endpoint, Host, Locality, Membership, Pool, PoolId, Setting, Weakens,
};
use crate::source::{Span, Spanned};

use super::super::tree::Value;
use super::matcher::lb_metadata;
use super::state::Lower;

const DEFAULT_NOTE: &str = "Envoy 1.40: weight 1, priority 0, in use";
const HEALTH: [(&str, i64); 6] =
    [("UNKNOWN", 0), ("HEALTHY", 1), ("UNHEALTHY", 2), ("DRAINING", 3), ("TIMEOUT", 4), ("DEGRADED", 5)];

/// A group of endpoints with what they share.
struct Group {
    locality: usize,
    tier: Setting<u32>,
}

impl<'t> Lower<'t> {
    /// Adds the endpoints of a `ClusterLoadAssignment` to a pool.
    pub(super) fn load_assignment(
        &mut self,
        assignment: Value<'t>,
        rules: HostRules,
        pool: &mut Pool,
        id: PoolId,
    ) {
        let factor = assignment.path(&["policy", "overprovisioning_factor"]);
        pool.overprovisioning_percent = Some(
            factor
                .and_then(|value| Some(Setting::written(value.u32()?, value.span())))
                .unwrap_or(Setting::default(140, "Envoy 1.40: 140%")),
        );
        self.assignment_gaps(assignment, id);
        let named: BTreeMap<&str, Value<'t>> = assignment
            .get("named_endpoints")
            .into_iter()
            .flat_map(Value::fields)
            .map(|field| (field.key, field.value))
            .collect();
        let mut merged: BTreeMap<(u32, String), usize> = BTreeMap::new();
        for group in assignment.list("endpoints") {
            let place = self.locality(group, pool, &mut merged);
            if group.get("leds_cluster_locality_config").is_some() {
                pool.membership = Membership::Unknown("endpoints of a locality come from LEDS".into());
            }
            let nested = group.get("load_balancer_endpoints");
            let endpoints = nested.unwrap_or(group).list("lb_endpoints");
            for endpoint in endpoints {
                if let Some(endpoint) = self.lb_endpoint(endpoint, rules, &place, &named, id) {
                    pool.endpoints.push(endpoint);
                }
            }
        }
    }

    fn assignment_gaps(&mut self, assignment: Value<'t>, id: PoolId) {
        let Some(policy) = assignment.get("policy") else { return };
        for drop in policy.list("drop_overloads") {
            self.gap(drop.span(), "drop_overloads refuses a share of the requests", Weakens::Pool(id));
        }
        if policy.is_set("weighted_priority_health") {
            let span = policy.span_of("weighted_priority_health");
            self.gap(span, "weighted_priority_health", Weakens::Pool(id));
        }
    }

    /// The locality of a group. One that is written twice in a priority is one locality, and the last weight
    /// holds.
    fn locality(
        &mut self,
        group: Value<'t>,
        pool: &mut Pool,
        merged: &mut BTreeMap<(u32, String), usize>,
    ) -> Group {
        let tier = group
            .get("priority")
            .and_then(|value| Some(Setting::written(value.u32()?, value.span())))
            .unwrap_or(Setting::default(0, DEFAULT_NOTE));
        let weight = group
            .get("load_balancing_weight")
            .and_then(|value| Some(Setting::written(value.u32()?, value.span())));
        let name = locality_name(group);
        let next = pool.localities.len();
        let index = *merged.entry((tier.value, name.clone())).or_insert(next);
        match pool.localities.get_mut(index) {
            Some(known) => known.weight = weight,
            None => {
                pool.localities.push(Locality { name, weight, priority: tier.value, span: group.span() });
            }
        }
        Group { locality: index, tier }
    }

    fn lb_endpoint(
        &mut self,
        entry: Value<'t>,
        rules: HostRules,
        group: &Group,
        named: &BTreeMap<&str, Value<'t>>,
        id: PoolId,
    ) -> Option<Endpoint> {
        let by_name = || named.get(entry.text_of("endpoint_name")?).copied();
        let endpoint = entry.get("endpoint").or_else(by_name)?;
        let address = endpoint.get("address")?;
        let place = read_address(address);
        let name = Spanned::new(place.to_string(), address_span(address));
        let mut made = Endpoint::new(name, place, entry.span(), DEFAULT_NOTE);
        made.tier = group.tier;
        made.locality = Some(group.locality);
        if let Some(weight) = entry.get("load_balancing_weight")
            && let Some(value) = weight.u32()
        {
            made.weight = Setting::written(value, weight.span());
        }
        if let Some(status) = entry.get("health_status")
            && let Some(name) = status.enumeration(&HEALTH)
        {
            made.state = Setting::written(admin_state(name), status.span());
            if name == "DEGRADED" {
                made.degraded = Some(status.span());
            }
        }
        made.check_disabled = endpoint
            .path(&["health_check_config", "disable_active_health_check"])
            .filter(|value| value.boolean() == Some(true))
            .map(|value| value.span());
        made.metadata = lb_metadata(entry.get("metadata"));
        made.hash_key = hash_key(entry, endpoint, &made.address, rules);
        if made.state.value == AdminState::Enabled && matches!(made.address.host, Host::Unknown(_)) {
            let what = format!("the address {} is not known before run time", made.name.value);
            self.gap(made.name.span, what, Weakens::Pool(id));
        }
        Some(made)
    }
}

/// What is hashed for this host, where it is not the address.
fn hash_key(
    entry: Value<'_>,
    endpoint: Value<'_>,
    address: &Address,
    rules: HostRules,
) -> Option<Setting<String>> {
    let written = entry.path(&["metadata", "filter_metadata", "envoy.lb", "hash_key"]);
    if let Some(key) = written
        && let Some(text) = key.string()
    {
        return Some(Setting::written(text.to_owned(), key.span()));
    }
    let switch = rules.hash_hostname?;
    if let Some(hostname) = endpoint.get("hostname")
        && let Some(text) = hostname.string()
    {
        return Some(Setting::written(text.to_owned(), hostname.span()));
    }
    let text = match &address.host {
        Host::Name(name) => name.clone(),
        _ => String::new(),
    };
    Some(Setting::written(text, switch))
}

fn locality_name(group: Value<'_>) -> String {
    let Some(locality) = group.get("locality") else { return String::new() };
    let part = |name| locality.text_of(name).unwrap_or_default();
    let parts = [part("region"), part("zone"), part("sub_zone")];
    if parts.iter().all(|part| part.is_empty()) { String::new() } else { parts.join("/") }
}

/// Reads an Envoy `Address`.
pub(super) fn read_address(address: Value<'_>) -> Address {
    if let Some(socket) = address.get("socket_address") {
        let text = socket.text_of("address").unwrap_or_default();
        let port =
            socket.get("port_value").and_then(Value::integer).and_then(|port| u16::try_from(port).ok());
        return Address { host: read_host(text), port, port_offset: 0 };
    }
    let host = if let Some(pipe) = address.get("pipe") {
        Host::Unix(pipe.text_of("path").unwrap_or_default().to_owned())
    } else if let Some(internal) = address.get("envoy_internal_address") {
        let listener = internal.text_of("server_listener_name").unwrap_or_default();
        let endpoint = internal.text_of("endpoint_id").unwrap_or_default();
        match endpoint {
            "" => Host::Special(format!("internal:{listener}")),
            _ => Host::Special(format!("internal:{listener}/{endpoint}")),
        }
    } else {
        Host::Unknown(String::new())
    };
    Address { host, port: None, port_offset: 0 }
}

fn read_host(text: &str) -> Host {
    // A link-local address may name its interface: `fe80::1%eth0`.
    let (literal, _) = text.split_once('%').unwrap_or((text, ""));
    if let Ok(ip) = literal.parse::<IpAddr>() {
        return Host::Ip(ip);
    }
    // A template hole that was never filled.
    if text.is_empty() || text.contains(['$', '{', '<', '%']) {
        return Host::Unknown(text.to_owned());
    }
    Host::Name(text.to_ascii_lowercase())
}

fn address_span(address: Value<'_>) -> crate::source::Span {
    match address.get("socket_address") {
        Some(socket) => socket.span_of("address"),
        None => address.span(),
    }
}

/// Where a cluster's endpoints come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Discovery {
    Static,
    StrictDns,
    LogicalDns,
    Eds,
    OriginalDst,
    /// A cluster type extension, or an unknown type.
    Custom,
}

/// How the hosts of a cluster are to be read.
#[derive(Clone, Copy)]
pub(super) struct HostRules {
    pub(super) discovery: Discovery,
    /// `use_hostname_for_hashing`: the host name is hashed where no `hash_key` is set.
    pub(super) hash_hostname: Option<Span>,
}

/// The state a `health_status` pins.
pub(super) fn admin_state(status: &str) -> AdminState {
    match status {
        "UNHEALTHY" | "TIMEOUT" => AdminState::Disabled,
        "DRAINING" => AdminState::Draining,
        _ => AdminState::Enabled,
    }
}
