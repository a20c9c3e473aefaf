//! What lbcheck says of the configuration that runs.

use std::net::{IpAddr, SocketAddrV4};

use anyhow::{Context, Result, bail};
use lbcheck::diagnostic::Severity;
use lbcheck::dialect::Version;
use lbcheck::model::{AdminState, Config, Endpoint, Host, PoolId};
use lbcheck::read::ReadOptions;
use lbcheck::source::Sources;
use lbcheck::traffic::flow::{Destination, flows};
use lbcheck::traffic::scenario::{self as failures, Scenario as Failure};
use lbcheck::traffic::{Known, Pick, Placement, PoolShares, figures, sequence};

use super::scenario::{Expect, Notice, Scenario, Send};
use crate::reading;

/// A prediction, with servers in the order of `@BACKn@`.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicted {
    /// The server of each request; `None`: none, the proxy answers itself.
    Servers(Vec<Option<usize>>),
    /// The share of each server. What is missing to 1 is answered by the proxy itself.
    Shares(Vec<f64>),
    /// Requests in service on each server, waiting, and refused.
    Crowd(Vec<f64>, f64, f64),
    /// The part of all requests that end in an error.
    Errors(f64),
    /// Attempts that reach servers for each request, if all of them fail.
    Attempts(u32),
    /// It is not known, for this reason.
    Unknown(String),
}

/// Predicts what `scenario` compares.
///
/// # Errors
///
/// lbcheck refuses the configuration, or does not know what the scenario expects it to.
pub fn predict(
    scenario: &Scenario,
    version: Version,
    text: &str,
    servers: &[SocketAddrV4],
) -> Result<Predicted> {
    let mut options = ReadOptions::new(scenario.dialect);
    options.version = version;
    let mut sources = Sources::new();
    let reading = reading::reading(text.as_bytes(), &mut sources, &options);
    let refused = reading.diagnostics.iter().find(|found| found.severity == Severity::Error);
    if let Some(refused) = refused {
        bail!("lbcheck refuses what runs: {}", refused.message);
    }
    let config = reading.config;
    let at = Servers { config: &config, servers };
    if let Expect::EndToEnd = scenario.expect {
        return at.end_to_end();
    }
    let id = config.pools().find(|(_, pool)| pool.name.value == scenario.pool).map(|(id, _)| id);
    let id = id.with_context(|| format!("lbcheck sees no pool {}", scenario.pool))?;
    let positions = at.positions(id);
    match &scenario.expect {
        Expect::EveryKey => keys(&failed(&config, id, &positions, scenario), id, &positions, scenario),
        Expect::EveryPick => {
            let Send::Same(count) = scenario.send else { bail!("a sequence is one of equal requests") };
            let config = failed(&config, id, &positions, scenario);
            let picks = sequence(&config, id, count).context("lbcheck knows no sequence")?;
            Ok(Predicted::Servers(picks.into_iter().map(|pick| positions[pick]).collect()))
        }
        Expect::ToOneRequest | Expect::ByChance | Expect::InFlight => at.shares(id, scenario),
        Expect::Errors => {
            let outcome = failures::run(&config, id, &failure(scenario, &positions));
            Ok(Predicted::Errors(outcome.unnoticed.errors.context("lbcheck does not know the errors")?))
        }
        Expect::Crowd => {
            let outcome = failures::run(&config, id, &failure(scenario, &positions));
            let demand = outcome.demand.context("lbcheck does not know the demand")?;
            let mut in_service = vec![0.0; servers.len()];
            for (count, position) in demand.in_service.iter().zip(&positions) {
                if let Some(sum) = position.and_then(|at| in_service.get_mut(at)) {
                    *sum += count;
                }
            }
            Ok(Predicted::Crowd(in_service, demand.queued, demand.refused))
        }
        Expect::Attempts => {
            let outcome = failures::run(&config, id, &failure(scenario, &positions));
            Ok(Predicted::Attempts(outcome.attempts.most))
        }
        Expect::Unknown(_) => match Placement::new(&config, id) {
            Err(reason) => Ok(Predicted::Unknown(reason.into_owned())),
            Ok(_) => bail!("lbcheck claims to know where keys go"),
        },
        Expect::EndToEnd => bail!("it is not about one pool"),
    }
}

/// The endpoints of a configuration, and the servers at their addresses.
struct Servers<'a> {
    config: &'a Config,
    servers: &'a [SocketAddrV4],
}

impl Servers<'_> {
    /// The server behind each endpoint of a pool.
    fn positions(&self, id: PoolId) -> Vec<Option<usize>> {
        let endpoints = &self.config.pool(id).endpoints;
        endpoints.iter().map(|endpoint| position(endpoint, self.servers)).collect()
    }

    fn add(&self, id: PoolId, part: f64, shares: &PoolShares, sums: &mut [f64]) -> Result<()> {
        if !shares.is_known() {
            bail!("lbcheck does not know the shares: {:?}", shares.assumptions);
        }
        for (share, position) in shares.shares.iter().zip(self.positions(id)) {
            if let Some(sum) = position.and_then(|at| sums.get_mut(at)) {
                *sum += part * share;
            }
        }
        Ok(())
    }

    /// The shares of one pool, after what fails has failed.
    fn shares(&self, id: PoolId, scenario: &Scenario) -> Result<Predicted> {
        let mut sums = vec![0.0; self.servers.len()];
        if scenario.notice == Notice::Never {
            let known = Known {
                concurrency: at_once(&scenario.send),
                returning: scenario.returning,
                ..Known::default()
            };
            self.add(id, 1.0, &figures(self.config, id, known).shares, &mut sums)?;
            return Ok(Predicted::Shares(sums));
        }
        let outcome = failures::run(self.config, id, &failure(scenario, &self.positions(id)));
        self.add(id, 1.0, &outcome.after, &mut sums)?;
        // What still goes to a server that has ended comes back as an error.
        for &ended in &scenario.fail {
            sums[ended] = 0.0;
        }
        let lost = 1.0 - sums.iter().sum::<f64>();
        if (lost - outcome.lost).abs() > 1e-9 {
            bail!("lbcheck says that {} of all requests are lost, and {lost} by its shares", outcome.lost);
        }
        Ok(Predicted::Shares(sums))
    }

    /// The shares of all servers, from the listener through routes, splits and pools.
    fn end_to_end(&self) -> Result<Predicted> {
        let flows = flows(self.config);
        let flow = flows.first().context("lbcheck sees no listener")?;
        let case = flow.cases.iter().find(|case| case.requests.is_empty());
        let case = case.context("every request is singled out by something")?;
        let mut sums = vec![0.0; self.servers.len()];
        for arrival in &case.arrivals {
            match &arrival.to {
                Destination::Pool(id) => {
                    let known = Known { concurrency: Some(1), ..Known::default() };
                    let shares = figures(self.config, *id, known).shares;
                    self.add(*id, arrival.share, &shares, &mut sums)?;
                }
                Destination::Answer(_) | Destination::Nowhere => {}
                other => bail!("lbcheck does not know where {other:?} is"),
            }
        }
        Ok(Predicted::Shares(sums))
    }
}

fn at_once(send: &Send) -> Option<u32> {
    match send {
        Send::Same(_) | Send::Each(_) | Send::Failing(_) | Send::Returning { .. } => Some(1),
        Send::Held(at_once)
        | Send::Crowd(at_once)
        | Send::Flowing { at_once, .. }
        | Send::FlowingKeys { at_once, .. } => u32::try_from(*at_once).ok(),
    }
}

fn failure(scenario: &Scenario, positions: &[Option<usize>]) -> Failure {
    let ended = |position: &Option<usize>| position.is_some_and(|at| scenario.fail.contains(&at));
    let failed = (0..positions.len()).filter(|&index| ended(&positions[index])).collect();
    Failure { failed, concurrency: at_once(&scenario.send), ..Failure::default() }
}

fn keys(config: &Config, id: PoolId, positions: &[Option<usize>], scenario: &Scenario) -> Result<Predicted> {
    let Send::Each(asks) = &scenario.send else { bail!("keys need requests that differ") };
    let placement = Placement::new(config, id)
        .map_err(|reason| anyhow::anyhow!("lbcheck does not know where keys go: {reason}"))?;
    let mut servers = Vec::with_capacity(asks.len());
    for ask in asks {
        servers.push(match placement.pick(ask.key.as_bytes()) {
            Pick::Endpoint(index) => positions[index],
            Pick::Nobody => None,
            Pick::Unknown(reason) => bail!("lbcheck does not know where {} goes: {reason}", ask.key),
        });
    }
    Ok(Predicted::Servers(servers))
}

/// The server at an endpoint's address.
fn position(endpoint: &Endpoint, servers: &[SocketAddrV4]) -> Option<usize> {
    servers.iter().position(|server| match endpoint.address.host {
        Host::Ip(IpAddr::V4(ip)) => ip == *server.ip() && endpoint.address.port == Some(server.port()),
        _ => false,
    })
}

/// The configuration with what has failed taken out.
fn failed(config: &Config, id: PoolId, positions: &[Option<usize>], scenario: &Scenario) -> Config {
    let mut config = config.clone();
    let Some(pool) = config.pools.get_mut(id.0 as usize).filter(|_| scenario.notice != Notice::Never) else {
        return config;
    };
    for (endpoint, position) in pool.endpoints.iter_mut().zip(positions) {
        if position.is_some_and(|position| scenario.fail.contains(&position)) {
            endpoint.state.value = AdminState::Disabled;
        }
    }
    config
}
