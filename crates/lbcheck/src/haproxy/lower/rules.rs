//! Rules into routes, in the order in which HAProxy evaluates them.
//!
//! That order is not the order of the lines: `tcp-request connection`, `session` and `content` come first, then
//! `monitor-uri`, `http-request`, the statistics page, `redirect`, and at last `use_backend` and `default_backend`. Rules
//! of a `defaults` section run before those of the section that inherits it.

use std::collections::BTreeSet;

use super::dynamic;
use super::proxy::Proxy;
use super::rewrites::Rewrites;
use super::rewritten;
use super::settings::Pools;
use super::settings::Server;
use crate::dialect::Version;
use crate::haproxy::acl::{Acls, Budget};
use crate::haproxy::lexer::{Word, joined};
use crate::haproxy::maps::Maps;
use crate::haproxy::report::Report;
use crate::haproxy::syntax::{Line, SectionKind};
use crate::model::{
    Action, Changed, Condition, Match, Mode, PoolId, Response, Route, Target, TextMatch, Weakens,
};
use crate::source::{Span, Spanned};

/// Most conditions of `allow` rules that are carried on to later rules of the same set.
const MAX_ALLOWED: usize = 8;

/// What rules may name.
#[derive(Clone, Copy)]
pub(super) struct Named<'p> {
    pub(super) pools: &'p Pools<'p>,
    /// Those of them that are switched off.
    pub(super) off: &'p BTreeSet<&'p str>,
    pub(super) maps: &'p Maps,
}

/// What the rules of one section make.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// For the listener.
    pub(super) listener: Vec<Route>,
    /// Inside the pool, before its algorithm: answers of the backend's own rules, and `use-server`.
    pub(super) inside: Vec<Route>,
    /// An unconditional answer of the pool's own rules.
    pub(super) answers_locally: Option<Span>,
    /// How a backend's own rules change the path or the host of all it is given, in HAProxy's words.
    pub(super) rewrite: Option<String>,
}

/// When a rule is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Connection,
    Session,
    Content,
    Request,
    Redirect,
    Switch,
}

/// A rule of which only the order is still to be settled.
struct Pending<'s, 'a> {
    stage: Stage,
    when: Condition,
    line: &'s Line<'a>,
}

/// Lowers the rules of a section. `own` is the pool it makes, if any.
pub(super) fn lower(
    proxy: &Proxy<'_, '_>,
    own: Option<PoolId>,
    named: Named<'_>,
    budget: &mut Budget,
    report: &mut Report,
) -> Routes {
    let mut pending: Vec<Pending<'_, '_>> = Vec::new();
    let mut use_server: Vec<Route> = Vec::new();
    if let Some(parent) = proxy.parent {
        // Shared rules are lowered once for each heir; many heirs of many rules would cost the product.
        let shared = parent.lines.iter().filter(|line| is_rule(line)).count();
        if !budget.take(shared) {
            report.gap(proxy.section.header.span, "the rules of its `defaults` section", Weakens::Routing);
        } else if shared > 0 {
            // Errors of shared rules were reported where they are written.
            let mut silent = Report::new(report.version);
            gather(&parent.lines, proxy, own, &mut pending, &mut use_server, budget, &mut silent);
        }
    }
    gather(&proxy.section.lines, proxy, own, &mut pending, &mut use_server, budget, report);
    // A stable sort keeps the order of the lines within each stage.
    pending.sort_by_key(|rule| rule.stage);

    let mut walk = Walk {
        proxy,
        own,
        named,
        version: report.version,
        changed: Changed::default(),
        rewrites: Rewrites::default(),
        routes: Vec::new(),
        allowed: Vec::new(),
    };
    let mut stage = Stage::Connection;
    for next in &pending {
        report.assumed = next.line.assumed;
        while stage < next.stage {
            stage = walk.leave(stage);
        }
        walk.rule(next, report);
    }
    while stage < Stage::Switch {
        stage = walk.leave(stage);
    }
    let kind = proxy.section.kind;
    let mut routes = Routes::default();
    if kind == SectionKind::Backend {
        routes.answers_locally = walk
            .routes
            .iter()
            .find(|route| route.when == Condition::Always && answers(&route.action))
            .map(|route| route.span);
        routes.rewrite = walk.rewrites.before(&Condition::Always);
        routes.inside = walk.routes;
        routes.inside.extend(use_server);
        return routes;
    }
    walk.finish();
    if kind == SectionKind::Listen {
        // The rules of a `listen` section run once, on its listener's side.
        routes.answers_locally = walk
            .routes
            .iter()
            .find(|route| route.when == Condition::Always && answers(&route.action))
            .map(|route| route.span);
    }
    routes.listener = walk.routes;
    routes.inside = use_server;
    routes
}

fn is_rule(line: &Line<'_>) -> bool {
    matches!(line.keyword(), "acl" | "http-request" | "tcp-request")
}

fn answers(action: &Action) -> bool {
    matches!(action, Action::Respond(_) | Action::Local(_))
}

/// Collects the rules of some lines with their conditions, which hold the ACLs defined so far.
fn gather<'s, 'a>(
    lines: &'s [Line<'a>],
    proxy: &Proxy<'_, '_>,
    own: Option<PoolId>,
    pending: &mut Vec<Pending<'s, 'a>>,
    use_server: &mut Vec<Route>,
    budget: &mut Budget,
    report: &mut Report,
) {
    let mut acls = Acls::default();
    let http = proxy.mode() == Mode::Http;
    for line in lines {
        report.assumed = line.assumed;
        let stage = match (line.keyword(), line.arg(1)) {
            ("acl", _) => {
                acls.define(line, report);
                continue;
            }
            ("tcp-request", "connection") => Stage::Connection,
            ("tcp-request", "session") => Stage::Session,
            ("tcp-request", "content") => Stage::Content,
            ("http-request", _) => Stage::Request,
            ("redirect", _) => Stage::Redirect,
            // The program ignores it in a backend.
            ("use_backend", _) if proxy.section.kind != SectionKind::Backend => Stage::Switch,
            // There it is only checked.
            ("use_backend", _) => {
                acls.condition(condition_words(line, 1), budget, report);
                continue;
            }
            ("use-server", _) => {
                let when = acls.condition(condition_words(line, 2), budget, report);
                use_server.extend(own.and_then(|pool| server_route(line, when, pool, proxy)));
                continue;
            }
            (
                "http-response"
                | "http-after-response"
                | "tcp-response"
                | "stick"
                | "force-persist"
                | "ignore-persist"
                | "monitor"
                | "stats"
                | "force-be-switch",
                _,
            ) => {
                acls.condition(condition_words(line, 1), budget, report);
                continue;
            }
            _ => continue,
        };
        let when = acls.condition(condition_words(line, 1), budget, report);
        // HTTP rules are not evaluated in other modes; the program says so and goes on.
        if !http && matches!(stage, Stage::Request | Stage::Redirect) {
            continue;
        }
        pending.push(Pending { stage, when, line });
    }
}

/// The words from `if` or `unless` on.
fn condition_words<'l, 'a>(line: &'l Line<'a>, from: usize) -> &'l [Word<'a>] {
    let words = line.args(from);
    match words.iter().position(|word| matches!(word.as_str(), "if" | "unless")) {
        Some(at) => words.get(at..).unwrap_or_default(),
        None => &[],
    }
}

fn server_route(line: &Line<'_>, when: Condition, pool: PoolId, proxy: &Proxy<'_, '_>) -> Option<Route> {
    let name = line.word(1)?;
    let uses_down = proxy.settings.uses_down.as_ref().is_some_and(|uses| uses.value);
    let off = |server: &Server| {
        server.name.as_str() == name.as_str()
            && server.settings.disabled.as_ref().is_some_and(|disabled| disabled.value)
    };
    let passed_over = !uses_down && proxy.servers.iter().any(off);
    let forced = proxy.section.lines.iter().any(|line| line.keyword() == "force-persist");
    let action = if (passed_over && forced) || name.as_str().contains('%') || name.unset {
        Action::Opaque(format!("use-server {}", name.as_str()))
    } else {
        Action::Endpoint { pool, endpoint: Spanned::new(name.text.to_string(), name.span) }
    };
    // A server that is switched off is not used: the program goes on with the next rule.
    let when = if passed_over && !forced { Condition::Never } else { when };
    Some(Route::new(when, action, joined(&line.words), line.span))
}

struct Walk<'p, 's, 'a> {
    proxy: &'p Proxy<'s, 'a>,
    own: Option<PoolId>,
    named: Named<'p>,
    version: Version,
    changed: Changed,
    rewrites: Rewrites,
    routes: Vec<Route>,
    /// Conditions under which the rest of the current rule set is skipped.
    allowed: Vec<Condition>,
}

impl Walk<'_, '_, '_> {
    /// Ends a stage; gives the next one.
    fn leave(&mut self, stage: Stage) -> Stage {
        self.allowed.clear();
        match stage {
            Stage::Connection => Stage::Session,
            Stage::Session => Stage::Content,
            Stage::Content => {
                self.monitor();
                Stage::Request
            }
            Stage::Request => {
                self.statistics();
                Stage::Redirect
            }
            Stage::Redirect | Stage::Switch => Stage::Switch,
        }
    }

    fn monitor(&mut self) {
        let settings = &self.proxy.settings;
        if self.proxy.section.kind == SectionKind::Backend || self.proxy.mode() != Mode::Http {
            return;
        }
        let Some(uri) = &settings.monitor_uri else { return };
        // A query string makes it another address.
        let when = Condition::Is(Match::Target(TextMatch::Exact(uri.value.clone())));
        self.respond(when, Some(200), "monitor-uri", uri.span());
    }

    fn statistics(&mut self) {
        let settings = &self.proxy.settings;
        let Some(span) = settings.stats.filter(|_| self.proxy.mode() == Mode::Http) else { return };
        let uri = settings.stats_uri.as_ref().map_or("/haproxy?stats", |uri| uri.value.as_str());
        // The address is compared with its query string.
        let when = Condition::Is(Match::Target(TextMatch::Prefix(uri.to_owned())));
        let when = rewritten::blur(&self.changed, when);
        // `/` is every path.
        let when = if uri == "/" { Condition::Always } else { when };
        self.routes.push(Route::new(when, Action::Local("stats".into()), format!("stats uri {uri}"), span));
    }

    fn respond(&mut self, when: Condition, status: Option<u16>, kind: &str, span: Option<Span>) {
        let span = span.unwrap_or(self.proxy.section.header.span);
        let action = Action::Respond(Response { status, kind: kind.to_owned() });
        self.routes.push(Route::new(when, action, kind, span));
    }

    /// What happens to a request that no rule took.
    fn finish(&mut self) {
        if let Some(name) = &self.proxy.settings.default_backend {
            let action =
                Action::Forward(self.target(name.value.as_str(), name.span, name.value.contains('%')));
            let label = format!("default_backend {}", name.value);
            self.forward(Condition::Always, action, label, name.span);
            return;
        }
        let header = &self.proxy.section.header;
        if let Some(pool) = self.own {
            let action = Action::Forward(Target::Pool { pool, span: header.at(1) });
            self.forward(Condition::Always, action, self.proxy.section.label(), header.span);
            return;
        }
        let status = (self.proxy.mode() == Mode::Http).then_some(503);
        self.respond(Condition::Always, status, "no backend", Some(header.span));
    }

    /// A route for what no rule took.
    fn forward(&mut self, when: Condition, action: Action, label: String, span: Span) {
        let mut route = Route::new(when, action, label, span);
        route.rewrite = self.rewrites.before(&route.when);
        self.routes.push(route);
    }

    /// What a rule names; `unset`: nothing can be made of it.
    fn target(&self, name: &str, span: Span, unset: bool) -> Target {
        let text = || Spanned::new(name.to_owned(), span);
        if unset || name.contains('%') {
            let recipe = (!unset)
                .then(|| dynamic::recipe(name, self.named.maps, &self.changed, self.version))
                .flatten();
            return Target::Dynamic { text: text(), candidates: Vec::new(), recipe: recipe.map(Box::new) };
        }
        match self.named.pools.get(name) {
            Some(&pool) => Target::Pool { pool, span },
            None => Target::Undefined(text()),
        }
    }

    /// A rule that names a backend which is switched off: 3.4 passes it over, versions up to 3.2 let the backend
    /// refuse the request. Nobody asked the version between them.
    fn switched_off(&self, name: &str, when: Condition, action: Action) -> (Condition, Action) {
        if !self.named.off.contains(name) || self.version < Version::new(3, 3) {
            return (when, action);
        }
        let forces = |line: &Line<'_>| line.keyword() == "force-be-switch";
        if self.version < Version::new(3, 4) || self.proxy.section.lines.iter().any(forces) {
            return (when, Action::Opaque(format!("use_backend {name}, which is switched off")));
        }
        (Condition::Never, action)
    }

    fn rule(&mut self, next: &Pending<'_, '_>, report: &mut Report) {
        let line = next.line;
        let when = rewritten::blur(&self.changed, next.when.clone());
        match next.stage {
            Stage::Switch => {
                let Some(name) = line.word(1) else { return };
                let action = Action::Forward(self.target(name.as_str(), name.span, name.unset));
                let (when, action) = self.switched_off(name.as_str(), when, action);
                let rewrite = self.rewrites.before(&next.when);
                self.push(when, action, line);
                if let Some(route) = self.routes.last_mut() {
                    route.rewrite = rewrite;
                }
            }
            Stage::Redirect => {
                let action = Action::Respond(Response {
                    status: number_after(line, "code").or(Some(302)),
                    kind: "redirect".into(),
                });
                self.push(when, action, line);
            }
            Stage::Request => {
                self.rewrites.note(line, &next.when);
                self.action(when, line, 1, report);
            }
            Stage::Connection | Stage::Session | Stage::Content => self.action(when, line, 2, report),
        }
    }

    /// A `tcp-request` or `http-request` rule whose action is the word at `at`.
    fn action(&mut self, when: Condition, line: &Line<'_>, at: usize, report: &mut Report) {
        let word = line.arg(at);
        let name = word.split('(').next().unwrap_or(word);
        let respond = |status: Option<u16>| Action::Respond(Response { status, kind: name.to_owned() });
        let action = match name {
            "allow" | "accept" => {
                self.allow(when);
                return;
            }
            "deny" => {
                respond(number_after(line, "deny_status").or(number_after(line, "status")).or(Some(403)))
            }
            "tarpit" => {
                respond(number_after(line, "deny_status").or(number_after(line, "status")).or(Some(500)))
            }
            "return" => respond(number_after(line, "status").or(Some(200))),
            "redirect" => respond(number_after(line, "code").or(Some(302))),
            "auth" => respond(Some(401)),
            "reject" | "silent-drop" => respond(None),
            "use-service" => Action::Local(line.arg(at + 1).to_owned()),
            _ => {
                rewritten::note(&mut self.changed, word, line.arg(at + 1));
                if name.starts_with("lua.") {
                    rewritten::note(&mut self.changed, "lua", "");
                    report.gap(
                        line.span,
                        joined(line.words.get(..=at).unwrap_or_default()),
                        Weakens::Routing,
                    );
                }
                return;
            }
        };
        let when = self.unless_allowed(when);
        self.push(when, action, line);
    }

    fn allow(&mut self, when: Condition) {
        if self.allowed.len() < MAX_ALLOWED {
            self.allowed.push(when);
        } else if self.allowed.len() == MAX_ALLOWED {
            self.allowed.push(Condition::Opaque("an earlier rule allowed it".into()));
        }
    }

    fn unless_allowed(&self, when: Condition) -> Condition {
        Condition::all(self.allowed.iter().cloned().map(Condition::not).chain([when]))
    }

    fn push(&mut self, when: Condition, action: Action, line: &Line<'_>) {
        self.routes.push(Route::new(when, action, joined(&line.words), line.span));
    }
}

/// The number after a word such as `status`.
fn number_after(line: &Line<'_>, word: &str) -> Option<u16> {
    let at = line.words.iter().position(|found| found.as_str() == word)?;
    line.arg(at + 1).parse().ok()
}
