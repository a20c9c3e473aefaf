//! Runs a scenario and sets the prediction beside what was measured.

use std::net::SocketAddrV4;

use anyhow::{Context, Result, bail};
use lbcheck::dialect::{Dialect, Version};

use super::arena::Arena;
use super::backend::Backends;
use super::client::ask_all;
use super::measure::{Measured, measure, same};
use super::predict::{Predicted, predict};
use super::proxy::{Proxy, fill};
use super::scenario::{Expect, Notice, Scenario, Send};
use super::statistics::Binomial;
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
    let scratch = Scratch::new();
    let (text, servers) = fill(scenario.dialect, &scenario.config, &arena, scratch.path());
    let predicted = predict(scenario, version, &text, &servers)?;
    let row = |requests, compared: Compared| Row {
        title: scenario.title.clone(),
        dialect: scenario.dialect,
        version,
        requests,
        predicted: compared.predicted,
        measured: compared.measured,
        deviation: compared.deviation,
        bound: compared.bound,
        problem: compared.problem,
    };
    if let (Expect::Unknown(words), Predicted::Unknown(reason)) = (&scenario.expect, &predicted) {
        return Ok(Some(row(0, Compared::unknown(words, reason))));
    }
    let mut backends = Backends::start(&servers)?;
    let proxy = Proxy::start(program, scratch, &arena, &text, scenario.workers)?;
    break_servers(scenario, &proxy, &arena, &servers, &mut backends)?;
    let before: u64 = backends.counts().iter().sum();
    let measured = measure(&scenario.send, arena.front(), &backends, &proxy)?;
    let attempts = backends.counts().iter().sum::<u64>() - before;
    drop(proxy);
    Ok(Some(row(
        measured.servers.len() + measured.queued,
        compare(&scenario.expect, &predicted, &measured, attempts, servers.len())?,
    )))
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
        backends.end(server);
    }
    match scenario.notice {
        Notice::Checks => proxy.await_down(servers, &scenario.fail, || Ok(()))?,
        Notice::Traffic => {
            let ask = || ask_all(arena.front(), &vec![same(); 50]).map(|_| ());
            proxy.await_down(servers, &scenario.fail, ask)?;
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
struct Compared {
    predicted: String,
    measured: String,
    deviation: String,
    bound: String,
    problem: Option<String>,
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
        }
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
