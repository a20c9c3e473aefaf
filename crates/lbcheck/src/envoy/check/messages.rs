//! What Envoy refuses in single messages although their types and rules are kept.

use crate::diagnostic::RuleId;
use crate::source::Span;

use super::super::schema::Message;
use super::super::tree::Value;
use super::Check;
use super::regex::{MAX_PROGRAM, ecma, re2};

impl<'t> Check<'_, 't> {
    /// Checks what is known of a message beyond its schema.
    pub(super) fn check_message(&mut self, value: Value<'t>, message: &'static Message) {
        match message.name {
            "envoy.type.matcher.v3.RegexMatcher" | "xds.type.matcher.v3.RegexMatcher" => self.regex(value),
            "envoy.config.metrics.v3.TagSpecifier" => self.tag(value),
            "envoy.config.trace.v3.ZipkinConfig" => self.zipkin(value),
            "envoy.config.cluster.v3.Cluster" => self.cluster(value),
            "envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector" => self.subset_selector(value),
            "envoy.config.cluster.v3.Cluster.RefreshRate"
            | "envoy.config.route.v3.RetryPolicy.RetryBackOff" => {
                self.ordered(value, "base_interval", "max_interval", None);
            }
            "envoy.config.cluster.v3.OutlierDetection" => {
                self.ordered(value, "base_ejection_time", "max_ejection_time", Some(30));
            }
            "envoy.config.core.v3.ApiConfigSource" => self.api_config_source(value),
            "envoy.config.core.v3.BindConfig" => {
                self.socket(value.get("source_address"));
                for name in ["extra_source_addresses", "additional_source_addresses"] {
                    for extra in value.list(name) {
                        self.socket(extra.get("address").filter(|inner| inner.is_map()).or(Some(extra)));
                    }
                }
            }
            "envoy.config.bootstrap.v3.Admin"
            | "envoy.config.metrics.v3.StatsdSink"
            | "envoy.config.metrics.v3.DogStatsdSink"
            | "envoy.extensions.stat_sinks.graphite_statsd.v3.GraphiteStatsdSink"
            | "envoy.config.endpoint.v3.Endpoint.HealthCheckConfig" => {
                self.socket(value.path(&["address", "socket_address"]));
            }
            "envoy.config.core.v3.DnsResolutionConfig"
            | "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig" => {
                for resolver in value.list("resolvers") {
                    self.socket(resolver.get("socket_address"));
                }
            }
            "envoy.config.overload.v3.ResourceMonitor" => self.resource_monitor(value),
            "envoy.config.core.v3.CidrRange" | "xds.core.v3.CidrRange" => {
                self.literal(value.get("address_prefix"))
            }
            "envoy.config.core.v3.HealthCheck.HttpHealthCheck" => self.statuses(value),
            "envoy.config.core.v3.HealthCheck.Payload" => self.payload(value),
            "envoy.config.listener.v3.FilterChain" => self.network_filters(value),
            "envoy.config.listener.v3.FilterChainMatch" => self.server_names(value),
            "envoy.config.route.v3.RouteAction" => self.route_action(value),
            "envoy.config.route.v3.RouteConfiguration"
            | "envoy.config.route.v3.VirtualHost"
            | "envoy.config.route.v3.Route"
            | "envoy.config.route.v3.WeightedCluster.ClusterWeight" => self.route_headers(value),
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager" => {
                self.http_filters(value);
                self.upgrades(value);
            }
            "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext" => self.downstream_tls(value),
            "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext" => self.common_tls(value),
            _ => {}
        }
    }

    pub(super) fn refuse(&mut self, span: Span, message: String, help: &str) {
        self.report(RuleId::InvalidValue, span, message, (!help.is_empty()).then(|| help.to_owned()));
    }

    /// A socket address that is not looked up.
    fn socket(&mut self, socket: Option<Value<'t>>) {
        let by_name =
            socket.is_some_and(|socket| socket.text_of("resolver_name").is_some_and(|name| !name.is_empty()));
        self.literal(socket.and_then(|socket| socket.get("address")).filter(|_| !by_name));
    }

    /// This monitor acts before a resource is taken, and is told from the others by its name.
    fn resource_monitor(&mut self, value: Value<'t>) {
        const NAME: &str = "envoy.resource_monitors.global_downstream_max_connections";
        const KIND: &str =
            "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig";
        let kind = value.get("typed_config").and_then(Value::type_name);
        let Some(name) = value.get("name").filter(|_| kind == Some(KIND)) else { return };
        if name.string().is_some_and(|text| text != NAME) {
            let message =
                format!("Envoy finds this monitor by its name, which is not `{}`", shown(name.text()));
            self.refuse(name.span(), message, &format!("call it `{NAME}`"));
        }
    }

    /// An address that is not looked up.
    fn literal(&mut self, address: Option<Value<'t>>) {
        let Some((address, text)) = address.and_then(|address| Some((address, address.string()?))) else {
            return;
        };
        // An IPv6 address may name its interface after a percent sign.
        let bare = text.split('%').next().unwrap_or(text);
        if !text.is_empty() && bare.parse::<std::net::IpAddr>().is_err() {
            self.refuse(address.span(), format!("`{text}` is not an IP address"), "");
        }
    }

    fn regex(&mut self, value: Value<'t>) {
        let Some(pattern) = value.get("regex") else { return };
        let Some(text) = pattern.string().filter(|text| !text.is_empty()) else { return };
        match re2(text) {
            Err(why) => {
                let message = format!("the regex `{}` is not valid RE2: {why}", shown(text));
                self.refuse(pattern.span(), message, "");
            }
            Ok(size) if size > MAX_PROGRAM && !self.sets_program_size => {
                let message = format!(
                    "the regex `{}` needs a program of {size} instructions or more; Envoy allows {MAX_PROGRAM}",
                    shown(text)
                );
                let help = "shorten it, or set `re2.max_program_size.error_level` in the runtime";
                self.refuse(pattern.span(), message, help);
            }
            Ok(_) => {}
        }
    }

    /// A tag of the statistics needs a name, and a way to find its value.
    fn tag(&mut self, value: Value<'t>) {
        let name = value.text_of("tag_name").unwrap_or_default();
        let regex = value.get("regex").filter(|regex| regex.string().is_some_and(|text| !text.is_empty()));
        let place = value.span_of("tag_name");
        if let Some(regex) = regex {
            if name.is_empty() {
                self.refuse(place, "a tag of the statistics has no `tag_name`".into(), "add `tag_name`");
            }
            if let Err(why) = ecma(regex.text()) {
                let message = format!("the regex `{}` is not valid ECMAScript: {why}", shown(regex.text()));
                self.refuse(regex.span(), message, "tags are found with std::regex, not with RE2");
            }
        } else if value.get("fixed_value").is_none() && !name.starts_with("envoy.") {
            // The tags Envoy knows by itself have regexes of their own.
            let message = format!("the tag `{name}` has no `regex`, and Envoy knows none for it");
            self.refuse(place, message, "add `regex`, or `fixed_value`");
        }
    }

    fn zipkin(&mut self, value: Value<'t>) {
        let there = |name: &str| value.text_of(name).is_some_and(|text| !text.is_empty());
        if value.get("collector_service").is_some()
            || (there("collector_cluster") && there("collector_endpoint"))
        {
            return;
        }
        let message =
            "Zipkin tracing needs `collector_cluster` and `collector_endpoint`, or `collector_service`";
        let span = value.fields().next().map_or(value.span(), |first| first.key_span);
        self.refuse(span, message.into(), "");
    }
}

/// The beginning of a pattern.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
