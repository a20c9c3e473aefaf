//! The words HAProxy knows, as data: one entry a line, sorted.
//!
//! The tables are what HAProxy 2.4, 2.6, 2.8, 3.0, 3.2 and 3.4 say of themselves (`haproxy -dKall`) and what they
//! answer to one small file for each word; a test compares them where the program is present.

mod actions;
mod arguments;
mod converters;
mod fetches;
mod sample_types;
mod server_and_bind;
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
pub(crate) use fetches::FETCHES;
pub(crate) use sample_types::{Argument, CRITERIA, Converter, Criterion, Fetch, Type, places};
pub(crate) use server_and_bind::{BIND, SERVER};
pub(crate) use statements::{
    ANY, Deprecated, KEYWORDS, Keyword, NEGATABLE, OPTIONS, ProxyOption, REMOVED, REMOVED_OPTIONS, Side,
    place, section_known,
};
pub(crate) use versions::NEWEST;

use crate::dialect::Version;
use crate::effect::EffectClass::{self, Unknown};

use versions::{Since, Until, Versions};

/// One word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The word.
    pub(crate) name: &'static str,
    /// How many arguments it takes, where that is fixed.
    pub(crate) args: u8,
    versions: Versions,
    /// What it has an effect on.
    class: EffectClass,
    /// Of several on a line the last one holds, and the others are forgotten in silence.
    pub(crate) last_wins: bool,
}

const fn e(name: &'static str, args: u8, since: Since, until: Until) -> Entry {
    Entry { name, args, versions: Versions { since, until }, class: Unknown, last_wins: false }
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

/// The option of a name, if this version knows it.
pub(crate) fn known_option(name: &str, version: Version) -> Option<&'static ProxyOption> {
    option(name).filter(|option| option.known_in(version))
}

/// Whether of several lines of a keyword in one section only the last holds.
pub(crate) fn last_wins(name: &str) -> bool {
    keyword(name).iter().any(|entry| entry.last_wins)
}

/// Whether a keyword does something only on this side of a proxy.
pub(crate) fn is_for(side: Side, name: &str) -> bool {
    keyword(name).iter().any(|entry| entry.side == Some(side))
}

/// Whether a keyword does something only in `mode http`.
pub(crate) fn is_for_http(name: &str) -> bool {
    keyword(name).iter().any(|entry| entry.for_http)
}

/// What this version says against the keyword of a line, or against the option that stands after it.
pub(crate) fn deprecated(name: &str, next: &str, version: Version) -> Option<Deprecated> {
    let found = match name {
        "option" => option(next).and_then(|option| option.deprecated),
        _ => keyword(name).iter().find_map(|entry| entry.deprecated),
    };
    found.filter(|entry| entry.since <= version)
}

/// What a line has an effect on, by its keyword and the word after it.
#[allow(dead_code)]
pub(crate) fn effect_of_line(name: &str, next: &str) -> EffectClass {
    match name {
        "option" => option(next).map_or(Unknown, |option| option.class),
        "http-request" | "http-response" | "http-after-response" | "tcp-request" | "tcp-response" => {
            actions::effect_of_action(next)
        }
        _ => keyword(name).first().map_or(Unknown, |entry| entry.class),
    }
}

/// What a word of a `server` or `bind` line has an effect on, with or without its `no-`.
#[allow(dead_code)]
pub(crate) fn effect_of_word(word: &str) -> EffectClass {
    let word = word.split('(').next().unwrap_or(word);
    let known = |word: &str| find(SERVER, word).or_else(|| find(BIND, word));
    known(word).or_else(|| known(&format!("no-{word}"))).map_or(Unknown, |entry| entry.class)
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
    fn every_word_has_an_effect() {
        // The word after these decides.
        const DIVIDED: &[&str] = &[
            "http-after-response",
            "http-request",
            "http-response",
            "option",
            "tcp-request",
            "tcp-response",
        ];
        let keywords = KEYWORDS.iter().map(|entry| entry.name);
        let mut open: Vec<&str> = keywords.filter(|name| effect_of_line(name, "") == Unknown).collect();
        open.dedup();
        assert_eq!(open, DIVIDED);
        for option in OPTIONS {
            assert_ne!(effect_of_line("option", option.name), Unknown, "option {}", option.name);
        }
        for word in SERVER.iter().chain(BIND) {
            let name = word.name;
            assert_ne!(effect_of_word(name), Unknown, "{name}");
            assert_ne!(effect_of_word(name.strip_prefix("no-").unwrap_or(name)), Unknown, "{name}");
        }
        for action in actions(u8::MAX) {
            assert_ne!(effect_of_line("http-request", action), Unknown, "{action}");
        }
    }

    #[test]
    fn the_first_words_decide() {
        assert_eq!(effect_of_line("http-request", "set-var(txn.a)"), EffectClass::Routing);
        assert_eq!(effect_of_line("http-response", "set-header"), EffectClass::Content);
        assert_eq!(effect_of_line("tcp-request", "inspect-delay"), EffectClass::Capacity);
        assert_eq!(effect_of_line("balance", "roundrobin"), EffectClass::Share);
        assert_eq!(effect_of_line("no-such-word", ""), Unknown);
        assert_eq!(effect_of_word("set-proxy-v2-tlv-fmt(0xE1)"), EffectClass::Content);
    }

    #[test]
    fn tables_are_sorted_and_without_doubles() {
        for table in [SERVER, BIND] {
            for pair in table.windows(2) {
                assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
            }
        }
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
