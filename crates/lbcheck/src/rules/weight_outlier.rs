use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "weight-outlier",
    summary: "One weight is far above the others of its pool",
    category: Category::Distribution,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("weight_outlier.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
