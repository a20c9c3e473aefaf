use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Algorithm, Membership};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::PoolEmpty,
    summary: "A pool that routes lead to has no server",
    category: Category::Pools,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::HAPROXY.and(Dialects::ENVOY),
    docs: include_str!("pool_empty.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.pools() {
        // A HAProxy backend that only holds a stick table is named by no route.
        let named = !facts.uses.is_empty() || context.config.fragment;
        if !named
            || !pool.endpoints.is_empty()
            || !pool.serves_clients()
            || pool.membership != Membership::Static
        {
            continue;
        }
        if matches!(pool.algorithm.value, Algorithm::OriginalDestination | Algorithm::ClusterProvided) {
            continue;
        }
        let dialect = context.config.dialect;
        let name = words::pool(dialect, pool);
        let noun = dialect.endpoint_noun();
        let mut finding = sink
            .finding(pool.header, format!("{name} has no {noun}: every request routed to it fails"))
            .label(format!("no {noun} in here"))
            .help(format!("add {noun}s to it, or remove the routes that lead to it"))
            .pool(&pool.name.value);
        for &span in facts.uses.iter().take(3) {
            finding = finding.also(span, "routed here");
        }
        sink.push(finding);
    }
}
