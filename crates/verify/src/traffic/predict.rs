//! What lbcheck says of the configuration that runs.

use std::net::{IpAddr, SocketAddrV4};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lbcheck::diagnostic::Severity;
use lbcheck::dialect::Version;
use lbcheck::model::{AdminState, Config, Endpoint, Host, Jitter, PoolId};
use lbcheck::read::ReadOptions;
use lbcheck::source::Sources;
use lbcheck::traffic::flow::{Destination, flows};
use lbcheck::traffic::scenario::{
    self as failures, Cascade, Detection, Noticed, Scenario as Failure, Since, worst_loss,
};
use lbcheck::traffic::{Known, Pick, Placement, PoolShares, figures, sequence};

use super::scenario::{Expect, How, Notice, Scenario, Send};
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
    /// Most retries in flight at once, and whether there are as many as that if all requests fail: a budget is a part of
    /// what is in flight at each moment, which requests that wait for their retry are not.
    RetriesAtOnce(u64, bool),
    /// When a failed server is out and back.
    Times(Times),
    /// Servers that fail in turn.
    Cascade(Cascade, Vec<Option<usize>>),
    /// It is not known, for this reason.
    Unknown(String),
}

/// When a failed server is out and back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Soonest and latest by checks.
    pub noticed: (Duration, Duration),
    /// Failed requests that take it out.
    pub failures: Option<u32>,
    /// Soonest and latest for the way back: since it answers again, or where requests took it out since then.
    pub back: Option<(Duration, Duration)>,
    /// From one check to the next while all is well.
    pub between: Duration,
    /// The same with all that chance may add.
    pub longest: Duration,
    /// Checks that have to fail.
    pub checks: u32,
    /// Chance has no part in when checks come.
    pub exact: bool,
}

/// The single loss that is predicted to be the worst: the server that fails, the survivor that gets the most more, and
/// how many times its normal load that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worst {
    /// The server that fails.
    pub server: usize,
    /// The survivor.
    pub survivor: usize,
    /// How many times its normal load.
    pub multiple: f64,
    /// Its share in normal times.
    pub normal: f64,
}

/// Predicts the worst single loss.
///
/// # Errors
///
/// It is not known.
pub fn predict_worst(
    scenario: &Scenario,
    version: Version,
    text: &str,
    servers: &[SocketAddrV4],
) -> Result<Worst> {
    let (config, id) = model(scenario, version, text)?;
    let positions = Servers { config: &config, servers }.positions(id);
    let worst = worst_loss(&config, id).context("lbcheck does not know the worst loss")?;
    let survivor = worst.survivor.context("nobody survives")?;
    let normal = failures::run(&config, id, &Failure::default()).before;
    let place = |index: usize| {
        positions.get(index).copied().flatten().context("an endpoint is not among the servers")
    };
    Ok(Worst {
        server: place(worst.endpoint)?,
        survivor: place(survivor)?,
        multiple: worst.multiple,
        normal: normal.shares[survivor],
    })
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
    let config = read(scenario, version, text)?;
    let at = Servers { config: &config, servers };
    if let Expect::EndToEnd = scenario.expect {
        return at.end_to_end();
    }
    let id = pool(scenario, &config)?;
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
        Expect::RetriesAtOnce => {
            let outcome = failures::run(&config, id, &failure(scenario, &positions));
            let most = outcome.attempts.at_once.context("lbcheck does not know the limit")?;
            Ok(Predicted::RetriesAtOnce(most, config.pool(id).limits.retry_budget.is_none()))
        }
        Expect::NoticedInTime | Expect::NoticedByRequests => {
            let outcome = failures::run(&config, id, &failure(scenario, &positions));
            let [found] = outcome.detections.as_slice() else { bail!("one server is to fail") };
            times(&config, id, found, scenario).map(Predicted::Times)
        }
        Expect::Cascade(capacity) => {
            let question = Failure { capacity: Some(*capacity), ..failure(scenario, &positions) };
            let outcome = failures::run(&config, id, &question);
            Ok(Predicted::Cascade(outcome.cascade.context("lbcheck does not know the cascade")?, positions))
        }
        Expect::Unknown(_) => {
            let found =
                figures(&config, id, Known { concurrency: at_once(&scenario.send), ..Known::default() });
            if found.shares.is_known() {
                bail!("lbcheck claims to know the shares");
            }
            Ok(Predicted::Unknown(found.shares.assumptions.concat()))
        }
        Expect::EveryLoss => bail!("it is many failures"),
        Expect::EndToEnd => bail!("it is not about one pool"),
    }
}

/// What lbcheck reads.
fn read(scenario: &Scenario, version: Version, text: &str) -> Result<Config> {
    let mut options = ReadOptions::new(scenario.dialect);
    options.version = version;
    let mut sources = Sources::new();
    let reading = reading::reading(text.as_bytes(), &mut sources, &options);
    let refused = reading.diagnostics.iter().find(|found| found.severity == Severity::Error);
    if let Some(refused) = refused {
        bail!("lbcheck refuses what runs: {}", refused.message);
    }
    Ok(reading.config)
}

fn pool(scenario: &Scenario, config: &Config) -> Result<PoolId> {
    let id = config.pools().find(|(_, pool)| pool.name.value == scenario.pool).map(|(id, _)| id);
    id.with_context(|| format!("lbcheck sees no pool {}", scenario.pool))
}

fn model(scenario: &Scenario, version: Version, text: &str) -> Result<(Config, PoolId)> {
    let config = read(scenario, version, text)?;
    let id = pool(scenario, &config)?;
    Ok((config, id))
}

/// What lbcheck says of one failed server, for the way in which it fails.
fn times(config: &Config, id: PoolId, found: &Detection, scenario: &Scenario) -> Result<Times> {
    let pool = config.pool(id);
    let endpoint = &pool.endpoints[found.endpoint];
    let quiet = scenario.send == Send::Nothing;
    let range = |back: &failures::Back| (back.soonest, back.quiet.filter(|_| quiet).unwrap_or(back.latest));
    let since = |wanted: Since| found.back.filter(|back| back.since == wanted).as_ref().map(range);
    let none = (Duration::ZERO, Duration::ZERO);
    match &found.noticed {
        Noticed::ByTraffic { failures, .. } => Ok(Times {
            noticed: none,
            failures: Some(*failures),
            back: since(Since::Out),
            between: Duration::ZERO,
            longest: Duration::ZERO,
            checks: 0,
            exact: false,
        }),
        Noticed::ByCheck { failures, .. } if scenario.expect == Expect::NoticedByRequests => Ok(Times {
            noticed: none,
            failures: *failures,
            back: None,
            between: Duration::ZERO,
            longest: Duration::ZERO,
            checks: 0,
            exact: false,
        }),
        Noticed::ByCheck { soonest, latest, silent, quiet, failures } => {
            // What only tracks another server is checked where that one is.
            let mut others = config.pools.iter().flat_map(|pool| &pool.endpoints);
            let timed = |other: &Endpoint| {
                other.address == endpoint.address
                    && other.check.as_ref().is_some_and(|check| check.value.timing.interval.is_some())
            };
            let own = others.find(|other| timed(other)).and_then(|other| other.check.as_ref());
            let check = pool.health_checks.first().or(own).context("nothing checks it")?;
            let timing = check.value.timing;
            let mut between = timing.interval.context("no interval")?.value;
            let mut latest = *latest;
            if scenario.how == How::FallsSilent {
                latest = silent.context("lbcheck does not know when silence is noticed")?;
            }
            if let (Send::Nothing, Some(quiet), Some((well, _))) = (&scenario.send, quiet, timing.quiet) {
                (latest, between) = (*quiet, well);
            }
            Ok(Times {
                noticed: (*soonest, latest),
                failures: *failures,
                back: since(Since::Answers),
                between,
                longest: between * (100 + timing.jitter.later_percent) / 100 + timing.jitter.later,
                checks: timing
                    .fall
                    .map_or(1, |fall| fall.value)
                    .max(timing.rise.map_or(1, |rise| rise.value)),
                exact: timing.jitter == Jitter::default() && failures.is_none(),
            })
        }
        other => bail!("lbcheck says {other:?}"),
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
        if scenario.notice == Notice::Never && scenario.load <= 1.0 {
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
        | Send::FlowingKeys { at_once, .. }
        | Send::FailingAtOnce(at_once) => u32::try_from(*at_once).ok(),
        Send::Nothing => None,
    }
}

fn failure(scenario: &Scenario, positions: &[Option<usize>]) -> Failure {
    let ended = |position: &Option<usize>| position.is_some_and(|at| scenario.fail.contains(&at));
    let failed = (0..positions.len()).filter(|&index| ended(&positions[index])).collect();
    // What is sent is the load that grew.
    let normal = |sent: u32| (f64::from(sent) / scenario.load).round() as u32;
    Failure {
        failed,
        concurrency: at_once(&scenario.send).map(normal),
        load: scenario.load,
        ..Failure::default()
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
