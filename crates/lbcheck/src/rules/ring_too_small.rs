use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::facts::{PoolFacts, inner};
use crate::model::{Algorithm, Config, HashTable, Pool};
use crate::traffic::{Certainty, Load, Placement, placed_shares};
use crate::words;

pub(super) static RULE: Rule = Rule {
    id: RuleId::RingTooSmall,
    summary: "The hash table is too small to share evenly",
    category: Category::Distribution,
    severity: Severity::Warning,
    production: Severity::Warning,
    dialects: Dialects::HAPROXY.and(Dialects::ENVOY),
    docs: include_str!("ring_too_small.md"),
    check: Check::Config(check),
};

/// Times its share from which one server gets too much.
const TOO_MUCH: f64 = 1.5;
/// The same for a remark.
const MUCH: f64 = 1.3;
/// Part of its share below which one server gets too little; nobody is overloaded by that, so it may be more.
const TOO_LITTLE: f64 = 0.5;
/// The same for a remark.
const LITTLE: f64 = 0.6;
/// Points of the ring for the smallest server from which it is even enough not to be computed.
const MANY_POINTS: f64 = 300.0;

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let config = context.config;
    for (pool, facts) in context.routed_pools() {
        let Some(asked) = facts.sure_shares().filter(|_| facts.active_members >= 2) else { continue };
        let smallest = asked.shares.iter().copied().filter(|share| *share > 0.0).fold(1.0, f64::min);
        let Some(mut table) = table(config, pool, smallest) else { continue };
        let Some((placed, entries)) = placed(config, pool, facts) else { continue };
        if let (Algorithm::Hash { table: HashTable::EnvoyRing { .. }, .. }, Some(entries)) =
            (inner(&pool.algorithm.value), entries)
        {
            table.what = format!("a ring of {entries} entries");
        }
        let parts = || {
            let parts = placed.iter().zip(&asked.shares).enumerate();
            parts.filter(|(_, (_, asked))| **asked > 0.0).map(|(index, (real, asked))| (index, real / asked))
        };
        // The first of equals.
        let most = parts().reduce(|best, next| if next.1 > best.1 + 1e-9 { next } else { best });
        let least = parts().reduce(|best, next| if next.1 < best.1 - 1e-9 { next } else { best });
        let (Some(most), Some(least)) = (most, least) else { continue };
        let too_uneven = most.1 >= TOO_MUCH || least.1 <= TOO_LITTLE;
        if !too_uneven && most.1 < MUCH && least.1 > LITTLE {
            continue;
        }
        let index = if least.1 <= TOO_LITTLE && most.1 < TOO_MUCH { least.0 } else { most.0 };
        report(context, pool, facts, &table, (index, too_uneven), &placed, sink);
    }
}

/// What a table is called, and what makes it larger.
struct Sized {
    what: String,
    help: &'static str,
}

/// The table of a pool. `None`: there is none, or it is large enough.
fn table(config: &Config, pool: &Pool, smallest: f64) -> Option<Sized> {
    let ring = || Sized {
        what: "a ring with 16 points for each unit of weight".into(),
        help: "multiply all weights by the same number, such as 100 in place of 1",
    };
    let lightest = pool
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.in_rotation())
        .map(|endpoint| endpoint.weight.value)
        .min()?;
    let many = f64::from(lightest) * 16.0 >= MANY_POINTS;
    match inner(&pool.algorithm.value) {
        Algorithm::Hash { table: HashTable::Ring, .. } => (!many).then(ring),
        Algorithm::Random { .. } if config.dialect.description().random_on_ring => (!many).then(ring),
        Algorithm::Hash { table: HashTable::EnvoyRing { min, max }, .. } => {
            let entries = (*min).min(*max);
            (entries > 0 && entries as f64 * smallest < MANY_POINTS).then(|| Sized {
                what: format!("a ring of about {entries} entries"),
                help: "raise `minimum_ring_size`, or use MAGLEV",
            })
        }
        Algorithm::Hash { table: HashTable::Maglev { size }, .. } => {
            (*size as f64 * smallest < MANY_POINTS).then(|| Sized {
                what: format!("a table of {size} slots"),
                help: "raise `table_size` to a prime number of at least a hundred times the number of endpoints",
            })
        }
        _ => None,
    }
}

/// The real shares, and how many entries the table has that makes them.
fn placed(config: &Config, pool: &Pool, facts: &PoolFacts) -> Option<(Vec<f64>, Option<usize>)> {
    if let Algorithm::Hash { .. } = &pool.algorithm.value {
        let placement = Placement::new(config, facts.id).ok()?;
        return Some((placement.shares(), placement.entries()));
    }
    let placed = placed_shares(config, facts.id, Load::Idle);
    (placed.certainty <= Certainty::Expected).then_some((placed.shares, None))
}

fn report(
    context: &Context<'_>,
    pool: &Pool,
    facts: &PoolFacts,
    table: &Sized,
    (index, too_uneven): (usize, bool),
    placed: &[f64],
    sink: &mut Sink<'_>,
) {
    let Some(endpoint) = pool.endpoints.get(index) else { return };
    let dialect = context.config.dialect;
    let percent = |shares: &[f64]| words::percent(shares.get(index).copied().unwrap_or(0.0));
    let message = format!(
        "{} of {} gets {} of the keys, not {}: {} is too small for {}",
        words::endpoint(dialect, endpoint),
        words::pool(dialect, pool),
        percent(placed),
        percent(&facts.shares.shares),
        table.what,
        words::endpoints(dialect, facts.active_members),
    );
    let span = pool.algorithm.span().unwrap_or(pool.header);
    let finding = if too_uneven { sink.finding(span, message) } else { sink.remark(span, message) };
    let finding = finding.label("too small").help(table.help).pool(&pool.name.value);
    sink.push(
        finding
            .also(endpoint.span, format!("{} of the keys", percent(placed)))
            .endpoint(&endpoint.name.value),
    );
}
