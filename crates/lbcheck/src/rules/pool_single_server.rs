use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::{Dialect, Dialects};
use crate::model::{Endpoint, Host, Membership, PoolKind};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::PoolSingleServer,
    summary: "A pool has only one server",
    category: Category::Pools,
    severity: Severity::Warning,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("pool_single_server.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        if facts.members != 1 || !pool.serves_clients() || pool.membership != Membership::Static {
            continue;
        }
        let Some(only) = pool.endpoints.first() else { continue };
        // An endpoint that is itself out is another rule's offence.
        if facts.active.is_empty() {
            continue;
        }
        let dialect = context.config.dialect;
        let name = words::pool(dialect, pool);
        let message =
            format!("{name} has a single {}: when it fails, nothing takes over", dialect.endpoint_noun());
        let finding = if may_be_several(dialect, only) {
            let text = format!(
                "{name} lists a single {}, a name that may stand for several",
                dialect.endpoint_noun()
            );
            sink.remark(only.span, text)
        } else {
            // A name in HAProxy is one server to it, but may well be another balancer.
            let excused = is_local(&only.address.host) || matches!(only.address.host, Host::Name(_));
            match (pool.kind, excused) {
                (PoolKind::Implicit, true) => sink.remark(only.span, message),
                (PoolKind::Implicit, false) | (PoolKind::Declared, true) => sink.lesser(only.span, message),
                (PoolKind::Declared, false) => sink.finding(only.span, message),
            }
        };
        let finding = finding
            .label("the only one")
            .help("add a second one, or suppress this with the reason why one is enough")
            .pool(&pool.name.value)
            .endpoint(&only.name.value);
        sink.push(finding);
    }
}

fn may_be_several(dialect: Dialect, endpoint: &Endpoint) -> bool {
    match endpoint.address.host {
        Host::Name(_) => endpoint.expands || dialect.description().names_are_services,
        Host::Unknown(_) => true,
        Host::Ip(_) | Host::Unix(_) | Host::Special(_) => false,
    }
}

/// A process on the same machine fails with it, and is rarely run twice.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Ip(ip) => ip.is_loopback(),
        Host::Unix(_) => true,
        Host::Name(name) => name == "localhost",
        Host::Special(_) | Host::Unknown(_) => false,
    }
}
