//! What the inside of a `location`, of an `if` and the head of a `server` do with a request.

use super::Lower;
use super::condition::not;
use super::rewrite::Handler;
use super::scope::{Protocol, Scope};
use crate::model::{Action, Condition, Match, Response, Route, TextMatch, Weakens};
use crate::nginx::syntax::NodeId;
use crate::nginx::values;

/// Handlers that answer by themselves, with files or made-up pages.
const LOCAL: &[&str] = &[
    "acme_certificate_challenge",
    "api",
    "autoindex_page",
    "check_status",
    "echo",
    "echo_duplicate",
    "empty_gif",
    "f4f",
    "flv",
    "hls",
    "mp4",
    "nchan_publisher",
    "nchan_pubsub",
    "nchan_stub_status",
    "nchan_subscriber",
    "push_stream_channels_statistics",
    "push_stream_publisher",
    "push_stream_subscriber",
    "report_uploads",
    "req_status_show",
    "rtmp_control",
    "rtmp_stat",
    "status",
    "stub_status",
    "upstream_conf",
    "upstream_show",
    "vhost_traffic_status_display",
    "vod",
];

/// Handlers that decide at run time.
const CODE: &[&str] = &[
    "access_by_lua",
    "access_by_lua_block",
    "access_by_lua_file",
    "ajp_pass",
    "content_by_lua",
    "content_by_lua_block",
    "content_by_lua_file",
    "drizzle_pass",
    "echo_exec",
    "echo_location",
    "eval",
    "internal_redirect",
    "js_content",
    "memc_pass",
    "passenger_enabled",
    "perl",
    "postgres_pass",
    "redis2_pass",
    "redis_pass",
    "rewrite_by_lua",
    "rewrite_by_lua_block",
    "rewrite_by_lua_file",
    "srcache_fetch",
    "tnt_pass",
    "tunnel_pass",
    "upload_pass",
];

/// Those of [`CODE`] that answer themselves; the others may, or may send the request elsewhere.
fn is_phase(name: &str) -> bool {
    name.starts_with("access_by_lua")
        || name.starts_with("rewrite_by_lua")
        || matches!(name, "eval" | "srcache_fetch")
}

/// A route that may lead to another location of the same server.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly every step is a route")]
pub(super) enum Step {
    /// Settled.
    Route(Route),
    /// Goes on as a request for this URI, or for a named location, would.
    Jump {
        /// When.
        when: Condition,
        /// `@name` or a path; a path that ends in `*` is only known up to there.
        to: String,
        /// What changes on the way, in words.
        rewrite: Option<String>,
        /// How the new path is made of the old one.
        change: Option<Change>,
        label: String,
        id: NodeId,
    },
}

/// A new path, and where nginx looks for its location.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) pattern: Option<String>,
    pub(super) to: String,
    pub(super) keeps_query: bool,
    pub(super) then: Goes,
}

/// Where nginx goes on with a new path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goes {
    /// To the locations of the server.
    Locations,
    /// Through the whole server, from its rewrites on.
    Server,
    /// Through the other rewrites of the same block, then to the locations.
    On,
}

/// What a block does, in order; `handled` tells whether the last step is unconditional.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) steps: Vec<Step>,
    pub(super) handled: bool,
    /// What `rewrite … break` does to the path before the handler sees it.
    pub(super) paths: Vec<String>,
    /// How many of the steps rewrite; those after them handle.
    pub(super) rewriting: usize,
    /// When a `break` has ended the rewriting by now.
    broken: Vec<Condition>,
}

impl Body {
    /// `when`, unless a `break` came before.
    fn unbroken(&self, when: Condition) -> Condition {
        if self.broken.is_empty() {
            return when;
        }
        let mut all: Vec<Condition> = self.broken.iter().cloned().map(not).collect();
        match when {
            Condition::Always => {}
            Condition::All(parts) => all.extend(parts),
            other => all.push(other),
        }
        if all.len() == 1 { all.remove(0) } else { Condition::All(all) }
    }

    /// Notes that rewriting ends where this holds.
    fn ends(&mut self, when: Condition) {
        // Few blocks break more than once; a condition must not grow with the input.
        match self.broken.len() {
            MAX_BREAKS.. => {}
            _ if self.broken.contains(&when) => {}
            count if count + 1 == MAX_BREAKS => {
                self.broken.push(Condition::Opaque("an earlier `break`".to_owned()));
            }
            _ => self.broken.push(when),
        }
    }

    /// A `rewrite` that goes on changes the path for what comes after it, but not for what came before.
    fn moved(&mut self) {
        if self.broken.iter().any(looks_at_path) {
            self.broken = vec![Condition::Opaque("an earlier `break`".to_owned())];
        }
    }
}

/// Most `break`s of a block that are followed.
const MAX_BREAKS: usize = 8;

fn looks_at_path(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(looks_at_path),
        Condition::Not(inner) => looks_at_path(inner),
        Condition::Is(Match::Path(_) | Match::Query(..)) | Condition::Opaque(_) => true,
        _ => false,
    }
}

impl Lower<'_> {
    /// The rewrite directives and conditions of a block: those steps that come before its handler.
    pub(super) fn rewrites(&mut self, block: Option<NodeId>, scope: &Scope, in_location: bool) -> Body {
        let mut body = Body::default();
        // Blocks of `if` that only change the handler: the last one whose condition holds counts.
        let mut handlers: Vec<(Condition, Option<Handler>, NodeId)> = Vec::new();
        for id in self.tree.children(block) {
            match self.tree.name(id) {
                "return" => {
                    let action = self.respond(id);
                    let when = body.unbroken(Condition::Always);
                    let always = when == Condition::Always;
                    let route = Route::new(when, action, self.text(id), self.tree.header(id));
                    body.steps.push(Step::Route(route));
                    if always {
                        body.handled = true;
                        break;
                    }
                }
                "break" => break,
                "rewrite" => {
                    let done = self.rewrite(id, Condition::Always, in_location, &mut body);
                    if done {
                        body.handled = true;
                        break;
                    }
                }
                "if" if self.tree.nodes[id].block => {
                    let when = self.if_condition(id);
                    let when = body.unbroken(when);
                    let last = self.if_block(id, &when, in_location, &mut body);
                    if !last && in_location {
                        let inner = scope.extended(self.tree, Some(id));
                        let handler = self.handler(Some(id), &inner, true);
                        handlers.push((when, handler, id));
                    }
                }
                _ => {}
            }
        }
        body.rewriting = body.steps.len();
        if !body.handled && handlers.iter().any(|(_, handler, _)| handler.is_some()) {
            for (when, handler, id) in handlers.into_iter().rev() {
                let span = self.tree.header(id);
                // One without a handler of its own uses the location's; so does everything after it.
                let Some(handler) = handler else {
                    let (to, label) = (String::new(), self.text(id));
                    body.steps.push(Step::Jump { when, to, rewrite: None, change: None, label, id });
                    continue;
                };
                let handler = handler.after(&body.paths);
                body.steps.push(Step::Route(handler.route(when, self.text(id), span)));
            }
        }
        body
    }

    /// The steps inside an `if`. True if it ends the request there.
    fn if_block(&mut self, block: NodeId, when: &Condition, in_location: bool, body: &mut Body) -> bool {
        for id in self.tree.children(Some(block)) {
            match self.tree.name(id) {
                "return" => {
                    let action = self.respond(id);
                    let label = format!("{} {{ {} }}", self.text(block), self.text(id));
                    let route = Route::new(when.clone(), action, label, self.tree.header(block));
                    body.steps.push(Step::Route(route));
                    return true;
                }
                "rewrite" => {
                    let known = body.paths.len();
                    if self.rewrite(id, when.clone(), in_location, body) {
                        return true;
                    }
                    let condition = self.text(block);
                    for path in body.paths.iter_mut().skip(known) {
                        *path = format!("{path} {condition}");
                    }
                }
                "break" => {
                    body.ends(when.clone());
                    return false;
                }
                _ => {}
            }
        }
        false
    }

    /// A `rewrite`. True if it takes every request that meets `when`.
    fn rewrite(&mut self, id: NodeId, when: Condition, in_location: bool, body: &mut Body) -> bool {
        let words: Vec<String> = self.tree.values(id).into_iter().map(str::to_owned).collect();
        let (Some(regex), Some(to)) = (words.first(), words.get(1)) else { return false };
        let flag = words.get(2).map_or("", String::as_str);
        if !matches!(flag, "" | "last" | "break" | "redirect" | "permanent") {
            let span = self.tree.args(id)[2].span;
            let help = "write `last`, `break`, `redirect` or `permanent`";
            self.invalid(span, format!("`{flag}` is not a flag of `rewrite`"), help);
            return false;
        }
        let every_path = matches!(
            regex.as_str(),
            "^" | ".*" | "^.*" | "^.*$" | "^(.*)$" | "(.*)" | "^(.*)" | ".*$" | "^/" | "^/(.*)$" | "^/(.*)"
        );
        let matched = Condition::Is(Match::Path(TextMatch::Regex(regex.clone())));
        let when = if when == Condition::Always { body.unbroken(when) } else { when };
        let every = every_path && when == Condition::Always;
        let all = match (every_path, when) {
            (true, when) => when,
            (false, Condition::Always) => matched,
            (false, Condition::All(mut parts)) => {
                parts.push(matched);
                Condition::All(parts)
            }
            (false, when) => Condition::All(vec![when, matched]),
        };
        let label = self.text(id);
        let away = ["http://", "https://", "$scheme"].iter().any(|start| to.starts_with(start));
        let redirect = matches!(flag, "redirect" | "permanent") || away;
        if redirect {
            let status = if flag == "permanent" { 301 } else { 302 };
            let action = Action::Respond(Response { status: Some(status), kind: "rewrite".to_owned() });
            body.steps.push(Step::Route(Route::new(all, action, label, self.tree.header(id))));
            return every;
        }
        let rewrite = self.rewrite_words(id);
        // `break` goes on in the same location. Outside of one the location is still to be found.
        if flag == "break" && in_location {
            body.paths.extend(rewrite);
            body.ends(all);
            return false;
        }
        let change = Change {
            pattern: Some(regex.clone()),
            to: to.clone(),
            keeps_query: !to.ends_with('?'),
            then: if flag.is_empty() { Goes::On } else { Goes::Locations },
        };
        let path = to.split('?').next().unwrap_or_default();
        let literal = path.find('$').map_or(path, |at| path.get(..at).unwrap_or_default());
        let to = if literal.len() == path.len() { literal.to_owned() } else { format!("{literal}*") };
        body.steps.push(Step::Jump { when: all, to, rewrite, change: Some(change), label, id });
        if flag.is_empty() {
            body.moved();
            return false;
        }
        every
    }

    fn respond(&mut self, id: NodeId) -> Action {
        let words = self.tree.args(id).to_vec();
        let Some(word) = words.first() else { return Action::Opaque(self.text(id)) };
        let text = self.tree.value(word).to_owned();
        let kind = "return".to_owned();
        let status = match values::number(&text) {
            Some(444) => None,
            Some(code) if code <= 999 => u16::try_from(code).ok(),
            None if words.len() == 1
                && ["http://", "https://", "$scheme"].iter().any(|start| text.starts_with(start)) =>
            {
                Some(302)
            }
            _ => {
                let help = "write a status from 0 to 999, or a URL that starts with http:// or https://";
                self.invalid(word.span, format!("`{text}` is not a return code"), help);
                None
            }
        };
        Action::Respond(Response { status, kind })
    }

    /// The handler of a block: what answers once no rewrite did.
    pub(super) fn handler(&mut self, block: Option<NodeId>, scope: &Scope, strict: bool) -> Option<Handler> {
        let mut handler: Option<Handler> = None;
        for id in self.tree.children(block) {
            let name = self.tree.name(id);
            if let Some(protocol) = Protocol::of_pass(name) {
                // The directive given last is the one that counts.
                let action = self.pass(id, protocol, scope, strict);
                handler = Some(Handler::new(action, self.rewritten(id, protocol, scope)));
            } else if LOCAL.binary_search(&name).is_ok() {
                handler = Some(Action::Local(self.text(id)).into());
            } else if CODE.binary_search(&name).is_ok() {
                let off = self.tree.arg(id, 0) == Some("off");
                if off {
                    continue;
                }
                let text = self.text(id);
                self.gap(self.tree.header(id), format!("`{text}` decides at run time"), Weakens::Routing);
                if !is_phase(name) {
                    handler = Some(Action::Opaque(text).into());
                }
            }
        }
        handler
    }

    /// `limit_except`: what other methods than those it names get.
    pub(super) fn limit_except(&mut self, block: Option<NodeId>, scope: &Scope) -> Vec<Step> {
        let mut steps = Vec::new();
        for id in self.tree.children(block) {
            if self.tree.name(id) != "limit_except" || !self.tree.nodes[id].block {
                continue;
            }
            let mut methods: Vec<Condition> = Vec::new();
            for method in self.tree.values(id) {
                let is = |name: &str| Condition::Is(Match::Method(TextMatch::Exact(name.to_owned())));
                methods.push(is(method));
                if method == "GET" {
                    methods.push(is("HEAD"));
                }
            }
            let inner = scope.extended(self.tree, Some(id));
            let when = not(Condition::Any(methods));
            let handler = match self.handler(Some(id), &inner, true) {
                _ if self.denies_all(id) => forbidden().into(),
                Some(handler) => handler,
                None => continue,
            };
            steps.push(Step::Route(handler.route(when, self.text(id), self.tree.header(id))));
        }
        steps
    }

    /// `allow` and `deny`, in order until one holds: steps that come after the rewrites.
    pub(super) fn limits(&mut self, scope: &Scope, steps: &mut Vec<Step>) {
        let Some(&first) = scope.access.first() else { return };
        if scope.access.len() > MAX_ACCESS {
            // Every location has the rules of the blocks around it, so long lists are not spelt out in each.
            let text = format!("one of {} `allow` and `deny`", scope.access.len());
            let route = Route::new(Condition::Opaque(text), forbidden(), "deny", self.tree.header(first));
            steps.push(Step::Route(route));
            return;
        }
        let mut allowed: Vec<Condition> = Vec::new();
        for &id in scope.access.iter() {
            let from = match self.tree.arg(id, 0).unwrap_or_default() {
                "all" => Condition::Always,
                "unix:" => Condition::Opaque("the client comes over a UNIX socket".to_owned()),
                network => Condition::Is(Match::Source(network.to_owned())),
            };
            let everyone = from == Condition::Always;
            if self.tree.name(id) == "deny" {
                let mut all: Vec<Condition> = Vec::new();
                if !allowed.is_empty() {
                    all.push(not(Condition::Any(allowed.clone())));
                }
                if scope.satisfy_any {
                    all.push(Condition::Opaque("not let in otherwise (satisfy any)".to_owned()));
                }
                if !everyone || all.is_empty() {
                    all.push(from);
                }
                let when = if all.len() == 1 { all.remove(0) } else { Condition::All(all) };
                let route = Route::new(when, forbidden(), self.text(id), self.tree.header(id));
                steps.push(Step::Route(route));
            } else {
                allowed.push(from);
            }
            if everyone {
                return;
            }
        }
    }

    fn denies_all(&self, block: NodeId) -> bool {
        let first =
            self.tree.children(Some(block)).find(|&id| matches!(self.tree.name(id), "allow" | "deny"));
        first.is_some_and(|id| self.tree.name(id) == "deny" && self.tree.arg(id, 0) == Some("all"))
    }

    /// Files, where nothing else answers.
    pub(super) fn files(&self, scope: &Scope) -> Handler {
        let files = match scope.root {
            Some(id) => Action::Local(self.text(id)),
            None => Action::Local("root html".to_owned()),
        };
        files.into()
    }
}

/// `allow` and `deny` that are spelt out in each location.
const MAX_ACCESS: usize = 32;

fn forbidden() -> Action {
    Action::Respond(Response { status: Some(403), kind: "deny".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_searching() {
        assert!(LOCAL.is_sorted());
        assert!(CODE.is_sorted());
    }
}
