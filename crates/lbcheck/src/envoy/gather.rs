//! Collects the files of a configuration: those named on the command line and the resource files they name.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::findings::Findings;
use crate::load::{FileLoader, LoadError, MAX_FILES};
use crate::reading::Reading;
use crate::source::{FileId, Sources, Span, Spanned};

use super::builder::Parsed;
use super::check::Check;
use super::document::{self, CONFIG_DUMP, Shape};
use super::json::{self, Strictness};
use super::tree::Value;
use super::yaml;

/// One file, read and checked.
pub(crate) struct Document {
    pub(crate) parsed: Parsed,
    pub(crate) shape: Shape,
    /// Clusters that something other than a route names.
    pub(crate) uses: Vec<Spanned<String>>,
    /// Clusters that must be among the static ones, and whether an EDS cluster will not do.
    pub(crate) needed: Vec<(Spanned<String>, bool)>,
}

/// What the walk by the schema leaves to the rest of the reader.
#[derive(Default)]
struct Found {
    uses: Vec<Spanned<String>>,
    needed: Vec<(Spanned<String>, bool)>,
    files: Vec<Spanned<String>>,
}

/// All files of a configuration.
pub(crate) struct Gather<'a> {
    loader: &'a dyn FileLoader,
    sources: &'a mut Sources,
    reading: &'a mut Reading,
    findings: &'a mut Findings,
    pub(crate) documents: Vec<Document>,
    /// Resource files that were read, by the path the configuration names them with.
    pub(crate) files: BTreeMap<String, FileId>,
    /// Files named but not yet read, each with the file that names it.
    wanted: Vec<Spanned<String>>,
    /// Files by the path they were read from.
    read: BTreeMap<String, FileId>,
}

impl<'a> Gather<'a> {
    pub(crate) fn new(
        loader: &'a dyn FileLoader,
        sources: &'a mut Sources,
        reading: &'a mut Reading,
        findings: &'a mut Findings,
    ) -> Self {
        Self {
            loader,
            sources,
            reading,
            findings,
            documents: Vec::new(),
            files: BTreeMap::new(),
            wanted: Vec::new(),
            read: BTreeMap::new(),
        }
    }

    /// Reads the named files and whatever they name in turn.
    pub(crate) fn run(&mut self, paths: &[String]) {
        for path in paths {
            match self.loader.read(path) {
                Ok(bytes) => {
                    self.add(path, bytes);
                }
                Err(error) => self.unreadable(path, &error),
            }
        }
        while let Some(wanted) = self.wanted.pop() {
            if !self.files.contains_key(&wanted.value) {
                self.resource_file(&wanted);
            }
        }
    }

    fn unreadable(&mut self, path: &str, error: &LoadError) {
        let file = self.sources.add(path, Vec::new());
        self.reading.broken = true;
        let message = format!("the file {path} cannot be read: {error}");
        self.findings.error(RuleId::FileUnreadable, Span::new(file, 0, 0), message, "");
    }

    /// A file that a `ConfigSource` names. Envoy takes a relative path from its working directory; the
    /// directory of the file that names it is the best guess at that.
    fn resource_file(&mut self, wanted: &Spanned<String>) {
        let naming = self.sources.file(wanted.span.file).path();
        let directory = naming.rsplit_once('/').map(|(directory, _)| directory);
        let beside = directory.map(|directory| format!("{directory}/{}", wanted.value));
        let relative = !wanted.value.starts_with('/');
        let candidates = [Some(wanted.value.clone()), beside.filter(|_| relative)];
        for path in candidates.into_iter().flatten() {
            if let Some(&file) = self.read.get(&path) {
                self.files.insert(wanted.value.clone(), file);
                return;
            }
            if self.documents.len() >= MAX_FILES {
                break;
            }
            if let Ok(bytes) = self.loader.read(&path) {
                let file = self.add(&path, bytes);
                self.files.insert(wanted.value.clone(), file);
                return;
            }
        }
        self.findings.warning(
            RuleId::IncludeUnresolved,
            wanted.span,
            format!("the resource file {} cannot be read, so what it defines is unknown", wanted.value),
            "give lbcheck the file at this path, or beside the file that names it",
        );
    }

    fn add(&mut self, path: &str, bytes: Vec<u8>) -> FileId {
        let file = self.sources.add(path, bytes);
        self.read.insert(path.to_owned(), file);
        self.reading.config.files.push(file);
        let source = self.sources.file(file);
        let mut parsed = parse(file, path, source.text());
        if let Some(at) = source.bytes().iter().position(|&byte| byte == 0) {
            parsed.error(at, at + 1, "the file contains a NUL byte: it is binary data, or was damaged");
            parsed.broken = true;
        } else if std::str::from_utf8(source.bytes()).is_err() {
            let at = source.bytes().utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
            parsed.diagnostics.push(
                Diagnostic::new(
                    RuleId::SyntaxError,
                    Severity::Warning,
                    Span::new(file, at, at + 1),
                    "the file is not UTF-8 here; what Envoy makes of the bytes around it is not defined",
                )
                .help("save the file as UTF-8"),
            );
        }
        let empty = parsed.tree.root().is_none_or(|root| root.is_null());
        let shape = parsed.tree.root().map_or(Shape::Unknown, document::shape);
        if empty && !parsed.broken {
            parsed.broken = true;
            parsed.diagnostics.push(Diagnostic::new(
                RuleId::ConfigEmptyOrTruncated,
                Severity::Error,
                Span::new(file, 0, 0),
                "the file holds no configuration at all",
            ));
        } else if let (Shape::Unknown, Some(root)) = (shape, parsed.tree.root())
            && !parsed.broken
        {
            parsed.broken = true;
            let span = root.fields().next().map_or(root.span(), |entry| entry.key_span);
            parsed.diagnostics.push(
                Diagnostic::new(
                    RuleId::SyntaxError,
                    Severity::Error,
                    span,
                    "this is not an Envoy configuration: none of its outermost keys is one of Envoy's",
                )
                .help("lbcheck reads bootstraps, resource files, lists of resources and admin config_dumps"),
            );
        }
        let found = self.check(&parsed, shape);
        parsed.diagnostics.drain(..).for_each(|diagnostic| self.findings.push(diagnostic));
        self.reading.comments.append(&mut parsed.comments);
        self.reading.broken |= parsed.broken;
        self.wanted.extend(found.files);
        self.documents.push(Document { parsed, shape, uses: found.uses, needed: found.needed });
        file
    }

    /// Walks the document by the schema. What it finds is appended to the reading.
    fn check(&mut self, parsed: &Parsed, shape: Shape) -> Found {
        let Some(root) = parsed.tree.root() else { return Found::default() };
        let dump = shape == Shape::One(CONFIG_DUMP) || (shape == Shape::Typed && is_dump(root));
        // Nobody loads a dump again: a field it has too many is not refused by anything.
        let mut check = Check::new(self.findings, if dump { Severity::Info } else { Severity::Error });
        // The runtime may allow what is refused by default, one field at a time or all at once.
        let text = self.sources.file(parsed.tree.file).text();
        check.allows_deprecated =
            ["envoy.features.enable_all_deprecated_features", "envoy.deprecated_features"]
                .iter()
                .any(|feature| text.contains(feature));
        if self.sources.file(parsed.tree.file).path().ends_with(".json") {
            check.repeated.clone_from(&parsed.repeated);
            check.repeated.sort_unstable();
        }
        check.sets_program_size = text.contains("re2.max_program_size");
        match shape {
            Shape::One(name) => check.message(root, name),
            Shape::List(name) => root.items().for_each(|item| check.message(item, name)),
            Shape::Typed => root.items().for_each(|item| check.any(item)),
            Shape::Empty | Shape::Unknown => {}
        }
        let own = |name: Spanned<&str>| Spanned::new(name.value.to_owned(), name.span);
        // A dump holds the resources of the files it was made from.
        let files = if dump { Vec::new() } else { check.files };
        Found {
            uses: check.uses.into_iter().map(own).collect(),
            needed: check.needed.into_iter().map(|(name, strict)| (own(name), strict)).collect(),
            files: files.into_iter().map(own).collect(),
        }
    }
}

fn is_dump(root: Value<'_>) -> bool {
    root.items().any(|item| item.type_name().is_some_and(|name| name.starts_with("envoy.admin.")))
}

/// Reads a file as Envoy would: `.json` as JSON, everything else as YAML, which JSON is a part of.
fn parse(file: FileId, path: &str, text: &str) -> Parsed {
    if path.ends_with(".json") {
        return json::parse(file, text, Strictness::Lenient);
    }
    if text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
        // The same tree, several times faster; YAML has the last word on what JSON refuses.
        let parsed = json::parse(file, text, Strictness::Standard);
        if !parsed.broken {
            return parsed;
        }
    }
    yaml::parse(file, text)
}
