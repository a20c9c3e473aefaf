use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::Endpoint;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::WeightPartiallySpecified,
    summary: "Some servers set a weight and others rely on the default",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("weight_partially_specified.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        if !pool.algorithm.value.uses_weights() {
            continue;
        }
        let explicit: Vec<_> = facts
            .active(pool)
            .filter(|endpoint| endpoint.weight.is_explicit() && endpoint.weight.value != 1)
            .collect();
        let implicit: Vec<_> = facts.active(pool).filter(|endpoint| !endpoint.weight.is_explicit()).collect();
        if explicit.len() < 2 || implicit.is_empty() {
            continue;
        }
        let Some(first) = explicit.first() else { continue };
        let dialect = context.config.dialect;
        let span = first.weight.span().unwrap_or(first.span);
        let message = format!(
            "{} of {} active {}s of {} set a weight ({}), the other {} the default 1",
            explicit.len(),
            facts.active.len(),
            dialect.endpoint_noun(),
            words::pool(dialect, pool),
            weights(&explicit),
            match implicit.len() {
                1 => "one gets".to_owned(),
                rest => format!("{rest} get"),
            },
        );
        let mut finding = sink
            .finding(span, message)
            .label("set here")
            .help(format!("write a weight for every {} of the pool, or for none", dialect.endpoint_noun()))
            .pool(&pool.name.value);
        for other in explicit.iter().skip(1).take(2) {
            finding = finding.also(other.weight.span().unwrap_or(other.span), "set here");
        }
        for (index, other) in implicit.iter().take(3).enumerate() {
            let rest = implicit.len() - 3.min(implicit.len());
            let text = match (index, rest) {
                (2, 1..) => format!("weight 1 by default, like {rest} more"),
                _ => "weight 1 by default".to_owned(),
            };
            finding = finding.also(other.span, text);
        }
        sink.push(finding);
    }
}

/// "100", or "10 to 200".
fn weights(endpoints: &[&Endpoint]) -> String {
    let values = || endpoints.iter().map(|endpoint| endpoint.weight.value);
    match (values().min(), values().max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (Some(least), _) => least.to_string(),
        (None, _) => String::new(),
    }
}
