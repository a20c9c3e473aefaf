//! HAProxy.

mod failures;
mod hashing;

pub(super) use failures::*;
pub(super) use hashing::*;

use lbcheck::dialect::Dialect;

use super::servers_of;
use crate::traffic::client::Ask;
use crate::traffic::scenario::{
    Expect, Notice, Scenario, Send, by_header, by_neighbour, by_path, by_query, by_source, by_source6, each,
    paths,
};

/// A frontend and a backend; lines are parted by `;`.
fn config(front: &str, back: &str) -> String {
    let indent = |lines: &str| -> String {
        let lines = lines.split(';').map(str::trim).filter(|line| !line.is_empty());
        lines.map(|line| format!("    {line}\n")).collect()
    };
    let (front, back) = (indent(front), indent(back));
    format!(
        "defaults\n    mode http\n    timeout client 30s\n    timeout server 30s\n    timeout connect 1s\n\n\
         frontend front\n    bind @FRONT@\n{front}    default_backend pool\n\nbackend pool\n{back}"
    )
}

/// Server lines, one for each text of options.
fn servers(options: &[&str]) -> String {
    servers_of(options, |number, options| format!("server s{number} @BACK{number}@ {options};"))
}

fn scenario(title: &str, lines: &str, options: &[&str], send: Send, expect: Expect) -> Scenario {
    Scenario::new(Dialect::HaProxy, title, config("", &format!("{lines};{}", servers(options))), send, expect)
}

/// Servers of weight 3, 2 and 1.
const THREE: &[&str] = &["weight 3", "weight 2", "weight 1"];
/// Servers of weight 1 that are checked often.
const CHECKED: &[&str] = &[CHECK, CHECK, CHECK, CHECK];
/// Slow enough that a busy machine fails no check, and fast once one has failed.
const CHECK: &str = "check inter 250ms fastinter 50ms fall 2 rise 1";

/// A key in a header or the path, of servers of weight 3, 2 and 1.
fn keys(title: &str, lines: &str, send: Send) -> Scenario {
    scenario(title, lines, THREE, send, Expect::EveryKey)
}

fn picks(title: &str, lines: &str, options: &[&str]) -> Scenario {
    scenario(title, lines, options, Send::Same(2000), Expect::EveryPick)
}

pub(super) fn roundrobin() -> Scenario {
    picks("roundrobin, weights 3:2:1", "balance roundrobin", THREE)
}

pub(super) fn roundrobin_four() -> Scenario {
    let weights = ["weight 10", "weight 20", "weight 30", "weight 256"];
    picks("roundrobin, weights 10:20:30:256", "balance roundrobin", &weights)
}

pub(super) fn roundrobin_out() -> Scenario {
    picks(
        "roundrobin, one weight 0, one disabled, one backup",
        "balance roundrobin",
        &["weight 5", "weight 0", "weight 9 disabled", "weight 4", "weight 7 backup"],
    )
}

pub(super) fn weights_zero() -> Scenario {
    scenario(
        "roundrobin, every weight 0",
        "balance roundrobin",
        &["weight 0", "weight 0"],
        Send::Same(50),
        Expect::ToOneRequest,
    )
}

pub(super) fn static_rr() -> Scenario {
    picks(
        "static-rr, weights 10:20:30 and one disabled",
        "balance static-rr",
        &["weight 10", "weight 20", "weight 30", "weight 15 disabled"],
    )
}

pub(super) fn backup_first() -> Scenario {
    let options = [CHECK, CHECK, "backup weight 1", "backup weight 3"];
    scenario(
        "two backups, both active servers fail",
        "balance roundrobin",
        &options,
        Send::Same(400),
        Expect::ToOneRequest,
    )
    .fails(&[0, 1], Notice::Checks)
}

pub(super) fn backup_all() -> Scenario {
    let options = [CHECK, CHECK, "backup weight 1", "backup weight 3"];
    scenario(
        "allbackups, both active servers fail",
        "balance roundrobin; option allbackups",
        &options,
        Send::Same(400),
        Expect::EveryPick,
    )
    .fails(&[0, 1], Notice::Checks)
}

pub(super) fn roundrobin_fails() -> Scenario {
    let options: Vec<String> = [4, 3, 2, 1].iter().map(|weight| format!("weight {weight} {CHECK}")).collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    scenario(
        "roundrobin 4:3:2:1, the heaviest fails",
        "balance roundrobin",
        &options,
        Send::Same(1200),
        Expect::ToOneRequest,
    )
    .fails(&[0], Notice::Checks)
}

pub(super) fn tracking_fails() -> Scenario {
    scenario(
        "roundrobin 1:1:2, one fails and another tracks it",
        "balance roundrobin",
        &[CHECK, "track s1", &format!("weight 2 {CHECK}")],
        Send::Same(300),
        Expect::ToOneRequest,
    )
    .fails(&[0], Notice::Checks)
    .taking(&[1])
}

pub(super) fn everybody_fails() -> Scenario {
    scenario("roundrobin, every server fails", "", CHECKED, Send::Same(50), Expect::ToOneRequest)
        .fails(&[0, 1, 2, 3], Notice::Checks)
}

pub(super) fn leastconn_idle() -> Scenario {
    scenario(
        "leastconn 1:1:100, one request at a time",
        "balance leastconn",
        &["weight 1", "weight 1", "weight 100"],
        Send::Same(3000),
        Expect::ByChance,
    )
}

pub(super) fn leastconn_held() -> Scenario {
    scenario("leastconn 3:2:1, 30 in flight", "balance leastconn", THREE, Send::Held(30), Expect::InFlight)
}

pub(super) fn leastconn_floor() -> Scenario {
    scenario(
        "leastconn 1:1:100, 30 in flight",
        "balance leastconn",
        &["weight 1", "weight 1", "weight 100"],
        Send::Held(30),
        Expect::InFlight,
    )
}

pub(super) fn leastconn_flowing() -> Scenario {
    scenario(
        "leastconn 3:2:1, 30 always in flight",
        "balance leastconn",
        THREE,
        Send::Flowing { at_once: 30, count: 3000 },
        Expect::ByChance,
    )
}

pub(super) fn leastconn_fails() -> Scenario {
    let options: Vec<String> = [4, 3, 2, 1].iter().map(|weight| format!("weight {weight} {CHECK}")).collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    scenario(
        "leastconn 4:3:2:1, the second fails, 30 in flight",
        "balance leastconn",
        &options,
        Send::Held(30),
        Expect::InFlight,
    )
    .fails(&[1], Notice::Checks)
}

pub(super) fn first_idle() -> Scenario {
    picks("first, ids 30, 10, 20", "balance first", &["id 30", "id 10", "id 20"])
}

pub(super) fn first_maxconn() -> Scenario {
    scenario(
        "first with maxconn 5, 12 in flight",
        "balance first",
        &["maxconn 5", "maxconn 5", "maxconn 5"],
        Send::Held(12),
        Expect::InFlight,
    )
}

pub(super) fn maxconn_spill() -> Scenario {
    scenario(
        "roundrobin 3:2:1 with maxconn 3 on the heaviest, 12 in flight",
        "balance roundrobin",
        &["weight 3 maxconn 3", "weight 2", "weight 1"],
        Send::Held(12),
        Expect::InFlight,
    )
}

pub(super) fn random_idle() -> Scenario {
    scenario(
        "random, weights 3:2:1, one request at a time",
        "balance random",
        THREE,
        Send::Same(10_000),
        Expect::ByChance,
    )
}

pub(super) fn random_one() -> Scenario {
    scenario("random(1), weights 3:2:1", "balance random(1)", THREE, Send::Same(10_000), Expect::ByChance)
}

pub(super) fn nobodys_algorithm() -> Scenario {
    scenario("no balance line, weights 3:2:1", "", THREE, Send::Same(10_000), Expect::ByChance)
}

pub(super) fn random_busy() -> Scenario {
    scenario(
        "random(2), weights 3:2:1, 30 always in flight",
        "balance random(2)",
        THREE,
        Send::Flowing { at_once: 30, count: 4000 },
        Expect::ByChance,
    )
}

pub(super) fn template() -> Scenario {
    let config = config("", "balance roundrobin; server-template t 3 @BACK1@; server s @BACK2@");
    let send = Send::Same(1200);
    Scenario::new(
        Dialect::HaProxy,
        "server-template of 3 beside a server",
        config,
        send,
        Expect::ToOneRequest,
    )
}

pub(super) fn use_server() -> Scenario {
    scenario(
        "use-server for everything",
        "use-server s2 if TRUE",
        THREE,
        Send::Same(100),
        Expect::ToOneRequest,
    )
}

// ---- splits, sessions, limits, failures that nothing notices

/// Everything from the frontend on.
fn end_to_end(title: &str, config: String, send: Send) -> Scenario {
    Scenario::new(Dialect::HaProxy, title, config, send, Expect::EndToEnd)
}

pub(super) fn rand_split() -> Scenario {
    let front = "use_backend canary if { rand(100) lt 10 }; use_backend third if { rand(100) lt 50 }";
    let main = servers(&["weight 2", "weight 1"]);
    let canary = "backend canary\n    server c @BACK3@\nbackend third\n    server t @BACK4@\n";
    let config = format!("{}{canary}", config(front, &main));
    end_to_end("rand(100) lt 10, then rand(100) lt 50 of the rest", config, Send::Same(10_000))
}

pub(super) fn cookie_sessions() -> Scenario {
    let mut scenario = scenario(
        "cookie insert; one server without a cookie; half of the requests return",
        "balance roundrobin; cookie SRV insert indirect nocache",
        &["cookie a", "cookie b", ""],
        // Two of three clients get a cookie and return three times with it; the third returns without one.
        Send::Returning { clients: 300, returns: 3 },
        Expect::ToOneRequest,
    );
    scenario.returning = Some(0.5);
    scenario
}

pub(super) fn cookie_even() -> Scenario {
    let mut scenario = scenario(
        "cookie insert on every server, weights 3:2:1; three of four requests return",
        "balance roundrobin; cookie SRV insert indirect nocache",
        &["weight 3 cookie a", "weight 2 cookie b", "weight 1 cookie c"],
        Send::Returning { clients: 300, returns: 3 },
        Expect::ToOneRequest,
    );
    scenario.returning = Some(0.75);
    scenario
}

pub(super) fn leastconn_maxconn() -> Scenario {
    scenario(
        "leastconn with maxconn 4 on the heaviest, 12 in flight",
        "balance leastconn",
        &["weight 3 maxconn 4", "weight 2", "weight 1"],
        Send::Held(12),
        Expect::InFlight,
    )
}

pub(super) fn balance_factor() -> Scenario {
    scenario(
        "hash-balance-factor 110, ring of weights 3:2:1, 30 always in flight",
        "balance hdr(x-user); hash-type consistent; hash-balance-factor 110",
        THREE,
        Send::FlowingKeys { at_once: 30, count: 8000, header: "X-User" },
        Expect::ByChance,
    )
}

pub(super) fn queue() -> Scenario {
    scenario(
        "roundrobin with maxconn 2 and 3, 12 requests at once",
        "balance roundrobin; timeout queue 30s",
        &["maxconn 2", "maxconn 3", "maxconn 2"],
        Send::Crowd(12),
        Expect::Crowd,
    )
}

pub(super) fn default_balance() -> Scenario {
    scenario("no balance line, weights 3:2:1", "", THREE, Send::Same(6000), Expect::ByChance)
}

pub(super) fn stick_source() -> Scenario {
    let mut send = by_source();
    if let Send::Each(asks) = &mut send {
        asks.truncate(600);
        asks.extend_from_within(..);
    }
    let mut scenario = scenario(
        "stick on src, weights 3:2:1; every client comes twice",
        "balance roundrobin; stick-table type ip size 10k expire 1m; stick on src",
        THREE,
        send,
        Expect::ToOneRequest,
    );
    scenario.config = scenario.config.replace("bind @FRONT@", "bind @FRONT@ accept-proxy");
    scenario.returning = Some(0.5);
    scenario
}
