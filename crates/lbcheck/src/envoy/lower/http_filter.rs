//! HTTP filters as a connection manager lists them, and what one of them does to requests.

use std::collections::BTreeSet;

use crate::model::{Action, Changed, Condition, Response};
use crate::source::Span;
use crate::words;

use super::super::tree::Value;
use super::super::value::{inner_type, inner_value};
use super::matcher::opaque;
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
    pub(super) open_runtime: bool,
    /// No upgrade is allowed anywhere.
    pub(super) refuses_upgrades: bool,
    /// From this one on routes may say otherwise than the list.
    pub(super) late: usize,
    pub(super) changed: Changes,
    /// A route asks for rate limits.
    pub(super) limits: bool,
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

/// Where filters are set up for some routes, from the widest to the most specific.
pub(super) type Levels<'t> = [Option<Value<'t>>; 3];

/// A filter's settings where some routes apply.
pub(super) struct Setup<'t> {
    /// Those of the connection manager.
    pub(super) config: Option<Value<'t>>,
    /// Those of the most specific level.
    pub(super) own: Option<Value<'t>>,
    pub(super) levels: Levels<'t>,
}

/// What a filter does to requests.
#[derive(Default)]
pub(super) struct Effect {
    pub(super) answers: Vec<Decided>,
    /// Headers it changes, lower case; `:path` and `:method` among them.
    pub(super) headers: Vec<String>,
    /// It may change anything.
    pub(super) changes_all: bool,
}

/// A rule of a filter.
pub(super) struct Decided {
    pub(super) when: Condition,
    pub(super) action: Action,
}

impl Effect {
    pub(super) fn answers(when: Condition, status: Option<u16>, kind: &str) -> Self {
        Self { answers: vec![Decided { when, action: respond(status, kind) }], ..Self::default() }
    }

    /// Answers when something outside the configuration says so.
    pub(super) fn may(when: &str, status: Option<u16>, kind: &str) -> Self {
        Self::answers(opaque(when), status, kind)
    }

    pub(super) fn changing(self) -> Self {
        Self { changes_all: true, ..self }
    }

    pub(super) fn and(&mut self, when: Condition, status: Option<u16>, kind: &str) {
        self.answers.push(Decided { when, action: respond(status, kind) });
    }
}

/// What filters in front may have changed.
#[derive(Clone, Default)]
pub(super) struct Changes {
    changed: Changed,
    /// The first filter that may have changed anything.
    by: Option<String>,
}

impl Changes {
    /// A condition over what filters in front may have changed is not known.
    pub(super) fn applied(&self, condition: Condition) -> Condition {
        let who = self.by.as_deref().unwrap_or("a filter in front");
        self.changed.blur(condition, &|test| {
            format!("{}, which {who} may change", words::condition(&Condition::Is(test.clone())))
        })
    }

    /// Adds what one more filter may change.
    pub(super) fn add(&mut self, filter: &HttpFilter<'_>, effect: &Effect) {
        effect.headers.iter().for_each(|name| self.changed.header(name));
        if effect.changes_all && self.by.is_none() {
            self.changed.request();
            self.by = Some(filter.name.to_owned());
        }
    }
}

/// What a level sets up for filters, by name.
pub(super) fn overrides<'t>(level: Value<'t>) -> impl Iterator<Item = (&'t str, Value<'t>)> {
    level
        .get("typed_per_filter_config")
        .into_iter()
        .flat_map(Value::fields)
        .map(|field| (field.key, field.value))
}

/// The weighted clusters of a route.
pub(super) fn weighted<'t>(route: Value<'t>) -> impl Iterator<Item = Value<'t>> {
    route.path(&["route", "weighted_clusters"]).into_iter().flat_map(|arms| arms.list("clusters"))
}

/// Whose address Envoy takes for the client's.
pub(super) fn client(config: Value<'_>) -> Client {
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

/// Whether a level names a filter.
pub(super) fn names_filters(level: Value<'_>) -> bool {
    overrides(level).next().is_some()
        || level.path(&["route", "cors"]).is_some()
        || weighted(level).flat_map(overrides).next().is_some()
}

/// `lua` of `envoy.extensions.filters.http.lua.v3.Lua`; `None` for a type from elsewhere.
pub(super) fn http_family(name: &str) -> Option<&str> {
    name.strip_prefix("envoy.extensions.filters.http.")?.split('.').next()
}
