//! Attempts per request, and what happens while a failure is not noticed.

use super::Assumption;
use crate::dialect::Dialect;
use crate::model::{Action, Algorithm, Config, HashTable, Pool, PoolId, Retries, RetryBudget, Target};
use crate::traffic::shares::{Certainty, PoolShares};

/// Attempts that one request may make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Attempts {
    /// Most attempts for one request, the first included: what the pool gets if every attempt fails.
    pub most: u32,
    /// How sure that is.
    pub certainty: Certainty,
    /// What is retried, in the dialect's words; `None`: nothing, or what the product retries by default.
    pub on: Option<String>,
    /// Most retries in flight at once, over all requests (Envoy `max_retries`, or `retry_budget` where it is known how
    /// many requests are in flight).
    pub at_once: Option<u64>,
}

/// While a failure is not noticed.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Unnoticed {
    /// Share of requests whose first attempt goes to a failed endpoint. `None`: shares are not known.
    pub first_attempts: Option<f64>,
    /// Share of requests that end in an error.
    pub errors: Option<f64>,
    /// Attempts for each request of normal times, over all endpoints.
    pub attempts: Option<f64>,
    /// How sure `errors` and `attempts` are. For a range the figures are its upper ends.
    pub certainty: Certainty,
    /// What has to hold, in sentences.
    pub assumptions: Vec<Assumption>,
}

/// The retry settings that hold for a pool: its own, or in Envoy those of the routes that lead to it.
fn settings(config: &Config, id: PoolId) -> Vec<&Retries> {
    if config.dialect != Dialect::Envoy {
        return vec![&config.pool(id).retries];
    }
    let leads = |target: &Target| matches!(target, Target::Pool { pool, .. } if *pool == id);
    let routes = config.tables.iter().flat_map(|table| &table.routes).filter(|route| match &route.action {
        Action::Forward(target) => leads(target),
        Action::Split(arms) => arms.iter().any(|arm| leads(&arm.target)),
        _ => false,
    });
    routes.filter_map(|route| route.retries.as_ref()).collect()
}

/// Retries that are in force: Envoy retries nothing without `retry_on`.
fn count(dialect: Dialect, retries: &Retries) -> Option<u32> {
    match dialect {
        Dialect::Envoy if retries.on.is_none() => Some(0),
        _ => retries.attempts.map(|attempts| attempts.value),
    }
}

/// `in_flight`: requests in the pool at once.
pub(super) fn attempts(config: &Config, id: PoolId, in_flight: Option<f64>) -> Attempts {
    let pool = config.pool(id);
    let all = settings(config, id);
    let members = || pool.endpoints.iter().map(|endpoint| u64::from(endpoint.slots)).sum::<u64>();
    // nginx tries no server twice; without a bound it tries all of them.
    let most = |retries: &&Retries| {
        let bound = count(config.dialect, retries).unwrap_or(u32::MAX);
        match config.dialect {
            Dialect::Nginx => bound.min(members().max(1).saturating_sub(1).min(u64::from(u32::MAX)) as u32),
            _ => bound,
        }
    };
    let bounds: Vec<u32> = all.iter().map(most).collect();
    let highest = bounds.iter().copied().max().unwrap_or(0);
    let several = bounds.iter().any(|bound| *bound != highest);
    let unknown = config.dialect == Dialect::Nginx && pool.endpoints.iter().any(|endpoint| endpoint.expands);
    let with_highest = all.iter().find(|retries| most(retries) == highest);
    Attempts {
        most: highest.saturating_add(1),
        certainty: if several || unknown { Certainty::Range } else { Certainty::Exact },
        on: with_highest.and_then(|retries| retries.on.as_ref()).map(|on| on.value.clone()),
        at_once: at_once(pool, in_flight).filter(|_| highest > 0),
    }
}

fn at_once(pool: &Pool, in_flight: Option<f64>) -> Option<u64> {
    let budget = |budget: RetryBudget| {
        let part = in_flight? * f64::from(budget.percent_milli) / 100_000.0;
        Some((part as u64).max(budget.at_least))
    };
    match (pool.limits.max_retries, pool.limits.retry_budget) {
        (Some(limit), _) => Some(limit.value),
        (None, Some(setting)) => budget(setting.value),
        (None, None) => None,
    }
}

/// Whether a retry in HAProxy can find another server.
enum Elsewhere {
    /// At once.
    Yes,
    /// It asks the same table and gets the same server.
    No,
    /// Not known.
    Perhaps,
}

fn elsewhere(pool: &Pool) -> Elsewhere {
    match (&pool.retries.redispatch, &pool.algorithm.value) {
        (None, _) => Elsewhere::No,
        // The map is asked for the same key again, and knows nothing of the failure.
        (Some(_), Algorithm::Hash { table: HashTable::Map, .. }) => Elsewhere::No,
        (Some(_), Algorithm::First) => Elsewhere::Perhaps,
        (Some(_), _) => Elsewhere::Yes,
    }
}

pub(super) fn unnoticed(
    config: &Config,
    id: PoolId,
    failed: &[usize],
    before: &PoolShares,
    in_flight: Option<f64>,
) -> Unnoticed {
    let unknown = Unnoticed {
        first_attempts: None,
        errors: None,
        attempts: None,
        certainty: Certainty::Unknown,
        assumptions: Vec::new(),
    };
    if !before.is_known() {
        return unknown;
    }
    let hit: f64 = failed.iter().filter_map(|&index| before.shares.get(index)).sum();
    let known = |errors: f64, attempts: f64, certainty: Certainty, assumptions: Vec<Assumption>| Unnoticed {
        first_attempts: Some(hit),
        errors: Some(errors),
        attempts: Some(attempts),
        certainty: certainty.max(before.certainty),
        assumptions,
    };
    if hit <= 0.0 {
        return known(0.0, 1.0, Certainty::Exact, Vec::new());
    }
    let noun = config.dialect.endpoint_noun();
    let refused = || -> Assumption { format!("a failed {noun} refuses connections").into() };
    let bounds = attempts(config, id, in_flight);
    let retries = f64::from(bounds.most - 1);
    if bounds.most <= 1 {
        return known(hit, 1.0, bounds.certainty, vec![refused()]);
    }
    match config.dialect {
        Dialect::HaProxy => {
            let pool = config.pool(id);
            let serving = before.shares.iter().filter(|share| **share > 0.0).count();
            match elsewhere(pool) {
                Elsewhere::Yes if serving > 1 && failed.len() == 1 => {
                    // Round robin goes elsewhere at once; consistent hashing only with the last retry.
                    let by_key = matches!(pool.algorithm.value, Algorithm::Hash { .. });
                    let more = if by_key { retries } else { 1.0 };
                    let certainty = if by_key { Certainty::Range } else { Certainty::Expected };
                    known(0.0, 1.0 + hit * more, certainty, vec![refused()])
                }
                // A redispatched request may meet another server that is down.
                Elsewhere::Yes | Elsewhere::Perhaps if serving > 1 => {
                    known(hit, 1.0 + hit * retries, Certainty::Range, vec![refused()])
                }
                _ => known(hit, 1.0 + hit * retries, Certainty::Exact, vec![refused()]),
            }
        }
        Dialect::Nginx => {
            let retried = bounds
                .on
                .as_deref()
                .is_some_and(|on| on.split(' ').any(|word| word == "error" || word == "connect"));
            let down = failed.len();
            let enough = (bounds.most as usize) > down;
            match (retried, enough) {
                (false, _) => known(hit, 1.0, Certainty::Exact, vec![refused()]),
                (true, true) if down == 1 => known(0.0, 1.0 + hit, bounds.certainty, vec![refused()]),
                (true, true) => known(0.0, 1.0 + hit * down as f64, Certainty::Range, vec![refused()]),
                (true, false) => known(hit, 1.0 + hit * retries, Certainty::Range, vec![refused()]),
            }
        }
        Dialect::Envoy => {
            let mut assumptions = vec![refused()];
            if let Some(limit) = bounds.at_once {
                assumptions.push(format!("no more than {limit} retries are in flight at once").into());
            }
            // A retry picks anew; whether it meets the same host again hangs on the algorithm and on predicates.
            known(hit, 1.0 + hit * retries, Certainty::Range, assumptions)
        }
    }
}
