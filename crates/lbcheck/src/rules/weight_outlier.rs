use super::{Category, Check, Context, Rule, Sink};
use std::collections::BTreeMap;

use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Endpoint, Membership, Pool};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::WeightOutlier,
    summary: "One weight is far above the others of its pool",
    category: Category::Distribution,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("weight_outlier.md"),
    check: Check::Config(check),
};

/// Times the median weight that is too much.
const MAX_RATIO: f64 = 10.0;
/// Times the median weight that deserves a warning.
const WARN_RATIO: f64 = 5.0;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let limit = context.environment.limits.max_weight_ratio.unwrap_or(MAX_RATIO);
    for (pool, facts) in context.routed_pools() {
        // With members unknown their median is, too.
        if !pool.algorithm.value.uses_weights() || pool.membership != Membership::Static {
            continue;
        }
        // Under locality weighting a weight is measured against its own locality only.
        let mut groups: BTreeMap<Option<usize>, Vec<&Endpoint>> = BTreeMap::new();
        for endpoint in facts.active(pool) {
            let group = if pool.locality_weighted.is_some() { endpoint.locality } else { None };
            groups.entry(group).or_default().push(endpoint);
        }
        for group in groups.values() {
            report(context, pool, group, limit, sink);
        }
    }
}

fn report(context: &Context<'_>, pool: &Pool, group: &[&Endpoint], limit: f64, sink: &mut Sink<'_>) {
    let members: u64 = group.iter().map(|endpoint| u64::from(endpoint.slots)).sum();
    if members < 3 {
        return;
    }
    let Some(median) = median(group.iter().copied()) else { return };
    let ratio = |endpoint: &Endpoint| f64::from(endpoint.weight.value) / f64::from(median);
    let outliers: Vec<&Endpoint> =
        group.iter().copied().filter(|endpoint| ratio(endpoint) >= WARN_RATIO.min(limit)).collect();
    // The largest, the first of equals.
    let Some(worst) = outliers.iter().rev().max_by_key(|endpoint| endpoint.weight.value) else { return };
    let worst_ratio = ratio(worst);
    let exceeds = match context.environment.limits.max_weight_ratio {
        Some(limit) => worst_ratio > limit + 1e-9,
        None => worst_ratio >= MAX_RATIO - 1e-9,
    };
    if !exceeds && worst_ratio < WARN_RATIO {
        return;
    }
    let dialect = context.config.dialect;
    let span = worst.weight.span().unwrap_or(worst.span);
    let message = format!(
        "{} of {} has weight {}, {} times the median weight {median} of its pool",
        words::endpoint(dialect, worst),
        words::pool(dialect, pool),
        worst.weight.value,
        words::factor(worst_ratio),
    );
    let mut finding = if exceeds { sink.finding(span, message) } else { sink.lesser(span, message) };
    finding = finding
        .label(format!("{} times the median", words::factor(worst_ratio)))
        .help("check for a typing mistake; weights say how the machines compare in size")
        .pool(&pool.name.value)
        .endpoint(&worst.name.value);
    for other in outliers.iter().filter(|other| other.span != worst.span).take(4) {
        let span = other.weight.span().unwrap_or(other.span);
        finding = finding.also(span, format!("`{}` has weight {}", other.name.value, other.weight.value));
    }
    sink.push(finding);
}

/// The lower median weight, slots counted, at least 1.
fn median<'a>(endpoints: impl Iterator<Item = &'a Endpoint>) -> Option<u32> {
    let mut weights: Vec<(u32, u64)> =
        endpoints.map(|endpoint| (endpoint.weight.value, u64::from(endpoint.slots))).collect();
    weights.sort_unstable();
    let half = weights.iter().map(|(_, slots)| slots).sum::<u64>().div_ceil(2);
    let mut seen = 0;
    weights.iter().find_map(|&(weight, slots)| {
        seen += slots;
        (seen >= half).then_some(weight.max(1))
    })
}
