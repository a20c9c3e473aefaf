//! Variables in values: what nginx cannot read as one, what nothing defines, and what must not be defined anew.

use std::collections::BTreeSet;

use super::builtin_variables;
use super::directives::{Contexts, DATA, Directive, H, OTHER, T, TS, TU, Vendor};
use super::syntax::{NodeId, Tree, Word};
use super::values;
use crate::diagnostic::{Diagnostic, RuleId, Severity, suggest};
use crate::dialect::Version;
use crate::source::Span;

/// Directives that read variables in their arguments: in which of them, from the first to the last, counted from 0.
///
/// Asked of nginx with a variable that is not there, in every argument of every directive of many configurations.
const READERS: &[(&str, usize, usize)] = &[
    ("access_log", 0, 0),
    ("add_header", 1, 1),
    ("add_trailer", 1, 1),
    ("alias", 0, 0),
    ("auth_basic", 0, 0),
    ("auth_basic_user_file", 0, 0),
    ("auth_request_set", 1, 1),
    ("charset", 0, 0),
    ("early_hints", 0, ALL),
    ("error_page", 1, ALL),
    ("expires", 0, 1),
    ("fastcgi_bind", 0, 0),
    ("fastcgi_cache", 0, 0),
    ("fastcgi_cache_bypass", 0, ALL),
    ("fastcgi_cache_key", 0, 0),
    ("fastcgi_no_cache", 0, ALL),
    ("fastcgi_param", 1, 1),
    ("fastcgi_pass", 0, 0),
    ("fastcgi_store", 0, 0),
    ("grpc_bind", 0, 0),
    ("grpc_pass", 0, 0),
    ("grpc_set_header", 1, 1),
    ("grpc_ssl_certificate", 0, 0),
    ("grpc_ssl_certificate_key", 0, 0),
    ("grpc_ssl_name", 0, 0),
    ("hash", 0, 0),
    ("if", 0, ALL),
    ("image_filter", 1, 2),
    ("image_filter_jpeg_quality", 0, 0),
    ("image_filter_sharpen", 0, 0),
    ("image_filter_webp_quality", 0, 0),
    ("index", 0, ALL),
    ("limit_conn_zone", 0, 0),
    ("limit_rate", 0, 0),
    ("limit_rate_after", 0, 0),
    ("limit_req_zone", 0, 0),
    ("log_format", 1, ALL),
    ("map", 0, 0),
    ("memcached_bind", 0, 0),
    ("memcached_pass", 0, 0),
    ("pass", 0, 0),
    ("proxy_bind", 0, 0),
    ("proxy_cache", 0, 0),
    ("proxy_cache_bypass", 0, ALL),
    ("proxy_cache_key", 0, 0),
    ("proxy_cookie_domain", 0, 1),
    ("proxy_cookie_flags", 1, 3),
    ("proxy_cookie_path", 1, 1),
    ("proxy_download_rate", 0, 0),
    ("proxy_method", 0, 0),
    ("proxy_no_cache", 0, ALL),
    ("proxy_pass", 0, 0),
    ("proxy_redirect", 1, 1),
    ("proxy_set_body", 0, 0),
    ("proxy_set_header", 1, 1),
    ("proxy_ssl_certificate", 0, 0),
    ("proxy_ssl_certificate_key", 0, 0),
    ("proxy_ssl_name", 0, 0),
    ("proxy_store", 0, 0),
    ("proxy_upload_rate", 0, 0),
    ("return", 0, ALL),
    ("rewrite", 1, 1),
    ("root", 0, 0),
    ("scgi_bind", 0, 0),
    ("scgi_cache", 0, 0),
    ("scgi_cache_bypass", 0, ALL),
    ("scgi_cache_key", 0, 0),
    ("scgi_no_cache", 0, ALL),
    ("scgi_param", 1, 1),
    ("scgi_pass", 0, 0),
    ("scgi_store", 0, 0),
    ("secure_link", 0, 0),
    ("secure_link_md5", 0, 0),
    ("set", 1, 1),
    ("split_clients", 0, 0),
    ("sub_filter", 0, 1),
    ("try_files", 0, ALL),
    ("uwsgi_bind", 0, 0),
    ("uwsgi_cache", 0, 0),
    ("uwsgi_cache_bypass", 0, ALL),
    ("uwsgi_cache_key", 0, 0),
    ("uwsgi_no_cache", 0, ALL),
    ("uwsgi_param", 1, 1),
    ("uwsgi_pass", 0, 0),
    ("uwsgi_ssl_certificate", 0, 0),
    ("uwsgi_ssl_certificate_key", 0, 0),
    ("uwsgi_ssl_name", 0, 0),
    ("uwsgi_store", 0, 0),
];

const ALL: usize = usize::MAX;

/// Directives whose variables nginx looks at only where it uses them, and the directive that uses them; empty: any
/// server or location.
const LAZY: &[(&str, &str)] = &[
    ("fastcgi_param", "fastcgi_pass"),
    ("grpc_set_header", ""),
    ("proxy_set_body", ""),
    ("proxy_set_header", ""),
    ("scgi_param", "scgi_pass"),
    ("uwsgi_param", "uwsgi_pass"),
];

/// Modules of others whose variables are known to [`builtin`], or that have none.
const KNOWN_MODULES: &[&str] = &[
    "http_auth_jwt",
    "http_auth_pam",
    "http_auth_spnego",
    "http_brotli_filter",
    "http_brotli_static",
    "http_cache_purge",
    "http_dav_ext",
    "http_echo",
    "http_eval",
    "http_fancyindex",
    "http_geoip2",
    "http_headers_more_filter",
    "http_hmac_secure_link",
    "http_js",
    "http_js_core",
    "http_lua",
    "http_memc",
    "http_modsecurity",
    "http_otel",
    "http_push_stream",
    "http_set_misc",
    "http_srcache_filter",
    "http_subs_filter",
    "http_uploadprogress",
    "http_upstream_fair",
    "http_vhost_traffic_status",
    "http_xss_filter",
    "http_zstd_filter",
    "http_zstd_static",
    "nchan",
    "ndk_http",
    "rtmp",
    "stream_geoip2",
    "stream_js",
    "stream_lua",
];

/// Files of modules that nginx comes with, or that are in [`KNOWN_MODULES`], without `ngx_` and `_module`.
const KNOWN_FILES: &[&str] = &[
    "http_geoip",
    "http_image_filter",
    "http_perl",
    "http_xslt_filter",
    "mail",
    "otel",
    "stream",
    "stream_geoip",
];

/// Undefined names for which a suggestion is looked up; each costs a walk over all that are defined.
const MAX_SUGGESTIONS: usize = 32;

/// Checks what can be checked of any text, and, of a whole configuration, what must be defined.
pub(super) fn check(
    tree: &Tree,
    contexts: &[Contexts],
    directives: &[Option<&'static Directive>],
    version: Version,
    whole: bool,
) -> Vec<Diagnostic> {
    let mut checker = VariableChecker { tree, contexts, directives, version, diagnostics: Vec::new() };
    let idle = if whole { Some(checker.idle()) } else { None };
    checker.texts(idle.as_ref());
    checker.definitions();
    if let Some(idle) = idle
        && !checker.has_foreign_modules()
    {
        checker.unknown(&idle);
    }
    checker.diagnostics
}

struct VariableChecker<'a> {
    tree: &'a Tree,
    contexts: &'a [Contexts],
    directives: &'a [Option<&'static Directive>],
    version: Version,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> VariableChecker<'a> {
    fn context(&self, id: NodeId) -> Contexts {
        self.contexts.get(id).copied().unwrap_or(OTHER)
    }

    fn ids(&self) -> std::ops::Range<NodeId> {
        0..self.tree.nodes.len()
    }

    fn is_stream(&self, id: NodeId) -> bool {
        self.context(id) & (T | TS | TU) != 0
    }

    fn invalid(&mut self, span: Span, message: String, help: &str) {
        self.diagnostics
            .push(Diagnostic::new(RuleId::InvalidValue, Severity::Error, span, message).help(help));
    }

    /// The words of a directive in which nginx reads variables.
    fn read(&self, id: NodeId) -> &'a [Word] {
        let args = self.tree.args(id);
        if self.directives.get(id).is_none_or(Option::is_none) {
            return &[];
        }
        let name = self.tree.name(id);
        let Ok(at) = READERS.binary_search_by_key(&name, |&(reader, _, _)| reader) else { return &[] };
        let Some(&(_, from, to)) = READERS.get(at) else { return &[] };
        let words = args.get(from..to.saturating_add(1).min(args.len())).unwrap_or_default();
        match (name, args) {
            // An expression is not a text with variables.
            ("if", args) => {
                let operator = args.iter().position(|word| self.tree.value(word).contains('~'));
                operator.and_then(|at| args.get(..at)).unwrap_or(args)
            }
            ("proxy_cookie_domain", [first, ..]) if self.tree.value(first).starts_with('~') => {
                args.get(1..).unwrap_or_default()
            }
            ("hash" | "return", [first, ..])
                if name == "return" && values::number(self.tree.value(first)).is_some() =>
            {
                args.get(1..).unwrap_or_default()
            }
            _ => words,
        }
    }

    /// A `$` that starts no name, and a brace that is not closed.
    fn texts(&mut self, idle: Option<&BTreeSet<NodeId>>) {
        for id in self.ids() {
            let name = self.tree.name(id);
            let lazy = LAZY.iter().any(|(lazy, _)| *lazy == name);
            // Without the whole configuration nobody knows what is asked for.
            if name == "if" || lazy && idle.is_none_or(|idle| idle.contains(&id)) {
                continue;
            }
            for word in self.read(id) {
                self.text(word);
            }
        }
        for id in self.lines_of_maps() {
            if let Some(word) = self.tree.args(id).first() {
                self.text(word);
            }
        }
    }

    fn text(&mut self, word: &Word) {
        let text = self.tree.value(word);
        if !text.contains('$') || values::is_placeholder(text) {
            return;
        }
        match fault(text) {
            None => {}
            Some(Fault::NoName) => {
                let message = format!("the `$` in `{text}` starts no variable");
                self.invalid(word.span, message, "write the name of a variable behind the `$`");
            }
            Some(Fault::OpenBrace) => {
                let message = format!("the brace of a variable in `{text}` is not closed");
                self.invalid(word.span, message, "close it with `}`");
            }
        }
    }

    /// Lines of `map`, whose values may hold variables.
    fn lines_of_maps(&self) -> Vec<NodeId> {
        let in_map = |id: NodeId| {
            let parent = self.tree.nodes.get(id).and_then(|node| node.parent);
            parent.is_some_and(|map| self.tree.name(map) == "map" && self.context(map) & (H | T) != 0)
        };
        self.ids().filter(|&id| self.context(id) == DATA && in_map(id)).collect()
    }

    /// The word of a directive that defines a variable.
    fn defines(&self, id: NodeId) -> Option<&'a Word> {
        let args = self.tree.args(id);
        let at = match self.tree.name(id) {
            "set" | "auth_request_set" | "perl_set" | "js_set" | "js_var" => 0,
            "map" | "split_clients" => 1,
            "geo" => args.len().checked_sub(1)?,
            _ => return None,
        };
        args.get(at)
    }

    /// Variables that are nginx's own.
    fn definitions(&mut self) {
        for id in self.ids() {
            let Some(word) = self.defines(id) else { continue };
            let Some(name) = self.tree.value(word).strip_prefix('$') else { continue };
            if builtin_variables::is_fixed(&name.to_ascii_lowercase(), self.is_stream(id), self.version) {
                let message = format!("variable `${name}` is nginx's own and cannot be defined anew");
                let diagnostic =
                    Diagnostic::new(RuleId::DuplicateDefinition, Severity::Error, word.span, message);
                self.diagnostics.push(diagnostic.help("choose another name"));
            }
        }
    }

    /// Modules may define variables that nobody can list.
    fn has_foreign_modules(&self) -> bool {
        self.ids().any(|id| {
            if self.tree.name(id) == "load_module" {
                let path = self.tree.arg(id, 0).unwrap_or_default();
                let file = path.rsplit('/').next().unwrap_or_default();
                let name = file.trim_end_matches(".so").trim_end_matches("_module");
                let name = name.strip_prefix("ngx_").unwrap_or(name);
                return !KNOWN_FILES.contains(&name) && !KNOWN_MODULES.contains(&name);
            }
            match self.directives.get(id) {
                Some(Some(entry)) => entry.vendor == Vendor::Third && !KNOWN_MODULES.contains(&entry.module),
                _ => !matches!(self.context(id), DATA | OTHER) && self.tree.name(id) != "include",
            }
        })
    }

    fn unknown(&mut self, idle: &BTreeSet<NodeId>) {
        let defined = self.defined();
        let mut unknown: Vec<(Span, String)> = Vec::new();
        let mut note = |word: &Word, stream: bool| {
            for name in used(self.tree.value(word)) {
                if !builtin_variables::is_built_in(&name, stream, self.version)
                    && !defined.contains(&(stream, name.clone()))
                {
                    unknown.push((word.span, name));
                }
            }
        };
        for id in self.ids().filter(|id| !idle.contains(id)) {
            for word in self.read(id) {
                note(word, self.is_stream(id));
            }
        }
        for id in self.lines_of_maps() {
            let map = self.tree.nodes.get(id).and_then(|node| node.parent);
            if let Some(word) = self.tree.args(id).first() {
                note(word, map.is_some_and(|map| self.is_stream(map)));
            }
        }
        for (at, (span, name)) in unknown.into_iter().enumerate() {
            let candidates = defined.iter().map(|(_, name)| name.as_str());
            let candidates = candidates.chain(builtin_variables::BUILT_IN.iter().map(|known| known.name));
            let near = if at < MAX_SUGGESTIONS { suggest(&name, candidates) } else { None };
            let help = match near {
                Some(near) => format!("did you mean `${near}`?"),
                None => "define it with `set` or `map`".to_owned(),
            };
            self.invalid(span, format!("variable `${name}` is not defined"), &help);
        }
    }

    /// Directives whose variables nobody ever asks for: no server is there, none passes requests on that way, or all
    /// of them have directives of their own instead.
    fn idle(&self) -> BTreeSet<NodeId> {
        let mut idle = BTreeSet::new();
        for &(lazy, user) in LAZY {
            let mut lines: Vec<NodeId> = Vec::new();
            // Blocks that have such a directive themselves.
            let mut holders: BTreeSet<Option<NodeId>> = BTreeSet::new();
            for id in self.ids().filter(|&id| self.tree.name(id) == lazy) {
                lines.push(id);
                holders.insert(self.tree.nodes.get(id).and_then(|node| node.parent));
            }
            if lines.is_empty() {
                continue;
            }
            let mut used: BTreeSet<Option<NodeId>> = BTreeSet::new();
            for id in self.ids() {
                let Some(node) = self.tree.nodes.get(id) else { continue };
                let start = match (user, node.block) {
                    ("", true) => Some(id),
                    ("", false) => continue,
                    (user, _) if self.tree.name(id) == user => node.parent,
                    _ => continue,
                };
                if user.is_empty()
                    && !matches!(self.tree.name(id), "server" | "location" | "if" | "limit_except")
                {
                    continue;
                }
                // From the block outwards to the first that has one; contexts are at most a few deep in practice.
                let mut at = start;
                for _ in 0..MAX_DEPTH {
                    if holders.contains(&at) {
                        used.insert(at);
                        break;
                    }
                    let Some(inner) = at else { break };
                    at = self.tree.nodes.get(inner).and_then(|node| node.parent);
                }
            }
            let parent = |id: NodeId| self.tree.nodes.get(id).and_then(|node| node.parent);
            idle.extend(lines.into_iter().filter(|&id| !used.contains(&parent(id))));
        }
        idle
    }

    /// Every variable some directive defines, and every named group of an expression, by language.
    fn defined(&self) -> BTreeSet<(bool, String)> {
        let mut defined = BTreeSet::new();
        let mut stream = false;
        for id in self.ids() {
            let context = self.context(id);
            if !matches!(context, DATA | OTHER) {
                stream = self.is_stream(id);
            }
            let foreign = match self.directives.get(id) {
                Some(Some(entry)) => entry.vendor != Vendor::Nginx,
                _ => context == OTHER,
            };
            let own = self.defines(id).into_iter();
            let all = if foreign { self.tree.words(id) } else { &[] };
            for word in own.chain(all) {
                if let Some(name) = self.tree.value(word).strip_prefix('$') {
                    defined.insert((stream, name.trim_matches(['{', '}']).to_ascii_lowercase()));
                }
            }
            for word in self.tree.words(id) {
                groups(self.tree.value(word), stream, &mut defined);
            }
        }
        defined
    }
}

/// How far outwards a holder is looked for.
const MAX_DEPTH: usize = 64;

/// Why a text with variables cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NoName,
    OpenBrace,
}

/// What nginx refuses about a text with variables.
fn fault(text: &str) -> Option<Fault> {
    let is_name = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric();
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('$') {
        match bytes.get(at + 1) {
            Some(b'{') => {
                let rest = bytes.get(at + 2..).unwrap_or_default();
                let length = rest.iter().take_while(|byte| is_name(byte)).count();
                if rest.get(length) != Some(&b'}') {
                    return Some(Fault::OpenBrace);
                }
                if length == 0 {
                    return Some(Fault::NoName);
                }
            }
            Some(byte) if is_name(byte) => {}
            _ => return Some(Fault::NoName),
        }
    }
    None
}

/// The variables a text reads, in lower case; groups of an expression are left out.
fn used(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices('$') {
        let rest = text.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|char: char| char != '_' && !char.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if !name.is_empty() && !name.starts_with(|char: char| ('1'..='9').contains(&char)) {
            names.push(name.to_ascii_lowercase());
        }
    }
    names
}

/// The named groups of an expression: `(?<name>…)`, `(?P<name>…)`, `(?'name'…)`.
fn groups(text: &str, stream: bool, into: &mut BTreeSet<(bool, String)>) {
    // Nearly no word has one; looking for a byte is much cheaper than looking for a text.
    if !text.as_bytes().contains(&b'(') {
        return;
    }
    for (at, _) in text.match_indices("(?") {
        let rest = text.get(at + 2..).unwrap_or_default();
        let rest = rest.strip_prefix('P').unwrap_or(rest);
        let Some(rest) = rest.strip_prefix(['<', '\'']) else { continue };
        let end = rest.find(['>', '\'']).unwrap_or(0);
        let name = rest.get(..end).unwrap_or_default();
        if !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            into.insert((stream, name.to_ascii_lowercase()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_searching() {
        assert!(READERS.is_sorted_by_key(|&(name, _, _)| name));
        assert!(KNOWN_MODULES.is_sorted());
    }

    #[test]
    fn variables_are_found_in_texts() {
        assert_eq!(used("http://$Host${uri}?$1&x=$&$0"), ["host", "uri", "0"]);
        let mut found = BTreeSet::new();
        groups("~^/(?<user>.+)/(?P<page>x)(?!y)(?<=z)", false, &mut found);
        assert_eq!(found.into_iter().map(|(_, name)| name).collect::<Vec<_>>(), ["page", "user"]);
    }

    #[test]
    fn texts_nginx_cannot_read() {
        for (text, expected) in [
            ("/a$", Some(Fault::NoName)),
            ("$$1", Some(Fault::NoName)),
            ("$-1", Some(Fault::NoName)),
            ("${uri", Some(Fault::OpenBrace)),
            ("${}", Some(Fault::NoName)),
            ("${a-b}", Some(Fault::OpenBrace)),
            ("$a${b}$1$_c", None),
        ] {
            assert_eq!(fault(text), expected, "{text}");
        }
    }
}
