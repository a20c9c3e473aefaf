use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::RedispatchCrash,
    summary: "This redispatch interval makes HAProxy divide by zero",
    category: Category::Routing,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::HAPROXY,
    docs: include_str!("redispatch_crash.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, _) in context.routed_pools() {
        let (Some(redispatch), Some(retries)) = (pool.retries.redispatch, pool.retries.attempts) else {
            continue;
        };
        let retries = i64::from(retries.value);
        if !pool.serves_clients() || retries == 0 || i64::from(redispatch.value) + retries + 1 != 0 {
            continue;
        }
        let message = format!(
            "`option redispatch {}` with {retries} retries makes HAProxy divide by zero: the first failed connection of {} ends the process",
            redispatch.value,
            words::pool(context.config.dialect, pool),
        );
        let mut finding = sink
            .finding(redispatch.span().unwrap_or(pool.header), message)
            .label("ends the process")
            .help("write `option redispatch 1` to try another server at every retry, or `option redispatch` for the last one")
            .pool(&pool.name.value);
        if let Some(span) = pool.retries.attempts.and_then(|attempts| attempts.span()) {
            finding = finding.also(span, "the number of retries");
        }
        sink.push(finding);
    }
}
