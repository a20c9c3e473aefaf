//! Health checks, passive detection and times in words.

use std::time::Duration;

use super::Value;
use crate::model::{CheckKind, CheckTiming, HealthCheck, Jitter, OutlierDetection, Setting};
pub(super) use crate::words::duration;

/// A health check in a few words, the usual timing included.
pub(super) fn health_check(check: &HealthCheck) -> String {
    let HealthCheck { kind, timing } = check;
    let mut text = match kind {
        CheckKind::Tcp => "TCP check".to_owned(),
        CheckKind::Http { path: Some(path) } => format!("HTTP check of {path}"),
        CheckKind::Http { path: None } => "HTTP check".to_owned(),
        CheckKind::Agent => "agent check".to_owned(),
        CheckKind::Track(server) => format!("tracks {server}"),
        CheckKind::Other(name) => format!("{name} check"),
    };
    for (word, setting) in [("every", timing.interval), ("within", timing.timeout)] {
        if let Some(setting) = setting {
            text += &format!(" {word} {}", duration(setting.value));
        }
    }
    for (word, setting) in [("fall", timing.fall), ("rise", timing.rise)] {
        if let Some(setting) = setting {
            text += &format!(" {word} {}", setting.value);
        }
    }
    text
}

/// When a check runs at other times than by its usual interval. `None`: never.
pub(super) fn other_times(check: &HealthCheck) -> Option<String> {
    let CheckTiming {
        interval,
        fast_interval,
        down_interval,
        rising_interval,
        quiet,
        jitter: Jitter { sooner_percent, later_percent, later },
        // In the words of the check.
        timeout: _,
        fall: _,
        rise: _,
    } = &check.timing;
    let usual = interval.map(|setting| setting.value);
    let mut parts = Vec::new();
    let phases = [
        (fast_interval, "while failing"),
        (down_interval, "while out"),
        (rising_interval, "while coming back"),
    ];
    for (setting, phase) in phases {
        let time = setting.as_ref().map(|setting: &Setting<Duration>| setting.value);
        if let Some(time) = time.filter(|time| Some(*time) != usual) {
            parts.push(format!("every {} {phase}", duration(time)));
        }
    }
    if let Some((well, failed)) = quiet.filter(|quiet| *quiet != USUAL_QUIET) {
        parts.push(format!("every {} without traffic", duration(well)));
        if failed != well {
            parts.push(format!("every {} without traffic after a failure", duration(failed)));
        }
    }
    match (*sooner_percent, *later_percent) {
        (0, 0) => {}
        (sooner, later) if sooner == later => parts.push(format!("up to {sooner} % sooner or later")),
        (0, later) => parts.push(format!("up to {later} % later")),
        (sooner, later) => parts.push(format!("up to {sooner} % sooner, up to {later} % later")),
    }
    if !later.is_zero() {
        parts.push(format!("up to {} later", duration(*later)));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Envoy's own intervals for a cluster without traffic.
const USUAL_QUIET: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(60));

/// Passive detection in a few words.
pub(super) fn outlier_detection(detection: &OutlierDetection) -> Value {
    let OutlierDetection { failures, ejection, sweep, max_ejection_percent, always_eject_one } = detection;
    if *failures == 0 {
        // Then nothing else matters.
        return Value::from("never ejects".to_owned());
    }
    let mut words = format!("out after {failures} failures");
    if let Some(ejection) = ejection {
        words += &format!(" for {}", duration(*ejection));
    }
    if let Some(percent) = max_ejection_percent {
        words += &format!(", at most {percent} % at once");
    }
    if *always_eject_one {
        words += ", one always";
    }
    let rest = sweep.map(|sweep| format!("looked at every {}", duration(sweep)));
    Value { words, rest: rest.into_iter().collect() }
}
