//! YAML to [`Tree`], over the events of `granit-parser`.
//!
//! Only the first document counts, as in Envoy. What Envoy's loader does in silence is reported: a key written
//! twice (the last one wins) and documents after the first.

use granit_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, StructureStyle};

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{FileId, Span};

use super::scalar;
use super::tree::{Entry, Kind, Node, NodeId, Tree};

/// Deepest nesting read. Envoy's own JSON step gives up long before.
pub(crate) const MAX_DEPTH: usize = 250;
/// Aliases may make a document this much larger than it is written, or [`FREE_EXPANSION`] nodes.
const MAX_EXPANSION: u64 = 10;
const FREE_EXPANSION: u64 = 1_000_000;
/// Maps with more keys than this are checked for duplicates by sorting.
const SMALL_MAP: usize = 12;

/// A file as read, with what is wrong with its text.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) tree: Tree,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) comments: Vec<Span>,
    /// The structure cannot be trusted.
    pub(crate) broken: bool,
}

impl Parsed {
    pub(crate) fn new(file: FileId) -> Self {
        Self { tree: Tree::new(file), diagnostics: Vec::new(), comments: Vec::new(), broken: false }
    }

    pub(crate) fn error(&mut self, start: usize, end: usize, message: impl Into<String>) {
        let span = Span::new(self.tree.file, start, end);
        self.diagnostics.push(Diagnostic::new("syntax-error", Severity::Error, span, message));
    }
}

/// Reads the first document of `text`.
pub(crate) fn parse(file: FileId, text: &str) -> Parsed {
    let mut builder = Builder::new(file, text);
    builder.run();
    builder.finish()
}

/// A list or map that is still open.
struct Frame {
    node: NodeId,
    /// Where its children start in the pending stacks.
    start: usize,
    anchor: usize,
    flow: bool,
    /// It stands in the place of a key, which Envoy refuses; it is read and dropped.
    is_key: bool,
    /// Nodes it stands for, aliases followed.
    size: u64,
    key: KeyState,
}

#[derive(Clone, Copy)]
enum KeyState {
    /// A list: there are no keys.
    List,
    /// A map waits for a key.
    Wanted,
    /// A map has a key and waits for its value.
    Have { key: (u32, u32), key_span: (u32, u32), ignored: bool },
}

/// What an anchor names.
#[derive(Clone, Copy)]
struct Anchored {
    node: NodeId,
    /// `None` while the node is still open: an alias to it would contain itself.
    size: Option<u64>,
}

struct Builder<'s> {
    text: &'s str,
    out: Parsed,
    frames: Vec<Frame>,
    items: Vec<NodeId>,
    entries: Vec<Entry>,
    anchors: Vec<Option<Anchored>>,
    /// Where the last scalar, alias or flow collection ended.
    last_end: u32,
    root_size: u64,
}

impl<'s> Builder<'s> {
    fn new(file: FileId, text: &'s str) -> Self {
        let mut out = Parsed::new(file);
        // Measured on Envoy configs: about one node for thirteen bytes.
        out.tree.nodes.reserve(text.len() / 12);
        out.tree.entries.reserve(text.len() / 20);
        out.tree.text.reserve(text.len() / 2);
        Self {
            text,
            out,
            frames: Vec::new(),
            items: Vec::new(),
            entries: Vec::new(),
            anchors: Vec::new(),
            last_end: 0,
            root_size: 0,
        }
    }

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
                    self.out.comments.push(Span::new(self.out.tree.file, start as usize, end as usize));
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
            Event::SequenceStart(style, anchor, _) => self.open(Kind::List, anchor, style, span),
            Event::MappingStart(style, anchor, _) => self.open(Kind::Map, anchor, style, span),
            Event::SequenceEnd | Event::MappingEnd => self.close(bytes(span).1),
            Event::Alias(id) => self.alias(id, bytes(span)),
            Event::UnresolvedAlias(name) => {
                let (start, end) = bytes(span);
                self.out.error(
                    start as usize,
                    end as usize,
                    format!("The alias `*{name}` refers to an anchor that is not defined before it."),
                );
                let id = self.leaf(Kind::Null, "", (start, end));
                self.place(id, 1);
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
        self.last_end = self.last_end.max(at.1);
        if self.wants_key() {
            let ignored = tag == Some(("!", "ignore"));
            let key = self.out.tree.store(text);
            if anchor > 0 {
                let id = self.leaf(Kind::Quoted, text, at);
                self.anchor(anchor, id, Some(1));
            }
            self.key(key, at, ignored);
            return;
        }
        // The non-specific tag `!` makes any scalar a string.
        let quoted = style != ScalarStyle::Plain || tag == Some(("", "!")) || tag == Some(("!", ""));
        let kind = match quoted {
            true => Kind::Quoted,
            false if scalar::is_null(text) => Kind::Null,
            false => Kind::Plain,
        };
        let id = self.leaf(kind, text, at);
        if anchor > 0 {
            self.anchor(anchor, id, Some(1));
        }
        self.place(id, 1);
    }

    fn leaf(&mut self, kind: Kind, text: &str, (start, end): (u32, u32)) -> NodeId {
        let (from, to) = if kind == Kind::Null { (0, 0) } else { self.out.tree.store(text) };
        self.out.tree.push(Node { kind, start, end, from, to })
    }

    fn open(&mut self, kind: Kind, anchor: usize, style: StructureStyle, span: &YamlSpan) {
        let (start, end) = bytes(span);
        if self.wants_key() {
            self.out.error(start as usize, end as usize, "A list or map cannot be a key: Envoy wants text.");
            let id = self.out.tree.push(Node { kind, start, end, from: 0, to: 0 });
            self.push_frame(kind, id, 0, style);
            if let Some(frame) = self.frames.last_mut() {
                frame.is_key = true;
            }
            return;
        }
        let id = self.out.tree.push(Node { kind, start, end, from: 0, to: 0 });
        if anchor > 0 {
            self.anchor(anchor, id, None);
        }
        self.push_frame(kind, id, anchor, style);
    }

    fn push_frame(&mut self, kind: Kind, node: NodeId, anchor: usize, style: StructureStyle) {
        let (start, key) = match kind {
            Kind::Map => (self.entries.len(), KeyState::Wanted),
            _ => (self.items.len(), KeyState::List),
        };
        let flow = style == StructureStyle::Flow;
        self.frames.push(Frame { node, start, anchor, flow, is_key: false, size: 1, key });
    }

    fn close(&mut self, end: u32) {
        let Some(frame) = self.frames.pop() else { return };
        let tree = &mut self.out.tree;
        let (from, to) = match frame.key {
            KeyState::List => {
                let from = tree.items.len();
                tree.items.extend(self.items.drain(frame.start..));
                (from, tree.items.len())
            }
            KeyState::Wanted | KeyState::Have { .. } => {
                self.drop_duplicates(frame.start);
                let tree = &mut self.out.tree;
                let from = tree.entries.len();
                tree.entries.extend(self.entries.drain(frame.start..));
                (from, tree.entries.len())
            }
        };
        // A block collection's own end runs on to the next token.
        let end = if frame.flow { end } else { self.last_end };
        self.last_end = end;
        if let Some(node) = self.out.tree.nodes.get_mut(frame.node as usize) {
            (node.from, node.to, node.end) = (from as u32, to as u32, end.max(node.start));
        }
        if frame.is_key {
            if let Some(parent) = self.frames.last_mut() {
                let key_span = (end, end);
                parent.key = KeyState::Have { key: (0, 0), key_span, ignored: true };
            }
            return;
        }
        if frame.anchor > 0 {
            self.anchor(frame.anchor, frame.node, Some(frame.size));
        }
        self.place(frame.node, frame.size);
    }

    fn alias(&mut self, id: usize, at: (u32, u32)) {
        self.last_end = at.1;
        let anchored = self.anchors.get(id).copied().flatten();
        if self.wants_key() {
            let text = anchored
                .and_then(|anchored| self.out.tree.nodes.get(anchored.node as usize))
                .and_then(|node| self.out.tree.text.get(node.from as usize..node.to as usize))
                .unwrap_or_default()
                .to_owned();
            let key = self.out.tree.store(&text);
            self.key(key, at, false);
            return;
        }
        let (node, size) = match anchored {
            Some(Anchored { node, size: Some(size) }) => {
                (Node { kind: Kind::Alias, start: at.0, end: at.1, from: node, to: 0 }, size)
            }
            _ => {
                self.out.error(
                    at.0 as usize,
                    at.1 as usize,
                    "This alias stands inside the block it refers to, so the document has no end.",
                );
                (Node { kind: Kind::Null, start: at.0, end: at.1, from: 0, to: 0 }, 1)
            }
        };
        let id = self.out.tree.push(node);
        self.place(id, size);
    }

    fn anchor(&mut self, id: usize, node: NodeId, size: Option<u64>) {
        // Ids are handed out one by one; the bound keeps a surprise from asking for memory.
        if id > self.out.tree.nodes.len() + 1 {
            return;
        }
        if self.anchors.len() <= id {
            self.anchors.resize(id + 1, None);
        }
        if let Some(slot) = self.anchors.get_mut(id) {
            *slot = Some(Anchored { node, size });
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { key: KeyState::Wanted, .. }))
    }

    fn key(&mut self, key: (u32, u32), key_span: (u32, u32), ignored: bool) {
        if let Some(frame) = self.frames.last_mut() {
            frame.key = KeyState::Have { key, key_span, ignored };
        }
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, id: NodeId, size: u64) {
        let Some(frame) = self.frames.last_mut() else {
            self.out.tree.root = Some(id);
            self.root_size = size;
            return;
        };
        frame.size = frame.size.saturating_add(size);
        match frame.key {
            KeyState::List => self.items.push(id),
            KeyState::Wanted => {}
            KeyState::Have { key, key_span, ignored } => {
                frame.key = KeyState::Wanted;
                if !ignored {
                    self.entries.push(Entry { key, key_span, value: id });
                }
            }
        }
    }

    /// Of several entries with one key only the last stays, as in Envoy, and each loss is reported.
    fn drop_duplicates(&mut self, start: usize) {
        let entries = self.entries.get(start..).unwrap_or_default();
        let text = |entry: &Entry| self.out.tree.text.get(entry.key.0 as usize..entry.key.1 as usize);
        let mut lost: Vec<(usize, usize)> = Vec::new();
        if entries.len() <= SMALL_MAP {
            for (index, entry) in entries.iter().enumerate() {
                let later = entries.iter().enumerate().skip(index + 1);
                if let Some((winner, _)) = later.rev().find(|(_, other)| text(other) == text(entry)) {
                    lost.push((index, winner));
                }
            }
        } else {
            let mut order: Vec<usize> = (0..entries.len()).collect();
            order.sort_by_key(|&index| (entries.get(index).and_then(text), index));
            let mut winner = None;
            for &index in order.iter().rev() {
                let key = entries.get(index).and_then(text);
                match winner {
                    Some((last, last_key)) if last_key == key => lost.push((index, last)),
                    _ => winner = Some((index, key)),
                }
            }
            lost.sort_unstable();
        }
        if lost.is_empty() {
            return;
        }
        let file = self.out.tree.file;
        let place = |entry: &Entry| Span::new(file, entry.key_span.0 as usize, entry.key_span.1 as usize);
        for &(index, winner) in &lost {
            let (Some(first), Some(last)) = (entries.get(index), entries.get(winner)) else { continue };
            let key = text(first).unwrap_or_default();
            self.out.diagnostics.push(
                Diagnostic::new(
                    "duplicate-definition",
                    Severity::Warning,
                    place(last),
                    format!("The key `{key}` is written more than once in one map; Envoy uses the last one."),
                )
                .label("this one is used")
                .also(place(first), "this one has no effect")
                .help("Keep one of them."),
            );
        }
        let mut dead = lost.iter().map(|&(index, _)| start + index).peekable();
        let mut kept = Vec::with_capacity(self.entries.len() - start);
        for (index, entry) in (start..).zip(self.entries.drain(start..)) {
            if dead.next_if_eq(&index).is_none() {
                kept.push(entry);
            }
        }
        self.entries.extend(kept);
    }

    fn syntax_error(&mut self, error: &granit_parser::ScanError) {
        let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        let end = self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
        self.out.error(at, end, format!("This is not valid YAML: {}.", error.info()));
        self.out.broken = true;
    }

    fn further_document(&mut self, (start, end): (u32, u32)) {
        let span = Span::new(self.out.tree.file, start as usize, end as usize);
        self.out.diagnostics.push(
            Diagnostic::new(
                "syntax-error",
                Severity::Warning,
                span,
                "A second YAML document starts here; Envoy reads only the first one of a file.",
            )
            .help("Put each document into a file of its own."),
        );
    }

    fn finish(mut self) -> Parsed {
        // After an error the frames are still open: what was read so far is kept.
        let end = self.text.len() as u32;
        while !self.frames.is_empty() {
            self.close(end);
        }
        let written = self.out.tree.nodes.len() as u64;
        if self.root_size > FREE_EXPANSION.max(written.saturating_mul(MAX_EXPANSION)) {
            self.out.diagnostics.push(Diagnostic::new(
                "syntax-error",
                Severity::Warning,
                Span::new(self.out.tree.file, 0, 0),
                format!(
                    "Aliases make this document {} times larger than it is written; lbcheck does not follow them.",
                    self.root_size / written.max(1)
                ),
            ));
            self.out.broken = true;
            for node in &mut self.out.tree.nodes {
                if node.kind == Kind::Alias {
                    *node = Node { kind: Kind::Null, from: 0, to: 0, ..*node };
                }
            }
        }
        self.out
    }
}

fn bytes(span: &YamlSpan) -> (u32, u32) {
    let range = span.byte_range().unwrap_or_default();
    let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    (clamp(range.start), clamp(range.end))
}
