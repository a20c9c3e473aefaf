//! Lines and sections: the configuration in HAProxy's own words.

use super::lexer::Word;
use crate::source::Span;

/// A kind of section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SectionKind {
    Global,
    Defaults,
    Frontend,
    Backend,
    Listen,
    Acme,
    Cache,
    CrtStore,
    FcgiApp,
    Healthcheck,
    HttpErrors,
    LogForward,
    LogProfile,
    Mailers,
    NamespaceList,
    Peers,
    Program,
    Resolvers,
    Ring,
    Traces,
    Userlist,
    /// `spoe-agent`, `spoe-message` and `spoe-group`, in a file of their own under a `[scope]` line.
    Spoe,
}

impl SectionKind {
    /// The word that opens it.
    pub(crate) fn word(self) -> &'static str {
        SECTIONS.iter().find(|(_, kind)| *kind == self).map_or("spoe", |(word, _)| word)
    }

    /// The kind a word opens, outside a SPOE scope.
    pub(crate) fn of(word: &str) -> Option<Self> {
        SECTIONS.iter().find(|(name, _)| *name == word).map(|&(_, kind)| kind)
    }

    /// Whether it describes a proxy that may carry traffic, or what such a proxy inherits.
    pub(crate) fn is_proxy(self) -> bool {
        matches!(self, Self::Defaults | Self::Frontend | Self::Backend | Self::Listen)
    }
}

/// Section words, most frequent first: every first word of a line is looked up here.
pub(crate) const SECTIONS: &[(&str, SectionKind)] = &[
    ("backend", SectionKind::Backend),
    ("frontend", SectionKind::Frontend),
    ("listen", SectionKind::Listen),
    ("defaults", SectionKind::Defaults),
    ("global", SectionKind::Global),
    ("acme", SectionKind::Acme),
    ("cache", SectionKind::Cache),
    ("crt-store", SectionKind::CrtStore),
    ("fcgi-app", SectionKind::FcgiApp),
    ("healthcheck", SectionKind::Healthcheck),
    ("http-errors", SectionKind::HttpErrors),
    ("log-forward", SectionKind::LogForward),
    ("log-profile", SectionKind::LogProfile),
    ("mailers", SectionKind::Mailers),
    ("namespace_list", SectionKind::NamespaceList),
    ("peers", SectionKind::Peers),
    ("program", SectionKind::Program),
    ("resolvers", SectionKind::Resolvers),
    ("ring", SectionKind::Ring),
    ("traces", SectionKind::Traces),
    ("userlist", SectionKind::Userlist),
];

/// `no` or `default` before a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modifier {
    /// Nothing.
    None,
    /// `no`.
    No,
    /// `default`.
    Default,
}

/// One line with at least one word.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    /// The keyword and its arguments; the modifier is taken off.
    pub(crate) words: Vec<Word<'a>>,
    /// `no` or `default` before it.
    pub(crate) modifier: Modifier,
    /// From the first word (the modifier, if there is one) up to the last.
    pub(crate) span: Span,
    /// Whether the line stands in a branch that was read on trust.
    pub(crate) assumed: bool,
}

impl<'a> Line<'a> {
    /// The keyword.
    pub(crate) fn keyword(&self) -> &str {
        self.words.first().map_or("", Word::as_str)
    }

    /// The word at `index`; 0 is the keyword.
    pub(crate) fn word(&self, index: usize) -> Option<&Word<'a>> {
        self.words.get(index)
    }

    /// The text of the word at `index`, or nothing.
    pub(crate) fn arg(&self, index: usize) -> &str {
        self.words.get(index).map_or("", Word::as_str)
    }

    /// The words after the first `count`.
    pub(crate) fn args(&self, count: usize) -> &[Word<'a>] {
        self.words.get(count..).unwrap_or_default()
    }

    /// The span of the word at `index`, or of the whole line where there is none.
    pub(crate) fn at(&self, index: usize) -> Span {
        self.words.get(index).map_or(self.span, |word| word.span)
    }
}

/// A section with its lines.
#[derive(Clone, Debug)]
pub(crate) struct Section<'a> {
    /// Its kind.
    pub(crate) kind: SectionKind,
    /// The line that opens it.
    pub(crate) header: Line<'a>,
    /// Its lines.
    pub(crate) lines: Vec<Line<'a>>,
    /// From the header up to the last line.
    pub(crate) extent: Span,
}

impl<'a> Section<'a> {
    /// A section of which only the header was read.
    pub(crate) fn new(kind: SectionKind, header: Line<'a>) -> Self {
        Self { kind, extent: header.span, header, lines: Vec::new() }
    }

    /// Its name, where it has one.
    pub(crate) fn name(&self) -> &str {
        self.header.arg(1)
    }

    /// Kind and name for messages: "backend `api`".
    pub(crate) fn label(&self) -> String {
        match self.name() {
            "" => self.kind.word().to_owned(),
            name => format!("{} `{name}`", self.kind.word()),
        }
    }
}

/// Whether the name of a section or an ACL may contain it.
pub(crate) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | ':')
}

/// Whether a line may stand in a `defaults` section only if that has a name.
pub(crate) fn for_named_defaults(line: &Line<'_>) -> bool {
    match line.keyword() {
        "acl" | "http-request" | "http-response" | "http-after-response" => true,
        "tcp-request" => matches!(line.arg(1), "connection" | "session" | "content"),
        "tcp-response" => line.arg(1) == "content",
        _ => false,
    }
}
