//! The words HAProxy knows, as data: one entry a line, sorted.
//!
//! The tables are what HAProxy 2.4, 2.6, 2.8, 3.0, 3.2 and 3.4 say of themselves (`haproxy -dKall`) and what they
//! answer to one small file for each word; a test compares them where the program is present.

mod actions;
mod arguments;
mod converters;
mod deprecated;
mod fetches;
mod sample_types;
mod server_and_bind;
mod sided;
mod statements;
mod versions;

pub(crate) use actions::{
    AFTER, ANSWER, CONNECTION, CONTENT, REQUEST, RESPONSE, SESSION, action_known, actions,
};
pub(crate) use arguments::{
    ACTION_FORMS, ActionForm, BIND_VALUES, EXPECT, FORMS, Form, HTTP_PATTERNS, LEVELS, LOG_LEVELS, Param,
    SERVER_VALUES, STATUSES, TCP_PATTERNS, Takes, Then,
};
pub(crate) use converters::CONVERTERS;
pub(crate) use deprecated::{Deprecated, Spot, deprecated};
pub(crate) use fetches::FETCHES;
pub(crate) use sample_types::{Argument, CRITERIA, Converter, Criterion, Fetch, Type, places};
pub(crate) use server_and_bind::{BIND, SERVER};
pub(crate) use sided::{SIDED, Sided};
pub(crate) use statements::{
    ANY, KEYWORDS, Keyword, NEGATABLE, OPTIONS, ProxyOption, REMOVED, REMOVED_OPTIONS, place, section_known,
};
pub(crate) use versions::NEWEST;

use crate::dialect::Version;
use crate::haproxy::syntax::SectionKind;

use versions::{Since, Until, Versions};

/// One word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The word.
    pub(crate) name: &'static str,
    /// How many arguments it takes, where that is fixed.
    pub(crate) args: u8,
    versions: Versions,
}

const fn e(name: &'static str, args: u8, since: Since, until: Until) -> Entry {
    Entry { name, args, versions: Versions { since, until } }
}

impl Entry {
    /// Whether this version is not known to refuse the word.
    pub(crate) fn known_in(&self, version: Version) -> bool {
        self.versions.allow(version)
    }
}

impl Keyword {
    /// Whether this version is not known to refuse the keyword.
    pub(crate) fn known_in(&self, version: Version) -> bool {
        self.versions.allow(version)
    }
}

impl ProxyOption {
    /// Whether this version is not known to refuse the option.
    pub(crate) fn known_in(&self, version: Version) -> bool {
        self.versions.allow(version)
    }
}

/// All lines of a keyword.
pub(crate) fn keyword(name: &str) -> &'static [Keyword] {
    lines_of(KEYWORDS, name, |entry| entry.name)
}

/// The option of a name.
pub(crate) fn option(name: &str) -> Option<&'static ProxyOption> {
    OPTIONS.binary_search_by(|entry| entry.name.cmp(name)).ok().and_then(|at| OPTIONS.get(at))
}

/// Whether this version knows an option.
pub(crate) fn known_option(name: &str, version: Version) -> bool {
    option(name).is_some_and(|option| option.known_in(version))
}

/// The option of a name, if it is for one side of a proxy and this is the other.
pub(crate) fn misplaced(name: &str, kind: SectionKind, version: Version) -> Option<&'static Sided> {
    let at = SIDED.binary_search_by(|entry| entry.name.cmp(name)).ok()?;
    SIDED.get(at).filter(|entry| entry.idle_in == kind && entry.holds_in(version))
}

/// The entry of a word in a sorted table.
pub(crate) fn find(table: &'static [Entry], name: &str) -> Option<&'static Entry> {
    table.binary_search_by(|entry| entry.name.cmp(name)).ok().and_then(|at| table.get(at))
}

/// The fetch method of a name, as this version has it.
pub(crate) fn fetch(name: &str, version: Version) -> Option<&'static Fetch> {
    lines_of(FETCHES, name, |entry| entry.name).iter().find(|entry| entry.known_in(version))
}

/// The converter of a name, as this version has it.
pub(crate) fn converter(name: &str, version: Version) -> Option<&'static Converter> {
    lines_of(CONVERTERS, name, |entry| entry.name).iter().find(|entry| entry.known_in(version))
}

/// The ACL criterion of a name.
pub(crate) fn criterion(name: &str) -> Option<&'static Criterion> {
    lines_of(CRITERIA, name, |entry| entry.name).first()
}

/// The form of a line, by its keyword, the word after it and the bit of its section.
pub(crate) fn form(keyword: &str, first: &str, place: u32) -> Option<&'static Form> {
    let here = lines_of(FORMS, keyword, |form| form.keyword).iter().filter(|form| form.places & place != 0);
    let mut fitting = here.filter(|form| form.first.is_empty() || form.first == first);
    fitting.next()
}

/// What an action takes, by its name without parentheses.
pub(crate) fn action_form(name: &str) -> Option<&'static ActionForm> {
    lines_of(ACTION_FORMS, name, |form| form.name).first()
}

/// What a word of a `bind` or `server` line takes, where that is more than a text.
pub(crate) fn values(table: &'static [Param], word: &str) -> Option<&'static Param> {
    lines_of(table, word, |param| param.word).first()
}

/// All lines of a sorted table that bear a name.
fn lines_of<T>(table: &'static [T], name: &str, of: fn(&T) -> &'static str) -> &'static [T] {
    let start = table.partition_point(|entry| of(entry) < name);
    let end = table.partition_point(|entry| of(entry) <= name);
    table.get(start..end).unwrap_or_default()
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
        for table in [SERVER, BIND] {
            for pair in table.windows(2) {
                assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
            }
        }
        assert!(SIDED.is_sorted_by(|first, second| first.name < second.name));
        assert!(FETCHES.is_sorted_by_key(|entry| entry.name));
        assert!(CONVERTERS.is_sorted_by_key(|entry| entry.name));
        assert!(CRITERIA.is_sorted_by(|first, second| first.name < second.name));
        assert!(BIND_VALUES.is_sorted_by_key(|param| param.word));
        assert!(SERVER_VALUES.is_sorted_by_key(|param| param.word));
        assert!(FORMS.is_sorted_by_key(|form| form.keyword));
        assert!(ACTION_FORMS.is_sorted_by(|first, second| first.name < second.name));
        assert!(KEYWORDS.is_sorted_by_key(|entry| entry.name));
        assert!(OPTIONS.is_sorted_by(|first, second| first.name < second.name));
        assert!(REMOVED.is_sorted_by(|first, second| first.name < second.name));
    }
}
