//! Endpoints that follow the checks of others (HAProxy `track`): they go out together.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{CheckKind, Config, PoolId};

/// An endpoint by pool and index.
type Place = (PoolId, usize);

/// All endpoints of the configuration that follow one of `failed`, at once or over others, by pool. Those that have
/// failed themselves are left out.
pub(crate) fn followers(
    config: &Config,
    failed: &BTreeMap<PoolId, Vec<usize>>,
) -> BTreeMap<PoolId, Vec<usize>> {
    let mut names: BTreeMap<(&str, &str), Vec<Place>> = BTreeMap::new();
    for (id, pool) in config.pools() {
        for (index, endpoint) in pool.endpoints.iter().enumerate() {
            let Some(CheckKind::Track(target)) = endpoint.check.as_ref().map(|check| &check.value.kind)
            else {
                continue;
            };
            let own = pool.name.value.as_str();
            let leader = target.split_once('/').unwrap_or((own, target.as_str()));
            names.entry(leader).or_default().push((id, index));
        }
    }
    let mut waiting: Vec<Place> =
        failed.iter().flat_map(|(id, indices)| indices.iter().map(|index| (*id, *index))).collect();
    let mut seen: BTreeSet<Place> = waiting.iter().copied().collect();
    let mut found: BTreeMap<PoolId, Vec<usize>> = BTreeMap::new();
    while let Some((id, index)) = waiting.pop() {
        let pool = config.pool(id);
        let Some(endpoint) = pool.endpoints.get(index) else { continue };
        let name = (pool.name.value.as_str(), endpoint.name.value.as_str());
        for &follower in names.get(&name).into_iter().flatten() {
            if seen.insert(follower) {
                waiting.push(follower);
                found.entry(follower.0).or_default().push(follower.1);
            }
        }
    }
    found
}

/// Those that are out in one pool: `noticed`, `known` followers of other pools, and whatever follows these here; and
/// the followers among them.
pub(super) fn with_followers(
    config: &Config,
    id: PoolId,
    noticed: &[usize],
    known: &[usize],
) -> (Vec<usize>, Vec<usize>) {
    let leaders: Vec<usize> = noticed.iter().chain(known).copied().collect();
    if leaders.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let here = followers(config, &BTreeMap::from([(id, leaders)])).remove(&id).unwrap_or_default();
    let following: BTreeSet<usize> =
        known.iter().chain(&here).copied().filter(|index| !noticed.contains(index)).collect();
    let out: BTreeSet<usize> = noticed.iter().chain(&following).copied().collect();
    (out.into_iter().collect(), following.into_iter().collect())
}
