//! Words after the keyword that the program refuses.

use super::super::format;
use super::super::keywords::{self, ANY};
use super::super::lexer::Word;
use super::super::report::{Report, rule};
use super::super::syntax::{Line, Modifier, Section, SectionKind};
use super::super::values::{Port, endpoint_of, impossible_name};
use super::actions::{action, redirect, tcp};
use super::bind::bind_words;
use super::condition::trailing;
use super::refuse::{choice, refuse};
use super::{checks, forms, sample_places};

/// Checks the words of a line whose keyword is in its place.
pub(super) fn check(line: &Line<'_>, section: &Section<'_>, report: &mut Report) {
    let kind = section.kind;
    let proxy = kind.is_proxy();
    // What is negated takes no values.
    if line.modifier == Modifier::None
        && let Some(form) = keywords::form(line.keyword(), line.arg(1), keywords::place(kind))
    {
        forms::check(line, form, sample_places::of_line(line, kind), report);
    }
    match line.keyword() {
        "option" if proxy => option(line, kind, report),
        "http-request" if proxy => action(line, 1, keywords::REQUEST, kind, report),
        "http-response" if proxy => action(line, 1, keywords::RESPONSE, kind, report),
        "http-after-response" if proxy => action(line, 1, keywords::AFTER, kind, report),
        "tcp-request" if proxy => {
            tcp(line, kind, &["connection", "session", "content", "inspect-delay"], report)
        }
        "tcp-response" if proxy => tcp(line, kind, &["content", "inspect-delay"], report),
        "http-check" | "tcp-check" if proxy => checks::step(line, report),
        "use_backend" if proxy => {
            if let Some(name) = line.word(1) {
                format::check(name, sample_places::of_line(line, kind), report);
            }
            trailing(line, 2, false, report);
        }
        "use-server" if proxy => trailing(line, 2, true, report),
        "force-persist" | "ignore-persist" if proxy => trailing(line, 1, true, report),
        "redirect" if proxy => redirect(line, 1, sample_places::of_line(line, kind), report),
        "stick-table" if proxy => stick_table(line, report),
        "stick" if proxy => choice(line, 1, &["match", "on", "store-request", "store-response"], report),
        "monitor" if proxy => {
            choice(line, 1, &["fail"], report);
            trailing(line, 2, true, report);
        }
        "stats" if proxy => stats(line, report),
        "stats" if kind == SectionKind::Global => {
            // The program says "not supported anymore" from 2.7 on.
            let known: &[&str] = match report.at_least(2, 7) {
                true => &["socket", "maxconn", "timeout"],
                false => &["socket", "maxconn", "bind-process", "timeout"],
            };
            choice(line, 1, known, report);
            if line.arg(1) == "socket" {
                bind_words(line, 3, report);
            }
        }
        "filter" if proxy => choice(line, 1, FILTERS, report),
        "cookie" if proxy => cookie(line, report),
        "log" if matches!(kind, SectionKind::Global) || proxy => log(line, kind, report),
        "capture" if proxy => choice(line, 1, &["cookie", "request", "response"], report),
        "declare" if proxy => choice(line, 1, &["capture"], report),
        "persist" if proxy && !line.arg(1).starts_with("rdp-cookie") => {
            choice(line, 1, &["rdp-cookie"], report)
        }
        "retry-on" if proxy => retry_on(line, report),
        "log-format" | "log-format-sd" | "error-log-format" | "unique-id-format" if proxy => {
            if let Some(extra) = line.word(2) {
                report.error(
                    rule::VALUE,
                    extra.span,
                    format!("`{}` takes one argument, so `{}` cannot follow", line.keyword(), extra.as_str()),
                    "put the format in quotes, or escape its blanks as `\\ `",
                );
            } else if let Some(word) = line.word(1) {
                format::check(word, sample_places::of_line(line, kind), report);
            }
        }
        // Older versions read the digits at its start.
        "maxconn" if kind == SectionKind::Global && report.at_least(2, 7) => integer(line, report),
        "maxconn" | "fullconn" | "retries" if proxy => {
            if let Some(word) = line.word(1) {
                forms::warn_of_tail(word, line.keyword(), report);
            }
        }
        "nameserver" if !line.arg(2).is_empty() => address_with_port(line, 2, report),
        "peer" if kind == SectionKind::Peers && !line.arg(2).is_empty() => address_with_port(line, 2, report),
        "dispatch" if proxy => address_with_port(line, 1, report),
        _ => {}
    }
}

fn option(line: &Line<'_>, kind: SectionKind, report: &mut Report) {
    let Some(word) = line.word(1).filter(|word| !word.unset) else { return };
    let name = word.as_str();
    if let Some(removed) = keywords::REMOVED_OPTIONS.iter().find(|removed| removed.name == name) {
        report.error(
            rule::UNKNOWN,
            word.span,
            format!("`option {name}` is no longer supported by HAProxy"),
            removed.advice,
        );
        return;
    }
    let Some(option) = keywords::known_option(name, report.version) else {
        let version = report.version;
        let known = keywords::OPTIONS.iter().filter(|option| option.known_in(version));
        let close = report.suggestion(name, known.map(|option| option.name));
        let help = match close {
            Some(close) => format!("did you mean `{}`?", close.word),
            None => "see `option` in the HAProxy configuration manual".to_owned(),
        };
        report.unknown(word.span, format!("`{name}` is not an option of HAProxy {}", report.version), help);
        report.mend(word.span, name, close);
        return;
    };
    if option.misplaced(kind, report.version) && option.refused_in(report.version) {
        let (side, home) = match kind {
            SectionKind::Frontend => {
                ("servers, which a `frontend` section does not have", "a `backend` or `listen`")
            }
            _ => ("clients, which a `backend` section does not have", "a `frontend` or `listen`"),
        };
        report.error(
            rule::UNKNOWN,
            word.span,
            format!("`option {name}` is about {side}"),
            format!("move it to {home} section, or remove it"),
        );
        return;
    }
    if line.modifier != Modifier::None && !option.negatable {
        report.error(
            rule::VALUE,
            word.span,
            format!("`option {name}` cannot be negated"),
            "remove the line, or set another option of its kind",
        );
        return;
    }
    let most = match name {
        // Method, address, version; 3.2 takes a host after them, 3.0 does not.
        "httpchk" => 3 + u8::from(report.at_least(3, 1)),
        _ => option.most,
    };
    if most != ANY
        && let Some(extra) = line.word(usize::from(most) + 2)
    {
        report.error(
            rule::VALUE,
            extra.span,
            format!("`{}` cannot follow `option {name}`", extra.as_str()),
            "remove it",
        );
    }
}

fn stick_table(line: &Line<'_>, report: &mut Report) {
    if line.args(1).iter().all(|word| word.as_str() != "size" && !word.unset) {
        report.error(rule::VALUE, line.span, "a stick table needs a size", "add for example `size 100k`");
    }
}

fn stats(line: &Line<'_>, report: &mut Report) {
    let known = [
        "admin",
        "auth",
        "enable",
        "hide-version",
        "http-request",
        "realm",
        "refresh",
        "scope",
        "show-desc",
        "show-legends",
        "show-modules",
        "show-node",
        "uri",
    ];
    choice(line, 1, &known, report);
}

fn cookie(line: &Line<'_>, report: &mut Report) {
    let mut modes = Vec::new();
    let mut at = 2;
    while let Some(word) = line.word(at) {
        at += match word.as_str() {
            "rewrite" | "insert" | "prefix" => {
                if modes.iter().all(|mode: &&Word<'_>| mode.as_str() != word.as_str()) {
                    modes.push(word);
                }
                1
            }
            "indirect" | "nocache" | "postonly" | "preserve" | "httponly" | "secure" | "dynamic" => 1,
            "domain" | "maxidle" | "maxlife" | "attr" => 2,
            other => {
                if !word.unset {
                    report.error(
                        rule::VALUE,
                        word.span,
                        format!("`{other}` is not a word of `cookie`"),
                        "see `cookie` in the HAProxy configuration manual",
                    );
                }
                return;
            }
        };
    }
    if let [_, second, ..] = modes.as_slice() {
        report.error(
            rule::VALUE,
            second.span,
            "`rewrite`, `insert` and `prefix` exclude each other",
            "keep one of them",
        );
    }
}

/// Filters that are part of the program.
const FILTERS: &[&str] = &[
    "bwlim-in",
    "bwlim-out",
    "cache",
    "comp-req",
    "comp-res",
    "compression",
    "fcgi-app",
    "opentelemetry",
    "opentracing",
    "spoe",
    "trace",
];

/// Formats of log lines.
const FORMATS: &[&str] = &["local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"];

fn log_address(line: &Line<'_>, report: &mut Report) {
    let Some(word) = line.word(1) else { return };
    let text = word.address_text();
    let special = text.contains('@') || text.starts_with('/');
    let problem = match endpoint_of(text, report.version) {
        Err(reason) => reason,
        Ok(found) if !special && impossible_name(&found.host) => "it names no host".to_owned(),
        Ok(_) => return,
    };
    report.error(
        rule::VALUE,
        word.span,
        format!("the log address `{text}` cannot be used: {problem}"),
        "write ADDRESS[:PORT], a path such as `/dev/log`, `stdout` or `ring@NAME`",
    );
}

fn log(line: &Line<'_>, kind: SectionKind, report: &mut Report) {
    if kind == SectionKind::Global && line.arg(1) == "global" && line.modifier == Modifier::None {
        report.error(
            rule::VALUE,
            line.at(1),
            "`log global` refers to the log lines of `global` and cannot stand there itself",
            "write the address of a log server",
        );
        return;
    }
    if line.modifier != Modifier::None {
        if let Some(extra) = line.word(1) {
            let help = "write `no log` alone: it removes the log lines that are inherited";
            report.error(rule::VALUE, extra.span, "`no log` takes no argument", help);
        }
        return;
    }
    if line.arg(1) == "global" || line.words.iter().any(|word| word.unset) {
        return;
    }
    log_address(line, report);
    let mut at = 2;
    while let Some(word) = line.word(at) {
        match word.as_str() {
            "format" => choice(line, at + 1, FORMATS, report),
            "len" | "sample" | "profile" => {}
            _ => break,
        }
        at += 2;
    }
    let Some(facility) = line.word(at) else {
        report.error(
            rule::VALUE,
            line.span,
            "`log` needs an address and a facility, or `global`",
            "write for example `log /dev/log local0`",
        );
        return;
    };
    const FACILITIES: &[&str] = &[
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp",
        "ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5",
        "local6", "local7",
    ];
    if !FACILITIES.contains(&facility.as_str()) {
        refuse(facility, "a log facility", FACILITIES, report);
        return;
    }
    for level in line.args(at + 1) {
        if !keywords::LOG_LEVELS.contains(&level.as_str()) {
            refuse(level, "a log level", keywords::LOG_LEVELS, report);
            return;
        }
    }
}

fn retry_on(line: &Line<'_>, report: &mut Report) {
    const EVENTS: &[&str] = &[
        "none",
        "conn-failure",
        "empty-response",
        "junk-response",
        "response-timeout",
        "0rtt-rejected",
        "all-retryable-errors",
        "401",
        "403",
        "404",
        "408",
        "421",
        "425",
        "429",
        "500",
        "501",
        "502",
        "503",
        "504",
    ];
    for word in line.args(1) {
        if !EVENTS.contains(&word.as_str()) && !word.unset {
            refuse(word, "an event that can be retried", EVENTS, report);
        }
    }
}

fn integer(line: &Line<'_>, report: &mut Report) {
    let Some(word) = line.word(1).filter(|word| !word.unset) else { return };
    let digits = word.as_str().strip_prefix(['-', '+']).unwrap_or(word.as_str());
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        report.error(
            rule::VALUE,
            word.span,
            format!("`{}` is not a whole number, which `{}` needs", word.as_str(), line.keyword()),
            "write a whole number",
        );
    }
}

fn address_with_port(line: &Line<'_>, at: usize, report: &mut Report) {
    let Some(word) = line.word(at).filter(|word| !word.unset) else { return };
    let problem = match endpoint_of(word.address_text(), report.version) {
        Err(reason) => reason,
        Ok(found) if found.has_port && found.port == Port::None => "it has no port".to_owned(),
        Ok(_) => return,
    };
    report.error(
        rule::VALUE,
        word.span,
        format!("the address `{}` after `{}` cannot be used: {problem}", word.address_text(), line.keyword()),
        "write ADDRESS:PORT",
    );
}
