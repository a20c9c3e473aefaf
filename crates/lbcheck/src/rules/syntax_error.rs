use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::SyntaxError,
    summary: "The text cannot be read as the proxy reads it",
    category: Category::Syntax,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("syntax_error.md"),
    check: Check::Reader,
};
