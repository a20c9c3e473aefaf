//! What follows from a configuration and several rules want to know.

use crate::model::{Action, Config, Endpoint, Pool, PoolId, Target};
use crate::source::Span;
use crate::traffic::{PoolShares, pool_shares};

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
    /// Number of active endpoints, slots counted.
    pub active: u64,
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
            .map(|((id, pool), uses)| PoolFacts {
                id,
                routed: any || !uses.is_empty(),
                uses,
                shares: pool_shares(config.dialect, pool),
                members: slots(pool, |_| true),
                active: slots(pool, Endpoint::is_active),
            })
            .collect();
        Self { pools, dynamic_routes }
    }

    /// The facts of a pool of that configuration.
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

fn slots(pool: &Pool, wanted: impl Fn(&Endpoint) -> bool) -> u64 {
    pool.endpoints.iter().filter(|endpoint| wanted(endpoint)).map(|endpoint| u64::from(endpoint.slots)).sum()
}
