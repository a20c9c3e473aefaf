//! What each message and field of Envoy's API has an effect on.

use crate::effect::EffectClass as Class;

/// The fields of a message that differ from its other ones.
type Fields = &'static [(Class, &'static [&'static str])];

/// What a field of a message has an effect on.
///
/// A message that serves many places (`HeaderValueOption`, `DataSource`, `ConfigSource`) has no class of its own: the
/// field in which it stands says more.
pub(crate) fn effect_class(message: &str, field: &str) -> Class {
    let found = entry(message);
    let own = found.and_then(|(_, _, fields)| fields.iter().find(|(_, names)| names.contains(&field)));
    if let Some((class, _)) = own {
        return *class;
    }
    // A message stands in a package or in another message: what is said of the nearest one holds.
    let mut name = message;
    loop {
        if let Some((_, class, _)) = entry(name).filter(|(_, class, _)| *class != Class::Unknown) {
            return class;
        }
        let Some((outer, _)) = name.rsplit_once('.') else { return Class::Unknown };
        name = outer;
    }
}

fn entry(name: &str) -> Option<(&'static str, Class, Fields)> {
    let index = EFFECTS.binary_search_by(|(known, ..)| (*known).cmp(name)).ok()?;
    EFFECTS.get(index).copied()
}

/// Messages, packages and beginnings of packages, sorted by name: what their fields have an effect on, and the fields
/// of a message that have another.
#[rustfmt::skip]
static EFFECTS: &[(&str, Class, Fields)] = &[
    ("envoy.config.accesslog.v3", Class::Observability, &[]),
    ("envoy.config.bootstrap.v3", Class::Process, &[]),
    ("envoy.config.bootstrap.v3.Admin", Class::Security, &[
        (Class::Observability, &["access_log", "access_log_path", "profile_path"]),
        (Class::Capacity, &["ignore_global_conn_limit"]),
        (Class::Process, &["socket_options"]),
    ]),
    ("envoy.config.bootstrap.v3.Bootstrap", Class::Process, &[
        (Class::Security, &["admin", "certificate_provider_instances"]),
        (Class::Routing, &["static_resources", "dynamic_resources", "default_config_source", "config_sources"]),
        (Class::Capacity, &["overload_manager"]),
        (Class::Availability, &["hds_config", "watchdog", "watchdogs", "dns_resolution_config",
            "typed_dns_resolver_config", "use_tcp_for_dns_lookups"]),
        (Class::Observability, &["application_log_config", "deferred_stat_options", "enable_dispatcher_stats",
            "perf_tracing_file_path", "stats_config", "stats_eviction_interval", "stats_flush_interval",
            "stats_flush_on_admin", "stats_server_version_override", "stats_sinks", "tracing",
            "xds_config_tracker_extension"]),
        (Class::Content, &["header_prefix", "inline_headers"]),
        // A value of the runtime may switch anything.
        (Class::Unknown, &["layered_runtime", "bootstrap_extensions"]),
    ]),
    ("envoy.config.bootstrap.v3.Bootstrap.ApplicationLogConfig", Class::Observability, &[]),
    ("envoy.config.bootstrap.v3.Bootstrap.DeferredStatOptions", Class::Observability, &[]),
    ("envoy.config.bootstrap.v3.Bootstrap.DynamicResources", Class::Routing, &[]),
    ("envoy.config.bootstrap.v3.Bootstrap.StaticResources", Class::Routing, &[(Class::Security, &["secrets"])]),
    ("envoy.config.bootstrap.v3.ClusterManager", Class::Process, &[
        (Class::Share, &["local_cluster_name"]),
        (Class::Observability, &["load_stats_config", "outlier_detection"]),
    ]),
    ("envoy.config.bootstrap.v3.ClusterManager.OutlierDetection", Class::Observability, &[]),
    ("envoy.config.bootstrap.v3.CustomInlineHeader", Class::Content, &[]),
    ("envoy.config.cluster.v3.CircuitBreakers", Class::Capacity, &[]),
    ("envoy.config.cluster.v3.CircuitBreakers.Thresholds", Class::Capacity, &[
        (Class::Observability, &["track_remaining"]),
        (Class::Availability, &["max_retries", "retry_budget"]),
    ]),
    ("envoy.config.cluster.v3.Cluster", Class::Unknown, &[
        (Class::Routing, &["name"]),
        (Class::Share, &["common_lb_config", "eds_cluster_config", "cluster_type", "lb_policy", "lb_subset_config",
            "least_request_lb_config", "load_assignment", "load_balancing_policy", "maglev_lb_config",
            "original_dst_lb_config", "ring_hash_lb_config", "round_robin_lb_config", "type",
            "connection_pool_per_downstream_connection", "preconnect_policy"]),
        (Class::Availability, &["health_checks", "outlier_detection", "ignore_health_on_host_removal",
            "close_connections_on_host_health_failure", "dns_failure_refresh_rate", "dns_jitter",
            "dns_lookup_family", "dns_refresh_rate", "dns_resolution_config", "dns_resolvers", "respect_dns_ttl",
            "typed_dns_resolver_config", "use_tcp_for_dns_lookups", "wait_for_warm_on_init",
            "upstream_connection_options"]),
        (Class::Capacity, &["circuit_breakers", "max_requests_per_connection",
            "per_connection_buffer_limit_bytes", "queuing_policies"]),
        (Class::Time, &["connect_timeout", "cleanup_interval", "per_connection_buffer_high_watermark_timeout"]),
        (Class::Content, &["common_http_protocol_options", "http2_protocol_options", "http_protocol_options",
            "protocol_selection", "typed_extension_protocol_options", "upstream_http_protocol_options",
            "upstream_config", "filters"]),
        (Class::Security, &["transport_socket", "transport_socket_matcher", "transport_socket_matches"]),
        (Class::Observability, &["alt_stat_name", "lrs_report_endpoint_metrics", "lrs_server", "stats_matcher",
            "track_cluster_stats", "track_timeout_budgets"]),
        (Class::Process, &["upstream_bind_config"]),
    ]),
    ("envoy.config.cluster.v3.Cluster.CommonLbConfig", Class::Share, &[
        (Class::Availability, &["close_connections_on_host_set_change", "healthy_panic_threshold",
            "ignore_new_hosts_until_first_hc"]),
        (Class::Time, &["update_merge_window"]),
    ]),
    ("envoy.config.cluster.v3.Cluster.CustomClusterType", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.EdsClusterConfig", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.LbSubsetConfig", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.LeastRequestLbConfig", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.MaglevLbConfig", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.OriginalDstLbConfig", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.PreconnectPolicy", Class::Capacity, &[]),
    ("envoy.config.cluster.v3.Cluster.QueuingPolicies", Class::Capacity, &[]),
    ("envoy.config.cluster.v3.Cluster.RefreshRate", Class::Availability, &[]),
    ("envoy.config.cluster.v3.Cluster.RingHashLbConfig", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.RoundRobinLbConfig", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.SlowStartConfig", Class::Share, &[]),
    ("envoy.config.cluster.v3.Cluster.TransportSocketMatch", Class::Security, &[]),
    ("envoy.config.cluster.v3.LoadBalancingPolicy", Class::Share, &[]),
    ("envoy.config.cluster.v3.OutlierDetection", Class::Availability, &[]),
    ("envoy.config.cluster.v3.TrackClusterStats", Class::Observability, &[]),
    ("envoy.config.cluster.v3.UpstreamConnectionOptions", Class::Availability, &[]),
    ("envoy.config.core.v3.BindConfig", Class::Process, &[]),
    ("envoy.config.core.v3.GrpcProtocolOptions", Class::Content, &[]),
    ("envoy.config.core.v3.HealthCheck", Class::Availability, &[
        (Class::Observability, &["always_log_health_check_failures", "always_log_health_check_success",
            "event_log_path", "event_logger", "event_service"]),
    ]),
    ("envoy.config.core.v3.Http1ProtocolOptions", Class::Content, &[]),
    ("envoy.config.core.v3.Http2ProtocolOptions", Class::Capacity, &[
        (Class::Content, &["allow_connect", "allow_metadata", "custom_settings_parameters", "disallow_obs_text",
            "enable_huffman_encoding", "override_stream_error_on_invalid_http_message",
            "stream_error_on_invalid_http_messaging"]),
        (Class::Availability, &["connection_keepalive"]),
        (Class::Process, &["use_oghttp2_codec"]),
    ]),
    ("envoy.config.core.v3.Http3ProtocolOptions", Class::Content, &[(Class::Capacity, &["quic_protocol_options"])]),
    ("envoy.config.core.v3.HttpProtocolOptions", Class::Time, &[
        (Class::Capacity, &["max_headers_count", "max_requests_per_connection", "max_response_headers_kb"]),
        (Class::Content, &["headers_with_underscores_action"]),
    ]),
    ("envoy.config.core.v3.KeepaliveSettings", Class::Availability, &[]),
    ("envoy.config.core.v3.Node", Class::Process, &[]),
    ("envoy.config.core.v3.QuicProtocolOptions", Class::Capacity, &[]),
    ("envoy.config.core.v3.SocketOption", Class::Process, &[]),
    ("envoy.config.core.v3.TcpKeepalive", Class::Availability, &[]),
    ("envoy.config.core.v3.TransportSocket", Class::Security, &[]),
    ("envoy.config.endpoint.v3", Class::Share, &[]),
    ("envoy.config.endpoint.v3.ClusterLoadAssignment.Policy", Class::Share, &[
        (Class::Availability, &["endpoint_stale_after"]),
        (Class::Capacity, &["drop_overloads"]),
    ]),
    ("envoy.config.endpoint.v3.Endpoint", Class::Share, &[
        (Class::Availability, &["health_check_config"]),
        (Class::Observability, &["observability_name"]),
    ]),
    ("envoy.config.endpoint.v3.Endpoint.HealthCheckConfig", Class::Availability, &[]),
    ("envoy.config.endpoint.v3.LbEndpoint", Class::Share, &[(Class::Availability, &["health_status"])]),
    ("envoy.config.listener.v3.FilterChain", Class::Routing, &[
        (Class::Security, &["transport_socket"]),
        (Class::Time, &["transport_socket_connect_timeout"]),
        (Class::Content, &["use_proxy_proto"]),
        // For extensions to read.
        (Class::Unknown, &["metadata"]),
    ]),
    ("envoy.config.listener.v3.FilterChainMatch", Class::Routing, &[]),
    ("envoy.config.listener.v3.Listener", Class::Unknown, &[
        (Class::Routing, &["name", "address", "additional_addresses", "api_listener", "bind_to_port",
            "default_filter_chain", "deprecated_v1", "fcds_config", "filter_chain_matcher", "filter_chains",
            "internal_listener", "listener_filters", "use_original_dst", "continue_on_listener_filters_timeout",
            "transparent"]),
        (Class::Capacity, &["bypass_overload_manager", "ignore_global_conn_limit",
            "max_connections_to_accept_per_socket_event", "per_connection_buffer_limit_bytes", "tcp_backlog_size",
            "tcp_fast_open_queue_length"]),
        (Class::Time, &["listener_filters_timeout", "per_connection_buffer_high_watermark_timeout"]),
        (Class::Availability, &["drain_type", "tcp_keepalive"]),
        (Class::Process, &["connection_balance_config", "enable_mptcp", "enable_reuse_port", "freebind",
            "reuse_port", "socket_options", "udp_listener_config"]),
        (Class::Observability, &["access_log", "stat_prefix", "stats_matcher", "traffic_direction"]),
    ]),
    ("envoy.config.listener.v3.Listener.ConnectionBalanceConfig", Class::Process, &[]),
    ("envoy.config.listener.v3.ListenerFilter", Class::Routing, &[]),
    ("envoy.config.listener.v3.ListenerFilterChainMatchPredicate", Class::Routing, &[]),
    ("envoy.config.metrics.v3", Class::Observability, &[]),
    ("envoy.config.overload.v3", Class::Capacity, &[]),
    ("envoy.config.ratelimit.v3", Class::Capacity, &[]),
    ("envoy.config.rbac.v3", Class::Security, &[]),
    ("envoy.config.route.v3.CookieMatcher", Class::Routing, &[]),
    ("envoy.config.route.v3.CorsPolicy", Class::Security, &[]),
    ("envoy.config.route.v3.Decorator", Class::Observability, &[]),
    ("envoy.config.route.v3.DirectResponseAction", Class::Routing, &[(Class::Content, &["body", "body_format"])]),
    ("envoy.config.route.v3.HeaderMatcher", Class::Routing, &[]),
    ("envoy.config.route.v3.HedgePolicy", Class::Availability, &[]),
    ("envoy.config.route.v3.InternalRedirectPolicy", Class::Routing, &[]),
    ("envoy.config.route.v3.QueryParameterMatcher", Class::Routing, &[]),
    ("envoy.config.route.v3.RateLimit", Class::Capacity, &[]),
    ("envoy.config.route.v3.RedirectAction", Class::Routing, &[]),
    ("envoy.config.route.v3.RetryPolicy", Class::Availability, &[
        (Class::Time, &["per_try_idle_timeout", "per_try_timeout"]),
    ]),
    ("envoy.config.route.v3.Route", Class::Routing, &[
        (Class::Content, &["request_headers_to_add", "request_headers_to_remove", "response_headers_to_add",
            "response_headers_to_remove"]),
        (Class::Capacity, &["per_request_buffer_limit_bytes", "request_body_buffer_limit"]),
        (Class::Observability, &["decorator", "name", "stat_prefix", "tracing"]),
        // What filters make of it is theirs.
        (Class::Unknown, &["metadata", "typed_per_filter_config"]),
    ]),
    ("envoy.config.route.v3.RouteAction", Class::Routing, &[
        (Class::Share, &["hash_policy", "metadata_match"]),
        (Class::Availability, &["hedge_policy", "retry_policy", "retry_policy_typed_config"]),
        (Class::Time, &["flush_timeout", "grpc_timeout_offset", "idle_timeout", "max_grpc_timeout",
            "max_stream_duration", "timeout"]),
        (Class::Capacity, &["include_vh_rate_limits", "priority", "rate_limits"]),
        (Class::Content, &["append_x_forwarded_host", "auto_host_rewrite", "early_data_policy", "host_rewrite",
            "host_rewrite_header", "host_rewrite_literal", "host_rewrite_path_regex", "path_rewrite",
            "path_rewrite_policy", "prefix_rewrite", "regex_rewrite"]),
        (Class::Security, &["cors"]),
    ]),
    ("envoy.config.route.v3.RouteAction.HashPolicy", Class::Share, &[]),
    ("envoy.config.route.v3.RouteAction.MaxStreamDuration", Class::Time, &[]),
    ("envoy.config.route.v3.RouteConfiguration", Class::Routing, &[
        (Class::Content, &["internal_only_headers", "max_direct_response_body_size_bytes",
            "most_specific_header_mutations_wins", "request_headers_to_add", "request_headers_to_remove",
            "response_headers_to_add", "response_headers_to_remove"]),
        (Class::Process, &["validate_clusters"]),
        (Class::Unknown, &["metadata", "typed_per_filter_config"]),
    ]),
    ("envoy.config.route.v3.RouteMatch", Class::Routing, &[]),
    ("envoy.config.route.v3.ScopedRouteConfiguration", Class::Routing, &[]),
    ("envoy.config.route.v3.Tracing", Class::Observability, &[]),
    ("envoy.config.route.v3.Vhds", Class::Routing, &[]),
    ("envoy.config.route.v3.VirtualCluster", Class::Observability, &[]),
    ("envoy.config.route.v3.VirtualHost", Class::Routing, &[
        (Class::Content, &["include_attempt_count_in_response", "include_is_timeout_retry_header",
            "include_request_attempt_count", "request_headers_to_add", "request_headers_to_remove",
            "response_headers_to_add", "response_headers_to_remove"]),
        (Class::Availability, &["hedge_policy", "retry_policy", "retry_policy_typed_config"]),
        (Class::Capacity, &["per_request_buffer_limit_bytes", "rate_limits", "request_body_buffer_limit"]),
        (Class::Security, &["cors"]),
        (Class::Observability, &["name", "virtual_clusters"]),
        (Class::Unknown, &["metadata", "typed_per_filter_config"]),
    ]),
    ("envoy.config.route.v3.WeightedCluster", Class::Routing, &[]),
    ("envoy.config.route.v3.WeightedCluster.ClusterWeight", Class::Routing, &[
        (Class::Share, &["metadata_match"]),
        (Class::Content, &["host_rewrite_literal", "request_headers_to_add", "request_headers_to_remove",
            "response_headers_to_add", "response_headers_to_remove"]),
        (Class::Unknown, &["typed_per_filter_config"]),
    ]),
    ("envoy.config.tap.v3", Class::Observability, &[]),
    ("envoy.config.trace.v3", Class::Observability, &[]),
    ("envoy.extensions.access_loggers", Class::Observability, &[]),
    ("envoy.extensions.clusters", Class::Share, &[]),
    ("envoy.extensions.clusters.dns.v3.DnsCluster", Class::Availability, &[
        (Class::Share, &["all_addresses_in_single_endpoint"]),
    ]),
    ("envoy.extensions.compression", Class::Content, &[]),
    ("envoy.extensions.filters.http.adaptive_concurrency", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.admission_control", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.api_key_auth", Class::Security, &[]),
    ("envoy.extensions.filters.http.aws_request_signing", Class::Security, &[]),
    ("envoy.extensions.filters.http.bandwidth_limit", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.bandwidth_share", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.basic_auth", Class::Security, &[]),
    ("envoy.extensions.filters.http.body_size_limit", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.buffer", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.cache", Class::Content, &[]),
    ("envoy.extensions.filters.http.cache_v2", Class::Content, &[]),
    ("envoy.extensions.filters.http.compressor", Class::Content, &[]),
    ("envoy.extensions.filters.http.cors", Class::Security, &[]),
    ("envoy.extensions.filters.http.credential_injector", Class::Security, &[]),
    ("envoy.extensions.filters.http.csrf", Class::Security, &[]),
    ("envoy.extensions.filters.http.decompressor", Class::Content, &[]),
    ("envoy.extensions.filters.http.dynamic_forward_proxy", Class::Routing, &[]),
    ("envoy.extensions.filters.http.ext_authz", Class::Security, &[]),
    ("envoy.extensions.filters.http.fault", Class::Availability, &[]),
    ("envoy.extensions.filters.http.file_system_buffer", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.gcp_authn", Class::Security, &[]),
    ("envoy.extensions.filters.http.grpc_http1_bridge", Class::Content, &[]),
    ("envoy.extensions.filters.http.grpc_json_transcoder", Class::Content, &[]),
    ("envoy.extensions.filters.http.grpc_stats", Class::Observability, &[]),
    ("envoy.extensions.filters.http.grpc_web", Class::Content, &[]),
    ("envoy.extensions.filters.http.gzip", Class::Content, &[]),
    ("envoy.extensions.filters.http.header_mutation", Class::Content, &[]),
    ("envoy.extensions.filters.http.health_check", Class::Availability, &[]),
    ("envoy.extensions.filters.http.jwt_authn", Class::Security, &[]),
    ("envoy.extensions.filters.http.local_ratelimit", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.oauth2", Class::Security, &[]),
    ("envoy.extensions.filters.http.rate_limit_quota", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.ratelimit", Class::Capacity, &[]),
    ("envoy.extensions.filters.http.rbac", Class::Security, &[]),
    ("envoy.extensions.filters.http.router.v3.Router", Class::Content, &[
        (Class::Observability, &["dynamic_stats", "start_child_span", "upstream_log", "upstream_log_options"]),
    ]),
    ("envoy.extensions.filters.http.stateful_session", Class::Share, &[]),
    ("envoy.extensions.filters.http.tap", Class::Observability, &[]),
    ("envoy.extensions.filters.listener.http_inspector", Class::Routing, &[]),
    ("envoy.extensions.filters.listener.local_ratelimit", Class::Capacity, &[]),
    ("envoy.extensions.filters.listener.original_dst", Class::Routing, &[]),
    ("envoy.extensions.filters.listener.original_src", Class::Content, &[]),
    ("envoy.extensions.filters.listener.proxy_protocol", Class::Content, &[]),
    ("envoy.extensions.filters.listener.tls_inspector", Class::Routing, &[]),
    ("envoy.extensions.filters.network.connection_limit", Class::Capacity, &[]),
    ("envoy.extensions.filters.network.ext_authz", Class::Security, &[]),
    ("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", Class::Content, &[
        (Class::Routing, &["http_filters", "rds", "route_config", "scoped_routes", "merge_slashes", "normalize_path",
            "path_normalization_options", "path_with_escaped_slashes_action", "strip_any_host_port",
            "strip_matching_host_port", "strip_trailing_host_dot", "upgrade_configs"]),
        (Class::Time, &["delayed_close_timeout", "drain_timeout", "drain_timeout_jitter",
            "http1_safe_max_connection_duration", "request_headers_timeout", "request_timeout",
            "stream_flush_timeout", "stream_idle_timeout"]),
        (Class::Capacity, &["append_local_overload", "max_request_headers_kb"]),
        (Class::Security, &["forward_client_cert_details", "forward_client_cert_matcher", "internal_address_config",
            "original_ip_detection_extensions", "set_current_client_cert_details", "use_remote_address",
            "xff_num_trusted_hops", "typed_header_validation_config"]),
        (Class::Observability, &["access_log", "access_log_flush_interval", "access_log_options",
            "flush_access_log_on_new_request", "record_route_resolution_stats", "stat_prefix", "tracing"]),
    ]),
    ("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing",
        Class::Observability, &[]),
    ("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig",
        Class::Routing, &[]),
    ("envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter", Class::Routing, &[]),
    ("envoy.extensions.filters.network.http_connection_manager.v3.Rds", Class::Routing, &[]),
    ("envoy.extensions.filters.network.http_connection_manager.v3.ScopedRoutes", Class::Routing, &[]),
    ("envoy.extensions.filters.network.local_ratelimit", Class::Capacity, &[]),
    ("envoy.extensions.filters.network.ratelimit", Class::Capacity, &[]),
    ("envoy.extensions.filters.network.rbac", Class::Security, &[]),
    ("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", Class::Routing, &[
        (Class::Share, &["hash_policy", "metadata_match"]),
        (Class::Availability, &["backoff_options", "max_connect_attempts"]),
        (Class::Time, &["downstream_idle_timeout", "idle_timeout", "max_downstream_connection_duration",
            "max_downstream_connection_duration_jitter_percentage", "upstream_idle_timeout", "check_drain_close",
            "upstream_connect_mode"]),
        (Class::Capacity, &["max_early_data_bytes"]),
        (Class::Content, &["proxy_protocol_tlv_merge_policy", "proxy_protocol_tlvs", "tunneling_config"]),
        (Class::Observability, &["access_log", "access_log_flush_interval", "access_log_options",
            "flush_access_log_on_connected", "stat_prefix"]),
    ]),
    ("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TunnelingConfig", Class::Content, &[]),
    ("envoy.extensions.health_check.event_sinks", Class::Observability, &[]),
    ("envoy.extensions.health_checkers", Class::Availability, &[]),
    ("envoy.extensions.http.stateful_session", Class::Share, &[]),
    ("envoy.extensions.load_balancing_policies", Class::Share, &[]),
    ("envoy.extensions.outlier_detection_monitors", Class::Availability, &[]),
    ("envoy.extensions.resource_monitors", Class::Capacity, &[]),
    ("envoy.extensions.retry", Class::Availability, &[]),
    ("envoy.extensions.stat_sinks", Class::Observability, &[]),
    ("envoy.extensions.tracers", Class::Observability, &[]),
    ("envoy.extensions.transport_sockets", Class::Security, &[]),
    ("envoy.extensions.transport_sockets.proxy_protocol", Class::Content, &[]),
    ("envoy.extensions.transport_sockets.tap", Class::Observability, &[]),
    ("envoy.extensions.transport_sockets.tcp_stats", Class::Observability, &[]),
    ("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", Class::Content, &[]),
    ("envoy.watchdog", Class::Availability, &[]),
];

#[cfg(test)]
mod tests {
    use super::super::{message, message_names, message_number};
    use super::*;

    /// Messages of which each field has a class.
    const CORE: [&str; 13] = [
        "envoy.config.cluster.v3.CircuitBreakers.Thresholds",
        "envoy.config.cluster.v3.Cluster",
        "envoy.config.cluster.v3.OutlierDetection",
        "envoy.config.core.v3.HealthCheck",
        "envoy.config.endpoint.v3.ClusterLoadAssignment",
        "envoy.config.listener.v3.FilterChain",
        "envoy.config.listener.v3.Listener",
        "envoy.config.route.v3.Route",
        "envoy.config.route.v3.RouteAction",
        "envoy.config.route.v3.RouteConfiguration",
        "envoy.config.route.v3.RouteMatch",
        "envoy.config.route.v3.VirtualHost",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    ];

    /// Fields of these that only filters and other extensions read, so that it is theirs what they do.
    const OF_EXTENSIONS: [&str; 2] = ["metadata", "typed_per_filter_config"];

    #[test]
    fn every_name_is_one_of_the_schema_and_stands_once() {
        assert!(EFFECTS.is_sorted_by(|(a, ..), (b, ..)| a < b));
        for (name, _, fields) in EFFECTS {
            let package = format!("{name}.");
            let known = message_number(name).and_then(message);
            assert!(known.is_some() || message_names().any(|known| known.starts_with(&package)), "{name}");
            let mut seen: Vec<&str> = fields.iter().flat_map(|(_, names)| *names).copied().collect();
            for field in &seen {
                assert!(known.is_some_and(|known| known.field(field).is_some()), "{name}: {field}");
            }
            let count = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), count, "{name}");
        }
    }

    #[test]
    fn every_field_of_the_core_has_a_class() {
        for name in CORE {
            let known = message_number(name).and_then(message).unwrap();
            for field in known.fields.iter().filter(|field| !OF_EXTENSIONS.contains(&field.name)) {
                assert_ne!(effect_class(name, field.name), Class::Unknown, "{name}: {}", field.name);
            }
        }
    }

    #[test]
    fn the_nearest_name_counts() {
        let class = effect_class;
        assert_eq!(class("envoy.config.cluster.v3.Cluster", "lb_policy"), Class::Share);
        assert_eq!(class("envoy.config.cluster.v3.Cluster", "no_such_field"), Class::Unknown);
        let selector = "envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector";
        assert_eq!(class(selector, "keys"), Class::Share);
        assert_eq!(class("envoy.extensions.transport_sockets.tls.v3.CommonTlsContext", "x"), Class::Security);
        assert_eq!(class("envoy.config.core.v3.DataSource", "filename"), Class::Unknown);
        assert_eq!(class("of.nobody", ""), Class::Unknown);
    }
}
