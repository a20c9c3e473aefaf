use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::RouterFilterMissing,
    summary: "Requests are routed and nothing sends them on",
    category: Category::Routing,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ENVOY,
    docs: include_str!("router_filter_missing.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for name in &context.config.without_router {
        let who = match name.value.as_str() {
            "" => "a connection manager".to_owned(),
            name => format!("the connection manager `{name}`"),
        };
        let message = format!("{who} has no router filter: requests are taken and never answered");
        let finding = sink
            .finding(name.span, message)
            .label("no filter sends requests on")
            .help("add `envoy.filters.http.router` as the last of `http_filters`");
        sink.push(finding);
    }
}
