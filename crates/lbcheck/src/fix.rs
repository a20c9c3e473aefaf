//! Mends that findings carry, applied to text.
//!
//! A mend is only made where it is certain. What comes out is read again, and must be the same configuration but for
//! what the mend changes: [`confirm`] says whether it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Certainty, Diagnostic, Edit, Fix, Severity};
use crate::diff::{self, Comparison};
use crate::load::{FileLoader, LoadError};
use crate::read::Reading;
use crate::report::Finding;
use crate::source::{FileId, Sources, Span};

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// The file.
    pub file: FileId,
    /// Its path, as it was read.
    pub path: String,
    /// Its bytes with every edit made.
    pub content: Vec<u8>,
    /// The edits, in order and apart.
    pub edits: Vec<Edit>,
}

/// The certain mends of findings that nobody silenced.
pub fn certain(findings: &[Finding]) -> impl Iterator<Item = &Fix> {
    findings
        .iter()
        .filter(|finding| finding.suppressed.is_none())
        .filter_map(|finding| finding.diagnostic.fix.as_ref())
        .filter(|fix| fix.certainty == Certainty::Certain)
}

/// Makes every mend, file by file. Of two that contradict each other the first is made; one found twice is made once.
#[must_use]
pub fn apply<'f>(sources: &Sources, fixes: impl Iterator<Item = &'f Fix>) -> Vec<Mended> {
    // By place; edits in it never overlap.
    let mut accepted: BTreeMap<FileId, BTreeMap<(u32, u32), &Edit>> = BTreeMap::new();
    for fix in fixes {
        let fits = fix.edits.iter().all(|edit| {
            accepted.get(&edit.span.file).is_none_or(|edits| fits(edits, edit))
                && is_inside(sources, edit.span)
        });
        if fits {
            for edit in &fix.edits {
                accepted.entry(edit.span.file).or_default().insert((edit.span.start, edit.span.end), edit);
            }
        }
    }
    accepted
        .into_iter()
        .map(|(file, edits)| {
            let source = sources.file(file);
            let old = source.bytes();
            let mut content = Vec::with_capacity(old.len());
            let mut at = 0;
            for edit in edits.values() {
                let range = edit.span.range();
                content.extend_from_slice(old.get(at..range.start).unwrap_or_default());
                content.extend_from_slice(edit.replacement.as_bytes());
                at = range.end;
            }
            content.extend_from_slice(old.get(at..).unwrap_or_default());
            let edits = edits.into_values().cloned().collect();
            Mended { file, path: source.path().to_owned(), content, edits }
        })
        .collect()
}

/// Whether an edit stands apart from those accepted, or is one of them.
fn fits(edits: &BTreeMap<(u32, u32), &Edit>, edit: &Edit) -> bool {
    let key = (edit.span.start, edit.span.end);
    if let Some(same) = edits.get(&key) {
        return same.replacement == edit.replacement;
    }
    let before = edits.range(..key).next_back().is_none_or(|(place, _)| place.1 <= edit.span.start);
    let after = edits.range(key..).next().is_none_or(|(place, _)| edit.span.end <= place.0);
    before && after
}

fn is_inside(sources: &Sources, span: Span) -> bool {
    sources.file(span.file).bytes().get(span.range()).is_some()
}

/// Reads mended files in place of those of another loader.
pub struct Overlay<'a> {
    inner: &'a dyn FileLoader,
    files: BTreeMap<&'a str, &'a [u8]>,
}

impl<'a> Overlay<'a> {
    /// `mended` over `inner`.
    #[must_use]
    pub fn new(inner: &'a dyn FileLoader, mended: &'a [Mended]) -> Self {
        let files = mended.iter().map(|file| (file.path.as_str(), file.content.as_slice())).collect();
        Self { inner, files }
    }
}

impl FileLoader for Overlay<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match self.files.get(path) {
            Some(content) => Ok(content.to_vec()),
            None => self.inner.read(path),
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, LoadError> {
        self.inner.list(directory)
    }

    fn is_directory(&self, path: &str) -> bool {
        self.inner.is_directory(path)
    }
}

/// Why a mended configuration is not the old one with the mends in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It cannot be read any more.
    #[error("the mended text could not be read as a whole")]
    Broken,
    /// It has an error that was not there.
    #[error("the mended text would have a new error: {0}")]
    NewError(String),
    /// Something changed that no edit touched.
    #[error("the mends would also change `{0}` at {1}")]
    Elsewhere(String, String),
}

/// Whether the new reading is that of the old text with the mends in it: no new errors, and whatever differs stands
/// where an edit was made.
///
/// # Errors
/// It is not: nothing should be written.
pub fn confirm(sources: &Sources, old: &Reading, new: &Reading, mended: &[Mended]) -> Result<(), Refused> {
    if new.broken && !old.broken {
        return Err(Refused::Broken);
    }
    let touched = Touched::new(sources, new, mended);
    let mut known: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for found in errors(old) {
        *known.entry((found.rule, found.message.as_str())).or_insert(0) += 1;
    }
    for found in errors(new) {
        let left = known.entry((found.rule, found.message.as_str())).or_insert(0);
        *left -= 1;
        // A block that is a block again may hold errors nobody could see.
        if *left < 0 && !touched.opened(sources, found.primary.span) {
            return Err(Refused::NewError(found.message.clone()));
        }
    }
    if old.broken || new.broken {
        return Ok(());
    }
    let comparison = Comparison::new(&old.config, &new.config);
    for change in diff::outcome(&comparison).changes {
        let Some(span) = change.new_span.or(change.old_span) else { continue };
        if !touched.edited(sources, span) && !touched.opened(sources, span) {
            let place = format!("{}:{}", sources.file(span.file).path(), sources.position(span));
            return Err(Refused::Elsewhere(change.kind.to_owned(), place));
        }
    }
    Ok(())
}

fn errors(reading: &Reading) -> impl Iterator<Item = &Diagnostic> {
    reading.diagnostics.iter().filter(|found| found.severity == Severity::Error)
}

/// Where edits were made. They keep the number of lines, so a line is the same in both texts.
struct Touched<'m> {
    /// The lines they stand on.
    lines: BTreeSet<(&'m str, u32)>,
    /// The lines of the blocks that those lines open, without the first.
    blocks: Vec<(&'m str, u32, u32)>,
}

impl<'m> Touched<'m> {
    fn new(sources: &'m Sources, new: &Reading, mended: &'m [Mended]) -> Self {
        let edits =
            mended.iter().flat_map(|file| file.edits.iter().map(|edit| (file.path.as_str(), edit.span)));
        let lines: BTreeSet<_> = edits.map(|(path, span)| (path, sources.position(span).line)).collect();
        let mut blocks = Vec::new();
        for block in &new.blocks {
            let key = (sources.file(block.header.file).path(), sources.position(block.header).line);
            if lines.contains(&key) {
                let end = Span { start: block.extent.end, ..block.extent };
                blocks.push((key.0, key.1 + 1, sources.position(end).line));
            }
        }
        Self { lines, blocks }
    }

    fn edited(&self, sources: &Sources, span: Span) -> bool {
        self.lines.contains(&(sources.file(span.file).path(), sources.position(span).line))
    }

    fn opened(&self, sources: &Sources, span: Span) -> bool {
        let (path, line) = (sources.file(span.file).path(), sources.position(span).line);
        self.blocks.iter().any(|(file, first, last)| *file == path && (*first..=*last).contains(&line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(file: FileId, start: usize, end: usize, replacement: &str) -> Fix {
        let span = Span::new(file, start, end);
        Fix::certain("test", vec![Edit { span, replacement: replacement.to_owned() }])
    }

    #[test]
    fn edits_are_made_once_and_never_over_each_other() {
        let mut sources = Sources::new();
        let file = sources.add("x", b"abcdef".to_vec());
        let fixes = [
            edit(file, 1, 3, "BC"),
            edit(file, 1, 3, "BC"),
            edit(file, 2, 4, "no"),
            edit(file, 1, 3, "no"),
            edit(file, 6, 6, "!"),
            edit(file, 6, 6, "!"),
            edit(file, 5, 99, "no"),
        ];
        let mended = apply(&sources, fixes.iter());
        assert_eq!(mended.len(), 1);
        assert_eq!(mended[0].content, b"aBCdef!");
        assert_eq!(mended[0].edits.len(), 2);
    }
}
