//! Which host names lead to which pool.

use std::collections::{BTreeSet, VecDeque};

use crate::model::{Action, Condition, Config, Match, TableId, Target, TextMatch};

/// Host names kept for one place; beyond that there are as good as any number.
const MOST_NAMES: usize = 64;

/// The host names with which requests come to some place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    /// These.
    Names(BTreeSet<String>),
    /// Any, or more than are worth counting.
    Any,
}

impl Hosts {
    fn none() -> Self {
        Self::Names(BTreeSet::new())
    }

    /// Adds what comes from elsewhere; whether that made a difference.
    fn add(&mut self, other: &Self) -> bool {
        match (&mut *self, other) {
            (Self::Any, _) => false,
            (_, Self::Any) => {
                *self = Self::Any;
                true
            }
            (Self::Names(own), Self::Names(more)) => {
                let before = own.len();
                own.extend(more.iter().cloned());
                let grew = own.len() > before;
                if own.len() > MOST_NAMES {
                    *self = Self::Any;
                }
                grew
            }
        }
    }

    /// What is left of them where `condition` holds.
    fn narrowed(&self, condition: &Condition) -> Self {
        match (self, named(condition)) {
            (_, None) => self.clone(),
            (Self::Any, Some(names)) => Self::Names(names),
            (Self::Names(own), Some(names)) => Self::Names(own.intersection(&names).cloned().collect()),
        }
    }
}

/// The host names a condition asks for, if it asks for exact ones.
fn named(condition: &Condition) -> Option<BTreeSet<String>> {
    match condition {
        Condition::Is(Match::Host(text)) => Some(BTreeSet::from([exact(text)?])),
        Condition::Any(parts) => {
            let mut names = BTreeSet::new();
            for part in parts {
                names.extend(named(part)?);
            }
            Some(names)
        }
        Condition::All(parts) => parts.iter().find_map(named),
        _ => None,
    }
}

fn exact(text: &TextMatch) -> Option<String> {
    match text {
        TextMatch::Exact(name) => Some(name.to_ascii_lowercase()),
        TextMatch::IgnoreCase(inner) => match inner.as_ref() {
            TextMatch::Exact(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        },
        _ => None,
    }
}

/// For each pool how many host names lead to it. `None`: any, or it is not known.
pub(super) fn host_names(config: &Config) -> Vec<Option<u64>> {
    let mut pools = vec![Hosts::none(); config.pools.len()];
    let mut tables = vec![Hosts::none(); config.tables.len()];
    let mut waiting: VecDeque<TableId> = VecDeque::new();
    for listener in &config.listeners {
        if let Some(hosts) = tables.get_mut(listener.table.0 as usize)
            && hosts.add(&Hosts::Any)
        {
            waiting.push_back(listener.table);
        }
    }
    while let Some(id) = waiting.pop_front() {
        let (Some(table), Some(hosts)) =
            (config.tables.get(id.0 as usize), tables.get(id.0 as usize).cloned())
        else {
            continue;
        };
        for route in &table.routes {
            let hosts = hosts.narrowed(&route.when);
            if let Action::Table(inner) = &route.action
                && let Some(known) = tables.get_mut(inner.0 as usize)
                && known.add(&hosts)
            {
                waiting.push_back(*inner);
            }
            for pool in route.action.targets().flat_map(Target::pools) {
                if let Some(known) = pools.get_mut(pool.0 as usize) {
                    known.add(&hosts);
                }
            }
        }
    }
    let known = !config.fragment;
    pools
        .into_iter()
        .map(|hosts| match hosts {
            Hosts::Names(names) if known && !names.is_empty() => Some(names.len() as u64),
            _ => None,
        })
        .collect()
}
