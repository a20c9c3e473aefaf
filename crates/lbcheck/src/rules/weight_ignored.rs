use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::Membership;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::WeightIgnored,
    summary: "Weights are set where the algorithm ignores them",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("weight_ignored.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        let weighted = || {
            facts.active(pool).filter(|endpoint| endpoint.weight.is_explicit() && endpoint.weight.value != 1)
        };
        let Some(first) = weighted().next() else { continue };
        let span = first.weight.span().unwrap_or(first.span);
        let name = words::pool(dialect, pool);
        // Where controllers write a weight on every server, one says nothing.
        let meant = !dialect.description().weights_everywhere;
        if pool.endpoints.len() == 1 && meant && pool.membership == Membership::Static {
            let message = format!(
                "the weight of {} has no effect: it is the only {} of {name}",
                words::endpoint(dialect, first),
                dialect.endpoint_noun(),
            );
            let finding =
                sink.remark(span, message).label("no effect").help("remove it").pool(&pool.name.value);
            sink.push(finding.endpoint(&first.name.value));
            continue;
        }
        if pool.algorithm.value.uses_weights() {
            continue;
        }
        let uniform = facts.active(pool).all(|endpoint| endpoint.weight.value == first.weight.value);
        let algorithm = words::algorithm(dialect, &pool.algorithm.value);
        let message = format!("the weights of {name} have no effect: {algorithm} ignores them");
        let mut finding = if uniform { sink.remark(span, message) } else { sink.finding(span, message) };
        finding = finding
            .label("ignored")
            .help("choose an algorithm that uses weights, or remove them so that nobody relies on them")
            .pool(&pool.name.value);
        if let Some(span) = pool.algorithm.span() {
            finding = finding.also(span, "the algorithm that ignores them");
        }
        sink.push(finding);
    }
}
