use super::pool_no_redundancy_in_rotation::idle_reason;
use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::Membership;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::PoolNoActiveServer,
    summary: "A pool has servers, but none of them can take traffic",
    category: Category::Pools,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("pool_no_active_server.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.pools() {
        if let Some(span) = pool.disabled
            && !facts.uses.is_empty()
            && !pool.endpoints.is_empty()
        {
            let name = words::pool(context.config.dialect, pool);
            let mut finding = sink
                .finding(span, format!("{name} is switched off, and routes lead to it"))
                .label("switches all of it off")
                .help("switch it on again, or send these requests elsewhere")
                .pool(&pool.name.value);
            for &used in facts.uses.iter().take(3) {
                finding = finding.also(used, "routed here");
            }
            sink.push(finding);
            continue;
        }
        if pool.endpoints.is_empty() || !facts.active.is_empty() || !pool.serves_clients() {
            continue;
        }
        if pool.membership != Membership::Static {
            continue;
        }
        let dialect = context.config.dialect;
        let name = words::pool(dialect, pool);
        let noun = dialect.endpoint_noun();
        let backup = pool.endpoints.iter().find(|endpoint| endpoint.in_rotation());
        let out = pool.endpoints.iter().filter(|endpoint| !endpoint.in_rotation()).count();
        let mut finding = match backup {
            Some(_) if pool.all_backups.is_some_and(|all| all.value) => sink
                .lesser(pool.header, format!("{name} runs on its backup {noun}s: no active {noun} is left")),
            Some(backup) => sink.lesser(
                pool.header,
                format!(
                    "{name} runs on its backup {} only: no active {noun} is left",
                    words::endpoint(dialect, backup)
                ),
            ),
            None if !facts.routed => sink.remark(
                pool.header,
                format!("{name}, which no route names, has no {noun} that can take traffic"),
            ),
            None => sink.finding(
                pool.header,
                format!(
                    "{name} has {}, but none of them takes traffic",
                    words::endpoints(dialect, facts.members)
                ),
            ),
        };
        finding = finding
            .label(match out {
                0 => "backups only".to_owned(),
                out => format!("{} taken out", words::endpoints(dialect, out as u64)),
            })
            .help(format!("bring at least one {noun} back, or remove the routes that lead here"))
            .pool(&pool.name.value);
        for endpoint in pool.endpoints.iter().take(5) {
            if let Some((span, why)) = idle_reason(endpoint, 0) {
                finding = finding.also(span, why);
            }
        }
        sink.push(finding);
    }
}
