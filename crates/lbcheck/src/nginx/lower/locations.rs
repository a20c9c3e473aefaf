//! The locations of one server: read, checked, and laid out as first-match tables.
//!
//! nginx looks for the longest literal location, goes down into its nested ones, and then tries regular
//! expressions from the innermost level outwards, unless `^~` says not to. A level's expressions are one
//! table that every location of the level refers to, so the whole is as large as the configuration.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::location::{Location, LocationKind, Place, head};
use super::request_step::{Branch, Change, Goes, Handler, RequestStep, Why, not};
use super::scope::Scope;
use super::state::Lower;
use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::model::{Action, Condition, Match, Response, Route, RouteTable, TableId, TextMatch};
use crate::nginx::syntax::NodeId;
use crate::nginx::values;

impl Lower<'_> {
    /// Reads every location of a server, outer ones before inner ones.
    pub(super) fn locations(&mut self, place: Place, scope: &Scope) -> Vec<Location> {
        let mut found: Vec<Location> = Vec::new();
        let mut index: BTreeMap<NodeId, usize> = BTreeMap::new();
        for id in place.range.clone() {
            let node = self.tree.nodes[id];
            if !node.block || self.tree.name(id) != "location" {
                continue;
            }
            let parent = match node.parent {
                parent if parent == place.block => None,
                Some(parent) => match index.get(&parent) {
                    Some(&at) => Some(at),
                    None => continue,
                },
                None => continue,
            };
            let Some((kind, path)) = self.head(id) else { continue };
            let outer = parent.and_then(|at| found.get(at));
            let fault = outer.and_then(|outer| nesting_fault(outer, kind, &path));
            if let Some(fault) = fault {
                self.invalid(self.tree.header(id), fault, "move it out of the location around it");
            }
            let scope = outer.map_or(scope, |outer| &outer.scope).extended(self.tree, Some(id));
            let at = found.len();
            index.insert(id, at);
            if let Some(outer) = parent.and_then(|at| found.get_mut(at)) {
                outer.children.push(at);
            }
            found.push(Location {
                id,
                kind,
                path,
                parent,
                children: Vec::new(),
                scope,
                steps: Vec::new(),
                rewriting: 0,
                routes: Vec::new(),
                table: None,
                internal: false,
                hidden: None,
                refusal: None,
                slash: None,
                redirect: None,
                adds_slash: false,
                after: None,
                regexes: None,
                inner: None,
            });
        }
        self.check_duplicates(&found);
        for location in &mut found {
            self.fill(location);
        }
        found
    }

    /// The modifier and path of a location.
    fn head(&mut self, id: NodeId) -> Option<(LocationKind, String)> {
        let words = self.tree.values(id);
        let found = head(&words);
        if found.is_none()
            && let [modifier, _] = words.as_slice()
        {
            let message = format!("`{modifier}` is not a modifier of `location`");
            self.invalid(self.tree.header(id), message, "the modifiers are `=`, `^~`, `~` and `~*`");
        }
        found
    }

    fn check_duplicates(&mut self, locations: &[Location]) {
        let mut seen: BTreeMap<(Option<usize>, bool, &str), NodeId> = BTreeMap::new();
        for location in locations {
            let exact = location.kind == LocationKind::Exact;
            if !location.is_literal() {
                continue;
            }
            match seen.get(&(location.parent, exact, location.path.as_str())) {
                Some(&first) => self.diagnostics.push(
                    Diagnostic::new(
                        RuleId::DuplicateDefinition,
                        Severity::Error,
                        self.tree.header(location.id),
                        format!("location `{}` is defined twice in this block", location.path),
                    )
                    .also(self.tree.header(first), "first defined here")
                    .help("merge the two, or change one of the paths"),
                ),
                None => {
                    seen.insert((location.parent, exact, &location.path), location.id);
                }
            }
        }
    }

    /// What the inside of a location does.
    fn fill(&mut self, location: &mut Location) {
        let block = Some(location.id);
        let strict = matches!(location.kind, LocationKind::Regex { .. } | LocationKind::Named);
        let mut body = self.rewrites(block, &location.scope, true);
        // `limit_except` is another location to nginx, into which the rewrites of this one do not reach.
        let limited = self.limit_except(block, &location.scope);
        location.internal = location.scope.internal;
        let handler = self.handler(block, &location.scope, strict);
        location.adds_slash = location.path.len() > 1
            && location.path.ends_with('/')
            && self
                .tree
                .children(block)
                .any(|id| super::scope::Protocol::of_pass(self.tree.name(id)).is_some());
        if let Some(Handler { action: Action::Forward(target), .. }) = &handler {
            self.health_checks(block, target);
        }
        let handler = handler.map(|handler| handler.after(&body.paths));
        location.rewriting = limited.len() + body.steps.len();
        let always = Condition::Always;
        location.hidden = location
            .internal
            .then(|| self.failing(always.clone(), 404, "internal", location.id, &location.scope));
        location.slash = location
            .adds_slash
            .then(|| self.failing(always, 301, "adds the final slash", location.id, &location.scope));
        location.steps = limited;
        let ifs = std::mem::take(&mut body.ifs);
        location.steps.append(&mut body.steps);
        if !body.handled {
            let answers = self.answers(location.id, block, handler, &location.scope, ifs, &body.paths);
            location.steps.extend(answers.into_iter().flat_map(|step| step.behind(&body.moves)));
        }
    }

    /// What comes after the rewrites of a location: who is let in, the handlers of `if`, `try_files`, the handler.
    pub(super) fn answers(
        &mut self,
        owner: NodeId,
        block: Option<NodeId>,
        handler: Option<Handler>,
        scope: &Scope,
        ifs: Vec<Branch>,
        paths: &[String],
    ) -> Vec<RequestStep> {
        let mut steps = Vec::new();
        // Where nobody is let in, it is the `error_page` of the `if` that counts.
        let apart = ifs.iter().any(|branch| branch.scope.errors != scope.errors);
        if !apart {
            steps = self.guards(scope);
        }
        // An `if` whose condition holds takes the place of its location: it inherits the handler, but not `try_files`.
        let has_files = self.tree.children(block).any(|id| self.tree.name(id) == "try_files");
        let differs = |branch: &Branch| {
            branch.handler.is_some()
                || branch.scope.errors != scope.errors
                || branch.scope.index != scope.index
        };
        if has_files || ifs.iter().any(differs) {
            for Branch { when, handler: own, scope, id } in ifs.into_iter().rev() {
                if apart {
                    steps.extend(self.guards(&scope).into_iter().map(|step| step.only(&when)));
                }
                let own = own.map(|own| own.after(paths)).or_else(|| handler.clone());
                match own {
                    Some(own) => {
                        steps.extend(self.handled(&own, id, &scope).into_iter().map(|step| step.only(&when)));
                    }
                    None => {
                        steps.extend(self.file_steps(&scope, id).into_iter().map(|step| step.only(&when)))
                    }
                }
            }
        }
        if apart {
            steps.append(&mut self.guards(scope));
        }
        self.content(owner, block, handler, scope, &mut steps);
        steps
    }

    /// The steps of a handler, named after the directive `owner`.
    fn handled(&mut self, handler: &Handler, owner: NodeId, scope: &Scope) -> Vec<RequestStep> {
        let mut steps = Vec::new();
        if let Action::Local(what) = &handler.action
            && matches!(what.as_str(), "stub_status" | "empty_gif")
        {
            let is = |name: &str| Condition::Is(Match::Method(TextMatch::Exact(name.to_owned())));
            let writes = not(Condition::Any(vec![is("GET"), is("HEAD")]));
            steps.push(self.failing(writes, 405, what, owner, scope));
        }
        let span = self.tree.header(owner);
        steps.push(RequestStep::Route(handler.route(Condition::Always, self.text(owner), span)));
        steps
    }

    /// `try_files`, then the handler; files, where there is none.
    pub(super) fn content(
        &mut self,
        owner: NodeId,
        block: Option<NodeId>,
        handler: Option<Handler>,
        scope: &Scope,
        steps: &mut Vec<RequestStep>,
    ) {
        let files = self.tree.children(block).find(|&id| self.tree.name(id) == "try_files");
        let Some(id) = files else {
            match handler {
                Some(handler) => {
                    steps.append(&mut self.handled(&handler, owner, scope));
                }
                None => steps.append(&mut self.file_steps(scope, owner)),
            }
            return;
        };
        let span = self.tree.header(id);
        let label = self.text(id);
        let values = self.tree.values(id);
        let Some((last, files)) = values.split_last() else { return };
        let (last, files) = (last.to_string(), files.join(" "));
        let missing = last.strip_prefix('=').and_then(|code| code.parse::<u16>().ok());
        let found = Condition::Opaque(format!("one of the files {files} exists"));
        match (handler, missing) {
            (Some(handler), _) => {
                steps.extend(self.handled(&handler, id, scope).into_iter().map(|step| step.only(&found)));
            }
            (None, None) => {
                steps.extend(self.file_steps(scope, id).into_iter().map(|step| step.only(&found)));
            }
            (None, Some(status)) => {
                // Everything comes from files, found or not; only an `error_page` makes a difference.
                let none = Condition::Opaque(format!("none of the files {files} exists"));
                let error = Response { status: Some(status), kind: "try_files".to_owned() };
                let mut own = self.file_steps(scope, id);
                if let failed @ RequestStep::Jump { .. } = self.failed(none, error, label, span, scope, true)
                {
                    steps.push(failed);
                }
                steps.append(&mut own);
                return;
            }
        }
        match missing {
            Some(status) => steps.push(self.failing(Condition::Always, status, "try_files", id, scope)),
            None => {
                let to = values::cut(&last);
                let moves = !to.starts_with('@');
                let rewrite = moves.then(|| format!("path → {last}"));
                // The query string is what is written here, and nothing where nothing is.
                let query = if last.contains('?') { "" } else { "?" };
                let change = Change {
                    pattern: None,
                    to: format!("{last}{query}"),
                    keeps_query: false,
                    then: Goes::Server,
                };
                let change = moves.then_some(change);
                let why = Why::Told;
                steps.push(RequestStep::Jump {
                    when: Condition::Always,
                    to,
                    rewrite,
                    change,
                    label,
                    span,
                    why,
                });
            }
        }
    }
}

fn nesting_fault(outer: &Location, kind: LocationKind, path: &str) -> Option<String> {
    let around = &outer.path;
    match (outer.kind, kind) {
        (LocationKind::Exact, _) => {
            Some(format!("location `{path}` cannot be inside the exact location `{around}`"))
        }
        (LocationKind::Named, _) => {
            Some(format!("location `{path}` cannot be inside the named location `{around}`"))
        }
        (_, LocationKind::Named) => {
            Some(format!("named location `{path}` can stand only directly in `server`"))
        }
        (_, LocationKind::Regex { .. }) => None,
        _ if path.starts_with(around.as_str()) => None,
        _ => Some(format!("location `{path}` is outside location `{around}`, in which it stands")),
    }
}

/// The tables of a server's locations.
pub(super) struct Layout<'l, 'a> {
    pub(super) lower: &'l mut Lower<'a>,
    pub(super) locations: &'l mut [Location],
    pub(super) label: String,
}

impl Layout<'_, '_> {
    /// Lays out everything; gives the routes of the outermost level, which end where no location matches.
    pub(super) fn build(&mut self) -> Vec<Route> {
        let top: Vec<usize> =
            (0..self.locations.len()).filter(|&at| self.locations[at].parent.is_none()).collect();
        let top_regexes = self.reserve_regexes(&top);
        // Outer before inner: what comes after a location depends on the levels around it.
        for at in 0..self.locations.len() {
            let children = self.locations[at].children.clone();
            let regexes = self.reserve_regexes(&children);
            self.locations[at].regexes = regexes;
            // An exact match and an expression are final.
            if !matches!(self.locations[at].kind, LocationKind::Prefix { .. }) {
                continue;
            }
            let outer = self.locations[at].parent.and_then(|parent| self.locations.get(parent));
            let (level, beyond) = outer.map_or((top_regexes, None), |outer| (outer.regexes, outer.after));
            let leaf = self.locations[at].kind == LocationKind::Prefix { leaf: true };
            self.locations[at].after = match (if leaf { None } else { level }, beyond) {
                (None, other) | (other, None) => other,
                (Some(level), Some(beyond)) => Some(self.chain(level, beyond)),
            };
        }
        // Inner before outer: a level's routes refer to the tables inside.
        for at in (0..self.locations.len()).rev() {
            self.inner(at);
        }
        let mut routes = self.level(&top, top_regexes);
        if let Some(table) = top_regexes {
            routes.push(self.always(table, "regular expressions"));
        }
        routes
    }

    fn reserve_regexes(&mut self, level: &[usize]) -> Option<TableId> {
        let any = level.iter().any(|&at| matches!(self.locations[at].kind, LocationKind::Regex { .. }));
        let label = format!("{}: regular expressions", self.label);
        any.then(|| self.lower.config.add_table(RouteTable { routes: Vec::new(), label }))
    }

    fn chain(&mut self, first: TableId, second: TableId) -> TableId {
        let routes =
            vec![self.always(first, "regular expressions"), self.always(second, "outer regular expressions")];
        let label = format!("{}: regular expressions", self.label);
        self.lower.config.add_table(RouteTable { routes, label })
    }

    fn always(&self, table: TableId, label: &str) -> Route {
        let span = self.locations.first().map(|location| self.lower.tree.header(location.id));
        let span = span.unwrap_or(self.lower.whole);
        Route::new(Condition::Always, Action::Table(table), label, span)
    }

    /// Makes the table from a location inwards, if it is more than the location's own routes.
    fn inner(&mut self, at: usize) {
        let location = &self.locations[at];
        if location.children.is_empty() && location.after.is_none() {
            return;
        }
        let (children, regexes, after) = (location.children.clone(), location.regexes, location.after);
        let label = format!("{}: {}", self.label, self.lower.text(location.id));
        let mut routes = self.level(&children, regexes);
        if let Some(table) = regexes {
            routes.push(self.always(table, "regular expressions"));
        }
        if let Some(table) = after {
            routes.push(self.always(table, "regular expressions"));
        }
        let own = self.own(at, Condition::Always);
        routes.push(own);
        self.locations[at].inner = Some(self.lower.config.add_table(RouteTable { routes, label }));
    }

    /// The routes to the literal locations of a level; its expressions go to their own table.
    fn level(&mut self, level: &[usize], regexes: Option<TableId>) -> Vec<Route> {
        let literal: Vec<usize> =
            level.iter().copied().filter(|&at| self.locations[at].is_literal()).collect();
        let mut paths: Vec<&str> = literal.iter().map(|&at| self.locations[at].path.as_str()).collect();
        paths.sort_unstable();
        let slashes: Vec<usize> = literal
            .iter()
            .copied()
            .filter(|&at| {
                let location = &self.locations[at];
                let bare = location.path.strip_suffix('/').unwrap_or_default();
                location.adds_slash && paths.binary_search(&bare).is_err()
            })
            .collect();
        let mut routes = Vec::new();
        for &at in &literal {
            if self.locations[at].kind != LocationKind::Exact {
                continue;
            }
            let when = path(TextMatch::Exact(self.locations[at].path.clone()));
            routes.push(self.into(at, when));
        }
        let mut last = "";
        let mut redirects = Vec::new();
        for &at in &slashes {
            let location = &self.locations[at];
            if location.path == last {
                continue;
            }
            last = &location.path;
            let bare = location.path.strip_suffix('/').unwrap_or_default().to_owned();
            let Some(redirect) = location.redirect.clone() else { continue };
            let when = path(TextMatch::Exact(bare));
            if !location.internal {
                redirects.push(Route { when, ..redirect });
                continue;
            }
            // Whether a request comes from inside is asked first.
            let label = self.lower.text(location.id);
            let table = RouteTable { routes: vec![redirect], label };
            let inside = self.lower.config.add_table(table);
            redirects.push(hidden(self.lower, &self.locations[at], when, inside));
        }
        routes.append(&mut redirects);
        let mut prefixes: Vec<usize> =
            literal.into_iter().filter(|&at| self.locations[at].kind != LocationKind::Exact).collect();
        prefixes.sort_by_key(|&at| Reverse(self.locations[at].path.len()));
        for at in prefixes {
            let when = path(TextMatch::Prefix(self.locations[at].path.clone()));
            routes.push(self.into(at, when));
        }
        if let Some(table) = regexes {
            let mut expressions = Vec::new();
            for &at in level {
                if let LocationKind::Regex { any_case } = self.locations[at].kind {
                    let regex = TextMatch::Regex(self.locations[at].path.clone());
                    let when = path(if any_case { TextMatch::IgnoreCase(Box::new(regex)) } else { regex });
                    expressions.push(self.into(at, when));
                }
            }
            if let Some(table) = self.lower.config.tables.get_mut(table.0 as usize) {
                table.routes = expressions;
            }
        }
        routes
    }

    /// The route into a location.
    fn into(&mut self, at: usize, when: Condition) -> Route {
        let Some(table) = self.locations[at].inner else { return self.own(at, when) };
        let id = self.locations[at].id;
        Route::new(when, Action::Table(table), self.lower.text(id), self.lower.tree.header(id))
    }

    /// The route to what a location itself does.
    fn own(&mut self, at: usize, when: Condition) -> Route {
        let location = &mut self.locations[at];
        let (label, span) = (self.lower.text(location.id), self.lower.tree.header(location.id));
        if location.internal {
            let inside = own_table(self.lower, location);
            return hidden(self.lower, location, when, inside);
        }
        if let (None, [only]) = (location.table, location.routes.as_slice())
            && only.when == Condition::Always
        {
            return Route { when, label, span, ..only.clone() };
        }
        let table = own_table(self.lower, location);
        Route::new(when, Action::Table(table), label, span)
    }
}

/// The route to an `internal` location: what others get, and the table for requests from inside.
fn hidden(lower: &Lower<'_>, location: &Location, when: Condition, inside: TableId) -> Route {
    let (label, span) = (lower.text(location.id), lower.tree.header(location.id));
    let action = Action::Respond(Response { status: Some(404), kind: "internal".to_owned() });
    let refusal = location.refusal.clone();
    let refusal = refusal.unwrap_or_else(|| Route::new(Condition::Always, action, "", span));
    Route { from_inside: Some(inside), when, label, span, ..refusal }
}

/// The table of a location's own routes, made when first asked for. [`fill_tables`] puts the routes in.
pub(super) fn own_table(lower: &mut Lower<'_>, location: &mut Location) -> TableId {
    if let Some(table) = location.table {
        return table;
    }
    let label = lower.text(location.id);
    let table = lower.config.add_table(RouteTable { routes: location.routes.clone(), label });
    location.table = Some(table);
    table
}

fn path(text: TextMatch) -> Condition {
    // Every path starts with a slash.
    if text == TextMatch::Prefix("/".to_owned()) || text == TextMatch::Prefix(String::new()) {
        return Condition::Always;
    }
    Condition::Is(Match::Path(text))
}
