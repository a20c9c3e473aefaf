use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::{inner, routes_by_pool};
use crate::model::Algorithm;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::HashPolicyWithoutHash,
    summary: "A route says what to hash, and the cluster hashes nothing",
    category: Category::Algorithms,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ENVOY,
    docs: include_str!("hash_policy_without_hash.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    let routes = routes_by_pool(context.config);
    for (pool, facts) in context.routed_pools() {
        // Only policies of which it is known that they ask for no hash.
        let hashless = matches!(
            inner(&pool.algorithm.value),
            Algorithm::RoundRobin | Algorithm::LeastConnections { .. } | Algorithm::Random { .. }
        );
        if !hashless || !facts.may_be_several(pool) {
            continue;
        }
        let routes = routes.get(facts.id.0 as usize).map_or(&[][..], Vec::as_slice);
        let mut policies = routes.iter().filter_map(|route| route.hash_policies.first());
        let Some(first) = policies.next() else { continue };
        let message = format!(
            "the hash policy does nothing: {} balances by {}, so that no client stays with one endpoint",
            words::pool(dialect, pool),
            words::algorithm(dialect, &pool.algorithm.value),
        );
        let mut finding = sink
            .finding(first.span, message)
            .label("never looked at")
            .help("set `lb_policy: RING_HASH` or `MAGLEV` on the cluster, or remove the policy")
            .pool(&pool.name.value);
        if let Some(span) = pool.algorithm.span() {
            finding = finding.also(span, "the policy that decides");
        }
        for other in policies.take(3) {
            finding = finding.also(other.span, "neither is this one");
        }
        sink.push(finding);
    }
}
