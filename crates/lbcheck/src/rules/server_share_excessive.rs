use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "server-share-excessive",
    summary: "One server gets far more than its fair share",
    category: Category::Distribution,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("server_share_excessive.md"),
    check: Check::Config(check),
};

fn check(_context: &Context<'_>, _sink: &mut Sink<'_>) {}
