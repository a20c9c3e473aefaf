//! How the proxies choose among servers by what these are busy with, one request after the other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Group;
use super::random::Random;

/// How the next endpoint is chosen. Members are those that serve.
pub(super) enum Chooser {
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
pub(super) struct Time(pub(super) f64);

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
pub(super) struct Smooth(pub(super) Vec<f64>);

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
pub(super) struct Member {
    pub(super) index: usize,
    pub(super) weight: f64,
    /// Requests at once; `u64::MAX`: no limit.
    pub(super) limit: u64,
    pub(super) in_flight: u64,
    /// Requests since the beginning.
    pub(super) count: u64,
    /// When it last changed its place among equals.
    pub(super) moved: u64,
}

impl Member {
    fn has_room(&self) -> bool {
        self.in_flight < self.limit
    }
}

/// Who serves a request.
pub(super) enum Picked {
    Member(usize),
    /// Nobody has room, or the one that was chosen has none: it waits for whoever is free first.
    Wait,
}

pub(super) fn pick(group: &mut Group, random: &mut Random) -> Picked {
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
