use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::TemplateUnrendered,
    summary: "A placeholder of a template is still in the text",
    category: Category::Completeness,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("template_unrendered.md"),
    check: Check::Reader,
};
