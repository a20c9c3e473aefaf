use super::{Category, Check, Context, Rule, Sink};
use crate::model::Membership;
use crate::words;
use crate::diagnostic::Severity;
use crate::dialect::Dialect;

pub(super) static RULE: Rule = Rule {
    id: "health-check-missing",
    summary: "Nothing takes a dead server of this pool out",
    category: Category::Health,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: &Dialect::ALL,
    docs: include_str!("health_check_missing.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        if facts.members < 2 || !pool.serves_clients() || pool.membership != Membership::Static {
            continue;
        }
        let usable = || pool.endpoints.iter().filter(|endpoint| endpoint.in_rotation());
        if usable().next().is_none() || usable().any(|endpoint| pool.watches(endpoint)) {
            continue;
        }
        let name = words::pool(dialect, pool);
        let (lacking, help) = match dialect {
            Dialect::HaProxy => ("no server has a `check`", "add `check` to every server, or `default-server check`"),
            Dialect::Nginx => ("every server has max_fails=0", "set max_fails to 1 or more"),
            Dialect::Envoy => {
                ("neither health_checks nor outlier_detection is set", "add health_checks, outlier_detection or both")
            }
        };
        let mut finding = sink
            .finding(pool.header, format!("{name} has no failure detection: a dead {} keeps its share", dialect.endpoint_noun()))
            .label(lacking)
            .help(help)
            .pool(&pool.name.value);
        for endpoint in usable().take(3) {
            let span = endpoint.outlier_detection.and_then(|setting| setting.span()).unwrap_or(endpoint.span);
            finding = finding.also(span, format!("nothing notices when `{}` dies", endpoint.name.value));
        }
        sink.push(finding);
    }
}
