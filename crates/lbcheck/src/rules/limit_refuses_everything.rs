use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::Mode;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::LimitRefusesEverything,
    summary: "A limit of zero refuses every request",
    category: Category::Routing,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ENVOY,
    docs: include_str!("limit_refuses_everything.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, _) in context.routed_pools() {
        // Requests are counted in HTTP; what a TCP proxy makes of these limits was not measured.
        if pool.mode.value != Mode::Http {
            continue;
        }
        let limits =
            [("max_requests", pool.limits.max_requests), ("max_pending_requests", pool.limits.max_pending)];
        let Some((name, limit)) = limits
            .into_iter()
            .find_map(|(name, limit)| Some((name, limit.filter(|limit| limit.value == 0)?)))
        else {
            continue;
        };
        let message = format!(
            "`{name}: 0` lets no request through to {}: Envoy answers every one with 503",
            words::pool(context.config.dialect, pool),
        );
        let finding = sink
            .finding(limit.span().unwrap_or(pool.header), message)
            .label("no request at all")
            .help("remove the line for the default of 1024, or write what the cluster can carry");
        sink.push(finding.pool(&pool.name.value));
    }
}
