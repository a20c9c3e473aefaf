use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "weight-partially-specified",
    summary: "Some servers set a weight and others rely on the default",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("weight_partially_specified.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
