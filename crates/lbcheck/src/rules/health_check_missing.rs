use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::Severity;
use crate::diagnostic::{Edit, Fix, RuleId};
use crate::dialect::Dialects;
use crate::model::{Endpoint, Membership, Pool};
use crate::source::Span;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::HealthCheckMissing,
    summary: "Nothing takes a dead server of this pool out",
    category: Category::Health,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("health_check_missing.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    let advice = &dialect.description().advice;
    for (pool, facts) in context.routed_pools() {
        if facts.members < 2 || !pool.serves_clients() || pool.membership != Membership::Static {
            continue;
        }
        let usable = || pool.endpoints.iter().filter(|endpoint| endpoint.in_rotation());
        if usable().next().is_none() || usable().any(|endpoint| pool.watches(endpoint)) {
            continue;
        }
        let name = words::pool(dialect, pool);
        let mut finding = sink
            .finding(
                pool.header,
                format!(
                    "{name} has no failure detection: a dead {} keeps its share",
                    dialect.endpoint_noun()
                ),
            )
            .label(advice.nothing_watches)
            .help(advice.watch)
            .pool(&pool.name.value);
        for endpoint in usable().take(3) {
            let span = endpoint.outlier_detection.and_then(|setting| setting.span()).unwrap_or(endpoint.span);
            finding = finding.also(span, format!("nothing notices when `{}` dies", endpoint.name.value));
        }
        finding.fix = add_check(pool, usable());
        sink.push(finding);
    }
}

/// Where HAProxy's `check` belongs: the section itself asks for checks, and only the word on the servers is missing.
pub(super) fn add_check<'e>(pool: &Pool, unchecked: impl Iterator<Item = &'e Endpoint>) -> Option<Fix> {
    pool.checks_asked?;
    let mut edits = Vec::new();
    for endpoint in unchecked {
        // `no-check` was written on purpose.
        if endpoint.check_disabled.is_some() {
            return None;
        }
        let span = Span { start: endpoint.span.end, ..endpoint.span };
        edits.push(Edit { span, replacement: " check".to_owned() });
    }
    Some(Fix::certain("add the missing `check`", edits))
}
