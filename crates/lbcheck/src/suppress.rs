//! Suppressions: `# lbcheck: ignore[rule-id] reason="…"` in the text, and `[[ignore]]` in the policy.
//!
//! An `expires=2027-01-31` behind the reason ends one after that day; the day of today comes in with the environment.
//!
//! At the end of a line one holds for that line; on a line of its own, for the next line with anything on it.
//! Where that line opens a section or block, it holds for all of it. A suppression needs a reason, and one that
//! silences nothing is itself reported.

use crate::date::{BadDate, Date};
use crate::diagnostic::{Diagnostic, RuleId, Severity, suggest};
use crate::fingerprint::{Renames, finish};
use crate::policy::{Environment, IgnoreRule};
use crate::reading::Reading;
use crate::report::Finding;
use crate::rules::{self, Check};
use crate::source::{Sources, Span};

/// What introduces a remark to lbcheck in a comment.
const MARK: &str = "lbcheck:";

/// Longest run of comment lines between a suppression and what it speaks of.
const MAX_COMMENT_LINES: u32 = 100;

/// One rule id of one suppression.
struct Suppression {
    rule: RuleId,
    reason: String,
    /// The last day it holds.
    expires: Option<Date>,
    /// The comment.
    comment: Span,
    /// The bytes it holds for.
    scope: Span,
}

impl Suppression {
    /// The day it ended, if that is past. Without a day of today nothing is.
    fn expired(&self, environment: &Environment) -> Option<Date> {
        let today = environment.today?;
        self.expires.filter(|&last| last < today)
    }
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
        if let Some(expired) = suppression.expired(environment) {
            let id = suppression.rule;
            let message =
                format!("this suppression of `{id}` expired on {expired} and silences nothing any more");
            wrong.push(
                Diagnostic::new(RuleId::SuppressionExpired, Severity::Error, suppression.comment, message)
                    .help("settle what it silences and remove it, or give it a new date and say why"),
            );
            continue;
        }
        let used = silence(suppression, &mut findings);
        // A change rule speaks only in a diff, so here its suppression cannot be used.
        if used || matches!(rules::rule(suppression.rule).check, Check::Change(_)) {
            continue;
        }
        let message = format!("this suppression of `{}` silences nothing", suppression.rule);
        wrong.push(
            Diagnostic::new(RuleId::SuppressionUnused, Severity::Warning, suppression.comment, message)
                .help("remove it, or move it to the line or section it is meant for"),
        );
    }
    by_policy(sources, reading, environment, &mut findings, &mut wrong);
    if wrong.is_empty() {
        return findings;
    }
    let graded = wrong.into_iter().filter_map(|mut diagnostic| {
        let rule = rules::rule(diagnostic.rule);
        diagnostic.severity = rules::severity(rule, environment)?;
        Some(diagnostic)
    });
    findings.extend(finish(sources, graded.collect(), &Renames::new()));
    findings.sort_by_key(|finding| finding.diagnostic.primary.span);
    findings
}

/// Marks the findings that the policy silences, and adds what is wrong with its `[[ignore]]`s.
fn by_policy(
    sources: &Sources,
    reading: &Reading,
    environment: &Environment,
    findings: &mut [Finding],
    wrong: &mut Vec<Diagnostic>,
) {
    for ignore in &environment.ignores {
        if !ignore.is_about(sources, environment, &reading.config) {
            continue;
        }
        let id = ignore.rule;
        if let Some(expired) = expired(ignore, environment) {
            let message =
                format!("this `[[ignore]]` of `{id}` expired on {expired} and silences nothing any more");
            wrong.push(
                Diagnostic::new(RuleId::SuppressionExpired, Severity::Error, ignore.span, message)
                    .help("settle what it silences and remove it, or give it a new date and say why"),
            );
            continue;
        }
        let used = silence_by_policy(sources, environment, ignore, findings);
        if used == Used::NeedsEnd {
            let message = format!("this `[[ignore]]` silences an error of `{id}` in production for ever");
            wrong.push(
                Diagnostic::new(RuleId::SuppressionInvalid, Severity::Error, ignore.span, message)
                    .label("silences nothing")
                    .help("add the last day that it holds, such as `expires = 2027-01-31`"),
            );
        }
        let of_change = matches!(rules::rule(id).check, Check::Change(_));
        if used == Used::No && !of_change {
            let message = format!("this `[[ignore]]` of `{id}` silences nothing");
            wrong.push(
                Diagnostic::new(RuleId::SuppressionUnused, Severity::Warning, ignore.span, message)
                    .help("remove it, or say in `where` which file or pool it is meant for"),
            );
        }
    }
}

/// The day an `[[ignore]]` ended, if that is past.
fn expired(ignore: &IgnoreRule, environment: &Environment) -> Option<Date> {
    let today = environment.today?;
    ignore.expires.filter(|&last| last < today)
}

/// What an `[[ignore]]` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Used {
    No,
    Yes,
    /// It would silence an error in production, and has no last day.
    NeedsEnd,
}

fn silence_by_policy(
    sources: &Sources,
    environment: &Environment,
    ignore: &IgnoreRule,
    findings: &mut [Finding],
) -> Used {
    let mut used = Used::No;
    for finding in findings.iter_mut() {
        if !ignore.covers(sources, environment, &finding.diagnostic) {
            continue;
        }
        let error = finding.diagnostic.severity == Severity::Error;
        if environment.production && error && ignore.expires.is_none() {
            used = Used::NeedsEnd;
            continue;
        }
        if used == Used::No {
            used = Used::Yes;
        }
        finding.suppressed.get_or_insert_with(|| ignore.reason.clone());
    }
    used
}

/// Marks the findings about a change that a suppression in the new text silences.
pub(crate) fn apply_to_change(
    sources: &Sources,
    new: &Reading,
    environment: &Environment,
    mut findings: Vec<Finding>,
) -> Vec<Finding> {
    let suppressions = collect(sources, new).0;
    for suppression in suppressions.iter().filter(|known| known.expired(environment).is_none()) {
        silence(suppression, &mut findings);
    }
    for ignore in environment.ignores.iter().filter(|ignore| expired(ignore, environment).is_none()) {
        silence_by_policy(sources, environment, ignore, &mut findings);
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
        if finding.diagnostic.rule == suppression.rule {
            finding.suppressed = Some(suppression.reason.clone());
            used = true;
        }
    }
    used
}

fn collect(sources: &Sources, reading: &Reading) -> (Vec<Suppression>, Vec<Diagnostic>) {
    let mut suppressions = Vec::new();
    let mut wrong = Vec::new();
    let sign = reading.config.dialect.description().comment;
    for &comment in &reading.comments {
        let text = sources.text(comment).trim_start_matches(sign).trim();
        let Some(remark) = text.strip_prefix(MARK) else { continue };
        match parse(remark.trim()) {
            Ok(Remark { ids, reason, expires }) => {
                let scope = scope(sources, reading, comment);
                for id in ids {
                    match id.parse() {
                        Ok(rule) => {
                            let reason = reason.clone();
                            suppressions.push(Suppression { rule, reason, expires, comment, scope });
                        }
                        Err(_) => wrong.push(unknown_rule(comment, &id)),
                    }
                }
            }
            Err(message) => wrong.push(invalid(comment, message)),
        }
    }
    (suppressions, wrong)
}

fn invalid(comment: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(RuleId::SuppressionInvalid, Severity::Error, comment, message)
        .label("silences nothing")
        .help("write it as `# lbcheck: ignore[rule-id] reason=\"why this is right here\"`")
}

fn unknown_rule(comment: Span, id: &str) -> Diagnostic {
    let diagnostic = invalid(comment, format!("there is no rule `{id}` to suppress"));
    match suggest(id, RuleId::ALL.iter().map(|id| id.as_str())) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("`lbcheck rules` lists them"),
    }
}

/// What a suppression says.
#[derive(Debug, PartialEq, Eq)]
struct Remark {
    ids: Vec<String>,
    reason: String,
    expires: Option<Date>,
}

/// `ignore[a, b] reason="…" expires=2027-01-31`; the date may be left out.
fn parse(remark: &str) -> Result<Remark, String> {
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
        Some((reason, after)) => {
            let expires = match (after.trim(), after.trim().strip_prefix("expires=")) {
                ("", _) => None,
                (_, Some(date)) => Some(date.parse().map_err(|error: BadDate| error.to_string())?),
                (other, None) => return Err(format!("`{other}` after the reason is not understood")),
            };
            Ok(Remark { ids, reason: reason.trim().to_owned(), expires })
        }
    }
}

/// What a comment holds for.
fn scope(sources: &Sources, reading: &Reading, comment: Span) -> Span {
    let file = sources.file(comment.file);
    let mut line = file.position(comment.start).line;
    let text = |line: u32| {
        file.line_range(line).and_then(|range| file.text().get(range.clone()).map(|text| (range, text)))
    };
    let sign = reading.config.dialect.description().comment;
    let alone = |text: &str| {
        let text = text.trim_start();
        text.is_empty() || text.starts_with(sign)
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
        let date = |text: &str| text.parse::<Date>().ok();
        let good = |ids: &[&str], reason: &str, expires| {
            Ok(Remark {
                ids: ids.iter().map(|&id| id.to_owned()).collect(),
                reason: reason.to_owned(),
                expires,
            })
        };
        let bad = |message: &str| Err(message.to_owned());
        for (remark, expected) in [
            ("ignore[a] reason=\"why\"", good(&["a"], "why", None)),
            ("ignore[a, b] reason=\"x y\"", good(&["a", "b"], "x y", None)),
            ("ignore[a] reason=\"x\" expires=2027-01-31", good(&["a"], "x", date("2027-01-31"))),
            ("ignore[a] reason=\"x\" expires=soon", bad("`soon` is not a date: write it as 2027-01-31")),
            (
                "ignore[a] reason=\"x\" expires=2027-02-30",
                bad("`2027-02-30` is not a date: write it as 2027-01-31"),
            ),
            ("ignore[a]", bad("this suppression has no reason")),
            ("ignore[a] reason=\"  \"", bad("this suppression has an empty reason")),
            ("ignore[] reason=\"x\"", bad("this suppression names no rule")),
            ("ignore a", bad("`lbcheck: ignore a` is not a suppression")),
            ("ignore[a] reason=\"x\" until=1", bad("`until=1` after the reason is not understood")),
        ] {
            assert_eq!(parse(remark), expected, "{remark}");
        }
    }
}
