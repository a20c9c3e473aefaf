//! The actions of rules and the words after them.

use super::super::expression::check_variable_action;
use super::super::format;
use super::super::keywords;
use super::super::lexer::{Word, joined};
use super::super::report::{Reference, Report, Wanted, rule};
use super::super::syntax::{Line, SectionKind};
use super::super::values::atoi;
use super::condition::trailing;
use super::refuse::{a_time, choice, refuse};
use super::{forms, sample_places};

pub(super) fn tcp(line: &Line<'_>, kind: SectionKind, sets: &[&str], report: &mut Report) {
    let misplaced = match (line.keyword(), line.arg(1), kind) {
        ("tcp-request", "connection" | "session", SectionKind::Backend) => Some("backend"),
        ("tcp-response", "content", SectionKind::Frontend) => Some("frontend"),
        _ => None,
    };
    if let Some(place) = misplaced {
        report.error(
            rule::VALUE,
            line.at(1),
            format!("`{} {}` may not stand in a `{place}` section", line.keyword(), line.arg(1)),
            "move the rule to the other side of the proxy",
        );
        return;
    }
    let set = match (line.keyword(), line.arg(1)) {
        ("tcp-request", "connection") => keywords::CONNECTION,
        ("tcp-request", "session") => keywords::SESSION,
        ("tcp-request", "content") => keywords::CONTENT,
        ("tcp-response", "content") => keywords::ANSWER,
        (_, "inspect-delay") => {
            a_time(line, 2, report);
            return;
        }
        _ => {
            choice(line, 1, sets, report);
            return;
        }
    };
    action(line, 2, set, kind, report);
}

pub(super) fn action(line: &Line<'_>, at: usize, set: u8, kind: SectionKind, report: &mut Report) {
    let rules = joined(line.words.get(..at).unwrap_or_default());
    let Some(word) = line.word(at).filter(|word| !word.as_str().is_empty()) else {
        report.error(
            rule::VALUE,
            line.span,
            format!("`{rules}` needs an action"),
            format!("write for example `{rules} {}`", keywords::actions(set).next().unwrap_or("ACTION")),
        );
        return;
    };
    if word.unset {
        return;
    }
    let text = word.as_str();
    if !keywords::action_known(set, text, report.version) {
        let name = text.split('(').next().unwrap_or(text);
        let help = match report.suggest(name, keywords::actions(set)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("see `{rules}` in the HAProxy configuration manual"),
        };
        report.unknown(word.span, format!("`{text}` is not an action of `{rules}`"), help);
        return;
    }
    let name = text.split('(').next().unwrap_or(text);
    let place = sample_places::of_rules(set, kind);
    if matches!(name, "set-var" | "set-var-fmt" | "unset-var") && !check_variable_action(word, report) {
        return;
    }
    if let Some(form) = keywords::action_form(name) {
        forms::action(line, at + 1, form.takes, form.then, place, report);
        return;
    }
    match name {
        "redirect" => redirect(line, at + 1, place, report),
        "deny" | "tarpit" | "return" => answer(line, at, place, report),
        "set-mark" | "set-tos" | "set-fc-mark" | "set-fc-tos" | "set-bc-mark" | "set-bc-tos" => {
            exactly(line, at, 1, report);
        }
        "use-service" => service(line, at, report),
        "set-timeout" => timeout(line, at, kind, report),
        "do-resolve" => do_resolve(line, at, place, report),
        "normalize-uri" | "set-bandwidth-limit" if line.word(at + 1).is_none() => {
            exactly(line, at, 1, report)
        }
        _ if name.starts_with("track-sc") => {
            let table = &[keywords::Param { word: "table", takes: &[keywords::Takes::Anything] }];
            let then = keywords::Then::ParamsThenCondition(table);
            forms::action(line, at + 1, &[keywords::Takes::Expression], then, place, report);
        }
        _ => {}
    }
}

/// Services that are part of the program; others come from Lua.
const SERVICES: &[&str] = &["haterm", "prometheus-exporter"];

fn service(line: &Line<'_>, at: usize, report: &mut Report) {
    exactly(line, at, 1, report);
    let Some(name) = line.word(at + 1).filter(|name| !name.unset) else { return };
    if !SERVICES.contains(&name.as_str()) && !name.as_str().starts_with("lua.") {
        refuse(name, "a service of HAProxy, nor one of Lua, which start with `lua.`", SERVICES, report);
    }
}

/// `set-timeout NAME TIME|EXPRESSION`. A section can only set the timeouts of its side.
fn timeout(line: &Line<'_>, at: usize, kind: SectionKind, report: &mut Report) {
    let known: &[&str] = match kind {
        SectionKind::Frontend if report.at_least(2, 9) => &["client", "tarpit"],
        SectionKind::Frontend => &[],
        SectionKind::Backend => &["connect", "queue", "server", "tarpit", "tunnel"],
        _ => &["client", "connect", "queue", "server", "tarpit", "tunnel"],
    };
    choice(line, at + 1, known, report);
    exactly(line, at, 2, report);
}

/// `do-resolve(VARIABLE,RESOLVERS[,FAMILY]) EXPRESSION`.
fn do_resolve(line: &Line<'_>, at: usize, place: u32, report: &mut Report) {
    let Some(word) = line.word(at) else { return };
    let text = word.as_str();
    let inside = text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let parts: Vec<&str> = inside.unwrap_or_default().split(',').collect();
    let fits = match parts.as_slice() {
        [_, _] => true,
        [_, _, family] => matches!(*family, "ipv4" | "ipv6"),
        _ => false,
    };
    if !fits {
        report.error(
            rule::VALUE,
            word.span,
            format!("`{text}` does not say where to put the address and whom to ask"),
            "write `do-resolve(txn.address,RESOLVERS)`, with `ipv4` or `ipv6` as a third argument",
        );
        return;
    }
    if let Some(name) = parts.get(1) {
        let wanted = Wanted::Section(SectionKind::Resolvers);
        let (name, fetch, assumed) = ((*name).to_owned(), "do-resolve".to_owned(), report.assumed);
        report.references.push(Reference { wanted, name, fetch, span: word.span, assumed });
    }
    forms::action(
        line,
        at + 1,
        &[keywords::Takes::Expression],
        keywords::Then::Condition(false),
        place,
        report,
    );
}

/// The action at `at` takes this many words before its condition.
fn exactly(line: &Line<'_>, at: usize, number: usize, report: &mut Report) {
    let rest = line.args(at + 1);
    if rest.len() < number {
        report.error(
            rule::VALUE,
            line.at(at),
            format!(
                "`{}` needs {number} {}",
                line.arg(at),
                if number == 1 { "argument" } else { "arguments" }
            ),
            format!("see `{} {}` in the HAProxy configuration manual", line.keyword(), line.arg(at)),
        );
        return;
    }
    trailing(line, at + 1 + number, false, report);
}

pub(super) fn redirect(line: &Line<'_>, mut at: usize, place: u32, report: &mut Report) {
    let start = at;
    let mut target = false;
    while let Some(word) = line.word(at) {
        let argument = line.word(at + 1);
        match word.as_str() {
            "if" | "unless" => break,
            _ if word.unset => return,
            "drop-query" | "append-slash" | "ignore-empty" | "keep-query" => {
                at += 1;
                continue;
            }
            kind @ ("prefix" | "location" | "scheme" | "set-cookie" | "clear-cookie" | "code") => {
                let Some(argument) = argument else {
                    report.error(
                        rule::VALUE,
                        word.span,
                        format!("`{kind}` of a redirect needs an argument"),
                        format!("write `{kind} VALUE`"),
                    );
                    return;
                };
                target |= matches!(kind, "prefix" | "location" | "scheme");
                if kind == "code" {
                    status(argument, report);
                } else {
                    format::check(argument, place, report);
                }
                at += 2;
            }
            _ => {
                let known = [
                    "prefix",
                    "location",
                    "scheme",
                    "set-cookie",
                    "clear-cookie",
                    "code",
                    "drop-query",
                    "append-slash",
                    "ignore-empty",
                    "keep-query",
                    "if",
                    "unless",
                ];
                refuse(word, "a word of redirects", &known, report);
                return;
            }
        }
    }
    if !target {
        report.error(
            rule::VALUE,
            line.at(start),
            "a redirect must say whether it changes the location, the prefix or the scheme",
            "write `redirect location URL`, `redirect prefix URL` or `redirect scheme https`",
        );
    }
}

fn status(code: &Word<'_>, report: &mut Report) {
    if code.unset || matches!(code.as_str(), "301" | "302" | "303" | "307" | "308") {
        return;
    }
    report.error(
        rule::VALUE,
        code.span,
        format!("`{}` is not a status a redirect can have", code.as_str()),
        "use 301, 302, 303, 307 or 308",
    );
}

/// `deny`, `tarpit` and `return` describe the answer before their condition.
fn answer(line: &Line<'_>, at: usize, place: u32, report: &mut Report) {
    let start = at;
    let mut at = at + 1;
    // Words that give the answer a body or headers of its own.
    let mut described = false;
    let mut refused = None;
    // A body needs a type.
    let (mut body, mut typed) = (None, false);
    while let Some(word) = line.word(at) {
        if matches!(word.as_str(), "status" | "deny_status")
            && let Some(status) = line.word(at + 1)
            && !is_status(status.as_str())
        {
            report.error(
                rule::VALUE,
                status.span,
                format!("`{}` is not a status HAProxy can answer with", status.as_str()),
                "use a status from 200 to 599",
            );
        }
        if word.as_str() == "deny_status" {
            refused = line.word(at + 1).filter(|status| !has_default_page(status.as_str()));
        }
        described |=
            !matches!(word.as_str(), "status" | "deny_status" | "default-errorfiles" | "if" | "unless");
        match word.as_str() {
            "content-type" => typed = true,
            "file" | "lf-file" => body = Some(word),
            "string" if line.word(at + 1).is_some() => body = Some(word),
            _ => {}
        }
        match word.as_str() {
            "lf-string" => line.word(at + 1).into_iter().for_each(|text| format::check(text, place, report)),
            "hdr" => line.word(at + 2).into_iter().for_each(|text| format::check(text, place, report)),
            _ => {}
        }
        at += match word.as_str() {
            "default-errorfiles" => 1,
            "status" | "deny_status" | "content-type" | "errorfile" | "errorfiles" | "file" | "lf-file"
            | "string" | "lf-string" => 2,
            "hdr" => 3,
            _ => {
                trailing(line, at, false, report);
                break;
            }
        };
    }
    if let Some(body) = body.filter(|_| !typed) {
        report.error(
            rule::VALUE,
            body.span,
            format!("`{}` gives the answer a body, but its type is not said", body.as_str()),
            "add for example `content-type text/plain` before it",
        );
    }
    let plain = line.arg(start) != "return" && !described && !report.at_least(3, 3);
    if let Some(status) = refused.filter(|status| plain && !status.unset && is_status(status.as_str())) {
        report.error(
            rule::VALUE,
            status.span,
            format!("HAProxy has no page of its own for the status {}", status.as_str()),
            format!(
                "describe the answer, for example `deny_status {} content-type text/plain string TEXT`",
                status.as_str()
            ),
        );
    }
    if at > line.words.len() {
        report.error(
            rule::VALUE,
            line.span,
            format!("the last word of this `{}` rule needs an argument", line.keyword()),
            format!("see `{}` in the HAProxy configuration manual", line.keyword()),
        );
    }
}

fn is_status(text: &str) -> bool {
    (200..=599).contains(&atoi(text))
}

/// Whether the program has a page for this status; others need an answer of their own.
fn has_default_page(status: &str) -> bool {
    keywords::STATUSES.contains(&atoi(status).to_string().as_str())
}
