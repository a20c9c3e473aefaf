use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Algorithm, HashTable};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::BalanceFactorWithoutRing,
    summary: "A balance factor has no effect on a map-based hash",
    category: Category::Algorithms,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::HAPROXY,
    docs: include_str!("balance_factor_without_ring.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        let Algorithm::Hash { table: HashTable::Map, balance_factor: factor @ 1.., .. } =
            &pool.algorithm.value
        else {
            continue;
        };
        if facts.active_members < 2 {
            continue;
        }
        let message = format!(
            "`hash-balance-factor {factor}` does nothing in {}: its hash is map-based, and a hot key stays on one server",
            words::pool(dialect, pool),
        );
        let span = pool.hash_type.or(pool.algorithm.span()).unwrap_or(pool.header);
        let finding = sink
            .finding(span, message)
            .label("map-based")
            .help("add `hash-type consistent`, which keeps to the factor")
            .pool(&pool.name.value);
        sink.push(finding);
    }
}
