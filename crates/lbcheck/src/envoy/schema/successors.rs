//! What takes the place of a deprecated field, as the comment on the field in Envoy's API files says.

const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";
const HCM: &str = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TCP_PROXY: &str = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
const FILE_LOG: &str = "envoy.extensions.access_loggers.file.v3.FileAccessLog";
const HEADER: &str = "envoy.config.route.v3.HeaderMatcher";
const ACTION: &str = "envoy.config.route.v3.RouteAction";
const OPTIONS: &str =
    "use `typed_extension_protocol_options` with envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const DNS_CLUSTER: &str = "use `cluster_type` with envoy.extensions.clusters.dns.v3.DnsCluster";
const DNS: &str = "use `typed_dns_resolver_config`";
const STRING: &str = "use `string_match`";

/// Message, field, what to do.
const SUCCESSORS: &[(&str, &str, &str)] = &[
    ("envoy.config.bootstrap.v3.Admin", "access_log_path", "use `access_log`"),
    ("envoy.config.bootstrap.v3.Bootstrap", "dns_resolution_config", DNS),
    ("envoy.config.bootstrap.v3.Bootstrap", "tracing", "use `tracing` of the HttpConnectionManager"),
    ("envoy.config.bootstrap.v3.Bootstrap", "use_tcp_for_dns_lookups", DNS),
    ("envoy.config.bootstrap.v3.Bootstrap", "watchdog", "use `watchdogs`"),
    (CLUSTER, "common_http_protocol_options", OPTIONS),
    (CLUSTER, "dns_failure_refresh_rate", DNS_CLUSTER),
    (CLUSTER, "dns_jitter", DNS_CLUSTER),
    (CLUSTER, "dns_refresh_rate", DNS_CLUSTER),
    (CLUSTER, "dns_resolution_config", DNS),
    (CLUSTER, "dns_resolvers", DNS),
    (CLUSTER, "http2_protocol_options", OPTIONS),
    (CLUSTER, "http_protocol_options", OPTIONS),
    (CLUSTER, "max_requests_per_connection", OPTIONS),
    (CLUSTER, "protocol_selection", OPTIONS),
    (CLUSTER, "respect_dns_ttl", DNS_CLUSTER),
    (CLUSTER, "track_timeout_budgets", "use `timeout_budgets` under `track_cluster_stats`"),
    (CLUSTER, "upstream_http_protocol_options", OPTIONS),
    (CLUSTER, "use_tcp_for_dns_lookups", DNS),
    ("envoy.config.core.v3.ConfigSource", "path", "use `path_config_source`"),
    ("envoy.config.core.v3.HeaderValueOption", "append", "use `append_action`"),
    ("envoy.config.core.v3.HealthCheck", "event_log_path", "use `event_logger`"),
    (
        "envoy.config.core.v3.Http2ProtocolOptions",
        "stream_error_on_invalid_http_messaging",
        "use `override_stream_error_on_invalid_http_message`",
    ),
    (
        "envoy.config.core.v3.JsonFormatOptions",
        "sort_properties",
        "remove it: the properties are always sorted",
    ),
    (
        "envoy.config.core.v3.SubstitutionFormatString",
        "text_format",
        "use `text_format_source` with `inline_string`",
    ),
    (
        "envoy.config.listener.v3.FilterChain",
        "use_proxy_proto",
        "use the listener filter envoy.filters.listener.proxy_protocol",
    ),
    ("envoy.config.listener.v3.Listener", "reuse_port", "use `enable_reuse_port`"),
    ("envoy.config.rbac.v3.Permission", "metadata", "use `sourced_metadata`"),
    ("envoy.config.rbac.v3.Principal", "metadata", "use `sourced_metadata`"),
    (
        "envoy.config.rbac.v3.Principal",
        "source_ip",
        "use `remote_ip`, which does the same, or `direct_remote_ip`",
    ),
    (HEADER, "contains_match", STRING),
    (HEADER, "exact_match", STRING),
    (HEADER, "prefix_match", STRING),
    (HEADER, "safe_regex_match", STRING),
    (HEADER, "suffix_match", STRING),
    ("envoy.config.route.v3.RateLimit.Action", "dynamic_metadata", "use `metadata`"),
    ("envoy.config.route.v3.Route", "per_request_buffer_limit_bytes", "use `request_body_buffer_limit`"),
    (ACTION, "cors", "use `typed_per_filter_config` with envoy.extensions.filters.http.cors.v3.CorsPolicy"),
    (ACTION, "grpc_timeout_offset", "use `grpc_timeout_header_offset` under `max_stream_duration`"),
    (
        ACTION,
        "include_vh_rate_limits",
        "use `vh_rate_limits` of the rate limit filter's settings for the route",
    ),
    (ACTION, "internal_redirect_action", "use `internal_redirect_policy`"),
    (ACTION, "max_grpc_timeout", "use `grpc_timeout_header_max` under `max_stream_duration`"),
    (ACTION, "max_internal_redirects", "use `internal_redirect_policy`"),
    (
        "envoy.config.route.v3.VirtualHost",
        "cors",
        "use `typed_per_filter_config` with envoy.extensions.filters.http.cors.v3.CorsPolicy",
    ),
    (
        "envoy.config.route.v3.VirtualHost",
        "per_request_buffer_limit_bytes",
        "use `request_body_buffer_limit`",
    ),
    ("envoy.config.route.v3.WeightedCluster", "total_weight", "remove it: the sum of the weights counts"),
    (
        "envoy.config.trace.v3.ZipkinConfig",
        "split_spans_for_request",
        "use `spawn_upstream_span` under `tracing` of the HttpConnectionManager",
    ),
    (FILE_LOG, "format", "use `log_format`"),
    (FILE_LOG, "json_format", "use `log_format`"),
    (FILE_LOG, "typed_json_format", "use `log_format`"),
    (
        "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
        "common_config",
        "use `grpc_service` or `http_service`",
    ),
    ("envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig", "dns_resolution_config", DNS),
    ("envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig", "use_tcp_for_dns_lookups", DNS),
    ("envoy.extensions.common.matching.v3.ExtensionWithMatcher", "matcher", "use `xds_matcher`"),
    (
        "envoy.extensions.filters.http.ext_authz.v3.AuthorizationRequest",
        "allowed_headers",
        "use `allowed_headers` of the filter",
    ),
    ("envoy.extensions.filters.http.lua.v3.Lua", "inline_code", "use `default_source_code`"),
    (
        "envoy.extensions.filters.http.router.v3.Router",
        "start_child_span",
        "use `spawn_upstream_span` under `tracing` of the HttpConnectionManager",
    ),
    (HCM, "access_log_flush_interval", "use it under `access_log_options`"),
    (HCM, "flush_access_log_on_new_request", "use it under `access_log_options`"),
    (
        "envoy.extensions.filters.network.redis_proxy.v3.RedisProxy",
        "downstream_auth_password",
        "use `downstream_auth_passwords`",
    ),
    (TCP_PROXY, "access_log_flush_interval", "use it under `access_log_options`"),
    (TCP_PROXY, "flush_access_log_on_connected", "use it under `access_log_options`"),
    ("envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig", "cluster", "use `matcher`"),
    (
        "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
        "hash_balance_factor",
        "use `consistent_hashing_lb_config`",
    ),
    (
        "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
        "use_hostname_for_hashing",
        "use `consistent_hashing_lb_config`",
    ),
    (
        "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext",
        "match_subject_alt_names",
        "use `match_typed_subject_alt_names`",
    ),
    (
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "enforce_rsa_key_usage",
        "remove it: Envoy always enforces the key usage",
    ),
    ("envoy.extensions.wasm.v3.PluginConfig", "fail_open", "use `failure_policy`"),
    ("envoy.type.matcher.v3.RegexMatcher", "google_re2", "remove it: RE2 is the only engine"),
];

/// What to do instead of writing a deprecated field.
pub(crate) fn successor(message: &str, field: &str) -> Option<&'static str> {
    SUCCESSORS.iter().find(|(of, name, _)| *of == message && *name == field).map(|(_, _, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::super::{message, message_number};
    use super::*;

    #[test]
    fn every_field_is_deprecated() {
        for (of, name, _) in SUCCESSORS {
            let found = message_number(of).and_then(message).and_then(|message| message.field(name));
            assert!(found.is_some_and(|field| field.deprecated), "{of} {name}");
        }
    }
}
