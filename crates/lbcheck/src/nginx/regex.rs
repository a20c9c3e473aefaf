//! Regular expressions simple enough to be tried by hand: literal text, alternatives of literal text, anchors.

pub(super) use crate::regex::fault;

/// Alternatives, each a literal text with or without anchors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Simple {
    any_case: bool,
    start: bool,
    alternatives: Vec<Literal>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Literal {
    text: String,
    end: bool,
}

/// Most alternatives a pattern may unfold to.
const MAX_ALTERNATIVES: usize = 64;

/// Reads a pattern; `None` if it is anything but simple.
pub(super) fn simple(pattern: &str, any_case: bool) -> Option<Simple> {
    let (pattern, any_case) = match pattern.strip_prefix("(?i)") {
        Some(pattern) => (pattern, true),
        None => (pattern, any_case),
    };
    let (start, pattern) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let mut alternatives = vec![Literal::default()];
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        // Nothing can follow an end.
        if alternatives.iter().all(|literal| literal.end) {
            return None;
        }
        let arms = match char {
            '(' => group(&mut chars)?,
            '$' => vec![Literal { text: String::new(), end: true }],
            '|' | ')' => return None,
            other => vec![Literal { text: one(other, &mut chars)?.to_string(), end: false }],
        };
        if alternatives.iter().any(|literal| literal.end)
            || alternatives.len() * arms.len() > MAX_ALTERNATIVES
        {
            return None;
        }
        alternatives = alternatives
            .iter()
            .flat_map(|head| {
                arms.iter().map(|arm| Literal { text: format!("{}{}", head.text, arm.text), end: arm.end })
            })
            .collect();
    }
    if any_case {
        for literal in &mut alternatives {
            literal.text = literal.text.to_ascii_lowercase();
        }
    }
    Some(Simple { any_case, start, alternatives })
}

/// A group of alternatives, its opening parenthesis read.
fn group(chars: &mut std::str::Chars<'_>) -> Option<Vec<Literal>> {
    let rest = chars.as_str();
    if let Some(rest) = rest.strip_prefix("?:") {
        *chars = rest.chars();
    } else if rest.starts_with('?') {
        return None;
    }
    let mut arms = vec![Literal::default()];
    loop {
        let char = chars.next()?;
        let last = arms.last_mut()?;
        match char {
            ')' => return Some(arms),
            '|' => arms.push(Literal::default()),
            '$' => last.end = true,
            _ if last.end => return None,
            other => last.text.push(one(other, chars)?),
        }
    }
}

/// One literal character, not followed by a repetition.
fn one(char: char, chars: &mut std::str::Chars<'_>) -> Option<char> {
    let literal = match char {
        '\\' => chars.next().filter(|next| next.is_ascii_punctuation())?,
        '.' | '[' | ']' | '{' | '}' | '*' | '+' | '?' | '^' | '(' => return None,
        other => other,
    };
    (!chars.as_str().starts_with(['*', '+', '?', '{'])).then_some(literal)
}

impl Simple {
    /// Whether a path matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        let lower;
        let path = if self.any_case {
            lower = path.to_ascii_lowercase();
            lower.as_str()
        } else {
            path
        };
        self.alternatives.iter().any(|literal| match (self.start, literal.end) {
            (true, true) => path == literal.text,
            (true, false) => path.starts_with(&literal.text),
            (false, true) => path.ends_with(&literal.text),
            (false, false) => path.contains(&literal.text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_patterns_match() {
        let matches = |pattern, path| simple(pattern, false).map(|simple| simple.matches(path));
        assert_eq!(matches(r"\.php$", "/index.php"), Some(true));
        assert_eq!(matches(r"\.php$", "/index.phps"), Some(false));
        assert_eq!(matches(r"^/(a|b)/", "/b/x"), Some(true));
        assert_eq!(matches(r"\.php(/|$)", "/index.php"), Some(true));
        assert_eq!(matches(r"\.php(?:$|/)", "/index.php/x"), Some(true));
        assert_eq!(simple(r"\.(PNG|jpg)$", true).map(|simple| simple.matches("/A.png")), Some(true));
    }

    #[test]
    fn everything_else_is_left_alone() {
        for pattern in
            [r"a.*b", r"[ab]", r"a+", r"(a|b)*", r"\d", r"a|b", r"(?=x)", r"(a(b))", r"x{2}", r"(ab)?"]
        {
            assert_eq!(simple(pattern, false), None, "{pattern}");
        }
    }
}
