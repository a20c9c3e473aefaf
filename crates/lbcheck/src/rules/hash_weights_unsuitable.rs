use super::{Category, Check, Context, Rule, Sink};
use crate::arithmetic::gcd;
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::PoolFacts;
use crate::model::{Algorithm, HashTable, Pool};
use crate::traffic::Placement;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::HashWeightsUnsuitable,
    summary: "Weights make a hash of nginx uneven",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::NGINX,
    docs: include_str!("hash_weights_unsuitable.md"),
    check: Check::Config(check),
};

/// A server with less than this part of its share has lost its place.
const TOO_LITTLE: f64 = 0.5;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        let Algorithm::Hash { table, .. } = &pool.algorithm.value else { continue };
        let values = match table {
            HashTable::Map => 32_768,
            HashTable::IpHash => 6271,
            _ => continue,
        };
        if facts.active_members < 2 {
            continue;
        }
        let total: u64 = pool.endpoints.iter().map(|endpoint| u64::from(endpoint.weight.value)).sum();
        if total > values && beyond_range(context, pool, facts, total, values, sink) {
            continue;
        }
        if *table == HashTable::IpHash {
            common_divisor(context, pool, sink);
        }
    }
}

/// Reports servers at the end of the list that hardly any hash value reaches.
fn beyond_range(
    context: &Context<'_>,
    pool: &Pool,
    facts: &PoolFacts,
    total: u64,
    values: u64,
    sink: &mut Sink<'_>,
) -> bool {
    let Some(asked) = facts.sure_shares() else { return false };
    let Ok(placement) = Placement::new(context.config, facts.id) else { return false };
    let placed = placement.shares();
    let starved = facts.active.iter().rev().find(|&&index| {
        let share = |shares: &[f64]| shares.get(index).copied().unwrap_or(0.0);
        share(&placed) < TOO_LITTLE * share(&asked.shares)
    });
    let Some(&index) = starved else { return false };
    let Some(endpoint) = pool.endpoints.get(index) else { return false };
    let dialect = context.config.dialect;
    let message = format!(
        "{} of {} gets {} of the traffic: the weights sum to {total}, and this hash has only {values} values",
        words::endpoint(dialect, endpoint),
        words::pool(dialect, pool),
        words::percent(placed.get(index).copied().unwrap_or(0.0)),
    );
    let mut finding = sink
        .finding(endpoint.weight.span().unwrap_or(endpoint.span), message)
        .label("out of reach")
        .help("divide all weights by the same number")
        .pool(&pool.name.value)
        .endpoint(&endpoint.name.value);
    if let Some(span) = pool.algorithm.span() {
        finding = finding.also(span, "the hash");
    }
    sink.push(finding);
    true
}

/// Networks next to each other have hashes next to each other, so that a weight of n takes n of them in a row.
fn common_divisor(context: &Context<'_>, pool: &Pool, sink: &mut Sink<'_>) {
    let divisor = pool.endpoints.iter().map(|endpoint| u64::from(endpoint.weight.value)).fold(0, gcd);
    // Runs of a few networks still mix.
    if divisor < MOST_IN_A_ROW {
        return;
    }
    let Some(first) = pool.endpoints.first() else { return };
    let dialect = context.config.dialect;
    let message = format!(
        "the weights of {} all divide by {divisor}, which makes ip_hash send {divisor} neighbouring /24 networks to the same server before it goes on",
        words::pool(dialect, pool),
    );
    let finding = sink
        .finding(first.weight.span().unwrap_or(first.span), message)
        .label("larger than needed")
        .help(format!("divide all weights by {divisor}: their ratio stays, and neighbours spread"))
        .pool(&pool.name.value);
    sink.push(finding);
}

/// Neighbouring networks for one server that are not worth a word.
const MOST_IN_A_ROW: u64 = 4;
