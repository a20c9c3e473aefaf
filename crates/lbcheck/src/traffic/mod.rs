//! Who gets how much: predictions made from the model alone.

mod request;
pub(crate) mod shares;

pub use request::{Request, Truth, find, holds};
pub use shares::{Certainty, PoolShares, pool_shares};
