//! Pools and endpoints.

use std::fmt;
use std::time::Duration;

use super::{Algorithm, KeyVariety, Mode, Retries, RetryBudget, Setting, Subsets};
use crate::source::{Span, Spanned};

/// How a pool came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum PoolKind {
    /// Declared by name: HAProxy `backend`/`listen`, nginx `upstream`, Envoy cluster.
    Declared,
    /// nginx `proxy_pass http://host` (and `grpc_pass`, `fastcgi_pass`, …) without an upstream block.
    Implicit,
}

/// Whether the endpoints listed are all there are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Membership {
    /// The configuration lists every endpoint.
    Static,
    /// Endpoints come from somewhere lbcheck does not see (EDS, `resolvers` SRV records, an include that was
    /// not read); the reason in a few words. What is listed may be a part.
    Unknown(String),
}

/// A set of endpoints among which one is picked.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Pool {
    /// The pool's name: what routes call it. An implicit pool is named by its address text.
    pub name: Spanned<String>,
    /// How it came to be.
    pub kind: PoolKind,
    /// HTTP, TCP or neither.
    pub mode: Setting<Mode>,
    /// The header: `backend api`, `upstream api {`, the cluster's name field.
    pub header: Span,
    /// The whole section, for suppressions that stand at its head.
    pub extent: Span,
    /// How an endpoint is picked.
    pub algorithm: Setting<Algorithm>,
    /// How little the hash key differs from request to request, where the reader can tell. `None`: by request, or
    /// unknown, or nothing is hashed.
    pub key_variety: Option<KeyVariety>,
    /// Where the hash function is chosen (HAProxy `hash-type`), if anywhere.
    pub hash_type: Option<Span>,
    /// Envoy subsets: which metadata divides the endpoints, and what happens to requests that select none.
    pub subsets: Option<Subsets>,
    /// The endpoints in configuration order, tier by tier as written.
    pub endpoints: Vec<Endpoint>,
    /// Whether `endpoints` is complete.
    pub membership: Membership,
    /// Envoy localities, referred to by [`Endpoint::locality`]. Empty in the other dialects.
    pub localities: Vec<Locality>,
    /// Whether locality weights take part in the choice (Envoy `locality_weighted_lb_config`).
    pub locality_weighted: Option<Span>,
    /// Sessions pinned to an endpoint, beside the algorithm.
    pub affinity: Vec<Setting<Affinity>>,
    /// Active checks that hold for the whole pool (Envoy `health_checks`); those of single endpoints are
    /// in [`Endpoint::check`], where readers also put what the endpoint inherits.
    pub health_checks: Vec<Setting<HealthCheck>>,
    /// HAProxy `option httpchk` or one of its kin in this very section: whoever wrote it wants the servers checked.
    pub checks_asked: Option<Span>,
    /// Passive ejection that holds for the whole pool (Envoy `outlier_detection`).
    pub outlier_detection: Option<Setting<OutlierDetection>>,
    /// Whether all backups share the load once active endpoints are gone (HAProxy `option allbackups`;
    /// always so in nginx). `None` where the dialect has priorities instead.
    pub all_backups: Option<Setting<bool>>,
    /// Envoy `overprovisioning_factor`, in percent.
    pub overprovisioning_percent: Option<Setting<u32>>,
    /// Envoy `healthy_panic_threshold`, in percent of hosts; 0 disables panic.
    pub panic_threshold_percent: Option<Setting<u32>>,
    /// Timeouts towards the endpoints.
    pub timeouts: Timeouts,
    /// Attempts and which failures are retried.
    pub retries: Retries,
    /// Limits of the pool as a whole.
    pub limits: PoolLimits,
    /// An unconditional rule that answers every request without an endpoint
    /// (`http-request return`, `redirect`, `stats enable` in `mode http`, a Lua service).
    pub answers_locally: Option<Span>,
    /// The whole section is switched off (`disabled`).
    pub disabled: Option<Span>,
    /// nginx `zone`: run-time state is shared between workers.
    pub shared_state: Option<Span>,
    /// Rules of the pool itself that come before its algorithm, in order (HAProxy: the backend's own answers, then
    /// `use-server`). What none of them takes goes to the algorithm.
    pub overrides: Vec<super::Route>,
}

impl Pool {
    /// A declared pool with product-neutral contents; readers fill in the rest.
    #[must_use]
    pub fn new(
        name: Spanned<String>,
        header: Span,
        mode: Setting<Mode>,
        algorithm: Setting<Algorithm>,
    ) -> Self {
        Self {
            extent: header,
            name,
            kind: PoolKind::Declared,
            mode,
            header,
            algorithm,
            key_variety: None,
            hash_type: None,
            subsets: None,
            endpoints: Vec::new(),
            membership: Membership::Static,
            localities: Vec::new(),
            locality_weighted: None,
            affinity: Vec::new(),
            health_checks: Vec::new(),
            checks_asked: None,
            outlier_detection: None,
            all_backups: None,
            overprovisioning_percent: None,
            panic_threshold_percent: None,
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            limits: PoolLimits::default(),
            answers_locally: None,
            disabled: None,
            shared_state: None,
            overrides: Vec::new(),
        }
    }
}

impl Pool {
    /// What the proxy answers in place of a pool that is switched off as a whole.
    #[must_use]
    pub fn switched_off(&self) -> Option<super::Response> {
        self.disabled?;
        let status = (self.mode.value == Mode::Http).then_some(503);
        Some(super::Response { status, kind: format!("backend {} is switched off", self.name.value) })
    }

    /// Whether client traffic is what it is for and its endpoints are what answers: not switched off, not a
    /// log or peers pool, not answered by an unconditional rule.
    #[must_use]
    pub fn serves_clients(&self) -> bool {
        self.disabled.is_none() && self.answers_locally.is_none() && self.mode.value != Mode::Other
    }

    /// Whether an active check covers `endpoint`.
    #[must_use]
    pub fn checks(&self, endpoint: &Endpoint) -> bool {
        endpoint.check.is_some() || (!self.health_checks.is_empty() && endpoint.check_disabled.is_none())
    }

    /// Whether anything, active or passive, takes `endpoint` out when it fails.
    #[must_use]
    pub fn watches(&self, endpoint: &Endpoint) -> bool {
        let ejects = |setting: Option<Setting<OutlierDetection>>| {
            setting.is_some_and(|detection| detection.value.failures > 0)
        };
        self.checks(endpoint) || ejects(endpoint.outlier_detection) || ejects(self.outlier_detection)
    }
}

/// One member of a pool.
///
/// HAProxy `server-template` is one `Endpoint` with `slots` above 1, so that a large template costs no memory.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Endpoint {
    /// What users call it: the HAProxy server name, the nginx or Envoy address text.
    pub name: Spanned<String>,
    /// Where connections go.
    pub address: Address,
    /// The whole `server` line or `lb_endpoint`.
    pub span: Span,
    /// Relative weight; the range is the dialect's (HAProxy 0–256, nginx and Envoy from 1).
    pub weight: Setting<u32>,
    /// 0 = active; higher tiers take over when lower ones fail (`backup` is tier 1, Envoy `priority` as written).
    pub tier: Setting<u32>,
    /// Whether the operator has taken it out.
    pub state: Setting<AdminState>,
    /// Envoy `health_status: DEGRADED`, and where it is written: used only for what healthy endpoints leave.
    pub degraded: Option<Span>,
    /// The active check of this endpoint. `None`: nobody checks it, or only the pool's checks do.
    pub check: Option<Setting<HealthCheck>>,
    /// The pool's checks leave this endpoint out (Envoy `disable_active_health_check`).
    pub check_disabled: Option<Span>,
    /// Passive failure detection of this endpoint (nginx `max_fails`, HAProxy `observe`). `None`: there is none.
    pub outlier_detection: Option<Setting<OutlierDetection>>,
    /// Concurrent connections or requests allowed (`maxconn`, `max_conns`). `None` or 0: unlimited.
    pub max_connections: Option<Setting<u64>>,
    /// HAProxy `minconn`.
    pub min_connections: Option<Setting<u64>>,
    /// Requests that may wait for this endpoint (HAProxy `maxqueue`). `None`: unlimited.
    pub max_queue: Option<Setting<u64>>,
    /// The value of the persistence cookie that selects it.
    pub cookie: Option<Setting<String>>,
    /// HAProxy's numeric `id`; `None` when the product numbers it by position.
    pub id: Option<Setting<u32>>,
    /// Index into [`Pool::localities`].
    pub locality: Option<usize>,
    /// Envoy `metadata.filter_metadata["envoy.lb"]`: what subsets go by, as key and text of the value.
    pub metadata: Vec<(String, String)>,
    /// Envoy `metadata.filter_metadata["envoy.lb"].hash_key`, and HAProxy's `guid`/`hash-key` text.
    pub hash_key: Option<Setting<String>>,
    /// TLS towards the endpoint.
    pub tls: Option<Setting<bool>>,
    /// How many members this line makes: the size of a `server-template`, otherwise 1.
    pub slots: u32,
    /// The number after the name of the first of several slots; each next one is one higher.
    pub first_slot: u32,
    /// The address is a name of which every address becomes a member of its own (nginx, Envoy STRICT_DNS), so
    /// that the number of members is not in the configuration. HAProxy uses one address of a name.
    pub expands: bool,
}

impl Endpoint {
    /// An active endpoint of weight 1 with nothing else set.
    #[must_use]
    pub fn new(name: Spanned<String>, address: Address, span: Span, default_note: &'static str) -> Self {
        Self {
            name,
            address,
            span,
            weight: Setting::default(1, default_note),
            tier: Setting::default(0, default_note),
            state: Setting::default(AdminState::Enabled, default_note),
            degraded: None,
            check: None,
            check_disabled: None,
            outlier_detection: None,
            max_connections: None,
            min_connections: None,
            max_queue: None,
            cookie: None,
            id: None,
            locality: None,
            metadata: Vec::new(),
            hash_key: None,
            tls: None,
            slots: 1,
            first_slot: 1,
            expands: false,
        }
    }

    /// Whether it takes new, unpinned traffic while its tier is in use: enabled and of weight above 0.
    #[must_use]
    pub fn in_rotation(&self) -> bool {
        self.state.value == AdminState::Enabled && self.weight.value > 0
    }

    /// Requests that it may have at once, all its slots together. `None`: no limit.
    #[must_use]
    pub fn most_requests(&self) -> Option<u64> {
        let most = self.max_connections.map(|limit| limit.value).filter(|limit| *limit > 0)?;
        // A `minconn` above `maxconn` raises it.
        let most = most.max(self.min_connections.map_or(0, |limit| limit.value));
        Some(most.saturating_mul(u64::from(self.slots.max(1))))
    }

    /// Whether it takes new, unpinned traffic in normal times: in rotation and of tier 0.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.tier.value == 0 && self.in_rotation()
    }
}

/// Whether the operator has taken an endpoint out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum AdminState {
    /// In use.
    Enabled,
    /// No traffic at all: HAProxy `disabled`, nginx `down`, Envoy UNHEALTHY or TIMEOUT pinned in the file.
    Disabled,
    /// No new traffic, sessions finish: nginx `drain`, Envoy DRAINING. (HAProxy drains by weight 0.)
    Draining,
}

/// Where an endpoint's connections go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Address {
    /// Host part.
    pub host: Host,
    /// Port; `None` when the address has none (unix socket) or it is only known at run time.
    pub port: Option<u16>,
    /// HAProxy `server s 10.0.0.1:+100`: relative to the port the client used.
    pub port_offset: i32,
}

/// The host part of an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Host {
    /// A literal IP address.
    Ip(std::net::IpAddr),
    /// A name; how many addresses it has is not in the configuration. Lower case.
    Name(String),
    /// A unix socket, abstract ones included, by path.
    Unix(String),
    /// Anything else the dialect allows (`fd@3`, `rhttp@`, an Envoy internal listener), as written.
    Special(String),
    /// Not known before run time (a variable that is not set, a template hole), as written.
    Unknown(String),
}

impl Address {
    /// How many network addresses it stands for: `Some(1)` unless a name or unknown.
    #[must_use]
    pub fn cardinality(&self) -> Option<u32> {
        match self.host {
            Host::Ip(_) | Host::Unix(_) | Host::Special(_) => Some(1),
            Host::Name(_) | Host::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(std::net::IpAddr::V6(ip)) if self.port.is_some() => write!(f, "[{ip}]")?,
            Host::Ip(ip) => write!(f, "{ip}")?,
            Host::Unix(path) => write!(f, "unix:{path}")?,
            Host::Name(text) | Host::Special(text) | Host::Unknown(text) => f.write_str(text)?,
        }
        match self.port {
            Some(port) if self.port_offset == 0 => write!(f, ":{port}"),
            _ if self.port_offset != 0 => write!(f, ":{:+}", self.port_offset),
            _ => Ok(()),
        }
    }
}

/// Sessions pinned to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Affinity {
    /// A cookie, by name.
    Cookie(String),
    /// A stick table keyed by an expression, in the dialect's words.
    StickTable(String),
    /// nginx `sticky`, Envoy stateful session, in the dialect's words.
    Other(String),
}

/// An active health check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct HealthCheck {
    /// What is asked.
    pub kind: CheckKind,
    /// How often and how many.
    pub timing: CheckTiming,
}

/// What an active check asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum CheckKind {
    /// Connect only.
    Tcp,
    /// An HTTP request, by path if the configuration names one.
    Http {
        /// Request target.
        path: Option<String>,
    },
    /// The endpoint's own agent (HAProxy `agent-check`).
    Agent,
    /// Another server's state is copied (HAProxy `track`), by `backend/server`.
    Track(String),
    /// Any other protocol check, by name: `mysql`, `grpc`, `external`.
    Other(String),
}

/// How often a check runs and how many answers count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct CheckTiming {
    /// Time between checks.
    pub interval: Option<Setting<Duration>>,
    /// Time between checks while failures are being counted (HAProxy `fastinter`, Envoy `unhealthy_edge_interval`).
    /// `None`: as `interval`.
    pub fast_interval: Option<Setting<Duration>>,
    /// Time between checks of an endpoint that is out (HAProxy `downinter`, Envoy `unhealthy_interval`). `None`: as
    /// `interval`.
    pub down_interval: Option<Setting<Duration>>,
    /// Time between checks while successes are being counted (HAProxy `fastinter`, Envoy `healthy_edge_interval`).
    /// `None`: as `interval`.
    pub rising_interval: Option<Setting<Duration>>,
    /// The intervals as long as the pool has never had a connection: while all is well and after a failure (Envoy
    /// `no_traffic_healthy_interval` and `no_traffic_interval`). `None`: as with traffic.
    pub quiet: Option<(Duration, Duration)>,
    /// How far chance moves every wait.
    pub jitter: Jitter,
    /// Time one check may take.
    pub timeout: Option<Setting<Duration>>,
    /// Failures before it is out (`fall`, `unhealthy_threshold`).
    pub fall: Option<Setting<u32>>,
    /// Successes before it is back (`rise`, `healthy_threshold`).
    pub rise: Option<Setting<u32>>,
}

/// How far chance moves the wait between two checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Jitter {
    /// Sooner by up to so many percent (HAProxy `spread-checks`).
    pub sooner_percent: u32,
    /// Later by up to so many percent (HAProxy `spread-checks`, Envoy `interval_jitter_percent`).
    pub later_percent: u32,
    /// Later by up to this time more (Envoy `interval_jitter`).
    pub later: Duration,
}

/// Passive failure detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct OutlierDetection {
    /// Consecutive (HAProxy, Envoy) or counted (nginx) failures that eject, without the help of any check. 0: they
    /// never do.
    pub failures: u32,
    /// How long it stays out at first. `None`: not set by time (HAProxy waits for checks).
    pub ejection: Option<Duration>,
    /// How often it is looked at who may come back (Envoy `interval`). `None`: not at intervals.
    pub sweep: Option<Duration>,
    /// Most of the pool that may be out at once, in percent (Envoy, default 10).
    pub max_ejection_percent: Option<u32>,
    /// Envoy `always_eject_one_host`.
    pub always_eject_one: bool,
}

/// An Envoy locality inside a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Locality {
    /// `region/zone/sub_zone`, empty parts kept empty.
    pub name: String,
    /// Its weight; `None`: unset, which is no load under locality weighting.
    pub weight: Option<Setting<u32>>,
    /// Its priority.
    pub priority: u32,
    /// Where the group is written.
    pub span: Span,
}

/// Timeouts towards the endpoints. `None`: not set, and the product's behaviour then is not a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Timeouts {
    /// Connecting.
    pub connect: Option<Setting<Duration>>,
    /// Waiting for the endpoint (`timeout server`, `proxy_read_timeout`, route `timeout`).
    pub response: Option<Setting<Duration>>,
    /// Waiting for a free slot (`timeout queue`).
    pub queue: Option<Setting<Duration>>,
}

/// Limits of a pool as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PoolLimits {
    /// Envoy circuit breaker `max_connections` (default 1024); HAProxy `fullconn` is in `full_connections`.
    pub max_connections: Option<Setting<u64>>,
    /// Envoy `max_pending_requests`.
    pub max_pending: Option<Setting<u64>>,
    /// Envoy `max_requests`.
    pub max_requests: Option<Setting<u64>>,
    /// Envoy `max_retries`. `None`: there is a budget instead.
    pub max_retries: Option<Setting<u64>>,
    /// Envoy `retry_budget`.
    pub retry_budget: Option<Setting<RetryBudget>>,
    /// HAProxy `fullconn`.
    pub full_connections: Option<Setting<u64>>,
}
