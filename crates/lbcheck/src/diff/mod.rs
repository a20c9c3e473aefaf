//! What a change does: pools paired, effective values compared, shares and routes set against each other.

use crate::model::Config;
use crate::report::{Change, DiffSummary, PoolShift, RouteShift};
use crate::rules::Facts;

/// The kinds of [`Change`], closed so that scripts can rely on them.
pub const KINDS: &[&str] = &[
    "algorithm-changed",
    "endpoint-added",
    "endpoint-removed",
    "endpoint-renamed",
    "health-check-changed",
    "limit-changed",
    "listener-added",
    "listener-changed",
    "listener-removed",
    "mode-changed",
    "outlier-detection-changed",
    "pool-added",
    "pool-removed",
    "pool-renamed",
    "retries-changed",
    "route-added",
    "route-changed",
    "route-removed",
    "state-changed",
    "stickiness-changed",
    "tier-changed",
    "timeout-changed",
    "tls-changed",
    "weight-changed",
];

/// Two configurations set side by side.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// Before.
    pub old: &'a Config,
    /// After.
    pub new: &'a Config,
    /// What follows from `old`.
    pub old_facts: Facts,
    /// What follows from `new`.
    pub new_facts: Facts,
}

/// What a comparison shows, without judging it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Totals.
    pub summary: DiffSummary,
    /// What changed in effect.
    pub changes: Vec<Change>,
    /// Pools whose shares changed.
    pub pools: Vec<PoolShift>,
    /// Routes that lead somewhere else.
    pub routes: Vec<RouteShift>,
}

impl<'a> Comparison<'a> {
    /// Sets `old` and `new` side by side.
    #[must_use]
    pub fn new(old: &'a Config, new: &'a Config) -> Self {
        Self { old, new, old_facts: Facts::new(old), new_facts: Facts::new(new) }
    }
}

/// Everything that differs in effect.
#[must_use]
pub fn outcome(_comparison: &Comparison<'_>) -> Outcome {
    Outcome::default()
}
