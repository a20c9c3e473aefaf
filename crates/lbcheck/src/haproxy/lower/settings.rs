//! What a proxy section sets, and what it inherits.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::haproxy::lexer::Word;
use crate::model::{
    Address, Affinity, Algorithm, CheckKind, HashFunction, HashKey, HashTable, Mode, Origin, PoolId, Setting,
};
use crate::source::{Span, Spanned};

/// Where each name of a backend leads.
pub(super) type Pools<'a> = BTreeMap<&'a str, PoolId>;

/// The mode of a section that sets none.
pub(super) const DEFAULT_MODE: Mode = Mode::Tcp;

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

/// Who watches the traffic of a server (`observe`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Observe {
    None,
    Layer4,
    Layer7,
}

/// What `error-limit` errors in a row do (`on-error`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnError {
    FastInterval,
    FailCheck,
    SuddenDeath,
    MarkDown,
}

/// What a `server` or `default-server` line sets.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerSettings {
    pub(super) weight: Opt<u32>,
    pub(super) check: Opt<bool>,
    pub(super) agent_check: Opt<bool>,
    pub(super) backup: Opt<bool>,
    pub(super) disabled: Opt<bool>,
    pub(super) inter: Opt<Duration>,
    pub(super) fastinter: Opt<Duration>,
    pub(super) downinter: Opt<Duration>,
    pub(super) rise: Opt<u32>,
    pub(super) fall: Opt<u32>,
    pub(super) agent_inter: Opt<Duration>,
    pub(super) track: Opt<String>,
    pub(super) observe: Opt<Observe>,
    pub(super) error_limit: Opt<u32>,
    pub(super) on_error: Opt<OnError>,
    pub(super) maxconn: Opt<u64>,
    pub(super) minconn: Opt<u64>,
    pub(super) maxqueue: Opt<u64>,
    pub(super) ssl: Opt<bool>,
    pub(super) cookie: Opt<String>,
    pub(super) id: Opt<u32>,
    pub(super) hash_key: Opt<String>,
    pub(super) guid: Opt<String>,
    pub(super) resolvers: Opt<String>,
    /// `verify none`, or a file of authorities to verify with.
    pub(super) verifiable: Opt<bool>,
    pub(super) check_ssl: Opt<bool>,
    /// A port for checks, from `port` or from `addr`.
    pub(super) check_port: Opt<bool>,
    pub(super) fcgi: Opt<bool>,
    /// `agent-port`.
    pub(super) agent_port: Opt<i64>,
    /// `init-addr` lets the program start though the name has no address.
    pub(super) may_lack_address: Opt<bool>,
    /// A word whose value hangs on a variable that is not set.
    pub(super) unknown: Option<Span>,
}

impl ServerSettings {
    /// The same as seen by a server that inherits them.
    pub(super) fn inherited(&self) -> Self {
        Self {
            weight: inherit(&self.weight),
            check: inherit(&self.check),
            agent_check: inherit(&self.agent_check),
            backup: inherit(&self.backup),
            disabled: inherit(&self.disabled),
            inter: inherit(&self.inter),
            fastinter: inherit(&self.fastinter),
            downinter: inherit(&self.downinter),
            rise: inherit(&self.rise),
            fall: inherit(&self.fall),
            agent_inter: inherit(&self.agent_inter),
            track: inherit(&self.track),
            observe: inherit(&self.observe),
            error_limit: inherit(&self.error_limit),
            on_error: inherit(&self.on_error),
            maxconn: inherit(&self.maxconn),
            minconn: inherit(&self.minconn),
            maxqueue: inherit(&self.maxqueue),
            ssl: inherit(&self.ssl),
            cookie: inherit(&self.cookie),
            id: None,
            hash_key: inherit(&self.hash_key),
            guid: None,
            resolvers: inherit(&self.resolvers),
            verifiable: inherit(&self.verifiable),
            check_ssl: inherit(&self.check_ssl),
            check_port: inherit(&self.check_port),
            fcgi: inherit(&self.fcgi),
            agent_port: inherit(&self.agent_port),
            may_lack_address: inherit(&self.may_lack_address),
            unknown: self.unknown,
        }
    }
}

/// A `server` or `server-template` line, with what it inherits.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) name: Word<'static>,
    pub(super) address: Address,
    pub(super) span: Span,
    pub(super) slots: u32,
    pub(super) first_slot: u32,
    pub(super) settings: ServerSettings,
    /// The address is an SRV record, which fills the slots at run time.
    pub(super) srv_record: bool,
    pub(super) assumed: bool,
}

/// The `balance` line, before `hash-type` is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Balance {
    /// An algorithm that hashes nothing.
    Plain(Algorithm),
    /// A hash of this key; `http_only` ones fall back to round robin in `mode tcp`.
    Hash { key: HashKey, http_only: bool },
}

/// The `hash-type` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HashType {
    pub(super) table: HashTable,
    pub(super) function: HashFunction,
}

/// A setting as seen by whoever inherits it.
fn inherit<T: Clone>(setting: &Opt<T>) -> Opt<T> {
    setting.as_ref().map(|setting| match setting.origin {
        Origin::Written(span) => Setting::inherited(setting.value.clone(), span),
        _ => setting.clone(),
    })
}
