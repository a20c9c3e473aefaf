//! One route: match, action, retries, hash policies, mirrors.

use std::time::Duration;

use crate::model::{
    Action, HashPolicy, KeyVariety, Mirror, Response, Retries, Route, Setting, Target, Weakens,
    WeightedTarget,
};
use crate::source::Spanned;

use super::super::tree::Value;
use super::matcher::{self, lb_metadata, route_match};
use super::state::Lower;

const REDIRECTS: [(&str, i64); 5] = [
    ("MOVED_PERMANENTLY", 0),
    ("FOUND", 1),
    ("SEE_OTHER", 2),
    ("TEMPORARY_REDIRECT", 3),
    ("PERMANENT_REDIRECT", 4),
];

/// What a virtual host and the route configuration around it pass on to a route.
#[derive(Clone, Default)]
pub(super) struct Inherited<'t> {
    pub(super) retry_policy: Option<Value<'t>>,
    pub(super) mirrors: Vec<Value<'t>>,
}

impl<'t> Lower<'t> {
    /// Lowers one entry of `routes`.
    pub(super) fn route(&mut self, route: Value<'t>, inherited: &Inherited<'t>) -> Option<Route> {
        if !route.is_map() {
            return None;
        }
        let (when, label) = route_match(route);
        let label = match route.text_of("name") {
            Some(name) if !name.is_empty() => format!("route {name} ({label})"),
            _ => format!("route {label}"),
        };
        let mut made = Route::new(when, Action::Opaque(String::new()), label, route.span());
        made.chance_denominator =
            route.path(&["match", "runtime_fraction", "default_value"]).map(matcher::fraction_denominator);
        if let Some(action) = route.get("route") {
            self.forward(action, inherited, &mut made);
        } else if let Some(redirect) = route.get("redirect") {
            let code = redirect.get("response_code").and_then(|value| value.enumeration(&REDIRECTS));
            let status = match code {
                Some("FOUND") => 302,
                Some("SEE_OTHER") => 303,
                Some("TEMPORARY_REDIRECT") => 307,
                Some("PERMANENT_REDIRECT") => 308,
                _ => 301,
            };
            made.action = Action::Respond(Response { status: Some(status), kind: "redirect".into() });
        } else if let Some(response) = route.get("direct_response") {
            let status = response.get("status").and_then(Value::integer);
            let status = status.and_then(|status| u16::try_from(status).ok());
            made.action = Action::Respond(Response { status, kind: "direct_response".into() });
        } else if route.get("non_forwarding_action").is_some() {
            made.action = Action::Local("non_forwarding_action".into());
        } else if let Some(filter) = route.get("filter_action") {
            made.action = Action::Opaque("filter_action".into());
            self.gap(filter.span(), "filter_action", Weakens::Routing);
        }
        Some(made)
    }

    /// A `RouteAction`.
    fn forward(&mut self, action: Value<'t>, inherited: &Inherited<'t>, made: &mut Route) {
        made.hash_policies = action.list("hash_policy").filter_map(hash_policy).collect();
        made.metadata = lb_metadata(action.get("metadata_match"));
        made.rewrite = rewrite(action);
        made.timeout = Some(timeout(action));
        made.retries = retries(action.get("retry_policy").or(inherited.retry_policy));
        let own = action.get("request_mirror_policies").is_some();
        let mirrors: Vec<Value<'t>> = match own {
            true => action.list("request_mirror_policies").collect(),
            false => inherited.mirrors.clone(),
        };
        made.mirrors = mirrors.into_iter().filter_map(|mirror| self.mirror(mirror)).collect();
        made.action = self.choose(action);
    }

    /// The cluster or clusters an action names.
    fn choose(&mut self, action: Value<'t>) -> Action {
        if let Some(cluster) = action.get("cluster")
            && let Some(name) = cluster.spanned()
        {
            self.check_route_cluster(cluster);
            return Action::Forward(self.target(name));
        }
        if let Some(weighted) = action.get("weighted_clusters") {
            self.check_weights(weighted);
            return Action::Split(weighted.list("clusters").filter_map(|arm| self.arm(arm)).collect());
        }
        if let Some(target) = self.named_target(action, "cluster") {
            return Action::Forward(target);
        }
        for name in ["inline_cluster_specifier_plugin", "cluster_specifier_plugin"] {
            if let Some(plugin) = action.get(name) {
                self.gap(plugin.span(), name, Weakens::Routing);
                return Action::Opaque(name.into());
            }
        }
        Action::Opaque("route without a cluster".into())
    }

    /// The cluster that a field names, or a header of the request.
    fn named_target(&self, value: Value<'t>, field: &str) -> Option<Target> {
        if let Some(name) = value.get(field).and_then(Value::spanned) {
            return Some(self.target(name));
        }
        let header = value.get("cluster_header")?;
        let text = Spanned::new(format!("cluster_header {}", header.string()?), header.span());
        Some(Target::Dynamic { text, candidates: Vec::new(), recipe: None })
    }

    fn arm(&mut self, arm: Value<'t>) -> Option<WeightedTarget> {
        if let Some(name) = arm.get("name") {
            self.check_route_cluster(name);
        }
        let target = self.named_target(arm, "name")?;
        let weight = arm.get("weight");
        Some(WeightedTarget {
            target,
            weight: weight.and_then(Value::u64).unwrap_or(0),
            span: weight.unwrap_or(arm).span(),
        })
    }

    fn mirror(&mut self, policy: Value<'t>) -> Option<Mirror> {
        self.check_one_name(policy, "cluster");
        let target = self.named_target(policy, "cluster")?;
        if let Target::Pool { pool, span } = target {
            self.config.other_uses.push((pool, span));
        }
        let fraction = policy.path(&["runtime_fraction", "default_value"]);
        let share_ppm = match policy.get("runtime_fraction") {
            Some(_) => fraction.map_or(Some(0), matcher::fraction_ppm).unwrap_or(1_000_000),
            None => 1_000_000,
        };
        Some(Mirror { target, share_ppm, span: policy.span() })
    }
}

/// One entry of `hash_policy`. `None` for one whose kind is missing.
pub(super) fn hash_policy(policy: Value<'_>) -> Option<HashPolicy> {
    let key = if let Some(header) = policy.get("header") {
        format!("header {}", header.text_of("header_name")?.to_ascii_lowercase())
    } else if let Some(cookie) = policy.get("cookie") {
        format!("cookie {}", cookie.text_of("name")?)
    } else if let Some(connection) = policy.get("connection_properties") {
        if connection.is_set("source_ip") { "source_ip".to_owned() } else { return None }
    } else if let Some(query) = policy.get("query_parameter") {
        format!("query {}", query.text_of("name")?)
    } else {
        format!("filter_state {}", policy.get("filter_state")?.text_of("key")?)
    };
    let variety = match key.as_str() {
        "header :authority" | "header host" => Some(KeyVariety::Host),
        "header :scheme" | "header :method" => Some(KeyVariety::Listener),
        _ => None,
    };
    let rewritten = policy.path(&["header", "regex_rewrite"]).map(|rule| {
        let pattern = rule.path(&["pattern", "regex"]).and_then(Value::string).unwrap_or_default();
        format!("{pattern} → {}", rule.text_of("substitution").unwrap_or_default())
    });
    Some(HashPolicy {
        by_address: key == "source_ip",
        rewritten,
        key,
        variety,
        terminal: policy.is_set("terminal"),
        span: policy.span(),
    })
}

/// What an action makes of path and host, in words. An empty text leaves them as they are.
fn rewrite(action: Value<'_>) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut text = |what: &str, name: &str| {
        if let Some(text) = action.text_of(name).filter(|text| !text.is_empty()) {
            parts.push(format!("{what} → {text}"));
        }
    };
    text("matched path prefix", "prefix_rewrite");
    text("host", "host_rewrite_literal");
    text("host, taken from header", "host_rewrite_header");
    for (what, name) in [("path", "regex_rewrite"), ("host, from the path", "host_rewrite_path_regex")] {
        if let Some(rule) = action.get(name) {
            let pattern = rule.path(&["pattern", "regex"]).and_then(Value::string).unwrap_or_default();
            let to = rule.text_of("substitution").unwrap_or_default();
            parts.push(format!("{what} ~ {pattern} → {to}"));
        }
    }
    if let Some(policy) = action.get("path_rewrite_policy") {
        let template = policy.get("typed_config").and_then(|config| config.text_of("path_template_rewrite"));
        let name = policy.text_of("name").unwrap_or_default();
        parts.push(format!("path template → {}", template.unwrap_or(name)));
    }
    if action.is_set("auto_host_rewrite") {
        parts.push("host → the endpoint's hostname".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The whole-request timeout; 0 switches it off.
fn timeout(action: Value<'_>) -> Setting<Duration> {
    action
        .get("timeout")
        .and_then(|value| Some(Setting::written(value.duration()?, value.span())))
        .unwrap_or(Setting::default(Duration::from_secs(15), "Envoy 1.40: 15s"))
}

fn retries(policy: Option<Value<'_>>) -> Option<Retries> {
    let policy = policy?;
    let on = policy.get("retry_on").filter(|on| on.string().is_some_and(|text| !text.is_empty()));
    let attempts = policy
        .get("num_retries")
        .and_then(|value| Some(Setting::written(value.u32()?, value.span())))
        .unwrap_or(Setting::default(1, "Envoy 1.40: 1"));
    Some(Retries {
        attempts: Some(attempts),
        on: on.and_then(|on| Some(Setting::written(on.string()?.to_owned(), on.span()))),
        redispatch: None,
    })
}
