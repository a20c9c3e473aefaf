use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "algorithm-first-without-maxconn",
    summary: "`balance first` sends everything to one server until it has a maxconn",
    category: Category::Algorithms,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &[Dialect::HaProxy],
    docs: include_str!("algorithm_first_without_maxconn.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
