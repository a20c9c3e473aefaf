//! How one endpoint of a pool is picked.

use crate::source::Span;

/// How an endpoint is picked.
///
/// Names in [`Algorithm::policy_name`] are those of the allow-lists in `lbcheck.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Weighted round robin with dynamic weights.
    RoundRobin,
    /// HAProxy `static-rr`.
    StaticRoundRobin,
    /// HAProxy `leastconn`, nginx `least_conn`, Envoy LEAST_REQUEST.
    LeastConnections {
        /// Envoy: how many hosts are drawn (default 2); `None`: all are compared.
        choices: Option<u32>,
        /// Envoy `active_request_bias` in thousandths (default 1000); 1000 elsewhere.
        bias_milli: u32,
    },
    /// nginx `least_time`, in the words of its arguments.
    LeastTime(String),
    /// Random with this many draws; 1 is pure random. nginx `random two` and HAProxy `random` draw 2.
    Random {
        /// Draws per pick.
        draws: u32,
        /// Whether endpoint weights count (not in Envoy RANDOM).
        weighted: bool,
        /// How the draws are compared, for `draws` above 1: `least_conn`, `least_time=header`.
        by: Option<String>,
    },
    /// HAProxy `first`: the first endpoint with a free slot.
    First,
    /// A hash of a key picks the endpoint.
    Hash {
        /// What is hashed.
        key: HashKey,
        /// How the hash selects.
        table: HashTable,
        /// The hash function.
        function: HashFunction,
        /// Bounded load in percent (HAProxy and Envoy `hash-balance-factor`); 0 = unbounded.
        balance_factor: u32,
    },
    /// Envoy subset balancer around another one; subsets are chosen by route metadata.
    Subset(Box<Algorithm>),
    /// The client's original destination is used; no endpoint is picked.
    OriginalDestination,
    /// Envoy CLUSTER_PROVIDED.
    ClusterProvided,
    /// HAProxy `sticky` (log mode).
    StickyLog,
    /// An algorithm of a module or extension, by name: nginx `fair`, an Envoy policy extension.
    External(String),
    /// Written, but not known before run time (an unset variable, a template hole).
    Unknown(String),
}

impl Algorithm {
    /// Whether endpoint weights have a part in the choice.
    #[must_use]
    pub fn uses_weights(&self) -> bool {
        match self {
            Self::RoundRobin
            | Self::StaticRoundRobin
            | Self::LeastConnections { .. }
            | Self::LeastTime(_)
            | Self::Hash { .. }
            | Self::External(_)
            | Self::Unknown(_) => true,
            Self::Random { weighted, .. } => *weighted,
            Self::First | Self::OriginalDestination | Self::ClusterProvided | Self::StickyLog => false,
            Self::Subset(inner) => !matches!(**inner, Self::Random { weighted: false, .. }),
        }
    }

    /// The name used in policy allow-lists.
    #[must_use]
    pub fn policy_name(&self) -> String {
        match self {
            Self::RoundRobin => "round_robin".into(),
            Self::StaticRoundRobin => "static_rr".into(),
            Self::LeastConnections { .. } => "least_conn".into(),
            Self::LeastTime(_) => "least_time".into(),
            Self::Random { draws: 0 | 1, .. } => "random_one".into(),
            Self::Random { .. } => "random_two".into(),
            Self::First => "first".into(),
            Self::Hash { key: HashKey::Constant(_), .. } => "constant_hash".into(),
            Self::Hash { table: HashTable::EnvoyRing { .. }, .. } => "ring_hash".into(),
            Self::Hash { table: HashTable::Maglev { .. }, .. } => "maglev".into(),
            Self::Hash { key: HashKey::Source, table: HashTable::Map | HashTable::IpHash, .. } => {
                "source_hash".into()
            }
            Self::Hash { table: HashTable::Ring | HashTable::Ketama, .. } => "consistent_hash".into(),
            Self::Hash { .. } => "modulo_hash".into(),
            Self::Subset(_) => "subset".into(),
            Self::OriginalDestination => "original_dst".into(),
            Self::ClusterProvided => "cluster_provided".into(),
            Self::StickyLog => "sticky_log".into(),
            Self::External(name) => format!("external({name})"),
            Self::Unknown(_) => "unknown".into(),
        }
    }
}

/// What a hash algorithm hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum HashKey {
    /// The client's address.
    Source,
    /// Something that varies from request to request, in the dialect's own words.
    Expression(String),
    /// The same text for every request: everything lands on one endpoint.
    Constant(String),
    /// Envoy: what the route's `hash_policy` says.
    RoutePolicy,
}

/// How few values a hash key can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum KeyVariety {
    /// The same for all requests of one listener or virtual server: nginx `$server_name`, HAProxy `dst_port`.
    Listener,
    /// One value for each host name that is asked for: `$host`, `hdr(host)`, `:authority`.
    Host,
}

/// How an Envoy subset balancer divides its endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Subsets {
    /// The keys of each selector, sorted.
    pub selectors: Vec<Vec<String>>,
    /// Where requests go that select no subset.
    pub fallback: SubsetFallback,
    /// Where it is written.
    pub span: Span,
}

/// What Envoy does with a request that selects no subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum SubsetFallback {
    /// It is answered 503.
    Refuse,
    /// Any endpoint takes it.
    Any,
    /// A subset named in the configuration, or a rule of one selector, decides.
    Other,
}

/// How a hash selects an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum HashTable {
    /// HAProxy `hash-type map-based`; nginx `hash` without `consistent`: modulo the total weight.
    Map,
    /// HAProxy `hash-type consistent`.
    Ring,
    /// nginx `hash … consistent`.
    Ketama,
    /// nginx `ip_hash`.
    IpHash,
    /// Envoy RING_HASH.
    EnvoyRing {
        /// Fewest entries (default 1024).
        min: u64,
        /// Most entries (default 8388608).
        max: u64,
    },
    /// Envoy MAGLEV.
    Maglev {
        /// Slots (default 65537).
        size: u64,
    },
}

/// The hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum HashFunction {
    /// HAProxy `sdbm`; `avalanche` says whether the modifier is in force.
    Sdbm {
        /// Modifier.
        avalanche: bool,
    },
    /// HAProxy `djb2`.
    Djb2 {
        /// Modifier.
        avalanche: bool,
    },
    /// HAProxy `wt6`.
    Wt6 {
        /// Modifier.
        avalanche: bool,
    },
    /// HAProxy `crc32`.
    Crc32 {
        /// Modifier.
        avalanche: bool,
    },
    /// HAProxy `none`.
    Identity {
        /// Modifier.
        avalanche: bool,
    },
    /// nginx: crc32 of the key (`hash`), or the `ip_hash` walk.
    Nginx,
    /// Envoy xxHash64.
    XxHash,
    /// Envoy murmur2.
    Murmur2,
}
