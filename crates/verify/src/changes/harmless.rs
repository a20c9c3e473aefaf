//! Edits that change nothing, each kind with its reason.

use lbcheck::dialect::Dialect;

use crate::mutate::Mutant;

/// Why an edit has no effect; `None`: nobody knows.
pub(super) fn reason(dialect: Dialect, old: &str, mutant: &Mutant) -> Option<&'static str> {
    let words = |text: &str| -> Vec<String> {
        text.lines()
            .flat_map(|line| bare(dialect, line).split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    };
    if words(old) == words(&mutant.text) {
        return Some("only blanks and comments differ");
    }
    None
}

/// A line without its comment.
fn bare(_dialect: Dialect, line: &str) -> &str {
    line.split_once('#').map_or(line, |(before, _)| before)
}
