//! Regular expressions of the three proxies, evaluated as far as all of them mean the same.
//!
//! nginx and HAProxy use PCRE, Envoy uses RE2. What they have in common with the `regex` crate is translated
//! piece by piece; anything else (backreferences, lookaround, possessive and atomic groups, extended syntax) gives
//! no answer. Everything is bytes, as PCRE sees it without its UTF mode.

use std::collections::BTreeMap;

use regex::bytes::{Regex, RegexBuilder};

/// Which engine a pattern is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    /// Searches anywhere.
    Pcre,
    /// Must match the whole text; UTF-8.
    Re2Full,
}

/// Longest pattern that is tried, in bytes.
const MAX_PATTERN: usize = 16 << 10;
/// Largest compiled pattern, in bytes; a few nested repetitions may ask for gigabytes.
const MAX_COMPILED: usize = 1 << 20;
/// Deepest nesting of groups.
const MAX_NEST: u32 = 60;
/// Most bytes of pattern that are compiled in one evaluation; what comes later stays unknown.
const MAX_TOTAL: usize = 4 << 20;

/// Compiled patterns of one evaluation, each compiled once.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    known: BTreeMap<(Engine, bool, String), Result<Pattern, &'static str>>,
    compiled: usize,
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    engine: Engine,
    /// PCRE's `$` also matches before a final line feed, which this one does not.
    dollar: bool,
    ascii: bool,
}

impl Patterns {
    /// The pattern, or why it is not evaluated.
    pub(crate) fn get(
        &mut self,
        engine: Engine,
        any_case: bool,
        text: &str,
    ) -> Result<&Pattern, &'static str> {
        let key = (engine, any_case, text.to_owned());
        if !self.known.contains_key(&key) {
            self.compiled = self.compiled.saturating_add(text.len().max(256));
            let made = if self.compiled > MAX_TOTAL {
                Err("too many regular expressions to evaluate")
            } else {
                compile(engine, any_case, text)
            };
            self.known.insert(key.clone(), made);
        }
        match self.known.get(&key) {
            Some(Ok(pattern)) => Ok(pattern),
            Some(Err(why)) => Err(why),
            None => Err("not evaluated"),
        }
    }
}

impl Pattern {
    /// Whether `text` matches; an error says why that is not known.
    pub(crate) fn matches(&self, text: &[u8]) -> Result<bool, &'static str> {
        self.check(text)?;
        Ok(self.regex.is_match(text))
    }

    /// The groups of the first match: by number, the whole at 0, and by name. `None`: no match.
    pub(crate) fn captures(&self, text: &[u8]) -> Result<Option<Groups>, &'static str> {
        self.check(text)?;
        let Some(found) = self.regex.captures(text) else { return Ok(None) };
        let bytes = |group: Option<regex::bytes::Match<'_>>| {
            group.map_or_else(Vec::new, |group| group.as_bytes().to_vec())
        };
        let names = self.regex.capture_names().flatten();
        Ok(Some(Groups {
            numbered: found.iter().map(bytes).collect(),
            named: names.map(|name| (name.to_owned(), bytes(found.name(name)))).collect(),
        }))
    }

    fn check(&self, text: &[u8]) -> Result<(), &'static str> {
        if self.dollar && text.last() == Some(&b'\n') {
            return Err("`$` before a line feed");
        }
        if self.engine == Engine::Re2Full && !(self.ascii && text.is_ascii()) {
            return Err("characters beyond ASCII");
        }
        Ok(())
    }
}

/// What the groups of a pattern captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    pub(crate) numbered: Vec<Vec<u8>>,
    pub(crate) named: BTreeMap<String, Vec<u8>>,
}

fn compile(engine: Engine, any_case: bool, text: &str) -> Result<Pattern, &'static str> {
    if text.len() > MAX_PATTERN {
        return Err("a very long regular expression");
    }
    let translated = Translator::new(text, engine).run()?;
    let source = match engine {
        Engine::Pcre => translated.text,
        Engine::Re2Full => format!("\\A(?:{})\\z", translated.text),
    };
    let regex = RegexBuilder::new(&source)
        .unicode(false)
        .case_insensitive(any_case)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(MAX_NEST)
        .build()
        .map_err(|_| "a regular expression that is too large or not valid")?;
    Ok(Pattern { regex, engine, dollar: translated.dollar && engine == Engine::Pcre, ascii: text.is_ascii() })
}

struct Translated {
    text: String,
    dollar: bool,
}

/// Reads a pattern of PCRE or RE2 and writes what the `regex` crate takes for the same.
struct Translator<'t> {
    rest: &'t [u8],
    engine: Engine,
    text: String,
    dollar: bool,
    depth: u32,
    /// Whether something stands before that can be repeated.
    repeatable: bool,
}

type Step = Result<(), &'static str>;

impl<'t> Translator<'t> {
    fn new(text: &'t str, engine: Engine) -> Self {
        Self {
            rest: text.as_bytes(),
            engine,
            text: String::with_capacity(text.len() * 2),
            dollar: false,
            depth: 0,
            repeatable: false,
        }
    }

    fn run(mut self) -> Result<Translated, &'static str> {
        while let Some(byte) = self.next() {
            self.piece(byte)?;
        }
        Ok(Translated { text: self.text, dollar: self.dollar })
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, start: &[u8]) -> bool {
        match self.rest.strip_prefix(start) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn literal(&mut self, byte: u8) {
        push_byte(&mut self.text, byte);
        self.repeatable = true;
    }

    fn piece(&mut self, byte: u8) -> Step {
        match byte {
            b'^' => self.anchor("\\A"),
            b'$' => {
                self.dollar = true;
                self.anchor("\\z");
            }
            b'.' => {
                self.text.push('.');
                self.repeatable = true;
            }
            b'|' => {
                self.text.push('|');
                self.repeatable = false;
            }
            b'(' => return self.open(),
            b')' => {
                self.depth = self.depth.checked_sub(1).ok_or("an unbalanced `)`")?;
                self.text.push(')');
                self.repeatable = true;
            }
            b'[' => return self.class(),
            b'*' | b'+' | b'?' => {
                self.text.push(char::from(byte));
                return self.repeated();
            }
            b'{' => return self.brace(),
            b'\\' => return self.escape(),
            other => self.literal(other),
        }
        Ok(())
    }

    fn anchor(&mut self, text: &str) {
        self.text.push_str(text);
        self.repeatable = false;
    }

    /// After a repetition: it may be lazy, which is the same for a test, or possessive, which is not.
    fn repeated(&mut self) -> Step {
        if !std::mem::take(&mut self.repeatable) {
            return Err("a repetition of nothing");
        }
        if self.eat(b"+") {
            return Err("a possessive repetition");
        }
        if self.eat(b"?") {
            self.text.push('?');
        }
        Ok(())
    }

    /// `{2}`, `{2,}` and `{2,3}` repeat; any other brace stands for itself.
    fn brace(&mut self) -> Step {
        let end = self.rest.iter().position(|byte| *byte == b'}');
        let inside = end.and_then(|end| self.rest.get(..end)).unwrap_or_default();
        let (low, high) = match inside.iter().position(|byte| *byte == b',') {
            Some(comma) => (inside.get(..comma), inside.get(comma + 1..)),
            None => (Some(inside), None),
        };
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        let (low, high) = (low.unwrap_or_default(), high.unwrap_or_default());
        if !digits(low) || !digits(high) || inside.is_empty() {
            self.literal(b'{');
            return Ok(());
        }
        if low.is_empty() {
            // A repetition since PCRE2 10.43, a text before.
            return Err("a repetition without lower bound");
        }
        self.text.push('{');
        self.text.extend(inside.iter().copied().map(char::from));
        self.text.push('}');
        self.rest = self.rest.get(inside.len() + 1..).unwrap_or_default();
        self.repeated()
    }

    fn open(&mut self) -> Step {
        self.depth += 1;
        self.repeatable = false;
        if self.rest.starts_with(b"*") {
            return Err("a verb such as `(*UTF8)`");
        }
        if !self.eat(b"?") {
            self.text.push('(');
            return Ok(());
        }
        if self.eat(b":") {
            self.text.push_str("(?:");
            return Ok(());
        }
        let name_end = if self.eat(b"P<") || (!self.is_lookbehind() && self.eat(b"<")) {
            b'>'
        } else if self.engine == Engine::Pcre && self.eat(b"'") {
            b'\''
        } else {
            return self.flags();
        };
        let end = self.rest.iter().position(|byte| *byte == name_end).ok_or("an unfinished group name")?;
        let name = self.rest.get(..end).unwrap_or_default();
        let valid = name.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if !valid {
            return Err("a group name lbcheck does not read");
        }
        self.text.push_str("(?P<");
        self.text.extend(name.iter().copied().map(char::from));
        self.text.push('>');
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Ok(())
    }

    fn is_lookbehind(&self) -> bool {
        self.rest.starts_with(b"<=") || self.rest.starts_with(b"<!")
    }

    /// `(?i)` and `(?i:…)`, also with `s`; nothing else that a `(?` may start.
    fn flags(&mut self) -> Step {
        let end = self.rest.iter().position(|byte| !matches!(byte, b'i' | b's' | b'-'));
        let end = end.ok_or("an unfinished group")?;
        let flags = self.rest.get(..end).unwrap_or_default();
        let close = self.rest.get(end).copied();
        let dashes = flags.iter().filter(|byte| **byte == b'-').count();
        if flags.is_empty() || dashes > 1 || flags.ends_with(b"-") || !matches!(close, Some(b')' | b':')) {
            return Err("a group such as lookahead, lookbehind or a condition");
        }
        self.text.push_str("(?");
        self.text.extend(flags.iter().copied().map(char::from));
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        if close == Some(b')') {
            self.depth -= 1;
            self.text.push(')');
        } else {
            self.text.push(':');
        }
        Ok(())
    }

    fn escape(&mut self) -> Step {
        let byte = self.next().ok_or("a lone backslash at the end")?;
        match byte {
            b'd' | b'D' | b'w' | b'W' | b's' | b'S' => {
                // RE2 leaves the vertical tab out of `\s`.
                self.text.push('\\');
                self.text.push(char::from(byte));
                self.repeatable = true;
            }
            b'b' | b'B' => {
                self.text.push('\\');
                self.text.push(char::from(byte));
                self.repeatable = false;
            }
            b'A' => self.anchor("\\A"),
            b'z' => self.anchor("\\z"),
            other => {
                let byte = self.escaped_byte(other)?;
                self.literal(byte);
            }
        }
        Ok(())
    }

    /// The byte that an escape stands for.
    fn escaped_byte(&mut self, byte: u8) -> Result<u8, &'static str> {
        Ok(match byte {
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'f' => 0x0C,
            b'a' => 0x07,
            b'x' => {
                let digits = self.rest.get(..2).ok_or("an escape lbcheck does not read")?;
                let text = std::str::from_utf8(digits).map_err(|_| "an escape lbcheck does not read")?;
                let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let value = u8::from_str_radix(text, 16).ok().filter(|value| hex && value.is_ascii());
                self.rest = self.rest.get(2..).unwrap_or_default();
                value.ok_or("an escape lbcheck does not read")?
            }
            other if other.is_ascii_alphanumeric() => {
                return Err("a backreference or an escape lbcheck does not read");
            }
            other if other.is_ascii() => other,
            _ => return Err("an escape beyond ASCII"),
        })
    }

    fn class(&mut self) -> Step {
        const UNFINISHED: &str = "an unfinished class";
        let mut out = String::from("[");
        if self.eat(b"^") {
            out.push('^');
        }
        let mut first = true;
        loop {
            let byte = self.next().ok_or(UNFINISHED)?;
            if byte == b']' && !first {
                break;
            }
            first = false;
            if byte == b'[' && matches!(self.rest.first(), Some(b':' | b'.' | b'=')) {
                self.posix(&mut out)?;
                continue;
            }
            let from = match self.class_byte(byte, &mut out)? {
                Some(from) => from,
                None => continue,
            };
            let range = self.rest.starts_with(b"-") && self.rest.get(1).is_some_and(|next| *next != b']');
            if !range {
                push_byte(&mut out, from);
                continue;
            }
            self.rest = self.rest.get(1..).unwrap_or_default();
            let end = self.next().ok_or(UNFINISHED)?;
            if end == b'[' && self.rest.starts_with(b":") {
                return Err("a range that ends in a class");
            }
            let mut set = String::new();
            match self.class_byte(end, &mut set)? {
                Some(to) if to >= from => {
                    push_byte(&mut out, from);
                    out.push('-');
                    push_byte(&mut out, to);
                }
                Some(_) => return Err("a range the wrong way round"),
                // The dash before a set stands for itself.
                None => {
                    push_byte(&mut out, from);
                    push_byte(&mut out, b'-');
                    out.push_str(&set);
                }
            }
        }
        out.push(']');
        self.text.push_str(&out);
        self.repeatable = true;
        Ok(())
    }

    /// One member of a class: a byte, or a set that goes to `out` as it is.
    fn class_byte(&mut self, byte: u8, out: &mut String) -> Result<Option<u8>, &'static str> {
        if byte != b'\\' {
            return Ok(Some(byte));
        }
        let escaped = self.next().ok_or("an unfinished class")?;
        match escaped {
            b'd' | b'D' | b'w' | b'W' | b's' | b'S' => {
                out.push('\\');
                out.push(char::from(escaped));
                Ok(None)
            }
            b'b' if self.engine == Engine::Pcre => Ok(Some(0x08)),
            other => self.escaped_byte(other).map(Some),
        }
    }

    /// `[:alpha:]` and its kin, the first bracket read.
    fn posix(&mut self, out: &mut String) -> Step {
        const NAMES: &[&str] = &[
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
            "space", "upper", "xdigit",
        ];
        let end = self.rest.windows(2).position(|pair| pair == b":]").ok_or("an odd bracket in a class")?;
        let name = self.rest.get(1..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
        let (negated, plain) = match name.strip_prefix('^') {
            Some(plain) => (true, plain),
            None => (false, name),
        };
        if !self.rest.starts_with(b":") || !NAMES.contains(&plain) {
            return Err("a class name lbcheck does not read");
        }
        out.push_str(if negated { "[:^" } else { "[:" });
        out.push_str(plain);
        out.push_str(":]");
        self.rest = self.rest.get(end + 2..).unwrap_or_default();
        Ok(())
    }
}

/// A byte that stands for itself.
fn push_byte(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(engine: Engine, pattern: &str, text: &str) -> Result<bool, &'static str> {
        Patterns::default().get(engine, false, pattern)?.matches(text.as_bytes())
    }

    #[test]
    fn common_patterns_mean_the_same() {
        for (pattern, text, expected) in [
            (r"\.php$", "/index.php", true),
            (r"\.php$", "/index.phps", false),
            (r"^/(api|v[0-9]{1,2})/", "/v12/x", true),
            (r"^/(api|v[0-9]{1,2})/", "/v123/x", false),
            (r"^/u/\d+$", "/u/42", true),
            (r"^/[[:alpha:]_-]+/x{,}$", "/a_b-c/x{,}", false),
            (r"^/a{b$", "/a{b", true),
            (r"[]a]", "]", true),
            (r"[^]a]", "]", false),
            (r"[a[]", "[", true),
            (r"[a&&b]", "&", true),
            (r"[\w-.]", "-", true),
            (r"\<x\>", "<x>", true),
            (r"(?i)\.JPG$", "/a.jpg", true),
            (r"(?<name>ab)c", "xabc", true),
            (r"/a\/b", "/a/b", true),
            (r"^/é+$", "/éé", false),
            (r"a.c", "a\nc", false),
        ] {
            let found = matches(Engine::Pcre, pattern, text);
            // An open brace with a comma alone is read differently by different versions.
            if pattern.contains("{,}") {
                assert!(found.is_err(), "{pattern}");
            } else {
                assert_eq!(found, Ok(expected), "{pattern} on {text}");
            }
        }
    }

    #[test]
    fn envoy_matches_the_whole_text() {
        assert_eq!(matches(Engine::Re2Full, "/a|/b", "/b"), Ok(true));
        assert_eq!(matches(Engine::Re2Full, "/a", "/ab"), Ok(false));
        assert_eq!(matches(Engine::Re2Full, "/a.*", "/ab"), Ok(true));
        assert!(matches(Engine::Re2Full, "/.", "/é").is_err());
    }

    #[test]
    fn what_only_pcre_has_is_left_open() {
        for pattern in [
            "(?=a)b",
            "(?!a)",
            "(?<=a)b",
            "(?<!a)b",
            "(?>a)",
            r"(a)\1",
            "a++",
            "a*+",
            r"\Qa.b\E",
            "(?x)a b",
            "(?(1)a|b)",
            r"\K",
            r"\p{L}",
            "(?m)^a$",
            "a{,3}",
            "(*UTF8)a",
            "(?#x)a",
            "(?R)",
            r"\x{41}",
            "a**",
        ] {
            assert!(matches(Engine::Pcre, pattern, "a").is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_dollar_before_a_line_feed_is_left_open() {
        assert!(matches(Engine::Pcre, "a$", "a\n").is_err());
        assert_eq!(matches(Engine::Pcre, "a$", "a"), Ok(true));
    }

    #[test]
    fn hostile_patterns_cost_little() {
        for pattern in [
            "(((a{1000}){1000}){1000}){1000}".to_owned(),
            format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000)),
            "a".repeat(1 << 20),
            "[".repeat(1000),
        ] {
            assert!(matches(Engine::Pcre, &pattern, "a").is_err());
        }
        assert_eq!(matches(Engine::Pcre, "(a*)*b", &"a".repeat(100_000)), Ok(false));
    }
}
