use super::{Category, Check, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::diff::PoolPair;
use crate::model::Endpoint;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DiffWeightJump,
    summary: "One weight changed by a large factor against its pool",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("diff_weight_jump.md"),
    check: Check::Change(check),
};

/// Factor against the pool that is too much for one change.
const MAX_STEP: f64 = 5.0;
/// The same for a warning.
const WARN_STEP: f64 = 2.0;

/// An endpoint whose weight changed, and by how much against the others.
struct Jump<'a> {
    endpoint: &'a Endpoint,
    old: u32,
    new: u32,
    /// At least 1, whether the weight went up or down.
    step: f64,
}

fn check(comparison: &Comparison<'_>, sink: &mut Sink<'_>) {
    let limit = sink.environment.limits.max_weight_step;
    let dialect = comparison.new.dialect;
    for pair in &comparison.pools {
        let (_, new) = comparison.sides(pair);
        if !new.pool.algorithm.value.uses_weights() || !new.facts.routed {
            continue;
        }
        let jumps = jumps(comparison, pair);
        // The largest; of equals the first.
        let Some(worst) = jumps.iter().rev().max_by(|a, b| a.step.total_cmp(&b.step)) else { continue };
        let exceeds = match limit {
            Some(limit) => worst.step > limit + 1e-9,
            None => worst.step >= MAX_STEP - 1e-9,
        };
        if !exceeds && worst.step < WARN_STEP - 1e-9 {
            continue;
        }
        let others = match jumps.iter().filter(|jump| jump.step >= WARN_STEP - 1e-9).count() {
            0 | 1 => String::new(),
            2 => "; one other weight changes likewise".to_owned(),
            count => format!("; {} other weights change likewise", count - 1),
        };
        let message = format!(
            "weight of {} in {} goes {} → {}, {} times {} against the others{}{others}",
            words::endpoint(dialect, worst.endpoint),
            words::pool(dialect, new.pool),
            worst.old,
            worst.new,
            words::factor(worst.step),
            if worst.new > worst.old { "heavier" } else { "lighter" },
            shares(comparison, pair, worst.endpoint),
        );
        let span = worst.endpoint.weight.span().unwrap_or(worst.endpoint.span);
        let mut finding = if exceeds { sink.finding(span, message) } else { sink.lesser(span, message) };
        finding = finding
            .label(format!("was {}", worst.old))
            .help("check for a typing mistake; a step that is meant is safer in smaller ones")
            .pool(&new.pool.name.value)
            .endpoint(&worst.endpoint.name.value);
        for jump in jumps.iter().filter(|jump| jump.endpoint.span != worst.endpoint.span).take(4) {
            let span = jump.endpoint.weight.span().unwrap_or(jump.endpoint.span);
            finding = finding.also(span, format!("`{}` was {}", jump.endpoint.name.value, jump.old));
        }
        sink.push(finding);
    }
}

/// ": 2 % → 83.7 % of its traffic", where known.
fn shares(comparison: &Comparison<'_>, pair: &PoolPair, endpoint: &Endpoint) -> String {
    let pairs = comparison.share_pairs(pair).unwrap_or_default();
    let share = pairs.iter().find(|share| share.new.is_some_and(|(new, _)| new.span == endpoint.span));
    match share.and_then(|share| Some((share.old?.1, share.new?.1))) {
        Some((old, new)) => format!(", {} → {} of the traffic", words::percent(old), words::percent(new)),
        None => String::new(),
    }
}

fn jumps<'a>(comparison: &'a Comparison<'_>, pair: &PoolPair) -> Vec<Jump<'a>> {
    let (old, new) = comparison.sides(pair);
    let both: Vec<(&Endpoint, &Endpoint)> = pair
        .endpoints
        .iter()
        .filter_map(|both| Some((&old.pool.endpoints[both.old?], &new.pool.endpoints[both.new?])))
        .filter(|(old, new)| old.in_rotation() && new.in_rotation())
        .collect();
    let sorted = |weights: &mut Vec<u32>| weights.sort_unstable();
    let (mut before, mut after): (Vec<u32>, Vec<u32>) =
        both.iter().map(|(old, new)| (old.weight.value, new.weight.value)).unzip();
    sorted(&mut before);
    sorted(&mut after);
    both.into_iter()
        .filter(|(old, new)| old.weight.value != new.weight.value)
        .filter_map(|(old, new)| {
            let relative_old = f64::from(old.weight.value) / median_of_others(&before, old.weight.value)?;
            let relative_new = f64::from(new.weight.value) / median_of_others(&after, new.weight.value)?;
            let ratio = relative_new / relative_old;
            let step = ratio.max(1.0 / ratio);
            Some(Jump { endpoint: new, old: old.weight.value, new: new.weight.value, step })
        })
        .filter(|jump| jump.step > 1.0 + 1e-9)
        .collect()
}

/// The lower median of sorted weights with one `own` left out. `None` where there is no other.
fn median_of_others(sorted: &[u32], own: u32) -> Option<f64> {
    let others = sorted.len().checked_sub(1).filter(|count| *count > 0)?;
    let at = sorted.partition_point(|&weight| weight < own);
    let middle = (others - 1) / 2;
    // Past the one left out everything stands one place further on.
    let index = if middle >= at { middle + 1 } else { middle };
    sorted.get(index).map(|&weight| f64::from(weight))
}
