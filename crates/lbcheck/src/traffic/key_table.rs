//! Lookup tables from hashes to endpoints, and from keys by way of them.

use std::borrow::Cow;
use std::fmt;

use super::shares::Certainty;
use crate::arithmetic::lcm;
use crate::model::HashFunction;

/// Why a place is not known, in a few words.
pub(super) type Unplaced = Cow<'static, str>;

/// Why a pool has no such table.
pub(super) const NO_KEYS: Unplaced = Cow::Borrowed("the algorithm does not go by keys");

/// What a pool that hashes does with keys.
pub(super) trait KeyTable: fmt::Debug + Send + Sync {
    /// The bytes that are hashed of a key that is given as text.
    fn bytes<'k>(&self, text: &'k [u8]) -> Result<Cow<'k, [u8]>, Unplaced> {
        Ok(Cow::Borrowed(text))
    }

    /// The endpoint of a key. `None`: nobody serves.
    fn pick(&self, key: &[u8]) -> Result<Option<usize>, Unplaced>;

    /// The part of all hashes that leads to each of `endpoints` endpoints.
    fn shares(&self, endpoints: usize) -> Vec<f64>;

    /// How many entries it has, where its size is the proxy's choice.
    fn entries(&self) -> Option<usize> {
        None
    }

    /// What has to hold of keys beside that they are many, where the hash does not see to it.
    fn needs_of_keys(&self) -> Option<(Certainty, &'static str)> {
        None
    }

    /// The table alone, where the hash spreads keys evenly, so that it can be laid over another of the same function.
    fn evenly_hashed(&self) -> Option<(HashFunction, &Table)> {
        None
    }
}

/// One endpoint takes every key, or none does.
#[derive(Debug)]
pub(super) struct Single(pub(super) Option<usize>);

impl KeyTable for Single {
    fn pick(&self, _: &[u8]) -> Result<Option<usize>, Unplaced> {
        Ok(self.0)
    }

    fn shares(&self, endpoints: usize) -> Vec<f64> {
        (0..endpoints).map(|index| if Some(index) == self.0 { 1.0 } else { 0.0 }).collect()
    }
}

/// Tables larger than this are not built: Envoy's own largest ring.
pub(super) const MOST_ENTRIES: u64 = 8_388_608;

/// A built table. Owners are indices of endpoints.
#[derive(Clone, Debug)]
pub(super) enum Table {
    /// The slot is the hash modulo the number of slots.
    Slots(Vec<u32>),
    /// Points on a circle.
    Ring(Ring),
}

/// Points on a circle, sorted by position; of equal positions the first counts.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    points: Vec<(u64, u32)>,
    /// Positions run from 0 to this.
    last: u64,
    /// The nearest point in either direction owns a hash (HAProxy), not the next one (nginx, Envoy).
    nearest: bool,
}

impl Table {
    /// Slots, or points.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Slots(slots) => slots.len(),
            Self::Ring(ring) => ring.points.len(),
        }
    }
}

impl Ring {
    pub(super) fn new(mut points: Vec<(u64, u32)>, last: u64, nearest: bool) -> Self {
        points.sort_by_key(|&(position, _)| position);
        points.dedup_by_key(|&mut (position, _)| position);
        Self { points, last, nearest }
    }

    /// The same places with other owners, one for each point.
    pub(super) fn owned_by(mut self, owners: impl IntoIterator<Item = u32>) -> Self {
        self.points.iter_mut().zip(owners).for_each(|(point, owner)| point.1 = owner);
        self
    }

    /// Points in order.
    pub(super) fn points(&self) -> &[(u64, u32)] {
        &self.points
    }

    /// The index of the first point at or after `hash`, around the circle.
    fn next(&self, hash: u64) -> usize {
        let at = self.points.partition_point(|&(position, _)| position < hash);
        if at == self.points.len() { 0 } else { at }
    }

    fn owner(&self, hash: u64) -> Option<u32> {
        let at = self.next(hash);
        let &(position, owner) = self.points.get(at)?;
        if !self.nearest {
            return Some(owner);
        }
        let &(before, earlier) = self.points.get(at.checked_sub(1).unwrap_or(self.points.len() - 1))?;
        let back = self.distance(before, hash);
        let ahead = self.distance(hash, position);
        Some(if back <= ahead { earlier } else { owner })
    }

    /// The circle cut into pieces of one point each, in order: the last position of a piece, and its point.
    fn pieces(&self) -> Vec<(u64, usize)> {
        let Some(highest) = self.points.len().checked_sub(1) else { return Vec::new() };
        let mut pieces = Vec::with_capacity(self.points.len() + 2);
        for (at, &(position, _)) in self.points.iter().enumerate() {
            // Up to a point its own piece reaches, or half the way where the nearest point counts.
            let end = match self.points.get(at + 1) {
                Some(&(next, _)) if self.nearest => position + (next - position) / 2,
                _ => position,
            };
            if at < highest || !self.nearest {
                pieces.push((end, at));
            }
        }
        if !self.nearest {
            pieces.push((self.last, 0));
            return pieces;
        }
        // Between the last point and the first, around the end of the circle.
        let (first, last) = (self.points[0].0, self.points[highest].0);
        let gap = u128::from(self.last) + 1 - u128::from(last) + u128::from(first);
        let middle = u128::from(last) + gap / 2;
        if middle <= u128::from(self.last) {
            pieces.push((middle as u64, highest));
            pieces.push((self.last, 0));
        } else {
            let over = (middle - u128::from(self.last) - 1) as u64;
            pieces.insert(0, (over, highest));
            pieces.push((self.last, highest));
        }
        pieces
    }

    fn distance(&self, from: u64, to: u64) -> u64 {
        to.wrapping_sub(from) & self.last
    }

    /// The part of the circle that leads to each point, in the order of [`Ring::points`].
    pub(super) fn arcs(&self) -> Vec<f64> {
        let whole = self.last as f64 + 1.0;
        let count = self.points.len();
        let mut arcs = vec![0.0; count];
        for (at, &(position, _)) in self.points.iter().enumerate() {
            let previous = at.checked_sub(1).unwrap_or(count - 1);
            let gap = match self.distance(self.points[previous].0, position) {
                0 => whole,
                gap => gap as f64,
            };
            if self.nearest {
                arcs[previous] += gap / whole / 2.0;
                arcs[at] += gap / whole / 2.0;
            } else {
                arcs[at] += gap / whole;
            }
        }
        arcs
    }
}

impl Table {
    /// The owner of `hash`. `None`: the table is empty.
    pub(super) fn owner(&self, hash: u64) -> Option<usize> {
        match self {
            Self::Slots(slots) => {
                let slot = hash.checked_rem(slots.len() as u64)?;
                slots.get(slot as usize).map(|&owner| owner as usize)
            }
            Self::Ring(ring) => ring.owner(hash).map(|owner| owner as usize),
        }
    }

    /// The part of all hashes whose owner here and in `other` are not the `same`, for hashes that are spread evenly.
    /// `None`: the tables have no common measure.
    pub(super) fn moved(&self, other: &Self, same: impl Fn(usize, usize) -> bool) -> Option<f64> {
        match (self, other) {
            (Self::Slots(old), Self::Slots(new)) if !old.is_empty() && !new.is_empty() => {
                let (a, b) = (old.len() as u64, new.len() as u64);
                let period = lcm([a, b], MOST_ENTRIES)?;
                let stays = |hash: &u64| {
                    let (old, new) = (old[(hash % a) as usize], new[(hash % b) as usize]);
                    same(old as usize, new as usize)
                };
                Some(1.0 - (0..period).filter(stays).count() as f64 / period as f64)
            }
            (Self::Ring(old), Self::Ring(new)) if old.last == new.last => {
                let owner = |ring: &Ring, at: usize| ring.points.get(at).map(|&(_, owner)| owner as usize);
                common(
                    old,
                    new,
                    |before, after| matches!((owner(old, before), owner(new, after)), (Some(a), Some(b)) if same(a, b)),
                )
            }
            _ => None,
        }
    }

    /// The part of all hashes that leads to each of `endpoints` endpoints.
    pub(super) fn shares(&self, endpoints: usize) -> Vec<f64> {
        let mut shares = vec![0.0; endpoints];
        let mut add = |owner: u32, part: f64| {
            if let Some(share) = shares.get_mut(owner as usize) {
                *share += part;
            }
        };
        match self {
            Self::Slots(slots) => {
                for &owner in slots {
                    add(owner, 1.0 / slots.len() as f64);
                }
            }
            Self::Ring(ring) => {
                for (&(_, owner), arc) in ring.points.iter().zip(ring.arcs()) {
                    add(owner, arc);
                }
            }
        }
        shares
    }
}

/// One minus the part of the circle on which the points of both rings, by number, `stay`.
fn common(old: &Ring, new: &Ring, stay: impl Fn(usize, usize) -> bool) -> Option<f64> {
    let (before, after) = (old.pieces(), new.pieces());
    if before.is_empty() || after.is_empty() {
        return None;
    }
    let (mut a, mut b) = (0, 0);
    let (mut start, mut stays) = (0_u128, 0_u128);
    while let (Some(&(end_old, point_old)), Some(&(end_new, point_new))) = (before.get(a), after.get(b)) {
        let end = u128::from(end_old.min(end_new)) + 1;
        if stay(point_old, point_new) {
            stays += end - start;
        }
        start = end;
        a += usize::from(end_old <= end_new);
        b += usize::from(end_new <= end_old);
    }
    Some(1.0 - stays as f64 / start as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_beyond_the_last_point_go_around() {
        let ring = Table::Ring(Ring::new(vec![(10, 0), (200, 1)], 255, false));
        assert_eq!([5, 10, 11, 200, 201].map(|hash| ring.owner(hash)), [0, 0, 1, 1, 0].map(Some));
        assert_eq!(ring.shares(2), [66.0 / 256.0, 190.0 / 256.0]);
    }

    #[test]
    fn the_nearest_point_owns_a_hash_and_the_lower_one_a_tie() {
        let ring = Table::Ring(Ring::new(vec![(10, 0), (20, 1)], 255, true));
        assert_eq!(
            [10, 15, 16, 20, 142, 143, 144].map(|hash| ring.owner(hash)),
            [0, 0, 1, 1, 1, 1, 0].map(Some)
        );
    }

    #[test]
    fn an_empty_table_has_no_owner_and_a_single_point_owns_all() {
        assert_eq!(Table::Slots(Vec::new()).owner(3), None);
        assert_eq!(Table::Ring(Ring::new(Vec::new(), 255, true)).owner(3), None);
        assert_eq!(Table::Ring(Ring::new(vec![(7, 0)], u64::MAX, false)).shares(1), [1.0]);
    }

    #[test]
    fn pieces_belong_to_whom_the_owner_is() {
        for nearest in [false, true] {
            for points in [vec![(10, 0), (200, 1)], vec![(0, 0), (255, 1)], vec![(90, 0), (100, 1), (110, 2)]]
            {
                let ring = Ring::new(points, 255, nearest);
                let mut start = 0;
                for (end, point) in ring.pieces() {
                    for hash in start..=end {
                        let owner = ring.points()[point].1;
                        assert_eq!(ring.owner(hash), Some(owner), "{hash} {nearest} {ring:?}");
                    }
                    start = end + 1;
                }
                assert_eq!(start, 256);
            }
        }
    }

    #[test]
    fn what_moves_is_measured_not_sampled() {
        let ring = |points: &[(u64, u32)]| Table::Ring(Ring::new(points.to_vec(), 255, false));
        let old = ring(&[(63, 0), (127, 1), (191, 0), (255, 1)]);
        let new = ring(&[(63, 0), (191, 0), (255, 1)]);
        assert_eq!(old.moved(&new, |a, b| a == b), Some(0.25));
        assert_eq!(old.moved(&old, |a, b| a == b), Some(0.0));
        let slots = Table::Slots(vec![0, 1, 2]);
        assert_eq!(slots.moved(&Table::Slots(vec![0, 1]), |a, b| a == b), Some(1.0 - 2.0 / 6.0));
        assert_eq!(slots.moved(&old, |a, b| a == b), None);
    }
}
