//! Where keys go in HAProxy.

use super::*;

pub(in crate::traffic::scenarios) fn source_map() -> Scenario {
    keys_of_clients("source, map-based", "balance source", by_source())
}

pub(in crate::traffic::scenarios) fn source_neighbours() -> Scenario {
    keys_of_clients(
        "source with avalanche, one network",
        "balance source; hash-type map-based sdbm avalanche",
        by_neighbour(),
    )
}

pub(in crate::traffic::scenarios) fn source_ring() -> Scenario {
    keys_of_clients("source, consistent", "balance source; hash-type consistent", by_source())
}

pub(in crate::traffic::scenarios) fn source_ipv6() -> Scenario {
    keys_of_clients("source of IPv6 clients, map-based", "balance source", by_source6())
}

pub(in crate::traffic::scenarios) fn source_ipv6_ring() -> Scenario {
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

pub(in crate::traffic::scenarios) fn uri_map() -> Scenario {
    keys("uri, map-based", "balance uri", by_path())
}

pub(in crate::traffic::scenarios) fn uri_ring() -> Scenario {
    keys("uri, consistent", "balance uri; hash-type consistent", by_path())
}

pub(in crate::traffic::scenarios) fn uri_len() -> Scenario {
    let ask = |number: usize| {
        let path = format!("/{:04}/rest-{number}", number * 7);
        Ask { key: path[..5].to_owned(), path, ..Ask::default() }
    };
    keys("uri len 5", "balance uri len 5", each(ask))
}

pub(in crate::traffic::scenarios) fn uri_depth() -> Scenario {
    let ask = |number: usize| {
        let key = format!("/shop-{number}/list");
        Ask { path: format!("{key}/deep/er?{number}"), key, ..Ask::default() }
    };
    keys("uri depth 2, consistent", "balance uri depth 2; hash-type consistent", each(ask))
}

pub(in crate::traffic::scenarios) fn uri_whole() -> Scenario {
    let ask = |number: usize| {
        let key = format!("/find?page={number}");
        Ask { path: key.clone(), key, ..Ask::default() }
    };
    keys("uri whole", "balance uri whole", each(ask))
}

pub(in crate::traffic::scenarios) fn uri_path_only() -> Scenario {
    let ask = |number: usize| {
        let key = format!("/a/{number}");
        Ask { path: format!("http://test.example{key}?x"), key, ..Ask::default() }
    };
    keys("uri path-only of absolute URIs", "balance uri path-only", each(ask))
}

pub(in crate::traffic::scenarios) fn url_param() -> Scenario {
    keys("url_param id, map-based", "balance url_param id", by_query())
}

pub(in crate::traffic::scenarios) fn hdr_map() -> Scenario {
    keys("hdr(x-user), map-based sdbm", "balance hdr(x-user)", by_header("X-User"))
}

pub(in crate::traffic::scenarios) fn hdr_ring() -> Scenario {
    keys("hdr(x-user), consistent", "balance hdr(x-user); hash-type consistent", by_header("X-User"))
}

pub(in crate::traffic::scenarios) fn hash_expression() -> Scenario {
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

pub(in crate::traffic::scenarios) fn map_sdbm_avalanche() -> Scenario {
    function("map-based sdbm avalanche")
}

pub(in crate::traffic::scenarios) fn map_djb2() -> Scenario {
    function("map-based djb2")
}

pub(in crate::traffic::scenarios) fn map_djb2_avalanche() -> Scenario {
    function("map-based djb2 avalanche")
}

pub(in crate::traffic::scenarios) fn map_crc32() -> Scenario {
    function("map-based crc32")
}

pub(in crate::traffic::scenarios) fn map_crc32_avalanche() -> Scenario {
    function("map-based crc32 avalanche")
}

pub(in crate::traffic::scenarios) fn ring_sdbm() -> Scenario {
    function("consistent sdbm")
}

pub(in crate::traffic::scenarios) fn ring_djb2() -> Scenario {
    function("consistent djb2")
}

pub(in crate::traffic::scenarios) fn ring_djb2_avalanche() -> Scenario {
    function("consistent djb2 avalanche")
}

pub(in crate::traffic::scenarios) fn ring_crc32() -> Scenario {
    function("consistent crc32")
}

pub(in crate::traffic::scenarios) fn ring_crc32_avalanche() -> Scenario {
    function("consistent crc32 avalanche")
}

pub(in crate::traffic::scenarios) fn map_wt6() -> Scenario {
    function("map-based wt6")
}

pub(in crate::traffic::scenarios) fn map_wt6_avalanche() -> Scenario {
    function("map-based wt6 avalanche")
}

pub(in crate::traffic::scenarios) fn ring_wt6() -> Scenario {
    function("consistent wt6")
}

pub(in crate::traffic::scenarios) fn ring_wt6_avalanche() -> Scenario {
    function("consistent wt6 avalanche")
}

pub(in crate::traffic::scenarios) fn ring_ids() -> Scenario {
    scenario(
        "consistent, ids 7, 3 and by position",
        "balance hdr(x-user); hash-type consistent",
        &["id 7 weight 10", "id 3 weight 20", "weight 10"],
        by_header("X-User"),
        Expect::EveryKey,
    )
}

pub(in crate::traffic::scenarios) fn map_fails() -> Scenario {
    scenario("uri, map-based, one of four fails", "balance uri", CHECKED, by_path(), Expect::EveryKey)
        .fails(&[1], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn ring_fails() -> Scenario {
    scenario(
        "uri, consistent, two of four fail",
        "balance uri; hash-type consistent",
        CHECKED,
        by_path(),
        Expect::EveryKey,
    )
    .fails(&[0, 2], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn map_disabled() -> Scenario {
    scenario(
        "hdr(x-user), map-based, weights 4:6:10, one disabled, one weight 0",
        "balance hdr(x-user)",
        &["weight 4", "weight 6 disabled", "weight 10", "weight 0", "weight 6"],
        by_header("X-User"),
        Expect::EveryKey,
    )
}

pub(in crate::traffic::scenarios) fn ring_addresses() -> Scenario {
    placed_by("addr")
}

pub(in crate::traffic::scenarios) fn ring_ports() -> Scenario {
    placed_by("addr-port")
}

pub(in crate::traffic::scenarios) fn ring_hash_key_id() -> Scenario {
    placed_by("id")
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

pub(in crate::traffic::scenarios) fn map_none() -> Scenario {
    numbered("map-based none")
}

pub(in crate::traffic::scenarios) fn ring_none() -> Scenario {
    numbered("consistent none")
}

pub(in crate::traffic::scenarios) fn ring_none_avalanche() -> Scenario {
    numbered("consistent none avalanche")
}

pub(in crate::traffic::scenarios) fn source_none() -> Scenario {
    keys_of_clients("source, consistent none", "balance source; hash-type consistent none", by_source())
        .since(2, 9)
}
