use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::PoolFacts;
use crate::model::{Config, Pool};
use crate::traffic::scenario::room;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::CapacityAfterLoss,
    summary: "After one loss the rest cannot carry the declared peak",
    category: Category::Distribution,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("capacity_after_loss.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        let Some(peak) = context.environment.peak_concurrency(&pool.name.value) else { continue };
        let Some(workers) = counters(context.config, pool) else { continue };
        let largest = facts.active.iter().copied().rev().max_by_key(|&index| limit_of_one(pool, index));
        let Some(largest) = largest else { continue };
        // One slot of a template is one server.
        let lost = limit_of_one(pool, largest);
        let room = |endpoints: &[usize]| Some(room(pool, endpoints)?.saturating_mul(workers));
        let Some(now) = room(&facts.active) else { continue };
        let after = after_loss(pool, facts, largest, lost.saturating_mul(workers), now, &room);
        let finding = if now < peak {
            let message = format!(
                "{} takes at most {now} requests at once, and its declared peak is {peak}",
                words::pool(dialect, pool),
            );
            sink.finding(pool.header, message)
        } else if after < peak {
            let message = format!(
                "{} takes at most {after} requests at once when one of its {} fails, and its declared peak is {peak}",
                words::pool(dialect, pool),
                words::endpoints(dialect, facts.active_members),
            );
            sink.finding(pool.header, message)
        } else {
            continue;
        };
        let mut finding = finding
            .label(format!("peak {peak}"))
            .help("raise the limits, if the machines can take it, or add servers")
            .pool(&pool.name.value);
        if let Some(endpoint) = pool.endpoints.get(largest)
            && let Some(limit) = endpoint.max_connections
        {
            let text = format!("the largest limit: {}", limit.value);
            finding = finding.also(limit.span().unwrap_or(endpoint.span), text);
        }
        sink.push(finding);
    }
}

/// How many times a limit counts, as each nginx worker has counters of its own without a zone. `None`: as often as
/// the machine has processors.
fn counters(config: &Config, pool: &Pool) -> Option<u64> {
    match config.workers {
        Some(workers) if pool.shared_state.is_none() => workers.value.map(u64::from),
        _ => Some(1),
    }
}

/// What one server of an endpoint may have at once; without a limit it is the largest.
fn limit_of_one(pool: &Pool, index: usize) -> u64 {
    let Some(endpoint) = pool.endpoints.get(index) else { return 0 };
    endpoint.most_requests().map_or(u64::MAX, |limit| limit / u64::from(endpoint.slots.max(1)))
}

fn after_loss(
    pool: &Pool,
    facts: &PoolFacts,
    largest: usize,
    lost: u64,
    now: u64,
    room: &dyn Fn(&[usize]) -> Option<u64>,
) -> u64 {
    let slots = pool.endpoints.get(largest).map_or(1, |endpoint| endpoint.slots);
    if slots > 1 {
        return now.saturating_sub(lost);
    }
    let rest: Vec<usize> = facts.active.iter().copied().filter(|&index| index != largest).collect();
    if rest.is_empty() { 0 } else { room(&rest).unwrap_or(now) }
}
