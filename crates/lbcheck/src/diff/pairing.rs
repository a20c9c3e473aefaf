//! Which pool and which endpoint of the new configuration is which of the old.

use std::collections::BTreeMap;

use crate::describe::Describer;
use crate::model::{Config, Endpoint, Mode, Pool, PoolId, PoolKind};

/// Least part of the larger pool's members that two pools share to count as one that was renamed.
const RENAME_OVERLAP: f64 = 0.6;
/// An address in more pools than this says nothing about which pool became which.
const MAX_SHARED: usize = 32;

/// One pool before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolPair {
    /// Before.
    pub old: PoolId,
    /// After.
    pub new: PoolId,
    /// The names differ; the members show that it is the same pool.
    pub renamed: bool,
    /// Its endpoints, in the order of `new`, removed ones last.
    pub endpoints: Vec<EndpointPair>,
}

/// One endpoint before and after, by index into its pool's endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointPair {
    /// Before; `None`: added.
    pub old: Option<usize>,
    /// After; `None`: removed.
    pub new: Option<usize>,
}

/// All pools, paired.
pub(super) struct Pairing {
    pub(super) pairs: Vec<PoolPair>,
    pub(super) removed: Vec<PoolId>,
    pub(super) added: Vec<PoolId>,
}

/// For each old pool, the new one it became.
pub(super) fn by_old(pairs: &[PoolPair], pools: usize) -> Vec<Option<PoolId>> {
    let mut by_old = vec![None; pools];
    for pair in pairs {
        by_old[pair.old.0 as usize] = Some(pair.new);
    }
    by_old
}

/// What describes each side, the old one by the names that its pools have now.
pub(super) fn describers<'a>(
    old: &'a Config,
    new: &'a Config,
    by_old: &[Option<PoolId>],
) -> (Describer<'a>, Describer<'a>) {
    let called = |id: PoolId| by_old.get(id.0 as usize).copied().flatten().map(|id| new.pool(id));
    (Describer::calling(old, called), Describer::new(new))
}

/// Names repeat across `http` and `stream`, and across explicit and implicit pools.
type Key<'a> = (&'a str, bool, bool, usize);

fn keys(config: &Config) -> Vec<Key<'_>> {
    let mut seen: BTreeMap<(&str, bool, bool), usize> = BTreeMap::new();
    let key = |pool: &Pool| (pool.kind == PoolKind::Implicit, pool.mode.value == Mode::Tcp);
    // Where the names of pools are unique, a change of mode must not tear a pair apart.
    let by_mode = config.dialect.description().pools_by_mode;
    config
        .pools
        .iter()
        .map(|pool| {
            let (implicit, tcp) = key(pool);
            let base = (pool.name.value.as_str(), implicit, by_mode && tcp);
            let nth = seen.entry(base).or_insert(0);
            *nth += 1;
            (base.0, base.1, base.2, *nth)
        })
        .collect()
}

/// Pairs by name, then what is left by the members it shares.
pub(super) fn pair_pools(old: &Config, new: &Config) -> Pairing {
    let old_keys = keys(old);
    let by_key: BTreeMap<Key<'_>, usize> =
        old_keys.iter().enumerate().map(|(index, key)| (*key, index)).collect();
    let mut partner_of_new: Vec<Option<usize>> =
        keys(new).iter().map(|key| by_key.get(key).copied()).collect();
    let mut old_taken = vec![false; old.pools.len()];
    for &index in partner_of_new.iter().flatten() {
        old_taken[index] = true;
    }
    pair_renamed(old, new, &mut partner_of_new, &mut old_taken);
    let id = |index: usize| PoolId(index as u32);
    let mut pairing = Pairing { pairs: Vec::new(), removed: Vec::new(), added: Vec::new() };
    for (index, partner) in partner_of_new.into_iter().enumerate() {
        match partner {
            None => pairing.added.push(id(index)),
            Some(partner) => pairing.pairs.push(PoolPair {
                old: id(partner),
                new: id(index),
                renamed: old.pools[partner].name.value != new.pools[index].name.value,
                endpoints: pair_endpoints(&old.pools[partner].endpoints, &new.pools[index].endpoints),
            }),
        }
    }
    pairing.removed =
        old_taken.iter().enumerate().filter(|(_, taken)| !**taken).map(|(index, _)| id(index)).collect();
    pairing
}

fn pair_renamed(old: &Config, new: &Config, partner_of_new: &mut [Option<usize>], old_taken: &mut [bool]) {
    let mut holders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, pool) in old.pools.iter().enumerate() {
        if old_taken[index] {
            continue;
        }
        for endpoint in &pool.endpoints {
            let pools = holders.entry(endpoint.address.to_string()).or_default();
            if pools.last() != Some(&index) && pools.len() <= MAX_SHARED {
                pools.push(index);
            }
        }
    }
    for (index, pool) in new.pools.iter().enumerate() {
        if partner_of_new[index].is_some() || pool.endpoints.is_empty() {
            continue;
        }
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        let mut addresses: Vec<String> =
            pool.endpoints.iter().map(|endpoint| endpoint.address.to_string()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        for address in &addresses {
            let Some(pools) = holders.get(address).filter(|pools| pools.len() <= MAX_SHARED) else {
                continue;
            };
            for &candidate in pools {
                *shared.entry(candidate).or_insert(0) += 1;
            }
        }
        let overlap = |candidate: usize, count: usize| {
            count as f64 / old.pools[candidate].endpoints.len().max(addresses.len()) as f64
        };
        // The largest overlap; of equals the first.
        let best = shared
            .into_iter()
            .filter(|&(candidate, count)| {
                !old_taken[candidate] && overlap(candidate, count) >= RENAME_OVERLAP
            })
            .max_by(|&(a, n), &(b, m)| overlap(a, n).total_cmp(&overlap(b, m)).then(b.cmp(&a)));
        if let Some((candidate, _)) = best {
            partner_of_new[index] = Some(candidate);
            old_taken[candidate] = true;
        }
    }
}

/// Pairs by name, then what is left by address.
fn pair_endpoints(old: &[Endpoint], new: &[Endpoint]) -> Vec<EndpointPair> {
    let mut partner: Vec<Option<usize>> = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    let by_name = |endpoint: &Endpoint| endpoint.name.value.clone();
    let by_address = |endpoint: &Endpoint| endpoint.address.to_string();
    pair_by(old, new, &mut partner, &mut taken, by_name);
    pair_by(old, new, &mut partner, &mut taken, by_address);
    let mut pairs: Vec<EndpointPair> = partner
        .iter()
        .enumerate()
        .map(|(index, partner)| EndpointPair { old: *partner, new: Some(index) })
        .collect();
    let gone = taken.iter().enumerate().filter(|(_, taken)| !**taken);
    pairs.extend(gone.map(|(index, _)| EndpointPair { old: Some(index), new: None }));
    pairs
}

/// Pairs those of equal key that are still alone, first with first, second with second.
fn pair_by(
    old: &[Endpoint],
    new: &[Endpoint],
    partner: &mut [Option<usize>],
    taken: &mut [bool],
    key: impl Fn(&Endpoint) -> String,
) {
    let mut waiting: BTreeMap<String, std::collections::VecDeque<usize>> = BTreeMap::new();
    for (index, endpoint) in old.iter().enumerate() {
        if !taken[index] {
            waiting.entry(key(endpoint)).or_default().push_back(index);
        }
    }
    for (index, endpoint) in new.iter().enumerate() {
        if partner[index].is_some() {
            continue;
        }
        if let Some(found) = waiting.get_mut(&key(endpoint)).and_then(|queue| queue.pop_front()) {
            partner[index] = Some(found);
            taken[found] = true;
        }
    }
}
