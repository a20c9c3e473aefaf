//! Shares before and after, how much moves, and why.

use super::{Comparison, PoolPair, SharePair};
use std::collections::BTreeMap;

use crate::dialect::Tiers;
use crate::model::{Algorithm, Endpoint, Locality, Pool};
use crate::report::{PoolShift, ShareShift};
use crate::traffic;
use crate::words;

/// Differences below this are rounding.
const EPSILON: f64 = 1e-9;

/// Each endpoint with its share per slot on both sides. `None` where a side's shares are not sure.
pub(super) fn share_pairs<'a>(comparison: &'a Comparison<'_>, pair: &PoolPair) -> Option<Vec<SharePair<'a>>> {
    let (old, new) = comparison.sides(pair);
    let (mut old_shares, mut new_shares) = (old.facts.sure_shares()?, new.facts.sure_shares()?);
    // Tables are built where something changed that they are made of.
    if !is_alike(comparison, pair) {
        (old_shares, new_shares) = (old.facts.given(comparison.old), new.facts.given(comparison.new));
    }
    let each = |endpoint: &Endpoint, share: f64| share / f64::from(endpoint.slots.max(1));
    let pairs = pair.endpoints.iter().map(|endpoint| SharePair {
        old: endpoint.old.map(|index| {
            let endpoint = &old.pool.endpoints[index];
            (endpoint, each(endpoint, old_shares.shares[index]))
        }),
        new: endpoint.new.map(|index| {
            let endpoint = &new.pool.endpoints[index];
            (endpoint, each(endpoint, new_shares.shares[index]))
        }),
    });
    Some(pairs.collect())
}

/// Half the sum of differences over all endpoints: the part of the traffic that changes its endpoint.
fn moved(pairs: &[SharePair<'_>]) -> f64 {
    let whole = |side: Option<(&Endpoint, f64)>| {
        side.map_or(0.0, |(endpoint, each)| each * f64::from(endpoint.slots))
    };
    let sum: f64 = pairs.iter().map(|pair| (whole(pair.new) - whole(pair.old)).abs()).sum();
    sum / 2.0
}

/// The part of the traffic that changes its endpoint, beyond what members that joined or left explain.
///
/// When members join or leave, the others' shares shrink or grow in proportion; that much is expected and
/// set aside.
pub(super) fn moved_between_survivors(comparison: &Comparison<'_>, pair: &PoolPair) -> Option<f64> {
    let pairs = share_pairs(comparison, pair)?;
    let whole = |(endpoint, each): (&Endpoint, f64)| each * f64::from(endpoint.slots);
    let survivors: Vec<(f64, f64)> =
        pairs.iter().filter_map(|pair| Some((whole(pair.old?), whole(pair.new?)))).collect();
    let old: f64 = survivors.iter().map(|(old, _)| old).sum();
    let new: f64 = survivors.iter().map(|(_, new)| new).sum();
    if old <= EPSILON || new <= EPSILON {
        return Some(moved(&pairs));
    }
    let sum: f64 = survivors.iter().map(|(before, after)| (after - before / old * new).abs()).sum();
    Some(sum / 2.0)
}

/// The shares of a pool, if any of them or the places of its keys changed.
///
/// `tables` is how many more hash tables may be built: each takes as long as reading a few hundred lines.
pub(super) fn shift(comparison: &Comparison<'_>, pair: &PoolPair, tables: &mut usize) -> Option<PoolShift> {
    let (old, new) = comparison.sides(pair);
    let pairs = share_pairs(comparison, pair)?;
    let total =
        |side: Option<(&Endpoint, f64)>| side.map(|(endpoint, each)| each * f64::from(endpoint.slots));
    let shares: Vec<ShareShift> = pairs
        .iter()
        .filter_map(|pair| {
            let name = pair.new.or(pair.old)?.0.name.value.clone();
            Some(ShareShift { endpoint: name, old: total(pair.old), new: total(pair.new) })
        })
        .collect();
    let differs = |share: &ShareShift| (share.old.unwrap_or(0.0) - share.new.unwrap_or(0.0)).abs() > EPSILON;
    let certainty = match is_alike(comparison, pair) {
        true => old.facts.shares.certainty.max(new.facts.shares.certainty),
        false => old.facts.given(comparison.old).certainty.max(new.facts.given(comparison.new).certainty),
    };
    let keys_remapped = keys_remapped(comparison, pair, tables).filter(|moved| *moved > 0.0);
    if !shares.iter().any(differs) && keys_remapped.is_none() {
        return None;
    }
    Some(PoolShift {
        pool: new.pool.name.value.clone(),
        renamed_from: pair.renamed.then(|| old.pool.name.value.clone()),
        share_moved: Some(moved(&pairs)),
        keys_remapped,
        shares,
        certainty,
    })
}

/// The share of keys that another endpoint serves now, for pools that hash and changed.
fn keys_remapped(comparison: &Comparison<'_>, pair: &PoolPair, tables: &mut usize) -> Option<f64> {
    let (old, new) = comparison.sides(pair);
    let hashes = |pool: &Pool| matches!(pool.algorithm.value, Algorithm::Hash { .. });
    if *tables == 0 || !hashes(old.pool) || !hashes(new.pool) {
        return None;
    }
    if is_alike(comparison, pair) {
        return None;
    }
    *tables -= 1;
    traffic::keys_moved((comparison.old, pair.old), (comparison.new, pair.new), |a, b| {
        a.name.value == b.name.value || a.address == b.address
    })
}

/// Whether all that hash tables are made of is the same on both sides.
fn is_alike(comparison: &Comparison<'_>, pair: &PoolPair) -> bool {
    let (old, new) = comparison.sides(pair);
    let number = |endpoint: &Endpoint| endpoint.id.as_ref().map(|id| id.value);
    let same = |old: &Endpoint, new: &Endpoint| {
        (old.weight.value, old.tier.value, old.state.value)
            == (new.weight.value, new.tier.value, new.state.value)
            && old.address == new.address
            && old.name.value == new.name.value
            && number(old) == number(new)
    };
    let endpoints_alike = pair.endpoints.iter().enumerate().all(|(index, both)| {
        // The place in the list matters too: tables are filled in its order.
        both.old == Some(index)
            && both.new == Some(index)
            && same(&old.pool.endpoints[index], &new.pool.endpoints[index])
    });
    endpoints_alike
        && old.pool.algorithm.value == new.pool.algorithm.value
        && comparison.old.version == comparison.new.version
        && old.pool.locality_weighted.is_none()
        && new.pool.locality_weighted.is_none()
}

/// Why the shares changed, most telling first.
pub(super) fn cause(comparison: &Comparison<'_>, pair: &PoolPair) -> String {
    let mut causes = of_choice(comparison, pair);
    causes.extend(of_membership(comparison, pair));
    if causes.is_empty() { "by other settings of the pool".into() } else { causes.join("; ") }
}

/// Why there are more or fewer active endpoints.
pub(super) fn membership_cause(comparison: &Comparison<'_>, pair: &PoolPair) -> String {
    of_membership(comparison, pair).join("; ")
}

/// Causes in how an endpoint is picked.
fn of_choice(comparison: &Comparison<'_>, pair: &PoolPair) -> Vec<String> {
    let (old, new) = comparison.sides(pair);
    let dialect = comparison.new.dialect;
    let mut causes = Vec::new();
    if old.pool.algorithm.value != new.pool.algorithm.value {
        causes.push(format!(
            "algorithm {} → {}",
            words::algorithm(dialect, &old.pool.algorithm.value),
            words::algorithm(dialect, &new.pool.algorithm.value),
        ));
    }
    let both = both_sides(pair, old.pool, new.pool);
    causes.extend(weights(&both, &new.pool.algorithm.value));
    let rules = |pool: &Pool| pool.overrides.iter().map(|rule| rule.label.clone()).collect::<Vec<_>>();
    if rules(old.pool) != rules(new.pool) {
        causes.push("rules that choose a server changed".into());
    }
    if old.pool.locality_weighted.is_some() != new.pool.locality_weighted.is_some() {
        causes.push("locality weighting switched".into());
    } else if new.pool.locality_weighted.is_some() {
        let weights = |pool: &Pool| -> BTreeMap<(u32, String), Option<u32>> {
            let key = |locality: &Locality| (locality.priority, locality.name.clone());
            pool.localities
                .iter()
                .map(|locality| (key(locality), locality.weight.map(|weight| weight.value)))
                .collect()
        };
        let before = weights(old.pool);
        let shown =
            |weight: Option<u32>| weight.map_or_else(|| "none".to_owned(), |weight| weight.to_string());
        for ((priority, name), after) in weights(new.pool) {
            if let Some(was) = before.get(&(priority, name.clone())).filter(|was| **was != after) {
                causes.push(format!("weight of locality `{name}` {} → {}", shown(*was), shown(after)));
            }
        }
    }
    causes
}

/// Causes in which endpoints there are and which of them are active.
fn of_membership(comparison: &Comparison<'_>, pair: &PoolPair) -> Vec<String> {
    let (old, new) = comparison.sides(pair);
    let dialect = comparison.new.dialect;
    let mut causes = Vec::new();
    let both = both_sides(pair, old.pool, new.pool);
    let count =
        |test: &dyn Fn(&Endpoint, &Endpoint) -> bool| both.iter().filter(|(a, b)| test(a, b)).count() as u64;
    let tell =
        |count: u64, what: &str| (count > 0).then(|| format!("{} {what}", words::endpoints(dialect, count)));
    let reserve = |word: &str, count: u64| match (dialect.description().tiers, count) {
        (Tiers::Levels, _) => format!("moved to a {word} priority"),
        (_, 1) if word == "lower" => "became a backup".to_owned(),
        (_, _) if word == "lower" => "became backups".to_owned(),
        _ => "no longer in reserve".to_owned(),
    };
    let demoted = count(&|a, b| b.tier.value > a.tier.value);
    causes.extend(tell(demoted, &reserve("lower", demoted)));
    let promoted = count(&|a, b| b.tier.value < a.tier.value);
    causes.extend(tell(promoted, &reserve("higher", promoted)));
    causes.extend(tell(count(&|a, b| state(a) && !state(b)), "taken out"));
    causes.extend(tell(count(&|a, b| !state(a) && state(b)), "brought back"));
    let added = pair.endpoints.iter().filter(|both| both.old.is_none()).count() as u64;
    causes.extend(tell(added, "added"));
    let removed = pair.endpoints.iter().filter(|both| both.new.is_none()).count() as u64;
    causes.extend(tell(removed, "removed"));
    causes
}

/// The endpoints that are there before and after.
fn both_sides<'a>(pair: &PoolPair, old: &'a Pool, new: &'a Pool) -> Vec<(&'a Endpoint, &'a Endpoint)> {
    pair.endpoints
        .iter()
        .filter_map(|both| Some((&old.endpoints[both.old?], &new.endpoints[both.new?])))
        .collect()
}

fn state(endpoint: &Endpoint) -> bool {
    endpoint.state.value == crate::model::AdminState::Enabled
}

/// "weight of `api1` 10 → 200", or of several at once.
fn weights(both: &[(&Endpoint, &Endpoint)], algorithm: &Algorithm) -> Option<String> {
    if !algorithm.uses_weights() {
        return None;
    }
    let changed: Vec<_> = both.iter().filter(|(old, new)| old.weight.value != new.weight.value).collect();
    let (old, new) = changed.first()?;
    let same =
        changed.iter().all(|(a, b)| a.weight.value == old.weight.value && b.weight.value == new.weight.value);
    let step = format!("{} → {}", old.weight.value, new.weight.value);
    let names = words::names(changed.iter().map(|(_, endpoint)| endpoint.name.value.as_str()), 3);
    Some(if same {
        format!("weight of {names} {step}")
    } else {
        format!("weights of {names} changed, of `{}` {step}", new.name.value)
    })
}
