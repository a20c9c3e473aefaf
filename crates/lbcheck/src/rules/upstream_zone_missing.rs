use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::UpstreamZoneMissing,
    summary: "Every worker counts the limits of an upstream for itself",
    category: Category::Distribution,
    severity: Severity::Info,
    production: Severity::Warning,
    dialects: Dialects::NGINX,
    docs: include_str!("upstream_zone_missing.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(workers) = context.config.workers else { return };
    let count = match workers.value {
        Some(0 | 1) => return,
        Some(count) => format!("the {count} workers"),
        None => "the workers".to_owned(),
    };
    for (pool, _) in context.routed_pools() {
        if pool.shared_state.is_some() {
            continue;
        }
        let limited = || {
            pool.endpoints
                .iter()
                .filter(|endpoint| endpoint.max_connections.is_some_and(|limit| limit.value > 0))
        };
        let Some((first, limit)) = limited().next().and_then(|first| Some((first, first.max_connections?)))
        else {
            continue;
        };
        let dialect = context.config.dialect;
        let most = workers.value.map(|count| u64::from(count).saturating_mul(limit.value));
        let most = most.map_or_else(|| "that many from each".to_owned(), |most| format!("{most}"));
        let message = format!(
            "{} has no zone, so each of {count} counts connections for itself: {} may get {most}, not {}",
            words::pool(dialect, pool),
            words::endpoint(dialect, first),
            limit.value,
        );
        let mut finding = sink
            .finding(limit.span().unwrap_or(first.span), message)
            .label("for each worker")
            .help(format!("add a line such as `zone {} 64k;` to the upstream", pool.name.value))
            .pool(&pool.name.value)
            .endpoint(&first.name.value);
        if let Some(span) = workers.span() {
            finding = finding.also(span, "more than one worker");
        }
        sink.push(finding);
    }
}
