//! Settings before and after, as two descriptions side by side, and pools that came or went.

use super::{Comparison, Outcome, PoolPair};
use crate::describe::{Described, Describer, Value};
use crate::diagnostic::Subject;
use crate::dialect::Dialect;
use crate::effect::EffectClass;
use crate::model::Pool;
use crate::report::{Change, ChangeKind, Effect};
use crate::source::Span;
use crate::words;

/// One described value that is not the same on both sides.
pub(super) struct Difference {
    pub(super) kind: ChangeKind,
    pub(super) old: Shown,
    pub(super) new: Shown,
}

/// How one side reads and where it stands.
pub(super) type Shown = (Option<String>, Option<Span>);

impl Difference {
    pub(super) fn of(self, subject: &Subject) -> Change {
        Change {
            kind: self.kind,
            effect: Effect::Behavioural,
            subject: subject.clone(),
            old: self.old.0,
            new: self.new.0,
            old_span: self.old.1,
            new_span: self.new.1,
        }
    }
}

/// What differs in effect between two descriptions of one type of object.
pub(super) fn differing(old: Vec<Described>, new: Vec<Described>) -> impl Iterator<Item = Difference> {
    old.into_iter().zip(new).filter(differs).filter_map(|(old, new)| {
        let (before, after) = match (old.value, new.value) {
            (Some(old), Some(new)) => {
                let (old, new) = Value::contrast(&old, &new);
                (Some(old), Some(new))
            }
            (old, new) => (old.map(|value| value.words), new.map(|value| value.words)),
        };
        Some(Difference { kind: new.kind?, old: (before, old.place), new: (after, new.place) })
    })
}

/// Where one side is without effect, what makes it so differs too and is told by itself.
fn differs((old, new): &(Described, Described)) -> bool {
    debug_assert_eq!(old.name, new.name, "objects of one type are described alike");
    let has_effect = |described: &Described| described.class != EffectClass::None;
    has_effect(old) && has_effect(new) && old.value != new.value
}

/// The pool's own settings.
pub(super) fn compare(
    comparison: &Comparison<'_>,
    (old, new): (&Describer<'_>, &Describer<'_>),
    pair: &PoolPair,
    changes: &mut Vec<Change>,
) {
    let (old_side, new_side) = comparison.sides(pair);
    let subject = Subject { pool: Some(new_side.pool.name.value.clone()), endpoint: None };
    if pair.renamed {
        changes.push(Change {
            kind: ChangeKind::PoolRenamed,
            effect: Effect::Cosmetic,
            subject: subject.clone(),
            old: Some(old_side.pool.name.value.clone()),
            new: Some(new_side.pool.name.value.clone()),
            old_span: Some(old_side.pool.name.span),
            new_span: Some(new_side.pool.name.span),
        });
    }
    // In nginx the locations that use a pool set its timeouts; a pool that none uses has none to lose.
    let both_used = !old_side.facts.uses.is_empty() && !new_side.facts.uses.is_empty();
    changes.extend(
        differing(old.pool(old_side.pool), new.pool(new_side.pool))
            .filter(|difference| both_used || difference.kind != ChangeKind::TimeoutChanged)
            .map(|difference| difference.of(&subject)),
    );
}

/// Pools that are on one side only.
pub(super) fn whole_pools(comparison: &Comparison<'_>, outcome: &mut Outcome) {
    let describe = |dialect: Dialect, pool: &Pool| {
        let members: u64 = pool.endpoints.iter().map(|endpoint| u64::from(endpoint.slots)).sum();
        format!("{} with {}", words::pool(dialect, pool), words::endpoints(dialect, members))
    };
    let subject = |pool: &Pool| Subject { pool: Some(pool.name.value.clone()), endpoint: None };
    for &id in &comparison.added_pools {
        let pool = comparison.new.pool(id);
        let new = (Some(describe(comparison.new.dialect, pool)), Some(pool.header));
        let added = Difference { kind: ChangeKind::PoolAdded, old: (None, None), new };
        outcome.changes.push(added.of(&subject(pool)));
    }
    for &id in &comparison.removed_pools {
        let pool = comparison.old.pool(id);
        let old = (Some(describe(comparison.old.dialect, pool)), Some(pool.header));
        let removed = Difference { kind: ChangeKind::PoolRemoved, old, new: (None, None) };
        outcome.changes.push(removed.of(&subject(pool)));
    }
    outcome.summary.pools_added = comparison.added_pools.len();
    outcome.summary.pools_removed = comparison.removed_pools.len();
}
