use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "health-check-missing",
    summary: "Nothing takes a dead server of this pool out",
    category: Category::Health,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("health_check_missing.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
