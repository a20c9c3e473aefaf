//! HTTP filters that answer by themselves, before the router follows the route.
//!
//! Each is read as rules of its own in front of the routes: those that the configuration decides as conditions, the
//! others as not known. Filters run after the route was chosen, so that a route, its virtual host or its route
//! configuration can set up a filter otherwise than the connection manager does.

use std::collections::BTreeSet;

use crate::model::{Action, Condition, Match, Response, Route, RouteTable, TableId};
use crate::source::Span;
use crate::words;

use super::super::tree::Value;
use super::Lower;
use super::decide::{Decided, Effect, Setup, decide};
use super::listener::{inner_type, inner_value};
use super::matcher::{all, opaque};
use super::rbac::Client;

/// An HTTP filter as a connection manager lists it.
#[derive(Clone, Copy)]
pub(super) struct HttpFilter<'t> {
    pub(super) name: &'t str,
    /// Type of its settings.
    pub(super) kind: &'t str,
    pub(super) config: Option<Value<'t>>,
    pub(super) disabled: bool,
    pub(super) span: Span,
}

/// The filters of the connection manager whose routes are being read.
#[derive(Clone, Default)]
pub(super) struct Filters<'t> {
    /// Those in front of the router.
    pub(super) list: Vec<HttpFilter<'t>>,
    pub(super) client: Option<Client>,
    /// Values of the runtime are not all in the configuration.
    open_runtime: bool,
    /// No upgrade is allowed anywhere.
    pub(super) refuses_upgrades: bool,
    /// From this one on routes may say otherwise than the list.
    late: usize,
    changed: Changes,
    /// A route asks for rate limits.
    limits: bool,
}

/// Where filters are set up for some routes, from the widest to the most specific.
pub(super) type Levels<'t> = [Option<Value<'t>>; 3];

/// What filters in front may have changed.
#[derive(Clone, Default)]
struct Changes {
    /// Anything, and by which filter.
    all: Option<String>,
    /// These headers.
    headers: BTreeSet<String>,
}

impl<'t> Filters<'t> {
    pub(super) fn read(config: Value<'t>, open_runtime: bool) -> Self {
        let mut filters = Self { client: Some(client(config)), open_runtime, ..Self::default() };
        for filter in config.list("http_filters") {
            let settings = filter.get("typed_config");
            let kind = settings
                .map_or("", |settings| inner_type(settings, settings.type_name().unwrap_or_default()));
            filters.list.push(HttpFilter {
                name: filter.text_of("name").unwrap_or_default(),
                kind,
                config: settings.map(inner_value),
                disabled: filter.is_set("disabled"),
                span: filter.span(),
            });
        }
        filters.refuses_upgrades = config.list("upgrade_configs").next().is_none();
        filters
    }

    /// The filters that take their settings from routes begin with the first that a route names.
    pub(super) fn prepare(&mut self, configuration: Value<'t>) {
        let mut levels = vec![configuration];
        let mut arms: Vec<Value<'t>> = Vec::new();
        for host in configuration.list("virtual_hosts") {
            levels.push(host);
            for route in host.list("routes") {
                levels.push(route);
                let Some(action) = route.get("route") else { continue };
                levels.push(action);
                arms.extend(weighted(route));
                if action.list("upgrade_configs").next().is_some() {
                    self.refuses_upgrades = false;
                }
            }
        }
        self.limits = levels.iter().any(|level| level.get("rate_limits").is_some());
        // A policy of this filter may stand at the host or route itself.
        let cors = levels.iter().any(|level| level.get("cors").is_some());
        let named: BTreeSet<&str> =
            levels.into_iter().chain(arms).flat_map(overrides).map(|(name, _)| name).collect();
        let late = self
            .list
            .iter()
            .position(|filter| named.contains(filter.name) || (cors && filter.kind.ends_with(".Cors")));
        self.late = late.unwrap_or(self.list.len());
    }
}

impl<'t> Lower<'t> {
    /// The rules of the filters that treat all routes alike.
    pub(super) fn early_guards(&mut self) -> Vec<Route> {
        let mut filters = std::mem::take(&mut self.filters);
        let mut routes = Vec::new();
        let mut changes = Changes::default();
        let early = filters.list.get(..filters.late).unwrap_or_default();
        for filter in early {
            self.guard(&filters, filter, &[None; 3], &mut changes, &mut routes);
        }
        filters.changed = changes;
        self.filters = filters;
        routes
    }

    /// The rules of the other filters, set up as `levels` say. `None`: there are none.
    pub(super) fn late_guards(&mut self, levels: &Levels<'t>) -> Option<TableId> {
        let late = self.filters.list.get(self.filters.late..).unwrap_or_default();
        if late.is_empty() {
            return None;
        }
        let filters = std::mem::take(&mut self.filters);
        let mut changes = filters.changed.clone();
        let mut routes = Vec::new();
        for filter in filters.list.get(filters.late..).unwrap_or_default() {
            self.guard(&filters, filter, levels, &mut changes, &mut routes);
        }
        self.filters = filters;
        if routes.is_empty() {
            return None;
        }
        Some(self.config.add_table(RouteTable { routes, label: "HTTP filters".to_owned() }))
    }

    /// A route behind the rules of filters.
    pub(super) fn guarded(&mut self, route: Route, guards: Option<TableId>) -> Route {
        let Some(guards) = guards else { return route };
        let (when, label, span) = (route.when.clone(), route.label.clone(), route.span);
        let mut outer = Route::new(when, Action::Table(guards), label.clone(), span);
        outer.chance_denominator = route.chance_denominator;
        let filters = Route::new(Condition::Always, Action::Table(guards), "HTTP filters", span);
        let inner = Route { when: Condition::Always, chance_denominator: None, ..route };
        let table = RouteTable { routes: vec![filters, inner], label };
        outer.action = Action::Table(self.config.add_table(table));
        outer
    }

    fn guard(
        &mut self,
        filters: &Filters<'t>,
        filter: &HttpFilter<'t>,
        levels: &Levels<'t>,
        changes: &mut Changes,
        routes: &mut Vec<Route>,
    ) {
        let Some(setup) = set_up(filter, levels) else { return };
        let client = filters.client.unwrap_or(Client::Peer);
        let [.., route] = *levels;
        let by_arm = route
            .is_some_and(|route| weighted(route).flat_map(overrides).any(|(name, _)| name == filter.name));
        let decided = match by_arm {
            true => {
                Effect::may("the cluster that is drawn sets it up to answer", None, filter.name).changing()
            }
            false => decide(filter, &setup, client, filters.limits, filters.open_runtime),
        };
        let span = setup.own.map_or(filter.span, |own| own.span());
        let label = format!("HTTP filter {}", if filter.name.is_empty() { filter.kind } else { filter.name });
        for Decided { when, action } in decided.answers {
            let when = changes.applied(when);
            if when != Condition::Never {
                routes.push(Route::new(when, action, label.clone(), span));
            }
        }
        changes.headers.extend(decided.headers);
        if decided.changes_all && changes.all.is_none() {
            changes.all = Some(filter.name.to_owned());
        }
    }
}

impl Changes {
    /// A condition over what filters in front may have changed is not known.
    fn applied(&self, condition: Condition) -> Condition {
        if self.all.is_none() && self.headers.is_empty() {
            return condition;
        }
        match condition {
            Condition::All(parts) => all(parts.into_iter().map(|part| self.applied(part)).collect()),
            Condition::Any(parts) => {
                Condition::Any(parts.into_iter().map(|part| self.applied(part)).collect())
            }
            Condition::Not(inner) => Condition::Not(Box::new(self.applied(*inner))),
            Condition::Is(test) => {
                let header = match &test {
                    Match::Header(name, _) | Match::HeaderLine(name, _) => Some(name.as_str()),
                    Match::Host(_) | Match::HostName(_) => Some("host"),
                    Match::Path(_) | Match::Target(_) | Match::Query(..) => Some(":path"),
                    Match::Method(_) => Some(":method"),
                    Match::Cookie(..) => Some("cookie"),
                    Match::Sni(_) | Match::Source(_) | Match::Port(_) | Match::Tls => None,
                };
                let changed = header.is_some_and(|name| self.all.is_some() || self.headers.contains(name));
                if !changed {
                    return Condition::Is(test);
                }
                let who = self.all.as_deref().unwrap_or("a filter in front");
                let words = words::condition(&Condition::Is(test));
                opaque(format!("{words}, which {who} may change"))
            }
            other => other,
        }
    }
}

/// How a filter is set up where `levels` apply. `None`: it is not run.
fn set_up<'t>(filter: &HttpFilter<'t>, levels: &Levels<'t>) -> Option<Setup<'t>> {
    let mut disabled = None;
    let mut own = None;
    for level in levels.iter().rev().flatten() {
        let Some((_, value)) = overrides(*level).find(|(name, _)| *name == filter.name) else { continue };
        let wrapped = value.type_name().is_some_and(|name| name == "envoy.config.route.v3.FilterConfig");
        if disabled.is_none() {
            disabled = Some(wrapped && value.is_set("disabled"));
        }
        let found = if wrapped {
            value.get("config").filter(|config| config.type_name().is_some())
        } else {
            Some(value)
        };
        if own.is_none() {
            own = found.map(inner_value);
        }
    }
    if disabled.unwrap_or(filter.disabled) {
        return None;
    }
    Some(Setup { config: filter.config, own, levels: *levels })
}

/// What a level sets up for filters, by name.
fn overrides<'t>(level: Value<'t>) -> impl Iterator<Item = (&'t str, Value<'t>)> {
    level
        .get("typed_per_filter_config")
        .into_iter()
        .flat_map(Value::fields)
        .map(|field| (field.key, field.value))
}

/// The weighted clusters of a route.
fn weighted<'t>(route: Value<'t>) -> impl Iterator<Item = Value<'t>> {
    route.path(&["route", "weighted_clusters"]).into_iter().flat_map(|arms| arms.list("clusters"))
}

/// Whether a level names a filter.
pub(super) fn names_filters(level: Value<'_>) -> bool {
    overrides(level).next().is_some()
        || level.path(&["route", "cors"]).is_some()
        || weighted(level).flat_map(overrides).next().is_some()
}

fn client(config: Value<'_>) -> Client {
    let hops = config.get("xff_num_trusted_hops").and_then(Value::u32).unwrap_or(0);
    let detected = config.list("original_ip_detection_extensions").next().is_some();
    match config.is_set("use_remote_address") {
        _ if hops > 0 || detected => Client::Detected,
        true => Client::Peer,
        false => Client::Forwarded,
    }
}

pub(super) fn respond(status: Option<u16>, kind: &str) -> Action {
    Action::Respond(Response { status, kind: kind.to_owned() })
}
