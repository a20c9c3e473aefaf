//! One finding with excerpts of the source.
//!
//! The renderer only ever sees a window of lines around the spans: its time grows with the text it is given, and
//! a configuration may be large, or one single line.

use std::ops::Range;

use annotate_snippets::renderer::{DecorStyle, Renderer};
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Snippet};
use lbcheck::diagnostic::{Diagnostic, Label, Severity};
use lbcheck::source::{FileId, SourceFile, Span};

use crate::Style;
use crate::clean::{clean, visible};
use crate::view::View;

/// Labels of one file at most this many lines apart share an excerpt.
const NEAR: u32 = 4;
/// A label over more lines than this is shown by its first line.
const TALL: u32 = 4;
/// A longer line (in bytes) is cut to what surrounds its first label.
const LONG: usize = 1000;
/// What is kept before the first label of a line that is cut.
const LEAD: usize = 40;

pub(super) fn renderer(style: Style) -> Renderer {
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(style.width).decor_style(DecorStyle::Ascii)
}

pub(super) fn push(out: &mut String, view: &View<'_>, renderer: &Renderer, diagnostic: &Diagnostic) {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(view.say(diagnostic, &diagnostic.message)).id(diagnostic.rule.as_str());
    let mut group = Group::with_title(title);
    for cluster in clusters(view, diagnostic) {
        group = group.elements(elements(view, diagnostic, &cluster));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(view.say(diagnostic, help)));
    }
    out.push_str(&renderer.render(&[group]));
    out.push_str("\n\n");
}

/// A label with the lines it is on.
struct Mark<'a> {
    label: &'a Label,
    primary: bool,
    /// The bytes underlined.
    range: Range<usize>,
    first: u32,
    last: u32,
}

/// Labels of one file that are shown in one excerpt.
struct Cluster<'a> {
    file: FileId,
    marks: Vec<Mark<'a>>,
}

/// The labels by file and nearness; the excerpt with the primary label comes first.
fn clusters<'a>(view: &View<'_>, diagnostic: &'a Diagnostic) -> Vec<Cluster<'a>> {
    let mut marks = vec![mark(view, &diagnostic.primary, true)];
    let related = diagnostic.related.iter().filter(|label| {
        // Underlining the same characters twice without a word adds nothing.
        !(label.span == diagnostic.primary.span && label.message.is_empty())
    });
    marks.extend(related.map(|label| mark(view, label, false)));
    marks.sort_by_key(|mark| (mark.label.span.file, mark.first, mark.range.start));

    let mut clusters: Vec<Cluster<'a>> = Vec::new();
    let mut reach = 0;
    for mark in marks {
        let near = mark.first <= reach + NEAR;
        reach = reach.max(mark.last);
        match clusters.last_mut() {
            Some(cluster) if cluster.file == mark.label.span.file && near => cluster.marks.push(mark),
            _ => {
                reach = mark.last;
                clusters.push(Cluster { file: mark.label.span.file, marks: vec![mark] });
            }
        }
    }
    clusters.sort_by_key(|cluster| {
        let has_primary = cluster.marks.iter().any(|mark| mark.primary);
        (!has_primary, cluster.file != diagnostic.primary.span.file)
    });
    clusters
}

fn mark<'a>(view: &View<'_>, label: &'a Label, primary: bool) -> Mark<'a> {
    let file = view.sources().file(label.span.file);
    let (range, first, last) = trimmed(file, label.span);
    Mark { label, primary, range, first, last }
}

/// The bytes to underline: without the line ending, and only the first line of something tall.
fn trimmed(file: &SourceFile, span: Span) -> (Range<usize>, u32, u32) {
    let first = file.position(span.start).line;
    let mut range = span.range();
    let mut last = file.position(span.end).line;
    // A span that ends with a newline ends before the next line, not on it.
    if last > first && file.line_range(last).is_some_and(|line| line.start == range.end) {
        last -= 1;
    }
    if last - first >= TALL {
        last = first;
    }
    if let Some(line) = file.line_range(last) {
        range.end = range.end.min(line.end).max(range.start);
    }
    (range, first, last)
}

fn elements<'a>(view: &View<'a>, diagnostic: &'a Diagnostic, cluster: &Cluster<'a>) -> Vec<Element<'a>> {
    let file = view.sources().file(cluster.file);
    let path = clean(file.path());
    // Nothing to show: a file that could not be read, or an empty one.
    if file.bytes().is_empty() {
        return vec![Origin::path(path).into()];
    }
    let window = Window::new(view, cluster);
    let mut snippet = Snippet::source(window.text.clone()).line_start(window.first as usize);
    for mark in &cluster.marks {
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let label = Some(view.say(diagnostic, &mark.label.message)).filter(|text| !text.is_empty());
        snippet = snippet.annotation(kind.span(window.range(&mark.range)).label(label));
    }
    if !window.cut {
        return vec![snippet.path(path).into()];
    }
    // The renderer would count the column from the cut.
    let head = cluster.marks.iter().find(|mark| mark.primary).or(cluster.marks.first());
    let mut origin = Origin::path(path);
    if let Some(head) = head {
        let position = view.place(head.label.span).start;
        origin = origin.line(position.line as usize).char_column(position.column as usize);
    }
    vec![origin.into(), snippet.into()]
}

/// A few lines of a file as they may be shown, and where each of their characters was in the file.
struct Window {
    text: String,
    first: u32,
    /// Whether a line lost its beginning.
    cut: bool,
    /// Byte offset in the file and in `text` of every character and every line end, ascending in both.
    offsets: Vec<(usize, usize)>,
}

impl Window {
    fn new(view: &View<'_>, cluster: &Cluster<'_>) -> Self {
        let file = view.sources().file(cluster.file);
        let first = cluster.marks.iter().map(|mark| mark.first).min().unwrap_or(1);
        let last = cluster.marks.iter().map(|mark| mark.last).max().unwrap_or(first);
        let mut window = Self { text: String::new(), first, cut: false, offsets: Vec::new() };
        for number in first..=last {
            let Some(line) = file.line_range(number) else { break };
            let shown = window.fit(file.text(), line.clone(), cluster);
            let mut secrets = view.secrets().within(view.sources(), cluster.file, &shown).iter().peekable();
            let text = file.text().get(shown.clone()).unwrap_or_default();
            for (at, letter) in text.char_indices() {
                let at = shown.start + at;
                while secrets.next_if(|secret| secret.end <= at).is_some() {}
                let secret = secrets.peek().is_some_and(|secret| secret.start <= at);
                window.offsets.push((at, window.text.len()));
                window.text.push(match letter {
                    _ if secret => '*',
                    '\t' => letter,
                    _ => visible(letter),
                });
            }
            window.offsets.push((shown.end, window.text.len()));
            window.text.push('\n');
        }
        window
    }

    /// The part of a line to show: all of it, or what surrounds its first label.
    fn fit(&mut self, text: &str, line: Range<usize>, cluster: &Cluster<'_>) -> Range<usize> {
        if line.len() <= LONG {
            return line;
        }
        let on_line = cluster.marks.iter().map(|mark| mark.range.start).filter(|at| line.contains(at));
        let focus = on_line.min().unwrap_or(line.start);
        let mut start = focus.saturating_sub(LEAD).max(line.start);
        let mut end = (start + LONG).min(line.end);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.cut |= start > line.start;
        start..end
    }

    /// The range of `text` that shows `range` of the file.
    fn range(&self, range: &Range<usize>) -> Range<usize> {
        let find = |offset: usize| {
            let index = self.offsets.partition_point(|(at, _)| *at < offset);
            self.offsets.get(index).or(self.offsets.last()).map_or(0, |(_, shown)| *shown)
        };
        let start = find(range.start);
        start..find(range.end).max(start)
    }
}
