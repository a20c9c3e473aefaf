//! `lbcheck.model/v1`, what `model` gives: a configuration as lbcheck understands it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Input, Location, Tool};

/// What `lbcheck model` prints.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Model {
    /// `lbcheck.model/v1`.
    #[cfg_attr(test, schemars(extend("const" = "lbcheck.model/v1")))]
    pub schema: &'static str,
    /// The program that wrote it.
    pub tool: Tool,
    /// The configurations that were read.
    pub configurations: Vec<Configuration>,
}

/// One configuration.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Configuration {
    /// What was read.
    pub input: Input,
    /// Where traffic enters.
    pub listeners: Vec<Listener>,
    /// Route tables by their index; listeners and routes refer to them.
    pub tables: Vec<RouteTable>,
    /// Every pool, in the order of the configuration.
    pub pools: Vec<Pool>,
    /// Whose address is taken for the client's: `peer` (whoever connects), `restored` from what a proxy in front
    /// says, or `behind_proxy` (that of a proxy).
    pub client_address: &'static str,
    /// Worker processes with counters of their own; `null` inside: as many as the machine has processors.
    pub workers: Option<Value<Option<u32>>>,
    /// Every setting of the configuration as a whole, in the dialect's words.
    pub settings: Vec<Setting>,
    /// What was seen and not understood, and may matter.
    pub gaps: Vec<Gap>,
}

/// An effective value and where it comes from.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Value<T> {
    /// The value the product uses.
    pub value: T,
    /// Where it comes from.
    pub origin: OriginName,
    /// Where it is written, unless it is a default.
    pub location: Option<Location>,
    /// The source of a default.
    pub note: Option<&'static str>,
}

/// Where an effective value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OriginName {
    /// Written on the object itself.
    Written,
    /// Written elsewhere and inherited.
    Inherited,
    /// The product's default.
    Default,
}

/// A setting in the dialect's words. What differs between two configurations differs in these.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Setting {
    /// Which setting.
    pub name: &'static str,
    /// What is in force.
    pub value: String,
    /// What it has an effect on: `routing`, `share`, `availability`, `capacity`, `time`, `content`, `security`,
    /// `observability`, `process` or `unknown`; `none` where something else makes it idle.
    pub class: &'static str,
    /// Where it is written, unless it is a default.
    pub location: Option<Location>,
}

/// Where traffic enters.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// `http`, `tcp` or `other`.
    pub mode: &'static str,
    /// Addresses it listens on.
    pub binds: Vec<Bind>,
    /// Index of its route table.
    pub table: u32,
    /// Every setting in the dialect's words.
    pub settings: Vec<Setting>,
    /// Where it is written.
    pub location: Location,
}

/// One address a listener takes connections on.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Bind {
    /// The address, without port.
    pub host: String,
    /// First and last port.
    pub ports: Option<(u16, u16)>,
    /// Whether TLS ends here.
    pub tls: bool,
    /// Whether the PROXY protocol is expected.
    pub accept_proxy: bool,
    /// Where it is written.
    pub location: Location,
}

/// An ordered list of routes; the first whose condition holds is taken.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RouteTable {
    /// What stands at its head.
    pub label: String,
    /// Every setting in the dialect's words.
    pub settings: Vec<Setting>,
    /// The routes in order of precedence.
    pub routes: Vec<Route>,
}

/// One entry of a route table.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Route {
    /// The route in the dialect's words.
    pub label: String,
    /// When it applies.
    pub when: Condition,
    /// What it does.
    pub action: Action,
    /// Copies of the request sent elsewhere.
    pub mirrors: Vec<Mirror>,
    /// What is hashed, for pools that hash by route.
    pub hash_policies: Vec<String>,
    /// What selects a subset of the pool's endpoints.
    pub metadata: BTreeMap<String, String>,
    /// Every setting in the dialect's words.
    pub settings: Vec<Setting>,
    /// Where it is written.
    pub location: Location,
}

/// A condition over a request.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
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
    /// A test of one property of the request.
    Is(Test),
    /// Holds for this share of requests, drawn anew for each.
    Chance(f64),
    /// Cannot be told from the configuration; in the dialect's words.
    Opaque(String),
}

/// A test of one property of a request.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Test {
    /// `host`, `host_name` (without its port), `path`, `target` (path with
    /// query string), `method`, `header`, `header_line` (as a whole), `query`, `cookie`, `sni`, `source`, `port` or `tls`.
    pub property: &'static str,
    /// Name of the header, query parameter or cookie.
    pub name: Option<String>,
    /// `exact`, `prefix`, `suffix`, `contains`, `segment_prefix`, `regex`, `between` (`from:to`, the end not included),
    /// `network` or `present`.
    pub operator: &'static str,
    /// What it is compared with.
    pub value: Option<String>,
    /// Whether case is left out of account.
    pub ignore_case: bool,
}

/// What a route does.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Sends to one pool.
    Forward(Target),
    /// Sends to one of several pools by weight.
    Split(Vec<Arm>),
    /// Sends to one endpoint of a pool, past its algorithm.
    Endpoint {
        /// The pool.
        pool: String,
        /// The endpoint.
        endpoint: String,
    },
    /// Goes on in the table of this index; where nothing matches there, the next route here is tried.
    Table(u32),
    /// Answered by the proxy itself.
    Respond {
        /// HTTP status, when fixed.
        status: Option<u16>,
        /// How: `return`, `deny`, `redirect`, …
        kind: String,
    },
    /// Served by the proxy from files or a module of its own.
    Local(String),
    /// Decided at run time; in the dialect's words.
    Opaque(String),
}

/// The pool that a route names.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A pool of this configuration.
    Pool(String),
    /// A name for which this configuration has no pool.
    Undefined(String),
    /// Known only at run time.
    Dynamic {
        /// As written.
        text: String,
        /// The pools it can name; empty: any.
        candidates: Vec<String>,
    },
}

/// One arm of a split.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Arm {
    /// Where it sends.
    pub target: Target,
    /// Weight as written; the arms' sum is the whole.
    pub weight: u64,
}

/// A copy of the request.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Mirror {
    /// Where it is sent.
    pub target: Target,
    /// Share of requests copied.
    pub share: f64,
}

/// A set of endpoints among which one is picked.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Whether it is declared by name; otherwise a route's address made it.
    pub declared: bool,
    /// `http`, `tcp` or `other`.
    pub mode: Value<&'static str>,
    /// How an endpoint is picked, by its name in policies.
    pub algorithm: Value<String>,
    /// What is hashed to pick one.
    pub hash_key: Option<String>,
    /// How little the key differs from request to request, where that is known: `listener` or `host`.
    pub key_variety: Option<&'static str>,
    /// Which metadata divides the endpoints into subsets.
    pub subsets: Option<Subsets>,
    /// Why the endpoints listed may not be all there are.
    pub membership_unknown: Option<String>,
    /// How sure the endpoints' shares are: `exact`, `expected`, `range` or `unknown`.
    pub certainty: &'static str,
    /// What has to hold for the shares.
    pub assumptions: Vec<String>,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Envoy localities; endpoints refer to them by index.
    pub localities: Vec<Locality>,
    /// Whether locality weights take part in the choice.
    pub locality_weighted: bool,
    /// Envoy's overprovisioning factor, in percent.
    pub overprovisioning_percent: Option<Value<u32>>,
    /// Percent of healthy hosts below which Envoy sends to all; 0: never.
    pub panic_threshold_percent: Option<Value<u32>>,
    /// Whether workers share the pool's counters.
    pub shared_state: bool,
    /// Sessions pinned to an endpoint.
    pub affinity: Vec<Value<String>>,
    /// Active checks of the whole pool.
    pub health_checks: Vec<Value<HealthCheck>>,
    /// Passive ejection of the whole pool.
    pub outlier_detection: Option<Value<OutlierDetection>>,
    /// Whether all backups share the load once active endpoints are gone.
    pub all_backups: Option<Value<bool>>,
    /// Timeouts towards the endpoints, in seconds.
    pub timeouts: Timeouts,
    /// Attempts per request.
    pub retries: Retries,
    /// Limits of the pool as a whole.
    pub limits: Limits,
    /// Routes of the pool itself that come before its algorithm.
    pub overrides: Vec<Route>,
    /// Whether the whole pool is switched off.
    pub disabled: bool,
    /// Whether the proxy answers every request by itself.
    pub answers_locally: bool,
    /// Every setting in the dialect's words.
    pub settings: Vec<Setting>,
    /// Where its header is written.
    pub location: Location,
}

/// Subsets of a pool.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subsets {
    /// The keys of each selector.
    pub selectors: Vec<Vec<String>>,
    /// What happens to requests that select none: `refuse`, `any` or `other`.
    pub fallback: &'static str,
}

/// One member of a pool.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endpoint {
    /// What users call it.
    pub name: String,
    /// Where connections go.
    pub address: String,
    /// Its share of the pool's traffic in normal times, from 0 to 1; `null`: not known.
    pub share: Option<f64>,
    /// Relative weight.
    pub weight: Value<u32>,
    /// 0: active; higher tiers take over when lower ones fail.
    pub tier: Value<u32>,
    /// `enabled`, `disabled` or `draining`.
    pub state: Value<&'static str>,
    /// The active check of this endpoint.
    pub check: Option<Value<HealthCheck>>,
    /// Whether the pool's checks leave it out.
    pub check_disabled: bool,
    /// Passive failure detection of this endpoint.
    pub outlier_detection: Option<Value<OutlierDetection>>,
    /// Connections or requests allowed at once.
    pub max_connections: Option<Value<u64>>,
    /// Requests that may wait for it.
    pub max_queue: Option<Value<u64>>,
    /// Whether connections to it use TLS.
    pub tls: Option<Value<bool>>,
    /// What subsets go by.
    pub metadata: BTreeMap<String, String>,
    /// How many members it stands for.
    pub slots: u32,
    /// Whether each address of its name becomes a member of its own.
    pub expands: bool,
    /// Index of its locality.
    pub locality: Option<usize>,
    /// Every setting in the dialect's words.
    pub settings: Vec<Setting>,
    /// Where it is written.
    pub location: Location,
}

/// An active health check.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HealthCheck {
    /// `tcp`, `http`, `agent`, `track`, or another protocol's name.
    pub kind: String,
    /// The path of an HTTP check, the server tracked.
    pub target: Option<String>,
    /// Seconds between checks.
    pub interval: Option<Value<f64>>,
    /// Seconds one check may take.
    pub timeout: Option<Value<f64>>,
    /// Failures before it is out.
    pub fall: Option<Value<u32>>,
    /// Successes before it is back.
    pub rise: Option<Value<u32>>,
}

/// Passive failure detection.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutlierDetection {
    /// Failures that eject; 0: never.
    pub failures: u32,
    /// Seconds it stays out at first.
    pub ejection: Option<f64>,
    /// Most of the pool that may be out at once, in percent.
    pub max_ejection_percent: Option<u32>,
}

/// An Envoy locality.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Locality {
    /// Region, zone and sub-zone.
    pub name: String,
    /// Its weight.
    pub weight: Option<Value<u32>>,
    /// Its priority.
    pub priority: u32,
}

/// Timeouts towards the endpoints, in seconds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Timeouts {
    /// Connecting.
    pub connect: Option<Value<f64>>,
    /// Waiting for the endpoint.
    pub response: Option<Value<f64>>,
    /// Waiting for a free slot.
    pub queue: Option<Value<f64>>,
}

/// Attempts per request.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Retries {
    /// Attempts after the first one.
    pub attempts: Option<Value<u32>>,
    /// Which failures are retried.
    pub on: Option<Value<String>>,
    /// HAProxy: from which retry on another server may be tried; -1: the last one.
    pub redispatch: Option<Value<i32>>,
}

/// Limits of a pool as a whole.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limits {
    /// Connections.
    pub max_connections: Option<Value<u64>>,
    /// Requests waiting.
    pub max_pending: Option<Value<u64>>,
    /// Requests at once.
    pub max_requests: Option<Value<u64>>,
    /// Retries at once.
    pub max_retries: Option<Value<u64>>,
}

/// Something seen but not understood.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gap {
    /// What it is.
    pub what: String,
    /// What it makes uncertain: `pool`, `routing` or `everything`.
    pub weakens: &'static str,
    /// The pool it is about.
    pub pool: Option<String>,
    /// Where it is written.
    pub location: Location,
}
