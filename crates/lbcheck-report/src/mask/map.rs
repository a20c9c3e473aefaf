//! The keys of nginx's `map` from something secret.

use std::ops::Range;

use super::name::is_secret_fetch;
use super::value::{self, is_reference};

/// Which keys of a map are secrets.
#[derive(Clone, Copy)]
pub(super) enum Keys {
    /// What is compared with a password is one.
    All,
    /// A cookie may hold a session, or one of a few words such as `canary`.
    NotPlain,
}

impl Keys {
    /// The keys of a map from `source`; `None` where they are no secrets.
    pub(super) fn of(source: &str) -> Option<Self> {
        const SESSIONS: &[&str] = &["auth", "jwt", "session", "sid"];
        if is_secret_fetch(source) {
            return Some(Self::All);
        }
        let cookie = source.strip_prefix("$cookie_")?.to_ascii_lowercase();
        let session = SESSIONS.iter().any(|part| cookie.contains(part));
        Some(if session { Self::All } else { Self::NotPlain })
    }

    fn hide(self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::NotPlain => !value::is_plain(key) && key.len() >= value::SHORTEST && !key.starts_with('~'),
        }
    }
}

/// Finds the keys of the map whose head starts before `from`; gives where its block ends.
pub(super) fn find(text: &str, from: usize, keys: Keys, found: &mut Vec<Range<usize>>) -> usize {
    let bytes = text.as_bytes();
    let Some(open) = text.get(from..).and_then(|rest| rest.find(['{', ';'])) else { return text.len() };
    let mut at = from + open;
    if bytes.get(at) == Some(&b';') {
        return at;
    }
    at += 1;
    let mut first = true;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'}' => break,
            b';' => {
                first = true;
                at += 1;
            }
            b'#' => at += text.get(at..).and_then(|rest| rest.find('\n')).unwrap_or(text.len() - at),
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                let (inner, end) = word(bytes, at);
                let key = text.get(inner.clone()).unwrap_or_default();
                let special = matches!(key, "default" | "include" | "volatile" | "hostnames");
                if std::mem::take(&mut first) && !special && !is_reference(key) && keys.hide(key) {
                    found.push(inner);
                }
                at = end;
            }
        }
    }
    at
}

/// The word at `at` without its quotes, and where it ends.
fn word(bytes: &[u8], at: usize) -> (Range<usize>, usize) {
    let quote = bytes.get(at).copied().filter(|first| matches!(first, b'"' | b'\''));
    let start = at + usize::from(quote.is_some());
    let mut end = start;
    while let Some(&byte) = bytes.get(end) {
        let closes = match quote {
            Some(quote) => byte == quote,
            None => byte.is_ascii_whitespace() || byte == b';',
        };
        if closes {
            break;
        }
        end += if byte == b'\\' { 2 } else { 1 };
    }
    let end = end.min(bytes.len());
    (start..end, (end + usize::from(quote.is_some())).max(at + 1).min(bytes.len()))
}
