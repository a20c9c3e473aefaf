use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::InvalidPolicy,
    summary: "The policy in `lbcheck.toml` cannot be used",
    category: Category::Policy,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("invalid_policy.md"),
    check: Check::Reader,
};
