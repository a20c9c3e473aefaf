use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::InvalidValue,
    summary: "A value, a number of arguments or a place that the proxy refuses",
    category: Category::Syntax,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("invalid_value.md"),
    check: Check::Reader,
};
