use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{AdminState, Endpoint, Membership, Mode};
use crate::source::Span;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::PoolNoRedundancyInRotation,
    summary: "Of several servers only one takes traffic in normal times",
    category: Category::Pools,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("pool_no_redundancy_in_rotation.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        if facts.members < 2 || facts.active_members != 1 || !pool.serves_clients() {
            continue;
        }
        let Some(only) = facts.active(pool).next() else { continue };
        if pool.membership != Membership::Static {
            continue;
        }
        let dialect = context.config.dialect;
        let message = format!(
            "only {} of {} takes traffic; the other {} in reserve or taken out",
            words::endpoint(dialect, only),
            words::pool(dialect, pool),
            match facts.members - 1 {
                1 => format!("{} is", dialect.endpoint_noun()),
                rest => format!("{rest} are"),
            },
        );
        // Two servers in TCP mode are the usual shape of a database with its standby.
        let pair = pool.mode.value == Mode::Tcp && facts.members == 2;
        let mut finding = if only.expands {
            sink.remark(only.span, format!("{message} (unless its name has several addresses)"))
        } else if pair {
            sink.lesser(only.span, message)
        } else {
            sink.finding(only.span, message)
        };
        finding = finding
            .label("takes all the traffic")
            .help("if one is enough by design, suppress this with a reason; otherwise bring the others back into rotation")
            .pool(&pool.name.value)
            .endpoint(&only.name.value);
        let tier = only.tier.value;
        for (span, why) in pool.endpoints.iter().filter_map(|endpoint| idle_reason(endpoint, tier)).take(5) {
            finding = finding.also(span, why);
        }
        sink.push(finding);
    }
}

/// Why an endpoint takes no traffic while `tier` serves, and where that is written.
pub(super) fn idle_reason(endpoint: &Endpoint, tier: u32) -> Option<(Span, String)> {
    let name = &endpoint.name.value;
    let at = |written: Option<Span>| written.unwrap_or(endpoint.span);
    match endpoint.state.value {
        AdminState::Disabled => {
            return Some((at(endpoint.state.span()), format!("`{name}` is switched off")));
        }
        AdminState::Draining => return Some((at(endpoint.state.span()), format!("`{name}` is draining"))),
        AdminState::Enabled => {}
    }
    if endpoint.weight.value == 0 {
        return Some((at(endpoint.weight.span()), format!("`{name}` has weight 0")));
    }
    if endpoint.tier.value > tier {
        return Some((at(endpoint.tier.span()), format!("`{name}` is a backup")));
    }
    None
}
