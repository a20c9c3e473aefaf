//! lbcheck reads HAProxy, nginx and Envoy configurations into one [`model`], checks it, compares two of them
//! and predicts where traffic goes.
//!
//! Text comes in through a [`FileLoader`], plain data goes out. The library does no I/O, unless the feature `std-fs`
//! gives it a `DiskLoader`; it never panics on any input, and the same input gives the same output.
//!
//! | question | of files | of a text |
//! |---|---|---|
//! | What is wrong or risky? | [`check`] | [`check_text`] |
//! | What does a change do to traffic? | [`diff()`] | [`diff_texts`] |
//! | Who gets how much, also when something fails? | [`traffic()`] | [`traffic_text`] |
//! | Where does this request go, and why? | [`route`] | [`route_text`] |
//! | What does it say? | [`read()`] | |
//! | What is this rule about? | [`explain`], [`rules()`] | |
//!
//! [`Options`] say how files are read and by which rules they are judged; they come from a dialect alone or from a
//! policy, see [`read_policy`]. [`Input`] is a configuration of which several things are asked. An answer comes as
//! [`Sourced`], with the texts that its places point into.
//!
//! # Features
//!
//! - `std-fs`: `DiskLoader`, the only I/O there is.
//! - `unstable`: the inside, for lbcheck's own crates, whose matches and literals are also held to be complete: without
//!   it, types that may grow are `non_exhaustive`. Nothing of it is promised: any release may change it. Cargo gives it
//!   to all of a build in which `lbcheck-report` is linked too.
//!
//! # A whole example
//!
//! A deploy tool that lets no change pass that brings errors or moves much traffic:
//!
//! ```
//! use lbcheck::{Dialect, MemoryLoader, Severity, Verdict};
//!
//! fn refusals(running: &str, candidate: &str, policy: &str) -> Vec<String> {
//!     let policy = match lbcheck::read_policy("lbcheck.toml", policy) {
//!         Ok(policy) => policy,
//!         Err(mistakes) => return mistakes.iter().map(|mistake| mistake.message.clone()).collect(),
//!     };
//!     let options = match policy.options(Dialect::HaProxy, "deploy/prod/haproxy.cfg") {
//!         Ok(options) => options,
//!         Err(error) => return vec![error.to_string()],
//!     };
//!     let mut loader = MemoryLoader::one("running.cfg", running);
//!     loader.files.insert("candidate.cfg".to_owned(), candidate.into());
//!
//!     let report = lbcheck::diff(&loader, &["running.cfg"], &["candidate.cfg"], &options);
//!     if report.verdict() == Verdict::Unreadable {
//!         return vec!["one of the two could not be read".to_owned()];
//!     }
//!     let errors = report.introduced().filter(|finding| {
//!         finding.suppressed.is_none() && finding.diagnostic.severity == Severity::Error
//!     });
//!     let said = errors.map(|finding| {
//!         let diagnostic = &finding.diagnostic;
//!         format!("{}: {} [{}]", report.place(diagnostic.primary.span), diagnostic.message, diagnostic.rule)
//!     });
//!     said.collect()
//! }
//!
//! let running = "listen api\n bind :80\n balance roundrobin\n server a 10.0.0.1:80\n server b 10.0.0.2:80\n";
//! let candidate = running.replace("10.0.0.1:80", "10.0.0.1:80 weight 100");
//! let policy = "schema = 1\n[limits.diff]\nmax-share-moved = 0.1\n";
//! assert_eq!(refusals(running, running, policy), Vec::<String>::new());
//! assert!(refusals(running, &candidate, policy).iter().any(|said| said.contains("[diff-share-moved]")));
//! ```

#![cfg_attr(
    not(feature = "unstable"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "some of the inside serves only lbcheck's own crates"
    )
)]

mod api;
mod arithmetic;
mod change_kind;
pub mod date;
mod declared;
pub mod diagnostic;
pub mod dialect;
pub mod effect;
#[allow(dead_code)]
mod findings;
mod fingerprint;
mod hash;
pub mod load;
pub mod model;
mod network;
pub mod policy;
mod reading;
mod regex;
pub mod report;
mod rule_id;
pub mod source;
pub mod statement;
mod suppress;
mod template;
pub mod traffic;
mod truth;
mod words;

// The inside, which only the feature `unstable` shows.
#[cfg(not(feature = "unstable"))]
mod analysis;
#[cfg(not(feature = "unstable"))]
mod describe;
#[cfg(not(feature = "unstable"))]
mod detect;
#[cfg(not(feature = "unstable"))]
mod diff;
#[cfg(not(feature = "unstable"))]
mod envoy;
#[cfg(not(feature = "unstable"))]
mod facts;
#[cfg(not(feature = "unstable"))]
mod fix;
#[cfg(not(feature = "unstable"))]
mod haproxy;
#[cfg(not(feature = "unstable"))]
mod nginx;
#[cfg(not(feature = "unstable"))]
mod read;
#[cfg(not(feature = "unstable"))]
mod rules;

#[cfg(feature = "unstable")]
pub mod analysis;
#[cfg(feature = "unstable")]
pub mod describe;
#[cfg(feature = "unstable")]
pub mod detect;
#[cfg(feature = "unstable")]
pub mod diff;
#[cfg(feature = "unstable")]
pub mod envoy;
#[cfg(feature = "unstable")]
pub mod facts;
#[cfg(feature = "unstable")]
pub mod fix;
#[cfg(feature = "unstable")]
pub mod haproxy;
#[cfg(feature = "unstable")]
pub mod nginx;
#[cfg(feature = "unstable")]
pub mod read;
#[cfg(feature = "unstable")]
pub mod rules;

pub use api::{
    Found, Input, NotFound, Options, Sourced, Unanswered, check, check_text, diff, diff_texts, explain, find,
    near_pool, read, read_policy, route, route_text, rules, traffic, traffic_text,
};
pub use detect::detect;
pub use diagnostic::{Diagnostic, RuleId, Severity, UnknownRule};
pub use dialect::{Dialect, Version};
#[cfg(feature = "std-fs")]
pub use load::DiskLoader;
pub use load::{FileLoader, LoadError, MemoryLoader};
pub use model::Config;
pub use policy::{Environment, Policy};
pub use read::{Block, ReadOptions, Reading};
pub use report::{CheckReport, DiffReport, Finding, Status, Verdict};
pub use rules::{Category, Rule};
pub use source::{Position, Sources, Span};
pub use traffic::{Certainty, EndKind, Failing, Question, Request, RouteReport, Survey};

/// The example of the README, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
