use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "weight-ignored",
    summary: "Weights are set where the algorithm ignores them",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: &Dialect::ALL,
    docs: include_str!("weight_ignored.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
