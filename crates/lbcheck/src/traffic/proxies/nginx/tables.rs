//! nginx's tables. Servers that are `down` keep their place in them.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::hash::{self, Crc32};
use crate::model::{AdminState, Algorithm, HashFunction, HashKey, HashTable, Host, Pool};
use crate::traffic::key_table::{KeyTable, MOST_ENTRIES, NO_KEYS, Ring, Single, Table, Unplaced};
use crate::traffic::shares::Certainty;

/// After this many servers that cannot be used, hashing gives way to round robin.
const TRIES: u32 = 20;

/// What is hashed of a key that is given as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    /// The text.
    Text,
    /// The 4 or 16 bytes of the address that the text spells (`$binary_remote_addr`).
    AddressBytes,
    /// Such bytes beside other things, which one text cannot give.
    Several,
}

impl Reads {
    fn of(key: &HashKey) -> Self {
        let HashKey::Expression(text) = key else { return Self::Text };
        match text.as_str() {
            "$binary_remote_addr" | "${binary_remote_addr}" => Self::AddressBytes,
            text if text.contains("binary_remote_addr") => Self::Several,
            _ => Self::Text,
        }
    }
}

#[derive(Debug)]
enum Places {
    Hash(Weighted),
    Address(Weighted),
    Ring(Ketama),
}

/// The servers of one upstream, with the way in which keys find them.
#[derive(Debug)]
struct Keys {
    reads: Reads,
    places: Places,
}

impl KeyTable for Keys {
    fn bytes<'k>(&self, text: &'k [u8]) -> Result<Cow<'k, [u8]>, Unplaced> {
        match self.reads {
            Reads::Text => Ok(Cow::Borrowed(text)),
            Reads::Several => Err("the bytes of the client's address are only a part of the key".into()),
            Reads::AddressBytes => {
                let address = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                Ok(Cow::Owned(match address.ok_or("the key is not an address")? {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                }))
            }
        }
    }

    fn pick(&self, key: &[u8]) -> Result<Option<usize>, Unplaced> {
        match &self.places {
            Places::Hash(members) => members.hash(key),
            Places::Address(members) => members.ip_hash(key),
            Places::Ring(ring) => ring.pick(key),
        }
        .map(Some)
    }

    fn shares(&self, endpoints: usize) -> Vec<f64> {
        match &self.places {
            Places::Hash(members) => members.shares(0x8000, endpoints),
            Places::Address(members) => members.shares(6271, endpoints),
            Places::Ring(ring) => ring.shares(),
        }
    }

    fn needs_of_keys(&self) -> Option<(Certainty, &'static str)> {
        let all_over = "clients come from networks all over; those of one /24 count as one";
        matches!(self.places, Places::Address(_)).then_some((Certainty::Expected, all_over))
    }

    /// Not where round robin has a part in it.
    fn evenly_hashed(&self) -> Option<(HashFunction, &Table)> {
        match &self.places {
            Places::Ring(ring) if ring.by_turns <= 0.0 => Some((HashFunction::Nginx, &ring.table)),
            _ => None,
        }
    }
}

/// The table of an upstream.
pub(super) fn key_table(pool: &Pool) -> Result<Arc<dyn KeyTable>, Unplaced> {
    let Algorithm::Hash { key, table, .. } = &pool.algorithm.value else { return Err(NO_KEYS) };
    if let [only] = pool.endpoints.as_slice()
        && !only.expands
    {
        return Ok(Arc::new(Single(only.in_rotation().then_some(0))));
    }
    if let HashKey::Constant(text) = key
        && *table != HashTable::IpHash
    {
        return Ok(Arc::new(Single(Some(of_constant(pool, text, *table)?))));
    }
    let places = match table {
        HashTable::Map => Places::Hash(Weighted::new(pool)?),
        HashTable::IpHash => Places::Address(Weighted::new(pool)?),
        HashTable::Ketama => Places::Ring(Ketama::new(pool)?),
        _ => return Err(NO_SUCH_TABLE.into()),
    };
    Ok(Arc::new(Keys { reads: Reads::of(key), places }))
}

const NO_SUCH_TABLE: &str = "nginx has no such table";

/// The server that a constant key leads to.
fn of_constant(pool: &Pool, text: &str, table: HashTable) -> Result<usize, Unplaced> {
    match table {
        HashTable::Map => Weighted::new(pool)?.hash(text.as_bytes()),
        HashTable::Ketama => Ketama::new(pool)?.pick(text.as_bytes()),
        _ => Err(NO_SUCH_TABLE.into()),
    }
}

/// The servers that are not backups, with their weights summed up.
#[derive(Clone, Debug)]
pub(super) struct Weighted {
    /// Sum of weights up to and including the member, its endpoint, whether it takes traffic.
    members: Vec<(u64, usize, bool)>,
    total: u64,
}

fn usable(pool: &Pool, index: usize) -> bool {
    pool.endpoints[index].state.value == AdminState::Enabled
}

fn check_members(pool: &Pool) -> Result<(), Unplaced> {
    let primaries = || pool.endpoints.iter().filter(|endpoint| endpoint.tier.value == 0);
    if primaries().any(|endpoint| matches!(endpoint.address.host, Host::Unknown(_))) {
        return Err("an address is only known at run time".into());
    }
    Ok(())
}

/// The usable primary, if there is exactly one; why hashing cannot decide, if there is none.
fn only(pool: &Pool) -> Result<Option<usize>, Unplaced> {
    let mut usable =
        (0..pool.endpoints.len()).filter(|&at| pool.endpoints[at].tier.value == 0 && usable(pool, at));
    match (usable.next(), usable.next()) {
        (None, _) => Err("backups share by round robin, whatever the key".into()),
        (Some(only), None) => Ok(Some(only)),
        (Some(_), Some(_)) => Ok(None),
    }
}

impl Weighted {
    pub(super) fn new(pool: &Pool) -> Result<Self, Unplaced> {
        check_members(pool)?;
        only(pool)?;
        if pool.endpoints.iter().any(|endpoint| endpoint.expands) {
            return Err("the number of addresses of a host name is only known at run time".into());
        }
        let mut total = 0;
        let mut members = Vec::new();
        for (index, endpoint) in pool.endpoints.iter().enumerate() {
            if endpoint.tier.value == 0 {
                total += u64::from(endpoint.weight.value);
                members.push((total, index, usable(pool, index)));
            }
        }
        if total == 0 { Err("the upstream has no weight".into()) } else { Ok(Self { members, total }) }
    }

    fn at(&self, hash: u64) -> Option<(usize, bool)> {
        let rest = hash % self.total;
        let at = self.members.partition_point(|&(sum, ..)| sum <= rest);
        self.members.get(at).map(|&(_, index, usable)| (index, usable))
    }

    /// Walks over `hashes`, each of which is a retry of the one before.
    fn walk(&self, mut hashes: impl FnMut(u32) -> u64) -> Result<usize, Unplaced> {
        if let [(_, index, _)] = self.members.as_slice() {
            return Ok(*index);
        }
        for attempt in 0..=TRIES {
            match self.at(hashes(attempt)) {
                Some((index, true)) => return Ok(index),
                Some((_, false)) => {}
                None => break,
            }
        }
        match self.members.iter().filter(|(_, _, usable)| *usable).collect::<Vec<_>>().as_slice() {
            [(_, index, _)] => Ok(*index),
            _ => Err("after 20 servers that are down, round robin decides".into()),
        }
    }

    /// `hash KEY`.
    pub(super) fn hash(&self, key: &[u8]) -> Result<usize, Unplaced> {
        if key.is_empty() {
            return Err("with an empty key, round robin decides".into());
        }
        let mut sum = 0_u64;
        self.walk(|attempt| {
            let crc = match attempt {
                0 => Crc32::new(),
                again => Crc32::new().update(again.to_string().as_bytes()),
            };
            sum += u64::from((crc.update(key).finish() >> 16) & 0x7fff);
            sum
        })
    }

    /// `ip_hash`, for the address written in `key`.
    pub(super) fn ip_hash(&self, key: &[u8]) -> Result<usize, Unplaced> {
        let address = std::str::from_utf8(key).ok().and_then(|text| text.parse::<IpAddr>().ok());
        let octets = match address.ok_or("the key is not an address")? {
            // The last octet does not count.
            IpAddr::V4(address) => address.octets()[..3].to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let mut hash = 89;
        self.walk(|_| {
            hash = hash::ip_hash(hash, &octets);
            u64::from(hash)
        })
    }

    /// Shares for a hash that is uniform below `range`; what servers that are down would get is spread over the rest.
    pub(super) fn shares(&self, range: u64, endpoints: usize) -> Vec<f64> {
        let mut shares = vec![0.0; endpoints];
        for hash in 0..range {
            if let Some((index, true)) = self.at(hash) {
                shares[index] += 1.0;
            }
        }
        normalise(&mut shares);
        shares
    }
}

fn normalise(shares: &mut [f64]) {
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 {
        shares.iter_mut().for_each(|share| *share /= sum);
    }
}

/// `hash KEY consistent`: the points, each with the server that answers for it.
#[derive(Clone, Debug)]
pub(super) struct Ketama {
    table: Table,
    /// The part of the circle whose keys round robin takes.
    by_turns: f64,
    weights: Vec<f64>,
}

/// Who answers where round robin does.
const NOBODY: u32 = u32::MAX;

impl Ketama {
    pub(super) fn new(pool: &Pool) -> Result<Self, Unplaced> {
        check_members(pool)?;
        let single = only(pool)?;
        let primaries: Vec<usize> =
            (0..pool.endpoints.len()).filter(|&at| pool.endpoints[at].tier.value == 0).collect();
        let count = |index: usize| 160 * u64::from(pool.endpoints[index].weight.value);
        if primaries.iter().map(|&index| count(index)).sum::<u64>() > MOST_ENTRIES {
            return Err("the ring is too large to build".into());
        }
        let mut texts: Vec<&str> =
            primaries.iter().map(|&index| pool.endpoints[index].name.value.as_str()).collect();
        texts.sort_unstable();
        if texts.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("two lines name the same server, and share its points by round robin".into());
        }
        let mut points = Vec::new();
        for &index in &primaries {
            let (host, port) = host_and_port(&pool.endpoints[index].name.value);
            let base = Crc32::new().update(host.as_bytes()).update(&[0]).update(port.as_bytes());
            let mut previous = 0_u32;
            for _ in 0..count(index) {
                previous = base.update(&previous.to_le_bytes()).finish();
                points.push((u64::from(previous), index as u32));
            }
        }
        let ring = Ring::new(points, u64::from(u32::MAX), false);
        let owners = match single {
            Some(index) => vec![index as u32; ring.points().len()],
            None => owners(&ring, |index| usable(pool, index)),
        };
        let left = owners.iter().zip(ring.arcs()).filter(|(owner, _)| **owner == NOBODY);
        let by_turns = left.map(|(_, arc)| arc).sum();
        let weight = |index: usize| {
            let endpoint = &pool.endpoints[index];
            if endpoint.tier.value == 0 && usable(pool, index) {
                f64::from(endpoint.weight.value)
            } else {
                0.0
            }
        };
        let mut weights: Vec<f64> = (0..pool.endpoints.len()).map(weight).collect();
        normalise(&mut weights);
        Ok(Self { table: Table::Ring(ring.owned_by(owners)), by_turns, weights })
    }

    pub(super) fn pick(&self, key: &[u8]) -> Result<usize, Unplaced> {
        if key.is_empty() {
            return Err("with an empty key, round robin decides".into());
        }
        match self.table.owner(u64::from(hash::crc32(key))) {
            Some(owner) if owner < self.weights.len() => Ok(owner),
            _ => Err("after 20 points of servers that are down, round robin decides".into()),
        }
    }

    fn shares(&self) -> Vec<f64> {
        let mut shares = self.table.shares(self.weights.len());
        for (share, weight) in shares.iter_mut().zip(&self.weights) {
            *share += self.by_turns * weight;
        }
        shares
    }
}

/// Who answers for each point: its server, or that of the next point whose server is up, 20 steps ahead at most.
fn owners(ring: &Ring, usable: impl Fn(usize) -> bool) -> Vec<u32> {
    let points = ring.points();
    let mut owners = vec![NOBODY; points.len()];
    let mut next: Option<(u32, u32)> = None;
    // Twice around, so that the last points know of the first.
    for at in (0..points.len()).rev().chain((0..points.len()).rev()) {
        let owner = points[at].1;
        next = match next {
            _ if usable(owner as usize) => Some((owner, 0)),
            Some((ahead, steps)) if steps < TRIES => Some((ahead, steps + 1)),
            _ => None,
        };
        owners[at] = next.map_or(NOBODY, |(owner, _)| owner);
    }
    owners
}

/// The two parts of a `server` argument that nginx hashes.
fn host_and_port(text: &str) -> (&str, &str) {
    if let Some(path) = text.get(..5).filter(|start| start.eq_ignore_ascii_case("unix:")).and(text.get(5..)) {
        return (path, "");
    }
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ketama_hashes_host_and_port_apart() {
        let first = |text: &str| {
            let (host, port) = host_and_port(text);
            Crc32::new().update(host.as_bytes()).update(&[0]).update(port.as_bytes())
        };
        let base = first("127.0.0.1:80");
        let point = base.update(&[0; 4]).finish();
        assert_eq!(point, 2986672431);
        assert_eq!(base.update(&point.to_le_bytes()).finish(), 328135317);
        assert_eq!(host_and_port("unix:/run/a.sock"), ("/run/a.sock", ""));
        assert_eq!(host_and_port("app1"), ("app1", ""));
    }
}
