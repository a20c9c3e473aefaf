//! Values that directives with code of their own refuse.

use super::directives::{Directive, Vendor};
use super::regex;
use super::syntax::{NodeId, Tree, Word};
use super::values;
use crate::diagnostic::{Diagnostic, Severity};

/// The methods nginx has a number for.
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "MKCOL",
    "COPY",
    "MOVE",
    "OPTIONS",
    "PROPFIND",
    "PROPPATCH",
    "LOCK",
    "UNLOCK",
    "PATCH",
];

/// Levels of `error_log`; the `debug_` ones choose what is logged.
const LEVELS: &[&str] = &["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"];

/// The least size of shared memory: eight pages, of 4k where they are smallest.
const LEAST_ZONE: u64 = 8 * 4096;

/// Checks a directive whose place and number of arguments are right.
pub(super) fn check(tree: &Tree, id: NodeId, directive: &Directive) -> Vec<Diagnostic> {
    let mut checker = Checker { tree, diagnostics: Vec::new() };
    checker.expressions(id);
    if directive.vendor == Vendor::Nginx {
        checker.values(id, directive);
    }
    checker.diagnostics
}

struct Checker<'a> {
    tree: &'a Tree,
    diagnostics: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn invalid(&mut self, word: &Word, message: String, help: &str) {
        let diagnostic = Diagnostic::new("invalid-value", Severity::Error, word.span, message);
        self.diagnostics.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }

    /// Regular expressions that certainly do not compile.
    fn expressions(&mut self, id: NodeId) {
        let args = self.tree.args(id);
        let value = |word: &Word| self.tree.value(word);
        let patterns: Vec<(&Word, &str)> = match (self.tree.name(id), args) {
            ("location", [modifier, word]) if matches!(value(modifier), "~" | "~*") => {
                vec![(word, value(word))]
            }
            ("location", [word]) => {
                let glued = value(word).strip_prefix("~*").or(value(word).strip_prefix('~'));
                glued.map(|pattern| (word, pattern)).into_iter().collect()
            }
            ("rewrite", [word, ..]) => vec![(word, value(word))],
            ("server_name", words) => {
                words.iter().filter_map(|word| Some((word, value(word).strip_prefix('~')?))).collect()
            }
            _ => return,
        };
        for (word, pattern) in patterns {
            if let Some(fault) = regex::fault(pattern) {
                self.invalid(word, format!("regular expression `{pattern}` {fault}"), "");
            }
        }
    }

    fn values(&mut self, id: NodeId, directive: &Directive) {
        let tree = self.tree;
        let args = tree.args(id);
        let Some(first) = args.first() else { return };
        let text = tree.value(first);
        // What a template or a variable will give is not known yet.
        if args.iter().any(|word| values::is_placeholder(tree.value(word))) {
            return;
        }
        let name = directive.name;
        let refused = |text: &str| format!("`{text}` is not a value that directive `{name}` takes");
        match (name, directive.module) {
            ("set", _) if !text.starts_with('$') || text.len() < 2 => {
                self.invalid(first, format!("`{text}` is not a variable"), "write the variable with its `$`");
            }
            ("allow" | "deny", _) if text != "all" && text != "unix:" && !super::data::is_network(text) => {
                let help = "write `all`, an address, or a network such as `10.0.0.0/8`";
                self.invalid(first, format!("`{text}` is not a network"), help);
            }
            ("worker_processes", _) if text != "auto" && values::number(text).is_none() => {
                self.invalid(first, refused(text), "write a whole number or `auto`");
            }
            ("worker_connections", _) if values::number(text).is_none() => {
                self.invalid(first, refused(text), "write a whole number");
            }
            ("keepalive", "http_upstream_keepalive") if values::number(text).is_none() => {
                self.invalid(first, refused(text), "write a whole number");
            }
            ("limit_rate" | "limit_rate_after", _)
                if !values::has_variable(text) && values::size(text, false).is_none() =>
            {
                self.invalid(first, refused(text), "write a size such as `100k`, per second");
            }
            ("error_log", _) => {
                let levels = args.iter().skip(1);
                for word in levels.filter(|word| !is_level(tree.value(word))) {
                    self.invalid(word, refused(tree.value(word)), "write a level such as `warn` or `error`");
                }
            }
            ("limit_except", _) => {
                for word in args {
                    let method = tree.value(word);
                    if !METHODS.iter().any(|known| known.eq_ignore_ascii_case(method)) {
                        self.invalid(word, format!("`{method}` is not a method nginx knows"), "");
                    }
                }
            }
            ("error_page", _) => self.error_page(args),
            ("zone", "http_upstream_zone" | "stream_upstream_zone") => {
                if let Some(word) = args.get(1) {
                    self.zone_size(word, tree.value(word));
                }
            }
            ("limit_req_zone" | "limit_conn_zone", _) => {
                for word in args {
                    if let Some(zone) = tree.value(word).strip_prefix("zone=") {
                        let size = zone.split_once(':').map_or("", |(_, size)| size);
                        self.zone_size(word, size);
                    }
                }
            }
            ("proxy_cache_valid" | "fastcgi_cache_valid" | "uwsgi_cache_valid" | "scgi_cache_valid", _) => {
                self.cache_valid(args)
            }
            _ => {}
        }
    }

    /// Codes, `=code` if wanted, and where to go.
    fn error_page(&mut self, args: &[Word]) {
        let Some((_, codes)) = args.split_last() else { return };
        let codes = match codes.split_last() {
            Some((last, before)) if self.tree.value(last).starts_with('=') => before,
            _ => codes,
        };
        for word in codes {
            let text = self.tree.value(word);
            if !values::number(text).is_some_and(|code| (300..=599).contains(&code)) {
                let help = "write codes from 300 to 599, then where to go";
                self.invalid(word, format!("`{text}` is not a code that `error_page` takes"), help);
            }
        }
    }

    fn zone_size(&mut self, word: &Word, size: &str) {
        let help = "write a size of at least 32k, such as `64k` or `10m`";
        match values::size(size, false) {
            None => self.invalid(word, format!("`{size}` is not the size of a zone"), help),
            Some(bytes) if bytes < LEAST_ZONE => {
                self.invalid(word, format!("a zone of `{size}` is too small"), help);
            }
            Some(_) => {}
        }
    }

    /// Codes or `any`, and a time.
    fn cache_valid(&mut self, args: &[Word]) {
        let Some((last, codes)) = args.split_last() else { return };
        let time = self.tree.value(last);
        if values::time(time, false).is_none() {
            self.invalid(last, format!("`{time}` is not a time"), "write a time such as `10m`");
        }
        for word in codes {
            let text = self.tree.value(word);
            if text != "any" && !values::number(text).is_some_and(|code| (100..=599).contains(&code)) {
                self.invalid(
                    word,
                    format!("`{text}` is not a status"),
                    "write `any`, or a status such as 200",
                );
            }
        }
    }
}

fn is_level(text: &str) -> bool {
    LEVELS.contains(&text) || text.starts_with("debug_")
}
