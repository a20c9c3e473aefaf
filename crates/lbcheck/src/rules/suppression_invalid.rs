use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::SuppressionInvalid,
    summary: "A suppression has no reason or no end, or cannot be read",
    category: Category::Policy,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("suppression_invalid.md"),
    check: Check::Reader,
};
