//! lbcheck reads HAProxy, nginx and Envoy configurations into one [`model`], checks it, compares two of them
//! and predicts where traffic goes.
//!
//! Text comes in through a [`load::FileLoader`], plain data goes out; the library does no I/O.

pub mod analysis;
pub mod date;
mod declared;
pub mod detect;
pub mod diagnostic;
pub mod dialect;
pub mod diff;
pub mod effect;
pub mod envoy;
#[allow(dead_code)]
mod findings;
pub mod fix;
pub mod haproxy;
pub mod load;
pub mod model;
pub mod nginx;
pub mod policy;
pub mod read;
mod reading;
mod regex;
pub mod report;
mod rule_id;
pub mod rules;
pub mod source;
mod suppress;
mod template;
pub mod traffic;
mod words;
