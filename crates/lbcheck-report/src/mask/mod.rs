//! Secrets in configurations, found so that no output shows them.
//!
//! In doubt a word is taken for a secret: an excerpt with stars too many can still be understood, a password in
//! a build log cannot be taken back.

mod by_form;
mod directives;
mod map;
mod name;
mod tree;
mod value;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;

use lbcheck::detect;
use lbcheck::dialect::Form;
use lbcheck::source::{FileId, Sources, Span};

use directives::Ends;

pub(crate) use name::{is_secret_header, is_secret_parameter};

/// What a secret looks like in a message.
pub(crate) const HIDDEN: &str = "***";

/// The secrets of a run's sources. A file is only looked through once something of it is to be shown.
#[derive(Debug, Default)]
pub struct Secrets {
    by_file: BTreeMap<FileId, OnceLock<OfFile>>,
}

/// The secrets of one file.
#[derive(Debug)]
struct OfFile {
    ranges: Vec<Range<usize>>,
    /// Those that are ordinary words elsewhere in it.
    ordinary: BTreeSet<String>,
}

impl OfFile {
    fn new(path: &str, text: &str) -> Self {
        let ranges = find(path, text);
        let ordinary = value::ordinary(text, &ranges);
        Self { ranges, ordinary }
    }
}

impl Secrets {
    /// The secrets of `sources`, none looked for yet.
    #[must_use]
    pub fn new(sources: &Sources) -> Self {
        Self { by_file: sources.iter().map(|(id, _)| (id, OnceLock::new())).collect() }
    }

    /// The secrets that touch a byte range of a file, in order.
    #[must_use]
    pub fn within(&self, sources: &Sources, file: FileId, range: &Range<usize>) -> &[Range<usize>] {
        let Some(all) = self.of(sources, file).map(|known| &known.ranges) else { return &[] };
        let from = all.partition_point(|secret| secret.end <= range.start);
        let to = all.partition_point(|secret| secret.start < range.end);
        all.get(from..to).unwrap_or_default()
    }

    fn of(&self, sources: &Sources, file: FileId) -> Option<&OfFile> {
        let source = sources.file(file);
        Some(self.by_file.get(&file)?.get_or_init(|| OfFile::new(source.path(), source.text())))
    }

    /// `text` with the secrets that stand on the lines of `spans` replaced; `None` where it has none.
    pub(crate) fn hide(
        &self,
        sources: &Sources,
        spans: impl IntoIterator<Item = Span>,
        text: &str,
    ) -> Option<String> {
        let mut hidden: Option<String> = None;
        for span in spans {
            let file = sources.file(span.file);
            let lines = (file.position(span.start).line, file.position(span.end).line);
            let (Some(first), Some(last)) = (file.line_range(lines.0), file.line_range(lines.1)) else {
                continue;
            };
            // A line may be the whole file: look only near the span, where a message takes its words from.
            let start = first.start.max((span.start as usize).saturating_sub(NEAR));
            let end = last.end.min(span.start as usize + NEAR);
            for secret in self.within(sources, span.file, &(start..end.max(start))) {
                let Some(known) = self.of(sources, span.file) else { continue };
                let said = hidden.as_deref().unwrap_or(text);
                if let Some(next) = value::hide(said, file.text(), secret, &known.ordinary) {
                    hidden = Some(next);
                }
            }
        }
        hidden
    }
}

/// How far from a span a message takes its words, in bytes.
const NEAR: usize = 4096;

/// A text in a dialect's words, such as a condition, with its secrets replaced.
pub(crate) fn hidden(text: &str) -> Cow<'_, str> {
    let mut secrets = Vec::new();
    any_words(text, &mut secrets);
    by_form::find(text, &mut secrets);
    starred(text, secrets)
}

/// Any text, with the secrets replaced that show by their own form.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let mut secrets = Vec::new();
    by_form::find(text, &mut secrets);
    starred(text, secrets)
}

fn starred(text: &str, secrets: Vec<Range<usize>>) -> Cow<'_, str> {
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for secret in apart(secrets) {
        shown.push_str(text.get(from..secret.start).unwrap_or_default());
        shown.push_str(HIDDEN);
        from = secret.end;
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(shown)
}

/// The byte ranges of secrets in a file, in order and apart.
#[must_use]
pub fn find(path: &str, text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    match detect(path, text.as_bytes()).map(|dialect| dialect.description().form) {
        Some(Form::Tree) => tree::find(text, &mut found),
        Some(Form::Lines) => directives::find(text, Ends::Line, &mut found),
        Some(Form::Statements) => directives::find(text, Ends::Semicolon, &mut found),
        // The user says what it is; nothing else does.
        None => {
            tree::find(text, &mut found);
            any_words(text, &mut found);
        }
    }
    by_form::find(text, &mut found);
    pem(text, &mut found);
    apart(found)
}

/// The secrets of words in either language.
fn any_words(text: &str, found: &mut Vec<Range<usize>>) {
    directives::find(text, Ends::Semicolon, found);
    if text.contains(';') {
        directives::find(text, Ends::Line, found);
    }
}

/// In order, none empty, and those that touch joined.
fn apart(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.retain(|secret| !secret.is_empty());
    found.sort_unstable_by_key(|secret| (secret.start, secret.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for secret in found {
        match apart.last_mut() {
            Some(last) if secret.start <= last.end => last.end = last.end.max(secret.end),
            _ => apart.push(secret),
        }
    }
    apart
}

/// What stands between the armour of a private key.
fn pem(text: &str, found: &mut Vec<Range<usize>>) {
    const BEGIN: &str = "PRIVATE KEY-----";
    const END: &str = "-----END";
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(BEGIN)) {
        let start = from + at + BEGIN.len();
        let rest = text.get(start..).unwrap_or_default();
        let end = start + rest.find(END).unwrap_or(rest.len());
        found.push(start..end);
        // Past the end line, which has the words of the beginning.
        from =
            end + text.get(end..).and_then(|rest| rest.find(BEGIN)).map_or(END.len(), |at| at + BEGIN.len());
    }
}

#[cfg(test)]
mod tests;
