//! What follows from a configuration and several rules want to know.

use crate::dialect::Dialect;
use crate::model::{Action, Config, Endpoint, Pool, PoolId, Target};
use crate::source::Span;
use crate::traffic::{Certainty, PoolShares, pool_shares};

/// Facts about a whole configuration.
#[derive(Clone, Debug)]
pub struct Facts {
    /// One entry for each of [`Config::pools`].
    pub pools: Vec<PoolFacts>,
    /// Routes whose pool is only known at run time and may be any.
    pub dynamic_routes: Vec<Span>,
}

/// Facts about one pool.
#[derive(Clone, Debug)]
pub struct PoolFacts {
    /// Its id.
    pub id: PoolId,
    /// Where routes name it.
    pub uses: Vec<Span>,
    /// Whether client traffic can reach it. In a fragment, and where some route's target is only known at run
    /// time, every pool counts as routed: the route may be elsewhere.
    pub routed: bool,
    /// Shares in normal times.
    pub shares: PoolShares,
    /// Number of endpoints, slots counted.
    pub members: u64,
    /// Indices of the active endpoints: in rotation, in the tier that serves in normal times.
    pub active: Vec<usize>,
    /// Number of active endpoints, slots counted.
    pub active_members: u64,
}

impl Facts {
    /// Derives them.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut uses: Vec<Vec<Span>> = vec![Vec::new(); config.pools.len()];
        let mut dynamic_routes = Vec::new();
        for target in targets(config) {
            match target {
                Target::Pool { pool, span } => uses[pool.0 as usize].push(*span),
                Target::Undefined(_) => {}
                Target::Dynamic { text, candidates } if candidates.is_empty() => {
                    dynamic_routes.push(text.span)
                }
                Target::Dynamic { text, candidates } => {
                    for pool in candidates {
                        uses[pool.0 as usize].push(text.span);
                    }
                }
            }
        }
        for table in &config.tables {
            for route in &table.routes {
                if let Action::Endpoint { pool, .. } = route.action {
                    uses[pool.0 as usize].push(route.span);
                }
            }
        }
        for (pool, span) in &config.other_uses {
            uses[pool.0 as usize].push(*span);
        }
        let any = config.fragment || !dynamic_routes.is_empty();
        let pools = config
            .pools()
            .zip(uses)
            .map(|((id, pool), uses)| {
                let active = active(config.dialect, pool);
                PoolFacts {
                    id,
                    routed: any || !uses.is_empty(),
                    uses,
                    shares: pool_shares(config.dialect, pool),
                    members: pool.endpoints.iter().map(slots).sum(),
                    active_members: active.iter().map(|&index| slots(&pool.endpoints[index])).sum(),
                    active,
                }
            })
            .collect();
        Self { pools, dynamic_routes }
    }

    /// The facts of a pool of that configuration.
    ///
    /// # Panics
    /// Never for an id of the configuration these facts were derived from.
    #[must_use]
    pub fn pool(&self, id: PoolId) -> &PoolFacts {
        &self.pools[id.0 as usize]
    }
}

/// Every target that a route, an arm or a mirror names.
pub(crate) fn targets(config: &Config) -> impl Iterator<Item = &Target> {
    config.tables.iter().flat_map(|table| &table.routes).flat_map(|route| {
        let (one, arms): (Option<&Target>, &[_]) = match &route.action {
            Action::Forward(target) => (Some(target), &[]),
            Action::Split(arms) => (None, arms),
            _ => (None, &[]),
        };
        one.into_iter()
            .chain(arms.iter().map(|arm| &arm.target))
            .chain(route.mirrors.iter().map(|mirror| &mirror.target))
    })
}

/// Tier 0, or in Envoy, where levels may be left out, the first level there is.
fn active(dialect: Dialect, pool: &Pool) -> Vec<usize> {
    let first = match dialect {
        Dialect::HaProxy | Dialect::Nginx => 0,
        Dialect::Envoy => pool.endpoints.iter().map(|endpoint| endpoint.tier.value).min().unwrap_or(0),
    };
    let is_active = |endpoint: &Endpoint| endpoint.tier.value == first && endpoint.in_rotation();
    pool.endpoints
        .iter()
        .enumerate()
        .filter(|(_, endpoint)| is_active(endpoint))
        .map(|(index, _)| index)
        .collect()
}

fn slots(endpoint: &Endpoint) -> u64 {
    u64::from(endpoint.slots)
}

impl PoolFacts {
    /// The active endpoints.
    pub fn active<'a>(&'a self, pool: &'a Pool) -> impl Iterator<Item = &'a Endpoint> + Clone {
        self.active.iter().map(|&index| &pool.endpoints[index])
    }

    /// The shares, where they are sure enough to judge by: exact, or expected under stated assumptions.
    pub fn sure_shares(&self) -> Option<&PoolShares> {
        (self.shares.certainty <= Certainty::Expected).then_some(&self.shares)
    }
}
