//! How long it takes until a proxy finds that a server has failed, and that it is back.
//!
//! Nothing is tuned. A predicted time may be exceeded by what the machine itself adds: how late threads run is measured
//! while the proxy is, and how late its checks come while all is well. Every wait of the proxy may be that much late.

use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::arena::Arena;
use super::backend::{Backends, Condition, HEALTH};
use super::client::{Connection, ask_all};
use super::measure::same;
use super::predict::Times;
use super::proxy::Proxy;
use super::run::Compared;
use super::scenario::{How, Scenario, Send};

/// Longest wait for anything that has a predicted time, beyond that time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time between two looks.
const POLL: Duration = Duration::from_millis(2);
/// Clocks of proxies count in these.
const TICK: Duration = Duration::from_millis(1);
/// Times that what does not fit is measured.
const MOST_TRIES: u32 = 4;
/// Checks that are watched before a server fails.
const CHECKS_BEFORE: usize = 6;
/// Moments between two checks at which a server fails, in parts of the time between them.
const MOMENTS: [f64; 3] = [0.1, 0.5, 0.9];

/// A time that was measured between two looks, and by how much it may be late.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// What happened took at least so long.
    pub least: Duration,
    /// And at most so long.
    pub most: Duration,
    /// What the machine may have added.
    pub late: Duration,
    /// For a failure between two checks without jitter: the one time it must take.
    pub due: Option<Duration>,
}

/// Measures by how much a thread runs late on this machine at this time.
struct Lateness {
    stop: Arc<AtomicBool>,
    worst: Option<JoinHandle<Duration>>,
}

impl Lateness {
    fn watch() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let worst = std::thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                let begun = Instant::now();
                std::thread::sleep(TICK);
                worst = worst.max(begun.elapsed().saturating_sub(TICK));
            }
            worst
        });
        Self { stop, worst: Some(worst) }
    }

    fn end(mut self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.worst.take().and_then(|worst| worst.join().ok()).unwrap_or_default()
    }
}

/// A server fails at three moments between two checks and comes back: how long each took.
///
/// # Errors
///
/// The proxy says nothing, or nothing happens.
pub fn by_checks(
    scenario: &Scenario,
    times: &Times,
    proxy: &Proxy,
    arena: &Arena,
    servers: &[SocketAddrV4],
    backends: &mut Backends,
) -> Result<(Vec<Timed>, Vec<Timed>)> {
    let &[failing] = scenario.fail.as_slice() else { bail!("one server is to fail") };
    let address = *servers.get(failing).context("there is no such server")?;
    if scenario.send != Send::Nothing {
        drop(ask_all(arena.front(), &vec![same(); servers.len()])?);
    }
    let (mut noticed, mut back) = (Vec::new(), Vec::new());
    let only_connects = !scenario.config.contains(HEALTH);
    proxy.await_down(servers, &[], || Ok(()))?;
    let usual = usual_lateness(failing, only_connects, times, backends);
    let stage = Stage { scenario, times, proxy, servers, failing, address, only_connects, usual };
    for moment in MOMENTS {
        let mut tries = 1;
        loop {
            let (out, again) = stage.once(moment, backends)?;
            // A busy machine adds time, to the proxy and to what this program sees of its checks: a wrong prediction is
            // wrong each time, and chance is not.
            let off = out.is_off(times.noticed.1, times.checks)
                || times.back.is_some_and(|(_, latest)| again.is_off(latest, times.checks));
            if off && tries < MOST_TRIES {
                tries += 1;
                continue;
            }
            noticed.push(out);
            back.push(again);
            break;
        }
    }
    Ok((noticed, back))
}

impl Timed {
    /// Whether it took longer than it may, with all that the machine adds, or was there before the moment that follows
    /// from when the last check was seen.
    fn is_off(&self, latest: Duration, checks: u32) -> bool {
        let early = self.due.is_some_and(|due| self.most + TICK * checks + self.seen_late(checks) < due);
        early || self.least > self.due.unwrap_or(latest).min(latest) + self.late
    }

    /// By how much the last check may have been seen late.
    fn seen_late(&self, checks: u32) -> Duration {
        self.late / (2 * checks + 1)
    }
}

/// One server that fails and comes back.
struct Stage<'a> {
    scenario: &'a Scenario,
    times: &'a Times,
    proxy: &'a Proxy,
    servers: &'a [SocketAddrV4],
    failing: usize,
    address: SocketAddrV4,
    only_connects: bool,
    usual: Duration,
}

impl Stage<'_> {
    fn once(&self, moment: f64, backends: &mut Backends) -> Result<(Timed, Timed)> {
        let Self { scenario, times, proxy, failing, address, .. } = *self;
        proxy.await_down(self.servers, &[], || Ok(()))?;
        let lateness = Lateness::watch();
        let checked = backends.await_check(failing, self.only_connects, 3 * times.between);
        let elapsed = checked.map_or(Duration::ZERO, |checked| checked.elapsed());
        std::thread::sleep(times.between.mul_f64(moment).saturating_sub(elapsed));
        let before = Instant::now();
        breaks(scenario.how, failing, backends);
        let after = Instant::now();
        let looked = until(proxy, address, true, before, times.noticed.1)?;
        let late = slack(lateness.end().max(self.usual), times.checks);
        // With the time since the last check known, so is the time until the failure is found. HAProxy breaks off the
        // connections of checks that do not speak before the server sees them.
        let due =
            checked.filter(|_| times.exact).map(|checked| times.noticed.1.saturating_sub(before - checked));
        let noticed =
            Timed { least: looked.0.saturating_duration_since(after), most: looked.1 - before, late, due };

        let lateness = Lateness::watch();
        let before = Instant::now();
        mends(scenario.how, failing, backends)?;
        let after = Instant::now();
        let looked = until(proxy, address, false, before, times.back.map_or(PATIENCE, |(_, latest)| latest))?;
        let late = slack(lateness.end().max(self.usual), times.checks);
        let back = Timed {
            least: looked.0.saturating_duration_since(after),
            most: looked.1 - before,
            late,
            due: None,
        };
        Ok((noticed, back))
    }
}

/// By how much checks come late while all is well. Also, a server that was just started may be down with its first
/// failure.
fn usual_lateness(server: usize, only_connects: bool, times: &Times, backends: &Backends) -> Duration {
    let mut worst = Duration::ZERO;
    let mut last: Option<Instant> = None;
    for _ in 0..CHECKS_BEFORE {
        let Some(checked) = backends.await_check(server, only_connects, 3 * times.between) else { break };
        if let Some(last) = last.replace(checked) {
            worst = worst.max((checked - last).saturating_sub(times.longest));
        }
    }
    worst
}

/// Every check waits once, runs once more when its answer comes, and each time its clock rounds.
fn slack(late: Duration, checks: u32) -> Duration {
    (late + TICK) * (2 * checks + 1)
}

/// The server fails.
pub fn breaks(how: How, index: usize, backends: &mut Backends) {
    match how {
        How::Ends => backends.end(index),
        How::FallsSilent => backends.becomes(index, Condition::Silent),
        How::Errs => backends.becomes(index, Condition::Sick),
    }
}

fn mends(how: How, index: usize, backends: &mut Backends) -> Result<()> {
    match how {
        How::Ends => backends.restart(index),
        How::FallsSilent | How::Errs => {
            backends.becomes(index, Condition::Well);
            Ok(())
        }
    }
}

/// The last look before and the first look at which the server is down, or up.
fn until(
    proxy: &Proxy,
    server: SocketAddrV4,
    down: bool,
    begun: Instant,
    expected: Duration,
) -> Result<(Instant, Instant)> {
    let mut last = begun;
    loop {
        let asked = Instant::now();
        if proxy.is_down(server)? == down {
            return Ok((last, Instant::now()));
        }
        last = asked;
        if begun.elapsed() > expected + PATIENCE {
            bail!("a server is still {}", if down { "up" } else { "down" });
        }
        std::thread::sleep(POLL);
    }
}

/// A server that failed requests have taken out is well again at once: how long until it gets a request.
///
/// # Errors
///
/// Nothing happens.
pub fn by_requests(
    scenario: &Scenario,
    times: &Times,
    proxy: &Proxy,
    arena: &Arena,
    servers: &[SocketAddrV4],
    backends: &mut Backends,
) -> Result<(usize, Option<Timed>)> {
    let &[failing] = scenario.fail.as_slice() else { bail!("one server is to fail") };
    let address = *servers.get(failing).context("there is no such server")?;
    let Send::Same(count) = scenario.send else { bail!("equal requests are to be sent") };
    if scenario.config.contains(HEALTH) {
        // A server that was never checked is down with its first failure.
        backends.await_first_check(failing)?;
        proxy.await_checked(address)?;
    }
    breaks(scenario.how, failing, backends);
    let mut connection = Connection::open(arena.front(), None)?;
    let mut ask = || -> Result<(Instant, Instant, u16, Option<usize>)> {
        loop {
            let sent = Instant::now();
            connection.send(&same())?;
            match connection.receive()? {
                Some(answer) => return Ok((sent, Instant::now(), answer.status, answer.server)),
                None => connection = Connection::open(arena.front(), None)?,
            }
        }
    };
    let attempts = |backends: &Backends| backends.counts().get(failing).copied().unwrap_or_default();
    let mut failed: Vec<(Instant, Instant)> = Vec::new();
    for _ in 0..count {
        // On a busy machine all of them may take longer than the server stays out, and then it fails anew.
        let is_tried_again = |soonest| failed.last().is_some_and(|(sent, _)| sent.elapsed() >= soonest);
        if times.back.is_some_and(|(soonest, _)| is_tried_again(soonest)) {
            break;
        }
        let before = attempts(backends);
        let (sent, answered, status, _) = ask()?;
        // What a server answers with an error may be saved by another one.
        if status >= 500 || attempts(backends) > before {
            failed.push((sent, answered));
        }
    }
    let (Some((_, latest)), Some(&(sent, answered))) = (times.back, failed.last()) else {
        return Ok((failed.len(), None));
    };
    let lateness = Lateness::watch();
    mends(scenario.how, failing, backends)?;
    // Its turn comes once in as many requests as there are servers.
    let mut turns = VecDeque::from(vec![answered; backends.counts().len()]);
    loop {
        let (asked, answered_now, _, server) = ask()?;
        let last = turns.pop_front().unwrap_or(answered);
        if server == Some(failing) {
            let late = slack(lateness.end(), 1);
            let timed = Timed {
                least: last.saturating_duration_since(answered),
                most: answered_now - sent,
                late,
                due: None,
            };
            return Ok((failed.len(), Some(timed)));
        }
        turns.push_back(asked);
        if answered.elapsed() > latest + PATIENCE {
            bail!("the server gets no request any more");
        }
        std::thread::sleep(POLL);
    }
}

/// Sets detection by checks beside what was predicted.
pub(super) fn compare_checks(times: &Times, noticed: &[Timed], back: &[Timed]) -> Compared {
    let mut problems = Vec::new();
    let mut late = Duration::ZERO;
    let mut furthest = Duration::ZERO;
    for (range, what, measured) in
        [(Some(times.noticed), "is found to be down", noticed), (times.back, "is back", back)]
    {
        let Some((soonest, latest)) = range else { continue };
        for timed in measured {
            late = late.max(timed.late);
            let mut hold = |soonest: Duration, latest: Duration, seen: Duration| {
                // Whole ticks of the proxy's clock may be cut off.
                let early = soonest.saturating_sub(TICK * times.checks + seen).saturating_sub(timed.most);
                let over = timed.least.saturating_sub(latest);
                furthest = furthest.max(over).max(early);
                if early > Duration::ZERO || over > timed.late {
                    problems.push(format!(
                        "a server {what} after {} to {}, not {} to {}, with {} by the machine",
                        shown(timed.least),
                        shown(timed.most),
                        shown(soonest),
                        shown(latest),
                        shown(timed.late),
                    ));
                }
            };
            hold(soonest, latest, Duration::ZERO);
            if let Some(due) = timed.due {
                // The last check was seen when a thread of this program ran.
                hold(due, due, timed.seen_late(times.checks));
            }
        }
    }
    let range = |(soonest, latest): (Duration, Duration)| format!("{} to {}", shown(soonest), shown(latest));
    let each = |timed: &[Timed]| timed.iter().map(|timed| shown(timed.most)).collect::<Vec<_>>().join(", ");
    Compared {
        predicted: match times.back {
            Some(back) => format!("down {}, up {}", range(times.noticed), range(back)),
            None => format!("down {}", range(times.noticed)),
        },
        measured: format!("down {}; up {}", each(noticed), each(back)),
        deviation: shown(furthest),
        bound: format!(
            "{} + {} by the machine",
            if noticed.iter().any(|timed| timed.due.is_some()) {
                "the moment between checks"
            } else {
                "the range"
            },
            shown(late)
        ),
        problem: (!problems.is_empty()).then(|| problems.join("; ")),
        ..Compared::default()
    }
}

/// Sets detection by failed requests beside what was predicted.
pub(super) fn compare_requests(times: &Times, failed: usize, back: Option<Timed>) -> Compared {
    let mut problems = Vec::new();
    let wanted = times.failures.map_or(0, |failures| failures as usize);
    if failed != wanted {
        problems.push(format!("{failed} requests failed, not {wanted}"));
    }
    let mut predicted = format!("{wanted} failed requests");
    let mut measured = format!("{failed} failed requests");
    let mut bound = "every request".to_owned();
    if let (Some((soonest, latest)), Some(timed)) = (times.back, back) {
        predicted.push_str(&format!(", back after {} to {}", shown(soonest), shown(latest)));
        measured.push_str(&format!(", back after {}", shown(timed.most)));
        bound.push_str(&format!("; the range + {} by the machine", shown(timed.late)));
        if timed.most + TICK < soonest || timed.least > latest + timed.late {
            problems.push(format!(
                "it is tried again after {} to {}, not {} to {}",
                shown(timed.least),
                shown(timed.most),
                shown(soonest),
                shown(latest)
            ));
        }
    }
    Compared {
        predicted,
        measured,
        deviation: format!("{} requests", failed.abs_diff(wanted)),
        bound,
        problem: (!problems.is_empty()).then(|| problems.join("; ")),
        ..Compared::default()
    }
}

fn shown(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
