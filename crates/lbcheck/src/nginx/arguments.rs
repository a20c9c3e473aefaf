//! Holds the words of a directive against its [`Grammar`].

use super::grammar::{self, Grammar, Named};
use super::syntax::{NodeId, Tree, Word};
use crate::diagnostic::{Diagnostic, RuleId, Severity, suggest};
use crate::dialect::Version;

/// What nginx refuses about the words of a directive whose place and number of arguments are right.
pub(super) fn check(tree: &Tree, id: NodeId, module: &str, version: Version) -> Vec<Diagnostic> {
    let first = tree.arg(id, 0).unwrap_or_default();
    let fits = |entry: &&Grammar| entry.when.is_empty() || entry.when == first;
    let Some(grammar) = grammar::of(tree.name(id), module).find(fits) else { return Vec::new() };
    let args = tree.args(id);
    if args.len() == 1 && grammar.instead.contains(&first) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, word) in args.iter().enumerate() {
        let refused = match grammar.places.get(at) {
            Some(kind) if kind.fits(tree.value(word)) => None,
            Some(kind) => Some(wrong(tree, id, word, kind.help())),
            None => named(tree, id, word, grammar, version),
        };
        found.extend(refused);
    }
    if args.len() < grammar.places.len() && !grammar.when.is_empty() {
        let message = format!("`{} {first}` needs {} more", tree.name(id), grammar.places.len() - args.len());
        found.push(Diagnostic::new(RuleId::InvalidValue, Severity::Error, tree.header(id), message));
    }
    if let Some(key) = missing(tree, args, grammar) {
        let message = format!("directive `{}` has no `{key}`", tree.name(id));
        found.push(
            Diagnostic::new(RuleId::InvalidValue, Severity::Error, tree.header(id), message)
                .help(format!("add `{key}` and its value")),
        );
    }
    found
}

fn missing(tree: &Tree, args: &[Word], grammar: &Grammar) -> Option<&'static str> {
    let given = |key: &str| args.iter().any(|word| tree.value(word).starts_with(key));
    if args.iter().any(|word| tree.value(word) == "off") {
        return None;
    }
    grammar.needs.iter().copied().find(|key| !given(key))
}

fn wrong(tree: &Tree, id: NodeId, word: &Word, help: String) -> Diagnostic {
    let message = format!("`{}` is not a value that directive `{}` takes", tree.value(word), tree.name(id));
    Diagnostic::new(RuleId::InvalidValue, Severity::Error, word.span, message).help(help)
}

/// Judges a word that stands behind those in fixed places.
fn named(tree: &Tree, id: NodeId, word: &Word, grammar: &Grammar, version: Version) -> Option<Diagnostic> {
    let (text, name) = (tree.value(word), tree.name(id));
    let is_key = |entry: &Named| entry.text.is_empty() || entry.text.ends_with(['=', ':']);
    let fits = |entry: &&Named| if is_key(entry) { text.starts_with(entry.text) } else { text == entry.text };
    let error = |message: String| Diagnostic::new(RuleId::InvalidValue, Severity::Error, word.span, message);
    let Some(entry) = grammar.named.iter().find(fits) else {
        let message = format!("`{text}` is not a parameter of directive `{name}`");
        let known: Vec<&str> =
            grammar.named.iter().filter(|entry| !entry.plus).map(|entry| entry.text).collect();
        // What stands behind the sign is the user's own.
        let key = text.split_inclusive(['=', ':']).next().unwrap_or(text);
        let help = match suggest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "remove it".to_owned(),
            None => format!("its parameters are {}", known.join(", ")),
        };
        return Some(error(message).help(help));
    };
    if entry.plus {
        return None;
    }
    if let Some(since) = entry.since.filter(|&since| version < since) {
        let message =
            format!("nginx {version} has no parameter `{}` of `{name}`: it appeared in {since}", entry.text);
        return Some(error(message).help("upgrade nginx or remove the parameter"));
    }
    let value = text.strip_prefix(entry.text).unwrap_or_default();
    let message = format!("parameter `{text}` of directive `{name}` has an invalid value");
    (is_key(entry) && !entry.value.fits(value)).then(|| error(message).help(entry.value.help()))
}
