//! What nginx does with traffic.

mod choosers;
mod path;
mod request;
mod tables;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use super::Proxy;
use crate::dialect::Version;
use crate::model::{Algorithm, Config, HashKey, HashTable, OutlierDetection, Pool, PoolId, Retries};
use crate::traffic::key_table::{KeyTable, Unplaced};
use crate::traffic::scenario::attempts::{Attempts, Exposed, Retried};
use crate::traffic::shares::{Certainty, Load, PoolShares, among_all};
use crate::traffic::simulate::group::Group;

#[derive(Debug)]
pub(super) struct Nginx;

impl Proxy for Nginx {
    fn at_load(&self, _: Version, pool: &Pool, load: Load, by_weight: PoolShares) -> PoolShares {
        let serving = self.serving_tier(pool);
        if serving.len() <= 1 || serving.iter().any(|&index| pool.endpoints[index].expands) {
            return by_weight;
        }
        match (&pool.algorithm.value, load) {
            (Algorithm::Random { draws: 2, .. }, Load::Idle) => {
                let weights: Vec<f64> =
                    serving.iter().map(|&index| f64::from(pool.endpoints[index].weight.value)).collect();
                let shares = among_all(pool, &serving, turns::random_two_idle(&weights));
                by_weight.with(shares, Certainty::Expected)
            }
            _ => by_weight,
        }
    }

    fn key_table(&self, _: Version, pool: &Pool) -> Result<Arc<dyn KeyTable>, Unplaced> {
        tables::key_table(pool)
    }

    fn endpoint_of_constant(&self, pool: &Pool, key: &str, table: HashTable) -> Option<usize> {
        if table != HashTable::Map || pool.endpoints.iter().any(|endpoint| endpoint.expands) {
            return None;
        }
        tables::Weighted::new(pool).and_then(|members| members.hash(key.as_bytes())).ok()
    }

    fn hashed_text(&self, _: &Config, _: PoolId, key: &HashKey) -> Option<String> {
        let HashKey::Expression(text) = key else { return None };
        if matches!(text.as_str(), "$binary_remote_addr" | "${binary_remote_addr}") {
            return Some("the client's address".to_owned());
        }
        let name = text.strip_prefix('$').unwrap_or_default();
        let single = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (name.is_empty() || !single).then(|| format!("`{text}` with the values of its variables"))
    }

    /// It holds for one worker process. Idle servers tie, and ties are broken by round robin.
    fn sequence(&self, pool: &Pool, serving: &[usize], count: usize) -> Option<Vec<usize>> {
        let turns =
            matches!(pool.algorithm.value, Algorithm::RoundRobin | Algorithm::LeastConnections { .. });
        let weighted = serving.iter().map(|&index| (index, pool.endpoints[index].weight.value));
        turns.then(|| turns::smooth(&weighted.collect::<Vec<_>>(), count))
    }

    fn groups(&self, _: Version, pool: &Pool) -> Option<Vec<Group>> {
        choosers::groups(pool, &self.serving_tier(pool))
    }

    /// Without `zone` each worker process counts for itself.
    fn counts_by_worker(&self, pool: &Pool) -> bool {
        pool.shared_state.is_none()
    }

    /// A single server is left in, however often it fails.
    fn keeps_the_only_one(&self) -> bool {
        true
    }

    /// nginx counts in whole seconds, and lets a server have a request once more than so many have passed.
    fn late_return(&self, _: OutlierDetection) -> Duration {
        Duration::from_secs(1)
    }

    /// No server is tried twice; without a bound all of them are.
    fn most_retries(&self, pool: &Pool, retries: &Retries) -> u32 {
        let members = pool.endpoints.iter().map(|endpoint| u64::from(endpoint.slots)).sum::<u64>();
        let others = members.max(1).saturating_sub(1).min(u64::from(u32::MAX)) as u32;
        retries.attempts.map_or(u32::MAX, |attempts| attempts.value).min(others)
    }

    /// A host name may stand for several servers.
    fn knows_retries(&self, pool: &Pool) -> bool {
        !pool.endpoints.iter().any(|endpoint| endpoint.expands)
    }

    fn retried(&self, exposed: &Exposed<'_>, bounds: &Attempts) -> Retried {
        let &Exposed { failed, hit, .. } = exposed;
        let retried = bounds
            .on
            .as_deref()
            .is_some_and(|on| on.split(' ').any(|word| word == "error" || word == "connect"));
        let enough = (bounds.most as usize) > failed;
        let (errors, attempts, certainty) = match (retried, enough) {
            (false, _) => (hit, 1.0, Certainty::Exact),
            (true, true) if failed == 1 => (0.0, 1.0 + hit, bounds.certainty),
            (true, true) => (0.0, 1.0 + hit * failed as f64, Certainty::Range),
            (true, false) => (hit, 1.0 + hit * bounds.retries(), Certainty::Range),
        };
        Retried { errors, attempts, certainty }
    }

    fn assumption_of_draws(&self) -> &'static str {
        "there are many different values of what requests are split by"
    }

    /// Server blocks share the addresses they listen on.
    fn taker_noun(&self) -> &'static str {
        "address"
    }
}
