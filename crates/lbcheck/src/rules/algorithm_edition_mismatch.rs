use super::{Category, Check, Rule};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::AlgorithmEditionMismatch,
    summary: "A way of balancing that this edition of nginx does not have",
    category: Category::Algorithms,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::NGINX,
    docs: include_str!("algorithm_edition_mismatch.md"),
    check: Check::Reader,
};
