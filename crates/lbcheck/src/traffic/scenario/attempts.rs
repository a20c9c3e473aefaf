//! Attempts per request.

use super::question::Assumption;
use crate::model::Pool;
use crate::traffic::shares::Certainty;

/// Attempts that one request may make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Attempts {
    /// Most attempts for one request, the first included: what the pool gets if every attempt fails.
    pub most: u32,
    /// How sure that is.
    pub certainty: Certainty,
    /// What is retried, in the dialect's words; `None`: nothing, or what the product retries by default.
    pub on: Option<String>,
    /// Most retries in flight at once, over all requests (Envoy `max_retries`, or `retry_budget` where it is known how
    /// many requests are in flight).
    pub at_once: Option<u64>,
}

/// While a failure is not noticed.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Unnoticed {
    /// Share of requests whose first attempt goes to a failed endpoint. `None`: shares are not known.
    pub first_attempts: Option<f64>,
    /// Share of requests that end in an error.
    pub errors: Option<f64>,
    /// Attempts for each request of normal times, over all endpoints.
    pub attempts: Option<f64>,
    /// How sure `errors` and `attempts` are. For a range the figures are its upper ends.
    pub certainty: Certainty,
    /// What has to hold, in sentences.
    pub assumptions: Vec<Assumption>,
}

impl Attempts {
    /// Most attempts after the first one.
    pub(crate) fn retries(&self) -> f64 {
        f64::from(self.most - 1)
    }
}

/// Requests of which some go to an endpoint that has failed, which nothing has noticed yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exposed<'p> {
    pub(crate) pool: &'p Pool,
    /// How many endpoints have failed.
    pub(crate) failed: usize,
    /// How many get requests, those included.
    pub(crate) serving: usize,
    /// Share of requests whose first attempt fails.
    pub(crate) hit: f64,
}

/// What retries make of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retried {
    /// Share of requests that end in an error.
    pub(crate) errors: f64,
    /// Attempts for each request of normal times.
    pub(crate) attempts: f64,
    /// How sure that is.
    pub(crate) certainty: Certainty,
}
