//! What HAProxy does with traffic.

mod choosers;
mod hashed_text;
mod request;
mod retries;
mod tables;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use super::Proxy;
use crate::dialect::Version;
use crate::model::{Algorithm, CheckTiming, Config, Endpoint, HashKey, HashTable, Host, Pool, PoolId};
use crate::traffic::key_table::{KeyTable, NO_KEYS, Single, Table, Unplaced};
use crate::traffic::scenario::attempts::{Attempts, Exposed, Retried};
use crate::traffic::serving::by_id;
use crate::traffic::shares::{Certainty, Load, PoolShares, among_all};
use crate::traffic::simulate::group::Group;
use crate::truth::Truth;

#[derive(Debug)]
pub(super) struct HaProxy;

/// Beyond this many requests at once shares no longer change.
const MOST_CONCURRENT: u32 = 100_000;

impl Proxy for HaProxy {
    /// How many slots of a template are filled depends on the answer of a DNS server.
    fn fills_slots_at_run_time(&self, endpoint: &Endpoint) -> bool {
        endpoint.slots > 1 && matches!(endpoint.address.host, Host::Name(_))
    }

    fn at_load(&self, version: Version, pool: &Pool, load: Load, by_weight: PoolShares) -> PoolShares {
        let serving = self.serving_tier(pool);
        if serving.len() <= 1 || pool.endpoints.iter().any(|endpoint| endpoint.slots > 1) {
            return by_weight;
        }
        match (&pool.algorithm.value, load) {
            (Algorithm::LeastConnections { .. }, load) => {
                let concurrency = match load {
                    Load::Idle => 1,
                    // So many go by weight alone.
                    Load::Concurrent(MOST_CONCURRENT..) => return by_weight,
                    Load::Concurrent(concurrency) => concurrency.max(1),
                };
                // While there is an idle server it wins, whatever the weights.
                if concurrency as usize <= serving.len() {
                    let each = 1.0 / serving.len() as f64;
                    let shares = among_all(pool, &serving, serving.iter().map(|_| each));
                    return by_weight.with(shares, Certainty::Expected);
                }
                let weights: Vec<u32> =
                    serving.iter().map(|&index| pool.endpoints[index].weight.value).collect();
                let in_flight = turns::least_connections(&weights, concurrency);
                let figures = in_flight.into_iter().map(|count| f64::from(count) / f64::from(concurrency));
                by_weight.with(among_all(pool, &serving, figures), Certainty::Expected)
            }
            (Algorithm::Random { draws, .. }, load) => {
                // A single draw is a point of the ring; of two idle servers, versions before 3.4 take the later draw.
                let arcs = *draws <= 1 || (load == Load::Idle && version < Version::new(3, 4));
                match tables::ring(version, pool, &serving) {
                    _ if !arcs => by_weight,
                    Ok(ring) => by_weight.with(ring.shares(pool.endpoints.len()), Certainty::Expected),
                    Err(reason) => by_weight.bounded_by_weight(&reason),
                }
            }
            _ => by_weight,
        }
    }

    fn key_table(&self, version: Version, pool: &Pool) -> Result<Arc<dyn KeyTable>, Unplaced> {
        let Algorithm::Hash { key, table, function, .. } = &pool.algorithm.value else { return Err(NO_KEYS) };
        let serving = self.serving_tier(pool);
        // With one server nothing is hashed.
        if serving.len() <= 1 {
            return Ok(Arc::new(Single(serving.first().copied())));
        }
        let table = match table {
            HashTable::Ring => tables::ring(version, pool, &serving)?,
            HashTable::Map => tables::map(pool, &serving)?,
            _ => return Err("HAProxy has no such table".into()),
        };
        if let HashKey::Constant(_) = key {
            return Err("a constant hash key sends every request to one server".into());
        }
        Ok(Arc::new(tables::Hashed { key: key.clone(), function: *function, table }))
    }

    fn hashed_text(&self, _: &Config, _: PoolId, key: &HashKey) -> Option<String> {
        match key {
            HashKey::Expression(text) => hashed_text::of(text),
            _ => None,
        }
    }

    /// From 3.2 on HAProxy keeps one order for each thread group.
    fn sequence(&self, pool: &Pool, serving: &[usize], count: usize) -> Option<Vec<usize>> {
        match &pool.algorithm.value {
            Algorithm::RoundRobin => {
                let weighted: Vec<_> =
                    serving.iter().map(|&index| (index, pool.endpoints[index].weight.value)).collect();
                Some(turns::round_robin(&weighted, count))
            }
            Algorithm::StaticRoundRobin => match tables::map(pool, serving).ok()? {
                Table::Slots(slots) => {
                    Some(slots.iter().map(|&owner| owner as usize).cycle().take(count).collect())
                }
                Table::Ring(_) => None,
            },
            Algorithm::First => {
                let first = *by_id(pool, serving.to_vec()).first()?;
                Some(vec![first; count])
            }
            _ => None,
        }
    }

    fn groups(&self, version: Version, pool: &Pool) -> Option<Vec<Group>> {
        choosers::groups(version, pool, self.serving_tier(pool))
    }

    /// What is above limits waits.
    fn queues(&self) -> bool {
        true
    }

    /// A hash waits for its server.
    fn passes_over_full(&self, algorithm: &Algorithm) -> bool {
        !matches!(algorithm, Algorithm::Hash { .. })
    }

    /// Without `timeout check` a check has the time until the next one.
    fn check_timeout(&self, pool: &Pool, timing: CheckTiming, interval: Duration) -> Option<Duration> {
        Some(timing.timeout.map_or(interval, |timeout| {
            let connect = pool.timeouts.connect.map_or(interval, |connect| connect.value.min(interval));
            timeout.value.max(connect)
        }))
    }

    fn retried(&self, exposed: &Exposed<'_>, bounds: &Attempts) -> Retried {
        retries::retried(exposed, bounds)
    }

    /// A rule whose backend is switched off is passed over since 3.4; nobody asked 3.3.
    fn passes_over_disabled(&self, version: Version) -> Truth {
        match version {
            version if version >= Version::new(3, 4) => Truth::Yes,
            version if version >= Version::new(3, 3) => Truth::Unknown,
            _ => Truth::No,
        }
    }

    /// `ssl_fc` is about TLS that ends here.
    fn sees_tls_that_goes_through(&self) -> Option<bool> {
        Some(false)
    }

    fn taker_noun(&self) -> &'static str {
        "frontend"
    }
}
