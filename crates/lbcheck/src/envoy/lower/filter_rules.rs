//! HTTP filters that answer by themselves, before the router follows the route.
//!
//! Each is read as rules of its own in front of the routes: those that the configuration decides as conditions, the
//! others as not known. Filters run after the route was chosen, so that a route, its virtual host or its route
//! configuration can set up a filter otherwise than the connection manager does.

use crate::model::{Action, Condition, Route, RouteTable, TableId};

use super::super::value::inner_value;
use super::filter_effect::decide;
use super::http_filter::{Changes, Decided, Effect, Filters, HttpFilter, Levels, Setup, overrides, weighted};
use super::rbac::Client;
use super::state::Lower;

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
        let mut decided = match by_arm {
            true => {
                Effect::may("the cluster that is drawn sets it up to answer", None, filter.name).changing()
            }
            false => decide(filter, &setup, client, filters.limits, filters.open_runtime),
        };
        let span = setup.own.map_or(filter.span, |own| own.span());
        let label = format!("HTTP filter {}", if filter.name.is_empty() { filter.kind } else { filter.name });
        for Decided { when, action } in std::mem::take(&mut decided.answers) {
            let when = changes.applied(when);
            if when != Condition::Never {
                routes.push(Route::new(when, action, label.clone(), span));
            }
        }
        changes.add(filter, &decided);
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
