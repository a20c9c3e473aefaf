use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::Algorithm;
use crate::traffic::{Load, placed_shares};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::RandomTwoUnequalWeights,
    summary: "Unequal weights under `random two` invert at light load",
    category: Category::Algorithms,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::NGINX,
    docs: include_str!("random_two_unequal_weights.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        let Algorithm::Random { draws: 2, .. } = &pool.algorithm.value else { continue };
        let Some(asked) = facts.sure_shares() else { continue };
        let Some(first) = facts.active(pool).next() else { continue };
        if facts.active(pool).all(|endpoint| endpoint.weight.value == first.weight.value) {
            continue;
        }
        let idle = placed_shares(context.config, facts.id, Load::Idle);
        let apart = |&&index: &&usize| {
            let share = |shares: &[f64]| shares.get(index).copied().unwrap_or(0.0);
            (share(&idle.shares) - share(&asked.shares)).abs()
        };
        let worst = facts.active.iter().rev().max_by(|one, other| apart(one).total_cmp(&apart(other)));
        let Some((&index, endpoint)) = worst.and_then(|index| Some((index, pool.endpoints.get(*index)?)))
        else {
            continue;
        };
        let dialect = context.config.dialect;
        let share = |shares: &[f64]| words::percent(shares.get(index).copied().unwrap_or(0.0));
        let message = format!(
            "{} of {} gets {} of the traffic while the servers are idle, not {} as its weight says: random two draws two different servers",
            words::endpoint(dialect, endpoint),
            words::pool(dialect, pool),
            share(&idle.shares),
            share(&asked.shares),
        );
        let mut finding = sink
            .finding(endpoint.weight.span().unwrap_or(endpoint.span), message)
            .label(format!("{} when idle", share(&idle.shares)))
            .help("give the servers equal weights, or use `random`, `least_conn` or round robin, which keep to weights")
            .pool(&pool.name.value)
            .endpoint(&endpoint.name.value);
        if let Some(span) = pool.algorithm.span() {
            finding = finding.also(span, "the method that distorts them");
        }
        sink.push(finding);
    }
}
