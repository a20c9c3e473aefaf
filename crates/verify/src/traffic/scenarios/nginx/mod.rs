//! nginx.

mod failures;

pub(super) use failures::*;

use lbcheck::dialect::Dialect;

use super::servers_of;
use crate::traffic::client::Ask;
use crate::traffic::scenario::{
    Expect, Notice, Scenario, Send, by_header, by_neighbour, by_path, by_source, by_source6,
};

/// An upstream of the given lines, and a server that passes everything to it.
fn config(upstream: &str) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path @DIR@/{kind};\n"))
        .concat();
    let upstream: String = upstream.lines().map(|line| format!("        {}\n", line.trim())).collect();
    format!(
        "events {{ worker_connections 1000; }}\n\
         http {{\n    access_log off;\n{temporary}    \
         upstream pool {{\n{upstream}    }}\n    \
         server {{\n        listen @FRONT@;\n        keepalive_requests 100000;\n        \
         proxy_read_timeout 30s;\n        location / {{ proxy_pass http://pool; }}\n    }}\n}}\n"
    )
}

/// Server lines, one for each text of options.
fn servers(options: &[&str]) -> String {
    servers_of(options, |number, options| format!("server @BACK{number}@ {options};\n"))
}

fn scenario(title: &str, method: &str, options: &[&str], send: Send, expect: Expect) -> Scenario {
    let upstream = format!("{method}\n{}", servers(options));
    Scenario::new(Dialect::Nginx, title, config(upstream.trim()), send, expect)
}

const THREE: &[&str] = &["weight=3", "weight=2", "weight=1"];

fn keys(title: &str, method: &str, options: &[&str], send: Send) -> Scenario {
    scenario(title, method, options, send, Expect::EveryKey)
}

fn picks(title: &str, method: &str, options: &[&str]) -> Scenario {
    scenario(title, method, options, Send::Same(2000), Expect::EveryPick)
}

pub(super) fn round_robin() -> Scenario {
    picks("round robin, weights 5:1:1", "", &["weight=5", "", ""])
}

pub(super) fn round_robin_four() -> Scenario {
    picks("round robin, weights 1:2:3:4", "", &["", "weight=2", "weight=3", "weight=4"])
}

pub(super) fn round_robin_out() -> Scenario {
    picks(
        "round robin, one down, one backup",
        "",
        &["weight=5", "weight=9 down", "weight=2", "weight=3 backup"],
    )
}

pub(super) fn all_down() -> Scenario {
    scenario("round robin, every server down", "", &["down", "down"], Send::Same(50), Expect::ToOneRequest)
}

pub(super) fn keepalive() -> Scenario {
    let mut scenario = picks("round robin 3:2:1 with keepalive", "", THREE);
    scenario.config =
        scenario.config.replace("upstream pool {\n", "upstream pool {\n        keepalive 8;\n").replace(
            "keepalive_requests",
            "proxy_http_version 1.1; proxy_set_header Connection \"\"; keepalive_requests",
        );
    scenario
}

pub(super) fn backup_takes_over() -> Scenario {
    scenario(
        "backups 3:1, both primaries fail",
        "",
        &[
            "max_fails=1 fail_timeout=60s",
            "max_fails=1 fail_timeout=60s",
            "weight=3 backup",
            "weight=1 backup",
        ],
        Send::Same(400),
        Expect::ToOneRequest,
    )
    .fails(&[0, 1], Notice::Requests(4))
}

pub(super) fn max_fails() -> Scenario {
    scenario(
        "round robin 4:3:2:1, the heaviest fails",
        "",
        &[
            "weight=4 max_fails=2 fail_timeout=60s",
            "weight=3 fail_timeout=60s",
            "weight=2 fail_timeout=60s",
            "weight=1 fail_timeout=60s",
        ],
        Send::Same(1200),
        Expect::ToOneRequest,
    )
    .fails(&[0], Notice::Requests(60))
}

pub(super) fn least_conn_idle() -> Scenario {
    picks("least_conn 3:2:1, one request at a time", "least_conn;", THREE)
}

pub(super) fn least_conn_held() -> Scenario {
    scenario("least_conn 3:2:1, 30 in flight", "least_conn;", THREE, Send::Held(30), Expect::InFlight)
}

pub(super) fn least_conn_floor() -> Scenario {
    scenario(
        "least_conn 1:1:100, 30 in flight",
        "least_conn;",
        &["", "", "weight=100"],
        Send::Held(30),
        Expect::InFlight,
    )
}

pub(super) fn least_conn_flowing() -> Scenario {
    scenario(
        "least_conn 3:2:1, 30 always in flight",
        "least_conn;",
        THREE,
        Send::Flowing { at_once: 30, count: 3000 },
        Expect::ByChance,
    )
}

pub(super) fn random() -> Scenario {
    scenario("random, weights 3:2:1", "random;", THREE, Send::Same(6000), Expect::ByChance)
}

pub(super) fn random_two_idle() -> Scenario {
    scenario(
        "random two, weights 3:2:1, one request at a time",
        "random two;",
        THREE,
        Send::Same(6000),
        Expect::ByChance,
    )
}

pub(super) fn random_two_skewed() -> Scenario {
    scenario(
        "random two least_conn, weights 1:1:100, one request at a time",
        "random two least_conn;",
        &["", "", "weight=100"],
        Send::Same(6000),
        Expect::ByChance,
    )
}

pub(super) fn random_two_busy() -> Scenario {
    scenario(
        "random two, weights 3:2:1, 30 always in flight",
        "random two;",
        THREE,
        Send::Flowing { at_once: 30, count: 4000 },
        Expect::ByChance,
    )
}

pub(super) fn max_conns() -> Scenario {
    scenario(
        "round robin 3:2:1 with max_conns=3 on the heaviest, 12 in flight",
        "",
        &["weight=3 max_conns=3", "weight=2", "weight=1"],
        Send::Held(12),
        Expect::InFlight,
    )
}

pub(super) fn zone_workers() -> Scenario {
    let mut scenario = scenario(
        "round robin 3:2:1 with a zone, four workers",
        "zone shared 64k;",
        THREE,
        by_source(),
        Expect::ToOneRequest,
    )
    .workers(4);
    scenario.config = format!("worker_processes 4;\n{}", told_apart(&scenario.config));
    scenario
}

// ---- hashing

/// Clients are told apart by the PROXY protocol.
fn told_apart(config: &str) -> String {
    config.replace("listen @FRONT@;", "listen @FRONT@ proxy_protocol;\n        set_real_ip_from 127.0.0.0/8;\n        real_ip_header proxy_protocol;")
}

fn keys_of_clients(title: &str, options: &[&str], send: Send) -> Scenario {
    let mut scenario = keys(title, "ip_hash;", options, send);
    scenario.config = told_apart(&scenario.config);
    scenario
}

pub(super) fn hash() -> Scenario {
    keys("hash $uri, weights 3:2:1", "hash $uri;", THREE, by_path())
}

pub(super) fn hash_header() -> Scenario {
    keys("hash $http_x_user, equal weights", "hash $http_x_user;", &["", "", ""], by_header("X-User"))
}

pub(super) fn hash_down() -> Scenario {
    keys("hash $uri, one of four down", "hash $uri;", &["weight=3", "weight=2 down", "", ""], by_path())
}

pub(super) fn hash_overweight() -> Scenario {
    let weights = ["weight=10000"; 5];
    keys("hash $uri, total weight 50000", "hash $uri;", &weights, by_path())
}

pub(super) fn hash_fails() -> Scenario {
    let options = ["fail_timeout=60s"; 4];
    keys("hash $uri, one of four fails", "hash $uri;", &options, by_path()).fails(&[2], Notice::Requests(40))
}

pub(super) fn ketama() -> Scenario {
    keys("hash $uri consistent, weights 3:2:1", "hash $uri consistent;", THREE, by_path())
}

pub(super) fn ketama_header() -> Scenario {
    keys(
        "hash $http_x_user consistent, five servers",
        "hash $http_x_user consistent;",
        &["", "", "", "", ""],
        by_header("X-User"),
    )
}

pub(super) fn ketama_down() -> Scenario {
    keys("hash $uri consistent, one of four down", "hash $uri consistent;", &["", "down", "", ""], by_path())
}

pub(super) fn ketama_fails() -> Scenario {
    let options = ["fail_timeout=60s"; 4];
    keys("hash $uri consistent, one of four fails", "hash $uri consistent;", &options, by_path())
        .fails(&[0], Notice::Requests(40))
}

pub(super) fn ip_hash() -> Scenario {
    keys_of_clients("ip_hash, weights 3:2:1", THREE, by_source())
}

pub(super) fn ip_hash_neighbours() -> Scenario {
    let weights = ["weight=100", "weight=100", "weight=100"];
    keys_of_clients("ip_hash, weights 100:100:100, one network", &weights, by_neighbour())
}

pub(super) fn ip_hash_overweight() -> Scenario {
    let weights = ["weight=3000"; 4];
    keys_of_clients("ip_hash, total weight 12000", &weights, by_source())
}

pub(super) fn ip_hash_down() -> Scenario {
    keys_of_clients("ip_hash, one of four down", &["", "", "down", ""], by_source())
}

pub(super) fn ip_hash_ipv6() -> Scenario {
    keys_of_clients("ip_hash of IPv6 clients", THREE, by_source6())
}

fn keys_of_bytes(title: &str, method: &str, options: &[&str], send: Send) -> Scenario {
    let mut scenario = keys(title, method, options, send);
    scenario.config = told_apart(&scenario.config);
    scenario
}

pub(super) fn hash_address_bytes() -> Scenario {
    keys_of_bytes("hash $binary_remote_addr, weights 3:2:1", "hash $binary_remote_addr;", THREE, by_source())
}

pub(super) fn ketama_address_bytes() -> Scenario {
    let method = "hash $binary_remote_addr consistent;";
    keys_of_bytes("hash $binary_remote_addr consistent, weights 3:2:1", method, THREE, by_source())
}

pub(super) fn hash_address_bytes_ipv6() -> Scenario {
    keys_of_bytes(
        "hash $binary_remote_addr of IPv6 clients",
        "hash ${binary_remote_addr};",
        THREE,
        by_source6(),
    )
}

pub(super) fn hash_empty() -> Scenario {
    let send = Send::Each(vec![Ask { path: "/".into(), ..Ask::default() }; 600]);
    scenario("hash of a constant", "hash constant;", THREE, send, Expect::ToOneRequest)
}

// ---- splits

pub(super) fn split_clients() -> Scenario {
    let mut config = config("server @BACK1@ weight=2;\nserver @BACK2@;");
    config = config
        .replace("proxy_pass http://pool;", "proxy_pass http://$group;")
        .replace(
            "    upstream pool",
            "    split_clients $http_x_user $group {\n        10% canary;\n        25.5% third;\n        \
             *   pool;\n    }\n    upstream canary { server @BACK3@; }\n    upstream third { server @BACK4@; }\n    \
             upstream pool",
        );
    let mut scenario = Scenario::new(
        Dialect::Nginx,
        "split_clients 10 %, 25.5 % and the rest",
        config,
        by_header("X-User"),
        Expect::EndToEnd,
    );
    scenario.pool = "";
    scenario
}

fn sticky(title: &str, method: &str, options: &[&str]) -> Scenario {
    let method = format!("{method}sticky cookie srv;");
    let mut scenario =
        scenario(title, &method, options, Send::Returning { clients: 300, returns: 3 }, Expect::ToOneRequest)
            .since(1, 30);
    scenario.returning = Some(0.75);
    scenario
}

pub(super) fn sticky_cookie() -> Scenario {
    sticky("sticky cookie, weights 3:2:1; three of four requests return", "", THREE)
}
