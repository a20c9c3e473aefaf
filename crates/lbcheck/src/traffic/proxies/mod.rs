//! The proxies: what each of them does with traffic that does not stand in the configuration.
//!
//! Everything else in `traffic` is written once, against the model and the [`Proxy`] that runs it. A further dialect is
//! its reader, its folder here, and three lines: `mod` and arm of [`proxy`] below, and its variant of [`Dialect`] with
//! the words that belong to it.

mod envoy;
mod haproxy;
mod nginx;

use std::sync::Arc;
use std::time::Duration;

use super::key_table::{KeyTable, Unplaced};
use super::request::view::RequestReader;
use super::scenario::attempts::{Attempts, Exposed, Retried};
use super::serving::first_tier;
use super::shares::{Load, PoolShares, spread};
use super::simulate::group::Group;
use crate::dialect::{Dialect, Version};
use crate::model::{
    Algorithm, CheckTiming, Config, Endpoint, HashKey, HashTable, OutlierDetection, Pool, PoolId, Retries,
};
use crate::truth::Truth;

/// What a proxy does at run time. What most of them do stands here.
pub(super) trait Proxy: RequestReader {
    // Who serves.

    /// Whether an endpoint takes new traffic while its tier is in use.
    fn in_rotation(&self, endpoint: &Endpoint) -> bool {
        endpoint.in_rotation()
    }

    /// The endpoints that take new traffic while nothing has failed.
    fn serving_tier(&self, pool: &Pool) -> Vec<usize> {
        first_tier(pool, |endpoint| self.in_rotation(endpoint))
    }

    /// The endpoints that take new traffic while nothing has failed that the file does not call unhealthy.
    fn serving(&self, pool: &Pool) -> Vec<usize> {
        self.serving_tier(pool)
    }

    /// Whether endpoints that are down are sent to, since too few are up.
    fn panics(&self, _pool: &Pool) -> bool {
        false
    }

    // Shares.

    /// How many of an endpoint's slots there are is only known at run time.
    fn fills_slots_at_run_time(&self, _endpoint: &Endpoint) -> bool {
        false
    }

    /// Shares by `weight` among those that serve.
    fn divide(&self, pool: &Pool, serving: &[usize], weight: &dyn Fn(&Endpoint) -> f64) -> Vec<f64> {
        spread(pool, serving, weight)
    }

    /// The shares that an algorithm without keys gives at this load, made of those that weights ask for.
    fn at_load(&self, version: Version, pool: &Pool, load: Load, by_weight: PoolShares) -> PoolShares;

    /// Members of the pool with what chooses among them by load. `None`: it is not simulated.
    fn groups(&self, version: Version, pool: &Pool) -> Option<Vec<Group>>;

    /// The first picks among several that serve, for algorithms that follow a fixed order.
    fn sequence(&self, _pool: &Pool, _serving: &[usize], _count: usize) -> Option<Vec<usize>> {
        None
    }

    // Keys.

    /// The table of a pool that hashes.
    fn key_table(&self, version: Version, pool: &Pool) -> Result<Arc<dyn KeyTable>, Unplaced>;

    /// Where a key that is the same for every request leads, if it is known.
    fn endpoint_of_constant(&self, _pool: &Pool, _key: &str, _table: HashTable) -> Option<usize> {
        None
    }

    /// What is hashed, in words, where that is not simply the value that the configuration names.
    fn hashed_text(&self, config: &Config, id: PoolId, key: &HashKey) -> Option<String>;

    // Limits.

    /// What finds no endpoint with room waits. Otherwise it is refused.
    fn queues(&self) -> bool {
        false
    }

    /// Whether another endpoint is taken where the one that was chosen is full.
    fn passes_over_full(&self, _algorithm: &Algorithm) -> bool {
        true
    }

    /// Every worker process counts for itself.
    fn counts_by_worker(&self, _pool: &Pool) -> bool {
        false
    }

    // Failures.

    /// Passive detection never takes out the only endpoint.
    fn keeps_the_only_one(&self) -> bool {
        false
    }

    /// How long a check without an answer lasts. `None`: that is not in the configuration.
    fn check_timeout(&self, _pool: &Pool, timing: CheckTiming, _interval: Duration) -> Option<Duration> {
        timing.timeout.map(|timeout| timeout.value)
    }

    /// How much later than its time an ejected endpoint may be back.
    fn late_return(&self, passive: OutlierDetection) -> Duration {
        passive.sweep.unwrap_or_default()
    }

    /// The retry settings that hold for a pool.
    fn retries<'c>(&self, config: &'c Config, id: PoolId) -> Vec<&'c Retries> {
        vec![&config.pool(id).retries]
    }

    /// Most attempts after the first one.
    fn most_retries(&self, _pool: &Pool, retries: &Retries) -> u32 {
        retries.attempts.map_or(u32::MAX, |attempts| attempts.value)
    }

    /// Whether that is known before run time.
    fn knows_retries(&self, _pool: &Pool) -> bool {
        true
    }

    /// What retries make of requests while a failure is not noticed. There is at least one.
    fn retried(&self, exposed: &Exposed<'_>, bounds: &Attempts) -> Retried;

    // Routes.

    /// One random number decides everything that is drawn for a request.
    fn draws_one_number(&self) -> bool {
        false
    }

    /// What has to hold for shares of what is drawn.
    fn assumption_of_draws(&self) -> &'static str {
        "there are many requests, each of which is drawn for"
    }

    /// Whether a rule that names a pool which is switched off is passed over.
    fn passes_over_disabled(&self, _version: Version) -> Truth {
        Truth::No
    }

    /// What rules see of TLS that goes through to an endpoint.
    fn sees_tls_that_goes_through(&self) -> Option<bool> {
        None
    }

    /// What takes a request, in the words of its users.
    fn taker_noun(&self) -> &'static str;
}

/// What runs configurations in this language.
pub(super) fn proxy(dialect: Dialect) -> &'static dyn Proxy {
    match dialect {
        Dialect::HaProxy => &haproxy::HaProxy,
        Dialect::Nginx => &nginx::Nginx,
        Dialect::Envoy => &envoy::Envoy,
    }
}
