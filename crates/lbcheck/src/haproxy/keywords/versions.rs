//! Since which version a word is known, and until which.
//!
//! Every word was asked of HAProxy 2.4, 2.6, 2.8, 3.0, 3.2 and 3.4. Of a word that one of them refuses and the next
//! takes, nobody asked the version between them, which gets the benefit of the doubt.

use crate::dialect::Version;

/// The newest version whose words were asked for. Later ones may know more.
pub(crate) const NEWEST: Version = Version::new(3, 4);

/// The oldest asked version that knows a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Always,
    In26,
    In28,
    In30,
    In32,
    In34,
}

/// The oldest asked version that has dropped a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Kept,
    GoneIn28,
    GoneIn30,
    GoneIn32,
    GoneIn34,
}

pub(crate) const ALWAYS: Since = Since::Always;
pub(crate) const IN_2_6: Since = Since::In26;
pub(crate) const IN_2_8: Since = Since::In28;
pub(crate) const IN_3_0: Since = Since::In30;
pub(crate) const IN_3_2: Since = Since::In32;
pub(crate) const IN_3_4: Since = Since::In34;
pub(crate) const KEPT: Until = Until::Kept;
pub(crate) const GONE_IN_2_8: Until = Until::GoneIn28;
pub(crate) const GONE_IN_3_0: Until = Until::GoneIn30;
pub(crate) const GONE_IN_3_2: Until = Until::GoneIn32;
pub(crate) const GONE_IN_3_4: Until = Until::GoneIn34;

/// The versions that know a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    /// From when on.
    pub(crate) since: Since,
    /// Up to when.
    pub(crate) until: Until,
}

impl Versions {
    /// Whether this version is not known to refuse the word.
    pub(crate) fn allow(self, version: Version) -> bool {
        self.since.allows(version) && self.until.allows(version)
    }
}

impl Since {
    fn allows(self, version: Version) -> bool {
        // The first version after the newest one that was seen to refuse it.
        let first = match self {
            Self::Always => return true,
            Self::In26 => Version::new(2, 5),
            Self::In28 => Version::new(2, 7),
            Self::In30 => Version::new(2, 9),
            Self::In32 => Version::new(3, 1),
            Self::In34 => Version::new(3, 3),
        };
        version >= first
    }
}

impl Until {
    fn allows(self, version: Version) -> bool {
        let gone = match self {
            Self::Kept => return true,
            Self::GoneIn28 => Version::new(2, 8),
            Self::GoneIn30 => Version::new(3, 0),
            Self::GoneIn32 => Version::new(3, 2),
            Self::GoneIn34 => Version::new(3, 4),
        };
        version < gone
    }
}
