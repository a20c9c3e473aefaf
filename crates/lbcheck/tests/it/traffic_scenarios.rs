//! What holds in every scenario, whatever the pool.

use lbcheck::dialect::Dialect;
use lbcheck::model::{Config, PoolId};
use lbcheck::source::Sources;
use lbcheck::traffic::scenario::{Capacity, Scenario, run, worst_loss};
use lbcheck::traffic::{Certainty, Failing, Known, Question, figures, survey};
use proptest::prelude::*;

use crate::support::{diff, reading};

/// One server: weight, limit (0: none), backup or second priority, taken out.
type Server = (u32, u32, bool, bool);

fn haproxy(balance: &str, servers: &[Server]) -> String {
    let mut text = format!("defaults\n  mode http\n  timeout connect 1s\nbackend b\n  {balance}\n");
    for (at, (weight, limit, backup, down)) in servers.iter().enumerate() {
        text.push_str(&format!("  server s{at} 10.0.0.{}:80 check weight {weight}", at + 1));
        if *limit > 0 {
            text.push_str(&format!(" maxconn {limit}"));
        }
        text.push_str(if *backup { " backup" } else { "" });
        text.push_str(if *down { " disabled\n" } else { "\n" });
    }
    text
}

fn nginx(method: &str, servers: &[Server]) -> String {
    let mut text = String::from("events {}\nhttp {\n upstream u {\n");
    for (at, (weight, limit, backup, down)) in servers.iter().enumerate() {
        let weight = (*weight).max(1);
        text.push_str(&format!("  server 10.0.0.{}:80 weight={weight} max_conns={limit}", at + 1));
        // Only these allow backups wherever they stand.
        text.push_str(if *backup && matches!(method, "" | "least_conn;") { " backup" } else { "" });
        text.push_str(if *down { " down;\n" } else { ";\n" });
    }
    text + &format!("  {method}\n }}\n server {{ location / {{ proxy_pass http://u; }} }}\n}}\n")
}

fn envoy(policy: &str, servers: &[Server]) -> String {
    let host = |(at, (weight, _, _, down)): (usize, &Server)| {
        let (weight, status) = ((*weight).max(1), if *down { "UNHEALTHY" } else { "HEALTHY" });
        format!(
            "      - {{load_balancing_weight: {weight}, health_status: {status}, endpoint: {{address: {{socket_address: {{address: 10.0.0.{}, port_value: 80}}}}}}}}\n",
            at + 1
        )
    };
    let mut levels = String::new();
    for priority in 0..2 {
        let of: String = servers
            .iter()
            .enumerate()
            .filter(|(_, server)| u32::from(server.2) == priority)
            .map(host)
            .collect();
        if !of.is_empty() {
            levels.push_str(&format!("    - priority: {priority}\n      lb_endpoints:\n{of}"));
        }
    }
    format!(
        "static_resources:\n clusters:\n - name: c\n   connect_timeout: 1s\n   lb_policy: {policy}\n   load_assignment:\n    cluster_name: c\n    endpoints:\n{levels}"
    )
}

fn text(kind: usize, servers: &[Server]) -> (Dialect, String) {
    const HAPROXY: [&str; 9] = [
        "balance roundrobin",
        "balance static-rr",
        "balance leastconn",
        "balance first",
        "balance random",
        "balance random(1)",
        "balance uri",
        "balance hdr(x)\n  hash-type consistent crc32",
        "balance uri\n  hash-type consistent\n  hash-balance-factor 150",
    ];
    const NGINX: [&str; 7] = [
        "",
        "least_conn;",
        "random;",
        "random two;",
        "hash $request_uri;",
        "hash $request_uri consistent;",
        "ip_hash;",
    ];
    const ENVOY: [&str; 5] = ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "RING_HASH", "MAGLEV"];
    if let Some(balance) = HAPROXY.get(kind) {
        return (Dialect::HaProxy, haproxy(balance, servers));
    }
    let kind = kind - HAPROXY.len();
    if let Some(method) = NGINX.get(kind) {
        return (Dialect::Nginx, nginx(method, servers));
    }
    (Dialect::Envoy, envoy(ENVOY[kind - NGINX.len()], servers))
}

fn config(kind: usize, servers: &[Server]) -> Config {
    let (dialect, text) = text(kind, servers);
    let mut sources = Sources::default();
    let reading = reading(dialect, text.as_bytes(), &mut sources);
    assert!(!reading.broken, "{text}");
    reading.config
}

fn servers() -> impl Strategy<Value = Vec<Server>> {
    let weight = prop_oneof![4 => Just(1_u32), 4 => 1_u32..=10, 1 => Just(100), 1 => Just(0)];
    let server = (
        weight,
        prop_oneof![3 => Just(0_u32), 1 => 1_u32..=20],
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(server, 1..7)
}

/// 1, or 0 where nobody serves.
fn is_whole(shares: &[f64]) -> bool {
    let sum: f64 = shares.iter().sum();
    shares.iter().all(|share| (-1e-9..=1.0 + 1e-9).contains(share))
        && ((sum - 1.0).abs() < 1e-6 || sum.abs() < 1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shares_are_whole_and_multiples_fit_them(
        kind in 0_usize..21,
        servers in servers(),
        failed in prop::collection::vec(0_usize..7, 0..4),
        load in prop_oneof![Just(1.0_f64), 0.5_f64..5.0],
        concurrency in prop::option::of(1_u32..60),
        capacity in prop::option::of(1.0_f64..3.0),
        seed in prop::option::of(0_u64..3),
    ) {
        let config = config(kind, &servers);
        let id = PoolId(0);
        let scenario = Scenario {
            failed,
            load,
            concurrency,
            capacity: capacity.map(Capacity::Multiple),
            seed,
            assume_noticed: true,
            ..Scenario::default()
        };
        let outcome = run(&config, id, &scenario);
        prop_assert_eq!(&outcome, &run(&config, id, &scenario));
        for shares in [&outcome.before, &outcome.after] {
            prop_assert!(!shares.is_known() || is_whole(&shares.shares), "{:?}", shares);
        }
        if outcome.before.is_known() && outcome.after.is_known() {
            let living: f64 = outcome
                .after
                .shares
                .iter()
                .enumerate()
                .filter(|(index, _)| !scenario.failed.contains(index))
                .map(|(_, share)| share)
                .sum();
            prop_assert!((outcome.lost + living - 1.0).abs() < 1e-6, "{:?}", outcome);
            for (index, multiple) in outcome.multiples.iter().enumerate() {
                let (before, after) = (outcome.before.shares[index], outcome.after.shares[index]);
                match multiple {
                    Some(multiple) => prop_assert!((multiple * before - load * after).abs() < 1e-6),
                    None => prop_assert!(before == 0.0),
                }
                prop_assert_eq!(outcome.takes_over.contains(&index), before == 0.0 && after > 0.0);
            }
        }
        if let Some(demand) = &outcome.demand {
            let there: f64 = demand.in_service.iter().sum::<f64>() + demand.queued + demand.refused;
            prop_assert!((there - demand.requests).abs() < 1e-6 * demand.requests.max(1.0), "{:?}", demand);
        }
        if let Some(cascade) = &outcome.cascade {
            let gone: usize = cascade.steps.iter().map(|step| step.overloaded.len()).sum();
            prop_assert!(gone <= servers.len());
            prop_assert!(cascade.steps.iter().all(|step| step.overloaded.iter().all(|(_, strain)| *strain > 1.0)));
        }
    }

    #[test]
    fn the_worst_loss_is_as_bad_as_any(kind in 0_usize..21, servers in servers()) {
        let config = config(kind, &servers);
        let id = PoolId(0);
        let Some(worst) = worst_loss(&config, id) else { return Ok(()) };
        for failed in 0..servers.len() {
            let scenario = Scenario { failed: vec![failed], assume_noticed: true, ..Scenario::default() };
            let outcome = run(&config, id, &scenario);
            if outcome.before.shares[failed] <= 0.0 {
                continue;
            }
            let survivors = outcome.multiples.iter().enumerate().filter(|(index, _)| *index != failed);
            let most = survivors
                .filter(|(index, _)| outcome.after.shares[*index] > 0.0)
                .filter_map(|(_, multiple)| *multiple)
                .fold(0.0, f64::max);
            prop_assert!(most <= worst.multiple + 1e-6, "{failed}: {most} against {worst:?}");
        }
    }

    #[test]
    fn figures_are_whole_at_every_load(
        kind in 0_usize..21,
        servers in servers(),
        concurrency in prop::option::of(1_u32..50),
        keys in prop::option::of(1_u32..1000),
        returning in prop::option::of(0.0_f64..1.0),
    ) {
        let config = config(kind, &servers);
        let known = Known { concurrency, keys, returning, seed: 1 };
        let found = figures(&config, PoolId(0), known);
        prop_assert!(!found.shares.is_known() || is_whole(&found.shares.shares), "{:?}", found);
        prop_assert_eq!(&found, &figures(&config, PoolId(0), known));
    }

    #[test]
    fn a_survey_answers_the_same_twice(kind in 0_usize..21, servers in servers(), seed in 0_u64..5) {
        let config = config(kind, &servers);
        let question = Question { fail: Failing::WorstOne, concurrency: Some(12), seed, ..Question::default() };
        let once = format!("{:?}", survey(&config, &question).map(|survey| (survey.pools, survey.flows)));
        let again = format!("{:?}", survey(&config, &question).map(|survey| (survey.pools, survey.flows)));
        prop_assert_eq!(once, again);
    }
}

#[test]
fn a_reorder_moves_keys_on_haproxys_ring_and_none_on_ketama() {
    let moved = |dialect, old: &str, new: &str| {
        let mut sources = Sources::default();
        let old = reading(dialect, old.as_bytes(), &mut sources);
        let new = reading(dialect, new.as_bytes(), &mut sources);
        let report = diff(&sources, &old, &new);
        report.pools.first().and_then(|shift| shift.keys_remapped)
    };
    let servers = ["a 10.0.0.1:80", "b 10.0.0.2:80", "c 10.0.0.3:80", "d 10.0.0.4:80"];
    let lines = |ids: bool, order: [usize; 4]| -> String {
        let line = |at: usize| match ids {
            true => format!("  server {} id {}\n", servers[at], at + 1),
            false => format!("  server {}\n", servers[at]),
        };
        order.map(line).concat()
    };
    let haproxy = |ids, order| {
        format!("backend b\n  mode http\n  balance uri\n  hash-type consistent\n{}", lines(ids, order))
    };
    // Without `id` a server's place on the ring is its line's. Here all lines change places.
    let most = moved(Dialect::HaProxy, &haproxy(false, [0, 1, 2, 3]), &haproxy(false, [1, 2, 3, 0]));
    assert!((most.unwrap() - 1.0).abs() < 1e-9, "{most:?}");
    assert_eq!(moved(Dialect::HaProxy, &haproxy(true, [0, 1, 2, 3]), &haproxy(true, [1, 2, 3, 0])), None);
    let nginx = |order: [usize; 4]| {
        let lines = order.map(|at| format!("server 10.0.0.{}:80;", at + 1)).concat();
        format!(
            "events {{}} http {{ upstream u {{ hash $request_uri consistent; {lines} }} server {{ location / {{ proxy_pass http://u; }} }} }}"
        )
    };
    assert_eq!(moved(Dialect::Nginx, &nginx([0, 1, 2, 3]), &nginx([1, 2, 3, 0])), None);
}

#[test]
fn degraded_hosts_of_envoy_get_what_was_counted() {
    let host = |port: u32, status: &str| {
        format!(
            "      - {{health_status: {status}, endpoint: {{address: {{socket_address: {{address: 10.0.0.1, port_value: {port}}}}}}}}}\n"
        )
    };
    let hosts = host(1, "HEALTHY") + &host(2, "HEALTHY") + &host(3, "DEGRADED");
    let text = format!(
        "static_resources:\n clusters:\n - name: c\n   connect_timeout: 1s\n   load_assignment:\n    cluster_name: c\n    endpoints:\n    - lb_endpoints:\n{hosts}"
    );
    let mut sources = Sources::default();
    let config = reading(Dialect::Envoy, text.as_bytes(), &mut sources).config;
    let found = figures(&config, PoolId(0), Known::default()).shares;
    assert_eq!(found.certainty, Certainty::Expected);
    for (share, expected) in found.shares.iter().zip([0.465, 0.465, 0.07]) {
        assert!((share - expected).abs() < 1e-9, "{found:?}");
    }
}

#[test]
fn every_example_can_be_surveyed() {
    for (dialect, path) in crate::invariants::examples() {
        let mut sources = Sources::default();
        let config = reading(dialect, &std::fs::read(&path).unwrap(), &mut sources).config;
        let question =
            Question { fail: Failing::WorstOne, load: 3.0, concurrency: Some(40), ..Question::default() };
        let survey = survey(&config, &question).unwrap();
        for pool in &survey.pools {
            let shares = &pool.figures.shares;
            assert!(!shares.is_known() || is_whole(&shares.shares), "{}: {shares:?}", path.display());
        }
        for case in survey.flows.iter().flat_map(|flow| &flow.cases) {
            let sum: f64 = case.arrivals.iter().map(|arrival| arrival.share).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{}: {case:?}", path.display());
        }
    }
}

#[test]
fn many_servers_and_many_routes_take_no_longer_than_their_number() {
    let servers =
        (0..3000).map(|at| format!("  server s{at} 10.0.{}.{}:80 weight {}\n", at / 250, at % 250, at % 256));
    let routes = (0..3000).map(|at| format!("  use_backend b if {{ path_beg /p{at}/ }}\n"));
    let text = format!(
        "defaults\n  mode http\nfrontend f\n  bind :80\n{}  default_backend b\nbackend b\n  balance leastconn\n{}",
        routes.collect::<String>(),
        servers.collect::<String>()
    );
    let mut sources = Sources::default();
    let config = reading(Dialect::HaProxy, text.as_bytes(), &mut sources).config;
    let start = std::time::Instant::now();
    let survey = survey(&config, &Question::default()).unwrap();
    assert_eq!(survey.flows[0].cases.len(), 3001);
    // Minutes if anything here were quadratic.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn addresses_that_are_told_become_members() {
    let text = "events {} http { upstream a { server app.internal:8080 weight=2; server 10.0.0.1:80; } upstream k { hash $request_uri consistent; server app.internal:8080; server 10.0.0.1:80; } server { location / { proxy_pass http://a; } location /k { proxy_pass http://k; } } }";
    let mut sources = Sources::default();
    let config = reading(Dialect::Nginx, text.as_bytes(), &mut sources).config;
    let question = Question { addresses: [("app.internal".to_owned(), 3)].into(), ..Question::default() };
    let survey = survey(&config, &question).unwrap();
    let round_robin = &survey.pools[0].figures.shares;
    assert_eq!(round_robin.shares, [2.0 / 7.0, 2.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0]);
    assert_eq!(round_robin.assumptions, ["`app.internal` has 3 addresses"]);
    // A name has one place on the ring, whatever its addresses.
    let ketama = &survey.pools[1].figures.shares;
    assert_eq!((ketama.shares.len(), ketama.certainty), (2, Certainty::Expected));
}

#[test]
fn keys_after_a_failure_go_where_they_go_without_the_server() {
    let text = |disabled: &str| {
        format!(
            "backend b\n mode http\n balance uri\n hash-type consistent\n server a 10.0.0.1:80 check\n server b 10.0.0.2:80 check{disabled}\n server c 10.0.0.3:80 check\n"
        )
    };
    let read = |text: String| reading(Dialect::HaProxy, text.as_bytes(), &mut Sources::new()).config;
    let (whole, without) = (read(text("")), read(text(" disabled")));
    let keys: Vec<String> = (0..500).map(|number| format!("/k{number}")).collect();
    let bytes = || keys.iter().map(String::as_bytes);
    let id = PoolId(0);
    let after = lbcheck::traffic::place_keys_after(&whole, id, &[1], bytes()).unwrap();
    assert_eq!(after, lbcheck::traffic::place_keys(&without, id, bytes()).unwrap());
    assert_ne!(after, lbcheck::traffic::place_keys(&whole, id, bytes()).unwrap());
}
