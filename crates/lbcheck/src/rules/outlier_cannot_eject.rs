use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::{Dialects, Version};
use crate::model::Membership;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::OutlierCannotEject,
    summary: "Outlier detection can never eject anybody",
    category: Category::Health,
    severity: Severity::Warning,
    production: Severity::Error,
    dialects: Dialects::ENVOY,
    docs: include_str!("outlier_cannot_eject.md"),
    check: Check::Config(check),
};

/// Before this version Envoy ejected one host whatever the percentage.
const SINCE: Version = Version::new(1, 28);

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    if context.config.version < SINCE {
        return;
    }
    for (pool, _) in context.routed_pools() {
        let Some(detection) = pool.outlier_detection else { continue };
        let hosts = pool.endpoints.len() as u64;
        let Some(percent) = detection.value.max_ejection_percent else { continue };
        if pool.membership != Membership::Static || hosts < 2 || detection.value.always_eject_one {
            continue;
        }
        if hosts * u64::from(percent) >= 100 {
            continue;
        }
        let dialect = context.config.dialect;
        let name = words::pool(dialect, pool);
        let span = detection.span().unwrap_or(pool.header);
        let expands = pool.endpoints.iter().any(|endpoint| endpoint.expands);
        let finding = if expands {
            let text = format!(
                "outlier detection of {name} may eject {percent} % of its hosts, which is none as long as its {hosts} names have fewer than {} addresses",
                100_u64.div_ceil(u64::from(percent).max(1)),
            );
            sink.remark(span, text)
        } else {
            let text = format!(
                "outlier detection of {name} can never eject: {percent} % of its {} is less than one",
                words::endpoints(dialect, hosts),
            );
            // Nobody writes 0 % by mistake.
            if percent == 0 { sink.remark(span, text) } else { sink.finding(span, text) }
        };
        let enough = 100_u64.div_ceil(hosts);
        let help =
            format!("set `max_ejection_percent` to {enough} or more, or `always_eject_one_host: true`");
        sink.push(finding.label("without effect").help(help).pool(&pool.name.value));
    }
}
