use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::{LocalityGroup, inner, locality_groups};
use crate::model::{Algorithm, Pool};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::LocalityWeightIgnored,
    summary: "Locality weights are written, and nothing makes them count",
    category: Category::Distribution,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ENVOY,
    docs: include_str!("locality_weight_ignored.md"),
    check: Check::Config(check),
};

/// Shares that differ by less are the same to anybody.
const SAME: f64 = 0.01;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, _) in context.routed_pools() {
        if pool.locality_weighted.is_some() || !picks_hosts(pool) {
            continue;
        }
        for group in locality_groups(pool) {
            report(context, pool, &group, sink);
        }
    }
}

/// Whether endpoints are picked from one flat list, which is what makes locality weights idle.
fn picks_hosts(pool: &Pool) -> bool {
    matches!(
        inner(&pool.algorithm.value),
        Algorithm::RoundRobin
            | Algorithm::LeastConnections { .. }
            | Algorithm::Random { .. }
            | Algorithm::Hash { .. }
    )
}

fn report(context: &Context<'_>, pool: &Pool, group: &LocalityGroup, sink: &mut Sink<'_>) {
    let weights: f64 = group.members.iter().map(|member| f64::from(member.weight(pool))).sum();
    let flat: f64 = group.members.iter().map(|member| member.flat).sum();
    if group.members.len() < 2 || weights <= 0.0 || flat <= 0.0 {
        return;
    }
    let asked = |weight: u32| f64::from(weight) / weights;
    let farthest = group.members.iter().max_by(|one, other| {
        let apart =
            |member: &crate::facts::LocalityMember| (asked(member.weight(pool)) - member.flat / flat).abs();
        apart(one).total_cmp(&apart(other))
    });
    let Some(farthest) = farthest else { return };
    let (wanted, given) = (asked(farthest.weight(pool)), farthest.flat / flat);
    if (wanted - given).abs() < SAME {
        return;
    }
    let Some(locality) = pool.localities.get(farthest.index) else { return };
    let dialect = context.config.dialect;
    let span = locality.weight.and_then(|weight| weight.span()).unwrap_or(locality.span);
    let message = format!(
        "the locality weights of {} are ignored: locality `{}` gets {} of the traffic by its endpoints, not {} by its weight",
        words::pool(dialect, pool),
        locality.name,
        words::percent(given),
        words::percent(wanted),
    );
    let finding = sink.finding(span, message).label("ignored").help(
        "add `common_lb_config: { locality_weighted_lb_config: {} }` to the cluster, or remove the weights",
    );
    sink.push(finding.pool(&pool.name.value));
}
