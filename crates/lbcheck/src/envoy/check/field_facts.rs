//! Facts about single fields: which name clusters, which name files, and what old fields became.

/// Whether a `ConfigSource` in this field brings resources that decide about traffic.
pub(super) fn is_followed(message: &str, field: &str) -> bool {
    matches!(field, "lds_config" | "cds_config" | "eds_config")
        || (field == "config_source" && message.ends_with("http_connection_manager.v3.Rds"))
}

/// Whether a text field names a cluster, outside of routes and TCP proxies.
pub(super) fn names_cluster(message: &str, field: &str) -> bool {
    match field {
        "cluster_name" => {
            message == "envoy.config.core.v3.GrpcService.EnvoyGrpc"
                || message.starts_with("envoy.config.metrics.")
                || message.starts_with("envoy.extensions.stat_sinks.")
        }
        "cluster" => {
            message == "envoy.config.core.v3.HttpUri"
                || message.contains(".redis_proxy.")
                || message.contains(".thrift_proxy.")
                || message.contains(".dubbo_proxy.")
                || message.contains(".generic_proxy.")
                || message.contains(".udp_proxy.")
        }
        "clusters" => message == "envoy.extensions.clusters.aggregate.v3.ClusterConfig",
        "cluster_names" => message == "envoy.config.core.v3.ApiConfigSource",
        "collector_cluster" => message.starts_with("envoy.config.trace."),
        "local_cluster_name" => message == "envoy.config.bootstrap.v3.ClusterManager",
        _ => false,
    }
}

/// Whether a text field names a cluster that Envoy looks up among the static ones while it starts. What is not
/// looked up then, such as the cluster of an authorization service, may still come.
pub(super) fn needs_static_cluster(message: &str, field: &str) -> bool {
    matches!(
        (message, field),
        ("envoy.config.metrics.v3.StatsdSink", "tcp_cluster_name")
            | (
                "envoy.config.trace.v3.ZipkinConfig" | "envoy.config.trace.v3.DatadogConfig",
                "collector_cluster"
            )
            | ("envoy.config.bootstrap.v3.ClusterManager", "local_cluster_name")
            | ("envoy.extensions.filters.network.thrift_proxy.v3.RouteAction", "cluster")
    )
}

/// Whether a message field leads to a control plane, or a gRPC service, that Envoy looks up while it starts, and
/// whether an EDS cluster will not do.
pub(super) fn needs_static_service(message: &str, field: &str) -> Option<bool> {
    match (message, field) {
        (_, "cds_config" | "lds_config" | "eds_config" | "rtds_config") => Some(true),
        (_, "config_source") if message.ends_with("http_connection_manager.v3.Rds") => Some(true),
        ("envoy.config.bootstrap.v3.Bootstrap.DynamicResources", "ads_config") => Some(true),
        (
            "envoy.config.metrics.v3.MetricsServiceConfig"
            | "envoy.extensions.stat_sinks.open_telemetry.v3.SinkConfig",
            "grpc_service",
        ) => Some(false),
        _ => None,
    }
}

/// Extensions that are still part of the API but of no build of Envoy any more.
pub(super) fn is_removed(message: &str) -> bool {
    matches!(message, "envoy.config.trace.v3.LightstepConfig" | "envoy.config.trace.v3.DynamicOtConfig")
}

/// What took the place of a field of the v2 API or of an early v3.
pub(super) fn replacement(message: &str, key: &str) -> Option<&'static str> {
    Some(match (message, key) {
        ("Cluster", "hosts") => "the v2 API is gone: list the endpoints under `load_assignment`",
        ("Cluster" | "FilterChain", "tls_context") => {
            "the v2 API is gone: put the TLS settings into `transport_socket`"
        }
        (_, "config") => "the v2 API is gone: use `typed_config` with an `@type`",
        ("RouteMatch", "regex") | ("HeaderMatcher", "regex_match") => {
            "the v2 API is gone: use `safe_regex`, or `string_match` for a header"
        }
        ("Listener", "use_original_dst") => "use the listener filter `envoy.filters.listener.original_dst`",
        ("Bootstrap", "runtime") => "use `layered_runtime`",
        ("Admin", "access_log_path") => "use `access_log`",
        ("Cluster", "endpoints" | "lb_endpoints") => "endpoints stand under `load_assignment`",
        _ => return None,
    })
}
