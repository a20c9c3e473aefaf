//! Server names: which `server` of an address takes a request.

use crate::model::{Condition, Match, TextMatch};
use crate::source::Span;

/// A server name by how it is compared. The order of the kinds is the order in which nginx tries them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// Equal.
    Exact(String),
    /// No name at all: requests without a host.
    Empty,
    /// `$hostname`: the name of the machine.
    Machine,
    /// `*.example.com`, here with its leading dot: `.example.com`.
    Leading(String),
    /// `www.example.*`, here with its final dot: `www.example.`.
    Trailing(String),
    /// `~…`
    Regex(String),
}

/// A name of a server.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) name: Name,
    /// As written.
    pub(super) text: String,
    pub(super) span: Span,
    /// Index of the server.
    pub(super) server: usize,
}

impl Name {
    /// The names a word stands for: `.example.com` is two, and one with a star in the middle, which never
    /// matches, is none. `None`: nginx refuses it.
    pub(super) fn parse(text: &str) -> Option<Vec<Self>> {
        let lower = text.to_ascii_lowercase();
        if text.is_empty() {
            return Some(vec![Self::Empty]);
        }
        if let Some(regex) = text.strip_prefix('~') {
            return (!regex.is_empty()).then(|| vec![Self::Regex(regex.to_owned())]);
        }
        if lower == "$hostname" {
            return Some(vec![Self::Machine]);
        }
        let starred = |rest: &str| rest.is_empty() || rest.contains('*');
        if let Some(rest) = lower.strip_prefix('.') {
            let both = || vec![Self::Exact(rest.to_owned()), Self::Leading(lower.clone())];
            return (!rest.is_empty()).then(|| if starred(rest) { Vec::new() } else { both() });
        }
        if lower.starts_with('*') {
            let rest = lower.strip_prefix("*.").filter(|rest| !rest.is_empty())?;
            return Some(if starred(rest) { Vec::new() } else { vec![Self::Leading(format!(".{rest}"))] });
        }
        if let Some(rest) = lower.strip_suffix(".*") {
            return Some(if starred(rest) { Vec::new() } else { vec![Self::Trailing(format!("{rest}."))] });
        }
        Some(if starred(&lower) { Vec::new() } else { vec![Self::Exact(lower)] })
    }

    /// The key by which names are put in order: kind, then longer wildcards first. Names that compare equal
    /// keep the order of the file.
    pub(super) fn rank(&self) -> (u8, std::cmp::Reverse<usize>) {
        let (kind, length) = match self {
            Self::Exact(_) | Self::Empty | Self::Machine => (0, 0),
            Self::Leading(text) => (1, text.len()),
            Self::Trailing(text) => (2, text.len()),
            Self::Regex(_) => (3, 0),
        };
        (kind, std::cmp::Reverse(length))
    }

    /// When it holds, tested with `host` (HTTP) or the TLS server name.
    pub(super) fn condition(&self, make: fn(TextMatch) -> Match) -> Condition {
        let any_case = |text| Condition::Is(make(TextMatch::IgnoreCase(Box::new(text))));
        match self {
            Self::Exact(name) => any_case(TextMatch::Exact(name.clone())),
            Self::Leading(suffix) => any_case(TextMatch::Suffix(suffix.clone())),
            Self::Trailing(prefix) => any_case(TextMatch::Prefix(prefix.clone())),
            Self::Regex(regex) => any_case(TextMatch::Regex(regex.clone())),
            Self::Empty => Condition::Not(Box::new(Condition::Is(make(TextMatch::Present)))),
            Self::Machine => Condition::Opaque("host is the name of the machine ($hostname)".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_nginx_reads_them() {
        assert_eq!(Name::parse("A.com"), Some(vec![Name::Exact("a.com".into())]));
        assert_eq!(
            Name::parse(".a.com"),
            Some(vec![Name::Exact("a.com".into()), Name::Leading(".a.com".into())])
        );
        assert_eq!(Name::parse("*.a.com"), Some(vec![Name::Leading(".a.com".into())]));
        assert_eq!(Name::parse("www.a.*"), Some(vec![Name::Trailing("www.a.".into())]));
        assert_eq!(Name::parse("~^a$"), Some(vec![Name::Regex("^a$".into())]));
        assert_eq!(Name::parse(""), Some(vec![Name::Empty]));
        for bad in ["*", "*.", "*a.com", "~", "."] {
            assert_eq!(Name::parse(bad), None, "{bad}");
        }
        for never in ["a.*.com", "www.*.*", "a*"] {
            assert_eq!(Name::parse(never), Some(vec![]), "{never}");
        }
    }

    #[test]
    fn longer_wildcards_come_first() {
        let mut names = [
            Name::Regex("x".into()),
            Name::Trailing("a.".into()),
            Name::Leading(".com".into()),
            Name::Leading(".a.com".into()),
            Name::Exact("z".into()),
        ];
        names.sort_by_key(Name::rank);
        assert!(matches!(&names[0], Name::Exact(_)));
        assert_eq!(names[1], Name::Leading(".a.com".into()));
        assert!(matches!(&names[4], Name::Regex(_)));
    }
}
