use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::SuppressionUnused,
    summary: "A suppression matches no finding",
    category: Category::Policy,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("suppression_unused.md"),
    check: Check::Reader,
};
