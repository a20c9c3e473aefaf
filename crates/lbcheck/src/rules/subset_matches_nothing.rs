use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Action, Membership, Pool, Route, SubsetFallback, Subsets, Target};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::SubsetMatchesNothing,
    summary: "No subset of the cluster fits what the route asks for",
    category: Category::Routing,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ENVOY,
    docs: include_str!("subset_matches_nothing.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let config = context.config;
    for route in config.tables.iter().flat_map(|table| &table.routes) {
        let Action::Forward(Target::Pool { pool, .. }) = &route.action else { continue };
        let pool = config.pool(*pool);
        let Some(subsets) = &pool.subsets else { continue };
        if subsets.fallback != SubsetFallback::Refuse {
            continue;
        }
        if let Some(why) = mismatch(context, route, pool, subsets) {
            let message = format!(
                "{} finds no endpoint in {}, which refuses what fits no subset: {why}",
                route.label,
                words::pool(config.dialect, pool),
            );
            let finding = sink
                .finding(route.span, message)
                .label("every request is answered 503")
                .help("let the route's `metadata_match` name a subset that has endpoints, or set `fallback_policy: ANY_ENDPOINT`")
                .also(subsets.span, "the subsets");
            sink.push(finding.pool(&pool.name.value));
        }
    }
}

/// Why the route selects no endpoint, if that is certain.
fn mismatch(context: &Context<'_>, route: &Route, pool: &Pool, subsets: &Subsets) -> Option<String> {
    // A filter may add to what the route asks for.
    if context.config.request_metadata {
        return None;
    }
    if route.metadata.is_empty() {
        return Some("the route asks for none".into());
    }
    let mut keys: Vec<&str> = route.metadata.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    let selected = |selector: &Vec<String>| selector.iter().map(String::as_str).eq(keys.iter().copied());
    if !subsets.selectors.iter().any(selected) {
        return Some(format!("no selector has just the keys {}", words::names(keys.iter().copied(), 4)));
    }
    if pool.membership != Membership::Static || pool.endpoints.is_empty() {
        return None;
    }
    let fits = |metadata: &[(String, String)]| route.metadata.iter().all(|wanted| metadata.contains(wanted));
    if pool.endpoints.iter().any(|endpoint| fits(&endpoint.metadata)) {
        return None;
    }
    let wanted: Vec<String> = route.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Some(format!("no endpoint has {}", words::names(wanted.iter().map(String::as_str), 4)))
}
