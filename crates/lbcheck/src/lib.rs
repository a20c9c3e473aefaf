//! lbcheck reads HAProxy, nginx and Envoy configurations into one [`model`], checks it, compares two of them
//! and predicts where traffic goes.
//!
//! Text comes in through a [`load::FileLoader`], plain data goes out; the library does no I/O.

pub mod analysis;
mod arithmetic;
mod change_kind;
pub mod date;
mod declared;
pub mod describe;
pub mod detect;
pub mod diagnostic;
pub mod dialect;
pub mod diff;
pub mod effect;
pub mod envoy;
pub mod facts;
#[allow(dead_code)]
mod findings;
mod fingerprint;
pub mod fix;
pub mod haproxy;
mod hash;
pub mod load;
pub mod model;
mod network;
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
mod truth;
mod words;
