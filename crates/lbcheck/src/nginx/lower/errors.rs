//! `error_page`: what answers where nginx itself, or an upstream, fails.
//!
//! It is looked up where the error happens, once for each request unless `recursive_error_pages on`. To a path the request
//! goes on as a GET, through the whole server; to a named location it goes on as it came.

use super::request_step::{Change, Failure, Goes, RequestStep, Why, all, not};
use super::scope::{Protocol, Scope};
use super::state::Lower;
use crate::model::{Action, Condition, Fallback, Match, Response, Route, TextMatch};
use crate::nginx::syntax::NodeId;
use crate::nginx::values;
use crate::source::Span;

/// An `error_page` for a status.
struct Page<'a> {
    id: NodeId,
    answer: Option<u16>,
    /// The status of an answer that sends the client elsewhere.
    redirect: u16,
    to: &'a str,
}

/// Errors with which files are not served.
const OF_FILES: [u16; 4] = [301, 403, 404, 405];

impl Lower<'_> {
    /// The step of an error that happens where `when` holds.
    pub(super) fn failing(
        &mut self,
        when: Condition,
        status: u16,
        kind: &str,
        id: NodeId,
        scope: &Scope,
    ) -> RequestStep {
        let error = Response { status: Some(status), kind: kind.to_owned() };
        let (label, span) = (self.text(id), self.tree.header(id));
        self.failed(when, error, label, span, scope, false)
    }

    pub(super) fn failed(
        &mut self,
        when: Condition,
        error: Response,
        label: String,
        span: Span,
        scope: &Scope,
        of_files: bool,
    ) -> RequestStep {
        let page = error.status.and_then(|status| self.page(scope, status));
        let Some(Page { id, answer, redirect, to }) = page else {
            return RequestStep::Route(Route::new(when, Action::Respond(error), label, span));
        };
        let away = ["http://", "https://", "$scheme"].iter().any(|start| to.starts_with(start));
        let label =
            if label.starts_with("error_page") { label } else { format!("{label}, {}", self.text(id)) };
        if !away && !to.starts_with(['/', '@']) {
            // A variable may hold a path, a name or an address.
            return RequestStep::Route(Route::new(when, Action::Opaque(self.text(id)), label, span));
        }
        let redirect = away.then_some(redirect);
        let failure = Failure { error, answer, again: scope.recursive_errors, redirect, of_files };
        let moves = to.starts_with('/');
        // What the location of the error did with the path is part of the path by then; the query string is what is
        // written here, and nothing where nothing is.
        let query = if to.contains('?') { "" } else { "?" };
        let change = moves.then(|| Change {
            pattern: None,
            to: format!("{to}{query}"),
            keeps_query: false,
            then: Goes::Server,
        });
        let to = values::cut(to);
        let to = if redirect.is_some() { String::new() } else { to };
        RequestStep::Jump { when, to, rewrite: None, change, label, span, why: Why::Error(failure) }
    }

    /// Where `error_page` sends those whom no file answers.
    pub(super) fn missing_files(&mut self, scope: &Scope) -> Vec<RequestStep> {
        let mut steps = Vec::new();
        for status in OF_FILES {
            let Some(Page { id, .. }) = self.page(scope, status) else { continue };
            let opaque = |text: &str| Condition::Opaque(text.to_owned());
            let when = match status {
                301 => opaque("it is a folder"),
                403 => opaque("the file or folder may not be read"),
                404 => opaque("there is no such file"),
                _ => {
                    let is = |name: &str| Condition::Is(Match::Method(TextMatch::Exact(name.to_owned())));
                    all(vec![not(Condition::Any(vec![is("GET"), is("HEAD")])), opaque("it is a file")])
                }
            };
            let error = Response { status: Some(status), kind: "files".to_owned() };
            let (label, span) = (self.text(id), self.tree.header(id));
            steps.push(self.failed(when, error, label, span, scope, true));
        }
        steps
    }

    /// What happens to requests that an upstream does not answer, or answers with what counts as an error.
    pub(super) fn fallbacks(&self, scope: &Scope, protocol: Protocol) -> Vec<Fallback> {
        let intercepts = scope.intercepts(self.tree, protocol);
        let mut known: Vec<u16> = Vec::new();
        let mut found = Vec::new();
        for &id in scope.errors.iter() {
            let (codes, _, _) = self.written_page(id);
            let mut statuses: Vec<u16> = codes
                .into_iter()
                .filter(|code| !known.contains(code))
                .filter(|code| intercepts && *code >= 300 || matches!(code, 502 | 504))
                .collect();
            statuses.sort_unstable();
            statuses.dedup();
            known.extend(&statuses);
            if !statuses.is_empty() && found.len() < MAX_FALLBACKS {
                found.push(Fallback {
                    statuses,
                    intercepts,
                    words: self.text(id),
                    span: self.tree.header(id),
                });
            }
        }
        found
    }

    /// Where an `error_page` leads, for those who ask by its place.
    pub(super) fn page_target(&self, id: NodeId) -> &str {
        self.tree.values(id).last().copied().unwrap_or_default()
    }

    /// The first `error_page` for a status counts.
    fn page(&self, scope: &Scope, status: u16) -> Option<Page<'_>> {
        scope.errors.iter().find_map(|&id| {
            let (codes, overwrite, to) = self.written_page(id);
            if !codes.contains(&status) {
                return None;
            }
            let answer = match (overwrite, status) {
                (Some(0), _) => None,
                (Some(code), _) => Some(code),
                (None, 494..=497) => Some(400),
                (None, status) => Some(status),
            };
            let redirect =
                overwrite.filter(|code| matches!(code, 301 | 302 | 303 | 307 | 308)).unwrap_or(302);
            Some(Page { id, answer, redirect, to })
        })
    }

    /// Statuses, the status written with `=`, and the target.
    fn written_page(&self, id: NodeId) -> (Vec<u16>, Option<u16>, &str) {
        let values = self.tree.values(id);
        let Some((&to, codes)) = values.split_last() else { return (Vec::new(), None, "") };
        let (overwrite, codes) = match codes.split_last() {
            Some((last, rest)) if last.starts_with('=') => {
                (Some(last.trim_start_matches('=').parse().unwrap_or(0)), rest)
            }
            _ => (None, codes),
        };
        (codes.iter().filter_map(|code| code.parse().ok()).collect(), overwrite, to)
    }
}

/// Most `error_page`s that are told of a route.
const MAX_FALLBACKS: usize = 8;
