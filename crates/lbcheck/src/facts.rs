//! What follows from a configuration and several rules want to know.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::dialect::{Dialect, Tiers};
use crate::model::{Action, Algorithm, Config, Endpoint, Membership, Pool, PoolId, Route, Target};
use crate::source::Span;
use crate::traffic::{Certainty, Load, PoolShares, placed_shares, pool_shares, serving};

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
    /// The shares that weights ask for in normal times. Rules judge by them: a small hash ring is uneven without anybody
    /// having written anything wrong, and has a rule of its own.
    pub shares: PoolShares,
    /// What [`PoolFacts::given`] says, once it was asked.
    given: OnceLock<PoolShares>,
    /// Number of endpoints, slots counted.
    pub members: u64,
    /// Indices of the active endpoints: they get new traffic in normal times.
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
                Target::Dynamic { text, candidates, .. } if candidates.is_empty() => {
                    dynamic_routes.push(text.span)
                }
                Target::Dynamic { text, candidates, .. } => {
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
                    given: OnceLock::new(),
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
    let routes = config.tables.iter().flat_map(|table| &table.routes);
    routes.flat_map(|route| route.action.targets().chain(route.mirrors.iter().map(|mirror| &mirror.target)))
}

/// Those in rotation in tier 0, or, where levels may be left out, in the first level there is. Other levels get a part
/// as well where the file itself calls too many hosts of the first unhealthy.
fn active(dialect: Dialect, pool: &Pool) -> Vec<usize> {
    let tiers = dialect.description().tiers;
    let first = match tiers {
        Tiers::Backups => 0,
        Tiers::Levels => pool.endpoints.iter().map(|endpoint| endpoint.tier.value).min().unwrap_or(0),
    };
    let is_active = |endpoint: &Endpoint| endpoint.tier.value == first && endpoint.in_rotation();
    let active: Vec<usize> = pool
        .endpoints
        .iter()
        .enumerate()
        .filter(|(_, endpoint)| is_active(endpoint))
        .map(|(index, _)| index)
        .collect();
    match tiers {
        Tiers::Levels if !active.is_empty() => serving(dialect, pool),
        _ => active,
    }
}

fn slots(endpoint: &Endpoint) -> u64 {
    u64::from(endpoint.slots)
}

impl PoolFacts {
    /// The active endpoints.
    pub fn active<'a>(&'a self, pool: &'a Pool) -> impl DoubleEndedIterator<Item = &'a Endpoint> + Clone {
        self.active.iter().map(|&index| &pool.endpoints[index])
    }

    /// Whether there are, or may be, several active endpoints to pick from.
    pub fn may_be_several(&self, pool: &Pool) -> bool {
        let more_at_run_time = pool.membership != Membership::Static;
        self.active_members >= 2 || more_at_run_time || self.active(pool).any(|endpoint| endpoint.expands)
    }

    /// The shares that the proxy gives while the pool is busy, by its own rings and tables, where those are sure;
    /// else those that the weights ask for. What a message says somebody gets is this.
    pub fn given(&self, config: &Config) -> &PoolShares {
        self.given.get_or_init(|| {
            let placed = placed_shares(config, self.id, Load::BUSY);
            if placed.certainty <= Certainty::Expected { placed } else { self.shares.clone() }
        })
    }

    /// [`PoolFacts::shares`], where they are sure enough to judge by: exact, or expected under stated assumptions.
    pub fn sure_shares(&self) -> Option<&PoolShares> {
        (self.shares.certainty <= Certainty::Expected).then_some(&self.shares)
    }
}

/// The algorithm that picks an endpoint, inside a subset balancer if there is one.
pub(crate) fn inner(algorithm: &Algorithm) -> &Algorithm {
    match algorithm {
        Algorithm::Subset(inner) => inner,
        other => other,
    }
}

/// The routes that send to each pool, which is worth finding once for all of them.
pub(crate) fn routes_by_pool(config: &Config) -> Vec<Vec<&Route>> {
    let mut routes: Vec<Vec<&Route>> = vec![Vec::new(); config.pools.len()];
    for route in config.tables.iter().flat_map(|table| &table.routes) {
        for target in route.action.targets() {
            let Target::Pool { pool, .. } = target else { continue };
            if let Some(routes) = routes.get_mut(pool.0 as usize) {
                routes.push(route);
            }
        }
    }
    routes
}

/// The localities of one priority that have endpoints in use.
pub(crate) struct LocalityGroup {
    /// The localities.
    pub(crate) members: Vec<LocalityMember>,
}

/// One locality with what it would weigh in one flat list.
pub(crate) struct LocalityMember {
    /// Index into [`Pool::localities`].
    pub(crate) index: usize,
    /// Its endpoints in use.
    pub(crate) hosts: u64,
    /// The sum of their weights, or their number where weights do not count.
    pub(crate) flat: f64,
}

impl LocalityMember {
    /// Its weight; none counts as 0.
    pub(crate) fn weight(&self, pool: &Pool) -> u32 {
        let locality = pool.localities.get(self.index);
        locality.and_then(|locality| locality.weight).map_or(0, |weight| weight.value)
    }
}

/// The localities of `pool`, by priority.
pub(crate) fn locality_groups(pool: &Pool) -> Vec<LocalityGroup> {
    let weighted = pool.algorithm.value.uses_weights();
    let mut sums: Vec<(u64, f64)> = vec![(0, 0.0); pool.localities.len()];
    for endpoint in pool.endpoints.iter().filter(|endpoint| endpoint.in_rotation()) {
        let Some((hosts, flat)) = endpoint.locality.and_then(|index| sums.get_mut(index)) else { continue };
        *hosts += 1;
        *flat += if weighted { f64::from(endpoint.weight.value) } else { 1.0 };
    }
    let mut groups: BTreeMap<u32, LocalityGroup> = BTreeMap::new();
    for (index, (locality, (hosts, flat))) in pool.localities.iter().zip(sums).enumerate() {
        if hosts > 0 {
            let group = groups.entry(locality.priority).or_insert(LocalityGroup { members: Vec::new() });
            group.members.push(LocalityMember { index, hosts, flat });
        }
    }
    groups.into_values().collect()
}
