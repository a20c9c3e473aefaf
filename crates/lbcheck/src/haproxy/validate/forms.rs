//! Lines against the forms of their keywords.

use super::super::expression;
use super::super::format;
use super::super::keywords::{self, Form, LEVELS, Param, Takes, Then};
use super::super::lexer::Word;
use super::super::report::{Reference, Report, Wanted, rule};
use super::super::syntax::Line;
use super::super::values::{Unit, atol, endpoint_of, impossible_name, is_ipv4, size, time, time_surplus};
use super::condition::trailing;
use super::refuse::refuse;
use crate::dialect::Version;
use crate::regex;

/// Checks what follows the keyword and the first word of a form.
pub(super) fn check(line: &Line<'_>, form: &Form, place: u32, report: &mut Report) {
    let at = if form.first.is_empty() { 1 } else { 2 };
    let head = || match form.first {
        "" => form.keyword.to_owned(),
        first => format!("{} {first}", form.keyword),
    };
    if let Some(at) = positional(line, at, &head(), form.takes, form.optional, place, report) {
        after(line, at, &head(), form.then, place, report);
    }
}

/// Checks the arguments of an action whose name stands before `at`.
pub(super) fn action(
    line: &Line<'_>,
    at: usize,
    takes: &[Takes],
    then: Then,
    place: u32,
    report: &mut Report,
) {
    let head = line.arg(at - 1).to_owned();
    if let Some(at) = positional(line, at, &head, takes, 0, place, report) {
        after(line, at, &head, then, place, report);
    }
}

/// Checks arguments that stand in their places; gives the first word after them. `None`: one was refused.
fn positional(
    line: &Line<'_>,
    mut at: usize,
    head: &str,
    takes: &[Takes],
    optional: usize,
    place: u32,
    report: &mut Report,
) -> Option<usize> {
    for (index, kind) in takes.iter().enumerate() {
        if line.word(at).is_none() {
            if index + optional < takes.len() && *kind != Takes::Maybe {
                let span = line.words.last().map_or(line.span, |word| word.span);
                report.error(
                    rule::VALUE,
                    span,
                    format!("`{head}` needs {} here", noun(*kind)),
                    format!("see `{}` in the HAProxy configuration manual", line.keyword()),
                );
                return None;
            }
            return Some(at);
        }
        at = one(line, at, head, *kind, place, report)?;
    }
    Some(at)
}

fn after(line: &Line<'_>, at: usize, head: &str, then: Then, place: u32, report: &mut Report) {
    match then {
        Then::Free => {}
        Then::End => {
            if let Some(extra) = line.word(at).filter(|extra| !extra.unset) {
                report.error(
                    rule::VALUE,
                    extra.span,
                    format!("`{}` cannot follow here: `{head}` takes no further argument", extra.as_str()),
                    "remove it; a comment starts with `#`, and blanks inside a value need quotes",
                );
            }
        }
        Then::Condition(needed) => trailing(line, at, needed, report),
        Then::Params(known) => {
            params(line, at, head, known, false, place, report);
        }
        Then::ParamsThenCondition(known) => {
            if let Some(at) = params(line, at, head, known, true, place, report) {
                trailing(line, at, false, report);
            }
        }
    }
}

/// Checks words in any order; gives the place of a condition. `None`: one was refused.
pub(super) fn params(
    line: &Line<'_>,
    mut at: usize,
    head: &str,
    known: &[Param],
    conditional: bool,
    place: u32,
    report: &mut Report,
) -> Option<usize> {
    while let Some(word) = line.word(at) {
        if word.unset {
            return None;
        }
        if conditional && matches!(word.as_str(), "if" | "unless") {
            break;
        }
        let Some(param) = known.iter().find(|param| param.word == word.as_str()) else {
            let words: Vec<&str> = known.iter().map(|param| param.word).collect();
            refuse(word, &format!("a word that can stand here, after `{head}`"), &words, report);
            return None;
        };
        at = arguments(line, at, param, place, report)?;
    }
    Some(at)
}

/// Checks the argument of a word of a `bind` or `server` line. False: it was refused.
pub(crate) fn value(line: &Line<'_>, at: usize, table: &'static [Param], report: &mut Report) -> bool {
    let Some(param) = keywords::values(table, line.arg(at)) else { return true };
    arguments(line, at, param, 0, report).is_some()
}

/// Checks the arguments of the word at `at`; gives the word after them. `None`: one was refused.
pub(super) fn arguments(
    line: &Line<'_>,
    at: usize,
    param: &Param,
    place: u32,
    report: &mut Report,
) -> Option<usize> {
    positional(line, at + 1, param.word, param.takes, 0, place, report)
}

/// Checks the argument at `at`; gives the word after it. `None`: it was refused.
fn one(
    line: &Line<'_>,
    at: usize,
    head: &str,
    kind: Takes,
    place: u32,
    report: &mut Report,
) -> Option<usize> {
    let word = line.word(at)?;
    if kind == Takes::Expression {
        // An unset variable may hold anything, also more words.
        return expression::check(&line.words, at, place, report);
    }
    if word.unset {
        return Some(at + 1);
    }
    let text = word.as_str();
    let problem = match kind {
        Takes::Anything | Takes::Maybe | Takes::Expression => None,
        Takes::Time | Takes::Seconds => {
            let unit = if kind == Takes::Time { Unit::Milliseconds } else { Unit::Seconds };
            warn_of_time(word, report);
            time(text, unit).err()
        }
        Takes::Size => size(text).is_none().then(|| "write a number with an optional k, m or g".to_owned()),
        Takes::Bytes(least) if report.at_least(3, 1) => match size(text) {
            Some(bytes) => {
                i64::try_from(bytes).is_ok_and(|bytes| bytes < least).then(|| range(least, i64::MAX))
            }
            None => Some("write a number with an optional k, m or g".to_owned()),
        },
        Takes::Bytes(least) => {
            let bytes = atol(text);
            if bytes < least {
                Some(range(least, i64::MAX))
            } else {
                warn_of_unit(word, bytes, head, report);
                None
            }
        }
        Takes::Number(least, most) => {
            let fits = text.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number));
            (!fits).then(|| range(least, most))
        }
        Takes::Count(least, most) => (!{
            warn_of_tail(word, head, report);
            (least..=most).contains(&atol(text))
        })
        .then(|| range(least, most)),
        Takes::Octal => i32::from_str_radix(text, 8).is_err().then(|| "use digits from 0 to 7".to_owned()),
        Takes::Address => address(word, report.version),
        Takes::OneOf(known) => {
            if !known.contains(&text) {
                refuse(word, &format!("a word that can follow `{head}`"), known, report);
                return None;
            }
            None
        }
        Takes::Known(entries) => {
            let version = report.version;
            let known: Vec<&str> =
                entries.iter().filter(|entry| entry.known_in(version)).map(|entry| entry.name).collect();
            if !known.contains(&text) {
                refuse(word, &format!("a word that can follow `{head}`"), &known, report);
                return None;
            }
            None
        }
        Takes::Stored(entries) => {
            let version = report.version;
            let known: Vec<&str> =
                entries.iter().filter(|entry| entry.known_in(version)).map(|entry| entry.name).collect();
            let name = |item: &str| item.split('(').next().unwrap_or_default().to_owned();
            let bad =
                text.split(',').map(name).find(|name| !name.is_empty() && !known.contains(&name.as_str()));
            if let Some(bad) = bad {
                let help = match report.suggest(&bad, known.iter().copied()) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => format!("use some of {}", known.join(", ")),
                };
                report.error(
                    rule::VALUE,
                    word.span,
                    format!("`{bad}` is nothing that a stick table can store"),
                    help,
                );
                return None;
            }
            None
        }
        Takes::Name(kind) => {
            let (wanted, fetch, assumed) = (Wanted::Section(kind), head.to_owned(), report.assumed);
            report.references.push(Reference {
                wanted,
                name: text.to_owned(),
                fetch,
                span: word.span,
                assumed,
            });
            None
        }
        Takes::List(known) => {
            if let Some(bad) = text.split(',').find(|item| !known.contains(item)) {
                report.error(
                    rule::VALUE,
                    word.span,
                    format!("`{bad}` is not a word that can follow `{head}`"),
                    format!("use a list of {}", known.join(", ")),
                );
                return None;
            }
            None
        }
        Takes::Level => {
            if !LEVELS.contains(&text) {
                refuse(word, "a log level", LEVELS, report);
                return None;
            }
            None
        }
        Takes::Format => {
            format::check(word, place, report);
            None
        }
        Takes::Regex => regex::fault(text).map(|fault| format!("it {fault}")),
    };
    let Some(problem) = problem else { return Some(at + 1) };
    report.error(
        rule::VALUE,
        word.span,
        format!("`{text}` is not {}, which `{head}` needs: {problem}", noun(kind)),
        format!("see `{}` in the HAProxy configuration manual", line.keyword()),
    );
    None
}

/// Warns of what the program ignores after the unit of a time.
pub(crate) fn warn_of_time(word: &Word<'_>, report: &mut Report) {
    let Some(rest) = time_surplus(word.as_str()) else { return };
    report.warning(
        rule::VALUE,
        word.span,
        format!("HAProxy ignores `{rest}` at the end of the time `{}`", word.as_str()),
        "write one number and one unit, for example `90s`",
    );
}

/// Warns of what the program ignores of a number: all but the digits at its start.
pub(crate) fn warn_of_tail(word: &Word<'_>, head: &str, report: &mut Report) {
    let text = word.as_str();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if word.unset || (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return;
    }
    let number = atol(text);
    let message = match digits.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("HAProxy reads `{head} {text}` as {number}: it takes no unit"),
        false => format!("`{text}` is not a number; HAProxy reads `{head} {text}` as {number}"),
    };
    report.warning(rule::VALUE, word.span, message, "write a whole number");
}

/// Warns of what older versions ignore after the digits of a size.
fn warn_of_unit(word: &Word<'_>, bytes: i64, head: &str, report: &mut Report) {
    if word.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    report.warning(
        rule::VALUE,
        word.span,
        format!("HAProxy {} reads `{}` of `{head}` as {bytes} bytes", report.version, word.as_str()),
        "write the number of bytes without a unit, which 3.1 and later know",
    );
}

fn address(word: &Word<'_>, version: Version) -> Option<String> {
    let text = word.address_text();
    let host = text.split_once('/').map_or(text, |(host, _)| host);
    // A network is written like an address.
    if is_ipv4(host) {
        return None;
    }
    match endpoint_of(text, version) {
        Ok(found) => impossible_name(&found.host).then(|| "it names no host".to_owned()),
        Err(reason) => Some(reason),
    }
}

fn range(least: i64, most: i64) -> String {
    match (least, most) {
        (i64::MIN, _) => "write a whole number".to_owned(),
        (least, i64::MAX) => format!("write a number from {least}"),
        _ => format!("write a number from {least} to {most}"),
    }
}

fn noun(kind: Takes) -> &'static str {
    match kind {
        Takes::Anything | Takes::Maybe => "an argument",
        Takes::Name(_) => "the name of a section",
        Takes::Time | Takes::Seconds => "a time",
        Takes::Size | Takes::Bytes(_) => "a size",
        Takes::Number(..) | Takes::Count(..) => "a number in range",
        Takes::Octal => "an octal number",
        Takes::Address => "an address",
        Takes::OneOf(_) | Takes::Known(_) | Takes::Stored(_) | Takes::List(_) => "a word",
        Takes::Level => "a log level",
        Takes::Format => "a format",
        Takes::Expression => "a sample expression",
        Takes::Regex => "a regular expression",
    }
}
