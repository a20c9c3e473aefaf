//! `docs/public-api.txt`: what the crate `lbcheck` shows without the feature `unstable`, so that no change of it goes
//! unseen.
//!
//! It is read from the source, which rustfmt keeps in one form, and not from rustdoc's JSON, which only a nightly
//! compiler writes. Two lints of the workspace make that enough: what is `pub` can be reached, and has a comment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const HEAD: &str = "\
# What the crate `lbcheck` shows without the feature `unstable`: names that modules export, then declarations.
# Written by `cargo xtask public-api`. A line gone or changed is a change that CHANGELOG.md has to tell of.
";
const HIDDEN: &str = "#[cfg(feature = \"unstable\")]";

/// Where the list stands.
pub(crate) fn output_path() -> PathBuf {
    crate::envoy_schema::root().join("docs/public-api.txt")
}

/// The list, from the source as it stands.
pub(crate) fn generate() -> Result<String> {
    let source = crate::envoy_schema::root().join("crates/lbcheck/src");
    let mut files = Vec::new();
    gather(&source, &mut files)?;
    let mut modules = Vec::new();
    for path in files {
        let inside = path.strip_prefix(&source)?.with_extension("");
        let module = inside.to_string_lossy().replace('/', "::").replace("::mod", "");
        modules.push((if module == "lib" { String::new() } else { module }, items(&read(&path)?)));
    }
    // Parents first.
    modules.sort_by_key(|(module, _)| (module.matches("::").count(), !module.is_empty()));
    let mut lists = Lists::default();
    for (module, items) in modules {
        lists.module(&module, items);
    }
    let Lists { names, declarations, .. } = lists;
    let lines: Vec<String> = names.into_iter().chain([String::new()]).chain(declarations).collect();
    Ok(format!("{HEAD}\n{}\n", lines.join("\n")))
}

/// An item that is `pub`, on one line, without comments and bodies.
struct Item {
    /// The type whose `impl` it stands in.
    owner: Option<String>,
    text: String,
    /// Only `unstable` shows it.
    hidden: bool,
}

#[derive(Default)]
struct Lists {
    /// Modules that everybody sees.
    shown: BTreeSet<String>,
    /// Modules that only `unstable` shows.
    inside: BTreeSet<String>,
    /// What is exported from those by name.
    exported: BTreeSet<String>,
    /// What only `unstable` shows of other modules.
    withheld: BTreeSet<String>,
    names: BTreeSet<String>,
    declarations: BTreeSet<String>,
}

impl Lists {
    fn module(&mut self, module: &str, items: Vec<Item>) {
        let inside = self.inside.contains(module.split("::").next().unwrap_or_default());
        let shown = module.is_empty() || self.shown.contains(module);
        for item in items {
            if let Some(child) = item.text.strip_prefix("pub mod ") {
                let child = child.trim_end_matches(';');
                let child = if module.is_empty() { child.to_owned() } else { format!("{module}::{child}") };
                match (item.hidden, shown) {
                    (true, _) => self.inside.insert(child),
                    (false, true) => self.names.insert(child.clone()) && self.shown.insert(child),
                    (false, false) => false,
                };
                continue;
            }
            if let Some(tree) = item.text.strip_prefix("pub use ") {
                let (path, names) = exports(tree);
                if item.hidden {
                    self.withheld.extend(names);
                } else if shown {
                    if self.inside.contains(path.split("::").next().unwrap_or_default()) {
                        self.exported.extend(names.iter().cloned());
                    }
                    let full = |name: &String| {
                        if module.is_empty() { name.clone() } else { format!("{module}::{name}") }
                    };
                    self.names.extend(names.iter().map(full));
                }
                continue;
            }
            let name = item.owner.clone().unwrap_or_else(|| declared(&item.text).to_owned());
            if item.hidden || self.withheld.contains(&name) || (inside && !self.exported.contains(&name)) {
                continue;
            }
            self.declarations.insert(match item.owner {
                Some(owner) => format!("impl {owner}: {}", item.text),
                None => item.text,
            });
        }
    }
}

/// Every `pub` item of a file, tests left out.
fn items(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut owner = None;
    let mut attributes = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim();
        if code.starts_with("#[") {
            attributes.push(code);
            continue;
        }
        if code.starts_with("//") {
            continue;
        }
        let of_item = std::mem::take(&mut attributes);
        if code.starts_with("mod ") && of_item.contains(&"#[cfg(test)]") {
            break;
        }
        if line.starts_with("impl") {
            owner = implemented(line);
        } else if line == "}" {
            owner = None;
        }
        let depth = line.len() - line.trim_start().len();
        if !code.starts_with("pub ") || depth != if owner.is_some() { 4 } else { 0 } {
            continue;
        }
        let mut text = whole(code, &" ".repeat(depth), &mut lines);
        if of_item.iter().any(|attribute| attribute.contains("non_exhaustive")) {
            text.insert_str(0, "#[non_exhaustive] ");
        }
        items.push(Item { owner: owner.clone(), text, hidden: of_item.contains(&HIDDEN) });
    }
    items
}

/// The item that begins with `first`, on one line: a declaration without its body, a type with what is public of it.
fn whole<'t>(first: &str, indent: &str, lines: &mut impl Iterator<Item = &'t str>) -> String {
    let is_type = ["pub struct ", "pub enum ", "pub trait "].iter().any(|start| first.starts_with(start));
    let is_struct = first.starts_with("pub struct ");
    let is_use = first.starts_with("pub use ");
    let mut text = first.to_owned();
    let mut last = first;
    let mut in_body = false;
    loop {
        let opens = last.ends_with('{');
        let ends = if is_use { last.ends_with(';') } else { last.ends_with([';', '}']) };
        if ends || (opens && !is_type && !is_use && !in_body) {
            break;
        }
        in_body |= opens && is_type;
        let Some(next) = lines.next() else { break };
        last = next.trim();
        if in_body && next.strip_prefix(indent) == Some("}") {
            text.push_str(" }");
            break;
        }
        if in_body && last.ends_with(['}', ';', '{']) {
            // A brace or semicolon inside a type ends nothing.
            push(&mut text, last, is_struct);
            last = "";
            continue;
        }
        push(&mut text, last, is_struct && in_body);
    }
    let cut = if is_type { text.len() } else { text.find(" = ").unwrap_or(text.len()) };
    text.get(..cut).unwrap_or_default().trim_end_matches('{').trim_end().to_owned()
}

/// Adds a line that is neither comment nor attribute; of a struct only fields that are public.
fn push(text: &mut String, line: &str, only_public: bool) {
    if line.is_empty() || line.starts_with("//") || line.starts_with("#[") {
        return;
    }
    if only_public && !line.starts_with("pub ") {
        return;
    }
    text.push(' ');
    text.push_str(line);
}

/// The type that an `impl` is of; nothing for an `impl` of a trait.
fn implemented(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest.trim_start() };
    let head = rest.split(" {").next().unwrap_or_default();
    if head.contains(" for ") {
        return None;
    }
    Some(head.split(['<', ' ']).next().unwrap_or_default().to_owned())
}

/// The name that an item declares.
fn declared(text: &str) -> &str {
    let skipped =
        ["#[non_exhaustive]", "pub", "const", "static", "struct", "enum", "trait", "type", "fn", "mod"];
    let mut words = text.split([' ', '<', '(', ':', ';', '{']).filter(|word| !word.is_empty());
    words.find(|word| !skipped.contains(word)).unwrap_or_default()
}

/// The path and the names of what stands behind `pub use`.
fn exports(tree: &str) -> (&str, Vec<String>) {
    let tree = tree.trim_end_matches(';');
    let (path, names) = match tree.split_once("::{") {
        Some((path, names)) => (path, names.trim_end_matches('}')),
        None => tree.rsplit_once("::").unwrap_or(("", tree)),
    };
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    (path, names.map(|name| name.rsplit(" as ").next().unwrap_or(name).to_owned()).collect())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Every source file, by name; tests left out.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.sort_unstable();
    for path in paths {
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            gather(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_fresh() {
        let kept = std::fs::read_to_string(output_path()).unwrap();
        assert!(
            kept == generate().unwrap(),
            "the public API changed: run `cargo xtask public-api`, and read what it did"
        );
    }

    #[test]
    fn items_are_told_from_their_insides() {
        let text = "\
/// A thing.
#[derive(Clone)]
#[non_exhaustive]
pub struct Thing<'a> {
    /// Its name.
    pub name: &'a str,
    hidden: u32,
}

impl<'a> Thing<'a> {
    /// Longer than a line.
    pub fn new(
        name: &'a str,
    ) -> Self {
        Self { name, hidden: 0 }
    }

    fn private(&self) {}
}

impl Clone for Other {
    fn clone(&self) -> Self {}
}

#[cfg(feature = \"unstable\")]
pub use inner::{One, Two};
pub const LIMIT: usize = 3;
pub(crate) fn inside() {}
pub enum Kind {
    A(u8),
    B { at: u32 },
}
";
        let found: Vec<_> =
            items(text).into_iter().map(|item| (item.owner, item.text, item.hidden)).collect();
        let owned =
            |owner: Option<&str>, text: &str, hidden| (owner.map(str::to_owned), text.to_owned(), hidden);
        assert_eq!(
            found,
            [
                owned(None, "#[non_exhaustive] pub struct Thing<'a> { pub name: &'a str, }", false),
                owned(Some("Thing"), "pub fn new( name: &'a str, ) -> Self", false),
                owned(None, "pub use inner::{One, Two};", true),
                owned(None, "pub const LIMIT: usize", false),
                owned(None, "pub enum Kind { A(u8), B { at: u32 }, }", false),
            ]
        );
    }
}
