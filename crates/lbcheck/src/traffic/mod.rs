//! Who gets how much: predictions made from the model alone.

mod addresses;
mod envoy;
mod figures;
pub mod flow;
mod haproxy;
pub mod hash;
mod hashed;
mod nginx;
mod placement;
mod request;
pub mod scenario;
pub(crate) mod shares;
mod simulate;
mod survey;
mod table;

pub use addresses::with_addresses;
pub use figures::{Figures, Known, figures};
pub use hashed::hashed_text;
pub use nginx::split_clients;
pub use placement::{Load, Pick, Placement, keys_moved, pick, placed_shares, sequence};
pub use request::{
    Decision, End, EndKind, EndWords, Finder, ListenerRoute, Outcome, Reason, Request, RouteReport, Rules,
    Step, StepWords, Truth, explain, find, holds, route,
};
pub(crate) use shares::serving;
pub use shares::{Certainty, PoolShares, pool_shares};
pub use survey::{
    Failing, PoolTraffic, Question, Survey, Unanswerable, place_keys, place_keys_after, survey,
};

/// How a pool picks, in the words of its dialect: "roundrobin", "consistent hash of uri", "LEAST_REQUEST".
#[must_use]
pub fn described(dialect: crate::dialect::Dialect, algorithm: &crate::model::Algorithm) -> String {
    crate::words::algorithm(dialect, algorithm)
}
