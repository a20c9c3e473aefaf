use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::{LocalityGroup, inner, locality_groups};
use crate::model::{Algorithm, Pool};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::LocalityUnweightedGetsZero,
    summary: "A locality without a weight gets no traffic",
    category: Category::Distribution,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ENVOY,
    docs: include_str!("locality_unweighted_gets_zero.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, _) in context.routed_pools() {
        if pool.locality_weighted.is_none() {
            continue;
        }
        for group in locality_groups(pool) {
            let unweighted = group.members.iter().filter(|member| member.weight(pool) == 0).count();
            if unweighted == group.members.len() {
                nothing_weighted(context, pool, &group, sink);
            } else if unweighted > 0 {
                some_unweighted(context, pool, &group, sink);
            }
        }
    }
}

fn some_unweighted(context: &Context<'_>, pool: &Pool, group: &LocalityGroup, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for member in group.members.iter().filter(|member| member.weight(pool) == 0) {
        let Some(locality) = pool.localities.get(member.index) else { continue };
        let message = format!(
            "locality `{}` of {} has no weight, so no traffic goes to its {}",
            locality.name,
            words::pool(dialect, pool),
            words::endpoints(dialect, member.hosts),
        );
        let mut finding = sink
            .finding(locality.span, message)
            .label("no `load_balancing_weight`")
            .help("give every locality a weight, for example the number of its endpoints")
            .pool(&pool.name.value);
        if let Some(span) = pool.locality_weighted {
            finding = finding.also(span, "what makes locality weights count");
        }
        sink.push(finding);
    }
}

/// A table built of localities without weight is empty; the other policies fall back to a flat list.
fn nothing_weighted(context: &Context<'_>, pool: &Pool, group: &LocalityGroup, sink: &mut Sink<'_>) {
    let Algorithm::Hash { .. } = inner(&pool.algorithm.value) else { return };
    // A later priority is used only when the first ones fail, and is as empty then.
    let Some(locality) = group.members.first().and_then(|member| pool.localities.get(member.index)) else {
        return;
    };
    let dialect = context.config.dialect;
    let message = format!(
        "no locality of {} has a weight, so {} builds an empty table and Envoy answers every request with 503",
        words::pool(dialect, pool),
        words::algorithm(dialect, &pool.algorithm.value),
    );
    let mut finding = sink
        .finding(locality.span, message)
        .label("no `load_balancing_weight`")
        .help("give every locality a weight, or remove `locality_weighted_lb_config`")
        .pool(&pool.name.value);
    if let Some(span) = pool.locality_weighted {
        finding = finding.also(span, "what makes locality weights count");
    }
    sink.push(finding);
}
