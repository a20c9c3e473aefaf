//! Source files, byte spans and line/column positions.
//!
//! Offsets inside the library are bytes into the file as read. Lines and
//! columns, which users see, are 1-based and count Unicode characters.

use std::collections::BTreeMap;
use std::fmt;

/// A file in a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// A half-open byte range of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file the range lies in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `file` from byte `start` up to, not including, byte `end`.
    ///
    /// Files are at most 4 GiB ([`Sources::add`] cuts longer ones), so offsets fit.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The smallest span that covers both. Spans of two files give `self`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The bytes covered, as a range for slicing.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `other` lies wholly inside `self`.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// A value and the place it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs `value` with `span`.
    #[must_use]
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A 1-based line and column; the column counts Unicode characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Distance of the places of a file at which its characters were counted.
const STRIDE: usize = 1024;

/// One file: its path as the user wrote it, its bytes, and where its lines begin.
#[derive(Clone, Debug)]
pub struct SourceFile {
    path: String,
    text: String,
    /// The bytes as read, where they are not UTF-8. `text` has the same length, with `?` for each bad byte, so
    /// that byte offsets hold in both.
    raw: Option<Vec<u8>>,
    line_starts: Vec<u32>,
    /// Characters before every [`STRIDE`]-th byte, so that a column is found without walking a line that may be
    /// the whole file. Empty where every byte is a character.
    characters: Vec<u32>,
}

impl SourceFile {
    fn new(path: String, mut bytes: Vec<u8>) -> Self {
        bytes.truncate(u32::MAX as usize);
        let mut line_starts = vec![0];
        line_starts.extend(
            bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').map(|(at, _)| at as u32 + 1),
        );
        let (text, raw) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let bytes = error.into_bytes();
                (mask_invalid_utf8(&bytes), Some(bytes))
            }
        };
        let characters = if text.is_ascii() { Vec::new() } else { count_characters(&text) };
        Self { path, text, raw, line_starts, characters }
    }

    /// The path as given by the user or by the include that named it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The file's bytes, exactly as read.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// The file as text of the same byte length; bytes that are not UTF-8 read as `?`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Number of lines; a final newline does not open another line.
    #[must_use]
    pub fn line_count(&self) -> usize {
        let trailing = self.text.is_empty() || self.text.ends_with('\n');
        self.line_starts.len() - usize::from(trailing)
    }

    /// The position of a byte offset. An offset past the end is the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let offset = offset.min(self.text.len() as u32);
        let line = self.line_starts.partition_point(|&start| start <= offset) - 1;
        let column = self.characters_before(offset) - self.characters_before(self.line_starts[line]);
        Position { line: line as u32 + 1, column: column + 1 }
    }

    /// The number of characters that begin before a byte offset.
    fn characters_before(&self, offset: u32) -> u32 {
        let Some(&counted) = self.characters.get(offset as usize / STRIDE) else { return offset };
        let from = offset as usize / STRIDE * STRIDE;
        counted + characters(&self.text.as_bytes()[from..offset as usize])
    }

    /// The byte range of 1-based `line`, without its line ending. `None` past the last line.
    #[must_use]
    pub fn line_range(&self, line: u32) -> Option<std::ops::Range<usize>> {
        let index = (line as usize).checked_sub(1)?;
        let start = *self.line_starts.get(index)? as usize;
        let end = self.line_starts.get(index + 1).map_or(self.text.len(), |&next| next as usize - 1);
        let end = if end > start && self.text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end };
        Some(start..end)
    }
}

/// Characters that begin in `bytes`. Continuation bytes are not characters of their own.
fn characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u32
}

fn count_characters(text: &str) -> Vec<u32> {
    let mut before = 0;
    let mut counted = vec![0];
    for chunk in text.as_bytes().chunks(STRIDE) {
        before += characters(chunk);
        counted.push(before);
    }
    counted
}

fn mask_invalid_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    text
}

/// Every file read in one run, by [`FileId`]. A diff holds old and new in one `Sources`.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and gives its id. Content past 4 GiB is cut.
    pub fn add(&mut self, path: impl Into<String>, bytes: Vec<u8>) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(SourceFile::new(path.into(), bytes));
        id
    }

    /// Number of files.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Forgets the files added after the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.files.truncate(count);
    }

    /// Gives files added after the first `count` the text that belongs to their paths. It must be of the same length.
    pub(crate) fn restore(&mut self, count: usize, originals: &BTreeMap<String, Vec<u8>>) {
        for file in self.files.iter_mut().skip(count) {
            if let Some(bytes) = originals.get(&file.path).filter(|bytes| bytes.len() == file.text.len()) {
                *file = SourceFile::new(std::mem::take(&mut file.path), bytes.clone());
            }
        }
    }

    /// The file of an id this set gave out.
    ///
    /// # Panics
    /// Never for an id of this set; an id of another set is a bug in the caller.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files, in the order they were read.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(index as u32), file))
    }

    /// The text of a span, bytes that are not UTF-8 read as `?`.
    ///
    /// A span that starts or ends inside a character gives an empty string.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text().get(span.range()).unwrap_or_default()
    }

    /// The start position of a span.
    #[must_use]
    pub fn position(&self, span: Span) -> Position {
        self.file(span.file).position(span.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_survive_crlf() {
        let mut sources = Sources::new();
        let id = sources.add("x", "é1\r\nab".as_bytes().to_vec());
        let file = sources.file(id);
        assert_eq!(file.position(2), Position { line: 1, column: 2 });
        assert_eq!(file.position(5), Position { line: 2, column: 1 });
        assert_eq!(file.position(99), Position { line: 2, column: 3 });
        assert_eq!(file.line_range(1), Some(0..3));
        assert_eq!(file.line_range(3), None);
        assert_eq!(file.line_count(), 2);
    }

    #[test]
    fn columns_far_along_a_line_count_characters() {
        let mut sources = Sources::new();
        let text = format!("\n{}x", "é1".repeat(5 * STRIDE));
        let id = sources.add("x", text.clone().into_bytes());
        for (character, (at, _)) in text.char_indices().enumerate().skip(1) {
            let position = Position { line: 2, column: character as u32 };
            assert_eq!(sources.file(id).position(at as u32), position);
        }
        let end = sources.file(id).position(u32::MAX);
        assert_eq!(end, Position { line: 2, column: text.chars().count() as u32 });
    }

    #[test]
    fn text_that_is_not_utf8_keeps_its_offsets() {
        let mut sources = Sources::new();
        let id = sources.add("latin1", b"# caf\xe9 \xff\xfe\nx".to_vec());
        assert_eq!(sources.file(id).text(), "# caf? ??\nx");
        assert_eq!(sources.file(id).bytes().len(), sources.file(id).text().len());
    }
}
