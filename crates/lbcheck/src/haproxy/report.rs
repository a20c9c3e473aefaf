//! What the reader has to say, gathered in one place.

use std::time::Duration;

use super::lexer::Word;
use super::syntax::{Section, SectionKind};
use crate::diagnostic::{Diagnostic, Fix, RuleId, Severity, Suggestion, suggestion};
use crate::dialect::Version;
use crate::model::{Coverage, Gap, TimeKind, TimeUnit, Weakens, WrittenTime};
use crate::source::Span;

/// Ids of the checks a reader makes.
pub(crate) mod rule {
    use crate::diagnostic::RuleId;

    pub(crate) const SYNTAX: RuleId = RuleId::SyntaxError;
    pub(crate) const UNKNOWN: RuleId = RuleId::UnknownDirective;
    pub(crate) const VALUE: RuleId = RuleId::InvalidValue;
    pub(crate) const DUPLICATE: RuleId = RuleId::DuplicateDefinition;
    pub(crate) const UNREADABLE: RuleId = RuleId::FileUnreadable;
    pub(crate) const ENVIRONMENT: RuleId = RuleId::EnvVariableUndefined;
    pub(crate) const DEPRECATED: RuleId = RuleId::DeprecatedDirective;
    pub(crate) const INEFFECTIVE: RuleId = RuleId::DirectiveIneffective;
    pub(crate) const REPEATED: RuleId = RuleId::DuplicateSingleton;
    pub(crate) const TRUNCATED: RuleId = RuleId::ConfigEmptyOrTruncated;
}

/// Most unknown words of one configuration for which a close one is looked for. Who has more of them has a file in
/// another language, and each search costs a comparison with every known word.
const MAX_SUGGESTIONS: u32 = 500;

/// What a [`Reference`] must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Backend,
    Frontend,
    /// `BACKEND/SERVER`.
    Server,
    Userlist,
    /// `USERLIST/GROUP`.
    Group,
    /// A section of this kind.
    Section(SectionKind),
    /// A stick table: a proxy that has one, or `PEERS/TABLE`.
    Table,
}

/// What the section in hand is, or has, of what an expression may leave unnamed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) backend: bool,
    pub(crate) frontend: bool,
    pub(crate) table: bool,
}

impl Own {
    /// Of no section in particular: nothing is held against an expression.
    pub(crate) const UNKNOWN: Self = Self { backend: true, frontend: true, table: true };

    /// Of a section; `tables` tells whether it may inherit a stick table.
    pub(crate) fn of(section: &Section<'_>, tables: bool) -> Self {
        let (backend, frontend) = match section.kind {
            SectionKind::Frontend => (false, true),
            SectionKind::Backend => (true, false),
            // What `defaults` hold is resolved where they are used.
            _ => (true, true),
        };
        let table = tables
            || !matches!(section.kind, SectionKind::Frontend | SectionKind::Backend | SectionKind::Listen)
            || section.lines.iter().any(|line| line.keyword() == "stick-table");
        Self { backend, frontend, table }
    }

    /// Whether sections may inherit a stick table.
    pub(crate) fn inherits_tables(sections: &[Section<'_>]) -> bool {
        let has = |section: &Section<'_>| section.lines.iter().any(|line| line.keyword() == "stick-table");
        sections.iter().any(|section| section.kind == SectionKind::Defaults && has(section))
    }
}

/// A name inside a rule, to be looked up when all sections are known.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) wanted: Wanted,
    pub(crate) name: String,
    /// The fetch method that takes it.
    pub(crate) fetch: String,
    pub(crate) span: Span,
    /// It stands in a branch that was read on trust.
    pub(crate) assumed: bool,
}

/// Diagnostics and coverage of one reading.
#[derive(Debug)]
pub(crate) struct Report {
    /// What is wrong so far.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What was understood so far.
    pub(crate) coverage: Coverage,
    /// The version that is read for.
    pub(crate) version: Version,
    /// The line in hand stands in a branch that was read on trust: the program may never see it, so nothing on
    /// it can be more than a warning.
    pub(crate) assumed: bool,
    /// What an expression of the section in hand may leave unnamed.
    pub(crate) own: Own,
    /// Names inside rules that must lead somewhere.
    pub(crate) references: Vec<Reference>,
    /// Times as they were written.
    pub(crate) times: Vec<WrittenTime>,
    /// Suggestions that may still be looked for.
    suggestions: u32,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(version: Version) -> Self {
        Self {
            diagnostics: Vec::new(),
            coverage: Coverage::default(),
            version,
            assumed: false,
            own: Own::UNKNOWN,
            references: Vec::new(),
            times: Vec::new(),
            suggestions: MAX_SUGGESTIONS,
        }
    }

    /// Keeps a time that was read; a number without a unit counts milliseconds.
    pub(crate) fn time(&mut self, name: String, kind: TimeKind, word: &Word<'_>, value: Duration) {
        let bare = word.as_str().bytes().all(|byte| byte.is_ascii_digit());
        let unit = if bare { TimeUnit::Assumed } else { TimeUnit::Written };
        self.times.push(WrittenTime { name, kind, value, unit, span: word.span });
    }

    /// Adds a diagnostic.
    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        if self.assumed {
            diagnostic.severity = diagnostic.severity.min(Severity::Warning);
        }
        self.diagnostics.push(diagnostic);
    }

    /// Adds an error with help.
    pub(crate) fn error(
        &mut self,
        rule: RuleId,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic::new(rule, Severity::Error, span, message).help(help));
    }

    /// Adds a warning with help.
    pub(crate) fn warning(
        &mut self,
        rule: RuleId,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic::new(rule, Severity::Warning, span, message).help(help));
    }

    /// The closest of `candidates` to a wrong word, as [`suggest`] finds it; nothing after many wrong words.
    pub(crate) fn suggest<'c>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        self.suggestion(word, candidates).map(|suggestion| suggestion.word)
    }

    /// The same, with how sure it is.
    pub(crate) fn suggestion<'c>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<Suggestion<'c>> {
        self.suggestions = self.suggestions.checked_sub(1)?;
        suggestion(word, candidates)
    }

    /// Adds to the last diagnostic that `word` should be the suggested one.
    pub(crate) fn mend(&mut self, span: Span, word: &str, suggestion: Option<Suggestion<'_>>) {
        let fix = suggestion.and_then(|suggestion| Fix::word(span, word, suggestion));
        if let Some(last) = self.diagnostics.last_mut() {
            last.fix = fix;
        }
    }

    /// Blames an unknown word: an error up to the newest version whose words are known, a warning after it.
    pub(crate) fn unknown(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let severity =
            if self.version.series() > super::keywords::NEWEST { Severity::Warning } else { Severity::Error };
        self.push(Diagnostic::new(rule::UNKNOWN, severity, span, message).help(help));
    }

    /// Counts a directive that was seen and understood.
    pub(crate) fn understood(&mut self) {
        self.coverage.total += 1;
        self.coverage.understood += 1;
    }

    /// Counts a directive that was seen and may matter, but is not modelled.
    pub(crate) fn gap(&mut self, span: Span, what: impl Into<String>, weakens: Weakens) {
        self.coverage.total += 1;
        self.coverage.gaps.push(Gap { span, what: what.into(), weakens, told: false });
    }

    /// Whether the version read for is at least this one.
    pub(crate) fn at_least(&self, major: u16, minor: u16) -> bool {
        self.version >= Version::new(major, minor)
    }
}
