//! Everything that is to say about the traffic of one configuration.

use std::collections::BTreeMap;

use super::addresses::{templates, with_addresses};
use super::flow::{Flow, flows};
use super::given_shares::{Figures, Known, figures};
use super::placement::{Pick, Placement};
use super::scenario::{self, Capacity, Loss, Scenario, ScenarioOutcome, worst_loss};
use super::shares::Certainty;
use crate::model::{Algorithm, Config, Endpoint, Gap, HashKey, Host, Mode, Pool, PoolId, Weakens};
use crate::source::Span;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Question {
    /// Only pools of this name. `None`: all.
    pub pool: Option<String>,
    /// What fails.
    pub fail: Failing,
    /// Traffic as a multiple of normal.
    pub load: f64,
    /// Requests in flight in each pool at normal load.
    pub concurrency: Option<u32>,
    /// Requests per second to each pool at normal load.
    pub rate: Option<f64>,
    /// What each endpoint can take.
    pub capacity: Option<Capacity>,
    /// Different hash keys or client addresses.
    pub clients: Option<u32>,
    /// The part of requests that come with a valid token of a session.
    pub returning: Option<f64>,
    /// How many addresses host names have.
    pub addresses: BTreeMap<String, u32>,
    /// What simulations start from.
    pub seed: u64,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            pool: None,
            fail: Failing::Nothing,
            load: 1.0,
            concurrency: None,
            rate: None,
            capacity: None,
            clients: None,
            returning: None,
            addresses: BTreeMap::new(),
            seed: 0,
        }
    }
}

/// What fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Failing {
    /// Nothing.
    Nothing,
    /// Endpoints by name, by `pool/name`, or by address.
    Named(Vec<String>),
    /// In each pool the one endpoint whose loss is worst.
    WorstOne,
}

/// The answer.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Survey {
    /// The configuration with host names and templates spelt out; indices here are its indices.
    pub config: Config,
    /// Pools in the order of the configuration.
    pub pools: Vec<PoolTraffic>,
    /// From listeners to pools. Empty where one pool was asked for.
    pub flows: Vec<Flow>,
    /// What was not understood and may change routes, with its place.
    pub routing_gaps: Vec<(Span, String)>,
    /// Shares of every pool that a flow leads to, for figures from end to end.
    pub shares: BTreeMap<PoolId, Figures>,
}

/// The traffic of one pool.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PoolTraffic {
    /// Which.
    pub pool: PoolId,
    /// Shares of its traffic.
    pub figures: Figures,
    /// The number of equal endpoints that would concentrate traffic as much. `None`: shares are not known.
    pub effective_endpoints: Option<f64>,
    /// The single loss that loads a survivor most. `None`: not known, or nothing serves.
    pub worst: Option<Loss>,
    /// What was asked: failures, load, limits. `None`: nothing of that kind was asked, or the pool has no endpoint.
    pub outcome: Option<ScenarioOutcome>,
    /// The endpoints that fail in it.
    pub failed: Vec<usize>,
}

/// A name in the question that the configuration does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Unanswerable {
    /// There is no such pool.
    Pool(String),
    /// There is no such endpoint in the pools asked for.
    Endpoint(String),
    /// No endpoint has this host name as its address.
    HostName(String),
}

/// Answers `question`.
///
/// # Errors
///
/// It names a pool, an endpoint or a host name that the configuration does not have.
pub fn survey(config: &Config, question: &Question) -> Result<Survey, Unanswerable> {
    for name in question.addresses.keys() {
        let named = |host: &crate::model::Host| matches!(host, crate::model::Host::Name(host) if host.eq_ignore_ascii_case(name));
        if !config.pools.iter().flat_map(|pool| &pool.endpoints).any(|endpoint| named(&endpoint.address.host))
        {
            return Err(Unanswerable::HostName(name.clone()));
        }
    }
    let mut config = with_addresses(config, &question.addresses);
    for pool in &mut config.pools {
        if let Some(spelt_out) = templates(pool) {
            *pool = spelt_out;
        }
    }
    let asked: Vec<PoolId> = config
        .pools()
        .filter(|(_, pool)| match &question.pool {
            Some(name) => pool.name.value == *name,
            None => pool.mode.value != Mode::Other && !pool.endpoints.is_empty(),
        })
        .map(|(id, _)| id)
        .collect();
    if let (Some(name), []) = (&question.pool, asked.as_slice()) {
        return Err(Unanswerable::Pool(name.clone()));
    }
    let failed = failed(&config, &asked, &question.fail)?;
    let follow = scenario::followers(&config, &failed);
    let mut pools: Vec<PoolTraffic> =
        asked.iter().map(|&id| of_pool(&config, id, question, &failed, &follow)).collect();
    for pool in &mut pools {
        weaken(&config, pool.pool, &mut pool.figures);
        told(&config, pool.pool, question, &mut pool.figures);
        if let Some(outcome) = &mut pool.outcome {
            outcome.after.certainty =
                outcome.after.certainty.max(pool.figures.shares.certainty.min(Certainty::Range));
        }
    }
    let flows = if question.pool.is_some() { Vec::new() } else { flows(&config) };
    let shares = pools.iter().map(|pool| (pool.pool, pool.figures.clone())).collect();
    let routing = |gap: &&Gap| matches!(gap.weakens, Weakens::Routing | Weakens::Everything);
    let routing_gaps =
        config.coverage.gaps.iter().filter(routing).map(|gap| (gap.span, gap.what.clone())).collect();
    Ok(Survey { pools, flows, shares, routing_gaps, config })
}

/// Says how many addresses a pool's host names are held to have.
fn told(config: &Config, id: PoolId, question: &Question, figures: &mut Figures) {
    for (name, count) in &question.addresses {
        let named = |endpoint: &&Endpoint| matches!(&endpoint.address.host, Host::Name(host) if host.eq_ignore_ascii_case(name));
        if config.pool(id).endpoints.iter().any(|endpoint| named(&endpoint)) {
            figures.shares.assumptions.push(format!("`{name}` has {count} addresses").into());
        }
    }
}

/// Figures of a pool with something in it that was not understood are bounds at best.
fn weaken(config: &Config, id: PoolId, figures: &mut Figures) {
    if !figures.shares.is_known() {
        return;
    }
    for gap in &config.coverage.gaps {
        if matches!(gap.weakens, Weakens::Pool(pool) if pool == id) || gap.weakens == Weakens::Everything {
            figures.shares.certainty = figures.shares.certainty.max(Certainty::Range);
            let what = format!("{}, which is not understood, changes nothing", gap.what);
            figures.shares.assumptions.push(what.into());
        }
    }
}

fn known(question: &Question) -> Known {
    Known {
        concurrency: question.concurrency,
        keys: question.clients,
        returning: question.returning,
        seed: question.seed,
    }
}

/// The endpoints that fail, by pool.
fn failed(
    config: &Config,
    asked: &[PoolId],
    fail: &Failing,
) -> Result<BTreeMap<PoolId, Vec<usize>>, Unanswerable> {
    let mut failed: BTreeMap<PoolId, Vec<usize>> = BTreeMap::new();
    let Failing::Named(names) = fail else { return Ok(failed) };
    for name in names {
        let mut found = false;
        for &id in asked {
            let pool = config.pool(id);
            let own = name.strip_prefix(pool.name.value.as_str()).and_then(|rest| rest.strip_prefix('/'));
            for (index, endpoint) in pool.endpoints.iter().enumerate() {
                let called = endpoint.name.value == *name
                    || own.is_some_and(|own| endpoint.name.value == own)
                    || endpoint.address.to_string() == *name;
                if called {
                    found = true;
                    failed.entry(id).or_default().push(index);
                }
            }
        }
        if !found {
            return Err(Unanswerable::Endpoint(name.clone()));
        }
    }
    Ok(failed)
}

/// Endpoints by pool.
type Places = BTreeMap<PoolId, Vec<usize>>;

fn of_pool(
    config: &Config,
    id: PoolId,
    question: &Question,
    failed: &Places,
    follow: &Places,
) -> PoolTraffic {
    let pool: &Pool = config.pool(id);
    let found = figures(config, id, known(question));
    let worst = worst_loss(config, id);
    let failed: Vec<usize> = match (&question.fail, &worst) {
        (Failing::WorstOne, Some(worst)) => vec![worst.endpoint],
        _ => failed.get(&id).cloned().unwrap_or_default(),
    };
    let asks = question.fail != Failing::Nothing
        || (question.load - 1.0).abs() > 1e-9
        || question.concurrency.is_some()
        || question.rate.is_some()
        || question.capacity.is_some();
    let outcome = asks.then(|| {
        let scenario = Scenario {
            failed: failed.clone(),
            follow: follow.get(&id).cloned().unwrap_or_default(),
            load: question.load,
            concurrency: question.concurrency,
            rate: question.rate,
            capacity: question.capacity,
            returning: question.returning,
            seed: Some(question.seed),
            assume_noticed: false,
        };
        scenario::run(config, id, &scenario)
    });
    let effective_endpoints = found.shares.is_known().then(|| found.shares.effective_endpoints(pool));
    PoolTraffic { pool: id, figures: found, effective_endpoints, worst, outcome, failed }
}

/// Where each of `keys` goes in a pool of `config`.
///
/// # Errors
///
/// Why that cannot be known for any key.
pub fn place_keys<'k>(
    config: &Config,
    id: PoolId,
    keys: impl IntoIterator<Item = &'k [u8]>,
) -> Result<Vec<Pick>, String> {
    if drawn_at_random(config, id) {
        return Err("no route to it has a hash_policy, so that hosts are drawn at random".into());
    }
    let placement = Placement::new(config, id).map_err(|reason| reason.into_owned())?;
    Ok(keys.into_iter().map(|key| placement.pick(key)).collect())
}

/// Where each of `keys` goes once `failed` endpoints of the pool are out. For many failures only those count that
/// something notices, see [`scenario::Detection`]: the others keep their keys.
///
/// # Errors
///
/// Why that cannot be known for any key.
pub fn place_keys_after<'k>(
    config: &Config,
    id: PoolId,
    failed: &[usize],
    keys: impl IntoIterator<Item = &'k [u8]>,
) -> Result<Vec<Pick>, String> {
    let mut config = config.clone();
    if let Some(pool) = config.pools.get_mut(id.0 as usize) {
        *pool = scenario::without(pool, failed);
    }
    place_keys(&config, id, keys)
}

impl PoolTraffic {
    /// The endpoints that fail and are taken out of rotation for it.
    #[must_use]
    pub fn noticed(&self) -> Vec<usize> {
        let detections = self.outcome.iter().flat_map(|outcome| &outcome.detections);
        detections.filter(|found| found.noticed.is_ever()).map(|found| found.endpoint).collect()
    }
}

/// Nothing is hashed of requests that come by a route without a policy for it, where routes have such policies.
fn drawn_at_random(config: &Config, id: PoolId) -> bool {
    if !matches!(config.pool(id).algorithm.value, Algorithm::Hash { key: HashKey::RoutePolicy, .. }) {
        return false;
    }
    let mut routes = config.routes_to(id).peekable();
    routes.peek().is_some() && routes.all(|route| route.hash_policies.is_empty())
}
