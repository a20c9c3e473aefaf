use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use std::collections::BTreeMap;

use crate::facts::inner;
use crate::model::{Action, Algorithm, HashKey, PoolId, Route, Target};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::HashPolicyMissingOnRoute,
    summary: "A route to a hashing cluster does not say what to hash",
    category: Category::Algorithms,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ENVOY,
    docs: include_str!("hash_policy_missing_on_route.md"),
    check: Check::Config(check),
};

/// Routes that are shown for one cluster.
const SHOWN: usize = 4;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let config = context.config;
    let mut lacking: BTreeMap<PoolId, Vec<&Route>> = BTreeMap::new();
    let mut sum: BTreeMap<PoolId, usize> = BTreeMap::new();
    for route in config.tables.iter().flat_map(|table| &table.routes) {
        for pool in pools(&route.action) {
            *sum.entry(pool).or_default() += 1;
            if route.hash_policies.is_empty() {
                lacking.entry(pool).or_default().push(route);
            }
        }
    }
    for (pool, facts) in context.pools() {
        let Algorithm::Hash { key: HashKey::RoutePolicy, .. } = inner(&pool.algorithm.value) else {
            continue;
        };
        let Some([first, others @ ..]) = lacking.get(&facts.id).map(Vec::as_slice) else { continue };
        if !facts.may_be_several(pool) {
            continue;
        }
        let name = words::pool(config.dialect, pool);
        let algorithm = words::algorithm(config.dialect, &pool.algorithm.value);
        let message = format!(
            "{} has no hash policy, so {name} with {algorithm} picks an endpoint at random for each request",
            first.label
        );
        // Where sessions are pinned by other means, only the first request of each is spread at random.
        let finding = if pool.affinity.is_empty() {
            sink.finding(first.span, message)
        } else {
            sink.lesser(first.span, message)
        };
        let mut finding = finding
            .label("no hash policy")
            .help("add `hash_policy` to the route, or choose a policy that hashes nothing")
            .pool(&pool.name.value);
        if let Some(span) = pool.algorithm.span() {
            finding = finding.also(span, "the policy that needs a hash");
        }
        for other in others.iter().take(SHOWN) {
            finding = finding.also(other.span, "neither has this route");
        }
        sink.push(finding);
    }
}

/// The pools an action names, each once.
fn pools(action: &Action) -> Vec<PoolId> {
    let mut pools: Vec<PoolId> = match action {
        Action::Forward(Target::Pool { pool, .. }) => vec![*pool],
        Action::Split(arms) => arms
            .iter()
            .filter_map(|arm| match arm.target {
                Target::Pool { pool, .. } if arm.weight > 0 => Some(pool),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    pools.sort_unstable();
    pools.dedup();
    pools
}
