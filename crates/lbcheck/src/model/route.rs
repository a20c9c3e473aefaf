//! Listeners, route tables, conditions and targets.

use super::{Mode, PoolId, TableId};
use crate::source::{Span, Spanned};

/// Where traffic enters.
#[derive(Clone, Debug)]
pub struct Listener {
    /// HAProxy frontend name, Envoy listener name, nginx `listen` address.
    pub name: Spanned<String>,
    /// HTTP or TCP.
    pub mode: Mode,
    /// Addresses it listens on.
    pub binds: Vec<Bind>,
    /// What happens to what it takes; first match wins.
    pub table: TableId,
    /// The section's header or the whole object.
    pub span: Span,
}

/// One address a listener takes connections on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Address text, normalised: `*`, `10.0.0.1`, `::`, a unix path.
    pub host: String,
    /// First and last port; equal for a single one; `None` for unix sockets and unknown ports.
    pub ports: Option<(u16, u16)>,
    /// Whether TLS is terminated here.
    pub tls: bool,
    /// Whether the PROXY protocol is expected (`accept-proxy`, `proxy_protocol`).
    pub accept_proxy: bool,
    /// Where it is written.
    pub span: Span,
}

/// An ordered list of routes; the first whose condition holds is taken.
///
/// nginx `server` and `location` trees, HAProxy `use_backend` lists and Envoy virtual hosts are all
/// settled into such tables, which may nest by [`Action::Table`].
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    /// The routes in order of precedence.
    pub routes: Vec<Route>,
    /// What stands at the head of it, for messages: "server api.example.com", "frontend web".
    pub label: String,
}

/// One entry of a [`RouteTable`].
#[derive(Clone, Debug)]
pub struct Route {
    /// When it applies. An unconditional route has [`Condition::Always`].
    pub when: Condition,
    /// What it does.
    pub action: Action,
    /// The route in the dialect's words, for messages: "`use_backend api if is_api`", "location /api/".
    pub label: String,
    /// The line or object.
    pub span: Span,
    /// How the path or host is changed on the way, in the dialect's words: "path /api/ → /" (nginx `proxy_pass` with a
    /// URI, Envoy `prefix_rewrite`, HAProxy `set-path`). `None`: passed on as it came.
    pub rewrite: Option<String>,
    /// Copies of the request sent elsewhere.
    pub mirrors: Vec<Mirror>,
    /// What is hashed for pools that hash by route policy (Envoy).
    pub hash_policies: Vec<HashPolicy>,
    /// What selects a subset of the pool's endpoints (Envoy `metadata_match`), as key and text of the value.
    pub metadata: Vec<(String, String)>,
    /// Attempts of this route, where routes and not pools decide (Envoy).
    pub retries: Option<super::Retries>,
    /// What Envoy divides its random number by for a [`Condition::Chance`] of this route (100, 10 000 or 1 000 000).
    /// One number serves all routes and splits of a request, so that chances depend on each other.
    pub chance_denominator: Option<u32>,
    /// Whole-request timeout of this route (Envoy).
    pub timeout: Option<super::Setting<std::time::Duration>>,
}

impl Route {
    /// A route with no mirrors, hash policies, metadata, retries or timeout of its own.
    pub fn new(when: Condition, action: Action, label: impl Into<String>, span: Span) -> Self {
        Self {
            when,
            action,
            label: label.into(),
            span,
            rewrite: None,
            mirrors: Vec::new(),
            hash_policies: Vec::new(),
            metadata: Vec::new(),
            retries: None,
            chance_denominator: None,
            timeout: None,
        }
    }
}

/// What a route does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Sends to one pool.
    Forward(Target),
    /// Sends to one of several pools by weight. Weights are as written; their sum is the whole.
    Split(Vec<WeightedTarget>),
    /// Sends to one endpoint of a pool, past its algorithm (HAProxy `use-server`, kept in the pool's own table).
    Endpoint {
        /// The pool.
        pool: PoolId,
        /// The endpoint's name as written.
        endpoint: Spanned<String>,
    },
    /// Goes on in another table. If nothing matches there, the *next* route of this table is tried.
    Table(TableId),
    /// Answered by the proxy itself.
    Respond(Response),
    /// Served from files or by a module of the proxy (nginx `root`, `stub_status`).
    Local(String),
    /// Decided at run time (Lua, an unknown directive); in the dialect's words.
    Opaque(String),
}

/// The proxy's own answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status, when fixed. `None`: the connection is closed, or the status is not in the configuration.
    pub status: Option<u16>,
    /// `return`, `deny`, `redirect`, `tarpit`, `direct_response`, …
    pub kind: String,
}

/// The pool a route names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A pool of this configuration.
    Pool {
        /// Which.
        pool: PoolId,
        /// Where the route names it.
        span: Span,
    },
    /// A name for which this configuration has no pool.
    Undefined(Spanned<String>),
    /// Known only at run time (`use_backend %[…]`, `proxy_pass http://$x`, `cluster_header`), as written.
    Dynamic {
        /// The text.
        text: Spanned<String>,
        /// Pools it can name, where the reader can list them all (a map with constant values); empty: any.
        candidates: Vec<PoolId>,
    },
}

/// One arm of a split.
#[derive(Clone, Debug)]
pub struct WeightedTarget {
    /// Where it sends.
    pub target: Target,
    /// Weight as written; the arms' sum is the whole.
    pub weight: u64,
    /// Where the weight is written.
    pub span: Span,
}

/// A copy of the request, sent without waiting for the answer.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Where it is sent.
    pub target: Target,
    /// Share of requests copied, in millionths.
    pub share_ppm: u32,
    /// Where it is written.
    pub span: Span,
}

/// One Envoy hash policy, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashPolicy {
    /// `header x-user`, `cookie SID`, `source_ip`, `query q`, `filter_state k`.
    pub key: String,
    /// Whether it is the client's address.
    pub by_address: bool,
    /// How little it differs from request to request. `None`: by request, or unknown.
    pub variety: Option<super::KeyVariety>,
    /// Whether later policies are skipped once this one gives a value.
    pub terminal: bool,
    /// Where it is written.
    pub span: Span,
}

/// A condition over a request, evaluated to yes, no or unknown.
///
/// Readers build it at most eight levels deep, whatever the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Holds for every request.
    Always,
    /// Holds for none.
    Never,
    /// All hold.
    All(Vec<Condition>),
    /// Any holds.
    Any(Vec<Condition>),
    /// Does not hold.
    Not(Box<Condition>),
    /// A test of one property.
    Is(Match),
    /// Holds for this share of requests, drawn anew for each, in millionths (HAProxy `rand()`, `runtime_fraction`).
    Chance(u32),
    /// Cannot be evaluated from the configuration; in the dialect's words.
    Opaque(String),
}

/// A test of one property of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// The host, without port.
    Host(TextMatch),
    /// The path, without query string.
    Path(TextMatch),
    /// The method.
    Method(TextMatch),
    /// A request header, by lower-case name.
    Header(String, TextMatch),
    /// A query parameter.
    Query(String, TextMatch),
    /// A cookie.
    Cookie(String, TextMatch),
    /// TLS server name.
    Sni(TextMatch),
    /// Client address in this network, in CIDR notation.
    Source(String),
    /// Destination port.
    Port(u16),
    /// The request came over TLS.
    Tls,
}

/// How a text is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextMatch {
    /// Equal to it.
    Exact(String),
    /// Starts with it.
    Prefix(String),
    /// Ends with it.
    Suffix(String),
    /// Contains it.
    Contains(String),
    /// Path prefix by whole segments (HAProxy `path_dir` at the start, Envoy `path_separated_prefix`).
    SegmentPrefix(String),
    /// Matches a regular expression in the dialect's syntax.
    Regex(String),
    /// Equal, prefix, … without regard to case.
    IgnoreCase(Box<TextMatch>),
    /// There at all.
    Present,
}
