//! What Envoy does with traffic.

mod choosers;
mod hashed_text;
mod headers;
mod levels;
mod path;
mod request;
mod tables;

use std::sync::Arc;

use super::Proxy;
use crate::dialect::Version;
use crate::model::{AdminState, Algorithm, Config, Endpoint, HashKey, Pool, PoolId, Retries};
use crate::traffic::key_table::{KeyTable, Unplaced};
use crate::traffic::scenario::attempts::{Attempts, Exposed, Retried};
use crate::traffic::shares::{Certainty, Load, PoolShares};
use crate::traffic::simulate::group::Group;

#[derive(Debug)]
pub(super) struct Envoy;

impl Proxy for Envoy {
    /// Envoy sends to everyone when a level is wholly unhealthy (panic), which the rules report; normal times mean the
    /// endpoints that the file does not take out.
    fn in_rotation(&self, endpoint: &Endpoint) -> bool {
        endpoint.state.value == AdminState::Enabled
    }

    /// Load is divided between levels by health.
    fn serving(&self, pool: &Pool) -> Vec<usize> {
        levels::serving(&levels::levels(pool))
    }

    fn panics(&self, pool: &Pool) -> bool {
        levels::levels(pool).iter().any(|level| level.load > 0 && level.panic)
    }

    /// First over levels, then over localities where they are to be weighed.
    fn divide(&self, pool: &Pool, _: &[usize], weight: &dyn Fn(&Endpoint) -> f64) -> Vec<f64> {
        let weights = |hosts: &[usize]| hosts.iter().map(|&index| weight(&pool.endpoints[index])).collect();
        levels::shares(pool, &levels::levels(pool), weights)
    }

    fn at_load(&self, _: Version, pool: &Pool, load: Load, mut by_weight: PoolShares) -> PoolShares {
        // Weights alone do not say what degraded hosts get; levels do.
        if by_weight.certainty == Certainty::Range
            && pool.endpoints.iter().any(|endpoint| endpoint.degraded.is_some())
        {
            by_weight.certainty = Certainty::Expected;
        }
        let weight = |index: &usize| f64::from(pool.endpoints[*index].weight.value);
        let weights = |hosts: &[usize]| -> Vec<f64> { hosts.iter().map(weight).collect() };
        let levels = levels::levels(pool);
        let several = levels.iter().filter(|level| level.load > 0).count() > 1;
        match &pool.algorithm.value {
            Algorithm::RoundRobin => {
                // The priority is drawn at random even where the host is not.
                let certainty = if several { Certainty::Expected } else { Certainty::Exact };
                by_weight.with(levels::shares(pool, &levels, weights), certainty)
            }
            Algorithm::Random { .. } => {
                let shares = match several && pool.locality_weighted.is_none() {
                    true => levels::random_spill(pool.endpoints.len(), &levels),
                    false => levels::shares(pool, &levels, |hosts| vec![1.0; hosts.len()]),
                };
                by_weight.with(shares, Certainty::Expected)
            }
            Algorithm::LeastConnections { bias_milli, .. } => {
                let bias = f64::from(*bias_milli) / 1000.0;
                let busy = |hosts: &[usize]| {
                    let weights = weights(hosts);
                    let equal = weights.windows(2).all(|pair| pair[0] == pair[1]);
                    match load {
                        Load::Concurrent(concurrency) if !equal => {
                            levels::least_request(&weights, bias, f64::from(concurrency))
                        }
                        _ => weights,
                    }
                };
                by_weight.with(levels::shares(pool, &levels, busy), Certainty::Expected)
            }
            _ => by_weight,
        }
    }

    fn key_table(&self, _: Version, pool: &Pool) -> Result<Arc<dyn KeyTable>, Unplaced> {
        Ok(Arc::new(tables::Levels::new(pool)?))
    }

    fn hashed_text(&self, config: &Config, id: PoolId, _: &HashKey) -> Option<String> {
        hashed_text::of(config, id)
    }

    fn groups(&self, _: Version, pool: &Pool) -> Option<Vec<Group>> {
        choosers::groups(pool)
    }

    /// A limit of a single host turns nobody to another one.
    fn passes_over_full(&self, _: &Algorithm) -> bool {
        false
    }

    /// Those of the routes that lead to the pool.
    fn retries<'c>(&self, config: &'c Config, id: PoolId) -> Vec<&'c Retries> {
        config.routes_to(id).filter_map(|route| route.retries.as_ref()).collect()
    }

    /// Nothing is retried without `retry_on`.
    fn most_retries(&self, _: &Pool, retries: &Retries) -> u32 {
        match (&retries.on, &retries.attempts) {
            (None, _) => 0,
            (Some(_), attempts) => attempts.as_ref().map_or(u32::MAX, |attempts| attempts.value),
        }
    }

    /// A retry picks anew; whether it meets the same host again hangs on the algorithm and on predicates.
    fn retried(&self, exposed: &Exposed<'_>, bounds: &Attempts) -> Retried {
        let hit = exposed.hit;
        Retried { errors: hit, attempts: 1.0 + hit * bounds.retries(), certainty: Certainty::Range }
    }

    fn draws_one_number(&self) -> bool {
        true
    }

    fn sees_tls_that_goes_through(&self) -> Option<bool> {
        Some(true)
    }

    fn taker_noun(&self) -> &'static str {
        "listener"
    }
}
