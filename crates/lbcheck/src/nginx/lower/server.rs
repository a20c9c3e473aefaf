//! `server` blocks of http.

use std::collections::BTreeMap;
use std::time::Duration;

use super::listen::{Listen, Server};
use super::location::{Location, LocationKind, Place};
use super::location_search::{LocationMap, StepsSummary, without_loops};
use super::locations::{Layout, own_table};
use super::request_step::{Goes, Handler, RequestStep, Why};
use super::scope::Scope;
use super::state::{Family, Lower};
use crate::model::{
    Action, CheckKind, CheckTiming, Condition, ErrorTarget, HealthCheck, Listener, Mirror, Mode, OnError,
    PathChange, Response, Route, RouteTable, Setting, TableId, Target, Then,
};
use crate::nginx::directives::{Contexts, LIF, S};
use crate::nginx::syntax::NodeId;
use crate::nginx::values;
use crate::source::{Span, Spanned};

/// What a server does before it looks for a location.
struct Head {
    steps: Vec<RequestStep>,
    /// How many of them rewrite.
    rewriting: usize,
}

/// What it does where no location matches.
struct Rest {
    steps: Vec<RequestStep>,
    /// Whether a request gets as far as the locations.
    reached: bool,
}

/// Stand for tables that are made last: the locations of the server, and the whole of it.
const LOCATIONS: TableId = TableId(u32::MAX);
const SERVER: TableId = TableId(u32::MAX - 1);

/// Most tests of an expression against a rewritten path in one server; more are left unknown.
const MAX_TESTS: usize = 100_000;

impl Lower<'_> {
    pub(super) fn servers(&mut self, http: Option<NodeId>, scope: &Scope) {
        let mut servers = Vec::new();
        for id in self.tree.children(http) {
            if self.tree.name(id) != "server" || !self.tree.nodes[id].block {
                continue;
            }
            let (mut listens, names) = self.served(Family::Http, Some(id));
            let header = self.tree.header(id);
            if listens.is_empty() && !self.tree.children(Some(id)).any(|id| self.tree.name(id) == "listen") {
                listens.push(Listen::implied(header));
            }
            let label = server_label(&names);
            let place = Place { block: Some(id), range: id + 1..self.tree.nodes[id].end };
            let table = self.server(place, scope, label);
            let keeps_slashes = self.keeps_slashes(Some(id), http);
            let span = self.tree.span(id);
            servers.push(Server { listens, names, table, span, header, keeps_slashes });
        }
        self.listeners(Family::Http, &servers);
    }

    /// The inside of a `server`, a `location` or an `if` given alone.
    pub(super) fn server_snippet(&mut self, top: Contexts, whole: Span) {
        let scope = Scope::default();
        let (listens, names) = self.served(Family::Http, None);
        let place = Place { block: None, range: 0..self.tree.nodes.len() };
        let label = if top == S { server_label(&names) } else { "snippet".to_owned() };
        let table = if top == S {
            self.server(place, &scope, label)
        } else {
            self.location_snippet(place, &scope, top == LIF)
        };
        if !listens.is_empty() {
            return self.listeners(
                Family::Http,
                &[Server {
                    listens,
                    names,
                    table,
                    span: whole,
                    header: whole,
                    keeps_slashes: self.keeps_slashes(None, None),
                }],
            );
        }
        self.config.listeners.push(Listener {
            name: Spanned::new("snippet".to_owned(), whole),
            mode: Mode::Http,
            binds: Vec::new(),
            table,
            span: whole,
        });
    }

    /// `merge_slashes off`, written in the server or around it.
    fn keeps_slashes(&self, server: Option<NodeId>, http: Option<NodeId>) -> bool {
        let written = |block| self.tree.children(block).find(|&id| self.tree.name(id) == "merge_slashes");
        written(server).or_else(|| written(http)).is_some_and(|id| self.tree.arg(id, 0) == Some("off"))
    }

    /// The inside of a location: a server whose rest is what the location does.
    fn location_snippet(&mut self, place: Place, scope: &Scope, in_if: bool) -> TableId {
        let scope = scope.extended(self.tree, None);
        let mut body = self.rewrites(None, &scope, true);
        let handler = self.handler(None, &scope, in_if);
        if let Some(Handler { action: Action::Forward(target), .. }) = &handler {
            self.health_checks(None, target);
        }
        let handler = handler.map(|handler| handler.after(&body.paths));
        let mut steps = self.limit_except(None, &scope);
        steps.append(&mut body.steps);
        let rewriting = steps.len();
        if !body.handled
            && let Some(first) = place.range.clone().next()
        {
            let ifs = std::mem::take(&mut body.ifs);
            let answers = self.answers(first, None, handler, &scope, ifs, &body.paths);
            steps.extend(answers.into_iter().flat_map(|step| step.behind(&body.moves)));
        }
        let locations = self.locations(place, &scope);
        let address = self.restored_address(&scope, &locations);
        let rest = Rest { steps: Vec::new(), reached: false };
        let table = self.assemble(locations, Head { steps, rewriting }, "snippet".to_owned(), rest);
        self.restores(table, address);
        table
    }

    /// Lowers a server into a table that takes every request.
    fn server(&mut self, place: Place, scope: &Scope, label: String) -> TableId {
        let scope = scope.extended(self.tree, place.block);
        let body = self.rewrites(place.block, &scope, false);
        let mut rest = Vec::new();
        let rewriting = body.steps.len();
        if let Some(owner) = place.block.or(place.range.clone().next()) {
            rest = self.answers(owner, place.block, None, &scope, Vec::new(), &[]);
        }
        let locations = self.locations(place, &scope);
        let address = self.restored_address(&scope, &locations);
        let rest = Rest { steps: rest, reached: !body.handled };
        let table = self.assemble(locations, Head { steps: body.steps, rewriting }, label, rest);
        self.restores(table, address);
        table
    }

    /// Puts together what comes before the locations, the locations, and what is left when none matches.
    fn assemble(&mut self, mut locations: Vec<Location>, head: Head, label: String, rest: Rest) -> TableId {
        let first = self.config.tables.len();
        let map = LocationMap::new(&locations);
        let mut tests = MAX_TESTS;
        for location in &mut locations {
            for step in &mut location.steps {
                // What there is none of is an error like others.
                if let RequestStep::Jump { when, to, label, span, why: Why::Told, .. } = step
                    && to.starts_with('@')
                    && !map.named.contains_key(to)
                {
                    let kind = format!("there is no location {to}");
                    let error = Response { status: Some(500), kind };
                    let when = std::mem::replace(when, Condition::Always);
                    *step = self.failed(when, error, std::mem::take(label), *span, &location.scope, false);
                }
            }
        }
        let kinds: Vec<StepsSummary> =
            locations.iter().map(|location| StepsSummary::of(&location.steps)).collect();
        for at in 0..locations.len() {
            let mut steps = std::mem::take(&mut locations[at].steps);
            // The server's own rewrites see each new path, and those of the location too.
            let same = head.steps.is_empty()
                && matches!(locations[at].kind, LocationKind::Prefix { .. })
                && locations[at].rewriting == 0;
            map.prune(&mut steps, same, &locations, &kinds, &mut tests);
            locations[at].steps = steps;
        }
        let jumps: Vec<Vec<Option<usize>>> = locations
            .iter()
            .map(|location| {
                let to = |step| map.jump(step, &locations, &kinds, &mut tests);
                location.steps.iter().map(to).collect()
            })
            .collect();
        let jumps = without_loops(jumps);
        for at in 0..locations.len() {
            let rewriting = locations[at].rewriting;
            let steps = std::mem::take(&mut locations[at].steps);
            let mut routes: Vec<Route> = steps
                .into_iter()
                .zip(&jumps[at])
                .map(|(step, &to)| self.settle(step, to, rewriting, &map, &mut locations))
                .collect();
            if routes.iter().any(|route| !route.fallbacks.is_empty()) {
                let pages: BTreeMap<Span, bool> = locations[at]
                    .scope
                    .errors
                    .iter()
                    .map(|&id| {
                        let leads =
                            map.leads_on(&values::cut(self.page_target(id)), &locations, &kinds, &mut tests);
                        (self.tree.header(id), leads)
                    })
                    .collect();
                for route in &mut routes {
                    route.fallbacks.retain(|fallback| pages.get(&fallback.span).is_none_or(|leads| *leads));
                }
            }
            locations[at].routes = routes;
            if let Some(step) = locations[at].hidden.take() {
                let to = map.jump(&step, &locations, &kinds, &mut tests);
                let refusal = self.settle(step, to, 0, &map, &mut locations);
                locations[at].refusal = Some(refusal);
            }
            if let Some(step) = locations[at].slash.take() {
                let to = map.jump(&step, &locations, &kinds, &mut tests);
                let redirect = self.settle(step, to, 0, &map, &mut locations);
                locations[at].redirect = Some(redirect);
            }
        }
        let same = head.steps.is_empty();
        let mut settled =
            |lower: &mut Self, steps: Vec<RequestStep>, rewriting: usize, locations: &mut [Location]| {
                let mut steps = steps;
                map.prune(&mut steps, same, locations, &kinds, &mut tests);
                let mut routes = Vec::new();
                for step in steps {
                    let to = map.jump(&step, locations, &kinds, &mut tests);
                    routes.push(lower.settle(step, to, rewriting, &map, locations));
                }
                routes
            };
        let mut routes = settled(self, head.steps, head.rewriting, &mut locations);
        let mut tail = settled(self, rest.steps, 0, &mut locations);
        self.side_uses(&mut locations, &map, &mut tests);
        let mut found = Layout { lower: self, locations: &mut locations, label: label.clone() }.build();
        found.append(&mut tail);
        // A `return` of the server leaves its locations to requests that a `rewrite` sends there.
        let search = if routes.is_empty() { None } else { Some(found.clone()) };
        if rest.reached {
            routes.append(&mut found);
        }
        // Tables handed out before their routes were known.
        for location in &locations {
            if let Some(table) = location.table.and_then(|id| self.config.tables.get_mut(id.0 as usize)) {
                table.routes.clone_from(&location.routes);
            }
        }
        let server = self.config.add_table(RouteTable { routes, label: label.clone() });
        self.settle_searches(first, server, search, label);
        server
    }

    /// Puts in the tables that requests with a new path go on in, where there are any.
    fn settle_searches(
        &mut self,
        first: usize,
        server: TableId,
        locations: Option<Vec<Route>>,
        label: String,
    ) {
        let tables = self.config.tables.get(first..).unwrap_or_default();
        let wanted = tables
            .iter()
            .flat_map(|table| &table.routes)
            .any(|route| route.path_change.as_ref().is_some_and(|change| change.then.search() == LOCATIONS));
        let mut search = server;
        if wanted && let Some(routes) = locations {
            search = self.config.add_table(RouteTable { routes, label });
        }
        let tables = self.config.tables.get_mut(first..).unwrap_or_default();
        let changes = tables.iter_mut().flat_map(|table| &mut table.routes);
        for change in changes.filter_map(|route| route.path_change.as_mut()) {
            let place = match &mut change.then {
                Then::Search(table) | Then::Next { search: table, .. } => table,
            };
            match *place {
                LOCATIONS => *place = search,
                SERVER => *place = server,
                _ => {}
            }
        }
    }

    /// `rewriting` is how many steps of the block rewrite.
    fn settle(
        &mut self,
        step: RequestStep,
        to: Option<usize>,
        rewriting: usize,
        map: &LocationMap,
        locations: &mut [Location],
    ) -> Route {
        let (when, name, rewrite, change, label, span, why) = match step {
            RequestStep::Route(route) => return route,
            RequestStep::Jump { when, to, rewrite, change, label, span, why } => {
                (when, to, rewrite, change, label, span, why)
            }
        };
        let path_change = change.map(|change| PathChange {
            pattern: change.pattern,
            to: change.to,
            keeps_query: change.keeps_query,
            then: match change.then {
                Goes::Locations => Then::Search(LOCATIONS),
                Goes::Server => Then::Search(SERVER),
                Goes::On => Then::Next { until: rewriting as u32, search: LOCATIONS },
            },
        });
        let goes_on = matches!(why, Why::Told)
            .then(|| map.named.get(&name).and_then(|&at| locations.get_mut(at)))
            .flatten()
            .map(|location| own_table(self, location));
        let no_location = || {
            let kind = match goes_on {
                Some(_) => "it goes in a circle".to_owned(),
                None => format!("there is no location {name}"),
            };
            Response { status: Some(500), kind }
        };
        let on_error = match &why {
            // The missing location is an error of its own by then, with a page of its own.
            Why::Error(failure)
                if failure.again && name.starts_with('@') && !map.named.contains_key(&name) =>
            {
                let action = Action::Opaque(label.clone());
                return Route::new(when, action, label, span);
            }
            Why::Error(failure) => {
                let named = map.named.get(&name).and_then(|&at| locations.get_mut(at));
                let to = match (failure.redirect, named) {
                    (Some(status), _) => {
                        let kind = "error_page".to_owned();
                        ErrorTarget::Answer(Response { status: Some(status), kind })
                    }
                    (None, Some(location)) => ErrorTarget::Table(own_table(self, location)),
                    (None, None) if name.starts_with('@') => ErrorTarget::Answer(no_location()),
                    (None, None) => ErrorTarget::Path,
                };
                Some(OnError {
                    error: failure.error.clone(),
                    answer: failure.answer,
                    again: failure.again,
                    to,
                })
            }
            _ => None,
        };
        let action = match to.and_then(|at| locations.get_mut(at)) {
            Some(location) => Action::Table(own_table(self, location)),
            None => match &on_error {
                Some(OnError { to: ErrorTarget::Answer(answer), .. }) => Action::Respond(answer.clone()),
                Some(OnError { error, .. }) => Action::Respond(error.clone()),
                None if name.starts_with('@') => Action::Respond(no_location()),
                None => Action::Opaque(label.clone()),
            },
        };
        Route { rewrite, path_change, goes_on, on_error, ..Route::new(when, action, label, span) }
    }

    /// Mirrors, authentication requests, and locations that only nginx itself asks.
    fn side_uses(&mut self, locations: &mut [Location], map: &LocationMap, tests: &mut usize) {
        let mut found: Vec<(usize, Vec<Mirror>)> = Vec::new();
        for (at, location) in locations.iter().enumerate() {
            let mut mirrors = Vec::new();
            let uses = location.scope.mirrors.iter().map(|&id| (id, true));
            for (id, mirror) in uses.chain(location.scope.auth_request.map(|id| (id, false))) {
                let Some(text) = self.tree.arg(id, 0).filter(|&text| text != "off") else { continue };
                let target = map
                    .find(&values::cut(text), locations, tests)
                    .and_then(|to| first_target(locations.get(to)?));
                let Some(target) = target else { continue };
                let span = self.tree.header(id);
                if mirror {
                    mirrors.push(Mirror { target, share_ppm: 1_000_000, span });
                } else if let Target::Pool { pool, .. } = target {
                    self.config.other_uses.push((pool, span));
                }
            }
            let hidden =
                location.internal || location.kind == LocationKind::Named && location.table.is_none();
            if hidden {
                let pools = location.routes.iter().filter_map(|route| match &route.action {
                    Action::Forward(Target::Pool { pool, span }) => Some((*pool, *span)),
                    _ => None,
                });
                self.config.other_uses.extend(pools);
            }
            if !mirrors.is_empty() {
                found.push((at, mirrors));
            }
        }
        for (at, mirrors) in found {
            for mirror in &mirrors {
                if let Target::Pool { pool, .. } = mirror.target {
                    self.config.other_uses.push((pool, mirror.span));
                }
            }
            for route in &mut locations[at].routes {
                if matches!(route.action, Action::Forward(_) | Action::Split(_)) {
                    route.mirrors.clone_from(&mirrors);
                }
            }
        }
        self.config.other_uses.sort();
        self.config.other_uses.dedup();
    }

    /// NGINX Plus: `health_check` checks the servers of the upstream that its location passes to.
    pub(super) fn health_checks(&mut self, block: Option<NodeId>, target: &Target) {
        let Target::Pool { pool, .. } = *target else { return };
        let checks: Vec<NodeId> =
            self.tree.children(block).filter(|&id| self.tree.name(id) == "health_check").collect();
        for id in checks {
            let check = self.health_check(id, CheckKind::Http { path: Some("/".to_owned()) });
            if let Some(pool) = self.config.pools.get_mut(pool.0 as usize) {
                pool.health_checks.push(check);
            }
        }
    }

    /// A `health_check` directive.
    pub(super) fn health_check(&self, id: NodeId, default: CheckKind) -> Setting<HealthCheck> {
        let span = self.tree.header(id);
        let mut kind = default;
        let mut timing = CheckTiming {
            interval: Some(Setting::default(Duration::from_secs(5), "NGINX Plus: interval=5s")),
            timeout: None,
            fall: Some(Setting::default(1, "NGINX Plus: fails=1")),
            rise: Some(Setting::default(1, "NGINX Plus: passes=1")),
            ..CheckTiming::default()
        };
        for word in self.tree.args(id) {
            let Some((key, value)) = self.tree.value(word).split_once('=') else { continue };
            let count = || values::number(value).and_then(|count| u32::try_from(count).ok());
            match key {
                "interval" => {
                    if let Some(time) = values::time(value, false) {
                        timing.interval = Some(Setting::written(time, word.span));
                    }
                }
                "fails" => {
                    timing.fall = count().map(|count| Setting::written(count, word.span)).or(timing.fall)
                }
                "passes" => {
                    timing.rise = count().map(|count| Setting::written(count, word.span)).or(timing.rise)
                }
                "uri" => kind = CheckKind::Http { path: Some(value.to_owned()) },
                "type" if value == "grpc" => kind = CheckKind::Other("grpc".to_owned()),
                _ => {}
            }
        }
        Setting::written(HealthCheck { kind, timing }, span)
    }
}

fn server_label(names: &[(String, Span)]) -> String {
    match names.first() {
        Some((name, _)) if !name.is_empty() => format!("server {name}"),
        _ => "server".to_owned(),
    }
}

fn first_target(location: &Location) -> Option<Target> {
    location.routes.iter().find_map(|route| match &route.action {
        Action::Forward(target) => Some(target.clone()),
        _ => None,
    })
}
