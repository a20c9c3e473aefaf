use super::Facts;
use super::{Category, Check, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::diff::RouteChangeKind;
use crate::model::{Config, Membership, PoolId};

pub(super) static RULE: Rule = Rule {
    id: RuleId::DiffRouteRetargeted,
    summary: "The same requests now go to another pool",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("diff_route_retargeted.md"),
    check: Check::Change(check),
};

/// Part of the old pool's active servers that the new one must exceed to be no danger by its size.
const MIN_SIZE: f64 = 0.5;

fn check(comparison: &Comparison<'_>, sink: &mut Sink<'_>) {
    for change in &comparison.routes {
        if !matches!(change.kind, RouteChangeKind::Retargeted | RouteChangeKind::Rerouted) {
            continue;
        }
        let (Some(old), Some(new)) = (&change.old, &change.new) else { continue };
        // Only what reached a pool before can be missed there now.
        if old.pools.is_empty() {
            continue;
        }
        let members = |facts: &Facts, pools: &[PoolId]| -> u64 {
            pools.iter().map(|&pool| facts.pool(pool).active_members).sum()
        };
        let known = |config: &Config, pools: &[PoolId]| {
            pools.iter().all(|&pool| config.pool(pool).membership == Membership::Static)
        };
        let before = members(&comparison.old_facts, &old.pools);
        let after = members(&comparison.new_facts, &new.pools);
        let sized = known(comparison.old, &old.pools) && known(comparison.new, &new.pools);
        let small = !new.pools.is_empty() && sized && after as f64 <= before as f64 * MIN_SIZE;
        let mut message = match (change.kind, &change.witness) {
            (RouteChangeKind::Rerouted, Some(witness)) => {
                format!("{witness} now goes to {} instead of {}, by `{}`", new.words, old.words, change.label)
            }
            (_, Some(witness)) => format!(
                "`{}` now leads to {} instead of {}, for example {witness}",
                change.label, new.words, old.words
            ),
            (_, None) => format!("`{}` now leads to {} instead of {}", change.label, new.words, old.words),
        };
        if small {
            message += &format!("; that is {after} active instead of {before}");
        }
        // A rule with a condition, put in front to answer by itself, is rarely there by accident. Falling through to
        // the end, or losing the target, is.
        let lost = new.pools.is_empty() && (change.kind == RouteChangeKind::Retargeted || new.always);
        let finding =
            if small || lost { sink.finding(new.span, message) } else { sink.lesser(new.span, message) };
        let mut finding = finding
            .label(format!("to {}", new.words))
            .also(old.span, format!("to {}", old.words))
            .help("check that the new target is the one meant, and that it can carry these requests");
        finding.subject.pool = new.pools.first().map(|&pool| comparison.new.pool(pool).name.value.clone());
        sink.push(finding);
    }
}
