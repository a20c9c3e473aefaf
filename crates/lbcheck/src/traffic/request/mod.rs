//! Which route a request takes, in three-valued logic.

mod change;
mod envoy_headers;
mod envoy_path;
mod explain;
mod judge;
mod listeners;
mod lot;
mod nginx_path;
mod parse;
mod pattern;
mod real_ip;
mod recipe;
mod seen;
mod truth;
mod walk;

use std::net::IpAddr;

use crate::model::{Action, Condition, Config, Route, TableId};
use judge::Judge;
use pattern::Patterns;
use seen::Seen;

pub use explain::{EndKind, EndWords, ListenerRoute, RouteReport, StepWords, explain};
pub use judge::Reason;
pub use truth::Truth;
pub use walk::{Decision, End, Outcome, Rules, Step, route};

/// What is known of a request, as the client sends it. A part that is `None` is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Request {
    /// The `Host` header, with its port if the client writes one.
    pub host: Option<String>,
    /// Path without query string, not decoded.
    pub path: Option<String>,
    /// Query string without its question mark; empty where there is none.
    pub query: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// Every header but `Host`, in order.
    pub headers: Option<Vec<(String, String)>>,
    /// TLS server name; empty where the client sends none.
    pub sni: Option<String>,
    /// Whether it came over TLS.
    pub tls: Option<bool>,
    /// Destination port.
    pub port: Option<u16>,
    /// The address that the client connects to, where it has no name.
    pub destination: Option<IpAddr>,
    /// The client's address.
    pub source: Option<IpAddr>,
}

/// Whether `condition` of a configuration holds for `request`.
#[must_use]
pub fn holds(config: &Config, condition: &Condition, request: &Request) -> Truth {
    let seen = Seen::new(config, request);
    Judge::new(&mut Patterns::default()).holds(condition, &seen)
}

/// The route that `request` takes from `table` on. `None`: none matches, or which one is not known.
///
/// For many requests, make one [`Finder`].
#[must_use]
pub fn find<'c>(config: &'c Config, table: TableId, request: &Request) -> Option<&'c Route> {
    Finder::new(config).find(table, request)
}

/// Finds the routes of many requests through one configuration; a regular expression is compiled once for all of them.
#[derive(Debug)]
pub struct Finder<'c> {
    config: &'c Config,
    patterns: Patterns,
}

impl<'c> Finder<'c> {
    /// A finder for requests through `config`.
    #[must_use]
    pub fn new(config: &'c Config) -> Self {
        Self { config, patterns: Patterns::default() }
    }

    /// The route that `request` takes from `table` on. `None`: none matches, or which one is not known.
    pub fn find(&mut self, table: TableId, request: &Request) -> Option<&'c Route> {
        let config = self.config;
        let mut seen = Seen::new(config, request);
        let mut judge = Judge::new(&mut self.patterns);
        let mut stack = vec![(table, 0)];
        while let Some((table, at)) = stack.pop() {
            let Some(route) = config.table(table).routes.get(at) else { continue };
            stack.push((table, at + 1));
            if at == 0 {
                seen.enter(config, table);
                if seen.refused().is_some() {
                    return None;
                }
            }
            match judge.holds(&route.when, &seen) {
                Truth::No => {}
                Truth::Unknown => return None,
                Truth::Yes => match route.action {
                    Action::Table(inner) => stack.push((inner, 0)),
                    _ => return Some(route),
                },
            }
        }
        None
    }
}
