use super::{Category, Check, Context, Rule, Sink};
use std::collections::BTreeMap;

use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Endpoint, Host};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::DuplicateServer,
    summary: "One address is listed twice in a pool and gets a double share",
    category: Category::Pools,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::ALL,
    docs: include_str!("duplicate_server.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.pools() {
        let mut first_at: BTreeMap<String, &Endpoint> = BTreeMap::new();
        for endpoint in facts.active(pool) {
            if matches!(endpoint.address.host, Host::Unknown(_) | Host::Special(_)) {
                continue;
            }
            let address = endpoint.address.to_string();
            let repeated = endpoint.slots > 1 && matches!(endpoint.address.host, Host::Ip(_));
            let Some(first) = first_at.get(&address).copied().or(repeated.then_some(endpoint)) else {
                first_at.insert(address, endpoint);
                continue;
            };
            let message = format!(
                "{address} is in {} more than once: it gets the traffic of several {}s",
                words::pool(dialect, pool),
                dialect.endpoint_noun(),
            );
            let mut finding = sink
                .finding(endpoint.span, message)
                .label("listed again")
                .help("remove one of them; to give it more, raise its weight")
                .pool(&pool.name.value)
                .endpoint(&endpoint.name.value);
            if first.span == endpoint.span {
                finding.primary.message = format!("{} times the same address", endpoint.slots);
            } else {
                finding = finding.also(first.span, "first listed here");
            }
            sink.push(finding);
        }
    }
}
