//! Listeners, route tables, conditions and targets.

use std::sync::Arc;

use super::{Condition, Mode, PoolId, TableId};
use crate::source::{Span, Spanned};

/// Where traffic enters.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
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
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Bind {
    /// Address text, normalised: `*`, `10.0.0.1`, `::`, a unix path.
    pub host: String,
    /// First and last port; equal for a single one; `None` for unix sockets and unknown ports.
    pub ports: Option<(u16, u16)>,
    /// How connections come here.
    pub reach: Reach,
    /// Whether TLS is terminated here.
    pub tls: bool,
    /// Whether that depends on the connection (Envoy: some filter chains do, some do not).
    pub mixed: bool,
    /// Whether the PROXY protocol is expected (`accept-proxy`, `proxy_protocol`).
    pub accept_proxy: bool,
    /// Where it is written.
    pub span: Span,
}

/// How connections come to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Reach {
    /// Clients connect to it.
    Bound,
    /// Nobody connects to it: another listener hands over what was meant for it (Envoy `bind_to_port: false`).
    HandedOver,
    /// Clients connect to it, and what was meant for any other port may be redirected to it (Envoy
    /// `use_original_dst`).
    Redirected,
    /// A part of the address is not known: an environment variable, a socket that is inherited.
    Unknown,
}

/// What becomes of path and host before the routes of a table look at them, where the configuration has a say in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Normalization {
    /// Dots are resolved and needless escapes decoded (Envoy `normalize_path`). nginx always does.
    pub dots: bool,
    /// Slashes in a row become one (`merge_slashes`).
    pub merge_slashes: bool,
    /// What becomes of escaped slashes.
    pub escaped_slashes: EscapedSlashes,
    /// What becomes of the port in the host.
    pub port: PortInHost,
    /// The port is left out of account where hosts are compared (Envoy `ignore_port_in_host_matching`).
    pub ignores_port: bool,
    /// The final dot of the host is taken off (Envoy `strip_trailing_host_dot`).
    pub strips_dot: bool,
    /// A request for another protocol is answered with 403 (Envoy without `upgrade_configs`).
    pub refuses_upgrades: bool,
    /// The header that hosts are compared with instead of `Host` (Envoy `vhost_header`).
    pub host_header: Option<String>,
    /// What becomes of headers with an underscore in their name.
    pub underscores: Underscores,
    /// What becomes of `x-forwarded-proto`.
    pub scheme: ForwardedScheme,
    /// A method that the proxy does not know is answered with 400.
    pub refuses_methods: bool,
}

impl Normalization {
    /// What nginx does by itself.
    #[must_use]
    pub fn nginx() -> Self {
        Self {
            dots: true,
            merge_slashes: true,
            escaped_slashes: EscapedSlashes::Decoded,
            port: PortInHost::Stripped,
            ignores_port: true,
            strips_dot: true,
            ..Self::default()
        }
    }
}

/// What becomes of headers with an underscore in their name (Envoy `headers_with_underscores_action`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Underscores {
    /// They stay.
    #[default]
    Kept,
    /// The request is answered with 400.
    Rejected,
    /// They are taken out.
    Dropped,
}

/// What becomes of `x-forwarded-proto`, which is always there when Envoy chooses a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum ForwardedScheme {
    /// Not known.
    #[default]
    Unknown,
    /// What the client says stays.
    Kept,
    /// It says how the connection came.
    Replaced,
}

/// What becomes of `%2F` and `%5C` in a path (Envoy `path_with_escaped_slashes_action`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum EscapedSlashes {
    /// They stay.
    #[default]
    Kept,
    /// The request is answered with 400.
    Rejected,
    /// The request is redirected to the path with slashes, with 307.
    Redirected,
    /// They are slashes.
    Decoded,
}

/// What becomes of a port in the `Host` header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum PortInHost {
    /// It stays, and host names have to have it too.
    #[default]
    Kept,
    /// It is taken off if it is the port of the listener (Envoy `strip_matching_host_port`).
    StrippedIfMatching,
    /// It is taken off (Envoy `strip_any_host_port`).
    Stripped,
}

/// Where the client's address comes from, if whoever connects is trusted (nginx `set_real_ip_from`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct RestoredAddress {
    /// What is written for the whole table, then what inner blocks say instead. Which of them has its turn first is
    /// not followed: the address is known where they agree.
    pub ways: Vec<AddressSource>,
    /// There are more ways than are told apart.
    pub more: bool,
}

/// Who is trusted to tell a client's address, and how they tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct AddressSource {
    /// Networks of those who are trusted, as written.
    pub trusted: Arc<[String]>,
    /// The header, in lower case. `None`: the PROXY protocol.
    pub header: Option<String>,
    /// The last address of the header that is not itself trusted, instead of the last one.
    pub recursive: bool,
}

/// An ordered list of routes; the first whose condition holds is taken.
///
/// nginx `server` and `location` trees, HAProxy `use_backend` lists and Envoy virtual hosts are all
/// settled into such tables, which may nest by [`Action::Table`].
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct RouteTable {
    /// The routes in order of precedence.
    pub routes: Vec<Route>,
    /// What stands at the head of it, for messages: "server api.example.com", "frontend web".
    pub label: String,
}

/// One entry of a [`RouteTable`].
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
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
    /// A change of the path with which routing goes on. The action then says where it leads as far as the configuration
    /// alone tells.
    pub path_change: Option<PathChange>,
    /// The head of a table at which routing goes on (a named location of nginx). The action says where that leads as far
    /// as the configuration alone tells: not in a circle.
    pub goes_on: Option<TableId>,
    /// Where a request goes that the proxy itself sends here, for a route that answers all others (nginx `internal`).
    pub from_inside: Option<TableId>,
    /// The route stands for an error of the proxy's own, and says what answers it (nginx `error_page`).
    pub on_error: Option<OnError>,
    /// Where a request goes on that the pool fails to answer (nginx `error_page`).
    pub fallbacks: Vec<Fallback>,
    /// The answer goes out with the status of an earlier error, where [`OnError`] led here and keeps one.
    pub takes_status: bool,
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
    /// A route with no error page, mirrors, hash policies, metadata, retries or timeout of its own.
    pub fn new(when: Condition, action: Action, label: impl Into<String>, span: Span) -> Self {
        Self {
            when,
            action,
            label: label.into(),
            span,
            rewrite: None,
            path_change: None,
            goes_on: None,
            from_inside: None,
            on_error: None,
            fallbacks: Vec::new(),
            takes_status: false,
            mirrors: Vec::new(),
            hash_policies: Vec::new(),
            metadata: Vec::new(),
            retries: None,
            chance_denominator: None,
            timeout: None,
        }
    }
}

/// A new path for a request, with which a route is chosen again (nginx `rewrite`, `try_files`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PathChange {
    /// The expression whose groups `to` may name.
    pub pattern: Option<String>,
    /// Path and perhaps query string as written, with variables.
    pub to: String,
    /// Whether the query string of the request is added to that of `to`.
    pub keeps_query: bool,
    /// Where routing goes on.
    pub then: Then,
}

/// An error that the proxy itself makes of a request, and what it does instead of answering with it.
///
/// The action of such a route is what answers as far as the configuration alone tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct OnError {
    /// The error. It is the answer where an earlier error led here already.
    pub error: Response,
    /// The status that the answer goes out with; `None`: that of the answer itself.
    pub answer: Option<u16>,
    /// Whether an error on the way from here on is treated so again (`recursive_error_pages`).
    pub again: bool,
    /// Where the request goes on.
    pub to: ErrorTarget,
}

/// Where a request goes on after an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum ErrorTarget {
    /// At the head of a table, otherwise as it came.
    Table(TableId),
    /// With the route's [`PathChange`], as a GET.
    Path,
    /// Nowhere: this is the answer (a redirect, or a location that does not exist).
    Answer(Response),
}

/// What happens to a request that a pool fails to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Fallback {
    /// The statuses, ascending.
    pub statuses: Vec<u16>,
    /// Whether these are what an endpoint itself answers too (nginx `proxy_intercept_errors`), and not only what stands
    /// for no answer.
    pub intercepts: bool,
    /// What answers, in the dialect's words.
    pub words: String,
    /// Where that is written.
    pub span: Span,
}

/// Where routing goes on with a new path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Then {
    /// At the head of this table.
    Search(TableId),
    /// At the next route of the same table, and at the head of `search` instead of route number `until`.
    Next {
        /// Index of a route of the same table.
        until: u32,
        /// The table to go on in.
        search: TableId,
    },
}

impl Then {
    /// The table in which routing goes on.
    #[must_use]
    pub fn search(self) -> TableId {
        match self {
            Self::Search(table) | Self::Next { search: table, .. } => table,
        }
    }
}

/// What a route does.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
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

impl Action {
    /// Where it sends: the one target of a forward, those of the arms of a split, none otherwise.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let (one, arms): (Option<&Target>, &[WeightedTarget]) = match self {
            Self::Forward(target) => (Some(target), &[]),
            Self::Split(arms) => (None, arms),
            Self::Endpoint { .. } | Self::Table(_) | Self::Respond(_) | Self::Local(_) | Self::Opaque(_) => {
                (None, &[])
            }
        };
        one.into_iter().chain(arms.iter().map(|arm| &arm.target))
    }
}

/// The proxy's own answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Response {
    /// HTTP status, when fixed. `None`: the connection is closed, or the status is not in the configuration.
    pub status: Option<u16>,
    /// `return`, `deny`, `redirect`, `tarpit`, `direct_response`, …
    pub kind: String,
}

/// The pool a route names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
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
        /// How it is put together from the request, where that can be followed. A name that no pool has leads to the
        /// last route of the table.
        recipe: Option<Box<super::Recipe>>,
    },
}

impl Target {
    /// The pools it can lead to, as far as they are known.
    ///
    /// ```
    /// use lbcheck::{Dialect, MemoryLoader, Options};
    ///
    /// let text = "frontend web\n    bind :80\n    default_backend api\nbackend api\n    server a 10.0.0.1:80\n";
    /// let loader = MemoryLoader::one("haproxy.cfg", text);
    /// let config = &lbcheck::read(&loader, &["haproxy.cfg"], &Options::new(Dialect::HaProxy)).config;
    /// let targets = config.tables[0].routes.iter().flat_map(|route| route.action.targets());
    /// let names: Vec<_> = targets.flat_map(|target| target.pools()).map(|&id| &config.pool(id).name.value).collect();
    /// assert_eq!(names, ["api"]);
    /// ```
    #[must_use]
    pub fn pools(&self) -> &[PoolId] {
        match self {
            Self::Pool { pool, .. } => std::slice::from_ref(pool),
            Self::Undefined(_) => &[],
            Self::Dynamic { candidates, .. } => candidates,
        }
    }
}

/// One arm of a split.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
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
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
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
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct HashPolicy {
    /// `header x-user`, `cookie SID`, `source_ip`, `query q`, `filter_state k`.
    pub key: String,
    /// Whether it is the client's address.
    pub by_address: bool,
    /// What is made of the value before it is hashed, as "pattern → substitution".
    pub rewritten: Option<String>,
    /// How little it differs from request to request. `None`: by request, or unknown.
    pub variety: Option<super::KeyVariety>,
    /// Whether later policies are skipped once this one gives a value.
    pub terminal: bool,
    /// Where it is written.
    pub span: Span,
}
