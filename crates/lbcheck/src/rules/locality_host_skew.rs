use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::locality_groups;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::LocalityHostSkew,
    summary: "Endpoints of one locality get far more than those of another",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ENVOY,
    docs: include_str!("locality_host_skew.md"),
    check: Check::Config(check),
};

/// Times as much traffic for each endpoint that is too much.
const MAX_RATIO: f64 = 3.0;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, _) in context.routed_pools() {
        if pool.locality_weighted.is_none() {
            continue;
        }
        for group in locality_groups(pool) {
            let each =
                |member: &crate::facts::LocalityMember| f64::from(member.weight(pool)) / member.hosts as f64;
            let weighted = || group.members.iter().filter(|member| member.weight(pool) > 0);
            let most = weighted().rev().max_by(|one, other| each(one).total_cmp(&each(other)));
            let least = weighted().min_by(|one, other| each(one).total_cmp(&each(other)));
            let (Some(most), Some(least)) = (most, least) else { continue };
            let ratio = each(most) / each(least);
            // Between localities of one size the weights are the shares, and somebody chose them.
            if ratio < MAX_RATIO - 1e-9 || most.hosts == least.hosts {
                continue;
            }
            let (Some(high), Some(low)) = (pool.localities.get(most.index), pool.localities.get(least.index))
            else {
                continue;
            };
            let dialect = context.config.dialect;
            let message = format!(
                "each of the {} in locality `{}` of {} gets {} times the traffic of each of the {} in `{}`",
                words::endpoints(dialect, most.hosts),
                high.name,
                words::pool(dialect, pool),
                words::factor(ratio),
                words::endpoints(dialect, least.hosts),
                low.name,
            );
            let span = high.weight.and_then(|weight| weight.span()).unwrap_or(high.span);
            let mut finding = sink
                .finding(span, message)
                .label(format!("weight {} for {}", most.weight(pool), words::endpoints(dialect, most.hosts)))
                .help("let the weights of localities follow the number of their endpoints")
                .pool(&pool.name.value);
            let span = low.weight.and_then(|weight| weight.span()).unwrap_or(low.span);
            let text =
                format!("weight {} for {}", least.weight(pool), words::endpoints(dialect, least.hosts));
            finding = finding.also(span, text);
            sink.push(finding);
        }
    }
}
