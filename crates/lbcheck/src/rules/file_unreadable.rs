use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::FileUnreadable,
    summary: "A file cannot be read",
    category: Category::Completeness,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("file_unreadable.md"),
    check: Check::Reader,
};
