//! How HAProxy chooses among servers by what these are busy with.

use std::collections::BTreeMap;

use super::tables;
use crate::dialect::Version;
use crate::model::{Algorithm, Pool};
use crate::traffic::key_table::Table;
use crate::traffic::serving::by_id;
use crate::traffic::simulate::group::{Chooser, Chosen, Group, Member, draw};
use crate::traffic::simulate::random::Random;

/// Smooth weighted round robin, with running scores, in which a server that is full keeps its place and is next once
/// it has room.
struct RoundRobin(Vec<f64>);

/// `leastconn`.
struct LeastConnections {
    by_chance: bool,
}

/// `random`: draws on arcs of the ring; what is chosen is not left again.
struct Draws {
    arcs: Vec<f64>,
    draws: u32,
    ties_by_count: bool,
}

/// `first`, members sorted by id.
struct First;

/// The ring with a bound: owners of points in order, with the running sum of the arcs that lead to them.
struct BoundedRing {
    points: Vec<(f64, usize)>,
    factor: u64,
}

pub(super) fn groups(version: Version, pool: &Pool, mut serving: Vec<usize>) -> Option<Vec<Group>> {
    if serving.len() < 2 {
        return None;
    }
    if pool.algorithm.value == Algorithm::First {
        serving = by_id(pool, serving);
    }
    let members = Member::idle(pool, &serving)?;
    let chooser: Box<dyn Chooser> = match &pool.algorithm.value {
        Algorithm::RoundRobin | Algorithm::StaticRoundRobin => Box::new(RoundRobin(vec![0.0; members.len()])),
        Algorithm::LeastConnections { .. } => {
            Box::new(LeastConnections { by_chance: version >= Version::new(3, 2) })
        }
        Algorithm::Random { draws, .. } => {
            let shares = tables::ring(version, pool, &serving).ok()?.shares(pool.endpoints.len());
            Box::new(Draws {
                arcs: serving.iter().map(|&index| shares.get(index).copied().unwrap_or(0.0)).collect(),
                draws: (*draws).clamp(1, 100),
                ties_by_count: version >= Version::new(3, 4),
            })
        }
        Algorithm::First => Box::new(First),
        Algorithm::Hash { balance_factor, .. } => {
            let Table::Ring(ring) = tables::ring(version, pool, &serving).ok()? else { return None };
            let place: BTreeMap<usize, usize> =
                serving.iter().enumerate().map(|(at, &index)| (index, at)).collect();
            let points = ring.points().iter().zip(ring.arcs());
            let points = points.filter_map(|(&(_, owner), arc)| Some((arc, *place.get(&(owner as usize))?)));
            // Where requests fall on the ring, as running sums.
            let mut sum = 0.0;
            let points = points.map(|(arc, at)| {
                sum += arc;
                (sum, at)
            });
            Box::new(BoundedRing { points: points.collect(), factor: u64::from(*balance_factor) })
        }
        _ => return None,
    };
    Some(vec![Group::new(1.0, members, chooser)])
}

impl Chooser for RoundRobin {
    fn choose(&mut self, members: &[Member], _: &mut Random) -> Chosen {
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
            return Chosen::Wait;
        };
        self.0[best] -= total;
        Chosen::Member(best)
    }
}

impl Chooser for LeastConnections {
    fn choose(&mut self, members: &[Member], random: &mut Random) -> Chosen {
        // HAProxy's own integer arithmetic: weights count sixteenfold, and an idle server goes before all others.
        let key = |member: &Member| match member.in_flight {
            0 => 0,
            in_flight => (in_flight + 1) * 4096 / (16 * member.weight.max(1.0) as u64),
        };
        let open = || (0..members.len()).filter(|&at| members[at].has_room());
        let Some(least) = open().map(|at| key(&members[at])).min() else { return Chosen::Wait };
        let mut tied = open().filter(|&at| key(&members[at]) == least);
        if !self.by_chance {
            return tied.min_by_key(|&at| members[at].moved).into();
        }
        let tied: Vec<usize> = tied.by_ref().collect();
        tied.get(random.below(tied.len() as u64) as usize).copied().into()
    }
}

impl Chooser for Draws {
    /// What is drawn is kept, full or not; the request then waits for any server.
    fn choose(&mut self, members: &[Member], random: &mut Random) -> Chosen {
        let mut best: Option<usize> = None;
        for _ in 0..self.draws {
            let at = draw(&self.arcs, random);
            let better = best.is_none_or(|best| {
                let (old, new) = (&members[best], &members[at]);
                let (was, is) = (old.in_flight as f64 * new.weight, new.in_flight as f64 * old.weight);
                // Of equals the later one is kept, or from 3.4 on the one with fewer requests for its weight.
                let tie = if self.ties_by_count {
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
        best.filter(|&at| members[at].has_room()).into()
    }
}

impl Chooser for First {
    fn choose(&mut self, members: &[Member], _: &mut Random) -> Chosen {
        members.iter().position(Member::has_room).into()
    }
}

impl Chooser for BoundedRing {
    fn choose(&mut self, members: &[Member], random: &mut Random) -> Chosen {
        let total: u64 = members.iter().map(|member| member.in_flight).sum();
        let weights: u64 = members.iter().map(|member| member.weight as u64).sum();
        let slots = ((total + 1) * self.factor).div_ceil(100);
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
        let start = self.points.partition_point(|&(sum, _)| sum <= hash);
        let around = (0..self.points.len()).map(|step| self.points[(start + step) % self.points.len()].1);
        let mut owner = None;
        for at in around {
            owner = owner.or(Some(at));
            if may(at) {
                return Chosen::Member(at);
            }
        }
        owner.into()
    }
}
