//! How long a failed endpoint goes unnoticed.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{CheckKind, CheckTiming, Config, Endpoint, HealthCheck, OutlierDetection, Pool, PoolId};
use crate::traffic::proxies::{Proxy, proxy};
use crate::traffic::shares::PoolShares;

/// When one failed endpoint is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Detection {
    /// Index into [`Pool::endpoints`].
    pub endpoint: usize,
    /// By whom, and after how long.
    pub noticed: Noticed,
    /// When it gets traffic again. `None`: it does not, or that is not in the configuration.
    pub back: Option<Back>,
}

/// When an endpoint that was taken out gets traffic again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Back {
    /// Soonest.
    pub soonest: Duration,
    /// Latest.
    pub latest: Duration,
    /// Latest, as long as nobody was ever sent to the pool (Envoy `no_traffic_interval`). `None`: as with traffic.
    pub quiet: Option<Duration>,
    /// From when on the time runs.
    pub since: Since,
}

/// From when on the time until an endpoint is back runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Since {
    /// Since it answers checks again.
    Answers,
    /// Since it was taken out, whether it answers again or not.
    Out,
}

/// By whom a failure is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Noticed {
    /// The configuration already has it out.
    Already,
    /// An active check.
    ByCheck {
        /// Soonest by checks alone, for an endpoint that refuses connections: the check was due just then.
        soonest: Duration,
        /// Latest, for an endpoint that refuses connections: a check had just passed.
        latest: Duration,
        /// Latest, for an endpoint that no longer answers at all, so that every check runs into its timeout.
        /// `None`: that timeout is not in the configuration.
        silent: Option<Duration>,
        /// Latest, for an endpoint that refuses connections, as long as nobody was ever sent to the pool (Envoy
        /// `no_traffic_interval`). `None`: as with traffic.
        quiet: Option<Duration>,
        /// So many failed requests in a row take it out sooner, without any check (HAProxy `observe`, Envoy
        /// `outlier_detection`). `None`: only checks do.
        failures: Option<u32>,
    },
    /// Failures of real requests.
    ByTraffic {
        /// How many it takes.
        failures: u32,
        /// How long that takes at the rate of the scenario; `None`: the rate is not given.
        within: Option<Duration>,
        /// Every worker process counts for itself (nginx without `zone`).
        each_worker: bool,
    },
    /// Nothing would notice, but the scenario says to assume so.
    Assumed,
    /// Never; why, in a few words.
    Never(String),
}

impl Noticed {
    /// Whether the endpoint gets out of rotation at all.
    #[must_use]
    pub fn is_ever(&self) -> bool {
        !matches!(self, Self::Never(_))
    }
}

/// How many endpoints passive detection may eject at once (Envoy `max_ejection_percent`, in real arithmetic, and
/// `always_eject_one_host`). `None`: there is no such limit, or the number of hosts is not in the configuration.
#[must_use]
pub fn ejectable(pool: &Pool) -> Option<u64> {
    let detection = pool.outlier_detection?.value;
    let percent = u64::from(detection.max_ejection_percent?);
    if pool.endpoints.iter().any(|endpoint| endpoint.expands) {
        return None;
    }
    let hosts = pool.endpoints.len() as u64;
    let allowed = hosts * percent / 100;
    Some(if detection.always_eject_one { allowed.max(1) } else { allowed })
}

/// Detections of `failed`, in that order. `rate`: requests per second to the pool.
pub(super) fn of(
    config: &Config,
    id: PoolId,
    failed: &[usize],
    assume: bool,
    rate: Option<f64>,
    before: &PoolShares,
) -> Vec<Detection> {
    let pool = config.pool(id);
    let allowed = ejectable(pool);
    let mut ejected = 0;
    let found = failed.iter().map(|&index| {
        let endpoint = &pool.endpoints[index];
        let (mut noticed, mut back) = of_endpoint(config, pool, endpoint);
        // What the passive detection of a whole pool ejects counts against its limit.
        let by_traffic =
            matches!(noticed, Noticed::ByTraffic { .. } | Noticed::ByCheck { failures: Some(_), .. });
        if by_traffic && pool.outlier_detection.is_some() {
            ejected += 1;
            if let Noticed::ByCheck { failures, .. } = &mut noticed {
                *failures = failures.filter(|_| allowed.is_none_or(|allowed| ejected <= allowed));
            } else if let Some(allowed) = allowed.filter(|allowed| ejected > *allowed) {
                let hosts = pool.endpoints.len();
                back = None;
                noticed = Noticed::Never(match allowed {
                    0 => format!("outlier detection may eject none of {hosts} hosts"),
                    allowed => format!("outlier detection may eject only {allowed} of {hosts} hosts"),
                });
            }
        }
        if let Noticed::ByTraffic { failures, within, .. } = &mut noticed {
            let share = before.shares.get(index).copied().unwrap_or(0.0);
            *within = rate
                .map(|rate| f64::from(*failures) / (rate * share))
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        }
        if assume && !noticed.is_ever() {
            noticed = Noticed::Assumed;
        }
        Detection { endpoint: index, noticed, back }
    });
    found.collect()
}

fn of_endpoint(config: &Config, pool: &Pool, endpoint: &Endpoint) -> (Noticed, Option<Back>) {
    let proxy = proxy(config.dialect);
    if endpoint.state.value != crate::model::AdminState::Enabled {
        return (Noticed::Already, None);
    }
    let passive = endpoint.outlier_detection.or(pool.outlier_detection).map(|setting| setting.value);
    let passive = passive.filter(|passive| passive.failures > 0);
    let failures = passive.map(|passive| passive.failures);
    if let Some(check) = &endpoint.check {
        let (check, pool) = match &check.value.kind {
            CheckKind::Track(target) => match tracked(config, pool, target) {
                Some(found) => found,
                None => {
                    return never(format!("it tracks `{target}`, which nothing here checks"));
                }
            },
            _ => (&check.value, pool),
        };
        if check.kind == CheckKind::Agent {
            return never("only an agent is asked, whose silence counts as no failure".into());
        }
        return by_check(proxy, pool, check.timing, failures);
    }
    if endpoint.check_disabled.is_none()
        && let Some(check) = pool.health_checks.first()
    {
        return by_check(proxy, pool, check.value.timing, failures);
    }
    match passive {
        Some(_) if proxy.keeps_the_only_one() && only_one(pool) => {
            never("the only server of an upstream is never taken out".into())
        }
        Some(passive) => {
            let noticed = Noticed::ByTraffic {
                failures: passive.failures,
                within: None,
                each_worker: proxy.counts_by_worker(pool),
            };
            (noticed, after_ejection(proxy, passive))
        }
        None => never("nothing checks it".into()),
    }
}

fn never(reason: String) -> (Noticed, Option<Back>) {
    (Noticed::Never(reason), None)
}

/// When an ejected endpoint gets traffic again.
fn after_ejection(proxy: &dyn Proxy, passive: OutlierDetection) -> Option<Back> {
    let soonest = passive.ejection?;
    let latest = soonest.saturating_add(proxy.late_return(passive));
    Some(Back { soonest, latest, quiet: None, since: Since::Out })
}

fn only_one(pool: &Pool) -> bool {
    matches!(pool.endpoints.as_slice(), [only] if !only.expands && only.slots <= 1)
}

/// The check that `track backend/server` leads to, over as many steps as there are, with its pool.
fn tracked<'a>(config: &'a Config, pool: &'a Pool, target: &str) -> Option<(&'a HealthCheck, &'a Pool)> {
    let mut pool = pool;
    let mut target = target.to_owned();
    let mut seen = BTreeSet::new();
    loop {
        let (backend, server) = match target.split_once('/') {
            Some((backend, server)) => (backend.to_owned(), server.to_owned()),
            None => (pool.name.value.clone(), target),
        };
        pool = config.pools.iter().find(|candidate| candidate.name.value == backend)?;
        let endpoint = pool.endpoints.iter().find(|candidate| candidate.name.value == server)?;
        let check = endpoint.check.as_ref()?;
        let CheckKind::Track(next) = &check.value.kind else {
            return Some((&check.value, pool));
        };
        if !seen.insert((backend, server)) {
            return None;
        }
        target = next.clone();
    }
}

fn by_check(
    proxy: &dyn Proxy,
    pool: &Pool,
    timing: CheckTiming,
    failures: Option<u32>,
) -> (Noticed, Option<Back>) {
    let (Some(interval), Some(fall)) = (timing.interval, timing.fall) else {
        return never("how often it is checked is not in the configuration".into());
    };
    let interval = interval.value;
    let fall = fall.value.max(1);
    let jitter = timing.jitter;
    let latest = |wait: Duration, times: u32| {
        let stretched = wait.saturating_mul(100 + jitter.later_percent) / 100;
        stretched.saturating_add(jitter.later).saturating_mul(times)
    };
    let soonest = |wait: Duration, times: u32| {
        (wait.saturating_mul(100_u32.saturating_sub(jitter.sooner_percent)) / 100).saturating_mul(times)
    };
    let again = timing.fast_interval.map_or(interval, |fast| fast.value);
    let refused = latest(interval, 1).saturating_add(latest(again, fall - 1));
    let timeout = proxy.check_timeout(pool, timing, interval);
    let quiet =
        |(well, failing): (Duration, Duration)| latest(well, 1).saturating_add(latest(failing, fall - 1));
    let noticed = Noticed::ByCheck {
        soonest: soonest(again, fall - 1),
        latest: refused,
        silent: timeout.map(|timeout| refused.saturating_add(timeout.saturating_mul(fall))),
        quiet: timing.quiet.map(quiet).filter(|quiet| *quiet != refused),
        failures,
    };
    let back = timing.rise.map(|rise| {
        let more = rise.value.max(1) - 1;
        let down = timing.down_interval.map_or(interval, |down| down.value);
        let rising = timing.rising_interval.map_or(interval, |rising| rising.value);
        let usual = latest(down, 1).saturating_add(latest(rising, more));
        let quiet = timing.quiet.map(|(_, failing)| latest(failing, more + 1));
        Back {
            soonest: soonest(rising, more),
            latest: usual,
            quiet: quiet.filter(|quiet| *quiet != usual),
            since: Since::Answers,
        }
    });
    (noticed, back)
}
