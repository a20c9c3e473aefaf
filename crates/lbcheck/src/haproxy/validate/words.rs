//! Words after the keyword that the program refuses.

use super::super::fetch;
use super::super::keywords::{self, ANY};
use super::super::lexer::Word;
use super::super::report::{Report, rule};
use super::super::syntax::{Line, Modifier, Section, SectionKind};
use super::super::values::{Port, Unit, endpoint, size, time};
use super::actions::{action, redirect, tcp, trailing};

/// Checks the words of a line whose keyword is in its place.
pub(super) fn check(line: &Line<'_>, section: &Section<'_>, report: &mut Report) {
    let proxy = section.kind.is_proxy();
    match line.keyword() {
        "option" if proxy => option(line, report),
        "http-request" if proxy => action(line, 1, keywords::REQUEST, report),
        "http-response" if proxy => action(line, 1, keywords::RESPONSE, report),
        "http-after-response" if proxy => action(line, 1, keywords::AFTER, report),
        "tcp-request" if proxy => {
            tcp(line, section.kind, &["connection", "session", "content", "inspect-delay"], report)
        }
        "tcp-response" if proxy => tcp(line, section.kind, &["content", "inspect-delay"], report),
        "use_backend" if proxy => {
            formats(line.words.get(1..2).unwrap_or_default(), report);
            trailing(line, 2, false, report);
        }
        "use-server" if proxy => trailing(line, 2, true, report),
        "force-persist" | "ignore-persist" if proxy => trailing(line, 1, true, report),
        "redirect" if proxy => redirect(line, 1, report),
        "stick-table" if proxy => stick_table(line, report),
        "stats" if proxy => stats(line, report),
        "http-reuse" if proxy => choice(line, 1, &["never", "safe", "aggressive", "always"], report),
        "cookie" if proxy => cookie(line, report),
        "log" if matches!(section.kind, SectionKind::Global) || proxy => log(line, section.kind, report),
        "capture" if proxy => capture(line, report),
        "persist" if proxy && !line.arg(1).starts_with("rdp-cookie") => {
            choice(line, 1, &["rdp-cookie"], report)
        }
        "retry-on" if proxy => retry_on(line, report),
        "maxconn" if section.kind == SectionKind::Global => number(line, 0, u32::MAX, report),
        "log-format" | "log-format-sd" | "error-log-format" | "unique-id-format" if proxy => {
            if let Some(extra) = line.word(2) {
                report.error(
                    rule::VALUE,
                    extra.span,
                    format!("`{}` takes one argument, so `{}` cannot follow", line.keyword(), extra.as_str()),
                    "put the format in quotes, or escape its blanks as `\\ `",
                );
            }
            formats(line.args(1), report);
            if let [format] = line.args(1) {
                fetch::check_percent(format, report);
            }
        }
        "nameserver" if !line.arg(2).is_empty() => address_with_port(line, 2, report),
        "peer" if section.kind == SectionKind::Peers && !line.arg(2).is_empty() => {
            address_with_port(line, 2, report)
        }
        "dispatch" if proxy => address_with_port(line, 1, report),
        "tune.comp.maxlevel" => number(line, 1, 9, report),
        "spread-checks" => number(line, 0, 50, report),
        "nbthread" => number(line, 1, 4096, report),
        _ => {}
    }
}

/// Checks what concerns several lines of a section.
pub(super) fn check_section(section: &Section<'_>, report: &mut Report) {
    if !section.kind.is_proxy() {
        return;
    }
    for keyword in ["http-check", "tcp-check"] {
        check_sequence(section, keyword, report);
    }
}

/// A sequence of checks that connects must start by connecting.
fn check_sequence(section: &Section<'_>, keyword: &str, report: &mut Report) {
    let mut first: Option<&str> = None;
    for line in section.lines.iter().filter(|line| line.keyword() == keyword) {
        let step = line.arg(1);
        if matches!(step, "comment" | "disable-on-404" | "send-state")
            || step.starts_with("set-var")
            || step.starts_with("unset-var")
        {
            continue;
        }
        let begin = *first.get_or_insert(step);
        if step == "connect" && begin != "connect" {
            report.assumed = line.assumed;
            report.error(
                rule::VALUE,
                line.at(1),
                format!("`{keyword} connect` follows a step that does not connect"),
                format!("start the sequence with `{keyword} connect`"),
            );
            return;
        }
    }
}

fn option(line: &Line<'_>, report: &mut Report) {
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
    let Some(option) = keywords::option(name).filter(|option| option.known_in(report.version)) else {
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
    if line.modifier != Modifier::None {
        if !option.negatable {
            report.error(
                rule::VALUE,
                word.span,
                format!("`option {name}` cannot be negated"),
                "remove the line, or set another option of its kind",
            );
        }
        return;
    }
    if option.most != ANY
        && let Some(extra) = line.word(usize::from(option.most) + 2)
    {
        report.error(
            rule::VALUE,
            extra.span,
            format!("`{}` cannot follow `option {name}`", extra.as_str()),
            "remove it",
        );
    }
    if name == "pgsql-check" && line.words.len() < 4 {
        report.error(
            rule::VALUE,
            word.span,
            "`option pgsql-check` needs a user",
            "write `option pgsql-check user NAME`",
        );
    }
}

fn stick_table(line: &Line<'_>, report: &mut Report) {
    let words = line.args(1);
    let after =
        |name: &str| words.iter().position(|word| word.as_str() == name).and_then(|at| words.get(at + 1));
    match after("type") {
        Some(kind) if matches!(kind.as_str(), "ip" | "ipv6" | "integer" | "string" | "binary") => {}
        Some(kind) if !kind.unset => report.error(
            rule::VALUE,
            kind.span,
            format!("`{}` is not a type of stick table", kind.as_str()),
            "use ip, ipv6, integer, string or binary",
        ),
        _ => {}
    }
    match after("size") {
        Some(word) if size(word.as_str()).is_none() && !word.unset => report.error(
            rule::VALUE,
            word.span,
            format!("`{}` is not a size", word.as_str()),
            "write a number with an optional k, m or g, for example `100k`",
        ),
        None => {
            report.error(rule::VALUE, line.span, "a stick table needs a size", "add for example `size 100k`")
        }
        _ => {}
    }
    if let Some(word) = after("expire")
        && !word.unset
        && let Err(reason) = time(word.as_str(), Unit::Milliseconds)
    {
        bad_time(word, &reason, report);
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
    if line.arg(1) == "refresh" {
        match line.word(2) {
            Some(word) if !word.unset => {
                if let Err(reason) = time(word.as_str(), Unit::Seconds) {
                    bad_time(word, &reason, report);
                }
            }
            _ => {}
        }
    }
    if matches!(line.arg(1), "uri" | "realm" | "auth" | "scope") && line.word(2).is_none() {
        report.error(
            rule::VALUE,
            line.span,
            format!("`stats {}` needs an argument", line.arg(1)),
            format!("write `stats {} VALUE`", line.arg(1)),
        );
    }
}

fn cookie(line: &Line<'_>, report: &mut Report) {
    let mut modes = Vec::new();
    let mut at = 2;
    while let Some(word) = line.word(at) {
        at += match word.as_str() {
            "rewrite" | "insert" | "prefix" => {
                modes.push(word);
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

fn capture(line: &Line<'_>, report: &mut Report) {
    let complete = match (line.arg(1), line.arg(2)) {
        ("cookie", _) => line.arg(3) == "len" && !line.arg(4).is_empty(),
        ("request" | "response", "header") => line.arg(4) == "len" && !line.arg(5).is_empty(),
        _ => false,
    };
    if !complete {
        report.error(
            rule::VALUE,
            line.span,
            "`capture` must say what it captures and up to which length",
            "write `capture cookie NAME len N` or `capture request|response header NAME len N`",
        );
    }
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
    if line.modifier != Modifier::None
        || matches!(line.arg(1), "global")
        || line.words.iter().any(|word| word.unset)
    {
        return;
    }
    let mut at = 2;
    while matches!(line.arg(at), "len" | "format" | "sample" | "profile") {
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
    const LEVELS: &[&str] = &["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
    if !FACILITIES.contains(&facility.as_str()) {
        refuse(facility, "a log facility", FACILITIES, report);
        return;
    }
    for level in line.args(at + 1) {
        if !LEVELS.contains(&level.as_str()) {
            refuse(level, "a log level", LEVELS, report);
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

pub(super) fn choice(line: &Line<'_>, at: usize, known: &[&str], report: &mut Report) {
    let Some(word) = line.word(at).filter(|word| !word.unset) else { return };
    if !known.contains(&word.as_str()) {
        refuse(word, &format!("a word that can follow `{}`", line.arg(at - 1)), known, report);
    }
}

fn refuse(word: &Word<'_>, what: &str, known: &[&str], report: &mut Report) {
    let help = match report.suggest(word.as_str(), known.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("use one of {}", known.join(", ")),
    };
    report.error(rule::VALUE, word.span, format!("`{}` is not {what}", word.as_str()), help);
}

pub(super) fn a_time(line: &Line<'_>, at: usize, report: &mut Report) {
    let Some(word) = line.word(at).filter(|word| !word.unset) else { return };
    if let Err(reason) = time(word.as_str(), Unit::Milliseconds) {
        bad_time(word, &reason, report);
    }
}

fn bad_time(word: &Word<'_>, reason: &str, report: &mut Report) {
    report.error(
        rule::VALUE,
        word.span,
        format!("`{}` is not a time: {reason}", word.as_str()),
        "write a number and a unit, for example `500ms` or `30s`",
    );
}

fn number(line: &Line<'_>, least: u32, most: u32, report: &mut Report) {
    let Some(word) = line.word(1).filter(|word| !word.unset) else { return };
    let fits = word.as_str().parse::<u32>().is_ok_and(|number| (least..=most).contains(&number));
    if !fits {
        report.error(
            rule::VALUE,
            word.span,
            format!("`{}` needs a number from {least} to {most}, not `{}`", line.keyword(), word.as_str()),
            format!("write a number from {least} to {most}"),
        );
    }
}

fn address_with_port(line: &Line<'_>, at: usize, report: &mut Report) {
    let Some(word) = line.word(at).filter(|word| !word.unset) else { return };
    let problem = match endpoint(word.address_text()) {
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

/// Checks the expressions inside log formats.
pub(super) fn formats(words: &[Word<'_>], report: &mut Report) {
    for word in words {
        if matches!(word.as_str(), "if" | "unless") {
            return;
        }
        fetch::check_format(word, report);
    }
}
