//! Role-based access control: policies as conditions.

use crate::model::{Condition, Match, TextMatch};

use super::super::tree::Value;
use super::matcher::{self, opaque};

/// What the policies are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// A request.
    Request(Client),
    /// A connection, before anything of a request is read.
    Connection,
}

/// Whose address Envoy takes for the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// That of whoever connects.
    Peer,
    /// The last one in `x-forwarded-for`, if there is that header.
    Forwarded,
    /// Something else decides.
    Detected,
}

/// Policies may nest rules in rules; deeper ones are not followed.
const MAX_DEPTH: usize = 4;

/// When `rules` refuse a request or connection.
pub(super) fn refuses(rules: Value<'_>, layer: Layer) -> Condition {
    const ACTIONS: [(&str, i64); 3] = [("ALLOW", 0), ("DENY", 1), ("LOG", 2)];
    let policies = rules.get("policies").into_iter().flat_map(Value::fields);
    let matches = || Condition::any(policies.map(|policy| self::policy(policy.value, layer)));
    match rules.get("action").map(|action| action.enumeration(&ACTIONS)) {
        None | Some(Some("ALLOW")) => matches().not(),
        Some(Some("DENY")) => matches(),
        Some(Some(_)) => Condition::Never,
        Some(None) => opaque("an action that is not known"),
    }
}

fn policy(policy: Value<'_>, layer: Layer) -> Condition {
    let permissions = policy.list("permissions").map(|rule| permission(rule, layer, 0));
    let principals = policy.list("principals").map(|id| principal(id, layer, 0));
    let mut parts = vec![Condition::any(permissions), Condition::any(principals)];
    if policy.get("condition").is_some() || policy.get("checked_condition").is_some() {
        parts.push(opaque("the condition of a policy in CEL"));
    }
    Condition::all(parts)
}

fn permission(rule: Value<'_>, layer: Layer, depth: usize) -> Condition {
    if depth > MAX_DEPTH {
        return opaque("a rule deep in others");
    }
    let inner = |list: Value<'_>| {
        list.list("rules").map(|rule| permission(rule, layer, depth + 1)).collect::<Vec<_>>()
    };
    if let Some(list) = rule.get("and_rules") {
        return Condition::all(inner(list));
    }
    if let Some(list) = rule.get("or_rules") {
        return Condition::any(inner(list));
    }
    if let Some(rule) = rule.get("not_rule") {
        return permission(rule, layer, depth + 1).not();
    }
    if let Some(port) = rule.get("destination_port").and_then(Value::integer) {
        return u16::try_from(port).map_or(Condition::Never, |port| Condition::Is(Match::Port(port)));
    }
    if let Some(range) = rule.get("destination_port_range") {
        return ports(range);
    }
    if let Some(address) = rule.get("destination_ip") {
        return opaque(format!("destination in {}", cidr(address)));
    }
    if let Some(name) = rule.get("requested_server_name") {
        let text = matcher::string_matcher(name);
        return text.map_or_else(
            || opaque("TLS server name by an extension"),
            |text| Condition::Is(Match::Sni(text)),
        );
    }
    common(rule, layer)
}

fn principal(id: Value<'_>, layer: Layer, depth: usize) -> Condition {
    if depth > MAX_DEPTH {
        return opaque("a principal deep in others");
    }
    let inner =
        |list: Value<'_>| list.list("ids").map(|id| principal(id, layer, depth + 1)).collect::<Vec<_>>();
    if let Some(list) = id.get("and_ids") {
        return Condition::all(inner(list));
    }
    if let Some(list) = id.get("or_ids") {
        return Condition::any(inner(list));
    }
    if let Some(id) = id.get("not_id") {
        return principal(id, layer, depth + 1).not();
    }
    for name in ["source_ip", "direct_remote_ip"] {
        if let Some(address) = id.get(name) {
            return Condition::Is(Match::Source(cidr(address)));
        }
    }
    if let Some(address) = id.get("remote_ip") {
        return client_in(&cidr(address), layer);
    }
    if id.get("authenticated").is_some() {
        return Condition::all([Condition::Is(Match::Tls), opaque("the certificate that the client shows")]);
    }
    common(id, layer)
}

/// What permissions and principals have in common.
fn common(rule: Value<'_>, layer: Layer) -> Condition {
    if rule.is_set("any") {
        return Condition::Always;
    }
    let header = rule.get("header");
    let path = rule.path(&["url_path", "path"]);
    if layer == Layer::Connection && (header.is_some() || path.is_some()) {
        return opaque("a property of requests, asked of a connection");
    }
    if let Some(header) = header {
        return matcher::header(header);
    }
    if let Some(path) = path {
        return match matcher::string_matcher(path) {
            Some(text) => Condition::Is(Match::Path(text)),
            None => opaque("path by an extension"),
        };
    }
    let name = rule.fields().next().map_or("a rule", |field| field.key);
    opaque(format!("what {name} asks"))
}

/// A range of ports: the end is not in it.
fn ports(range: Value<'_>) -> Condition {
    let bound = |name: &str| range.get(name).and_then(Value::integer).unwrap_or(0);
    let (from, to) = (bound("start"), bound("end"));
    // Each port is a test of its own.
    if to.saturating_sub(from) > 16 {
        return opaque(format!("port from {from} to {}", to - 1));
    }
    let ports = (from..to).filter_map(|port| u16::try_from(port).ok());
    Condition::any(ports.map(|port| Condition::Is(Match::Port(port))))
}

fn client_in(network: &str, layer: Layer) -> Condition {
    let peer = Condition::Is(Match::Source(network.to_owned()));
    match layer {
        Layer::Connection | Layer::Request(Client::Peer) => peer,
        Layer::Request(Client::Detected) => {
            opaque(format!("client in {network}, found by the proxies in front"))
        }
        Layer::Request(Client::Forwarded) => {
            let forwarded =
                Condition::Is(Match::HeaderLine("x-forwarded-for".to_owned(), TextMatch::Present));
            let there = opaque(format!("last address of x-forwarded-for in {network}"));
            Condition::any([
                Condition::all([forwarded.clone(), there]),
                Condition::all([forwarded.not(), peer]),
            ])
        }
    }
}

fn cidr(range: Value<'_>) -> String {
    let prefix = range.text_of("address_prefix").unwrap_or_default();
    let bits = range.get("prefix_len").and_then(Value::integer).unwrap_or(0);
    format!("{prefix}/{bits}")
}
