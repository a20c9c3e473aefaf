//! What becomes of a pool's traffic when endpoints fail or load grows.
//!
//! ```text
//! Scenario ──► run ──► Outcome
//!   failed             shares before and after, who takes over, each survivor's multiple of its normal load,
//!   load               when failure is noticed and what happens until then, attempts per request,
//!   concurrency        what is full first, what waits and what is refused, the cascade
//! ```
//!
//! All figures are about one pool and steady states. [`worst_loss`] tries every single loss.

mod cascade;
mod detection;
mod limits;
mod retry;
mod tracking;

pub use cascade::{Cascade, CascadeEnd, Step};
pub use detection::{Back, Detection, Noticed, Since, ejectable};
pub use limits::{Demand, Full, LimitKind, endpoint_limit, room};
pub use retry::{Attempts, Unnoticed};
pub(super) use tracking::followers;

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::envoy;
use super::figures::{self, Known};
use super::placement::{Load, placed};
use super::shares::{Certainty, PoolShares};
use crate::dialect::Dialect;
use crate::model::{AdminState, Algorithm, Config, HashKey, Pool, PoolId};

/// What happens to one pool.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Scenario {
    /// Indices into [`Pool::endpoints`] of those that fail.
    pub failed: Vec<usize>,
    /// Indices of those that go out with a failed endpoint of another pool, whose checks they follow (HAProxy `track`).
    /// Those that follow one of this pool are found here.
    pub follow: Vec<usize>,
    /// Traffic as a multiple of normal; 1 is normal.
    pub load: f64,
    /// Requests in flight in this pool at normal load. `None`: not known.
    pub concurrency: Option<u32>,
    /// Requests per second to this pool at normal load. `None`: not known.
    pub rate: Option<f64>,
    /// What each endpoint can take, where somebody says so. Limits of the configuration hold beside it.
    pub capacity: Option<Capacity>,
    /// The part of requests that come with a valid token of a session, from 0 to 1. `None`: none do.
    pub returning: Option<f64>,
    /// Simulates algorithms that go by load at [`Scenario::concurrency`], starting from this number. `None`: closed
    /// forms only, which take no longer than reading the weights.
    pub seed: Option<u64>,
    /// Failed endpoints are out even where nothing in the configuration would notice that they failed.
    pub assume_noticed: bool,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            failed: Vec::new(),
            follow: Vec::new(),
            load: 1.0,
            concurrency: None,
            rate: None,
            capacity: None,
            returning: None,
            seed: None,
            assume_noticed: false,
        }
    }
}

/// What one endpoint can take.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Capacity {
    /// This many requests at once.
    Requests(u64),
    /// This many times what it gets in normal times. Backups, which get nothing then, are not bounded by it.
    Multiple(f64),
}

/// What becomes of one pool.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Outcome {
    /// Shares in normal times.
    pub before: PoolShares,
    /// Shares once failure is noticed, of all requests; those of failed endpoints that still get some are errors.
    pub after: PoolShares,
    /// Per endpoint, how many times its normal load it gets after; `None`: it got nothing before, or shares are
    /// not known.
    pub multiples: Vec<Option<f64>>,
    /// Endpoints that get traffic now and got none before: backups, lower priorities.
    pub takes_over: Vec<usize>,
    /// Share of requests that no endpoint can serve once failure is noticed: nobody is left, or Envoy panics and
    /// sends to hosts that are down. Retries may still save some.
    pub lost: f64,
    /// Envoy treats all hosts of a priority as healthy since too few are.
    pub panic: bool,
    /// When each failed endpoint is noticed, in the order of [`Scenario::failed`].
    pub detections: Vec<Detection>,
    /// What happens until then.
    pub unnoticed: Unnoticed,
    /// Attempts per request.
    pub attempts: Attempts,
    /// What is full first as load grows, by the shares after. `None`: nothing is limited, or shares are not known.
    pub first_full: Option<Full>,
    /// What is in service, waits and is refused at [`Scenario::concurrency`] times [`Scenario::load`].
    pub demand: Option<Demand>,
    /// Overloaded endpoints failing in turn. `None` without a limit to overload, or where it hangs on a concurrency
    /// that is not given.
    pub cascade: Option<Cascade>,
}

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

/// A copy of `pool` in which `failed` are down.
pub(super) fn without(pool: &Pool, failed: &[usize]) -> Pool {
    let mut pool = pool.clone();
    for &index in failed {
        if let Some(endpoint) = pool.endpoints.get_mut(index) {
            endpoint.state.value = AdminState::Disabled;
        }
    }
    pool
}

/// What to ask the shares for: idle, or this many requests at once.
fn load_of(concurrency: Option<f64>) -> Load {
    match concurrency {
        Some(count) if count >= 1.0 => Load::Concurrent(count.min(f64::from(u32::MAX)).round() as u32),
        Some(_) => Load::Idle,
        // Failure and overload are questions about busy pools.
        None => Load::BUSY,
    }
}

/// Whether some Envoy priority of `pool` that gets traffic treats hosts that are down as healthy.
fn panics(dialect: Dialect, pool: &Pool) -> bool {
    let sends_to_all = |level: &envoy::Level| level.load > 0 && level.panic;
    dialect == Dialect::Envoy && envoy::levels(pool).iter().any(sends_to_all)
}

/// Runs `scenario` on the pool. Indices that the pool does not have are ignored.
#[must_use]
pub fn run(config: &Config, id: PoolId, scenario: &Scenario) -> Outcome {
    let pool = config.pool(id);
    let failed: BTreeSet<usize> =
        scenario.failed.iter().copied().filter(|&index| index < pool.endpoints.len()).collect();
    let failed: Vec<usize> = failed.into_iter().collect();
    let in_flight = scenario.concurrency.map(|count| f64::from(count) * scenario.load);
    let before = shares(config, pool, scenario.concurrency.map(f64::from), scenario);

    let detections = detection::of(
        config,
        id,
        &failed,
        scenario.assume_noticed,
        scenario.rate.map(|rate| rate * scenario.load),
        &before,
    );
    let noticed: Vec<usize> =
        detections.iter().filter(|found| found.noticed.is_ever()).map(|found| found.endpoint).collect();
    let (out, followers) = tracking::with_followers(config, id, &noticed, &scenario.follow);
    let survivors = without(pool, &out);
    let mut after = shares(config, &survivors, in_flight, scenario);
    stay(pool, scenario.returning, &before, &out, &mut after);
    if after.is_known() && !followers.is_empty() {
        after.assumptions.push("what follows the checks of a failed server goes out with it".into());
    }
    if after.is_known() && noticed.len() < failed.len() {
        after.assumptions.push("what nothing notices keeps its share, as errors".into());
    }
    let attempts = retry::attempts(config, id, in_flight);
    let unnoticed = retry::unnoticed(config, id, &failed, &before, in_flight);
    saved_by_retries(&failed, &out, &unnoticed, &attempts, &mut after);
    let multiples = multiples(&before, &after, scenario.load);
    let gets = |shares: &PoolShares, index: usize| shares.shares.get(index).is_some_and(|share| *share > 0.0);
    let takes_over = (0..pool.endpoints.len())
        .filter(|&index| after.is_known() && gets(&after, index) && !gets(&before, index))
        .collect();
    let limits = limits::Limits::new(config, &survivors, scenario.capacity, &before, scenario.concurrency);
    // By closed forms: which of several equal ones is named must not hang on a simulation.
    let first_full = limits.first_full(&placed(config.dialect, config.version, &survivors, load_of(None)));
    let demand = in_flight.and_then(|count| limits.demand(&after, count));
    let cascade = cascade::run(config, pool, &out, scenario, &before);
    Outcome {
        lost: lost(&after, &failed),
        panic: panics(config.dialect, &survivors),
        before,
        after,
        multiples,
        takes_over,
        detections,
        unnoticed,
        attempts,
        first_full,
        demand,
        cascade,
    }
}

/// What goes to endpoints that fail and stay in rotation: other endpoints get it where a retry finds them every time.
fn saved_by_retries(
    failed: &[usize],
    out: &[usize],
    unnoticed: &Unnoticed,
    attempts: &Attempts,
    after: &mut PoolShares,
) {
    if !after.is_known() || attempts.most <= 1 {
        return;
    }
    let hit: f64 = failed.iter().filter_map(|&index| after.shares.get(index)).sum();
    if hit <= 0.0 {
        return;
    }
    if !out.is_empty() {
        after.certainty = after.certainty.max(Certainty::Range);
        after.assumptions.push("no retry saves a request, though some may".into());
        return;
    }
    after.certainty = after.certainty.max(unnoticed.certainty);
    if unnoticed.errors != Some(0.0) || hit >= 1.0 {
        return;
    }
    for (index, share) in after.shares.iter_mut().enumerate() {
        *share = if failed.contains(&index) { 0.0 } else { *share / (1.0 - hit) };
    }
    after.assumptions.retain(|assumption| assumption != "what nothing notices keeps its share, as errors");
    after.assumptions.push("what nothing notices gets first attempts, and every retry goes elsewhere".into());
}

/// The shares of `pool` at this many requests at once; `None`: busy.
fn shares(config: &Config, pool: &Pool, in_flight: Option<f64>, scenario: &Scenario) -> PoolShares {
    let load = load_of(in_flight);
    match (scenario.seed, in_flight, load) {
        (Some(seed), Some(_), load) => {
            let concurrency = match load {
                Load::Idle => 1,
                Load::Concurrent(count) => count,
            };
            let known = Known { concurrency: Some(concurrency), seed, ..Known::default() };
            figures::of_pool(config.dialect, config.version, pool, known).shares
        }
        _ => placed(config.dialect, config.version, pool, load),
    }
}

/// Sessions of endpoints that live stay where they are; those of failed ones are chosen for anew.
fn stay(pool: &Pool, returning: Option<f64>, before: &PoolShares, out: &[usize], after: &mut PoolShares) {
    let Some(returning) = returning.filter(|part| *part > 0.0 && !pool.affinity.is_empty()) else { return };
    if !before.is_known() || !after.is_known() {
        return;
    }
    let freed: f64 = out.iter().filter_map(|&index| before.shares.get(index)).sum();
    for (index, (share, before)) in after.shares.iter_mut().zip(&before.shares).enumerate() {
        let kept = if out.contains(&index) { 0.0 } else { *before };
        *share = returning * (kept + freed * *share) + (1.0 - returning) * *share;
    }
}

/// Share of requests that reach no living endpoint.
fn lost(after: &PoolShares, failed: &[usize]) -> f64 {
    if !after.is_known() {
        return 0.0;
    }
    let failed: BTreeSet<usize> = failed.iter().copied().collect();
    let living = after.shares.iter().enumerate().filter(|(index, _)| !failed.contains(index));
    (1.0 - living.map(|(_, share)| share).sum::<f64>()).clamp(0.0, 1.0)
}

fn multiples(before: &PoolShares, after: &PoolShares, load: f64) -> Vec<Option<f64>> {
    let multiple = |(before, after): (&f64, &f64)| (*before > 0.0).then(|| load * after / before);
    if !before.is_known() || !after.is_known() {
        return vec![None; before.shares.len().max(after.shares.len())];
    }
    before.shares.iter().zip(&after.shares).map(multiple).collect()
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

/// "2 s", "500 ms", "1.5 s".
pub(super) fn seconds(time: std::time::Duration) -> String {
    match time.as_millis() {
        millis if millis % 1000 == 0 => format!("{} s", millis / 1000),
        millis if millis < 1000 => format!("{millis} ms"),
        millis => format!("{:.1} s", millis as f64 / 1000.0),
    }
}

/// A sentence about what has to hold.
pub(super) type Assumption = Cow<'static, str>;

#[cfg(test)]
mod tests;
