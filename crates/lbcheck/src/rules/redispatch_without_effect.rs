use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Algorithm, HashTable, Origin};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::RedispatchWithoutEffect,
    summary: "Redispatch cannot leave the server that a map-based hash names",
    category: Category::Algorithms,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::HAPROXY,
    docs: include_str!("redispatch_without_effect.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        let Some(redispatch) = pool.retries.redispatch else { continue };
        let Algorithm::Hash { table: HashTable::Map, .. } = &pool.algorithm.value else { continue };
        // A session pinned by a cookie or a table does leave its server, to the one that the hash names.
        if facts.active_members < 2 || !pool.affinity.is_empty() || !pool.serves_clients() {
            continue;
        }
        let unchecked = facts.active(pool).any(|endpoint| !pool.checks(endpoint));
        // Inherited it is there for the other backends, and checks bound the time it would matter.
        let meant = matches!(redispatch.origin, Origin::Written(_));
        if !unchecked && !meant {
            continue;
        }
        let dialect = context.config.dialect;
        let until = if unchecked { "" } else { " until a health check finds it" };
        let message = format!(
            "redispatch has no effect in {}: a {} names the same server again, so clients of a dead one get errors{until}",
            words::pool(dialect, pool),
            words::algorithm(dialect, &pool.algorithm.value),
        );
        let span = redispatch.span().unwrap_or(pool.header);
        let finding = if unchecked { sink.finding(span, message) } else { sink.remark(span, message) };
        let mut finding = finding
            .label("without effect here")
            .help("use `hash-type consistent`, where a retry goes to the next server, and check the servers")
            .pool(&pool.name.value);
        if let Some(span) = pool.algorithm.span() {
            finding = finding.also(span, "the hash that decides");
        }
        sink.push(finding);
    }
}
