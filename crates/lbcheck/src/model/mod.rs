//! The one model that HAProxy, nginx and Envoy configurations are read into.
//!
//! A [`Listener`] takes connections, a [`Route`] chooses, a [`Pool`] is a set of [`Endpoint`]s, an
//! [`Algorithm`] picks one. Values are effective: inheritance, defaults and precedence are settled
//! by the reader, and each value keeps its [`Origin`]. What a reader cannot know is a value too
//! ([`Membership::Unknown`], [`Condition::Opaque`], [`Target::Dynamic`]); nothing is guessed.
//!
//! All of it is flat: tables and pools refer to each other by index, so nothing here is deeper
//! than the bounded condition trees.

mod algorithm;
#[allow(dead_code)]
mod condition;
mod pool;
mod recipe;
mod retry;
mod route;
mod setting;

pub use algorithm::{Algorithm, HashFunction, HashKey, HashTable, KeyVariety, SubsetFallback, Subsets};
#[allow(unused_imports)]
pub(crate) use condition::Changed;
pub use condition::{Condition, Match, Property, TextMatch};
pub use pool::{
    Address, AdminState, Affinity, CheckKind, CheckTiming, Endpoint, HealthCheck, Host, Jitter, Locality,
    Membership, OutlierDetection, Pool, PoolKind, PoolLimits, Timeouts,
};
pub use recipe::{KeyFits, Recipe, RecipePart, SampleStep, Sampled};
pub use retry::{Retries, RetryBudget};
pub use route::{
    Action, AddressSource, Bind, ErrorTarget, EscapedSlashes, Fallback, ForwardedScheme, HashPolicy,
    Listener, Mirror, Normalization, OnError, PathChange, PortInHost, Reach, Response, RestoredAddress,
    Route, RouteTable, Target, Then, Underscores, WeightedTarget,
};
pub use setting::{Origin, Setting};

use std::collections::BTreeMap;
use std::time::Duration;

use crate::dialect::{Dialect, Version};
use crate::source::{FileId, Span, Spanned};

/// Index of a pool in [`Config::pools`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u32);

/// Index of a route table in [`Config::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u32);

/// Traffic mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Mode {
    /// Requests are routed one by one.
    Http,
    /// Connections (or datagrams) are routed whole.
    Tcp,
    /// HAProxy `mode log`, `mode spop`, `mode cli`: not client traffic.
    Other,
}

/// Whose address the proxy takes for the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum ClientAddress {
    /// That of whoever connects. Nothing says whether that is the client.
    Peer,
    /// The client's own, as a proxy in front passes it on (PROXY protocol, a header); where that is set up. Holds if
    /// any listener does so.
    Restored(Span),
    /// That of a proxy in front; what shows that there is one.
    Behind(Spanned<String>),
}

/// A whole configuration, as the service would run it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Config {
    /// The language it was written in.
    pub dialect: Dialect,
    /// The product version it was read for.
    pub version: Version,
    /// Where traffic enters.
    pub listeners: Vec<Listener>,
    /// Every route table; listeners and routes refer to them by [`TableId`].
    pub tables: Vec<RouteTable>,
    /// Tables before which path and host are read otherwise than the product does by itself.
    pub normalizations: BTreeMap<TableId, Normalization>,
    /// Statuses for which any block has an answer of its own (nginx `error_page`), ascending.
    pub answered_errors: Vec<u16>,
    /// Tables before which the client's address is replaced by one that a trusted proxy tells.
    pub restored_addresses: BTreeMap<TableId, RestoredAddress>,
    /// Every pool, in the order of the configuration.
    pub pools: Vec<Pool>,
    /// Pools used by something other than a route (mirrors, auth services, DNS, log targets), with the place.
    pub other_uses: Vec<(PoolId, Span)>,
    /// A section that serves something the model leaves out: nginx `mail`, HAProxy `log-forward`.
    pub serves_other: Option<Span>,
    /// Whose address a connection or request shows.
    pub client_address: ClientAddress,
    /// How many worker processes serve, each with counters of its own unless a pool shares them (nginx
    /// `worker_processes`); `None` inside: as many as the machine has processors. `None`: the dialect has one set of
    /// counters, or the line is not part of what was read.
    pub workers: Option<Setting<Option<u32>>>,
    /// Connection managers that choose a route and have no filter that follows it (Envoy without the router filter),
    /// by what they are called.
    pub without_router: Vec<Spanned<String>>,
    /// A filter can give requests metadata of their own, by which a pool chooses a subset (Envoy).
    pub request_metadata: bool,
    /// Divisions of traffic among pools that leave some requests without any (nginx `split_clients` below 100 %
    /// without `*`): name of the variable, and the part that is left in millionths.
    pub uncovered_splits: Vec<(Spanned<String>, u32)>,
    /// Whether only a part of a configuration was read (a snippet, a resource file): names that do
    /// not resolve may be defined elsewhere, and listeners may be elsewhere too.
    pub fragment: bool,
    /// Times that people wrote for traffic, to be held against their units.
    pub times: Vec<WrittenTime>,
    /// Files that belong to the configuration, in the order they were read.
    pub files: Vec<FileId>,
    /// How much was understood, and what was not.
    pub coverage: Coverage,
}

impl Config {
    /// A configuration with nothing in it.
    #[must_use]
    pub fn empty(dialect: Dialect, version: Version) -> Self {
        Self {
            dialect,
            version,
            listeners: Vec::new(),
            tables: Vec::new(),
            normalizations: BTreeMap::new(),
            answered_errors: Vec::new(),
            restored_addresses: BTreeMap::new(),
            pools: Vec::new(),
            other_uses: Vec::new(),
            serves_other: None,
            client_address: ClientAddress::Peer,
            workers: None,
            without_router: Vec::new(),
            request_metadata: false,
            uncovered_splits: Vec::new(),
            fragment: false,
            times: Vec::new(),
            files: Vec::new(),
            coverage: Coverage::default(),
        }
    }

    /// The pool of an id that this configuration gave out.
    #[must_use]
    pub fn pool(&self, id: PoolId) -> &Pool {
        &self.pools[id.0 as usize]
    }

    /// The table of an id that this configuration gave out.
    #[must_use]
    pub fn table(&self, id: TableId) -> &RouteTable {
        &self.tables[id.0 as usize]
    }

    /// Adds a pool and gives its id.
    pub fn add_pool(&mut self, pool: Pool) -> PoolId {
        self.pools.push(pool);
        PoolId(self.pools.len() as u32 - 1)
    }

    /// Adds a route table and gives its id.
    pub fn add_table(&mut self, table: RouteTable) -> TableId {
        self.tables.push(table);
        TableId(self.tables.len() as u32 - 1)
    }

    /// Every pool with its id.
    pub fn pools(&self) -> impl Iterator<Item = (PoolId, &Pool)> {
        self.pools.iter().enumerate().map(|(index, pool)| (PoolId(index as u32), pool))
    }

    /// The routes that send to a pool, alone or as an arm of a split. Looks at every route: where all pools are asked
    /// about, [`Action::targets`] of each route is the quicker way.
    pub fn routes_to(&self, pool: PoolId) -> impl Iterator<Item = &Route> {
        let leads = move |target: &Target| matches!(target, Target::Pool { pool: to, .. } if *to == pool);
        let routes = self.tables.iter().flat_map(|table| &table.routes);
        routes.filter(move |route| route.action.targets().any(leads))
    }
}

/// How much of the input was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Coverage {
    /// Directives seen: lines with a keyword, nginx directives, Envoy fields.
    pub total: u32,
    /// Directives understood: lowered into the model, or known to have no part in it.
    pub understood: u32,
    /// What was not understood and may matter.
    pub gaps: Vec<Gap>,
}

/// A time as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct WrittenTime {
    /// The setting, in the dialect's words: `timeout client`, `proxy_read_timeout`.
    pub name: String,
    /// What it limits.
    pub kind: TimeKind,
    /// What the program makes of it.
    pub value: Duration,
    /// Who chose the unit.
    pub unit: TimeUnit,
    /// The value.
    pub span: Span,
}

/// What a time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum TimeKind {
    /// Opening a connection.
    Connect,
    /// Waiting for the other side, or for a turn.
    Wait,
    /// How often something is done.
    Interval,
}

/// Who chose the unit of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum TimeUnit {
    /// The author wrote it.
    Written,
    /// The author left it out, and the program takes milliseconds (HAProxy) or seconds (nginx).
    Assumed,
    /// The language has only one (Envoy: seconds).
    Only,
}

/// Something lbcheck saw but cannot conclude from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Gap {
    /// Where it is written.
    pub span: Span,
    /// What it is, in a few words: "`http-request lua.route`", "endpoints come from EDS".
    pub what: String,
    /// Which conclusions it weakens.
    pub weakens: Weakens,
    /// A finding of the reader tells of it already, or the user has declared it.
    pub told: bool,
}

/// What a [`Gap`] makes uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Weakens {
    /// Members and shares of one pool.
    Pool(PoolId),
    /// Which pool a request reaches.
    Routing,
    /// Anything: part of the configuration was not read.
    Everything,
}
