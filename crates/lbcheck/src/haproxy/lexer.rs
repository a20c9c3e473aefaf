//! Words, exactly as HAProxy cuts them.
//!
//! A line is a list of words between blanks. Quotes may stand anywhere inside a word; `#` opens a comment anywhere
//! outside quotes, even inside a word; variables are replaced only inside double quotes. Where a word ends does not
//! depend on any variable, so [`tokens`] needs no environment; only [`lex_line`], which gives decoded values, does.

use std::borrow::Cow;

use super::environment::{Environment, MAX_WORD};
use crate::source::{FileId, Span};

/// Most words of one line; the program refuses longer ones.
pub(crate) const MAX_WORDS: usize = 64;

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A word, quotes and escapes included.
    Word,
    /// Blanks between words.
    Blank,
    /// A comment from its `#` up to the end of the line.
    Comment,
    /// What follows a carriage return inside a line, or a NUL: the program does not look at it.
    Ignored,
    /// The end of a line, `\n` or `\r\n`.
    Newline,
}

/// A piece of the input. The bytes of all tokens, in order, are the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Cuts any bytes into tokens without losing one.
#[must_use]
pub fn tokens(bytes: &[u8]) -> Vec<Token<'_>> {
    let mut all = Vec::with_capacity(bytes.len() / 4 + 1);
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = next_piece(bytes, at);
        // A piece is never empty, so the loop ends.
        let end = end.max(at + 1).min(bytes.len());
        all.push(Token { kind, bytes: bytes.get(at..end).unwrap_or_default() });
        at = end;
    }
    all
}

fn next_piece(bytes: &[u8], at: usize) -> (TokenKind, usize) {
    match byte_at(bytes, at) {
        b'\n' => (TokenKind::Newline, at + 1),
        b'\r' if byte_at(bytes, at + 1) == b'\n' => (TokenKind::Newline, at + 2),
        b'\r' | 0 => (TokenKind::Ignored, line_end(bytes, at)),
        b'#' => (TokenKind::Comment, line_end(bytes, at)),
        byte if is_blank(byte) => {
            let mut end = at;
            while end < bytes.len() && is_blank(byte_at(bytes, end)) {
                end += 1;
            }
            (TokenKind::Blank, end)
        }
        _ => (TokenKind::Word, scan_word(bytes, at).end),
    }
}

/// A word of a line.
#[derive(Clone, Debug)]
pub(crate) struct Word<'a> {
    /// The value, quotes and escapes resolved and variables replaced; as written where a variable is not set.
    pub(crate) text: Cow<'a, str>,
    /// Where it is written, quotes included.
    pub(crate) span: Span,
    /// Whether part of the value comes from a variable that is not set and has no default.
    pub(crate) unset: bool,
    /// For words that may hold an address: the value after the second, address-only replacement of variables.
    pub(crate) address: Option<Box<str>>,
}

impl Word<'_> {
    /// The value.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The span of a part of the value; of the whole word where quotes or variables hide its place.
    pub(crate) fn part(&self, range: std::ops::Range<usize>) -> Span {
        let start = self.span.start as usize;
        let plain =
            matches!(self.text, Cow::Borrowed(_)) && range.start <= range.end && range.end <= self.text.len();
        if plain { Span::new(self.span.file, start + range.start, start + range.end) } else { self.span }
    }

    /// The value as an address: with variables replaced that stand outside quotes.
    pub(crate) fn address_text(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.text)
    }
}

/// The words with one blank between them.
pub(crate) fn joined(words: &[Word<'_>]) -> String {
    words.iter().map(Word::as_str).collect::<Vec<_>>().join(" ")
}

/// Why a line cannot be cut into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LexError {
    /// A quote is not closed on its line.
    UnmatchedQuote,
    /// `${` without `}` on its line.
    UnmatchedBrace,
    /// `\x` without two hexadecimal digits.
    BadHex,
    /// `$` inside double quotes, not followed by a name.
    BadVariable,
    /// `[` after a variable name, not followed by `*]`.
    BadExpand,
    /// More than [`MAX_WORDS`] words.
    TooManyWords,
}

impl LexError {
    /// The message, without a final stop.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::UnmatchedQuote => "this quote is not closed before the end of the line",
            Self::UnmatchedBrace => "the brace of this variable is not closed before the end of the line",
            Self::BadHex => "`\\x` must be followed by two hexadecimal digits",
            Self::BadVariable => "`$` inside double quotes must be followed by a variable name",
            Self::BadExpand => "after a variable name only `[*]` may stand",
            Self::TooManyWords => "the line has more than 64 words",
        }
    }

    /// What to do about it.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::UnmatchedQuote => "close the quote, or write `\\'` or `\\\"` for a literal quote",
            Self::UnmatchedBrace => "write `\"${NAME}\"` or `\"${NAME-default}\"`",
            Self::BadHex => "write two digits as in `\\x20`, or `\\\\x` for a literal backslash",
            Self::BadVariable => "write `\\$` or use single quotes for a literal dollar sign",
            Self::BadExpand => "write `\"${NAME[*]}\"` to make one word of each item",
            Self::TooManyWords => "spread it over several lines",
        }
    }
}

/// One line, cut into words.
#[derive(Debug, Default)]
pub(crate) struct Lexed<'a> {
    /// The words up to the first empty one, which ends the list for the program.
    pub(crate) words: Vec<Word<'a>>,
    /// The comment, from its `#`.
    pub(crate) comment: Option<Span>,
    /// An empty word that hides the words after it.
    pub(crate) empty: Option<Span>,
    /// Variables used without being set and without a default.
    pub(crate) undefined: Vec<(String, Span)>,
    /// A word that variables make longer than is followed; it is kept as written.
    pub(crate) too_long: Option<Span>,
    /// Why the line cannot be used.
    pub(crate) error: Option<(LexError, Span)>,
    /// Offset of the first byte of the next line.
    pub(crate) next: usize,
    /// Whether a newline ends it.
    pub(crate) terminated: bool,
}

/// Cuts the line that starts at byte `start` of `text`.
pub(crate) fn lex_line<'a>(text: &'a str, file: FileId, start: usize, env: &Environment) -> Lexed<'a> {
    let bytes = text.as_bytes();
    let mut line = Lexed::default();
    let mut at = start;
    let mut hidden = false;
    loop {
        if at >= bytes.len() {
            break;
        }
        let (kind, end) = next_piece(bytes, at);
        let end = end.max(at + 1);
        match kind {
            TokenKind::Newline => {
                line.terminated = true;
                at = end;
                break;
            }
            TokenKind::Comment => line.comment = Some(Span::new(file, at, end)),
            TokenKind::Blank | TokenKind::Ignored => {}
            TokenKind::Word => push_word(&mut line, text, file, at..end, env, &mut hidden),
        }
        at = end;
    }
    line.next = at;
    line
}

fn push_word<'a>(
    line: &mut Lexed<'a>,
    text: &'a str,
    file: FileId,
    range: std::ops::Range<usize>,
    env: &Environment,
    hidden: &mut bool,
) {
    let bytes = text.as_bytes();
    let scan = scan_word(bytes, range.start);
    let span = Span::new(file, range.start, range.end);
    if let Some((error, at)) = scan.error {
        line.error.get_or_insert((error, Span::new(file, at, range.end)));
        return;
    }
    if *hidden || line.error.is_some() {
        return;
    }
    let raw = text.get(range).unwrap_or_default();
    if scan.plain {
        line.words.push(Word { text: Cow::Borrowed(raw), span, unset: false, address: None });
    } else {
        let mut decoder = Decoder::new(env);
        decoder.decode(raw.as_bytes());
        if decoder.too_long {
            line.too_long.get_or_insert(span);
        }
        line.undefined.extend(decoder.undefined.into_iter().map(|name| (name, span)));
        if decoder.unset {
            // What the word will be is not known: keep it as written, so that nothing is guessed from a part of it.
            let text = Cow::Owned(raw.replace('"', ""));
            line.words.push(Word { text, span, unset: true, address: None });
        } else {
            // One word more than may stand on a line is enough to refuse it.
            for part in decoder.parts.into_iter().take(MAX_WORDS + 1) {
                let value = String::from_utf8(part)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                if value.is_empty() {
                    line.empty = Some(span);
                    *hidden = true;
                    return;
                }
                line.words.push(Word { text: Cow::Owned(value), span, unset: false, address: None });
            }
        }
    }
    if line.words.len() > MAX_WORDS {
        line.error.get_or_insert((LexError::TooManyWords, span));
    }
}

struct Scan {
    end: usize,
    /// No quote and no backslash: the bytes are the value.
    plain: bool,
    error: Option<(LexError, usize)>,
}

/// Finds the end of the word at `start`. On an error the word runs to the end of the line.
fn scan_word(bytes: &[u8], start: usize) -> Scan {
    let mut at = start;
    let mut plain = true;
    let mut quote: Option<(u8, usize)> = None;
    let fail = |error, place| Scan { end: line_end(bytes, start), plain: false, error: Some((error, place)) };
    loop {
        let byte = byte_at(bytes, at);
        if at >= bytes.len() || is_line_end(byte) {
            return match quote {
                Some((_, place)) => fail(LexError::UnmatchedQuote, place),
                None => Scan { end: at, plain, error: None },
            };
        }
        match (byte, quote) {
            (b'#', None) => return Scan { end: at, plain, error: None },
            (b'"' | b'\'', None) => {
                plain = false;
                quote = Some((byte, at));
                at += 1;
            }
            (b'"' | b'\'', Some((open, _))) if open == byte => {
                quote = None;
                at += 1;
            }
            (b'\\', None | Some((b'"', _))) => {
                plain = false;
                match escape(bytes, at, quote.is_some()) {
                    Some((_, length)) => at += length,
                    None => return fail(LexError::BadHex, at),
                }
            }
            (b'$', Some((b'"', _))) => match variable(bytes, at) {
                Ok(found) => at = found.end,
                Err((error, place)) => return fail(error, place),
            },
            (byte, None) if is_blank(byte) => return Scan { end: at, plain, error: None },
            _ => at += 1,
        }
    }
}

/// The byte a backslash at `at` stands for, and how many bytes it takes. `None`: a broken `\x`.
fn escape(bytes: &[u8], at: usize, in_double_quotes: bool) -> Option<(u8, usize)> {
    let plain = Some((b'\\', 1));
    match byte_at(bytes, at + 1) {
        byte @ (b' ' | b'\\' | b'#' | b'\'' | b'"') => Some((byte, 2)),
        b't' => Some((b'\t', 2)),
        b'n' => Some((b'\n', 2)),
        b'r' => Some((b'\r', 2)),
        b'$' if in_double_quotes => Some((b'$', 2)),
        b'x' => {
            let high = hex(byte_at(bytes, at + 2))?;
            let low = hex(byte_at(bytes, at + 3))?;
            Some((high * 16 + low, 4))
        }
        _ => plain,
    }
}

struct Variable {
    name: std::ops::Range<usize>,
    default: Option<std::ops::Range<usize>>,
    /// `[*]`: blanks in the value separate words.
    expand: bool,
    end: usize,
}

/// Reads the variable whose `$` stands at `at`.
fn variable(bytes: &[u8], at: usize) -> Result<Variable, (LexError, usize)> {
    let mut here = at + 1;
    let brace = (byte_at(bytes, here) == b'{').then_some(here);
    if brace.is_some() {
        here += 1;
    }
    let first = byte_at(bytes, here);
    if !first.is_ascii_alphabetic() && first != b'_' && first != b'.' {
        return Err((LexError::BadVariable, here));
    }
    let name_start = here;
    here += 1;
    while byte_at(bytes, here).is_ascii_alphanumeric() || byte_at(bytes, here) == b'_' {
        here += 1;
    }
    let mut found = Variable { name: name_start..here, default: None, expand: false, end: here };
    let Some(brace) = brace else { return Ok(found) };
    if byte_at(bytes, here) == b'[' {
        if byte_at(bytes, here + 1) != b'*' || byte_at(bytes, here + 2) != b']' {
            return Err((LexError::BadExpand, here));
        }
        found.expand = true;
        here += 3;
    }
    if byte_at(bytes, here) == b'-' {
        let default_start = here + 1;
        while here < bytes.len() && !is_line_end(byte_at(bytes, here)) && byte_at(bytes, here) != b'}' {
            here += 1;
        }
        found.default = Some(default_start..here);
    }
    if byte_at(bytes, here) != b'}' {
        return Err((LexError::UnmatchedBrace, brace));
    }
    found.end = here + 1;
    Ok(found)
}

/// Resolves quotes, escapes and variables of one word that [`scan_word`] accepted.
struct Decoder<'e> {
    env: &'e Environment,
    /// The words made so far; `[*]` may start new ones.
    parts: Vec<Vec<u8>>,
    /// Bytes that variables added.
    added: usize,
    unset: bool,
    too_long: bool,
    undefined: Vec<String>,
}

impl<'e> Decoder<'e> {
    fn new(env: &'e Environment) -> Self {
        Self { env, parts: vec![Vec::new()], added: 0, unset: false, too_long: false, undefined: Vec::new() }
    }

    fn decode(&mut self, raw: &[u8]) {
        let mut at = 0;
        let mut quote: Option<u8> = None;
        while at < raw.len() {
            let byte = byte_at(raw, at);
            match (byte, quote) {
                (b'"' | b'\'', None) => {
                    quote = Some(byte);
                    at += 1;
                }
                (b'"' | b'\'', Some(open)) if open == byte => {
                    quote = None;
                    at += 1;
                }
                (b'\\', None | Some(b'"')) => {
                    let (byte, length) = escape(raw, at, quote.is_some()).unwrap_or((b'\\', 1));
                    self.emit(byte);
                    at += length;
                }
                (b'$', Some(b'"')) => match variable(raw, at) {
                    Ok(found) => {
                        self.replace(raw, &found);
                        at = found.end;
                    }
                    Err(_) => at += 1,
                },
                _ => {
                    self.emit(byte);
                    at += 1;
                }
            }
        }
    }

    fn replace(&mut self, raw: &[u8], found: &Variable) {
        let name = String::from_utf8_lossy(raw.get(found.name.clone()).unwrap_or_default()).into_owned();
        let value = match (self.env.get(&name), &found.default) {
            (Some(value), _) => value.as_bytes(),
            (None, Some(default)) if !self.env.is_unknown(&name) => {
                raw.get(default.clone()).unwrap_or_default()
            }
            (None, _) => {
                self.unset = true;
                // HAProxy sets some variables itself; their values are not in the configuration.
                if !self.env.is_set_by_program(&name) {
                    self.undefined.push(name);
                }
                return;
            }
        };
        self.added += value.len();
        if self.added > MAX_WORD || !self.env.take(value.len()) {
            self.unset = true;
            self.too_long = true;
            return;
        }
        let mut bytes = value.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if found.expand && is_blank(byte) {
                while bytes.peek().is_some_and(|&next| is_blank(next)) {
                    bytes.next();
                }
                self.parts.push(Vec::new());
            } else {
                self.emit(byte);
            }
        }
    }

    fn emit(&mut self, byte: u8) {
        if let Some(part) = self.parts.last_mut() {
            part.push(byte);
        }
    }
}

fn byte_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    // A carriage return before the newline belongs to the newline.
    if length > 1 && length < rest.len() && byte_at(rest, length - 1) == b'\r' {
        at + length - 1
    } else {
        at + length
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> FileId {
        crate::source::Sources::new().add("t", Vec::new())
    }

    fn words(text: &str, vars: &[(&str, &str)]) -> Vec<String> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let lexed = lex_line(text, file(), 0, &Environment::new(&vars));
        lexed.words.into_iter().map(|word| word.text.into_owned()).collect()
    }

    fn error(text: &str) -> Option<(LexError, u32)> {
        let lexed = lex_line(text, file(), 0, &Environment::new(&Default::default()));
        lexed.error.map(|(error, span)| (error, span.start))
    }

    /// Each confirmed with the program, which names an unknown keyword by its decoded word.
    #[test]
    fn words_are_those_of_the_program() {
        let cases: &[(&str, &[&str])] = &[
            ("bind :80#x\n", &["bind", ":80"]),
            ("a \\#b c\\ d\n", &["a", "#b", "c d"]),
            ("a '#b' \"#c\"\n", &["a", "#b", "#c"]),
            ("\ta\x0bb\x0cc \r\n", &["a", "b", "c"]),
            ("a x'y z'w\"v u\"\n", &["a", "xy zwv u"]),
            ("a \\x41\\x62\n", &["a", "Ab"]),
            ("a '\\n' \"\\n\" \\q\n", &["a", "\\n", "\n", "\\q"]),
            ("a \\'b \\\"c \"\\\"\" \"'\"\n", &["a", "'b", "\"c", "\"", "'"]),
            ("a \"$V\" \"${V}\" '$V' $V\n", &["a", "val", "val", "$V", "$V"]),
            ("a \"\\$V\" \"x${V}y\"\n", &["a", "$V", "xvaly"]),
            ("a \"${N-d e}\" \"${V-x}\"\n", &["a", "d e", "val"]),
            ("a \"${L[*]}\" b\n", &["a", "1", "2", "3", "b"]),
            ("a \"p${L[*]}q\"\n", &["a", "p1", "2", "3q"]),
            ("a \"\" b\n", &["a"]),
            ("a \"$N\"x b\n", &["a", "$Nx", "b"]),
            ("a b\\\n", &["a", "b\\"]),
            ("a b\rc\n", &["a", "b"]),
            ("a (b c)\n", &["a", "(b", "c)"]),
            ("a \"I'm a pot\" 'h3=\":443\"; ma=9'\n", &["a", "I'm a pot", "h3=\":443\"; ma=9"]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text, &[("V", "val"), ("L", "1 2  3")]), *expected, "{text:?}");
        }
    }

    #[test]
    fn broken_words_are_told_apart() {
        assert_eq!(error("bind 'x\n"), Some((LexError::UnmatchedQuote, 5)));
        assert_eq!(error("a \"${A\n"), Some((LexError::UnmatchedBrace, 4)));
        assert_eq!(error("a \"${A-b\n"), Some((LexError::UnmatchedBrace, 4)));
        assert_eq!(error("a \"$1\"\n"), Some((LexError::BadVariable, 4)));
        assert_eq!(error("a \"${A[1]}\"\n"), Some((LexError::BadExpand, 6)));
        assert_eq!(error("a \\xZZ\n"), Some((LexError::BadHex, 2)));
        assert_eq!(error(&format!("{}\n", "a ".repeat(64))), None);
        assert!(matches!(error(&format!("{}\n", "a ".repeat(65))), Some((LexError::TooManyWords, _))));
    }

    #[test]
    fn tokens_lose_nothing() {
        let inputs: &[&[u8]] = &[
            b"",
            b"\n",
            b"a",
            b"a 'b\nc \"d\r\n#e\r\n\r\rf\n",
            b"a\x00b\n",
            b"\xff\xfe 'x\\",
            b"a\\\n\\",
            b"\"${A-b'\n}\"",
        ];
        for input in inputs {
            let joined: Vec<u8> = tokens(input).iter().flat_map(|token| token.bytes.to_vec()).collect();
            assert_eq!(joined, *input);
        }
    }
}
