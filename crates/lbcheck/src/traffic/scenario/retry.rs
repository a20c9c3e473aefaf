//! How often a request is tried, and what happens while a failure is not noticed.

use super::attempts::{Attempts, Exposed, Retried, Unnoticed};
use super::question::Assumption;
use crate::model::{Config, Pool, PoolId, Retries, RetryBudget};
use crate::traffic::proxies::proxy;
use crate::traffic::shares::{Certainty, PoolShares};

/// `in_flight`: requests in the pool at once.
pub(super) fn attempts(config: &Config, id: PoolId, in_flight: Option<f64>) -> Attempts {
    let pool = config.pool(id);
    let proxy = proxy(config.dialect);
    let all = proxy.retries(config, id);
    let most = |retries: &&Retries| proxy.most_retries(pool, retries);
    let bounds: Vec<u32> = all.iter().map(most).collect();
    let highest = bounds.iter().copied().max().unwrap_or(0);
    let several = bounds.iter().any(|bound| *bound != highest);
    let with_highest = all.iter().find(|retries| most(retries) == highest);
    Attempts {
        most: highest.saturating_add(1),
        certainty: if several || !proxy.knows_retries(pool) { Certainty::Range } else { Certainty::Exact },
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

pub(super) fn unnoticed(
    config: &Config,
    id: PoolId,
    failed: &[usize],
    before: &PoolShares,
    bounds: &Attempts,
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
    let mut assumptions: Vec<Assumption> = vec![format!("a failed {noun} refuses connections").into()];
    if bounds.most <= 1 {
        return known(hit, 1.0, bounds.certainty, assumptions);
    }
    let serving = before.shares.iter().filter(|share| **share > 0.0).count();
    let exposed = Exposed { pool: config.pool(id), failed: failed.len(), serving, hit };
    let Retried { errors, attempts, certainty } = proxy(config.dialect).retried(&exposed, bounds);
    if let Some(limit) = bounds.at_once {
        assumptions.push(format!("no more than {limit} retries are in flight at once").into());
    }
    known(errors, attempts, certainty, assumptions)
}
