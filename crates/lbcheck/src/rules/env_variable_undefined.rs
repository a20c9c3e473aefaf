use super::{Category, Check, Rule};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "env-variable-undefined",
    summary: "An environment variable is used that nobody sets",
    category: Category::Syntax,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: &[Dialect::HaProxy],
    docs: include_str!("env_variable_undefined.md"),
    check: Check::Reader,
};
