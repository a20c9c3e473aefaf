//! What the inside of a `location`, of an `if` and the head of a `server` do with a request.

use super::request_step::{Body, Branch, Change, Goes, Handler, RequestStep, Why, all};
use super::scope::{Protocol, Scope};
use super::state::Lower;
use crate::model::{Action, Condition, Match, Response, Route, TextMatch, Weakens};
use crate::nginx::syntax::NodeId;
use crate::nginx::values;
use crate::source::Span;

/// Most files of `index` that are followed.
const MAX_INDEXES: usize = 8;

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

impl Lower<'_> {
    /// The rewrite directives and conditions of a block: those steps that come before its handler.
    pub(super) fn rewrites(&mut self, block: Option<NodeId>, scope: &Scope, in_location: bool) -> Body {
        let mut body = Body::default();
        for id in self.tree.children(block) {
            match self.tree.name(id) {
                "return" => {
                    let when = body.unbroken(Condition::Always);
                    let always = when == Condition::Always;
                    let (label, span) = (self.text(id), self.tree.header(id));
                    for (when, scope) in body.errors_of(when, scope) {
                        let step = self.respond(id, when, label.clone(), span, &scope);
                        body.steps.push(step);
                    }
                    if always {
                        body.handled = true;
                        break;
                    }
                }
                "break" => break,
                "rewrite" => {
                    let done = self.rewrite(id, Condition::Always, in_location, scope, &mut body);
                    if done {
                        body.handled = true;
                        break;
                    }
                }
                "if" if self.tree.nodes[id].block => {
                    let when = self.if_condition(id);
                    let when = body.unbroken(when);
                    let inner = scope.extended(self.tree, Some(id));
                    let last = self.if_block(id, &when, in_location, &inner, &mut body);
                    if !last && in_location {
                        let handler = self.handler(Some(id), &inner, true);
                        body.ifs.push(Branch { when, handler, scope: inner, id });
                    }
                }
                _ => {}
            }
        }
        body
    }

    /// The steps inside an `if`. True if it ends the request there.
    fn if_block(
        &mut self,
        block: NodeId,
        when: &Condition,
        in_location: bool,
        scope: &Scope,
        body: &mut Body,
    ) -> bool {
        for id in self.tree.children(Some(block)) {
            match self.tree.name(id) {
                "return" => {
                    let label = format!("{} {{ {} }}", self.text(block), self.text(id));
                    let step = self.respond(id, when.clone(), label, self.tree.header(block), scope);
                    body.steps.push(step);
                    return true;
                }
                "rewrite" => {
                    let known = body.paths.len();
                    if self.rewrite(id, when.clone(), in_location, scope, body) {
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
    fn rewrite(
        &mut self,
        id: NodeId,
        when: Condition,
        in_location: bool,
        scope: &Scope,
        body: &mut Body,
    ) -> bool {
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
        let when = if every_path { when } else { all(vec![when, matched]) };
        let label = self.text(id);
        let away = ["http://", "https://", "$scheme"].iter().any(|start| to.starts_with(start));
        let redirect = matches!(flag, "redirect" | "permanent") || away;
        if redirect {
            let status = if flag == "permanent" { 301 } else { 302 };
            for (when, scope) in body.errors_of(when, scope) {
                body.steps.push(self.failing(when, status, "rewrite", id, &scope));
            }
            return every;
        }
        let rewrite = self.rewrite_words(id);
        let span = self.tree.header(id);
        let change = Change {
            pattern: Some(regex.clone()),
            to: to.clone(),
            keeps_query: !to.ends_with('?'),
            then: if flag.is_empty() { Goes::On } else { Goes::Locations },
        };
        // `break` goes on in the same location. Outside of one the location is still to be found.
        if flag == "break" && in_location {
            body.paths.extend(rewrite);
            body.moves.push((when.clone(), change));
            body.ends(when);
            return false;
        }
        let path = to.split('?').next().unwrap_or_default();
        let literal = path.find('$').map_or(path, |at| path.get(..at).unwrap_or_default());
        let to = if literal.len() == path.len() { literal.to_owned() } else { format!("{literal}*") };
        body.steps.push(RequestStep::Jump {
            when,
            to,
            rewrite,
            change: Some(change),
            label,
            span,
            why: Why::Told,
        });
        if flag.is_empty() {
            body.moved();
            return false;
        }
        every
    }

    /// What `return` answers with. An error without a text is one of those that `error_page` is for.
    fn respond(
        &mut self,
        id: NodeId,
        when: Condition,
        label: String,
        span: Span,
        scope: &Scope,
    ) -> RequestStep {
        let words = self.tree.args(id).to_vec();
        let Some(word) = words.first() else {
            return RequestStep::Route(Route::new(when, Action::Opaque(self.text(id)), label, span));
        };
        let text = self.tree.value(word).to_owned();
        let status = match values::number(&text) {
            Some(444) => None,
            // With these nginx takes the client to be gone.
            Some(408 | 499) if words.len() == 1 => None,
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
        let kind = "return".to_owned();
        let sent = Response { status, kind };
        let redirects = matches!(status, Some(301 | 302 | 303 | 307 | 308));
        if redirects || words.len() == 1 && status.is_some_and(|status| status >= 400) {
            return self.failed(when, sent, label, span, scope, false);
        }
        let takes_status = status.is_some();
        RequestStep::Route(Route { takes_status, ..Route::new(when, Action::Respond(sent), label, span) })
    }

    /// The handler of a block: what answers once no rewrite did.
    pub(super) fn handler(&mut self, block: Option<NodeId>, scope: &Scope, strict: bool) -> Option<Handler> {
        let mut handler: Option<Handler> = None;
        for id in self.tree.children(block) {
            let name = self.tree.name(id);
            if let Some(protocol) = Protocol::of_pass(name) {
                // The directive given last is the one that counts.
                let action = self.pass(id, protocol, scope, strict);
                let fallbacks = self.fallbacks(scope, protocol);
                handler = Some(Handler::new(action, self.rewritten(id, protocol, scope), fallbacks));
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

    /// The handler that a `limit_except` inherits from the location around it.
    pub(super) fn inherited_handler(&mut self, block: Option<NodeId>, scope: &Scope) -> Option<Handler> {
        let passes =
            self.tree.children(block).filter_map(|id| Some((id, Protocol::of_pass(self.tree.name(id))?)));
        let (id, protocol) = passes.last()?;
        let action = self.pass(id, protocol, scope, false);
        Some(Handler::new(action, self.rewritten(id, protocol, scope), self.fallbacks(scope, protocol)))
    }

    /// Files, where nothing else answers, and what comes before them: a folder's index, and where those are sent whom no
    /// file answers.
    pub(super) fn file_steps(&mut self, scope: &Scope, owner: NodeId) -> Vec<RequestStep> {
        let mut steps = self.indexes(scope, owner);
        steps.extend(self.missing_files(scope));
        let handler = self.files(scope);
        steps.push(RequestStep::Route(handler.route(
            Condition::Always,
            self.text(owner),
            self.tree.header(owner),
        )));
        steps
    }

    /// `index`: the request goes on with the name of the first file that is there.
    fn indexes(&self, scope: &Scope, owner: NodeId) -> Vec<RequestStep> {
        let folder = Condition::Is(Match::Path(TextMatch::Suffix("/".to_owned())));
        let is = |name: &str| Condition::Is(Match::Method(TextMatch::Exact(name.to_owned())));
        let reads = Condition::Any(vec![is("GET"), is("HEAD"), is("POST")]);
        let default = ("index.html".to_owned(), "index index.html".to_owned(), self.tree.header(owner));
        let mut names: Vec<(String, String, Span)> = Vec::new();
        for &id in scope.index.iter() {
            let values = self.tree.values(id);
            names.extend(
                values.into_iter().map(|name| (name.to_owned(), self.text(id), self.tree.header(id))),
            );
        }
        if names.is_empty() {
            names.push(default);
        }
        names.truncate(MAX_INDEXES);
        let mut steps = Vec::new();
        for (name, label, span) in names {
            let mut when = vec![folder.clone(), reads.clone()];
            let absolute = name.starts_with('/');
            if !absolute {
                when.push(Condition::Opaque(format!("the folder has a file `{name}`")));
            } else if !steps.is_empty() {
                when.push(Condition::Opaque("the folder is there, without the files before".to_owned()));
            }
            let to = if absolute { name.clone() } else { format!("${{uri}}{name}") };
            let change = Change { pattern: None, to, keeps_query: true, then: Goes::Server };
            steps.push(RequestStep::Jump {
                when: all(when),
                to: values::cut(&if absolute { name.clone() } else { "$uri".to_owned() }),
                rewrite: None,
                change: Some(change),
                label,
                span,
                why: Why::Index(name),
            });
        }
        steps
    }

    /// Files.
    pub(super) fn files(&self, scope: &Scope) -> Handler {
        let files = match scope.root {
            Some(id) => Action::Local(self.text(id)),
            None => Action::Local("root html".to_owned()),
        };
        files.into()
    }
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
