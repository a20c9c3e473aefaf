//! `lbcheck.traffic/v1`, what `traffic` gives.

use serde::Serialize;

use super::{Input, Location, Tool};

/// What `lbcheck traffic --format json` prints.
///
/// Shares are parts of one, from 0 to 1. Times are in seconds. Every certainty is `exact`, `expected`, `range` or
/// `unknown`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Traffic {
    /// `lbcheck.traffic/v1`.
    #[cfg_attr(test, schemars(extend("const" = "lbcheck.traffic/v1")))]
    pub schema: &'static str,
    /// The program that wrote it.
    pub tool: Tool,
    /// The configuration.
    pub input: Input,
    /// What was asked beside the configuration.
    pub question: TrafficQuestion,
    /// Pools in the order of the configuration.
    pub pools: Vec<PoolTraffic>,
    /// From listeners to pools; empty where one pool was asked for.
    pub listeners: Vec<ListenerFlow>,
    /// What was not understood and may change routes.
    pub routing_gaps: Vec<RoutingGap>,
    /// With `--keys`: where each key goes, in the order of the file. `null` without.
    pub keys: Option<Vec<KeyPlace>>,
}

/// What the user said beside the configuration.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrafficQuestion {
    /// Traffic as a multiple of normal.
    pub load: f64,
    /// Requests in flight in each pool at normal load.
    pub concurrency: Option<u32>,
    /// Requests per second to each pool at normal load.
    pub rate: Option<f64>,
    /// Different hash keys or client addresses.
    pub clients: Option<u32>,
    /// Part of requests that belong to a session that has begun.
    pub cookie_share: Option<f64>,
    /// Requests at once that each endpoint is said to take.
    pub capacity: Option<u64>,
    /// What each endpoint is said to take, as a multiple of its normal load.
    pub capacity_multiple: Option<f64>,
    /// What simulations start from.
    pub seed: u64,
}

/// The traffic of one pool.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PoolTraffic {
    /// Its name.
    pub pool: String,
    /// How it picks, by the name used in policies.
    pub algorithm: String,
    /// How sure the shares are.
    pub certainty: &'static str,
    /// What has to hold for them.
    pub assumptions: Vec<String>,
    /// Its endpoints in the order of the configuration.
    pub endpoints: Vec<EndpointShare>,
    /// The number of equal endpoints that would concentrate traffic as much; `null`: not known.
    pub effective_endpoints: Option<f64>,
    /// The single loss that loads a survivor most; `null`: not known, or nothing serves.
    pub worst_failure: Option<WorstFailure>,
    /// What becomes of it under the failures and the load that were asked for; `null`: nothing was.
    pub scenario: Option<PoolScenario>,
    /// Its header.
    pub location: Location,
}

/// One endpoint.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EndpointShare {
    /// Its name.
    pub endpoint: String,
    /// Its address.
    pub address: String,
    /// Its weight.
    pub weight: u32,
    /// 0: serves in normal times. Higher ones take over.
    pub tier: u32,
    /// Its share of the pool's traffic; `null`: not known.
    pub share: Option<f64>,
    /// Its share with one request at a time, where that is different from a busy pool; otherwise `null`.
    pub idle_share: Option<f64>,
    /// Half the width of the 95 % interval of `share`, where that is a matter of chance; otherwise `null`.
    pub half_width: Option<f64>,
    /// With `--keys`: the part of those keys that it gets, in the scenario if there is one; otherwise `null`.
    pub key_share: Option<f64>,
}

/// The single loss that loads a survivor most.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorstFailure {
    /// The endpoint that fails.
    pub endpoint: String,
    /// How many times its normal load the survivor gets that gets most; `null`: nobody who served before is left.
    pub survivors_load: Option<f64>,
    /// That survivor.
    pub survivor: Option<String>,
    /// Share of requests that nobody can serve.
    pub lost: Option<f64>,
    /// How sure that is.
    pub certainty: &'static str,
    /// Whether every endpoint was tried; in pools of many that hash, only those with the largest shares are.
    pub all_tried: bool,
}

/// What becomes of one pool.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PoolScenario {
    /// Endpoints that fail, and when that is noticed.
    pub failed: Vec<FailedEndpoint>,
    /// Shares once it is noticed.
    pub endpoints: Vec<EndpointAfter>,
    /// How sure those are.
    pub certainty: &'static str,
    /// What has to hold for them.
    pub assumptions: Vec<String>,
    /// Endpoints that got nothing before: backups, lower priorities.
    pub takes_over: Vec<String>,
    /// Share of requests that nobody can serve once failure is noticed.
    pub lost: Option<f64>,
    /// Envoy sends to all hosts of a priority, since too few are healthy.
    pub panic: bool,
    /// What happens until failure is noticed.
    pub unnoticed: UnnoticedFailure,
    /// Attempts for one request.
    pub attempts: RequestAttempts,
    /// What is full first as load grows; `null`: nothing is limited.
    pub first_full: Option<FirstFull>,
    /// Where requests are at the concurrency that was given; `null`: none was.
    pub demand: Option<PoolDemand>,
    /// Overloaded endpoints failing in turn; `null`: nothing says what they can take.
    pub cascade: Option<Cascade>,
}

/// One endpoint that fails.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedEndpoint {
    /// Its name.
    pub endpoint: String,
    /// Who notices: `check`, `traffic`, `already` (the configuration has it out) or `never`.
    pub noticed_by: &'static str,
    /// Why nobody does.
    pub reason: Option<String>,
    /// Soonest by checks alone, if it refuses connections.
    pub soonest: Option<f64>,
    /// Latest, if it refuses connections.
    pub latest: Option<f64>,
    /// Latest, if it no longer answers at all.
    pub latest_if_silent: Option<f64>,
    /// Latest, if it refuses connections and nobody was ever sent to the pool; `null`: as with traffic.
    pub latest_without_traffic: Option<f64>,
    /// Failed requests that it takes; beside a check, that take it out sooner.
    pub failures: Option<u32>,
    /// How long those take at the rate that was given.
    pub failures_within: Option<f64>,
    /// Whether each worker process counts them for itself.
    pub each_worker: bool,
    /// When it gets traffic again; `null`: never, or not known.
    pub back: Option<BackAgain>,
}

/// When an endpoint that was taken out gets traffic again, in seconds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BackAgain {
    /// Soonest.
    pub soonest: f64,
    /// Latest.
    pub latest: f64,
    /// Latest, if nobody was ever sent to the pool; `null`: as with traffic.
    pub latest_without_traffic: Option<f64>,
    /// From when on: `answers` (again), or `out` (since it was taken out).
    pub since: &'static str,
}

/// One endpoint after a failure, or under load.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EndpointAfter {
    /// Its name.
    pub endpoint: String,
    /// Its share of all requests; `null`: not known. What a failed one still gets are errors.
    pub share: Option<f64>,
    /// How many times its normal load it gets; `null`: it got nothing before.
    pub load: Option<f64>,
    /// Requests in service on it at the concurrency that was given.
    pub in_service: Option<f64>,
}

/// What happens until failure is noticed. Of a range the upper end.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnnoticedFailure {
    /// Share of requests whose first attempt meets a failed endpoint.
    pub first_attempts: Option<f64>,
    /// Share of requests that end in an error.
    pub errors: Option<f64>,
    /// Attempts for each request.
    pub attempts: Option<f64>,
    /// How sure those are.
    pub certainty: &'static str,
    /// What has to hold for them.
    pub assumptions: Vec<String>,
}

/// Attempts that one request may make.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequestAttempts {
    /// Most for one request, the first included.
    pub most: u32,
    /// How sure that is.
    pub certainty: &'static str,
    /// What is retried, in the dialect's words.
    pub on: Option<String>,
    /// Most retries in flight at once.
    pub at_once: Option<u64>,
}

/// What is full first.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FirstFull {
    /// `endpoint`, `capacity` (somebody said so), `pool-connections` or `pool-requests`.
    pub limit_of: &'static str,
    /// The endpoint, if it is one.
    pub endpoint: Option<String>,
    /// The limit, in requests at once.
    pub limit: Option<f64>,
    /// Requests in flight in the pool at which it is reached.
    pub at: Option<f64>,
    /// How sure that is.
    pub certainty: &'static str,
}

/// Where requests are that want to be served at once.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PoolDemand {
    /// How many there are.
    pub requests: Option<f64>,
    /// In service.
    pub in_service: Option<f64>,
    /// Waiting.
    pub queued: Option<f64>,
    /// Refused at once.
    pub refused: Option<f64>,
    /// Endpoints at their limit.
    pub full: Vec<String>,
    /// How sure the figures are.
    pub certainty: &'static str,
    /// What has to hold for them.
    pub assumptions: Vec<String>,
}

/// Overloaded endpoints failing in turn.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cascade {
    /// Rounds of failures.
    pub steps: Vec<Vec<Overload>>,
    /// How it ends: `stable`, `down` or `open` (it goes on after as many rounds as were followed).
    pub end: &'static str,
    /// How sure it is.
    pub certainty: &'static str,
}

/// An endpoint that is offered more than it can take.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Overload {
    /// Its name.
    pub endpoint: String,
    /// What it is offered over what it can take.
    pub strain: Option<f64>,
}

/// Where the traffic of one listener goes.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ListenerFlow {
    /// Its name.
    pub listener: String,
    /// Kinds of requests in order of precedence. How many requests there are of each kind is not in a
    /// configuration; with one kind alone, shares are of all traffic.
    pub cases: Vec<FlowCase>,
    /// Whether there are more kinds than are listed.
    pub cut: bool,
    /// Its header.
    pub location: Location,
}

/// Something that was not understood and may change routes.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RoutingGap {
    /// What, in a few words.
    pub what: String,
    /// Where.
    pub location: Location,
}

/// Requests that meet the same conditions and no others.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlowCase {
    /// What they have in common; `null`: the ones that no condition singles out.
    pub requests: Option<String>,
    /// How sure the shares are.
    pub certainty: &'static str,
    /// What has to hold for them.
    pub assumption: Option<&'static str>,
    /// Where they go.
    pub destinations: Vec<FlowShare>,
    /// Copies of them, as parts of these requests.
    pub copies: Vec<FlowShare>,
}

/// A part of the requests of one kind.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlowShare {
    /// The pool, if it goes to one.
    pub pool: Option<String>,
    /// Otherwise what becomes of it: answered by the proxy, an undefined name, decided at run time, no route.
    pub other: Option<String>,
    /// Which part of the requests of this kind.
    pub share: Option<f64>,
    /// Each endpoint's part of the requests of this kind; empty where the pool's shares are not known.
    pub endpoints: Vec<FlowEndpoint>,
}

/// One endpoint's part of the requests of one kind.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FlowEndpoint {
    /// Its name.
    pub endpoint: String,
    /// Its part.
    pub share: Option<f64>,
}

/// Where one key goes.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyPlace {
    /// The key as given.
    pub key: String,
    /// The endpoint; `null`: nobody serves it, or it cannot be known.
    pub endpoint: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Why it cannot be known.
    pub unknown: Option<String>,
    /// With `--fail`, where it goes before the failure; the others say where it goes after. `null` without.
    pub before: Option<Place>,
}

/// Where a key goes.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// The endpoint; `null`: nobody serves it, or it cannot be known.
    pub endpoint: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Why it cannot be known.
    pub unknown: Option<String>,
}
