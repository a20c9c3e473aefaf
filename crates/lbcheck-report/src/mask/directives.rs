//! Secrets in HAProxy and nginx, word by word: both put a name before its value.

use std::ops::Range;

use super::map;
use super::name::{is_secret_fetch, is_secret_header, is_secret_name};
use super::value::is_reference;

/// What ends a directive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// The line (HAProxy): a semicolon is part of a word.
    Line,
    /// A semicolon (nginx).
    Semicolon,
}

pub(super) fn find(text: &str, ends: Ends, found: &mut Vec<Range<usize>>) {
    let mut start = 0;
    // Up to where the keys of a map were taken already.
    let mut mapped = 0;
    // Whether the value of a name is on the next line.
    let mut open = false;
    for line in text.split_inclusive('\n') {
        let words = split(line, ends);
        for (index, word) in words.iter().enumerate() {
            if word.text(line) != "map" || start + word.0.start < mapped {
                continue;
            }
            let source = words.get(index + 1).map(|source| source.text(line)).unwrap_or_default();
            if let Some(keys) = map::Keys::of(source) {
                mapped = map::find(text, start + word.0.end, keys, found);
            }
        }
        if let Some(first) = words.first() {
            let value = open && !first.text(line).starts_with(['#', '{', '}']);
            if value && !is_reference(first.text(line)) {
                found.push(first.shifted(start));
            }
            let last = words.last().map(|last| last.text(line)).unwrap_or_default();
            let closed = line.trim_end().ends_with(';');
            open = ends == Ends::Semicolon && !closed && is_secret_header(last.trim_start_matches('$'));
        }
        line_of_words(line, &words, start, found);
        code(line, start, found);
        start += line.len();
    }
}

/// What may stand after `stats` in HAProxy, without `auth`.
const STATS: [&str; 16] = [
    "admin",
    "bind-process",
    "enable",
    "hide-version",
    "http-request",
    "maxconn",
    "realm",
    "refresh",
    "scope",
    "show-desc",
    "show-legends",
    "show-modules",
    "show-node",
    "socket",
    "timeout",
    "uri",
];

/// A word of a line, without its quotes.
#[derive(Clone)]
struct Word(Range<usize>);

impl Word {
    fn text<'t>(&self, line: &'t str) -> &'t str {
        line.get(self.0.clone()).unwrap_or_default()
    }

    fn shifted(&self, by: usize) -> Range<usize> {
        self.0.start + by..self.0.end + by
    }

    /// The part from byte `at` of the word on.
    fn from(&self, at: usize) -> Self {
        Self((self.0.start + at).min(self.0.end)..self.0.end)
    }
}

/// The words of a line: quotes and backslashes keep blanks inside.
fn split(line: &str, ends: Ends) -> Vec<Word> {
    let bytes = line.as_bytes();
    let closes = |byte: u8| byte == b';' && ends == Ends::Semicolon;
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_whitespace() || closes(byte) {
            at += 1;
            continue;
        }
        let start = at;
        let mut quote = None;
        while let Some(&byte) = bytes.get(at) {
            match quote {
                _ if byte == b'\\' && quote != Some(b'\'') => at += 1,
                Some(open) if byte == open => quote = None,
                Some(_) => {}
                None if byte == b'"' || byte == b'\'' => quote = Some(byte),
                None if byte.is_ascii_whitespace() || closes(byte) => break,
                None => {}
            }
            at += 1;
        }
        let end = at.min(bytes.len());
        words.push(Word(unquoted(bytes, start, end)));
    }
    words
}

/// The range without quotes around it and without the line ending that an open quote swallows.
fn unquoted(bytes: &[u8], mut start: usize, mut end: usize) -> Range<usize> {
    let newline = |byte: &u8| matches!(byte, b'\n' | b'\r');
    while end > start && bytes.get(end - 1).is_some_and(newline) {
        end -= 1;
    }
    let first = bytes.get(start).copied();
    if matches!(first, Some(b'"' | b'\'')) {
        // A script closes a call or goes on in a list.
        let mut text = end;
        while text > start + 1 && bytes.get(text - 1).is_some_and(|byte| b",)]}".contains(byte)) {
            text -= 1;
        }
        if text > start + 1 && bytes.get(text - 1).copied() == first {
            end = text;
        }
        start += 1;
        if end > start && bytes.get(end - 1).copied() == first {
            end -= 1;
        }
    }
    start.min(end)..end
}

fn line_of_words(line: &str, words: &[Word], base: usize, found: &mut Vec<Range<usize>>) {
    let word = |index: usize| words.get(index).map(|word| word.text(line)).unwrap_or_default();
    let mut push = |secret: &Word| {
        if !is_reference(secret.text(line)) {
            found.push(secret.shifted(base));
        }
    };
    // Up to which word all was looked at on behalf of one before it.
    let mut taken = 0;
    for (index, this) in words.iter().enumerate() {
        let text = this.text(line);
        for part in inside(text) {
            push(&this.from(part.start).until(part.end - part.start));
        }
        let name = text.trim_start_matches('#').trim_end_matches(':');
        let behind = words.get(index + 1..).unwrap_or_default();
        if index >= taken && holds_passwords(name) {
            // Each is one, but for the paths of files that hold them.
            let arguments = statement(line, this, behind);
            let is_file =
                |argument: &&Word| name.ends_with("_file") && argument.text(line).contains(['/', '.']);
            arguments.iter().filter(|argument| !is_file(argument)).for_each(&mut push);
            taken = index + arguments.len();
        } else if name == "agent-send" {
            words.get(index + 1).into_iter().for_each(&mut push);
        } else if name == "auth" && index > 0 && word(index - 1).trim_start_matches('#') == "stats" {
            // The user's name may be seen, and tells which line is meant.
            if let Some(next) = words.get(index + 1) {
                push(&next.from(next.text(line).find(':').map_or(0, |at| at + 1)));
            }
        } else if index == 1 && word(0).trim_start_matches('#') == "stats" && !STATS.contains(&name) {
            // A misspelt `auth` is an unknown word, and its line is shown.
            if let Some(next) = words.get(2) {
                push(&next.from(next.text(line).find(':').map_or(0, |at| at + 1)));
            }
        } else if is_secret_fetch(name) {
            if index >= taken {
                let condition = condition(line, behind);
                compared(line, condition).for_each(&mut push);
                taken = index + condition.len();
            }
        } else if is_secret_header(name) || (name == "Cookie" && index > 0 && sets_header(word(index - 1))) {
            // In a script the value comes behind a sign.
            let is_sign =
                |word: &&Word| matches!(word.text(line), "=" | "==" | "~=" | "!=" | ":" | "=>" | "..");
            let mut values = arguments(line, this, behind).skip_while(is_sign);
            let Some(next) = values.next() else { continue };
            push(next);
            if is_scheme(next.text(line))
                && let Some(credentials) = values.next()
            {
                push(credentials);
            }
        }
    }
}

impl Word {
    fn until(&self, length: usize) -> Self {
        Self(self.0.start..(self.0.start + length).min(self.0.end))
    }
}

/// Secrets inside one word: `password=…`, `Authorization:\ Basic\ …`, `AUTH\ …`.
fn inside(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    if let Some((name, value)) = text.split_once('=')
        && is_secret_name(name)
        && !is_reference(value)
    {
        parts.push(name.len() + 1..text.len());
    }
    let lower = text.to_ascii_lowercase();
    if let Some(at) = lower.find("authorization:") {
        parts.push(at + "authorization:".len()..text.len());
    }
    if lower.starts_with("auth\\ ") || lower.starts_with("auth ") {
        parts.push("auth ".len()..text.len());
    }
    parts
}

/// Secrets in scripts: a quoted text behind a secret name, as in `api_key = "…"`, `"x-api-key": "…"` and
/// `set_header("Authorization", "…")`.
fn code(line: &str, base: usize, found: &mut Vec<Range<usize>>) {
    let bytes = line.as_bytes();
    // The name that the next text may be the value of, and where it ends.
    let mut name: Option<Range<usize>> = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                let open = at + 1;
                at = open;
                while let Some(&inner) = bytes.get(at)
                    && inner != byte
                {
                    at += if inner == b'\\' { 2 } else { 1 };
                }
                let text = open..at.min(bytes.len());
                at += 1;
                let value = line.get(text.clone()).unwrap_or_default();
                if let Some(name) = name.take()
                    && joins(line.get(name.end..open - 1).unwrap_or_default())
                    && !is_reference(value)
                    && is_secret_header(line.get(name).unwrap_or_default())
                {
                    found.push(base + text.start..base + text.end);
                }
                name = Some(text);
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {
                let start = at;
                while bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                    at += 1;
                }
                name = Some(start..at);
            }
            _ => at += 1,
        }
    }
}

/// Whether a script may have this between a name and its value.
fn joins(between: &str) -> bool {
    between.contains([',', '=', ':'])
        && between.bytes().all(|byte| byte.is_ascii_whitespace() || b"\"',=:~!>()[]".contains(&byte))
}

/// Whether a directive of nginx takes passwords or files of them: `ssl_password_file`, `auth_basic_user_file`.
fn holds_passwords(name: &str) -> bool {
    name == "auth_basic_user_file" || name.contains("_password")
}

/// The words up to the end of the condition.
fn condition<'w>(line: &str, words: &'w [Word]) -> &'w [Word] {
    let ends = |word: &Word| matches!(word.text(line), "if" | "unless" | "}" | "{" | "||" | "or");
    let end = words.iter().position(ends).unwrap_or(words.len());
    words.get(..end).unwrap_or_default()
}

/// The words behind a directive up to its `;`.
fn statement<'w>(line: &str, head: &Word, words: &'w [Word]) -> &'w [Word] {
    let end = arguments(line, head, words).count();
    words.get(..end).unwrap_or_default()
}

/// The same one by one: most who ask want the first.
fn arguments<'w>(line: &'w str, head: &Word, words: &'w [Word]) -> impl Iterator<Item = &'w Word> {
    let mut from = head.0.end;
    words.iter().take_while(move |word| {
        let between = line.get(from..word.0.start).unwrap_or_default();
        from = word.0.end;
        let ends = between.contains(';') || matches!(word.text(line), "{" | "}");
        !ends && !word.text(line).starts_with('#')
    })
}

/// The values that a fetch is compared with, without flags and their arguments.
fn compared<'w>(line: &'w str, words: &'w [Word]) -> impl Iterator<Item = &'w Word> {
    let mut skip = false;
    words.iter().filter(move |word| {
        let text = word.text(line);
        let argument = std::mem::replace(&mut skip, matches!(text, "-m" | "-f"));
        let operator = matches!(text, "=" | "!=" | "~" | "~*" | "!~" | "!~*");
        !argument && !operator && !text.starts_with('-')
    })
}

/// Whether a word sets the header that the next one names.
fn sets_header(word: &str) -> bool {
    matches!(
        word,
        "proxy_set_header" | "grpc_set_header" | "add_header" | "set-header" | "add-header" | "hdr"
    )
}

/// Whether a word is only the scheme of credentials that follow it.
fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "digest", "token", "negotiate", "apikey"]
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}
