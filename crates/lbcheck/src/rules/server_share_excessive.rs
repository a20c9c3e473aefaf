use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::{Algorithm, HashKey, Origin, Pool};
use crate::source::Span;
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::ServerShareExcessive,
    summary: "One server gets far more than its fair share",
    category: Category::Distribution,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("server_share_excessive.md"),
    check: Check::Config(check),
};

/// Share of one server that is too much in a pool of three or more.
const MAX_SHARE: f64 = 0.5;
/// Times the fair share that is too much.
const MAX_TIMES_FAIR: f64 = 4.0;
/// Times the fair share that deserves a warning.
const WARN_TIMES_FAIR: f64 = 3.0;
/// Share of one of two servers that deserves a warning.
const WARN_SHARE_OF_TWO: f64 = 0.9;
/// How far the share that a table gives is from that of the weight before both are told.
const WORTH_SAYING: f64 = 0.005;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let limit = context.environment.limits.max_share;
    for (pool, facts) in context.routed_pools() {
        let Some(shares) = facts.sure_shares() else { continue };
        let members = facts.active_members;
        if members < 2 {
            continue;
        }
        let Some((index, share)) = shares.top(pool) else { continue };
        let times_fair = share * members as f64;
        let excessive = match limit {
            Some(limit) => members >= 3 && share > limit + 1e-9,
            None => members >= 3 && (share > MAX_SHARE + 1e-9 || times_fair >= MAX_TIMES_FAIR - 1e-9),
        };
        let doubtful = match members {
            2 => share > WARN_SHARE_OF_TWO + 1e-9,
            _ => times_fair >= WARN_TIMES_FAIR - 1e-9,
        };
        if !excessive && !doubtful {
            continue;
        }
        let dialect = context.config.dialect;
        let endpoint = &pool.endpoints[index];
        let given = facts.given(context.config);
        let real = given.shares.get(index).map_or(share, |real| real / f64::from(endpoint.slots.max(1)));
        let by_weight = match (real - share).abs() >= WORTH_SAYING {
            true => format!(", {} by its weight", words::percent(share)),
            false => String::new(),
        };
        let message = format!(
            "{} gets {} of the traffic of {}{by_weight}; a fair share among {members} is {}",
            words::endpoint(dialect, endpoint),
            words::percent(real),
            words::pool(dialect, pool),
            words::percent(1.0 / members as f64),
        );
        let mut finding = if excessive {
            sink.finding(cause_span(pool, index), message)
        } else {
            sink.lesser(cause_span(pool, index), message)
        };
        finding = finding
            .label(format!("{} of the traffic", words::percent(real)))
            .pool(&pool.name.value)
            .endpoint(&endpoint.name.value);
        if !matches!(pool.algorithm.value, Algorithm::RoundRobin)
            && let Some(span) = pool.algorithm.span()
        {
            finding = finding.also(span, "the algorithm that decides");
        }
        let equals = given.shares.iter().zip(&pool.endpoints).enumerate().filter(|(other, (each, peer))| {
            *other != index && (*each / f64::from(peer.slots.max(1)) - real).abs() < 1e-9
        });
        for (other, _) in equals.take(3) {
            let peer = &pool.endpoints[other];
            finding = finding.also(cause_span(pool, other), format!("`{}` gets as much", peer.name.value));
        }
        let remedy = if pool.algorithm.value.uses_weights() && !is_constant(&pool.algorithm.value) {
            "even the weights out if it is not meant, or raise `max-share` if the machine is that much larger"
        } else {
            "weights do not help here: choose an algorithm that spreads"
        };
        finding.help = Some(match given.assumptions.first() {
            None => remedy.into(),
            Some(first) => format!("{remedy}; the figure holds when {first}"),
        });
        sink.push(finding);
    }
}

fn is_constant(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Hash { key: HashKey::Constant(_), .. })
}

/// The weight that makes the share, if one is written; otherwise the endpoint.
fn cause_span(pool: &Pool, index: usize) -> Span {
    let endpoint = &pool.endpoints[index];
    match endpoint.weight.origin {
        Origin::Written(span) if endpoint.weight.value != 1 => span,
        _ => endpoint.span,
    }
}
