//! The figures that are shown for a pool: exact where they are, and where they go by load, at that load.

use super::placement::placed;
use super::proxies::proxy;
use super::serving::always_used;
use super::shares::{Certainty, Load, PoolShares};
use super::simulate::{self, MOST_CLIENTS};
use crate::dialect::{Dialect, Version};
use crate::model::{Affinity, Algorithm, Config, Pool, PoolId};

/// The shares of one pool at one load.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Figures {
    /// What to say where one figure is wanted: those of the load that was asked for, otherwise of a busy pool.
    pub shares: PoolShares,
    /// One request at a time, where that is different from a busy pool and no load was named.
    pub idle: Option<Vec<f64>>,
    /// Half the width of each share's 95 % interval, where the figures come from a simulation or hang on how
    /// many keys there are.
    pub half_width: Option<Vec<f64>>,
}

/// What the user knows beside the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Known {
    /// Requests in flight in the pool.
    pub concurrency: Option<u32>,
    /// Different hash keys, or client addresses where those are hashed.
    pub keys: Option<u32>,
    /// The part of requests that come with a valid token of a session, from 0 to 1.
    pub returning: Option<f64>,
    /// What simulations start from.
    pub seed: u64,
}

/// Figures that differ by no more than this are the same.
const ALIKE: f64 = 0.0005;

/// The figures of a pool.
#[must_use]
pub fn figures(config: &Config, id: PoolId, known: Known) -> Figures {
    of_pool(config.dialect, config.version, config.pool(id), known)
}

/// The figures of a pool that need not be part of a configuration.
pub(super) fn of_pool(dialect: Dialect, version: Version, pool: &Pool, known: Known) -> Figures {
    let mut figures = by_load(dialect, version, pool, known);
    if !figures.shares.is_known() {
        return figures;
    }
    if proxy(dialect).counts_by_worker(pool) && simulate::goes_by_load(pool) {
        let one = "there is one worker process; without `zone` each counts for itself";
        figures.shares.assumptions.push(one.into());
    }
    if let (Algorithm::Hash { .. }, Some(keys)) = (&pool.algorithm.value, known.keys)
        && figures.shares.certainty > Certainty::Exact
        && keys > 0
    {
        // So many keys fall on arcs as if drawn: the spread of a share among them.
        let half = |share: &f64| 1.96 * (share * (1.0 - share) / f64::from(keys)).max(0.0).sqrt();
        figures.half_width = Some(figures.shares.shares.iter().map(half).collect());
        let keys = match keys {
            1 => format!("there is 1 key, so that one {} gets everything", dialect.endpoint_noun()),
            keys => format!("there are {keys} keys, equally popular"),
        };
        figures.shares.assumptions.retain(|assumption| !assumption.starts_with("hash keys are many"));
        figures.shares.assumptions.push(keys.into());
    }
    if let Some(returning) = known.returning.filter(|_| !pool.affinity.is_empty()) {
        returning_sessions(pool, returning.clamp(0.0, 1.0), &mut figures);
    }
    figures
}

fn by_load(dialect: Dialect, version: Version, pool: &Pool, known: Known) -> Figures {
    let busy = placed(dialect, version, pool, Load::Concurrent(known.concurrency.unwrap_or(BUSY)));
    let plain = |shares| Figures { shares, idle: None, half_width: None };
    if !busy.is_known() || always_used(pool).is_some() || !simulate::goes_by_load(pool) {
        return plain(busy);
    }
    let Some(concurrency) = known.concurrency else {
        return between(placed(dialect, version, pool, Load::Idle), busy, dialect, pool);
    };
    if concurrency <= 1 {
        return plain(placed(dialect, version, pool, Load::Idle));
    }
    if takes_turns(&pool.algorithm.value) && has_room(pool, &busy, concurrency) {
        return plain(busy);
    }
    let Some(found) = simulate::simulate(proxy(dialect), version, pool, concurrency, known.seed) else {
        return plain(busy);
    };
    let mut shares = busy;
    shares.shares = found.shares;
    shares.certainty = Certainty::Expected.max(match shares.certainty {
        // The load was what made it a range.
        Certainty::Range if pool.algorithm.value == Algorithm::First => Certainty::Expected,
        other => other,
    });
    shares.assumptions.retain(|assumption| !about_load(assumption));
    let many = concurrency.min(MOST_CLIENTS);
    shares
        .assumptions
        .push(format!("{many} requests are in flight at any time and take equally long").into());
    Figures { shares, idle: None, half_width: Some(found.half_width) }
}

fn takes_turns(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::RoundRobin | Algorithm::StaticRoundRobin)
}

/// Whether so many requests leave everybody a fifth of its limit, which is far from spilling over.
fn has_room(pool: &Pool, shares: &PoolShares, concurrency: u32) -> bool {
    pool.endpoints.iter().zip(&shares.shares).all(|(endpoint, share)| {
        endpoint.most_requests().is_none_or(|limit| share * f64::from(concurrency) <= 0.8 * limit as f64)
    })
}

/// What is replaced by a load that is named.
fn about_load(assumption: &str) -> bool {
    assumption.contains("requests cost the same") || assumption.contains("requests at once than")
}

/// Requests at once in a pool that is called busy: shares no longer change with more of them.
const BUSY: u32 = 100_000;

/// No load is named: what it is between.
fn between(idle: PoolShares, busy: PoolShares, dialect: Dialect, pool: &Pool) -> Figures {
    let differs = idle.shares.iter().zip(&busy.shares).any(|(idle, busy)| (idle - busy).abs() > ALIKE);
    let spills = pool.endpoints.iter().any(|endpoint| endpoint.most_requests().is_some());
    let bounded = matches!(pool.algorithm.value, Algorithm::Hash { .. });
    let noun = dialect.endpoint_noun();
    let mut shares = busy;
    if differs {
        shares.certainty = shares.certainty.max(Certainty::Range);
        shares.assumptions.retain(|assumption| !about_load(assumption));
        shares
            .assumptions
            .push("many requests are in flight; shares are different while there are few".into());
        return Figures { shares, idle: Some(idle.shares), half_width: None };
    }
    if bounded {
        shares.assumptions.push(format!("no {noun} is busy enough to reach the balance factor").into());
        shares.certainty = shares.certainty.max(Certainty::Expected);
    } else if spills && pool.algorithm.value != Algorithm::First {
        shares.assumptions.push(format!("no {noun} is at its limit").into());
        shares.certainty = shares.certainty.max(Certainty::Expected);
    }
    Figures { shares, idle: None, half_width: None }
}

/// Requests of returning sessions stay with their endpoint, of those that can keep sessions.
fn returning_sessions(pool: &Pool, returning: f64, figures: &mut Figures) {
    let by_cookie = |affinity: &Affinity| matches!(affinity, Affinity::Cookie(_));
    let cookies = pool.affinity.iter().all(|affinity| by_cookie(&affinity.value));
    let some = pool.endpoints.iter().any(|endpoint| endpoint.cookie.is_some());
    // HAProxy: a server without a cookie value never becomes anybody's; where no server has one the proxy makes them.
    let keeps = |index: usize| {
        !(cookies && some) || pool.endpoints.get(index).is_some_and(|endpoint| endpoint.cookie.is_some())
    };
    let shares = &mut figures.shares;
    let kept: f64 =
        shares.shares.iter().enumerate().filter(|(at, _)| keeps(*at)).map(|(_, share)| share).sum();
    if kept <= 0.0 {
        return;
    }
    for (index, share) in shares.shares.iter_mut().enumerate() {
        let of_sessions = if keeps(index) { *share / kept } else { 0.0 };
        *share = returning * of_sessions + (1.0 - returning) * *share;
    }
    shares.assumptions.retain(|assumption| !assumption.starts_with("requests of new sessions"));
    let part = crate::words::percent(returning);
    shares
        .assumptions
        .push(format!("{part} of requests belong to sessions that were begun in normal times").into());
    shares.certainty = shares.certainty.max(Certainty::Expected);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::MemoryLoader;
    use crate::read::{ReadOptions, read};
    use crate::source::Sources;

    fn config(dialect: Dialect, version: &str, text: &str) -> Config {
        let mut sources = Sources::new();
        let loader = MemoryLoader::one("config", text.as_bytes().to_vec());
        let options = ReadOptions { version: version.parse().unwrap(), ..ReadOptions::new(dialect) };
        read(&loader, &mut sources, &["config".to_owned()], &options).config
    }

    fn haproxy(version: &str, balance: &str, servers: &[&str]) -> Config {
        let mut text = format!("defaults\n  mode http\nbackend b\n  {balance}\n");
        for (at, options) in servers.iter().enumerate() {
            text.push_str(&format!("  server s{at} 10.0.0.{}:80 {options}\n", at + 1));
        }
        config(Dialect::HaProxy, version, &text)
    }

    fn nginx(method: &str, servers: &[&str]) -> Config {
        let servers: String = servers
            .iter()
            .enumerate()
            .map(|(at, options)| format!("server 10.0.0.{}:80 {options};", at + 1))
            .collect();
        config(
            Dialect::Nginx,
            "1.22",
            &format!(
                "events {{}} http {{ upstream u {{ {method} {servers} }} server {{ location / {{ proxy_pass http://u; }} }} }}"
            ),
        )
    }

    fn envoy(policy: &str, weights: &[u32]) -> Config {
        let hosts: String = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| format!("      - {{load_balancing_weight: {weight}, endpoint: {{address: {{socket_address: {{address: 10.0.0.{}, port_value: 80}}}}}}}}\n", at + 1))
            .collect();
        config(
            Dialect::Envoy,
            "1.40",
            &format!(
                "static_resources:\n  clusters:\n  - name: c\n    {policy}\n    load_assignment:\n      cluster_name: c\n      endpoints:\n      - lb_endpoints:\n{hosts}"
            ),
        )
    }

    fn at(config: &Config, concurrency: u32) -> Figures {
        let known = Known { concurrency: Some(concurrency), seed: 1, ..Known::default() };
        figures(config, PoolId(0), known)
    }

    /// Predicted within the interval of the simulation and of a count of `requests`.
    fn agrees(figures: &Figures, measured: &[f64], requests: f64) {
        let half = figures.half_width.clone().unwrap_or_else(|| vec![0.0; measured.len()]);
        for ((share, measured), half) in figures.shares.shares.iter().zip(measured).zip(half) {
            let sampling = 1.96 * (measured * (1.0 - measured) / requests).sqrt();
            // One request for each end of the run beside the two intervals.
            let bound = half + sampling + 2.0 / requests;
            assert!(
                (share - measured).abs() <= bound,
                "{:?} instead of {measured}, bound {bound}",
                figures.shares.shares
            );
        }
    }

    #[test]
    fn simulations_agree_with_what_was_measured_at_thirty_requests_at_once() {
        let weights = ["weight 3", "weight 2", "weight 1"];
        agrees(&at(&haproxy("2.6", "balance leastconn", &weights), 30), &[0.5, 0.3335, 0.1665], 2000.0);
        agrees(&at(&haproxy("2.6", "balance random", &weights), 30), &[0.5185, 0.3325, 0.149], 2000.0);
        let uneven = ["weight 1", "weight 1", "weight 100"];
        agrees(&at(&haproxy("2.6", "balance leastconn", &uneven), 30), &[0.035, 0.035, 0.93], 2000.0);
        agrees(&at(&haproxy("2.6", "balance random", &uneven), 30), &[0.0195, 0.011, 0.9695], 2000.0);
        let weights = ["weight=3", "weight=2", "weight=1"];
        agrees(&at(&nginx("random two;", &weights), 30), &[0.495, 0.3345, 0.1705], 2000.0);
        agrees(&at(&nginx("least_conn;", &weights), 30), &[0.499, 0.334, 0.168], 2000.0);
        let uneven = ["weight=1", "weight=1", "weight=100"];
        agrees(&at(&nginx("random two;", &uneven), 30), &[0.0345, 0.0345, 0.931], 2000.0);
    }

    #[test]
    fn limits_spill_as_measured() {
        let one = ["maxconn 2", "", ""];
        agrees(&at(&haproxy("2.6", "balance roundrobin", &one), 12), &[0.1675, 0.4165, 0.416], 2000.0);
        let five = ["maxconn 5", "maxconn 5", "maxconn 5"];
        agrees(&at(&haproxy("2.6", "balance first", &five), 12), &[0.421, 0.414, 0.165], 2000.0);
        let two = ["max_conns=2", "", ""];
        agrees(&at(&nginx("", &two), 12), &[0.155, 0.4225, 0.4225], 2000.0);
    }

    #[test]
    fn least_request_over_unequal_weights_as_measured() {
        let bias = |bias: &str| {
            format!(
                "lb_policy: LEAST_REQUEST\n    least_request_lb_config: {{active_request_bias: {{default_value: {bias}, runtime_key: b}}}}"
            )
        };
        for (policy, weights, concurrency, measured) in [
            ("lb_policy: LEAST_REQUEST".to_owned(), [3, 2, 1], 3, [0.445, 0.334, 0.222]),
            ("lb_policy: LEAST_REQUEST".to_owned(), [3, 2, 1], 30, [0.4217, 0.3413, 0.2370]),
            ("lb_policy: LEAST_REQUEST".to_owned(), [3, 2, 1], 90, [0.420, 0.341, 0.239]),
            ("lb_policy: LEAST_REQUEST".to_owned(), [1, 1, 100], 30, [0.074, 0.074, 0.851]),
            (bias("2.0"), [3, 2, 1], 30, [0.393, 0.341, 0.266]),
            (bias("0.5"), [3, 2, 1], 30, [0.448, 0.340, 0.211]),
        ] {
            agrees(&at(&envoy(&policy, &weights), concurrency), &measured, 2000.0);
        }
    }

    #[test]
    fn without_a_load_idle_and_busy_are_both_told() {
        let found = figures(
            &haproxy("2.6", "balance leastconn", &["weight 3", "weight 1"]),
            PoolId(0),
            Known::default(),
        );
        assert_eq!(found.shares.certainty, Certainty::Range);
        assert_eq!(found.idle, Some(vec![0.5, 0.5]));
        assert!((found.shares.shares[0] - 0.75).abs() < 0.001, "{found:?}");
        let equal = figures(&haproxy("2.6", "balance leastconn", &["", ""]), PoolId(0), Known::default());
        assert_eq!((equal.shares.certainty, equal.idle), (Certainty::Expected, None));
    }

    #[test]
    fn the_same_seed_gives_the_same_figures_and_another_seed_others() {
        let config = haproxy("2.6", "balance random", &["weight 3", "weight 1"]);
        let with =
            |seed| figures(&config, PoolId(0), Known { concurrency: Some(9), seed, ..Known::default() });
        assert_eq!(with(7), with(7));
        assert_ne!(with(7), with(8));
    }

    #[test]
    fn a_balance_factor_changes_nothing_in_a_map() {
        let servers = ["weight 3", "weight 1"];
        let bounded = haproxy("2.6", "balance uri\n  hash-balance-factor 110", &servers);
        let plain = haproxy("2.6", "balance uri", &servers);
        assert_eq!(at(&bounded, 30).shares.shares, at(&plain, 30).shares.shares);
    }

    #[test]
    fn a_server_without_a_cookie_keeps_no_sessions() {
        let config = haproxy("2.6", "balance roundrobin\n  cookie S insert", &["cookie a", "cookie b", ""]);
        let known = Known { returning: Some(0.75), ..Known::default() };
        let shares = figures(&config, PoolId(0), known).shares.shares;
        let third = 0.25 / 3.0;
        for (share, expected) in shares.iter().zip([0.375 + third, 0.375 + third, third]) {
            assert!((share - expected).abs() < 1e-9, "{shares:?}");
        }
    }
}
