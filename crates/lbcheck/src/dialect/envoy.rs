//! What is known of Envoy's language.

use super::{Advice, Algorithms, BareTimes, Description, Draws, Files, Form, Nouns, Tiers, Version};

pub(super) static DESCRIPTION: Description = Description {
    name: "envoy",
    product: "Envoy",
    nouns: Nouns { pool: "cluster", endpoint: "endpoint", listener: "listener", socket: "listener" },
    assumed_version: Version::new(1, 40),
    files: Files {
        usual: "envoy.yaml",
        names: &[("envoy", "yaml"), ("envoy", "yml"), ("envoy", "json")],
        in_directory: &["*.yaml", "*.yml", "*.json"],
        // Any program may keep YAML beside a proxy's files.
        told_by_content: true,
        // Resource files are parts of the one bootstrap.
        join_main: true,
        line: is_key,
        json: |text| {
            let keys = KEYS.iter().filter(|key| text.contains(&format!("\"{key}\""))).count() as u32;
            keys + u32::from(text.contains(TYPE))
        },
        is_main,
    },
    form: Form::Tree,
    comment: '#',
    reads_environment: false,
    bare_times: BareTimes::Seconds,
    has_control_plane: true,
    needs_listener: false,
    pools_by_mode: false,
    routes_name_hosts: false,
    normalizes_paths: false,
    // LOGICAL_DNS too: one address is used at a time, but there may be others to go to.
    names_are_services: true,
    weights_everywhere: true,
    tiers: Tiers::Levels,
    draws: Draws::Once,
    random_on_ring: false,
    idle_before_weight: false,
    algorithms: Algorithms {
        round_robin: "ROUND_ROBIN",
        least_connections,
        random: |_, _| "RANDOM".to_owned(),
        map_hash: "hash",
        quote: '`',
    },
    advice: Advice {
        nothing_watches: "neither health_checks nor outlier_detection is set",
        watch: "add health_checks, outlier_detection or both",
        check_all: "remove disable_active_health_check, or say why it is there",
        restore_client: "set `xff_num_trusted_hops` to the number of proxies in front, or hash a header or cookie",
        share_by_weight: "use ROUND_ROBIN where weights are to be shares, or set `active_request_bias` to 0",
        divide: "divide traffic between clusters with `weighted_clusters`, whatever their size",
    },
};

fn least_connections(choices: Option<u32>, bias: Option<&str>) -> String {
    let mut name = match choices {
        Some(2) => "LEAST_REQUEST".to_owned(),
        Some(choices) => format!("LEAST_REQUEST with {choices} choices"),
        None => "LEAST_REQUEST with a full scan".to_owned(),
    };
    if let Some(bias) = bias {
        name += &format!(" and bias {bias}");
    }
    name
}

/// Whether a text has the outermost keys of a bootstrap or a `config_dump`.
fn is_main(text: &str) -> bool {
    if super::is_json(text) {
        return MAIN_KEYS.iter().any(|key| text.contains(&format!("\"{key}\"")));
    }
    text.lines().any(|line| {
        line.split_once(':').is_some_and(|(key, _)| MAIN_KEYS.contains(&key.trim_matches(['"', '\''])))
    })
}

/// A key that Envoy's resources have and other YAML has not.
fn is_key(line: &str) -> bool {
    let line = line.trim_start_matches("- ").trim_start();
    if line.contains(TYPE) {
        return true;
    }
    let Some((key, rest)) = line.split_once(':') else { return false };
    let key = key.trim().trim_matches(['"', '\'']);
    (rest.is_empty() || rest.starts_with([' ', '\t'])) && KEYS.contains(&key)
}

/// Outermost keys of a bootstrap or a `config_dump`.
const MAIN_KEYS: &[&str] =
    &["configs", "dynamic_resources", "dynamicResources", "static_resources", "staticResources"];

const TYPE: &str = "type.googleapis.com/envoy.";

const KEYS: &[&str] = &[
    "@type",
    "cluster_name",
    "clusterName",
    "connect_timeout",
    "connectTimeout",
    "dynamic_resources",
    "dynamicResources",
    "filter_chains",
    "filterChains",
    "generic_secret",
    "genericSecret",
    "http_filters",
    "httpFilters",
    "ignore_port_in_host_matching",
    "ignorePortInHostMatching",
    "lb_endpoints",
    "lbEndpoints",
    "lb_policy",
    "lbPolicy",
    "load_assignment",
    "loadAssignment",
    "route_config",
    "routeConfig",
    "socket_address",
    "socketAddress",
    "static_resources",
    "staticResources",
    "tls_certificate",
    "tlsCertificate",
    "virtual_hosts",
    "virtualHosts",
];
