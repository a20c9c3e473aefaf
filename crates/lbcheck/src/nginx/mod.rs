//! The nginx reader.
//!
//! It reads a whole tree of files, one file, the output of `nginx -T`, or a snippet that belongs inside
//! `http`, `server` or the like. What nginx itself refuses is an error; what a file cannot tell is a value.
//!
//! How nginx differs from the model, and how it is settled:
//!
//! - **Servers** that listen on one address are one listener, whose table picks a server by name: exact names,
//!   leading wildcards and trailing wildcards by falling length, expressions in order, then the default server.
//! - **Locations** are tables: exact paths, then prefixes by falling length. Below a prefix come its nested
//!   locations and the expressions of its level, then itself.
//! - **Timeouts and retries** belong to locations in nginx and to pools in the model: a pool has those of the
//!   first route that uses it.
//! - **Passive health**: every server has `max_fails=1 fail_timeout=10s` unless it says otherwise. nginx never
//!   takes the only server of an upstream out, whatever it says.
//! - **`internal` and named locations** take no requests from clients; the pools they use are in
//!   [`Config::other_uses`](crate::model::Config::other_uses).

mod argument_kinds;
mod arguments;
mod buffers;
mod builtin_variables;
mod directive_values;
mod directives;
mod dump;
mod effects;
mod glob;
mod grammar;
mod include;
mod lexer;
mod lower;
mod place;
mod references;
mod regex;
mod statements;
mod syntax;
mod table;
mod validate;
mod value_blocks;
mod values;
mod variables;

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::dialect::{Dialect, Version};
use crate::load::FileLoader;
use crate::model::{Config, Gap, Weakens};
use crate::reading::{Block, ReadOptions, Reading};
use crate::source::{Sources, Span};

pub use lexer::{Token, TokenKind};

/// What to do about a directive that only NGINX Plus has.
const EDITION_HELP: &str =
    "use what open source nginx has, or say `edition = \"plus\"` under `[proxy.nginx]` in lbcheck.toml";

/// Cuts a text into tokens as nginx does; together they are the text, byte for byte.
#[must_use]
pub fn tokens(bytes: &[u8]) -> Vec<Token<'_>> {
    lexer::tokens(bytes)
}

/// Whether nginx has a place inside these blocks, outermost first: true for `http`, `server`; false for `server`
/// alone.
#[must_use]
pub fn is_context(blocks: &[String]) -> bool {
    place::context_of(blocks).is_some()
}

/// A directive that lbcheck knows, for comparisons with what a program says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDirective {
    /// Its name.
    pub name: &'static str,
    /// Its module, without `ngx_` and `_module`.
    pub module: &'static str,
    /// Whether nginx itself has it, not only another module or the commercial edition.
    pub own: bool,
    /// Whether only the commercial edition has it.
    pub commercial: bool,
    /// The blocks in which it may stand: `main`, `events`, `http`, `server`, `location`, `server if`, `location if`,
    /// `limit_except`, `upstream`, `stream`, `stream server`, `stream upstream`, `mail`, `mail server` and others.
    pub blocks: Vec<&'static str>,
    /// For each number of arguments below eight whether it is allowed.
    pub counts: [bool; 8],
    /// Whether it opens a block.
    pub block: bool,
}

/// Every directive that lbcheck knows of a version of nginx.
#[must_use]
pub fn known_directives(version: Version) -> Vec<KnownDirective> {
    const BLOCKS: [&str; 16] = [
        "main",
        "events",
        "http",
        "server",
        "location",
        "server if",
        "location if",
        "limit_except",
        "upstream",
        "stream",
        "stream server",
        "stream upstream",
        "mail",
        "mail server",
        "oidc_provider",
        "mgmt",
    ];
    let there = |entry: &&directives::Directive| {
        entry.since.is_none_or(|since| since <= version) && entry.until.is_none_or(|until| version < until)
    };
    let known = |entry: &directives::Directive| KnownDirective {
        name: entry.name,
        module: entry.module,
        own: entry.vendor == directives::Vendor::Nginx,
        commercial: entry.vendor == directives::Vendor::Plus,
        blocks: BLOCKS
            .iter()
            .enumerate()
            .filter(|(bit, _)| entry.contexts >> bit & 1 == 1)
            .map(|(_, name)| *name)
            .collect(),
        counts: std::array::from_fn(|count| entry.arity.allows(count)),
        block: entry.arity.block,
    };
    table::TABLE.iter().filter(there).map(known).collect()
}

/// Reads a configuration.
pub(crate) fn read(
    loader: &dyn FileLoader,
    sources: &mut Sources,
    paths: &[String],
    options: &ReadOptions,
) -> Reading {
    let mut reading = Reading::new(options);
    let loaded = include::load(loader, sources, paths, options);
    reading.comments = loaded.comments;
    reading.broken = loaded.broken;
    reading.diagnostics = loaded.diagnostics;
    let Some(main) = loaded.main else {
        reading.config.files = loaded.files;
        reading.broken = true;
        return reading;
    };
    let tree = loaded.tree;
    let whole = Span::new(main, 0, 0);
    if loaded.empty && !reading.broken {
        // An empty snippet does no harm where it is included.
        let snippet = !options.context.is_empty();
        reading.broken = !snippet;
        reading.diagnostics.push(
            Diagnostic::new(
                RuleId::ConfigEmptyOrTruncated,
                if snippet { Severity::Warning } else { Severity::Error },
                whole,
                "the configuration is empty",
            )
            .help("check that the right file was given"),
        );
    }
    let top = match place::context_of(&options.context) {
        Some(context) if !options.context.is_empty() => context,
        Some(_) => place::infer(&tree),
        None => {
            reading.diagnostics.push(Diagnostic::new(
                RuleId::InvalidValue,
                Severity::Error,
                whole,
                format!("nginx has no block `{}`", options.context.join(" ")),
            ));
            directives::M
        }
    };
    let contexts = place::contexts(&tree, top);
    let mut validator = validate::Validator::new(&tree, &contexts, options);
    let found = validator.run();
    let times = std::mem::take(&mut validator.times);
    reading.diagnostics.append(&mut validator.diagnostics);
    reading.diagnostics.append(&mut value_blocks::check(&tree, &contexts, options.version));
    let complete = top == directives::M && loaded.missing.is_empty() && !reading.broken;
    reading.diagnostics.append(&mut variables::check(&tree, &contexts, &found, options.version, complete));
    reading.diagnostics.append(&mut buffers::check(&tree, &contexts, &found));
    if complete {
        reading.diagnostics.append(&mut references::check(&tree, &contexts, &found, options.version));
    }
    let mut config = Config::empty(Dialect::Nginx, options.version);
    config.fragment = top != directives::M;
    config.files = loaded.files;
    config.coverage.total = tree.nodes.len() as u32;
    config.serves_other = tree
        .nodes
        .iter()
        .enumerate()
        .find(|(id, node)| node.parent.is_none() && tree.name(*id) == "mail")
        .map(|(_, node)| node.header);
    let mut lower = lower::Lower::new(&tree, &contexts, config, whole);
    lower.edition = options.edition;
    lower.run(top);
    reading.diagnostics.append(&mut lower.diagnostics);
    reading.config = lower.config;
    reading.config.times.extend(times);
    reading.statements = statements::statements(&tree, &contexts, &found, whole);
    coverage(&mut reading, &tree, &contexts, &found);
    for missing in loaded.missing {
        // At the top level an include brings modules and processes, not routes.
        if missing.parent.is_none() && top == directives::M && missing.glob {
            continue;
        }
        let gap = Gap { span: missing.span, what: missing.what, weakens: Weakens::Everything, told: false };
        reading.config.coverage.gaps.push(gap);
    }
    reading.blocks = tree
        .nodes
        .iter()
        .filter(|node| node.block)
        .map(|node| Block { header: node.header, extent: node.span })
        .collect();
    tidy(&mut reading.diagnostics);
    reading
}

/// Counts what was understood: everything but unknown directives and those that left a gap.
fn coverage(
    reading: &mut Reading,
    tree: &syntax::Tree,
    contexts: &[directives::Contexts],
    found: &[Option<&'static directives::Directive>],
) {
    for (id, entry) in found.iter().enumerate() {
        let plain = contexts.get(id).is_some_and(|&context| context != directives::DATA);
        let known = entry.is_some() || !plain || !directives::lookup(tree.name(id)).is_empty();
        if !known && tree.name(id) != "include" {
            let span = tree.header(id);
            let what = format!("`{}` is not known", tree.name(id));
            // Of words in a language of their own the validator says nothing.
            let told = contexts.get(id).is_some_and(|&context| context != directives::OTHER);
            reading.config.coverage.gaps.push(Gap { span, what, weakens: Weakens::Routing, told });
        }
    }
    let gaps = reading.config.coverage.gaps.len() as u32;
    reading.config.coverage.understood = reading.config.coverage.total.saturating_sub(gaps);
}

/// Sorts by place; a file included twice says everything once.
fn tidy(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.primary.span.file, d.primary.span.start, d.primary.span.end);
        key(a).cmp(&key(b)).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics
        .dedup_by(|a, b| a.primary.span == b.primary.span && a.rule == b.rule && a.message == b.message);
}
