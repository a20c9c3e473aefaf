//! `http-check` and `tcp-check` rules.

use super::super::expression::check_variable_action;
use super::super::keywords::{self, places};
use super::super::lexer::Word;
use super::super::report::{Report, rule};
use super::super::syntax::{Line, Section};
use super::forms;
use super::refuse::refuse;
use crate::regex;

/// Steps of both kinds of checks.
const STEPS: &[&str] = &["comment", "connect", "expect", "send", "set-var", "set-var-fmt", "unset-var"];

/// Steps of `http-check` alone.
const HTTP_STEPS: &[&str] = &["disable-on-404", "send-state"];

/// Steps of `tcp-check` alone.
const TCP_STEPS: &[&str] = &["send-lf", "send-binary", "send-binary-lf"];

/// Checks the first word of a rule, and those rules that have no table.
pub(super) fn step(line: &Line<'_>, report: &mut Report) {
    let Some(word) = line.word(1).filter(|word| !word.unset) else { return };
    let http = line.keyword() == "http-check";
    let text = word.as_str();
    let name = text.split('(').next().unwrap_or(text);
    let own = if http { HTTP_STEPS } else { TCP_STEPS };
    if !STEPS.contains(&name) && !own.contains(&name) {
        let known: Vec<&str> = STEPS.iter().chain(own).copied().collect();
        refuse(word, &format!("a step of `{}`", line.keyword()), &known, report);
        return;
    }
    match name {
        "expect" => expect(line, if http { keywords::HTTP_PATTERNS } else { keywords::TCP_PATTERNS }, report),
        "set-var" if check_variable_action(word, report) => {
            forms::action(
                line,
                2,
                &[keywords::Takes::Expression],
                keywords::Then::End,
                places::AT_CHECK,
                report,
            );
        }
        "set-var-fmt" if check_variable_action(word, report) => {
            forms::action(line, 2, &[keywords::Takes::Format], keywords::Then::End, places::AT_CHECK, report);
        }
        "unset-var" => {
            check_variable_action(word, report);
        }
        _ => {}
    }
}

/// `expect [WORDS] [!]PATTERN VALUE`; of a header the value has words of its own.
fn expect(line: &Line<'_>, patterns: &[&str], report: &mut Report) {
    let mut at = 2;
    let mut negated = false;
    loop {
        let Some(word) = line.word(at) else {
            let span = line.words.last().map_or(line.span, |word| word.span);
            report.error(
                rule::VALUE,
                span,
                format!("`{} expect` does not say what it expects", line.keyword()),
                format!("use one of {}", patterns.join(", ")),
            );
            return;
        };
        if word.unset {
            return;
        }
        let text = word.as_str();
        // The negation may stand alone, also more than once, but must come right before a pattern.
        if text == "!" {
            negated = true;
            at += 1;
            continue;
        }
        if !negated && let Some(param) = keywords::EXPECT.iter().find(|param| param.word == text) {
            let Some(next) = forms::arguments(line, at, param, places::AT_CHECK, report) else { return };
            at = next;
            continue;
        }
        let pattern = text.strip_prefix('!').unwrap_or(text);
        if !patterns.contains(&pattern) {
            let known: Vec<&str> =
                patterns.iter().copied().chain(keywords::EXPECT.iter().map(|p| p.word)).collect();
            refuse(word, &format!("something that `{} expect` can expect", line.keyword()), &known, report);
            return;
        }
        at = match pattern {
            "hdr" | "fhdr" => match header(line, at, report) {
                Some(next) => next,
                None => return,
            },
            _ => {
                let Some(value) = line.word(at + 1) else {
                    report.error(
                        rule::VALUE,
                        word.span,
                        format!("`{text}` is not followed by what is expected"),
                        format!("write `{text} PATTERN`"),
                    );
                    return;
                };
                if !fits(pattern, value, report) {
                    return;
                }
                at + 2
            }
        };
        // Words that describe the answer may follow the pattern; a second pattern may not.
        let more = line.word(at).filter(|more| !more.unset);
        match more {
            None => return,
            Some(more) if keywords::EXPECT.iter().any(|param| param.word == more.as_str()) => {
                while let Some(param) = line
                    .word(at)
                    .and_then(|more| keywords::EXPECT.iter().find(|param| param.word == more.as_str()))
                {
                    let Some(next) = forms::arguments(line, at, param, places::AT_CHECK, report) else {
                        return;
                    };
                    at = next;
                }
                let Some(extra) = line.word(at).filter(|extra| !extra.unset) else { return };
                surplus(line, extra, report);
                return;
            }
            Some(more) => {
                surplus(line, more, report);
                return;
            }
        }
    }
}

fn surplus(line: &Line<'_>, extra: &Word<'_>, report: &mut Report) {
    report.error(
        rule::VALUE,
        extra.span,
        format!("`{}` cannot follow the pattern of `{} expect`", extra.as_str(), line.keyword()),
        "remove it; blanks inside a pattern need quotes",
    );
}

/// `hdr name [-m METHOD] TEXT [value [-m METHOD] TEXT]`; gives the word after it.
fn header(line: &Line<'_>, at: usize, report: &mut Report) -> Option<usize> {
    let mut at = at + 1;
    for part in ["name", "name-lf", "value", "value-lf"].chunks(2) {
        if !part.contains(&line.arg(at)) {
            if part.contains(&"value") {
                break;
            }
            report.error(
                rule::VALUE,
                line.at(at),
                "the expected header does not start with its name",
                "write `hdr name NAME value VALUE`",
            );
            return None;
        }
        at += 1;
        if line.arg(at) == "-m" {
            at += 2;
        }
        if line.word(at).is_none() {
            report.error(
                rule::VALUE,
                line.words.last().map_or(line.span, |word| word.span),
                "the expected header is not complete",
                "write `hdr name NAME value VALUE`",
            );
            return None;
        }
        at += 1;
    }
    // `full` asks for the whole value.
    Some(if line.arg(at) == "full" { at + 1 } else { at })
}

/// Whether a pattern is what its kind asks for.
fn fits(pattern: &str, value: &Word<'_>, report: &mut Report) -> bool {
    if value.unset {
        return true;
    }
    let text = value.as_str();
    let problem = match pattern {
        "rstring" | "rstatus" | "rbinary" => {
            regex::fault(text).map(|fault| format!("as a regular expression it {fault}"))
        }
        "status" => (!text.split(',').all(is_status_range))
            .then(|| "statuses and ranges are separated by commas".to_owned()),
        "binary" => {
            let hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            (!hex).then(|| "an even number of hexadecimal digits is needed".to_owned())
        }
        _ => None,
    };
    let Some(problem) = problem else { return true };
    report.error(
        rule::VALUE,
        value.span,
        format!("`{text}` cannot be expected as `{pattern}`: {problem}"),
        "correct the pattern",
    );
    false
}

fn is_status_range(text: &str) -> bool {
    // Nothing between two commas is passed over, and a sign is taken for one.
    let number = |part: &str| part.parse::<u64>().ok();
    let text = text.strip_prefix('-').unwrap_or(text);
    if text.is_empty() {
        return true;
    }
    match text.split_once('-') {
        Some((first, last)) => {
            matches!((number(first), number(last)), (Some(first), Some(last)) if first <= last)
        }
        None => number(text).is_some(),
    }
}

/// Checks what concerns several lines of a section.
pub(super) fn sequences(section: &Section<'_>, report: &mut Report) {
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
