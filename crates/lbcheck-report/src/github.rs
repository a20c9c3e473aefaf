//! GitHub workflow commands: one annotation per finding.

use std::fmt::Write as _;

use lbcheck::diagnostic::Severity;
use lbcheck::report::{CheckReport, Counts, DiffReport, Finding};

use crate::text;
use crate::view::View;

pub(crate) fn check(view: &View<'_>, reports: &[CheckReport]) -> String {
    let findings = || reports.iter().flat_map(|report| &report.findings);
    let broken = reports.iter().any(|report| report.broken);
    let assumed = text::assumptions(reports.iter().flat_map(|report| &report.inputs));
    render(view, findings(), &assumed, text::closing(Counts::of(findings()), broken))
}

pub(crate) fn diff(view: &View<'_>, report: &DiffReport) -> String {
    let assumed = text::assumptions([&report.old, &report.new].into_iter());
    render(view, report.introduced(), &assumed, text::last_line(report))
}

fn render<'a>(
    view: &View<'_>,
    findings: impl Iterator<Item = &'a Finding>,
    assumed: &[String],
    closing: String,
) -> String {
    let mut out = String::new();
    for finding in findings.filter(|finding| finding.suppressed.is_none()) {
        annotation(&mut out, view, finding);
    }
    for sentence in assumed {
        let _ = writeln!(out, "lbcheck: {sentence}");
    }
    let _ = writeln!(out, "lbcheck: {closing}");
    out
}

fn annotation(out: &mut String, view: &View<'_>, finding: &Finding) {
    let diagnostic = &finding.diagnostic;
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut place = view.place(diagnostic.primary.span);
    // What ends with a line ending ends on the line before.
    if place.end.column == 1 && place.end.line > place.start.line {
        place.end.line -= 1;
        place.end.column = u32::MAX;
    }
    let _ = write!(out, "::{command} file={},line={}", property(&place.file), place.start.line);
    if place.start.line == place.end.line && place.end.column < u32::MAX {
        // Columns are only allowed on one line, and the last one is meant to be inside.
        let last = place.end.column.saturating_sub(1).max(place.start.column);
        let _ = write!(out, ",endLine={},col={},endColumn={last}", place.end.line, place.start.column);
    } else {
        let _ = write!(out, ",endLine={}", place.end.line);
    }
    let _ = write!(out, ",title={}::", property(diagnostic.rule.as_str()));
    out.push_str(&data(&view.say(diagnostic, &diagnostic.message)));
    if let Some(help) = &diagnostic.help {
        let _ = write!(out, "%0A{}", data(&format!("help: {}", view.say(diagnostic, help))));
    }
    out.push('\n');
}

/// Escapes what a command says. `##[` would start a command of the older kind, wherever it stands.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace("##[", "# #[")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_cannot_be_left() {
        assert_eq!(data("100 %\r\n::stop: a, b"), "100 %25%0D%0A::stop: a, b");
        assert_eq!(property("C:\\a,b%"), "C%3A\\a%2Cb%25");
        assert_eq!(data("##[add-mask]x"), "# #[add-mask]x");
    }
}
