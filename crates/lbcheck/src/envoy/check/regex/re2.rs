//! RE2, as Envoy uses it: Latin-1, and no program larger than its runtime allows.

use super::{Cursor, counts, is_class_name};

/// The largest program, in instructions, unless `re2.max_program_size.error_level` says otherwise.
pub(in super::super) const MAX_PROGRAM: u64 = 100;
/// The most that nested repetitions may multiply to.
const MAX_REPEAT: u64 = 1000;
/// Instructions of every program that are of no part of the pattern.
const OVERHEAD: u64 = 4;

/// A part of a pattern.
#[derive(Clone, Copy, Default)]
struct Part {
    /// Instructions it needs at least.
    size: u64,
    /// What its nested repetitions multiply to at most.
    repeats: u64,
}

impl Part {
    fn join(self, other: Self) -> Self {
        Self { size: self.size.saturating_add(other.size), repeats: self.repeats.max(other.repeats) }
    }
}

/// A group that is still open.
#[derive(Default)]
struct Group {
    /// Of the alternatives before this one, the largest.
    done: Part,
    /// This alternative up to its last part.
    here: Part,
    /// What a repetition would repeat.
    last: Option<Part>,
    captures: bool,
}

impl Group {
    fn push(&mut self, size: u64) {
        self.part(Part { size, repeats: 1 });
    }

    fn part(&mut self, part: Part) {
        self.here = self.here.join(self.last.take().unwrap_or_default());
        self.last = Some(part);
    }

    fn end_alternative(&mut self) {
        let whole = self.here.join(self.last.take().unwrap_or_default());
        // Alternatives may share what they begin with: no more than the largest is certain.
        let (size, repeats) = (self.done.size.max(whole.size), self.done.repeats.max(whole.repeats));
        (self.done, self.here) = (Part { size, repeats }, Part::default());
    }
}

/// What is wrong with a pattern, and, if nothing is, how many instructions it needs at least.
pub(in super::super) fn re2(pattern: &str) -> Result<u64, String> {
    let mut cursor = Cursor::new(pattern);
    let mut outer: Vec<Group> = Vec::new();
    let mut group = Group::default();
    while let Some(byte) = cursor.next() {
        match byte {
            b'(' => {
                if let Some(captures) = opening(&mut cursor)? {
                    outer.push(std::mem::replace(&mut group, Group { captures, ..Group::default() }));
                }
            }
            b')' => {
                let Some(around) = outer.pop() else {
                    return Err("it closes a group that is not open".into());
                };
                group.end_alternative();
                let captures = if group.captures { 2 } else { 0 };
                let part = group.done.join(Part { size: captures, repeats: 1 });
                group = around;
                group.part(part);
            }
            b'|' => group.end_alternative(),
            b'*' | b'+' | b'?' => repeat(&mut cursor, &mut group, byte)?,
            b'{' => repeat(&mut cursor, &mut group, byte)?,
            b'[' => {
                class(&mut cursor)?;
                group.push(1);
            }
            b'\\' => escape(&mut cursor, &mut group)?,
            b'^' | b'$' => group.push(0),
            _ => group.push(1),
        }
    }
    if !outer.is_empty() {
        return Err("a group is not closed".into());
    }
    group.end_alternative();
    // What a pattern begins with literally after `^` is compared by other means.
    let start = pattern.trim_start_matches(|letter| "(?:imsU)".contains(letter));
    let anchored = start.starts_with('^') || start.starts_with("\\A");
    Ok(if anchored { 0 } else { group.done.size.saturating_add(OVERHEAD) })
}

/// What follows an opening parenthesis: a group, and whether it captures, or `None` for mere flags.
fn opening(cursor: &mut Cursor<'_>) -> Result<Option<bool>, String> {
    if !cursor.take(b"?") {
        return Ok(Some(true));
    }
    let named = cursor.take(b"P<")
        || (!cursor.rest().starts_with(b"<=") && !cursor.rest().starts_with(b"<!") && cursor.take(b"<"));
    if named {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let name = cursor.until(b">").filter(|name| !name.is_empty() && name.iter().all(word));
        return match name {
            Some(_) => Ok(Some(true)),
            None => Err("a group has no proper name".into()),
        };
    }
    let unknown = || "RE2 has no such group: look-around and the like are not part of it".to_owned();
    let (mut negative, mut since) = (false, 0);
    loop {
        match cursor.next() {
            Some(b'i' | b'm' | b's' | b'U') => since += 1,
            Some(b'-') if !negative => (negative, since) = (true, 0),
            Some(b':') if !negative || since > 0 => return Ok(Some(false)),
            Some(b')') if !negative || since > 0 => return Ok(None),
            _ => return Err(unknown()),
        }
    }
}

/// A repetition whose first byte is taken.
fn repeat(cursor: &mut Cursor<'_>, group: &mut Group, first: u8) -> Result<(), String> {
    let (least, most) = match first {
        b'*' => (0, None),
        b'+' => (1, None),
        b'?' => (0, Some(1)),
        _ => match counts(cursor) {
            Some(found) => found,
            // A brace that counts nothing stands for itself.
            None => {
                group.push(1);
                return Ok(());
            }
        },
    };
    let Some(part) = group.last else { return Err("a repetition has nothing to repeat".into()) };
    let largest = u64::from(most.unwrap_or(least));
    let repeats =
        if first == b'{' { part.repeats.max(1).saturating_mul(largest.max(1)) } else { part.repeats };
    if most.is_some_and(|most| most < least) || repeats > MAX_REPEAT {
        return Err(format!("a repetition is out of order, or more than {MAX_REPEAT} times"));
    }
    let times = if first == b'{' { largest.max(u64::from(most.is_none())) } else { 1 };
    group.last = Some(Part { size: part.size.saturating_mul(times), repeats });
    cursor.take(b"?");
    let again = match cursor.peek() {
        Some(b'*' | b'+' | b'?') => true,
        Some(b'{') => {
            let mut ahead = Cursor { bytes: cursor.bytes, at: cursor.at + 1 };
            counts(&mut ahead).is_some()
        }
        _ => false,
    };
    if again { Err("a repetition repeats a repetition".into()) } else { Ok(()) }
}

/// An escape outside of a class, whose backslash is taken.
fn escape(cursor: &mut Cursor<'_>, group: &mut Group) -> Result<(), String> {
    match cursor.peek() {
        Some(b'Q') => {
            cursor.at += 1;
            let rest = cursor.rest().len() as u64;
            let quoted = cursor.until(b"\\E").map(|text| text.len() as u64);
            if quoted.is_none() {
                cursor.at = cursor.bytes.len();
            }
            for _ in 0..quoted.unwrap_or(rest) {
                group.push(1);
            }
        }
        Some(b'A' | b'z' | b'b' | b'B') => {
            cursor.at += 1;
            group.push(0);
        }
        Some(b'C') => {
            cursor.at += 1;
            group.push(1);
        }
        _ => {
            character(cursor)?;
            group.push(1);
        }
    }
    Ok(())
}

/// An escape that stands for a character or a set of them. `None` is a set.
fn character(cursor: &mut Cursor<'_>) -> Result<Option<u32>, String> {
    let unknown =
        |letter: u8| format!("RE2 does not know the escape `\\{}`", char::from(letter).escape_default());
    let Some(byte) = cursor.next() else { return Err("it ends in a backslash".into()) };
    Ok(match byte {
        b'd' | b'D' | b's' | b'S' | b'w' | b'W' => None,
        b'p' | b'P' => {
            // Of a name in braces only the form is known here; there are many.
            let known = match cursor.take(b"{") {
                true => {
                    let name = cursor.until(b"}").unwrap_or_default();
                    name.strip_prefix(b"^").unwrap_or(name).first().is_some_and(u8::is_ascii_uppercase)
                }
                false => cursor.next().is_some_and(|letter| b"CLMNPSZ".contains(&letter)),
            };
            if !known {
                return Err("a Unicode class has no known name".into());
            }
            None
        }
        b'a' => Some(7),
        b'f' => Some(12),
        b'n' => Some(10),
        b'r' => Some(13),
        b't' => Some(9),
        b'v' => Some(11),
        b'x' if cursor.take(b"{") => {
            let digits = cursor.until(b"}").and_then(|digits| std::str::from_utf8(digits).ok());
            let code =
                digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).filter(|code| *code <= 0xff);
            Some(code.ok_or_else(|| unknown(b'x'))?)
        }
        b'x' => Some(cursor.hex(2).ok_or_else(|| unknown(b'x'))?),
        b'0' => Some(octal(cursor, 0)),
        // A reference back to a group, unless it is an octal number.
        b'1'..=b'7' if cursor.peek().is_some_and(|next| (b'0'..=b'7').contains(&next)) => {
            match octal(cursor, u32::from(byte - b'0')) {
                code if code <= 0xff => Some(code),
                _ => return Err(unknown(byte)),
            }
        }
        _ if byte.is_ascii_alphanumeric() || !byte.is_ascii() => return Err(unknown(byte)),
        _ => Some(u32::from(byte)),
    })
}

fn octal(cursor: &mut Cursor<'_>, mut code: u32) -> u32 {
    for _ in 0..2 {
        match cursor.peek() {
            Some(digit @ b'0'..=b'7') => {
                cursor.at += 1;
                code = code * 8 + u32::from(digit - b'0');
            }
            _ => break,
        }
    }
    code
}

/// A bracketed class whose opening bracket is taken.
fn class(cursor: &mut Cursor<'_>) -> Result<(), String> {
    cursor.take(b"^");
    let mut first = true;
    loop {
        if cursor.peek() == Some(b']') && !first {
            cursor.at += 1;
            return Ok(());
        }
        first = false;
        if cursor.rest().starts_with(b"[:") && cursor.rest().windows(2).any(|window| window == b":]") {
            cursor.at += 2;
            let name = cursor.until(b":]").unwrap_or_default();
            if !is_class_name(name.strip_prefix(b"^").unwrap_or(name)) {
                return Err("a character class has an unknown name".into());
            }
            continue;
        }
        let Some(low) = single(cursor)? else { continue };
        let is_range = cursor.peek() == Some(b'-') && cursor.rest().get(1).is_some_and(|byte| *byte != b']');
        if !is_range {
            continue;
        }
        cursor.at += 1;
        match single(cursor)? {
            Some(high) if high >= low => {}
            _ => return Err("a range of characters is out of order".into()),
        }
    }
}

/// One character of a class, or `None` for a set.
fn single(cursor: &mut Cursor<'_>) -> Result<Option<u32>, String> {
    match cursor.next() {
        Some(b'\\') => character(cursor),
        Some(byte) => Ok(Some(u32::from(byte))),
        None => Err("a character class is not closed".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_patterns() {
        let good = [
            "a]",
            "a*?",
            "(a{100}){10}",
            "a{,2}",
            "a{",
            "a{x}",
            "(?P<n>a)(?<m>b)",
            "(?i)a",
            "(?i-s:a)",
            r"\d\w\s\b\B\A\z",
            r"\Q*\E",
            r"\Q*",
            r"\pN",
            r"\p{Greek}",
            r"\x41",
            r"\012",
            r"\0",
            r"\_\-\/",
            "(|a)",
            "()",
            "[]a]",
            "[^]a]",
            "[a-]",
            "[-a]",
            r"[\d-z]",
            "[[:alpha:]]",
            "[[a]]",
            "^*",
            r"\b+",
            "(a*)*",
            "a{0}",
            "a{1,2}?",
            "(?)a",
            "a{1,",
            "(x{2}){500}",
            "/api/v[0-9]+/.*",
        ];
        for pattern in good {
            assert!(re2(pattern).is_ok(), "{pattern}: {:?}", re2(pattern));
        }
    }

    #[test]
    fn bad_patterns() {
        let bad = [
            "a(",
            "a)",
            "[a",
            "a**",
            "a*??",
            "a+*",
            "*a",
            "a{1001}",
            "(x{2}){501}",
            "a{2,1}",
            "{2}",
            "x{2}{3}",
            "(?P=n)",
            "(?x)a",
            "(?=a)",
            "(?!a)",
            "(?<=a)b",
            "(?>a)",
            r"\1",
            r"\y",
            r"\8",
            r"\x4",
            "a\\",
            "[]",
            "[z-a]",
            r"[a-\d]",
            "[[:foo:]]",
            "(?:a",
            "(?",
            "(?i--s:a)",
            "(?-)",
            "|*",
            "(*a)",
            "(?P<>a)",
            "(?P<n-a>b)",
            "[\\",
            r"[\b]",
            r"\Z",
            r"\777",
            "x{0,1001}",
        ];
        for pattern in bad {
            assert!(re2(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn sizes_are_never_too_large() {
        assert_eq!(re2("a{1000}"), Ok(1004));
        assert_eq!(re2("(x{2}){500}"), Ok(2004));
        assert_eq!(re2("abc|abd"), Ok(7));
        assert_eq!(re2("^abc"), Ok(0));
        let deep = "(".repeat(100_000);
        assert!(re2(&deep).is_err());
    }
}
