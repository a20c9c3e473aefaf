//! The patterns of `include`, matched as glob(3) matches them.

use crate::load::{FileLoader, MAX_FILES};

/// The files that match a pattern.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Matches {
    /// Sorted by byte value, as nginx reads them.
    pub(super) paths: Vec<String>,
    /// Whether the directories to search in were there.
    pub(super) listed: bool,
}

/// Expands a pattern as glob(3) does: `*`, `?` and `[…]` never match a leading dot or a slash.
pub(super) fn expand(loader: &dyn FileLoader, pattern: &str) -> Matches {
    let (root, rest) = match pattern.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", pattern),
    };
    let mut found = vec![root.to_owned()];
    let mut listed = true;
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    for (index, part) in parts.iter().enumerate() {
        let last = index + 1 == parts.len();
        let wild = part.contains(['*', '?', '[']);
        let mut next = Vec::new();
        for directory in &found {
            if !wild {
                next.push(format!("{directory}{part}{}", if last { "" } else { "/" }));
                continue;
            }
            let Ok(names) = loader.list(if directory.is_empty() { "." } else { directory }) else {
                listed = false;
                continue;
            };
            let names = names.iter().filter(|name| name_matches(part.as_bytes(), name.as_bytes()));
            next.extend(names.map(|name| format!("{directory}{name}{}", if last { "" } else { "/" })));
            if next.len() > MAX_FILES {
                break;
            }
        }
        found = next;
    }
    found.retain(|path| !loader.is_directory(path));
    found.sort();
    Matches { paths: found, listed }
}

/// Whether a path matches a pattern.
pub(super) fn path_matches(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let mut patterns = pattern.split('/');
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if name_matches(pattern.as_bytes(), part.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// Whether a file name matches one part of a pattern.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut p, mut n) = (0, 0);
    // Where to go back to: just after the last star, and the name position it then stood for.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => bracket(pattern.get(p..).unwrap_or_default(), name[n]),
            Some(b'\\') if pattern.get(p + 1) == name.get(n) => Some(2),
            Some(&byte) if byte == name[n] => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                n += 1;
            }
            (None, Some((after, from))) => {
                p = after;
                n = from + 1;
                star = Some((after, n));
            }
            (None, None) => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

/// The length of the bracket at the start of `pattern` if `byte` is in it.
fn bracket(pattern: &[u8], byte: u8) -> Option<usize> {
    let close = pattern.iter().skip(2).position(|&other| other == b']')? + 2;
    let body = pattern.get(1..close)?;
    let (negated, set) = match body {
        [b'!' | b'^', set @ ..] => (true, set),
        set => (false, set),
    };
    let mut found = false;
    let mut at = 0;
    while let Some(&low) = set.get(at) {
        match (set.get(at + 1), set.get(at + 2)) {
            (Some(b'-'), Some(&high)) => {
                found |= (low..=high).contains(&byte);
                at += 3;
            }
            _ => {
                found |= low == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_glob_does() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".a.conf", false),
            (".*.conf", ".a.conf", true),
            ("a?c", "abc", true),
            ("[a-c]*", "b9", true),
            ("[!a-c]*", "b9", false),
            ("*a*b", "xxaxxb", true),
            ("*a*b", "xxaxx", false),
            ("*", "", true),
        ] {
            assert_eq!(name_matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
