//! The single loss of an endpoint that is worst for the others.

use std::collections::BTreeSet;

use super::question::load_of;
use super::run::{lost, multiples};
use crate::model::{AdminState, Algorithm, Config, HashKey, Pool, PoolId};
use crate::traffic::placement::placed;
use crate::traffic::shares::{Certainty, PoolShares};

/// The single loss that puts the most on a survivor.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Loss {
    /// The endpoint that fails.
    pub endpoint: usize,
    /// The survivor whose load grows most; `None`: nobody who served before is left.
    pub survivor: Option<usize>,
    /// How many times its normal load that survivor gets. Infinite where nobody who served before is left.
    pub multiple: f64,
    /// Share of requests that no endpoint can serve.
    pub lost: f64,
    /// How sure the figures are.
    pub certainty: Certainty,
    /// Whether every loss was tried; in large pools only those with the largest shares are.
    pub all_tried: bool,
}

/// Losses tried by [`worst_loss`] in a pool that hashes: each builds a table.
const MOST_TABLES: usize = 64;

/// The single loss that loads a survivor most, in a busy pool, once it is noticed.
///
/// `None`: shares are not known, or nobody serves. Where endpoints are alike (weight, tier, locality) one stands
/// for all of them; in a pool that hashes, the 64 with the largest shares are tried.
#[must_use]
pub fn worst_loss(config: &Config, id: PoolId) -> Option<Loss> {
    let pool = config.pool(id);
    let busy = load_of(None);
    let before = placed(config.dialect, config.version, pool, busy);
    if !before.is_known() {
        return None;
    }
    let candidates = candidates(pool, &before);
    let all_tried = candidates.len() <= MOST_TABLES;
    let mut worst: Option<Loss> = None;
    let mut survivors = pool.clone();
    for &endpoint in candidates.iter().take(MOST_TABLES) {
        // One slot of a template is one server.
        let (state, slots) = (pool.endpoints[endpoint].state.value, pool.endpoints[endpoint].slots);
        if slots > 1 {
            survivors.endpoints[endpoint].slots = slots - 1;
        } else {
            survivors.endpoints[endpoint].state.value = AdminState::Disabled;
        }
        let after = placed(config.dialect, config.version, &survivors, busy);
        survivors.endpoints[endpoint].state.value = state;
        survivors.endpoints[endpoint].slots = slots;
        if !after.is_known() {
            return None;
        }
        let whole = slots <= 1;
        let lost = if whole { lost(&after, &[endpoint]) } else { 0.0 };
        let mut most: Option<(usize, f64)> = None;
        for (index, multiple) in multiples(&before, &after, 1.0).into_iter().enumerate() {
            let Some(multiple) = multiple.filter(|_| index != endpoint || !whole) else { continue };
            // The slots that are left share what the endpoint has.
            let left = f64::from(slots) / f64::from(slots.max(2) - 1);
            let multiple = if index == endpoint { multiple * left } else { multiple };
            // What is left of a dead pool carries nothing, and is no survivor.
            let serves = after.shares.get(index).is_some_and(|share| *share > 0.0);
            if serves && most.is_none_or(|(_, highest)| multiple > highest + 1e-9) {
                most = Some((index, multiple));
            }
        }
        let (survivor, multiple) = match most {
            Some((index, multiple)) => (Some(index), multiple),
            None => (None, f64::INFINITY),
        };
        let certainty = before.certainty.max(after.certainty);
        if worst.as_ref().is_none_or(|worst| multiple > worst.multiple + 1e-9) {
            worst = Some(Loss { endpoint, survivor, multiple, lost, certainty, all_tried });
        }
    }
    worst
}

/// The endpoints whose loss may be the worst: of those that are alike the first, largest shares first.
fn candidates(pool: &Pool, before: &PoolShares) -> Vec<usize> {
    let by_key =
        matches!(&pool.algorithm.value, Algorithm::Hash { key, .. } if !matches!(key, HashKey::Constant(_)));
    let mut seen = BTreeSet::new();
    let mut candidates: Vec<(usize, f64)> = Vec::new();
    for (index, (share, endpoint)) in before.shares.iter().zip(&pool.endpoints).enumerate() {
        let kind = (endpoint.tier.value, endpoint.locality, endpoint.weight.value, share.to_bits());
        if *share > 0.0 && (by_key || seen.insert(kind)) {
            candidates.push((index, *share));
        }
    }
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    candidates.into_iter().map(|(index, _)| index).collect()
}
