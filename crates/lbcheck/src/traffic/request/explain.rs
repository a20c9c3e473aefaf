//! A decision in words, as plain data.

use super::evaluate::WhyUnknown;
use super::listeners::{self, Found, listener_words};
use super::pattern::Patterns;
use super::sent::Request;
use super::walk::{Decision, End, RouteOutcome, RouteStep, route_with};
use crate::model::{Algorithm, Bind, Config, Fallback, Listener, Membership, PoolId, Weakens};
use crate::source::Span;
use crate::traffic::proxies::proxy;
use crate::truth::Truth;
use crate::words;

/// Where a request goes, for each listener that may take it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct RouteReport {
    /// Why there is not exactly one listener, where there is not.
    pub note: Option<String>,
    /// Whether one of these listeners takes the request.
    pub taken: Truth,
    /// One for each listener that may take the request.
    pub listeners: Vec<ListenerRoute>,
}

/// The way of a request from one listener on.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct ListenerRoute {
    /// The listener's name.
    pub listener: String,
    /// "frontend `web`, `:443`, TLS".
    pub words: String,
    /// Where the listener or its address is written.
    pub span: Span,
    /// Every rule that was looked at.
    pub steps: Vec<StepWords>,
    /// Where the request can end; one: it is decided.
    pub ends: Vec<EndWords>,
    /// Whether every way was followed, and nothing that may change it was left unread.
    pub complete: bool,
}

/// One rule that was looked at.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct StepWords {
    /// The rule as written.
    pub rule: String,
    /// Its condition in words.
    pub condition: String,
    /// Whether it applies.
    pub truth: Truth,
    /// Why that is not known, each a part of a sentence.
    pub reasons: Vec<String>,
    /// How many tables deep it stands.
    pub level: usize,
    /// The earlier step, by its index, that is taken not to apply from here on.
    pub otherwise: Option<usize>,
    /// The path that routing goes on with.
    pub new_path: Option<String>,
    /// Where it is written.
    pub span: Option<Span>,
}

/// One place where a request can end.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct EndWords {
    /// What serves it.
    pub kind: EndKind,
    /// In words: "backend `api`".
    pub words: String,
    /// The pool's name.
    pub pool: Option<String>,
    /// The endpoint, where a rule names one.
    pub endpoint: Option<String>,
    /// Whether that pool may have somebody who serves the request.
    pub is_served: bool,
    /// The status of the proxy's own answer.
    pub status: Option<u16>,
    /// Names of the pools that it can be, for a pool known only at run time; empty: any.
    pub candidates: Vec<String>,
    /// Share of such requests; `None`: not known.
    pub share: Option<f64>,
    /// The step that decided, by its index.
    pub step: Option<usize>,
    /// Where the target is named.
    pub span: Option<Span>,
    /// Where the request goes on if the pool fails to answer it: "if the answer is 502 or 504: `error_page …`", and where
    /// that is written.
    pub fallbacks: Vec<(String, Span)>,
}

/// What kind of thing serves a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum EndKind {
    /// A pool.
    Pool,
    /// A pool that is not defined.
    Undefined,
    /// A pool known only at run time.
    Dynamic,
    /// The proxy's own answer.
    Respond,
    /// Files or a module of the proxy.
    Local,
    /// Something that lbcheck cannot follow.
    Opaque,
    /// Nothing.
    Nothing,
}

impl EndKind {
    /// For JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Undefined => "undefined",
            Self::Dynamic => "dynamic",
            Self::Respond => "respond",
            Self::Local => "local",
            Self::Opaque => "opaque",
            Self::Nothing => "nothing",
        }
    }
}

/// Most listeners that are shown.
const MAX_LISTENERS: usize = 16;

/// Where `request` goes. `wanted`: name or address of the listener; otherwise port, scheme and address of the request
/// tell.
///
/// # Errors
///
/// Says in a sentence that there is no such listener, or none at all.
pub fn explain(config: &Config, request: &Request, wanted: Option<&str>) -> Result<RouteReport, String> {
    if config.listeners.is_empty() {
        return Err(match config.fragment {
            true => "this part of a configuration has no listener to start from".to_owned(),
            false => "this configuration has no listener, so nothing takes requests".to_owned(),
        });
    }
    let Found { mut candidates, mut taken, mut note } = match wanted {
        Some(wanted) => listeners::by_name(config, request, wanted)?,
        None => listeners::by_port(config, request),
    };
    if candidates.len() > MAX_LISTENERS {
        note = Some(format!(
            "{} listeners may take it; the first {MAX_LISTENERS} are shown, --listener names one",
            candidates.len()
        ));
        candidates.truncate(MAX_LISTENERS);
        // One of the others may be the one.
        taken = Truth::Unknown;
    }
    let unread = config.coverage.gaps.iter().filter(|gap| !matches!(gap.weakens, Weakens::Pool(_))).count();
    if unread > 0 {
        let unread = match unread {
            1 => "1 directive is not understood, and may change where the request goes".to_owned(),
            many => format!("{many} directives are not understood, and may change where the request goes"),
        };
        let before = note.map_or(String::new(), |note| format!("{note}; "));
        note = Some(format!("{before}{unread}: lbcheck check names what it is"));
    }
    let mut patterns = Patterns::default();
    let proxy = proxy(config.dialect);
    let routes = candidates.into_iter().map(|candidate| {
        let request = candidate.request(request, proxy, wanted.is_some());
        let mut route = of_listener(config, candidate.listener, candidate.bind, &request, &mut patterns);
        route.complete &= unread == 0;
        route
    });
    Ok(RouteReport { note, taken, listeners: routes.collect() })
}

fn of_listener(
    config: &Config,
    listener: &Listener,
    bind: Option<&Bind>,
    request: &Request,
    patterns: &mut Patterns,
) -> ListenerRoute {
    let decision = route_with(config, listener, request, patterns);
    let steps = decision.steps.iter().map(|found| step(config, found)).collect();
    let ends = decision.ends.iter().map(|found| end(config, found)).collect();
    let Decision { complete, .. } = decision;
    ListenerRoute {
        listener: listener.name.value.clone(),
        words: listener_words(config, listener, bind),
        span: bind.map_or(listener.name.span, |bind| bind.span),
        steps,
        ends,
        complete,
    }
}

fn step(config: &Config, step: &RouteStep) -> StepWords {
    let routes = step.rules.routes(config);
    let route = routes.get(step.route);
    StepWords {
        rule: route.map(|route| route.label.clone()).unwrap_or_default(),
        condition: route.map(|route| words::condition(&route.when)).unwrap_or_default(),
        truth: step.truth,
        reasons: step.reasons.iter().map(reason).collect(),
        level: step.level,
        otherwise: step.otherwise,
        new_path: step.new_path.clone(),
        span: route.map(|route| route.span),
    }
}

fn reason(reason: &WhyUnknown) -> String {
    match reason {
        WhyUnknown::Request(text) => text.clone(),
        WhyUnknown::Opaque(text) => format!("`{text}` is not in the configuration"),
        WhyUnknown::Pattern(pattern, why) => format!("`{pattern}` has {why}"),
        WhyUnknown::Chance => "it is drawn by lot".to_owned(),
    }
}

fn fallback(fallback: &Fallback) -> (String, Span) {
    let statuses: Vec<String> = fallback.statuses.iter().map(u16::to_string).collect();
    let statuses = match statuses.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    };
    (format!("if the answer is {statuses}: `{}`", fallback.words), fallback.span)
}

/// Whether a pool has an endpoint that takes new traffic, or may have one at run time.
fn may_serve(config: &Config, pool: PoolId) -> bool {
    let pool = config.pool(pool);
    if pool.disabled.is_some() {
        return false;
    }
    // The client's own destination is no endpoint, nor is a rule of the pool that answers.
    let otherwise =
        matches!(pool.algorithm.value, Algorithm::OriginalDestination | Algorithm::ClusterProvided);
    pool.membership != Membership::Static
        || otherwise
        || !pool.serves_clients()
        || !proxy(config.dialect).serving(pool).is_empty()
}

fn end(config: &Config, end: &End) -> EndWords {
    let dialect = config.dialect;
    let name = |pool: PoolId| config.pool(pool).name.value.clone();
    let mut made = EndWords {
        kind: EndKind::Nothing,
        words: String::new(),
        pool: None,
        endpoint: None,
        is_served: true,
        status: None,
        candidates: Vec::new(),
        share: end.share,
        step: end.step,
        span: end.span,
        fallbacks: end.fallbacks.iter().map(fallback).collect(),
    };
    (made.kind, made.words) = match &end.outcome {
        RouteOutcome::Pool { pool, endpoint } => {
            made.pool = Some(name(*pool));
            made.endpoint.clone_from(endpoint);
            made.is_served = endpoint.is_some() || may_serve(config, *pool);
            let pool = words::pool(dialect, config.pool(*pool));
            let words = match endpoint {
                Some(endpoint) => format!("{} `{endpoint}` of {pool}", dialect.endpoint_noun()),
                None if made.is_served => pool,
                None => format!("{pool}, in which no {} takes requests", dialect.endpoint_noun()),
            };
            (EndKind::Pool, words)
        }
        RouteOutcome::Undefined(name) => {
            made.pool = Some(name.clone());
            (EndKind::Undefined, format!("{} `{name}`, which is not defined", dialect.pool_noun()))
        }
        RouteOutcome::Dynamic { text, candidates } => {
            made.candidates = candidates.iter().map(|pool| name(*pool)).collect();
            let one_of = match made.candidates.as_slice() {
                [] => String::new(),
                names => format!(": one of {}", words::names(names.iter().map(String::as_str), 4)),
            };
            (EndKind::Dynamic, format!("`{text}`, known only at run time{one_of}"))
        }
        RouteOutcome::Respond(response) => {
            made.status = response.status;
            let status = match response.status {
                Some(status) => format!("answers {status}"),
                None => "closes the connection or answers by itself".to_owned(),
            };
            (EndKind::Respond, format!("{} {status} ({})", dialect.product(), response.kind))
        }
        RouteOutcome::Local(text) => (EndKind::Local, format!("{} itself, by `{text}`", dialect.product())),
        RouteOutcome::Opaque(text) => (EndKind::Opaque, format!("not known: `{text}` decides at run time")),
        RouteOutcome::Nothing => (EndKind::Nothing, "nothing: no rule takes it".to_owned()),
    };
    made
}
