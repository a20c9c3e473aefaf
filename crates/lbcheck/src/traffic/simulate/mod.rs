//! Shares of algorithms that go by load, between idle and saturated: a simulation with a seed of its own.
//!
//! A closed loop: so many clients, each of which sends its next request when the last one is answered, and
//! requests that all take the same time, give or take a twentieth. Nothing but the seed is random, and nothing
//! asks a clock.

mod choose;
mod random;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use choose::{Chooser, Member, Picked, Smooth, Time, pick};
use random::Random;

use super::envoy;
use super::haproxy;
use super::placement::Placement;
use super::scenario::endpoint_limit;
use super::shares::{ids, serving_tier};
use crate::dialect::{Dialect, Version};
use crate::model::{Algorithm, HashTable, Pool};

/// What a simulation found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Simulated {
    /// Of all requests that are served.
    pub(super) shares: Vec<f64>,
    /// Half the width of the 95 % interval of each share.
    pub(super) half_width: Vec<f64>,
}

/// Clients that are simulated; with more of them shares no longer change.
pub(super) const MOST_CLIENTS: u32 = 5_000;
/// Endpoints that are simulated.
const MOST_ENDPOINTS: usize = 500;
/// Requests counted, in as many batches as make the interval.
const BATCHES: usize = 20;
const BATCH: usize = 1_000;
/// The 97.5 % point of Student's t with 19 degrees of freedom.
const STUDENT: f64 = 2.093;

/// Members that share one part of the load, with what chooses among them.
struct Group {
    load: f64,
    members: Vec<Member>,
    chooser: Chooser,
}

/// Whether what the pool does depends on how many requests are in flight.
pub(super) fn goes_by_load(dialect: Dialect, pool: &Pool) -> bool {
    let limited = || pool.endpoints.iter().any(|endpoint| endpoint_limit(endpoint).is_some());
    match &pool.algorithm.value {
        Algorithm::LeastConnections { .. } | Algorithm::First => true,
        Algorithm::Random { draws, .. } => *draws > 1 && dialect != Dialect::Envoy || limited(),
        // A map of HAProxy takes a factor and does not look at it.
        Algorithm::Hash { balance_factor, table, .. } => *balance_factor > 0 && *table != HashTable::Map,
        Algorithm::RoundRobin | Algorithm::StaticRoundRobin => limited(),
        _ => false,
    }
}

/// Simulates `clients` at once. `None`: the pool does not go by load, or it is not one that is simulated.
pub(super) fn simulate(
    dialect: Dialect,
    version: Version,
    pool: &Pool,
    clients: u32,
    seed: u64,
) -> Option<Simulated> {
    if !goes_by_load(dialect, pool) || clients == 0 {
        return None;
    }
    let groups = groups(dialect, version, pool)?;
    let mut run = Run::new(groups, clients.min(MOST_CLIENTS), seed, dialect);
    Some(run.shares(pool.endpoints.len()))
}

fn member(pool: &Pool, index: usize) -> Member {
    let endpoint = &pool.endpoints[index];
    Member {
        index,
        weight: f64::from(endpoint.weight.value),
        limit: endpoint_limit(endpoint).unwrap_or(u64::MAX),
        in_flight: 0,
        count: 0,
        moved: 0,
    }
}

fn groups(dialect: Dialect, version: Version, pool: &Pool) -> Option<Vec<Group>> {
    if pool.endpoints.iter().any(|endpoint| endpoint.slots > 1 || endpoint.expands) {
        return None;
    }
    if dialect == Dialect::Envoy {
        return envoy_groups(version, pool);
    }
    let mut serving = serving_tier(dialect, pool);
    if serving.len() < 2 || serving.len() > MOST_ENDPOINTS {
        return None;
    }
    if pool.algorithm.value == Algorithm::First {
        let ids = ids(pool);
        serving.sort_by_key(|&index| (ids[index], index));
    }
    let members: Vec<Member> = serving.iter().map(|&index| member(pool, index)).collect();
    let smooth = || Smooth(vec![0.0; members.len()]);
    let among = |shares: Vec<f64>| -> Vec<f64> {
        serving.iter().map(|&index| shares.get(index).copied().unwrap_or(0.0)).collect()
    };
    let chooser = match (dialect, &pool.algorithm.value) {
        (Dialect::Nginx, Algorithm::RoundRobin) => Chooser::RoundRobin(smooth()),
        (_, Algorithm::RoundRobin | Algorithm::StaticRoundRobin) => Chooser::RoundRobinInPlace(smooth()),
        (Dialect::Nginx, Algorithm::Random { draws: 0 | 1, .. }) => return None,
        (Dialect::Nginx, Algorithm::Random { .. }) => Chooser::TwoNginx(smooth()),
        (Dialect::Nginx, Algorithm::LeastConnections { .. }) => Chooser::LeastNginx(smooth()),
        (_, Algorithm::LeastConnections { .. }) => {
            Chooser::LeastHaProxy { by_chance: version >= Version::new(3, 2) }
        }
        (_, Algorithm::Random { draws, .. }) => Chooser::Draws {
            arcs: among(haproxy::ring(version, pool, &serving).ok()?.shares(pool.endpoints.len())),
            draws: (*draws).clamp(1, 100),
            ties_by_count: version >= Version::new(3, 4),
        },
        (_, Algorithm::First) => Chooser::First,
        (Dialect::HaProxy, Algorithm::Hash { balance_factor, .. }) => {
            let super::table::Table::Ring(ring) = haproxy::ring(version, pool, &serving).ok()? else {
                return None;
            };
            let place: BTreeMap<usize, usize> =
                serving.iter().enumerate().map(|(at, &index)| (index, at)).collect();
            let points = ring.points().iter().zip(ring.arcs());
            let points = points.filter_map(|(&(_, owner), arc)| Some((arc, *place.get(&(owner as usize))?)));
            // Where requests fall on the ring, as running sums.
            let mut sum = 0.0;
            let points = points
                .map(|(arc, at)| {
                    sum += arc;
                    (sum, at)
                })
                .collect();
            Chooser::BoundedRing { points, factor: u64::from(*balance_factor) }
        }
        _ => return None,
    };
    Some(vec![Group { load: 1.0, members, chooser }])
}

fn envoy_groups(version: Version, pool: &Pool) -> Option<Vec<Group>> {
    // Localities with weights of their own are chosen first, which is not simulated.
    if pool.locality_weighted.is_some() {
        return None;
    }
    let placed = Placement::of(Dialect::Envoy, version, pool);
    let mut groups = Vec::new();
    for level in envoy::levels(pool) {
        if level.load == 0 {
            continue;
        }
        if level.hosts.is_empty() || level.hosts.len() > MOST_ENDPOINTS {
            return None;
        }
        let members: Vec<Member> = level.hosts.iter().map(|&index| member(pool, index)).collect();
        let equal = members.windows(2).all(|pair| pair[0].weight == pair[1].weight);
        let chooser = match &pool.algorithm.value {
            Algorithm::LeastConnections { choices, .. } if equal => Chooser::FewestOf(*choices),
            Algorithm::LeastConnections { bias_milli, .. } => {
                let queue = members
                    .iter()
                    .enumerate()
                    .map(|(at, member)| Reverse((Time(1.0 / member.weight.max(1.0)), at as u64, at)));
                Chooser::Earliest {
                    queue: queue.collect(),
                    now: 0.0,
                    turn: members.len() as u64,
                    bias: f64::from(*bias_milli) / 1000.0,
                }
            }
            Algorithm::Hash { balance_factor, .. } => {
                let shares = placed.as_ref().ok()?.shares();
                let total: f64 = level.hosts.iter().filter_map(|&index| shares.get(index)).sum();
                let arc = |index: &usize| shares.get(*index).map_or(0.0, |share| share / total);
                Chooser::BoundedHash {
                    arcs: level.hosts.iter().map(arc).collect(),
                    factor: f64::from(*balance_factor) / 100.0,
                }
            }
            _ => return None,
        };
        groups.push(Group { load: f64::from(level.load) / 100.0, members, chooser });
    }
    (!groups.is_empty()).then_some(groups)
}

struct Run {
    groups: Vec<Group>,
    random: Random,
    /// Answers to come: when, in which order, group and member.
    answers: BinaryHeap<Reverse<(Time, u64, usize, usize)>>,
    /// Requests that wait, by group.
    waiting: VecDeque<usize>,
    turn: u64,
    now: f64,
    clients: u32,
    /// What is refused waits nowhere (nginx).
    refuses: bool,
}

impl Run {
    fn new(groups: Vec<Group>, clients: u32, seed: u64, dialect: Dialect) -> Self {
        Self {
            groups,
            random: Random::new(seed),
            answers: BinaryHeap::new(),
            waiting: VecDeque::new(),
            turn: 0,
            now: 0.0,
            clients,
            refuses: dialect == Dialect::Nginx,
        }
    }

    /// Counts batches of requests after a start of the same length in which the pool settles.
    fn shares(&mut self, endpoints: usize) -> Simulated {
        for client in 0..self.clients {
            // Clients do not begin at the same moment.
            self.now = f64::from(client) / f64::from(self.clients);
            self.request();
        }
        let settle = (4 * self.clients as usize).max(BATCH);
        let mut counts = vec![0_u64; endpoints];
        self.serve(settle, &mut counts);
        let mut sums = vec![0.0; endpoints];
        let mut squares = vec![0.0; endpoints];
        let batch = BATCH.max(self.clients as usize);
        for _ in 0..BATCHES {
            counts.iter_mut().for_each(|count| *count = 0);
            let served = self.serve(batch, &mut counts).max(1) as f64;
            for (at, count) in counts.iter().enumerate() {
                let share = *count as f64 / served;
                sums[at] += share;
                squares[at] += share * share;
            }
        }
        let batches = BATCHES as f64;
        let shares: Vec<f64> = sums.iter().map(|sum| sum / batches).collect();
        let half_width = shares.iter().zip(&squares).map(|(mean, squares)| {
            let variance = ((squares - batches * mean * mean) / (batches - 1.0)).max(0.0);
            STUDENT * (variance / batches).sqrt()
        });
        let half_width = half_width.collect();
        Simulated { shares, half_width }
    }

    /// Lets `requests` be answered, and counts by whom. Returns how many were.
    fn serve(&mut self, requests: usize, counts: &mut [u64]) -> usize {
        for served in 0..requests {
            let Some(Reverse((at, _, group, member))) = self.answers.pop() else { return served };
            self.now = at.0;
            let free = &mut self.groups[group].members[member];
            free.in_flight -= 1;
            free.moved = self.turn;
            if let Some(count) = counts.get_mut(free.index) {
                *count += 1;
            }
            // Who waits goes first, then the client that was answered asks again.
            if let Some(place) = self.waiting.iter().position(|waiting| *waiting == group) {
                self.waiting.remove(place);
                self.start(group, member);
            }
            self.request();
        }
        requests
    }

    fn start(&mut self, group: usize, at: usize) {
        self.turn += 1;
        let member = &mut self.groups[group].members[at];
        member.in_flight += 1;
        member.count += 1;
        member.moved = self.turn;
        let time = 0.95 + 0.1 * self.random.part();
        self.answers.push(Reverse((Time(self.now + time), self.turn, group, at)));
    }

    fn request(&mut self) {
        let group = self.group();
        match pick(&mut self.groups[group], &mut self.random) {
            Picked::Member(at) => self.start(group, at),
            Picked::Wait if self.refuses => {}
            Picked::Wait => self.waiting.push_back(group),
        }
    }

    fn group(&mut self) -> usize {
        if self.groups.len() == 1 {
            return 0;
        }
        let mut draw = self.random.part();
        for (at, group) in self.groups.iter().enumerate() {
            if draw < group.load {
                return at;
            }
            draw -= group.load;
        }
        self.groups.len() - 1
    }
}
