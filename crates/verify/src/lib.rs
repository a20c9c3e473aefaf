//! Compares lbcheck with the running proxies: verdicts on files, and where traffic goes.
//!
//! `cargo verify` makes the full run and writes `docs/verification.md`; the tests of this crate run a part of the same.

pub mod base;
pub mod changes;
pub mod classify;
pub mod heal;
pub mod mutate;
pub mod page;
pub mod process;
pub mod program;
pub mod random;
pub mod reading;
pub mod traffic;
pub mod verdicts;
