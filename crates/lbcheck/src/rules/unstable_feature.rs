use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::UnstableFeature,
    summary: "A part of the API that is still work in progress",
    category: Category::Syntax,
    severity: Severity::Info,
    production: Severity::Info,
    dialects: Dialects::ENVOY,
    docs: include_str!("unstable_feature.md"),
    check: Check::Reader,
};
