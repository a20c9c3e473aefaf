//! Edits that change nothing, each kind with its reason.

use std::collections::BTreeMap;

use lbcheck::dialect::Dialect;

/// Why an edit has no effect; `None`: nobody knows.
pub(super) fn reason(dialect: Dialect, old: &str, new: &str) -> Option<&'static str> {
    let words = |text: &str| -> Vec<String> { text.lines().flat_map(bare).map(str::to_owned).collect() };
    if words(old) == words(new) {
        return Some("only blanks and comments differ");
    }
    match dialect {
        Dialect::HaProxy if nameless(old) == nameless(new) && !old.contains(" from ") => {
            Some("the name of a `defaults` section that no section refers to")
        }
        Dialect::HaProxy if sections(old) == sections(new) => {
            Some("lines of one section whose order among each other does not count")
        }
        Dialect::Nginx if blocks(old) == blocks(new) => {
            Some("directives of one block whose order among each other does not count")
        }
        _ => None,
    }
}

/// The words of a line without its comment.
fn bare(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace().take_while(|word| !word.starts_with('#'))
}

/// The text with no names of `defaults` sections.
fn nameless(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let words: Vec<&str> = bare(line).collect();
        if words.first() == Some(&"defaults") { "defaults".to_owned() } else { words.join(" ") }
    };
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Whether the order of servers decides where requests go.
fn servers_in_order(text: &str) -> bool {
    let plain = ["roundrobin", "static-rr", "leastconn"];
    let balances = text.lines().filter(|line| bare(line).next() == Some("balance"));
    // What servers inherit is what stands before them.
    let firsts: Vec<&str> = text.lines().filter_map(|line| bare(line).next()).collect();
    firsts.windows(2).any(|pair| pair == ["server", "default-server"])
        || balances.into_iter().any(|line| !bare(line).nth(1).is_some_and(|word| plain.contains(&word)))
}

/// The statements of each block by their first word, in order: what differs in anything else is the same.
type Statements = BTreeMap<(String, String), Vec<String>>;

/// Lines of HAProxy that run one after the other though their keywords differ.
const TOGETHER: &[(&str, &str)] = &[("redirect", "http-request")];

fn sections(text: &str) -> Statements {
    const HEADS: &[&str] =
        &["global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "userlist"];
    let mut all = Statements::new();
    let mut section = String::new();
    let ordered = servers_in_order(text);
    for (index, line) in text.lines().enumerate() {
        let words: Vec<&str> = bare(line).collect();
        let Some(first) = words.first() else { continue };
        if HEADS.contains(first) {
            // Where sections stand among each other decides who inherits from whom.
            section = format!("{:04} {}", all.len().min(index), words.join(" "));
        }
        // Each of these is a setting of its own.
        let alone = matches!(*first, "timeout" | "option") || (*first == "server" && !ordered);
        let second = words.get(1).filter(|_| alone).copied().unwrap_or_default();
        let group = TOGETHER.iter().find(|(word, _)| word == first).map_or(*first, |(_, with)| with);
        // In a conditional block everything stays in order.
        let group = if first.starts_with('.') || text.contains(".if") { "" } else { group };
        all.entry((section.clone(), format!("{group} {second}"))).or_default().push(words.join(" "));
    }
    all
}

fn blocks(text: &str) -> Statements {
    let mut all = Statements::new();
    let mut path: Vec<String> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let plain: String = text.lines().map(|line| bare(line).collect::<Vec<_>>().join(" ") + "\n").collect();
    let spaced = plain.replace(';', " ; ").replace('{', " { ").replace('}', " } ");
    for word in spaced.split_whitespace() {
        match word {
            ";" | "{" => {
                let first = words.first().cloned().unwrap_or_default();
                // Rewrites run in order whatever they are called.
                let group = match first.as_str() {
                    "if" | "set" | "rewrite" | "return" | "break" => "rewrite".to_owned(),
                    "allow" | "deny" => "access".to_owned(),
                    _ => first,
                };
                all.entry((path.join(" / "), group)).or_default().push(words.join(" "));
                if word == "{" {
                    path.push(words.join(" "));
                }
                words.clear();
            }
            "}" => {
                path.pop();
            }
            _ => words.push(word.to_owned()),
        }
    }
    all
}
