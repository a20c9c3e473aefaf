//! How nginx makes the path it compares with locations from the one the client sends.
//!
//! Escapes are decoded, `.` and `..` resolved, slashes merged unless `merge_slashes off`, and a fragment is cut off.
//! The order matters: an escaped slash or dot counts as one, an escaped `?`, `#` or `%` does not.

/// Why nginx answers 400 to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadPath;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Usual,
    Slash,
    Dot,
    DotDot,
}

/// The path of a request target without its query string.
pub(super) fn normalized(path: &[u8], merge_slashes: bool) -> Result<Vec<u8>, BadPath> {
    let path = path.split(|byte| *byte == b'#').next().unwrap_or_default();
    if path.first() != Some(&b'/') || path.iter().any(|byte| *byte <= b' ' || *byte == 0x7F) {
        return Err(BadPath);
    }
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    let mut state = State::Usual;
    let mut rest = path;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let mut byte = first;
        if first == b'%' {
            let (&[high, low], after) = after.split_first_chunk::<2>().ok_or(BadPath)?;
            rest = after;
            byte = hex(high)? << 4 | hex(low)?;
            match byte {
                0 => return Err(BadPath),
                b'%' | b'#' | b'?' => {
                    state = State::Usual;
                    out.push(byte);
                    continue;
                }
                _ => {}
            }
        }
        state = match (state, byte) {
            (State::Usual, b'/') => {
                out.push(byte);
                State::Slash
            }
            (State::Slash, b'/') => {
                if !merge_slashes {
                    out.push(byte);
                }
                State::Slash
            }
            (State::Slash, b'.') => {
                out.push(byte);
                State::Dot
            }
            (State::Dot, b'/') => {
                out.pop();
                State::Slash
            }
            (State::Dot, b'.') => {
                out.push(byte);
                State::DotDot
            }
            (State::DotDot, b'/') => {
                up(&mut out)?;
                State::Slash
            }
            (_, other) => {
                out.push(other);
                State::Usual
            }
        };
    }
    match state {
        State::Dot => drop(out.pop()),
        State::DotDot => up(&mut out)?,
        State::Usual | State::Slash => {}
    }
    Ok(out)
}

/// Takes `/..` and the segment before it off the end.
fn up(out: &mut Vec<u8>) -> Result<(), BadPath> {
    // The last four bytes are a character and `/..`; what is before them must hold the slash to go back to.
    let end = out.len().checked_sub(3).ok_or(BadPath)?;
    let slash = out.get(..end).and_then(|head| head.iter().rposition(|byte| *byte == b'/')).ok_or(BadPath)?;
    out.truncate(slash + 1);
    Ok(())
}

fn hex(byte: u8) -> Result<u8, BadPath> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(BadPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_nginx_reads_them() {
        for (path, merged, kept) in [
            ("/a/b", "/a/b", "/a/b"),
            ("/%61", "/a", "/a"),
            ("//a///b", "/a/b", "//a///b"),
            ("/a/./b/.", "/a/b/", "/a/b/"),
            ("/a/../b", "/b", "/b"),
            ("/a/b/..", "/a/", "/a/"),
            ("/a%2fb", "/a/b", "/a/b"),
            ("/a%2F..%2Fb", "/b", "/b"),
            ("/%2e%2e", "", ""),
            ("/a%3Fb%23c%25", "/a?b#c%", "/a?b#c%"),
            ("/a#b", "/a", "/a"),
            ("/...", "/...", "/..."),
            ("/.a/..b/c..", "/.a/..b/c..", "/.a/..b/c.."),
            ("/a//../b", "/b", "/a/b"),
            ("/%C3%A9", "/é", "/é"),
        ] {
            let text =
                |merge| normalized(path.as_bytes(), merge).map(|path| String::from_utf8(path).unwrap());
            if merged.is_empty() {
                assert_eq!(text(true), Err(BadPath), "{path}");
                continue;
            }
            assert_eq!(text(true).as_deref(), Ok(merged), "{path}");
            assert_eq!(text(false).as_deref(), Ok(kept), "{path}");
        }
    }

    #[test]
    fn what_nginx_refuses() {
        for path in ["", "a", "/..", "/a/../..", "/%", "/%6", "/%zz", "/%00", "/a b"] {
            assert_eq!(normalized(path.as_bytes(), true), Err(BadPath), "{path}");
        }
    }
}
