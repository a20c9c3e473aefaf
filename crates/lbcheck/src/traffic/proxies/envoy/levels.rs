//! Envoy's priorities and localities, and what of the load each of their hosts gets.

use std::collections::BTreeMap;

use crate::model::{AdminState, Pool};

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

pub(super) fn locality_weight(pool: &Pool, index: usize) -> u32 {
    let locality = pool.endpoints[index].locality.and_then(|at| pool.localities.get(at));
    locality.and_then(|locality| locality.weight).map_or(0, |weight| weight.value)
}

pub(super) fn by_locality(pool: &Pool, hosts: &[usize]) -> BTreeMap<Option<usize>, Vec<usize>> {
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

    #[test]
    fn least_request_under_load_as_measured() {
        let shares = least_request(&[3.0, 2.0, 1.0], 1.0, 30.0);
        for (share, measured) in shares.iter().zip([0.4218, 0.3414, 0.2368]) {
            assert!((share - measured).abs() < 0.0005, "{shares:?}");
        }
    }
}
