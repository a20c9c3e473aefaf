//! `server`, `server-template` and `default-server`.

use super::settings::{Observe, OnError, Server, ServerSettings};
use crate::haproxy::expression;
use crate::haproxy::keywords::{self, Entry};
use crate::haproxy::lexer::Word;
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::{Line, is_name_character};
use crate::haproxy::validate::{value, warn_of_tail, warn_of_time};
use crate::haproxy::values::{Port, Unit, atoi, atol, endpoint, endpoint_of, time};
use crate::model::{Address, Host, Setting, TimeKind};
use crate::source::Span;

/// Reads a `default-server` line into what later servers inherit.
pub(super) fn default_server(line: &Line<'_>, settings: &mut ServerSettings, report: &mut Report) {
    words(line, 1, settings, true, report);
}

/// Reads a `server` or `server-template` line.
pub(super) fn server(line: &Line<'_>, inherited: &ServerSettings, report: &mut Report) -> Option<Server> {
    let template = line.keyword() == "server-template";
    let address_at = if template { 3 } else { 2 };
    let (Some(name), Some(address)) = (line.word(1), line.word(address_at)) else {
        let form = if template {
            "server-template PREFIX COUNT ADDRESS[:PORT]"
        } else {
            "server NAME ADDRESS[:PORT]"
        };
        report.error(
            rule::VALUE,
            line.span,
            format!("`{}` needs more words than are written here", line.keyword()),
            format!("write `{form}`"),
        );
        return None;
    };
    check_name(name, report);
    let (first_slot, slots) = if template { count(line, report)? } else { (1, 1) };
    let (address, srv_record) = read_address(address, report)?;
    let mut settings = inherited.inherited();
    words(line, address_at + 1, &mut settings, false, report);
    let name = Word { text: name.text.to_string().into(), span: name.span, unset: name.unset, address: None };
    Some(Server {
        name,
        address,
        span: line.span,
        slots,
        first_slot,
        settings,
        srv_record,
        assumed: line.assumed,
    })
}

/// Reads `dispatch ADDRESS:PORT` as a server without a name of its own.
pub(super) fn dispatch(line: &Line<'_>) -> Option<Server> {
    let address = endpoint(line.word(1)?.address_text()).ok()?.to_address();
    let name = Word { text: "dispatch".into(), span: line.at(0), unset: false, address: None };
    let settings = ServerSettings::default();
    Some(Server {
        name,
        address,
        span: line.span,
        slots: 1,
        first_slot: 1,
        settings,
        srv_record: false,
        assumed: line.assumed,
    })
}

fn check_name(name: &Word<'_>, report: &mut Report) {
    if let Some(bad) = name.as_str().chars().find(|&c| !is_name_character(c)) {
        report.error(
            rule::VALUE,
            name.span,
            format!("the character `{bad}` may not stand in the server name `{}`", name.as_str()),
            "use letters, digits, `-`, `_`, `.` and `:`",
        );
    }
}

/// The first number of a template, and how many there are.
fn count(line: &Line<'_>, report: &mut Report) -> Option<(u32, u32)> {
    let text = line.arg(2);
    // The program reads the digits at the start, whatever follows them.
    let number = |text: &str| u32::try_from(atoi(text)).ok().filter(|&number| number > 0);
    let slots = match text.split_once('-') {
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Some((first, last - first + 1)),
            _ => None,
        },
        None => number(text).map(|slots| (1, slots)),
    };
    if slots.is_none() {
        report.error(
            rule::VALUE,
            line.at(2),
            format!("`{text}` is neither a number of servers nor a range"),
            "write a number from 1 or a range such as `1-5`",
        );
    }
    slots
}

fn read_address(word: &Word<'_>, report: &mut Report) -> Option<(Address, bool)> {
    let text = word.address_text();
    if word.unset {
        let host = Host::Unknown(word.text.to_string());
        return Some((Address { host, port: None, port_offset: 0 }, false));
    }
    let bad = |reason: String, report: &mut Report| {
        report.error(
            rule::VALUE,
            word.span,
            format!("the server address `{text}` cannot be used: {reason}"),
            "write ADDRESS[:PORT], for example `10.0.0.1:8080`, `[::1]:8080` or `unix@/run/app.sock`",
        );
    };
    match endpoint_of(text, report.version) {
        Ok(found) => {
            if matches!(found.port, Port::Range(..)) {
                bad("a port range is not possible here".into(), report);
                return None;
            }
            if text.starts_with("fd@") {
                bad("a file descriptor is not possible here".into(), report);
                return None;
            }
            let srv = matches!(&found.host, Host::Name(name) if name.starts_with('_'));
            Some((found.to_address(), srv))
        }
        Err(reason) => {
            bad(reason, report);
            None
        }
    }
}

/// Reads the words from `at` on.
fn words(
    line: &Line<'_>,
    mut at: usize,
    settings: &mut ServerSettings,
    is_default: bool,
    report: &mut Report,
) {
    while let Some(word) = line.word(at) {
        let name = word.as_str();
        let Some(entry) = find(name) else {
            unknown(word, report);
            // What follows may be its argument or the next word; guessing would only add noise.
            return;
        };
        if !entry.known_in(report.version) {
            report.error(
                rule::UNKNOWN,
                word.span,
                format!("`{name}` is not a server keyword of HAProxy {}", report.version),
                "remove it, or read the file for the version it was written for",
            );
        }
        if is_default && matches!(name, "id" | "guid") {
            report.error(
                rule::VALUE,
                word.span,
                format!("`{name}` belongs to one server and cannot stand on `default-server`"),
                "write it on the `server` lines",
            );
        }
        let span = match line.word(at + 1) {
            Some(argument) if entry.args > 0 => word.span.to(argument.span),
            _ => word.span,
        };
        if line.word(at + 1).is_none() || value(line, at, keywords::SERVER_VALUES, report) {
            apply(entry, name, line.word(at + 1), span, settings, report);
        }
        at += 1 + usize::from(entry.args) + extra_words(line, at);
    }
}

/// `source` takes an address and any of `usesrc X` and `interface X`.
fn extra_words(line: &Line<'_>, at: usize) -> usize {
    if line.arg(at) != "source" {
        return 0;
    }
    let mut extra = 0;
    while matches!(line.arg(at + 2 + extra), "usesrc" | "interface") {
        extra += 2;
    }
    extra
}

fn find(name: &str) -> Option<&'static Entry> {
    keywords::find(keywords::SERVER, name).or_else(|| {
        name.starts_with("set-proxy-v2-tlv-fmt(")
            .then(|| keywords::find(keywords::SERVER, "set-proxy-v2-tlv-fmt"))
            .flatten()
    })
}

fn unknown(word: &Word<'_>, report: &mut Report) {
    let name = word.as_str();
    let version = report.version;
    let known = keywords::SERVER.iter().filter(|entry| entry.known_in(version)).map(|entry| entry.name);
    let close = report.suggestion(name, known);
    let help = match close {
        Some(close) => format!("did you mean `{}`?", close.word),
        None => "see `server` in the HAProxy configuration manual".to_owned(),
    };
    report.unknown(word.span, format!("`{name}` is not a server keyword of HAProxy"), help);
    report.mend(word.span, name, close);
}

fn apply(
    entry: &Entry,
    name: &str,
    argument: Option<&Word<'_>>,
    span: Span,
    settings: &mut ServerSettings,
    report: &mut Report,
) {
    let flag = |value| Some(Setting::written(value, span));
    match name {
        "check" => settings.check = flag(true),
        "no-check" => settings.check = flag(false),
        "agent-check" => settings.agent_check = flag(true),
        "no-agent-check" => settings.agent_check = flag(false),
        "backup" => settings.backup = flag(true),
        "no-backup" => settings.backup = flag(false),
        "disabled" => settings.disabled = flag(true),
        "enabled" => settings.disabled = flag(false),
        "ssl" => settings.ssl = flag(true),
        "no-ssl" => settings.ssl = flag(false),
        "check-ssl" => settings.check_ssl = flag(true),
        "no-check-ssl" => settings.check_ssl = flag(false),
        "ca-file" => settings.verifiable = flag(true),
        "port" => settings.check_port = flag(true),
        _ => {}
    }
    if entry.args == 0 {
        return;
    }
    let Some(word) = argument else {
        // Words read as numbers take a missing argument for 0; the others refuse the line.
        if !matches!(name, "weight" | "maxconn" | "minconn" | "maxqueue" | "shard") {
            report.error(
                rule::VALUE,
                span,
                format!("the server keyword `{name}` needs an argument"),
                format!("write `{name} VALUE`"),
            );
            return;
        }
        set_number(name, 0, span, settings, report);
        return;
    };
    if word.unset {
        settings.unknown = Some(word.span);
        return;
    }
    let text = word.as_str();
    match name {
        "weight" | "maxconn" | "minconn" | "maxqueue" | "rise" | "fall" | "error-limit" | "id" => {
            warn_of_tail(word, name, report);
            set_number(name, atoi(text), span, settings, report);
        }
        "inter" | "fastinter" | "downinter" | "agent-inter" | "slowstart" => {
            set_time(name, word, span, settings, report);
        }
        "track" => settings.track = Some(Setting::written(text.to_owned(), span)),
        "cookie" => settings.cookie = Some(Setting::written(text.to_owned(), span)),
        "guid" => settings.guid = Some(Setting::written(text.to_owned(), span)),
        "hash-key" => settings.hash_key = Some(Setting::written(text.to_owned(), span)),
        "resolvers" => settings.resolvers = Some(Setting::written(text.to_owned(), span)),
        "observe" => {
            let observe = match text {
                "none" => Some(Observe::None),
                "layer4" => Some(Observe::Layer4),
                "layer7" => Some(Observe::Layer7),
                _ => None,
            };
            settings.observe =
                observe.map(|observe| Setting::written(observe, span)).or(settings.observe.take());
        }
        "on-error" => {
            let on_error = match text {
                "fastinter" => Some(OnError::FastInterval),
                "fail-check" => Some(OnError::FailCheck),
                "sudden-death" => Some(OnError::SuddenDeath),
                "mark-down" => Some(OnError::MarkDown),
                _ => None,
            };
            settings.on_error =
                on_error.map(|on_error| Setting::written(on_error, span)).or(settings.on_error.take());
        }
        "verify" if text == "none" => settings.verifiable = Some(Setting::written(true, span)),
        "proto" => settings.fcgi = Some(Setting::written(text == "fcgi", span)),
        "addr" if endpoint(word.address_text()).is_ok_and(|found| found.port != Port::None) => {
            settings.check_port = Some(Setting::written(true, span));
        }
        "sni" | "pool-conn-name" | "check-pool-conn-name" => {
            let place = if name == "check-pool-conn-name" { 0 } else { keywords::places::AT_CONNECT };
            expression::check(std::slice::from_ref(word), 0, place, report);
        }
        "agent-port" => settings.agent_port = Some(Setting::written(atol(text), span)),
        "init-addr" => {
            let may_lack =
                text.split(',').any(|method| method == "none" || method.parse::<std::net::IpAddr>().is_ok());
            settings.may_lack_address = Some(Setting::written(may_lack, span));
            for method in text.split(',') {
                let known =
                    matches!(method, "libc" | "last" | "none") || method.parse::<std::net::IpAddr>().is_ok();
                if !known {
                    report.error(
                        rule::VALUE,
                        word.span,
                        format!("`{method}` is not a way to find the initial address of a server"),
                        "use a list of `last`, `libc`, `none` and IP addresses",
                    );
                }
            }
        }
        _ => {}
    }
    if name == "hash-key" {
        let known: &[&str] = if report.at_least(3, 3) {
            &["id", "addr", "addr-port", "guid", "id32"]
        } else {
            &["id", "addr", "addr-port"]
        };
        one_of(name, word, known, report);
    }
}

fn one_of(name: &str, word: &Word<'_>, known: &[&str], report: &mut Report) {
    if known.contains(&word.as_str()) {
        return;
    }
    report.error(
        rule::VALUE,
        word.span,
        format!("`{}` is not a value of the server keyword `{name}`", word.as_str()),
        format!("use {}", known.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ")),
    );
}

fn set_number(name: &str, number: i64, span: Span, settings: &mut ServerSettings, report: &mut Report) {
    let count = u64::try_from(number).ok();
    let small = u32::try_from(number).ok();
    match name {
        "weight" => match small.filter(|&weight| weight <= 256) {
            Some(weight) => settings.weight = Some(Setting::written(weight, span)),
            None => report.error(
                rule::VALUE,
                span,
                format!("the weight {number} is not within 0 and 256"),
                "scale all weights of the backend down so that the largest is at most 256",
            ),
        },
        "maxconn" => settings.maxconn = count.map(|count| Setting::written(count, span)),
        "minconn" => settings.minconn = count.map(|count| Setting::written(count, span)),
        "maxqueue" => settings.maxqueue = count.map(|count| Setting::written(count, span)),
        "rise" | "fall" | "error-limit" | "id" => {
            let Some(number) = small.filter(|&number| number > 0) else {
                report.error(
                    rule::VALUE,
                    span,
                    format!("the server keyword `{name}` needs a number above 0"),
                    format!("write `{name} N` with N from 1"),
                );
                return;
            };
            let setting = Some(Setting::written(number, span));
            match name {
                "rise" => settings.rise = setting,
                "fall" => settings.fall = setting,
                "id" => settings.id = setting,
                _ => settings.error_limit = setting,
            }
        }
        _ => {}
    }
}

fn set_time(name: &str, word: &Word<'_>, span: Span, settings: &mut ServerSettings, report: &mut Report) {
    // Slow start counts in seconds only in its documentation; a bare number is milliseconds everywhere here.
    warn_of_time(word, report);
    match time(word.as_str(), Unit::Milliseconds) {
        Ok(duration) if duration.is_zero() && name != "slowstart" => report.error(
            rule::VALUE,
            word.span,
            format!("the server keyword `{name}` needs a time above 0"),
            "write a time such as `2s`",
        ),
        Ok(duration) => match name {
            "downinter" => {
                report.time(name.to_owned(), TimeKind::Interval, word, duration);
                settings.downinter = Some(Setting::written(duration, span));
            }
            "inter" => {
                report.time(name.to_owned(), TimeKind::Interval, word, duration);
                settings.inter = Some(Setting::written(duration, span));
                // The interval of the agent follows it unless it is set after.
                settings.agent_inter = Some(Setting::written(duration, span));
            }
            "fastinter" => {
                report.time(name.to_owned(), TimeKind::Interval, word, duration);
                settings.fastinter = Some(Setting::written(duration, span));
            }
            "agent-inter" => settings.agent_inter = Some(Setting::written(duration, span)),
            _ => {}
        },
        Err(reason) => report.error(
            rule::VALUE,
            word.span,
            format!("`{}` is not a time for the server keyword `{name}`: {reason}", word.as_str()),
            "write a number and a unit, for example `500ms` or `2s`",
        ),
    }
}
