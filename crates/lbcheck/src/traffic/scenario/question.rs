//! What is asked of a pool: what fails, and how much traffic there is.

use std::borrow::Cow;

use crate::model::{AdminState, Pool};
use crate::traffic::shares::Load;

/// What happens to one pool.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Scenario {
    /// Indices into [`Pool::endpoints`] of those that fail.
    pub failed: Vec<usize>,
    /// Indices of those that go out with a failed endpoint of another pool, whose checks they follow (HAProxy `track`).
    /// Those that follow one of this pool are found here.
    pub follow: Vec<usize>,
    /// Traffic as a multiple of normal; 1 is normal.
    pub load: f64,
    /// Requests in flight in this pool at normal load. `None`: not known.
    pub concurrency: Option<u32>,
    /// Requests per second to this pool at normal load. `None`: not known.
    pub rate: Option<f64>,
    /// What each endpoint can take, where somebody says so. Limits of the configuration hold beside it.
    pub capacity: Option<Capacity>,
    /// The part of requests that come with a valid token of a session, from 0 to 1. `None`: none do.
    pub returning: Option<f64>,
    /// Simulates algorithms that go by load at [`Scenario::concurrency`], starting from this number. `None`: closed
    /// forms only, which take no longer than reading the weights.
    pub seed: Option<u64>,
    /// Failed endpoints are out even where nothing in the configuration would notice that they failed.
    pub assume_noticed: bool,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            failed: Vec::new(),
            follow: Vec::new(),
            load: 1.0,
            concurrency: None,
            rate: None,
            capacity: None,
            returning: None,
            seed: None,
            assume_noticed: false,
        }
    }
}

/// What one endpoint can take.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Capacity {
    /// This many requests at once.
    Requests(u64),
    /// This many times what it gets in normal times. Backups, which get nothing then, are not bounded by it.
    Multiple(f64),
}

/// A copy of `pool` in which `failed` are down.
pub(crate) fn without(pool: &Pool, failed: &[usize]) -> Pool {
    let mut pool = pool.clone();
    for &index in failed {
        if let Some(endpoint) = pool.endpoints.get_mut(index) {
            endpoint.state.value = AdminState::Disabled;
        }
    }
    pool
}

/// What to ask the shares for: idle, or this many requests at once.
pub(super) fn load_of(concurrency: Option<f64>) -> Load {
    match concurrency {
        Some(count) if count >= 1.0 => Load::Concurrent(count.min(f64::from(u32::MAX)).round() as u32),
        Some(_) => Load::Idle,
        // Failure and overload are questions about busy pools.
        None => Load::BUSY,
    }
}

/// "2 s", "500 ms", "1.5 s".
pub(super) fn seconds(time: std::time::Duration) -> String {
    match time.as_millis() {
        millis if millis % 1000 == 0 => format!("{} s", millis / 1000),
        millis if millis < 1000 => format!("{millis} ms"),
        millis => format!("{:.1} s", millis as f64 / 1000.0),
    }
}

/// A sentence about what has to hold.
pub(super) type Assumption = Cow<'static, str>;
