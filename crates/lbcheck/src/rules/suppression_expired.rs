use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::SuppressionExpired,
    summary: "A suppression is past its date",
    category: Category::Policy,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("suppression_expired.md"),
    check: Check::Reader,
};
