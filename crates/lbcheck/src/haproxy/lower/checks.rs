//! What health checks ask and how often.

use std::time::Duration;

use super::settings::{CheckStep, Observe, OnError, ServerSettings, Settings};
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::{Line, Modifier, Section, SectionKind};
use crate::model::{CheckKind, CheckTiming, Config, HealthCheck, Jitter, OutlierDetection, Setting};

const NOTE_INTERVAL: &str = "HAProxy: inter 2s";
const NOTE_FALL: &str = "HAProxy: fall 3";
const NOTE_RISE: &str = "HAProxy: rise 2";

/// Reads `option httpchk` and its kin; the last one of a section is in force.
pub(super) fn option(line: &Line<'_>, settings: &mut Settings, report: &mut Report) {
    let name = line.arg(1);
    let kind = match name {
        "httpchk" => {
            http_check_words(line, report);
            // One word is the target, two are method and target.
            let path = if line.word(3).is_some() { line.word(3) } else { line.word(2) };
            CheckKind::Http { path: path.map(|word| word.text.to_string()) }
        }
        "tcp-check" => CheckKind::Tcp,
        "mysql-check" | "pgsql-check" | "redis-check" | "smtpchk" | "ldap-check" | "spop-check"
        | "ssl-hello-chk" | "external-check" => {
            let name = name.strip_suffix("-check").or_else(|| name.strip_suffix("chk")).unwrap_or(name);
            CheckKind::Other(name.trim_end_matches('-').to_owned())
        }
        _ => return,
    };
    let value = (line.modifier == Modifier::None).then_some(kind);
    settings.spoe_agents = Some(Setting::written(name == "spop-check", line.span));
    settings.check = Some(Setting::written(value, line.span));
}

fn http_check_words(line: &Line<'_>, report: &mut Report) {
    let Some(version) = line.word(4) else { return };
    // 2.6 still takes them, with a warning.
    if !report.at_least(2, 8) {
        return;
    }
    if version.as_str().contains(['\r', '\n']) {
        report.error(
            rule::VALUE,
            version.span,
            "`option httpchk` takes no headers or body after the version any more",
            "send them with `http-check send hdr NAME VALUE`",
        );
    }
}

/// Reads `http-check` and `tcp-check` rules as far as they change what is asked.
pub(super) fn rule(line: &Line<'_>, settings: &mut Settings, report: &mut Report) {
    if line.keyword() == "http-check" {
        sequence(line, settings, report);
    }
    match (line.keyword(), line.arg(1)) {
        ("http-check", "send") => {
            let words = line.args(2);
            let uri = words
                .iter()
                .position(|word| matches!(word.as_str(), "uri" | "uri-lf"))
                .and_then(|at| words.get(at + 1));
            if let Some(uri) = uri {
                settings.check_uri = Some(Setting::written(uri.text.to_string(), line.span));
            }
        }
        (_, "connect") => {
            settings.check_connects_to_port |=
                line.words.iter().any(|word| matches!(word.as_str(), "port" | "addr"));
            settings.check_connects_with_tls |= line.words.iter().any(|word| word.as_str() == "ssl");
        }
        ("tcp-check", "send" | "send-lf" | "send-binary" | "send-binary-lf" | "expect") => {
            if let Some(check) = &mut settings.check
                && check.value == Some(CheckKind::Tcp)
            {
                check.value = Some(CheckKind::Other("tcp-check".into()));
            }
        }
        _ => {}
    }
}

/// One request is sent on each connection and at least one answer expected to it. The program only looks at this once
/// `option httpchk` holds.
fn sequence(line: &Line<'_>, settings: &mut Settings, report: &mut Report) {
    let step = match line.arg(1) {
        "connect" => CheckStep::Connect,
        "send" => CheckStep::Send,
        "expect" => CheckStep::Expect,
        _ => return,
    };
    let before = settings.check_step.replace(step);
    if !matches!(&settings.check, Some(Setting { value: Some(CheckKind::Http { .. }), .. })) {
        return;
    }
    let missing = match (before, step) {
        (Some(CheckStep::Send | CheckStep::Expect), CheckStep::Send) => "connect",
        (Some(CheckStep::Connect), CheckStep::Expect) => "send",
        (Some(CheckStep::Connect), CheckStep::Connect) => "expect",
        _ => return,
    };
    report.error(
        rule::VALUE,
        line.at(1),
        format!("`http-check {}` comes too early: an `http-check {missing}` must stand before it", line.arg(1)),
        "write for each connection `http-check connect`, `send` and `expect`, in this order; the first `connect` may \
         be left out",
    );
}

/// The active check of a server.
pub(super) fn of_server(server: &ServerSettings, settings: &Settings) -> Option<Setting<HealthCheck>> {
    if let Some(track) = &server.track {
        let kind = CheckKind::Track(track.value.clone());
        let check = HealthCheck { kind, timing: CheckTiming::default() };
        return Some(Setting { value: check, origin: track.origin });
    }
    if let Some(check) = server.check.filter(|check| check.value) {
        let timing = timing(server, server.inter, settings);
        return Some(Setting { value: HealthCheck { kind: kind(settings), timing }, origin: check.origin });
    }
    let agent = server.agent_check.filter(|agent| agent.value)?;
    let timing = timing(server, server.agent_inter, settings);
    Some(Setting { value: HealthCheck { kind: CheckKind::Agent, timing }, origin: agent.origin })
}

fn kind(settings: &Settings) -> CheckKind {
    let kind = settings.check.as_ref().and_then(|check| check.value.clone());
    match (kind, &settings.check_uri) {
        (Some(CheckKind::Http { .. }), Some(uri)) => CheckKind::Http { path: Some(uri.value.clone()) },
        (Some(CheckKind::Http { path: None }), None) => CheckKind::Http { path: Some("/".into()) },
        (Some(kind), _) => kind,
        (None, _) => CheckKind::Tcp,
    }
}

fn timing(server: &ServerSettings, interval: Option<Setting<Duration>>, settings: &Settings) -> CheckTiming {
    CheckTiming {
        interval: interval.or(Some(Setting::default(Duration::from_secs(2), NOTE_INTERVAL))),
        fast_interval: server.fastinter,
        down_interval: server.downinter,
        rising_interval: server.fastinter,
        timeout: settings.timeout_check,
        fall: server.fall.or(Some(Setting::default(3, NOTE_FALL))),
        rise: server.rise.or(Some(Setting::default(2, NOTE_RISE))),
        ..CheckTiming::default()
    }
}

/// `spread-checks` moves every wait between checks to either side.
pub(super) fn spread(sections: &[Section<'_>], config: &mut Config) {
    let mut lines = sections
        .iter()
        .filter(|section| section.kind == SectionKind::Global)
        .flat_map(|section| &section.lines);
    let spread = lines.rfind(|line| line.keyword() == "spread-checks");
    let Some(percent) =
        spread.and_then(|line| line.arg(1).parse::<u32>().ok()).filter(|percent| *percent > 0)
    else {
        return;
    };
    for endpoint in config.pools.iter_mut().flat_map(|pool| &mut pool.endpoints) {
        if let Some(check) = &mut endpoint.check {
            check.value.timing.jitter =
                Jitter { sooner_percent: percent, later_percent: percent, ..Jitter::default() };
        }
    }
}

/// Passive detection by watching traffic. It works only on a checked server.
pub(super) fn outlier_detection(server: &ServerSettings) -> Option<Setting<OutlierDetection>> {
    let observe = server.observe.filter(|observe| observe.value != Observe::None)?;
    server.check.filter(|check| check.value)?;
    let limit = server.error_limit.map_or(10, |limit| limit.value);
    // So many errors in a row count as one failed check, as the last but one, or as all of them.
    let fall = server.fall.map_or(3, |fall| fall.value.max(1));
    let rounds = match server.on_error.map_or(OnError::FailCheck, |on_error| on_error.value) {
        OnError::FastInterval => 0,
        OnError::FailCheck => fall,
        OnError::SuddenDeath => fall.min(2),
        OnError::MarkDown => 1,
    };
    let value = OutlierDetection {
        failures: limit.saturating_mul(rounds),
        ejection: None,
        sweep: None,
        max_ejection_percent: None,
        always_eject_one: false,
    };
    Some(Setting { value, origin: observe.origin })
}
