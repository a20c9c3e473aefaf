use super::{Category, Check, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;
use crate::diff::Comparison;

pub(super) static RULE: Rule = Rule {
    id: "diff-pool-emptied",
    summary: "A pool that had active servers has none now, or is gone",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("diff_pool_emptied.md"),
    check: Check::Change(check),
};

fn check(_comparison: &Comparison<'_>, _sink: &mut Sink<'_>) {}
