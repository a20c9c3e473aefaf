//! The files that `map` converters read when the program starts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::syntax::Section;
use crate::load::{FileLoader, MAX_FILE_BYTES, MAX_FILES};

/// Keys and values of one file, in order.
pub(crate) type Entries = Arc<[(String, String)]>;

/// The files that could be read, by the name that the configuration gives them.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    files: BTreeMap<String, Entries>,
}

impl Maps {
    /// What a file says. `None`: it could not be read, or rules change it.
    pub(crate) fn get(&self, path: &str) -> Option<Entries> {
        self.files.get(path).cloned()
    }
}

/// Reads the files of all maps by which a backend is chosen.
pub(crate) fn load(loader: &dyn FileLoader, sections: &[Section<'_>]) -> Maps {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut changed: BTreeSet<&str> = BTreeSet::new();
    for line in sections.iter().flat_map(|section| &section.lines) {
        if line.keyword() == "use_backend" {
            wanted.extend(files_of(line.arg(1)));
        }
        for word in &line.words {
            let changes = ["set-map(", "del-map("].iter().find_map(|name| word.as_str().strip_prefix(name));
            changed.extend(changes.map(|rest| rest.trim_end_matches(')')));
        }
    }
    let readable = wanted.difference(&changed).take(MAX_FILES).filter_map(|path| {
        // With a prefix such as `virt@` it is another kind of thing.
        let content = loader.read(path).ok().filter(|_| !path.contains('@'))?;
        let text = String::from_utf8(content).ok().filter(|text| text.len() <= MAX_FILE_BYTES)?;
        Some(((*path).to_owned(), entries(&text)))
    });
    Maps { files: readable.collect() }
}

/// The files named by converters such as `map(FILE,DEFAULT)`.
fn files_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(",map").skip(1).filter_map(|rest| {
        let (kind, arguments) = rest.split_once('(')?;
        let plain = kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        arguments.split([',', ')']).next().filter(|path| plain && !path.is_empty())
    })
}

/// A key, blanks, and a value that goes on to the end of its line.
fn entries(text: &str) -> Entries {
    let blank = [' ', '\t'];
    text.split(['\n', '\r'])
        .map(|line| line.trim_matches(blank))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (key, value) = line.split_once(blank).unwrap_or((line, ""));
            (key.to_owned(), value.trim_start_matches(blank).to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_map_are_a_key_and_the_rest() {
        let read = entries("# comment\n\n  H.x va\r\nh.x\tvb  two\nh.y \t vc \nempty\nz v # no comment\n");
        let shown: Vec<String> = read.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(shown, ["H.x=va", "h.x=vb  two", "h.y=vc", "empty=", "z=v # no comment"]);
    }

    #[test]
    fn files_are_found_inside_expressions() {
        let found = |text| files_of(text).collect::<Vec<_>>();
        assert_eq!(found("%[req.hdr(host),lower,map(/etc/h.map,d)]"), ["/etc/h.map"]);
        assert_eq!(found("%[path,map_beg(p.map)]"), ["p.map"]);
        assert_eq!(found("%[path,lower]"), [""; 0]);
    }
}
