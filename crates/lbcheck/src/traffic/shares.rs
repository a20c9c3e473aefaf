//! The parts of a pool's traffic that its endpoints get, and how sure they are.

use std::borrow::Cow;

use crate::model::{Endpoint, Pool};

/// How sure a predicted figure is. Ordered from the surest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Certainty {
    /// The proxy keeps to it request by request, or to within a request per endpoint.
    Exact,
    /// The mean of a random choice, or true for keys, clients or load as the assumptions say.
    Expected,
    /// Only bounds are known.
    Range,
    /// Not in the configuration.
    Unknown,
}

impl Certainty {
    /// `exact`, `expected`, `range` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Expected => "expected",
            Self::Range => "range",
            Self::Unknown => "unknown",
        }
    }
}

/// The shares of one pool.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PoolShares {
    /// How sure the figures are.
    pub certainty: Certainty,
    /// What has to hold for them, in sentences.
    pub assumptions: Vec<Cow<'static, str>>,
    /// One figure for each of [`Pool::endpoints`], from 0 to 1; they sum to 1 unless nobody serves.
    /// An endpoint with several slots has the sum of them. Empty if `certainty` is unknown.
    pub shares: Vec<f64>,
}

impl PoolShares {
    pub(super) fn unknown(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { certainty: Certainty::Unknown, assumptions: vec![reason.into()], shares: Vec::new() }
    }

    /// These figures in the place of those that weights ask for.
    pub(super) fn with(mut self, shares: Vec<f64>, certainty: Certainty) -> Self {
        self.shares = shares;
        self.certainty = self.certainty.max(certainty);
        self
    }

    /// What the weights ask for, where the table that decides is not known.
    pub(super) fn bounded_by_weight(mut self, reason: &str) -> Self {
        self.certainty = Certainty::Range;
        self.assumptions.push(format!("shares by weight, since {reason}").into());
        self
    }

    /// Whether the figures may be used.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.certainty != Certainty::Unknown
    }

    /// The index of the endpoint with the largest share per slot, and that share. The first of equals.
    #[must_use]
    pub fn top(&self, pool: &Pool) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (index, (share, endpoint)) in self.shares.iter().zip(&pool.endpoints).enumerate() {
            let each = share / f64::from(endpoint.slots.max(1));
            if best.is_none_or(|(_, most)| each > most + 1e-12) {
                best = Some((index, each));
            }
        }
        best
    }

    /// The number of equal servers that would concentrate traffic as much: `1 / Σp²` over every slot.
    #[must_use]
    pub fn effective_endpoints(&self, pool: &Pool) -> f64 {
        let squares: f64 = self
            .shares
            .iter()
            .zip(&pool.endpoints)
            .map(|(share, endpoint)| share * share / f64::from(endpoint.slots.max(1)))
            .sum();
        if squares > 0.0 { 1.0 / squares } else { 0.0 }
    }
}

/// How busy a pool is. Some algorithms share by weight only when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Load {
    /// One request at a time.
    Idle,
    /// This many requests of equal cost at any time.
    Concurrent(u32),
}

impl Load {
    /// So many requests that shares no longer change.
    pub const BUSY: Self = Self::Concurrent(1_000_000);
}

/// Weight over sum of weights, for each endpoint of the pool; 0 for those that do not serve.
pub(super) fn spread(pool: &Pool, serving: &[usize], weight: impl Fn(&Endpoint) -> f64) -> Vec<f64> {
    let slotted = |endpoint: &Endpoint| weight(endpoint) * f64::from(endpoint.slots.max(1));
    let mut shares = vec![0.0; pool.endpoints.len()];
    let total: f64 = serving.iter().map(|&index| slotted(&pool.endpoints[index])).sum();
    if total > 0.0 {
        for &index in serving {
            shares[index] = slotted(&pool.endpoints[index]) / total;
        }
    }
    shares
}

/// Figures for `serving`, put in the place of each among all endpoints.
pub(super) fn among_all(pool: &Pool, serving: &[usize], figures: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut shares = vec![0.0; pool.endpoints.len()];
    for (&index, figure) in serving.iter().zip(figures) {
        shares[index] = figure;
    }
    shares
}
