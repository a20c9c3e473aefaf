//! Which route a request takes, in three-valued logic.

use crate::model::{Action, Condition, Config, Match, Route, TableId, TextMatch};

/// What is known of a request. A part that is `None` is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Host without port, lower case.
    pub host: Option<String>,
    /// Path without query string.
    pub path: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// TLS server name.
    pub sni: Option<String>,
    /// Whether it came over TLS.
    pub tls: Option<bool>,
    /// Destination port.
    pub port: Option<u16>,
}

/// Yes, no, or not known from what is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It depends on something that is not known.
    Unknown,
}

impl Truth {
    fn of(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }

    fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Whether `condition` holds for `request`. Conditions are at most a few levels deep, see [`Condition`].
#[must_use]
pub fn holds(condition: &Condition, request: &Request) -> Truth {
    match condition {
        Condition::Always => Truth::Yes,
        Condition::Never => Truth::No,
        Condition::Not(inner) => holds(inner, request).negated(),
        Condition::All(all) => {
            let mut truth = Truth::Yes;
            for part in all {
                match holds(part, request) {
                    Truth::No => return Truth::No,
                    Truth::Unknown => truth = Truth::Unknown,
                    Truth::Yes => {}
                }
            }
            truth
        }
        Condition::Any(any) => {
            let mut truth = Truth::No;
            for part in any {
                match holds(part, request) {
                    Truth::Yes => return Truth::Yes,
                    Truth::Unknown => truth = Truth::Unknown,
                    Truth::No => {}
                }
            }
            truth
        }
        Condition::Is(test) => property(test, request),
        Condition::Chance(0) => Truth::No,
        Condition::Chance(share) if *share >= 1_000_000 => Truth::Yes,
        Condition::Chance(_) | Condition::Opaque(_) => Truth::Unknown,
    }
}

fn property(test: &Match, request: &Request) -> Truth {
    match test {
        // Host names have no case.
        Match::Host(pattern) => text(pattern, request.host.as_deref(), true),
        Match::Sni(pattern) => text(pattern, request.sni.as_deref(), true),
        Match::Path(pattern) => text(pattern, request.path.as_deref(), false),
        Match::Method(pattern) => text(pattern, request.method.as_deref(), false),
        Match::Port(port) => request.port.map_or(Truth::Unknown, |known| Truth::of(known == *port)),
        Match::Tls => request.tls.map_or(Truth::Unknown, Truth::of),
        Match::Header(..) | Match::Query(..) | Match::Cookie(..) | Match::Source(_) => Truth::Unknown,
    }
}

fn text(pattern: &TextMatch, value: Option<&str>, any_case: bool) -> Truth {
    let Some(value) = value else { return Truth::Unknown };
    let fold = |text: &str| if any_case { text.to_lowercase() } else { text.to_owned() };
    let value = fold(value);
    match pattern {
        TextMatch::Exact(wanted) => Truth::of(value == fold(wanted)),
        TextMatch::Prefix(wanted) => Truth::of(value.starts_with(&fold(wanted))),
        TextMatch::Suffix(wanted) => Truth::of(value.ends_with(&fold(wanted))),
        TextMatch::Contains(wanted) => Truth::of(value.contains(&fold(wanted))),
        TextMatch::SegmentPrefix(wanted) => {
            let wanted = fold(wanted);
            let wanted = wanted.trim_end_matches('/');
            let rest = value.strip_prefix(wanted);
            Truth::of(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        }
        TextMatch::Present => Truth::Yes,
        TextMatch::Regex(_) => Truth::Unknown,
        // Readers never nest this, and a second level would change nothing.
        TextMatch::IgnoreCase(inner) => match inner.as_ref() {
            TextMatch::IgnoreCase(_) => Truth::Unknown,
            inner => text(inner, Some(&value), true),
        },
    }
}

/// The route that `request` takes from `table` on. `None`: none matches, or which one is not known.
#[must_use]
pub fn find<'a>(config: &'a Config, table: TableId, request: &Request) -> Option<&'a Route> {
    let mut stack = vec![(table, 0)];
    while let Some((table, at)) = stack.pop() {
        let Some(route) = config.table(table).routes.get(at) else { continue };
        stack.push((table, at + 1));
        match holds(&route.when, request) {
            Truth::No => {}
            Truth::Unknown => return None,
            Truth::Yes => match route.action {
                Action::Table(inner) => stack.push((inner, 0)),
                _ => return Some(route),
            },
        }
    }
    None
}
