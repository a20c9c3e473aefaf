//! The condition that ends a line.

use super::super::report::{Report, rule};
use super::super::syntax::Line;

/// From `at` on only a condition may stand.
pub(super) fn trailing(line: &Line<'_>, at: usize, needed: bool, report: &mut Report) {
    let Some(word) = line.word(at) else {
        if needed {
            report.error(
                rule::VALUE,
                line.span,
                format!("`{}` needs a condition", line.keyword()),
                "add `if CONDITION` or `unless CONDITION`",
            );
        }
        return;
    };
    if matches!(word.as_str(), "if" | "unless") || word.unset {
        return;
    }
    report.error(
        rule::VALUE,
        word.span,
        format!("`{}` stands where only `if` or `unless` may follow", word.as_str()),
        "start the condition with `if` or `unless`; blanks inside a value need quotes or `\\ `",
    );
}
