//! The environment of the service, as `setenv` and its kin change it while the file is read.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Variables that HAProxy sets before or while it reads its configuration; their values are not in the files.
const SET_BY_PROGRAM: &[&str] = &[
    "HAPROXY_BRANCH",
    "HAPROXY_CFGFILES",
    "HAPROXY_CLI",
    "HAPROXY_HTTPS_LOG_FMT",
    "HAPROXY_HTTP_CLF_LOG_FMT",
    "HAPROXY_HTTP_LOG_FMT",
    "HAPROXY_KEYLOG_FC_LOG_FMT",
    "HAPROXY_KEYLOG_BC_LOG_FMT",
    "HAPROXY_LOCALPEER",
    "HAPROXY_MASTER_CLI",
    "HAPROXY_MWORKER",
    "HAPROXY_STARTUP_VERSION",
    "HAPROXY_STARTUPLOGS_FD",
    "HAPROXY_TCP_CLF_LOG_FMT",
    "HAPROXY_TCP_LOG_FMT",
];

/// Most bytes of one word after its variables are replaced. The program has no such limit and takes words that are
/// doubled by every `setenv` until memory ends; what a person writes stays far below this.
pub(crate) const MAX_WORD: usize = 64 << 10;

/// Most bytes that variables may add to all words of a configuration together.
const MAX_TOTAL: usize = 64 << 20;

/// The variables in force at one line.
#[derive(Debug)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    /// Variables that are set to something this reader could not follow.
    unknown: BTreeSet<String>,
    /// Bytes that variables may still add.
    left: Cell<usize>,
}

impl Environment {
    /// The environment the service is started with.
    pub(crate) fn new(variables: &BTreeMap<String, String>) -> Self {
        Self { variables: variables.clone(), unknown: BTreeSet::new(), left: Cell::new(MAX_TOTAL) }
    }

    /// The value of a variable, if it is known.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Takes from what variables may add to all words; false when that is used up.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Whether the variable is set, to a value that is not known.
    pub(crate) fn is_unknown(&self, name: &str) -> bool {
        self.unknown.contains(name)
    }

    /// Whether the program defines the variable itself (or it is a pseudo-variable such as `.LINE`).
    pub(crate) fn is_set_by_program(&self, name: &str) -> bool {
        name.starts_with('.') || SET_BY_PROGRAM.contains(&name) || self.is_unknown(name)
    }

    /// `setenv`.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unknown.remove(name);
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// `setenv` with a value that could not be followed.
    pub(crate) fn set_unknown(&mut self, name: &str) {
        self.variables.remove(name);
        self.unknown.insert(name.to_owned());
    }

    /// `presetenv`: only where the variable is not set yet.
    pub(crate) fn preset(&mut self, name: &str, value: &str) {
        if !self.variables.contains_key(name) && !self.is_unknown(name) {
            self.set(name, value);
        }
    }

    /// `unsetenv`.
    pub(crate) fn unset(&mut self, name: &str) {
        self.unknown.remove(name);
        self.variables.remove(name);
    }

    /// `resetenv`: only the named variables stay.
    pub(crate) fn reset<'n>(&mut self, keep: impl Iterator<Item = &'n str>) {
        let mut kept = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for name in keep {
            unknown.extend(self.unknown.take(name));
            if let Some(value) = self.variables.remove(name) {
                kept.insert(name.to_owned(), value);
            }
        }
        self.variables = kept;
        self.unknown = unknown;
    }

    /// Replaces `$NAME` and `${NAME}` in an address, as the program does whatever the quotes.
    ///
    /// `None`: there is nothing to replace.
    pub(crate) fn expand_address(&self, text: &str) -> Option<ExpandedAddress> {
        if !text.contains('$') {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut missing = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(rest.get(..at).unwrap_or_default());
            let after = rest.get(at + 1..).unwrap_or_default();
            let (body, braced) = match after.strip_prefix('{') {
                Some(body) => (body, true),
                None => (after, false),
            };
            let length = body
                .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
                .unwrap_or(body.len());
            let name = body.get(..length).unwrap_or_default();
            let mut tail = body.get(length..).unwrap_or_default();
            if braced {
                tail = tail.strip_prefix('}').unwrap_or(tail);
            }
            match self.get(name) {
                Some(value) if out.len() + value.len() <= MAX_WORD && self.take(value.len()) => {
                    out.push_str(value);
                }
                Some(_) => return Some(ExpandedAddress { text: out, missing, too_long: true }),
                None => missing.push(name.to_owned()),
            }
            rest = tail;
        }
        out.push_str(rest);
        Some(ExpandedAddress { text: out, missing, too_long: false })
    }
}

/// An address after its variables are replaced.
pub(crate) struct ExpandedAddress {
    /// The text.
    pub(crate) text: String,
    /// Variables that are not set.
    pub(crate) missing: Vec<String>,
    /// The text would be longer than this reader follows.
    pub(crate) too_long: bool,
}
