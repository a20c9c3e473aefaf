//! The Envoy reader: bootstraps, resource files and `config_dump`s, YAML or JSON.
//!
//! Text becomes a tree with a byte span on every key and value, the tree is checked against Envoy's own
//! protobuf schema, and what decides about traffic is lowered into the common model.

mod document;
mod lower;
mod scalar;
mod tree;
mod value;
mod yaml;

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::load::FileLoader;
use crate::read::{ReadOptions, Reading};
use crate::source::{Sources, Span};

use document::{Resources, Shape};
use lower::Lower;
use yaml::Parsed;

/// Reads a configuration.
pub(crate) fn read(
    loader: &dyn FileLoader,
    sources: &mut Sources,
    paths: &[String],
    options: &ReadOptions,
) -> Reading {
    let mut reading = Reading::new(options);
    let mut parsed: Vec<Parsed> = Vec::new();
    for path in paths {
        match loader.read(path) {
            Ok(bytes) => {
                let file = sources.add(path.clone(), bytes);
                reading.config.files.push(file);
                parsed.push(yaml::parse(file, sources.file(file).text()));
            }
            Err(error) => {
                let file = sources.add(path.clone(), Vec::new());
                reading.broken = true;
                reading.diagnostics.push(Diagnostic::new(
                    "file-unreadable",
                    Severity::Error,
                    Span::new(file, 0, 0),
                    format!("The file {path} cannot be read: {error}."),
                ));
            }
        }
    }
    let mut resources = Resources::default();
    for file in &mut parsed {
        reading.diagnostics.append(&mut file.diagnostics);
        reading.comments.append(&mut file.comments);
        reading.broken |= file.broken;
    }
    for file in &parsed {
        let Some(root) = file.tree.root() else { continue };
        let shape = document::shape(root);
        if shape == Shape::Unknown {
            reading.broken = true;
            reading.diagnostics.push(Diagnostic::new(
                "syntax-error",
                Severity::Error,
                root.span(),
                "This is not an Envoy configuration: none of its outermost keys is one of Envoy's.",
            ));
        }
        resources.add(root, shape);
    }
    reading.config.fragment = !resources.whole;
    let config =
        std::mem::replace(&mut reading.config, crate::model::Config::empty(options.dialect, options.version));
    let mut lower = Lower::new(config, BTreeMap::new());
    lower.run(&resources);
    reading.config = lower.config;
    reading.diagnostics.append(&mut lower.diagnostics);
    reading.blocks.append(&mut lower.blocks);
    reading
}
