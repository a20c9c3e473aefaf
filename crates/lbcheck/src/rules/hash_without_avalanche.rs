use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Algorithm, HashFunction, HashKey, HashTable};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::HashWithoutAvalanche,
    summary: "Similar keys lie side by side on the hash ring",
    category: Category::Algorithms,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::HAPROXY,
    docs: include_str!("hash_without_avalanche.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        let Algorithm::Hash { key, table: HashTable::Ring, function, .. } = &pool.algorithm.value else {
            continue;
        };
        // A key that never changes is another rule's offence.
        if facts.active_members < 2 || matches!(key, HashKey::Constant(_)) {
            continue;
        }
        let (function, similar) = match (key, function) {
            (HashKey::Source, HashFunction::Identity { avalanche: false }) => {
                ("a ring takes addresses as they are", "neighbouring networks")
            }
            (_, HashFunction::Identity { avalanche: false }) => {
                ("`none` takes keys as they are", "similar keys")
            }
            (_, HashFunction::Djb2 { avalanche: false }) => {
                ("djb2 does not scatter similar keys", "similar keys")
            }
            (_, HashFunction::Sdbm { avalanche: false }) => {
                ("sdbm does not scatter similar keys", "similar keys")
            }
            (_, HashFunction::Wt6 { avalanche: false }) => {
                ("wt6 does not scatter short keys", "similar keys")
            }
            _ => continue,
        };
        let name = words::pool(context.config.dialect, pool);
        let message = format!(
            "the hash ring of {name} is without the avalanche modifier: {function}, so that {similar} land on one server",
        );
        let finding = sink
            .finding(pool.hash_type.unwrap_or(pool.header), message)
            .label("no `avalanche`")
            .help("add `avalanche` at the end of the line, or leave the function out: then HAProxy adds it by itself")
            .pool(&pool.name.value);
        sink.push(finding);
    }
}
