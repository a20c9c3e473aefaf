use super::{Category, Check, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;
use crate::diff::Comparison;

pub(super) static RULE: Rule = Rule {
    id: "diff-algorithm-changed",
    summary: "A pool's algorithm or its parameters changed",
    category: Category::Change,
    severity: Severity::Warning,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("diff_algorithm_changed.md"),
    check: Check::Change(check),
};

fn check(_comparison: &Comparison<'_>, _sink: &mut Sink<'_>) {}
