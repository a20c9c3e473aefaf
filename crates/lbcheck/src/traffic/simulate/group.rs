//! Members of a pool that share one part of the load, and what chooses among them by what they are busy with.

use super::random::Random;
use crate::model::Pool;

/// Endpoints that are simulated.
const MOST_ENDPOINTS: usize = 500;

/// Members that share one part of the load, with what chooses among them.
pub(crate) struct Group {
    /// Its part of all requests.
    pub(super) load: f64,
    /// Those that serve.
    pub(super) members: Vec<Member>,
    pub(super) chooser: Box<dyn Chooser>,
}

/// How the next endpoint is chosen, one request after the other.
pub(crate) trait Chooser {
    fn choose(&mut self, members: &[Member], random: &mut Random) -> Chosen;
}

/// Who serves a request.
pub(crate) enum Chosen {
    /// The one with this index among the members.
    Member(usize),
    /// Nobody has room, or the one that was chosen has none: it waits for whoever is free first.
    Wait,
}

impl From<Option<usize>> for Chosen {
    fn from(member: Option<usize>) -> Self {
        member.map_or(Self::Wait, Self::Member)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Its index in the pool.
    pub(crate) index: usize,
    pub(crate) weight: f64,
    /// Requests at once; `u64::MAX`: no limit.
    limit: u64,
    pub(crate) in_flight: u64,
    /// Requests since the beginning.
    pub(crate) count: u64,
    /// When it last changed its place among equals.
    pub(crate) moved: u64,
}

impl Group {
    pub(crate) fn new(load: f64, members: Vec<Member>, chooser: Box<dyn Chooser>) -> Self {
        Self { load, members, chooser }
    }
}

impl Member {
    /// Endpoints of `pool` with nothing to do. `None`: there are none, or too many to simulate.
    pub(crate) fn idle(pool: &Pool, indices: &[usize]) -> Option<Vec<Self>> {
        if indices.is_empty() || indices.len() > MOST_ENDPOINTS {
            return None;
        }
        let member = |&index: &usize| {
            let endpoint = &pool.endpoints[index];
            Self {
                index,
                weight: f64::from(endpoint.weight.value),
                limit: endpoint.most_requests().unwrap_or(u64::MAX),
                in_flight: 0,
                count: 0,
                moved: 0,
            }
        };
        Some(indices.iter().map(member).collect())
    }

    pub(crate) fn has_room(&self) -> bool {
        self.in_flight < self.limit
    }
}

/// A deadline that can be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Time(pub(crate) f64);

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// A member drawn by its part.
pub(crate) fn draw(parts: &[f64], random: &mut Random) -> usize {
    let mut rest = random.part();
    for (at, part) in parts.iter().enumerate() {
        if rest < *part {
            return at;
        }
        rest -= part;
    }
    parts.len().saturating_sub(1)
}
