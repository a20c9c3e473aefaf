use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "route-undefined-pool",
    summary: "A route names a pool that does not exist",
    category: Category::Routing,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("route_undefined_pool.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
