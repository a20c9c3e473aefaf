use super::{Category, Check, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;
use crate::diff::Comparison;

pub(super) static RULE: Rule = Rule {
    id: "diff-pool-shrunk",
    summary: "A pool lost a large part of its active servers",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("diff_pool_shrunk.md"),
    check: Check::Change(check),
};

fn check(_comparison: &Comparison<'_>, _sink: &mut Sink<'_>) {}
