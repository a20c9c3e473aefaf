//! What the comments of Envoy's API files say and the descriptors do not: which category of extensions a field
//! takes, and which files are those of an extension.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

/// Categories that stand on a field which takes something else, or whose extensions depend on what is around.
const LOOSE: [&str; 3] =
    ["envoy.matching.common_inputs", "envoy.matching.input_matchers", "envoy.wasm.runtime"];

/// Fields whose comment says nothing, from the code that reads them.
const UNSAID: [(&str, &str, &str); 3] = [
    ("envoy.config.cluster.v3.Cluster", "transport_socket", "envoy.transport_sockets.upstream"),
    ("envoy.config.cluster.v3.Filter", "typed_config", "envoy.filters.upstream_network"),
    ("envoy.config.route.v3.RouteMatch", "path_match_policy", "envoy.path.match"),
];

/// What all comments say.
#[derive(Debug, Default)]
pub(crate) struct Comments {
    /// Category by message and field; several are separated by commas.
    pub(crate) categories: BTreeMap<(String, String), String>,
    /// Packages with a file that is marked as an extension.
    pub(crate) extensions: BTreeSet<String>,
}

/// Reads the comments of all API files below a folder.
pub(crate) fn read(folder: &Path) -> Result<Comments> {
    let mut comments = Comments::default();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                let text = std::fs::read_to_string(&path)?;
                file(&text, &mut comments);
            }
        }
    }
    for (message, field, category) in UNSAID {
        comments.categories.insert((message.to_owned(), field.to_owned()), category.to_owned());
    }
    Ok(comments)
}

/// Reads one file: statements end with `;`, blocks are counted by their braces, and the mark in a comment belongs to
/// the next field.
fn file(text: &str, comments: &mut Comments) {
    let mut package = String::new();
    let mut blocks: Vec<Option<String>> = Vec::new();
    let mut category: Option<String> = None;
    let mut extension = false;
    let mut statement = String::new();
    for line in text.lines() {
        category = mark(line, "[#extension-category: ").map(str::to_owned).or(category);
        extension |= line.contains("[#extension: ");
        let code = line.split("//").next().unwrap_or_default();
        for letter in code.chars() {
            match letter {
                '{' => {
                    let mut words = statement.split_whitespace();
                    let name = (words.next() == Some("message")).then(|| words.next()).flatten();
                    blocks.push(name.map(str::to_owned));
                    // A brace in the options of a field does not end the field.
                    if !statement.contains('=') {
                        statement.clear();
                    }
                }
                '}' => {
                    blocks.pop();
                    if !statement.contains('=') {
                        statement.clear();
                    }
                }
                ';' => {
                    if let Some(name) = statement.trim().strip_prefix("package ") {
                        name.clone_into(&mut package);
                    } else if let (Some(name), Some(found)) = (field_name(&statement), category.take()) {
                        let mut message = package.clone();
                        for block in blocks.iter().flatten() {
                            message = format!("{message}.{block}");
                        }
                        if !LOOSE.contains(&found.as_str()) {
                            comments.categories.insert((message, name.to_owned()), found);
                        }
                    }
                    statement.clear();
                }
                _ => statement.push(letter),
            }
        }
        statement.push(' ');
    }
    if extension {
        comments.extensions.insert(package);
    }
}

fn mark<'l>(line: &'l str, opening: &str) -> Option<&'l str> {
    line.split_once(opening)?.1.split(']').next()
}

/// The name in `repeated core.v3.TypedExtensionConfig formatters = 7 [...]`, if it takes an extension.
fn field_name(statement: &str) -> Option<&str> {
    let (declared, _) = statement.split_once('=')?;
    let mut words = declared.split_whitespace().rev();
    let (name, kind) = (words.next()?, words.next()?);
    let takes = ["Any", "TypedExtensionConfig", "TransportSocket", "HttpFilter", "RequestIDExtension"]
        .iter()
        .any(|known| kind.rsplit('.').next() == Some(known));
    let takes = takes || ["ThriftFilter", "SessionFilter", "ExtensionFilter"].contains(&kind);
    takes.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_belong_to_the_next_field() {
        let mut comments = Comments::default();
        let text = "package a.v3;\n// [#extension: a.b]\nmessage M {\n  message N {\n    // Say.\n    // [#extension-category: x.y]\n    repeated core.v3.TypedExtensionConfig inner = 7 [(validate.rules).any = {required: true}];\n    string other = 2;\n  }\n}\n";
        file(text, &mut comments);
        let key = ("a.v3.M.N".to_owned(), "inner".to_owned());
        assert_eq!(comments.categories, BTreeMap::from([(key, "x.y".to_owned())]));
        assert_eq!(comments.extensions, BTreeSet::from(["a.v3".to_owned()]));
    }
}
