//! What is said of a word that is not one of those that may stand in its place.

use super::super::lexer::Word;
use super::super::report::{Report, rule};
use super::super::syntax::Line;
use super::super::values::{Unit, time};

/// The word at `at` must be one of these.
pub(super) fn choice(line: &Line<'_>, at: usize, known: &[&str], report: &mut Report) {
    let Some(word) = line.word(at).filter(|word| !word.unset) else { return };
    if !known.contains(&word.as_str()) {
        refuse(word, &format!("a word that can follow `{}`", line.arg(at - 1)), known, report);
    }
}

/// Refuses a word, with the closest of those that are known.
pub(super) fn refuse(word: &Word<'_>, what: &str, known: &[&str], report: &mut Report) {
    let help = match report.suggest(word.as_str(), known.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("use one of {}", known.join(", ")),
    };
    report.error(rule::VALUE, word.span, format!("`{}` is not {what}", word.as_str()), help);
}

/// The word at `at` must be a time.
pub(super) fn a_time(line: &Line<'_>, at: usize, report: &mut Report) {
    let Some(word) = line.word(at).filter(|word| !word.unset) else { return };
    if let Err(reason) = time(word.as_str(), Unit::Milliseconds) {
        report.error(
            rule::VALUE,
            word.span,
            format!("`{}` is not a time: {reason}", word.as_str()),
            "write a number and a unit, for example `500ms` or `30s`",
        );
    }
}
