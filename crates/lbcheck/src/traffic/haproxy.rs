//! HAProxy's tables: maps, rings and the hash of a key.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::net::IpAddr;

use super::hash;
use super::shares::ids;
use super::table::{MOST_ENTRIES, Ring, Table};
use crate::arithmetic::gcd;
use crate::dialect::Version;
use crate::model::{Endpoint, HashFunction, HashKey, Host, Pool};

/// Why a table cannot be built.
pub(super) type Reason = Cow<'static, str>;

/// What every table of HAProxy needs to know of the members.
fn check_members(pool: &Pool, serving: &[usize]) -> Result<(), Reason> {
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
pub(super) fn map(pool: &Pool, serving: &[usize]) -> Result<Table, Reason> {
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
fn base(version: Version, server: &Endpoint, id: u32) -> Result<u32, Reason> {
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
fn base_of_id(version: Version, id: u32) -> Result<u32, Reason> {
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
pub(super) fn ring(version: Version, pool: &Pool, serving: &[usize]) -> Result<Table, Reason> {
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

/// The hash of a key as `balance` takes it: the text, or for `source` the address.
pub(super) fn hash_of(key: &HashKey, function: HashFunction, bytes: &[u8]) -> Result<u64, Reason> {
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

/// The first `count` picks of `roundrobin` over `members`, pairs of endpoint and weight, all of weight above 0.
///
/// Every pick moves a server on by total/weight turns of the clock, remainders carried. A server whose next turn
/// lies beyond the cycle waits for the next one, in which the heaviest go first.
pub(super) fn round_robin(members: &[(usize, u32)], count: usize) -> Vec<usize> {
    let weights: Vec<i64> = members.iter().map(|&(_, weight)| 16 * i64::from(weight.max(1))).collect();
    let total: i64 = weights.iter().sum();
    let mut positions = vec![0_i64; members.len()];
    let mut remainders = vec![0_i64; members.len()];
    let mut current: BTreeSet<(i64, usize, usize)> = BTreeSet::new();
    let mut fresh: BTreeSet<(Reverse<i64>, usize, usize)> = BTreeSet::new();
    let mut waiting: BTreeSet<(Reverse<i64>, usize, usize)> =
        weights.iter().enumerate().map(|(member, &weight)| (Reverse(weight), member, member)).collect();
    let mut clock = total;
    let mut picks = Vec::with_capacity(count);
    // Of equal keys the one queued first is served first.
    for turn in members.len()..members.len().saturating_add(count) {
        let due = current.first().is_some_and(|&(_, _, member)| positions[member] <= clock);
        if current.is_empty() && fresh.is_empty() {
            fresh = std::mem::take(&mut waiting);
            clock = total;
        }
        let member = if !due && let Some((_, _, member)) = fresh.pop_first() {
            positions[member] = clock;
            member
        } else if let Some((_, _, member)) = current.pop_first() {
            member
        } else {
            break;
        };
        let weight = weights[member];
        positions[member] += total / weight;
        remainders[member] += total % weight;
        if remainders[member] >= weight {
            remainders[member] -= weight;
            positions[member] += 1;
        }
        if positions[member] >= 2 * total {
            waiting.insert((Reverse(weight), turn, member));
        } else {
            let key = 256 * positions[member] + (4096 + remainders[member] - weight).div_euclid(16);
            current.insert((key, turn, member));
        }
        clock += 1;
        picks.push(members[member].0);
    }
    picks
}

/// In flight on each server with `concurrency` requests of equal cost, under `leastconn`.
///
/// The smallest (in flight + 1) / weight is next, and an idle server goes before all others.
pub(super) fn least_connections(weights: &[u32], concurrency: u32) -> Vec<u32> {
    let key = |in_flight: u32, member: usize| match (in_flight, weights[member]) {
        (0, _) => 0,
        // HAProxy's own integer arithmetic: weights count sixteenfold.
        (in_flight, weight) => (u64::from(in_flight) + 1) * 4096 / (16 * u64::from(weight.max(1))),
    };
    let mut in_flight = vec![0_u32; weights.len()];
    let mut queue: BinaryHeap<Reverse<(u64, u32, usize)>> = BinaryHeap::new();
    queue.extend((0..weights.len()).filter(|&member| weights[member] > 0).map(|at| Reverse((0, 0, at))));
    for turn in 1..=concurrency {
        let Some(Reverse((_, _, member))) = queue.pop() else { break };
        in_flight[member] += 1;
        queue.push(Reverse((key(in_flight[member], member), turn, member)));
    }
    in_flight
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
    fn round_robin_gives_the_known_order() {
        let members = [(1, 10), (2, 20), (3, 30), (4, 40)];
        let order = [4, 3, 4, 2, 3, 4, 1, 4, 3, 2, 4, 3, 4, 2, 3, 4, 1, 4, 3, 2];
        assert_eq!(round_robin(&members, 20), order);
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

    #[test]
    fn busy_servers_share_by_weight_but_an_idle_one_always_wins() {
        assert_eq!(least_connections(&[3, 2, 1], 30), [15, 10, 5]);
        assert_eq!(least_connections(&[1, 1, 100], 30), [1, 1, 28]);
        assert_eq!(least_connections(&[1, 1, 100], 3), [1, 1, 1]);
    }
}
