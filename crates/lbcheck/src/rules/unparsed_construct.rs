use super::{Category, Check, Context, Rule, Sink};
use crate::model::{Membership, Pool, PoolId, Weakens};
use crate::words;
use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;

pub(super) static RULE: Rule = Rule {
    id: RuleId::UnparsedConstruct,
    summary: "Something lbcheck cannot conclude from, and what that weakens",
    category: Category::Completeness,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("unparsed_construct.md"),
    check: Check::Config(check),
};

/// Pools named in one finding.
const MAX_NAMES: usize = 5;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let config = context.config;
    for gap in config.coverage.gaps.iter().filter(|gap| !gap.told) {
        let (weakened, pool) = match gap.weakens {
            Weakens::Pool(id) => {
                let pool = config.pool(id);
                let name = words::pool(config.dialect, pool);
                (format!("members and shares of {name} are not verified"), Some(&pool.name.value))
            }
            Weakens::Routing => ("which pool a request reaches is not verified".into(), None),
            Weakens::Everything => ("part of the configuration was not read".into(), None),
        };
        let message = format!("not understood: {}; {weakened}", gap.what);
        let mut finding = match gap.weakens {
            Weakens::Everything => sink.finding(gap.span, message),
            Weakens::Pool(_) | Weakens::Routing => sink.lesser(gap.span, message),
        };
        finding.subject.pool = pool.cloned();
        sink.push(finding);
    }
    if let Some(span) = config.serves_other {
        let message = "not modelled: this section serves something other than routed traffic".to_owned();
        sink.push(sink.lesser(span, message));
    }
    unknown_members(context, sink);
    dynamic_routes(context, sink);
}

/// One finding for each reason, however many pools it holds for.
fn unknown_members(context: &Context<'_>, sink: &mut Sink<'_>) {
    let config = context.config;
    let has_gap: BTreeSet<PoolId> = config
        .coverage
        .gaps
        .iter()
        .filter_map(|gap| match gap.weakens {
            Weakens::Pool(id) => Some(id),
            Weakens::Routing | Weakens::Everything => None,
        })
        .collect();
    let mut by_reason: BTreeMap<&str, Vec<&Pool>> = BTreeMap::new();
    for (id, pool) in config.pools() {
        if let Membership::Unknown(reason) = &pool.membership
            && !has_gap.contains(&id)
        {
            by_reason.entry(reason).or_default().push(pool);
        }
    }
    for (reason, pools) in by_reason {
        let Some(first) = pools.first() else { continue };
        let names = words::names(pools.iter().map(|pool| pool.name.value.as_str()), MAX_NAMES);
        let noun = config.dialect.pool_noun();
        let noun = if pools.len() == 1 { noun.to_owned() } else { format!("{noun}s") };
        let message = format!(
            "members of {noun} {names} are not in the configuration: {reason}; no rule about them can speak"
        );
        sink.push(sink.lesser(first.header, message).label(reason).pool(&first.name.value));
    }
}

/// One finding for all routes of which the configuration does not say where they lead.
fn dynamic_routes(context: &Context<'_>, sink: &mut Sink<'_>) {
    let routes = &context.facts.dynamic_routes;
    let Some(&first) = routes.first() else { return };
    let count = match routes.len() {
        1 => "one route".to_owned(),
        count => format!("{count} routes"),
    };
    let noun = context.config.dialect.pool_noun();
    let message = format!(
        "the {noun} of {count} is chosen at run time: which requests reach which {noun} is not verified"
    );
    let mut finding = sink.lesser(first, message).label("known only at run time");
    for &other in routes.iter().skip(1).take(3) {
        finding = finding.also(other, "this one too");
    }
    sink.push(finding);
}
