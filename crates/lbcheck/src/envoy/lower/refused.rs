//! What Envoy refuses after its messages are built: conflicts between fields, names given twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::model::{Host, Pool};
use crate::source::Span;

use super::super::schema;
use super::super::tree::Value;
use super::endpoint::{Discovery, read_address};
use super::state::Lower;

impl<'t> Lower<'t> {
    pub(super) fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) {
        let diagnostic = Diagnostic::new(RuleId::InvalidValue, Severity::Error, span, message);
        self.report(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }

    /// Conflicts between the settings of a cluster.
    pub(super) fn check_cluster(&mut self, cluster: Value<'t>, discovery: Discovery, pool: &Pool) {
        let name = pool.name.value.clone();
        match discovery {
            Discovery::Static => self.check_addresses(cluster, &name),
            Discovery::LogicalDns => {
                let count = pool.endpoints.len();
                if count != 1 {
                    let span = cluster.span_of("load_assignment");
                    let text =
                        format!("a LOGICAL_DNS cluster takes exactly one endpoint; `{name}` has {count}");
                    self.refuse(span, text, "use STRICT_DNS for several endpoints");
                }
            }
            Discovery::Eds if cluster.path(&["eds_cluster_config", "eds_config"]).is_none() => {
                let text = format!("the EDS cluster `{name}` does not say where its endpoints come from");
                let help = "add `eds_cluster_config` with an `eds_config`";
                // An empty `eds_cluster_config` is let through by Envoy's first check.
                if cluster.get("eds_cluster_config").is_none() {
                    self.refuse(cluster.span_of("type"), text, help);
                }
            }
            Discovery::OriginalDst => {
                if let Some(assignment) = cluster.field("load_assignment") {
                    let text = "an ORIGINAL_DST cluster has no endpoints of its own; Envoy refuses the list";
                    self.refuse(assignment.key_span, text, "remove `load_assignment`");
                }
            }
            _ => {}
        }
        self.check_policy(cluster, discovery, &name);
    }

    /// Beside a `load_balancing_policy` the older field is not looked at.
    pub(super) fn superseded_policy(&mut self, cluster: Value<'t>, pool: &Pool) {
        let (Some(older), Some(newer)) = (cluster.field("lb_policy"), cluster.field("load_balancing_policy"))
        else {
            return;
        };
        let name = &pool.name.value;
        // Envoy's own marker for "the other field says it".
        if older.value.text() == "LOAD_BALANCING_POLICY_CONFIG" {
            return;
        }
        let message = format!(
            "`lb_policy` of the cluster `{name}` has no effect: `load_balancing_policy` takes its place"
        );
        self.report(
            Diagnostic::new(RuleId::DirectiveIneffective, Severity::Warning, older.key_span, message)
                .also(newer.key_span, "this one holds")
                .help("keep the one that is meant")
                .pool(name.clone()),
        );
    }

    /// Of two circuit breakers of one priority Envoy takes the first, in silence.
    pub(super) fn repeated_thresholds(&mut self, cluster: Value<'t>, pool: &Pool) {
        const PRIORITY: [(&str, i64); 2] = [("DEFAULT", 0), ("HIGH", 1)];
        let Some(breakers) = cluster.get("circuit_breakers") else { return };
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        for threshold in breakers.list("thresholds") {
            let Some(priority) =
                threshold.get("priority").map_or(Some("DEFAULT"), |value| value.enumeration(&PRIORITY))
            else {
                continue;
            };
            match first.entry(priority) {
                Entry::Vacant(entry) => {
                    entry.insert(threshold.span());
                }
                Entry::Occupied(entry) => {
                    let name = &pool.name.value;
                    let message = format!(
                        "the cluster `{name}` has two circuit breakers of priority {priority}, and Envoy takes the first"
                    );
                    self.report(
                        Diagnostic::new(
                            RuleId::DuplicateSingleton,
                            Severity::Warning,
                            threshold.span(),
                            message,
                        )
                        .also(*entry.get(), "this one holds")
                        .help("keep the one that is meant")
                        .pool(name.clone()),
                    );
                }
            }
        }
    }

    fn check_addresses(&mut self, cluster: Value<'t>, name: &str) {
        let groups = cluster.path(&["load_assignment", "endpoints"]).into_iter().flat_map(Value::items);
        for endpoint in groups.flat_map(|group| group.list("lb_endpoints")) {
            self.check_port(endpoint);
            if endpoint.path(&["endpoint", "address"]).is_none() {
                let message = format!("an endpoint of the STATIC cluster `{name}` has no address");
                self.refuse(endpoint.span(), message, "add `endpoint` with an `address`");
            }
            let further = endpoint
                .get("endpoint")
                .into_iter()
                .flat_map(|endpoint| endpoint.list("additional_addresses"));
            let addresses = endpoint.path(&["endpoint", "address"]).into_iter();
            for address in addresses.chain(further.filter_map(|extra| extra.get("address"))) {
                self.check_static_address(address, name);
            }
        }
    }

    fn check_static_address(&mut self, address: Value<'t>, name: &str) {
        let Some(socket) = address.get("socket_address") else { return };
        if socket.get("named_port").is_some() && socket.get("resolver_name").is_none() {
            let message = format!("the STATIC cluster `{name}` cannot look the port's name up");
            self.refuse(socket.span_of("named_port"), message, "write the number as `port_value`");
        }
        let Some(text) = socket.text_of("address").filter(|text| !text.is_empty()) else { return };
        let literal = matches!(read_address(address).host, Host::Ip(_));
        if literal || socket.get("resolver_name").is_some() {
            return;
        }
        let message =
            format!("`{text}` is not an IP address, and the STATIC cluster `{name}` does not look names up");
        self.refuse(socket.span_of("address"), message, "use an IP address, or the type STRICT_DNS");
    }

    /// Only an IP address can be checked on another port.
    fn check_port(&mut self, endpoint: Value<'t>) {
        let Some(address) = endpoint.path(&["endpoint", "address"]) else { return };
        let local = address.get("pipe").is_some() || address.get("envoy_internal_address").is_some();
        let port = endpoint.path(&["endpoint", "health_check_config", "port_value"]);
        if let Some(port) = port.filter(|port| local && port.u32().is_some_and(|port| port > 0)) {
            let text = "the endpoint's address has no port, so its health checks cannot go to another one";
            self.refuse(port.span(), text, "remove `port_value`");
        }
    }

    fn check_policy(&mut self, cluster: Value<'t>, discovery: Discovery, name: &str) {
        let written = cluster.get("lb_policy");
        let policy = written.map(|value| value.text().to_ascii_uppercase()).unwrap_or_default();
        let common = cluster.get("common_lb_config");
        let Some(typed) = cluster.field("load_balancing_policy") else {
            self.check_named_policy(cluster, discovery, &policy, name);
            return;
        };
        for field in ["zone_aware_lb_config", "locality_weighted_lb_config", "consistent_hashing_lb_config"] {
            if let Some(partial) = common.and_then(|common| common.field(field)) {
                self.exclude(&typed, partial.key_span, field);
            }
        }
        if let Some(subset) = cluster.field("lb_subset_config") {
            self.exclude(&typed, subset.key_span, "lb_subset_config");
        }
        if typed.value.list("policies").next().is_none() {
            let text = format!("the `load_balancing_policy` of `{name}` names no policy");
            self.refuse(typed.key_span, text, "list at least one policy");
            return;
        }
        // Envoy takes the first policy that it has.
        let Some(category) = schema::category("envoy.load_balancing_policies") else { return };
        let settings = |policy: Value<'t>| policy.path(&["typed_extension_config", "typed_config"]);
        let types = || typed.value.list("policies").filter_map(|policy| settings(policy)?.type_name());
        if let Some(first) = types().next()
            && types().all(|known| schema::cannot_be(known, category))
        {
            let text = format!(
                "the `load_balancing_policy` of `{name}` names no load balancing policy: `{first}` is none"
            );
            let span =
                typed.value.list("policies").find_map(settings).unwrap_or(typed.value).span_of("@type");
            self.refuse(span, text, "");
        }
    }

    fn exclude(&mut self, typed: &super::super::tree::Field<'t>, span: Span, field: &str) {
        let text =
            format!("`load_balancing_policy` and `{field}` exclude each other; Envoy refuses both together");
        let diagnostic = Diagnostic::new(RuleId::InvalidValue, Severity::Error, span, text)
            .also(typed.key_span, "the typed policy")
            .help("move the setting into the typed policy");
        self.report(diagnostic);
    }

    fn check_named_policy(&mut self, cluster: Value<'t>, discovery: Discovery, policy: &str, name: &str) {
        let span = cluster.span_of("lb_policy");
        let listed = matches!(
            discovery,
            Discovery::Static | Discovery::StrictDns | Discovery::LogicalDns | Discovery::Eds
        );
        if policy == "LOAD_BALANCING_POLICY_CONFIG" {
            let text = format!("`{name}` asks for `load_balancing_policy`, which is missing");
            self.refuse(span, text, "add `load_balancing_policy`");
        } else if policy == "CLUSTER_PROVIDED" && listed {
            let text = format!("the type of cluster `{name}` provides no load balancer of its own");
            self.refuse(span, text, "use CLUSTER_PROVIDED only with types such as ORIGINAL_DST");
        } else if policy != "CLUSTER_PROVIDED" && policy != "6" && discovery == Discovery::OriginalDst {
            let text =
                format!("the ORIGINAL_DST cluster `{name}` takes no other policy than CLUSTER_PROVIDED");
            self.refuse(span, text, "set `lb_policy: CLUSTER_PROVIDED`");
        } else if policy == "MAGLEV" {
            self.check_maglev(cluster.get("maglev_lb_config"));
        } else if policy == "RING_HASH" {
            self.check_ring(cluster.get("ring_hash_lb_config"));
        }
        let consistent = cluster.path(&["common_lb_config", "consistent_hashing_lb_config"]);
        if discovery == Discovery::Static
            && let Some(consistent) = consistent.filter(|config| config.is_set("use_hostname_for_hashing"))
        {
            let span = consistent.span_of("use_hostname_for_hashing");
            self.refuse(span, format!("the STATIC cluster `{name}` has no host names to hash"), "");
        }
    }

    /// A Maglev table has a prime number of slots.
    pub(super) fn check_maglev(&mut self, config: Option<Value<'t>>) {
        let Some(size) = config.and_then(|config| config.get("table_size")) else { return };
        // Larger tables are refused by the schema's own rule.
        let Some(number) = size.u64().filter(|number| *number <= 5_000_011) else { return };
        if !is_prime(number) {
            self.refuse(size.span(), format!("the Maglev table size {number} is not a prime number"), "");
        }
    }

    /// The smallest ring must not be larger than the largest.
    pub(super) fn check_ring(&mut self, config: Option<Value<'t>>) {
        let Some(config) = config else { return };
        let number = |name: &str, default: u64| config.get(name).map_or(Some(default), Value::u64);
        let least = number("minimum_ring_size", 1024);
        let most = number("maximum_ring_size", 8_388_608);
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            let span = config.get("maximum_ring_size").unwrap_or(config).span();
            let text = format!("the smallest ring ({least} entries) is larger than the largest ({most})");
            self.refuse(span, text, "`minimum_ring_size` is 1024 when it is not written");
        }
    }

    /// Domains are unique within a route configuration.
    pub(super) fn check_domains(&mut self, configuration: Value<'t>) {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for domain in configuration.list("virtual_hosts").flat_map(|host| host.list("domains")) {
            let Some(text) = domain.string() else { continue };
            match seen.entry(text.to_ascii_lowercase()) {
                Entry::Vacant(entry) => {
                    entry.insert(domain.span());
                }
                Entry::Occupied(entry) => {
                    let first = *entry.get();
                    let message = format!("the domain `{text}` stands twice in one route configuration");
                    let diagnostic =
                        Diagnostic::new(RuleId::DuplicateDefinition, Severity::Error, domain.span(), message)
                            .also(first, "first written here")
                            .help("a host can belong to one virtual host only: remove one of the two");
                    self.report(diagnostic);
                }
            }
        }
    }

    /// Weighted clusters: each has a weight and one name, and the weights do not sum to nothing.
    pub(super) fn check_weights(&mut self, weighted: Value<'t>) {
        let mut sum = 0_u64;
        let mut complete = true;
        for arm in weighted.list("clusters") {
            match arm.get("weight") {
                Some(weight) => sum = sum.saturating_add(weight.u64().unwrap_or(1)),
                None => {
                    complete = false;
                    let text = "a weighted cluster has no `weight`; Envoy refuses the route";
                    self.refuse(arm.span_of("name"), text, "add `weight`, 0 for no traffic");
                }
            }
            self.check_one_name(arm, "name");
        }
        if complete && sum == 0 && weighted.list("clusters").next().is_some() {
            let text = "the weights of the weighted clusters sum to 0; Envoy refuses the route";
            self.refuse(weighted.span_of("clusters"), text, "give at least one cluster a weight above 0");
        }
    }

    /// A cluster is named by its name or by a header, not by both.
    pub(super) fn check_one_name(&mut self, holder: Value<'t>, field: &str) {
        let there = |name: &str| holder.text_of(name).is_some_and(|text| !text.is_empty());
        match (there(field), there("cluster_header")) {
            (true, true) => {
                let text = format!("`{field}` and `cluster_header` exclude each other");
                self.refuse(holder.span_of("cluster_header"), text, "keep one of them");
            }
            (false, false) => {
                let text = format!("one of `{field}` and `cluster_header` must say which cluster is meant");
                self.refuse(holder.span(), text, "");
            }
            _ => {}
        }
    }

    /// Two listeners cannot share an address.
    pub(super) fn check_listener_addresses(&mut self, listeners: &[Value<'t>]) {
        let mut seen: BTreeMap<(crate::source::FileId, bool, String), Span> = BTreeMap::new();
        for listener in listeners {
            let Some(address) = listener.get("address") else { continue };
            let Some(socket) = address.get("socket_address") else { continue };
            let place = read_address(address);
            // Port 0 is any free port.
            if place.port.is_none_or(|port| port == 0) {
                continue;
            }
            let udp = socket.get("protocol").is_some_and(|protocol| {
                protocol.text().eq_ignore_ascii_case("UDP") || protocol.integer() == Some(1)
            });
            match seen.entry((address.span().file, udp, place.to_string())) {
                Entry::Vacant(entry) => {
                    entry.insert(address.span());
                }
                Entry::Occupied(entry) => {
                    let first = *entry.get();
                    let name = listener.text_of("name").unwrap_or_default();
                    let message =
                        format!("the listener `{name}` takes the address {place}, which another has");
                    let diagnostic = Diagnostic::new(
                        RuleId::DuplicateDefinition,
                        Severity::Error,
                        address.span(),
                        message,
                    )
                    .also(first, "the other listener");
                    self.report(diagnostic);
                }
            }
        }
    }

    /// A listener needs an address, and one that needs no looking up.
    pub(super) fn check_bind(&mut self, listener: Value<'t>) {
        let name = listener.text_of("name").unwrap_or_default();
        let Some(address) = listener.get("address") else {
            if listener.get("api_listener").is_none() && listener.get("internal_listener").is_none() {
                let text = format!("the listener `{name}` has no address");
                self.refuse(listener.span_of("name"), text, "add `address`");
            }
            return;
        };
        let further = listener.list("additional_addresses").filter_map(|extra| extra.get("address"));
        for address in std::iter::once(address).chain(further) {
            let Some(socket) = address.get("socket_address") else { continue };
            let text = socket.text_of("address").unwrap_or_default();
            // An empty address is refused by the schema's own rule.
            let literal = text.is_empty() || matches!(read_address(address).host, Host::Ip(_));
            if !literal && socket.get("resolver_name").is_none() {
                let message =
                    format!("the listener `{name}` cannot listen on `{text}`: it is not an IP address");
                self.refuse(socket.span_of("address"), message, "");
            }
        }
    }

    /// A TCP listener without a filter chain.
    pub(super) fn check_chains(&mut self, listener: Value<'t>) {
        let Some(socket) = listener.path(&["address", "socket_address"]) else { return };
        let chains = listener.list("filter_chains").next().is_some();
        let other = ["default_filter_chain", "api_listener", "udp_listener_config", "filter_chain_matcher"];
        if chains || socket.get("protocol").is_some() || other.iter().any(|name| listener.get(name).is_some())
        {
            return;
        }
        let name = listener.text_of("name").unwrap_or_default();
        let text = format!("the listener `{name}` has no filter chain, so nothing would handle a connection");
        self.refuse(listener.span_of("name"), text, "add `filter_chains`");
    }
}

fn is_prime(number: u64) -> bool {
    let odd = number == 2 || (number > 2 && number % 2 == 1);
    odd && (3..)
        .step_by(2)
        .take_while(|divisor| divisor * divisor <= number)
        .all(|divisor| !number.is_multiple_of(divisor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes() {
        let primes: Vec<u64> = (0..30).filter(|&number| is_prime(number)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert!(is_prime(65_537) && is_prime(5_000_011) && !is_prime(65_536));
    }
}
