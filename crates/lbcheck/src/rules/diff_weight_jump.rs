use super::{Category, Check, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;
use crate::diff::Comparison;

pub(super) static RULE: Rule = Rule {
    id: "diff-weight-jump",
    summary: "One weight changed by a large factor against its pool",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("diff_weight_jump.md"),
    check: Check::Change(check),
};

fn check(_comparison: &Comparison<'_>, _sink: &mut Sink<'_>) {}
