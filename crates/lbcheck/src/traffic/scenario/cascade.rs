//! Overloaded endpoints failing in turn.

use std::collections::BTreeSet;

use super::limits::Limits;
use super::question::{Capacity, Scenario, load_of, without};
use crate::model::{Config, Pool};
use crate::traffic::placement::placed;
use crate::traffic::shares::{Certainty, PoolShares};

/// What happens if every endpoint fails that is offered more than it can take.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Cascade {
    /// One step for each round of failures.
    pub steps: Vec<CascadeStep>,
    /// How it ends.
    pub end: CascadeEnd,
    /// How sure it is.
    pub certainty: Certainty,
}

/// One round: these are offered more than they can take, and fail.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct CascadeStep {
    /// Endpoints that fail in this round, with what each is offered as a multiple of what it can take.
    pub overloaded: Vec<(usize, f64)>,
}

/// How a cascade ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum CascadeEnd {
    /// Everyone left can take what it is offered.
    Stable,
    /// Nobody is left.
    Down,
    /// It goes on after as many rounds as were followed.
    Open,
}

/// Rounds that are followed.
const MOST_STEPS: usize = 64;

pub(super) fn run(
    config: &Config,
    pool: &Pool,
    out: &[usize],
    scenario: &Scenario,
    before: &PoolShares,
) -> Option<Cascade> {
    if !before.is_known() {
        return None;
    }
    let multiple = match scenario.capacity {
        Some(Capacity::Multiple(times)) => Some(times),
        _ => None,
    };
    let requests = scenario.concurrency.map(|count| f64::from(count) * scenario.load);
    let any_limit = scenario.capacity.is_some()
        || pool.endpoints.iter().any(|endpoint| endpoint.most_requests().is_some());
    if multiple.is_none() && (requests.is_none() || !any_limit) {
        return None;
    }
    let mut out: BTreeSet<usize> = out.iter().copied().collect();
    let mut certainty = Certainty::Expected;
    let mut steps = Vec::new();
    for _ in 0..MOST_STEPS {
        let survivors = without(pool, &out.iter().copied().collect::<Vec<usize>>());
        let after = placed(config.dialect, config.version, &survivors, load_of(requests));
        if !after.is_known() {
            return None;
        }
        certainty = certainty.max(after.certainty);
        let living = |index: &usize| !out.contains(index);
        let serves = (0..after.shares.len()).filter(living).any(|index| after.shares[index] > 0.0);
        if !serves {
            return Some(Cascade { steps, end: CascadeEnd::Down, certainty });
        }
        let limits = Limits::new(config, &survivors, scenario.capacity, before, scenario.concurrency);
        // Offered over what it can take.
        let strain = |index: usize| {
            let by_multiple = multiple.and_then(|times| {
                let normal = before.shares.get(index).filter(|share| **share > 0.0)?;
                Some(after.shares[index] * scenario.load / (normal * times))
            });
            let by_limit =
                requests.and_then(|requests| Some(after.shares[index] * requests / limits.of(index)?));
            match (by_multiple, by_limit) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            }
        };
        let overloaded: Vec<(usize, f64)> = (0..after.shares.len())
            .filter(living)
            .filter_map(|index| Some((index, strain(index)?)))
            .filter(|(_, strain)| *strain > 1.0 + 1e-9)
            .collect();
        if overloaded.is_empty() {
            return Some(Cascade { steps, end: CascadeEnd::Stable, certainty });
        }
        out.extend(overloaded.iter().map(|(index, _)| *index));
        steps.push(CascadeStep { overloaded });
    }
    Some(Cascade { steps, end: CascadeEnd::Open, certainty })
}
