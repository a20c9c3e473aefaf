use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::inner;
use crate::model::{Algorithm, HashTable};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::HashTableEmpty,
    summary: "The smallest hash ring has no entry",
    category: Category::Algorithms,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ENVOY,
    docs: include_str!("hash_table_empty.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, _) in context.routed_pools() {
        let Algorithm::Hash { table: HashTable::EnvoyRing { min, max }, .. } = inner(&pool.algorithm.value)
        else {
            continue;
        };
        if *min > 0 && *max > 0 {
            continue;
        }
        let message = format!(
            "the hash ring of {} may have no entry, so Envoy builds an empty one and answers every request with 503",
            words::pool(context.config.dialect, pool),
        );
        let finding = sink
            .finding(pool.algorithm.span().unwrap_or(pool.header), message)
            .label("an empty ring")
            .help("set `minimum_ring_size` to at least a hundred times the number of endpoints, or leave it out (1024)");
        sink.push(finding.pool(&pool.name.value));
    }
}
