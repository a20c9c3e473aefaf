//! Which location of a server a path leads to that the configuration itself names.

use std::collections::BTreeMap;

use super::location::{Location, LocationKind};
use super::request_step::{RequestStep, Why};
use crate::model::Action;
use crate::nginx::regex::{self, Simple};

/// What the steps of a location come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepsSummary {
    /// None of them stands for an error that goes on elsewhere.
    final_errors: bool,
    /// nginx answers by itself, whichever is taken.
    own_answers: bool,
    /// The same, but for the index of a folder.
    own_but_index: bool,
}

impl StepsSummary {
    pub(super) fn of(steps: &[RequestStep]) -> Self {
        let of_files = |step: &RequestStep| match step {
            RequestStep::Route(route) => matches!(route.action, Action::Local(_) | Action::Respond(_)),
            RequestStep::Jump { why: Why::Error(failure), .. } => failure.of_files,
            RequestStep::Jump { .. } => false,
        };
        let index = |step: &RequestStep| matches!(step, RequestStep::Jump { why: Why::Index(_), .. });
        Self {
            final_errors: !steps
                .iter()
                .any(|step| matches!(step, RequestStep::Jump { why: Why::Error(_), .. })),
            own_answers: steps.iter().all(of_files),
            own_but_index: steps.iter().all(|step| of_files(step) || index(step)),
        }
    }
}

/// Finds the location of a path that the configuration itself names.
pub(super) struct LocationMap {
    exact: BTreeMap<String, usize>,
    prefix: BTreeMap<String, usize>,
    pub(super) named: BTreeMap<String, usize>,
    /// Expressions in order; `None` for those too complicated to try here.
    regexes: Vec<(Option<Simple>, usize)>,
}

impl LocationMap {
    pub(super) fn new(locations: &[Location]) -> Self {
        let mut map = Self {
            exact: BTreeMap::new(),
            prefix: BTreeMap::new(),
            named: BTreeMap::new(),
            regexes: Vec::new(),
        };
        for (at, location) in locations.iter().enumerate().filter(|(_, location)| location.parent.is_none()) {
            let path = location.path.clone();
            match location.kind {
                LocationKind::Exact => map.exact.entry(path).or_insert(at),
                LocationKind::Prefix { .. } => map.prefix.entry(path).or_insert(at),
                LocationKind::Named => map.named.entry(path).or_insert(at),
                LocationKind::Regex { any_case } => {
                    map.regexes.push((regex::simple(&path, any_case), at));
                    continue;
                }
            };
        }
        map
    }

    /// Where a step leads, as far as that is told here: what answers an error is followed no further.
    pub(super) fn jump(
        &self,
        step: &RequestStep,
        locations: &[Location],
        kinds: &[StepsSummary],
        tests: &mut usize,
    ) -> Option<usize> {
        match step {
            RequestStep::Route(_) => None,
            RequestStep::Jump { to, why: Why::Error(_), .. } => self
                .find(to, locations, tests)
                .filter(|&at| kinds.get(at).is_some_and(|kinds| kinds.final_errors)),
            RequestStep::Jump { to, why: Why::Index(_), change, .. } => {
                let to = change.as_ref().filter(|_| !to.ends_with('*')).map(|change| change.to.as_str());
                self.find(to?, locations, tests)
            }
            RequestStep::Jump { to, why: Why::Told, .. } => self.find(to, locations, tests),
        }
    }

    /// Takes out what makes no difference to where a request ends.
    pub(super) fn prune(
        &self,
        steps: &mut Vec<RequestStep>,
        same: bool,
        locations: &[Location],
        kinds: &[StepsSummary],
        tests: &mut usize,
    ) {
        let is_index = |step: &RequestStep| matches!(step, RequestStep::Jump { why: Why::Index(_), .. });
        let mut matters = |step: &RequestStep| self.matters(step, same, locations, kinds, tests);
        // The first file that is there counts: all of them matter or none does.
        let index = steps.iter().any(|step| is_index(step) && matters(step));
        steps.retain(|step| if is_index(step) { index } else { matters(step) });
    }

    /// Whether it makes a difference what a step that depends on files leads to. `same`: a file's name behind the path
    /// leads to the same place, unless a longer location matches it.
    fn matters(
        &self,
        step: &RequestStep,
        same: bool,
        locations: &[Location],
        kinds: &[StepsSummary],
        tests: &mut usize,
    ) -> bool {
        match step {
            RequestStep::Jump { why: Why::Error(failure), to, .. } => {
                !failure.of_files || failure.redirect.is_some() || self.leads_on(to, locations, kinds, tests)
            }
            RequestStep::Jump { why: Why::Index(name), .. } => {
                if !same || name.contains('/') {
                    return true;
                }
                locations.iter().any(|location| match location.kind {
                    LocationKind::Regex { .. } => true,
                    LocationKind::Named => false,
                    LocationKind::Exact | LocationKind::Prefix { .. } => {
                        let end = location.path.rsplit('/').next().unwrap_or_default();
                        !end.is_empty() && name.starts_with(end)
                    }
                })
            }
            _ => true,
        }
    }

    /// Whether a path or named location leads to more than files and answers of nginx itself.
    pub(super) fn leads_on(
        &self,
        to: &str,
        locations: &[Location],
        kinds: &[StepsSummary],
        tests: &mut usize,
    ) -> bool {
        match self.find(to, locations, tests) {
            Some(at) => kinds.get(at).is_none_or(|kinds| {
                !if to.ends_with(['/', '*']) { kinds.own_answers } else { kinds.own_but_index }
            }),
            None if to.starts_with('@') => false,
            // Where no location can match, the server itself has nothing but files.
            None => locations.iter().any(|location| location.kind != LocationKind::Named),
        }
    }

    /// The location for `@name`, a path, or the start of a path followed by a star. `None`: not known.
    pub(super) fn find(&self, to: &str, locations: &[Location], tests: &mut usize) -> Option<usize> {
        if to.starts_with('@') {
            return self.named.get(to).copied();
        }
        let (path, complete) = match to.strip_suffix('*') {
            Some(path) => (path, false),
            None => (to, true),
        };
        if !path.starts_with('/') {
            return None;
        }
        if complete && let Some(&at) = self.exact.get(path) {
            return Some(at);
        }
        let starts = |map: &BTreeMap<String, usize>| {
            map.range(path.to_owned()..)
                .next()
                .is_some_and(|(key, _)| key.len() > path.len() && key.starts_with(path))
                || map.range(path.to_owned()..).nth(1).is_some_and(|(key, _)| key.starts_with(path))
        };
        if !complete && (starts(&self.prefix) || starts(&self.exact) || self.exact.contains_key(path)) {
            return None;
        }
        let longest = (1..=path.len()).rev().find_map(|end| self.prefix.get(path.get(..end)?).copied());
        let leaf = longest.is_some_and(|at| locations[at].kind == LocationKind::Prefix { leaf: true });
        let simple = |at: usize| locations[at].children.is_empty().then_some(at);
        if !leaf {
            for (regex, at) in &self.regexes {
                if !complete || *tests == 0 {
                    return None;
                }
                *tests -= 1;
                if regex.as_ref()?.matches(path) {
                    return simple(*at);
                }
            }
        }
        longest.and_then(simple)
    }
}

/// Takes out the jumps that would lead in a circle; nginx gives up on those after ten rounds.
pub(super) fn without_loops(mut jumps: Vec<Vec<Option<usize>>>) -> Vec<Vec<Option<usize>>> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; jumps.len()];
    for start in 0..jumps.len() {
        if states[start] != State::New {
            continue;
        }
        let mut stack = vec![(start, 0)];
        states[start] = State::Open;
        while let Some((at, next)) = stack.pop() {
            let Some(jump) = jumps[at].get(next).copied() else {
                states[at] = State::Done;
                continue;
            };
            stack.push((at, next + 1));
            match jump.map(|to| (to, states[to])) {
                Some((_, State::Open)) => jumps[at][next] = None,
                Some((to, State::New)) => {
                    states[to] = State::Open;
                    stack.push((to, 0));
                }
                _ => {}
            }
        }
    }
    jumps
}
