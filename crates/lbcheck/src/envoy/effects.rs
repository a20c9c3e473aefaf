//! What the fields of Envoy's messages have an effect on, as data.

use crate::effect::EffectClass::{
    self, Availability, Capacity, Content, Observability, Process, Routing, Security, Share, Time, Unknown,
};

/// What a field has an effect on: by message and field, by the name of the field alone, then by the message.
pub(super) fn of(message: &str, field: &str) -> EffectClass {
    let short = message.rsplit('.').next().unwrap_or(message);
    let exact = FIELDS.iter().find(|(name, fields, _)| *name == short && fields.contains(&field));
    if let Some(&(.., class)) = exact {
        return class;
    }
    let by_name = NAMES.iter().find(|(names, _)| names.contains(&field));
    if let Some(&(_, class)) = by_name {
        return class;
    }
    if field.ends_with("_timeout") || field.ends_with("_interval") {
        return Time;
    }
    MESSAGES.iter().find(|(part, _)| message.contains(part)).map_or(Unknown, |&(_, class)| class)
}

/// Fields of one message, by its short name.
const FIELDS: &[(&str, &[&str], EffectClass)] = &[
    (
        "Cluster",
        &["name", "type", "cluster_type", "eds_cluster_config", "load_assignment", "dns_lookup_family"],
        Routing,
    ),
    (
        "Cluster",
        &[
            "lb_policy",
            "load_balancing_policy",
            "common_lb_config",
            "lb_subset_config",
            "ring_hash_lb_config",
            "maglev_lb_config",
            "least_request_lb_config",
            "round_robin_lb_config",
            "original_dst_lb_config",
        ],
        Share,
    ),
    (
        "Cluster",
        &["alt_stat_name", "track_cluster_stats", "track_timeout_budgets", "metadata"],
        Observability,
    ),
    ("Cluster", &["transport_socket", "transport_socket_matches"], Security),
    (
        "Cluster",
        &[
            "circuit_breakers",
            "per_connection_buffer_limit_bytes",
            "max_requests_per_connection",
            "preconnect_policy",
        ],
        Capacity,
    ),
    (
        "Cluster",
        &[
            "health_checks",
            "outlier_detection",
            "ignore_health_on_host_removal",
            "close_connections_on_host_health_failure",
            "dns_refresh_rate",
            "dns_failure_refresh_rate",
            "respect_dns_ttl",
            "dns_resolvers",
            "wait_for_warm_on_init",
            "dns_jitter",
            "use_tcp_for_dns_lookups",
            "typed_dns_resolver_config",
            "dns_resolution_config",
        ],
        Availability,
    ),
    (
        "Cluster",
        &[
            "protocol_selection",
            "http_protocol_options",
            "http2_protocol_options",
            "common_http_protocol_options",
            "upstream_http_protocol_options",
            "typed_extension_protocol_options",
            "upstream_bind_config",
            "filters",
            "upstream_config",
            "connection_pool_per_downstream_connection",
            "lrs_server",
            "upstream_connection_options",
        ],
        Content,
    ),
    (
        "RetryPolicy",
        &[
            "retry_on",
            "num_retries",
            "retry_priority",
            "retry_host_predicate",
            "retriable_status_codes",
            "retriable_headers",
            "retriable_request_headers",
            "host_selection_retry_max_attempts",
            "retry_options_predicates",
        ],
        Availability,
    ),
    (
        "RouteAction",
        &[
            "prefix_rewrite",
            "regex_rewrite",
            "host_rewrite_literal",
            "auto_host_rewrite",
            "host_rewrite_header",
            "host_rewrite_path_regex",
            "append_x_forwarded_host",
            "path_rewrite_policy",
            "cors",
        ],
        Content,
    ),
    (
        "RouteAction",
        &[
            "timeout",
            "idle_timeout",
            "flush_timeout",
            "max_grpc_timeout",
            "grpc_timeout_offset",
            "max_stream_duration",
        ],
        Time,
    ),
    ("RouteAction", &["hash_policy", "metadata_match"], Share),
    ("RouteAction", &["retry_policy", "retry_policy_typed_config", "hedge_policy"], Availability),
    ("RouteAction", &["rate_limits", "include_vh_rate_limits", "priority"], Capacity),
    ("RouteAction", &["request_mirror_policies", "upgrade_configs"], Content),
    (
        "HttpConnectionManager",
        &[
            "access_log",
            "access_log_options",
            "access_log_flush_interval",
            "tracing",
            "stat_prefix",
            "generate_request_id",
            "preserve_external_request_id",
            "always_set_request_id_in_response",
            "add_proxy_protocol_connection_state",
            "request_id_extension",
        ],
        Observability,
    ),
    (
        "HttpConnectionManager",
        &[
            "use_remote_address",
            "xff_num_trusted_hops",
            "original_ip_detection_extensions",
            "internal_address_config",
            "skip_xff_append",
            "forward_client_cert_details",
            "set_current_client_cert_details",
            "append_local_overload",
        ],
        Security,
    ),
    (
        "HttpConnectionManager",
        &[
            "server_name",
            "server_header_transformation",
            "via",
            "represent_ipv4_remote_address_as_ipv4_mapped_ipv6",
            "append_x_forwarded_port",
            "local_reply_config",
            "proxy_100_continue",
            "proxy_status_config",
            "http_protocol_options",
            "http2_protocol_options",
            "http3_protocol_options",
            "common_http_protocol_options",
            "codec_type",
            "early_header_mutation_extensions",
            "upgrade_configs",
        ],
        Content,
    ),
    ("HttpConnectionManager", &["max_request_headers_kb"], Capacity),
    (
        "HttpConnectionManager",
        &[
            "drain_timeout",
            "stream_idle_timeout",
            "request_timeout",
            "request_headers_timeout",
            "delayed_close_timeout",
        ],
        Time,
    ),
    ("Listener", &["stat_prefix", "access_log", "traffic_direction", "metadata"], Observability),
    (
        "Listener",
        &[
            "per_connection_buffer_limit_bytes",
            "tcp_backlog_size",
            "connection_balance_config",
            "max_connections_to_accept_per_socket_event",
            "enable_reuse_port",
            "reuse_port",
            "socket_options",
            "udp_listener_config",
            "tcp_fast_open_queue_length",
            "freebind",
            "drain_type",
            "enable_mptcp",
        ],
        Capacity,
    ),
    ("Listener", &["listener_filters_timeout"], Time),
    ("FilterChain", &["transport_socket", "use_proxy_proto"], Security),
    ("FilterChain", &["transport_socket_connect_timeout"], Time),
    ("FilterChain", &["metadata", "name"], Observability),
    ("VirtualHost", &["rate_limits", "per_request_buffer_limit_bytes"], Capacity),
    ("VirtualHost", &["retry_policy", "hedge_policy", "retry_policy_typed_config"], Availability),
    ("VirtualHost", &["require_tls"], Security),
    (
        "VirtualHost",
        &[
            "cors",
            "include_request_attempt_count",
            "include_attempt_count_in_response",
            "request_mirror_policies",
        ],
        Content,
    ),
    ("Route", &["stat_prefix", "tracing", "decorator"], Observability),
    ("Route", &["per_request_buffer_limit_bytes"], Capacity),
    ("LbEndpoint", &["load_balancing_weight", "metadata"], Share),
    ("LbEndpoint", &["health_status"], Availability),
    ("LocalityLbEndpoints", &["load_balancing_weight", "priority", "locality", "proximity"], Share),
    ("TcpProxy", &["access_log", "stat_prefix"], Observability),
    ("TcpProxy", &["max_connect_attempts", "backoff_options"], Availability),
    ("TcpProxy", &["hash_policy", "metadata_match"], Share),
    (
        "Bootstrap",
        &[
            "node",
            "layered_runtime",
            "flags_path",
            "header_prefix",
            "watchdogs",
            "watchdog",
            "bootstrap_extensions",
            "use_tcp_for_dns_lookups",
            "enable_dispatcher_stats",
            "default_socket_interface",
            "memory_allocator_manager",
        ],
        Process,
    ),
    (
        "Bootstrap",
        &["admin", "stats_sinks", "stats_config", "stats_flush_interval", "stats_flush_on_admin", "tracing"],
        Observability,
    ),
    ("Bootstrap", &["overload_manager"], Capacity),
];

/// Fields by name, whatever message they are of.
const NAMES: &[(&[&str], EffectClass)] = &[
    (&["stat_prefix", "access_log", "tracing", "decorator"], Observability),
    (
        &[
            "request_headers_to_add",
            "request_headers_to_remove",
            "response_headers_to_add",
            "response_headers_to_remove",
            "most_specific_header_mutations_wins",
            "internal_only_headers",
        ],
        Content,
    ),
    (&["connect_timeout", "timeout", "idle_timeout", "max_stream_duration", "max_connection_duration"], Time),
];

/// Messages by a part of their full name; the first that fits counts.
const MESSAGES: &[(&str, EffectClass)] = &[
    (".accesslog.", Observability),
    (".access_loggers.", Observability),
    (".formatter.", Observability),
    (".metrics.", Observability),
    (".stat_sinks.", Observability),
    (".tracers.", Observability),
    (".trace.", Observability),
    (".tap.", Observability),
    (".admin.", Observability),
    (".health_check.", Availability),
    (".health_checkers.", Availability),
    ("HealthCheck", Availability),
    ("OutlierDetection", Availability),
    ("CircuitBreakers", Capacity),
    ("RetryPolicy", Availability),
    (".overload", Capacity),
    (".resource_monitors.", Capacity),
    ("rate_limit", Capacity),
    ("ratelimit", Capacity),
    ("RateLimit", Capacity),
    (".local_ratelimit.", Capacity),
    (".connection_limit.", Capacity),
    (".admission_control.", Capacity),
    (".adaptive_concurrency.", Capacity),
    (".buffer.", Capacity),
    (".bandwidth_limit.", Capacity),
    ("ProxyProtocol", Content),
    ("proxy_protocol", Content),
    (".transport_sockets.", Security),
    (".rbac.", Security),
    (".jwt_authn.", Security),
    (".ext_authz.", Security),
    (".oauth2.", Security),
    (".basic_auth.", Security),
    (".api_key_auth.", Security),
    (".csrf.", Security),
    (".cors.", Content),
    (".compressor.", Content),
    (".decompressor.", Content),
    (".compression.", Content),
    (".header_mutation.", Content),
    (".header_to_metadata.", Routing),
    (".lua.", Routing),
    (".ext_proc.", Routing),
    (".wasm.", Routing),
    (".golang.", Routing),
    (".fault.", Availability),
    (".load_balancing_policies.", Share),
    ("LbConfig", Share),
    ("LbSubset", Share),
    ("LbPolicy", Share),
    (".stateful_session.", Share),
    (".http_protocol_options.", Content),
    ("ProtocolOptions", Content),
    (".endpoint.", Routing),
    (".route.", Routing),
    (".cluster.", Routing),
    (".clusters.", Routing),
    (".listener.", Routing),
    (".matcher.", Routing),
    (".matching.", Routing),
    (".http_connection_manager.", Routing),
    (".tcp_proxy.", Routing),
    (".udp", Routing),
    ("original_dst", Routing),
    ("tls_inspector", Routing),
    ("http_inspector", Routing),
    (".router.", Content),
    (".bootstrap.", Process),
    (".runtime.", Process),
    ("google.protobuf", Unknown),
    (".core.", Content),
    (".filters.", Content),
];

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn every_name_is_a_field_of_its_message() {
        for (message, fields, class) in FIELDS {
            assert_ne!(*class, EffectClass::None, "{message}");
            let all: Vec<_> =
                schema::message_names().filter(|name| schema::short(name) == *message).collect();
            assert!(!all.is_empty(), "{message}");
            for field in *fields {
                let known = all.iter().any(|name| {
                    let message = schema::message_number(name).and_then(schema::message);
                    message.is_some_and(|message| message.field(field).is_some())
                });
                assert!(known, "{message}.{field}");
            }
        }
    }

    #[test]
    fn the_messages_of_traffic_have_a_class_for_every_field() {
        let core = [
            "envoy.config.cluster.v3.Cluster",
            "envoy.config.endpoint.v3.ClusterLoadAssignment",
            "envoy.config.endpoint.v3.LbEndpoint",
            "envoy.config.listener.v3.Listener",
            "envoy.config.listener.v3.FilterChain",
            "envoy.config.route.v3.RouteConfiguration",
            "envoy.config.route.v3.VirtualHost",
            "envoy.config.route.v3.Route",
            "envoy.config.route.v3.RouteAction",
            "envoy.config.route.v3.RouteMatch",
            "envoy.config.core.v3.HealthCheck",
            "envoy.config.cluster.v3.OutlierDetection",
            "envoy.config.cluster.v3.CircuitBreakers.Thresholds",
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        ];
        for name in core {
            let message = schema::message_number(name).and_then(schema::message).unwrap();
            for field in message.fields {
                assert_ne!(of(name, field.name), Unknown, "{name}.{}", field.name);
            }
        }
    }
}
