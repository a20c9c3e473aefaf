//! Envoy's priorities, localities, ring and Maglev table.

use std::collections::BTreeMap;

use super::haproxy::Reason;
use super::hash;
use super::table::{MOST_ENTRIES, Ring, Table};
use crate::model::{AdminState, Endpoint, HashFunction, HashTable, Host, Pool};

/// One priority, or its degraded hosts: its part of the load and the hosts that take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Percent of the load.
    pub(super) load: u32,
    /// Indices of the hosts that serve.
    pub(super) hosts: Vec<usize>,
    /// Too few are healthy, so all hosts serve.
    pub(super) panic: bool,
}

/// Counts of one priority.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    hosts: u32,
    healthy: u32,
    /// DEGRADED: used for what the healthy ones of all priorities leave.
    degraded: u32,
    /// DRAINING: not part of any ratio.
    excluded: u32,
}

impl Count {
    fn base(self) -> u64 {
        u64::from(self.hosts - self.excluded)
    }

    /// What `hosts` are of all, in percent, overprovisioning counted, in whole numbers as Envoy does.
    fn health(self, hosts: u32, overprovisioning: u32) -> u32 {
        let hosts = u64::from(overprovisioning) * u64::from(hosts);
        hosts.checked_div(self.base()).map_or(0, |health| health.min(100) as u32)
    }

    fn panics(self, threshold: u32) -> bool {
        u64::from(self.healthy + self.degraded) * 100 < u64::from(threshold) * self.base() || self.base() == 0
    }
}

/// One priority's part of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Load {
    /// Percent for its healthy hosts, or in panic for all.
    healthy: u32,
    /// Percent for its degraded hosts.
    degraded: u32,
    panic: bool,
}

/// The load of each priority in percent, and whether it panics.
fn loads(counts: &[Count], overprovisioning: u32, threshold: u32) -> Vec<Load> {
    let health = |hosts: fn(&Count) -> u32| -> Vec<u32> {
        counts.iter().map(|count| count.health(hosts(count), overprovisioning)).collect()
    };
    let healthy = health(|count| count.healthy);
    let degraded = health(|count| count.degraded);
    let available = healthy.iter().chain(&degraded).sum::<u32>().min(100);
    let panics: Vec<bool> =
        counts.iter().map(|count| available < 100 && threshold > 0 && count.panics(threshold)).collect();
    let hosts: u64 = counts.iter().map(|count| u64::from(count.hosts)).sum();
    let all_panic = hosts > 0 && counts.iter().zip(&panics).all(|(count, &panic)| panic || count.hosts == 0);
    // The healthy hosts of all priorities come before the degraded ones of any.
    let wanted: Vec<u32> = if all_panic {
        let by_number = |count: &Count| (u64::from(count.hosts) * 100 / hosts) as u32;
        counts.iter().map(by_number).chain(counts.iter().map(|_| 0)).collect()
    } else {
        let part = |&health: &u32| (health * 100).checked_div(available).unwrap_or(0);
        healthy.iter().chain(&degraded).map(part).collect()
    };
    let mut rest = 100;
    let mut given: Vec<u32> = Vec::with_capacity(wanted.len());
    for load in wanted {
        given.push(load.min(rest));
        rest -= load.min(rest);
    }
    // What rounding leaves goes to the first that has any.
    if let Some(load) = given.iter_mut().find(|load| **load > 0) {
        *load += rest;
    }
    let (healthy, degraded) = given.split_at(counts.len());
    let loads = healthy.iter().zip(degraded).zip(panics);
    loads.map(|((&healthy, &degraded), panic)| Load { healthy, degraded, panic }).collect()
}

/// The priorities of `pool`, with the health that the file itself gives its hosts.
pub(super) fn levels(pool: &Pool) -> Vec<Level> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, endpoint) in pool.endpoints.iter().enumerate() {
        members.entry(endpoint.tier.value).or_default().push(index);
    }
    let enabled = |index: usize| pool.endpoints[index].state.value == AdminState::Enabled;
    let degraded = |index: usize| enabled(index) && pool.endpoints[index].degraded.is_some();
    let healthy = |index: usize| enabled(index) && !degraded(index);
    let draining = |index: usize| pool.endpoints[index].state.value == AdminState::Draining;
    let count = |hosts: &Vec<usize>| {
        let of = |kind: &dyn Fn(usize) -> bool| hosts.iter().filter(|&&index| kind(index)).count() as u32;
        Count {
            hosts: hosts.len() as u32,
            healthy: of(&healthy),
            degraded: of(&degraded),
            excluded: of(&draining),
        }
    };
    let counts: Vec<Count> = members.values().map(count).collect();
    let overprovisioning = pool.overprovisioning_percent.map_or(140, |setting| setting.value);
    let threshold = pool.panic_threshold_percent.map_or(50, |setting| setting.value);
    let mut levels = Vec::new();
    let mut of_degraded = Vec::new();
    for (hosts, load) in members.into_values().zip(loads(&counts, overprovisioning, threshold)) {
        let only =
            |kind: &dyn Fn(usize) -> bool| hosts.iter().copied().filter(|&index| kind(index)).collect();
        if load.degraded > 0 {
            of_degraded.push(Level { load: load.degraded, hosts: only(&degraded), panic: false });
        }
        let hosts = if load.panic { hosts } else { only(&healthy) };
        levels.push(Level { load: load.healthy, hosts, panic: load.panic });
    }
    // As Envoy draws them: first all priorities, then their degraded hosts.
    levels.extend(of_degraded);
    levels
}

/// The hosts that get traffic by the health that the file itself gives them, in the order of the file.
pub(super) fn serving(levels: &[Level]) -> Vec<usize> {
    let loaded = levels.iter().filter(|level| level.load > 0);
    let mut hosts: Vec<usize> = loaded.flat_map(|level| level.hosts.iter().copied()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

fn locality_weight(pool: &Pool, index: usize) -> u32 {
    let locality = pool.endpoints[index].locality.and_then(|at| pool.localities.get(at));
    locality.and_then(|locality| locality.weight).map_or(0, |weight| weight.value)
}

fn by_locality(pool: &Pool, hosts: &[usize]) -> BTreeMap<Option<usize>, Vec<usize>> {
    let mut groups: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for &index in hosts {
        groups.entry(pool.endpoints[index].locality).or_default().push(index);
    }
    groups
}

/// Shares under a choice that goes by `weight` within a locality: over priorities, then localities scaled by
/// their health, then hosts.
pub(super) fn shares(pool: &Pool, levels: &[Level], weight: impl Fn(&[usize]) -> Vec<f64>) -> Vec<f64> {
    let mut shares = vec![0.0; pool.endpoints.len()];
    let mut add = |hosts: &[usize], part: f64| {
        let weights = weight(hosts);
        let total: f64 = weights.iter().sum();
        for (&index, weight) in hosts.iter().zip(&weights) {
            shares[index] += if total > 0.0 { part * weight / total } else { 0.0 };
        }
    };
    let members = members_of_localities(pool);
    for level in levels {
        let load = f64::from(level.load) / 100.0;
        let weighted = level.hosts.iter().any(|&index| locality_weight(pool, index) > 0);
        if pool.locality_weighted.is_none() || level.panic || !weighted {
            add(&level.hosts, load);
            continue;
        }
        let groups = by_locality(pool, &level.hosts);
        let effective: Vec<f64> = groups
            .iter()
            .map(|(&locality, hosts)| effective_weight(pool, locality, hosts, &members))
            .collect();
        let total: f64 = effective.iter().sum();
        for (hosts, effective) in groups.values().zip(effective) {
            add(hosts, load * effective / total);
        }
    }
    shares
}

/// Shares of RANDOM over several priorities. One random number picks the priority, by its remainder of 100, and the
/// host, by its remainder of their number; where those numbers have a factor in common hosts are not alike.
pub(super) fn random_spill(endpoints: usize, levels: &[Level]) -> Vec<f64> {
    let mut shares = vec![0.0; endpoints];
    let mut before = 0_u64;
    for level in levels {
        let hosts = level.hosts.len() as u64;
        let after = before + u64::from(level.load);
        if hosts > 0 {
            // Numbers below `hosts * 100` hit every pair of remainders equally often.
            let part = 1.0 / (hosts as f64 * 100.0);
            for hundred in 0..hosts {
                for rest in before..after {
                    let at = ((hundred * 100 + rest) % hosts) as usize;
                    if let Some(share) = level.hosts.get(at).and_then(|&index| shares.get_mut(index)) {
                        *share += part;
                    }
                }
            }
        }
        before = after;
    }
    shares
}

/// How many hosts, drained ones left out, each locality of each priority has. Nothing where localities do not count.
fn members_of_localities(pool: &Pool) -> BTreeMap<(u32, Option<usize>), usize> {
    let mut members = BTreeMap::new();
    if pool.locality_weighted.is_some() {
        for endpoint in pool.endpoints.iter().filter(|endpoint| endpoint.state.value != AdminState::Draining)
        {
            *members.entry((endpoint.tier.value, endpoint.locality)).or_default() += 1;
        }
    }
    members
}

/// A locality's weight, scaled down once overprovisioning no longer makes up for its unhealthy hosts.
fn effective_weight(
    pool: &Pool,
    locality: Option<usize>,
    healthy: &[usize],
    members: &BTreeMap<(u32, Option<usize>), usize>,
) -> f64 {
    let Some(&first) = healthy.first() else { return 0.0 };
    let tier = pool.endpoints[first].tier.value;
    let hosts = members.get(&(tier, locality)).copied().unwrap_or(0).max(1);
    let overprovisioning = f64::from(pool.overprovisioning_percent.map_or(140, |setting| setting.value));
    let available = (overprovisioning / 100.0 * healthy.len() as f64 / hosts as f64).min(1.0);
    f64::from(locality_weight(pool, first)) * available
}

/// What Envoy hashes of a host.
fn host_key(endpoint: &Endpoint) -> Result<String, Reason> {
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
fn host_keys(pool: &Pool, hosts: &[usize]) -> Result<Vec<String>, Reason> {
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
/// [`shares`], failed hosts do not scale their locality down.
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
pub(super) fn table(
    pool: &Pool,
    level: &Level,
    kind: HashTable,
    function: HashFunction,
) -> Result<Table, Reason> {
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
) -> Result<Table, Reason> {
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

fn maglev(members: &[(usize, f64)], keys: &[String], size: u64) -> Result<Table, Reason> {
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

/// Shares under LEAST_REQUEST with unequal weights and `concurrency` requests of equal cost: the fixed point
/// of `s ∝ w / (C·s + 1)^bias`.
pub(super) fn least_request(weights: &[f64], bias: f64, concurrency: f64) -> Vec<f64> {
    let normalise = |values: Vec<f64>| -> Vec<f64> {
        let total: f64 = values.iter().sum();
        values.into_iter().map(|value| if total > 0.0 { value / total } else { 0.0 }).collect()
    };
    let mut shares = normalise(weights.to_vec());
    for _ in 0..200 {
        let pull = |(&share, &weight): (&f64, &f64)| weight / (concurrency * share + 1.0).powf(bias);
        let next = normalise(shares.iter().zip(weights).map(pull).collect());
        for (share, next) in shares.iter_mut().zip(next) {
            *share = (*share + next) / 2.0;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(counts: &[(u32, u32)], overprovisioning: u32, threshold: u32) -> Vec<u32> {
        let counts: Vec<Count> =
            counts.iter().map(|&(hosts, healthy)| Count { hosts, healthy, ..Count::default() }).collect();
        loads(&counts, overprovisioning, threshold).into_iter().map(|load| load.healthy).collect()
    }

    #[test]
    fn priorities_share_as_envoys_own_tests_say() {
        assert_eq!(spread(&[(4, 2), (4, 2)], 140, 50), [70, 30]);
        assert_eq!(spread(&[(4, 2), (4, 2)], 100, 50), [50, 50]);
        assert_eq!(spread(&[(5, 1), (5, 1), (5, 1)], 140, 50), [34, 33, 33]);
        assert_eq!(spread(&[(5, 0), (6, 2), (3, 1)], 140, 50), [37, 42, 21]);
        assert_eq!(spread(&[(35, 3); 8], 140, 0), [16, 12, 12, 12, 12, 12, 12, 12]);
        assert_eq!(spread(&[(4, 4), (4, 4)], 50, 50), [50, 50]);
        assert_eq!(spread(&[(4, 0)], 140, 0), [0]);
    }

    #[test]
    fn random_reuses_its_number_for_priority_and_host() {
        let levels = |first: usize, load: u32| {
            let level =
                |hosts: std::ops::Range<usize>, load| Level { load, hosts: hosts.collect(), panic: false };
            [level(0..first, load), level(first..first + 10, 100 - load)]
        };
        // As counted: 25 hosts with 70 % of the load, of which 5 get two thirds of what the others get.
        let shares = random_spill(35, &levels(25, 70));
        let of = |share: &f64| (share * 10_000.0).round() as u32;
        let counts: Vec<u32> = shares.iter().take(25).map(of).collect();
        assert_eq!((counts[0], counts[19], counts[20], counts[24]), (300, 300, 200, 200));
        let shares = random_spill(17, &levels(7, 70));
        assert!(shares.iter().take(7).all(|share| (share - 0.1).abs() < 1e-9), "{shares:?}");
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn draining_hosts_are_in_no_ratio() {
        let draining = Count { hosts: 4, healthy: 1, excluded: 3, ..Count::default() };
        let counts = [draining, Count { hosts: 4, healthy: 4, ..Count::default() }];
        let loads = loads(&counts, 140, 50);
        assert_eq!(
            loads.iter().map(|load| (load.healthy, load.panic)).collect::<Vec<_>>(),
            [(100, false), (0, false)]
        );
    }

    #[test]
    fn degraded_hosts_take_what_healthy_ones_leave() {
        let of = |hosts, healthy, degraded| Count { hosts, healthy, degraded, excluded: 0 };
        let both = |counts: &[Count]| -> Vec<(u32, u32)> {
            loads(counts, 140, 50).into_iter().map(|load| (load.healthy, load.degraded)).collect()
        };
        assert_eq!(both(&[of(3, 2, 1)]), [(93, 7)]);
        assert_eq!(both(&[of(4, 3, 1)]), [(100, 0)]);
        // Envoy's own tests.
        assert_eq!(both(&[of(5, 0, 1), of(5, 0, 5), of(5, 1, 0)]), [(0, 28), (0, 44), (28, 0)]);
        assert_eq!(both(&[of(5, 0, 5), of(5, 2, 2), of(5, 2, 0)]), [(0, 0), (56, 0), (44, 0)]);
    }

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

    #[test]
    fn least_request_under_load_as_measured() {
        let shares = least_request(&[3.0, 2.0, 1.0], 1.0, 30.0);
        for (share, measured) in shares.iter().zip([0.4218, 0.3414, 0.2368]) {
            assert!((share - measured).abs() < 0.0005, "{shares:?}");
        }
    }
}
