//! Directives that the user declares: those of modules lbcheck does not know.
//!
//! They are no mistakes, and what they do stays unknown: each is a gap, so that nothing is concluded from it.

use crate::diagnostic::RuleId;
use std::collections::BTreeSet;

use crate::model::{Gap, Weakens};
use crate::reading::Reading;
use crate::source::{Sources, Span};

/// Takes back what was said about unknown words that the user knows.
pub(crate) fn settle(sources: &Sources, known: &BTreeSet<String>, reading: &mut Reading) {
    if known.is_empty() {
        return;
    }
    let mut declared: Vec<Span> = Vec::new();
    reading.diagnostics.retain(|diagnostic| {
        let span = diagnostic.primary.span;
        let word = sources.text(span).trim_matches(['"', '\'']);
        let ours = diagnostic.rule == RuleId::UnknownDirective && known.contains(word);
        if ours {
            declared.push(span);
        }
        !ours
    });
    let coverage = &mut reading.config.coverage;
    let counted: BTreeSet<(crate::source::FileId, u32)> =
        coverage.gaps.iter().map(|gap| (gap.span.file, gap.span.start)).collect();
    for span in declared {
        // The nginx reader counts an unknown directive as a gap by itself, and points at all of it.
        if counted.contains(&(span.file, span.start)) {
            continue;
        }
        let what = format!("`{}` is declared in the policy; what it does is not known", sources.text(span));
        coverage.gaps.push(Gap { span, what, weakens: Weakens::Routing, told: false });
        coverage.understood = coverage.understood.saturating_sub(1);
    }
}
