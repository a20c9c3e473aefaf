//! Secrets in YAML and JSON, by the keys that lead to them.
//!
//! This is no YAML parser: it must find the secrets of files that no parser accepts. Block style is followed by
//! indentation, flow style and JSON by brackets, both without recursion.

use std::ops::Range;

use super::name::{is_secret_header, is_secret_name};
use super::value::is_reference;

/// Keys that hold the secret itself inside an object that is a secret.
const VALUE_KEYS: &[&str] = &[
    "contains",
    "contains_match",
    "exact",
    "exact_match",
    "exactMatch",
    "inline_bytes",
    "inline_string",
    "inlineBytes",
    "inlineString",
    "key",
    "prefix",
    "raw_value",
    "rawValue",
    "suffix",
    "value",
];

/// Keys that name what a `value` beside them is: a header, mostly.
const NAMING_KEYS: &[&str] = &["key", "name", "header_name", "headerName"];

/// Names that hold a secret as a key of Envoy's, and need not elsewhere.
const SECRET_KEYS: &[&str] = &["credentials", "json_key", "jsonKey", "pkcs12", "users"];

fn is_secret_key(key: &str) -> bool {
    SECRET_KEYS.contains(&key) || is_secret_name(key)
}

/// `valu` is refused, and shown when it is.
fn is_value_key(key: &str) -> bool {
    VALUE_KEYS.contains(&key) || (key.starts_with("val") && key.len() <= "value".len() + 1)
}

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let mut scan = Scan { text, found, frames: Vec::new() };
    let mut at = 0;
    while at < text.len() {
        at = scan.line(at);
    }
}

/// An object or list that lines belong to.
struct Frame {
    indent: usize,
    /// Opened by `- `; a sibling item at the same indent closes it.
    item: bool,
    secret: bool,
}

struct Scan<'t, 'f> {
    text: &'t str,
    found: &'f mut Vec<Range<usize>>,
    frames: Vec<Frame>,
}

impl Scan<'_, '_> {
    /// Looks at the line that starts at `at` and gives the start of the next one to look at.
    fn line(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let end = at + length;
        let line = rest.get(..length).unwrap_or_default().trim_end();
        let mut column = line.len() - line.trim_start_matches(' ').len();
        let mut content = line.get(column..).unwrap_or_default();
        if content.is_empty() || content.starts_with('#') || content.starts_with("---") {
            return end;
        }
        while content == "-" || content.starts_with("- ") {
            self.close(|frame| frame.indent > column || (frame.indent == column && frame.item));
            let secret = self.secret();
            self.frames.push(Frame { indent: column, item: true, secret });
            let inner = content.get(1..).unwrap_or_default().trim_start();
            column = line.len() - inner.len();
            content = inner;
        }
        if content.starts_with(['{', '[']) {
            return self.flow(at + column, self.secret());
        }
        let Some((key, value)) = key_and_value(content) else {
            // An item of a list, or the continuation of a scalar.
            if self.secret() {
                self.push(at + column, content);
            }
            return end;
        };
        self.close(|frame| frame.indent >= column);
        let start = at + line.len() - value.len();
        self.entry(key, value, start, column, end)
    }

    /// A `key: value` whose value starts at `start`; `end` is the start of the next line.
    fn entry(&mut self, key: &str, value: &str, start: usize, column: usize, end: usize) -> usize {
        let outer = self.secret();
        let named = is_secret_key(key);
        let hidden = named || (outer && is_value_key(key));
        if NAMING_KEYS.contains(&key)
            && is_secret_header(scalar(value))
            && let Some(frame) = self.frames.last_mut()
        {
            frame.secret = true;
            return end;
        }
        if value.starts_with(['{', '[']) {
            return self.flow(start, outer || named);
        }
        self.frames.push(Frame { indent: column, item: false, secret: outer || named });
        if value.starts_with(['|', '>']) {
            return if hidden { self.block(end, column) } else { self.skip_block(end, column) };
        }
        if hidden {
            self.push(start, value);
        }
        end
    }

    /// Hides a block scalar: every line indented deeper than its key.
    fn block(&mut self, from: usize, indent: usize) -> usize {
        let to = self.skip_block(from, indent);
        self.found.push(from..to);
        to
    }

    /// The end of a block scalar, whose lines are text and not keys.
    fn skip_block(&self, from: usize, indent: usize) -> usize {
        let mut at = from;
        for line in self.text.get(from..).unwrap_or_default().split_inclusive('\n') {
            let depth = line.len() - line.trim_start_matches(' ').len();
            if !line.trim().is_empty() && depth <= indent {
                break;
            }
            at += line.len();
        }
        at
    }

    /// Goes through flow style or JSON from its opening bracket; gives where to go on.
    fn flow(&mut self, from: usize, secret: bool) -> usize {
        let text = self.text;
        let mut levels: Vec<bool> = Vec::new();
        let mut key: Option<&str> = None;
        let mut inner = secret;
        let mut at = from;
        while let Some(byte) = text.as_bytes().get(at) {
            match byte {
                b'{' | b'[' => {
                    levels.push(inner);
                    inner = inner || key.is_some_and(is_secret_key);
                    key = None;
                    at += 1;
                }
                b'}' | b']' => {
                    inner = levels.pop().unwrap_or(secret);
                    key = None;
                    at += 1;
                    if levels.is_empty() {
                        break;
                    }
                }
                b',' => {
                    key = None;
                    at += 1;
                }
                byte if byte.is_ascii_whitespace() || *byte == b':' => at += 1,
                _ => {
                    let token = token(text, at);
                    let word = text.get(token.inner.clone()).unwrap_or_default();
                    at = token.end.max(at + 1);
                    if token.is_key {
                        key = Some(word);
                        continue;
                    }
                    if key.is_some_and(|key| NAMING_KEYS.contains(&key)) && is_secret_header(word) {
                        inner = true;
                        continue;
                    }
                    let hidden = match key {
                        Some(key) => is_secret_key(key) || (inner && is_value_key(key)),
                        None => inner,
                    };
                    if hidden {
                        self.push(token.inner.start, word);
                    }
                }
            }
        }
        let rest = text.get(at..).unwrap_or_default();
        at + rest.find('\n').map_or(rest.len(), |end| end + 1)
    }

    fn close(&mut self, ends: impl Fn(&Frame) -> bool) {
        while self.frames.last().is_some_and(&ends) {
            self.frames.pop();
        }
    }

    fn secret(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.secret)
    }

    /// Hides a scalar that starts at `start`, without its quotes and without a comment behind it.
    fn push(&mut self, start: usize, value: &str) {
        let inner = scalar(value);
        if inner.is_empty() || is_reference(inner) {
            return;
        }
        let from = start + value.find(inner).unwrap_or(0);
        self.found.push(from..from + inner.len());
    }
}

/// The key of a line and what stands behind its colon.
fn key_and_value(content: &str) -> Option<(&str, &str)> {
    let (key, behind) = match content.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let (key, behind) = content.get(1..)?.split_once(quote)?;
            (key, behind.trim_start().strip_prefix(':')?)
        }
        _ => {
            let at = content
                .match_indices(':')
                .map(|(at, _)| at)
                .find(|at| content.as_bytes().get(at + 1).is_none_or(u8::is_ascii_whitespace))?;
            (content.get(..at)?, content.get(at + 1..)?)
        }
    };
    let value = behind.trim_start();
    // Anchors and tags stand before the value.
    let plain = value.trim_start_matches(|letter: char| !letter.is_whitespace());
    let value = if value.starts_with(['&', '!']) { plain.trim_start() } else { value };
    let value = if value.starts_with('#') { "" } else { value };
    Some((key.trim(), value))
}

/// A scalar without quotes and without the comment behind it.
fn scalar(value: &str) -> &str {
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let inner = value.get(1..).unwrap_or_default();
            inner.rfind(quote).and_then(|end| inner.get(..end)).unwrap_or(inner)
        }
        _ => value.split(" #").next().unwrap_or(value).trim_end(),
    }
}

struct Token {
    /// Without quotes.
    inner: Range<usize>,
    end: usize,
    is_key: bool,
}

/// The string or bare word that starts at `at`.
fn token(text: &str, at: usize) -> Token {
    let bytes = text.as_bytes();
    let first = bytes.get(at).copied().unwrap_or(b' ');
    let (inner, end) = if matches!(first, b'"' | b'\'') {
        let mut end = at + 1;
        while let Some(&byte) = bytes.get(end) {
            match byte {
                b'\\' if first == b'"' => end += 1,
                byte if byte == first => break,
                _ => {}
            }
            end += 1;
        }
        let close = end.min(bytes.len());
        (at + 1..close.max(at + 1), (close + 1).min(bytes.len()))
    } else {
        let mut end = at;
        while let Some(&byte) = bytes.get(end) {
            let colon = byte == b':' && bytes.get(end + 1).is_none_or(u8::is_ascii_whitespace);
            if colon || matches!(byte, b',' | b'{' | b'}' | b'[' | b']' | b'\n') {
                break;
            }
            end += 1;
        }
        let word = text.get(at..end).unwrap_or_default().trim_end();
        (at..at + word.len(), end)
    };
    let behind = text.get(end..).unwrap_or_default();
    let is_key = behind.bytes().find(|byte| !byte.is_ascii_whitespace()) == Some(b':');
    Token { inner, end, is_key }
}
