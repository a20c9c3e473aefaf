use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::Membership;
use crate::traffic::scenario::ejectable;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::OutlierEjectionsUndone,
    summary: "Ejections bring on panic, which undoes them",
    category: Category::Health,
    severity: Severity::Info,
    production: Severity::Info,
    dialects: Dialects::ENVOY,
    docs: include_str!("outlier_ejections_undone.md"),
    check: Check::Config(check),
};

/// Envoy's threshold where nothing is written.
const PANIC: u32 = 50;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, _) in context.routed_pools() {
        let Some(detection) = pool.outlier_detection.filter(|detection| detection.value.failures > 0) else {
            continue;
        };
        let hosts = pool.endpoints.len() as u64;
        let expands = pool.endpoints.iter().any(|endpoint| endpoint.expands);
        if pool.membership != Membership::Static || hosts < 2 || expands {
            continue;
        }
        // With several priorities the next one takes over first.
        if pool.endpoints.iter().any(|endpoint| endpoint.tier.value > 0) {
            continue;
        }
        let threshold = pool.panic_threshold_percent.map_or(PANIC, |threshold| threshold.value);
        let Some(most) = ejectable(pool) else { continue };
        let healthy = |ejected: u64| (hosts - ejected.min(hosts)) * 100;
        if threshold == 0 || healthy(most) >= hosts * u64::from(threshold) {
            continue;
        }
        let Some(first) = (1..=most).find(|&ejected| healthy(ejected) < hosts * u64::from(threshold)) else {
            continue;
        };
        let dialect = context.config.dialect;
        let message = format!(
            "outlier detection of {} may eject {most} of {hosts} hosts, but from {first} on fewer than {threshold} % are healthy, and all get traffic again",
            words::pool(dialect, pool),
        );
        let finding = sink
            .remark(detection.span().unwrap_or(pool.header), message)
            .label("panic undoes it")
            .help("lower `max_ejection_percent` below what panic begins at, or set `healthy_panic_threshold` to 0")
            .pool(&pool.name.value);
        sink.push(finding);
    }
}
