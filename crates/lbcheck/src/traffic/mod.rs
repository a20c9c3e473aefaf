//! Who gets how much: predictions made from the model alone.

mod addresses;
pub mod flow;
mod given_shares;
mod hashed_text;
mod key_table;
mod overview;
mod placement;
mod proxies;
mod request;
pub mod scenario;
mod serving;
mod shares;
mod simulate;
mod weight_shares;

pub use crate::truth::Truth;
pub use addresses::with_addresses;
pub use given_shares::{Figures, Known, figures};
pub use hashed_text::hashed_text;
pub use overview::{
    Failing, PoolTraffic, Question, Survey, Unanswerable, place_keys, place_keys_after, survey,
};
pub use placement::{Pick, Placement, keys_moved, pick, placed_shares, sequence};
pub use request::{
    Decision, End, EndKind, EndWords, Finder, ListenerRoute, Request, RouteOutcome, RouteReport, RouteStep,
    Rules, StepWords, WhyUnknown, explain, find, holds, route,
};
pub(crate) use serving::ids;
pub use shares::{Certainty, Load, PoolShares};
pub use weight_shares::pool_shares;

/// The endpoints that take new traffic while nothing has failed that the file does not call unhealthy.
pub(crate) fn serving(dialect: crate::dialect::Dialect, pool: &crate::model::Pool) -> Vec<usize> {
    proxies::proxy(dialect).serving(pool)
}

/// How a pool picks, in the words of its dialect: "roundrobin", "consistent hash of uri", "LEAST_REQUEST".
#[must_use]
pub fn described(dialect: crate::dialect::Dialect, algorithm: &crate::model::Algorithm) -> String {
    crate::words::algorithm(dialect, algorithm)
}
