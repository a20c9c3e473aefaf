use super::pool_no_redundancy_in_rotation::idle_reason;
use super::{Category, Check, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::model::Endpoint;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DiffSingleServerTakeover,
    summary: "One server now takes most of a pool's traffic",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("diff_single_server_takeover.md"),
    check: Check::Change(check),
};

/// Share from which one server has taken a pool over.
const TAKEOVER: f64 = 0.5;
/// Times the fair share from which it has, too.
const TIMES_FAIR: f64 = 3.0;

fn check(comparison: &Comparison<'_>, sink: &mut Sink<'_>) {
    let dialect = comparison.new.dialect;
    for pair in &comparison.pools {
        let (old, new) = comparison.sides(pair);
        let Some(shares) = comparison.share_pairs(pair) else { continue };
        if old.facts.active_members < 3 || !new.facts.routed || !new.pool.serves_clients() {
            continue;
        }
        let dominates = |share: f64, members: u64| {
            share > TAKEOVER + 1e-9 || (members >= 3 && share * members as f64 > TIMES_FAIR + 1e-9)
        };
        let mut top: Option<(&Endpoint, f64, f64)> = None;
        for share in &shares {
            let Some((endpoint, after)) = share.new else { continue };
            let before = share.old.map_or(0.0, |(_, before)| before);
            let taken =
                dominates(after, new.facts.active_members) && !dominates(before, old.facts.active_members);
            if taken && top.is_none_or(|(_, _, most)| after > most + 1e-9) {
                top = Some((endpoint, before, after));
            }
        }
        let Some((endpoint, before, after)) = top else { continue };
        let message = format!(
            "{} takes over {}: {} → {} of its traffic ({})",
            words::endpoint(dialect, endpoint),
            words::pool(dialect, new.pool),
            words::percent(before),
            words::percent(after),
            comparison.cause(pair),
        );
        let mut finding = sink
            .finding(endpoint.span, message)
            .label(format!("{} → {}", words::percent(before), words::percent(after)))
            .help(format!(
                "one {} now carries what several shared; undo the change or spread it over the others",
                dialect.endpoint_noun()
            ))
            .pool(&new.pool.name.value)
            .endpoint(&endpoint.name.value);
        if old.pool.algorithm.value != new.pool.algorithm.value
            && let Some(span) = new.pool.algorithm.span()
        {
            finding = finding.also(span, "the new algorithm");
        }
        let tier = endpoint.tier.value;
        let idle = new.pool.endpoints.iter().filter_map(|other| idle_reason(other, tier));
        for (span, why) in idle.take(4) {
            finding = finding.also(span, why);
        }
        sink.push(finding);
    }
}
