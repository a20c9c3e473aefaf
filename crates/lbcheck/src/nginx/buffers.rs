//! Sizes of buffers that must fit each other once inheritance is settled.
//!
//! The checks and their order are those nginx makes when it merges the settings of a server or location; the
//! defaults are those of machines with pages of 4k.

use std::collections::BTreeMap;

use super::directives::{Contexts, Directive, H, L, LIF, LMT, S};
use super::syntax::{NodeId, Tree};
use super::values;
use crate::diagnostic::{Diagnostic, RuleId, Severity};

/// The modules that keep such buffers.
const FAMILIES: &[&str] = &["fastcgi", "proxy", "scgi", "uwsgi"];

/// The directives, without what their names begin with.
const PARTS: &[&str] =
    &["_buffer_size", "_buffers", "_busy_buffers_size", "_temp_file_write_size", "_max_temp_file_size"];

const PAGE: u64 = 4096;

/// How far outwards a setting is looked for.
const MAX_DEPTH: usize = 64;

/// Checks every block that sets one of the sizes.
pub(super) fn check(
    tree: &Tree,
    contexts: &[Contexts],
    directives: &[Option<&'static Directive>],
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for &family in FAMILIES {
        found.append(&mut family_check(tree, contexts, directives, family));
    }
    found
}

/// Blocks, and for each the lines that set its parts.
type Blocks = BTreeMap<Option<NodeId>, [Option<NodeId>; 5]>;

fn family_check(
    tree: &Tree,
    contexts: &[Contexts],
    directives: &[Option<&'static Directive>],
    family: &str,
) -> Vec<Diagnostic> {
    let mut blocks: Blocks = BTreeMap::new();
    let mut server = false;
    for (id, node) in tree.nodes.iter().enumerate() {
        let Some(Some(_)) = directives.get(id) else { continue };
        let context = contexts.get(id).copied().unwrap_or_default();
        server |= context & S != 0 || context & H != 0 && node.block && tree.name(id) == "server";
        let part = tree.name(id).strip_prefix(family);
        let part = part.and_then(|part| PARTS.iter().position(|known| *known == part));
        if let Some(part) = part
            && context & (H | S | L | LIF | LMT) != 0
            && let Some(slot) = blocks.entry(node.parent).or_default().get_mut(part)
        {
            *slot = Some(id);
        }
    }
    let mut found = Vec::new();
    for &block in blocks.keys() {
        // What stands in `http` counts once there is a server.
        let inner =
            block.and_then(|block| contexts.get(block)).is_some_and(|context| context & (H | S | L) != 0);
        if inner || server {
            found.extend(block_check(tree, family, &blocks, block));
        }
    }
    found
}

fn block_check(tree: &Tree, family: &str, blocks: &Blocks, block: Option<NodeId>) -> Option<Diagnostic> {
    let mut lines: [Option<NodeId>; 5] = [None; 5];
    let mut at = block;
    for _ in 0..MAX_DEPTH {
        if let Some(own) = blocks.get(&at) {
            for (line, own) in lines.iter_mut().zip(own) {
                *line = line.or(*own);
            }
        }
        let Some(inner) = at else { break };
        at = tree.nodes.get(inner).and_then(|node| node.parent);
    }
    let size = |part: usize, word: usize| {
        let line = lines.get(part).copied().flatten()?;
        values::size(tree.arg(line, word).unwrap_or_default(), true)
    };
    let (number, each) = match lines.get(1).copied().flatten() {
        Some(line) => {
            let number = values::number(tree.arg(line, 0).unwrap_or_default())?;
            (number, values::size(tree.arg(line, 1).unwrap_or_default(), false)?)
        }
        None => (8, PAGE),
    };
    let largest = size(0, 0).unwrap_or(PAGE).max(each);
    let busy = size(2, 0).unwrap_or(largest.saturating_mul(2));
    let fault = if number < 2 {
        Some((1, format!("there must be at least 2 `{family}_buffers`"), "write 2 or more".to_owned()))
    } else if busy < largest {
        let message =
            format!("`{family}_busy_buffers_size` is smaller than one of the buffers, {largest} bytes");
        Some((2, message, "raise it".to_owned()))
    } else if busy > (number - 1).saturating_mul(each) {
        let message = format!(
            "`{family}_busy_buffers_size` of {busy} bytes leaves none of {number} buffers of {each} bytes free"
        );
        let help = format!(
            "it is twice the largest buffer if not given: raise `{family}_buffers`, or set it below all buffers but one"
        );
        Some((if lines.get(2).copied().flatten().is_some() { 2 } else { 0 }, message, help))
    } else if size(3, 0).is_some_and(|size| size < largest) {
        let message =
            format!("`{family}_temp_file_write_size` is smaller than one of the buffers, {largest} bytes");
        Some((3, message, "raise it".to_owned()))
    } else if size(4, 0).is_some_and(|size| size > 0 && size < largest) {
        let message =
            format!("`{family}_max_temp_file_size` is smaller than one of the buffers, {largest} bytes");
        Some((4, message, "raise it, or write 0 to have no such files".to_owned()))
    } else {
        None
    };
    let (part, message, help) = fault?;
    // The line the fault is about, or else any that has a part in it.
    let line = lines.get(part).copied().flatten().or_else(|| lines.iter().copied().flatten().next())?;
    Some(Diagnostic::new(RuleId::InvalidValue, Severity::Error, tree.header(line), message).help(help))
}
