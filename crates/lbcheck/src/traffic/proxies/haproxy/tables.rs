//! HAProxy's tables: maps, rings and the hash of a key.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::net::IpAddr;

use crate::arithmetic::gcd;
use crate::dialect::Version;
use crate::hash;
use crate::model::{Endpoint, HashFunction, HashKey, Host, Pool};
use crate::traffic::key_table::{KeyTable, MOST_ENTRIES, Ring, Table, Unplaced};
use crate::traffic::serving::ids;
use crate::traffic::shares::Certainty;

/// What every table of HAProxy needs to know of the members.
fn check_members(pool: &Pool, serving: &[usize]) -> Result<(), Unplaced> {
    let template = pool.endpoints.iter().any(|endpoint| endpoint.slots > 1);
    if template {
        return Err("how many servers a `server-template` makes is only known at run time".into());
    }
    let unknown = |&&index: &&usize| matches!(pool.endpoints[index].address.host, Host::Unknown(_));
    if serving.iter().any(|index| unknown(&index)) {
        return Err("an address is only known at run time".into());
    }
    Ok(())
}

/// The table of `static-rr` and of map-based hashing.
pub(super) fn map(pool: &Pool, serving: &[usize]) -> Result<Table, Unplaced> {
    check_members(pool, serving)?;
    // Backups and servers of weight 0 count for the divisor.
    let weight = |endpoint: &Endpoint| u64::from(endpoint.weight.value);
    let divisor = pool.endpoints.iter().map(weight).fold(0, gcd).max(1);
    let weights: Vec<u64> = serving.iter().map(|&index| weight(&pool.endpoints[index]) / divisor).collect();
    let total: u64 = weights.iter().sum();
    if total > MOST_ENTRIES {
        return Err("the table is too large to build".into());
    }
    let slots = even_order(&weights).into_iter().map(|member| serving[member] as u32).collect();
    Ok(Table::Slots(slots))
}

/// The order in which HAProxy fills a map: at each slot the member that is furthest behind its due, in whole
/// turns, and the first of equals. One slot for every unit of weight.
fn even_order(weights: &[u64]) -> Vec<usize> {
    let total: u64 = weights.iter().sum();
    // A member's due grows by one at every multiple of total/weight.
    let due = |member: usize, count: u64| (count * total).div_ceil(weights[member]);
    let mut events: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut behind = BTreeSet::new();
    let mut turns = vec![0_i64; weights.len()];
    let mut counts = vec![0_u64; weights.len()];
    for (member, &weight) in weights.iter().enumerate() {
        if weight > 0 {
            events.push(Reverse((due(member, 1), member)));
            behind.insert((Reverse(0), member));
        }
    }
    let mut order = Vec::with_capacity(total as usize);
    for time in 1..=total {
        while let Some(&Reverse((at, member))) = events.peek() {
            if at > time {
                break;
            }
            events.pop();
            behind.remove(&(Reverse(turns[member]), member));
            turns[member] += 1;
            behind.insert((Reverse(turns[member]), member));
            counts[member] += 1;
            events.push(Reverse((due(member, counts[member] + 1), member)));
        }
        if let Some((_, member)) = behind.pop_first() {
            turns[member] -= 1;
            behind.insert((Reverse(turns[member]), member));
            order.push(member);
        }
    }
    order
}

/// The number from which a server's points are placed: made of its id, or of what `hash-key` names.
fn base(version: Version, server: &Endpoint, id: u32) -> Result<u32, Unplaced> {
    let Some(key) = &server.hash_key else { return base_of_id(version, id) };
    let address = match server.address.host {
        // In the order of bytes that a little-endian machine sees.
        Host::Ip(IpAddr::V4(address)) => Ok(u32::from_le_bytes(address.octets())),
        _ => Err("lbcheck places servers by `hash-key` only where they have an IPv4 address"),
    };
    match (key.value.to_ascii_lowercase().as_str(), server.address.port) {
        ("id", _) => base_of_id(version, id),
        ("addr", _) => Ok(hash::avalanche(address?)),
        ("addr-port", Some(port)) => {
            Ok(hash::avalanche(hash::avalanche(u32::from(port)).wrapping_add(address?)))
        }
        _ => Err(format!("lbcheck does not know how `hash-key {}` places a server", key.value).into()),
    }
}

/// The same made of an id.
///
/// Versions from 3.0 on hashed the id once more, until "fix key calculation when using default hash-key id" of 3.2.7.
/// 3.0.11 was seen to do so; when the fix came to the branches 3.0 and 3.1 is not known.
fn base_of_id(version: Version, id: u32) -> Result<u32, Unplaced> {
    match (version.major, version.minor, version.patch) {
        (3, 0, 1..=11) | (3, 2, 1..=6) => Ok(hash::avalanche(id)),
        (3, 0 | 1, 0) => Err("HAProxy 3.0 and 3.1 build another ring in early patch releases than in late \
             ones, and the version named has no patch release"
            .into()),
        (3, 0 | 1, _) => Err("which ring this patch release of HAProxy builds is not known".into()),
        _ => Ok(id.wrapping_mul(4096)),
    }
}

/// The ring of consistent hashing and of `random`: 16 points for each unit of weight, placed by the server's id.
pub(super) fn ring(version: Version, pool: &Pool, serving: &[usize]) -> Result<Table, Unplaced> {
    check_members(pool, serving)?;
    let count = |index: usize| 16 * pool.endpoints[index].weight.value;
    if serving.iter().map(|&index| u64::from(count(index))).sum::<u64>() > MOST_ENTRIES {
        return Err("the ring is too large to build".into());
    }
    let ids = ids(pool);
    let mut points = Vec::new();
    for &index in serving {
        let base = base(version, &pool.endpoints[index], ids[index])?;
        points.extend(
            (0..count(index)).map(|node| (u64::from(hash::avalanche(base.wrapping_add(node))), index as u32)),
        );
    }
    Ok(Table::Ring(Ring::new(points, u64::from(u32::MAX), true)))
}

/// A table with the keys that are looked up in it.
#[derive(Debug)]
pub(super) struct Hashed {
    pub(super) key: HashKey,
    pub(super) function: HashFunction,
    pub(super) table: Table,
}

impl KeyTable for Hashed {
    fn pick(&self, key: &[u8]) -> Result<Option<usize>, Unplaced> {
        hash_of(&self.key, self.function, key).map(|hash| self.table.owner(hash))
    }

    fn shares(&self, endpoints: usize) -> Vec<f64> {
        self.table.shares(endpoints)
    }

    fn needs_of_keys(&self) -> Option<(Certainty, &'static str)> {
        // 2000 URIs that were alike went 182, 0 and 1818 to three equal servers under `djb2`.
        let unlike = "keys are so unlike each other that the hash spreads them, as it does not avalanche";
        let ring = matches!(self.table, Table::Ring(_));
        (ring && !spreads(&self.key, self.function)).then_some((Certainty::Range, unlike))
    }

    fn evenly_hashed(&self) -> Option<(HashFunction, &Table)> {
        spreads(&self.key, self.function).then_some((self.function, &self.table))
    }
}

/// Whether a hash function spreads keys that are alike; `sdbm`, `djb2` and `wt6` alone do not, and `none`
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

/// The hash of a key as `balance` takes it: the text, or for `source` the address.
pub(super) fn hash_of(key: &HashKey, function: HashFunction, bytes: &[u8]) -> Result<u64, Unplaced> {
    let HashFunction::Identity { avalanche } = function else {
        let hash = hash::haproxy(function, bytes).ok_or("HAProxy has no such hash function")?;
        return Ok(u64::from(hash));
    };
    let finished = |number: u32| u64::from(if avalanche { hash::avalanche(number) } else { number });
    if *key != HashKey::Source {
        return Ok(finished(leading_number(bytes)));
    }
    let address = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<IpAddr>().ok());
    let number = match address.ok_or("the key is not an address")? {
        IpAddr::V4(address) => u32::from(address),
        IpAddr::V6(address) => {
            let bits = u128::from(address);
            (bits >> 96) as u32 ^ (bits >> 64) as u32 ^ (bits >> 32) as u32 ^ bits as u32
        }
    };
    Ok(finished(number))
}

/// The number that a key begins with, 0 without one: what hash function `none` makes of a text.
fn leading_number(key: &[u8]) -> u32 {
    let (negative, digits) = match key {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let number =
        digits.fold(0_i64, |sum, byte| sum.saturating_mul(10).saturating_add(i64::from(byte - b'0')));
    // HAProxy keeps the lower half of 64 bits.
    (if negative { -number } else { number }) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(weights: &[u64]) -> Vec<usize> {
        even_order(weights).into_iter().map(|member| member + 1).collect()
    }

    #[test]
    fn maps_are_filled_in_the_known_order() {
        assert_eq!(order(&[3, 2, 1]), [1, 1, 2, 1, 2, 3]);
        assert_eq!(order(&[5, 1, 1]), [1, 1, 1, 2, 1, 1, 3]);
        assert_eq!(order(&[1, 2, 3]), [1, 3, 2, 3, 2, 3]);
        assert_eq!(order(&[1, 2, 3, 4]), [1, 2, 4, 3, 4, 2, 3, 4, 3, 4]);
        assert_eq!(order(&[256, 1]).len(), 257);
    }

    #[test]
    fn function_none_reads_the_number_at_the_start() {
        let numbers =
            ["12", "12-rest", "-1", "user-7", "", "4294967297"].map(|key| leading_number(key.as_bytes()));
        assert_eq!(numbers, [12, 12, u32::MAX, 0, 0, 1]);
    }

    #[test]
    fn the_first_point_hangs_on_the_version() {
        let first = |major, minor, patch| base_of_id(Version { major, minor, patch }, 1).map(hash::avalanche);
        assert_eq!(first(2, 6, 12), Ok(1_237_450_891));
        assert_eq!(first(3, 2, 26), first(2, 6, 12));
        assert_eq!(first(3, 2, 0), first(2, 6, 12));
        assert_eq!(first(3, 0, 11), Ok(hash::avalanche(hash::avalanche(1))));
        assert!(first(3, 0, 0).is_err() && first(3, 1, 9).is_err());
    }
}
