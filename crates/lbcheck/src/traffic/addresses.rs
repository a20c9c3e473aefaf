//! Host names spelt out into the addresses that somebody says they have.

use std::collections::BTreeMap;

use crate::model::{AdminState, Algorithm, Config, Endpoint, HashTable, Host, Pool};

/// Addresses of one name that are spelt out; more of them are not told apart.
const MOST: u32 = 1_000;

/// `config` with every host name of `addresses` replaced by as many members as it has addresses.
///
/// nginx and Envoy STRICT_DNS make each address a member with the weight of the line; nginx `hash … consistent`
/// places a name once, and its addresses share that place. A HAProxy `server` uses one address whatever there
/// are, and a `server-template` fills its slots in order. Names are compared without regard to case.
#[must_use]
pub fn with_addresses(config: &Config, addresses: &BTreeMap<String, u32>) -> Config {
    let mut config = config.clone();
    let addresses: BTreeMap<String, u32> =
        addresses.iter().map(|(name, count)| (name.to_lowercase(), (*count).min(MOST))).collect();
    for pool in &mut config.pools {
        let known = |endpoint: &Endpoint| match &endpoint.address.host {
            Host::Name(name) => addresses.get(name).copied(),
            _ => None,
        };
        if !pool.endpoints.iter().any(|endpoint| known(endpoint).is_some()) {
            continue;
        }
        let mut endpoints = Vec::with_capacity(pool.endpoints.len());
        for endpoint in std::mem::take(&mut pool.endpoints) {
            match known(&endpoint) {
                Some(count) => spell_out(&pool.algorithm.value, endpoint, count, &mut endpoints),
                None => endpoints.push(endpoint),
            }
        }
        pool.endpoints = endpoints;
    }
    config
}

fn spell_out(algorithm: &Algorithm, mut endpoint: Endpoint, count: u32, endpoints: &mut Vec<Endpoint>) {
    if endpoint.slots > 1 && endpoint.slots <= MOST {
        slots(&endpoint, count, endpoints);
        return;
    }
    if endpoint.expands {
        let table = match algorithm {
            Algorithm::Hash { table, .. } => Some(table),
            _ => None,
        };
        // Hosts are placed by addresses, of which only the number is known.
        let placed = matches!(table, Some(HashTable::EnvoyRing { .. } | HashTable::Maglev { .. }));
        if count == 0 {
            endpoint.state.value = AdminState::Disabled;
            endpoint.expands = false;
        } else if table == Some(&HashTable::Ketama) {
            endpoint.expands = false;
            endpoint.slots = count;
        } else if count == 1 || !placed {
            endpoint.expands = false;
            endpoints.extend(std::iter::repeat_n(&endpoint, count as usize - 1).cloned());
        }
    }
    endpoints.push(endpoint);
}

/// The servers of a template: as many as there are addresses are up, the others wait for one.
fn slots(template: &Endpoint, filled: u32, endpoints: &mut Vec<Endpoint>) {
    for slot in 0..template.slots {
        let mut server = template.clone();
        server.name.value = format!("{}{}", template.name.value, template.first_slot.saturating_add(slot));
        server.slots = 1;
        // An id is that of the first; the next ones go on from it.
        if let Some(id) = &mut server.id {
            id.value = id.value.saturating_add(slot);
        }
        if slot >= filled {
            server.state.value = AdminState::Disabled;
        }
        endpoints.push(server);
    }
}

/// A pool in which templates whose every slot is up from the start (they have an address, not a name) are servers
/// of their own, as HAProxy makes them. `None`: there are none.
pub(super) fn templates(pool: &Pool) -> Option<Pool> {
    let whole = |endpoint: &Endpoint| {
        endpoint.slots > 1
            && endpoint.slots <= MOST
            && matches!(endpoint.address.host, Host::Ip(_) | Host::Unix(_))
    };
    if !pool.endpoints.iter().any(whole) {
        return None;
    }
    let mut pool = pool.clone();
    let mut endpoints = Vec::new();
    for endpoint in std::mem::take(&mut pool.endpoints) {
        if whole(&endpoint) {
            slots(&endpoint, endpoint.slots, &mut endpoints);
        } else {
            endpoints.push(endpoint);
        }
    }
    pool.endpoints = endpoints;
    Some(pool)
}
