//! How many lines differ, whatever they mean: the measure of what a comparison of effects may leave out.

use std::collections::BTreeMap;

use crate::reading::Reading;
use crate::source::Sources;

/// Lines that only one side has, comments and blanks left out, several of one text counted.
pub(crate) fn differing(sources: &Sources, old: &Reading, new: &Reading) -> usize {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for (reading, step) in [(old, 1), (new, -1)] {
        for line in lines(sources, reading) {
            *counts.entry(line).or_insert(0) += step;
        }
    }
    counts.values().map(|count| count.unsigned_abs() as usize).sum()
}

fn lines(sources: &Sources, reading: &Reading) -> Vec<String> {
    let mut all = Vec::new();
    for &id in &reading.config.files {
        let text = sources.file(id).text();
        let mut bare = String::with_capacity(text.len());
        let mut at = 0;
        let mut comments: Vec<_> = reading.comments.iter().filter(|span| span.file == id).collect();
        comments.sort_unstable();
        for comment in comments {
            bare.push_str(text.get(at..comment.start as usize).unwrap_or_default());
            at = at.max(comment.end as usize);
        }
        bare.push_str(text.get(at..).unwrap_or_default());
        let words = bare.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        all.extend(words.filter(|line| !line.is_empty()));
    }
    all
}
