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

pub mod analysis;
mod api;
mod change_kind;
pub mod date;
mod declared;
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
pub use read::{ReadOptions, Reading};
pub use report::{CheckReport, DiffReport, Finding, Status, Verdict};
pub use rules::Rule;
pub use source::{Position, Sources, Span};
pub use traffic::{Certainty, EndKind, Failing, Question, Request, RouteReport, Survey};

/// The example of the README, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
