use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::{Dialects, Draws};
use std::collections::BTreeMap;

use crate::model::{Action, Condition, Route, RouteTable, WeightedTarget};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::SplitSumUnexpected,
    summary: "The parts of a split do not add up as they look",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("split_sum_unexpected.md"),
    check: Check::Config(check),
};

/// Sums that look like a hundred percent with a mistake in it.
const NEAR_HUNDRED: std::ops::RangeInclusive<u64> = 80..=120;
/// How far a share may be from what is written before it is worth saying.
const TOLERANCE: f64 = 0.05;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (name, missing) in &context.config.uncovered_splits {
        let message = format!(
            "the split `${}` covers {} of requests; the other {} get an empty value and fail",
            name.value,
            words::percent(1.0 - f64::from(*missing) / 1e6),
            words::percent(f64::from(*missing) / 1e6),
        );
        let finding = sink.finding(name.span, message).label("no line for the rest");
        sink.push(finding.help("add a line `*` for the rest"));
    }
    for table in &context.config.tables {
        match context.config.dialect.description().draws {
            Draws::Each => chain(table, (independent, TOLERANCE), sink),
            Draws::Once => {
                for route in &table.routes {
                    if let Action::Split(arms) = &route.action {
                        weights(route, arms, sink);
                        fraction_of_split(route, arms, sink);
                    }
                }
                // Fractions of one draw are bounds, and whoever knows that writes 30 % and then 60 % for 30 % each.
                chain(table, (shared, f64::INFINITY), sink);
            }
            Draws::Hashed => {}
        }
    }
}

/// Weights that look like percentages and do not add up.
fn weights(route: &Route, arms: &[WeightedTarget], sink: &mut Sink<'_>) {
    let sum: u64 = arms.iter().map(|arm| arm.weight).sum();
    let used = arms.iter().filter(|arm| arm.weight > 0);
    let Some(largest) = used.clone().max_by_key(|arm| arm.weight) else { return };
    if sum == 100 || used.clone().count() < 2 || used.clone().all(|arm| arm.weight == largest.weight) {
        return;
    }
    let rest = sum - largest.weight;
    let extra_digit =
        largest.weight > 100 && without_a_digit(largest.weight).any(|weight| weight + rest == 100);
    if !NEAR_HUNDRED.contains(&sum) && !extra_digit {
        return;
    }
    let share = words::percent(largest.weight as f64 / sum as f64);
    let message = format!(
        "the weights of {} look like percentages but sum to {sum}: weight {} is {share} of the traffic",
        route.label, largest.weight,
    );
    let finding = sink.finding(largest.span, message).label(share).help(if extra_digit {
        "check for an extra digit: without it the weights would sum to 100"
    } else {
        "let the weights sum to 100, so that they say what they are"
    });
    sink.push(finding);
}

/// The numbers that are left when one digit of `number` is taken away.
fn without_a_digit(number: u64) -> impl Iterator<Item = u64> {
    (0..20_u32).map_while(move |place| {
        let unit = 10_u64.checked_pow(place)?;
        (unit <= number).then(|| number / unit / 10 * unit + number % unit)
    })
}

/// What remains of a rule's own share after those before it took theirs.
type Left = fn(f64, &[f64]) -> f64;

/// Drawn anew for each condition.
fn independent(own: f64, before: &[f64]) -> f64 {
    before.iter().fold(own, |left, taken| left * (1.0 - taken))
}

/// One number for all routes of a request, so that a later fraction sees only what exceeds the earlier.
fn shared(own: f64, before: &[f64]) -> f64 {
    (own - before.iter().copied().fold(0.0, f64::max)).max(0.0)
}

/// Rules that differ in nothing but the share they ask for.
fn chain(table: &RouteTable, left: (Left, f64), sink: &mut Sink<'_>) {
    let mut chains: BTreeMap<Vec<&Condition>, Vec<(f64, &Route)>> = BTreeMap::new();
    for route in &table.routes {
        if let Some((share, others)) = chance(&route.when)
            && matches!(route.action, Action::Forward(_) | Action::Split(_))
        {
            chains.entry(others).or_default().push((share, route));
        }
    }
    for chain in chains.values().filter(|chain| chain.len() >= 2) {
        report_chain(chain, left, sink);
    }
}

fn report_chain(chain: &[(f64, &Route)], (left, tolerance): (Left, f64), sink: &mut Sink<'_>) {
    // Every pass costs what is before it; a chain is cut where nobody would write on.
    let chain = chain.get(..chain.len().min(64)).unwrap_or(chain);
    let asked: Vec<f64> = chain.iter().map(|(share, _)| *share).collect();
    let given: Vec<f64> =
        asked.iter().enumerate().map(|(at, own)| left(*own, asked.get(..at).unwrap_or_default())).collect();
    let rest = 1.0 - given.iter().sum::<f64>();
    let even = 1.0 / (given.len() + 1) as f64;
    let dead = given.iter().any(|share| *share <= 0.0);
    // Thirds are written as 33 % and half of the rest: that is somebody who knows.
    if !dead && given.iter().chain([&rest]).all(|share| (share - even).abs() < 0.02) {
        return;
    }
    let worst = asked.iter().zip(&given).map(|(asked, given)| asked - given).enumerate();
    let Some((at, apart)) = worst.max_by(|(_, one), (_, other)| one.total_cmp(other)) else { return };
    if apart < tolerance && !dead {
        return;
    }
    let (Some((share, route)), Some(given)) = (chain.get(at), given.get(at)) else { return };
    let message = if *given <= 0.0 {
        format!(
            "{} asks for {} of requests and gets none: the draw is the same for all routes, and an earlier one takes them",
            route.label,
            words::percent(*share),
        )
    } else {
        format!(
            "`{}` asks for {} of requests and gets {}: it only sees what the rules before it leave",
            route.label,
            words::percent(*share),
            words::percent(*given),
        )
    };
    let mut finding =
        sink.finding(route.span, message).label(format!("{} of requests", words::percent(*given)));
    for (share, other) in chain.iter().take(at.min(3)) {
        finding = finding.also(other.span, format!("takes {} first", words::percent(*share)));
    }
    let help = match *given <= 0.0 {
        true => {
            "use `weighted_clusters` in one route, or add the fractions up: 30 % and then 60 % give 30 % each"
        }
        false => "count each share out of what is left: half, then all of the rest, is 50 % and 50 %",
    };
    sink.push(finding.help(help));
}

/// The share a condition leaves to chance, and its other parts.
fn chance(when: &Condition) -> Option<(f64, Vec<&Condition>)> {
    let drawn = |part: &Condition| match part {
        Condition::Chance(ppm) => Some(f64::from(*ppm) / 1e6),
        Condition::Not(inner) => match inner.as_ref() {
            Condition::Chance(ppm) => Some(1.0 - f64::from(*ppm) / 1e6),
            _ => None,
        },
        _ => None,
    };
    match when {
        Condition::All(parts) => {
            let mut shares = parts.iter().filter_map(drawn);
            let share = shares.next()?;
            if shares.next().is_some() {
                return None;
            }
            Some((share, parts.iter().filter(|part| drawn(part).is_none()).collect()))
        }
        other => Some((drawn(other)?, Vec::new())),
    }
}

/// A route that takes a fraction and splits it: one number serves for both draws.
fn fraction_of_split(route: &Route, arms: &[WeightedTarget], sink: &mut Sink<'_>) {
    let Some((fraction, _)) = chance(&route.when) else { return };
    let sum: u64 = arms.iter().map(|arm| arm.weight).sum();
    // Other sums than that of the fraction's denominator make draws that depend less on each other.
    if sum != 100 {
        return;
    }
    let taken = fraction * 100.0;
    let mut start = 0;
    for arm in arms {
        if arm.weight > 0 && start as f64 >= taken {
            let message = format!(
                "an arm with weight {} of {} gets nothing: one draw decides both the {} that the route takes and the arm",
                arm.weight,
                route.label,
                words::percent(fraction),
            );
            let finding = sink.finding(arm.span, message).label("gets nothing");
            sink.push(
                finding.help("write the final shares as the weights of one route without `runtime_fraction`"),
            );
            return;
        }
        start += arm.weight;
    }
}
