use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Algorithm, Endpoint};
use crate::traffic::ids;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::AlgorithmFirstWithoutMaxconn,
    summary: "`balance first` sends everything to one server until it has a maxconn",
    category: Category::Algorithms,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::HAPROXY,
    docs: include_str!("algorithm_first_without_maxconn.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        if pool.algorithm.value != Algorithm::First || facts.active_members < 2 {
            continue;
        }
        let unlimited = |endpoint: &&Endpoint| endpoint.max_connections.is_none_or(|limit| limit.value == 0);
        // HAProxy goes by ascending id, which is the order of the file only where no id is written.
        let ids = ids(pool);
        let mut order = facts.active.clone();
        order.sort_by_key(|&index| ids[index]);
        let mut in_order = order.iter().map(|&index| &pool.endpoints[index]);
        let Some(open) = in_order.find(unlimited) else { continue };
        let span = pool.algorithm.span().unwrap_or(pool.header);
        let message = format!(
            "{} uses `balance first` and {} has no maxconn: no server after it is ever used",
            words::pool(dialect, pool),
            words::endpoint(dialect, open),
        );
        let finding = sink
            .finding(span, message)
            .label("fills one server before it uses the next")
            .also(open.span, "takes everything that reaches it")
            .help("set maxconn on every server, or balance by roundrobin or leastconn")
            .pool(&pool.name.value)
            .endpoint(&open.name.value);
        sink.push(finding);
    }
}
