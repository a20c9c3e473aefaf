//! What HAProxy does when servers fail and when too much comes.

use lbcheck::traffic::scenario::Capacity;

use super::*;
use crate::traffic::scenario::How;

/// A server has ended and nothing checks it. Retries on the same server wait for `timeout connect`, up to a second.
fn unnoticed(title: &str, lines: &str, options: &[&str], send: Send) -> Scenario {
    let mut scenario = scenario(title, lines, options, send, Expect::Errors).fails(&[1], Notice::Never);
    scenario.config = scenario.config.replace("timeout connect 1s", "timeout connect 50ms");
    scenario
}

pub(in crate::traffic::scenarios) fn errors_without_redispatch() -> Scenario {
    unnoticed(
        "roundrobin 3:2:1 without redispatch, one dead",
        "balance roundrobin; retries 1",
        THREE,
        Send::Same(120),
    )
}

pub(in crate::traffic::scenarios) fn errors_with_redispatch() -> Scenario {
    unnoticed(
        "roundrobin 3:2:1 with option redispatch, one dead",
        "balance roundrobin; retries 1; option redispatch",
        THREE,
        Send::Same(300),
    )
}

pub(in crate::traffic::scenarios) fn errors_redispatch_map() -> Scenario {
    unnoticed(
        "uri map-based with option redispatch, one of three dead",
        "balance uri; retries 1; option redispatch 1",
        &["", "", ""],
        Send::Each(paths(150)),
    )
}

pub(in crate::traffic::scenarios) fn attempts() -> Scenario {
    scenario(
        "retry-on 500 with retries 3, every answer is 500",
        "balance roundrobin; retries 3; retry-on 500; option redispatch 1",
        &["", "", ""],
        Send::Failing(100),
        Expect::Attempts,
    )
}

// ---- how long it takes

/// Checks that the server sees.
const HTTP: &str = "option httpchk GET /health";

/// Two servers of these options, the first of which fails.
fn noticed(title: &str, lines: &str, options: &str) -> Scenario {
    scenario(title, lines, &[options, options], Send::Nothing, Expect::NoticedInTime)
        .fails(&[0], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn noticed_refused() -> Scenario {
    noticed(
        "httpchk, inter 400ms fastinter 100ms fall 3 rise 2, a server refuses",
        HTTP,
        "check inter 400ms fastinter 100ms fall 3 rise 2",
    )
}

pub(in crate::traffic::scenarios) fn noticed_tcp() -> Scenario {
    noticed("check inter 300ms fall 2, a server refuses", "", "check inter 300ms fall 2 rise 2")
}

pub(in crate::traffic::scenarios) fn noticed_down_interval() -> Scenario {
    noticed(
        "httpchk, inter 250ms downinter 500ms fall 2 rise 2, a server refuses",
        HTTP,
        "check inter 250ms downinter 500ms fall 2 rise 2",
    )
}

pub(in crate::traffic::scenarios) fn noticed_silent() -> Scenario {
    noticed(
        "httpchk, timeout check 350ms, inter 300ms fall 2, a server falls silent",
        "option httpchk GET /health; timeout check 350ms",
        "check inter 300ms fall 2 rise 1",
    )
    .how(How::FallsSilent)
}

pub(in crate::traffic::scenarios) fn noticed_silent_untimed() -> Scenario {
    noticed(
        "httpchk without timeout check, inter 300ms fastinter 100ms fall 2, a server falls silent",
        HTTP,
        "check inter 300ms fastinter 100ms fall 2 rise 1",
    )
    .how(How::FallsSilent)
}

pub(in crate::traffic::scenarios) fn noticed_spread() -> Scenario {
    let mut scenario = noticed(
        "httpchk, spread-checks 50, inter 400ms fall 2, a server refuses",
        HTTP,
        "check inter 400ms fall 2 rise 2",
    );
    scenario.config = format!("global\n    spread-checks 50\n\n{}", scenario.config);
    scenario
}

pub(in crate::traffic::scenarios) fn noticed_tracked() -> Scenario {
    let mut scenario = scenario(
        "track a server that is checked with inter 300ms fall 2",
        "",
        &["track checks/c1", "track checks/c2"],
        Send::Nothing,
        Expect::NoticedInTime,
    )
    .fails(&[0], Notice::Checks);
    let check = "check inter 300ms fall 2 rise 1";
    scenario.config.push_str(&format!(
        "\nbackend checks\n    {HTTP}\n    server c1 @BACK1@ {check}\n    server c2 @BACK2@ {check}\n"
    ));
    scenario
}

/// Servers that are checked once a minute, so that only requests find anything. From 3.4 on a server that was just
/// started is down with its first failure until `rise` checks have passed.
fn observed(title: &str, options: &str) -> Scenario {
    let mut scenario = scenario(
        title,
        "option httpchk GET /health; balance roundrobin; retries 0",
        &[&format!("check inter 60s fall 3 rise 1 {options}"), ""],
        Send::Same(60),
        Expect::NoticedByRequests,
    )
    .fails(&[0], Notice::Checks);
    scenario.config = scenario.config.replace("timeout connect 1s", "timeout connect 50ms");
    scenario
}

pub(in crate::traffic::scenarios) fn observe_mark_down() -> Scenario {
    observed(
        "observe layer4 error-limit 3 on-error mark-down, a server refuses",
        "observe layer4 error-limit 3 on-error mark-down",
    )
}

pub(in crate::traffic::scenarios) fn observe_sudden_death() -> Scenario {
    observed(
        "observe layer4 error-limit 3 on-error sudden-death, a server refuses",
        "observe layer4 error-limit 3 on-error sudden-death",
    )
}

pub(in crate::traffic::scenarios) fn observe_fail_check() -> Scenario {
    observed("observe layer4 error-limit 2, fall 3, a server refuses", "observe layer4 error-limit 2")
}

pub(in crate::traffic::scenarios) fn observe_layer7() -> Scenario {
    observed(
        "observe layer7 error-limit 4 on-error mark-down, a server answers 500",
        "observe layer7 error-limit 4 on-error mark-down",
    )
    .how(How::Errs)
}

pub(in crate::traffic::scenarios) fn agent_alone() -> Scenario {
    let mut scenario = scenario(
        "agent-check alone, whose agent is not there: never noticed",
        "balance roundrobin; retries 0",
        &["agent-check agent-port 9 agent-inter 50ms", ""],
        Send::Same(100),
        Expect::ToOneRequest,
    )
    .fails(&[0], Notice::Requests(100));
    scenario.config = scenario.config.replace("timeout connect 1s", "timeout connect 50ms");
    scenario
}

// ---- what it leads to

pub(in crate::traffic::scenarios) fn every_loss() -> Scenario {
    let options = [4, 3, 2, 1].map(|weight| format!("weight {weight} {CHECK}"));
    scenario(
        "roundrobin 4:3:2:1, every single loss",
        "balance roundrobin",
        &options.each_ref().map(String::as_str),
        Send::Same(1200),
        Expect::EveryLoss,
    )
    .fails(&[], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn every_loss_ring() -> Scenario {
    scenario(
        "uri, consistent, every single loss",
        "balance uri; hash-type consistent",
        CHECKED,
        by_path(),
        Expect::EveryLoss,
    )
    .fails(&[], Notice::Checks)
}

fn falling(title: &str, balance: &str, limit: u64) -> Scenario {
    let options = [4, 2, 2, 1, 1].map(|weight| format!("weight {weight} {CHECK}"));
    scenario(
        title,
        balance,
        &options.each_ref().map(String::as_str),
        Send::Held(60),
        Expect::Cascade(Capacity::Requests(limit)),
    )
    .fails(&[], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn cascade_stops() -> Scenario {
    falling(
        "roundrobin 4:2:2:1:1, 60 in flight, servers that take 22: a cascade that stops",
        "balance roundrobin",
        22,
    )
}

pub(in crate::traffic::scenarios) fn cascade_down() -> Scenario {
    falling(
        "leastconn 4:2:2:1:1, 60 in flight, servers that take 15: a cascade until all are down",
        "balance leastconn",
        15,
    )
}

pub(in crate::traffic::scenarios) fn load_grows() -> Scenario {
    let options = [4, 3, 2, 1].map(|weight| format!("weight {weight} {CHECK}"));
    scenario(
        "leastconn 4:3:2:1, the heaviest fails under three times the load",
        "balance leastconn",
        &options.each_ref().map(String::as_str),
        Send::Held(30),
        Expect::InFlight,
    )
    .fails(&[0], Notice::Checks)
    .load(3.0)
}

pub(in crate::traffic::scenarios) fn load_queues() -> Scenario {
    let options = [2, 3, 2].map(|most| format!("maxconn {most} {CHECK}"));
    scenario(
        "roundrobin with maxconn 2, 3 and 2, one fails under three times the load of 4",
        "balance roundrobin; timeout queue 30s",
        &options.each_ref().map(String::as_str),
        Send::Crowd(12),
        Expect::Crowd,
    )
    .fails(&[1], Notice::Checks)
    .load(3.0)
}
