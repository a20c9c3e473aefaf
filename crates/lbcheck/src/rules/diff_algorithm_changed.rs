use super::{Category, Check, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::diff::{PoolPair, Side};
use crate::model::Membership;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DiffAlgorithmChanged,
    summary: "A pool's algorithm or its parameters changed",
    category: Category::Change,
    severity: Severity::Warning,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("diff_algorithm_changed.md"),
    check: Check::Change(check),
};

fn check(comparison: &Comparison<'_>, sink: &mut Sink<'_>) {
    let dialect = comparison.new.dialect;
    for pair in &comparison.pools {
        let (old, new) = comparison.sides(pair);
        let (before, after) = (&old.pool.algorithm, &new.pool.algorithm);
        // One endpoint is picked whatever the algorithm.
        let choice = |side: &Side<'_>| side.facts.members >= 2 || side.pool.membership != Membership::Static;
        if before.value == after.value || !(choice(&old) || choice(&new)) || !new.facts.routed {
            continue;
        }
        let span = after.span().unwrap_or(new.pool.header);
        let message = format!(
            "{} changes its algorithm: {} → {}{}",
            words::pool(dialect, new.pool),
            words::algorithm(dialect, &before.value),
            words::algorithm(dialect, &after.value),
            largest_move(comparison, pair),
        );
        let mut finding = sink
            .finding(span, message)
            .label(if after.is_explicit() {
                "the new algorithm"
            } else {
                "no algorithm is written: the default holds"
            })
            .help("an algorithm decides where everything goes; deploy it where it was tested with this load")
            .pool(&new.pool.name.value);
        if let Some(span) = before.span() {
            finding = finding.also(span, "the old algorithm");
        }
        sink.push(finding);
    }
}

/// "; server `a` 20 % → 100 % of the traffic" for the endpoint that gains most, if any does.
fn largest_move(comparison: &Comparison<'_>, pair: &PoolPair) -> String {
    let dialect = comparison.new.dialect;
    let pairs = comparison.share_pairs(pair).unwrap_or_default();
    let mut most: Option<(String, f64, f64)> = None;
    for share in &pairs {
        let Some((endpoint, after)) = share.new else { continue };
        let before = share.old.map_or(0.0, |(_, before)| before);
        let gain = after - before;
        if gain > 0.001 && most.as_ref().is_none_or(|(_, old, new)| gain > new - old + 1e-9) {
            most = Some((words::endpoint(dialect, endpoint), before, after));
        }
    }
    most.map_or_else(String::new, |(name, before, after)| {
        format!("; {name} {} → {} of the traffic", words::percent(before), words::percent(after))
    })
}
