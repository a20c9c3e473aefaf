//! What a change does: pools paired, effective values compared, shares and routes set against each other.
//!
//! Only effects are compared. Comments, order that does not matter, and values that moved to
//! `default-server` or `defaults` without changing are no changes.

mod endpoints;
pub(crate) mod ledger;
pub(crate) mod lines;
mod pairing;
mod routes;
mod settings;
mod shares;
mod witness;

pub use pairing::{EndpointPair, PoolPair};
pub use routes::{RouteChange, RouteChangeKind};

use crate::diagnostic::Subject;
use crate::facts::{Facts, PoolFacts};
use crate::model::{Config, Endpoint, Pool, PoolId};
use crate::report::{Change, DiffSummary, Effect, PoolShift, RouteShift};

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
    /// Pools in both, in the order of `new`.
    pub pools: Vec<PoolPair>,
    /// Pools only in `old`.
    pub removed_pools: Vec<PoolId>,
    /// Pools only in `new`.
    pub added_pools: Vec<PoolId>,
    /// What differs in routing.
    pub routes: Vec<RouteChange>,
}

impl<'a> Comparison<'a> {
    /// Sets `old` and `new` side by side.
    #[must_use]
    pub fn new(old: &'a Config, new: &'a Config) -> Self {
        let pairing = pairing::pair_pools(old, new);
        let routes = routes::compare(old, new, &pairing.pairs);
        Self {
            old,
            new,
            old_facts: Facts::new(old),
            new_facts: Facts::new(new),
            pools: pairing.pairs,
            removed_pools: pairing.removed,
            added_pools: pairing.added,
            routes,
        }
    }

    /// Both sides of a pair.
    #[must_use]
    pub fn sides(&self, pair: &PoolPair) -> (Side<'_>, Side<'_>) {
        let side = |config: &'a Config, facts, id| Side { pool: config.pool(id), facts };
        (
            side(self.old, self.old_facts.pool(pair.old), pair.old),
            side(self.new, self.new_facts.pool(pair.new), pair.new),
        )
    }

    /// Each paired endpoint with its shares per slot before and after, where both sides' shares are sure.
    pub fn share_pairs(&self, pair: &PoolPair) -> Option<Vec<SharePair<'_>>> {
        shares::share_pairs(self, pair)
    }

    /// Share of the pool's traffic that changes its endpoint, members that joined or left set aside.
    #[must_use]
    pub fn share_moved(&self, pair: &PoolPair) -> Option<f64> {
        shares::moved_between_survivors(self, pair)
    }

    /// Why the shares of a pool changed, in a few words: "weight of `api1` 10 → 200; 4 servers became backups".
    #[must_use]
    pub fn cause(&self, pair: &PoolPair) -> String {
        shares::cause(self, pair)
    }

    /// Why a pool has more or fewer active endpoints; empty where it has not.
    #[must_use]
    pub fn membership_cause(&self, pair: &PoolPair) -> String {
        shares::membership_cause(self, pair)
    }
}

/// A pool and its facts, of one side.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The pool.
    pub pool: &'a Pool,
    /// Its facts.
    pub facts: &'a PoolFacts,
}

/// One endpoint's share per slot before and after.
#[derive(Clone, Copy, Debug)]
pub struct SharePair<'a> {
    /// Before; `None`: it was not there.
    pub old: Option<(&'a Endpoint, f64)>,
    /// After; `None`: it is gone.
    pub new: Option<(&'a Endpoint, f64)>,
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

/// Pools of one comparison for which hash tables are built on both sides.
const MAX_TABLES: usize = 50;

/// Everything that differs in effect.
#[must_use]
pub fn outcome(comparison: &Comparison<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut tables = MAX_TABLES;
    let by_old = pairing::by_old(&comparison.pools, comparison.old.pools.len());
    let (old, new) = pairing::describers(comparison.old, comparison.new, &by_old);
    for pair in &comparison.pools {
        let before = outcome.changes.len();
        settings::compare(comparison, (&old, &new), pair, &mut outcome.changes);
        endpoints::compare(comparison, (&old, &new), pair, &mut outcome);
        let behavioural = outcome.changes[before..].iter().any(|change| change.effect == Effect::Behavioural);
        outcome.summary.pools_changed += usize::from(behavioural);
        outcome.pools.extend(shares::shift(comparison, pair, &mut tables));
    }
    settings::whole_pools(comparison, &mut outcome);
    routes::report(comparison, &mut outcome);
    let whole = settings::differing(old.config(), new.config());
    outcome.changes.extend(whole.map(|difference| difference.of(&Subject::default())));
    let behavioural = outcome.changes.iter().filter(|change| change.effect == Effect::Behavioural).count();
    outcome.summary.behavioural = behavioural;
    outcome.summary.cosmetic = outcome.changes.len() - behavioural;
    outcome
}
