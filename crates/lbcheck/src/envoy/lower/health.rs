//! Active health checks and outlier detection.

use std::time::Duration;

use crate::model::{CheckKind, CheckTiming, HealthCheck, Jitter, OutlierDetection, Setting};

use super::super::tree::Value;
use super::state::Lower;

impl<'t> Lower<'t> {
    /// One entry of `health_checks`.
    pub(super) fn health_check(&mut self, check: Value<'t>) -> Option<Setting<HealthCheck>> {
        let kind = if let Some(http) = check.get("http_health_check") {
            CheckKind::Http { path: http.text_of("path").map(str::to_owned) }
        } else if check.get("tcp_health_check").is_some() {
            CheckKind::Tcp
        } else if check.get("grpc_health_check").is_some() {
            CheckKind::Other("grpc".into())
        } else if let Some(custom) = check.get("custom_health_check") {
            CheckKind::Other(custom.text_of("name").unwrap_or("custom").to_owned())
        } else {
            return None;
        };
        let time = |name: &str| {
            check.get(name).and_then(|value| Some(Setting::written(value.duration()?, value.span())))
        };
        let count =
            |name: &str| check.get(name).and_then(|value| Some(Setting::written(value.u32()?, value.span())));
        let unhealthy = time("unhealthy_interval");
        let quiet = time("no_traffic_interval").map_or(Duration::from_secs(60), |quiet| quiet.value);
        let jitter = Jitter {
            sooner_percent: 0,
            later_percent: check.get("interval_jitter_percent").and_then(Value::u32).unwrap_or(0),
            later: time("interval_jitter").map_or(Duration::ZERO, |jitter| jitter.value),
        };
        let timing = CheckTiming {
            interval: time("interval"),
            fast_interval: time("unhealthy_edge_interval").or(unhealthy),
            down_interval: unhealthy,
            rising_interval: time("healthy_edge_interval"),
            quiet: Some((time("no_traffic_healthy_interval").map_or(quiet, |quiet| quiet.value), quiet)),
            jitter,
            timeout: time("timeout"),
            fall: count("unhealthy_threshold"),
            rise: count("healthy_threshold"),
        };
        Some(Setting::written(HealthCheck { kind, timing }, check.span()))
    }

    /// `outlier_detection` of a cluster.
    pub(super) fn outlier_detection(&mut self, cluster: Value<'t>) -> Option<Setting<OutlierDetection>> {
        // An empty message switches it on with its defaults.
        let outlier = cluster.field("outlier_detection")?.value;
        let count = |name: &str, default: u32| outlier.get(name).and_then(Value::u32).unwrap_or(default);
        let enforced = |by: &str, default: u32, name: &str| (count(by, default) > 0).then(|| count(name, 5));
        let external = [
            enforced("enforcing_consecutive_5xx", 100, "consecutive_5xx"),
            enforced("enforcing_consecutive_gateway_failure", 0, "consecutive_gateway_failure"),
        ];
        // A connection that does not come about counts with them, unless it is told to be counted apart.
        let local = || {
            let enforcing = "enforcing_consecutive_local_origin_failure";
            enforced(enforcing, 100, "consecutive_local_origin_failure")
        };
        let apart = outlier.is_set("split_external_local_origin_errors");
        let failures = if apart { local() } else { external.into_iter().flatten().min() };
        let ejection = outlier.get("base_ejection_time").and_then(Value::duration);
        let detection = OutlierDetection {
            failures: failures.unwrap_or(0),
            ejection: Some(ejection.unwrap_or(Duration::from_secs(30))),
            sweep: Some(outlier.get("interval").and_then(Value::duration).unwrap_or(Duration::from_secs(10))),
            max_ejection_percent: Some(count("max_ejection_percent", 10)),
            always_eject_one: outlier.is_set("always_eject_one_host"),
        };
        Some(Setting::written(detection, outlier.span()))
    }
}
