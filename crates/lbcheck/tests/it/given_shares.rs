//! What `check` and `diff` say of shares is what the proxy gives, and the same as what `traffic` says.

use lbcheck::dialect::Dialect;
use lbcheck::model::PoolId;
use lbcheck::source::Sources;
use lbcheck::traffic::{Load, placed_shares};

use crate::support;

fn ring(last: &str) -> String {
    format!(
        "defaults\n mode http\n timeout connect 1s\n timeout client 9s\n timeout server 9s\n\
         frontend web\n bind 127.0.0.1:8080\n default_backend files\n\
         backend files\n balance uri\n hash-type consistent\n \
         server a 127.0.0.1:9001 check\n server b 127.0.0.1:9002 check\n server c 127.0.0.1:9003 check {last}\n"
    )
}

/// The share of the third server, in percent with one digit.
fn third(config: &lbcheck::model::Config) -> String {
    let share = placed_shares(config, PoolId(0), Load::Idle).shares[2] * 100.0;
    format!("{share:.1} %")
}

#[test]
fn a_share_that_a_ring_bends_is_told_as_it_is() {
    let text = ring("weight 3");
    let mut sources = Sources::new();
    let reading = support::reading(Dialect::HaProxy, text.as_bytes(), &mut sources);
    let lines = support::lines(&sources, &support::check(&sources, &reading));
    let given = third(&reading.config);
    assert_ne!(given, "60.0 %", "a ring of 80 points is not even");
    let wanted = format!("gets {given} of the traffic of backend `files`, 60 % by its weight");
    assert!(lines.iter().any(|line| line.contains(&wanted)), "{wanted}: {lines:#?}");
}

#[test]
fn a_diff_shows_the_shares_of_the_rings() {
    let (old, new) = (ring(""), ring("weight 3"));
    let mut sources = Sources::new();
    let old = support::reading(Dialect::HaProxy, old.as_bytes(), &mut sources);
    let new = support::reading(Dialect::HaProxy, new.as_bytes(), &mut sources);
    let report = support::diff(&sources, &old, &new);
    let share = &report.pools[0].shares[2];
    let shown = |share: Option<f64>| format!("{:.1} %", share.unwrap() * 100.0);
    assert_eq!((shown(share.old), shown(share.new)), (third(&old.config), third(&new.config)));
    // Whatever key moves goes to the server that weighs more: traffic and keys move alike.
    let (traffic, keys) = (report.pools[0].share_moved.unwrap(), report.pools[0].keys_remapped.unwrap());
    assert!((traffic - keys).abs() < 1e-9, "{traffic} {keys}");
}

/// Envoy divides between priorities by health, and the file itself may call a host unhealthy.
#[test]
fn a_priority_that_gets_a_part_is_not_in_reserve() {
    let text = "\
static_resources:
  clusters:
  - name: api
    type: STATIC
    lb_policy: RANDOM
    load_assignment:
      cluster_name: api
      policy: {overprovisioning_factor: 100}
      endpoints:
      - lb_endpoints:
        - {endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9001}}}, health_status: UNHEALTHY}
        - {endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9002}}}}
      - priority: 1
        lb_endpoints:
        - {endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9003}}}}
";
    let mut sources = Sources::new();
    let reading = support::reading(Dialect::Envoy, text.as_bytes(), &mut sources);
    let shares = placed_shares(&reading.config, PoolId(0), Load::Idle).shares;
    assert!((shares[1] - 0.5).abs() < 1e-9 && (shares[2] - 0.5).abs() < 1e-9, "{shares:?}");
    let lines = support::lines(&sources, &support::check(&sources, &reading));
    let wrong = |line: &&String| line.contains("pool-no-redundancy-in-rotation");
    assert_eq!(lines.iter().find(wrong), None);
    // With the usual overprovisioning 70 % stay, and the rest goes on.
    let text = text.replace("      policy: {overprovisioning_factor: 100}\n", "");
    let mut sources = Sources::new();
    let reading = support::reading(Dialect::Envoy, text.as_bytes(), &mut sources);
    let shares = placed_shares(&reading.config, PoolId(0), Load::Idle).shares;
    assert!((shares[1] - 0.7).abs() < 1e-9 && (shares[2] - 0.3).abs() < 1e-9, "{shares:?}");
}
