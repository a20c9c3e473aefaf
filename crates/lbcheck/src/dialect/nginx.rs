//! What is known of nginx's language.

use super::{Advice, Algorithms, BareTimes, Description, Draws, Files, Form, Nouns, Tiers, Version};

pub(super) static DESCRIPTION: Description = Description {
    name: "nginx",
    product: "nginx",
    // Server blocks that listen at one address are one listener.
    nouns: Nouns { pool: "upstream", endpoint: "server", listener: "server block", socket: "listen" },
    assumed_version: Version::new(1, 30),
    files: Files {
        usual: "nginx.conf",
        names: &[("", "conf")],
        in_directory: &["nginx.conf"],
        told_by_content: false,
        join_main: false,
        line: is_directive,
        json: |_| 0,
        is_main,
    },
    form: Form::Statements,
    comment: '#',
    reads_environment: false,
    bare_times: BareTimes::Seconds,
    has_control_plane: false,
    needs_listener: false,
    pools_by_mode: true,
    routes_name_hosts: true,
    normalizes_paths: true,
    // Names are mostly those of single machines.
    names_are_services: false,
    weights_everywhere: false,
    tiers: Tiers::Backups,
    draws: Draws::Hashed,
    random_on_ring: false,
    idle_before_weight: false,
    algorithms: Algorithms {
        round_robin: "round robin",
        least_connections: |_, _| "least_conn".to_owned(),
        random: |draws, by| match (draws, by) {
            (1, _) => "random".to_owned(),
            (_, None) => "random two".to_owned(),
            (_, Some(by)) => format!("random two {by}"),
        },
        map_hash: "hash",
        quote: '"',
    },
    advice: Advice {
        nothing_watches: "every server has max_fails=0",
        watch: "set max_fails to 1 or more",
        check_all: "check the upstream as a whole with `health_check`",
        restore_client: "restore the address with `set_real_ip_from` and `real_ip_header`, or hash something else",
        share_by_weight: "use round robin where weights are to be shares",
        divide: "divide traffic between upstreams with `split_clients`, whatever their size",
    },
};

/// Whether a block opens that stands in no other.
fn is_main(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| {
        ["events", "http", "stream", "mail"]
            .iter()
            .filter_map(|block| line.strip_prefix(block))
            .any(|rest| rest.trim_start().starts_with('{'))
    })
}

/// A well-known directive that ends or opens something on its line.
fn is_directive(line: &str) -> bool {
    let end = line.find(|letter: char| letter.is_whitespace() || letter == '{' || letter == ';');
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    if BLOCKS.contains(&word) {
        // Two braces, or one with a percent sign, begin a hole of a template.
        let opens = |(at, _): (usize, &str)| {
            !rest.get(at + 1..).unwrap_or_default().starts_with(['{', '%', '#'])
                && !rest.get(..at).unwrap_or_default().ends_with('{')
        };
        return rest.match_indices('{').any(opens);
    }
    DIRECTIVES.contains(&word) && rest.contains(';')
}

const BLOCKS: &[&str] =
    &["events", "http", "stream", "server", "upstream", "location", "map", "split_clients", "geo", "mail"];

const DIRECTIVES: &[&str] = &[
    "access_log",
    "error_log",
    "include",
    "keepalive_timeout",
    "listen",
    "load_module",
    "pid",
    "proxy_pass",
    "proxy_set_header",
    "root",
    "sendfile",
    "server",
    "server_name",
    "ssl_certificate",
    "user",
    "worker_connections",
    "worker_processes",
];
