//! The locations of one server: read, checked, and laid out as first-match tables.
//!
//! nginx looks for the longest literal location, goes down into its nested ones, and then tries regular
//! expressions from the innermost level outwards, unless `^~` says not to. A level's expressions are one
//! table that every location of the level refers to, so the whole is as large as the configuration.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Lower;
use super::action::{Change, Goes, Step};
use super::rewrite::Handler;
use super::scope::Scope;
use super::server::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Action, Condition, Match, Response, Route, RouteTable, TableId, TextMatch};
use crate::nginx::syntax::NodeId;

/// How a location is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `= /path`
    Exact,
    /// `/path`, or `^~ /path` with `leaf`: no regular expression of its level is tried.
    Prefix { leaf: bool },
    /// `~` and `~*`
    Regex { any_case: bool },
    /// `@name`
    Named,
}

/// One location.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub(super) id: NodeId,
    pub(super) kind: Kind,
    pub(super) path: String,
    /// Index of the location around it.
    pub(super) parent: Option<usize>,
    /// Nested ones, in order.
    pub(super) children: Vec<usize>,
    pub(super) scope: Scope,
    /// What it does, jumps not yet settled.
    pub(super) steps: Vec<Step>,
    /// How many of them rewrite.
    pub(super) rewriting: usize,
    /// What it does, settled.
    pub(super) routes: Vec<Route>,
    /// The table of `routes`, where several places refer to it.
    pub(super) table: Option<TableId>,
    /// Only for requests from inside nginx.
    pub(super) internal: bool,
    /// A request that lacks only the final slash is redirected.
    adds_slash: bool,
    /// Where to go on after this location's own nested ones: expressions of the levels around it.
    after: Option<TableId>,
    /// Expressions among `children`.
    regexes: Option<TableId>,
    /// Everything from this location inwards, where it is more than `routes`.
    inner: Option<TableId>,
}

impl Location {
    fn is_literal(&self) -> bool {
        matches!(self.kind, Kind::Exact | Kind::Prefix { .. })
    }
}

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
    fn head(&mut self, id: NodeId) -> Option<(Kind, String)> {
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
            let exact = location.kind == Kind::Exact;
            if !location.is_literal() {
                continue;
            }
            match seen.get(&(location.parent, exact, location.path.as_str())) {
                Some(&first) => self.diagnostics.push(
                    Diagnostic::new(
                        "duplicate-definition",
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
        let strict = matches!(location.kind, Kind::Regex { .. } | Kind::Named);
        let mut body = self.rewrites(block, &location.scope, true);
        // `limit_except` is another location to nginx, into which the rewrites of this one do not reach.
        let limited = self.limit_except(block, &location.scope);
        location.internal = self.tree.children(block).any(|id| self.tree.name(id) == "internal");
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
        let handler = handler.unwrap_or_else(|| self.files(&location.scope)).after(&body.paths);
        // An `if` without handler of its own uses this one.
        for step in &mut body.steps {
            if let Step::Jump { when, to, label, id, .. } = step
                && to.is_empty()
            {
                *step = Step::Route(handler.route(when.clone(), label.clone(), self.tree.header(*id)));
            }
        }
        if !body.handled {
            self.limits(&location.scope, &mut body.steps);
            self.content(location.id, block, handler, &mut body.steps);
        }
        location.rewriting = limited.len() + body.rewriting;
        location.steps = limited;
        location.steps.append(&mut body.steps);
    }

    /// `try_files`, then the handler.
    pub(super) fn content(
        &mut self,
        owner: NodeId,
        block: Option<NodeId>,
        handler: Handler,
        steps: &mut Vec<Step>,
    ) {
        let header = |lower: &Self, id: NodeId| lower.tree.header(id);
        let files = self.tree.children(block).find(|&id| self.tree.name(id) == "try_files");
        let Some(id) = files else {
            let span = header(self, owner);
            steps.push(Step::Route(handler.route(Condition::Always, self.text(owner), span)));
            return;
        };
        let span = header(self, id);
        let label = self.text(id);
        let values = self.tree.values(id);
        let Some((last, files)) = values.split_last() else { return };
        let (last, files) = (last.to_string(), files.join(" "));
        let missing = last.strip_prefix('=').and_then(|code| code.parse::<u16>().ok());
        if missing.is_some() && matches!(handler.action, Action::Local(_)) {
            // Everything comes from files, found or not.
            steps.push(Step::Route(Route::new(Condition::Always, Action::Local(label.clone()), label, span)));
            return;
        }
        let found = Condition::Opaque(format!("one of the files {files} exists"));
        steps.push(Step::Route(handler.route(found, label.clone(), span)));
        match missing {
            Some(status) => {
                let action = Action::Respond(Response { status: Some(status), kind: "try_files".to_owned() });
                steps.push(Step::Route(Route::new(Condition::Always, action, label, span)));
            }
            None => {
                let path = last.split('?').next().unwrap_or_default();
                let literal = path.find('$').map_or(path, |at| path.get(..at).unwrap_or_default());
                let to = if literal.len() == path.len() { literal.to_owned() } else { format!("{literal}*") };
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
                steps.push(Step::Jump { when: Condition::Always, to, rewrite, change, label, id });
            }
        }
    }
}

/// The modifier and path of a location; a modifier may be glued to its path.
pub(super) fn head(words: &[&str]) -> Option<(Kind, String)> {
    let (kind, path) = match *words {
        ["=", path] => (Kind::Exact, path),
        ["^~", path] => (Kind::Prefix { leaf: true }, path),
        ["~", path] => (Kind::Regex { any_case: false }, path),
        ["~*", path] => (Kind::Regex { any_case: true }, path),
        [path] if path.starts_with('@') => (Kind::Named, path),
        [word] => {
            let glued = [
                ("=", Kind::Exact),
                ("^~", Kind::Prefix { leaf: true }),
                ("~*", Kind::Regex { any_case: true }),
                ("~", Kind::Regex { any_case: false }),
            ];
            let found =
                glued.into_iter().find_map(|(modifier, kind)| Some((kind, word.strip_prefix(modifier)?)));
            found.unwrap_or((Kind::Prefix { leaf: false }, word))
        }
        _ => return None,
    };
    Some((kind, path.to_owned()))
}

fn nesting_fault(outer: &Location, kind: Kind, path: &str) -> Option<String> {
    let around = &outer.path;
    match (outer.kind, kind) {
        (Kind::Exact, _) => Some(format!("location `{path}` cannot be inside the exact location `{around}`")),
        (Kind::Named, _) => Some(format!("location `{path}` cannot be inside the named location `{around}`")),
        (_, Kind::Named) => Some(format!("named location `{path}` can stand only directly in `server`")),
        (_, Kind::Regex { .. }) => None,
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
            if !matches!(self.locations[at].kind, Kind::Prefix { .. }) {
                continue;
            }
            let outer = self.locations[at].parent.and_then(|parent| self.locations.get(parent));
            let (level, beyond) = outer.map_or((top_regexes, None), |outer| (outer.regexes, outer.after));
            let leaf = self.locations[at].kind == Kind::Prefix { leaf: true };
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
        let any = level.iter().any(|&at| matches!(self.locations[at].kind, Kind::Regex { .. }));
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
            if self.locations[at].kind != Kind::Exact {
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
            let action =
                Action::Respond(Response { status: Some(301), kind: "adds the final slash".to_owned() });
            let span = self.lower.tree.header(location.id);
            redirects.push(Route::new(
                path(TextMatch::Exact(bare)),
                action,
                self.lower.text(location.id),
                span,
            ));
        }
        routes.append(&mut redirects);
        let mut prefixes: Vec<usize> =
            literal.into_iter().filter(|&at| self.locations[at].kind != Kind::Exact).collect();
        prefixes.sort_by_key(|&at| Reverse(self.locations[at].path.len()));
        for at in prefixes {
            let when = path(TextMatch::Prefix(self.locations[at].path.clone()));
            routes.push(self.into(at, when));
        }
        if let Some(table) = regexes {
            let mut expressions = Vec::new();
            for &at in level {
                if let Kind::Regex { any_case } = self.locations[at].kind {
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
            let action = Action::Respond(Response { status: Some(404), kind: "internal".to_owned() });
            let inside = own_table(self.lower, location);
            return Route { from_inside: Some(inside), ..Route::new(when, action, label, span) };
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
