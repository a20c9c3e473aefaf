//! The shares that weights ask for in normal times: nothing failed, no session pinned.

use std::borrow::Cow;

use super::proxies::{Proxy, proxy};
use super::serving::{always_used, by_id};
use super::shares::{Certainty, PoolShares, spread};
use crate::dialect::Dialect;
use crate::model::{Action, Algorithm, Condition, Endpoint, HashKey, Host, Membership, Pool};

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
    let proxy = proxy(dialect);
    let serving = proxy.serving(pool);
    if let Some(index) = always_used(pool) {
        let shares = spread(pool, &[index], |_| 1.0);
        return PoolShares { certainty: Certainty::Exact, assumptions: Vec::new(), shares };
    }
    let filled_at_run_time = |&index: &usize| proxy.fills_slots_at_run_time(&pool.endpoints[index]);
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
    match choose(proxy, &pool.algorithm.value, pool, &serving, &mut assumptions) {
        Choice::Unknown(reason) => PoolShares::unknown(reason),
        Choice::Shares(shares, certainty) => {
            PoolShares { certainty: certainty.max(certain), assumptions, shares }
        }
    }
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
    proxy: &dyn Proxy,
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
            Choice::Shares(proxy.divide(pool, serving, &weight), Certainty::Exact)
        }
        Algorithm::LeastConnections { .. } | Algorithm::LeastTime(_) => {
            assumptions
                .push("all requests cost the same, and there are enough of them that weights count".into());
            Choice::Shares(proxy.divide(pool, serving, &weight), Certainty::Expected)
        }
        Algorithm::Random { weighted: true, .. } => {
            Choice::Shares(proxy.divide(pool, serving, &weight), Certainty::Expected)
        }
        Algorithm::Random { weighted: false, .. } => {
            Choice::Shares(proxy.divide(pool, serving, &|_| 1.0), Certainty::Expected)
        }
        Algorithm::First => {
            assumptions.push("there are never more requests at once than the first server's maxconn".into());
            let mut first = by_id(pool, serving.to_vec());
            first.truncate(1);
            // With a maxconn the rest spills over; how much depends on the load.
            let limited = |&index: &usize| {
                pool.endpoints[index].max_connections.as_ref().is_some_and(|limit| limit.value > 0)
            };
            let certainty = if first.iter().any(limited) { Certainty::Range } else { Certainty::Exact };
            Choice::Shares(spread(pool, &first, |_| 1.0), certainty)
        }
        Algorithm::Hash { key: HashKey::Constant(key), table, .. } => {
            match proxy.endpoint_of_constant(pool, key, *table) {
                Some(picked) => Choice::Shares(spread(pool, &[picked], |_| 1.0), Certainty::Exact),
                None => Choice::Unknown("a constant hash key sends every request to one server".into()),
            }
        }
        Algorithm::Hash { key, .. } => {
            assumptions.push("hash keys are many and equally popular".into());
            if may_lack(key) {
                assumptions.push("every request has the key that is hashed".into());
            }
            Choice::Shares(proxy.divide(pool, serving, &weight), Certainty::Expected)
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
