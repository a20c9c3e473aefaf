//! The route that a request takes, and nothing of the way to it.

use super::evaluate::Evaluator;
use super::pattern::Patterns;
use super::sent::Request;
use super::view::RequestView;
use crate::model::{Action, Condition, Config, Route, TableId};
use crate::traffic::proxies::proxy;
use crate::truth::Truth;

/// Whether `condition` of a configuration holds for `request`.
#[must_use]
pub fn holds(config: &Config, condition: &Condition, request: &Request) -> Truth {
    let view = RequestView::new(proxy(config.dialect), config.version, request);
    Evaluator::new(&mut Patterns::default()).holds(condition, &view)
}

/// The route that `request` takes from `table` on. `None`: none matches, or which one is not known.
///
/// For many requests, make one [`Finder`].
#[must_use]
pub fn find<'c>(config: &'c Config, table: TableId, request: &Request) -> Option<&'c Route> {
    Finder::new(config).find(table, request)
}

/// Finds the routes of many requests through one configuration; a regular expression is compiled once for all of them.
#[derive(Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Finder<'c> {
    config: &'c Config,
    patterns: Patterns,
}

impl<'c> Finder<'c> {
    /// A finder for requests through `config`.
    #[must_use]
    pub fn new(config: &'c Config) -> Self {
        Self { config, patterns: Patterns::default() }
    }

    /// The route that `request` takes from `table` on. `None`: none matches, or which one is not known.
    pub fn find(&mut self, table: TableId, request: &Request) -> Option<&'c Route> {
        let config = self.config;
        let mut view = RequestView::new(proxy(config.dialect), config.version, request);
        let mut evaluator = Evaluator::new(&mut self.patterns);
        let mut stack = vec![(table, 0)];
        while let Some((table, at)) = stack.pop() {
            let Some(route) = config.table(table).routes.get(at) else { continue };
            stack.push((table, at + 1));
            if at == 0 {
                view.enter(config, table);
                if view.refused().is_some() {
                    return None;
                }
            }
            match evaluator.holds(&route.when, &view) {
                Truth::No => {}
                Truth::Unknown => return None,
                Truth::Yes => match route.action {
                    Action::Table(inner) => stack.push((inner, 0)),
                    _ => return Some(route),
                },
            }
        }
        None
    }
}
