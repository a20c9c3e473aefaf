use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Algorithm, Membership};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::AlgorithmNotAllowed,
    summary: "The algorithm is not one that this environment allows",
    category: Category::Algorithms,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("algorithm_not_allowed.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let environment = context.environment;
    let dialect = context.config.dialect;
    for (pool, facts) in context.routed_pools() {
        // One endpoint is picked whatever the algorithm.
        let choice = facts.members >= 2 || pool.membership != Membership::Static;
        if !choice || !pool.serves_clients() {
            continue;
        }
        let span = pool.algorithm.span().unwrap_or(pool.header);
        let name = words::pool(dialect, pool);
        if environment.require_explicit_algorithm && !pool.algorithm.is_explicit() {
            let message = format!(
                "{name} names no algorithm, which {} requires; the default is {}",
                environment.name,
                words::algorithm(dialect, &pool.algorithm.value),
            );
            sink.push(
                sink.finding(span, message).help("write the algorithm you mean").pool(&pool.name.value),
            );
            continue;
        }
        let algorithm = match &pool.algorithm.value {
            Algorithm::Subset(inner) => inner.as_ref(),
            other => other,
        };
        let policy_name = algorithm.policy_name();
        let allowed = |name: &String| name == "*" || *name == policy_name;
        if matches!(algorithm, Algorithm::Unknown(_)) || environment.allowed_algorithms.iter().any(allowed) {
            continue;
        }
        let in_words = words::algorithm(dialect, algorithm);
        // Who wrote no algorithm gets the default of the version, which may be an assumed one.
        let nobodys = !pool.algorithm.is_explicit();
        let message = if nobodys {
            format!("{name} names no algorithm; the default, {in_words}, is not one for {}", environment.name)
        } else {
            format!("{name} balances by {in_words}, which is not an algorithm for {}", environment.name)
        };
        let finding = match environment.algorithms_from_policy {
            true => sink.finding(span, message),
            false if nobodys => sink.remark(span, message),
            // What a third party's algorithm does is not known to be wrong.
            false if matches!(algorithm, Algorithm::External(_)) => sink.lesser(span, message),
            false => sink.finding(span, message),
        };
        let source = if environment.algorithms_from_policy { "the policy allows" } else { "allowed are" };
        let wish = if nobodys { "write the algorithm you mean; " } else { "" };
        let finding = finding
            .label(format!("`{policy_name}`"))
            .help(format!("{wish}{source}: {}", environment.allowed_algorithms.join(", ")))
            .pool(&pool.name.value);
        sink.push(finding);
    }
}
