//! Envoy's ring and Maglev table.

use std::collections::BTreeMap;

use super::levels::{self, by_locality, locality_weight};
use crate::hash;
use crate::model::{Algorithm, Endpoint, HashFunction, HashTable, Host, Pool};
use crate::traffic::key_table::{KeyTable, MOST_ENTRIES, NO_KEYS, Ring, Table, Unplaced};

/// One table for each priority, with the sum of loads up to it in percent.
#[derive(Debug)]
pub(super) struct Levels(Vec<(u32, Table)>);

impl Levels {
    pub(super) fn new(pool: &Pool) -> Result<Self, Unplaced> {
        let Algorithm::Hash { table: kind, function, .. } = pool.algorithm.value else { return Err(NO_KEYS) };
        let mut sum = 0;
        let mut tables = Vec::new();
        for level in levels::levels(pool).iter().filter(|level| level.load > 0) {
            sum += level.load;
            tables.push((sum, table(pool, level, kind, function)?));
        }
        Ok(Self(tables))
    }
}

impl KeyTable for Levels {
    fn pick(&self, key: &[u8]) -> Result<Option<usize>, Unplaced> {
        // The same number picks the priority, so that spilling over is sticky too.
        let hash = hash::xxh64(key, 0);
        let draw = (hash % 100) as u32 + 1;
        let level = self.0.iter().find(|(load, _)| draw <= *load);
        Ok(level.and_then(|(_, table)| table.owner(hash)))
    }

    fn shares(&self, endpoints: usize) -> Vec<f64> {
        let mut shares = vec![0.0; endpoints];
        let mut before = 0;
        for (load, table) in &self.0 {
            let part = f64::from(load - before) / 100.0;
            before = *load;
            for (share, inner) in shares.iter_mut().zip(table.shares(endpoints)) {
                *share += part * inner;
            }
        }
        shares
    }

    fn entries(&self) -> Option<usize> {
        self.0.iter().find(|(load, _)| *load > 0).map(|(_, table)| table.len())
    }

    /// With several priorities the hash picks the priority too.
    fn evenly_hashed(&self) -> Option<(HashFunction, &Table)> {
        match self.0.as_slice() {
            [(100, table)] => Some((HashFunction::XxHash, table)),
            _ => None,
        }
    }
}

/// What Envoy hashes of a host.
fn host_key(endpoint: &Endpoint) -> Result<String, Unplaced> {
    if let Some(key) = &endpoint.hash_key {
        return Ok(key.value.clone());
    }
    match &endpoint.address.host {
        Host::Ip(_) => Ok(endpoint.address.to_string()),
        Host::Unix(path) => Ok(path.clone()),
        Host::Name(_) | Host::Special(_) | Host::Unknown(_) => {
            Err("hosts are placed by their addresses, which are only known at run time".into())
        }
    }
}

/// Keys of `hosts`, refused where Envoy itself leaves open which of them gets a place.
fn host_keys(pool: &Pool, hosts: &[usize]) -> Result<Vec<String>, Unplaced> {
    let keys = hosts.iter().map(|&index| host_key(&pool.endpoints[index])).collect::<Result<Vec<_>, _>>()?;
    let mut seen: BTreeMap<&str, &Endpoint> = BTreeMap::new();
    for (key, &index) in keys.iter().zip(hosts) {
        let endpoint = &pool.endpoints[index];
        let first = seen.entry(key).or_insert(endpoint);
        // The same address twice is the same host twice, whoever wins.
        let other = first.address != endpoint.address || (first.expands && !std::ptr::eq(*first, endpoint));
        if other {
            return Err("several hosts have the same hash key, and Envoy does not say which wins".into());
        }
    }
    Ok(keys)
}

/// Hosts with weights that sum to 1: locality weight, then the host's part of its locality. Unlike in
/// [`levels::shares`], failed hosts do not scale their locality down.
fn normalised(pool: &Pool, hosts: &[usize]) -> Vec<(usize, f64)> {
    let weight = |&index: &usize| pool.endpoints[index].weight.value;
    let within = |hosts: &[usize], part: f64| -> Vec<(usize, f64)> {
        let sum: u64 = hosts.iter().map(|index| u64::from(weight(index))).sum();
        hosts.iter().map(|index| (*index, f64::from(weight(index)) * part / sum as f64)).collect()
    };
    if pool.locality_weighted.is_none() {
        return within(hosts, 1.0);
    }
    let groups = by_locality(pool, hosts);
    let of = |hosts: &Vec<usize>| hosts.first().map_or(0, |&first| locality_weight(pool, first));
    let total: u64 = groups.values().map(|hosts| u64::from(of(hosts))).sum();
    let weighted = groups.values().filter(|hosts| of(hosts) > 0);
    weighted.flat_map(|hosts| within(hosts, f64::from(of(hosts)) / total as f64)).collect()
}

/// The table of one level.
fn table(
    pool: &Pool,
    level: &levels::Level,
    kind: HashTable,
    function: HashFunction,
) -> Result<Table, Unplaced> {
    let members = normalised(pool, &level.hosts);
    let hosts: Vec<usize> = members.iter().map(|&(index, _)| index).collect();
    let keys = host_keys(pool, &hosts)?;
    match kind {
        HashTable::EnvoyRing { min, max } => ring(&members, &keys, min, max, function),
        HashTable::Maglev { size } => maglev(&members, &keys, size),
        _ => Err("Envoy has no such table".into()),
    }
}

fn ring(
    members: &[(usize, f64)],
    keys: &[String],
    min: u64,
    max: u64,
    function: HashFunction,
) -> Result<Table, Unplaced> {
    if members.is_empty() {
        return Ok(Table::Ring(Ring::new(Vec::new(), u64::MAX, false)));
    }
    let place: fn(&[u8]) -> u64 = match function {
        HashFunction::Murmur2 => hash::murmur2_64,
        _ => |key| hash::xxh64(key, 0),
    };
    let least = members.iter().map(|&(_, weight)| weight).fold(f64::INFINITY, f64::min);
    let scale = ((least * min as f64).ceil() / least).min(max as f64);
    if scale > MOST_ENTRIES as f64 {
        return Err("the ring is too large to build".into());
    }
    let mut points = Vec::new();
    let mut text = String::new();
    // Running sums, so that the whole ring has the size wanted, rounding included.
    let (mut current, mut target) = (0.0, 0.0);
    for (&(index, weight), key) in members.iter().zip(keys) {
        target += scale * weight;
        let mut entry = 0_u64;
        while current < target {
            text.clear();
            text.push_str(key);
            text.push('_');
            text.push_str(&entry.to_string());
            points.push((place(text.as_bytes()), index as u32));
            entry += 1;
            current += 1.0;
        }
    }
    Ok(Table::Ring(Ring::new(points, u64::MAX, false)))
}

fn maglev(members: &[(usize, f64)], keys: &[String], size: u64) -> Result<Table, Unplaced> {
    struct Turn {
        owner: u32,
        next: u64,
        skip: u64,
        weight: f64,
        target: f64,
    }
    if members.is_empty() {
        return Ok(Table::Slots(Vec::new()));
    }
    if !(2..=MOST_ENTRIES).contains(&size) {
        return Err("the table size is out of range".into());
    }
    let mut sorted: Vec<(&String, &(usize, f64))> = keys.iter().zip(members).collect();
    sorted.sort_by_key(|&(key, _)| key);
    let heaviest = members.iter().map(|&(_, weight)| weight).fold(0.0, f64::max);
    let turn = |(key, &(index, weight)): (&String, &(usize, f64))| Turn {
        owner: index as u32,
        next: hash::xxh64(key.as_bytes(), 0) % size,
        skip: hash::xxh64(key.as_bytes(), 1) % (size - 1) + 1,
        weight,
        target: 0.0,
    };
    let mut turns: Vec<Turn> = sorted.into_iter().map(turn).collect();
    const FREE: u32 = u32::MAX;
    let mut slots = vec![FREE; size as usize];
    let mut left = size;
    let mut round = 0_u32;
    while left > 0 {
        round += 1;
        for turn in &mut turns {
            if left == 0 {
                break;
            }
            if f64::from(round) * turn.weight < turn.target {
                continue;
            }
            turn.target += heaviest;
            // The table size is prime, so the steps reach every slot; a bound keeps other sizes from hanging.
            for _ in 0..size {
                let slot = turn.next as usize;
                turn.next = (turn.next + turn.skip) % size;
                if slots[slot] == FREE {
                    slots[slot] = turn.owner;
                    left -= 1;
                    break;
                }
            }
        }
        if u64::from(round) > 2 * size {
            return Err("the table size is not a prime".into());
        }
    }
    Ok(Table::Slots(slots))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(ports: std::ops::RangeInclusive<u16>) -> Vec<String> {
        ports.map(|port| format!("127.0.0.1:{port}")).collect()
    }

    const SIX: [(usize, f64); 6] =
        [(0, 1.0 / 6.0), (1, 1.0 / 6.0), (2, 1.0 / 6.0), (3, 1.0 / 6.0), (4, 1.0 / 6.0), (5, 1.0 / 6.0)];

    #[test]
    fn the_ring_is_that_of_envoys_own_tests() {
        let Ok(Table::Ring(ring)) = ring(&SIX, &keys(90..=95), 12, 1024, HashFunction::XxHash) else {
            panic!("no ring")
        };
        let expected = [
            (833437586790550860, 2),
            (928266305478181108, 2),
            (1033482794131418490, 0),
            (3551244743356806947, 5),
            (3851675632748031481, 3),
            (5583722120771150861, 1),
            (6311230543546372928, 1),
            (7700377290971790572, 3),
            (13144177310400110813, 5),
            (13444792449719432967, 2),
            (15516499411664133160, 4),
            (16117243373044804889, 0),
        ];
        let positions: Vec<u64> = ring.points().iter().map(|&(position, _)| position).collect();
        assert_eq!(positions, expected.map(|(position, _)| position));
    }

    #[test]
    fn a_murmur_ring_too() {
        let Ok(Table::Ring(ring)) = ring(&SIX, &keys(80..=85), 12, 1024, HashFunction::Murmur2) else {
            panic!("no ring")
        };
        assert_eq!(ring.points().first(), Some(&(1358027074129602068, 5)));
        assert_eq!(ring.points().last(), Some(&(17613279263364193813, 0)));
    }

    #[test]
    fn maglev_tables_are_those_of_envoys_own_tests() {
        let Ok(Table::Slots(slots)) = maglev(&SIX, &keys(90..=95), 7) else { panic!("no table") };
        assert_eq!(slots, [2, 4, 0, 1, 5, 0, 3]);
        let weighted = [(0, 3.0 / 6.0), (1, 2.0 / 6.0), (2, 1.0 / 6.0)];
        let Ok(table) = maglev(&weighted, &keys(90..=92), 65_537) else { panic!("no table") };
        let counts: Vec<f64> = table.shares(3).iter().map(|share| (share * 65_537.0).round()).collect();
        assert_eq!(counts, [32768.0, 21846.0, 10923.0]);
    }
}
