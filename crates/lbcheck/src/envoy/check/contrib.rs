//! Types in Envoy's own namespaces that a stock build lacks: those of its contrib build, and those of nobody.

use super::super::schema;

/// The packages under `envoy.extensions` that only builds with contrib extensions have, in any release.
/// The names are those of Envoy's public API tree; no such build was run, and what is missing here is called unknown.
const CONTRIB: [&str; 66] = [
    "bootstrap.hyperscan",
    "bootstrap.reverse_connection",
    "clusters.dns_srv",
    "clusters.reverse_connection",
    "compression.compressor.igzip",
    "compression.qatzip",
    "compression.qatzstd",
    "config.v3alpha",
    "dlb",
    "filters.common.workload_discovery",
    "filters.http.alpn",
    "filters.http.checksum",
    "filters.http.client_cert",
    "filters.http.dynamo",
    "filters.http.golang",
    "filters.http.istio_stats",
    "filters.http.language",
    "filters.http.mcp_sse_stateful_session",
    "filters.http.peak_ewma",
    "filters.http.peer_metadata",
    "filters.http.reverse_conn",
    "filters.http.squash",
    "filters.http.sxg",
    "filters.http.ws_local_ratelimit",
    "filters.listener.postgres_inspector",
    "filters.listener.reverse_connection",
    "filters.network.client_ssl_auth",
    "filters.network.generic_proxy",
    "filters.network.golang",
    "filters.network.kafka_broker",
    "filters.network.kafka_mesh",
    "filters.network.ldap_proxy",
    "filters.network.meta_protocol_proxy",
    "filters.network.metadata_exchange",
    "filters.network.mysql_proxy",
    "filters.network.peer_metadata",
    "filters.network.postgres_proxy",
    "filters.network.rocketmq_proxy",
    "filters.network.rust_echo",
    "filters.network.sip_proxy",
    "filters.network.smtp_proxy",
    "http.cluster_specifier.golang",
    "http.mcp_sse_stateful_session",
    "http.sse_stateful_session",
    "http.stateful_session.mcp_sse",
    "hyperscan",
    "load_balancing_policies.peak_ewma",
    "load_balancing_policies.per_worker_subset",
    "matching.input_matchers.hyperscan",
    "network.connection_balance.dlb",
    "network.connection_balance.random",
    "network.socket_interface.vcl",
    "private_key_providers",
    "regex_engines.hyperscan",
    "reverse_connection",
    "reverse_tunnel_reporters",
    "router.cluster_specifier.golang",
    "stat_sinks.kafka",
    "stat_sinks.wasm_filter",
    "tap_sinks.udp_sink",
    "tracers.fluentd",
    "transport_sockets.istio_internal_upstream",
    "transport_sockets.ssl_handshaker",
    "upstreams.http.tcp.golang",
    "vcl",
    "xds",
];

/// Whether no build of Envoy has a type of this name. For types that are not known.
pub(super) fn is_of_no_build(name: &str) -> bool {
    if let Some(rest) = name.strip_prefix("envoy.extensions.") {
        let within = |package: &&str| rest.strip_prefix(*package).is_some_and(|rest| rest.starts_with('.'));
        return !CONTRIB.iter().any(within);
    }
    is_replaced(name)
}

/// Whether it is a filter of an API before v3 that goes on under `envoy.extensions`. Builds of others have types of their
/// own in that namespace, under other names.
fn is_replaced(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("envoy.config.filter.") else { return false };
    let [kind, filter, version, message] = *rest.split('.').collect::<Vec<_>>() else { return false };
    version.starts_with("v2")
        && schema::message_number(&format!("envoy.extensions.filters.{kind}.{filter}.v3.{message}")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_build_has_is_told_from_what_others_have() {
        for nobody in [
            "envoy.extensions.filters.http.nosuch.v3.Nosuch",
            "envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager",
        ] {
            assert!(is_of_no_build(nobody), "{nobody}");
        }
        for somebody in [
            "envoy.extensions.filters.http.golang.v3alpha.Config",
            "envoy.extensions.filters.network.kafka_broker.v3.KafkaBroker",
            "envoy.extensions.filters.network.sip_proxy.v3alpha.SipProxy",
            "envoy.config.filter.http.transformation.v2.FilterTransformations",
            "io.acme.Filter",
        ] {
            assert!(!is_of_no_build(somebody), "{somebody}");
        }
    }
}
