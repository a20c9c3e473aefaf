//! The tree that YAML and JSON are read into: flat vectors, byte spans, no recursion.
//!
//! A node is an index. Scalars keep their decoded text in one shared buffer, lists and maps keep ranges of
//! the item and entry vectors. Aliases stay references; [`Value`] follows them, so an aliased block costs
//! nothing until it is looked at.

use std::ops::Range;

use crate::source::{FileId, Span};

use super::scalar::{self, Scalar};

/// Index of a node in a [`Tree`].
pub(crate) type NodeId = u32;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// Nothing written, `~` or `null`.
    Null,
    /// A scalar whose text decides its type.
    Plain,
    /// A scalar that is a string whatever its text.
    Quoted,
    /// A list.
    List,
    /// A map.
    Map,
    /// A reference to an earlier node.
    Alias,
}

/// One node. What `from` and `to` index depends on the kind: the text buffer, the items or the entries; an
/// alias has its target in `from`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// One key with its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Range of the decoded key in the text buffer.
    pub(crate) key: (u32, u32),
    /// Range of the key in the file.
    pub(crate) key_span: (u32, u32),
    pub(crate) value: NodeId,
}

/// A whole document.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) file: FileId,
    pub(crate) nodes: Vec<Node>,
    pub(crate) items: Vec<NodeId>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) text: String,
    /// The document's outermost node; `None` when there is no document.
    pub(crate) root: Option<NodeId>,
}

const NOTHING: Node = Node { kind: NodeKind::Null, start: 0, end: 0, from: 0, to: 0 };

impl Tree {
    pub(crate) fn new(file: FileId) -> Self {
        Self {
            file,
            nodes: Vec::new(),
            items: Vec::new(),
            entries: Vec::new(),
            text: String::new(),
            root: None,
        }
    }

    /// The outermost value.
    pub(crate) fn root(&self) -> Option<Value<'_>> {
        self.root.map(|id| Value::new(self, id))
    }

    /// Adds a node and gives its index.
    pub(crate) fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() as NodeId - 1
    }

    /// Stores decoded text and gives its range.
    pub(crate) fn store(&mut self, text: &str) -> (u32, u32) {
        let from = self.text.len() as u32;
        self.text.push_str(text);
        (from, self.text.len() as u32)
    }

    fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id as usize).copied().unwrap_or(NOTHING)
    }

    fn text_at(&self, (from, to): (u32, u32)) -> &str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }
}

fn range(node: Node) -> Range<usize> {
    node.from as usize..node.to as usize
}

/// A node with its tree; aliases are already followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'t> {
    tree: &'t Tree,
    node: Node,
}

/// A key with its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'t> {
    pub(crate) key: &'t str,
    pub(crate) key_span: Span,
    pub(crate) value: Value<'t>,
}

impl Field<'_> {
    /// Key and value.
    pub(crate) fn span(&self) -> Span {
        self.key_span.to(self.value.span())
    }
}

impl<'t> Value<'t> {
    pub(crate) fn new(tree: &'t Tree, id: NodeId) -> Self {
        let mut node = tree.node(id);
        // The readers never let an alias point at another alias, so one step is enough.
        if node.kind == NodeKind::Alias {
            node = tree.node(node.from);
        }
        Self { tree, node }
    }

    pub(crate) fn span(&self) -> Span {
        Span::new(self.tree.file, self.node.start as usize, self.node.end as usize)
    }

    pub(crate) fn is_null(&self) -> bool {
        self.node.kind == NodeKind::Null
    }

    pub(crate) fn is_map(&self) -> bool {
        self.node.kind == NodeKind::Map
    }

    pub(crate) fn is_list(&self) -> bool {
        self.node.kind == NodeKind::List
    }

    /// The decoded text of a scalar, whatever its type; empty for anything else.
    pub(crate) fn text(&self) -> &'t str {
        match self.node.kind {
            NodeKind::Plain | NodeKind::Quoted => self.tree.text_at((self.node.from, self.node.to)),
            NodeKind::Null | NodeKind::List | NodeKind::Map | NodeKind::Alias => "",
        }
    }

    /// The scalar as Envoy's loader types it; `None` for lists and maps.
    pub(crate) fn scalar(&self) -> Option<Scalar<'t>> {
        match self.node.kind {
            NodeKind::Null => Some(Scalar::Null),
            NodeKind::Plain => Some(scalar::typed(self.text())),
            NodeKind::Quoted => Some(Scalar::Text(self.text())),
            NodeKind::List | NodeKind::Map | NodeKind::Alias => None,
        }
    }

    /// The entries of a map; nothing for anything else.
    pub(crate) fn fields(self) -> impl Iterator<Item = Field<'t>> {
        let entries: &'t [Entry] = match self.node.kind {
            NodeKind::Map => self.tree.entries.get(range(self.node)).unwrap_or_default(),
            _ => &[],
        };
        let tree = self.tree;
        entries.iter().map(move |entry| Field {
            key: tree.text_at(entry.key),
            key_span: Span::new(tree.file, entry.key_span.0 as usize, entry.key_span.1 as usize),
            value: Value::new(tree, entry.value),
        })
    }

    /// The items of a list, or the one value itself: protobuf's JSON reader takes a bare value for a repeated
    /// field, and reads a list inside the list as if its items stood in the outer one. Nothing for null.
    pub(crate) fn items(self) -> Items<'t> {
        let bare = (!matches!(self.node.kind, NodeKind::List | NodeKind::Null)).then_some(self);
        Items { tree: self.tree, inner: self.item_ids().iter(), outer: Vec::new(), bare }
    }

    fn item_ids(self) -> &'t [NodeId] {
        match self.node.kind {
            NodeKind::List => self.tree.items.get(range(self.node)).unwrap_or_default(),
            _ => &[],
        }
    }

    /// How many items or entries a list or map has.
    pub(crate) fn len(&self) -> usize {
        match self.node.kind {
            NodeKind::List | NodeKind::Map => range(self.node).len(),
            NodeKind::Null | NodeKind::Plain | NodeKind::Quoted | NodeKind::Alias => 0,
        }
    }
}

/// The items of a list, see [`Value::items`].
#[derive(Debug)]
pub(crate) struct Items<'t> {
    tree: &'t Tree,
    inner: std::slice::Iter<'t, NodeId>,
    /// The lists around the innermost one.
    outer: Vec<std::slice::Iter<'t, NodeId>>,
    bare: Option<Value<'t>>,
}

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        if let Some(bare) = self.bare.take() {
            return Some(bare);
        }
        loop {
            let Some(&id) = self.inner.next() else {
                self.inner = self.outer.pop()?;
                continue;
            };
            let item = Value::new(self.tree, id);
            if !item.is_list() {
                return Some(item);
            }
            self.outer.push(std::mem::replace(&mut self.inner, item.item_ids().iter()));
        }
    }
}
