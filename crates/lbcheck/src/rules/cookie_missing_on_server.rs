use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::Affinity;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::CookieMissingOnServer,
    summary: "Some servers of a backend with cookies have none",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::HAPROXY,
    docs: include_str!("cookie_missing_on_server.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        let by_cookie = |affinity: &Affinity| matches!(affinity, Affinity::Cookie(_));
        // Another kind of affinity may stand in for the cookie.
        if !pool.serves_clients()
            || pool.affinity.is_empty()
            || !pool.affinity.iter().all(|found| by_cookie(&found.value))
        {
            continue;
        }
        let lacking: Vec<_> = facts.active(pool).filter(|endpoint| endpoint.cookie.is_none()).collect();
        let some = facts.active(pool).any(|endpoint| endpoint.cookie.is_some());
        let Some(first) = lacking.first().filter(|_| some) else { continue };
        let one = lacking.len() == 1;
        let message = format!(
            "{} of {} active servers of {} {} no cookie value and keep{} no sessions: {}",
            lacking.len(),
            facts.active.len(),
            words::pool(dialect, pool),
            if one { "has" } else { "have" },
            if one { "s" } else { "" },
            words::names(lacking.iter().map(|endpoint| endpoint.name.value.as_str()), 3),
        );
        let mut finding = sink
            .finding(first.span, message)
            .label("clients that it serves come back to any server")
            .help("give each server a value of its own, such as `cookie NAME`")
            .pool(&pool.name.value)
            .endpoint(&first.name.value);
        if let Some(span) = pool.affinity.first().and_then(|affinity| affinity.span()) {
            finding = finding.also(span, "sessions are kept by cookie");
        }
        sink.push(finding);
    }
}
