//! ECMAScript, as the C++ library reads it.

use super::{Cursor, counts, is_class_name};

/// What is wrong with a pattern.
pub(in super::super) fn ecma(pattern: &str) -> Result<(), &'static str> {
    const NOTHING: &str = "a repetition has nothing to repeat";
    let mut cursor = Cursor::new(pattern);
    // Of every open group, whether it may be repeated.
    let mut open: Vec<bool> = Vec::new();
    let mut groups = 0_u32;
    let mut repeatable = false;
    while let Some(byte) = cursor.next() {
        repeatable = match byte {
            b'(' => {
                let look = cursor.take(b"?=") || cursor.take(b"?!");
                if !look && !cursor.take(b"?:") {
                    groups += 1;
                }
                open.push(!look);
                false
            }
            b')' => open.pop().ok_or("it closes a group that is not open")?,
            b'|' | b'^' | b'$' => false,
            b'*' | b'+' | b'?' if repeatable => {
                cursor.take(b"?");
                false
            }
            b'{' if repeatable => {
                let (least, most) = counts(&mut cursor).ok_or("the braces hold no proper counts")?;
                if most.is_some_and(|most| most < least) {
                    return Err("the braces hold no proper counts");
                }
                cursor.take(b"?");
                false
            }
            b'*' | b'+' | b'?' | b'{' => return Err(NOTHING),
            b'}' | b']' => return Err("it closes braces or brackets that are not open"),
            b'[' => {
                class(&mut cursor)?;
                true
            }
            b'\\' => escape(&mut cursor, groups)?,
            _ => true,
        };
    }
    if open.is_empty() { Ok(()) } else { Err("a group is not closed") }
}

/// An escape outside of a class, whose backslash is taken; whether it may be repeated.
fn escape(cursor: &mut Cursor<'_>, groups: u32) -> Result<bool, &'static str> {
    match cursor.peek() {
        Some(b'b' | b'B') => {
            cursor.at += 1;
            Ok(false)
        }
        Some(b'1'..=b'9') => match cursor.number() {
            Some(number) if number <= groups => Ok(true),
            _ => Err("it refers back to a group that is not there"),
        },
        Some(b'd' | b'D' | b's' | b'S' | b'w' | b'W') => {
            cursor.at += 1;
            Ok(true)
        }
        _ => character(cursor).map(|_| true),
    }
}

/// An escaped character, whose backslash is taken.
fn character(cursor: &mut Cursor<'_>) -> Result<u32, &'static str> {
    const UNKNOWN: &str = "it has an escape that is not known";
    let byte = cursor.next().ok_or("it ends in a backslash")?;
    match byte {
        b'x' => cursor.hex(2).ok_or(UNKNOWN),
        b'u' => cursor.hex(4).ok_or(UNKNOWN),
        b'c' => match cursor.next() {
            Some(letter) if letter.is_ascii_alphabetic() => Ok(u32::from(letter % 32)),
            _ => Err(UNKNOWN),
        },
        b'f' => Ok(12),
        b'n' => Ok(10),
        b'r' => Ok(13),
        b't' => Ok(9),
        b'v' => Ok(11),
        b'0' => Ok(0),
        _ if byte.is_ascii_alphanumeric() => Err(UNKNOWN),
        _ => Ok(u32::from(byte)),
    }
}

/// A bracketed class whose opening bracket is taken.
fn class(cursor: &mut Cursor<'_>) -> Result<(), &'static str> {
    cursor.take(b"^");
    loop {
        if cursor.take(b"]") {
            return Ok(());
        }
        if cursor.take(b"[:") {
            match cursor.until(b":]") {
                Some(name) if is_class_name(name) && name != b"ascii" && name != b"word" => continue,
                Some(b"d" | b"s" | b"w") => continue,
                _ => return Err("a character class has an unknown name"),
            }
        }
        let low = single(cursor)?;
        let is_range = cursor.peek() == Some(b'-') && cursor.rest().get(1).is_some_and(|byte| *byte != b']');
        if !is_range {
            continue;
        }
        cursor.at += 1;
        match (low, single(cursor)?) {
            (Some(low), Some(high)) if high >= low => {}
            _ => return Err("a range of characters is out of order"),
        }
    }
}

/// One character of a class, or `None` for a set.
fn single(cursor: &mut Cursor<'_>) -> Result<Option<u32>, &'static str> {
    match cursor.next() {
        Some(b'\\') => match cursor.peek() {
            Some(b'd' | b'D' | b's' | b'S' | b'w' | b'W') => {
                cursor.at += 1;
                Ok(None)
            }
            Some(b'b') => {
                cursor.at += 1;
                Ok(Some(8))
            }
            _ => character(cursor).map(Some),
        },
        Some(byte) => Ok(Some(u32::from(byte))),
        None => Err("a character class is not closed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_patterns() {
        let good = [
            "(?=a)(b)",
            r"(\d)\w\s\b\B\1",
            "(|a)",
            "[]",
            "[^]",
            "a+?b*?c??d{2}?",
            r"\cA",
            r"\0",
            r"\_\-\.\/",
            r"\u00e4",
            "a{100000}",
            r"^listener(?=\.).*?\.http\.(((?:[_.[:digit:]]*|[_\[\]aAbB[:digit:]]*))\.)",
        ];
        for pattern in good {
            assert_eq!(ecma(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn bad_patterns() {
        let bad = [
            "(?P<a>b)",
            r"(\q)",
            r"(a)\2",
            "([a)",
            "([[:foo:]])",
            "*a",
            "a**",
            "a{",
            "a{2,1}",
            "a}",
            "[z-a]",
            "a\\",
            r"\x4",
            "a)",
            "a]",
            "[]a]",
            "(?<=a)b",
            "(?a)",
            "^*",
            "(?=a)*",
            r"\b*",
            "a|*",
            "(*)",
            "a{,2}",
            r"[a-\d]",
            "{2}",
            "a+??",
            r"\c0",
            "(a",
        ];
        for pattern in bad {
            assert!(ecma(pattern).is_err(), "{pattern}");
        }
    }
}
