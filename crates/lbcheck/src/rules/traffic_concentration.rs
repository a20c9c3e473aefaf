use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Algorithm, HashKey};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::TrafficConcentration,
    summary: "A few servers of a pool take most of its traffic",
    category: Category::Distribution,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("traffic_concentration.md"),
    check: Check::Config(check),
};

/// Effective over actual number of servers at which a pool is concentrated.
const MIN_EFFECTIVE: f64 = 0.34;
/// The same for a warning.
const WARN_EFFECTIVE: f64 = 0.5;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let limit = context.environment.limits.min_effective_servers.unwrap_or(MIN_EFFECTIVE);
    for (pool, facts) in context.routed_pools() {
        let Some(shares) = facts.sure_shares() else { continue };
        let members = facts.active_members;
        // That `first` fills one server after the other and a constant key picks one is the algorithm's doing,
        // and another rule's matter.
        let by_algorithm = matches!(
            pool.algorithm.value,
            Algorithm::First | Algorithm::Hash { key: HashKey::Constant(_), .. }
        );
        if members < 3 || by_algorithm {
            continue;
        }
        let ratio = shares.effective_endpoints(pool) / members as f64;
        if ratio > limit && ratio >= WARN_EFFECTIVE {
            continue;
        }
        let dialect = context.config.dialect;
        let shares = facts.given(context.config);
        let effective = shares.effective_endpoints(pool);
        let mut order: Vec<usize> = facts.active.clone();
        order.sort_by(|&a, &b| shares.shares[b].total_cmp(&shares.shares[a]).then(a.cmp(&b)));
        let few = most_of_it(&order, &shares.shares);
        let taken: f64 = few.iter().map(|&index| shares.shares[index]).sum();
        let message = format!(
            "{} of {members} {}s of {} get{} {} of its traffic: as uneven as if there were only {} equal ones",
            few.len(),
            dialect.endpoint_noun(),
            words::pool(dialect, pool),
            if few.len() == 1 { "s" } else { "" },
            words::percent(taken),
            words::factor(effective),
        );
        let mut finding = if ratio <= limit {
            sink.finding(pool.header, message)
        } else {
            sink.lesser(pool.header, message)
        };
        finding = finding
            .label(format!("effectively {} of {members}", words::factor(effective)))
            .help(format!(
                "give every {} a weight in proportion to what it can carry",
                dialect.endpoint_noun()
            ))
            .pool(&pool.name.value);
        for &index in few.iter().take(5) {
            let endpoint = &pool.endpoints[index];
            let span = endpoint.weight.span().unwrap_or(endpoint.span);
            finding = finding.also(
                span,
                format!("`{}` gets {}", endpoint.name.value, words::percent(shares.shares[index])),
            );
        }
        sink.push(finding);
    }
}

/// The shortest head of `order` that has at least half of the traffic, and everyone as large as its last.
fn most_of_it(order: &[usize], shares: &[f64]) -> Vec<usize> {
    let mut taken = 0.0;
    let mut least = 0.0;
    let mut few = Vec::new();
    for &index in order {
        if taken >= 0.5 && shares[index] < least - 1e-9 {
            break;
        }
        taken += shares[index];
        least = shares[index];
        few.push(index);
    }
    few
}
