//! `.if`, `.elif`, `.else` and `.endif`, evaluated to yes, no or unknown.
//!
//! Some predicates ask about the build (`feature(QUIC)`, `openssl_version_atleast(…)`), which no file tells. Of a
//! block whose conditions are unknown the first branch that may hold is read, as a gap in coverage and with its
//! errors turned into warnings; reading several would define the same names twice.

use super::environment::Environment;
use super::lexer::{Word, joined};
use super::values::atol;
use crate::dialect::Version;
use crate::source::Span;
use crate::truth::Truth;

/// Deepest nesting the program allows.
const MAX_DEPTH: usize = 16;

/// What happens to the lines of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Branch {
    /// Read.
    Taken,
    /// Read, though it may not hold.
    Assumed,
    /// Not read; a later branch of the block may be.
    Waiting,
    /// Not read, nor is any later branch.
    Over,
}

struct Frame {
    branch: Branch,
    else_seen: bool,
    opened: Span,
}

/// The open blocks at one line.
#[derive(Default)]
pub(crate) struct Conditionals {
    frames: Vec<Frame>,
}

/// What a `.`-line asks the reader to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Macro {
    /// Nothing further.
    Done,
    /// The condition cannot be evaluated from the files; the branch is read on trust.
    Assumed(Span),
    /// `.alert`: the program refuses the configuration with this message.
    Alert(String, Span),
    /// The line itself is wrong.
    Bad(String, Span),
}

impl Conditionals {
    /// Whether lines are read at all.
    pub(crate) fn reading(&self) -> bool {
        self.frames.iter().all(|frame| matches!(frame.branch, Branch::Taken | Branch::Assumed))
    }

    /// Whether lines are read only on trust.
    pub(crate) fn assumed(&self) -> bool {
        self.frames.iter().any(|frame| frame.branch == Branch::Assumed)
    }

    /// Blocks still open at the end of the file.
    pub(crate) fn unclosed(&self) -> impl Iterator<Item = Span> {
        self.frames.iter().map(|frame| frame.opened)
    }

    /// Handles a line whose first word starts with a dot.
    pub(crate) fn handle(&mut self, words: &[Word<'_>], version: Version, env: &Environment) -> Macro {
        let Some((head, args)) = words.split_first() else { return Macro::Done };
        match head.as_str() {
            ".if" => self.open(head, args, version, env),
            ".elif" => self.elif(head, args, version, env),
            ".else" | ".endif" if !args.is_empty() && version >= Version::new(2, 5) => Macro::Bad(
                format!("`{}` takes no argument", head.as_str()),
                args.iter().fold(head.span, |all, word| all.to(word.span)),
            ),
            ".else" => self.otherwise(head),
            ".endif" => match self.frames.pop() {
                Some(_) => Macro::Done,
                None => Macro::Bad("`.endif` has no matching `.if`".into(), head.span),
            },
            _ if !self.reading() => Macro::Done,
            ".alert" => Macro::Alert(joined(args), head.span),
            ".warning" | ".notice" | ".diag" => Macro::Done,
            other => Macro::Bad(format!("`{other}` is not a directive for conditional blocks"), head.span),
        }
    }

    fn open(&mut self, head: &Word<'_>, args: &[Word<'_>], version: Version, env: &Environment) -> Macro {
        if self.frames.len() >= MAX_DEPTH {
            return Macro::Bad(format!("conditional blocks nest more than {MAX_DEPTH} deep"), head.span);
        }
        let (branch, answer) =
            if self.reading() { decide(head, args, version, env) } else { (Branch::Over, Macro::Done) };
        self.frames.push(Frame { branch, else_seen: false, opened: head.span });
        answer
    }

    fn elif(&mut self, head: &Word<'_>, args: &[Word<'_>], version: Version, env: &Environment) -> Macro {
        let Some(frame) = self.frames.last_mut() else {
            return Macro::Bad("`.elif` has no matching `.if`".into(), head.span);
        };
        if frame.else_seen {
            return Macro::Bad("`.elif` stands after `.else`".into(), head.span);
        }
        if frame.branch != Branch::Waiting {
            frame.branch = Branch::Over;
            return Macro::Done;
        }
        let (branch, answer) = decide(head, args, version, env);
        frame.branch = branch;
        answer
    }

    fn otherwise(&mut self, head: &Word<'_>) -> Macro {
        let Some(frame) = self.frames.last_mut() else {
            return Macro::Bad("`.else` has no matching `.if`".into(), head.span);
        };
        if frame.else_seen {
            return Macro::Bad("a second `.else` in one block".into(), head.span);
        }
        frame.else_seen = true;
        frame.branch = if frame.branch == Branch::Waiting { Branch::Taken } else { Branch::Over };
        Macro::Done
    }
}

fn decide(head: &Word<'_>, args: &[Word<'_>], version: Version, env: &Environment) -> (Branch, Macro) {
    let span = args.iter().fold(head.span, |all, word| all.to(word.span));
    match evaluate(&joined(args), version, env) {
        Ok(Truth::Yes) => (Branch::Taken, Macro::Done),
        Ok(Truth::No) => (Branch::Waiting, Macro::Done),
        Ok(Truth::Unknown) => (Branch::Assumed, Macro::Assumed(span)),
        Err(rest) => {
            let message = format!("the condition cannot be parsed from `{rest}` on");
            (Branch::Assumed, Macro::Bad(message, span))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Open,
    Or,
    And,
    Not,
}

/// Evaluates a condition with two explicit stacks, so that nesting costs no call depth.
///
/// On a condition the program cannot parse, gives what is left of it.
pub(crate) fn evaluate(text: &str, version: Version, env: &Environment) -> Result<Truth, String> {
    let mut values: Vec<Truth> = Vec::new();
    let mut operators: Vec<Operator> = Vec::new();
    let mut rest = text.trim_start();
    // An empty condition is false.
    if rest.is_empty() {
        return Ok(Truth::No);
    }
    let mut want_value = true;
    loop {
        rest = rest.trim_start();
        let bad = || Err(rest.to_owned());
        if rest.is_empty() {
            break;
        }
        if want_value {
            if let Some(after) = rest.strip_prefix('!') {
                operators.push(Operator::Not);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('(') {
                operators.push(Operator::Open);
                rest = after;
            } else {
                let Some((value, after)) = term(rest, version, env) else { return bad() };
                values.push(value);
                rest = after;
                want_value = false;
            }
            continue;
        }
        let (operator, after) = if let Some(after) = rest.strip_prefix("&&") {
            (Operator::And, after)
        } else if let Some(after) = rest.strip_prefix("||") {
            (Operator::Or, after)
        } else if let Some(after) = rest.strip_prefix(')') {
            reduce(&mut values, &mut operators, Operator::Or);
            if operators.pop() != Some(Operator::Open) {
                return bad();
            }
            rest = after;
            continue;
        } else {
            return bad();
        };
        reduce(&mut values, &mut operators, operator);
        operators.push(operator);
        rest = after;
        want_value = true;
    }
    reduce(&mut values, &mut operators, Operator::Or);
    match (values.pop(), operators.is_empty(), want_value) {
        (Some(value), true, false) => Ok(value),
        _ => Err(text.to_owned()),
    }
}

/// Applies waiting operators that bind at least as strongly as `next`.
fn reduce(values: &mut Vec<Truth>, operators: &mut Vec<Operator>, next: Operator) {
    while let Some(&operator) = operators.last() {
        let strong = match operator {
            Operator::Open => false,
            Operator::Not | Operator::And => true,
            Operator::Or => next == Operator::Or,
        };
        if !strong {
            return;
        }
        operators.pop();
        let Some(right) = values.pop() else { return };
        match operator {
            Operator::Not => values.push(right.negated()),
            Operator::And => {
                let left = values.pop().unwrap_or(right);
                values.push(left.and(right));
            }
            Operator::Or => {
                let left = values.pop().unwrap_or(right);
                values.push(left.or(right));
            }
            Operator::Open => {}
        }
    }
}

/// A number or a predicate at the start of `text`, and what follows it.
fn term<'t>(text: &'t str, version: Version, env: &Environment) -> Option<(Truth, &'t str)> {
    let word = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, after) = text.split_at_checked(word)?;
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        let number: u64 = name.parse().ok()?;
        return Some((Truth::of(number != 0), after));
    }
    let body = after.strip_prefix('(')?;
    let close = body.find(')')?;
    let (inside, after) = body.split_at_checked(close)?;
    let args: Vec<&str> = inside.split(',').map(str::trim).collect();
    let first = args.first().copied().unwrap_or_default();
    let second = args.get(1).copied();
    let truth = match (name, second) {
        ("defined", None) => Truth::of(env.get(first).is_some() || env.is_set_by_program(first)),
        ("streq", Some(second)) => Truth::of(first == second),
        ("strneq", Some(second)) => Truth::of(first != second),
        ("strstr", Some(second)) => Truth::of(first.contains(second)),
        ("version_atleast", None) => version_at_least(version, first),
        ("version_before", None) => version_at_least(version, first).negated(),
        (
            "feature"
            | "enabled"
            | "openssl_version_atleast"
            | "openssl_version_before"
            | "ssllib_name_startswith"
            | "awslc_api_atleast"
            | "awslc_api_before",
            None,
        ) => Truth::Unknown,
        _ => return None,
    };
    Some((truth, after.strip_prefix(')')?))
}

/// Whether the program's version is at least `wanted`. The patch level of the program is not known.
///
/// What is no number counts as 0, so that nothing at all is a version that every program has.
fn version_at_least(version: Version, wanted: &str) -> Truth {
    let release = wanted.split('-').next().unwrap_or_default();
    let mut numbers = release.split('.').map(|number| u16::try_from(atol(number)).unwrap_or(u16::MAX));
    let mut next = || numbers.next().unwrap_or(0);
    let (major, minor, patch) = (next(), next(), next());
    match (version.major, version.minor).cmp(&(major, minor)) {
        std::cmp::Ordering::Less => Truth::No,
        std::cmp::Ordering::Greater => Truth::Yes,
        std::cmp::Ordering::Equal if patch == 0 || version.patch >= patch => Truth::Yes,
        std::cmp::Ordering::Equal if version.patch == 0 => Truth::Unknown,
        std::cmp::Ordering::Equal => Truth::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(text: &str) -> Result<Truth, String> {
        let env = Environment::new(&[("X".to_owned(), "1".to_owned())].into());
        evaluate(text, Version::new(3, 2), &env)
    }

    #[test]
    fn conditions_are_three_valued() {
        use Truth::{No, Unknown, Yes};
        let cases = [
            ("", No),
            ("1", Yes),
            ("0", No),
            ("!0", Yes),
            ("!(1 && 0) || 0", Yes),
            ("1 && ! 0 && (0 || ! (1 && 0))", Yes),
            ("1&&0||1", Yes),
            ("0 || 1 && 0", No),
            ("defined(X)", Yes),
            ("defined(Y)", No),
            ("defined(HAPROXY_LOCALPEER)", Yes),
            ("streq(a,a)", Yes),
            ("strneq(a,a)", No),
            ("strstr(abc,b)", Yes),
            ("version_atleast(3.1-dev8)", Yes),
            ("version_atleast(3.2)", Yes),
            ("version_atleast(3.2.99)", Unknown),
            ("version_atleast(3.3)", No),
            ("version_before(3.0)", No),
            ("version_atleast()", Yes),
            ("version_before()", No),
            ("version_atleast(3.x)", Yes),
            ("feature(QUIC)", Unknown),
            ("feature(QUIC) && 0", No),
            ("feature(QUIC) || 1", Yes),
            ("!feature(QUIC)", Unknown),
        ];
        for (text, expected) in cases {
            assert_eq!(truth(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_the_program_cannot_parse_is_refused() {
        for text in ["bogus(1)", "(1", "1)", "1 &&", "feature(", "1 1", "!", "foo"] {
            assert!(truth(text).is_err(), "{text}");
        }
        assert_eq!(truth(&"(".repeat(100_000)), Err("(".repeat(100_000)));
        assert_eq!(truth(&format!("{}1", "!".repeat(100_000))), Ok(Truth::Yes));
    }
}
