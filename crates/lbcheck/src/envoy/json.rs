//! JSON to a tree, without recursion.
//!
//! Envoy reads a file named `.json` with protobuf's JSON reader, which forgives a trailing comma, single quotes
//! and bare keys; any other file goes through its YAML reader.

use crate::source::FileId;

use super::builder::{Builder, Parsed};
use super::tree::NodeKind;
use super::yaml::MAX_DEPTH;

/// How forgiving to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Only what the JSON standard allows.
    Standard,
    /// What protobuf's JSON reader takes.
    Lenient,
}

/// Reads a JSON document. A syntax error ends the reading; what was read so far stays.
pub(crate) fn parse(file: FileId, text: &str, strictness: Strictness) -> Parsed {
    let lenient = strictness == Strictness::Lenient;
    // Envoy's JSON reader takes no byte order mark; its YAML reader does.
    let start = if text.starts_with('\u{feff}') && !lenient { 3 } else { 0 };
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: start, lenient, builder: Builder::new(file, text.len()) };
    if let Err(problem) = reader.document() {
        let (start, end) = (problem.at.min(text.len()), (problem.at + 1).min(text.len()));
        let end = (end..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
        reader.builder.out.error(start, end, format!("this is not valid JSON: {}", problem.what));
        reader.builder.out.broken = true;
    }
    while reader.builder.depth() > 0 {
        reader.builder.close(text.len() as u32);
    }
    reader.builder.out
}

struct Problem {
    at: usize,
    what: &'static str,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A value.
    Value,
    /// The first item or key of a collection, or its end.
    First,
    /// A comma, or the end of the collection.
    Comma,
    /// A key, after a comma.
    Key,
}

struct Reader<'s> {
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    lenient: bool,
    builder: Builder,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), Problem> {
        let mut next = Next::Value;
        loop {
            self.blanks();
            if self.builder.depth() == 0 && next == Next::Comma {
                return if self.at == self.bytes.len() { Ok(()) } else { self.fail("text after the end") };
            }
            let Some(&byte) = self.bytes.get(self.at) else { return self.fail("the file ends too early") };
            let in_map = self.builder.inside() == Some(NodeKind::Map);
            let closes = matches!((byte, in_map), (b'}', true) | (b']', false)) && self.builder.depth() > 0;
            next = match next {
                Next::First | Next::Comma if closes => self.close(),
                Next::Key | Next::Value if closes && self.lenient && self.after_comma() => self.close(),
                Next::Comma if byte == b',' => {
                    self.at += 1;
                    if in_map { Next::Key } else { Next::Value }
                }
                Next::Comma => return self.fail("a comma or the end of the collection is missing"),
                Next::First | Next::Key if in_map => {
                    self.key()?;
                    Next::Value
                }
                Next::First | Next::Key | Next::Value => self.value(byte)?,
            };
        }
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, Problem> {
        Err(Problem { at: self.at, what })
    }

    fn blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Whether the last thing before the blanks was a comma.
    fn after_comma(&self) -> bool {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        before.trim_ascii_end().last() == Some(&b',')
    }

    fn close(&mut self) -> Next {
        self.at += 1;
        self.builder.close(self.at as u32);
        Next::Comma
    }

    fn key(&mut self) -> Result<(), Problem> {
        let start = self.at;
        let text = match self.bytes.get(self.at) {
            Some(&quote @ b'"') => self.string(quote)?,
            Some(&quote @ b'\'') if self.lenient => self.string(quote)?,
            Some(byte) if self.lenient && (byte.is_ascii_alphabetic() || *byte == b'_') => {
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                while self.bytes.get(self.at).is_some_and(word) {
                    self.at += 1;
                }
                self.text.get(start..self.at).unwrap_or_default().to_owned()
            }
            _ => return self.fail("a key in double quotes is missing"),
        };
        let span = (start as u32, self.at as u32);
        self.blanks();
        if self.bytes.get(self.at) != Some(&b':') {
            return self.fail("a colon is missing after the key");
        }
        self.at += 1;
        let key = self.builder.out.tree.store(&text);
        self.builder.key(key, span, false);
        Ok(())
    }

    fn value(&mut self, byte: u8) -> Result<Next, Problem> {
        let start = self.at;
        let (kind, text) = match byte {
            b'{' | b'[' => {
                if self.builder.depth() >= MAX_DEPTH {
                    return self.fail("it is nested too deeply");
                }
                self.at += 1;
                let kind = if byte == b'{' { NodeKind::Map } else { NodeKind::List };
                self.builder.open(kind, 0, true, (start as u32, self.at as u32));
                return Ok(Next::First);
            }
            b'"' => (NodeKind::Quoted, self.string(byte)?),
            b'\'' if self.lenient => (NodeKind::Quoted, self.string(byte)?),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.word()?,
            _ => return self.fail("a value is missing"),
        };
        let id = self.builder.leaf(kind, &text, (start as u32, self.at as u32));
        self.builder.place(id, 1);
        Ok(Next::Comma)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(NodeKind, String), Problem> {
        let start = self.at;
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        while self.bytes.get(self.at).is_some_and(part) {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let number = is_number(text);
        let kind = match text {
            "null" => NodeKind::Null,
            "true" | "false" => NodeKind::Plain,
            _ if number => NodeKind::Plain,
            _ => return Err(Problem { at: start, what: "this is neither a number nor true, false or null" }),
        };
        Ok((kind, text.to_owned()))
    }

    fn string(&mut self, quote: u8) -> Result<String, Problem> {
        let opening = self.at;
        self.at += 1;
        let mut out = String::new();
        let mut run = self.at;
        loop {
            match self.bytes.get(self.at) {
                Some(b'\n') if self.lenient => self.at += 1,
                None | Some(b'\n') => return Err(Problem { at: opening, what: "this string is not closed" }),
                Some(&byte) if byte == quote => {
                    out.push_str(self.text.get(run..self.at).unwrap_or_default());
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(self.text.get(run..self.at).unwrap_or_default());
                    out.push(self.escape()?);
                    run = self.at;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at;
        let letter = self.bytes.get(self.at + 1).copied();
        self.at += 2;
        Ok(match letter {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/' | b'\'')) => char::from(byte),
            Some(b'u') => {
                let high = self.hex(start)?;
                let pair = (0xd800..0xdc00).contains(&high)
                    && self.bytes.get(self.at..self.at + 2) == Some(b"\\u".as_slice());
                let code = if pair {
                    self.at += 2;
                    let low = self.hex(start)?.checked_sub(0xdc00).filter(|low| *low < 0x400);
                    low.map(|low| 0x10000 + ((high - 0xd800) << 10) + low)
                } else {
                    Some(high)
                };
                let what = "this escape is half of a surrogate pair";
                code.and_then(char::from_u32).ok_or(Problem { at: start, what })?
            }
            _ => return Err(Problem { at: start, what: "this escape is unknown" }),
        })
    }

    fn hex(&mut self, start: usize) -> Result<u32, Problem> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        code.ok_or(Problem { at: start, what: "this escape needs four hexadecimal digits" })
    }
}

/// `-12.5e3`, as the JSON standard has it.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn read(text: &str, strictness: Strictness) -> Parsed {
        parse(Sources::new().add("x.json", Vec::new()), text, strictness)
    }

    #[test]
    fn spans_and_escapes_are_exact() {
        let text = r#"{"é": "a\u00e9\ud83d\ude00\n", "n": [1, -2.5e3, true, null]}"#;
        let parsed = read(text, Strictness::Standard);
        assert!(parsed.diagnostics.is_empty());
        let root = parsed.tree.root().unwrap();
        let value = root.get("é").unwrap();
        assert_eq!(value.text(), "aé😀\n");
        assert_eq!(&text[value.span().range()], r#""a\u00e9\ud83d\ude00\n""#);
        assert_eq!(root.get("n").unwrap().len(), 4);
        assert_eq!(root.span().range(), 0..text.len());
    }

    #[test]
    fn only_the_lenient_reader_forgives() {
        for text in ["{\"a\": 1,}", "{'a': 1}", "{a: 1}", "[1,]"] {
            assert!(read(text, Strictness::Standard).broken, "{text}");
            assert!(!read(text, Strictness::Lenient).broken, "{text}");
        }
    }

    #[test]
    fn bad_json_is_refused() {
        for text in
            ["", "{", "[1", "{\"a\"}", "{\"a\" 1}", "[1 2]", "[01]", "{} x", "{} // c", "[nul]", "[\"\\x\"]"]
        {
            assert!(read(text, Strictness::Lenient).broken, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(&deep, Strictness::Standard).broken);
    }
}
