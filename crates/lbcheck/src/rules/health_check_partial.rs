use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "health-check-partial",
    summary: "Some active servers of a pool are checked and some are not",
    category: Category::Health,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &[Dialect::HaProxy, Dialect::Envoy],
    docs: include_str!("health_check_partial.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
