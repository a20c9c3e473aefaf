//! Blocks whose lines are values: `map`, `split_clients`, `geo`.

use std::collections::BTreeMap;

use super::directives::{Contexts, H, T};
use super::regex;
use super::syntax::{NodeId, Tree, Word};
use super::values;
use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::dialect::Version;
use crate::source::Span;

/// Checks every such block.
pub(super) fn check(tree: &Tree, contexts: &[Contexts], version: Version) -> Vec<Diagnostic> {
    let mut checker = ValueBlockChecker { tree, version, diagnostics: Vec::new() };
    for (id, node) in tree.nodes.iter().enumerate() {
        let outer = contexts.get(id).is_some_and(|&context| context == H || context == T);
        if !node.block || !outer {
            continue;
        }
        match tree.name(id) {
            "map" => checker.map(id),
            "split_clients" => checker.split(id),
            "geo" => checker.geo(id),
            "charset_map" => checker.charset_map(id),
            _ => {}
        }
    }
    checker.diagnostics
}

struct ValueBlockChecker<'a> {
    tree: &'a Tree,
    version: Version,
    diagnostics: Vec<Diagnostic>,
}

impl ValueBlockChecker<'_> {
    fn invalid(&mut self, span: Span, message: String, help: &str) {
        self.diagnostics
            .push(Diagnostic::new(RuleId::InvalidValue, Severity::Error, span, message).help(help));
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
        let mut hostnames = false;
        for line in self.tree.children(Some(id)) {
            let words = self.tree.words(line);
            let key = self.tree.name(line);
            let span = self.tree.header(line);
            // A block in here was reported with the other misplaced ones.
            if self.tree.nodes[line].block {
                continue;
            }
            match (key, words.len()) {
                ("hostnames", 1) => {
                    hostnames = true;
                    continue;
                }
                ("volatile", 1) | ("include", 2) => continue,
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
            if hostnames && values::bad_wildcard(key) && !key.is_empty() {
                let help = "a star stands alone before the first dot or after the last: `*.example.com`";
                self.invalid(span, format!("`{key}` is not a host name"), help);
                continue;
            }
            let key = key.to_ascii_lowercase();
            if let Some(&first) = seen.get(&key) {
                let message = format!("key `{key}` is given twice in this `map`");
                self.diagnostics.push(
                    Diagnostic::new(RuleId::DuplicateDefinition, Severity::Error, span, message)
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
            let Some(share) = values::percent(key) else {
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
                    "make them smaller, or give the rest with `*`",
                );
            }
        }
    }

    fn geo(&mut self, id: NodeId) {
        let args = self.tree.args(id);
        self.defines(id, args.len().saturating_sub(1));
        if let [source, _] = args
            && !self.tree.value(source).starts_with('$')
        {
            let message = format!("`{}` is not a variable", self.tree.value(source));
            self.invalid(source.span, message, "write the variable that holds the address, with its `$`");
        }
        let ranges = self.tree.children(Some(id)).any(|line| self.tree.name(line) == "ranges");
        let mut networks = 0;
        for line in self.tree.children(Some(id)) {
            let (words, key) = (self.tree.words(line), self.tree.name(line));
            let span = self.tree.header(line);
            let network = match (key, words.len()) {
                ("ranges", 1) if networks > 0 => {
                    let help = "move it before the others";
                    self.invalid(span, "`ranges` must be the first line of `geo`".to_owned(), help);
                    continue;
                }
                ("ranges" | "proxy_recursive", 1) => continue,
                ("volatile", 1) if self.version >= VOLATILE_GEO => continue,
                ("default" | "include", 2) => continue,
                ("delete" | "proxy", 2) => words.get(1),
                (_, 2) => {
                    networks += 1;
                    words.first()
                }
                (_, count) => {
                    let message =
                        format!("a line of `geo` has a network and a value, but this one has {count} words");
                    self.invalid(span, message, "write both, with quotes around values that hold blanks");
                    continue;
                }
            };
            let Some(word) = network else { continue };
            let text = self.tree.value(word);
            let ok = if ranges && key != "proxy" { is_range(text) } else { values::is_network(text) };
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

    /// Two codes in hexadecimal digits; in `utf-8` the second has up to four bytes.
    fn charset_map(&mut self, id: NodeId) {
        let utf8 = self.tree.arg(id, 1).is_some_and(|name| name.eq_ignore_ascii_case("utf-8"));
        if let [from, to] = self.tree.values(id).as_slice()
            && from.eq_ignore_ascii_case(to)
        {
            let message = format!("this `charset_map` leads from `{from}` to itself");
            self.invalid(self.tree.header(id), message, "name two character sets");
        }
        for line in self.tree.children(Some(id)) {
            let words: Vec<Word> = self.tree.words(line).to_vec();
            let [from, to] = words.as_slice() else {
                if self.tree.name(line) != "include" {
                    let message = "a line of `charset_map` has two codes".to_owned();
                    self.invalid(self.tree.header(line), message, "write two codes such as `80 E282AC`");
                }
                continue;
            };
            if self.tree.name(line) == "include" {
                continue;
            }
            for (word, most) in [(from, 2), (to, if utf8 { 8 } else { 2 })] {
                let text = self.tree.value(word);
                let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let bent = most > 2 && hex && !begins_a_character(text);
                if text.is_empty() || text.len() > most || !hex || bent {
                    self.invalid(word.span, format!("`{text}` is not a code"), "write hexadecimal digits");
                }
            }
        }
    }
}

/// Whether hexadecimal digits begin with a character in UTF-8, as nginx decodes it.
fn begins_a_character(digits: &str) -> bool {
    let pairs = digits.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| match pair {
            [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
            _ => None,
        })
        .collect();
    let Some(bytes) = bytes else { return false };
    // Halves of UTF-16 pairs, which begin like this, are no characters to Rust, and are to nginx.
    bytes.first() == Some(&0xed)
        || std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to() > 0, |text| !text.is_empty())
}

/// Since when `geo` takes `volatile`.
const VOLATILE_GEO: Version = Version { major: 1, minor: 29, patch: 3 };

fn is_range(text: &str) -> bool {
    text.split_once('-').is_some_and(|(first, last)| match (values::ipv4(first), values::ipv4(last)) {
        (Some(first), Some(last)) => first <= last,
        _ => false,
    })
}
