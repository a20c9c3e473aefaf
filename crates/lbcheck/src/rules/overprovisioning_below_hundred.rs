use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::OverprovisioningBelowHundred,
    summary: "A part of the traffic leaves priority 0 while all of it is healthy",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ENVOY,
    docs: include_str!("overprovisioning_below_hundred.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        let Some(factor) = pool.overprovisioning_percent.filter(|factor| factor.value < 100) else {
            continue;
        };
        let Some(first) = facts.active(pool).map(|endpoint| endpoint.tier.value).min() else { continue };
        let further =
            |endpoint: &crate::model::Endpoint| endpoint.tier.value > first && endpoint.in_rotation();
        if !pool.endpoints.iter().any(further) {
            continue;
        }
        let message = format!(
            "{} sends {} % of its traffic to lower priorities while every endpoint of priority {first} is healthy",
            words::pool(context.config.dialect, pool),
            100 - factor.value,
        );
        let finding = sink
            .finding(factor.span().unwrap_or(pool.header), message)
            .label("below 100")
            .help("set 140, the default, or at least 100: then lower priorities only get what failures leave")
            .pool(&pool.name.value);
        sink.push(finding);
    }
}
