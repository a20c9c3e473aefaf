use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DuplicateDefinition,
    summary: "A name is defined twice",
    category: Category::Syntax,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("duplicate_definition.md"),
    check: Check::Reader,
};
