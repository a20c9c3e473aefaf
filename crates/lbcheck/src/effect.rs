//! What a setting has an effect on.

/// What a statement or a value of a configuration has an effect on.
///
/// Tables of directives, keywords and fields carry it, and so does every described value of the model, so that a
/// difference that nobody compares is at least told by what it touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EffectClass {
    /// Which pool, or which answer of the proxy's own, a request gets.
    Routing,
    /// Which endpoint of a pool gets how much.
    Share,
    /// What is noticed of failures, and what is done about them.
    Availability,
    /// How much is let through, queued or refused.
    Capacity,
    /// How long something may take.
    Time,
    /// What is in a request or an answer.
    Content,
    /// Who may do what, and who can read along.
    Security,
    /// What is logged, counted and traced.
    Observability,
    /// How the program itself runs: processes, threads, files, users.
    Process,
    /// Nothing that a client, a server or an operator can notice.
    None,
    /// Not known. Never to be taken for [`EffectClass::None`].
    #[default]
    Unknown,
}

impl EffectClass {
    /// `routing`, `share`, `availability`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Routing => "routing",
            Self::Share => "share",
            Self::Availability => "availability",
            Self::Capacity => "capacity",
            Self::Time => "time",
            Self::Content => "content",
            Self::Security => "security",
            Self::Observability => "observability",
            Self::Process => "process",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }
}
