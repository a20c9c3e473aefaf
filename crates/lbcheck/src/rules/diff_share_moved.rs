use super::{Category, Check, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::diff::PoolPair;
use crate::model::Endpoint;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DiffShareMoved,
    summary: "A large share of a pool's traffic changes its server",
    category: Category::Change,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("diff_share_moved.md"),
    check: Check::Change(check),
};

/// Share of the traffic whose move is too much for one change.
const MAX_MOVED: f64 = 0.25;
/// The same for a warning.
const WARN_MOVED: f64 = 0.10;

fn check(comparison: &Comparison<'_>, sink: &mut Sink<'_>) {
    let limit = sink.environment.limits.max_share_moved;
    let dialect = comparison.new.dialect;
    for pair in &comparison.pools {
        let Some(moved) = comparison.share_moved(pair) else { continue };
        let exceeds = match limit {
            Some(limit) => moved > limit + 1e-9,
            None => moved >= MAX_MOVED - 1e-9,
        };
        let (_, new) = comparison.sides(pair);
        if (!exceeds && moved < WARN_MOVED - 1e-9) || !new.facts.routed {
            continue;
        }
        let Some(most) = largest_shift(comparison, pair) else { continue };
        let joined_or_left = pair.endpoints.iter().any(|both| both.old.is_none() || both.new.is_none());
        let message = format!(
            "{} of the traffic of {} moves{}: {} {} → {} ({})",
            words::percent(moved),
            words::pool(dialect, new.pool),
            if joined_or_left { " beyond what members that joined or left explain" } else { "" },
            words::endpoint(dialect, most.endpoint),
            words::percent(most.old),
            words::percent(most.new),
            comparison.cause(pair),
        );
        let span = most.endpoint.weight.span().unwrap_or(new.pool.header);
        let finding = if exceeds { sink.finding(span, message) } else { sink.lesser(span, message) };
        let finding = finding
            .label(format!("{} → {}", words::percent(most.old), words::percent(most.new)))
            .help(format!(
                "if the move is meant, take it in steps that the {}s can bear",
                dialect.endpoint_noun()
            ))
            .pool(&new.pool.name.value)
            .endpoint(&most.endpoint.name.value);
        sink.push(finding);
    }
}

/// The endpoint whose share changes most.
struct Shift<'a> {
    endpoint: &'a Endpoint,
    old: f64,
    new: f64,
}

fn largest_shift<'a>(comparison: &'a Comparison<'_>, pair: &PoolPair) -> Option<Shift<'a>> {
    let mut most: Option<Shift<'a>> = None;
    for share in comparison.share_pairs(pair)? {
        let Some((endpoint, new)) = share.new else { continue };
        let old = share.old.map_or(0.0, |(_, old)| old);
        // What gains is what is in danger; of equal moves the gain comes first, then the order of the file.
        let weight = |shift: &Shift<'_>| ((shift.new - shift.old).abs(), shift.new > shift.old);
        let shift = Shift { endpoint, old, new };
        let larger = most.as_ref().is_none_or(|most| {
            let ((a, gains), (b, gained)) = (weight(&shift), weight(most));
            a > b + 1e-9 || ((a - b).abs() <= 1e-9 && gains && !gained)
        });
        if larger {
            most = Some(shift);
        }
    }
    most
}
