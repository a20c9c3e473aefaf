//! How long Envoy takes to find that a host has failed.

use super::*;
use crate::traffic::scenario::How;

/// Two hosts, the first of which fails. The first check is one without traffic, and so may not wait for long.
fn noticed(title: &str, check: &str, send: Send) -> Scenario {
    let check = match send {
        Send::Nothing => check.to_owned(),
        _ => format!("no_traffic_interval: 0.05s, {check}"),
    };
    let settings = format!(
        "{ROUND_ROBIN}\nhealth_checks:\n- {{{check}}}\ncommon_lb_config: {{update_merge_window: 0s}}"
    );
    scenario(title, &settings, &["", ""], send, Expect::NoticedInTime).fails(&[0], Notice::Checks)
}

pub(in crate::traffic::scenarios) fn noticed_refused() -> Scenario {
    noticed(
        "health check every 0.3 s, threshold 3, a host refuses",
        "timeout: 1s, interval: 0.3s, unhealthy_threshold: 3, healthy_threshold: 2, tcp_health_check: {}",
        Send::Same(1),
    )
}

pub(in crate::traffic::scenarios) fn noticed_edges() -> Scenario {
    noticed(
        "health check with unhealthy and edge intervals, a host refuses",
        "timeout: 1s, interval: 0.4s, unhealthy_interval: 0.5s, unhealthy_edge_interval: 0.1s, \
         healthy_edge_interval: 0.2s, unhealthy_threshold: 3, healthy_threshold: 2, tcp_health_check: {}",
        Send::Same(1),
    )
}

pub(in crate::traffic::scenarios) fn noticed_without_traffic() -> Scenario {
    noticed(
        "health check with no_traffic_interval 0.4 s and no traffic, a host refuses",
        "timeout: 1s, interval: 0.1s, no_traffic_interval: 0.4s, unhealthy_threshold: 2, healthy_threshold: 1, \
         tcp_health_check: {}",
        Send::Nothing,
    )
}

pub(in crate::traffic::scenarios) fn noticed_silent() -> Scenario {
    noticed(
        "HTTP health check with a timeout of 0.15 s, a host falls silent",
        "timeout: 0.15s, interval: 0.3s, unhealthy_threshold: 2, healthy_threshold: 1, http_health_check: {path: /health}",
        Send::Same(1),
    )
    .how(How::FallsSilent)
}

pub(in crate::traffic::scenarios) fn noticed_jitter() -> Scenario {
    noticed(
        "health check with interval_jitter and interval_jitter_percent, a host refuses",
        "timeout: 1s, interval: 0.3s, interval_jitter: 0.1s, interval_jitter_percent: 50, unhealthy_threshold: 2, \
         healthy_threshold: 2, tcp_health_check: {}",
        Send::Same(1),
    )
}

fn ejected(title: &str, outlier: &str, hosts: &[&str]) -> Scenario {
    let settings = format!(
        "{ROUND_ROBIN}\noutlier_detection: {{interval: 0.25s, base_ejection_time: 1s{outlier}}}\n\
         common_lb_config: {{update_merge_window: 0s}}"
    );
    scenario(title, &settings, hosts, Send::Same(120), Expect::NoticedByRequests).fails(&[2], Notice::Never)
}

pub(in crate::traffic::scenarios) fn ejected_refused() -> Scenario {
    ejected("outlier detection by default, one of ten hosts refuses", "", &[""; 10])
}

pub(in crate::traffic::scenarios) fn ejected_answers() -> Scenario {
    ejected("consecutive_5xx 3, one of ten hosts answers 500", ", consecutive_5xx: 3", &[""; 10])
        .how(How::Errs)
}

pub(in crate::traffic::scenarios) fn ejected_gateway() -> Scenario {
    ejected(
        "consecutive_gateway_failure 2 enforced, one of ten hosts refuses",
        ", consecutive_gateway_failure: 2, enforcing_consecutive_gateway_failure: 100",
        &[""; 10],
    )
}

pub(in crate::traffic::scenarios) fn ejected_local_origin() -> Scenario {
    ejected(
        "split_external_local_origin_errors, consecutive_local_origin_failure 3, one of ten hosts refuses",
        ", split_external_local_origin_errors: true, consecutive_local_origin_failure: 3",
        &[""; 10],
    )
}

pub(in crate::traffic::scenarios) fn ejected_always_one() -> Scenario {
    ejected("always_eject_one_host, one of three hosts refuses", ", always_eject_one_host: true", EQUAL)
}
