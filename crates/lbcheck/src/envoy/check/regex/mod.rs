//! The syntax of the two regex languages that Envoy configurations are written in: RE2 nearly everywhere, and the
//! ECMAScript of the C++ library in the tags of statistics.
//!
//! What is refused and in which words was read off `envoy --mode validate` 1.40.

mod ecma;
mod re2;

pub(super) use ecma::ecma;
pub(super) use re2::{MAX_PROGRAM, re2};

/// The text of a pattern, byte by byte: RE2 runs in its Latin-1 mode, and syntax is ASCII in both languages.
struct Cursor<'p> {
    bytes: &'p [u8],
    at: usize,
}

impl<'p> Cursor<'p> {
    fn new(pattern: &'p str) -> Self {
        Self { bytes: pattern.as_bytes(), at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Takes these bytes if they come next.
    fn take(&mut self, wanted: &[u8]) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn rest(&self) -> &'p [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Takes a number of at most nine digits.
    fn number(&mut self) -> Option<u32> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = self.rest().get(..digits).filter(|_| (1..10).contains(&digits))?;
        self.at += digits;
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    /// Takes exactly this many hexadecimal digits.
    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text = self.rest().get(..digits).filter(|text| text.iter().all(u8::is_ascii_hexdigit))?;
        self.at += digits;
        u32::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
    }

    /// What stands between here and this mark, which is taken too.
    fn until(&mut self, mark: &[u8]) -> Option<&'p [u8]> {
        let rest = self.rest();
        let length = rest.windows(mark.len()).position(|window| window == mark)?;
        self.at += length + mark.len();
        rest.get(..length)
    }
}

/// `{2}`, `{2,}` or `{2,5}` after the brace. Nothing is taken if it is none of them.
fn counts(cursor: &mut Cursor<'_>) -> Option<(u32, Option<u32>)> {
    let start = cursor.at;
    let found = (|| {
        let least = cursor.number()?;
        let most = match cursor.take(b",") {
            true if cursor.peek() == Some(b'}') => None,
            true => Some(cursor.number()?),
            false => Some(least),
        };
        cursor.take(b"}").then_some((least, most))
    })();
    if found.is_none() {
        cursor.at = start;
    }
    found
}

/// The names of character classes between `[:` and `:]`.
fn is_class_name(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 14] = [
        b"alnum", b"alpha", b"ascii", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print", b"punct",
        b"space", b"upper", b"word", b"xdigit",
    ];
    NAMES.contains(&name)
}
