//! How nginx chooses among servers by what these are busy with.

use crate::model::{Algorithm, Pool};
use crate::traffic::simulate::group::{Chooser, Chosen, Group, Member, draw};
use crate::traffic::simulate::random::Random;

/// Running scores of smooth weighted round robin.
struct Smooth(Vec<f64>);

/// `least_conn`, ties by round robin.
struct LeastConnections(Smooth);

/// `random two`.
struct Two(Smooth);

pub(super) fn groups(pool: &Pool, serving: &[usize]) -> Option<Vec<Group>> {
    if serving.len() < 2 {
        return None;
    }
    let members = Member::idle(pool, serving)?;
    let smooth = Smooth(vec![0.0; members.len()]);
    let chooser: Box<dyn Chooser> = match &pool.algorithm.value {
        Algorithm::RoundRobin => Box::new(smooth),
        Algorithm::Random { draws: 2.., .. } => Box::new(Two(smooth)),
        Algorithm::LeastConnections { .. } => Box::new(LeastConnections(smooth)),
        _ => return None,
    };
    Some(vec![Group::new(1.0, members, chooser)])
}

impl Smooth {
    /// Whose turn it is of those that `may` take it.
    fn next(&mut self, members: &[Member], may: impl Fn(usize) -> bool) -> Option<usize> {
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
}

impl Chooser for Smooth {
    fn choose(&mut self, members: &[Member], _: &mut Random) -> Chosen {
        self.next(members, |at| members[at].has_room()).into()
    }
}

impl Chooser for LeastConnections {
    fn choose(&mut self, members: &[Member], _: &mut Random) -> Chosen {
        let strain = |member: &Member| member.in_flight as f64 / member.weight.max(1.0);
        let least = members.iter().filter(|member| member.has_room()).map(strain);
        let least = least.fold(f64::INFINITY, f64::min);
        self.0.next(members, |at| members[at].has_room() && strain(&members[at]) <= least).into()
    }
}

impl Chooser for Two {
    fn choose(&mut self, members: &[Member], random: &mut Random) -> Chosen {
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
            return Chosen::Member(if fewer { earlier } else { at });
        }
        self.0.next(members, |at| members[at].has_room()).into()
    }
}
