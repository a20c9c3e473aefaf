//! The actions of rules and the words after them.

use super::super::acl::joined;
use super::super::fetch;
use super::super::keywords;
use super::super::report::{Report, rule};
use super::super::syntax::{Line, SectionKind};
use super::words::{a_time, choice, formats};

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
    action(line, 2, set, report);
}

pub(super) fn action(line: &Line<'_>, at: usize, set: u8, report: &mut Report) {
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
    if matches!(name, "auth" | "capture" | "del-header" | "set-var" | "silent-drop")
        || name.starts_with("track-sc")
    {
        misspelt_condition(line, at + 1, report);
    }
    match name {
        "set-var" | "unset-var" | "set-var-fmt" => {
            fetch::check_variable_action(text, word, report);
            match line.word(at + 1) {
                Some(expression) if name == "set-var" => fetch::check_expression(expression, report),
                None if name == "set-var" => exactly(line, at, 1, report),
                _ => {}
            }
        }
        "redirect" => redirect(line, at + 1, report),
        "set-header" | "add-header" => {
            exactly(line, at, 2, report);
            formats(line.args(at + 2), report);
            line.word(at + 2).into_iter().for_each(|format| fetch::check_percent(format, report));
        }
        "set-path" | "set-pathq" | "set-uri" | "set-query" | "set-method" => {
            exactly(line, at, 1, report);
            formats(line.args(at + 1), report);
            line.word(at + 1).into_iter().for_each(|format| fetch::check_percent(format, report));
        }
        "replace-header" | "replace-value" => exactly(line, at, 3, report),
        "replace-path" | "replace-pathq" | "replace-uri" => exactly(line, at, 2, report),
        "allow" | "accept" | "reject" | "close" => trailing(line, at + 1, false, report),
        "deny" | "tarpit" | "return" => answer(line, at, report),
        "set-map" | "early-hint" => exactly(line, at, 2, report),
        "set-log-level" | "set-nice" | "set-mark" | "set-tos" | "set-fc-mark" | "set-fc-tos"
        | "set-bc-mark" | "set-bc-tos" | "add-acl" | "del-acl" | "del-map" | "cache-use" | "cache-store" => {
            exactly(line, at, 1, report);
        }
        "strict-mode" => {
            exactly(line, at, 1, report);
            choice(line, at + 1, &["on", "off"], report);
        }
        "set-timeout" => choice(line, at + 1, &["client", "server", "tunnel"], report),
        "set-src"
        | "set-src-port"
        | "set-dst"
        | "set-dst-port"
        | "set-priority-class"
        | "set-priority-offset"
        | "del-header"
        | "capture"
        | "normalize-uri"
        | "pause"
        | "set-bandwidth-limit"
        | "use-service"
        | "do-resolve"
            if line.word(at + 1).is_none() =>
        {
            exactly(line, at, 1, report);
        }
        _ => {
            if name.starts_with("track-sc") {
                match line.word(at + 1) {
                    Some(expression) => fetch::check_expression(expression, report),
                    None => exactly(line, at, 1, report),
                }
            }
        }
    }
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

/// From `at` on only a condition may stand.
pub(super) fn trailing(line: &Line<'_>, at: usize, needed: bool, report: &mut Report) {
    let Some(word) = line.word(at) else {
        if needed {
            report.error(
                rule::VALUE,
                line.span,
                format!("`{}` needs a condition", line.keyword()),
                "add `if CONDITION` or `unless CONDITION`",
            );
        }
        return;
    };
    if matches!(word.as_str(), "if" | "unless") || word.unset {
        return;
    }
    report.error(
        rule::VALUE,
        word.span,
        format!("`{}` stands where only `if` or `unless` may follow", word.as_str()),
        "start the condition with `if` or `unless`; blanks inside a value need quotes or `\\ `",
    );
}

pub(super) fn redirect(line: &Line<'_>, at: usize, report: &mut Report) {
    misspelt_condition(line, at, report);
    let kinds = ["prefix", "location", "scheme"];
    let words = line.args(at);
    let end = words.iter().position(|word| matches!(word.as_str(), "if" | "unless")).unwrap_or(words.len());
    let words = words.get(..end).unwrap_or_default();
    if !words.iter().any(|word| kinds.contains(&word.as_str())) {
        report.error(
            rule::VALUE,
            line.at(at),
            "a redirect must say whether it changes the location, the prefix or the scheme",
            "write `redirect location URL`, `redirect prefix URL` or `redirect scheme https`",
        );
        return;
    }
    if let Some(code) = words.iter().position(|word| word.as_str() == "code").and_then(|at| words.get(at + 1))
        && !matches!(code.as_str(), "301" | "302" | "303" | "307" | "308")
        && !code.unset
    {
        report.error(
            rule::VALUE,
            code.span,
            format!("`{}` is not a status a redirect can have", code.as_str()),
            "use 301, 302, 303, 307 or 308",
        );
    }
    formats(words, report);
}

/// `deny`, `tarpit` and `return` describe the answer before their condition.
fn answer(line: &Line<'_>, at: usize, report: &mut Report) {
    let start = at;
    let mut at = at + 1;
    // Words that give the answer a body or headers of its own.
    let mut described = false;
    let mut refused = None;
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
    text.parse::<u16>().is_ok_and(|status| (200..=599).contains(&status))
}

/// Whether the program has a page for this status; others need an answer of their own.
fn has_default_page(status: &str) -> bool {
    matches!(
        status,
        "200"
            | "400"
            | "401"
            | "403"
            | "404"
            | "405"
            | "407"
            | "408"
            | "410"
            | "413"
            | "414"
            | "421"
            | "422"
            | "425"
            | "429"
            | "431"
            | "500"
            | "501"
            | "502"
            | "503"
            | "504"
    )
}

/// A condition misspelt as `iff`, after actions whose arguments are not counted.
fn misspelt_condition(line: &Line<'_>, from: usize, report: &mut Report) {
    if line.words.iter().any(|word| matches!(word.as_str(), "if" | "unless")) {
        return;
    }
    let Some(word) = line.args(from).iter().find(|word| word.as_str() == "iff") else { return };
    report.error(
        rule::VALUE,
        word.span,
        "`iff` stands where only `if` or `unless` may follow",
        "start the condition with `if` or `unless`",
    );
}
