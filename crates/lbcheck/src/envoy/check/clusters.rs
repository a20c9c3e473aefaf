//! What Envoy refuses in clusters and sources of configuration although types and rules are kept.

use super::super::tree::Value;
use super::Check;

const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

impl<'t> Check<'_, 't> {
    pub(super) fn cluster(&mut self, cluster: Value<'t>) {
        self.eds(cluster);
        let name = cluster.text_of("name").unwrap_or_default();
        let options = cluster.get("typed_extension_protocol_options");
        let options = options.into_iter().flat_map(Value::fields).find(|entry| entry.key == HTTP_OPTIONS);
        let plain =
            ["transport_socket", "transport_socket_matches"].iter().all(|name| cluster.get(name).is_none());
        let auto = options.and_then(|options| options.value.field("auto_config"));
        if let Some(auto) = auto.filter(|_| plain) {
            let message = format!(
                "the cluster `{name}` lets TLS choose the protocol, but has no `transport_socket` with TLS"
            );
            self.refuse(auto.key_span, message, "add the socket, or use `explicit_http_config`");
        }
        let http2 = options.is_some() || cluster.get("http2_protocol_options").is_some();
        let grpc = cluster.list("health_checks").find_map(|check| check.field("grpc_health_check"));
        if let Some(grpc) = grpc.filter(|_| !http2) {
            let message = format!("the cluster `{name}` is checked by gRPC, but does not speak HTTP/2");
            self.refuse(grpc.key_span, message, "add `typed_extension_protocol_options` with HTTP/2");
        }
    }

    fn eds(&mut self, cluster: Value<'t>) {
        let Some(eds) = cluster.field("eds_cluster_config") else { return };
        let kind = cluster.get("type");
        let is_eds =
            kind.is_some_and(|kind| kind.text().eq_ignore_ascii_case("EDS") || kind.integer() == Some(3));
        // The other way to ask for EDS.
        let named =
            cluster.path(&["cluster_type", "name"]).is_some_and(|name| name.text() == "envoy.cluster.eds");
        if is_eds || named {
            return;
        }
        let name = cluster.text_of("name").unwrap_or_default();
        let message = format!("the cluster `{name}` has `eds_cluster_config`, but its type is not EDS");
        self.refuse(eds.key_span, message, "add `type: EDS`, or remove `eds_cluster_config`");
    }

    /// Statuses are a half-open range within 100 to 600.
    pub(super) fn statuses(&mut self, check: Value<'t>) {
        for field in ["expected_statuses", "retriable_statuses"] {
            for range in check.list(field) {
                let bound = |name: &str| range.get(name).map_or(Some(0), Value::integer);
                let (Some(start), Some(end)) = (bound("start"), bound("end")) else { continue };
                if start >= end || start < 100 || end > 600 {
                    let message = format!(
                        "`{field}` from {start} up to {end} is not a range of statuses from 100 to 599"
                    );
                    self.refuse(range.span(), message, "`end` is not part of the range");
                }
            }
        }
    }

    /// What a TCP check sends and expects is written in hexadecimal digits.
    pub(super) fn payload(&mut self, payload: Value<'t>) {
        let Some(text) = payload.get("text") else { return };
        let hex = text.string().unwrap_or_default();
        if !hex.len().is_multiple_of(2) || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = "the payload of a health check is written as pairs of hexadecimal digits";
            self.refuse(text.span(), message.into(), "write the letter `a` as `61`");
        }
    }

    pub(super) fn subset_selector(&mut self, selector: Value<'t>) {
        let keys = selector
            .get("fallback_policy")
            .filter(|policy| policy.text().eq_ignore_ascii_case("KEYS_SUBSET"));
        if let Some(policy) = keys.filter(|_| selector.list("fallback_keys_subset").next().is_none()) {
            let message = "KEYS_SUBSET needs `fallback_keys_subset` to say which keys";
            self.refuse(policy.span(), message.into(), "add `fallback_keys_subset`");
        }
    }

    /// A source of configuration that is asked while Envoy starts says whom to ask.
    pub(super) fn asks_somebody(&mut self, source: Value<'t>) {
        let Some(kind) = source.get("api_type") else { return };
        if source.list("grpc_services").next().is_none() && source.list("cluster_names").next().is_none() {
            let message = "this source of configuration names neither a gRPC service nor a cluster";
            self.refuse(kind.span(), message.into(), "add `grpc_services`");
        }
    }

    /// A gRPC source names one service, a REST source a cluster and how often to ask.
    pub(super) fn api_config_source(&mut self, source: Value<'t>) {
        let Some(kind) = source.get("api_type") else { return };
        let services = source.list("grpc_services").count();
        let text = kind.text().to_ascii_uppercase();
        let problem = if text.ends_with("GRPC") && services > 1 {
            "takes one gRPC service, not several"
        } else if text == "REST" && source.get("refresh_delay").is_none() {
            "needs `refresh_delay`"
        } else {
            return;
        };
        self.refuse(kind.span(), format!("a source of configuration by {text} {problem}"), "");
    }
}
