//! Active health checks and outlier detection.

use std::time::Duration;

use crate::model::{CheckKind, CheckTiming, HealthCheck, OutlierDetection, Setting};

use super::super::tree::Value;
use super::Lower;

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
        let timing = CheckTiming {
            interval: time("interval"),
            fast_interval: None,
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
        let failures = if count("enforcing_consecutive_5xx", 100) > 0 {
            count("consecutive_5xx", 5)
        } else if count("enforcing_consecutive_gateway_failure", 0) > 0 {
            count("consecutive_gateway_failure", 5)
        } else {
            0
        };
        let ejection = outlier.get("base_ejection_time").and_then(Value::duration);
        let detection = OutlierDetection {
            failures,
            ejection: Some(ejection.unwrap_or(Duration::from_secs(30))),
            max_ejection_percent: Some(count("max_ejection_percent", 10)),
            always_eject_one: outlier.is_set("always_eject_one_host"),
        };
        Some(Setting::written(detection, outlier.span()))
    }
}
