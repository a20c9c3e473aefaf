//! The text of a file in pieces.

use granit_parser::{Event, Parser};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The key of a map.
    Key,
    /// A scalar value, with its quotes.
    Scalar,
    /// `:`, `-`, `,`, brackets and braces, document marks.
    Punctuation,
    /// An `&anchor`, `*alias` or `!tag`.
    Reference,
    /// A comment, from its `#` to the end of the line.
    Comment,
    /// Blanks and line ends.
    Blank,
    /// Text that could not be read, up to the end of the file.
    Unreadable,
}

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Splits YAML or JSON into tokens. Every byte of the input lies in exactly one of them, in order; text that
/// cannot be read ends up in one last token.
#[must_use]
pub fn tokens(bytes: &[u8]) -> Vec<Token<'_>> {
    let mut splitter = Splitter { bytes, at: 0, out: Vec::new() };
    let readable = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    splitter.run(readable);
    splitter.finish();
    splitter.out
}

struct Splitter<'s> {
    bytes: &'s [u8],
    at: usize,
    out: Vec<Token<'s>>,
}

impl Splitter<'_> {
    fn push(&mut self, kind: TokenKind, range: std::ops::Range<usize>) {
        if let Some(bytes) = self.bytes.get(range) {
            self.out.push(Token { kind, bytes });
        }
    }

    fn run(&mut self, text: &str) {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: super::yaml::MAX_DEPTH,
            block_nesting_limit: super::yaml::MAX_DEPTH,
        };
        // For each open collection: is it a map, and does it wait for a key?
        let mut open: Vec<(bool, bool)> = Vec::new();
        for next in Parser::new_from_str_with_options(text, options) {
            let Ok((event, span)) = next else { return };
            let range = span.byte_range().unwrap_or_default();
            let is_key = open.last() == Some(&(true, true));
            match event {
                Event::Scalar(..) => {
                    self.piece(if is_key { TokenKind::Key } else { TokenKind::Scalar }, range);
                    value_done(&mut open);
                }
                Event::Alias(_) | Event::UnresolvedAlias(_) => {
                    self.piece(TokenKind::Reference, range);
                    value_done(&mut open);
                }
                Event::Comment(..) => self.piece(TokenKind::Comment, range),
                Event::SequenceStart(..) => open.push((false, false)),
                Event::MappingStart(..) => open.push((true, true)),
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                    value_done(&mut open);
                }
                _ => {}
            }
        }
    }

    /// Adds a token, and what lies between the last one and it. Comments are reported a little late, so a range
    /// that was passed already is left as it is.
    fn piece(&mut self, kind: TokenKind, range: std::ops::Range<usize>) {
        if range.start < self.at || range.end <= range.start || range.end > self.bytes.len() {
            return;
        }
        self.between(range.start);
        self.push(kind, range.clone());
        self.at = range.end;
    }

    fn between(&mut self, end: usize) {
        while self.at < end {
            let start = self.at;
            let gap = self.bytes.get(start..end).unwrap_or_default();
            let Some(&first) = gap.first() else { return };
            let blank = |byte: &u8| byte.is_ascii_whitespace();
            let mark = |byte: &u8| b":-,[]{}?|>%.".contains(byte);
            let length = |is: &dyn Fn(&u8) -> bool| gap.iter().take_while(|byte| is(byte)).count();
            let (kind, length) = match first {
                b'#' => (TokenKind::Comment, length(&|byte| !b"\r\n".contains(byte))),
                b'&' | b'*' | b'!' => {
                    (TokenKind::Reference, length(&|byte| !blank(byte) && !b",[]{}".contains(byte)))
                }
                _ if blank(&first) => (TokenKind::Blank, length(&blank)),
                _ if mark(&first) => (TokenKind::Punctuation, 1),
                _ => (TokenKind::Punctuation, length(&|byte| !blank(byte) && !mark(byte))),
            };
            self.at = start + length.max(1);
            self.push(kind, start..self.at);
        }
    }

    /// What no event covers at the end: closing brackets and blanks, or text the parser gave up on.
    fn finish(&mut self) {
        let end = self.bytes.len();
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let plain = |byte: &u8| byte.is_ascii_whitespace() || b"]}-.,".contains(byte);
        let blanks = rest.iter().take_while(|byte| plain(byte)).count();
        self.between(self.at + blanks);
        if self.at < end {
            self.push(TokenKind::Unreadable, self.at..end);
            self.at = end;
        }
    }
}

/// A value was read: a map waits for a key again, or for the value of the key just read.
fn value_done(open: &mut [(bool, bool)]) {
    if let Some((true, waits)) = open.last_mut() {
        *waits = !*waits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        let tokens = tokens(text.as_bytes());
        tokens
            .iter()
            .filter(|token| token.kind != TokenKind::Blank)
            .map(|token| (token.kind, std::str::from_utf8(token.bytes).unwrap()))
            .collect()
    }

    #[test]
    fn keys_scalars_and_comments_are_told_apart() {
        use TokenKind::{Comment, Key, Punctuation, Reference, Scalar};
        let expected = vec![
            (Key, "a"),
            (Punctuation, ":"),
            (Reference, "&x"),
            (Punctuation, "["),
            (Scalar, "1"),
            (Punctuation, ","),
            (Scalar, "\"é\""),
            (Punctuation, "]"),
            (Comment, "# c"),
            (Key, "b"),
            (Punctuation, ":"),
            (Reference, "*x"),
        ];
        assert_eq!(kinds("a: &x [1, \"é\"] # c\nb: *x\n"), expected);
    }

    #[test]
    fn every_byte_is_in_one_token() {
        for text in
            ["", "a: b", "a: [", "\u{feff}a: 1\r\n", "a: |\n  x\n  y\nb: 2\n", "---\na: 1\n...\n", "\tx"]
        {
            let tokens = tokens(text.as_bytes());
            let joined: String =
                tokens.iter().map(|token| std::str::from_utf8(token.bytes).unwrap()).collect();
            assert_eq!(joined, text);
        }
    }
}
