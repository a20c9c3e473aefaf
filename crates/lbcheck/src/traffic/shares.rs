//! The share of a pool's traffic that each endpoint gets in normal times: nothing failed, no session pinned.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::envoy;
use super::nginx::Weighted;
use crate::dialect::Dialect;
use crate::model::{
    Action, AdminState, Algorithm, Condition, Endpoint, HashFunction, HashKey, HashTable, Host, Membership,
    Pool,
};

/// How sure a predicted figure is. Ordered from the surest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The proxy keeps to it request by request, or to within a request per endpoint.
    Exact,
    /// The mean of a random choice, or true for keys, clients or load as the assumptions say.
    Expected,
    /// Only bounds are known.
    Range,
    /// Not in the configuration.
    Unknown,
}

impl Certainty {
    /// `exact`, `expected`, `range` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Expected => "expected",
            Self::Range => "range",
            Self::Unknown => "unknown",
        }
    }
}

/// The shares of one pool.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PoolShares {
    /// How sure the figures are.
    pub certainty: Certainty,
    /// What has to hold for them, in sentences.
    pub assumptions: Vec<Cow<'static, str>>,
    /// One figure for each of [`Pool::endpoints`], from 0 to 1; they sum to 1 unless nobody serves.
    /// An endpoint with several slots has the sum of them. Empty if `certainty` is unknown.
    pub shares: Vec<f64>,
}

impl PoolShares {
    fn unknown(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { certainty: Certainty::Unknown, assumptions: vec![reason.into()], shares: Vec::new() }
    }

    /// Whether the figures may be used.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.certainty != Certainty::Unknown
    }

    /// The index of the endpoint with the largest share per slot, and that share. The first of equals.
    #[must_use]
    pub fn top(&self, pool: &Pool) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (index, (share, endpoint)) in self.shares.iter().zip(&pool.endpoints).enumerate() {
            let each = share / f64::from(endpoint.slots.max(1));
            if best.is_none_or(|(_, most)| each > most + 1e-12) {
                best = Some((index, each));
            }
        }
        best
    }

    /// The number of equal servers that would concentrate traffic as much: `1 / Σp²` over every slot.
    #[must_use]
    pub fn effective_endpoints(&self, pool: &Pool) -> f64 {
        let squares: f64 = self
            .shares
            .iter()
            .zip(&pool.endpoints)
            .map(|(share, endpoint)| share * share / f64::from(endpoint.slots.max(1)))
            .sum();
        if squares > 0.0 { 1.0 / squares } else { 0.0 }
    }
}

/// Predicts the shares of `pool` in normal times.
///
/// Semantics as measured on HAProxy 2.6 and 3.2, nginx 1.22 and 1.30, Envoy 1.40: weights of the
/// endpoints in rotation in the first tier that has any, with the exceptions below.
#[must_use]
pub fn pool_shares(dialect: Dialect, pool: &Pool) -> PoolShares {
    if let Membership::Unknown(reason) = &pool.membership {
        return PoolShares::unknown(reason.clone());
    }
    if pool.disabled.is_some() {
        return PoolShares::unknown("the pool is switched off");
    }
    let serving = serving(dialect, pool);
    if let Some(index) = always_used(pool) {
        let shares = spread(pool, &[index], |_| 1.0);
        return PoolShares { certainty: Certainty::Exact, assumptions: Vec::new(), shares };
    }
    // How many slots of a template are filled depends on the answer of a DNS server.
    let filled_at_run_time = |&index: &usize| {
        let endpoint = &pool.endpoints[index];
        let template = dialect == Dialect::HaProxy && endpoint.slots > 1;
        template && matches!(endpoint.address.host, Host::Name(_))
    };
    let by_dns = serving.len() > 1 && serving.iter().any(filled_at_run_time);
    let mut assumptions: Vec<Cow<'static, str>> = Vec::new();
    if serving.iter().any(|&index| pool.endpoints[index].expands) {
        assumptions.push("every host name has one address".into());
    }
    if pool.endpoints.iter().any(|endpoint| matches!(endpoint.address.host, Host::Unknown(_))) {
        assumptions.push("addresses that are only known at run time are distinct".into());
    }
    if pool
        .overrides
        .iter()
        .any(|rule| rule.when != Condition::Never && matches!(rule.action, Action::Endpoint { .. }))
    {
        assumptions.push("requests that no rule sends to a server of its own".into());
    }
    if !pool.affinity.is_empty() {
        assumptions.push("requests of new sessions; returning ones stay where they were".into());
    }
    // Weights alone do not say what is left for them.
    let degraded = pool.endpoints.iter().any(|endpoint| endpoint.degraded.is_some());
    if degraded {
        assumptions.push("degraded hosts serve what healthy ones cannot".into());
    }
    if by_dns {
        assumptions.push("every slot of a template is filled".into());
    }
    let certain = match (by_dns || degraded, assumptions.is_empty()) {
        (true, _) => Certainty::Range,
        (false, true) => Certainty::Exact,
        (false, false) => Certainty::Expected,
    };
    match choose(dialect, &pool.algorithm.value, pool, &serving, &mut assumptions) {
        Choice::Unknown(reason) => PoolShares::unknown(reason),
        Choice::Shares(shares, certainty) => {
            PoolShares { certainty: certainty.max(certain), assumptions, shares }
        }
    }
}

/// The endpoint that an unconditional `use-server` sends everything to, past weights and the algorithm.
pub(super) fn always_used(pool: &Pool) -> Option<usize> {
    let rule = pool.overrides.iter().find(|rule| rule.when == Condition::Always)?;
    let Action::Endpoint { endpoint, .. } = &rule.action else { return None };
    let named = |candidate: &Endpoint| candidate.name.value == endpoint.value;
    let index = pool.endpoints.iter().position(named)?;
    (pool.endpoints[index].state.value == AdminState::Enabled).then_some(index)
}

/// The endpoints that take new traffic while nothing has failed that the file does not call unhealthy.
///
/// That is [`serving_tier`], but in Envoy, which divides between its levels by health.
pub(crate) fn serving(dialect: Dialect, pool: &Pool) -> Vec<usize> {
    match dialect {
        Dialect::HaProxy | Dialect::Nginx => serving_tier(dialect, pool),
        Dialect::Envoy => envoy::serving(&envoy::levels(pool)),
    }
}

/// The endpoints that take new traffic while nothing has failed.
///
/// The first tier with an endpoint in rotation serves. In HAProxy's backup tier only the first
/// endpoint does, unless `option allbackups` says otherwise.
pub(super) fn serving_tier(dialect: Dialect, pool: &Pool) -> Vec<usize> {
    let in_rotation = |endpoint: &Endpoint| match dialect {
        // Envoy sends to everyone when a level is wholly unhealthy (panic), which the rules report; normal
        // times mean the endpoints that the file does not take out.
        Dialect::Envoy => endpoint.state.value == AdminState::Enabled,
        Dialect::HaProxy | Dialect::Nginx => endpoint.in_rotation(),
    };
    // Degraded hosts stand by for healthy ones, whatever their priority.
    let healthy = pool.endpoints.iter().any(|endpoint| in_rotation(endpoint) && endpoint.degraded.is_none());
    let eligible = || {
        let stands_by = |endpoint: &Endpoint| healthy && endpoint.degraded.is_some();
        let serves = move |&(_, endpoint): &(usize, &Endpoint)| in_rotation(endpoint) && !stands_by(endpoint);
        pool.endpoints.iter().enumerate().filter(serves)
    };
    let Some(tier) = eligible().map(|(_, endpoint)| endpoint.tier.value).min() else {
        return Vec::new();
    };
    let mut serving: Vec<usize> =
        eligible().filter(|&(_, endpoint)| endpoint.tier.value == tier).map(|(index, _)| index).collect();
    let only_first_backup = tier > 0 && pool.all_backups.is_some_and(|setting| !setting.value);
    if only_first_backup {
        serving.truncate(1);
    }
    serving
}

/// Whether a request may come without the key. A target and an address are always there.
fn may_lack(key: &HashKey) -> bool {
    match key {
        HashKey::Source | HashKey::Constant(_) => false,
        HashKey::Expression(text) => {
            !["uri", "path", "$request_uri", "$uri", "$remote_addr", "$binary_remote_addr", "src"]
                .contains(&text.as_str())
                && !text.starts_with("uri ")
        }
        HashKey::RoutePolicy => true,
    }
}

enum Choice {
    Shares(Vec<f64>, Certainty),
    Unknown(Cow<'static, str>),
}

fn choose(
    dialect: Dialect,
    algorithm: &Algorithm,
    pool: &Pool,
    serving: &[usize],
    assumptions: &mut Vec<Cow<'static, str>>,
) -> Choice {
    if serving.len() <= 1 {
        return Choice::Shares(spread(pool, serving, |_| 1.0), Certainty::Exact);
    }
    let weight = |endpoint: &Endpoint| f64::from(endpoint.weight.value);
    match algorithm {
        Algorithm::RoundRobin | Algorithm::StaticRoundRobin => {
            Choice::Shares(divided(dialect, pool, serving, weight), Certainty::Exact)
        }
        Algorithm::LeastConnections { .. } | Algorithm::LeastTime(_) => {
            assumptions
                .push("all requests cost the same, and there are enough of them that weights count".into());
            Choice::Shares(divided(dialect, pool, serving, weight), Certainty::Expected)
        }
        Algorithm::Random { weighted: true, .. } => {
            Choice::Shares(divided(dialect, pool, serving, weight), Certainty::Expected)
        }
        Algorithm::Random { weighted: false, .. } => {
            Choice::Shares(divided(dialect, pool, serving, |_| 1.0), Certainty::Expected)
        }
        Algorithm::First => {
            assumptions.push("there are never more requests at once than the first server's maxconn".into());
            let first = first_by_id(pool, serving);
            // With a maxconn the rest spills over; how much depends on the load.
            let limited = |&index: &usize| {
                pool.endpoints[index].max_connections.as_ref().is_some_and(|limit| limit.value > 0)
            };
            let certainty = if first.iter().any(limited) { Certainty::Range } else { Certainty::Exact };
            Choice::Shares(spread(pool, &first, |_| 1.0), certainty)
        }
        Algorithm::Hash {
            key: HashKey::Constant(key),
            table: HashTable::Map,
            function: HashFunction::Nginx,
            ..
        } if pool.endpoints.iter().all(|endpoint| !endpoint.expands) => {
            match Weighted::new(pool).and_then(|members| members.hash(key.as_bytes())) {
                Ok(picked) => Choice::Shares(spread(pool, &[picked], |_| 1.0), Certainty::Exact),
                Err(_) => Choice::Unknown("a constant hash key sends every request to one server".into()),
            }
        }
        Algorithm::Hash { key: HashKey::Constant(_), .. } => {
            Choice::Unknown("a constant hash key sends every request to one server".into())
        }
        Algorithm::Hash { key, .. } => {
            assumptions.push("hash keys are many and equally popular".into());
            if may_lack(key) {
                assumptions.push("every request has the key that is hashed".into());
            }
            Choice::Shares(divided(dialect, pool, serving, weight), Certainty::Expected)
        }
        // Without a matching subset the default is to serve nobody.
        Algorithm::Subset(_) => {
            Choice::Unknown("which subset serves a request depends on the metadata of its route".into())
        }
        Algorithm::StickyLog => Choice::Shares(spread(pool, &serving[..1], |_| 1.0), Certainty::Expected),
        Algorithm::OriginalDestination => Choice::Unknown("the client's destination decides".into()),
        Algorithm::ClusterProvided => Choice::Unknown("the cluster type decides".into()),
        Algorithm::External(name) => {
            Choice::Unknown(format!("`{name}` is not an algorithm lbcheck models").into())
        }
        Algorithm::Unknown(text) => {
            Choice::Unknown(format!("the algorithm `{text}` is only known at run time").into())
        }
    }
}

/// Weight over sum of weights, for each endpoint of the pool; 0 for those that do not serve.
fn spread(pool: &Pool, serving: &[usize], weight: impl Fn(&Endpoint) -> f64) -> Vec<f64> {
    let slotted = |endpoint: &Endpoint| weight(endpoint) * f64::from(endpoint.slots.max(1));
    let mut shares = vec![0.0; pool.endpoints.len()];
    let total: f64 = serving.iter().map(|&index| slotted(&pool.endpoints[index])).sum();
    if total > 0.0 {
        for &index in serving {
            shares[index] = slotted(&pool.endpoints[index]) / total;
        }
    }
    shares
}

/// As [`spread`]; in Envoy first over its levels, then over localities where it is told to weigh them.
fn divided(dialect: Dialect, pool: &Pool, serving: &[usize], weight: impl Fn(&Endpoint) -> f64) -> Vec<f64> {
    if dialect != Dialect::Envoy {
        return spread(pool, serving, weight);
    }
    let weights = |hosts: &[usize]| hosts.iter().map(|&index| weight(&pool.endpoints[index])).collect();
    envoy::shares(pool, &envoy::levels(pool), weights)
}

/// The numeric id of each endpoint: as written; the others get the next that is free, at least their position.
pub(crate) fn ids(pool: &Pool) -> Vec<u32> {
    let written = |endpoint: &Endpoint| endpoint.id.as_ref().map(|id| id.value);
    let taken: BTreeSet<u32> = pool.endpoints.iter().filter_map(written).collect();
    let mut next = 0_u32;
    let mut number = |endpoint| {
        // A server with an id of its own still counts, so that the one after it keeps its position's number.
        next = next.saturating_add(1);
        if let Some(id) = written(endpoint) {
            return id;
        }
        while taken.contains(&next) && next < u32::MAX {
            next += 1;
        }
        next
    };
    pool.endpoints.iter().map(&mut number).collect()
}

/// HAProxy `first` goes by ascending id.
fn first_by_id(pool: &Pool, serving: &[usize]) -> Vec<usize> {
    let ids = ids(pool);
    serving.iter().copied().min_by_key(|&index| (ids[index], index)).into_iter().collect()
}
