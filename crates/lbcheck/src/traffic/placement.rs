//! Where keys and requests really go: the tables and sequences that the proxies build, built here.
//!
//! [`pool_shares`] answers what the weights *ask for*; rules judge by it, since a small HAProxy ring is uneven
//! by ±30 % without anybody having written anything wrong. [`placed_shares`], [`Placement`] and [`keys_moved`]
//! answer what the proxy *does*, arcs and rounding included.

use std::borrow::Cow;
use std::sync::Arc;

use super::key_table::{KeyTable, Single};
use super::proxies::proxy;
use super::serving::always_used;
use super::shares::{Certainty, Load, PoolShares};
use super::weight_shares::pool_shares;
use crate::dialect::{Dialect, Version};
use crate::model::{Algorithm, Config, Endpoint, HashKey, Membership, Pool, PoolId};

/// Where a key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Pick {
    /// To this one of [`Pool::endpoints`].
    Endpoint(usize),
    /// To nobody: no endpoint serves.
    Nobody,
    /// It cannot be told from the configuration, with the reason in a few words.
    Unknown(Cow<'static, str>),
}

/// The hash table of one pool, built once and asked for any number of keys.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Placement {
    table: Arc<dyn KeyTable>,
    endpoints: usize,
}

impl Placement {
    /// Builds the table of a pool that hashes.
    ///
    /// # Errors
    ///
    /// Why it cannot be known: the pool does not hash, its members or their places are only known at run time,
    /// or the function is one that lbcheck does not know.
    pub fn new(config: &Config, id: PoolId) -> Result<Self, Cow<'static, str>> {
        Self::of(config.dialect, config.version, config.pool(id))
    }

    /// The same for a pool that need not be part of a configuration, such as one with failed members.
    pub(super) fn of(dialect: Dialect, version: Version, pool: &Pool) -> Result<Self, Cow<'static, str>> {
        if let Membership::Unknown(reason) = &pool.membership {
            return Err(reason.clone().into());
        }
        let table = match (always_used(pool), &pool.algorithm.value) {
            (Some(index), _) => Arc::new(Single(Some(index))),
            (None, Algorithm::Subset(_)) => {
                return Err("which subset is used depends on route metadata".into());
            }
            (None, _) => proxy(dialect).key_table(version, pool)?,
        };
        Ok(Self { table, endpoints: pool.endpoints.len() })
    }

    /// Where `key` goes while nothing has failed and no bounded load is exceeded.
    ///
    /// The key is the text that the proxy hashes: for a client's address its usual spelling, even where its bytes are
    /// hashed, for a URI the part
    /// that the options of `balance uri` leave, for Envoy the one value that the route's hash policy yields.
    #[must_use]
    pub fn pick(&self, key: &[u8]) -> Pick {
        match self.table.bytes(key) {
            Ok(bytes) => self.pick_hashed(&bytes),
            Err(reason) => Pick::Unknown(reason),
        }
    }

    /// Where what is hashed is `key`, byte by byte.
    fn pick_hashed(&self, key: &[u8]) -> Pick {
        match self.table.pick(key) {
            Ok(Some(index)) => Pick::Endpoint(index),
            Ok(None) => Pick::Nobody,
            Err(reason) => Pick::Unknown(reason),
        }
    }

    /// How many entries the table has that serves while nothing has failed, where its size is the proxy's choice
    /// (Envoy).
    #[must_use]
    pub fn entries(&self) -> Option<usize> {
        self.table.entries()
    }

    /// The part of all hashes that leads to each endpoint: its arcs of the ring, its slots of the table.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        self.table.shares(self.endpoints)
    }

    /// The part of evenly spread hashes that move, where both tables can be laid over each other.
    fn moved(&self, after: &Self, same: impl Fn(usize, usize) -> bool) -> Option<f64> {
        let (old_function, old) = self.table.evenly_hashed()?;
        let (new_function, new) = after.table.evenly_hashed()?;
        if old_function == new_function { old.moved(new, same) } else { None }
    }
}

/// Where `key` goes in a pool that hashes. For many keys, build a [`Placement`] once.
#[must_use]
pub fn pick(config: &Config, id: PoolId, key: &[u8]) -> Pick {
    match Placement::new(config, id) {
        Ok(placement) => placement.pick(key),
        Err(reason) => Pick::Unknown(reason),
    }
}

/// The shares that the proxy really gives, with the arcs of its rings, the slots of its tables, its priorities
/// and its way of choosing at `load`.
///
/// Where there is nothing more to know than the weights this is [`pool_shares`].
#[must_use]
pub fn placed_shares(config: &Config, id: PoolId, load: Load) -> PoolShares {
    placed(config.dialect, config.version, config.pool(id), load)
}

/// [`placed_shares`] of a pool that need not be part of a configuration.
pub(super) fn placed(dialect: Dialect, version: Version, pool: &Pool, load: Load) -> PoolShares {
    let mut plain = pool_shares(dialect, pool);
    if !plain.is_known() || always_used(pool).is_some() {
        return plain;
    }
    if let Algorithm::Hash { key, .. } = &pool.algorithm.value {
        if let HashKey::Constant(_) = key {
            return plain;
        }
        return match Placement::of(dialect, version, pool) {
            Ok(placement) => {
                plain = plain.with(placement.shares(), Certainty::Expected);
                if let Some((certainty, unlike)) = placement.table.needs_of_keys() {
                    plain.certainty = plain.certainty.max(certainty);
                    plain.assumptions.push(unlike.into());
                }
                plain
            }
            Err(reason) => plain.bounded_by_weight(&reason),
        };
    }
    proxy(dialect).at_load(version, pool, load, plain)
}

/// The first `count` picks from a fresh start, one request at a time, for algorithms that follow a fixed order.
///
/// `None`: the order is random, or hangs on keys, load or addresses. It holds for one nginx worker process; HAProxy
/// from 3.2 on keeps one order for each thread group. Envoy starts at random.
#[must_use]
pub fn sequence(config: &Config, id: PoolId, count: usize) -> Option<Vec<usize>> {
    let pool = config.pool(id);
    if pool.membership != Membership::Static || always_used(pool).is_some() {
        return None;
    }
    let proxy = proxy(config.dialect);
    let serving = proxy.serving_tier(pool);
    let runtime = |&index: &usize| pool.endpoints[index].expands || pool.endpoints[index].slots > 1;
    if serving.is_empty() || serving.iter().any(runtime) {
        return None;
    }
    if let [only] = serving.as_slice() {
        return Some(vec![*only; count]);
    }
    proxy.sequence(pool, &serving, count)
}

/// Keys tried by [`keys_moved`] where tables cannot be compared: enough for half a percent.
const SAMPLE: u32 = 20_000;

/// The part of all keys that another endpoint serves after a change, from the tables of both sides.
///
/// `same` says whether an endpoint of the old pool and one of the new are the same server. Arcs and slots of both
/// tables are set against each other where the hash spreads keys evenly; otherwise a fixed sample of 20 000 keys
/// (client addresses, where addresses are hashed) is placed on both sides. Where the key itself changes
/// nothing connects the two sides, and keys stay only by chance. `None` where a side is not known.
#[must_use]
pub fn keys_moved(
    old: (&Config, PoolId),
    new: (&Config, PoolId),
    same: impl Fn(&Endpoint, &Endpoint) -> bool,
) -> Option<f64> {
    let (old_pool, new_pool) = (old.0.pool(old.1), new.0.pool(new.1));
    let before = Placement::new(old.0, old.1).ok()?;
    let after = Placement::new(new.0, new.1).ok()?;
    let (old_key, new_key) = (hash_key(old_pool)?, hash_key(new_pool)?);
    // For each old endpoint the new one that is the same server.
    let counterpart: Vec<Option<usize>> = old_pool
        .endpoints
        .iter()
        .map(|endpoint| new_pool.endpoints.iter().position(|candidate| same(endpoint, candidate)))
        .collect();
    if old_key != new_key {
        let (old_shares, new_shares) = (before.shares(), after.shares());
        let stays = counterpart.iter().zip(&old_shares).filter_map(|(counterpart, share)| {
            let other = new_shares.get((*counterpart)?)?;
            Some(share * other)
        });
        return Some(1.0 - stays.sum::<f64>());
    }
    let counted = before.moved(&after, |old, new| counterpart.get(old).copied().flatten() == Some(new));
    if counted.is_some() {
        return counted;
    }
    let mut moved = 0_u32;
    for number in 0..SAMPLE {
        let key = sample_key(old_key, number);
        let same_server = match (before.pick_hashed(key.as_bytes()), after.pick_hashed(key.as_bytes())) {
            (Pick::Endpoint(old), Pick::Endpoint(new)) => counterpart[old] == Some(new),
            (Pick::Nobody, Pick::Nobody) => true,
            (Pick::Unknown(_), _) | (_, Pick::Unknown(_)) => return None,
            _ => false,
        };
        moved += u32::from(!same_server);
    }
    Some(f64::from(moved) / f64::from(SAMPLE))
}

fn hash_key(pool: &Pool) -> Option<&HashKey> {
    match &pool.algorithm.value {
        Algorithm::Hash { key, .. } => Some(key),
        _ => None,
    }
}

/// Keys spread as well as any: consecutive user names, or addresses all over the IPv4 space.
fn sample_key(key: &HashKey, number: u32) -> String {
    if *key == HashKey::Source {
        std::net::Ipv4Addr::from(number.wrapping_mul(2_654_435_769)).to_string()
    } else {
        format!("user-{number}")
    }
}
