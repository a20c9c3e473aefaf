use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "unparsed-construct",
    summary: "Something lbcheck cannot conclude from, and what that weakens",
    category: Category::Syntax,
    severity: Severity::Info,
    production: Severity::Info,
    dialects: &Dialect::ALL,
    docs: include_str!("unparsed_construct.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
