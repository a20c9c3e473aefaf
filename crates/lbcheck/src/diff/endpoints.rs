//! Endpoints before and after.

use super::settings::{Difference, differing};
use super::{Comparison, Outcome, PoolPair};
use crate::describe::Describer;
use crate::diagnostic::Subject;
use crate::dialect::Dialect;
use crate::model::{Algorithm, Endpoint, HashTable, Pool};
use crate::report::{Change, ChangeKind, Effect};
use crate::words;

/// The endpoints of a pair of pools.
pub(super) fn compare(
    comparison: &Comparison<'_>,
    (before, after): (&Describer<'_>, &Describer<'_>),
    pair: &PoolPair,
    outcome: &mut Outcome,
) {
    let (old_side, new_side) = comparison.sides(pair);
    outcome.changes.extend(order(comparison.new.dialect, old_side.pool, new_side.pool, pair));
    for both in &pair.endpoints {
        let old = both.old.map(|index| &old_side.pool.endpoints[index]);
        let new = both.new.map(|index| &new_side.pool.endpoints[index]);
        let Some(named) = new.or(old) else { continue };
        let subject = Subject {
            pool: Some(new_side.pool.name.value.clone()),
            endpoint: Some(named.name.value.clone()),
        };
        let shown = |endpoint: &Endpoint| (Some(describe(endpoint)), Some(endpoint.span));
        match (old, new) {
            (Some(old), Some(new)) => {
                outcome.changes.extend(renamed(&subject, old, new));
                let known = outcome.changes.len();
                let described = (before.endpoint(old_side.pool, old), after.endpoint(new_side.pool, new));
                let differences = differing(described.0, described.1);
                outcome.changes.extend(differences.map(|difference| difference.of(&subject)));
                outcome.summary.endpoints_changed += usize::from(outcome.changes.len() > known);
            }
            (None, Some(new)) => {
                outcome.summary.endpoints_added += 1;
                let added =
                    Difference { kind: ChangeKind::EndpointAdded, old: (None, None), new: shown(new) };
                outcome.changes.push(added.of(&subject));
            }
            (Some(old), None) => {
                outcome.summary.endpoints_removed += 1;
                let removed =
                    Difference { kind: ChangeKind::EndpointRemoved, old: shown(old), new: (None, None) };
                outcome.changes.push(removed.of(&subject));
            }
            (None, None) => {}
        }
    }
}

/// The order of endpoints that are on both sides, where it decides anything.
fn order(dialect: Dialect, old: &Pool, new: &Pool, pair: &PoolPair) -> Option<Change> {
    let old_order: Vec<usize> =
        pair.endpoints.iter().filter(|both| both.new.is_some()).filter_map(|both| both.old).collect();
    // Of backups that do not share, the first that is up serves.
    let first_serves = new.all_backups.is_some_and(|all| !all.value);
    let is_backup = |&at: &usize| old.endpoints.get(at).is_some_and(|endpoint| endpoint.tier.value > 0);
    let decides = match (by_table(dialect, new), first_serves) {
        (true, _) => !old_order.is_sorted(),
        (false, true) => !old_order.iter().copied().filter(is_backup).is_sorted(),
        (false, false) => false,
    };
    if !decides {
        return None;
    }
    let names = |pool: &Pool| {
        let all: Vec<&str> = pool.endpoints.iter().map(|endpoint| endpoint.name.value.as_str()).collect();
        format!("order {}", words::names(all.into_iter(), 5))
    };
    let subject = Subject { pool: Some(new.name.value.clone()), endpoint: None };
    Some(Change {
        kind: ChangeKind::EndpointsReordered,
        effect: Effect::Behavioural,
        subject,
        old: Some(names(old)),
        new: Some(names(new)),
        old_span: Some(old.header),
        new_span: Some(new.header),
    })
}

/// Whether the order of a pool's endpoints decides where keys or traffic go: tables that are filled in order, and rings
/// of numbered servers without ids.
fn by_table(dialect: Dialect, pool: &Pool) -> bool {
    let unnumbered = pool.endpoints.iter().any(|endpoint| endpoint.id.is_none());
    match &pool.algorithm.value {
        Algorithm::First => unnumbered,
        Algorithm::Hash { table: HashTable::Map | HashTable::IpHash, .. } => true,
        Algorithm::Hash { table: HashTable::Ring, .. } => unnumbered,
        Algorithm::Random { .. } => dialect.description().random_on_ring && unnumbered,
        _ => false,
    }
}

fn describe(endpoint: &Endpoint) -> String {
    format!("{} weight {}", endpoint.address, endpoint.weight.value)
}

/// A name of its own that changed. Where the name is the address's own text, writing it differently changes neither.
fn renamed(subject: &Subject, old: &Endpoint, new: &Endpoint) -> Option<Change> {
    (old.name.value != new.name.value && old.address == new.address).then(|| Change {
        kind: ChangeKind::EndpointRenamed,
        effect: Effect::Cosmetic,
        subject: subject.clone(),
        old: Some(old.name.value.clone()),
        new: Some(new.name.value.clone()),
        old_span: Some(old.name.span),
        new_span: Some(new.name.span),
    })
}
