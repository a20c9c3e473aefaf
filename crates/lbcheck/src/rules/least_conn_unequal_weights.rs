use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::inner;
use crate::model::Algorithm;
use crate::traffic::{Load, placed_shares};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::LeastConnUnequalWeights,
    summary: "Weights under a least-connections policy do not say shares",
    category: Category::Algorithms,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::HAPROXY.and(Dialects::ENVOY),
    docs: include_str!("least_conn_unequal_weights.md"),
    check: Check::Config(check),
};

/// Times the share that a weight asks for, up or down, from which it means something else.
const FAR: f64 = 3.0;
/// Times the share from which a remark is due.
const APART: f64 = 2.0;
/// Requests at once at which shares have settled.
const BUSY: u32 = 1000;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    let language = dialect.description();
    let (load, when) = if language.idle_before_weight {
        (Load::Idle, "at light load")
    } else {
        (Load::Concurrent(BUSY), "under load")
    };
    for (pool, facts) in context.routed_pools() {
        let Algorithm::LeastConnections { .. } = inner(&pool.algorithm.value) else { continue };
        let Some(asked) = facts.sure_shares() else { continue };
        let Some(first) = facts.active(pool).next() else { continue };
        if facts.active(pool).all(|endpoint| endpoint.weight.value == first.weight.value) {
            continue;
        }
        let real = placed_shares(context.config, facts.id, load);
        let times = |index: usize| {
            let share = |shares: &[f64]| shares.get(index).copied().unwrap_or(0.0);
            let (real, asked) = (share(&real.shares), share(&asked.shares));
            if real > 0.0 && asked > 0.0 { (real / asked).max(asked / real) } else { 1.0 }
        };
        let worst = facts.active.iter().rev().max_by(|one, other| times(**one).total_cmp(&times(**other)));
        let Some((&index, endpoint)) = worst.and_then(|index| Some((index, pool.endpoints.get(*index)?)))
        else {
            continue;
        };
        let factor = times(index);
        if factor < APART - 1e-9 {
            continue;
        }
        let share = |shares: &[f64]| words::percent(shares.get(index).copied().unwrap_or(0.0));
        let message = format!(
            "{} of {} gets {} of the traffic {when}, not {} as its weight says: {} does not divide requests by weight",
            words::endpoint(dialect, endpoint),
            words::pool(dialect, pool),
            share(&real.shares),
            share(&asked.shares),
            words::algorithm(dialect, &pool.algorithm.value),
        );
        let span = endpoint.weight.span().unwrap_or(endpoint.span);
        let finding =
            if factor >= FAR - 1e-9 { sink.finding(span, message) } else { sink.remark(span, message) };
        let mut finding = finding
            .label(format!("{} {when}", share(&real.shares)))
            .help(language.advice.share_by_weight)
            .pool(&pool.name.value)
            .endpoint(&endpoint.name.value);
        if let Some(span) = pool.algorithm.span() {
            finding = finding.also(span, "the policy that decides");
        }
        sink.push(finding);
    }
}
