//! What the program takes and a person should not: words on their way out, and settings given twice.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::haproxy::keywords::{self, Deprecated};
use crate::haproxy::lexer::joined;
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::{Line, Modifier, Section, SectionKind};
use crate::source::Span;

/// Looks at every line of a section that the program takes.
pub(super) fn check(section: &Section<'_>, report: &mut Report) {
    let mut first: BTreeMap<String, (Span, String)> = BTreeMap::new();
    for line in &section.lines {
        report.assumed = line.assumed;
        deprecated(line, report);
        if matches!(line.keyword(), "server" | "default-server" | "server-template") {
            server(line, report);
        }
        // Of lines in a branch that was read on trust nobody knows whether both are there.
        if line.assumed || line.modifier != Modifier::None || section.kind == SectionKind::Global {
            continue;
        }
        let Some(name) = setting(line) else { continue };
        let value = joined(&line.words);
        if let Some((before, earlier)) = first.insert(name.clone(), (line.span, value.clone()))
            && earlier != value
        {
            report.push(
                Diagnostic::new(
                    rule::REPEATED,
                    Severity::Warning,
                    line.span,
                    format!("`{name}` is set twice in {}, and HAProxy takes this one", section.label()),
                )
                .also(before, "this one has no effect")
                .help("keep the one that is meant"),
            );
        }
    }
}

/// The name of the single-valued setting a line makes, if it makes one.
fn setting(line: &Line<'_>) -> Option<String> {
    let name = line.keyword();
    match name {
        "timeout" => Some(format!("timeout {}", line.word(1)?.as_str())),
        name if keywords::last_wins(name) => Some(name.to_owned()),
        _ => None,
    }
}

fn deprecated(line: &Line<'_>, report: &mut Report) {
    let (name, next) = (line.keyword(), line.arg(1));
    let Some(Deprecated { since, advice }) = keywords::deprecated(name, next, report.version) else { return };
    let (at, shown) = match name {
        "option" => (1, format!("option {next}")),
        name => (0, name.to_owned()),
    };
    report.warning(
        rule::DEPRECATED,
        line.at(at),
        format!("`{shown}` is deprecated since HAProxy {since}"),
        advice,
    );
}

/// Words of one `server` line that stand there twice with different values.
fn server(line: &Line<'_>, report: &mut Report) {
    let mut first: BTreeMap<&str, (Span, &str)> = BTreeMap::new();
    let mut at = match line.keyword() {
        "default-server" => 1,
        "server" => 3,
        _ => 4,
    };
    while let Some(word) = line.word(at) {
        let name = word.as_str();
        let entry = keywords::find(keywords::SERVER, name);
        if entry.is_some_and(|entry| entry.last_wins) {
            let value = line.arg(at + 1);
            if let Some((before, earlier)) = first.insert(name, (word.span, value))
                && earlier != value
            {
                report.push(
                    Diagnostic::new(
                        rule::REPEATED,
                        Severity::Warning,
                        word.span,
                        format!(
                            "`{name}` stands twice on this `{}` line, and HAProxy takes `{name} {value}`",
                            line.keyword()
                        ),
                    )
                    .also(before, "this one has no effect")
                    .help("keep the one that is meant"),
                );
            }
        }
        at += 1 + entry.map_or(0, |entry| usize::from(entry.args));
    }
}
