use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::EnvVariableUndefined,
    summary: "An environment variable is used that nobody sets",
    category: Category::Syntax,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::HAPROXY,
    docs: include_str!("env_variable_undefined.md"),
    check: Check::Reader,
};
