//! lbcheck reads HAProxy, nginx and Envoy configurations into one [`model`], checks it, compares two of them
//! and predicts where traffic goes.
//!
//! Text comes in through a [`load::FileLoader`], plain data goes out; the library does no I/O.

pub mod diagnostic;
pub mod dialect;
pub mod envoy;
mod haproxy;
pub mod load;
pub mod model;
mod nginx;
pub mod read;
pub mod source;
