//! Who gets how much: predictions made from the model alone.

mod envoy;
mod figures;
pub mod flow;
mod haproxy;
pub mod hash;
mod nginx;
mod placement;
mod request;
pub mod scenario;
pub(crate) mod shares;
mod simulate;
mod table;

pub use figures::{Figures, Known, figures};
pub use nginx::split_clients;
pub use placement::{Load, Pick, Placement, keys_moved, pick, placed_shares, sequence};
pub use request::{Request, Truth, find, holds};
pub use shares::{Certainty, PoolShares, pool_shares};
