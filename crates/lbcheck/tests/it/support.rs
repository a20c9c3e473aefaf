//! What several tests use: a loader for the repository's files, and short ways to check and compare.

use std::path::{Path, PathBuf};

use lbcheck::analysis::{self, Subject};
use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::policy::Environment;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::report::{CheckReport, DiffReport};
use lbcheck::source::Sources;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

/// Reads one configuration given as text.
pub(crate) fn reading(dialect: Dialect, text: &[u8], sources: &mut Sources) -> Reading {
    let path = dialect.description().files.usual;
    read(&MemoryLoader::one(path, text), sources, &[path.to_owned()], &ReadOptions::new(dialect))
}

/// The day the pages of the rules speak of.
pub(crate) const TODAY: &str = "2026-11-21";

/// Checks what was read, in production.
pub(crate) fn check(sources: &Sources, reading: &Reading) -> CheckReport {
    let environment = Environment { today: TODAY.parse().ok(), ..Environment::default() };
    check_in(sources, reading, &environment)
}

/// Checks what was read, in an environment.
pub(crate) fn check_in(sources: &Sources, reading: &Reading, environment: &Environment) -> CheckReport {
    let version_assumed = reading.config.version == reading.config.dialect.assumed_version();
    analysis::check(sources, &Subject { paths: &[], reading, version_assumed, environment })
}

/// Compares what was read, in production.
pub(crate) fn diff(sources: &Sources, old: &Reading, new: &Reading) -> DiffReport {
    let environment = Environment::default();
    let subject = |reading| Subject { paths: &[], reading, version_assumed: true, environment: &environment };
    analysis::diff(sources, &subject(old), &subject(new))
}

/// Findings as one line each, for messages of failing tests.
pub(crate) fn lines(sources: &Sources, report: &CheckReport) -> Vec<String> {
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
                diagnostic.rule.as_str(),
                diagnostic.message
            )
        })
        .collect()
}

/// The tokens of a text, each as its bytes.
pub(crate) fn tokens(dialect: Dialect, bytes: &[u8]) -> Vec<&[u8]> {
    match dialect {
        Dialect::HaProxy => lbcheck::haproxy::tokens(bytes).iter().map(|token| token.bytes).collect(),
        Dialect::Nginx => lbcheck::nginx::tokens(bytes).iter().map(|token| token.bytes).collect(),
        Dialect::Envoy => lbcheck::envoy::tokens(bytes).iter().map(|token| token.bytes).collect(),
    }
}
