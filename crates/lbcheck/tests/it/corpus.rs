//! Real configurations with the real programs' verdicts, where `LBCHECK_CORPUS` points to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lbcheck::dialect::{Dialect, Version};
use lbcheck::load::{DiskLoader, FileLoader, LoadError};
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::rules::{self, Category};
use lbcheck::source::Sources;

use crate::support;

/// One row of `verdicts.tsv`.
struct Case {
    /// Path below the corpus.
    path: String,
    dialect: Dialect,
    truth: String,
    form: String,
    context: String,
    /// Environment variables that were supplied when the verdict was made.
    env: BTreeMap<String, String>,
    /// Files that were supplied empty, below the folder of the case.
    empty: Vec<String>,
}

/// The corpus, or a word that the test is skipped.
fn corpus(test: &str) -> Option<(PathBuf, Vec<Case>)> {
    let Some(root) = std::env::var_os("LBCHECK_CORPUS").filter(|root| !root.is_empty()) else {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: LBCHECK_CORPUS is not set");
        return None;
    };
    let root = PathBuf::from(root).canonicalize().expect("LBCHECK_CORPUS is a folder");
    let table = std::fs::read_to_string(root.join("verdicts.tsv")).expect("the corpus has verdicts.tsv");
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name: &str| header.iter().position(|title| *title == name).expect(name);
    let (path, truth, form, context, healed) =
        (column("path"), column("truth"), column("form"), column("context"), column("healed"));
    let cases: Vec<Case> = lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let cell = |index: usize| cells.get(index).copied().unwrap_or_default().to_owned();
            let env = cell(healed)
                .split("; ")
                .filter_map(|part| part.strip_prefix("env ")?.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let empty = cell(healed)
                .split("; ")
                .filter_map(|part| part.strip_prefix("empty /case/"))
                .map(str::to_owned)
                .collect();
            let dialect =
                cell(path).split('/').next().unwrap_or_default().parse().expect("a dialect's folder");
            Case {
                path: cell(path),
                dialect,
                truth: cell(truth),
                form: cell(form),
                context: cell(context),
                env,
                empty,
            }
        })
        .collect();
    assert!(cases.len() > 100, "only {} cases", cases.len());
    Some((root, cases))
}

/// The disk with some files also standing at other places.
struct Placed {
    files: BTreeMap<String, Vec<u8>>,
}

impl FileLoader for Placed {
    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        self.files.get(path).map_or_else(|| DiskLoader.read(path), |content| Ok(content.clone()))
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, LoadError> {
        let mut names: BTreeSet<String> =
            DiskLoader.list(directory).unwrap_or_default().into_iter().collect();
        let placed = self.files.keys().filter_map(|path| path.rsplit_once('/'));
        let here = placed.filter(|(parent, _)| *parent == directory.trim_end_matches('/'));
        names.extend(here.map(|(_, name)| name.to_owned()));
        if names.is_empty() { Err(LoadError::NotFound) } else { Ok(names.into_iter().collect()) }
    }
}

/// The version of the program whose verdicts the corpus has.
fn judged_by(dialect: Dialect) -> Version {
    match dialect {
        Dialect::HaProxy => Version::new(3, 2),
        Dialect::Nginx => Version::new(1, 30),
        Dialect::Envoy => Version::new(1, 40),
    }
}

/// Reads a case in the form in which its verdict was made.
fn read_case(root: &Path, case: &Case, sources: &mut Sources) -> Reading {
    let full = |path: &str| root.join(path).to_string_lossy().into_owned();
    let mut options = ReadOptions::new(case.dialect);
    options.version = judged_by(case.dialect);
    options.env = case.env.clone();
    options.context = match case.context.as_str() {
        "http" | "stream" => vec![case.context.clone()],
        "server" => vec!["http".into(), "server".into()],
        "location" => vec!["http".into(), "server".into(), "location".into()],
        "stream-server" => vec!["stream".into(), "server".into()],
        _ => Vec::new(),
    };
    let folder = case.path.split('/').take(1).collect::<Vec<_>>().join("/");
    let mut parts = case.form.split(':');
    match parts.next().unwrap_or_default() {
        "with" => {
            let first = full(&format!(
                "{folder}/{}",
                parts.next().unwrap_or_default().trim_start_matches("haproxy/")
            ));
            read(&DiskLoader, sources, &[first, full(&case.path)], &options)
        }
        "site" => {
            let base = full(&format!("{folder}/{}", parts.next().unwrap_or_default()));
            let main = format!("{base}/{}", parts.next().unwrap_or_default());
            let at = format!("{base}/{}", parts.next().unwrap_or_default());
            let content = std::fs::read(root.join(&case.path)).unwrap_or_default();
            options.prefix = Some(base);
            options.context = Vec::new();
            read(&Placed { files: BTreeMap::from([(at, content)]) }, sources, &[main], &options)
        }
        "tree" => {
            let base = full(&format!("{folder}/{}", parts.next().unwrap_or_default()));
            let files = case.empty.iter().map(|path| (format!("{base}/{path}"), Vec::new())).collect();
            options.prefix = Some(base);
            read(&Placed { files }, sources, &[full(&case.path)], &options)
        }
        _ => {
            let path = full(&case.path);
            let beside =
                |name: &String| format!("{}/{name}", path.rsplit_once('/').map_or("", |(base, _)| base));
            let files = case.empty.iter().map(|name| (beside(name), Vec::new())).collect();
            read(&Placed { files }, sources, &[path], &options)
        }
    }
}

fn is_syntax(rule: &str) -> bool {
    rule.parse().is_ok_and(|id| rules::rule(id).category == Category::Syntax)
}

/// Every case: read, checked and compared with itself. What is accepted has no error-level syntax finding.
fn every_case(dialect: Dialect, test: &str) {
    let Some((root, cases)) = corpus(test) else { return };
    let mut failures = Vec::new();
    let (mut accepted, mut caught, mut rejected) = (0, 0, 0);
    for case in cases.iter().filter(|case| case.dialect == dialect) {
        let mut sources = Sources::new();
        let reading = read_case(&root, case, &mut sources);
        let report = support::check(&sources, &reading);
        let errors: Vec<String> = report
            .findings
            .iter()
            .zip(support::lines(&sources, &report))
            .filter(|(finding, _)| {
                finding.diagnostic.severity == lbcheck::diagnostic::Severity::Error
                    && is_syntax(finding.diagnostic.rule.as_str())
            })
            .map(|(_, line)| line)
            .collect();
        match case.truth.as_str() {
            "accept" => {
                accepted += 1;
                if !errors.is_empty() || report.broken {
                    failures.push(format!(
                        "{} ({} {}):\n  {}",
                        case.path,
                        case.form,
                        case.context,
                        errors.join("\n  ")
                    ));
                }
            }
            "reject" => {
                rejected += 1;
                caught += usize::from(!errors.is_empty() || report.broken);
            }
            _ => {}
        }
        let again = read_case(&root, case, &mut sources);
        let same = support::diff(&sources, &reading, &again);
        if !same.changes.is_empty() || same.introduced().count() > 0 {
            failures.push(format!("{}: differs from itself: {:?}", case.path, same.changes.first()));
        }
    }
    let summary = format!("{dialect}: {accepted} accepted, {caught} of {rejected} rejected ones seen");
    eprintln!("{summary}");
    assert!(failures.is_empty(), "{summary}; {} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn corpus_haproxy() {
    every_case(Dialect::HaProxy, "corpus_haproxy");
}

#[test]
fn corpus_nginx() {
    every_case(Dialect::Nginx, "corpus_nginx");
}

#[test]
fn corpus_envoy() {
    every_case(Dialect::Envoy, "corpus_envoy");
}

/// Every file of the corpus, whatever it is, as every dialect: no panic, and tokens give back each byte.
#[test]
fn corpus_tokens_are_lossless() {
    let Some((root, _)) = corpus("corpus_tokens_are_lossless") else { return };
    let mut waiting = vec![root];
    let mut files = BTreeSet::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path)
            } else {
                files.insert(path);
            }
        }
    }
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        for dialect in Dialect::ALL {
            let parts = support::tokens(dialect, &bytes);
            assert_eq!(parts.concat(), bytes, "{} as {dialect}", path.display());
        }
    }
}
