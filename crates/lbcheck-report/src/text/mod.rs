//! Text for people: findings in the manner of rustc, then what was read and what it comes to.

mod change;
mod excerpt;
mod traffic;

use std::fmt::Write as _;

use lbcheck::diagnostic::Diagnostic;
use lbcheck::policy::EnvironmentSource;
use lbcheck::report::{CheckReport, Counts, InputSummary};

use crate::Style;
use crate::clean::clean;
use crate::view::View;

pub(crate) use change::{diff, last_line};
pub(crate) use traffic::traffic;

pub(crate) fn check(view: &View<'_>, reports: &[CheckReport], style: Style) -> String {
    let mut out = String::new();
    let renderer = excerpt::renderer(style);
    for finding in reports.iter().flat_map(|report| &report.findings) {
        if finding.suppressed.is_none() {
            excerpt::push(&mut out, view, &renderer, &finding.diagnostic);
        }
    }
    for report in reports {
        for input in &report.inputs {
            let _ = writeln!(out, "{}", coverage(input));
        }
    }
    let counts = Counts::of(reports.iter().flat_map(|report| &report.findings));
    let _ = writeln!(out, "{}", closing(counts, reports.iter().any(|report| report.broken)));
    out
}

/// One diagnostic with its excerpts, as in the text format. For mistakes in a policy, which belong to no report.
#[must_use]
pub fn diagnostic(view: &View<'_>, diagnostic: &Diagnostic, style: Style) -> String {
    let mut out = String::new();
    excerpt::push(&mut out, view, &excerpt::renderer(style), diagnostic);
    out
}

/// What was read of one configuration, and how much of it was understood.
pub(crate) fn coverage(input: &InputSummary) -> String {
    let mut line = format!("{}: {}", paths(input), reading(input));
    if input.broken {
        line.push_str(", could not be read as a whole");
        return line;
    }
    let nouns = [
        (input.pools as u64, input.dialect.pool_noun()),
        (input.endpoints, input.dialect.endpoint_noun()),
        (u64::from(input.directives), "directive"),
    ];
    for (count, noun) in nouns {
        let _ = write!(line, ", {}", counted(count, noun));
    }
    match input.understood {
        understood if understood < input.directives => {
            let _ = write!(line, ", {understood} understood");
        }
        0 => {}
        _ => line.push_str(", all understood"),
    }
    if input.fragment {
        line.push_str(", part of a configuration");
    }
    line
}

/// Product, version and environment, and which of them nobody named.
fn reading(input: &InputSummary) -> String {
    let assumed = |yes: bool| if yes { " (assumed)" } else { "" };
    format!(
        "{} {}{}, {}{}",
        input.dialect.product(),
        input.version,
        assumed(input.version_assumed),
        clean(&input.environment),
        assumed(input.environment_source == EnvironmentSource::Assumed),
    )
}

/// What was assumed because nobody named a version: one sentence for each product, once. For the formats that do not
/// show every configuration with its version.
pub(crate) fn assumptions<'a>(inputs: impl Iterator<Item = &'a InputSummary>) -> Vec<String> {
    let mut said = Vec::new();
    for input in inputs.filter(|input| input.version_assumed) {
        let dialect = input.dialect;
        let sentence = format!(
            "{} {} is assumed, since nobody named a version: pass --{dialect}-version, or set it in lbcheck.toml",
            dialect.product(),
            input.version,
        );
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    said
}

/// The paths of a configuration; beyond three only their number.
fn paths(input: &InputSummary) -> String {
    let shown: Vec<_> = input.paths.iter().take(3).map(|path| clean(path)).collect();
    let mut text = shown.join(" + ");
    if input.paths.len() > shown.len() {
        let _ = write!(text, " + {} more", input.paths.len() - shown.len());
    }
    if input.files.len() > input.paths.len() {
        let _ = write!(text, " ({} files)", input.files.len());
    }
    text
}

/// The last line: how many findings there are. Where the input could not be read it says so, and never that there
/// is nothing to find.
pub(crate) fn closing(counts: Counts, broken: bool) -> String {
    let mut line = match total(counts) {
        Some(total) if broken => format!("{total}; {BROKEN}"),
        Some(total) => total,
        None if broken => BROKEN.to_owned(),
        None => "no findings".to_owned(),
    };
    if counts.suppressed > 0 {
        let _ = write!(line, "; {} suppressed", counts.suppressed);
    }
    line
}

/// What a run comes to whose input could not be read.
const BROKEN: &str = "nothing can be concluded, because the configuration could not be read";

/// `2 errors, 1 warning`; `None` where there are no findings.
fn total(counts: Counts) -> Option<String> {
    let parts: Vec<String> = [(counts.error, "error"), (counts.warning, "warning"), (counts.info, "info")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| counted(count as u64, noun))
        .collect();
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}

/// `1 server`, `2 servers`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    match (count, noun) {
        // "info" is short for information, which has no plural.
        (1, _) | (_, "info") => format!("{count} {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
