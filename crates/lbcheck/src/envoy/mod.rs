//! The Envoy reader: bootstraps, resource files and `config_dump`s, YAML or JSON.
//!
//! Text becomes a tree with a byte span on every key and value, the tree is checked against Envoy's own
//! protobuf schema, and what decides about traffic is lowered into the common model. [`tokens`] gives the
//! text itself back in pieces, for tools that colour or rewrite it.

mod builder;
mod check;
mod document;
mod gather;
mod json;
mod lower;
mod scalar;
mod schema;
mod statements;
mod tokens;
mod tree;
mod value;
mod yaml;

use crate::findings::Findings;
use crate::load::FileLoader;
use crate::model::Config;
use crate::reading::{ReadOptions, Reading};
use crate::source::Sources;

use document::Resources;
use gather::Gather;
use lower::Lower;

pub use tokens::{Token, TokenKind, tokens};

/// Reads a configuration.
pub(crate) fn read(
    loader: &dyn FileLoader,
    sources: &mut Sources,
    paths: &[String],
    options: &ReadOptions,
) -> Reading {
    let mut reading = Reading::new(options);
    let mut findings = Findings::new(options.version);
    let mut gather = Gather::new(loader, sources, &mut reading, &mut findings);
    gather.run(paths);
    let (documents, files) = (gather.documents, gather.files);

    let mut resources = Resources::default();
    for document in &documents {
        if let Some(root) = document.parsed.tree.root() {
            resources.add(root, document.shape);
        }
    }
    let roots = documents.iter().filter_map(|document| Some((document.parsed.tree.root()?, document.shape)));
    reading.statements = statements::statements(roots);
    reading.config.fragment = !resources.whole;
    let empty = Config::empty(options.dialect, options.version);
    let mut lower = Lower::new(std::mem::replace(&mut reading.config, empty), findings, files);
    lower.run(&resources);
    for name in documents.iter().flat_map(|document| &document.uses) {
        lower.other_use(name);
    }
    for (name, strict) in documents.iter().flat_map(|document| &document.needed) {
        lower.check_static_cluster(name, *strict);
    }
    reading.config = lower.config;
    let (diagnostics, mut coverage) = lower.findings.finish();
    let gaps = u32::try_from(coverage.gaps.len()).unwrap_or(u32::MAX);
    coverage.understood = coverage.understood.saturating_sub(gaps);
    reading.config.coverage = coverage;
    reading.diagnostics = diagnostics;
    reading.blocks = lower.blocks;
    reading
}
