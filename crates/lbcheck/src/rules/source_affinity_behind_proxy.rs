use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::{inner, routes_by_pool};
use crate::model::{Algorithm, ClientAddress, HashKey, Mode, Pool, Route};
use crate::source::Span;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::SourceAffinityBehindProxy,
    summary: "Clients are told apart by an address that may be that of a proxy",
    category: Category::Algorithms,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("source_affinity_behind_proxy.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let config = context.config;
    if let ClientAddress::Restored(_) = config.client_address {
        return;
    }
    let dialect = config.dialect;
    let routes = routes_by_pool(config);
    for (pool, facts) in context.routed_pools() {
        if !facts.may_be_several(pool) || !pool.serves_clients() {
            continue;
        }
        let Some(span) = by_address(pool, routes.get(facts.id.0 as usize).map_or(&[], Vec::as_slice)) else {
            continue;
        };
        let name = words::pool(dialect, pool);
        let finding = match &config.client_address {
            ClientAddress::Behind(evidence) => sink
                .finding(
                    span,
                    format!(
                        "{name} tells clients apart by address, and there is a proxy in front: it sees the addresses of that proxy"
                    ),
                )
                .also(evidence.span, evidence.value.clone()),
            // Connections pass proxies less often than requests, and nothing says that these do.
            _ if pool.mode.value != Mode::Http => continue,
            _ => sink.remark(
                span,
                format!(
                    "{name} tells clients apart by the address of the connection: all behind one proxy or NAT get the same {}",
                    dialect.endpoint_noun(),
                ),
            ),
        };
        let finding =
            finding.label("the address of the connection").help(dialect.description().advice.restore_client);
        sink.push(finding.pool(&pool.name.value));
    }
}

/// Where a pool says, or its routes say, that the client's address is hashed, and nothing else.
fn by_address(pool: &Pool, routes: &[&Route]) -> Option<Span> {
    let Algorithm::Hash { key, .. } = inner(&pool.algorithm.value) else { return None };
    match key {
        HashKey::Source => pool.algorithm.span(),
        HashKey::RoutePolicy => routes.iter().find_map(|route| match route.hash_policies.as_slice() {
            [only] if only.by_address => Some(only.span),
            _ => None,
        }),
        HashKey::Expression(_) | HashKey::Constant(_) => None,
    }
}
