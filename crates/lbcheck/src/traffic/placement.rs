//! Where keys and requests really go: the tables and sequences that the proxies build, built here.
//!
//! [`pool_shares`] answers what the weights *ask for*; rules judge by it, since a small HAProxy ring is uneven
//! by ±30 % without anybody having written anything wrong. [`placed_shares`], [`Placement`] and [`keys_moved`]
//! answer what the proxy *does*, arcs and rounding included.

use std::borrow::Cow;
use std::net::IpAddr;

use super::shares::{Certainty, PoolShares, always_used, pool_shares, serving_tier};
use super::table::Table;
use super::{envoy, haproxy, hash, nginx};
use crate::dialect::{Dialect, Version};
use crate::model::{Algorithm, Config, Endpoint, HashFunction, HashKey, HashTable, Membership, Pool, PoolId};

/// How busy a pool is. Some algorithms share by weight only when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Load {
    /// One request at a time.
    Idle,
    /// This many requests of equal cost at any time.
    Concurrent(u32),
}

impl Load {
    /// So many requests that shares no longer change.
    pub const BUSY: Self = Self::Concurrent(1_000_000);
}

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
pub struct Placement {
    kind: Kind,
    endpoints: usize,
    reads: Reads,
}

/// What is hashed of a key that is given as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    /// The text.
    Text,
    /// The 4 or 16 bytes of the address that the text spells (nginx `$binary_remote_addr`).
    AddressBytes,
    /// Such bytes beside other things, which one text cannot give.
    Several,
}

impl Reads {
    fn of(dialect: Dialect, key: &HashKey) -> Self {
        match (dialect, key) {
            (Dialect::Nginx, HashKey::Expression(text)) => match text.as_str() {
                "$binary_remote_addr" | "${binary_remote_addr}" => Self::AddressBytes,
                text if text.contains("binary_remote_addr") => Self::Several,
                _ => Self::Text,
            },
            _ => Self::Text,
        }
    }

    fn bytes(self, key: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
        match self {
            Self::Text => Ok(Cow::Borrowed(key)),
            Self::Several => Err("the bytes of the client's address are only a part of the key"),
            Self::AddressBytes => {
                let address = std::str::from_utf8(key).ok().and_then(|text| text.parse().ok());
                Ok(Cow::Owned(match address.ok_or("the key is not an address")? {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                }))
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Kind {
    /// One endpoint takes every key, or none does.
    Single(Option<usize>),
    HaProxy {
        key: HashKey,
        function: HashFunction,
        table: Table,
    },
    NginxHash(nginx::Weighted),
    NginxAddress(nginx::Weighted),
    NginxRing(nginx::Ketama),
    /// One table for each priority, with the sum of loads up to it in percent.
    Envoy(Vec<(u32, Table)>),
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
        let endpoints = pool.endpoints.len();
        if let Some(index) = always_used(pool) {
            return Ok(Self { kind: Kind::Single(Some(index)), endpoints, reads: Reads::Text });
        }
        let algorithm = match &pool.algorithm.value {
            Algorithm::Subset(_) => return Err("which subset is used depends on route metadata".into()),
            other => other,
        };
        let Algorithm::Hash { key, table, function, .. } = algorithm else {
            return Err("the algorithm does not go by keys".into());
        };
        let kind = match dialect {
            Dialect::HaProxy => Kind::of_haproxy(version, pool, key, *table, *function)?,
            Dialect::Nginx => Kind::of_nginx(pool, key, *table)?,
            Dialect::Envoy => Kind::of_envoy(pool, *table, *function)?,
        };
        let reads = match kind {
            Kind::Single(_) => Reads::Text,
            _ => Reads::of(dialect, key),
        };
        Ok(Self { kind, endpoints, reads })
    }

    /// Where `key` goes while nothing has failed and no bounded load is exceeded.
    ///
    /// The key is the text that the proxy hashes: for a client's address its usual spelling, even where its bytes are
    /// hashed, for a URI the part
    /// that the options of `balance uri` leave, for Envoy the one value that the route's hash policy yields.
    #[must_use]
    pub fn pick(&self, key: &[u8]) -> Pick {
        match self.reads.bytes(key) {
            Ok(bytes) => self.pick_hashed(&bytes),
            Err(reason) => Pick::Unknown(reason.into()),
        }
    }

    /// Where what is hashed is `key`, byte by byte.
    fn pick_hashed(&self, key: &[u8]) -> Pick {
        let picked = match &self.kind {
            Kind::Single(only) => Ok(*only),
            Kind::HaProxy { key: method, function, table } => {
                haproxy::hash_of(method, *function, key).map(|hash| table.owner(hash))
            }
            Kind::NginxHash(members) => members.hash(key).map(Some),
            Kind::NginxAddress(members) => members.ip_hash(key).map(Some),
            Kind::NginxRing(ring) => ring.pick(key).map(Some),
            Kind::Envoy(levels) => {
                // The same number picks the priority, so that spilling over is sticky too.
                let hash = hash::xxh64(key, 0);
                let draw = (hash % 100) as u32 + 1;
                let level = levels.iter().find(|(load, _)| draw <= *load);
                Ok(level.and_then(|(_, table)| table.owner(hash)))
            }
        };
        match picked {
            Ok(Some(index)) => Pick::Endpoint(index),
            Ok(None) => Pick::Nobody,
            Err(reason) => Pick::Unknown(reason),
        }
    }

    /// How many entries the table has that serves while nothing has failed, where its size is the proxy's choice
    /// (Envoy).
    #[must_use]
    pub fn entries(&self) -> Option<usize> {
        match &self.kind {
            Kind::Envoy(levels) => levels.iter().find(|(load, _)| *load > 0).map(|(_, table)| table.len()),
            _ => None,
        }
    }

    /// The part of all hashes that leads to each endpoint: its arcs of the ring, its slots of the table.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        match &self.kind {
            Kind::Single(only) => {
                (0..self.endpoints).map(|index| if Some(index) == *only { 1.0 } else { 0.0 }).collect()
            }
            Kind::HaProxy { table, .. } => table.shares(self.endpoints),
            Kind::NginxHash(members) => members.shares(0x8000, self.endpoints),
            Kind::NginxAddress(members) => members.shares(6271, self.endpoints),
            Kind::NginxRing(ring) => ring.shares(),
            Kind::Envoy(levels) => {
                let mut shares = vec![0.0; self.endpoints];
                let mut before = 0;
                for (load, table) in levels {
                    let part = f64::from(load - before) / 100.0;
                    before = *load;
                    for (share, inner) in shares.iter_mut().zip(table.shares(self.endpoints)) {
                        *share += part * inner;
                    }
                }
                shares
            }
        }
    }
}

impl Placement {
    /// What has to hold of keys beside that they are many, where the hash does not see to it.
    fn needs_of_keys(&self) -> Option<(Certainty, &'static str)> {
        match &self.kind {
            Kind::HaProxy { key, function, table: Table::Ring(_) } if !spreads(key, *function) => {
                // 2000 URIs that were alike went 182, 0 and 1818 to three equal servers under `djb2`.
                let unlike =
                    "keys are so unlike each other that the hash spreads them, as it does not avalanche";
                Some((Certainty::Range, unlike))
            }
            Kind::NginxAddress(_) => {
                let all_over = "clients come from networks all over; those of one /24 count as one";
                Some((Certainty::Expected, all_over))
            }
            _ => None,
        }
    }

    /// The part of evenly spread hashes that move, where both tables can be laid over each other.
    fn moved(&self, after: &Self, same: impl Fn(usize, usize) -> bool) -> Option<f64> {
        match (&self.kind, &after.kind) {
            (
                Kind::HaProxy { function: old_function, table: old, key },
                Kind::HaProxy { function: new_function, table: new, .. },
            ) if old_function == new_function && spreads(key, *old_function) => old.moved(new, same),
            (Kind::NginxRing(old), Kind::NginxRing(new)) => old.moved(new, same),
            (Kind::Envoy(old), Kind::Envoy(new)) => match (old.as_slice(), new.as_slice()) {
                // With several priorities the hash picks the priority too.
                ([(100, old)], [(100, new)]) => old.moved(new, same),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether a hash function of HAProxy spreads keys that are alike; `sdbm`, `djb2` and `wt6` alone do not, and `none`
/// leaves numbers as they are.
fn spreads(key: &HashKey, function: HashFunction) -> bool {
    match function {
        HashFunction::Sdbm { avalanche }
        | HashFunction::Djb2 { avalanche }
        | HashFunction::Wt6 { avalanche } => avalanche,
        HashFunction::Identity { .. } => *key == HashKey::Source,
        _ => true,
    }
}

impl Kind {
    fn of_haproxy(
        version: Version,
        pool: &Pool,
        key: &HashKey,
        table: HashTable,
        function: HashFunction,
    ) -> Result<Self, Cow<'static, str>> {
        let serving = serving_tier(Dialect::HaProxy, pool);
        // With one server nothing is hashed.
        if serving.len() <= 1 {
            return Ok(Self::Single(serving.first().copied()));
        }
        let table = match table {
            HashTable::Ring => haproxy::ring(version, pool, &serving)?,
            HashTable::Map => haproxy::map(pool, &serving)?,
            _ => return Err("HAProxy has no such table".into()),
        };
        if let HashKey::Constant(_) = key {
            return Err("a constant hash key sends every request to one server".into());
        }
        Ok(Self::HaProxy { key: key.clone(), function, table })
    }

    fn of_nginx(pool: &Pool, key: &HashKey, table: HashTable) -> Result<Self, Cow<'static, str>> {
        if let [only] = pool.endpoints.as_slice()
            && !only.expands
        {
            return Ok(Self::Single(only.in_rotation().then_some(0)));
        }
        let constant = match key {
            HashKey::Constant(text) => Some(text.as_bytes()),
            _ => None,
        };
        let single = |picked: Result<usize, _>| picked.map(|index| Self::Single(Some(index)));
        match (table, constant) {
            (HashTable::Map, None) => nginx::Weighted::new(pool).map(Self::NginxHash),
            (HashTable::Map, Some(key)) => single(nginx::Weighted::new(pool)?.hash(key)),
            (HashTable::IpHash, _) => nginx::Weighted::new(pool).map(Self::NginxAddress),
            (HashTable::Ketama, None) => nginx::Ketama::new(pool).map(Self::NginxRing),
            (HashTable::Ketama, Some(key)) => single(nginx::Ketama::new(pool)?.pick(key)),
            (HashTable::Ring | HashTable::EnvoyRing { .. } | HashTable::Maglev { .. }, _) => {
                Err("nginx has no such table".into())
            }
        }
    }

    fn of_envoy(pool: &Pool, kind: HashTable, function: HashFunction) -> Result<Self, Cow<'static, str>> {
        let mut sum = 0;
        let mut tables = Vec::new();
        for level in envoy::levels(pool).iter().filter(|level| level.load > 0) {
            sum += level.load;
            tables.push((sum, envoy::table(pool, level, kind, function)?));
        }
        Ok(Self::Envoy(tables))
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
                plain.certainty = plain.certainty.max(Certainty::Expected);
                plain.shares = placement.shares();
                if let Some((certainty, unlike)) = placement.needs_of_keys() {
                    plain.certainty = plain.certainty.max(certainty);
                    plain.assumptions.push(unlike.into());
                }
                plain
            }
            Err(reason) => by_weight(plain, &reason),
        };
    }
    match dialect {
        Dialect::HaProxy => of_haproxy(version, pool, load, plain),
        Dialect::Nginx => of_nginx(pool, load, plain),
        Dialect::Envoy => of_envoy(pool, load, plain),
    }
}

fn with(mut plain: PoolShares, shares: Vec<f64>, certainty: Certainty) -> PoolShares {
    plain.shares = shares;
    plain.certainty = plain.certainty.max(certainty);
    plain
}

/// What the weights ask for, where the table that decides is not known.
fn by_weight(mut plain: PoolShares, reason: &str) -> PoolShares {
    plain.certainty = Certainty::Range;
    plain.assumptions.push(format!("shares by weight, since {reason}").into());
    plain
}

/// Figures for `serving`, put in the place of each among all endpoints.
fn among_all(pool: &Pool, serving: &[usize], figures: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut shares = vec![0.0; pool.endpoints.len()];
    for (&index, figure) in serving.iter().zip(figures) {
        shares[index] = figure;
    }
    shares
}

fn of_haproxy(version: Version, pool: &Pool, load: Load, plain: PoolShares) -> PoolShares {
    let serving = serving_tier(Dialect::HaProxy, pool);
    if serving.len() <= 1 || pool.endpoints.iter().any(|endpoint| endpoint.slots > 1) {
        return plain;
    }
    let weights: Vec<u32> = serving.iter().map(|&index| pool.endpoints[index].weight.value).collect();
    match (&pool.algorithm.value, load) {
        (Algorithm::LeastConnections { .. }, load) => {
            let concurrency = match load {
                Load::Idle => 1,
                // So many go by weight alone.
                Load::Concurrent(MOST_CONCURRENT..) => return plain,
                Load::Concurrent(concurrency) => concurrency.max(1),
            };
            // While there is an idle server it wins, whatever the weights.
            if concurrency as usize <= serving.len() {
                let each = 1.0 / serving.len() as f64;
                let shares = among_all(pool, &serving, serving.iter().map(|_| each));
                return with(plain, shares, Certainty::Expected);
            }
            let in_flight = haproxy::least_connections(&weights, concurrency);
            let figures = in_flight.into_iter().map(|count| f64::from(count) / f64::from(concurrency));
            with(plain, among_all(pool, &serving, figures), Certainty::Expected)
        }
        (Algorithm::Random { draws, .. }, load) => {
            // A single draw is a point of the ring; of two idle servers, versions before 3.4 take the later draw.
            let arcs = *draws <= 1 || (load == Load::Idle && version < Version::new(3, 4));
            match haproxy::ring(version, pool, &serving) {
                _ if !arcs => plain,
                Ok(ring) => with(plain, ring.shares(pool.endpoints.len()), Certainty::Expected),
                Err(reason) => by_weight(plain, &reason),
            }
        }
        _ => plain,
    }
}

/// Beyond this many requests at once shares no longer change.
const MOST_CONCURRENT: u32 = 100_000;

fn of_nginx(pool: &Pool, load: Load, plain: PoolShares) -> PoolShares {
    let serving = serving_tier(Dialect::Nginx, pool);
    if serving.len() <= 1 || serving.iter().any(|&index| pool.endpoints[index].expands) {
        return plain;
    }
    match (&pool.algorithm.value, load) {
        (Algorithm::Random { draws: 2, .. }, Load::Idle) => {
            let weights: Vec<f64> =
                serving.iter().map(|&index| f64::from(pool.endpoints[index].weight.value)).collect();
            let shares = among_all(pool, &serving, nginx::random_two_idle(&weights));
            with(plain, shares, Certainty::Expected)
        }
        _ => plain,
    }
}

fn of_envoy(pool: &Pool, load: Load, mut plain: PoolShares) -> PoolShares {
    // Weights alone do not say what degraded hosts get; levels do.
    if plain.certainty == Certainty::Range
        && pool.endpoints.iter().any(|endpoint| endpoint.degraded.is_some())
    {
        plain.certainty = Certainty::Expected;
    }
    let algorithm = &pool.algorithm.value;
    let weight = |index: &usize| f64::from(pool.endpoints[*index].weight.value);
    let weights = |hosts: &[usize]| -> Vec<f64> { hosts.iter().map(weight).collect() };
    let levels = envoy::levels(pool);
    let several = levels.iter().filter(|level| level.load > 0).count() > 1;
    // The priority is drawn at random even where the host is not.
    let certainty = if several { Certainty::Expected } else { Certainty::Exact };
    match algorithm {
        Algorithm::RoundRobin => with(plain, envoy::shares(pool, &levels, weights), certainty),
        Algorithm::Random { .. } => {
            let shares = match several && pool.locality_weighted.is_none() {
                true => envoy::random_spill(pool.endpoints.len(), &levels),
                false => envoy::shares(pool, &levels, |hosts| vec![1.0; hosts.len()]),
            };
            with(plain, shares, Certainty::Expected)
        }
        Algorithm::LeastConnections { bias_milli, .. } => {
            let bias = f64::from(*bias_milli) / 1000.0;
            let busy = |hosts: &[usize]| {
                let weights = weights(hosts);
                let equal = weights.windows(2).all(|pair| pair[0] == pair[1]);
                match load {
                    Load::Concurrent(concurrency) if !equal => {
                        envoy::least_request(&weights, bias, f64::from(concurrency))
                    }
                    _ => weights,
                }
            };
            with(plain, envoy::shares(pool, &levels, busy), Certainty::Expected)
        }
        _ => plain,
    }
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
    let serving = serving_tier(config.dialect, pool);
    let runtime = |&index: &usize| pool.endpoints[index].expands || pool.endpoints[index].slots > 1;
    if serving.is_empty() || serving.iter().any(runtime) {
        return None;
    }
    if let [only] = serving.as_slice() {
        return Some(vec![*only; count]);
    }
    let weighted =
        || -> Vec<_> { serving.iter().map(|&index| (index, pool.endpoints[index].weight.value)).collect() };
    match (config.dialect, &pool.algorithm.value) {
        (Dialect::HaProxy, Algorithm::RoundRobin) => Some(haproxy::round_robin(&weighted(), count)),
        (Dialect::HaProxy, Algorithm::StaticRoundRobin) => match haproxy::map(pool, &serving).ok()? {
            Table::Slots(slots) => {
                Some(slots.iter().map(|&owner| owner as usize).cycle().take(count).collect())
            }
            Table::Ring(_) => None,
        },
        (Dialect::HaProxy, Algorithm::First) => {
            let shares = pool_shares(config.dialect, pool).shares;
            let first = shares.iter().position(|&share| share > 0.0)?;
            Some(vec![first; count])
        }
        // Idle servers tie, and nginx breaks ties by round robin.
        (Dialect::Nginx, Algorithm::RoundRobin | Algorithm::LeastConnections { .. }) => {
            Some(nginx::smooth(&weighted(), count))
        }
        _ => None,
    }
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
