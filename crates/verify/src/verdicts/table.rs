//! The table of verdicts, and why each disagreement that stays does.

use std::collections::BTreeMap;
use std::fmt::Write;

use lbcheck::dialect::Dialect;

use super::{Case, Class, Run};
use crate::classify::Outside;
use crate::mutate::Change;

/// A disagreement that is known: where its cause begins with these words, this is why it stays.
struct Reason {
    dialect: Dialect,
    class: Class,
    cause: &'static str,
    why: &'static str,
}

const fn known(dialect: Dialect, class: Class, cause: &'static str, why: &'static str) -> Reason {
    Reason { dialect, class, cause, why }
}

/// Every known disagreement; the first that fits counts, so that the general ones stand last.
const REASONS: &[Reason] = &[
    known(
        Dialect::HaProxy,
        Class::OtherLine,
        "http frontend",
        "HAProxy names the line of the frontend, lbcheck that of the rule that names the backend",
    ),
    known(
        Dialect::HaProxy,
        Class::Missed,
        "parsing [FILE:N]: argument number",
        "a variable that is not set makes a word empty; whether it is set where HAProxy runs is not in the file, so lbcheck warns",
    ),
    known(
        Dialect::HaProxy,
        Class::OtherLine,
        "parsing [FILE:N]: non-terminated",
        "HAProxy names the last line, lbcheck the `.if` that is not closed",
    ),
    known(
        Dialect::Nginx,
        Class::Missed,
        "unknown \"…\" variable",
        "a snippet, which may stand where the variable is defined; or a variable of a module that this nginx is built without",
    ),
    known(
        Dialect::Nginx,
        Class::Missed,
        "could not build",
        "sizes of hash tables depend on the processor's cache line and are not computed",
    ),
    known(
        Dialect::Nginx,
        Class::OtherLine,
        "unknown directive",
        "the directive goes on over a line end, or a misspelt brace is its first word: nginx names the line where its words end, lbcheck the word",
    ),
    known(
        Dialect::Nginx,
        Class::OtherLine,
        "unexpected end of file",
        "nginx names the last line, lbcheck the block that is not closed",
    ),
    known(
        Dialect::Nginx,
        Class::OtherLine,
        "no servers are inside upstream",
        "nginx names the line of the closing brace, lbcheck the upstream",
    ),
    known(
        Dialect::Nginx,
        Class::OtherLine,
        "invalid number of arguments",
        "the directive's brace or semicolon stands on a later line, which is the one nginx names",
    ),
    known(
        Dialect::Nginx,
        Class::OtherLine,
        "no \"…\" is defined for",
        "nginx names the line of the server, lbcheck that of its `listen`",
    ),
    known(
        Dialect::Nginx,
        Class::OtherLine,
        "percent total",
        "nginx adds up at the closing brace, lbcheck names the line that is too much",
    ),
    known(
        Dialect::Envoy,
        Class::Missed,
        "Failed to load",
        "whether the numbers of a key or certificate fit together takes cryptography; lbcheck looks at PEM, base64 and the outermost value only",
    ),
    known(Dialect::Envoy, Class::Missed, "script load error", "Lua in the configuration is not parsed"),
    known(
        Dialect::Envoy,
        Class::OtherLine,
        "eds_cluster_config set",
        "two lines contradict each other: lbcheck points at `eds_cluster_config`, the change was made at the type",
    ),
    known(
        Dialect::Envoy,
        Class::OtherLine,
        "Address must be set",
        "Envoy names no place; lbcheck points at the endpoint that has no address",
    ),
    known(
        Dialect::Envoy,
        Class::OtherLine,
        "no such field",
        "a brace in the wrong line ends the file early to one of the two YAML parsers, and makes a wrong field to the other",
    ),
    known(
        Dialect::Envoy,
        Class::Missed,
        "no such field",
        "`static_resources` behind what it holds leaves a file of resources, which lbcheck reads as a part of a whole",
    ),
    known(
        Dialect::Envoy,
        Class::OtherLine,
        "in legacy mode",
        "`@type` as the first line of a file makes another message of the whole file, which lbcheck then judges by that type",
    ),
    known(
        Dialect::Envoy,
        Class::FalseError,
        "invalid-value",
        "the two YAML parsers read a line with a misplaced quote differently",
    ),
    known(
        Dialect::Envoy,
        Class::FalseError,
        "syntax-error",
        "Envoy's YAML parser takes what YAML does not allow, such as a comma too many in braces",
    ),
    known(
        Dialect::Envoy,
        Class::OtherLine,
        "yaml-cpp",
        "in braces over many lines the two parsers notice the same mistake at different places",
    ),
    known(
        Dialect::Envoy,
        Class::OtherLine,
        "Proto constraint validation failed",
        "Envoy names the message around it, lbcheck the field that is missing or wrong, some lines away",
    ),
    known(
        Dialect::Envoy,
        Class::OtherLine,
        "[{",
        "Envoy names no place; lbcheck points at the beginning of the structure that does not fit",
    ),
];

/// What is said of a cause that nobody has looked into.
const OPEN: &str = "open, not looked into one by one";

/// Why a disagreement stays.
#[must_use]
pub fn reason(dialect: Dialect, case: &Case) -> &'static str {
    let fits = |known: &&Reason| {
        known.dialect == dialect && known.class == case.class && case.cause.starts_with(known.cause)
    };
    REASONS.iter().find(fits).map_or(OPEN, |known| known.why)
}

/// Causes shown for each class of disagreement.
const TOP: usize = 40;

/// The runs as Markdown.
#[must_use]
pub fn markdown(runs: &[Run]) -> String {
    let mut text = String::new();
    summary(runs, &mut text);
    by_change(runs, &mut text);
    outside(runs, &mut text);
    for run in runs {
        disagreements(run, &mut text);
    }
    text
}

fn summary(runs: &[Run], text: &mut String) {
    text.push_str(
        "| proxy | files | mutants | accepted | without a false error | refused | seen by lbcheck | of these on the \
         same line | outside the file | no verdict |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for run in runs {
        let outside = run.cases.iter().filter(|case| matches!(case.class, Class::Outside(_))).count();
        let mutants = run.cases.iter().filter(|case| case.change.is_some()).count();
        let _ = writeln!(
            text,
            "| {} {} | {} | {mutants} | {} | {} | {} | {} | {} | {outside} | {} |",
            run.dialect,
            run.version,
            run.cases.len() - mutants,
            run.accepted().whole,
            run.accepted(),
            run.seen().whole,
            run.seen(),
            run.same_line(),
            run.count(Class::NoVerdict),
        );
    }
    text.push('\n');
}

fn by_change(runs: &[Run], text: &mut String) {
    text.push_str("| proxy | change | cases | accepted | false errors | refused | missed | other line |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for run in runs {
        let kinds = std::iter::once(None).chain(Change::ALL.map(|change| Some(change.as_str())));
        for kind in kinds {
            let cases: Vec<&Case> = run.cases.iter().filter(|case| case.change == kind).collect();
            let count = |class: Class| cases.iter().filter(|case| case.class == class).count();
            let seen = count(Class::SameLine) + count(Class::OtherLine) + count(Class::Refused);
            let _ = writeln!(
                text,
                "| {} {} | {} | {} | {} | {} | {} | {} | {} |",
                run.dialect,
                run.version,
                kind.unwrap_or("none (the file as it is)"),
                cases.len(),
                count(Class::Accepted) + count(Class::FalseError),
                count(Class::FalseError),
                seen + count(Class::Missed),
                count(Class::Missed),
                count(Class::OtherLine),
            );
        }
    }
    text.push('\n');
}

fn outside(runs: &[Run], text: &mut String) {
    text.push_str("| proxy | refused for what does not lie in the file | cases |\n|---|---|---|\n");
    for run in runs {
        let mut kinds: BTreeMap<Outside, usize> = BTreeMap::new();
        for case in &run.cases {
            if let Class::Outside(kind) = case.class {
                *kinds.entry(kind).or_default() += 1;
            }
        }
        for (kind, count) in kinds {
            let _ = writeln!(text, "| {} {} | {} | {count} |", run.dialect, run.version, kind.as_str());
        }
    }
    text.push('\n');
}

fn disagreements(run: &Run, text: &mut String) {
    let classes = [
        (Class::FalseError, "accepted, and an error to lbcheck"),
        (Class::Missed, "refused, and no error to lbcheck"),
        (Class::OtherLine, "an error to both, on different lines"),
    ];
    for (class, title) in classes {
        // (cause, why) with its cases; the commonest first, then by cause.
        let mut causes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for case in run.cases.iter().filter(|case| case.class == class) {
            *causes.entry((case.cause.as_str(), reason(run.dialect, case))).or_default() += 1;
        }
        if causes.is_empty() {
            continue;
        }
        let _ = writeln!(text, "**{} {}: {title}**\n", run.dialect, run.version);
        text.push_str(
            "| cases | cause, in the words of the one that refuses | why it stays |\n|---|---|---|\n",
        );
        let mut rows: Vec<_> = causes.into_iter().collect();
        rows.sort_by_key(|((cause, _), count)| (std::cmp::Reverse(*count), *cause));
        for ((cause, why), count) in rows.iter().take(TOP) {
            let cause = cause.replace('|', "\\|");
            let _ = writeln!(text, "| {count} | `{}` | {} |", cause.replace('`', "'"), why);
        }
        let rest: usize = rows.iter().skip(TOP).map(|(_, count)| count).sum();
        if rest > 0 {
            let _ = writeln!(text, "| {rest} | {} further causes | |", rows.len() - TOP);
        }
        text.push('\n');
    }
}
