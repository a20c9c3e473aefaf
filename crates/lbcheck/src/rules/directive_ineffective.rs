use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DirectiveIneffective,
    summary: "A directive that is valid and does nothing where it stands",
    category: Category::Completeness,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("directive_ineffective.md"),
    check: Check::Reader,
};
