//! What happens to a request after an attempt that failed.

use super::Setting;

/// Attempts per request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Retries {
    /// Attempts after the first one. `None`: unlimited (nginx default: one per server).
    pub attempts: Option<Setting<u32>>,
    /// Which failures are retried, in the dialect's words.
    pub on: Option<Setting<String>>,
    /// HAProxy `option redispatch` in force: a retry may go to another endpoint. The number is its argument
    /// (default -1: only on the last retry).
    pub redispatch: Option<Setting<i32>>,
}

/// Retries in flight as a part of all requests in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct RetryBudget {
    /// Thousandths of a percent.
    pub percent_milli: u32,
    /// Never fewer than these.
    pub at_least: u64,
}
