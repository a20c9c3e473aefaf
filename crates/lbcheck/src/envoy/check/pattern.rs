//! The few regular expressions among the validation rules of Envoy's API.
//!
//! All of them are alternatives that are anchored at both ends and made of literals, `.` and character classes, each
//! once or repeated by `*` or `+`. That much is matched here; a test holds the tables to it.

use std::ops::RangeInclusive;

/// One element of a pattern.
#[derive(Debug)]
struct Element {
    /// The characters it stands for.
    set: Vec<RangeInclusive<char>>,
    negated: bool,
    optional: bool,
    repeated: bool,
}

impl Element {
    fn takes(&self, letter: char) -> bool {
        self.set.iter().any(|range| range.contains(&letter)) != self.negated
    }
}

/// Whether a text matches one of the alternatives of a pattern. A pattern of another form matches everything.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut alternatives = pattern.split("$|^").peekable();
    let mut known = true;
    while let Some(alternative) = alternatives.next() {
        let alternative = alternative.strip_prefix('^').unwrap_or(alternative);
        let alternative = match alternatives.peek() {
            None => alternative.strip_suffix('$').unwrap_or(alternative),
            Some(_) => alternative,
        };
        match parse(alternative) {
            Some(elements) if run(&elements, text) => return true,
            Some(_) => {}
            None => known = false,
        }
    }
    !known
}

/// Runs the elements over a text, all ways at once.
fn run(elements: &[Element], text: &str) -> bool {
    let mut states = vec![false; elements.len() + 1];
    let enter = |states: &mut [bool], mut at: usize| loop {
        match states.get_mut(at) {
            Some(state) => *state = true,
            None => return,
        }
        match elements.get(at) {
            Some(element) if element.optional => at += 1,
            _ => return,
        }
    };
    enter(&mut states, 0);
    for letter in text.chars() {
        let mut next = vec![false; states.len()];
        for (at, element) in elements.iter().enumerate() {
            if states.get(at) == Some(&true) && element.takes(letter) {
                enter(&mut next, at + 1);
                if element.repeated {
                    enter(&mut next, at);
                }
            }
        }
        states = next;
    }
    states.last() == Some(&true)
}

fn parse(pattern: &str) -> Option<Vec<Element>> {
    let mut letters = pattern.chars().peekable();
    let mut elements: Vec<Element> = Vec::new();
    while let Some(letter) = letters.next() {
        let (set, negated) = match letter {
            '.' => (vec!['\n'..='\n'], true),
            '[' => class(&mut letters)?,
            '\\' => {
                let letter = escaped(&mut letters)?;
                (vec![letter..=letter], false)
            }
            '(' | ')' | '{' | '|' | '?' | '^' | '$' | '*' | '+' => return None,
            _ => (vec![letter..=letter], false),
        };
        let repeat = letters.next_if(|letter| matches!(letter, '*' | '+'));
        elements.push(Element { set, negated, optional: repeat == Some('*'), repeated: repeat.is_some() });
    }
    Some(elements)
}

fn class(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Option<(Vec<RangeInclusive<char>>, bool)> {
    let negated = letters.next_if_eq(&'^').is_some();
    let mut set = Vec::new();
    loop {
        let low = match letters.next()? {
            ']' => return Some((set, negated)),
            '\\' => escaped(letters)?,
            letter => letter,
        };
        if letters.next_if_eq(&'-').is_none() {
            set.push(low..=low);
            continue;
        }
        let high = match letters.next()? {
            '\\' => escaped(letters)?,
            ']' => return None,
            letter => letter,
        };
        set.push(low..=high);
    }
}

/// The character after a backslash: itself, or one by its hexadecimal number.
fn escaped(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match letters.next()? {
        'x' => {
            let (high, low) = (letters.next()?.to_digit(16)?, letters.next()?.to_digit(16)?);
            char::from_u32(high * 16 + low)
        }
        letter if letter.is_ascii_alphanumeric() => None,
        letter => Some(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::{self, Rule};
    use super::*;

    #[test]
    fn patterns_of_the_api() {
        let prefix = "^[^?#]+[^?#/]$";
        for (text, matched) in [("/a", true), ("/a/b", true), ("/a/", false), ("a", false), ("/a?", false)] {
            assert_eq!(matches(prefix, text), matched, "{text}");
        }
        let database = "^$|^.*\\.mmdb$";
        for (text, matched) in [("", true), ("/x.mmdb", true), ("/x.db", false)] {
            assert_eq!(matches(database, text), matched, "{text}");
        }
        assert!(matches("^$|^/[^\\x00-\\x1f\\x7f \",;<>\\\\]*$", "/a"));
        assert!(!matches("^$|^/[^\\x00-\\x1f\\x7f \",;<>\\\\]*$", "/a b"));
    }

    #[test]
    fn every_pattern_of_the_tables_is_of_the_known_form() {
        let mut seen = 0;
        for message in
            schema::message_names().filter_map(|name| schema::message(schema::message_number(name)?))
        {
            for rule in message.fields.iter().flat_map(|field| field.rules) {
                if let Rule::Pattern(pattern) = rule {
                    seen += 1;
                    assert!(!matches(pattern, "\u{1}\n\u{0}/"), "{pattern}");
                }
            }
        }
        assert!(seen > 5);
    }
}
