//! Circuit breakers of Envoy.

use lbcheck::dialect::Dialect;

use super::*;

fn crowded(title: &str, thresholds: &str) -> Scenario {
    let settings = format!("{ROUND_ROBIN}\ncircuit_breakers: {{thresholds: [{{{thresholds}}}]}}");
    scenario(title, &settings, &["", ""], Send::Crowd(12), Expect::Crowd)
}

pub(in crate::traffic::scenarios) fn breaker_connections() -> Scenario {
    crowded(
        "circuit breaker: 4 connections and 3 pending, 12 requests at once",
        "max_connections: 4, max_pending_requests: 3",
    )
}

pub(in crate::traffic::scenarios) fn breaker_requests() -> Scenario {
    crowded("circuit breaker: 4 requests, 12 at once", "max_requests: 4")
}

pub(in crate::traffic::scenarios) fn breaker_load() -> Scenario {
    crowded(
        "circuit breaker: 4 connections and 3 pending, three times the load of 4",
        "max_connections: 4, max_pending_requests: 3",
    )
    .load(3.0)
}

fn retried(title: &str, thresholds: &str, count: usize) -> Scenario {
    let route = "              - {match: {prefix: /}, route: {cluster: pool, retry_policy: {retry_on: 5xx, num_retries: 3}}}\n";
    let breakers = match thresholds {
        "" => String::new(),
        thresholds => format!("\ncircuit_breakers: {{thresholds: [{{{thresholds}}}]}}"),
    };
    let config = routed(route, &cluster(&format!("{ROUND_ROBIN}{breakers}"), &group("", 1, EQUAL)));
    Scenario::new(Dialect::Envoy, title, config, Send::FailingAtOnce(count), Expect::RetriesAtOnce)
}

pub(in crate::traffic::scenarios) fn retries_at_once() -> Scenario {
    retried("30 requests fail together, three retries in flight by default", "", 30)
}

pub(in crate::traffic::scenarios) fn retries_at_once_more() -> Scenario {
    retried("30 requests fail together, max_retries 7", "max_retries: 7", 30)
}

pub(in crate::traffic::scenarios) fn retry_budget() -> Scenario {
    retried(
        "40 requests fail together, retry budget of 25 percent",
        "retry_budget: {budget_percent: {value: 25}, min_retry_concurrency: 2}",
        40,
    )
}

pub(in crate::traffic::scenarios) fn retry_budget_least() -> Scenario {
    retried("10 requests fail together, retry budget of 20 percent, at least 3", "retry_budget: {}", 10)
}
