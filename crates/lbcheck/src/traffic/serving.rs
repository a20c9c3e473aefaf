//! Which endpoints of a pool take traffic, and in which order they are counted.

use std::collections::BTreeSet;

use crate::model::{Action, AdminState, Condition, Endpoint, Pool};

/// The endpoint that an unconditional `use-server` sends everything to, past weights and the algorithm.
pub(super) fn always_used(pool: &Pool) -> Option<usize> {
    let rule = pool.overrides.iter().find(|rule| rule.when == Condition::Always)?;
    let Action::Endpoint { endpoint, .. } = &rule.action else { return None };
    let named = |candidate: &Endpoint| candidate.name.value == endpoint.value;
    let index = pool.endpoints.iter().position(named)?;
    (pool.endpoints[index].state.value == AdminState::Enabled).then_some(index)
}

/// The endpoints that take new traffic while nothing has failed.
///
/// The first tier with an endpoint `in_rotation` serves. In HAProxy's backup tier only the first
/// endpoint does, unless `option allbackups` says otherwise.
pub(super) fn first_tier(pool: &Pool, in_rotation: impl Fn(&Endpoint) -> bool) -> Vec<usize> {
    // Degraded hosts stand by for healthy ones, whatever their priority.
    let healthy = pool.endpoints.iter().any(|endpoint| in_rotation(endpoint) && endpoint.degraded.is_none());
    let serves = |&(_, endpoint): &(usize, &Endpoint)| {
        in_rotation(endpoint) && !(healthy && endpoint.degraded.is_some())
    };
    let eligible = || pool.endpoints.iter().enumerate().filter(serves);
    let Some(tier) = eligible().map(|(_, endpoint)| endpoint.tier.value).min() else {
        return Vec::new();
    };
    let mut serving: Vec<usize> =
        eligible().filter(|&(_, endpoint)| endpoint.tier.value == tier).map(|(index, _)| index).collect();
    let only_first_backup = tier > 0 && pool.all_backups.is_some_and(|setting| !setting.value);
    if only_first_backup {
        serving.truncate(1);
    }
    serving
}

/// The numeric id of each endpoint: as written; the others get the next that is free, at least their position.
pub(crate) fn ids(pool: &Pool) -> Vec<u32> {
    let written = |endpoint: &Endpoint| endpoint.id.as_ref().map(|id| id.value);
    let taken: BTreeSet<u32> = pool.endpoints.iter().filter_map(written).collect();
    let mut next = 0_u32;
    let mut number = |endpoint| {
        // A server with an id of its own still counts, so that the one after it keeps its position's number.
        next = next.saturating_add(1);
        if let Some(id) = written(endpoint) {
            return id;
        }
        while taken.contains(&next) && next < u32::MAX {
            next += 1;
        }
        next
    };
    pool.endpoints.iter().map(&mut number).collect()
}

/// Those of `endpoints` by ascending id, the order in which `first` fills them.
pub(super) fn by_id(pool: &Pool, mut endpoints: Vec<usize>) -> Vec<usize> {
    let ids = ids(pool);
    endpoints.sort_by_key(|&index| (ids[index], index));
    endpoints
}
