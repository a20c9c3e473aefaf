//! An answer with the texts that its places point into.

use std::ops::Deref;

use crate::source::{Sources, Span};

/// An answer with the texts that the places in it point into. It can be used as the answer itself.
///
/// What a message quotes from a configuration may hold secrets and control characters. The crate `lbcheck-report`
/// masks both, in text, JSON, SARIF and GitHub annotations.
///
/// ```
/// use lbcheck::Dialect;
///
/// let report = lbcheck::check_text(Dialect::HaProxy, "backend api\n    balance fair\n");
/// let refused = report.findings.iter().find(|finding| finding.diagnostic.rule == "invalid-value").expect("no balance");
/// assert_eq!(report.place(refused.diagnostic.primary.span), "haproxy.cfg:2:13");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sourced<T> {
    /// The answer.
    pub value: T,
    /// The texts: every file that was read for it.
    pub sources: Sources,
}

impl<T> Sourced<T> {
    /// An answer whose places point into `sources`.
    pub(crate) fn new(value: T, sources: Sources) -> Self {
        Self { value, sources }
    }

    /// Where a span begins, as `path:line:column`. Line and column count from 1, the column in characters.
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        format!("{}:{}", self.sources.file(span.file).path(), self.sources.position(span))
    }
}

impl<T> Deref for Sourced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T, E> Sourced<Result<T, E>> {
    /// The texts of an error are of no use.
    pub(crate) fn transposed(self) -> Result<Sourced<T>, E> {
        self.value.map(|value| Sourced::new(value, self.sources))
    }
}
