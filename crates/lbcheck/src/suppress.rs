//! Inline suppressions: `# lbcheck: ignore[rule-id] reason="…"`.
//!
//! At the end of a line one holds for that line; on a line of its own, for the next line with anything on it.
//! Where that line opens a section or block, it holds for all of it. A suppression needs a reason, and one that
//! silences nothing is itself reported.

use crate::analysis::{Renames, finish};
use crate::diagnostic::{Diagnostic, suggest};
use crate::policy::Environment;
use crate::read::Reading;
use crate::report::Finding;
use crate::rules::{self, Check};
use crate::source::{Sources, Span};

/// What introduces a remark to lbcheck in a comment.
const MARK: &str = "lbcheck:";

/// Longest run of comment lines between a suppression and what it speaks of.
const MAX_COMMENT_LINES: u32 = 100;

/// One rule id of one suppression.
struct Suppression {
    rule: &'static rules::Rule,
    reason: String,
    /// The comment.
    comment: Span,
    /// The bytes it holds for.
    scope: Span,
}

/// Marks the findings that a suppression in the text silences, and adds what is wrong with the suppressions.
///
/// `findings` must be sorted by place.
pub(crate) fn apply(
    sources: &Sources,
    reading: &Reading,
    environment: &Environment,
    mut findings: Vec<Finding>,
) -> Vec<Finding> {
    let (suppressions, mut wrong) = collect(sources, reading);
    for suppression in &suppressions {
        let used = silence(suppression, &mut findings);
        // A change rule speaks only in a diff, so here its suppression cannot be used.
        if used || matches!(suppression.rule.check, Check::Change(_)) {
            continue;
        }
        let message = format!("this suppression of `{}` silences nothing", suppression.rule.id);
        wrong.push(
            Diagnostic::new(
                "suppression-unused",
                crate::diagnostic::Severity::Warning,
                suppression.comment,
                message,
            )
            .help("remove it, or move it to the line or section it is meant for"),
        );
    }
    if wrong.is_empty() {
        return findings;
    }
    let graded = wrong.into_iter().filter_map(|mut diagnostic| {
        let rule = rules::find(diagnostic.rule)?;
        diagnostic.severity = rules::severity(rule, environment)?;
        Some(diagnostic)
    });
    findings.extend(finish(sources, graded.collect(), &Renames::new()));
    findings.sort_by_key(|finding| finding.diagnostic.primary.span);
    findings
}

/// Marks the findings about a change that a suppression in the new text silences.
pub(crate) fn apply_to_change(sources: &Sources, new: &Reading, mut findings: Vec<Finding>) -> Vec<Finding> {
    for suppression in &collect(sources, new).0 {
        silence(suppression, &mut findings);
    }
    findings
}

/// Marks the findings in scope; whether there were any.
fn silence(suppression: &Suppression, findings: &mut [Finding]) -> bool {
    let start =
        |finding: &Finding| (finding.diagnostic.primary.span.file, finding.diagnostic.primary.span.start);
    let scope = suppression.scope;
    let from = findings.partition_point(|finding| start(finding) < (scope.file, scope.start));
    let mut used = false;
    for finding in findings[from..].iter_mut().take_while(|finding| start(finding) < (scope.file, scope.end))
    {
        if finding.diagnostic.rule == suppression.rule.id {
            finding.suppressed = Some(suppression.reason.clone());
            used = true;
        }
    }
    used
}

fn collect(sources: &Sources, reading: &Reading) -> (Vec<Suppression>, Vec<Diagnostic>) {
    let mut suppressions = Vec::new();
    let mut wrong = Vec::new();
    for &comment in &reading.comments {
        let text = sources.text(comment).trim_start_matches('#').trim();
        let Some(remark) = text.strip_prefix(MARK) else { continue };
        match parse(remark.trim()) {
            Ok((ids, reason)) => {
                let scope = scope(sources, reading, comment);
                for id in ids {
                    match rules::find(&id) {
                        Some(rule) => {
                            suppressions.push(Suppression { rule, reason: reason.clone(), comment, scope });
                        }
                        None => wrong.push(unknown_rule(comment, &id)),
                    }
                }
            }
            Err(message) => wrong.push(invalid(comment, message)),
        }
    }
    (suppressions, wrong)
}

fn invalid(comment: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new("suppression-invalid", crate::diagnostic::Severity::Error, comment, message)
        .label("silences nothing")
        .help("write it as `# lbcheck: ignore[rule-id] reason=\"why this is right here\"`")
}

fn unknown_rule(comment: Span, id: &str) -> Diagnostic {
    let diagnostic = invalid(comment, format!("there is no rule `{id}` to suppress"));
    match suggest(id, rules::ALL.iter().map(|rule| rule.id)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("`lbcheck rules` lists them"),
    }
}

/// `ignore[a, b] reason="…"`.
fn parse(remark: &str) -> Result<(Vec<String>, String), String> {
    let Some((ids, rest)) = remark.strip_prefix("ignore[").and_then(|rest| rest.split_once(']')) else {
        let word: String = remark.chars().take(40).collect();
        return Err(format!("`lbcheck: {word}` is not a suppression"));
    };
    let ids: Vec<String> = ids.split(',').map(|id| id.trim().to_owned()).collect();
    if ids.iter().any(String::is_empty) {
        return Err("this suppression names no rule".into());
    }
    let rest = rest.trim();
    let reason = rest.strip_prefix("reason=\"").and_then(|text| text.split_once('"'));
    match reason {
        None => Err("this suppression has no reason".into()),
        Some((reason, _)) if reason.trim().is_empty() => Err("this suppression has an empty reason".into()),
        Some((reason, after)) if after.trim().is_empty() => Ok((ids, reason.trim().to_owned())),
        Some((_, after)) => Err(format!("`{}` after the reason is not understood", after.trim())),
    }
}

/// What a comment holds for.
fn scope(sources: &Sources, reading: &Reading, comment: Span) -> Span {
    let file = sources.file(comment.file);
    let mut line = file.position(comment.start).line;
    let text = |line: u32| {
        file.line_range(line).and_then(|range| file.text().get(range.clone()).map(|text| (range, text)))
    };
    let alone = |text: &str| {
        let text = text.trim_start();
        text.is_empty() || text.starts_with('#')
    };
    // A comment of its own line speaks of the next line that is neither empty nor a comment.
    let last = line.saturating_add(MAX_COMMENT_LINES);
    while let Some((_, content)) = text(line)
        && alone(content)
        && line < last
    {
        line += 1;
    }
    let Some((range, _)) = text(line) else { return comment };
    let on_line = Span::new(comment.file, range.start, range.end.max(range.start + 1));
    // Blocks are in the order of their headers, so those that open on this line are found by bisection.
    let key = |span: Span| (span.file, span.start);
    let from = reading.blocks.partition_point(|block| key(block.header) < key(on_line));
    reading
        .blocks
        .get(from)
        .filter(|block| block.header.file == comment.file && block.header.start < on_line.end)
        .map_or(on_line, |block| on_line.to(block.extent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suppressions_are_read_strictly() {
        for (remark, expected) in [
            ("ignore[a] reason=\"why\"", Ok((vec!["a".to_owned()], "why".to_owned()))),
            ("ignore[a, b] reason=\"x y\"", Ok((vec!["a".to_owned(), "b".to_owned()], "x y".to_owned()))),
            ("ignore[a]", Err("this suppression has no reason".to_owned())),
            ("ignore[a] reason=\"  \"", Err("this suppression has an empty reason".to_owned())),
            ("ignore[] reason=\"x\"", Err("this suppression names no rule".to_owned())),
            ("ignore a", Err("`lbcheck: ignore a` is not a suppression".to_owned())),
            (
                "ignore[a] reason=\"x\" until=1",
                Err("`until=1` after the reason is not understood".to_owned()),
            ),
        ] {
            assert_eq!(parse(remark), expected, "{remark}");
        }
    }
}
