//! Who is next: HAProxy's `roundrobin` and `leastconn`, request by request.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// The first `count` picks of `roundrobin` over `members`, pairs of endpoint and weight, all of weight above 0.
///
/// Every pick moves a server on by total/weight turns of the clock, remainders carried. A server whose next turn
/// lies beyond the cycle waits for the next one, in which the heaviest go first.
pub(super) fn round_robin(members: &[(usize, u32)], count: usize) -> Vec<usize> {
    let weights: Vec<i64> = members.iter().map(|&(_, weight)| 16 * i64::from(weight.max(1))).collect();
    let total: i64 = weights.iter().sum();
    let mut positions = vec![0_i64; members.len()];
    let mut remainders = vec![0_i64; members.len()];
    let mut current: BTreeSet<(i64, usize, usize)> = BTreeSet::new();
    let mut fresh: BTreeSet<(Reverse<i64>, usize, usize)> = BTreeSet::new();
    let mut waiting: BTreeSet<(Reverse<i64>, usize, usize)> =
        weights.iter().enumerate().map(|(member, &weight)| (Reverse(weight), member, member)).collect();
    let mut clock = total;
    let mut picks = Vec::with_capacity(count);
    // Of equal keys the one queued first is served first.
    for turn in members.len()..members.len().saturating_add(count) {
        let due = current.first().is_some_and(|&(_, _, member)| positions[member] <= clock);
        if current.is_empty() && fresh.is_empty() {
            fresh = std::mem::take(&mut waiting);
            clock = total;
        }
        let member = if !due && let Some((_, _, member)) = fresh.pop_first() {
            positions[member] = clock;
            member
        } else if let Some((_, _, member)) = current.pop_first() {
            member
        } else {
            break;
        };
        let weight = weights[member];
        positions[member] += total / weight;
        remainders[member] += total % weight;
        if remainders[member] >= weight {
            remainders[member] -= weight;
            positions[member] += 1;
        }
        if positions[member] >= 2 * total {
            waiting.insert((Reverse(weight), turn, member));
        } else {
            let key = 256 * positions[member] + (4096 + remainders[member] - weight).div_euclid(16);
            current.insert((key, turn, member));
        }
        clock += 1;
        picks.push(members[member].0);
    }
    picks
}

/// In flight on each server with `concurrency` requests of equal cost, under `leastconn`.
///
/// The smallest (in flight + 1) / weight is next, and an idle server goes before all others.
pub(super) fn least_connections(weights: &[u32], concurrency: u32) -> Vec<u32> {
    let key = |in_flight: u32, member: usize| match (in_flight, weights[member]) {
        (0, _) => 0,
        // HAProxy's own integer arithmetic: weights count sixteenfold.
        (in_flight, weight) => (u64::from(in_flight) + 1) * 4096 / (16 * u64::from(weight.max(1))),
    };
    let mut in_flight = vec![0_u32; weights.len()];
    let mut queue: BinaryHeap<Reverse<(u64, u32, usize)>> = BinaryHeap::new();
    queue.extend((0..weights.len()).filter(|&member| weights[member] > 0).map(|at| Reverse((0, 0, at))));
    for turn in 1..=concurrency {
        let Some(Reverse((_, _, member))) = queue.pop() else { break };
        in_flight[member] += 1;
        queue.push(Reverse((key(in_flight[member], member), turn, member)));
    }
    in_flight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_robin_gives_the_known_order() {
        let members = [(1, 10), (2, 20), (3, 30), (4, 40)];
        let order = [4, 3, 4, 2, 3, 4, 1, 4, 3, 2, 4, 3, 4, 2, 3, 4, 1, 4, 3, 2];
        assert_eq!(round_robin(&members, 20), order);
    }

    #[test]
    fn busy_servers_share_by_weight_but_an_idle_one_always_wins() {
        assert_eq!(least_connections(&[3, 2, 1], 30), [15, 10, 5]);
        assert_eq!(least_connections(&[1, 1, 100], 30), [1, 1, 28]);
        assert_eq!(least_connections(&[1, 1, 100], 3), [1, 1, 1]);
    }
}
