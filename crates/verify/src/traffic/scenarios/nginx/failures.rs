//! What nginx does when servers fail and when too much comes.

use lbcheck::traffic::scenario::Capacity;

use super::*;
use crate::traffic::scenario::How;

fn failing(title: &str, upstream: &str, next: &str) -> Scenario {
    let mut config = config(upstream);
    config = config.replace("proxy_read_timeout", &format!("{next}\n        proxy_read_timeout"));
    Scenario::new(Dialect::Nginx, title, config, Send::Failing(100), Expect::Attempts)
}

const NEVER_OUT: &str =
    "server @BACK1@ max_fails=0;\nserver @BACK2@ max_fails=0;\nserver @BACK3@ max_fails=0;";

pub(in crate::traffic::scenarios) fn attempts() -> Scenario {
    failing(
        "proxy_next_upstream http_500, every answer is 500",
        NEVER_OUT,
        "proxy_next_upstream error http_500;",
    )
}

pub(in crate::traffic::scenarios) fn attempts_tries() -> Scenario {
    failing(
        "proxy_next_upstream http_500 with two tries, every answer is 500",
        NEVER_OUT,
        "proxy_next_upstream error http_500;\n        proxy_next_upstream_tries 2;",
    )
}

pub(in crate::traffic::scenarios) fn attempts_backup() -> Scenario {
    failing(
        "proxy_next_upstream http_500 with a backup, every answer is 500",
        &format!("{NEVER_OUT}\nserver @BACK4@ backup max_fails=0;"),
        "proxy_next_upstream error http_500;",
    )
}

pub(in crate::traffic::scenarios) fn errors_next_upstream() -> Scenario {
    scenario(
        "round robin, one of three dead, the next server is tried",
        "",
        &["max_fails=0", "max_fails=0", "max_fails=0"],
        Send::Same(300),
        Expect::Errors,
    )
    .fails(&[1], Notice::Never)
}

pub(in crate::traffic::scenarios) fn errors_without_next() -> Scenario {
    let mut scenario = scenario(
        "round robin 3:2:1, one dead, proxy_next_upstream off",
        "",
        &["weight=3 max_fails=0", "weight=2 max_fails=0", "weight=1 max_fails=0"],
        Send::Same(600),
        Expect::Errors,
    )
    .fails(&[1], Notice::Never);
    scenario.config =
        scenario.config.replace("proxy_read_timeout", "proxy_next_upstream off;\n        proxy_read_timeout");
    scenario
}

pub(in crate::traffic::scenarios) fn refused() -> Scenario {
    scenario(
        "round robin with max_conns 2 and 3, 12 requests at once",
        "",
        &["max_conns=2", "max_conns=3", "max_conns=2"],
        Send::Crowd(12),
        Expect::Crowd,
    )
}

/// One of three servers fails, and no request is tried elsewhere.
fn noticed(title: &str, options: &str) -> Scenario {
    let mut scenario = scenario(title, "", &[options, "", ""], Send::Same(60), Expect::NoticedByRequests)
        .fails(&[0], Notice::Never);
    scenario.config =
        scenario.config.replace("proxy_read_timeout", "proxy_next_upstream off;\n        proxy_read_timeout");
    scenario
}

pub(in crate::traffic::scenarios) fn noticed_fails() -> Scenario {
    noticed("max_fails=3 fail_timeout=2s, a server refuses", "max_fails=3 fail_timeout=2s")
}

pub(in crate::traffic::scenarios) fn noticed_once() -> Scenario {
    noticed("fail_timeout=1s, a server refuses", "fail_timeout=1s")
}

pub(in crate::traffic::scenarios) fn noticed_answers() -> Scenario {
    let mut scenario = noticed(
        "max_fails=2 with proxy_next_upstream http_500, a server answers 500",
        "max_fails=2 fail_timeout=1s",
    )
    .how(How::Errs);
    scenario.config = scenario.config.replace("proxy_next_upstream off;", "proxy_next_upstream http_500;");
    scenario
}

pub(in crate::traffic::scenarios) fn every_loss() -> Scenario {
    let options = [4, 3, 2, 1].map(|weight| format!("weight={weight} fail_timeout=60s"));
    scenario(
        "round robin 4:3:2:1, every single loss",
        "",
        &options.each_ref().map(String::as_str),
        Send::Same(1200),
        Expect::EveryLoss,
    )
    .fails(&[], Notice::Requests(40))
}

pub(in crate::traffic::scenarios) fn every_loss_ketama() -> Scenario {
    let options = ["fail_timeout=60s"; 4];
    scenario(
        "hash $uri consistent, every single loss",
        "hash $uri consistent;",
        &options,
        by_path(),
        Expect::EveryLoss,
    )
    .fails(&[], Notice::Requests(60))
}

fn falling(title: &str, limit: u64) -> Scenario {
    let options = [4, 2, 2, 1, 1].map(|weight| format!("weight={weight} fail_timeout=60s"));
    scenario(
        title,
        "least_conn;",
        &options.each_ref().map(String::as_str),
        Send::Held(60),
        Expect::Cascade(Capacity::Requests(limit)),
    )
    .fails(&[], Notice::Requests(40))
}

pub(in crate::traffic::scenarios) fn cascade_stops() -> Scenario {
    falling("least_conn 4:2:2:1:1, 60 in flight, servers that take 22: a cascade that stops", 22)
}

pub(in crate::traffic::scenarios) fn cascade_down() -> Scenario {
    falling("least_conn 4:2:2:1:1, 60 in flight, servers that take 15: a cascade until all are down", 15)
}

pub(in crate::traffic::scenarios) fn load_grows() -> Scenario {
    let options = [4, 3, 2, 1].map(|weight| format!("weight={weight} fail_timeout=60s"));
    scenario(
        "least_conn 4:3:2:1, the heaviest fails under three times the load",
        "least_conn;",
        &options.each_ref().map(String::as_str),
        Send::Held(30),
        Expect::InFlight,
    )
    .fails(&[0], Notice::Requests(40))
    .load(3.0)
}

pub(in crate::traffic::scenarios) fn load_refuses() -> Scenario {
    let options = [2, 3, 2].map(|most| format!("max_conns={most} fail_timeout=60s"));
    scenario(
        "round robin with max_conns 2, 3 and 2, one fails under three times the load of 4",
        "",
        &options.each_ref().map(String::as_str),
        Send::Crowd(12),
        Expect::Crowd,
    )
    .fails(&[1], Notice::Requests(20))
    .load(3.0)
}
