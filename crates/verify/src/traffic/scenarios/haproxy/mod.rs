//! HAProxy.

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

// ---- hashing

pub(super) fn source_map() -> Scenario {
    keys_of_clients("source, map-based", "balance source", by_source())
}

pub(super) fn source_neighbours() -> Scenario {
    keys_of_clients(
        "source with avalanche, one network",
        "balance source; hash-type map-based sdbm avalanche",
        by_neighbour(),
    )
}

pub(super) fn source_ring() -> Scenario {
    keys_of_clients("source, consistent", "balance source; hash-type consistent", by_source())
}

pub(super) fn source_ipv6() -> Scenario {
    keys_of_clients("source of IPv6 clients, map-based", "balance source", by_source6())
}

pub(super) fn source_ipv6_ring() -> Scenario {
    keys_of_clients(
        "source of IPv6 clients, consistent",
        "balance source; hash-type consistent",
        by_source6(),
    )
}

/// Clients are told apart by the PROXY protocol.
fn keys_of_clients(title: &str, lines: &str, send: Send) -> Scenario {
    let mut scenario = keys(title, lines, send);
    scenario.config = scenario.config.replace("bind @FRONT@", "bind @FRONT@ accept-proxy");
    scenario
}

pub(super) fn uri_map() -> Scenario {
    keys("uri, map-based", "balance uri", by_path())
}

pub(super) fn uri_ring() -> Scenario {
    keys("uri, consistent", "balance uri; hash-type consistent", by_path())
}

pub(super) fn uri_len() -> Scenario {
    let ask = |number: usize| {
        let path = format!("/{:04}/rest-{number}", number * 7);
        Ask { key: path[..5].to_owned(), path, ..Ask::default() }
    };
    keys("uri len 5", "balance uri len 5", each(ask))
}

pub(super) fn uri_depth() -> Scenario {
    let ask = |number: usize| {
        let key = format!("/shop-{number}/list");
        Ask { path: format!("{key}/deep/er?{number}"), key, ..Ask::default() }
    };
    keys("uri depth 2, consistent", "balance uri depth 2; hash-type consistent", each(ask))
}

pub(super) fn uri_whole() -> Scenario {
    let ask = |number: usize| {
        let key = format!("/find?page={number}");
        Ask { path: key.clone(), key, ..Ask::default() }
    };
    keys("uri whole", "balance uri whole", each(ask))
}

pub(super) fn uri_path_only() -> Scenario {
    let ask = |number: usize| {
        let key = format!("/a/{number}");
        Ask { path: format!("http://test.example{key}?x"), key, ..Ask::default() }
    };
    keys("uri path-only of absolute URIs", "balance uri path-only", each(ask))
}

pub(super) fn url_param() -> Scenario {
    keys("url_param id, map-based", "balance url_param id", by_query())
}

pub(super) fn hdr_map() -> Scenario {
    keys("hdr(x-user), map-based sdbm", "balance hdr(x-user)", by_header("X-User"))
}

pub(super) fn hdr_ring() -> Scenario {
    keys("hdr(x-user), consistent", "balance hdr(x-user); hash-type consistent", by_header("X-User"))
}

pub(super) fn hash_expression() -> Scenario {
    keys(
        "hash req.hdr(x-user), consistent",
        "balance hash req.hdr(x-user); hash-type consistent",
        by_header("X-User"),
    )
    .since(2, 6)
}

fn function(words: &str) -> Scenario {
    let title = format!("hdr(x-user), {words}");
    keys(&title, &format!("balance hdr(x-user); hash-type {words}"), by_header("X-User"))
}

pub(super) fn map_sdbm_avalanche() -> Scenario {
    function("map-based sdbm avalanche")
}

pub(super) fn map_djb2() -> Scenario {
    function("map-based djb2")
}

pub(super) fn map_djb2_avalanche() -> Scenario {
    function("map-based djb2 avalanche")
}

pub(super) fn map_crc32() -> Scenario {
    function("map-based crc32")
}

pub(super) fn map_crc32_avalanche() -> Scenario {
    function("map-based crc32 avalanche")
}

pub(super) fn ring_sdbm() -> Scenario {
    function("consistent sdbm")
}

pub(super) fn ring_djb2() -> Scenario {
    function("consistent djb2")
}

pub(super) fn ring_djb2_avalanche() -> Scenario {
    function("consistent djb2 avalanche")
}

pub(super) fn ring_crc32() -> Scenario {
    function("consistent crc32")
}

pub(super) fn ring_crc32_avalanche() -> Scenario {
    function("consistent crc32 avalanche")
}

pub(super) fn map_wt6() -> Scenario {
    function("map-based wt6")
}

pub(super) fn map_wt6_avalanche() -> Scenario {
    function("map-based wt6 avalanche")
}

pub(super) fn ring_wt6() -> Scenario {
    function("consistent wt6")
}

pub(super) fn ring_wt6_avalanche() -> Scenario {
    function("consistent wt6 avalanche")
}

pub(super) fn ring_ids() -> Scenario {
    scenario(
        "consistent, ids 7, 3 and by position",
        "balance hdr(x-user); hash-type consistent",
        &["id 7 weight 10", "id 3 weight 20", "weight 10"],
        by_header("X-User"),
        Expect::EveryKey,
    )
}

pub(super) fn map_fails() -> Scenario {
    scenario("uri, map-based, one of four fails", "balance uri", CHECKED, by_path(), Expect::EveryKey)
        .fails(&[1], Notice::Checks)
}

pub(super) fn ring_fails() -> Scenario {
    scenario(
        "uri, consistent, two of four fail",
        "balance uri; hash-type consistent",
        CHECKED,
        by_path(),
        Expect::EveryKey,
    )
    .fails(&[0, 2], Notice::Checks)
}

pub(super) fn map_disabled() -> Scenario {
    scenario(
        "hdr(x-user), map-based, weights 4:6:10, one disabled, one weight 0",
        "balance hdr(x-user)",
        &["weight 4", "weight 6 disabled", "weight 10", "weight 0", "weight 6"],
        by_header("X-User"),
        Expect::EveryKey,
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

/// A server has ended and nothing checks it. Retries on the same server wait for `timeout connect`, up to a second.
fn unnoticed(title: &str, lines: &str, options: &[&str], send: Send) -> Scenario {
    let mut scenario = scenario(title, lines, options, send, Expect::Errors).fails(&[1], Notice::Never);
    scenario.config = scenario.config.replace("timeout connect 1s", "timeout connect 50ms");
    scenario
}

pub(super) fn errors_without_redispatch() -> Scenario {
    unnoticed(
        "roundrobin 3:2:1 without redispatch, one dead",
        "balance roundrobin; retries 1",
        THREE,
        Send::Same(120),
    )
}

pub(super) fn errors_with_redispatch() -> Scenario {
    unnoticed(
        "roundrobin 3:2:1 with option redispatch, one dead",
        "balance roundrobin; retries 1; option redispatch",
        THREE,
        Send::Same(300),
    )
}

pub(super) fn errors_redispatch_map() -> Scenario {
    unnoticed(
        "uri map-based with option redispatch, one of three dead",
        "balance uri; retries 1; option redispatch 1",
        &["", "", ""],
        Send::Each(paths(150)),
    )
}

pub(super) fn attempts() -> Scenario {
    scenario(
        "retry-on 500 with retries 3, every answer is 500",
        "balance roundrobin; retries 3; retry-on 500; option redispatch 1",
        &["", "", ""],
        Send::Failing(100),
        Expect::Attempts,
    )
}

pub(super) fn ring_addresses() -> Scenario {
    placed_by("addr")
}

pub(super) fn ring_ports() -> Scenario {
    placed_by("addr-port")
}

fn placed_by(key: &str) -> Scenario {
    let options = ["weight 3", "weight 2", "weight 1"].map(|weight| format!("{weight} hash-key {key}"));
    scenario(
        &format!("consistent, hash-key {key}"),
        "balance hdr(x-user); hash-type consistent",
        &options.each_ref().map(String::as_str),
        by_header("X-User"),
        Expect::EveryKey,
    )
    .since(3, 0)
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

/// Hash function `none` takes the number that a key begins with.
fn numbered(words: &str) -> Scenario {
    let ask = |number: usize| {
        let key = match number % 5 {
            0 => format!("{number}-rest"),
            1 => format!("-{}", number * 1009),
            2 => format!("user-{number}"),
            _ => (number as u32).wrapping_mul(2_654_435_769).to_string(),
        };
        Ask { path: "/".into(), headers: vec![("X-User", key.clone())], key, ..Ask::default() }
    };
    let title = format!("hdr(x-user) with numbers, {words}");
    keys(&title, &format!("balance hdr(x-user); hash-type {words}"), each(ask)).since(2, 9)
}

pub(super) fn map_none() -> Scenario {
    numbered("map-based none")
}

pub(super) fn ring_none() -> Scenario {
    numbered("consistent none")
}

pub(super) fn ring_none_avalanche() -> Scenario {
    numbered("consistent none avalanche")
}

pub(super) fn source_none() -> Scenario {
    keys_of_clients("source, consistent none", "balance source; hash-type consistent none", by_source())
        .since(2, 9)
}
