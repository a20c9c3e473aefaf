use super::pool_no_redundancy_in_rotation::idle_reason;
use super::{Category, Check, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::model::Membership;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DiffPoolShrunk,
    summary: "A pool lost a large part of its active servers",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("diff_pool_shrunk.md"),
    check: Check::Change(check),
};

/// Part of the active servers whose loss is too much for one change.
const MAX_SHRINK: f64 = 0.5;
/// The same for a warning.
const WARN_SHRINK: f64 = 0.25;

fn check(comparison: &Comparison<'_>, sink: &mut Sink<'_>) {
    let limit = sink.environment.limits.max_pool_shrink;
    let dialect = comparison.new.dialect;
    for pair in &comparison.pools {
        let (old, new) = comparison.sides(pair);
        let (before, after) = (old.facts.active_members, new.facts.active_members);
        let known = old.pool.membership == Membership::Static && new.pool.membership == Membership::Static;
        if after == 0 || after >= before || !known || !new.facts.routed || !new.pool.serves_clients() {
            continue;
        }
        let lost = 1.0 - after as f64 / before as f64;
        let exceeds = match limit {
            Some(limit) => lost > limit + 1e-9,
            None => lost >= MAX_SHRINK - 1e-9,
        };
        if !exceeds && lost < WARN_SHRINK - 1e-9 {
            continue;
        }
        let message = format!(
            "{} shrinks from {} to {after} active (−{}): each of them gets {} times the load ({})",
            words::pool(dialect, new.pool),
            words::endpoints(dialect, before),
            words::percent(lost),
            words::factor(before as f64 / after as f64),
            comparison.membership_cause(pair),
        );
        let mut finding = if exceeds {
            sink.finding(new.pool.header, message)
        } else {
            sink.lesser(new.pool.header, message)
        };
        finding = finding
            .label(format!("{before} → {after} active"))
            .help("make sure that what is left can carry the load")
            .pool(&new.pool.name.value);
        let tier = new.facts.active(new.pool).next().map_or(0, |endpoint| endpoint.tier.value);
        let idle = new.pool.endpoints.iter().filter_map(|endpoint| idle_reason(endpoint, tier));
        for (span, why) in idle.take(4) {
            finding = finding.also(span, why);
        }
        let gone = pair.endpoints.iter().filter(|both| both.new.is_none()).filter_map(|both| both.old);
        for index in gone.take(4) {
            let endpoint = &old.pool.endpoints[index];
            finding = finding.also(endpoint.span, format!("`{}` is gone", endpoint.name.value));
        }
        sink.push(finding);
    }
}
