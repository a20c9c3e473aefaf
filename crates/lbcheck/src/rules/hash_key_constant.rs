use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::{PoolFacts, inner, routes_by_pool};
use crate::model::{Algorithm, HashKey, KeyVariety, Pool, Route};
use crate::source::Span;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::HashKeyConstant,
    summary: "The hash key is the same for every request",
    category: Category::Algorithms,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("hash_key_constant.md"),
    check: Check::Config(check),
};

/// Host names per server from which hashing by host spreads well enough.
const HOSTS_PER_SERVER: u64 = 2;

/// How few values the key takes, and where it is written.
enum Key<'a> {
    Constant(&'a str),
    Few(KeyVariety),
}

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut hosts: Option<Vec<Option<u64>>> = None;
    let routes = routes_by_pool(context.config);
    for (pool, facts) in context.routed_pools() {
        if !facts.may_be_several(pool) {
            continue;
        }
        let Some((key, span)) = key(pool, routes.get(facts.id.0 as usize).map_or(&[], Vec::as_slice)) else {
            continue;
        };
        match key {
            Key::Constant(text) => constant(context, pool, facts, text, span, sink),
            Key::Few(KeyVariety::Listener) => per_listener(context, pool, facts, span, sink),
            Key::Few(KeyVariety::Host) => {
                let hosts = hosts.get_or_insert_with(|| super::host_names::host_names(context.config));
                let Some(names) = hosts.get(facts.id.0 as usize).copied().flatten() else { continue };
                per_host(context, pool, facts, names, span, sink);
            }
        }
    }
}

/// The key of a pool that hashes, if it takes few values. In Envoy every route to the pool has its own.
fn key<'a>(pool: &'a Pool, routes: &[&Route]) -> Option<(Key<'a>, Span)> {
    let Algorithm::Hash { key, .. } = inner(&pool.algorithm.value) else { return None };
    let written = pool.algorithm.span().unwrap_or(pool.header);
    match key {
        HashKey::Constant(text) => Some((Key::Constant(text), written)),
        HashKey::RoutePolicy => {
            let mut widest = None;
            let mut span = None;
            for route in routes {
                let policies = &route.hash_policies;
                // Without a policy the choice is random, which another rule reports.
                let variety = policies
                    .iter()
                    .map(|policy| policy.variety)
                    .collect::<Option<Vec<_>>>()?
                    .into_iter()
                    .max()?;
                widest = widest.max(Some(variety));
                span = span.or(policies.first().map(|policy| policy.span));
            }
            Some((Key::Few(widest?), span?))
        }
        HashKey::Source | HashKey::Expression(_) => Some((Key::Few(pool.key_variety?), written)),
    }
}

fn constant(
    context: &Context<'_>,
    pool: &Pool,
    facts: &PoolFacts,
    text: &str,
    span: Span,
    sink: &mut Sink<'_>,
) {
    let dialect = context.config.dialect;
    let message = format!(
        "{} hashes `{text}`, which is the same for every request: one of its {} gets all traffic",
        words::pool(dialect, pool),
        words::endpoints(dialect, facts.active_members),
    );
    let finding = sink.finding(span, message).label("never changes");
    sink.push(finding.help("hash something that differs from request to request").pool(&pool.name.value));
}

fn per_listener(context: &Context<'_>, pool: &Pool, facts: &PoolFacts, span: Span, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    let message = format!(
        "{} hashes what is the same for all requests of one listener: each listener's traffic goes to one of its {}",
        words::pool(dialect, pool),
        words::endpoints(dialect, facts.active_members),
    );
    let many = facts.uses.len() as u64 >= HOSTS_PER_SERVER * facts.active_members;
    let finding = if many { sink.lesser(span, message) } else { sink.finding(span, message) };
    let finding = finding.label("the same for a whole listener");
    sink.push(finding.help("hash something that differs from request to request").pool(&pool.name.value));
}

fn per_host(
    context: &Context<'_>,
    pool: &Pool,
    facts: &PoolFacts,
    names: u64,
    span: Span,
    sink: &mut Sink<'_>,
) {
    let servers = facts.active_members;
    if names >= HOSTS_PER_SERVER * servers {
        return;
    }
    let dialect = context.config.dialect;
    let pool_name = words::pool(dialect, pool);
    let finding = if names <= 1 {
        let message = format!(
            "{pool_name} hashes the host name, and serves a single one: one of its {} gets all traffic",
            words::endpoints(dialect, servers),
        );
        sink.finding(span, message)
    } else {
        let message = format!(
            "{pool_name} hashes the host name, and serves {names} of them: its {} cannot share the load evenly",
            words::endpoints(dialect, servers),
        );
        sink.lesser(span, message)
    };
    let finding = finding.label("takes one value for each host name");
    sink.push(finding.help("hash the path, a user or a session as well").pool(&pool.name.value));
}
