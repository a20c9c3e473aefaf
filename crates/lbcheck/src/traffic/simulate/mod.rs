//! Shares of algorithms that go by load, between idle and saturated: a simulation with a seed of its own.
//!
//! A closed loop: so many clients, each of which sends its next request when the last one is answered, and
//! requests that all take the same time, give or take a twentieth. Nothing but the seed is random, and nothing
//! asks a clock.

pub(super) mod group;
pub(super) mod random;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use group::{Chosen, Group, Time};
use random::Random;

use super::proxies::Proxy;
use crate::dialect::Version;
use crate::model::{Algorithm, Endpoint, HashTable, Pool};

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
/// Requests counted, in as many batches as make the interval.
const BATCHES: usize = 20;
const BATCH: usize = 1_000;
/// The 97.5 % point of Student's t with 19 degrees of freedom.
const STUDENT: f64 = 2.093;

/// Whether what the pool does depends on how many requests are in flight.
pub(super) fn goes_by_load(pool: &Pool) -> bool {
    let limited = || pool.endpoints.iter().any(|endpoint| endpoint.most_requests().is_some());
    match &pool.algorithm.value {
        Algorithm::LeastConnections { .. } | Algorithm::First => true,
        Algorithm::Random { draws, .. } => *draws > 1 || limited(),
        // A map of HAProxy takes a factor and does not look at it.
        Algorithm::Hash { balance_factor, table, .. } => *balance_factor > 0 && *table != HashTable::Map,
        Algorithm::RoundRobin | Algorithm::StaticRoundRobin => limited(),
        _ => false,
    }
}

/// Simulates `clients` at once. `None`: the pool does not go by load, or it is not one that is simulated.
pub(super) fn simulate(
    proxy: &dyn Proxy,
    version: Version,
    pool: &Pool,
    clients: u32,
    seed: u64,
) -> Option<Simulated> {
    let unlike = |endpoint: &Endpoint| endpoint.slots > 1 || endpoint.expands;
    if !goes_by_load(pool) || clients == 0 || pool.endpoints.iter().any(unlike) {
        return None;
    }
    let groups = proxy.groups(version, pool)?;
    let mut run = Run::new(groups, clients.min(MOST_CLIENTS), seed, !proxy.queues());
    Some(run.shares(pool.endpoints.len()))
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
    /// What finds nobody is refused, and waits nowhere.
    refuses: bool,
}

impl Run {
    fn new(groups: Vec<Group>, clients: u32, seed: u64, refuses: bool) -> Self {
        Self {
            groups,
            random: Random::new(seed),
            answers: BinaryHeap::new(),
            waiting: VecDeque::new(),
            turn: 0,
            now: 0.0,
            clients,
            refuses,
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
        let Group { members, chooser, .. } = &mut self.groups[group];
        match chooser.choose(members, &mut self.random) {
            Chosen::Member(at) => self.start(group, at),
            Chosen::Wait if self.refuses => {}
            Chosen::Wait => self.waiting.push_back(group),
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
