//! What a proxy section sets, and what it inherits.

use std::time::Duration;

use crate::model::{Affinity, CheckKind, Mode, Origin, Setting};
use crate::source::{Span, Spanned};

use super::balance::{Balance, HashType};
use super::server::ServerSettings;

/// An optional setting.
pub(super) type Opt<T> = Option<Setting<T>>;

/// A step of `http-check` that has a place in the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckStep {
    Connect,
    Send,
    Expect,
}

/// The settings of one proxy section, or of a `defaults` section that others inherit.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) mode: Opt<Mode>,
    pub(super) balance: Opt<Balance>,
    pub(super) hash_type: Opt<HashType>,
    pub(super) hash_balance_factor: Opt<u32>,
    pub(super) timeout_connect: Opt<Duration>,
    pub(super) timeout_server: Opt<Duration>,
    pub(super) timeout_queue: Opt<Duration>,
    pub(super) timeout_check: Opt<Duration>,
    pub(super) retries: Opt<u32>,
    pub(super) retry_on: Opt<String>,
    /// `None` inside: `no option redispatch`.
    pub(super) redispatch: Opt<Option<i32>>,
    pub(super) all_backups: Opt<bool>,
    pub(super) cookie: Opt<String>,
    pub(super) persist: Opt<Affinity>,
    /// `option persist`: servers that are down are used where something other than the algorithm chose them.
    pub(super) uses_down: Opt<bool>,
    /// What `check` asks, from `option httpchk` and its kin. `None` inside: plain connections.
    pub(super) check: Opt<Option<CheckKind>>,
    /// The request target of `http-check send uri`.
    pub(super) check_uri: Opt<String>,
    /// A `connect` step of the checks names a port or an address of its own.
    pub(super) check_connects_to_port: bool,
    /// A `connect` step of the checks uses TLS.
    pub(super) check_connects_with_tls: bool,
    /// The last step of `http-check` in this section.
    pub(super) check_step: Option<CheckStep>,
    pub(super) full_connections: Opt<u64>,
    pub(super) default_backend: Option<Spanned<String>>,
    pub(super) disabled: Opt<bool>,
    pub(super) stats: Option<Span>,
    pub(super) stats_uri: Opt<String>,
    pub(super) monitor_uri: Opt<String>,
    pub(super) transparent: Opt<bool>,
    /// `option spop-check`: the servers are agents of a SPOE filter.
    pub(super) spoe_agents: Opt<bool>,
    pub(super) default_server: ServerSettings,
}

impl Settings {
    /// The same settings as seen by a section that inherits them.
    pub(super) fn inherited(&self) -> Self {
        Self {
            mode: inherit(&self.mode),
            balance: inherit(&self.balance),
            hash_type: inherit(&self.hash_type),
            hash_balance_factor: inherit(&self.hash_balance_factor),
            timeout_connect: inherit(&self.timeout_connect),
            timeout_server: inherit(&self.timeout_server),
            timeout_queue: inherit(&self.timeout_queue),
            timeout_check: inherit(&self.timeout_check),
            retries: inherit(&self.retries),
            retry_on: inherit(&self.retry_on),
            redispatch: inherit(&self.redispatch),
            all_backups: inherit(&self.all_backups),
            cookie: inherit(&self.cookie),
            persist: inherit(&self.persist),
            uses_down: inherit(&self.uses_down),
            check: inherit(&self.check),
            check_uri: inherit(&self.check_uri),
            check_connects_to_port: self.check_connects_to_port,
            check_connects_with_tls: self.check_connects_with_tls,
            // Each section has a sequence of its own.
            check_step: None,
            full_connections: inherit(&self.full_connections),
            default_backend: self.default_backend.clone(),
            disabled: inherit(&self.disabled),
            stats: self.stats,
            stats_uri: inherit(&self.stats_uri),
            monitor_uri: inherit(&self.monitor_uri),
            transparent: inherit(&self.transparent),
            spoe_agents: inherit(&self.spoe_agents),
            default_server: self.default_server.inherited(),
        }
    }
}

/// A setting as seen by whoever inherits it.
pub(super) fn inherit<T: Clone>(setting: &Opt<T>) -> Opt<T> {
    setting.as_ref().map(|setting| match setting.origin {
        Origin::Written(span) => Setting::inherited(setting.value.clone(), span),
        _ => setting.clone(),
    })
}
