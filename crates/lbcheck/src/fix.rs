//! Mends that findings carry, applied to text.
//!
//! A mend is only made where it is certain. What comes out is read again, and must be the same configuration but for
//! what the mend changes: [`confirm`] says whether it is. Each mend is judged by itself: [`provable`] finds those that
//! can be made together, and why the others cannot.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Certainty, Diagnostic, Edit, Fix, RuleId, Severity};
use crate::diff::{self, Comparison};
use crate::load::{FileLoader, LoadError};
use crate::reading::Reading;
use crate::report::{Change, ChangeKind, Finding};
use crate::rules::{self, Check};
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
///
/// While the text itself has errors only those are mended: what a rule misses may stand in what is misspelt.
pub fn certain(findings: &[Finding]) -> impl Iterator<Item = &Fix> {
    let of_text = |finding: &&Finding| matches!(rules::rule(finding.diagnostic.rule).check, Check::Reader);
    let open = || findings.iter().filter(|finding| finding.suppressed.is_none());
    let misread = open().filter(of_text).any(|finding| finding.diagnostic.severity == Severity::Error);
    open()
        .filter(move |finding| !misread || of_text(finding))
        .filter_map(|finding| finding.diagnostic.fix.as_ref())
        .filter(|fix| fix.certainty == Certainty::Certain)
}

/// Edits of one file by their place.
type Edits<'f> = BTreeMap<(u32, u32), &'f Edit>;

/// Makes every mend, file by file. Of two that contradict each other the first is made; one found twice is made once.
#[must_use]
pub fn apply<'f>(sources: &Sources, fixes: impl Iterator<Item = &'f Fix>) -> Vec<Mended> {
    // By place; edits in it never overlap. Several configurations may have read the same file.
    let mut accepted: BTreeMap<&str, (FileId, Edits<'_>)> = BTreeMap::new();
    let path = |edit: &Edit| sources.file(edit.span.file).path();
    for fix in fixes {
        let fits = fix.edits.iter().all(|edit| {
            accepted.get(path(edit)).is_none_or(|(_, edits)| fits(edits, edit))
                && is_inside(sources, edit.span)
        });
        if fits {
            for edit in &fix.edits {
                let (_, edits) = accepted.entry(path(edit)).or_insert((edit.span.file, BTreeMap::new()));
                edits.insert((edit.span.start, edit.span.end), edit);
            }
        }
    }
    let mut accepted: Vec<_> = accepted.into_values().collect();
    accepted.sort_unstable_by_key(|(file, _)| *file);
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
fn fits(edits: &Edits<'_>, edit: &Edit) -> bool {
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
    NewError(String, Span),
    /// Something changed that no edit touched.
    #[error("it would also change `{0}` at {1}")]
    Elsewhere(ChangeKind, String),
    /// The word that was meant stands there already, and what it says would lose.
    #[error("it would override what is written at {0}")]
    Overrides(String),
    /// Too much was refused before.
    #[error("too many others could not be made: mend those first")]
    NotTried,
}

/// What can be proved of a number of mends.
#[derive(Clone, Debug)]
pub struct Proved<'f, T> {
    /// Those that can be made together, in their order.
    pub made: Vec<&'f Fix>,
    /// What the attempt with all of those gave; `None`: there are none.
    pub outcome: Option<T>,
    /// Those that cannot be made, and why.
    pub refused: Vec<(&'f Fix, Refused)>,
}

/// Most attempts at one set of mends. Each reads the configuration again.
const MOST_ATTEMPTS: usize = 64;

/// Finds the mends that can be made together. `attempt` makes those it is given and judges what comes out, see
/// [`confirm`]. All are tried at once; where that fails, halves, down to the single mend that cannot be made.
pub fn provable<'f, T>(
    fixes: impl IntoIterator<Item = &'f Fix>,
    mut attempt: impl FnMut(&[&'f Fix]) -> Result<T, Refused>,
) -> Proved<'f, T> {
    let mut proved = Proved { made: Vec::new(), outcome: None, refused: Vec::new() };
    let mut waiting: Vec<Vec<&'f Fix>> = vec![fixes.into_iter().collect()];
    let mut attempts = 0;
    while let Some(mut group) = waiting.pop() {
        if group.is_empty() {
            continue;
        }
        if attempts >= MOST_ATTEMPTS {
            proved.refused.extend(group.into_iter().map(|fix| (fix, Refused::NotTried)));
            continue;
        }
        attempts += 1;
        let together: Vec<&'f Fix> = proved.made.iter().chain(&group).copied().collect();
        match attempt(&together) {
            Ok(outcome) => {
                proved.made = together;
                proved.outcome = Some(outcome);
            }
            Err(why) if group.len() == 1 => {
                proved.refused.extend(group.into_iter().map(|fix| (fix, why.clone())));
            }
            Err(_) => {
                let second = group.split_off(group.len() / 2);
                waiting.push(second);
                waiting.push(group);
            }
        }
    }
    proved
}

/// Whether the new reading is that of the old text with the mends in it: no new errors, and whatever differs stands
/// where an edit was made or follows from what the edit defines. An error that a mended word hid is not new.
///
/// # Errors
/// It is not: nothing should be written.
pub fn confirm(sources: &Sources, old: &Reading, new: &Reading, mended: &[Mended]) -> Result<(), Refused> {
    if new.broken && !old.broken {
        return Err(Refused::Broken);
    }
    let touched = Touched::new(sources, new, mended);
    let mut known: BTreeMap<(RuleId, &str), i64> = BTreeMap::new();
    for found in errors(old) {
        *known.entry((found.rule, found.message.as_str())).or_insert(0) += 1;
    }
    for found in errors(new) {
        let left = known.entry((found.rule, found.message.as_str())).or_insert(0);
        *left -= 1;
        // Behind a word that was not known nothing was looked at: on its line, and in a block that is one again.
        let span = found.primary.span;
        if *left < 0 && !touched.edited(sources, span) && !touched.opened(sources, span) {
            return Err(Refused::NewError(found.message.clone(), span));
        }
    }
    let doubled =
        |reading: &Reading| reading.diagnostics.iter().filter(|found| DOUBLED.contains(&found.rule)).count();
    if doubled(new) > doubled(old) {
        let is_new = |found: &&Diagnostic| {
            DOUBLED.contains(&found.rule) && touched.edited(sources, found.primary.span)
        };
        if let Some(found) = new.diagnostics.iter().find(is_new) {
            let span = found.related.first().map_or(found.primary.span, |first| first.span);
            let place = format!("{}:{}", sources.file(span.file).path(), sources.position(span));
            return Err(Refused::Overrides(place));
        }
    }
    if old.broken || new.broken {
        return Ok(());
    }
    let comparison = Comparison::new(&old.config, &new.config);
    let follows = Follows::new(sources, old, new, &touched);
    for change in diff::outcome(&comparison).changes {
        let Some(span) = change.new_span.or(change.old_span) else { continue };
        if let Some(written) = change.old_span.filter(|_| !DERIVED.contains(&change.kind))
            && change.old.is_some()
            && change.new.is_some()
            && touched.beside(sources, written)
        {
            let place = format!("{}:{}", sources.file(written.file).path(), sources.position(written));
            return Err(Refused::Overrides(place));
        }
        let within = touched.edited(sources, span) || touched.opened(sources, span);
        if !within && !touched.around(sources, span) && !follows.has(sources, &change, span) {
            let place = format!("{}:{}", sources.file(span.file).path(), sources.position(span));
            return Err(Refused::Elsewhere(change.kind, place));
        }
    }
    Ok(())
}

/// What is said of something that is written twice.
const DOUBLED: [RuleId; 2] = [RuleId::DuplicateDefinition, RuleId::DuplicateSingleton];

/// Changes whose old place is not that of the value that changes.
const DERIVED: [ChangeKind; 6] = [
    ChangeKind::HealthCheckChanged,
    ChangeKind::OutlierDetectionChanged,
    ChangeKind::PoolRenamed,
    ChangeKind::EndpointRenamed,
    ChangeKind::EndpointsReordered,
    ChangeKind::RouteChanged,
];

fn errors(reading: &Reading) -> impl Iterator<Item = &Diagnostic> {
    reading.diagnostics.iter().filter(|found| found.severity == Severity::Error)
}

/// Where edits were made. They keep the number of lines, so a line is the same in both texts.
struct Touched<'m> {
    /// The lines they stand on.
    lines: BTreeSet<(&'m str, u32)>,
    /// The lines of the blocks that those lines open, without the first.
    blocks: Vec<(&'m str, u32, u32)>,
    /// The first lines of the blocks that they stand in.
    around: BTreeSet<(&'m str, u32)>,
    /// The edits themselves by file and place: where each ends.
    edits: BTreeMap<(&'m str, u32), u32>,
    /// The innermost blocks that they stand in, by file; `None`: in no block.
    within: BTreeSet<(&'m str, Option<usize>)>,
    /// All blocks, in the order of their first lines, outer ones first.
    all: Vec<Lines<'m>>,
}

/// The lines of a block.
struct Lines<'m> {
    file: &'m str,
    first: u32,
    last: u32,
    /// The block around it.
    outer: Option<usize>,
}

impl<'m> Touched<'m> {
    fn new(sources: &'m Sources, new: &Reading, mended: &'m [Mended]) -> Self {
        let edits =
            mended.iter().flat_map(|file| file.edits.iter().map(|edit| (file.path.as_str(), edit.span)));
        let lines: BTreeSet<_> = edits.map(|(path, span)| (path, sources.position(span).line)).collect();
        let mut blocks = Vec::new();
        let mut around = BTreeSet::new();
        let mut all = Vec::new();
        for block in &new.blocks {
            let key = (sources.file(block.header.file).path(), sources.position(block.header).line);
            let last = sources.position(Span { start: block.extent.end, ..block.extent }).line;
            all.push((key.0, key.1, last));
            if lines.contains(&key) {
                blocks.push((key.0, key.1 + 1, last));
            }
            if lines.range(key..=(key.0, last)).next().is_some() {
                around.insert(key);
            }
        }
        let edits =
            mended.iter().flat_map(|file| file.edits.iter().map(|edit| (file.path.as_str(), edit.span)));
        let edits = edits.map(|(path, span)| ((path, span.start), span.end)).collect();
        let mut touched = Self { lines, blocks, around, edits, within: BTreeSet::new(), all: nested(all) };
        touched.within =
            touched.lines.iter().map(|&(path, line)| (path, touched.innermost(path, line))).collect();
        touched
    }

    /// The innermost block that a line stands in.
    fn innermost(&self, path: &str, line: u32) -> Option<usize> {
        let behind = self.all.partition_point(|block| (block.file, block.first) <= (path, line));
        let mut at = behind.checked_sub(1);
        while let Some(block) = at.and_then(|at| self.all.get(at)) {
            if block.file == path && block.last >= line {
                break;
            }
            at = block.outer;
        }
        at
    }

    /// Whether a place stands in the same block as an edit, and is not what was edited.
    fn beside(&self, sources: &Sources, span: Span) -> bool {
        let path = sources.file(span.file).path();
        let last = self.edits.range(..(path, span.end)).next_back();
        if last.is_some_and(|((file, _), end)| *file == path && *end > span.start) {
            return false;
        }
        self.within.contains(&(path, self.innermost(path, sources.position(span).line)))
    }

    fn edited(&self, sources: &Sources, span: Span) -> bool {
        self.lines.contains(&(sources.file(span.file).path(), sources.position(span).line))
    }

    fn around(&self, sources: &Sources, span: Span) -> bool {
        self.around.contains(&(sources.file(span.file).path(), sources.position(span).line))
    }

    fn opened(&self, sources: &Sources, span: Span) -> bool {
        let (path, line) = (sources.file(span.file).path(), sources.position(span).line);
        self.blocks.iter().any(|(file, first, last)| *file == path && (*first..=*last).contains(&line))
    }
}

/// Blocks in order, each with the one around it.
fn nested(mut blocks: Vec<(&str, u32, u32)>) -> Vec<Lines<'_>> {
    blocks.sort_unstable_by_key(|&(file, first, last)| (file, first, std::cmp::Reverse(last)));
    let mut all: Vec<Lines<'_>> = Vec::with_capacity(blocks.len());
    let mut open: Vec<usize> = Vec::new();
    for (at, (file, first, last)) in blocks.into_iter().enumerate() {
        while let Some(outer) = open.last().and_then(|&outer| all.get(outer)) {
            if outer.file == file && outer.last >= first {
                break;
            }
            open.pop();
        }
        all.push(Lines { file, first, last, outer: open.last().copied() });
        open.push(at);
    }
    all
}

/// What a mend changes in other places, because they speak of what it defines.
struct Follows<'m> {
    /// Pools that begin on an edited line.
    pools: BTreeSet<&'m str>,
    /// Lines with errors that are gone: of names that were not defined before.
    cured: BTreeSet<(&'m str, u32)>,
}

impl<'m> Follows<'m> {
    fn new(sources: &'m Sources, old: &Reading, new: &'m Reading, touched: &Touched<'_>) -> Self {
        let begun = new.config.pools.iter().filter(|pool| touched.edited(sources, pool.header));
        let line = |found: &Diagnostic| {
            let span = found.primary.span;
            (sources.file(span.file).path(), sources.position(span).line)
        };
        let left: BTreeSet<_> = errors(new).map(line).collect();
        Self {
            pools: begun.map(|pool| pool.name.value.as_str()).collect(),
            cured: errors(old).map(line).filter(|line| !left.contains(line)).collect(),
        }
    }

    fn has(&self, sources: &Sources, change: &Change, span: Span) -> bool {
        let about = change.subject.pool.as_deref().is_some_and(|pool| self.pools.contains(pool));
        let place = (sources.file(span.file).path(), sources.position(span).line);
        about || self.names(change.new.as_deref()) || self.cured.contains(&place)
    }

    /// Whether a text has the name of one of the pools in it.
    fn names(&self, text: Option<&str>) -> bool {
        let apart = |letter: char| letter.is_whitespace() || matches!(letter, '`' | ',' | ';' | '(' | ')');
        text.is_some_and(|text| text.split(apart).any(|word| self.pools.contains(word)))
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

    #[test]
    fn one_mend_that_cannot_be_made_leaves_the_others() {
        let mut sources = Sources::new();
        let file = sources.add("x", b"abcdef".to_vec());
        let fixes: Vec<Fix> = (0..6).map(|at| edit(file, at, at + 1, "x")).collect();
        let starts = |fixes: &[&Fix]| fixes.iter().map(|fix| fix.edits[0].span.start).collect::<Vec<_>>();
        let mut attempts = 0;
        let proved = provable(&fixes, |fixes| {
            attempts += 1;
            let starts = starts(fixes);
            if starts.contains(&1) || starts.contains(&4) { Err(Refused::Broken) } else { Ok(starts.len()) }
        });
        assert_eq!(starts(&proved.made), [0, 2, 3, 5]);
        assert_eq!(proved.outcome, Some(4));
        let refused: Vec<&Fix> = proved.refused.iter().map(|(fix, _)| *fix).collect();
        assert_eq!(starts(&refused), [1, 4]);
        assert!(attempts <= 11, "{attempts}");
        let proved = provable(&fixes, |fixes| if fixes.is_empty() { Ok(()) } else { Err(Refused::Broken) });
        assert!(proved.made.is_empty() && proved.refused.len() == 6);
    }
}
