//! What lbcheck says of the configuration that runs.

use std::net::{IpAddr, SocketAddrV4};

use anyhow::{Context, Result, bail};
use lbcheck::diagnostic::Severity;
use lbcheck::dialect::Version;
use lbcheck::model::{AdminState, Config, Endpoint, Host, PoolId};
use lbcheck::read::ReadOptions;
use lbcheck::source::Sources;
use lbcheck::traffic::{Load, Pick, Placement, placed_shares, sequence};

use super::scenario::{Expect, Notice, Scenario, Send};
use crate::reading;

/// A prediction, with servers in the order of `@BACKn@`.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicted {
    /// The server of each request; `None`: none, the proxy answers itself.
    Servers(Vec<Option<usize>>),
    /// The share of each server. What is missing to 1 is answered by the proxy itself.
    Shares(Vec<f64>),
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
    let mut config = reading.config;
    let id = config.pools().find(|(_, pool)| pool.name.value == scenario.pool).map(|(id, _)| id);
    let id = id.with_context(|| format!("lbcheck sees no pool {}", scenario.pool))?;
    let positions: Vec<Option<usize>> =
        config.pool(id).endpoints.iter().map(|endpoint| position(endpoint, servers)).collect();
    if scenario.notice != Notice::Never {
        take_out(&mut config, id, &positions, &scenario.fail);
    }
    match &scenario.expect {
        Expect::EveryKey => keys(&config, id, &positions, scenario),
        Expect::EveryPick => {
            let Send::Same(count) = scenario.send else { bail!("a sequence is one of equal requests") };
            let picks = sequence(&config, id, count).context("lbcheck knows no sequence")?;
            Ok(Predicted::Servers(picks.into_iter().map(|pick| positions[pick]).collect()))
        }
        Expect::ToOneRequest | Expect::ByChance | Expect::InFlight => {
            let shares = placed_shares(&config, id, load(&scenario.send));
            if !shares.is_known() {
                bail!("lbcheck does not know the shares: {:?}", shares.assumptions);
            }
            let mut by_server = vec![0.0; servers.len()];
            for (share, position) in shares.shares.iter().zip(&positions) {
                if let Some(sum) = position.and_then(|at| by_server.get_mut(at)) {
                    *sum += share;
                }
            }
            Ok(Predicted::Shares(by_server))
        }
        Expect::Unknown(_) => match Placement::new(&config, id) {
            Err(reason) => Ok(Predicted::Unknown(reason.into_owned())),
            Ok(_) => bail!("lbcheck claims to know where keys go"),
        },
    }
}

fn load(send: &Send) -> Load {
    match send {
        Send::Same(_) | Send::Each(_) | Send::Returning { .. } => Load::Idle,
        Send::Held(at_once) | Send::Flowing { at_once, .. } => Load::Concurrent(*at_once as u32),
    }
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

fn take_out(config: &mut Config, id: PoolId, positions: &[Option<usize>], failed: &[usize]) {
    let Some(pool) = config.pools.get_mut(id.0 as usize) else { return };
    for (endpoint, position) in pool.endpoints.iter_mut().zip(positions) {
        if position.is_some_and(|position| failed.contains(&position)) {
            endpoint.state.value = AdminState::Disabled;
        }
    }
}
