use super::{Category, Check, Rule};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "unstable-feature",
    summary: "A part of the API that is still work in progress",
    category: Category::Syntax,
    severity: Severity::Info,
    production: Severity::Info,
    dialects: &[Dialect::Envoy],
    docs: include_str!("unstable_feature.md"),
    check: Check::Reader,
};
