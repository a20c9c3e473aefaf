//! The words HAProxy knows, as data: one entry a line, sorted.
//!
//! The tables were checked against HAProxy 2.6, 3.0 and 3.2 (`haproxy -dKall`, and one small file for each word). Of a
//! word that 3.0 refuses and 3.2 takes nobody asked 3.1, so 3.1 gets the benefit of the doubt.

mod actions;
mod deprecated;
mod lines;
mod samples;
mod sections;

pub(crate) use actions::{
    AFTER, ANSWER, CONNECTION, CONTENT, REQUEST, RESPONSE, SESSION, action_known, actions,
};
pub(crate) use deprecated::{Deprecated, Spot, deprecated};
pub(crate) use lines::{BIND, SERVER};
pub(crate) use samples::{ACLS, CONVERTERS, FETCHES};
pub(crate) use sections::{
    ANY, KEYWORDS, Keyword, NEGATABLE, OPTIONS, ProxyOption, REMOVED, REMOVED_OPTIONS, place,
};

use crate::dialect::Version;

/// The newest version whose words were checked. Later ones may know more.
pub(crate) const NEWEST: Version = Version::new(3, 2);

/// One word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The word.
    pub(crate) name: &'static str,
    /// How many arguments it takes, where that is fixed.
    pub(crate) args: u8,
    since: Since,
    until: Until,
}

/// The newest checked version that refuses a word because it is too old for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Always,
    NotIn26,
    NotIn30,
}

/// The oldest checked version that has dropped a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Kept,
    GoneIn32,
}

const ALWAYS: Since = Since::Always;
const NOT_IN_2_6: Since = Since::NotIn26;
const NOT_IN_3_0: Since = Since::NotIn30;
const KEPT: Until = Until::Kept;
const GONE_IN_3_2: Until = Until::GoneIn32;

const fn e(name: &'static str, args: u8, since: Since, until: Until) -> Entry {
    Entry { name, args, since, until }
}

impl Since {
    fn allows(self, version: Version) -> bool {
        match self {
            Self::Always => true,
            Self::NotIn26 => version >= Version::new(2, 7),
            Self::NotIn30 => version >= Version::new(3, 1),
        }
    }
}

impl Until {
    fn allows(self, version: Version) -> bool {
        match self {
            Self::Kept => true,
            Self::GoneIn32 => version < Version::new(3, 2),
        }
    }
}

impl Entry {
    /// Whether this version is not known to refuse the word.
    pub(crate) fn known_in(&self, version: Version) -> bool {
        self.since.allows(version) && self.until.allows(version)
    }
}

impl Keyword {
    /// Whether this version is not known to refuse the keyword.
    pub(crate) fn known_in(&self, version: Version) -> bool {
        self.since.allows(version) && self.until.allows(version)
    }
}

impl ProxyOption {
    /// Whether this version is not known to refuse the option.
    pub(crate) fn known_in(&self, version: Version) -> bool {
        self.since.allows(version)
    }
}

/// All lines of a keyword.
pub(crate) fn keyword(name: &str) -> &'static [Keyword] {
    let start = KEYWORDS.partition_point(|entry| entry.name < name);
    let end = KEYWORDS.partition_point(|entry| entry.name <= name);
    KEYWORDS.get(start..end).unwrap_or_default()
}

/// The option of a name.
pub(crate) fn option(name: &str) -> Option<&'static ProxyOption> {
    OPTIONS.binary_search_by(|entry| entry.name.cmp(name)).ok().and_then(|at| OPTIONS.get(at))
}

/// The entry of a word in a sorted table.
pub(crate) fn find(table: &'static [Entry], name: &str) -> Option<&'static Entry> {
    table.binary_search_by(|entry| entry.name.cmp(name)).ok().and_then(|at| table.get(at))
}

/// Fetch methods that accept a suffix such as `_beg` as an ACL criterion.
pub(crate) const ACL_BASES: &[&str] =
    &["base", "cook", "hdr", "path", "scook", "shdr", "ssl_fc_sni", "url", "urlp"];

/// How names of fetch methods start that come from scripts and device databases.
pub(crate) const FOREIGN_FETCHES: &[&str] = &["lua.", "51d.", "da-csv", "wurfl-"];

/// The same for converters.
pub(crate) const FOREIGN_CONVERTERS: &[&str] = &["lua.", "51d.", "da-csv"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_without_doubles() {
        for table in [SERVER, BIND, FETCHES, ACLS, CONVERTERS] {
            for pair in table.windows(2) {
                assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
            }
        }
        assert!(KEYWORDS.is_sorted_by_key(|entry| entry.name));
        assert!(OPTIONS.is_sorted_by(|first, second| first.name < second.name));
        assert!(REMOVED.is_sorted_by(|first, second| first.name < second.name));
    }
}
