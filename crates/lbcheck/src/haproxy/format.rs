//! Log formats: text with `%alias` and `%[expression]`.

use super::expression;
use super::lexer::Word;
use super::report::{Report, rule};

/// The aliases that every version knows, sorted.
const ALIASES: &[&str] = &[
    "B", "CC", "CS", "H", "HM", "HP", "HPO", "HQ", "HU", "HV", "ID", "ST", "T", "TR", "Ta", "Tc", "Td", "Th",
    "Ti", "Tl", "Tq", "Tr", "Ts", "Tt", "Tu", "Tw", "U", "ac", "b", "bc", "bi", "bp", "bq", "ci", "cp", "f",
    "fc", "fi", "fp", "ft", "hr", "hrl", "hs", "hsl", "lc", "ms", "o", "pid", "r", "rc", "rt", "s", "sc",
    "si", "sp", "sq", "sslc", "sslv", "t", "tr", "trg", "trl", "ts", "tsc",
];

/// The alias that came with 3.1 or 3.2.
const ORIGIN: &str = "OG";

/// Types that may follow the name of an item, as in `%(name:str)[…]`.
const TYPES: &[&str] = &["bool", "sint", "str"];

/// Reports what the program refuses of a log format. `place`: where its expressions stand.
pub(crate) fn check(word: &Word<'_>, place: u32, report: &mut Report) {
    if word.unset {
        return;
    }
    let text = word.as_str();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('%')) {
        let start = at + found;
        match item(text, start, word, place, report) {
            Some(end) => at = end.max(start + 1),
            None => return,
        }
    }
}

/// Reads the item whose `%` stands at `start`; gives where it ends. `None`: it was refused.
fn item(text: &str, start: usize, word: &Word<'_>, place: u32, report: &mut Report) -> Option<usize> {
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let mut at = start + 1;
    if byte(at) == Some(b'(') {
        at = named(text, at, word, report)?;
    }
    let flagged = byte(at) == Some(b'{');
    if flagged {
        let Some(close) = text.get(at..).and_then(|rest| rest.find('}')) else {
            refuse(word, start..text.len(), "opens flags with `{` and does not close them", report);
            return None;
        };
        at += close + 1;
    }
    match byte(at) {
        None => {
            refuse(word, start..text.len(), "ends with a `%` that starts nothing", report);
            None
        }
        Some(b'[') => {
            let end = at + 1 + expression::check_inside(text.get(at + 1..)?, word, at + 1, place, report)?;
            if byte(end) == Some(b']') {
                return Some(end + 1);
            }
            refuse(
                word,
                start..text.len(),
                "opens an expression with `%[` that no `]` closes after it",
                report,
            );
            None
        }
        Some(letter) if letter.is_ascii_alphabetic() => alias(text, at, word, report),
        Some(b' ' | b'\t' | b'0'..=b'9') => {
            refuse(word, start..at + 1, "has a `%` that starts neither a variable nor an expression", report);
            None
        }
        Some(_) => Some(at + 1),
    }
}

/// Reads `(name:type)`.
fn named(text: &str, open: usize, word: &Word<'_>, report: &mut Report) -> Option<usize> {
    let Some(close) = text.get(open..).and_then(|rest| rest.find(')')).map(|close| open + close) else {
        refuse(word, open..text.len(), "opens the name of an item with `(` and does not close it", report);
        return None;
    };
    let kind = text.get(open + 1..close).and_then(|inside| inside.split_once(':')).map(|(_, kind)| kind);
    // Older versions take the parentheses for text.
    if let Some(kind) = kind.filter(|kind| !TYPES.contains(kind))
        && report.at_least(3, 0)
    {
        report.error(
            rule::VALUE,
            word.part(close - kind.len()..close),
            format!("`{kind}` is not a type an item of a log format can have"),
            format!("use one of {}", TYPES.join(", ")),
        );
        return None;
    }
    Some(close + 1)
}

fn alias(text: &str, at: usize, word: &Word<'_>, report: &mut Report) -> Option<usize> {
    let rest = text.get(at..)?;
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let name = rest.get(..length)?;
    if ALIASES.contains(&name)
        || (name == ORIGIN && report.at_least(3, 1))
        || report.version.series() > super::keywords::NEWEST
    {
        return Some(at + length);
    }
    let help = match report.suggest(name, ALIASES.iter().copied()) {
        Some(close) => format!("did you mean `%{close}`? a literal percent sign is written `%%`"),
        None => "write `%%` for a literal percent sign, and `%[EXPRESSION]` for an expression".to_owned(),
    };
    let message = format!("`%{name}` is not a variable of log formats");
    report.error(rule::VALUE, word.part(at.saturating_sub(1)..at + length), message, help);
    None
}

fn refuse(word: &Word<'_>, at: std::ops::Range<usize>, problem: &str, report: &mut Report) {
    report.error(
        rule::VALUE,
        word.part(at),
        format!("the format `{}` {problem}", word.as_str()),
        "write `%%` for a literal percent sign, and `%[EXPRESSION]` for an expression",
    );
}
