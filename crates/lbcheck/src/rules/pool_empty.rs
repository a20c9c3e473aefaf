use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "pool-empty",
    summary: "A pool that routes lead to has no server",
    category: Category::Pools,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &[Dialect::HaProxy, Dialect::Envoy],
    docs: include_str!("pool_empty.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
