use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::HealthCheckPartial,
    summary: "Some active servers of a pool are checked and some are not",
    category: Category::Health,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::HAPROXY.and(Dialects::ENVOY),
    docs: include_str!("health_check_partial.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        if !pool.serves_clients() {
            continue;
        }
        let checked = facts.active(pool).filter(|endpoint| pool.checks(endpoint)).count();
        let unchecked: Vec<_> = facts.active(pool).filter(|endpoint| !pool.checks(endpoint)).collect();
        let Some(first) = unchecked.first().filter(|_| checked > 0) else { continue };
        let message = format!(
            "{} of {} active {}s of {} {} not health checked: {}",
            unchecked.len(),
            facts.active.len(),
            dialect.endpoint_noun(),
            words::pool(dialect, pool),
            if unchecked.len() == 1 { "is" } else { "are" },
            words::names(unchecked.iter().map(|endpoint| endpoint.name.value.as_str()), 3),
        );
        let span = first.check_disabled.unwrap_or(first.span);
        let watched = unchecked.iter().all(|endpoint| pool.watches(endpoint));
        let finding = if watched { sink.lesser(span, message) } else { sink.finding(span, message) };
        let mut finding = finding
            .label("never leaves rotation, dead or alive")
            .help(dialect.description().advice.check_all)
            .pool(&pool.name.value)
            .endpoint(&first.name.value);
        finding.fix = super::health_check_missing::add_check(pool, unchecked.iter().copied());
        for other in unchecked.iter().skip(1).take(3) {
            finding = finding.also(other.span, "not checked either");
        }
        sink.push(finding);
    }
}
