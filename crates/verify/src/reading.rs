//! Reading with lbcheck, as the command line does it.

use std::path::{Path, PathBuf};

use lbcheck::analysis::{self, Subject};
use lbcheck::load::MemoryLoader;
use lbcheck::policy::Environment;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::report::{CheckReport, DiffReport};
use lbcheck::source::Sources;

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads one configuration given as text.
pub fn reading(text: &[u8], sources: &mut Sources, options: &ReadOptions) -> Reading {
    let path = options.dialect.description().files.usual;
    read(&MemoryLoader::one(path, text), sources, &[path.to_owned()], options)
}

/// Checks what was read, in production, for the version it was read for.
#[must_use]
pub fn check(sources: &Sources, reading: &Reading) -> CheckReport {
    let environment = Environment::default();
    analysis::check(
        sources,
        &Subject { paths: &[], reading, version_assumed: false, environment: &environment },
    )
}

/// Compares what was read, in production.
#[must_use]
pub fn diff(sources: &Sources, old: &Reading, new: &Reading) -> DiffReport {
    let environment = Environment::default();
    let subject = |reading| Subject { paths: &[], reading, version_assumed: true, environment: &environment };
    analysis::diff(sources, &subject(old), &subject(new))
}

/// Findings as one line each, for messages of failing tests.
#[must_use]
pub fn lines(sources: &Sources, report: &CheckReport) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|finding| {
            let diagnostic = &finding.diagnostic;
            let span = diagnostic.primary.span;
            format!(
                "{}:{} {} [{}] {}",
                sources.file(span.file).path(),
                sources.position(span),
                diagnostic.severity,
                diagnostic.rule,
                diagnostic.message
            )
        })
        .collect()
}
