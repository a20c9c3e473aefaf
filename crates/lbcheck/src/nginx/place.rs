//! Which context every directive stands in, and which blocks a snippet belongs in.

use super::directives::{self, Contexts, DATA, H, L, LIF, LMT, M, OTHER, S, T, TS, TU, UP};
use super::syntax::{NodeId, Tree};

/// The contexts a snippet may belong in, outermost first, with the blocks around it.
const CANDIDATES: &[(Contexts, &[&str])] = &[
    (M, &[]),
    (H, &["http"]),
    (T, &["stream"]),
    (S, &["http", "server"]),
    (TS, &["stream", "server"]),
    (L, &["http", "server", "location"]),
    (UP, &["http", "upstream"]),
    (TU, &["stream", "upstream"]),
    (LIF, &["http", "server", "location", "if"]),
    (directives::ML, &["mail"]),
    (directives::MS, &["mail", "server"]),
    (directives::EV, &["events"]),
];

/// The context inside a chain of blocks given by name; `None` where a name opens no block there.
pub(super) fn context_of(blocks: &[String]) -> Option<Contexts> {
    blocks.iter().try_fold(M, |context, name| match directives::inside(name, context) {
        OTHER => None,
        inner => Some(inner),
    })
}

/// The context of every node, given that of the top level.
pub(super) fn contexts(tree: &Tree, top: Contexts) -> Vec<Contexts> {
    let mut contexts: Vec<Contexts> = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        let context = match node.parent {
            None => top,
            Some(parent) => {
                let outer = contexts.get(parent).copied().unwrap_or(OTHER);
                if outer == DATA || outer == OTHER {
                    outer
                } else {
                    directives::inside(tree.name(parent), outer)
                }
            }
        };
        contexts.push(context);
    }
    contexts
}

/// Whether a directive that is known somewhere is refused in a context.
fn misplaced(tree: &Tree, id: NodeId, context: Contexts) -> bool {
    if context == DATA || context == OTHER {
        return false;
    }
    let known = directives::lookup(tree.name(id));
    let Some(node) = tree.nodes.get(id) else { return false };
    // One name in two languages: only in http does the address start with a scheme.
    if tree.name(id) == "proxy_pass" {
        let text = tree.arg(id, 0).unwrap_or_default();
        let http = context & (L | LIF | LMT) != 0 && (text.contains("://") || text.starts_with('$'));
        let stream = context == TS && !text.contains("://");
        return !http && !stream;
    }
    !known.is_empty()
        && !known.iter().any(|entry| entry.contexts & context != 0 && entry.arity.block == node.block)
}

/// The context that fits the file best: the one with the fewest misplaced directives, then the outermost.
///
/// A file that has one of the blocks of a main file is a main file, whatever else is wrong with it.
pub(super) fn infer(tree: &Tree) -> Contexts {
    let mains = ["events", "http", "stream", "mail"];
    if tree.children(None).any(|id| tree.nodes[id].block && mains.contains(&tree.name(id))) {
        return M;
    }
    let mut best = (usize::MAX, M);
    for &(candidate, _) in CANDIDATES {
        let contexts = contexts(tree, candidate);
        let wrong =
            contexts.iter().enumerate().filter(|&(id, &context)| misplaced(tree, id, context)).count();
        if wrong < best.0 {
            best = (wrong, candidate);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_of_blocks() {
        let blocks = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(context_of(&blocks("http server location")), Some(L));
        assert_eq!(context_of(&blocks("stream server")), Some(TS));
        assert_eq!(context_of(&[]), Some(M));
        assert_eq!(context_of(&blocks("server")), None);
        for &(context, names) in CANDIDATES {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(context_of(&names), Some(context));
        }
    }
}
