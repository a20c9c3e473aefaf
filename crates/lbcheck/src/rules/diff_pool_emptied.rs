use super::{Category, Check, Rule, Sink};
use std::collections::BTreeSet;

use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::facts::targets;
use crate::model::{Membership, PoolKind, Target};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DiffPoolEmptied,
    summary: "A pool that had active servers has none now, or is gone",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("diff_pool_emptied.md"),
    check: Check::Change(check),
};

fn check(comparison: &Comparison<'_>, sink: &mut Sink<'_>) {
    let dialect = comparison.new.dialect;
    for pair in &comparison.pools {
        let (old, new) = comparison.sides(pair);
        let noun = dialect.endpoint_noun();
        if let (None, Some(span)) = (old.pool.disabled, new.pool.disabled)
            && !new.facts.uses.is_empty()
            && old.facts.active_members > 0
        {
            let message = format!(
                "{} had {} taking traffic and is switched off now, with routes still leading to it",
                words::pool(dialect, new.pool),
                words::endpoints(dialect, old.facts.active_members),
            );
            let finding = sink.finding(span, message).label("switches all of it off");
            sink.push(finding.help("send its requests elsewhere first").pool(&new.pool.name.value));
            continue;
        }
        if let (None, Some(span)) = (old.pool.answers_locally, new.pool.answers_locally)
            && !new.facts.uses.is_empty()
            && old.facts.active_members > 0
        {
            let message = format!(
                "{} had {} taking traffic; now the proxy answers every request itself",
                words::pool(dialect, new.pool),
                words::endpoints(dialect, old.facts.active_members),
            );
            let finding = sink.finding(span, message).label("holds for every request");
            sink.push(finding.help("give the rule a condition, or take it out").pool(&new.pool.name.value));
            continue;
        }
        let emptied = old.facts.active_members > 0 && new.facts.active_members == 0;
        let known = new.pool.membership == Membership::Static;
        if !emptied || !known || !old.facts.routed || !new.pool.serves_clients() {
            continue;
        }
        let message = format!(
            "{} had {} taking traffic and has none now ({})",
            words::pool(dialect, new.pool),
            words::endpoints(dialect, old.facts.active_members),
            comparison.membership_cause(pair),
        );
        let backup = new.pool.endpoints.iter().any(|endpoint| endpoint.in_rotation());
        let finding = if backup {
            sink.lesser(new.pool.header, message)
        } else {
            sink.finding(new.pool.header, message)
        };
        let finding = finding
            .label(if backup { format!("only backup {noun}s are left") } else { format!("no {noun} left") })
            .also(old.pool.header, "the pool before")
            .help(format!("bring {noun}s back before this is deployed"))
            .pool(&new.pool.name.value);
        sink.push(finding);
    }
    let still_named: BTreeSet<&str> = targets(comparison.new)
        .filter_map(|target| match target {
            Target::Undefined(name) => Some(name.value.as_str()),
            Target::Pool { .. } | Target::Dynamic { .. } => None,
        })
        .collect();
    for &id in &comparison.removed_pools {
        let (pool, facts) = (comparison.old.pool(id), comparison.old_facts.pool(id));
        if facts.uses.is_empty() || facts.active_members == 0 || pool.kind == PoolKind::Implicit {
            continue;
        }
        let message = format!(
            "{}, which had {} taking traffic, is gone",
            words::pool(dialect, pool),
            words::endpoints(dialect, facts.active_members),
        );
        // With its routes gone too, somebody meant it; what its requests meet now is another matter.
        let finding = if still_named.contains(pool.name.value.as_str()) {
            sink.finding(pool.header, format!("{message}, and routes still lead to it"))
        } else {
            sink.lesser(pool.header, message)
        };
        let mut finding = finding.label("removed").pool(&pool.name.value);
        for &span in facts.uses.iter().take(2) {
            finding = finding.also(span, "it was routed to here");
        }
        sink.push(finding.help("make sure that no request needs it any more"));
    }
}
