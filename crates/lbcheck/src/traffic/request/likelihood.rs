//! What is drawn by lot on a request's way, and how likely the way is.

use crate::arithmetic::lcm;
use crate::model::Condition;

/// The draws on one way.
#[derive(Clone, Debug)]
pub(super) struct Likelihood {
    /// The product of independent draws. `None`: something on the way is not known.
    factor: Option<f64>,
    /// What the one number that Envoy draws for a request must be.
    number: Vec<Residue>,
}

/// The number modulo `of` is from `from` up to, not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Residue {
    of: u64,
    from: u64,
    to: u64,
}

/// Largest common multiple of moduli that is counted through.
const MAX_MULTIPLE: u64 = 4_000_000;

impl Default for Likelihood {
    fn default() -> Self {
        Self { factor: Some(1.0), number: Vec::new() }
    }
}

impl Likelihood {
    /// The share of requests that take this way; `None`: not known.
    pub(super) fn share(&self) -> Option<f64> {
        Some(self.factor? * self.likelihood()?)
    }

    /// Something that is not known is taken to be one way or the other.
    pub(super) fn guess(&mut self) {
        self.factor = None;
    }

    /// Takes a draw to hold, or not to. False: after the earlier draws that cannot be.
    ///
    /// `number`: what Envoy divides its one number by for this condition.
    pub(super) fn draw(&mut self, condition: &Condition, number: Option<u32>, holds: bool) -> bool {
        match (condition, number) {
            (&Condition::Chance(ppm), None) => {
                let share = f64::from(ppm) / 1e6;
                let share = if holds { share } else { 1.0 - share };
                self.factor = self.factor.map(|factor| factor * share);
                share > 0.0
            }
            (&Condition::Chance(ppm), Some(of)) => {
                let of = u64::from(of);
                let below = u64::from(ppm) * of / 1_000_000;
                let (from, to) = if holds { (0, below) } else { (below, of) };
                self.require(Residue { of, from, to })
            }
            _ => {
                self.guess();
                true
            }
        }
    }

    /// Takes an arm of a split: `weight` of `total` behind `from` others. False: after the earlier draws that cannot
    /// be. `by_number`: by the one number that Envoy draws for a request.
    pub(super) fn split(&mut self, from: u64, weight: u64, total: u64, by_number: bool) -> bool {
        if by_number {
            return self.require(Residue { of: total, from, to: from.saturating_add(weight) });
        }
        let share = if total > 0 { weight as f64 / total as f64 } else { 0.0 };
        self.factor = self.factor.map(|factor| factor * share);
        share > 0.0
    }

    fn require(&mut self, residue: Residue) -> bool {
        match self.number.iter_mut().find(|known| known.of == residue.of) {
            Some(known) => {
                known.from = known.from.max(residue.from);
                known.to = known.to.min(residue.to);
            }
            None => self.number.push(residue),
        }
        self.likelihood() != Some(0.0)
    }

    /// How likely the number is what it must be.
    fn likelihood(&self) -> Option<f64> {
        if self.number.iter().any(|residue| residue.from >= residue.to) {
            return Some(0.0);
        }
        if let [residue] = self.number.as_slice() {
            return Some((residue.to - residue.from) as f64 / residue.of as f64);
        }
        let multiple = lcm(self.number.iter().map(|residue| residue.of), MAX_MULTIPLE)?;
        let hits = (0..multiple).filter(|value| {
            self.number.iter().all(|residue| (residue.from..residue.to).contains(&(value % residue.of)))
        });
        Some(hits.count() as f64 / multiple as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(way: &mut Likelihood, percent: u32, holds: bool) -> bool {
        way.draw(&Condition::Chance(percent * 10_000), Some(100), holds)
    }

    #[test]
    fn independent_draws_multiply() {
        let mut way = Likelihood::default();
        assert!(way.draw(&Condition::Chance(300_000), None, false));
        assert!(way.draw(&Condition::Chance(500_000), None, true));
        assert!((way.share().unwrap() - 0.35).abs() < 1e-12);
    }

    #[test]
    fn envoy_draws_once() {
        // 30 % missed leaves nothing for a second rule of 30 %, and 20 % for one of 50 %.
        let mut way = Likelihood::default();
        assert!(draw(&mut way, 30, false));
        assert!(!draw(&mut way.clone(), 30, true));
        assert!(draw(&mut way, 50, true));
        assert_eq!(way.share(), Some(0.2));
        // Half of the requests into two equal clusters: all of them have the smaller numbers.
        let mut way = Likelihood::default();
        assert!(draw(&mut way, 50, true));
        assert!(!way.clone().split(50, 50, 100, true));
        assert!(way.split(0, 50, 100, true));
        assert_eq!(way.share(), Some(0.5));
    }

    #[test]
    fn moduli_that_share_nothing_are_counted_through() {
        let mut way = Likelihood::default();
        assert!(draw(&mut way, 50, true));
        assert!(way.split(0, 1, 7, true));
        assert!((way.share().unwrap() - 0.5 / 7.0).abs() < 1e-12);
        assert!(way.split(0, 1, 1_000_003, true));
        assert_eq!(way.share(), None);
    }
}
