//! How far a count may be from what is predicted, when chance decides.

/// The chance that a whole scenario is called wrong though its prediction is right: so small that a run of a hundred
/// such scenarios fails without reason once in a thousand runs.
pub const ERROR: f64 = 1e-5;

/// Logarithms of factorials up to a number, from which binomial probabilities are made.
pub struct Binomial {
    logarithms: Vec<f64>,
}

impl Binomial {
    /// For up to `most` draws.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let mut logarithms = Vec::with_capacity(most + 1);
        let mut sum = 0.0;
        logarithms.push(sum);
        for number in 1..=most {
            sum += (number as f64).ln();
            logarithms.push(sum);
        }
        Self { logarithms }
    }

    /// The chance of exactly `hits` in `draws`, each of chance `share`, strictly between 0 and 1.
    fn chance(&self, draws: usize, hits: usize, share: f64) -> f64 {
        let ways = self.logarithms[draws] - self.logarithms[hits] - self.logarithms[draws - hits];
        (ways + hits as f64 * share.ln() + (draws - hits) as f64 * (1.0 - share).ln()).exp()
    }

    /// The smallest and largest count that `draws` give, but for a chance of `error` that is halved between both
    /// ends: the exact binomial interval.
    #[must_use]
    pub fn interval(&self, draws: usize, share: f64, error: f64) -> (usize, usize) {
        if share <= 0.0 || draws == 0 {
            return (0, 0);
        }
        if share >= 1.0 {
            return (draws, draws);
        }
        let end = |counts: &mut dyn Iterator<Item = usize>| {
            let mut sum = 0.0;
            let mut last = 0;
            for hits in counts {
                last = hits;
                sum += self.chance(draws, hits, share);
                if sum > error / 2.0 {
                    break;
                }
            }
            last
        };
        (end(&mut (0..=draws)), end(&mut (0..=draws).rev()))
    }

    /// Intervals of several shares that hold together but for a chance of [`ERROR`] (Bonferroni): each that is not
    /// certain has its part of it.
    #[must_use]
    pub fn intervals(&self, draws: usize, shares: &[f64]) -> Vec<(usize, usize)> {
        let open = shares.iter().filter(|share| **share > 0.0 && **share < 1.0).count().max(1);
        let error = ERROR / open as f64;
        shares.iter().map(|&share| self.interval(draws, share, error)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_tables() {
        let binomial = Binomial::new(100);
        // R: qbinom(c(.025, .975), 100, .5) and qbinom(c(.005, .995), 20, .1).
        assert_eq!(binomial.interval(100, 0.5, 0.05), (40, 60));
        assert_eq!(binomial.interval(20, 0.1, 0.01), (0, 6));
        assert_eq!(binomial.interval(50, 0.0, 0.05), (0, 0));
        assert_eq!(binomial.interval(50, 1.0, 0.05), (50, 50));
    }

    #[test]
    fn what_is_certain_takes_no_part_of_the_error() {
        let binomial = Binomial::new(1000);
        let both = binomial.intervals(1000, &[0.5, 0.5, 0.0]);
        assert_eq!(both[0], binomial.interval(1000, 0.5, ERROR / 2.0));
        assert_eq!(both[2], (0, 0));
    }
}
