//! Secrets in sentences. A message says in its own order what stands in the file, so its secrets are found by value;
//! but stars in place of an ordinary word would tell everybody that the word is the secret.

use std::collections::BTreeSet;
use std::ops::Range;

use super::HIDDEN;

/// A shorter secret is too likely to be a part of the sentence.
pub(super) const SHORTEST: usize = 6;

/// How far before a secret its line is compared.
const CONTEXT: usize = 64;

/// Whether it has the form of an ordinary word: nothing but letters, capitals at its beginning at most.
pub(super) fn is_plain(word: &str) -> bool {
    word.chars().all(char::is_alphabetic) && !word.chars().skip(1).any(char::is_uppercase)
}

/// The secrets that are plain words and stand in the same file as such words, too.
pub(super) fn ordinary(text: &str, secrets: &[Range<usize>]) -> BTreeSet<String> {
    let mut plain = BTreeSet::new();
    for secret in secrets {
        plain.extend(pieces(text.get(secret.clone()).unwrap_or_default()).filter(|piece| is_plain(piece)));
    }
    let mut ordinary = BTreeSet::new();
    if plain.is_empty() {
        return ordinary;
    }
    let mut from = 0;
    for end in secrets
        .iter()
        .map(|secret| secret.start)
        .chain([text.len()])
        .zip(secrets.iter().map(|secret| secret.end).chain([text.len()]))
    {
        let between = text.get(from..end.0).unwrap_or_default();
        let words = between.split(|letter| !of_word(letter)).filter(|word| plain.contains(word));
        ordinary.extend(words.map(str::to_owned));
        from = end.1;
    }
    ordinary
}

/// `said` without the secret that stands at `secret` in `text`; `None` where it does not say it.
pub(super) fn hide(
    said: &str,
    text: &str,
    secret: &Range<usize>,
    ordinary: &BTreeSet<String>,
) -> Option<String> {
    let value = text.get(secret.clone())?;
    let mut hidden = with_context(said, text, secret);
    for piece in pieces(value) {
        let plain = is_plain(piece);
        if plain && ordinary.contains(piece) {
            continue;
        }
        let current = hidden.as_deref().unwrap_or(said);
        if let Some(next) = replaced(current, piece, plain) {
            hidden = Some(next);
        }
    }
    hidden
}

/// The secret as a whole and the words of it, as far as they are long enough.
fn pieces(value: &str) -> impl Iterator<Item = &str> {
    let whole = value.trim();
    let is_edge = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '\\' | '(' | ')');
    let parts = whole.split(is_edge).filter(move |part| part.len() < whole.len());
    [whole].into_iter().chain(parts).filter(|piece| piece.chars().count() >= SHORTEST)
}

/// What stands before a secret tells it apart from a word like it, however short it is.
fn with_context(said: &str, text: &str, secret: &Range<usize>) -> Option<String> {
    let value = text.get(secret.clone())?;
    // Most secrets near a place are not spoken of.
    if !said.contains(value) {
        return None;
    }
    let mut start = secret.start.saturating_sub(CONTEXT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let before = text.get(start..secret.start)?;
    let before = before.rsplit('\n').next().unwrap_or_default();
    let word = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
    let from = secret.start - before.len() + before.rfind(word)?;
    let lead = text.get(from..secret.start)?;
    if value.trim().is_empty() || lead.chars().count() < 3 {
        return None;
    }
    let both = text.get(from..secret.end)?;
    said.contains(both).then(|| said.replace(both, &format!("{lead}{HIDDEN}")))
}

/// `said` with `piece` replaced, however it is capitalized, where it is a whole word; a plain one only within quotes.
fn replaced(said: &str, piece: &str, plain: bool) -> Option<String> {
    let mut shown = String::new();
    let mut from = 0;
    let mut quoted = false;
    if piece.len() > said.len() {
        return None;
    }
    // nginx compares the keys of a map in small letters, and says them so. Byte offsets stay.
    let (lower, sought) = (said.to_ascii_lowercase(), piece.to_ascii_lowercase());
    for (at, _) in lower.match_indices(&sought) {
        let between = said.get(from..at)?;
        let end = at + piece.len();
        let quotes = between.matches(['`', '"']).count();
        quoted ^= quotes % 2 == 1;
        shown.push_str(between);
        let joined = |outer: Option<char>, inner: Option<char>| {
            outer.is_some_and(of_word) && inner.is_some_and(of_word)
        };
        let part = joined(said.get(..at)?.chars().next_back(), piece.chars().next())
            || joined(said.get(end..)?.chars().next(), piece.chars().next_back());
        shown.push_str(if part || (plain && !quoted) { said.get(at..end)? } else { HIDDEN });
        quoted ^= piece.matches(['`', '"']).count() % 2 == 1;
        from = end;
    }
    if from == 0 {
        return None;
    }
    shown.push_str(said.get(from..)?);
    Some(shown)
}

fn of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether a value is plainly no secret itself: a variable, an expression or a template hole, or a switch.
pub(super) fn is_reference(value: &str) -> bool {
    const SWITCHES: &[&str] =
        &["on", "off", "true", "false", "yes", "no", "none", "null", "{", "}", "|", ">"];
    // `$5$salt$hash` is a password, `${PREFIX}hunter2` more than a variable.
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let within = |open: &str, close: &str| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    SWITCHES.contains(&value)
        || value.strip_prefix('$').is_some_and(is_name)
        || within("${", "}").is_some_and(is_name)
        || within("%[", "]").is_some_and(|inner| !inner.contains(']'))
        || within("{{", "}}").is_some_and(|inner| !inner.contains("}}"))
}
