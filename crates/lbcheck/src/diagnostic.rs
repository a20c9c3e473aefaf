//! What lbcheck has to say about a config: a message, where, and what to do.

use std::fmt;

use crate::dialect::Version;
pub use crate::rule_id::{RuleId, UnknownRule};
use crate::source::Span;

/// How bad a finding is. Ordered: `Info < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never fails a run by default.
    Info,
    /// Probably wrong.
    Warning,
    /// Wrong; fails a run by default.
    Error,
}

impl Severity {
    /// `info`, `warning` or `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// One level up; an error stays an error.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::Info => Self::Warning,
            Self::Warning | Self::Error => Self::Error,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place that explains a finding, with what is to be seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there; may be empty.
    pub message: String,
}

impl Label {
    /// A label at `span`.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}

/// The pool and endpoint a finding speaks of, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Subject {
    /// Name of the pool.
    pub pool: Option<String>,
    /// Name of the endpoint in that pool.
    pub endpoint: Option<String>,
}

/// One replacement in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Edit {
    /// What is replaced; empty where something is put in.
    pub span: Span,
    /// What stands there afterwards. It holds no line ending, so that lines keep their numbers.
    pub replacement: String,
}

/// How sure it is that a mend is what was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// There is no other reading: `--fix` makes it.
    Certain,
    /// Likely, but for a person to decide.
    Likely,
}

/// What would mend the offence of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Fix {
    /// What it does, in a few words: "write `server`".
    pub title: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// All of them are made, or none.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A mend without a doubt.
    pub fn certain(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), certainty: Certainty::Certain, edits }
    }

    /// A word written instead of the one at `span`, as sure as the suggestion is. `None` where the word is not written
    /// there as it reads, in quotes or with escapes.
    #[must_use]
    pub fn word(span: Span, word: &str, suggestion: Suggestion<'_>) -> Option<Self> {
        if (span.end - span.start) as usize != word.len() {
            return None;
        }
        let certainty = if suggestion.only { Certainty::Certain } else { Certainty::Likely };
        let edits = vec![Edit { span, replacement: suggestion.word.to_owned() }];
        Some(Self { title: format!("write `{}`", suggestion.word), certainty, edits })
    }
}

/// One finding. It must still make sense when only `message` is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Diagnostic {
    /// The rule that speaks.
    pub rule: RuleId,
    /// How bad it is, after policy.
    pub severity: Severity,
    /// One sentence: what is wrong, with names and numbers.
    pub message: String,
    /// The one place that shows it, with a short remark for the caret line.
    pub primary: Label,
    /// Other places that contribute: inherited settings, peers, the old side of a change.
    pub related: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// Whom it is about.
    pub subject: Subject,
    /// What would mend it.
    pub fix: Option<Fix>,
    /// The first version that sees something wrong in it; `None`: each does. Where nobody says which version runs, such an
    /// error is a warning.
    pub since: Option<Version>,
}

impl Diagnostic {
    /// A diagnostic with nothing but a rule, a severity, a place and a message.
    pub fn new(rule: RuleId, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity,
            message: message.into(),
            primary: Label::new(span, ""),
            related: Vec::new(),
            help: None,
            subject: Subject::default(),
            fix: None,
            since: None,
        }
    }

    /// Sets the remark on the caret line.
    #[must_use]
    pub fn label(mut self, message: impl Into<String>) -> Self {
        self.primary.message = message.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn also(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Label::new(span, message));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Carries what would mend it.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// Names the pool it is about.
    #[must_use]
    pub fn pool(mut self, name: impl Into<String>) -> Self {
        self.subject.pool = Some(name.into());
        self
    }

    /// Names the endpoint it is about.
    #[must_use]
    pub fn endpoint(mut self, name: impl Into<String>) -> Self {
        self.subject.endpoint = Some(name.into());
        self
    }
}

/// The word that was probably meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Suggestion<'a> {
    /// The word.
    pub word: &'a str,
    /// It is one slip away, and no other candidate is.
    pub only: bool,
}

/// The closest of `candidates` to a misspelt `word`, if one is close enough to be meant.
///
/// Close is a Damerau-Levenshtein distance of at most 2, and at most a third of the word.
/// Of two equally close candidates the first in order wins, so the answer is stable.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    suggestion(word, candidates).map(|suggestion| suggestion.word)
}

/// [`suggest`], and whether there is any other word it could be.
pub fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Suggestion<'a>> {
    let length = word.chars().count();
    let limit = 2.min(length.div_ceil(3));
    let mut best: Option<(usize, &str)> = None;
    let mut rival = false;
    for candidate in candidates {
        // A difference in length alone already exceeds the limit: skip the quadratic part.
        if candidate.len().abs_diff(word.len()) > limit * 4 {
            continue;
        }
        let distance = strsim::damerau_levenshtein(word, candidate);
        if distance == 0 || distance > limit {
            continue;
        }
        match best {
            Some((least, known)) if distance == least => rival |= known != candidate,
            Some((least, _)) if distance > least => {}
            _ => {
                best = Some((distance, candidate));
                rival = false;
            }
        }
    }
    // One slip in a word of three letters makes another word too easily.
    best.map(|(distance, word)| Suggestion { word, only: distance == 1 && !rival && length > 3 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_close() {
        assert_eq!(suggest("serverr", ["server", "service"]), Some("server"));
        assert_eq!(suggest("backnd", ["backend", "bind"]), Some("backend"));
        assert_eq!(suggest("xyz", ["server"]), None);
        assert_eq!(suggest("ab", ["ba"]), Some("ba"));
    }

    #[test]
    fn a_suggestion_is_sure_only_where_nothing_else_is_as_close() {
        let only = |word, candidates: &[&'static str]| {
            suggestion(word, candidates.iter().copied()).map(|suggestion| (suggestion.word, suggestion.only))
        };
        assert_eq!(only("serverr", &["server", "service"]), Some(("server", true)));
        assert_eq!(only("serverr", &["server", "server"]), Some(("server", true)));
        assert_eq!(only("timeoutt", &["timeouts", "timeout"]), Some(("timeouts", false)));
        assert_eq!(only("backned", &["backend"]), Some(("backend", true)));
        assert_eq!(only("backneedd", &["backend"]), None);
        assert_eq!(only("acll", &["acl", "call"]), Some(("acl", false)));
        assert_eq!(only("ba", &["ab"]), Some(("ab", false)));
    }
}
