//! Who gets how much: predictions made from the model alone.

mod shares;

pub use shares::{Certainty, PoolShares, pool_shares};
