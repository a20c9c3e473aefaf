use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::IncludeUnresolved,
    summary: "A file that the configuration includes cannot be found",
    category: Category::Completeness,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::NGINX,
    docs: include_str!("include_unresolved.md"),
    check: Check::Reader,
};
