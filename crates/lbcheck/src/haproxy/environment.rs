//! The environment of the service, as `setenv` and its kin change it while the file is read.

use std::collections::BTreeMap;

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

/// The variables in force at one line.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The environment the service is started with.
    pub(crate) fn new(variables: &BTreeMap<String, String>) -> Self {
        Self { variables: variables.clone() }
    }

    /// The value of a variable, if it is known.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Whether the program defines the variable itself (or it is a pseudo-variable such as `.LINE`).
    pub(crate) fn is_set_by_program(&self, name: &str) -> bool {
        name.starts_with('.') || SET_BY_PROGRAM.contains(&name)
    }

    /// `setenv`.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// `presetenv`: only where the variable is not set yet.
    pub(crate) fn preset(&mut self, name: &str, value: &str) {
        if !self.variables.contains_key(name) {
            self.set(name, value);
        }
    }

    /// `unsetenv`.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// `resetenv`: only the named variables stay.
    pub(crate) fn reset<'n>(&mut self, keep: impl Iterator<Item = &'n str>) {
        let mut kept = BTreeMap::new();
        for name in keep {
            if let Some(value) = self.variables.remove(name) {
                kept.insert(name.to_owned(), value);
            }
        }
        self.variables = kept;
    }

    /// Replaces `$NAME` and `${NAME}` in an address, as the program does whatever the quotes.
    ///
    /// Gives the text and the names that are not set. `None`: there is nothing to replace.
    pub(crate) fn expand_address(&self, text: &str) -> Option<(String, Vec<String>)> {
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
                Some(value) => out.push_str(value),
                None => missing.push(name.to_owned()),
            }
            rest = tail;
        }
        out.push_str(rest);
        Some((out, missing))
    }
}
