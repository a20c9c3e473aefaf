//! SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lbcheck::diagnostic::{self, Diagnostic, Severity};
use lbcheck::report::{CheckReport, DiffReport, Finding, Status};
use lbcheck::source::{FileId, Span};
use lbcheck::{Rule, rules};
use serde::Serialize;

use crate::json::{TOOL, write};
use crate::text::assumptions;
use crate::view::{Place, View};

pub(crate) fn check(view: &View<'_>, reports: &[CheckReport]) -> String {
    let results = reports
        .iter()
        .flat_map(|report| &report.findings)
        .map(|finding| result(view, finding, None))
        .collect();
    let assumed = assumptions(reports.iter().flat_map(|report| &report.inputs));
    write(&log(results, assumed, reports.iter().any(|report| report.broken)))
}

pub(crate) fn diff(view: &View<'_>, report: &DiffReport) -> String {
    let results =
        report.findings.iter().map(|found| result(view, &found.finding, Some(found.status))).collect();
    let assumed = assumptions([&report.old, &report.new].into_iter());
    write(&log(results, assumed, report.broken))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    rules: Vec<ReportingDescriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportingDescriptor {
    id: &'static str,
    short_description: Text,
    help: Markdown,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 1],
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Markdown {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_configuration_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix>,
    /// Present and empty where nothing suppresses it: then a viewer knows that suppressions were looked at.
    suppressions: Vec<Suppression>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix {
    description: Text,
    artifact_changes: Vec<ArtifactChange>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Text,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

fn log(results: Vec<SarifResult>, assumed: Vec<String>, broken: bool) -> Log {
    let notifications =
        assumed.into_iter().map(|text| Notification { level: "note", message: Text { text } }).collect();
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: TOOL.name,
                    version: TOOL.version,
                    semantic_version: TOOL.version,
                    rules: rules().iter().map(|rule| descriptor(rule)).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: !broken,
                tool_configuration_notifications: notifications,
            }],
            column_kind: "unicodeCodePoints",
            results,
        }],
    }
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    ReportingDescriptor {
        id: rule.id.as_str(),
        short_description: Text { text: rule.summary.to_owned() },
        help: Markdown { text: rule.docs, markdown: rule.docs },
        default_configuration: Configuration { level: level(rule.production) },
        properties: RuleProperties { tags: [rule.category.as_str()] },
    }
}

fn result(view: &View<'_>, finding: &Finding, status: Option<Status>) -> SarifResult {
    let diagnostic = &finding.diagnostic;
    SarifResult {
        rule_id: diagnostic.rule.as_str(),
        rule_index: rules().iter().position(|rule| rule.id == diagnostic.rule),
        level: level(diagnostic.severity),
        message: Text { text: message(view, diagnostic) },
        locations: [location(view, diagnostic.primary.span, None, None)],
        related_locations: diagnostic
            .related
            .iter()
            .enumerate()
            .map(|(id, label)| {
                let text = view.say(diagnostic, &label.message).into_owned();
                let message = Some(Text { text }).filter(|message| !message.text.is_empty());
                location(view, label.span, Some(id), message)
            })
            .collect(),
        partial_fingerprints: BTreeMap::from([("lbcheck/v1", finding.fingerprint.clone())]),
        baseline_state: status.map(baseline),
        fixes: diagnostic.fix.iter().map(|fix| mend(view, diagnostic, fix)).collect(),
        suppressions: finding
            .suppressed
            .iter()
            .map(|reason| Suppression {
                kind: "inSource",
                justification: view.say(diagnostic, reason).into_owned(),
            })
            .collect(),
    }
}

fn mend(view: &View<'_>, diagnostic: &Diagnostic, fix: &diagnostic::Fix) -> Fix {
    let text = |text: &str| Text { text: view.say(diagnostic, text).into_owned() };
    // Edits of one file next to each other share an entry; a mend rarely leaves its file.
    let mut changes: Vec<(FileId, ArtifactChange)> = Vec::new();
    for edit in &fix.edits {
        let replacement = Replacement {
            deleted_region: region(&view.place(edit.span)),
            inserted_content: text(&edit.replacement),
        };
        match changes.last_mut() {
            Some((file, change)) if *file == edit.span.file => change.replacements.push(replacement),
            _ => {
                let place = view.place(edit.span);
                let artifact_location = ArtifactLocation { uri: uri(&place.file) };
                let change = ArtifactChange { artifact_location, replacements: vec![replacement] };
                changes.push((edit.span.file, change));
            }
        }
    }
    let artifact_changes = changes.into_iter().map(|(_, change)| change).collect();
    Fix { description: text(&fix.title), artifact_changes }
}

fn region(place: &Place<'_>) -> Region {
    Region {
        start_line: place.start.line,
        start_column: place.start.column,
        end_line: place.end.line,
        end_column: place.end.column,
    }
}

/// The message with the help behind it: viewers show a result's message and little else.
fn message(view: &View<'_>, diagnostic: &Diagnostic) -> String {
    let mut text = view.say(diagnostic, &diagnostic.message).into_owned();
    if let Some(help) = &diagnostic.help {
        let _ = write!(text, "\nHelp: {}", view.say(diagnostic, help));
    }
    text
}

fn location(view: &View<'_>, span: Span, id: Option<usize>, message: Option<Text>) -> Location {
    let place = view.place(span);
    Location {
        id,
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: uri(&place.file) },
            region: region(&place),
        },
        message,
    }
}

/// A path as a URI reference: relative where the path is, `file://` where it is absolute.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char)
            }
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn baseline(status: Status) -> &'static str {
    match status {
        Status::New => "new",
        Status::Worsened => "updated",
        Status::Unchanged => "unchanged",
        Status::Fixed => "absent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("./conf d/häproxy.cfg"), "conf%20d/h%C3%A4proxy.cfg");
        assert_eq!(uri("/etc/haproxy/haproxy.cfg"), "file:///etc/haproxy/haproxy.cfg");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
