//! The model against the running programs: what they say they run, and where they send requests.
//!
//! The configurations are in `tests/live/`. `@PORTn@` in them is a free port for the proxy, `@BACKn@` the port of a
//! small server that answers its own number. A line `# ask PORT HOST PATH` is a request that is sent to the proxy;
//! the expected answer is the model's.

mod ask;
mod envoy;
mod haproxy;
mod nginx;
mod traffic;

use std::path::Path;

use lbcheck::dialect::{Dialect, Version};
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;

use lbcheck_verify::reading;

/// The configurations of a dialect, by file name.
fn configs(dialect: Dialect) -> Vec<(String, String)> {
    let folder = reading::root().join("tests/live").join(dialect.as_str());
    let mut configs: Vec<(String, String)> = std::fs::read_dir(&folder)
        .expect("tests/live has a folder for every dialect")
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), text(&entry.path())))
        .collect();
    configs.sort();
    assert!(!configs.is_empty(), "{} is empty", folder.display());
    configs
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the configuration is text")
}

/// Reads a configuration for the version that runs, and expects no complaint.
fn model(dialect: Dialect, version: Option<Version>, text: &str) -> Reading {
    let mut options = ReadOptions::new(dialect);
    options.version = version.unwrap_or(options.version);
    let mut sources = Sources::new();
    let path = format!("live.{}", if dialect == Dialect::Envoy { "yaml" } else { "conf" });
    let reading = read(&MemoryLoader::one(path.clone(), text.as_bytes()), &mut sources, &[path], &options);
    let errors = reading
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == lbcheck::diagnostic::Severity::Error);
    let errors: Vec<&str> = errors.map(|diagnostic| diagnostic.message.as_str()).collect();
    assert!(errors.is_empty(), "the program runs what lbcheck refuses: {errors:?}\n{text}");
    reading
}

/// Fails with everything on which the model and the program differ.
fn report(differences: &[String]) {
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
