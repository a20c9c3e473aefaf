//! Shares of algorithms that go by load, between idle and saturated: a simulation with a seed of its own.
//!
//! A closed loop: so many clients, each of which sends its next request when the last one is answered, and
//! requests that all take the same time, give or take a twentieth. Nothing but the seed is random, and nothing
//! asks a clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::envoy;
use super::haproxy;
use super::placement::Placement;
use super::scenario::endpoint_limit;
use super::shares::{ids, serving_tier};
use crate::dialect::{Dialect, Version};
use crate::model::{Algorithm, Pool};

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

/// SplitMix64 (Steele, Lea and Flood, 2014): one multiplication chain, no state beyond a counter.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, which must not be 0. The bias of a 64-bit remainder is far below what is counted here.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How the next endpoint is chosen. Members are those that serve.
enum Chooser {
    /// Smooth weighted round robin over those with room.
    RoundRobin(Smooth),
    /// The same in HAProxy, where a server that is full keeps its place and is next once it has room.
    RoundRobinInPlace(Smooth),
    /// HAProxy `leastconn`.
    LeastHaProxy { by_chance: bool },
    /// nginx `least_conn`, ties by round robin.
    LeastNginx(Smooth),
    /// HAProxy `random`: draws on arcs of the ring; what is chosen is not left again.
    Draws { arcs: Vec<f64>, draws: u32, ties_by_count: bool },
    /// nginx `random two`.
    TwoNginx(Smooth),
    /// HAProxy `first`, members sorted by id.
    First,
    /// HAProxy's ring with a bound: owners of points in order, with the arc that leads to each.
    BoundedRing { points: Vec<(f64, usize)>, factor: u64 },
    /// Envoy LEAST_REQUEST over equal weights; `None`: all are compared.
    FewestOf(Option<u32>),
    /// Envoy LEAST_REQUEST over unequal weights.
    Earliest { queue: BinaryHeap<Reverse<(Time, u64, usize)>>, now: f64, turn: u64, bias: f64 },
    /// Envoy's hash with a bound: shares of the table.
    BoundedHash { arcs: Vec<f64>, factor: f64 },
}

/// A deadline that can be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Time(f64);

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Running scores of smooth weighted round robin.
struct Smooth(Vec<f64>);

impl Smooth {
    fn pick(&mut self, members: &[Member], may: impl Fn(usize) -> bool) -> Option<usize> {
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for at in (0..members.len()).filter(|&at| may(at)) {
            self.0[at] += members[at].weight;
            total += members[at].weight;
            if best.is_none_or(|best| self.0[at] > self.0[best]) {
                best = Some(at);
            }
        }
        let best = best?;
        self.0[best] -= total;
        Some(best)
    }

    fn pick_in_place(&mut self, members: &[Member]) -> Option<usize> {
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for (at, member) in members.iter().enumerate() {
            self.0[at] += member.weight;
            total += member.weight;
            if member.has_room() && best.is_none_or(|best| self.0[at] > self.0[best]) {
                best = Some(at);
            }
        }
        // With nobody to take the turn it did not happen.
        let Some(best) = best else {
            self.0.iter_mut().zip(members).for_each(|(score, member)| *score -= member.weight);
            return None;
        };
        self.0[best] -= total;
        Some(best)
    }
}

#[derive(Clone, Debug)]
struct Member {
    index: usize,
    weight: f64,
    /// Requests at once; `u64::MAX`: no limit.
    limit: u64,
    in_flight: u64,
    /// Requests since the beginning.
    count: u64,
    /// When it last changed its place among equals.
    moved: u64,
}

impl Member {
    fn has_room(&self) -> bool {
        self.in_flight < self.limit
    }
}

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
        Algorithm::Hash { balance_factor, .. } => *balance_factor > 0,
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

/// Who serves a request.
enum Picked {
    Member(usize),
    /// Nobody has room, or the one that was chosen has none: it waits for whoever is free first.
    Wait,
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

fn pick(group: &mut Group, random: &mut Random) -> Picked {
    let Group { members, chooser, .. } = group;
    let picked = match chooser {
        Chooser::RoundRobin(smooth) => smooth.pick(members, |at| members[at].has_room()),
        Chooser::RoundRobinInPlace(smooth) => smooth.pick_in_place(members),
        Chooser::First => members.iter().position(Member::has_room),
        Chooser::LeastHaProxy { by_chance } => least_haproxy(members, *by_chance, random),
        Chooser::LeastNginx(smooth) => {
            let strain = |member: &Member| member.in_flight as f64 / member.weight.max(1.0);
            let least = members.iter().filter(|member| member.has_room()).map(strain);
            let least = least.fold(f64::INFINITY, f64::min);
            smooth.pick(members, |at| members[at].has_room() && strain(&members[at]) <= least)
        }
        Chooser::Draws { arcs, draws, ties_by_count } => {
            let drawn = draws_of(members, arcs, *draws, *ties_by_count, random);
            // What is drawn is kept, full or not; the request then waits for any server.
            return match drawn {
                Some(at) if members[at].has_room() => Picked::Member(at),
                _ => Picked::Wait,
            };
        }
        Chooser::TwoNginx(smooth) => two_nginx(members, smooth, random),
        Chooser::BoundedRing { points, factor } => bounded_ring(members, points, *factor, random),
        Chooser::FewestOf(choices) => fewest_of(members, *choices, random),
        Chooser::Earliest { queue, now, turn, bias } => {
            let popped = queue.pop().map(|Reverse((deadline, _, at))| (deadline, at));
            if let Some((deadline, at)) = popped {
                *now = deadline.0;
                *turn += 1;
                let active = members[at].in_flight as f64 + 1.0;
                let weight = members[at].weight / active.powf(*bias);
                queue.push(Reverse((Time(*now + 1.0 / weight.max(1e-9)), *turn, at)));
            }
            popped.map(|(_, at)| at)
        }
        Chooser::BoundedHash { arcs, factor } => bounded_hash(members, arcs, *factor, random),
    };
    picked.map_or(Picked::Wait, Picked::Member)
}

fn least_haproxy(members: &[Member], by_chance: bool, random: &mut Random) -> Option<usize> {
    // HAProxy's own integer arithmetic: weights count sixteenfold, and an idle server goes before all others.
    let key = |member: &Member| match member.in_flight {
        0 => 0,
        in_flight => (in_flight + 1) * 4096 / (16 * member.weight.max(1.0) as u64),
    };
    let open = || (0..members.len()).filter(|&at| members[at].has_room());
    let least = open().map(|at| key(&members[at])).min()?;
    let mut tied = open().filter(|&at| key(&members[at]) == least);
    if !by_chance {
        return tied.min_by_key(|&at| members[at].moved);
    }
    let tied: Vec<usize> = tied.by_ref().collect();
    tied.get(random.below(tied.len() as u64) as usize).copied()
}

/// A member drawn by its part.
fn draw(parts: &[f64], random: &mut Random) -> usize {
    let mut rest = random.part();
    for (at, part) in parts.iter().enumerate() {
        if rest < *part {
            return at;
        }
        rest -= part;
    }
    parts.len().saturating_sub(1)
}

fn draws_of(
    members: &[Member],
    arcs: &[f64],
    draws: u32,
    ties_by_count: bool,
    random: &mut Random,
) -> Option<usize> {
    let mut best: Option<usize> = None;
    for _ in 0..draws {
        let at = draw(arcs, random);
        let better = best.is_none_or(|best| {
            let (old, new) = (&members[best], &members[at]);
            let (was, is) = (old.in_flight as f64 * new.weight, new.in_flight as f64 * old.weight);
            // Of equals the later one is kept, or from 3.4 on the one with fewer requests for its weight.
            let tie = if ties_by_count {
                new.count as f64 * old.weight <= old.count as f64 * new.weight
            } else {
                true
            };
            is < was || (is <= was && tie)
        });
        if better {
            best = Some(at);
        }
    }
    best
}

fn two_nginx(members: &[Member], smooth: &mut Smooth, random: &mut Random) -> Option<usize> {
    let total: f64 = members.iter().map(|member| member.weight).sum();
    let parts: Vec<f64> = members.iter().map(|member| member.weight / total).collect();
    let mut first: Option<usize> = None;
    for _ in 0..22 {
        let at = draw(&parts, random);
        if !members[at].has_room() || first == Some(at) {
            continue;
        }
        let Some(earlier) = first else {
            first = Some(at);
            continue;
        };
        let (was, is) = (&members[earlier], &members[at]);
        // Of equals the second is kept.
        let fewer = was.in_flight as f64 * is.weight < is.in_flight as f64 * was.weight;
        return Some(if fewer { earlier } else { at });
    }
    smooth.pick(members, |at| members[at].has_room())
}

fn bounded_ring(
    members: &[Member],
    points: &[(f64, usize)],
    factor: u64,
    random: &mut Random,
) -> Option<usize> {
    let total: u64 = members.iter().map(|member| member.in_flight).sum();
    let weights: u64 = members.iter().map(|member| member.weight as u64).sum();
    let slots = ((total + 1) * factor).div_ceil(100);
    // Each server's part of the slots in whole numbers, such that all parts together are all slots, and never none.
    let mut before = 0;
    let mut part = |member: &Member| {
        let (from, to) = (before, before + member.weight as u64);
        before = to;
        (to * slots / weights.max(1) - from * slots / weights.max(1)).max(1)
    };
    let parts: Vec<u64> = members.iter().map(&mut part).collect();
    let may = |at: usize| members[at].in_flight < parts[at];
    let hash = random.part();
    let start = points.partition_point(|&(sum, _)| sum <= hash);
    let around = (0..points.len()).map(|step| points[(start + step) % points.len()].1);
    let mut owner = None;
    for at in around {
        owner = owner.or(Some(at));
        if may(at) {
            return Some(at);
        }
    }
    owner
}

fn fewest_of(members: &[Member], choices: Option<u32>, random: &mut Random) -> Option<usize> {
    let Some(choices) = choices else {
        let fewest = members.iter().map(|member| member.in_flight).min()?;
        let tied: Vec<usize> = (0..members.len()).filter(|&at| members[at].in_flight == fewest).collect();
        return tied.get(random.below(tied.len() as u64) as usize).copied();
    };
    let mut best: Option<usize> = None;
    for _ in 0..choices.clamp(1, 10_000) {
        let at = random.below(members.len() as u64) as usize;
        if best.is_none_or(|best| members[at].in_flight < members[best].in_flight) {
            best = Some(at);
        }
    }
    best
}

fn bounded_hash(members: &[Member], arcs: &[f64], factor: f64, random: &mut Random) -> Option<usize> {
    let total: u64 = members.iter().map(|member| member.in_flight).sum();
    let weights: f64 = members.iter().map(|member| member.weight).sum();
    let slots = |at: usize| {
        let part = members[at].weight / weights;
        (factor * (total as f64 + 1.0) * part).ceil().max(1.0)
    };
    let strain = |at: usize| members[at].in_flight as f64 / slots(at);
    let owner = draw(arcs, random);
    if strain(owner) < 1.0 {
        return Some(owner);
    }
    // The others in an order of the key's own.
    let mut order: Vec<usize> = (0..members.len()).filter(|&at| at != owner).collect();
    let mut least = owner;
    for place in 0..order.len() {
        let other = place + random.below((order.len() - place) as u64) as usize;
        order.swap(place, other);
        let at = order[place];
        if strain(at) < 1.0 {
            return Some(at);
        }
        if strain(at) < strain(least) {
            least = at;
        }
    }
    Some(least)
}
