//! Lookup tables from hashes to endpoints.

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

impl Ring {
    pub(super) fn new(mut points: Vec<(u64, u32)>, last: u64, nearest: bool) -> Self {
        points.sort_by_key(|&(position, _)| position);
        points.dedup_by_key(|&mut (position, _)| position);
        Self { points, last, nearest }
    }

    /// Points in order.
    pub(super) fn points(&self) -> &[(u64, u32)] {
        &self.points
    }

    /// The index of the first point at or after `hash`, around the circle.
    pub(super) fn next(&self, hash: u64) -> usize {
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
}
