//! Blocks whose lines are values: `map`, `split_clients`, `geo`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::directives::{Contexts, H, T};
use super::lower::percent;
use super::regex;
use super::syntax::{NodeId, Tree};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

/// Checks every such block.
pub(super) fn check(tree: &Tree, contexts: &[Contexts]) -> Vec<Diagnostic> {
    let mut checker = Checker { tree, diagnostics: Vec::new() };
    for (id, node) in tree.nodes.iter().enumerate() {
        let outer = contexts.get(id).is_some_and(|&context| context == H || context == T);
        if !node.block || !outer {
            continue;
        }
        match tree.name(id) {
            "map" => checker.map(id),
            "split_clients" => checker.split(id),
            "geo" => checker.geo(id),
            _ => {}
        }
    }
    checker.diagnostics
}

struct Checker<'a> {
    tree: &'a Tree,
    diagnostics: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn invalid(&mut self, span: Span, message: String, help: &str) {
        self.diagnostics.push(Diagnostic::new("invalid-value", Severity::Error, span, message).help(help));
    }

    /// The variable a block defines must be one.
    fn defines(&mut self, id: NodeId, index: usize) {
        let Some(word) = self.tree.args(id).get(index) else { return };
        let text = self.tree.value(word);
        if !text.starts_with('$') || text.len() < 2 {
            let message = format!("`{text}` is not a variable");
            self.invalid(word.span, message, "write the variable that is to be set, with its `$`");
        }
    }

    fn map(&mut self, id: NodeId) {
        self.defines(id, 1);
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for line in self.tree.children(Some(id)) {
            let words = self.tree.words(line);
            let key = self.tree.name(line);
            let span = self.tree.header(line);
            // A block in here was reported with the other misplaced ones.
            if self.tree.nodes[line].block {
                continue;
            }
            match (key, words.len()) {
                ("hostnames" | "volatile", 1) | ("include", 2) => continue,
                (_, 2) => {}
                _ => {
                    let message = format!(
                        "a line of `map` has a key and a value, but this one has {} words",
                        words.len()
                    );
                    self.invalid(span, message, "quote values that hold blanks");
                    continue;
                }
            }
            // Expressions may be repeated; the first that matches counts.
            if let Some(pattern) = key.strip_prefix("~*").or(key.strip_prefix('~')) {
                if let (Some(fault), Some(word)) = (regex::fault(pattern), words.first()) {
                    self.invalid(word.span, format!("regular expression `{pattern}` {fault}"), "");
                }
                continue;
            }
            let key = key.to_ascii_lowercase();
            if let Some(&first) = seen.get(&key) {
                let message = format!("key `{key}` is given twice in this `map`");
                self.diagnostics.push(
                    Diagnostic::new("duplicate-definition", Severity::Error, span, message)
                        .also(first, "first given here")
                        .help("remove one of the two lines"),
                );
                continue;
            }
            seen.insert(key, span);
        }
    }

    fn split(&mut self, id: NodeId) {
        self.defines(id, 1);
        // A `*` takes all that is left, so nothing may follow it.
        let mut total = 0;
        for line in self.tree.children(Some(id)) {
            let span = self.tree.header(line);
            let words = self.tree.words(line);
            let key = self.tree.name(line);
            match key {
                "*" => {
                    total = total.max(10_000);
                    continue;
                }
                "include" => continue,
                _ => {}
            }
            let Some(share) = percent(key) else {
                let span = words.first().map_or(span, |word| word.span);
                let message = format!("`{key}` is not a share of `split_clients`");
                self.invalid(span, message, "write more than 0% and at most 100%, with up to two decimals");
                continue;
            };
            let before = total;
            total += share;
            if before <= 10_000 && total > 10_000 {
                self.invalid(
                    span,
                    "the shares of this `split_clients` add up to more than 100%".to_owned(),
                    "",
                );
            }
        }
    }

    fn geo(&mut self, id: NodeId) {
        self.defines(id, self.tree.args(id).len().saturating_sub(1));
        let ranges = self.tree.children(Some(id)).any(|line| self.tree.name(line) == "ranges");
        for line in self.tree.children(Some(id)) {
            let (words, key) = (self.tree.words(line), self.tree.name(line));
            let network = match (key, words.len()) {
                ("ranges" | "proxy_recursive" | "volatile", 1) | ("default" | "include", _) => continue,
                ("delete" | "proxy", 2) => words.get(1),
                _ => words.first(),
            };
            let Some(word) = network else { continue };
            let text = self.tree.value(word);
            let ok = if ranges && key != "proxy" { is_range(text) } else { is_network(text) };
            if !ok {
                let (what, help) = if ranges && key != "proxy" {
                    ("range", "write two addresses with a `-` between them, as `ranges` asks for")
                } else {
                    ("network", "write an address, or a network such as `10.0.0.0/8`")
                };
                self.invalid(word.span, format!("`{text}` is not a {what}"), help);
            }
        }
    }
}

/// An address, or a network in CIDR notation.
pub(super) fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(ip) = address.parse::<IpAddr>() else { return false };
    let most = if ip.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

fn is_range(text: &str) -> bool {
    text.split_once('-').is_some_and(|(first, last)| {
        match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
            (Ok(first), Ok(last)) => first.is_ipv4() == last.is_ipv4() && first <= last,
            _ => false,
        }
    })
}
