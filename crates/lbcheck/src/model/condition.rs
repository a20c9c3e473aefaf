//! Conditions over a request, their one normal form, and what earlier changes of a request leave unknown.

use std::collections::BTreeSet;

/// A condition over a request, evaluated to yes, no or unknown.
///
/// Readers build it at most a dozen levels deep, whatever the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Condition {
    /// Holds for every request.
    Always,
    /// Holds for none.
    Never,
    /// All hold.
    All(Vec<Condition>),
    /// Any holds.
    Any(Vec<Condition>),
    /// Does not hold.
    Not(Box<Condition>),
    /// A test of one property.
    Is(Match),
    /// Holds for this share of requests, drawn anew for each, in millionths (HAProxy `rand()`, `runtime_fraction`).
    Chance(u32),
    /// Cannot be evaluated from the configuration; in the dialect's words.
    Opaque(String),
}

/// A test of one property of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Match {
    /// The host as the proxy compares it: nginx without port and in lower case, Envoy in lower case, HAProxy as it came.
    Host(TextMatch),
    /// The host without the port, which the configuration takes off (HAProxy `host_only` and `field(1,:)`).
    HostName(TextMatch),
    /// The path, without query string.
    Path(TextMatch),
    /// The path with its query string, as the client sent it (HAProxy `url`, nginx `$request_uri`, Envoy `:path`).
    Target(TextMatch),
    /// The method.
    Method(TextMatch),
    /// A request header, by lower-case name. HAProxy compares each of its values, which commas separate.
    Header(String, TextMatch),
    /// A request header, each of its lines as a whole (HAProxy `req.fhdr`).
    HeaderLine(String, TextMatch),
    /// A query parameter.
    Query(String, TextMatch),
    /// A cookie.
    Cookie(String, TextMatch),
    /// TLS server name.
    Sni(TextMatch),
    /// Client address in this network, in CIDR notation.
    Source(String),
    /// Destination port.
    Port(u16),
    /// The request came over TLS.
    Tls,
}

/// How a text is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum TextMatch {
    /// Equal to it.
    Exact(String),
    /// Starts with it.
    Prefix(String),
    /// Ends with it.
    Suffix(String),
    /// Contains it.
    Contains(String),
    /// Path prefix by whole segments (HAProxy `path_dir` at the start, Envoy `path_separated_prefix`).
    SegmentPrefix(String),
    /// Matches a regular expression in the dialect's syntax.
    Regex(String),
    /// A whole number from the first, up to and not including the second.
    Between(i64, i64),
    /// Equal, prefix, … without regard to case.
    IgnoreCase(Box<TextMatch>),
    /// There at all.
    Present,
}

/// What of a request a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Property<'a> {
    /// The host.
    Host,
    /// The path, without query string.
    Path,
    /// The path with its query string.
    Target,
    /// The method.
    Method,
    /// A header, by lower-case name.
    Header(&'a str),
    /// A query parameter.
    Query(&'a str),
    /// A cookie.
    Cookie(&'a str),
    /// TLS server name.
    Sni,
    /// Client address.
    Source,
    /// Destination port.
    Port,
    /// Whether it came over TLS.
    Tls,
}

impl Condition {
    /// All of `parts` hold, in normal form: nothing nested, nothing that always holds, one part alone stays itself.
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Always => {}
                Self::Never => return Self::Never,
                Self::All(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        Self::one_or(kept, Self::Always, Self::All)
    }

    /// Any of `parts` holds, in normal form: nothing nested, nothing that never holds, one part alone stays itself.
    #[must_use]
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Never => {}
                Self::Always => return Self::Always,
                Self::Any(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        Self::one_or(kept, Self::Never, Self::Any)
    }

    /// The opposite.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "beside `all` and `any` a word reads better than an operator"
    )]
    pub fn not(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    fn one_or(mut kept: Vec<Self>, none: Self, several: fn(Vec<Self>) -> Self) -> Self {
        match kept.len() {
            0 => none,
            1 => kept.pop().unwrap_or(none),
            _ => several(kept),
        }
    }

    /// What it is made of in the end: every part that is not `All`, `Any` or `Not`, in order.
    pub fn leaves(&self) -> impl Iterator<Item = &Self> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            loop {
                match open.pop()? {
                    Self::All(parts) | Self::Any(parts) => open.extend(parts.iter().rev()),
                    Self::Not(inner) => open.push(inner),
                    leaf => return Some(leaf),
                }
            }
        })
    }
}

impl Condition {
    /// Whether it is certain that no request meets both: each needs another value of one property. `false` where it is
    /// not certain.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        fn needs(condition: &Condition) -> &[Condition] {
            match condition {
                Condition::All(parts) => parts,
                one => std::slice::from_ref(one),
            }
        }
        needs(self).iter().any(|first| {
            needs(other).iter().any(|second| match (first, second) {
                (Self::Is(first), Self::Is(second)) => first.excludes(second),
                _ => false,
            })
        })
    }
}

impl Match {
    /// Whether no request meets both, as far as that is certain.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Host(first), Self::Host(second))
            | (Self::HostName(first), Self::HostName(second))
            | (Self::Path(first), Self::Path(second))
            | (Self::Method(first), Self::Method(second))
            | (Self::Sni(first), Self::Sni(second)) => first.excludes(second),
            (Self::Port(first), Self::Port(second)) => first != second,
            _ => false,
        }
    }

    /// What of the request it looks at.
    #[must_use]
    pub fn reads(&self) -> Property<'_> {
        match self {
            Self::Host(_) | Self::HostName(_) => Property::Host,
            Self::Path(_) => Property::Path,
            Self::Target(_) => Property::Target,
            Self::Method(_) => Property::Method,
            Self::Header(name, _) | Self::HeaderLine(name, _) => Property::Header(name),
            Self::Query(name, _) => Property::Query(name),
            Self::Cookie(name, _) => Property::Cookie(name),
            Self::Sni(_) => Property::Sni,
            Self::Source(_) => Property::Source,
            Self::Port(_) => Property::Port,
            Self::Tls => Property::Tls,
        }
    }
}

impl TextMatch {
    /// Whether no text fits both, as far as that is certain.
    fn excludes(&self, other: &Self) -> bool {
        let (first, second) = match (self, other) {
            (Self::IgnoreCase(first), Self::IgnoreCase(second)) => {
                return first
                    .lower()
                    .is_some_and(|first| second.lower().is_some_and(|second| first.excludes(&second)));
            }
            (Self::IgnoreCase(first), second) | (second, Self::IgnoreCase(first)) => {
                return first
                    .lower()
                    .is_some_and(|first| second.lower().is_some_and(|second| first.excludes(&second)));
            }
            both => both,
        };
        match (first, second) {
            (Self::Exact(first), Self::Exact(second)) => first != second,
            (Self::Exact(text), Self::Prefix(start)) | (Self::Prefix(start), Self::Exact(text)) => {
                !text.starts_with(start.as_str())
            }
            (Self::Prefix(first), Self::Prefix(second)) => {
                !first.starts_with(second.as_str()) && !second.starts_with(first.as_str())
            }
            (Self::Exact(text), Self::Suffix(end)) | (Self::Suffix(end), Self::Exact(text)) => {
                !text.ends_with(end.as_str())
            }
            _ => false,
        }
    }

    /// The same comparison of lower-case texts, where it is of plain texts.
    fn lower(&self) -> Option<Self> {
        Some(match self {
            Self::Exact(text) => Self::Exact(text.to_ascii_lowercase()),
            Self::Prefix(text) => Self::Prefix(text.to_ascii_lowercase()),
            Self::Suffix(text) => Self::Suffix(text.to_ascii_lowercase()),
            _ => return None,
        })
    }

    /// The same comparison without regard to case.
    #[must_use]
    pub fn ignoring_case(self) -> Self {
        Self::IgnoreCase(Box::new(self))
    }
}

/// What earlier steps may have changed of a request, so that later tests of it are no longer known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) host: bool,
    pub(crate) path: bool,
    pub(crate) query: bool,
    pub(crate) method: bool,
    pub(crate) source: bool,
    pub(crate) port: bool,
    headers: BTreeSet<String>,
    any_header: bool,
}

/// Most headers that are told apart; with more of them any may have changed.
const MAX_HEADERS: usize = 64;

impl Changed {
    /// Notes a change of a header, by lower-case name. Pseudo headers are what they stand for.
    pub(crate) fn header(&mut self, name: &str) {
        match name {
            "host" | ":authority" => self.host = true,
            ":method" => self.method = true,
            ":path" => {
                self.path = true;
                self.query = true;
            }
            _ if self.headers.len() >= MAX_HEADERS => self.any_header = true,
            _ => {
                self.headers.insert(name.to_owned());
            }
        }
    }

    /// Notes that any header may have changed.
    pub(crate) fn any_header(&mut self) {
        self.any_header = true;
    }

    /// Notes that everything that the client sent as its request may have changed.
    pub(crate) fn request(&mut self) {
        self.host = true;
        self.path = true;
        self.query = true;
        self.method = true;
        self.any_header = true;
    }

    /// Whether what this test looks at may have changed.
    pub(crate) fn affects(&self, test: &Match) -> bool {
        let header = |name: &str| self.any_header || self.headers.contains(name);
        match test.reads() {
            Property::Host | Property::Header("host") => self.host || header("host"),
            Property::Path => self.path,
            Property::Target => self.path || self.query,
            Property::Query(_) => self.query,
            Property::Method => self.method,
            Property::Header(name) => header(name),
            Property::Cookie(_) => header("cookie"),
            Property::Source => self.source,
            Property::Port => self.port,
            Property::Sni | Property::Tls => false,
        }
    }

    /// The same condition with every test that is no longer known made opaque, in the words that `words` finds for it.
    ///
    /// Readers build conditions at most a dozen levels deep, so this may recurse.
    pub(crate) fn blur(&self, condition: Condition, words: &dyn Fn(&Match) -> String) -> Condition {
        if *self == Self::default() {
            return condition;
        }
        let each =
            |parts: Vec<Condition>| parts.into_iter().map(|part| self.blur(part, words)).collect::<Vec<_>>();
        match condition {
            Condition::All(parts) => Condition::all(each(parts)),
            Condition::Any(parts) => Condition::any(each(parts)),
            Condition::Not(inner) => self.blur(*inner, words).not(),
            Condition::Is(test) if self.affects(&test) => Condition::Opaque(words(&test)),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Condition {
        Condition::Is(Match::Path(TextMatch::Exact(text.to_owned())))
    }

    #[test]
    fn conditions_have_one_normal_form() {
        let (a, b, c) = (path("/a"), path("/b"), path("/c"));
        let nested = Condition::all([a.clone(), Condition::Always, Condition::all([b.clone(), c.clone()])]);
        assert_eq!(nested, Condition::All(vec![a.clone(), b.clone(), c]));
        assert_eq!(Condition::all([]), Condition::Always);
        assert_eq!(Condition::any([]), Condition::Never);
        assert_eq!(Condition::all([a.clone(), Condition::Never]), Condition::Never);
        assert_eq!(Condition::any([a.clone(), Condition::Always]), Condition::Always);
        assert_eq!(Condition::any([a.clone(), Condition::Never]), a);
        assert_eq!(a.clone().not().not(), a);
        assert_eq!(Condition::Never.not(), Condition::Always);
        let leaves = Condition::any([a.clone(), Condition::all([b.clone().not(), a.clone()])]);
        assert_eq!(leaves.leaves().collect::<Vec<_>>(), [&a, &b, &a]);
    }

    #[test]
    fn conditions_that_exclude_each_other() {
        let is = |text: TextMatch| Condition::Is(Match::Path(text));
        let prefix = |text: &str| is(TextMatch::Prefix(text.to_owned()));
        assert!(prefix("/app/").excludes(&prefix("/img/")));
        assert!(!prefix("/app/").excludes(&prefix("/app/x")));
        assert!(path("/a").excludes(&prefix("/b")) && !path("/a").excludes(&prefix("/")));
        let any_case = is(TextMatch::Prefix("/APP".to_owned()).ignoring_case());
        assert!(!any_case.excludes(&prefix("/app/")) && any_case.excludes(&prefix("/img/")));
        let both = Condition::all([prefix("/img/"), Condition::Is(Match::Tls)]);
        assert!(both.excludes(&prefix("/app/")) && !both.excludes(&Condition::Is(Match::Tls)));
        assert!(!Condition::Always.excludes(&path("/a")));
    }

    #[test]
    fn what_changed_is_no_longer_known() {
        let mut changed = Changed::default();
        changed.header("x-user");
        let user = Condition::Is(Match::Header("x-user".to_owned(), TextMatch::Present));
        let both = Condition::all([path("/a"), user.not()]);
        let opaque = Condition::Opaque("?".to_owned()).not();
        assert_eq!(changed.blur(both.clone(), &|_| "?".to_owned()), Condition::all([path("/a"), opaque]));
        changed.request();
        let blurred = changed.blur(both, &|_| "?".to_owned());
        assert!(blurred.leaves().all(|leaf| matches!(leaf, Condition::Opaque(_))));
    }
}
