//! What is known of HAProxy's language.

use super::{Advice, Algorithms, BareTimes, Description, Draws, Files, Form, Nouns, Tiers, Version};

pub(super) static DESCRIPTION: Description = Description {
    name: "haproxy",
    product: "HAProxy",
    nouns: Nouns { pool: "backend", endpoint: "server", listener: "frontend", socket: "frontend" },
    assumed_version: Version::new(3, 4),
    files: Files {
        usual: "haproxy.cfg",
        names: &[("", "cfg"), ("haproxy", "conf")],
        in_directory: &["*.cfg"],
        // HAProxy reads every `*.cfg`, whatever is in it, and starts from any number of files.
        told_by_content: false,
        join_main: false,
        line: is_section,
        json: |_| 0,
        is_main: |_| false,
    },
    form: Form::Lines,
    comment: '#',
    reads_environment: true,
    bare_times: BareTimes::Milliseconds,
    has_control_plane: false,
    needs_listener: true,
    pools_by_mode: false,
    routes_name_hosts: false,
    normalizes_paths: false,
    names_are_services: false,
    weights_everywhere: true,
    tiers: Tiers::Backups,
    draws: Draws::Each,
    random_on_ring: true,
    idle_before_weight: true,
    algorithms: Algorithms {
        round_robin: "roundrobin",
        least_connections: |_, _| "leastconn".to_owned(),
        random: |draws, _| format!("random({draws})"),
        map_hash: "map-based hash of",
        quote: '`',
    },
    advice: Advice {
        nothing_watches: "no server has a `check`",
        watch: "add `check` to every server, or `default-server check`",
        check_all: "check every server of the pool; `default-server check` does it once for all",
        restore_client: "take the address from the proxy (`accept-proxy`, `http-request set-src`), or use a cookie",
        share_by_weight: "use roundrobin where a weight is to hold a server to its share, as for a canary",
        divide: "divide traffic between backends with `rand()` in conditions, whatever their size",
    },
};

/// A section header: the keyword, the right number of words, and nothing that closes a line in nginx.
fn is_section(line: &str) -> bool {
    let code = line.split('#').next().unwrap_or(line).trim_end();
    if code.ends_with(['{', '}', ';']) {
        return false;
    }
    let mut words = code.split_whitespace();
    let Some(first) = words.next() else { return false };
    let more = words.count();
    match first {
        "global" | "mailers" | "ring" | "program" | "traces" => more <= 1,
        "defaults" => more <= 3,
        "frontend" | "listen" => (1..=2).contains(&more),
        "backend" => more == 1 || more == 3,
        "userlist" | "peers" | "resolvers" | "cache" | "http-errors" | "log-forward" | "fcgi-app"
        | "crt-store" | "log-profile" | "acme" => more == 1,
        _ => false,
    }
}
