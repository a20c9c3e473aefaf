//! The HAProxy reader: `haproxy.cfg` files in, the model and diagnostics out.
//!
//! Words are cut by the `lexer` as the program cuts them, with the variables in force at each line; lines are
//! gathered into sections here; `validate` refuses what the program refuses; `lower` settles inheritance, order and
//! names into the model. Nothing fails: what is wrong is reported, and reading goes on.

mod acl;
mod conditionals;
mod environment;
mod expression;
mod fetch;
mod format;
mod keywords;
mod lexer;
mod lower;
mod maps;
mod patterns;
mod report;
mod sections;
mod statements;
mod syntax;
mod validate;
mod values;

pub use lexer::{Token, TokenKind, tokens};

use report::{Report, rule};
use sections::SectionReader;

use crate::diagnostic::{Diagnostic, Severity};
use crate::load::{FileLoader, LoadError, MAX_FILE_BYTES, MAX_FILES};
use crate::reading::{Block, ReadOptions, Reading};
use crate::source::{FileId, Sources, Span};

/// Reads files and directories, in order, as one configuration.
///
/// Of a directory the files that end in `.cfg` are read, in byte order of their names, as `haproxy -f` does.
pub fn read(
    loader: &dyn FileLoader,
    sources: &mut Sources,
    paths: &[String],
    options: &ReadOptions,
) -> Reading {
    let mut reading = Reading::new(options);
    let mut report = Report::new(options.version);
    let files = load(loader, sources, paths, &mut report, &mut reading);
    let mut reader = SectionReader::new(options);
    for &file in &files {
        reader.read_file(sources.file(file), file, &mut report);
    }
    let done = reader.finish();
    reading.comments = done.comments;
    reading.broken |= done.broken;
    reading.blocks = done
        .sections
        .iter()
        .map(|section| Block { header: section.header.span, extent: section.extent })
        .collect();
    if done.sections.is_empty() && !done.scoped {
        reading.broken = true;
        if let Some(&file) = files.first()
            && report.diagnostics.is_empty()
        {
            report.error(
                rule::TRUNCATED,
                Span::new(file, 0, 0),
                "the configuration is empty: it has no section, and HAProxy would not start",
                "check that the right file was named and that it was written completely",
            );
        }
    }
    validate::check(&done.sections, &mut report);
    let maps = maps::load(loader, &done.sections);
    let (config, parents) = lower::lower(&done.sections, options, &maps, &mut report);
    reading.config = config;
    reading.statements = statements::statements(&done.sections, &parents);
    reading.config.files = files;
    reading.config.fragment = done.scoped;
    reading.config.times = report.times;
    reading.config.coverage = report.coverage;
    reading.diagnostics = report.diagnostics;
    reading
}

/// Reads all files and gives their ids in order.
fn load(
    loader: &dyn FileLoader,
    sources: &mut Sources,
    paths: &[String],
    report: &mut Report,
    reading: &mut Reading,
) -> Vec<FileId> {
    let mut files = Vec::new();
    for path in paths {
        for path in members(loader, path) {
            let content = if files.len() >= MAX_FILES {
                Err(LoadError::Other(format!("a configuration has at most {MAX_FILES} files")))
            } else {
                loader.read(&path).and_then(|content| {
                    if content.len() > MAX_FILE_BYTES { Err(LoadError::TooLarge) } else { Ok(content) }
                })
            };
            match content {
                Ok(content) => files.push(sources.add(path, content)),
                Err(error) => {
                    reading.broken = true;
                    let message = format!("`{path}` cannot be read: {error}");
                    let id = sources.add(path, Vec::new());
                    report.push(
                        Diagnostic::new(rule::UNREADABLE, Severity::Error, Span::new(id, 0, 0), message)
                            .help("check the path and its permissions"),
                    );
                }
            }
        }
    }
    files
}

/// The files a path stands for.
fn members(loader: &dyn FileLoader, path: &str) -> Vec<String> {
    if !loader.is_directory(path) {
        return vec![path.to_owned()];
    }
    let mut names = loader.list(path).unwrap_or_default();
    names.retain(|name| name.ends_with(".cfg") && !name.starts_with('.'));
    names.sort_unstable();
    let directory = path.trim_end_matches('/');
    names.into_iter().map(|name| format!("{directory}/{name}")).collect()
}
