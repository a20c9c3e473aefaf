use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "duplicate-server",
    summary: "One address is listed twice in a pool and gets a double share",
    category: Category::Pools,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: &Dialect::ALL,
    docs: include_str!("duplicate_server.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
