//! YAML to a tree, over the events of `granit-parser`.
//!
//! Only the first document counts, as in Envoy. What Envoy's loader does in silence is reported: a key written
//! twice (the last one wins) and documents after the first.

use granit_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, StructureStyle};

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::source::{FileId, Span};

use super::builder::{Builder, Parsed};
use super::scalar;
use super::tree::{Node, NodeId, NodeKind};

/// Deepest nesting read. Envoy's own JSON step gives up long before.
pub(crate) const MAX_DEPTH: usize = 250;
/// Aliases may make a document this much larger than it is written, or [`FREE_EXPANSION`] nodes.
const MAX_EXPANSION: u64 = 10;
const FREE_EXPANSION: u64 = 1_000_000;

/// Lines inside quotes that are joined before the parser's word is taken for it.
const MAX_JOINED: usize = 16;

/// Reads the first document of `text`.
pub(crate) fn parse(file: FileId, text: &str) -> Parsed {
    let mut joined: Option<String> = None;
    for _ in 0..MAX_JOINED {
        let text = joined.as_deref().unwrap_or(text);
        let mut reader = read(file, text);
        // Envoy's YAML reader does not care how the lines inside quotes are indented. The line is joined with the
        // one before it, which keeps every byte in its place.
        let Some(at) = reader.outdented.take() else { return reader.finish() };
        let Some(end) = text.get(..at).and_then(|before| before.rfind('\n')) else { return reader.finish() };
        let Some((before, after)) = text.split_at_checked(end) else { return reader.finish() };
        joined = Some([before, " ", after.get(1..).unwrap_or_default()].concat());
    }
    read(file, joined.as_deref().unwrap_or(text)).finish()
}

fn read(file: FileId, text: &str) -> Reader<'_> {
    let builder = Builder::new(file, text.len());
    let mut reader = Reader { text, builder, anchors: Vec::new(), outdented: None };
    reader.run();
    reader
}

/// What an anchor names.
#[derive(Clone, Copy)]
struct Anchored {
    node: NodeId,
    /// `None` while the node is still open: an alias to it would contain itself.
    size: Option<u64>,
}

struct Reader<'s> {
    text: &'s str,
    builder: Builder,
    anchors: Vec<Option<Anchored>>,
    /// Where a line inside quotes begins too far to the left for the parser.
    outdented: Option<usize>,
}

impl Reader<'_> {
    fn run(&mut self) {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        let mut documents = 0_usize;
        while let Some(next) = parser.next_event() {
            match next {
                Err(error) => {
                    // Envoy never looks past the first document, so what follows cannot break it.
                    if documents <= 1 {
                        self.syntax_error(&error);
                    }
                    return;
                }
                Ok((Event::DocumentStart(..), span)) => {
                    documents += 1;
                    if documents == 2 {
                        self.further_document(bytes(&span));
                    }
                }
                Ok((Event::Comment(..), span)) => {
                    let (start, end) = bytes(&span);
                    self.builder.out.comments.push(Span::new(
                        self.builder.out.tree.file,
                        start as usize,
                        end as usize,
                    ));
                }
                Ok((event, span)) if documents <= 1 => self.event(event, &span),
                Ok(_) => {}
            }
        }
    }

    fn event(&mut self, event: Event<'_>, span: &YamlSpan) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().map(granit_parser::Tag::parts);
                self.scalar(&text, style, anchor, tag, span);
            }
            Event::SequenceStart(style, anchor, _) => self.open(NodeKind::List, anchor, style, span),
            Event::MappingStart(style, anchor, _) => self.open(NodeKind::Map, anchor, style, span),
            Event::SequenceEnd | Event::MappingEnd => self.close(bytes(span).1),
            Event::Alias(id) => self.alias(id, bytes(span)),
            Event::UnresolvedAlias(name) => {
                let (start, end) = bytes(span);
                self.builder.out.error(
                    start as usize,
                    end as usize,
                    format!("the alias `*{name}` refers to an anchor that is not defined before it"),
                );
                let id = self.builder.leaf(NodeKind::Null, "", (start, end));
                self.builder.place(id, 1);
            }
            // Stream and document marks carry no node.
            _ => {}
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<(&str, &str)>,
        span: &YamlSpan,
    ) {
        let at = bytes(span);
        self.builder.last_end = self.builder.last_end.max(at.1);
        if self.builder.wants_key() {
            let ignored = tag == Some(("!", "ignore"));
            // To Envoy a key without a text is called so.
            let null = style == ScalarStyle::Plain && tag.is_none() && scalar::is_null(text);
            let key = self.builder.out.tree.store(if null { "null" } else { text });
            if anchor > 0 {
                let id = self.builder.leaf(NodeKind::Quoted, text, at);
                self.anchor(anchor, id, Some(1));
            }
            self.builder.key(key, at, ignored);
            return;
        }
        // The non-specific tag `!` makes any scalar a string.
        let quoted = style != ScalarStyle::Plain || tag == Some(("", "!")) || tag == Some(("!", ""));
        let kind = match quoted {
            true => NodeKind::Quoted,
            false if scalar::is_null(text) => NodeKind::Null,
            false => NodeKind::Plain,
        };
        if !quoted {
            self.tab_after_plain(at.1 as usize);
        }
        let id = self.builder.leaf(kind, text, at);
        if anchor > 0 {
            self.anchor(anchor, id, Some(1));
        }
        self.builder.place(id, 1);
    }

    /// Envoy looks for more of a plain scalar on the next lines, and refuses a tab where it expects indentation,
    /// even on a line that is otherwise blank.
    fn tab_after_plain(&mut self, end: usize) {
        let Some(rest) = self.text.get(end..) else { return };
        if self.builder.in_flow() {
            return;
        }
        let mut at = end;
        for (number, line) in rest.split_inclusive('\n').enumerate() {
            if !line.trim().is_empty() {
                return;
            }
            let tab = line.len() - line.trim_start_matches(' ').len();
            let is_tab = line.as_bytes().get(tab) == Some(&b'\t');
            if number > 0 && is_tab && tab <= self.block_column() {
                let message = "Envoy refuses the tab here: this line may go on with the value above";
                self.builder.out.error(at + tab, at + tab + 1, message);
                return;
            }
            at += line.len();
        }
    }

    /// The column of the innermost block collection.
    fn block_column(&self) -> usize {
        let start = self.builder.start();
        let before = self.text.get(..start).unwrap_or_default();
        start - before.rfind('\n').map_or(0, |line| line + 1)
    }

    fn open(&mut self, kind: NodeKind, anchor: usize, style: StructureStyle, span: &YamlSpan) {
        let start = bytes(span).0 as usize;
        let before = self.text.get(..start).unwrap_or_default();
        let gap = before.trim_end_matches([' ', '\t']).len();
        let tab = before.get(gap..).and_then(|gap| gap.find('\t'));
        if let Some(tab) = tab.filter(|_| kind == NodeKind::Map && style == StructureStyle::Block) {
            let message = "Envoy takes no key after a tab on the same line";
            self.builder.out.error(gap + tab, gap + tab + 1, message);
        }
        let node = self.builder.open(kind, anchor, style == StructureStyle::Flow, bytes(span));
        if anchor > 0 {
            self.anchor(anchor, node, None);
        }
    }

    fn close(&mut self, end: u32) {
        if let Some(closed) = self.builder.close(end)
            && closed.anchor > 0
        {
            self.anchor(closed.anchor, closed.node, Some(closed.size));
        }
    }

    fn alias(&mut self, id: usize, at: (u32, u32)) {
        self.builder.last_end = at.1;
        let anchored = self.anchors.get(id).copied().flatten();
        if self.builder.wants_key() {
            let text = anchored
                .and_then(|anchored| self.builder.out.tree.nodes.get(anchored.node as usize))
                .and_then(|node| self.builder.out.tree.text.get(node.from as usize..node.to as usize))
                .unwrap_or_default()
                .to_owned();
            let key = self.builder.out.tree.store(&text);
            self.builder.key(key, at, false);
            return;
        }
        let (node, size) = match anchored {
            Some(Anchored { node, size: Some(size) }) => {
                (Node { kind: NodeKind::Alias, start: at.0, end: at.1, from: node, to: 0 }, size)
            }
            _ => {
                self.builder.out.error(
                    at.0 as usize,
                    at.1 as usize,
                    "this alias stands inside the block it refers to, so the document has no end",
                );
                (Node { kind: NodeKind::Null, start: at.0, end: at.1, from: 0, to: 0 }, 1)
            }
        };
        let id = self.builder.out.tree.push(node);
        self.builder.place(id, size);
    }

    fn anchor(&mut self, id: usize, node: NodeId, size: Option<u64>) {
        // Ids are handed out one by one; the bound keeps a surprise from asking for memory.
        if id > self.builder.out.tree.nodes.len() + 1 {
            return;
        }
        if self.anchors.len() <= id {
            self.anchors.resize(id + 1, None);
        }
        if let Some(slot) = self.anchors.get_mut(id) {
            *slot = Some(Anchored { node, size });
        }
    }

    fn syntax_error(&mut self, error: &granit_parser::ScanError) {
        let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        if error.info().contains("expected <document start>") && self.builder.out.tree.root.is_some() {
            // Envoy's reader is content with the first value of the file.
            let span = Span::new(self.builder.out.tree.file, at, at);
            let message = "the value above this line ends here; Envoy does not read what follows";
            let diagnostic = Diagnostic::new(RuleId::SyntaxError, Severity::Warning, span, message);
            self.builder.out.diagnostics.push(diagnostic.help("indent the lines above and below alike"));
            return;
        }
        if error.info().contains("indentation in multiline quoted scalar") {
            self.outdented = Some(at);
        }
        let end = self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
        self.builder.out.error(at, end, format!("this is not valid YAML: {}", error.info()));
        self.builder.out.broken = true;
    }

    fn further_document(&mut self, (start, end): (u32, u32)) {
        let span = Span::new(self.builder.out.tree.file, start as usize, end as usize);
        self.builder.out.diagnostics.push(
            Diagnostic::new(
                RuleId::SyntaxError,
                Severity::Warning,
                span,
                "a second YAML document starts here; Envoy reads only the first one of a file",
            )
            .help("put each document into a file of its own"),
        );
    }

    fn finish(mut self) -> Parsed {
        // After an error the frames are still open: what was read so far is kept.
        let end = self.text.len() as u32;
        while self.builder.depth() > 0 {
            self.close(end);
        }
        let written = self.builder.out.tree.nodes.len() as u64;
        if self.builder.root_size > FREE_EXPANSION.max(written.saturating_mul(MAX_EXPANSION)) {
            self.builder.out.diagnostics.push(Diagnostic::new(
                RuleId::SyntaxError,
                Severity::Warning,
                Span::new(self.builder.out.tree.file, 0, 0),
                format!(
                    "aliases make this document {} times larger than it is written; lbcheck does not follow them",
                    self.builder.root_size / written.max(1)
                ),
            ));
            self.builder.out.broken = true;
            for node in &mut self.builder.out.tree.nodes {
                if node.kind == NodeKind::Alias {
                    *node = Node { kind: NodeKind::Null, from: 0, to: 0, ..*node };
                }
            }
        }
        self.builder.out
    }
}

fn bytes(span: &YamlSpan) -> (u32, u32) {
    let range = span.byte_range().unwrap_or_default();
    let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    (clamp(range.start), clamp(range.end))
}
