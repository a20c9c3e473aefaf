//! What happens to a request in a location or before it: answers, and jumps to where it goes on.

use super::scope::Scope;
use crate::model::{Action, Condition, Fallback, Match, Response, Route};
use crate::nginx::syntax::NodeId;
use crate::source::Span;

/// A route that may lead to another location of the same server.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly every step is a route")]
pub(super) enum RequestStep {
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
        span: Span,
        why: Why,
    },
}

/// Why a request goes on elsewhere.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// Because that is written.
    Told,
    /// Because of an error.
    Error(Failure),
    /// Because a folder has a file of this name.
    Index(String),
}

/// An error that a step stands for.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) error: Response,
    /// The status of the answer; `None`: that of what answers.
    pub(super) answer: Option<u16>,
    pub(super) again: bool,
    /// The answer, where the request does not go on.
    pub(super) redirect: Option<u16>,
    /// It is not known whether the error happens, because that is a matter of files.
    pub(super) of_files: bool,
}

impl RequestStep {
    /// This step where `condition` holds, too.
    pub(super) fn only(mut self, condition: &Condition) -> Self {
        let (Self::Route(Route { when, .. }) | Self::Jump { when, .. }) = &mut self;
        *when = all(vec![condition.clone(), std::mem::replace(when, Condition::Always)]);
        self
    }
}

impl RequestStep {
    /// This step behind some `rewrite … break`, at most one of which a request meets.
    pub(super) fn behind(self, moves: &[(Condition, Change)]) -> Vec<Self> {
        let Self::Jump { to, change, .. } = &self else { return vec![self] };
        let uses =
            |text: &str| ["$uri", "${uri}", "$document_uri"].into_iter().any(|name| text.contains(name));
        let affected = change.as_ref().map_or_else(|| to.starts_with('@'), |change| uses(&change.to));
        if moves.is_empty() || !affected {
            return vec![self];
        }
        let mut steps: Vec<Self> =
            moves.iter().take(MAX_BREAKS).map(|(when, by)| self.moved(when, by)).collect();
        let any = match moves.len() {
            1..=MAX_BREAKS => Condition::Any(moves.iter().map(|(when, _)| when.clone()).collect()),
            _ => Condition::Opaque("an earlier `break`".to_owned()),
        };
        steps.push(self.only(&not(any)));
        steps
    }

    fn moved(&self, moved: &Condition, by: &Change) -> Self {
        let mut step = self.clone();
        if let Self::Jump { when, to, change, why, .. } = &mut step {
            if matches!(why, Why::Index(_)) {
                *when = Condition::Opaque("the path is a folder with such a file by now".to_owned());
            }
            if to.starts_with('@') {
                *change = Some(by.clone());
            } else {
                // A path made of another one is not followed.
                *change = None;
                to.clear();
            }
        }
        step.only(moved)
    }
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
    pub(super) steps: Vec<RequestStep>,
    pub(super) handled: bool,
    /// What `rewrite … break` does to the path before the handler sees it.
    pub(super) paths: Vec<String>,
    /// When it does.
    pub(super) moves: Vec<(Condition, Change)>,
    /// Blocks of `if` that only change the handler, in order: the last one whose condition holds counts.
    pub(super) ifs: Vec<Branch>,
    /// When a `break` has ended the rewriting by now.
    broken: Vec<Condition>,
}

/// An `if` that does not end the request.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) when: Condition,
    /// Its own handler.
    pub(super) handler: Option<Handler>,
    pub(super) scope: Scope,
    pub(super) id: NodeId,
}

/// Most `break`s of a block that are followed.
const MAX_BREAKS: usize = 8;

/// All of them hold.
pub(super) fn all(conditions: Vec<Condition>) -> Condition {
    let mut parts: Vec<Condition> = Vec::new();
    for condition in conditions {
        match condition {
            Condition::Always => {}
            Condition::All(inner) => parts.extend(inner),
            other => parts.push(other),
        }
    }
    match parts.len() {
        0 => Condition::Always,
        1 => parts.remove(0),
        _ => Condition::All(parts),
    }
}

fn looks_at_path(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(looks_at_path),
        Condition::Not(inner) => looks_at_path(inner),
        Condition::Is(Match::Path(_) | Match::Query(..)) | Condition::Opaque(_) => true,
        _ => false,
    }
}

/// What answers a request, and what it changes of the request before.
#[derive(Clone, Debug)]
pub(super) struct Handler {
    pub(super) action: Action,
    rewrite: Option<String>,
    fallbacks: Vec<Fallback>,
}

impl From<Action> for Handler {
    fn from(action: Action) -> Self {
        Self { action, rewrite: None, fallbacks: Vec::new() }
    }
}

impl Handler {
    pub(super) fn new(action: Action, rewrite: Option<String>, fallbacks: Vec<Fallback>) -> Self {
        Self { action, rewrite, fallbacks }
    }

    /// This handler behind some `rewrite … break`.
    pub(super) fn after(mut self, paths: &[String]) -> Self {
        // Which file is served is nothing this model tells.
        if !matches!(self.action, Action::Local(_) | Action::Respond(_)) {
            self.rewrite = join(paths.iter().cloned().chain(self.rewrite));
        }
        self
    }

    pub(super) fn route(&self, when: Condition, label: impl Into<String>, span: Span) -> Route {
        let (rewrite, fallbacks) = (self.rewrite.clone(), self.fallbacks.clone());
        Route { rewrite, fallbacks, ..Route::new(when, self.action.clone(), label, span) }
    }
}

pub(super) fn join(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub(super) fn not(condition: Condition) -> Condition {
    match condition {
        Condition::Always => Condition::Never,
        Condition::Never => Condition::Always,
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

impl Body {
    /// `when`, unless a `break` came before.
    pub(super) fn unbroken(&self, when: Condition) -> Condition {
        if self.broken.is_empty() {
            return when;
        }
        let mut parts: Vec<Condition> = self.broken.iter().cloned().map(not).collect();
        parts.push(when);
        all(parts)
    }

    /// Whose `error_page` counts for an error of the rewriting: that of the last `if` whose condition held.
    pub(super) fn errors_of(&self, when: Condition, scope: &Scope) -> Vec<(Condition, Scope)> {
        let apart = self.ifs.iter().any(|branch| branch.scope.errors != scope.errors);
        let branches = self.ifs.iter().rev().filter(|_| apart);
        let mut found: Vec<(Condition, Scope)> = branches
            .map(|branch| (all(vec![branch.when.clone(), when.clone()]), branch.scope.clone()))
            .collect();
        found.push((when, scope.clone()));
        found
    }

    /// Notes that rewriting ends where this holds.
    pub(super) fn ends(&mut self, when: Condition) {
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
    pub(super) fn moved(&mut self) {
        if self.broken.iter().any(looks_at_path) {
            self.broken = vec![Condition::Opaque("an earlier `break`".to_owned())];
        }
    }
}
