use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DeprecatedDirective,
    summary: "A directive that the proxy takes for now and warns of",
    category: Category::Syntax,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("deprecated_directive.md"),
    check: Check::Reader,
};
