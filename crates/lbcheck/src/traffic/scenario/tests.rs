use std::time::Duration;

use super::*;
use crate::dialect::Dialect;
use crate::load::MemoryLoader;
use crate::model::{Config, PoolId};
use crate::read::{ReadOptions, read};
use crate::source::Sources;

fn config(dialect: Dialect, text: &str) -> Config {
    let mut sources = Sources::new();
    let loader = MemoryLoader::one("config", text.as_bytes().to_vec());
    read(&loader, &mut sources, &["config".to_owned()], &ReadOptions::new(dialect)).config
}

fn haproxy(lines: &str) -> Config {
    let text =
        format!("defaults\n  mode http\n  balance roundrobin\n  timeout connect 1s\nbackend b\n{lines}");
    config(Dialect::HaProxy, &text)
}

fn nginx(lines: &str) -> Config {
    let text = format!(
        "events {{}}\nhttp {{ upstream u {{ {lines} }}\n server {{ location / {{ proxy_pass http://u; }} }} }}"
    );
    config(Dialect::Nginx, &text)
}

fn outcome(config: &Config, scenario: &Scenario) -> ScenarioOutcome {
    run(config, PoolId(0), scenario)
}

fn failing(failed: &[usize]) -> Scenario {
    Scenario { failed: failed.to_vec(), assume_noticed: true, ..Scenario::default() }
}

fn rounded(shares: &[f64]) -> Vec<f64> {
    shares.iter().map(|share| (share * 1000.0).round() / 1000.0).collect()
}

#[test]
fn survivors_take_over_by_weight() {
    let config = haproxy(
        "  server a 10.0.0.1:80 weight 3\n  server b 10.0.0.2:80 weight 2\n  server c 10.0.0.3:80 weight 1\n",
    );
    let outcome = outcome(&config, &failing(&[0]));
    assert_eq!(rounded(&outcome.after.shares), [0.0, 0.667, 0.333]);
    assert_eq!(outcome.multiples, [Some(0.0), Some(2.0), Some(2.0)]);
    assert_eq!(outcome.lost, 0.0);
    let loss = worst_loss(&config, PoolId(0)).unwrap();
    assert_eq!((loss.endpoint, loss.multiple), (0, 2.0));
}

#[test]
fn what_nothing_checks_keeps_its_share_as_errors() {
    let lines = "  server a 10.0.0.1:80\n  server b 10.0.0.2:80\n";
    let config = haproxy(lines);
    let outcome = run(&config, PoolId(0), &Scenario { failed: vec![0], ..Scenario::default() });
    assert!(matches!(outcome.detections[0].noticed, Noticed::Never(_)));
    assert_eq!(outcome.lost, 0.5);
    // Without redispatch all four attempts go to the same server.
    assert_eq!(outcome.unnoticed.errors, Some(0.5));
    assert_eq!(outcome.unnoticed.attempts, Some(2.5));
    assert_eq!(outcome.attempts.most, 4);
    let redispatch = haproxy(&format!("  option redispatch\n{lines}"));
    let saved = run(&redispatch, PoolId(0), &Scenario { failed: vec![0], ..Scenario::default() });
    assert_eq!((saved.lost, saved.after.shares), (0.0, vec![0.0, 1.0]));
    assert_eq!(super::run(&redispatch, PoolId(0), &failing(&[0])).unnoticed.errors, Some(0.0));
    let by_map = haproxy(&format!("  option redispatch\n  balance uri\n{lines}"));
    let errors = super::run(&by_map, PoolId(0), &failing(&[0])).unnoticed.errors;
    assert_eq!(errors, Some(0.5));
}

#[test]
fn what_follows_the_checks_of_a_failed_server_goes_out_with_it() {
    let config = haproxy(
        "  server a 10.0.0.1:80 check\n  server b 10.0.0.2:80 track a\n  server c 10.0.0.3:80 track b\n  server d 10.0.0.4:80 check\nbackend other\n  mode http\n  server e 10.0.0.5:80 track b/b\n  server f 10.0.0.6:80\n",
    );
    let one = run(&config, PoolId(0), &Scenario { failed: vec![0], ..Scenario::default() });
    assert_eq!((one.after.shares, one.lost), (vec![0.0, 0.0, 0.0, 1.0], 0.0));
    // Nothing fails of those that follow: until it is noticed only `a` gives errors.
    assert_eq!(one.detections.len(), 1);
    assert_eq!(one.unnoticed.errors, Some(0.25));
    let follow = followers(&config, &std::collections::BTreeMap::from([(PoolId(0), vec![0])]));
    assert_eq!(follow.get(&PoolId(1)), Some(&vec![0]));
    let other = run(&config, PoolId(1), &Scenario { follow: vec![0], ..Scenario::default() });
    assert_eq!(other.after.shares, [0.0, 1.0]);
    // Who follows takes nobody along.
    let last = run(&config, PoolId(0), &Scenario { failed: vec![2], ..Scenario::default() });
    assert_eq!(last.after.shares[0], last.after.shares[1]);
}

#[test]
fn checks_find_a_failure_in_time() {
    let config = haproxy(
        "  default-server check inter 3s fastinter 500ms fall 4\n  server a 10.0.0.1:80\n  server b 10.0.0.2:80\n",
    );
    let outcome = outcome(&config, &failing(&[0]));
    let Noticed::ByCheck { soonest, latest, .. } = outcome.detections[0].noticed else { panic!() };
    assert_eq!((soonest, latest), (Duration::from_millis(1500), Duration::from_millis(4500)));
}

#[test]
fn the_way_back_goes_by_the_intervals_of_what_is_down() {
    let back = |config: &Config| {
        let back = outcome(config, &failing(&[0])).detections[0].back.unwrap();
        (back.soonest.as_millis(), back.latest.as_millis(), back.since)
    };
    let lines =
        "  server a 10.0.0.1:80 check inter 250ms downinter 500ms fall 2 rise 2\n  server b 10.0.0.2:80\n";
    assert_eq!(back(&haproxy(lines)), (250, 750, Since::Answers));
    let config = nginx("server 10.0.0.1:80 fail_timeout=2s; server 10.0.0.2:80;");
    assert_eq!(back(&config), (2000, 3000, Since::Out));
}

#[test]
fn checks_are_spread_by_chance() {
    let text = "global\n  spread-checks 50\nbackend b\n  server a 10.0.0.1:80 check inter 400ms fall 2\n";
    let found = outcome(&config(Dialect::HaProxy, text), &failing(&[0]));
    let Noticed::ByCheck { soonest, latest, .. } = found.detections[0].noticed else { panic!() };
    assert_eq!((soonest.as_millis(), latest.as_millis()), (200, 1200));
}

#[test]
fn failed_requests_take_a_server_out_before_its_checks() {
    for (on_error, expected) in [
        ("", Some(9)),
        ("on-error fastinter", None),
        ("on-error sudden-death", Some(6)),
        ("on-error mark-down", Some(3)),
    ] {
        let lines = format!("  server a 10.0.0.1:80 check observe layer4 error-limit 3 {on_error}\n");
        let found = outcome(&haproxy(&lines), &failing(&[0]));
        let Noticed::ByCheck { failures, .. } = found.detections[0].noticed else { panic!() };
        assert_eq!(failures, expected, "{on_error}");
    }
}

#[test]
fn an_agent_that_is_silent_takes_nobody_out() {
    let config = haproxy("  server a 10.0.0.1:80 agent-check agent-port 9\n  server b 10.0.0.2:80\n");
    let found = run(&config, PoolId(0), &Scenario { failed: vec![0], ..Scenario::default() });
    assert!(matches!(found.detections[0].noticed, Noticed::Never(_)));
}

#[test]
fn envoy_checks_by_the_interval_of_the_state() {
    let checks = |intervals: &str| {
        let text = format!(
            "static_resources:\n  clusters:\n  - name: c\n    health_checks: [{{timeout: 1s, interval: 0.4s, {intervals}\
             unhealthy_threshold: 3, healthy_threshold: 2, tcp_health_check: {{}}}}]\n    load_assignment:\n      \
             cluster_name: c\n      endpoints:\n      - lb_endpoints:\n        - endpoint: {{address: {{socket_address: {{address: 10.0.0.1, port_value: 80}}}}}}\n"
        );
        let found = outcome(&config(Dialect::Envoy, &text), &failing(&[0])).detections[0].clone();
        let Noticed::ByCheck { soonest, latest, quiet, .. } = found.noticed else { panic!() };
        let back = found.back.unwrap();
        (
            soonest.as_millis(),
            latest.as_millis(),
            quiet.unwrap().as_secs(),
            back.soonest.as_millis(),
            back.latest.as_millis(),
        )
    };
    assert_eq!(checks(""), (800, 1200, 180, 400, 800));
    let edges = "unhealthy_interval: 0.5s, unhealthy_edge_interval: 0.1s, healthy_edge_interval: 0.2s, ";
    assert_eq!(checks(edges), (200, 600, 180, 200, 700));
    // Only this one is set: it holds while failures are counted too.
    assert_eq!(checks("unhealthy_interval: 0.5s, "), (1000, 1400, 180, 400, 900));
    assert_eq!(checks("interval_jitter: 0.1s, "), (800, 1500, 180, 400, 1000));
}

#[test]
fn backups_take_over_when_the_last_active_server_fails() {
    let lines = "  server a 10.0.0.1:80\n  server b 10.0.0.2:80 backup\n  server c 10.0.0.3:80 backup\n";
    assert_eq!(outcome(&haproxy(lines), &failing(&[0])).takes_over, [1]);
    let all = haproxy(&format!("  option allbackups\n{lines}"));
    assert_eq!(outcome(&all, &failing(&[0])).takes_over, [1, 2]);
    let down = outcome(&haproxy(lines), &failing(&[0, 1, 2]));
    assert_eq!((down.lost, down.takes_over.len()), (1.0, 0));
}

#[test]
fn nginx_counts_failures_of_requests() {
    let config = nginx("server 10.0.0.1:80 max_fails=2; server 10.0.0.2:80; server 10.0.0.3:80;");
    let outcome = outcome(&config, &failing(&[0]));
    assert_eq!(
        outcome.detections[0].noticed,
        Noticed::ByTraffic { failures: 2, within: None, each_worker: true }
    );
    assert_eq!((outcome.unnoticed.errors, outcome.attempts.most), (Some(0.0), 3));
    let alone = nginx("server 10.0.0.1:80;");
    let noticed = run(&alone, PoolId(0), &Scenario { failed: vec![0], ..Scenario::default() }).detections;
    assert!(matches!(noticed[0].noticed, Noticed::Never(_)));
}

#[test]
fn the_smallest_limit_for_its_share_is_full_first() {
    let config =
        haproxy("  server a 10.0.0.1:80 maxconn 100 weight 3\n  server b 10.0.0.2:80 maxconn 50 weight 1\n");
    let full = outcome(&config, &Scenario::default()).first_full.unwrap();
    assert_eq!(full.kind, LimitKind::Endpoint(0));
    assert!((full.at - 100.0 / 0.75).abs() < 0.1, "{full:?}");
    assert_eq!(room(config.pool(PoolId(0)), &[0, 1]), Some(150));
}

#[test]
fn full_servers_are_skipped_and_what_is_above_all_limits_waits_or_is_refused() {
    let at = |concurrency, load| Scenario { concurrency: Some(concurrency), load, ..Scenario::default() };
    let config = haproxy(
        "  balance roundrobin\n  server a 10.0.0.1:80 maxconn 2\n  server b 10.0.0.2:80\n  server c 10.0.0.3:80\n",
    );
    let demand = outcome(&config, &at(12, 1.0)).demand.unwrap();
    assert_eq!((rounded(&demand.in_service), demand.full), (vec![2.0, 5.0, 5.0], vec![0]));
    let config =
        haproxy("  balance roundrobin\n  server a 10.0.0.1:80 maxconn 2\n  server b 10.0.0.2:80 maxconn 3\n");
    let demand = outcome(&config, &at(4, 3.0)).demand.unwrap();
    assert_eq!((demand.queued, demand.refused), (7.0, 0.0));
    let config = haproxy(
        "  balance first\n  server a 10.0.0.1:80 maxconn 5\n  server b 10.0.0.2:80 maxconn 5\n  server c 10.0.0.3:80 maxconn 5\n",
    );
    let demand = outcome(&config, &at(12, 1.0)).demand.unwrap();
    assert_eq!(demand.in_service, [5.0, 5.0, 2.0]);
    let config = nginx("zone u 64k; server 10.0.0.1:80 max_conns=2; server 10.0.0.2:80 max_conns=2;");
    let demand = outcome(&config, &at(12, 1.0)).demand.unwrap();
    assert_eq!((demand.queued, demand.refused), (0.0, 8.0));
}

#[test]
fn overload_moves_on_until_it_is_stable_or_all_are_down() {
    let lines =
        "  server a 10.0.0.1:80\n  server b 10.0.0.2:80\n  server c 10.0.0.3:80\n  server d 10.0.0.4:80\n";
    let scenario = |times| Scenario { capacity: Some(Capacity::Multiple(times)), ..failing(&[0]) };
    let stable = outcome(&haproxy(lines), &scenario(1.5)).cascade.unwrap();
    assert_eq!((stable.steps.len(), stable.end), (0, CascadeEnd::Stable));
    let down = outcome(&haproxy(lines), &scenario(1.2)).cascade.unwrap();
    assert_eq!((down.steps.len(), down.end), (1, CascadeEnd::Down));
    // A weak server goes first and takes the others with it.
    let limits = "  server a 10.0.0.1:80 maxconn 40\n  server b 10.0.0.2:80 maxconn 40\n  server c 10.0.0.3:80 maxconn 28\n";
    let scenario = Scenario { concurrency: Some(60), ..failing(&[0]) };
    let cascade = outcome(&haproxy(limits), &scenario).cascade.unwrap();
    let order: Vec<Vec<usize>> =
        cascade.steps.iter().map(|step| step.overloaded.iter().map(|(index, _)| *index).collect()).collect();
    assert_eq!((order, cascade.end), (vec![vec![2], vec![1]], CascadeEnd::Down));
}

fn envoy(settings: &str, hosts: u32) -> Config {
    let host = |number| {
        format!(
            "       - {{endpoint: {{address: {{socket_address: {{address: 10.0.0.{number}, port_value: 80}}}}}}}}\n"
        )
    };
    let hosts: String = (1..=hosts).map(host).collect();
    let text = format!(
        "static_resources:\n  clusters:\n  - name: c\n    connect_timeout: 1s\n    {settings}\n    load_assignment:\n     cluster_name: c\n     endpoints:\n     - lb_endpoints:\n{hosts}"
    );
    config(Dialect::Envoy, &text)
}

#[test]
fn circuit_breakers_let_through_what_envoy_did() {
    for (thresholds, counts) in [
        ("max_connections: 2, max_pending_requests: 3, max_requests: 100", [2.0, 3.0, 7.0]),
        ("max_connections: 100, max_pending_requests: 100, max_requests: 4", [4.0, 0.0, 8.0]),
        ("max_connections: 4, max_pending_requests: 2, max_requests: 5", [4.0, 2.0, 6.0]),
    ] {
        let config = envoy(&format!("circuit_breakers: {{thresholds: [{{{thresholds}}}]}}"), 2);
        let scenario = Scenario { concurrency: Some(12), ..Scenario::default() };
        let demand = outcome(&config, &scenario).demand.unwrap();
        assert_eq!([demand.in_service.iter().sum(), demand.queued, demand.refused], counts, "{thresholds}");
    }
}

#[test]
fn outlier_detection_ejects_no_more_than_it_may() {
    let noticed = |settings: &str, hosts| {
        let config = envoy(settings, hosts);
        let outcome = outcome(&config, &Scenario { failed: vec![0, 1], ..Scenario::default() });
        let seen = outcome.detections.iter().map(|found| found.noticed.is_ever()).collect::<Vec<_>>();
        (seen, (outcome.lost * 1000.0).round() / 1000.0)
    };
    // As counted on Envoy 1.40: nothing is ejected of 9, one of 11, two of 20.
    assert_eq!(noticed("outlier_detection: {}", 9), (vec![false, false], 0.222));
    assert_eq!(noticed("outlier_detection: {}", 11), (vec![true, false], 0.1));
    assert_eq!(noticed("outlier_detection: {}", 20), (vec![true, true], 0.0));
    let always = "outlier_detection: {always_eject_one_host: true}";
    assert_eq!(noticed(always, 9), (vec![true, false], 0.125));
}

#[test]
fn envoy_panics_and_sends_to_what_is_down() {
    let config = envoy(
        "health_checks: [{timeout: 1s, interval: 2s, unhealthy_threshold: 3, healthy_threshold: 1, tcp_health_check: {}}]",
        4,
    );
    let half = outcome(&config, &failing(&[0, 1]));
    assert_eq!((half.lost, half.panic, rounded(&half.after.shares)), (0.0, false, vec![0.0, 0.0, 0.5, 0.5]));
    let most = outcome(&config, &failing(&[0, 1, 2]));
    assert_eq!((most.lost, most.panic), (0.75, true));
    assert_eq!(most.first_full.unwrap().kind, LimitKind::PoolConnections);
}
