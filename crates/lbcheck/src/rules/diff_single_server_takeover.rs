use super::{Category, Check, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;
use crate::diff::Comparison;

pub(super) static RULE: Rule = Rule {
    id: "diff-single-server-takeover",
    summary: "One server now takes most of a pool's traffic",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("diff_single_server_takeover.md"),
    check: Check::Change(check),
};

fn check(_comparison: &Comparison<'_>, _sink: &mut Sink<'_>) {}
