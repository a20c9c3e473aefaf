//! The way of one request through the rules of a configuration, step by step.
//!
//! Where a condition is not known both ways are followed, so that a decision names every pool that may serve the
//! request and no other.

use std::collections::BTreeMap;

use super::change::{self, Changed};
use super::evaluate::{Evaluator, WhyUnknown};
use super::likelihood::Likelihood;
use super::pattern::Patterns;
use super::recipe;
use super::sent::Request;
use super::view::RequestView;
use crate::model::{
    Action, Config, ErrorTarget, Fallback, Listener, OnError, PoolId, Response, Route, TableId, Target, Then,
};
use crate::source::Span;
use crate::traffic::proxies::{Proxy, proxy};
use crate::truth::Truth;

/// Where a request goes, and why.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Decision {
    /// Every rule that was looked at, in order. Where it is not known whether a rule applies, what happens if it does
    /// comes first, then what happens if it does not.
    pub steps: Vec<RouteStep>,
    /// Where the request can end. One: it is decided.
    pub ends: Vec<End>,
    /// Whether every way was followed; a configuration may have more of them than can be shown.
    pub complete: bool,
}

impl Decision {
    /// The one end there is, if it is certain.
    #[must_use]
    pub fn only(&self) -> Option<&End> {
        match self.ends.as_slice() {
            [only] if self.complete => Some(only),
            _ => None,
        }
    }
}

/// Where rules stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Rules {
    /// In a table.
    Table(TableId),
    /// In a pool, before its algorithm (HAProxy).
    Pool(PoolId),
}

impl Rules {
    /// The rules in order.
    #[must_use]
    pub fn routes<'c>(&self, config: &'c Config) -> &'c [Route] {
        match *self {
            Self::Table(table) => &config.table(table).routes,
            Self::Pool(pool) => &config.pool(pool).overrides,
        }
    }
}

/// One rule that was looked at.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct RouteStep {
    /// Where it stands.
    pub rules: Rules,
    /// Its index there.
    pub route: usize,
    /// How many tables deep it stands.
    pub level: usize,
    /// An earlier step that is taken not to apply from here on, because whether it does is not known.
    pub otherwise: Option<usize>,
    /// Whether it applies.
    pub truth: Truth,
    /// Why that is not known.
    pub reasons: Vec<WhyUnknown>,
    /// The path that routing goes on with, where the rule changes it.
    pub new_path: Option<String>,
}

/// One place where a request can end.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct End {
    /// What serves it.
    pub outcome: RouteOutcome,
    /// The share of such requests that end here; `None`: it depends on something that is not known.
    pub share: Option<f64>,
    /// The step that decided, by its index. `None`: none did.
    pub step: Option<usize>,
    /// Where the target is named.
    pub span: Option<Span>,
    /// Where the request goes on if the pool fails to answer it.
    pub fallbacks: Vec<Fallback>,
}

/// What serves a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum RouteOutcome {
    /// A pool, and a certain endpoint of it where a rule names one.
    Pool {
        /// The pool.
        pool: PoolId,
        /// The endpoint's name.
        endpoint: Option<String>,
    },
    /// A pool that the configuration does not define.
    Undefined(String),
    /// A pool known only at run time.
    Dynamic {
        /// As written.
        text: String,
        /// Which it can be; none listed: any.
        candidates: Vec<PoolId>,
    },
    /// The proxy itself.
    Respond(Response),
    /// Files or a module of the proxy.
    Local(String),
    /// Something that lbcheck cannot follow.
    Opaque(String),
    /// No rule takes it.
    Nothing,
}

/// Most ends that are told apart.
const MAX_ENDS: usize = 64;
/// Most rules that are looked at for one request.
const MAX_STEPS: usize = 200_000;
/// How often nginx lets a path be changed.
const MAX_CHANGES: u32 = 10;

/// The way of `request` from a listener on.
#[must_use]
pub fn route(config: &Config, listener: &Listener, request: &Request) -> Decision {
    route_with(config, listener, request, &mut Patterns::default())
}

/// The same, with the regular expressions that other ways needed.
pub(super) fn route_with(
    config: &Config,
    listener: &Listener,
    request: &Request,
    patterns: &mut Patterns,
) -> Decision {
    let proxy = proxy(config.dialect);
    let mut walk = Walk {
        config,
        evaluator: Evaluator::new(patterns),
        decision: Decision { steps: Vec::new(), ends: Vec::new(), complete: true },
        waiting: Vec::new(),
        pools: None,
        proxy,
    };
    let state = State {
        view: RequestView::new(proxy, config.version, request),
        stack: vec![(Rules::Table(listener.table), 0)],
        likelihood: Likelihood::default(),
        otherwise: None,
        changes: 0,
        pending: None,
        failed: false,
        answer: None,
        pool: None,
    };
    walk.waiting.push(state);
    while let Some(state) = walk.waiting.pop() {
        walk.follow(state);
    }
    walk.decision
}

fn names(config: &Config) -> BTreeMap<&[u8], PoolId> {
    config.pools().map(|(id, pool)| (pool.name.value.as_bytes(), id)).collect()
}

/// A request on its way.
#[derive(Clone)]
struct State {
    view: RequestView,
    /// The rules it is in, and the index of the one to look at next in each.
    stack: Vec<(Rules, usize)>,
    likelihood: Likelihood,
    /// The step that is taken not to apply from here on.
    otherwise: Option<usize>,
    changes: u32,
    /// The path was changed: choose again in the last table before this route.
    pending: Option<(Rules, usize, TableId)>,
    /// An error led here, and another one is answered as it is.
    failed: bool,
    /// The status of an error that led here, with which the answer goes out.
    answer: Option<u16>,
    /// Where it ends if none of the pool's own rules applies.
    pool: Option<End>,
}

struct Walk<'c, 'p> {
    config: &'c Config,
    evaluator: Evaluator<'p>,
    decision: Decision,
    /// Ways still to be followed, the last one first.
    waiting: Vec<State>,
    /// Pools by name, where names are put together from the request.
    pools: Option<BTreeMap<&'c [u8], PoolId>>,
    proxy: &'static dyn Proxy,
}

impl<'c> Walk<'c, '_> {
    fn follow(&mut self, mut state: State) {
        while let Some((rules, at)) = state.stack.pop() {
            if self.decision.steps.len() >= MAX_STEPS || self.decision.ends.len() >= MAX_ENDS {
                self.decision.complete = false;
                return;
            }
            if let Some((changed, until, search)) = state.pending
                && changed == rules
                && at >= until
            {
                if !self.search(&mut state, search) {
                    return;
                }
                continue;
            }
            let Some(route) = rules.routes(self.config).get(at) else { continue };
            state.stack.push((rules, at + 1));
            if let Rules::Table(table) = rules
                && at == 0
            {
                state.view.enter(self.config, table);
                if let Some(refused) = state.view.refused() {
                    let answered = |status| self.config.answered_errors.binary_search(&status).is_ok();
                    let outcome = match refused.status.filter(|&status| answered(status)) {
                        Some(status) => {
                            RouteOutcome::Opaque(format!("{status} {}, or its `error_page`", refused.why))
                        }
                        None => RouteOutcome::Respond(Response {
                            status: refused.status,
                            kind: refused.why.to_owned(),
                        }),
                    };
                    return self.end(&state, outcome, None, None, &[]);
                }
            }
            if !self.rule(&mut state, rules, at, route) {
                return;
            }
        }
        match state.pool.take() {
            Some(end) => self.end(&state, end.outcome, end.step, end.span, &end.fallbacks),
            None => self.end(&state, RouteOutcome::Nothing, None, None, &[]),
        }
    }

    /// Looks at one rule. False: the way ends with it.
    fn rule(&mut self, state: &mut State, rules: Rules, at: usize, route: &'c Route) -> bool {
        let truth = self.evaluator.holds(&route.when, &state.view);
        let reasons = std::mem::take(&mut self.evaluator.reasons);
        let step = self.decision.steps.len();
        let (level, otherwise) = (state.stack.len().saturating_sub(1), state.otherwise.take());
        self.decision.steps.push(RouteStep {
            rules,
            route: at,
            level,
            otherwise,
            truth,
            reasons,
            new_path: None,
        });
        match truth {
            Truth::No => return true,
            Truth::Yes => {}
            Truth::Unknown => {
                let (draw, positive) = match self.evaluator.lone_draw(&route.when, &state.view) {
                    Some((draw, positive)) => (draw, positive),
                    None => (&route.when, true),
                };
                let mut other = State { otherwise: Some(step), ..state.clone() };
                if other.likelihood.draw(draw, route.chance_denominator, !positive) {
                    self.waiting.push(other);
                }
                if !state.likelihood.draw(draw, route.chance_denominator, positive) {
                    return false;
                }
            }
        }
        self.take(state, rules, route, step)
    }

    /// Takes a route. False: the way ends with it.
    fn take(&mut self, state: &mut State, rules: Rules, route: &'c Route, step: usize) -> bool {
        if let Some(inner) = route.from_inside.filter(|_| state.changes > 0) {
            state.stack.push((Rules::Table(inner), 0));
            return true;
        }
        if let Some(on_error) = &route.on_error {
            let outcome = match &on_error.to {
                _ if state.failed => Some(&on_error.error),
                ErrorTarget::Answer(answer) => Some(answer),
                ErrorTarget::Table(_) | ErrorTarget::Path => None,
            };
            if let Some(response) = outcome {
                self.end(state, RouteOutcome::Respond(response.clone()), Some(step), Some(route.span), &[]);
                return false;
            }
            state.failed = !on_error.again;
            state.answer = on_error.answer;
            match on_error {
                OnError { to: ErrorTarget::Table(_), .. } => {}
                _ => state.view.becomes_get(),
            }
        }
        let goes_on = match &route.on_error {
            Some(OnError { to: ErrorTarget::Table(table), .. }) => Some(*table),
            _ => route.goes_on,
        };
        if let Some(change) = &route.path_change {
            match change::apply(change, &state.view, self.evaluator.patterns()) {
                Changed::To(view) => {
                    if let Some(step) = self.decision.steps.get_mut(step) {
                        step.new_path = view.shown_path();
                    }
                    state.view = *view;
                    if let Some(table) = goes_on {
                        return self.search(state, table);
                    }
                    match change.then {
                        Then::Search(search) => return self.search(state, search),
                        Then::Next { until, search } => {
                            state.pending = Some((rules, until as usize, search));
                            return true;
                        }
                    }
                }
                // The action says where the literal part of the new path leads.
                Changed::Unknown(why) => state.view.forget_path(&why),
            }
        }
        if let Some(table) = goes_on {
            return self.search(state, table);
        }
        let (step, span) = (Some(step), Some(route.span));
        match &route.action {
            Action::Table(inner) => {
                state.stack.push((Rules::Table(*inner), 0));
                return true;
            }
            Action::Forward(target) => return self.target(state, target, route, step, rules),
            Action::Split(arms) => {
                let total = arms.iter().fold(0u64, |total, arm| total.saturating_add(arm.weight));
                let mut from = 0u64;
                for arm in arms.iter().filter(|arm| arm.weight > 0) {
                    let mut one = state.clone();
                    if one.likelihood.split(from, arm.weight, total, self.proxy.draws_one_number())
                        && self.target(&mut one, &arm.target, route, step, rules)
                    {
                        self.waiting.push(one);
                    }
                    from = from.saturating_add(arm.weight);
                }
            }
            Action::Endpoint { pool, endpoint } => {
                let outcome = RouteOutcome::Pool { pool: *pool, endpoint: Some(endpoint.value.clone()) };
                self.end(state, outcome, step, Some(endpoint.span), &[]);
            }
            Action::Respond(response) => {
                let mut response = response.clone();
                if let Some(status) = state.answer.filter(|_| route.takes_status) {
                    response.status = Some(status);
                }
                self.end(state, RouteOutcome::Respond(response), step, span, &[]);
            }
            Action::Local(text) => self.end(state, RouteOutcome::Local(text.clone()), step, span, &[]),
            Action::Opaque(text) => {
                let outcome = match rules {
                    Rules::Pool(pool) => RouteOutcome::Pool { pool, endpoint: None },
                    Rules::Table(_) => RouteOutcome::Opaque(text.clone()),
                };
                self.end(state, outcome, step, span, &[]);
            }
        }
        false
    }

    /// Goes to a target. True: the rules of its pool are to be looked at.
    fn target(
        &mut self,
        state: &mut State,
        target: &'c Target,
        route: &Route,
        step: Option<usize>,
        rules: Rules,
    ) -> bool {
        let recipe = match target {
            Target::Dynamic { text, recipe: Some(recipe), .. } => Some((recipe, text.span)),
            _ => None,
        };
        let named = recipe.and_then(|(recipe, span)| {
            let name = recipe::name(recipe, &state.view, self.evaluator.patterns()).ok()?;
            Some((self.pools.get_or_insert_with(|| names(self.config)).get(name.as_slice()).copied(), span))
        });
        let owned;
        let target = match named {
            Some((Some(pool), span)) => {
                let known = self.config.pool(pool);
                let off = known.disabled.is_some();
                match self.proxy.passes_over_disabled(self.config.version) {
                    Truth::Yes if off => return true,
                    Truth::Unknown if off => {
                        let text = format!("backend {}, which is switched off", known.name.value);
                        self.end(state, RouteOutcome::Opaque(text), step, Some(route.span), &[]);
                        return false;
                    }
                    _ => {}
                }
                owned = Target::Pool { pool, span };
                &owned
            }
            // There is no such pool, and choosing ends: what follows is left out, and the last rule decides.
            Some((None, _)) => {
                let last = rules.routes(self.config).len().saturating_sub(1);
                state.stack = vec![(rules, last)];
                return true;
            }
            None => target,
        };
        let fallbacks: &[Fallback] = if state.failed { &[] } else { &route.fallbacks };
        let (outcome, span) = match target {
            Target::Pool { pool, span } => {
                if let Some(response) = self.config.pool(*pool).switched_off() {
                    self.end(state, RouteOutcome::Respond(response), step, Some(*span), fallbacks);
                    return false;
                }
                let outcome = RouteOutcome::Pool { pool: *pool, endpoint: None };
                if self.config.pool(*pool).overrides.is_empty() {
                    self.end(state, outcome, step, Some(*span), fallbacks);
                    return false;
                }
                if route.rewrite.is_some() {
                    state.view.forget_path("an earlier rule may have rewritten the path");
                }
                state.stack = vec![(Rules::Pool(*pool), 0)];
                let fallbacks = fallbacks.to_vec();
                state.pool = Some(End { outcome, share: None, step, span: Some(*span), fallbacks });
                return true;
            }
            Target::Undefined(name) => (RouteOutcome::Undefined(name.value.clone()), name.span),
            Target::Dynamic { text, candidates, .. } => (
                RouteOutcome::Dynamic { text: text.value.clone(), candidates: candidates.clone() },
                text.span,
            ),
        };
        self.end(state, outcome, step, Some(span), fallbacks);
        false
    }

    /// Chooses again with a new path. False: the way ends, because that was done too often.
    fn search(&mut self, state: &mut State, search: TableId) -> bool {
        state.pending = None;
        state.changes += 1;
        if state.changes > MAX_CHANGES {
            let response =
                Response { status: Some(500), kind: "the path is rewritten in a circle".to_owned() };
            self.end(state, RouteOutcome::Respond(response), None, None, &[]);
            return false;
        }
        state.stack = vec![(Rules::Table(search), 0)];
        true
    }

    fn end(
        &mut self,
        state: &State,
        outcome: RouteOutcome,
        step: Option<usize>,
        span: Option<Span>,
        fallbacks: &[Fallback],
    ) {
        let share = state.likelihood.share();
        // The same end by another way is the same end.
        let known = self.decision.ends.iter_mut().find(|end| end.outcome == outcome);
        match known {
            Some(known) => known.share = known.share.zip(share).map(|(a, b)| a + b),
            None => {
                let fallbacks = fallbacks.to_vec();
                self.decision.ends.push(End { outcome, share, step, span, fallbacks });
            }
        }
    }
}
