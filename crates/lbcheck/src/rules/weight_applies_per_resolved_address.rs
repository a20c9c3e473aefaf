use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::inner;
use crate::model::{Algorithm, HashTable};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::WeightAppliesPerResolvedAddress,
    summary: "A weight on a name counts once for each of its addresses",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::NGINX.and(Dialects::ENVOY),
    docs: include_str!("weight_applies_per_resolved_address.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (pool, facts) in context.routed_pools() {
        let algorithm = inner(&pool.algorithm.value);
        // On nginx's ring a name has one set of points, however many addresses stand behind it.
        let once = matches!(algorithm, Algorithm::Hash { table: HashTable::Ketama, .. });
        if once || !algorithm.uses_weights() {
            continue;
        }
        let Some(first) = facts.active(pool).next() else { continue };
        if facts.active(pool).all(|endpoint| endpoint.weight.value == first.weight.value) {
            continue;
        }
        let heaviest = facts
            .active(pool)
            .filter(|endpoint| endpoint.expands)
            .rev()
            .max_by_key(|endpoint| (endpoint.weight.is_explicit(), endpoint.weight.value));
        let Some(name) = heaviest else { continue };
        let dialect = context.config.dialect;
        let total: u64 = facts.active(pool).map(|endpoint| u64::from(endpoint.weight.value)).sum();
        let weight = u64::from(name.weight.value);
        let share = |addresses: u64| {
            let own = (addresses * weight) as f64;
            words::percent(own / (own + (total - weight) as f64))
        };
        let message = format!(
            "the weight of {} in {} counts for each address of the name: {} of the traffic with one address, {} with three",
            words::endpoint(dialect, name),
            words::pool(dialect, pool),
            share(1),
            share(3),
        );
        let span = name.weight.span().unwrap_or(name.span);
        let language = dialect.description();
        let finding = if language.names_are_services {
            sink.finding(span, message)
        } else {
            sink.remark(span, message)
        };
        let finding = finding
            .label(format!("{weight} for each address"))
            .help(language.advice.divide)
            .pool(&pool.name.value)
            .endpoint(&name.name.value);
        sink.push(finding);
    }
}
