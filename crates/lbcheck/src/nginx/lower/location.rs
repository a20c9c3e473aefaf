//! One location of a server: how it is matched, and what is found out of it.

use std::ops::Range;

use super::request_step::RequestStep;
use super::scope::Scope;
use crate::model::{Route, TableId};
use crate::nginx::syntax::NodeId;

/// Where the directives of a server stand.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The `server` block; `None` for a snippet.
    pub(super) block: Option<NodeId>,
    /// Everything inside.
    pub(super) range: Range<NodeId>,
}

/// How a location is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LocationKind {
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
    pub(super) kind: LocationKind,
    pub(super) path: String,
    /// Index of the location around it.
    pub(super) parent: Option<usize>,
    /// Nested ones, in order.
    pub(super) children: Vec<usize>,
    pub(super) scope: Scope,
    /// What it does, jumps not yet settled.
    pub(super) steps: Vec<RequestStep>,
    /// How many of them rewrite.
    pub(super) rewriting: usize,
    /// What it does, settled.
    pub(super) routes: Vec<Route>,
    /// The table of `routes`, where several places refer to it.
    pub(super) table: Option<TableId>,
    /// Only for requests from inside nginx.
    pub(super) internal: bool,
    /// What others get, not yet settled.
    pub(super) hidden: Option<RequestStep>,
    /// The same, settled.
    pub(super) refusal: Option<Route>,
    /// What a request gets that lacks only the final slash, not yet settled.
    pub(super) slash: Option<RequestStep>,
    /// The same, settled.
    pub(super) redirect: Option<Route>,
    /// A request that lacks only the final slash is redirected.
    pub(super) adds_slash: bool,
    /// Where to go on after this location's own nested ones: expressions of the levels around it.
    pub(super) after: Option<TableId>,
    /// Expressions among `children`.
    pub(super) regexes: Option<TableId>,
    /// Everything from this location inwards, where it is more than `routes`.
    pub(super) inner: Option<TableId>,
}

impl Location {
    pub(super) fn is_literal(&self) -> bool {
        matches!(self.kind, LocationKind::Exact | LocationKind::Prefix { .. })
    }
}

/// The modifier and path of a location; a modifier may be glued to its path.
pub(super) fn head(words: &[&str]) -> Option<(LocationKind, String)> {
    let (kind, path) = match *words {
        ["=", path] => (LocationKind::Exact, path),
        ["^~", path] => (LocationKind::Prefix { leaf: true }, path),
        ["~", path] => (LocationKind::Regex { any_case: false }, path),
        ["~*", path] => (LocationKind::Regex { any_case: true }, path),
        [path] if path.starts_with('@') => (LocationKind::Named, path),
        [word] => {
            let glued = [
                ("=", LocationKind::Exact),
                ("^~", LocationKind::Prefix { leaf: true }),
                ("~*", LocationKind::Regex { any_case: true }),
                ("~", LocationKind::Regex { any_case: false }),
            ];
            let found =
                glued.into_iter().find_map(|(modifier, kind)| Some((kind, word.strip_prefix(modifier)?)));
            found.unwrap_or((LocationKind::Prefix { leaf: false }, word))
        }
        _ => return None,
    };
    Some((kind, path.to_owned()))
}
