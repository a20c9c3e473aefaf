//! One voice: what lbcheck says starts in lower case, unless with a name or code, and ends without a full stop.

use std::path::{Path, PathBuf};

use lbcheck::rules;
use lbcheck::source::Sources;

use crate::{rule_pages, support};

/// Words that are written with a capital wherever they stand.
const NAMES: &[&str] = &["Basic", "Bearer", "Envoy", "Linux", "Lua", "Maglev", "Redis", "Unix", "Zipkin"];

/// Whether a text is in the house style.
fn is_in_style(text: &str) -> bool {
    let first = text.split([' ', ':', ',', '\'']).next().unwrap_or_default();
    let mut letters = first.chars();
    let capital = letters.next().is_some_and(char::is_uppercase);
    // `HTTP`, `HAProxy`, `LOGICAL_DNS`: a name or code.
    let is_code = !first.is_empty() && !letters.as_str().chars().all(char::is_lowercase);
    let starts = !capital || is_code || NAMES.contains(&first);
    starts && (!text.ends_with('.') || text.ends_with(".."))
}

/// The string literals of a source file up to its tests, each with its line and what stands before it on that line.
fn literals(source: &str) -> Vec<(usize, String, String)> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find('"') {
        let start = source.len() - rest.len() + at;
        let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let before = &source[line_start..start];
        rest = &source[start + 1..];
        if before.trim_start().starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            continue;
        }
        if before.ends_with('\'') || before.ends_with("'\\") {
            continue;
        }
        let mut escaped = false;
        let end = rest.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { break };
        found.push((source[..start].matches('\n').count() + 1, before.to_owned(), rest[..end].to_owned()));
        rest = &rest[end + 1..];
    }
    found
}

fn sources_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources_below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_text_of_the_library_is_in_one_style() {
    let mut files = Vec::new();
    sources_below(&support::root().join("crates/lbcheck/src"), &mut files);
    files.sort();
    let mut wrong = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for (line, before, literal) in literals(&text) {
            // The title of a rule is the heading of its page.
            let title = before.trim_start().starts_with("summary:");
            if literal.contains(' ') && !title && !is_in_style(&literal) {
                wrong.push(format!("{}:{line}: {literal}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_finding_of_the_pages_is_in_one_style() {
    let mut wrong = Vec::new();
    for rule in rules::ALL {
        for block in rule_pages::blocks(rule.docs) {
            let mut sources = Sources::new();
            let reading = support::reading(block.dialect, block.text.as_bytes(), &mut sources);
            for finding in support::check(&sources, &reading).findings {
                let (message, help) = (finding.diagnostic.message, finding.diagnostic.help);
                wrong.extend([message].into_iter().chain(help).filter(|text| !is_in_style(text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
