//! Where a rule puts its findings.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::policy::{Environment, Level};
use crate::source::Span;

/// Collects the findings of one rule and stamps them with its id and severity.
pub struct Sink<'a> {
    rule: &'static Rule,
    severity: Severity,
    /// The environment the rule runs for.
    pub environment: &'a Environment,
    found: &'a mut Vec<Diagnostic>,
}

impl<'a> Sink<'a> {
    /// A sink for `rule`, unless the environment switches the rule off.
    pub(super) fn open(
        rule: &'static Rule,
        environment: &'a Environment,
        found: &'a mut Vec<Diagnostic>,
    ) -> Option<Self> {
        Some(Self { rule, severity: severity(rule, environment)?, environment, found })
    }

    /// A finding of the rule's full severity, to be filled and given to [`Sink::push`].
    #[must_use]
    pub fn finding(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.rule.id, self.severity, span, message)
    }

    /// A finding one level below: the same offence in its milder form.
    #[must_use]
    pub fn lesser(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        let severity = match self.severity {
            Severity::Error => Severity::Warning,
            Severity::Warning | Severity::Info => Severity::Info,
        };
        Diagnostic::new(self.rule.id, severity, span, message)
    }

    /// A remark: the offence may be there, but a fact is missing to say so.
    #[must_use]
    pub fn remark(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.rule.id, Severity::Info, span, message)
    }

    /// Reports a finding made by this sink.
    pub fn push(&mut self, finding: Diagnostic) {
        self.found.push(finding);
    }
}

/// The severity of a rule in an environment; `None`: switched off.
pub(crate) fn severity(rule: &Rule, environment: &Environment) -> Option<Severity> {
    match environment.severity.get(&rule.id).copied() {
        Some(Level::Off) => None,
        Some(Level::On(severity)) => Some(severity),
        None if environment.production => Some(rule.production),
        None => Some(rule.severity),
    }
}
