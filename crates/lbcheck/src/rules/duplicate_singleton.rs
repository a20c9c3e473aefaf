use super::{Category, Check, Rule};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "duplicate-singleton",
    summary: "A single-valued setting is set twice, and one is forgotten in silence",
    category: Category::Syntax,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: &Dialect::ALL,
    docs: include_str!("duplicate_singleton.md"),
    check: Check::Reader,
};
