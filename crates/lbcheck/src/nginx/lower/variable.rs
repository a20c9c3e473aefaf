//! Variables that the configuration itself defines: `set`, `map`, `geo`, `split_clients`.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::nginx::directives::{Contexts, DATA, H, T};
use crate::nginx::syntax::{NodeId, Tree};
use crate::nginx::values;

/// Where a variable gets its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `map SOURCE $name`, `geo`, or a third-party block of that kind.
    Map(NodeId),
    Geo(NodeId),
    Split(NodeId),
    /// `set $name value`.
    Set(NodeId),
    /// By code: `set_by_lua`, `js_set`, `perl_set`, `keyval`, `auth_request_set`.
    Code(NodeId),
}

/// Every definition, by lower-case name without `$`.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    sources: BTreeMap<String, Vec<Source>>,
}

impl Variables {
    /// Notes every definition among `range`.
    pub(super) fn collect(&mut self, tree: &Tree, contexts: &[Contexts], range: Range<NodeId>) {
        for id in range {
            let context = contexts.get(id).copied().unwrap_or(DATA);
            if context == DATA {
                continue;
            }
            let node = tree.nodes[id];
            let outer = context == H || context == T;
            let (argument, source) = match tree.name(id) {
                "map" if node.block && outer => (1, Source::Map(id)),
                "geo" if node.block && outer => (tree.args(id).len().saturating_sub(1), Source::Geo(id)),
                "split_clients" if node.block && outer => (1, Source::Split(id)),
                "set" => (0, Source::Set(id)),
                "js_set" | "perl_set" | "auth_request_set" | "set_by_lua" | "set_by_lua_block"
                | "set_by_lua_file" => (0, Source::Code(id)),
                "keyval" => (1, Source::Code(id)),
                _ => continue,
            };
            if let Some(name) = tree.arg(id, argument).and_then(values::variable) {
                self.sources.entry(name).or_default().push(source);
            }
        }
    }

    /// Every definition of a variable.
    pub(super) fn of(&self, name: &str) -> &[Source] {
        self.sources.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// One line of a `map`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MapLine {
    pub(super) id: NodeId,
    pub(super) key: String,
    pub(super) quoted: bool,
    pub(super) value: String,
}

/// A `map`, its options taken out.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    pub(super) lines: Vec<MapLine>,
    pub(super) default: Option<MapLine>,
    pub(super) hostnames: bool,
}

/// Reads the lines of a `map` or `geo`.
pub(super) fn map(tree: &Tree, id: NodeId) -> Map {
    let mut map = Map::default();
    for line in tree.children(Some(id)) {
        let words = tree.words(line);
        let Some(key) = words.first() else { continue };
        let text = tree.value(key).to_owned();
        match (text.as_str(), words.get(1)) {
            ("hostnames", None) => map.hostnames = true,
            (_, None) | ("include", _) => {}
            (_, Some(value)) => {
                let value = tree.value(value).to_owned();
                let entry = MapLine { id: line, key: text, quoted: key.quoted, value };
                if entry.key == "default" { map.default = Some(entry) } else { map.lines.push(entry) }
            }
        }
    }
    map
}

/// One line of `split_clients`: its share in units of 0.01 % (`None` for the rest) and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) id: NodeId,
    pub(super) share: Option<u64>,
    pub(super) value: String,
}

/// Reads the lines of `split_clients`. `None`: nginx refuses a share.
pub(super) fn split(tree: &Tree, id: NodeId) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for line in tree.children(Some(id)) {
        let words = tree.words(line);
        let (Some(share), Some(value)) = (words.first(), words.get(1)) else { continue };
        let share = match tree.value(share) {
            "*" => None,
            "include" => continue,
            text => Some(values::percent(text)?),
        };
        parts.push(Part { id: line, share, value: tree.value(value).to_owned() });
    }
    Some(parts)
}
