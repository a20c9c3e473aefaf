//! Words, braces, semicolons and comments, cut exactly where nginx cuts them.
//!
//! A quote, a comment sign and a closing brace mean something only at the start of a word; an opening brace
//! ends a word unless a `$` stands before it. The body of a `…_by_lua_block` is Lua, not directives.

use std::borrow::Cow;

/// nginx reads through a buffer of this size; a word or comment must fit in it.
const BUFFER: usize = 4096;

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Blanks and line ends.
    Space,
    /// A comment, from `#` to the end of the line.
    Comment,
    /// A word, with its quotes.
    Word,
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`
    Close,
    /// The body of a Lua block.
    Lua,
}

/// A piece of the text. All pieces together are the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// A token by offsets; spaces are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What nginx refuses already while it reads words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// A quote that is never closed.
    OpenQuote,
    /// Something glued to a closing quote.
    AfterQuote,
    /// A word that does not fit in the buffer; the flag tells whether it is quoted.
    TooLong(bool),
    /// A Lua block that is never closed.
    OpenLua,
}

/// A fault and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Lexemes and faults of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Lexed {
    pub(super) lexemes: Vec<Lexeme>,
    pub(super) faults: Vec<Fault>,
}

/// Cuts a text into tokens that together are the text again.
pub(super) fn tokens(bytes: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut push = |kind, from: usize, to: usize| {
        if let Some(text) = bytes.get(from..to).filter(|text| !text.is_empty()) {
            tokens.push(Token { kind, bytes: text });
        }
    };
    for lexeme in lex(bytes, 0, bytes.len()).lexemes {
        push(TokenKind::Space, at, lexeme.start);
        push(lexeme.kind, lexeme.start, lexeme.end);
        at = lexeme.end;
    }
    push(TokenKind::Space, at, bytes.len());
    tokens
}

/// Cuts `bytes[start..end]`; offsets in the result count from the start of `bytes`.
pub(super) fn lex(bytes: &[u8], start: usize, end: usize) -> Lexed {
    let bytes = bytes.get(..end).unwrap_or(bytes);
    let mut lexer = Lexer { bytes, at: start, lua: Lua::No, first: true, out: Lexed::default() };
    while lexer.step() {}
    lexer.out
}

/// The value of a word: quotes taken off, escapes undone as nginx undoes them.
pub(super) fn decode(raw: &str) -> (Cow<'_, str>, bool) {
    let (body, quoted) = match raw.as_bytes() {
        [quote @ (b'"' | b'\''), rest @ ..] => {
            let closed = rest.last() == Some(quote);
            (raw.get(1..raw.len() - usize::from(closed)).unwrap_or_default(), true)
        }
        _ => (raw, false),
    };
    if !body.contains('\\') {
        return (Cow::Borrowed(body), quoted);
    }
    let mut value = String::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(char) = chars.next() {
        let replacement = match (char, chars.peek()) {
            ('\\', Some('"' | '\'' | '\\')) => chars.peek().copied(),
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some('n')) => Some('\n'),
            _ => None,
        };
        match replacement {
            Some(replacement) => {
                value.push(replacement);
                chars.next();
            }
            None => value.push(char),
        }
    }
    (Cow::Owned(value), quoted)
}

/// Whether the statement being read has a Lua body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lua {
    No,
    Expected,
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    lua: Lua,
    /// Whether the next word is the first of its statement.
    first: bool,
    out: Lexed,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.out.lexemes.push(Lexeme { kind, start, end: self.at });
    }

    fn fault(&mut self, kind: FaultKind, start: usize, end: usize) {
        self.out.faults.push(Fault { kind, start, end });
    }

    /// Reads one token; false at the end.
    fn step(&mut self) -> bool {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        let start = self.at;
        let Some(byte) = self.peek() else { return false };
        match byte {
            b'#' => self.comment(),
            b';' => self.mark(TokenKind::Semicolon),
            b'}' => self.mark(TokenKind::Close),
            b'{' => {
                let lua = self.lua == Lua::Expected;
                self.mark(TokenKind::Open);
                if lua {
                    self.lua_block(start);
                }
            }
            b'"' | b'\'' => self.quoted(byte),
            _ => self.plain(),
        }
        true
    }

    fn mark(&mut self, kind: TokenKind) {
        self.at += 1;
        self.push(kind, self.at - 1);
        self.first = true;
        self.lua = Lua::No;
    }

    fn comment(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        self.at = start + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        // The carriage return of a CRLF belongs to the line end.
        if self.at < self.bytes.len()
            && self.bytes.get(self.at.wrapping_sub(1)) == Some(&b'\r')
            && self.at > start + 1
        {
            self.at -= 1;
        }
        if self.at - start >= BUFFER {
            self.fault(FaultKind::TooLong(false), start, self.at);
        }
        self.push(TokenKind::Comment, start);
    }

    fn plain(&mut self) {
        let start = self.at;
        let mut variable = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' if variable => {}
                b'\\' => {
                    variable = false;
                    self.at += 1;
                }
                b';' | b'{' => break,
                _ if is_space(byte) => break,
                _ => variable = byte == b'$',
            }
            self.at += 1;
        }
        self.at = self.at.min(self.bytes.len());
        self.word(start, false);
    }

    fn quoted(&mut self, quote: u8) {
        let start = self.at;
        let mut at = start + 1;
        loop {
            match self.bytes.get(at) {
                Some(b'\\') => at += 2,
                Some(&byte) if byte == quote => break,
                Some(_) => at += 1,
                None => return self.unclosed(start),
            }
        }
        self.at = at + 1;
        self.word(start, true);
        match self.peek() {
            None | Some(b';' | b'{' | b')') => {}
            Some(byte) if is_space(byte) => {}
            Some(_) => self.fault(FaultKind::AfterQuote, self.at, self.at + 1),
        }
    }

    /// A quote without its partner swallows the rest of the file in nginx. To go on, the word is taken to end
    /// with its line, or before the `;` or `{` that ends the line.
    fn unclosed(&mut self, start: usize) {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let line = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let text = rest.get(..line).unwrap_or_default().trim_ascii_end();
        let cut = usize::from(text.len() > 1 && matches!(text.last(), Some(b';' | b'{')));
        let end = start + text.len() - cut;
        // Many quotes without partner would each search to the end of the file: after a few, give up.
        let given_up = self.out.faults.iter().filter(|fault| fault.kind == FaultKind::OpenQuote).count() >= 8;
        self.fault(FaultKind::OpenQuote, start, start + 1);
        self.at = if given_up { self.bytes.len() } else { end.max(start + 1) };
        self.word(start, false);
    }

    fn word(&mut self, start: usize, quoted: bool) {
        let length = self.at - start - usize::from(quoted) * 2;
        // The closing quote must fit, too.
        if length + usize::from(quoted) >= BUFFER {
            self.fault(FaultKind::TooLong(quoted), start, self.at);
        }
        if self.first {
            let raw = self.bytes.get(start..self.at).unwrap_or_default();
            let name = if quoted { raw.get(1..raw.len() - 1).unwrap_or_default() } else { raw };
            if name.ends_with(b"_by_lua_block") {
                self.lua = Lua::Expected;
            }
            self.first = false;
        }
        self.push(TokenKind::Word, start);
    }

    /// Reads Lua up to the brace that closes the block.
    fn lua_block(&mut self, open: usize) {
        let start = self.at;
        match end_of_lua(self.bytes, start) {
            Some(end) => {
                self.at = end;
                self.push(TokenKind::Lua, start);
                self.mark(TokenKind::Close);
            }
            None => {
                self.at = self.bytes.len();
                self.push(TokenKind::Lua, start);
                self.fault(FaultKind::OpenLua, open, open + 1);
            }
        }
    }
}

/// The offset of the `}` that closes a Lua body starting at `at`.
fn end_of_lua(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match *bytes.get(at)? {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            quote @ (b'"' | b'\'') => {
                at += 1;
                while *bytes.get(at)? != quote {
                    at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = match long_bracket(bytes, at + 2) {
                    Some(level) => end_of_long_bracket(bytes, at + 2, level)?,
                    None => at + bytes.get(at..)?.iter().position(|&byte| byte == b'\n')?,
                };
            }
            b'[' => {
                if let Some(level) = long_bracket(bytes, at) {
                    at = end_of_long_bracket(bytes, at, level)?;
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The level of a long bracket `[==[` that opens at `at`.
fn long_bracket(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    let level = bytes.get(at + 1..)?.iter().take_while(|&&byte| byte == b'=').count();
    (bytes.get(at + 1 + level) == Some(&b'[')).then_some(level)
}

/// The offset of the last byte of the long bracket of `level` that opens at `at`.
fn end_of_long_bracket(bytes: &[u8], at: usize, level: usize) -> Option<usize> {
    let mut at = at + level + 2;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == b']')?;
        let equals = bytes.get(at + 1..)?.iter().take_while(|&&byte| byte == b'=').count();
        if equals == level && bytes.get(at + 1 + level) == Some(&b']') {
            return Some(at + 1 + level);
        }
        at += 1 + equals;
    }
}
