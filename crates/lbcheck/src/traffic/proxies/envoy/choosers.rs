//! How Envoy chooses among hosts by what these are busy with.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::levels;
use super::tables::Levels;
use crate::model::{Algorithm, Pool};
use crate::traffic::key_table::KeyTable;
use crate::traffic::simulate::group::{Chooser, Chosen, Group, Member, Time, draw};
use crate::traffic::simulate::random::Random;

/// LEAST_REQUEST over equal weights: so many hosts are compared; `None`: all of them.
struct FewestOf(Option<u32>);

/// LEAST_REQUEST over unequal weights.
struct Earliest {
    queue: BinaryHeap<Reverse<(Time, u64, usize)>>,
    now: f64,
    turn: u64,
    bias: f64,
}

/// A hash with a bound: shares of the table.
struct BoundedHash {
    arcs: Vec<f64>,
    factor: f64,
}

pub(super) fn groups(pool: &Pool) -> Option<Vec<Group>> {
    // Localities with weights of their own are chosen first, which is not simulated.
    if pool.locality_weighted.is_some() {
        return None;
    }
    let shares = match pool.algorithm.value {
        Algorithm::Hash { .. } => Levels::new(pool).ok()?.shares(pool.endpoints.len()),
        _ => Vec::new(),
    };
    let mut groups = Vec::new();
    for level in levels::levels(pool).into_iter().filter(|level| level.load > 0) {
        let members = Member::idle(pool, &level.hosts)?;
        let equal = members.windows(2).all(|pair| pair[0].weight == pair[1].weight);
        let chooser: Box<dyn Chooser> = match &pool.algorithm.value {
            Algorithm::LeastConnections { choices, .. } if equal => Box::new(FewestOf(*choices)),
            Algorithm::LeastConnections { bias_milli, .. } => {
                let queue = members
                    .iter()
                    .enumerate()
                    .map(|(at, member)| Reverse((Time(1.0 / member.weight.max(1.0)), at as u64, at)));
                Box::new(Earliest {
                    queue: queue.collect(),
                    now: 0.0,
                    turn: members.len() as u64,
                    bias: f64::from(*bias_milli) / 1000.0,
                })
            }
            Algorithm::Hash { balance_factor, .. } => {
                let total: f64 = level.hosts.iter().filter_map(|&index| shares.get(index)).sum();
                let arc = |index: &usize| shares.get(*index).map_or(0.0, |share| share / total);
                Box::new(BoundedHash {
                    arcs: level.hosts.iter().map(arc).collect(),
                    factor: f64::from(*balance_factor) / 100.0,
                })
            }
            _ => return None,
        };
        groups.push(Group::new(f64::from(level.load) / 100.0, members, chooser));
    }
    (!groups.is_empty()).then_some(groups)
}

impl Chooser for FewestOf {
    fn choose(&mut self, members: &[Member], random: &mut Random) -> Chosen {
        let Some(choices) = self.0 else {
            let least = members.iter().map(|member| member.in_flight).min();
            let Some(fewest) = least else { return Chosen::Wait };
            let tied: Vec<usize> = (0..members.len()).filter(|&at| members[at].in_flight == fewest).collect();
            return tied.get(random.below(tied.len() as u64) as usize).copied().into();
        };
        let mut best: Option<usize> = None;
        for _ in 0..choices.clamp(1, 10_000) {
            let at = random.below(members.len() as u64) as usize;
            if best.is_none_or(|best| members[at].in_flight < members[best].in_flight) {
                best = Some(at);
            }
        }
        best.into()
    }
}

impl Chooser for Earliest {
    fn choose(&mut self, members: &[Member], _: &mut Random) -> Chosen {
        let Some(Reverse((deadline, _, at))) = self.queue.pop() else { return Chosen::Wait };
        self.now = deadline.0;
        self.turn += 1;
        let active = members[at].in_flight as f64 + 1.0;
        let weight = members[at].weight / active.powf(self.bias);
        self.queue.push(Reverse((Time(self.now + 1.0 / weight.max(1e-9)), self.turn, at)));
        Chosen::Member(at)
    }
}

impl Chooser for BoundedHash {
    fn choose(&mut self, members: &[Member], random: &mut Random) -> Chosen {
        let total: u64 = members.iter().map(|member| member.in_flight).sum();
        let weights: f64 = members.iter().map(|member| member.weight).sum();
        let slots = |at: usize| {
            let part = members[at].weight / weights;
            (self.factor * (total as f64 + 1.0) * part).ceil().max(1.0)
        };
        let strain = |at: usize| members[at].in_flight as f64 / slots(at);
        let owner = draw(&self.arcs, random);
        if strain(owner) < 1.0 {
            return Chosen::Member(owner);
        }
        // The others in an order of the key's own.
        let mut order: Vec<usize> = (0..members.len()).filter(|&at| at != owner).collect();
        let mut least = owner;
        for place in 0..order.len() {
            let other = place + random.below((order.len() - place) as u64) as usize;
            order.swap(place, other);
            let at = order[place];
            if strain(at) < 1.0 {
                return Chosen::Member(at);
            }
            if strain(at) < strain(least) {
                least = at;
            }
        }
        Chosen::Member(least)
    }
}
