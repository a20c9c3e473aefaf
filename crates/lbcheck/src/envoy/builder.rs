//! Builds a [`Tree`] from the events of a YAML or JSON reader.

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::source::{FileId, Span};

use super::tree::{Entry, Node, NodeId, NodeKind, Tree};

/// Maps with more keys than this are checked for duplicates by sorting.
const SMALL_MAP: usize = 12;
/// Lists and maps inside each other that Envoy reads, measured on 1.40.
const DEEPEST: usize = 100;

/// A file as read, with what is wrong with its text.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) tree: Tree,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) comments: Vec<Span>,
    /// The structure cannot be trusted.
    pub(crate) broken: bool,
    /// Where keys stand, in order, that their map had already.
    pub(crate) repeated: Vec<(u32, u32)>,
}

impl Parsed {
    pub(crate) fn new(file: FileId) -> Self {
        Self {
            tree: Tree::new(file),
            diagnostics: Vec::new(),
            comments: Vec::new(),
            broken: false,
            repeated: Vec::new(),
        }
    }

    pub(crate) fn error(&mut self, start: usize, end: usize, message: impl Into<String>) {
        let span = Span::new(self.tree.file, start, end);
        self.diagnostics.push(Diagnostic::new(RuleId::SyntaxError, Severity::Error, span, message));
    }
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

/// A tree under construction.
pub(super) struct Builder {
    pub(super) out: Parsed,
    frames: Vec<Frame>,
    items: Vec<NodeId>,
    entries: Vec<Entry>,
    /// Where the last scalar, alias or flow collection ended.
    pub(super) last_end: u32,
    /// Nodes the document stands for, aliases followed.
    pub(super) root_size: u64,
    /// The depth was reported.
    too_deep: bool,
}

/// A list or map that was just closed and now stands where it belongs.
pub(super) struct Closed {
    pub(super) node: NodeId,
    pub(super) anchor: usize,
    pub(super) size: u64,
}

impl Builder {
    pub(super) fn new(file: FileId, bytes: usize) -> Self {
        let mut out = Parsed::new(file);
        // Measured on Envoy configs: about one node for thirteen bytes.
        out.tree.nodes.reserve(bytes / 12);
        out.tree.entries.reserve(bytes / 20);
        out.tree.text.reserve(bytes / 2);
        Self {
            out,
            frames: Vec::new(),
            items: Vec::new(),
            entries: Vec::new(),
            last_end: 0,
            root_size: 0,
            too_deep: false,
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Whether the innermost open collection is in brackets or braces.
    pub(super) fn in_flow(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.flow)
    }

    /// Where the innermost open collection starts.
    pub(super) fn start(&self) -> usize {
        let node = self.frames.last().and_then(|frame| self.out.tree.nodes.get(frame.node as usize));
        node.map_or(0, |node| node.start as usize)
    }

    /// The kind of the innermost open collection.
    pub(super) fn inside(&self) -> Option<NodeKind> {
        self.frames.last().map(|frame| match frame.key {
            KeyState::List => NodeKind::List,
            KeyState::Wanted | KeyState::Have { .. } => NodeKind::Map,
        })
    }

    /// Adds a scalar.
    pub(super) fn leaf(&mut self, kind: NodeKind, text: &str, (start, end): (u32, u32)) -> NodeId {
        let (from, to) = if kind == NodeKind::Null { (0, 0) } else { self.out.tree.store(text) };
        self.out.tree.push(Node { kind, start, end, from, to })
    }

    /// Opens a list or map. In the place of a key it is reported, read and dropped.
    pub(super) fn open(
        &mut self,
        kind: NodeKind,
        anchor: usize,
        flow: bool,
        (start, end): (u32, u32),
    ) -> NodeId {
        let is_key = self.wants_key();
        if is_key {
            self.out.error(start as usize, end as usize, "a list or map cannot be a key: Envoy wants text");
        }
        if self.frames.len() >= DEEPEST && !self.too_deep {
            self.too_deep = true;
            let message =
                format!("lists and maps are nested more than {DEEPEST} deep here; Envoy refuses that");
            self.out.error(start as usize, end as usize, message);
        }
        let node = self.out.tree.push(Node { kind, start, end, from: 0, to: 0 });
        let (start, key) = match kind {
            NodeKind::Map => (self.entries.len(), KeyState::Wanted),
            _ => (self.items.len(), KeyState::List),
        };
        self.frames.push(Frame { node, start, anchor, flow, is_key, size: 1, key });
        node
    }

    /// Closes the innermost collection at `end` and puts it where it belongs. `None` when nothing is open, or
    /// what closes is a key that is no text.
    pub(super) fn close(&mut self, end: u32) -> Option<Closed> {
        let frame = self.frames.pop()?;
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
            return None;
        }
        self.place(frame.node, frame.size);
        Some(Closed { node: frame.node, anchor: frame.anchor, size: frame.size })
    }

    /// Whether the innermost collection is a map that waits for a key.
    pub(super) fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { key: KeyState::Wanted, .. }))
    }

    /// Takes a key for the next value.
    pub(super) fn key(&mut self, key: (u32, u32), key_span: (u32, u32), ignored: bool) {
        if let Some(frame) = self.frames.last_mut() {
            frame.key = KeyState::Have { key, key_span, ignored };
        }
    }

    /// Puts a finished node where it belongs.
    pub(super) fn place(&mut self, id: NodeId, size: u64) {
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
            self.out.repeated.push(last.key_span);
            self.out.diagnostics.push(
                Diagnostic::new(
                    RuleId::DuplicateDefinition,
                    Severity::Warning,
                    place(last),
                    format!("the key `{key}` is written more than once in one map; Envoy uses the last one"),
                )
                .label("this one is used")
                .also(place(first), "this one has no effect")
                .help("keep one of them"),
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
}
