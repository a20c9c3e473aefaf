//! What certainly is no regular expression of PCRE, which HAProxy and nginx use.

/// Why a pattern certainly does not compile; `None` also where that takes more than a look.
pub(crate) fn fault(pattern: &str) -> Option<&'static str> {
    // Quoted text, verbs, comments and named classes read differently; holes of a template are not there yet.
    let unread = ["\\Q", "(*", "(?#", "[:", "[.", "[=", "{{", "%%"];
    if unread.iter().any(|text| pattern.contains(text)) || has_options(pattern) {
        return None;
    }
    let mut depth = 0usize;
    // Nothing has come yet that could be repeated.
    let mut fresh = true;
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        let first = std::mem::replace(&mut fresh, false);
        match char {
            // Whatever is escaped is passed over.
            '\\' if chars.next().is_none() => return Some("ends with a lone `\\`"),
            '[' => {
                if let Some(fault) = class(&mut chars) {
                    return Some(fault);
                }
            }
            '(' => {
                depth += 1;
                // What follows `(?` says what kind of group it is.
                fresh = chars.next_if_eq(&'?').is_none();
            }
            ')' if depth == 0 => return Some("has a `)` without its `(`"),
            ')' => depth -= 1,
            '|' => fresh = true,
            '*' | '+' | '?' if first => {
                return Some("repeats nothing: a `*`, `+` or `?` follows no character");
            }
            _ => {}
        }
    }
    (depth > 0).then_some("has a `(` without its `)`")
}

/// Whether options such as `(?i)` or `(?xi:…)` turn on the extended syntax, where blanks and `#` count for nothing.
fn has_options(pattern: &str) -> bool {
    pattern.split("(?").skip(1).any(|rest| {
        let end = rest.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(rest.len());
        rest.get(..end).is_some_and(|options| !options.starts_with('P') && options.contains('x'))
    })
}

/// Reads a class, its opening bracket read.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<&'static str> {
    chars.next_if_eq(&'^');
    let mut first = true;
    // The character before a `-` that may make a range of the two.
    let mut from: Option<char> = None;
    loop {
        let Some(char) = chars.next() else { return Some("has a `[` without its `]`") };
        match char {
            ']' if !first => return None,
            '\\' => {
                chars.next();
                from = None;
            }
            '-' if from.is_some() => {
                let start = from.take();
                if let (Some(start), Some(&end)) = (start, chars.peek())
                    && start.is_ascii_alphanumeric()
                    && end.is_ascii_alphanumeric()
                {
                    chars.next();
                    if end < start {
                        return Some("has a range in a class whose ends are the wrong way round");
                    }
                }
            }
            other => from = Some(other),
        }
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_cannot_compile_are_told() {
        for bad in
            ["(", "a)", "^/(a", "[a", "[]", "[z-a]", "*.php$", "(+a)", "a|?b", "a\\", "((a)", "[a-z", "(?:a"]
        {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn all_other_patterns_are_let_through() {
        for good in [
            "",
            r"\.php$",
            "[]a]",
            "[^]a]",
            "[[:alpha:]]",
            "[[:a]",
            "[a-z-0]",
            r"[\w-]",
            "[(]",
            r"\(",
            "(?<x>a)",
            "(?=a)",
            "(?!a)*",
            "a{2,3}?",
            "a*+b",
            "(?i)a",
            "(?x)a # )",
            "(?#()",
            r"\Q(\E",
            "(*UTF8)a",
            "]",
            "{",
            "(|a)",
            "[)]",
            "[+--]",
            "{{ .Path }}(",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
    }
}
