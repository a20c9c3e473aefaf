use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DuplicateSingleton,
    summary: "A single-valued setting is set twice, and one is forgotten in silence",
    category: Category::Syntax,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("duplicate_singleton.md"),
    check: Check::Reader,
};
