//! Who is next: nginx's smooth round robin, and `random two` of an idle upstream.

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
}
