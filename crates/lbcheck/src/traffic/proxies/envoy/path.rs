//! How Envoy makes the path its routes see, where the connection manager says so. Measured on Envoy 1.40.

use crate::model::{EscapedSlashes, Normalization};
use crate::traffic::request::value::{Refused, Value};

/// The path without its query string.
pub(super) fn normalized(path: &[u8], settings: &Normalization) -> Result<Value, Refused> {
    if path.contains(&b'#') {
        return Err(Refused::for_path(400));
    }
    let escaped_slash = |three: &[u8]| {
        let three = three.to_ascii_lowercase();
        three == b"%2f" || three == b"%5c"
    };
    let mut path = path.to_vec();
    if path.windows(3).any(escaped_slash) {
        match settings.escaped_slashes {
            EscapedSlashes::Kept => {}
            EscapedSlashes::Rejected => return Err(Refused::for_path(400)),
            EscapedSlashes::Redirected => return Err(Refused::for_path(307)),
            EscapedSlashes::Decoded => path = with_slashes(&path),
        }
    }
    if settings.dots {
        // Which of the other characters it escapes is not known here.
        if !path.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%\\".contains(byte)) {
            return Ok(Value::Unknown("the path has characters that Envoy may escape".to_owned()));
        }
        path = without_dots(&unescaped(&path)?);
    }
    // What Envoy makes of a path of slashes alone was not what it makes of others.
    if settings.merge_slashes && path.len() > 1 && path.iter().all(|byte| *byte == b'/') {
        return Ok(Value::Unknown("the path has nothing but slashes".to_owned()));
    }
    if settings.merge_slashes {
        path.dedup_by(|next, last| *next == b'/' && *last == b'/');
    }
    Ok(Value::Known(vec![path]))
}

/// Decodes the escapes of characters that need none; a backslash is a slash.
fn unescaped(path: &[u8]) -> Result<Vec<u8>, Refused> {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%'
            && let Some((&[high, low], after)) = rest.split_first_chunk::<2>()
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            match high << 4 | low {
                0 => return Err(Refused::for_path(400)),
                plain if plain.is_ascii_alphanumeric() || b"-._~".contains(&plain) => {
                    out.push(plain);
                    rest = after;
                    continue;
                }
                _ => {}
            }
        }
        out.push(if byte == b'\\' { b'/' } else { byte });
    }
    Ok(out)
}

/// With slashes in the place of escaped ones.
fn with_slashes(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match rest.split_first_chunk::<3>() {
            Some(([b'%', b'2', b'f' | b'F'], after)) => (b'/', after),
            Some(([b'%', b'5', b'c' | b'C'], after)) => (b'\\', after),
            _ => (byte, after),
        };
        out.push(byte);
        rest = after;
    }
    out
}

fn without_dots(path: &[u8]) -> Vec<u8> {
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut parts = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            b"." => {}
            b".." => drop(segments.pop()),
            other => {
                segments.push(other);
                continue;
            }
        }
        // What ends in dots is a directory.
        if last {
            segments.push(b"");
        }
    }
    let mut out = Vec::with_capacity(path.len());
    for segment in segments {
        out.push(b'/');
        out.extend_from_slice(segment);
    }
    if out.is_empty() { b"/".to_vec() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_envoy_made_of_them() {
        let settings =
            |merge_slashes| Normalization { dots: true, merge_slashes, ..Normalization::default() };
        for (path, expected, merged) in [
            ("/a/../b", "/b", "/b"),
            ("//a", "//a", "/a"),
            ("/a%2fb", "/a%2fb", "/a%2fb"),
            ("/%61", "/a", "/a"),
            ("/a/./b", "/a/b", "/a/b"),
            ("/a%2Fb%5c", "/a%2Fb%5c", "/a%2Fb%5c"),
            ("/a\\b", "/a/b", "/a/b"),
            ("/a/..", "/", "/"),
            ("/..", "/", "/"),
            ("/../a", "/a", "/a"),
            ("/a//..//b", "/a//b", "/a/b"),
            ("/%2e%2e/a", "/a", "/a"),
            ("/%zz", "/%zz", "/%zz"),
            ("/a/%7E", "/a/~", "/a/~"),
            ("/a/%c3%a9", "/a/%c3%a9", "/a/%c3%a9"),
            ("/A%2e", "/A.", "/A."),
            ("/a;b/../c", "/c", "/c"),
        ] {
            let known = |text: &str| Ok(Value::Known(vec![text.as_bytes().to_vec()]));
            assert_eq!(normalized(path.as_bytes(), &settings(false)), known(expected), "{path}");
            assert_eq!(normalized(path.as_bytes(), &settings(true)), known(merged), "{path}");
        }
        let refused = Err(Refused::for_path(400));
        assert_eq!(normalized(b"/a%00b", &settings(false)), refused);
        assert_eq!(normalized(b"/a#b", &settings(false)), refused);
        let with = |escaped_slashes| Normalization { escaped_slashes, ..settings(false) };
        let decoded = Value::Known(vec![b"/a/b/".to_vec()]);
        assert_eq!(normalized(b"/a%2Fb%5c", &with(EscapedSlashes::Decoded)), Ok(decoded));
        assert_eq!(normalized(b"/a%2Fb", &with(EscapedSlashes::Rejected)), refused);
    }
}
