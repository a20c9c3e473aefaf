//! What lbcheck has to say about a config: a message, where, and what to do.

use std::fmt;

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
pub struct Subject {
    /// Name of the pool.
    pub pool: Option<String>,
    /// Name of the endpoint in that pool.
    pub endpoint: Option<String>,
}

/// One finding. It must still make sense when only `message` is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Id of the rule or reader check that speaks, for example `pool-empty`.
    pub rule: &'static str,
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
}

impl Diagnostic {
    /// A diagnostic with nothing but a rule, a severity, a place and a message.
    pub fn new(rule: &'static str, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity,
            message: message.into(),
            primary: Label::new(span, ""),
            related: Vec::new(),
            help: None,
            subject: Subject::default(),
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

/// The closest of `candidates` to a misspelt `word`, if one is close enough to be meant.
///
/// Close is a Damerau-Levenshtein distance of at most 2, and at most a third of the word.
/// Of two equally close candidates the first in order wins, so the answer is stable.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 2.min(word.chars().count().div_ceil(3));
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // A difference in length alone already exceeds the limit: skip the quadratic part.
        if candidate.len().abs_diff(word.len()) > limit * 4 {
            continue;
        }
        let distance = strsim::damerau_levenshtein(word, candidate);
        if distance > 0 && distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
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
}
