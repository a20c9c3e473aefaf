//! Listener and network filters that close connections by themselves.

use crate::model::{Action, Condition, Route, RouteTable};
use crate::source::Span;

use super::super::tree::Value;
use super::http_filter::respond;
use super::matcher::opaque;
use super::rbac::{self, Layer};
use super::state::Lower;

/// When a network filter closes a connection that it could pass on.
pub(super) fn network(kind: &str, config: Value<'_>) -> Condition {
    let Some(family) = kind.strip_prefix("envoy.extensions.filters.network.") else {
        return opaque(format!("{kind} closes the connection or takes it over"));
    };
    match family.split('.').next().unwrap_or_default() {
        "rbac" => match (config.get("rules"), config.get("matcher")) {
            (Some(rules), _) => rbac::refuses(rules, Layer::Connection),
            (None, Some(_)) => opaque("its matcher refuses the connection"),
            (None, None) => Condition::Never,
        },
        "ext_authz" => opaque("its service refuses the connection or fails"),
        "ratelimit" => opaque("the rate limit is reached"),
        "local_ratelimit" => opaque("its bucket is empty"),
        "connection_limit" => opaque("max_connections is reached"),
        name @ ("wasm" | "golang" | "dynamic_modules" | "ext_proc" | "match_delegate") => {
            opaque(format!("{name} closes the connection or takes it over"))
        }
        _ => Condition::Never,
    }
}

/// When a listener filter closes a connection.
pub(super) fn listener(kind: &str) -> Condition {
    match kind {
        "envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit" => {
            opaque("its bucket is empty")
        }
        "envoy.extensions.filters.listener.dynamic_modules.v3.DynamicModuleListenerFilter" => {
            opaque("dynamic_modules closes the connection")
        }
        _ => Condition::Never,
    }
}

/// The rule of a filter that closes connections. `None`: it closes none.
pub(super) fn rule(when: Condition, layer: &str, name: &str, span: Span) -> Option<Route> {
    if when == Condition::Never {
        return None;
    }
    Some(Route::new(when, respond(None, name), format!("{layer} filter {name}"), span))
}

impl<'t> Lower<'t> {
    /// A route behind the rules of filters that close connections.
    pub(super) fn behind(&mut self, mut rules: Vec<Route>, route: Route) -> Route {
        if rules.is_empty() {
            return route;
        }
        let (label, span) = (route.label.clone(), route.span);
        rules.push(route);
        let table = self.config.add_table(RouteTable { routes: rules, label: label.clone() });
        Route::new(Condition::Always, Action::Table(table), label, span)
    }
}
