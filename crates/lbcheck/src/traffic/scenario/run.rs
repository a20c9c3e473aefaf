//! What becomes of a pool in one scenario.

use std::collections::BTreeSet;

use super::attempts::{Attempts, Unnoticed};
use super::cascade::{self, Cascade};
use super::detection::{self, Detection};
use super::limits::{Demand, Full, Limits};
use super::question::{Scenario, load_of, without};
use super::{retry, tracking};
use crate::model::{Config, Pool, PoolId};
use crate::traffic::given_shares::{self, Known};
use crate::traffic::placement::placed;
use crate::traffic::proxies::proxy;
use crate::traffic::shares::{Certainty, Load, PoolShares};

/// What becomes of one pool.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct ScenarioOutcome {
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

/// Runs `scenario` on the pool. Indices that the pool does not have are ignored.
#[must_use]
pub fn run(config: &Config, id: PoolId, scenario: &Scenario) -> ScenarioOutcome {
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
    let unnoticed = retry::unnoticed(config, id, &failed, &before, &attempts);
    saved_by_retries(&failed, &out, &unnoticed, &attempts, &mut after);
    let multiples = multiples(&before, &after, scenario.load);
    let gets = |shares: &PoolShares, index: usize| shares.shares.get(index).is_some_and(|share| *share > 0.0);
    let takes_over = (0..pool.endpoints.len())
        .filter(|&index| after.is_known() && gets(&after, index) && !gets(&before, index))
        .collect();
    let limits = Limits::new(config, &survivors, scenario.capacity, &before, scenario.concurrency);
    // By closed forms: which of several equal ones is named must not hang on a simulation.
    let first_full = limits.first_full(&placed(config.dialect, config.version, &survivors, load_of(None)));
    let demand = in_flight.and_then(|count| limits.demand(&after, count));
    let cascade = cascade::run(config, pool, &out, scenario, &before);
    ScenarioOutcome {
        lost: lost(&after, &failed),
        panic: proxy(config.dialect).panics(&survivors),
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
            given_shares::of_pool(config.dialect, config.version, pool, known).shares
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
pub(super) fn lost(after: &PoolShares, failed: &[usize]) -> f64 {
    if !after.is_known() {
        return 0.0;
    }
    let failed: BTreeSet<usize> = failed.iter().copied().collect();
    let living = after.shares.iter().enumerate().filter(|(index, _)| !failed.contains(index));
    (1.0 - living.map(|(_, share)| share).sum::<f64>()).clamp(0.0, 1.0)
}

pub(super) fn multiples(before: &PoolShares, after: &PoolShares, load: f64) -> Vec<Option<f64>> {
    let multiple = |(before, after): (&f64, &f64)| (*before > 0.0).then(|| load * after / before);
    if !before.is_known() || !after.is_known() {
        return vec![None; before.shares.len().max(after.shares.len())];
    }
    before.shares.iter().zip(&after.shares).map(multiple).collect()
}
