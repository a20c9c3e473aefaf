use super::{Category, Check, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::model::{Endpoint, Pool, Setting};
use crate::source::Span;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DiffHealthCheckRemoved,
    summary: "A pool lost its failure detection",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("diff_health_check_removed.md"),
    check: Check::Change(check),
};

fn check(comparison: &Comparison<'_>, sink: &mut Sink<'_>) {
    let dialect = comparison.new.dialect;
    for pair in &comparison.pools {
        let (old, new) = comparison.sides(pair);
        if !new.facts.routed || !new.pool.serves_clients() {
            continue;
        }
        let both: Vec<(&Endpoint, &Endpoint)> = pair
            .endpoints
            .iter()
            .filter_map(|both| Some((&old.pool.endpoints[both.old?], &new.pool.endpoints[both.new?])))
            .filter(|(_, new)| new.in_rotation())
            .collect();
        let lost: Vec<_> = both
            .iter()
            .filter(|(before, after)| {
                (old.pool.checks(before) && !new.pool.checks(after))
                    || (old.pool.watches(before) && !new.pool.watches(after))
            })
            .collect();
        let Some((before, after)) = lost.first() else { continue };
        let watched = lost.iter().all(|(_, after)| new.pool.watches(after));
        let message = format!(
            "{} of {} {}s of {} {} no longer {}",
            lost.len(),
            both.len(),
            dialect.endpoint_noun(),
            words::pool(dialect, new.pool),
            if lost.len() == 1 { "is" } else { "are" },
            if watched {
                "health checked; only passive detection is left"
            } else {
                "watched: a dead one keeps its share"
            },
        );
        let was = old_place(old.pool, before);
        let finding =
            if watched { sink.lesser(after.span, message) } else { sink.finding(after.span, message) };
        let mut finding = finding
            .label("lost its failure detection")
            .also(was, "what watched it before")
            .help(format!("keep the check; without it nothing notices a dead {}", dialect.endpoint_noun()))
            .pool(&new.pool.name.value);
        for (_, other) in lost.iter().skip(1).take(3) {
            finding = finding.also(other.span, "this one too");
        }
        sink.push(finding);
    }
}

/// Where the detection of an endpoint was written.
fn old_place(pool: &Pool, endpoint: &Endpoint) -> Span {
    endpoint
        .check
        .as_ref()
        .and_then(Setting::span)
        .or_else(|| pool.health_checks.first().and_then(Setting::span))
        .or_else(|| endpoint.outlier_detection.as_ref().and_then(Setting::span))
        .or_else(|| pool.outlier_detection.as_ref().and_then(Setting::span))
        .unwrap_or(endpoint.span)
}
