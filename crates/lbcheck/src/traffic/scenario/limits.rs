//! What is full first, what waits and what is refused.

use std::collections::BTreeSet;

use super::question::{Assumption, Capacity, seconds};
use crate::model::{Algorithm, Config, Endpoint, Pool};
use crate::traffic::proxies::{Proxy, proxy};
use crate::traffic::serving::by_id;
use crate::traffic::shares::{Certainty, PoolShares};

/// What is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum LimitKind {
    /// The limit of an endpoint (`maxconn`, `max_conns`), by index.
    Endpoint(usize),
    /// What somebody says an endpoint can take, by index.
    Capacity(usize),
    /// Envoy's circuit breaker `max_connections`, for HTTP/1.1 the number of requests in flight.
    PoolConnections,
    /// Envoy's circuit breaker `max_requests`.
    PoolRequests,
}

/// What is full first as load grows.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Full {
    /// What.
    pub kind: LimitKind,
    /// Its limit, in requests at once.
    pub limit: f64,
    /// It is full once this many requests are in flight in the pool.
    pub at: f64,
    /// How sure `at` is.
    pub certainty: Certainty,
}

/// Where the requests are that want to be served at once.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Demand {
    /// How many want to be served.
    pub requests: f64,
    /// In service on each endpoint.
    pub in_service: Vec<f64>,
    /// Endpoints at their limit.
    pub full: Vec<usize>,
    /// Waiting in queues.
    pub queued: f64,
    /// Refused at once.
    pub refused: f64,
    /// How sure the figures are.
    pub certainty: Certainty,
    /// What has to hold, in sentences.
    pub assumptions: Vec<Assumption>,
}

/// Requests that `endpoints` of the pool may have at once, circuit breakers included. `None`: some are not limited.
#[must_use]
pub fn room(pool: &Pool, endpoints: &[usize]) -> Option<u64> {
    let limits = endpoints.iter().filter_map(|&index| pool.endpoints.get(index)).map(Endpoint::most_requests);
    let sum = limits.sum::<Option<u64>>();
    let breakers = [pool.limits.max_connections, pool.limits.max_requests];
    breakers.into_iter().flatten().map(|limit| limit.value).chain(sum).min()
}

/// The limits of a pool in one scenario.
pub(super) struct Limits<'a> {
    proxy: &'static dyn Proxy,
    pool: &'a Pool,
    /// For each endpoint, the least that binds it, and whether somebody declared it.
    endpoints: Vec<Option<(f64, bool)>>,
    breakers: Vec<(LimitKind, f64)>,
}

impl<'a> Limits<'a> {
    pub(super) fn new(
        config: &Config,
        pool: &'a Pool,
        capacity: Option<Capacity>,
        before: &PoolShares,
        concurrency: Option<u32>,
    ) -> Self {
        let declared = |index: usize| match capacity? {
            Capacity::Requests(most) => Some(most as f64),
            Capacity::Multiple(times) => {
                let share = before.shares.get(index).filter(|share| **share > 0.0)?;
                Some(times * share * f64::from(concurrency?))
            }
        };
        let least = |(index, endpoint): (usize, &Endpoint)| {
            let own = endpoint.most_requests().map(|limit| (limit as f64, false));
            let declared = declared(index).map(|limit| (limit, true));
            match (own, declared) {
                (Some(own), Some(declared)) => Some(if declared.0 < own.0 { declared } else { own }),
                (own, declared) => own.or(declared),
            }
        };
        let breakers = [
            (LimitKind::PoolConnections, pool.limits.max_connections),
            (LimitKind::PoolRequests, pool.limits.max_requests),
        ];
        let breakers =
            breakers.into_iter().filter_map(|(kind, limit)| Some((kind, limit?.value as f64))).collect();
        let endpoints = pool.endpoints.iter().enumerate().map(least).collect();
        Self { proxy: proxy(config.dialect), pool, endpoints, breakers }
    }

    /// What endpoint `index` can take. `None`: no limit.
    pub(super) fn of(&self, index: usize) -> Option<f64> {
        self.endpoints.get(index).copied().flatten().map(|(limit, _)| limit)
    }

    /// The limit that the fewest requests in flight reach.
    pub(super) fn first_full(&self, shares: &PoolShares) -> Option<Full> {
        if !shares.is_known() {
            return None;
        }
        let mut first: Option<Full> = None;
        let mut consider = |kind: LimitKind, limit: f64, at: f64, certainty: Certainty| {
            if first.is_none_or(|first| at < first.at) {
                first = Some(Full { kind, limit, at, certainty });
            }
        };
        for (index, (limit, share)) in self.endpoints.iter().zip(&shares.shares).enumerate() {
            let (Some((limit, declared)), true) = (*limit, *share > 0.0) else { continue };
            let kind = if declared { LimitKind::Capacity(index) } else { LimitKind::Endpoint(index) };
            let at = if self.pool.algorithm.value == Algorithm::First { limit } else { limit / share };
            consider(kind, limit, at, shares.certainty.max(Certainty::Expected));
        }
        for &(kind, limit) in &self.breakers {
            consider(kind, limit, limit, Certainty::Exact);
        }
        first
    }

    /// Where `requests` that want to be served at once are, by `shares`.
    pub(super) fn demand(&self, shares: &PoolShares, requests: f64) -> Option<Demand> {
        if !shares.is_known() {
            return None;
        }
        let mut demand = Demand {
            requests,
            in_service: vec![0.0; shares.shares.len()],
            full: Vec::new(),
            queued: 0.0,
            refused: 0.0,
            certainty: Certainty::Expected.max(shares.certainty),
            assumptions: vec!["all requests take the same time".into()],
        };
        // What nobody serves is refused.
        let served: f64 = shares.shares.iter().sum();
        let mut rest = requests * served.min(1.0);
        demand.refused = requests - rest;
        rest = self.through_breakers(rest, &mut demand);
        let spills = self.proxy.passes_over_full(&self.pool.algorithm.value);
        let left =
            if spills { self.fill(shares, rest, &mut demand) } else { self.each(shares, rest, &mut demand) };
        self.overflow(left, &mut demand);
        Some(demand)
    }

    /// Envoy: what connections and requests are allowed; the rest pends or is refused.
    ///
    /// Where requests are the tighter limit nothing pends: Envoy 1.40 with 4 requests allowed and 100 connections
    /// refused 8 of 12. With 4 connections, 2 pending and 5 requests it served 4, let 2 wait and refused 6.
    fn through_breakers(&self, requests: f64, demand: &mut Demand) -> f64 {
        let limit = |wanted: LimitKind| {
            let found = self.breakers.iter().find(|(kind, _)| *kind == wanted);
            found.map_or(f64::INFINITY, |(_, limit)| *limit)
        };
        let connections = limit(LimitKind::PoolConnections);
        let served = requests.min(connections).min(limit(LimitKind::PoolRequests));
        let above = requests - served;
        if above <= 0.0 {
            return served;
        }
        let waits = if served < connections {
            0.0
        } else {
            demand.assumptions.push("HTTP/1.1 towards the endpoints, one request to a connection".into());
            above.min(self.pool.limits.max_pending.map_or(f64::INFINITY, |limit| limit.value as f64))
        };
        demand.queued += waits;
        demand.refused += above - waits;
        served
    }

    /// Every endpoint gets its share, whatever its limit. Returns what is above limits.
    fn each(&self, shares: &PoolShares, requests: f64, demand: &mut Demand) -> f64 {
        let mut above = 0.0;
        for (index, share) in shares.shares.iter().enumerate() {
            let wanted = requests * share;
            let limit = self.bound(index);
            demand.in_service[index] = wanted.min(limit);
            if wanted > limit {
                demand.full.push(index);
                above += wanted - limit;
            }
        }
        above
    }

    /// The limit that the proxy itself keeps to. What somebody declares binds nobody.
    fn bound(&self, index: usize) -> f64 {
        let endpoint = self.pool.endpoints.get(index);
        endpoint.and_then(Endpoint::most_requests).map_or(f64::INFINITY, |limit| limit as f64)
    }

    /// Endpoints fill up in proportion to their shares, what is above a limit going to those that have room.
    /// Returns what is above all limits.
    fn fill(&self, shares: &PoolShares, requests: f64, demand: &mut Demand) -> f64 {
        let mut left = requests;
        if self.pool.algorithm.value == Algorithm::First {
            let serving = |&index: &usize| self.pool.endpoints[index].is_active();
            for index in by_id(self.pool, (0..shares.shares.len()).filter(serving).collect()) {
                let takes = left.min(self.bound(index));
                demand.in_service[index] = takes;
                if takes >= self.bound(index) {
                    demand.full.push(index);
                }
                left -= takes;
            }
            return left;
        }
        // Endpoints in the order in which they fill up: limit over share.
        let serving: BTreeSet<usize> =
            (0..shares.shares.len()).filter(|&index| shares.shares[index] > 0.0).collect();
        let mut order: Vec<usize> = serving.iter().copied().collect();
        let at = |index: usize| self.bound(index) / shares.shares[index];
        order.sort_by(|&a, &b| at(a).total_cmp(&at(b)).then(a.cmp(&b)));
        let mut weight: f64 = order.iter().map(|&index| shares.shares[index]).sum();
        for index in order {
            let share = shares.shares[index];
            let takes = (left * share / weight).min(self.bound(index));
            if takes >= self.bound(index) {
                demand.full.push(index);
            }
            demand.in_service[index] = takes;
            left -= takes;
            weight -= share;
            // Rounding must not make the last one's part negative or infinite.
            if weight <= 1e-12 {
                break;
            }
        }
        demand.full.sort_unstable();
        if left < requests * 1e-9 { 0.0 } else { left }
    }

    /// What is above limits waits, or is refused.
    fn overflow(&self, left: f64, demand: &mut Demand) {
        if left <= 0.0 {
            return;
        }
        if self.proxy.queues() {
            let waits = self.pool.timeouts.queue.or(self.pool.timeouts.connect);
            demand.queued += left;
            demand.assumptions.push(match waits {
                Some(limit) => {
                    format!("what waits for longer than {} is answered with 503", seconds(limit.value)).into()
                }
                None => "nothing limits how long a request waits".into(),
            });
            // `maxqueue` bounds what waits for one server, not what waits for the backend.
            if self.pool.endpoints.iter().any(|endpoint| endpoint.max_queue.is_some()) {
                demand.certainty = demand.certainty.max(Certainty::Range);
            }
        } else {
            demand.refused += left;
        }
        if self.proxy.counts_by_worker(self.pool) {
            demand.certainty = demand.certainty.max(Certainty::Range);
            demand
                .assumptions
                .push("there is one worker process: without `zone` each has limits of its own".into());
        }
    }
}
