//! The order of the rooms: who may import whom. The list of layers in ARCHITECTURE.md is the data of this test.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use crate::support;

/// Rooms in which files still import each other in a circle. To be emptied.
const OPEN: &[&str] = &["nginx"];

/// Imports from a higher layer that still stand. To be emptied.
const UPWARDS: &[&str] = &[];

/// A module as the names that lead to it: `["rules", "sink"]`; the crate itself is empty.
type Module = Vec<String>;

/// What each file imports.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn a_file_imports_only_from_its_own_layer_and_lower_ones() {
    let layers = layers();
    let rank = |module: &Module| room(module).and_then(|room| layers.get(room).copied());
    let mut wrong = Vec::new();
    for (file, imported) in imports() {
        let Some(own) = room(&file) else { continue };
        let Some(height) = rank(&file) else {
            wrong.push(format!("`{own}` stands in no layer"));
            continue;
        };
        for other in imported.iter().filter(|other| rank(other) > Some(height)) {
            wrong.push(format!("{} imports {}", file.join("::"), other.join("::")));
        }
    }
    wrong.dedup();
    assert_eq!(wrong, UPWARDS, "imports against the layers of ARCHITECTURE.md");
    let rooms: BTreeSet<String> = imports().into_keys().filter_map(|file| file.first().cloned()).collect();
    let gone: Vec<&String> = layers.keys().filter(|room| !rooms.contains(*room)).collect();
    assert!(gone.is_empty(), "layers name modules that are not there: {gone:?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = circles(&imports());
    let rooms: BTreeSet<&str> = circles.iter().flatten().filter_map(|file| room(file)).collect();
    assert_eq!(rooms, OPEN.iter().copied().collect(), "circles of imports:\n{}", shown(&circles));
}

/// The head of a folder is set aside between files, but not between rooms.
#[test]
fn no_rooms_import_each_other_in_a_circle() {
    let mut rooms = Imports::new();
    for (file, imported) in imports() {
        let others = imported.iter().filter(|other| room(other) != room(&file));
        rooms
            .entry(file.iter().take(1).cloned().collect())
            .or_default()
            .extend(others.map(|other| other.iter().take(1).cloned().collect()));
    }
    let circles = circles(&rooms);
    assert!(circles.is_empty(), "circles of rooms:\n{}", shown(&circles));
}

#[test]
fn imports_are_read_as_the_compiler_reads_them() {
    let files = ["", "a", "a::b", "a::b::c", "a::d", "x", "x::y"];
    let files: BTreeSet<Module> = files.iter().map(|file| module(file)).collect();
    let read = |at: &str, text: &str| -> Vec<String> {
        imported(&module(at), text, &files).iter().map(|module| module.join("::")).collect()
    };
    assert_eq!(read("a::d", "use crate::x::{self, y::{Some, Thing}};"), ["x", "x::y"]);
    assert_eq!(read("a::d", "pub(crate) use super::b::Thing;"), ["a::b"]);
    assert_eq!(read("a::b::c", "let it = super::super::d::make();\ncrate::x::y()"), ["a::d", "x::y"]);
    assert_eq!(read("a::b::c", "use super::{Own, super::d};"), ["a::d"]);
    assert!(read("x::y", "// use crate::a;\n/// [`crate::a::b`]\n").is_empty());
    assert!(read("x", "#[cfg(test)]\nmod tests {\n    use crate::a;\n}\n#[cfg(test)]\nmod y;\n").is_empty());
    // A folder and its head know each other.
    assert!(read("a::b::c", "use super::Thing;\nuse crate::a::Other;").is_empty());
    assert!(read("a", "mod b;\npub use crate::a::b::Thing;").is_empty());
}

#[test]
fn circles_are_found() {
    let edge = |(from, to): (&str, &[&str])| (module(from), to.iter().map(|to| module(to)).collect());
    let imports: Imports =
        [("a", &["b"][..]), ("b", &["c"]), ("c", &["a", "d"]), ("d", &[]), ("e", &["a"])].map(edge).into();
    assert_eq!(circles(&imports), [["a", "b", "c"].map(module).to_vec()]);
}

/// The room that a file stands in: the outermost module.
fn room(file: &Module) -> Option<&str> {
    file.first().map(String::as_str)
}

fn shown(circles: &[Vec<Module>]) -> String {
    let names =
        |circle: &Vec<Module>| circle.iter().map(|file| file.join("::")).collect::<Vec<_>>().join(", ");
    circles.iter().map(names).collect::<Vec<_>>().join("\n")
}

fn module(name: &str) -> Module {
    name.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The layer of each module of the crate, lowest first, as ARCHITECTURE.md lists them.
fn layers() -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(support::root().join("ARCHITECTURE.md")).unwrap();
    let (_, rest) = text.split_once("```layers\n").expect("ARCHITECTURE.md lists the layers");
    let (list, _) = rest.split_once("```").expect("the list of layers ends");
    let mut layers = BTreeMap::new();
    for (height, line) in list.lines().enumerate() {
        for room in line.split_whitespace() {
            assert_eq!(layers.insert(room.to_owned(), height), None, "`{room}` stands in two layers");
        }
    }
    layers
}

fn imports() -> Imports {
    let root = support::root().join("crates/lbcheck/src");
    let mut texts = BTreeMap::new();
    let mut folders = VecDeque::from([root.clone()]);
    while let Some(folder) = folders.pop_front() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push_back(path);
            } else if let Some(file) = module_of(path.strip_prefix(&root).unwrap()) {
                texts.insert(file, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let files: BTreeSet<Module> = texts.keys().cloned().collect();
    texts.into_iter().map(|(file, text)| (file.clone(), imported(&file, &text, &files))).collect()
}

/// The module that a file holds; `None` for tests and what is no Rust.
fn module_of(path: &Path) -> Option<Module> {
    let mut names: Module =
        path.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod" || name == "lib") {
        names.pop();
    }
    let rust = path.extension().is_some_and(|extension| extension == "rs");
    (rust && !names.iter().any(|name| name == "tests")).then_some(names)
}

/// The files that `text`, of the file `own`, imports from. The heads of the folders it stands in do not count, nor what
/// stands in the folder that it is the head of.
fn imported(own: &Module, text: &str, files: &BTreeSet<Module>) -> BTreeSet<Module> {
    let code = code(text);
    let mut found = BTreeSet::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            // The second of two `super` belongs to the path of the first.
            if !code[..at]
                .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
            {
                paths(&code[at..], own, &mut found);
            }
        }
    }
    let file_of = |path: Module| {
        (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|it| files.contains(it))
    };
    found
        .into_iter()
        .filter_map(file_of)
        .filter(|file| !own.starts_with(file) && !file.starts_with(own))
        .collect()
}

/// Every path that begins `text`, groups in braces resolved.
fn paths(text: &str, own: &Module, found: &mut BTreeSet<Module>) {
    let mut path: Module = own.clone();
    let mut groups: Vec<Module> = Vec::new();
    let mut rest = text;
    loop {
        let length =
            rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        match word {
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" | "" => {}
            name => path.push(name.to_owned()),
        }
        rest = after.strip_prefix('*').unwrap_or(after);
        if let Some(more) = rest.strip_prefix("::") {
            rest = more;
            if let Some(inner) = rest.strip_prefix('{') {
                groups.push(path.clone());
                rest = inner.trim_start();
            }
            continue;
        }
        found.insert(path.clone());
        rest = rest.trim_start();
        loop {
            let Some(group) = groups.last() else { return };
            path.clone_from(group);
            if let Some(more) = rest.strip_prefix(',') {
                rest = more.trim_start();
            } else if let Some(more) = rest.strip_prefix('}') {
                groups.pop();
                rest = more.trim_start();
            } else if let Some(more) = rest.strip_prefix("as ") {
                rest = more
                    .trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_')
                    .trim_start();
            } else {
                break;
            }
        }
        if !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == '*') {
            return;
        }
    }
}

/// The text without comments and without what is only compiled for tests. Trusts the layout of rustfmt: what an
/// attribute begins ends with a semicolon on its line or a brace below the attribute.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        if bare.starts_with("#[cfg(test)]") {
            let end = format!("{}}}", &line[..line.len() - bare.len()]);
            let mut item = lines.by_ref().skip_while(|line| line.trim_start().starts_with("#["));
            if item.next().is_some_and(|first| !first.ends_with([';', '}'])) {
                let _ = item.find(|line| *line == end);
            }
            continue;
        }
        let kept = if bare.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) };
        code.push_str(kept);
        code.push('\n');
    }
    code
}

/// The groups of files of which each imports each, by way of others or directly.
fn circles(imports: &Imports) -> Vec<Vec<Module>> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = imports
        .keys()
        .map(|file| {
            let mut reached = BTreeSet::new();
            let mut waiting = vec![file];
            while let Some(next) = waiting.pop() {
                waiting
                    .extend(imports.get(next).into_iter().flatten().filter(|&other| reached.insert(other)));
            }
            (file, reached)
        })
        .collect();
    let mutual = |file: &Module, other: &Module| reach[file].contains(other) && reach[other].contains(file);
    let mut circles: Vec<Vec<Module>> = Vec::new();
    for file in imports.keys().filter(|file| reach[file].contains(file)) {
        match circles.iter_mut().find(|circle| mutual(&circle[0], file)) {
            Some(circle) => circle.push(file.clone()),
            None => circles.push(vec![file.clone()]),
        }
    }
    circles
}
