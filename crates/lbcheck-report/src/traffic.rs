//! A survey as [`wire::Traffic`].

use std::time::Duration;

use lbcheck::model::{Condition, Endpoint, Match, Pool, TextMatch};
use lbcheck::report::InputSummary;
use lbcheck::traffic::flow::{Arrival, Case, Destination, Flow, in_words};
use lbcheck::traffic::scenario::{
    Capacity, Cascade, CascadeEnd, Demand, Detection, Full, LimitKind, Noticed, ScenarioOutcome, Since,
};
use lbcheck::traffic::{Pick, PoolTraffic, Question, Survey};

use crate::json::{TOOL, input, location, rounded, write};
use crate::mask::{is_secret_header, is_secret_parameter};
use crate::view::{View, show};
use crate::wire;

/// A hash key and where it goes.
#[derive(Clone, Debug)]
pub struct PlacedKey {
    /// The key.
    pub key: String,
    /// Where it goes; if something fails, after that.
    pub to: Pick,
    /// Where it went before the failure. `None`: nothing fails.
    pub before: Option<Pick>,
}

/// What is rendered: a survey, the question it answers, and where keys go if that was asked.
#[derive(Clone, Copy, Debug)]
pub struct TrafficReport<'a> {
    /// What was read.
    pub input: &'a InputSummary,
    /// What was asked.
    pub question: &'a Question,
    /// The answer.
    pub survey: &'a Survey,
    /// Keys and where they go, in a survey of one pool.
    pub keys: Option<&'a [PlacedKey]>,
}

impl TrafficReport<'_> {
    /// The part of the given keys that each endpoint gets. A sample of real keys, such as one of an access log, has
    /// some of them more often than others.
    pub(crate) fn key_shares(&self, endpoints: usize) -> Option<Vec<f64>> {
        let keys = self.keys.filter(|keys| !keys.is_empty())?;
        let mut shares = vec![0.0; endpoints];
        for key in keys {
            if let Pick::Endpoint(index) = key.to
                && let Some(share) = shares.get_mut(index)
            {
                *share += 1.0;
            }
        }
        shares.iter_mut().for_each(|share| *share /= keys.len() as f64);
        Some(shares)
    }
}

pub(crate) fn json(view: &View<'_>, report: TrafficReport<'_>) -> String {
    let TrafficReport { question, survey, .. } = report;
    let fill = Fill { view, survey, report };
    write(&wire::Traffic {
        schema: "lbcheck.traffic/v1",
        tool: TOOL,
        input: input(report.input),
        question: wire::TrafficQuestion {
            load: question.load,
            concurrency: question.concurrency,
            rate: question.rate,
            clients: question.clients,
            cookie_share: question.returning,
            capacity: match question.capacity {
                Some(Capacity::Requests(requests)) => Some(requests),
                _ => None,
            },
            capacity_multiple: match question.capacity {
                Some(Capacity::Multiple(times)) => Some(times),
                _ => None,
            },
            seed: question.seed,
        },
        pools: survey.pools.iter().map(|pool| fill.pool(pool)).collect(),
        listeners: survey.flows.iter().map(|flow| fill.flow(flow)).collect(),
        routing_gaps: survey
            .routing_gaps
            .iter()
            .map(|(span, what)| wire::RoutingGap {
                what: view.say_at([*span], what).into_owned(),
                location: location(view, *span),
            })
            .collect(),
        keys: report.keys.map(|keys| keys.iter().map(|key| fill.key(key)).collect()),
    })
}

struct Fill<'a> {
    view: &'a View<'a>,
    survey: &'a Survey,
    report: TrafficReport<'a>,
}

fn name(endpoint: &Endpoint) -> String {
    show(&endpoint.name.value).into_owned()
}

/// The name of an endpoint by its index.
fn named(pool: &Pool, index: usize) -> Option<String> {
    pool.endpoints.get(index).map(name)
}

fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}

impl Fill<'_> {
    fn words(&self, texts: &[std::borrow::Cow<'static, str>]) -> Vec<String> {
        texts.iter().map(|text| self.view.words(text)).collect()
    }

    fn pool(&self, traffic: &PoolTraffic) -> wire::PoolTraffic {
        let pool = self.survey.config.pool(traffic.pool);
        let shares = &traffic.figures.shares;
        let of_keys = self.report.key_shares(pool.endpoints.len());
        let at = |figures: Option<&Vec<f64>>, index: usize| figures?.get(index).copied().and_then(rounded);
        let endpoint = |(index, endpoint): (usize, &Endpoint)| wire::EndpointShare {
            endpoint: name(endpoint),
            address: show(&endpoint.address.to_string()).into_owned(),
            weight: endpoint.weight.value,
            tier: endpoint.tier.value,
            share: at(Some(&shares.shares), index),
            idle_share: at(traffic.figures.idle.as_ref(), index),
            half_width: at(traffic.figures.half_width.as_ref(), index),
            key_share: at(of_keys.as_ref(), index),
        };
        wire::PoolTraffic {
            pool: show(&pool.name.value).into_owned(),
            algorithm: self.view.words(&pool.algorithm.value.policy_name()),
            certainty: shares.certainty.as_str(),
            assumptions: self.words(&shares.assumptions),
            endpoints: pool.endpoints.iter().enumerate().map(endpoint).collect(),
            effective_endpoints: traffic.effective_endpoints.and_then(rounded),
            worst_failure: traffic.worst.as_ref().and_then(|loss| {
                Some(wire::WorstFailure {
                    endpoint: named(pool, loss.endpoint)?,
                    survivors_load: rounded(loss.multiple),
                    survivor: loss.survivor.and_then(|index| named(pool, index)),
                    lost: rounded(loss.lost),
                    certainty: loss.certainty.as_str(),
                    all_tried: loss.all_tried,
                })
            }),
            scenario: traffic.outcome.as_ref().map(|outcome| self.scenario(pool, outcome)),
            location: location(self.view, pool.header),
        }
    }

    fn scenario(&self, pool: &Pool, outcome: &ScenarioOutcome) -> wire::PoolScenario {
        let endpoint = |(index, endpoint): (usize, &Endpoint)| wire::EndpointAfter {
            endpoint: name(endpoint),
            share: outcome.after.shares.get(index).copied().and_then(rounded),
            load: outcome.multiples.get(index).copied().flatten().and_then(rounded),
            in_service: outcome
                .demand
                .as_ref()
                .and_then(|demand| demand.in_service.get(index).copied().and_then(rounded)),
        };
        let unnoticed = &outcome.unnoticed;
        wire::PoolScenario {
            failed: outcome.detections.iter().map(|found| self.failed(pool, found)).collect(),
            endpoints: pool.endpoints.iter().enumerate().map(endpoint).collect(),
            certainty: outcome.after.certainty.as_str(),
            assumptions: self.words(&outcome.after.assumptions),
            takes_over: outcome.takes_over.iter().filter_map(|&index| named(pool, index)).collect(),
            lost: outcome.after.is_known().then(|| rounded(outcome.lost)).flatten(),
            panic: outcome.panic,
            unnoticed: wire::UnnoticedFailure {
                first_attempts: unnoticed.first_attempts.and_then(rounded),
                errors: unnoticed.errors.and_then(rounded),
                attempts: unnoticed.attempts.and_then(rounded),
                certainty: unnoticed.certainty.as_str(),
                assumptions: self.words(&unnoticed.assumptions),
            },
            attempts: wire::RequestAttempts {
                most: outcome.attempts.most,
                certainty: outcome.attempts.certainty.as_str(),
                on: outcome.attempts.on.as_deref().map(|on| self.view.words(on)),
                at_once: outcome.attempts.at_once,
            },
            first_full: outcome.first_full.map(|full| first_full(pool, full)),
            demand: outcome.demand.as_ref().map(|demand| self.demand(pool, demand)),
            cascade: outcome.cascade.as_ref().map(|found| cascade(pool, found)),
        }
    }

    fn failed(&self, pool: &Pool, found: &Detection) -> wire::FailedEndpoint {
        let mut failed = wire::FailedEndpoint {
            endpoint: named(pool, found.endpoint).unwrap_or_default(),
            noticed_by: "never",
            reason: None,
            soonest: None,
            latest: None,
            latest_if_silent: None,
            latest_without_traffic: None,
            failures: None,
            failures_within: None,
            each_worker: false,
            back: found.back.map(|back| wire::BackAgain {
                soonest: seconds(back.soonest),
                latest: seconds(back.latest),
                latest_without_traffic: back.quiet.map(seconds),
                since: match back.since {
                    Since::Answers => "answers",
                    Since::Out => "out",
                },
            }),
        };
        match &found.noticed {
            Noticed::Already => failed.noticed_by = "already",
            Noticed::ByCheck { soonest, latest, silent, quiet, failures } => {
                failed.noticed_by = "check";
                failed.soonest = Some(seconds(*soonest));
                failed.latest = Some(seconds(*latest));
                failed.latest_if_silent = silent.map(seconds);
                failed.latest_without_traffic = quiet.map(seconds);
                failed.failures = *failures;
            }
            Noticed::ByTraffic { failures, within, each_worker } => {
                failed.noticed_by = "traffic";
                failed.failures = Some(*failures);
                failed.failures_within = within.map(seconds);
                failed.each_worker = *each_worker;
            }
            Noticed::Assumed => {}
            Noticed::Never(reason) => failed.reason = Some(self.view.words(reason)),
        }
        failed
    }

    fn demand(&self, pool: &Pool, demand: &Demand) -> wire::PoolDemand {
        wire::PoolDemand {
            requests: rounded(demand.requests),
            in_service: rounded(demand.in_service.iter().sum()),
            queued: rounded(demand.queued),
            refused: rounded(demand.refused),
            full: demand.full.iter().filter_map(|&index| named(pool, index)).collect(),
            certainty: demand.certainty.as_str(),
            assumptions: self.words(&demand.assumptions),
        }
    }

    fn flow(&self, flow: &Flow) -> wire::ListenerFlow {
        let listener = &self.survey.config.listeners[flow.listener];
        wire::ListenerFlow {
            listener: show(&listener.name.value).into_owned(),
            cases: flow.cases.iter().map(|case| self.case(case)).collect(),
            cut: flow.cut,
            location: location(self.view, listener.span),
        }
    }

    fn case(&self, case: &Case) -> wire::FlowCase {
        let arrivals = |arrivals: &[Arrival]| arrivals.iter().map(|arrival| self.arrival(arrival)).collect();
        wire::FlowCase {
            requests: (!case.requests.is_empty()).then(|| requests(self.view, case)),
            certainty: case.certainty.as_str(),
            assumption: case.assumption,
            destinations: arrivals(&case.arrivals),
            copies: arrivals(&case.copies),
        }
    }

    fn arrival(&self, arrival: &Arrival) -> wire::FlowShare {
        let pool = match &arrival.to {
            Destination::Pool(pool) | Destination::Endpoint(pool, _) => Some(*pool),
            _ => None,
        };
        let endpoints = match &arrival.to {
            Destination::Pool(pool) => parts(self.survey, *pool, arrival.share),
            Destination::Endpoint(_, endpoint) => vec![(show(endpoint).into_owned(), arrival.share)],
            _ => Vec::new(),
        };
        wire::FlowShare {
            pool: pool.map(|pool| show(&self.survey.config.pool(pool).name.value).into_owned()),
            other: other(self.view, &arrival.to),
            share: rounded(arrival.share),
            endpoints: endpoints
                .into_iter()
                .map(|(endpoint, share)| wire::FlowEndpoint { endpoint, share: rounded(share) })
                .collect(),
        }
    }

    fn key(&self, key: &PlacedKey) -> wire::KeyPlace {
        let wire::Place { endpoint, address, unknown } = self.place(&key.to);
        let before = key.before.as_ref().map(|before| self.place(before));
        wire::KeyPlace { key: show(&key.key).into_owned(), endpoint, address, unknown, before }
    }

    fn place(&self, pick: &Pick) -> wire::Place {
        let endpoints = self.survey.pools.first().map(|pool| &self.survey.config.pool(pool.pool).endpoints);
        let endpoint = match pick {
            Pick::Endpoint(index) => endpoints.and_then(|endpoints| endpoints.get(*index)),
            Pick::Nobody | Pick::Unknown(_) => None,
        };
        wire::Place {
            endpoint: endpoint.map(name),
            address: endpoint.map(|endpoint| show(&endpoint.address.to_string()).into_owned()),
            unknown: match pick {
                Pick::Unknown(reason) => Some(self.view.words(reason)),
                _ => None,
            },
        }
    }
}

/// The requests of a case in words, without the secrets they are told by.
pub(crate) fn requests(view: &View<'_>, case: &Case) -> String {
    let open: Vec<Condition> = case.requests.iter().map(|condition| masked(view, condition)).collect();
    view.say_at(case.span, &in_words(&open)).into_owned()
}

/// A condition without secrets. As deep as conditions are, see [`Condition`].
fn masked(view: &View<'_>, condition: &Condition) -> Condition {
    let all = |parts: &[Condition]| parts.iter().map(|part| masked(view, part)).collect();
    match condition {
        Condition::All(parts) => Condition::All(all(parts)),
        Condition::Any(parts) => Condition::Any(all(parts)),
        Condition::Not(inner) => Condition::Not(Box::new(masked(view, inner))),
        Condition::Opaque(text) => Condition::Opaque(view.words(text)),
        Condition::Is(test) => Condition::Is(masked_test(view, test)),
        Condition::Always | Condition::Never | Condition::Chance(_) => condition.clone(),
    }
}

fn masked_test(view: &View<'_>, test: &Match) -> Match {
    let secret = || TextMatch::Exact("***".to_owned());
    let open = |text: &TextMatch| words_of(view, text);
    match test {
        Match::Header(name, _) if is_secret_header(name) => Match::Header(name.clone(), secret()),
        Match::HeaderLine(name, _) if is_secret_header(name) => Match::HeaderLine(name.clone(), secret()),
        Match::Query(name, _) if is_secret_header(name) || is_secret_parameter(name) => {
            Match::Query(name.clone(), secret())
        }
        // What a cookie holds is a session.
        Match::Cookie(name, text) if *text != TextMatch::Present => Match::Cookie(name.clone(), secret()),
        Match::Header(name, text) => Match::Header(name.clone(), open(text)),
        Match::HeaderLine(name, text) => Match::HeaderLine(name.clone(), open(text)),
        Match::Query(name, text) => Match::Query(name.clone(), open(text)),
        Match::Cookie(..) | Match::Port(_) | Match::Tls => test.clone(),
        Match::Host(text) => Match::Host(open(text)),
        Match::HostName(text) => Match::HostName(open(text)),
        Match::Path(text) => Match::Path(open(text)),
        Match::Target(text) => Match::Target(open(text)),
        Match::Method(text) => Match::Method(open(text)),
        Match::Sni(text) => Match::Sni(open(text)),
        Match::Source(text) => Match::Source(view.words(text)),
    }
}

/// A comparison whose text is clean and without the secrets that show in it.
fn words_of(view: &View<'_>, text: &TextMatch) -> TextMatch {
    match text {
        TextMatch::Exact(text) => TextMatch::Exact(view.words(text)),
        TextMatch::Prefix(text) => TextMatch::Prefix(view.words(text)),
        TextMatch::Suffix(text) => TextMatch::Suffix(view.words(text)),
        TextMatch::Contains(text) => TextMatch::Contains(view.words(text)),
        TextMatch::SegmentPrefix(text) => TextMatch::SegmentPrefix(view.words(text)),
        TextMatch::Regex(text) => TextMatch::Regex(view.words(text)),
        // Readers never nest this.
        TextMatch::IgnoreCase(inner) => match inner.as_ref() {
            TextMatch::IgnoreCase(_) => TextMatch::Present,
            inner => TextMatch::IgnoreCase(Box::new(words_of(view, inner))),
        },
        TextMatch::Between(..) | TextMatch::Present => text.clone(),
    }
}

/// Endpoints that get something of `part` of the traffic that goes to a pool. Empty: shares are not known.
pub(crate) fn parts(survey: &Survey, pool: lbcheck::model::PoolId, part: f64) -> Vec<(String, f64)> {
    let Some(figures) = survey.shares.get(&pool).filter(|figures| figures.shares.is_known()) else {
        return Vec::new();
    };
    let endpoints = &survey.config.pool(pool).endpoints;
    let shares = endpoints.iter().zip(&figures.shares.shares).filter(|(_, share)| **share > 0.0);
    shares.map(|(endpoint, share)| (name(endpoint), part * share)).collect()
}

/// What becomes of traffic that reaches no pool.
pub(crate) fn other(view: &View<'_>, to: &Destination) -> Option<String> {
    match to {
        Destination::Pool(_) | Destination::Endpoint(..) => None,
        Destination::Answer(answer) => Some(format!("answered by the proxy: {}", view.words(answer))),
        Destination::Undefined(name) => Some(format!("`{}`, which is not defined", show(name))),
        Destination::RunTime(text) => Some(format!("decided at run time: {}", view.words(text))),
        Destination::Nowhere => Some("no route".to_owned()),
    }
}

fn first_full(pool: &Pool, full: Full) -> wire::FirstFull {
    let (limit_of, endpoint) = match full.kind {
        LimitKind::Endpoint(index) => ("endpoint", named(pool, index)),
        LimitKind::Capacity(index) => ("capacity", named(pool, index)),
        LimitKind::PoolConnections => ("pool-connections", None),
        LimitKind::PoolRequests => ("pool-requests", None),
    };
    wire::FirstFull {
        limit_of,
        endpoint,
        limit: rounded(full.limit),
        at: rounded(full.at),
        certainty: full.certainty.as_str(),
    }
}

fn cascade(pool: &Pool, cascade: &Cascade) -> wire::Cascade {
    let overload = |(index, strain): &(usize, f64)| {
        Some(wire::Overload { endpoint: named(pool, *index)?, strain: rounded(*strain) })
    };
    wire::Cascade {
        steps: cascade
            .steps
            .iter()
            .map(|step| step.overloaded.iter().filter_map(overload).collect())
            .collect(),
        end: match cascade.end {
            CascadeEnd::Stable => "stable",
            CascadeEnd::Down => "down",
            CascadeEnd::Open => "open",
        },
        certainty: cascade.certainty.as_str(),
    }
}
