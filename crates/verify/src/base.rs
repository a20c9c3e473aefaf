//! Configurations to start from: this repository's own, and those of a corpus where there is one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lbcheck::dialect::Dialect;

use crate::reading::root;

/// A configuration as a folder of files.
#[derive(Clone, Debug)]
pub struct Base {
    /// Where it comes from, for somebody who looks into a disagreement.
    pub name: String,
    /// Its files by path relative to the folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The one that is given to the program, and changed.
    pub main: String,
    /// Environment variables of the service.
    pub variables: Vec<(String, String)>,
}

impl Base {
    /// A configuration of one file.
    #[must_use]
    pub fn single(dialect: Dialect, name: String, text: String) -> Self {
        let main = dialect.description().files.usual;
        let files = BTreeMap::from([(main.to_owned(), text.into_bytes())]);
        Self { name, files, main: main.to_owned(), variables: Vec::new() }
    }

    /// The text of its main file. `None`: it is not UTF-8, and is left as it is.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.files.get(&self.main)?).ok()
    }

    /// Puts another text into its main file.
    pub fn set_text(&mut self, text: String) {
        self.files.insert(self.main.clone(), text.into_bytes());
    }
}

/// The configurations of this repository.
///
/// # Errors
///
/// A file of the repository cannot be read.
pub fn own(dialect: Dialect) -> Result<Vec<Base>> {
    let folders = [
        "examples",
        "examples/incidents",
        "tests/live",
        "crates/verify/bases",
        "crates/lbcheck/tests/traffic",
    ];
    let extension = match dialect {
        Dialect::HaProxy => "cfg",
        Dialect::Nginx => "conf",
        Dialect::Envoy => "yaml",
    };
    let mut bases = Vec::new();
    for folder in folders {
        for path in files_below(&root().join(folder))? {
            if path.extension().is_none_or(|found| found != extension) {
                continue;
            }
            let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            let text = std::fs::read_to_string(&path).with_context(|| name.clone())?;
            let base = Base::single(dialect, name, with_ports(text));
            if !bases.iter().any(|known: &Base| known.files == base.files) {
                bases.push(base);
            }
        }
    }
    Ok(bases)
}

/// Fills in the ports that live tests leave open.
fn with_ports(mut text: String) -> String {
    for (word, first) in [("PORT", 18000), ("BACK", 19000)] {
        for number in 0..10 {
            text = text.replace(&format!("@{word}{number}@"), &(first + number).to_string());
        }
    }
    text
}

/// The configurations of a corpus: a folder with `verdicts.tsv`, whose columns `path`, `form`, `context` and `healed` say
/// how each of its files is to be read. Templates and files in need of a form that is not known are left out.
///
/// # Errors
///
/// The corpus cannot be read.
pub fn corpus(folder: &Path, dialect: Dialect) -> Result<Vec<Base>> {
    let table =
        std::fs::read_to_string(folder.join("verdicts.tsv")).context("the corpus has no verdicts.tsv")?;
    let mut lines = table.lines();
    let titles: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let mut bases = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |name: &str| {
            let column = titles.iter().position(|title| *title == name);
            column.and_then(|column| cells.get(column)).copied().unwrap_or_default()
        };
        let path = cell("path");
        if !path.starts_with(&format!("{}/", dialect.as_str())) {
            continue;
        }
        let Some(mut base) = form(folder, dialect, path, cell("form"), cell("context"))
            .with_context(|| format!("corpus file {path}"))?
        else {
            continue;
        };
        base.name = format!("corpus/{path}");
        for part in cell("healed").split("; ") {
            if let Some((name, value)) = part.strip_prefix("env ").and_then(|part| part.split_once('=')) {
                base.variables.push((name.to_owned(), value.to_owned()));
            }
            let empty = part.strip_prefix("empty /case/").filter(|name| Path::new(name).is_relative());
            if let Some(name) = empty {
                base.files.entry(name.to_owned()).or_default();
            }
        }
        bases.push(base);
    }
    Ok(bases)
}

/// A corpus file in the form in which a program reads it. `None`: it has none.
fn form(folder: &Path, dialect: Dialect, path: &str, form: &str, context: &str) -> Result<Option<Base>> {
    let full = folder.join(path);
    let Ok(text) = String::from_utf8(std::fs::read(&full)?) else {
        return Ok(None);
    };
    let mut parts = form.split(':');
    let text = match parts.next().unwrap_or_default() {
        "full" | "bootstrap" => text,
        "with" => {
            let first = folder.join(dialect.as_str()).join(parts.next().unwrap_or_default());
            format!("{}\n{text}", std::fs::read_to_string(first)?)
        }
        "auto" => match wrapped(&text, context) {
            Some(text) => text,
            None => return Ok(None),
        },
        "tree" => {
            let top = folder.join(dialect.as_str()).join(parts.next().unwrap_or_default());
            let mut files = BTreeMap::new();
            for file in files_below(&top)? {
                let name = file.strip_prefix(&top)?.display().to_string();
                files.insert(name, std::fs::read(&file)?);
            }
            let main = full.strip_prefix(&top)?.display().to_string();
            return Ok(Some(Base { name: String::new(), files, main, variables: Vec::new() }));
        }
        "list" => match in_bootstrap(&text, parts.next().unwrap_or_default()) {
            Some(text) => text,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(Base::single(dialect, String::new(), text)))
}

/// An nginx snippet inside the blocks that it belongs in.
fn wrapped(text: &str, context: &str) -> Option<String> {
    let blocks: &[&str] = match context {
        "main" => return Some(text.to_owned()),
        "http" => &["http"],
        "server" => &["http", "server"],
        "location" => &["http", "server", "location /"],
        "stream" => &["stream"],
        "stream-server" => &["stream", "server"],
        _ => return None,
    };
    let opened: String = blocks.iter().map(|block| format!("{block} {{\n")).collect();
    Some(format!("events {{}}\n{opened}{text}\n{}", "}\n".repeat(blocks.len())))
}

/// A list of Envoy resources as part of a bootstrap.
fn in_bootstrap(text: &str, kind: &str) -> Option<String> {
    let indented = |text: &str, by: usize| -> String {
        text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
    };
    match kind.rsplit('.').next()? {
        "Cluster" => Some(format!("static_resources:\n  clusters:\n{}", indented(text, 2))),
        "Listener" => Some(format!("static_resources:\n  listeners:\n{}", indented(text, 2))),
        "ClusterLoadAssignment" => {
            let mut whole = "static_resources:\n  clusters:\n".to_owned();
            for (number, item) in items(text).iter().enumerate() {
                whole.push_str(&format!(
                    "  - name: cluster_{number}\n    type: STATIC\n    load_assignment:\n{}",
                    indented(item, 4)
                ));
            }
            Some(whole)
        }
        "RouteConfiguration" => {
            let mut whole = "static_resources:\n  listeners:\n".to_owned();
            for (number, item) in items(text).iter().enumerate() {
                whole.push_str(&format!(
                    "  - name: listener_{number}
    address: {{socket_address: {{address: 127.0.0.1, port_value: {}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: routes
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
          route_config:
            validate_clusters: false
{}",
                    18000 + number,
                    indented(item, 10)
                ));
            }
            Some(whole)
        }
        _ => None,
    }
}

/// The items of a YAML list at the left margin, each without its dash.
fn items(text: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("- ") {
            items.push(format!("  {rest}\n"));
        } else if let Some(item) = items.last_mut() {
            item.push_str(line);
            item.push('\n');
        }
    }
    items
}

/// Every file below a folder, in order of path. A folder that does not exist has none.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    let mut looked = 0;
    while let Some(folder) = waiting.pop() {
        looked += 1;
        if looked > 10_000 {
            bail!("{} has too many folders", folder.display());
        }
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { waiting.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}
