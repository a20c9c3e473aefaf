//! Where the readers put what they have to say: one voice for three languages.

use crate::diagnostic::{Diagnostic, Fix, RuleId, Severity, Suggestion, suggestion};
use crate::dialect::Version;
use crate::model::{Coverage, Gap, Weakens};
use crate::source::Span;

/// Most unknown words of one configuration for which a close one is looked for. Who has more of them has a file in
/// another language, and each search costs a comparison with every known word.
const MAX_SUGGESTIONS: u32 = 500;

/// Diagnostics and coverage of one reading.
#[derive(Debug)]
pub(crate) struct Findings {
    diagnostics: Vec<Diagnostic>,
    /// What was understood so far, and what was not.
    pub(crate) coverage: Coverage,
    /// The version that is read for.
    pub(crate) version: Version,
    /// What is in hand was read on trust: the program may never see it, so nothing about it can be more than a
    /// warning.
    pub(crate) on_trust: bool,
    /// Suggestions that may still be looked for.
    suggestions: u32,
}

impl Findings {
    /// Nothing found yet.
    pub(crate) fn new(version: Version) -> Self {
        Self {
            diagnostics: Vec::new(),
            coverage: Coverage::default(),
            version,
            on_trust: false,
            suggestions: MAX_SUGGESTIONS,
        }
    }

    /// Adds a diagnostic.
    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        if self.on_trust {
            diagnostic.severity = diagnostic.severity.min(Severity::Warning);
        }
        self.diagnostics.push(diagnostic);
    }

    /// Adds an error; an empty help is none.
    pub(crate) fn error(
        &mut self,
        rule: RuleId,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.say(rule, Severity::Error, span, message.into(), help.into());
    }

    /// Adds a warning; an empty help is none.
    pub(crate) fn warning(
        &mut self,
        rule: RuleId,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.say(rule, Severity::Warning, span, message.into(), help.into());
    }

    /// Adds that a value is wrong; an empty help is none.
    pub(crate) fn invalid(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.error(RuleId::InvalidValue, span, message, help);
    }

    /// Blames an unknown word: an error up to `newest`, the last version whose words are known, a warning after it.
    pub(crate) fn unknown(
        &mut self,
        newest: Version,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let severity = if self.version.series() > newest { Severity::Warning } else { Severity::Error };
        self.say(RuleId::UnknownDirective, severity, span, message.into(), help.into());
    }

    fn say(&mut self, rule: RuleId, severity: Severity, span: Span, message: String, help: String) {
        let mut diagnostic = Diagnostic::new(rule, severity, span, message);
        diagnostic.help = (!help.is_empty()).then_some(help);
        self.push(diagnostic);
    }

    /// The closest of `candidates` to a wrong word, and how sure it is; nothing after many wrong words.
    pub(crate) fn suggestion<'c>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<Suggestion<'c>> {
        self.suggestions = self.suggestions.checked_sub(1)?;
        suggestion(word, candidates)
    }

    /// The same, the word alone.
    pub(crate) fn suggest<'c>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        self.suggestion(word, candidates).map(|suggestion| suggestion.word)
    }

    /// Adds to the last diagnostic that `word` should be the suggested one.
    pub(crate) fn mend(&mut self, span: Span, word: &str, suggestion: Option<Suggestion<'_>>) {
        let fix = suggestion.and_then(|suggestion| Fix::word(span, word, suggestion));
        if let Some(last) = self.diagnostics.last_mut() {
            last.fix = fix;
        }
    }

    /// Whether the version read for is at least this one.
    pub(crate) fn at_least(&self, major: u16, minor: u16) -> bool {
        self.version >= Version::new(major, minor)
    }

    /// Counts a directive that was seen and understood.
    pub(crate) fn understood(&mut self) {
        self.coverage.total += 1;
        self.coverage.understood += 1;
    }

    /// Notes what was seen, may matter and is not modelled. Whether it counts as one more directive is the caller's.
    pub(crate) fn gap(&mut self, span: Span, what: impl Into<String>, weakens: Weakens) {
        self.coverage.gaps.push(Gap { span, what: what.into(), weakens, told: false });
    }

    /// What was said so far, in the order it was said.
    pub(crate) fn said(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// All diagnostics by place; what is said twice of one place, as of a file that is included twice, once.
    pub(crate) fn finish(self) -> (Vec<Diagnostic>, Coverage) {
        let mut diagnostics = self.diagnostics;
        diagnostics.sort_by(|a, b| {
            let key = |found: &Diagnostic| (found.primary.span, found.rule);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        diagnostics
            .dedup_by(|a, b| (a.primary.span, a.rule, &a.message) == (b.primary.span, b.rule, &b.message));
        (diagnostics, self.coverage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn what_is_said_twice_is_kept_once_and_trust_softens() {
        let file = Sources::new().add("a", b"0123456789".to_vec());
        let at = |start| Span::new(file, start, start + 1);
        let mut findings = Findings::new(Version::new(3, 2));
        findings.invalid(at(5), "late", "");
        findings.invalid(at(1), "twice", "mend it");
        findings.invalid(at(1), "twice", "mend it");
        findings.on_trust = true;
        findings.unknown(Version::new(3, 4), at(3), "unknown", "");
        let (found, _) = findings.finish();
        let texts: Vec<(&str, Severity)> =
            found.iter().map(|one| (one.message.as_str(), one.severity)).collect();
        assert_eq!(
            texts,
            [("twice", Severity::Error), ("unknown", Severity::Warning), ("late", Severity::Error)]
        );
    }

    #[test]
    fn words_of_a_version_to_come_are_only_warned_of() {
        let mut findings = Findings::new(Version::new(9, 9));
        let file = Sources::new().add("a", b"word".to_vec());
        findings.unknown(Version::new(3, 4), Span::new(file, 0, 4), "unknown", "");
        assert_eq!(findings.said()[0].severity, Severity::Warning);
        assert!(findings.at_least(3, 4));
    }
}
