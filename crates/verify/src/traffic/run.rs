//! Runs a scenario and sets the prediction beside what was measured.

use std::net::SocketAddrV4;
use std::path::Path;

use anyhow::{Context, Result, bail};
use lbcheck::dialect::{Dialect, Version};

use super::arena::Arena;
use super::backend::Backends;
use super::cascade::Fall;
use super::client::ask_all;
use super::measure::{Measured, measure, same};
use super::predict::{Predicted, Times, predict, predict_worst};
use super::proxy::{Proxy, fill};
use super::scenario::{Expect, Notice, Scenario, Send};
use super::statistics::Binomial;
use super::timing;
use crate::process::Scratch;
use crate::program::Program;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What was compared.
    pub title: String,
    /// The proxy.
    pub dialect: Dialect,
    /// Its version.
    pub version: Version,
    /// Requests that were sent and compared.
    pub requests: usize,
    /// Per server, in percent.
    pub predicted: String,
    /// Per server, in percent.
    pub measured: String,
    /// The largest difference.
    pub deviation: String,
    /// What has to hold.
    pub bound: String,
    /// What does not hold, in a sentence.
    pub problem: Option<String>,
}

/// Runs `scenario`, the `number`th of all, under `program`. `None`: this version is too old for it.
///
/// # Errors
///
/// Something does not start or answer, or lbcheck makes no prediction.
pub fn run(scenario: &Scenario, number: u16, program: &Program) -> Result<Option<Row>> {
    let version = program.version().context("the program does not say its version")?;
    if scenario.since.is_some_and(|since| version < since) {
        return Ok(None);
    }
    let arena = Arena::reserve(number)?;
    let stage = Stage { scenario, version, program, arena: &arena };
    let (requests, compared) = match scenario.expect {
        Expect::EveryLoss => stage.every_loss()?,
        _ => stage.once()?,
    };
    Ok(Some(Row {
        title: scenario.title.clone(),
        dialect: scenario.dialect,
        version,
        requests,
        predicted: compared.predicted,
        measured: compared.measured,
        deviation: compared.deviation,
        bound: compared.bound,
        problem: compared.problem,
    }))
}

/// One scenario and where it runs.
struct Stage<'a> {
    scenario: &'a Scenario,
    version: Version,
    program: &'a Program,
    arena: &'a Arena,
}

impl Stage<'_> {
    /// Runs the scenario once: how many requests were compared, and how.
    fn once(&self) -> Result<(usize, Compared)> {
        let scenario = self.scenario;
        let scratch = Scratch::new();
        let (text, servers) = fill(scenario.dialect, &scenario.config, self.arena, scratch.path());
        let predicted = predict(scenario, self.version, &text, &servers)?;
        if let (Expect::Unknown(words), Predicted::Unknown(reason)) = (&scenario.expect, &predicted) {
            return Ok((0, Compared::unknown(words, reason)));
        }
        let mut backends = Backends::start(&servers)?;
        let proxy = Proxy::start(self.program, scratch, self.arena, &text, scenario.workers)?;
        if let Predicted::Times(times) = &predicted {
            return self.times(times, &proxy, &servers, &mut backends);
        }
        break_servers(scenario, &proxy, self.arena, &servers, &mut backends)?;
        if let Predicted::Cascade(cascade, positions) = &predicted {
            let run = Fall { scenario, proxy: &proxy, arena: self.arena, servers: &servers };
            return run.follow(cascade, positions, &mut backends);
        }
        let before: u64 = backends.counts().iter().sum();
        let measured = measure(&scenario.send, self.arena.front(), &backends, &proxy)?;
        let attempts = backends.counts().iter().sum::<u64>() - before;
        drop(proxy);
        let compared = compare(&scenario.expect, &predicted, &measured, attempts, servers.len())?;
        Ok(((measured.servers.len() + measured.queued).max(measured.failed), compared))
    }

    fn times(
        &self,
        times: &Times,
        proxy: &Proxy,
        servers: &[SocketAddrV4],
        backends: &mut Backends,
    ) -> Result<(usize, Compared)> {
        if self.scenario.expect == Expect::NoticedByRequests {
            if self.scenario.dialect == Dialect::HaProxy {
                proxy.await_down(servers, &[], || Ok(()))?;
            }
            let (failed, back) =
                timing::by_requests(self.scenario, times, proxy, self.arena, servers, backends)?;
            return Ok((failed, timing::compare_requests(times, failed, back)));
        }
        let (noticed, back) = timing::by_checks(self.scenario, times, proxy, self.arena, servers, backends)?;
        Ok((0, timing::compare_checks(times, &noticed, &back)))
    }

    /// Each server fails alone, under a proxy that has not seen the others fail.
    fn every_loss(&self) -> Result<(usize, Compared)> {
        let (text, servers) = fill(self.scenario.dialect, &self.scenario.config, self.arena, Path::new("/"));
        let worst = predict_worst(self.scenario, self.version, &text, &servers)?;
        let normal = self.normal(&text, &servers)?;
        let (mut requests, mut problems) = (0, Vec::new());
        let mut measured = None;
        let mut highest: f64 = 0.0;
        for server in 0..servers.len() {
            let scenario = Scenario { fail: vec![server], expect: Expect::ByChance, ..self.scenario.clone() };
            let (count, compared) = Stage { scenario: &scenario, ..*self }.once()?;
            requests += count;
            let seen = compared.seen.get(worst.survivor).copied().unwrap_or_default() / worst.normal;
            if server == worst.server {
                measured = Some(seen);
            }
            highest = highest.max(compared.multiples_over(&normal));
            problems
                .extend(compared.problem.map(|problem| format!("without server {}: {problem}", server + 1)));
        }
        let measured = measured.context("the worst loss is none of the servers")?;
        if highest > worst.multiple + 1e-6 {
            problems.push(format!("lbcheck predicts ×{highest:.3} for another loss"));
        }
        let words = |multiple: f64| {
            format!("without server {} server {} gets ×{multiple:.3}", worst.server + 1, worst.survivor + 1)
        };
        Ok((
            requests,
            Compared {
                predicted: words(worst.multiple),
                measured: words(measured),
                deviation: format!("×{:.3}", (measured - worst.multiple).abs()),
                bound: "every loss by chance".into(),
                problem: (!problems.is_empty()).then(|| problems.join("; ")),
                ..Compared::default()
            },
        ))
    }

    fn normal(&self, text: &str, servers: &[SocketAddrV4]) -> Result<Vec<f64>> {
        let scenario = Scenario {
            fail: Vec::new(),
            notice: Notice::Never,
            expect: Expect::ByChance,
            ..self.scenario.clone()
        };
        match predict(&scenario, self.version, text, servers)? {
            Predicted::Shares(shares) => Ok(shares),
            other => bail!("{other:?} are no shares"),
        }
    }
}

fn break_servers(
    scenario: &Scenario,
    proxy: &Proxy,
    arena: &Arena,
    servers: &[SocketAddrV4],
    backends: &mut Backends,
) -> Result<()> {
    if scenario.notice == Notice::Checks {
        proxy.await_down(servers, &[], || Ok(()))?;
    }
    for &server in &scenario.fail {
        timing::breaks(scenario.how, server, backends);
    }
    let down = [scenario.fail.as_slice(), &scenario.along].concat();
    await_notice(scenario, &down, proxy, arena, servers)
}

/// Waits until the proxy knows that the servers `down` have failed.
pub(super) fn await_notice(
    scenario: &Scenario,
    down: &[usize],
    proxy: &Proxy,
    arena: &Arena,
    servers: &[SocketAddrV4],
) -> Result<()> {
    match scenario.notice {
        Notice::Checks => proxy.await_down(servers, down, || Ok(()))?,
        Notice::Traffic => {
            let ask = || ask_all(arena.front(), &vec![same(); 50]).map(|_| ());
            proxy.await_down(servers, down, ask)?;
        }
        Notice::Requests(count) => {
            let asks = match &scenario.send {
                Send::Each(asks) => asks.iter().cycle().take(count).cloned().collect(),
                _ => vec![same(); count],
            };
            drop(ask_all(arena.front(), &asks)?);
        }
        Notice::Never => {}
    }
    Ok(())
}

/// Both sides in words.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) predicted: String,
    pub(super) measured: String,
    pub(super) deviation: String,
    pub(super) bound: String,
    pub(super) problem: Option<String>,
    /// The predicted and the measured shares, where it is about shares.
    pub(super) shares: Vec<f64>,
    pub(super) seen: Vec<f64>,
}

impl Compared {
    fn unknown(words: &str, reason: &str) -> Self {
        let right = reason.contains(words);
        Self {
            predicted: "unknown".into(),
            measured: "not sent".into(),
            deviation: "none".into(),
            bound: format!("says: {reason}"),
            problem: (!right).then(|| format!("the reason is \"{reason}\", without \"{words}\"")),
            ..Self::default()
        }
    }

    /// The largest multiple of its normal load that is predicted for a server.
    fn multiples_over(&self, normal: &[f64]) -> f64 {
        let multiples = self.shares.iter().zip(normal).filter(|(_, normal)| **normal > 0.0);
        multiples.map(|(share, normal)| share / normal).fold(0.0, f64::max)
    }
}

fn compare(
    expect: &Expect,
    predicted: &Predicted,
    measured: &Measured,
    attempts: u64,
    servers: usize,
) -> Result<Compared> {
    let counts = measured.counts(servers);
    let total = measured.servers.len();
    let seen: Vec<f64> = counts.iter().map(|&count| count as f64 / total.max(1) as f64).collect();
    match (expect, predicted) {
        (Expect::EveryKey | Expect::EveryPick, Predicted::Servers(wanted)) => {
            let wrong: Vec<usize> = (0..total.max(wanted.len()))
                .filter(|&at| measured.servers.get(at) != wanted.get(at))
                .collect();
            let what = if *expect == Expect::EveryKey { "key" } else { "pick" };
            let expected = Measured { servers: wanted.clone(), ..Measured::default() }.counts(servers);
            let shares: Vec<f64> =
                expected.iter().map(|&count| count as f64 / wanted.len().max(1) as f64).collect();
            let problem = wrong.first().map(|&at| {
                let (wanted, seen) = (wanted.get(at), measured.servers.get(at));
                format!(
                    "{} of {total} {what}s differ; {what} {at} went to {seen:?} instead of {wanted:?}",
                    wrong.len()
                )
            });
            Ok(Compared {
                predicted: percent(&shares),
                measured: percent(&seen),
                deviation: format!("{} {what}s", wrong.len()),
                bound: format!("every {what}"),
                problem,
                shares,
                seen,
            })
        }
        (Expect::ByChance | Expect::EndToEnd, Predicted::Shares(shares)) => {
            let intervals = Binomial::new(total).intervals(total, shares);
            Ok(by_bounds(shares, &counts, total, &intervals, widest(shares, total, &intervals)))
        }
        (Expect::ToOneRequest | Expect::InFlight, Predicted::Shares(shares)) => {
            let around = |share: &f64| {
                let exact = share * total as f64;
                ((exact - 1.0 - 1e-9).ceil().max(0.0) as usize, (exact + 1.0 + 1e-9).floor() as usize)
            };
            // Who gets nothing gets not even one.
            let none = |share: &f64| if *share > 0.0 { around(share) } else { (0, 0) };
            let intervals: Vec<(usize, usize)> = shares.iter().map(none).collect();
            Ok(by_bounds(shares, &counts, total, &intervals, "one request".into()))
        }
        (Expect::Errors, Predicted::Errors(errors)) => {
            let failed = measured.servers.iter().filter(|server| server.is_none()).count();
            let intervals = Binomial::new(total).intervals(total, &[*errors]);
            let bound = widest(&[*errors], total, &intervals);
            let mut compared = by_bounds(&[*errors], &[failed], total, &intervals, bound);
            compared.problem = compared.problem.map(|problem| problem.replace("server 1 got", "errors are"));
            compared.predicted.push_str(" errors");
            compared.measured.push_str(" errors");
            Ok(compared)
        }
        (Expect::Crowd, Predicted::Crowd(in_service, queued, refused)) => {
            let answered = measured.servers.iter().filter(|server| server.is_none()).count();
            let mut wanted: Vec<usize> = in_service.iter().map(|count| count.round() as usize).collect();
            wanted.extend([queued.round() as usize, refused.round() as usize]);
            let mut seen = counts;
            seen.extend([measured.queued, answered]);
            let words = |all: &[usize]| {
                let (served, rest) = all.split_at(servers);
                let served: Vec<String> = served.iter().map(ToString::to_string).collect();
                format!("{} in service, {} wait, {} refused", served.join(" / "), rest[0], rest[1])
            };
            let off: usize = wanted.iter().zip(&seen).map(|(wanted, seen)| wanted.abs_diff(*seen)).sum();
            Ok(Compared {
                predicted: words(&wanted),
                measured: words(&seen),
                deviation: format!("{off} requests"),
                bound: "every request".into(),
                problem: (off > 0).then(|| format!("{} instead of {}", words(&seen), words(&wanted))),
                ..Compared::default()
            })
        }
        (Expect::Attempts, Predicted::Attempts(most)) => {
            let wanted = u64::from(*most) * total as u64;
            Ok(Compared {
                predicted: format!("×{most}"),
                measured: format!("×{:.3}", attempts as f64 / total.max(1) as f64),
                deviation: format!("{} attempts", attempts.abs_diff(wanted)),
                bound: "every attempt".into(),
                problem: (attempts != wanted).then(|| format!("{attempts} attempts, not {wanted}")),
                ..Compared::default()
            })
        }
        (Expect::RetriesAtOnce, Predicted::RetriesAtOnce(most, exact)) => {
            let retried = total as u64;
            let words = |count: u64| format!("{count} retries in flight");
            Ok(Compared {
                predicted: words(*most),
                measured: words(retried),
                deviation: format!("{} retries", retried.abs_diff(*most)),
                bound: if *exact { "every retry".into() } else { "no more".into() },
                problem: (retried > *most || (*exact && retried != *most))
                    .then(|| format!("{retried} retries, not {most}")),
                ..Compared::default()
            })
        }
        _ => bail!("this expectation is about something else than what is predicted"),
    }
}

fn by_bounds(
    shares: &[f64],
    counts: &[usize],
    total: usize,
    intervals: &[(usize, usize)],
    bound: String,
) -> Compared {
    let seen: Vec<f64> = counts.iter().map(|&count| count as f64 / total.max(1) as f64).collect();
    let outside = counts.iter().zip(intervals).enumerate();
    let outside = outside.filter(|(_, (count, (low, high)))| !(low..=high).contains(count));
    let problems: Vec<String> = outside
        .map(|(at, (count, (low, high)))| {
            format!("server {} got {count} of {total} requests, not {low} to {high}", at + 1)
        })
        .collect();
    // What no server answers is the proxy's own answer; the bounds of the others bound it.
    let answered: usize = counts.iter().sum();
    let all = shares.iter().sum::<f64>() > 1.0 - 1e-9;
    let mut problem = (!problems.is_empty()).then(|| problems.join("; "));
    if all && answered < total && problem.is_none() {
        problem = Some(format!("{} requests were answered by no server", total - answered));
    }
    let largest = shares.iter().zip(&seen).map(|(share, seen)| (share - seen).abs()).fold(0.0, f64::max);
    Compared {
        predicted: percent(shares),
        measured: percent(&seen),
        deviation: format!("{:.2} points", largest * 100.0),
        bound,
        problem,
        shares: shares.to_vec(),
        seen,
    }
}

/// The widest of the intervals, in points to either side.
fn widest(shares: &[f64], total: usize, intervals: &[(usize, usize)]) -> String {
    let wide = |(share, (low, high)): (&f64, &(usize, usize))| {
        let (low, high) = (*low as f64 / total as f64, *high as f64 / total as f64);
        (share - low).max(high - share)
    };
    let most = shares.iter().zip(intervals).map(wide).fold(0.0, f64::max);
    format!("±{:.2} points", most * 100.0)
}

/// Figures shown one by one; of more servers only the range.
const MOST_SHOWN: usize = 12;

fn percent(shares: &[f64]) -> String {
    let shown = |share: f64| format!("{:.1}", share * 100.0);
    if shares.len() > MOST_SHOWN {
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        let most = shares.iter().copied().fold(0.0, f64::max);
        return format!("{} to {} on {} servers", shown(least), shown(most), shares.len());
    }
    shares.iter().map(|&share| shown(share)).collect::<Vec<_>>().join(" / ")
}
