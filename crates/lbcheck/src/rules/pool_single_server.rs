use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "pool-single-server",
    summary: "A pool has only one server",
    category: Category::Pools,
    severity: Severity::Warning,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("pool_single_server.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
