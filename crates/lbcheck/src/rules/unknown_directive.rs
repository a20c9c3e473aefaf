use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::UnknownDirective,
    summary: "A directive that the proxy does not know here",
    category: Category::Syntax,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("unknown_directive.md"),
    check: Check::Reader,
};
