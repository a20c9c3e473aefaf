//! `lbcheck.route/v1`, what `route` gives: where one request goes, and why.

use serde::Serialize;

use super::{Input, Location, Tool};

/// What `lbcheck route --format json` prints.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RouteAnswer {
    /// `lbcheck.route/v1`.
    #[cfg_attr(test, schemars(extend("const" = "lbcheck.route/v1")))]
    pub schema: &'static str,
    /// The program that wrote it.
    pub tool: Tool,
    /// The configuration that was asked.
    pub input: Input,
    /// The request as lbcheck understood it.
    pub request: AskedRequest,
    /// Why there is not exactly one listener, where there is not.
    pub note: Option<String>,
    /// `yes`, `no` or `unknown`: whether one of these listeners takes the request.
    pub taken: &'static str,
    /// One for each listener that may take the request.
    pub listeners: Vec<ListenerAnswer>,
}

/// A request; what is null is not known.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AskedRequest {
    /// Method.
    pub method: Option<String>,
    /// The `Host` header.
    pub host: Option<String>,
    /// Path without query string.
    pub path: Option<String>,
    /// Query string; empty where there is none.
    pub query: Option<String>,
    /// Names of the other headers; their values are not shown.
    pub headers: Vec<String>,
    /// Whether it comes over TLS.
    pub tls: Option<bool>,
    /// TLS server name; empty where the client sends none.
    pub sni: Option<String>,
    /// Destination port.
    pub port: Option<u16>,
    /// The client's address.
    pub source: Option<String>,
}

/// The way of a request from one listener on.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ListenerAnswer {
    /// The listener's name.
    pub listener: String,
    /// Where it, or the address in question, is written.
    pub location: Location,
    /// Whether there is only one place where the request can end, and the configuration says which.
    pub decided: bool,
    /// Where the request can end.
    pub ends: Vec<RouteEnd>,
    /// Every rule that was looked at, in order. Where it is not known whether a rule applies, what follows if it does
    /// comes first.
    pub steps: Vec<RouteStep>,
    /// False: there are more ways than were followed.
    pub complete: bool,
}

/// One rule that was looked at.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RouteStep {
    /// The rule in the dialect's words.
    pub rule: String,
    /// When it applies, in words.
    pub condition: String,
    /// `yes`, `no` or `unknown`: whether it applies.
    pub applies: &'static str,
    /// Why that is not known.
    pub reasons: Vec<String>,
    /// How many tables deep the rule stands.
    pub level: usize,
    /// Index of an earlier step that is taken not to apply from here on.
    pub otherwise: Option<usize>,
    /// The path that routing goes on with, where the rule changes it.
    pub new_path: Option<String>,
    /// Where it is written.
    pub location: Option<Location>,
}

/// One place where a request can end.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RouteEnd {
    /// `pool`; `undefined` or `dynamic`, a pool that is not defined or known only at run time; `respond`, the proxy's own
    /// answer; `local`, its files or modules; `opaque`, something lbcheck cannot follow; `nothing`.
    pub kind: &'static str,
    /// In words.
    pub words: String,
    /// The pool.
    pub pool: Option<String>,
    /// The endpoint, where a rule names one.
    pub endpoint: Option<String>,
    /// HTTP status of the proxy's own answer, where it is known.
    pub status: Option<u16>,
    /// The pools a dynamic one can be; empty: any.
    pub candidates: Vec<String>,
    /// The share of such requests that end here; null: not known.
    pub share: Option<f64>,
    /// Index of the step that decided.
    pub step: Option<usize>,
    /// Where the target is named.
    pub location: Option<Location>,
    /// Where the request goes on if the pool fails to answer it.
    pub fallbacks: Vec<RouteFallback>,
}

/// What answers in the place of a pool that fails.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RouteFallback {
    /// When and what, in words.
    pub words: String,
    /// Where that is written.
    pub location: Location,
}
