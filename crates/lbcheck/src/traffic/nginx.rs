//! nginx's tables and sequences. Servers that are `down` keep their place in them.

use std::net::IpAddr;

use super::haproxy::Reason;
use super::hash::{self, Crc32};
use super::table::{MOST_ENTRIES, Ring};
use crate::model::{AdminState, Host, Pool};

/// After this many servers that cannot be used, hashing gives way to round robin.
const TRIES: u32 = 20;

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

fn check_members(pool: &Pool) -> Result<(), Reason> {
    let primaries = || pool.endpoints.iter().filter(|endpoint| endpoint.tier.value == 0);
    if primaries().any(|endpoint| matches!(endpoint.address.host, Host::Unknown(_))) {
        return Err("an address is only known at run time".into());
    }
    Ok(())
}

/// The usable primary, if there is exactly one; why hashing cannot decide, if there is none.
fn only(pool: &Pool) -> Result<Option<usize>, Reason> {
    let mut usable =
        (0..pool.endpoints.len()).filter(|&at| pool.endpoints[at].tier.value == 0 && usable(pool, at));
    match (usable.next(), usable.next()) {
        (None, _) => Err("backups share by round robin, whatever the key".into()),
        (Some(only), None) => Ok(Some(only)),
        (Some(_), Some(_)) => Ok(None),
    }
}

impl Weighted {
    pub(super) fn new(pool: &Pool) -> Result<Self, Reason> {
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
    fn walk(&self, mut hashes: impl FnMut(u32) -> u64) -> Result<usize, Reason> {
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
    pub(super) fn hash(&self, key: &[u8]) -> Result<usize, Reason> {
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
    pub(super) fn ip_hash(&self, key: &[u8]) -> Result<usize, Reason> {
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

/// `hash KEY consistent`: the points, and for each the server that answers.
#[derive(Clone, Debug)]
pub(super) struct Ketama {
    ring: Ring,
    /// For each point the endpoint that takes its keys; `None` where round robin does.
    owners: Vec<Option<u32>>,
    weights: Vec<f64>,
}

impl Ketama {
    pub(super) fn new(pool: &Pool) -> Result<Self, Reason> {
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
            Some(index) => vec![Some(index as u32); ring.points().len()],
            None => owners(&ring, |index| usable(pool, index)),
        };
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
        Ok(Self { ring, owners, weights })
    }

    pub(super) fn pick(&self, key: &[u8]) -> Result<usize, Reason> {
        if key.is_empty() {
            return Err("with an empty key, round robin decides".into());
        }
        match self.owners.get(self.ring.next(u64::from(hash::crc32(key)))) {
            Some(Some(owner)) => Ok(*owner as usize),
            _ => Err("after 20 points of servers that are down, round robin decides".into()),
        }
    }

    /// The part of hashes whose server is not the `same`. `None`: round robin has a part in it.
    pub(super) fn moved(&self, new: &Self, same: impl Fn(usize, usize) -> bool) -> Option<f64> {
        if self.owners.iter().chain(&new.owners).any(Option::is_none) {
            return None;
        }
        let owner = |side: &Self, point: usize| side.owners.get(point).copied().flatten();
        super::table::common(&self.ring, &new.ring, |before, after| {
            let both = (owner(self, before), owner(new, after));
            matches!(both, (Some(a), Some(b)) if same(a as usize, b as usize))
        })
    }

    pub(super) fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.weights.len()];
        let mut free = 0.0;
        for (owner, arc) in self.owners.iter().zip(self.ring.arcs()) {
            match owner.and_then(|owner| shares.get_mut(owner as usize)) {
                Some(share) => *share += arc,
                None => free += arc,
            }
        }
        for (share, weight) in shares.iter_mut().zip(&self.weights) {
            *share += free * weight;
        }
        shares
    }
}

/// Who answers for each point: its server, or that of the next point whose server is up, 20 steps ahead at most.
fn owners(ring: &Ring, usable: impl Fn(usize) -> bool) -> Vec<Option<u32>> {
    let points = ring.points();
    let mut owners = vec![None; points.len()];
    let mut next: Option<(u32, u32)> = None;
    // Twice around, so that the last points know of the first.
    for at in (0..points.len()).rev().chain((0..points.len()).rev()) {
        let owner = points[at].1;
        next = match next {
            _ if usable(owner as usize) => Some((owner, 0)),
            Some((ahead, steps)) if steps < TRIES => Some((ahead, steps + 1)),
            _ => None,
        };
        owners[at] = next.map(|(owner, _)| owner);
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

/// The first `count` picks of smooth weighted round robin over `members`, pairs of endpoint and weight.
pub(super) fn smooth(members: &[(usize, u32)], count: usize) -> Vec<usize> {
    let total: i64 = members.iter().map(|&(_, weight)| i64::from(weight)).sum();
    let mut scores = vec![0_i64; members.len()];
    let mut picks = Vec::with_capacity(count);
    for _ in 0..count {
        let mut best: Option<(i64, usize)> = None;
        for (at, score) in scores.iter_mut().enumerate() {
            *score += i64::from(members[at].1);
            if best.is_none_or(|(most, _)| *score > most) {
                best = Some((*score, at));
            }
        }
        let Some((_, at)) = best else { break };
        scores[at] -= total;
        picks.push(members[at].0);
    }
    picks
}

/// `random two` while no request is in flight: on a tie the second draw wins, and after 21 draws of the first
/// server again, round robin decides.
pub(super) fn random_two_idle(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let part = |weight: f64| weight / total;
    let live = || weights.iter().filter(|weight| **weight > 0.0);
    // Σ over i of p(i)·(1 − p(i)²¹) / (W − w(i)), from which each j leaves its own term out.
    let term = |weight: f64| {
        let rest = total - weight;
        if rest > 0.0 { part(weight) * (1.0 - part(weight).powi(21)) / rest } else { 0.0 }
    };
    let terms: f64 = live().map(|&weight| term(weight)).sum();
    let fallback: f64 = live().map(|&weight| part(weight).powi(22)).sum();
    weights.iter().map(|&weight| weight * (terms - term(weight)) + fallback * part(weight)).collect()
}

/// The bucket of nginx `split_clients`: the index of the share that `key` falls into, `None` beyond all of them.
/// Shares are in hundredths of a percent; the last, `*`, is what is beyond.
#[must_use]
pub fn split_clients(key: &[u8], shares: &[u32]) -> Option<usize> {
    let hash = u64::from(hash::murmur2_32(key));
    let mut sum = 0_u64;
    shares.iter().position(|&share| {
        sum += u64::from(share) * u64::from(u32::MAX) / 10_000;
        hash < sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(weights: &[u32], count: usize) -> Vec<usize> {
        let members: Vec<(usize, u32)> =
            weights.iter().enumerate().map(|(at, &weight)| (at + 1, weight)).collect();
        smooth(&members, count)
    }

    #[test]
    fn smooth_round_robin_gives_the_known_orders() {
        assert_eq!(sequence(&[5, 1, 1], 7), [1, 1, 2, 1, 3, 1, 1]);
        assert_eq!(sequence(&[3, 2, 1], 6), [1, 2, 1, 3, 2, 1]);
        assert_eq!(sequence(&[1, 2, 3, 4], 10), [4, 3, 2, 4, 1, 3, 4, 2, 3, 4]);
    }

    #[test]
    fn two_random_draws_distort_weights_as_measured() {
        let shares = |weights: &[f64]| -> Vec<f64> {
            random_two_idle(weights).iter().map(|share| (share * 100.0).round()).collect()
        };
        assert_eq!(shares(&[3.0, 2.0, 1.0]), [35.0, 40.0, 25.0]);
        assert_eq!(shares(&[5.0, 1.0, 1.0]), [24.0, 38.0, 38.0]);
        assert_eq!(shares(&[1.0, 1.0, 100.0]), [17.0, 17.0, 65.0]);
        assert_eq!(shares(&[1.0, 1.0]), [50.0, 50.0]);
    }

    #[test]
    fn split_clients_gives_the_measured_counts() {
        let mut counts = [0; 3];
        for id in 0..2000 {
            let bucket = split_clients(format!("id-{id}").as_bytes(), &[1000, 2000]);
            counts[bucket.unwrap_or(2)] += 1;
        }
        assert_eq!(counts, [166, 399, 1435]);
    }

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
