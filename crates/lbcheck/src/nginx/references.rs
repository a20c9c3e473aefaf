//! Names that must be defined somewhere: variables, log formats, shared zones, certificates.
//!
//! Only a whole configuration can be judged: a snippet, or one with an include that was not read, may have the
//! definition elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::builtin;
use super::directives::{Contexts, DATA, Directive, H, OTHER, S, T, TS, Vendor};
use super::syntax::{NodeId, Tree, Word};
use crate::diagnostic::{Diagnostic, Severity, suggest};
use crate::source::Span;

/// Modules that nginx comes with and that define no variables beyond the known ones.
const STANDARD_MODULES: &[&str] = &[
    "ngx_http_brotli_filter_module",
    "ngx_http_brotli_static_module",
    "ngx_http_geoip_module",
    "ngx_http_headers_more_filter_module",
    "ngx_http_image_filter_module",
    "ngx_http_modsecurity_module",
    "ngx_http_perl_module",
    "ngx_http_xslt_filter_module",
    "ngx_mail_module",
    "ngx_stream_geoip_module",
    "ngx_stream_module",
];

/// Directives that read variables in all their arguments from the given one on.
const READERS: &[(&str, usize)] = &[
    ("add_header", 1),
    ("add_trailer", 1),
    ("alias", 0),
    ("fastcgi_cache_key", 0),
    ("fastcgi_param", 1),
    ("fastcgi_pass", 0),
    ("grpc_pass", 0),
    ("grpc_set_header", 1),
    ("hash", 0),
    ("limit_conn_zone", 0),
    ("limit_req_zone", 0),
    ("map", 0),
    ("proxy_cache_bypass", 0),
    ("proxy_cache_key", 0),
    ("proxy_no_cache", 0),
    ("proxy_pass", 0),
    ("proxy_set_header", 1),
    ("return", 0),
    ("rewrite", 1),
    ("root", 0),
    ("scgi_param", 1),
    ("scgi_pass", 0),
    ("set", 1),
    ("split_clients", 0),
    ("try_files", 0),
    ("uwsgi_param", 1),
    ("uwsgi_pass", 0),
];

/// Undefined names of a kind for which a suggestion is looked up; each costs a walk over all that are defined.
const MAX_SUGGESTIONS: usize = 32;

/// Checks all references of a whole configuration.
pub(super) fn check(
    tree: &Tree,
    contexts: &[Contexts],
    directives: &[Option<&'static Directive>],
) -> Vec<Diagnostic> {
    let mut checker = Checker { tree, contexts, directives, diagnostics: Vec::new() };
    checker.log_formats();
    checker.zones();
    checker.certificates();
    if !checker.has_foreign_modules() {
        checker.variables();
    }
    checker.diagnostics
}

struct Checker<'a> {
    tree: &'a Tree,
    contexts: &'a [Contexts],
    directives: &'a [Option<&'static Directive>],
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    fn context(&self, id: NodeId) -> Contexts {
        self.contexts.get(id).copied().unwrap_or(OTHER)
    }

    fn ids(&self) -> std::ops::Range<NodeId> {
        0..self.tree.nodes.len()
    }

    fn is_stream(&self, id: NodeId) -> bool {
        self.context(id) & (T | TS | super::directives::TU) != 0
    }

    fn missing(&mut self, span: Span, message: String, near: Option<&str>, help: &str) {
        let help = near.map_or_else(|| help.to_owned(), |near| format!("did you mean `{near}`?"));
        self.diagnostics.push(Diagnostic::new("invalid-value", Severity::Error, span, message).help(help));
    }

    fn log_formats(&mut self) {
        let mut formats: BTreeSet<(bool, &str)> = BTreeSet::from([(false, "combined")]);
        for id in self.ids() {
            if self.tree.name(id) == "log_format" && self.context(id) & (H | T) != 0 {
                let Some(name) = self.tree.arg(id, 0) else { continue };
                if !formats.insert((self.is_stream(id), name)) {
                    let message = format!("log format `{name}` is defined twice");
                    self.diagnostics.push(
                        Diagnostic::new(
                            "duplicate-definition",
                            Severity::Error,
                            self.tree.header(id),
                            message,
                        )
                        .help("rename or remove one of them"),
                    );
                }
            }
        }
        let mut found: Vec<(Span, String)> = Vec::new();
        for id in self.ids() {
            if self.tree.name(id) != "access_log" || self.directives.get(id).is_none_or(Option::is_none) {
                continue;
            }
            let Some(word) = self.tree.args(id).get(1) else { continue };
            let name = self.tree.value(word);
            if self.tree.arg(id, 0) != Some("off")
                && !name.contains('=')
                && !formats.contains(&(self.is_stream(id), name))
            {
                found.push((word.span, name.to_owned()));
            }
        }
        for (at, (span, name)) in found.into_iter().enumerate() {
            let known = formats.iter().map(|&(_, name)| name);
            let near = if at < MAX_SUGGESTIONS { suggest(&name, known).map(str::to_owned) } else { None };
            self.missing(
                span,
                format!("log format `{name}` is not defined"),
                near.as_deref(),
                "add a `log_format`",
            );
        }
    }

    /// Shared memory zones that one directive makes and another names.
    fn zones(&mut self) {
        let mut zones: BTreeSet<(bool, &'static str, &str)> = BTreeSet::new();
        for id in self.ids() {
            let (kind, key) = match self.tree.name(id) {
                "limit_req_zone" => ("limit_req", "zone="),
                "limit_conn_zone" => ("limit_conn", "zone="),
                "proxy_cache_path" => ("proxy_cache", "keys_zone="),
                "fastcgi_cache_path" => ("fastcgi_cache", "keys_zone="),
                "uwsgi_cache_path" => ("uwsgi_cache", "keys_zone="),
                "scgi_cache_path" => ("scgi_cache", "keys_zone="),
                _ => continue,
            };
            let zone = self.tree.values(id).into_iter().find_map(|value| value.strip_prefix(key));
            zones.extend(
                zone.map(|zone| (self.is_stream(id), kind, zone.split(':').next().unwrap_or_default())),
            );
        }
        let mut found: Vec<(Span, &'static str, String)> = Vec::new();
        for id in self.ids() {
            let kind = match self.tree.name(id) {
                "limit_req" => "limit_req",
                "limit_conn" => "limit_conn",
                "proxy_cache" => "proxy_cache",
                "fastcgi_cache" => "fastcgi_cache",
                "uwsgi_cache" => "uwsgi_cache",
                "scgi_cache" => "scgi_cache",
                _ => continue,
            };
            if self.directives.get(id).is_none_or(Option::is_none) {
                continue;
            }
            let named = |word: &'a Word| {
                let value = self.tree.value(word);
                if kind == "limit_req" {
                    value.strip_prefix("zone=").map(|zone| (word, zone))
                } else {
                    Some((word, value))
                }
            };
            let Some((word, zone)) =
                self.tree.args(id).iter().take(if kind == "limit_req" { 9 } else { 1 }).find_map(named)
            else {
                continue;
            };
            let known =
                zone == "off" || zone.contains('$') || zones.contains(&(self.is_stream(id), kind, zone));
            if !known {
                found.push((word.span, kind, zone.to_owned()));
            }
        }
        for (at, (span, kind, zone)) in found.into_iter().enumerate() {
            let of_kind = zones.iter().filter(|(_, other, _)| *other == kind).map(|&(_, _, zone)| zone);
            let near = if at < MAX_SUGGESTIONS { suggest(&zone, of_kind).map(str::to_owned) } else { None };
            let maker = if kind.ends_with("cache") { "_path" } else { "_zone" };
            let help = format!("define it with `{kind}{maker}`");
            self.missing(span, format!("zone `{zone}` of `{kind}` is not defined"), near.as_deref(), &help);
        }
    }

    /// The default server of an address that takes TLS needs a certificate, its own or that of `http`.
    fn certificates(&mut self) {
        let sets = |id: NodeId| {
            self.tree.children(Some(id)).any(|id| {
                let name = self.tree.name(id);
                matches!(name, "ssl_certificate" | "acme_certificate")
                    || name == "ssl_reject_handshake" && self.tree.arg(id, 0) == Some("on")
            })
        };
        /// What is known of an address: its default server, and whether it takes TLS.
        #[derive(Default)]
        struct Listened {
            default: Option<(NodeId, Span)>,
            tls: bool,
        }
        let mut seen: BTreeMap<(&str, bool), Listened> = BTreeMap::new();
        for id in self.ids() {
            if self.tree.name(id) != "listen" || self.context(id) != S {
                continue;
            }
            let Some((address, parameters)) = self.tree.args(id).split_first() else { continue };
            let is = |wanted: &str| parameters.iter().any(|word| self.tree.value(word) == wanted);
            let address = self.tree.value(address);
            let address = address.strip_prefix("*:").or(address.strip_prefix("0.0.0.0:")).unwrap_or(address);
            let (tls, default) = (is("ssl") || is("quic"), is("default_server") || is("default"));
            let entry = seen.entry((address, is("quic"))).or_default();
            // TLS for one server of an address is TLS for all of them; the default server answers first.
            entry.tls |= tls;
            if entry.default.is_none() || default {
                entry.default = self.tree.nodes[id].parent.map(|server| (server, self.tree.header(id)));
            }
        }
        let mut found = Vec::new();
        for ((address, _), listened) in seen {
            let Some((server, span)) = listened.default.filter(|_| listened.tls) else { continue };
            let http = self.tree.nodes[server].parent;
            if !sets(server) && !http.is_some_and(sets) {
                found.push((span, address.to_owned()));
            }
        }
        for (span, address) in found {
            let message = format!("the default server of {address} takes TLS but has no `ssl_certificate`");
            self.missing(span, message, None, "add `ssl_certificate` and `ssl_certificate_key`");
        }
    }

    /// Modules may define variables that nobody can list.
    fn has_foreign_modules(&self) -> bool {
        self.ids().any(|id| {
            if self.tree.name(id) == "load_module" {
                let path = self.tree.arg(id, 0).unwrap_or_default();
                let file = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".so");
                return !STANDARD_MODULES.contains(&file);
            }
            match self.directives.get(id) {
                Some(Some(entry)) => entry.vendor != Vendor::Nginx,
                _ => !matches!(self.context(id), DATA | OTHER) && self.tree.name(id) != "include",
            }
        })
    }

    fn variables(&mut self) {
        let defined = self.defined();
        let mut unknown: Vec<(Span, String)> = Vec::new();
        for id in self.ids() {
            if self.directives.get(id).is_none_or(Option::is_none) {
                continue;
            }
            let name = self.tree.name(id);
            let from = match READERS.binary_search_by_key(&name, |&(reader, _)| reader) {
                Ok(at) => READERS[at].1,
                Err(_) if name == "log_format" => 1,
                Err(_) if name == "if" => 0,
                Err(_) => continue,
            };
            let count = match name {
                // Only what is compared; the value may be an expression.
                "if" | "map" | "split_clients" | "hash" | "limit_conn_zone" | "limit_req_zone" => 1,
                _ => usize::MAX,
            };
            for word in self.tree.args(id).iter().skip(from).take(count) {
                for used in used(self.tree.value(word)) {
                    if !builtin::is_built_in(&used) && !defined.contains(&used) {
                        unknown.push((word.span, used));
                    }
                }
            }
        }
        let in_map = |id: NodeId| {
            self.tree.nodes[id]
                .parent
                .is_some_and(|map| self.tree.name(map) == "map" && self.context(map) & (H | T) != 0)
        };
        for id in self.ids().filter(|&id| self.context(id) == DATA && in_map(id)) {
            let Some(word) = self.tree.args(id).first() else { continue };
            let names = used(self.tree.value(word)).into_iter();
            let names = names.filter(|name| !builtin::is_built_in(name) && !defined.contains(name));
            unknown.extend(names.map(|name| (word.span, name)));
        }
        for (at, (span, name)) in unknown.into_iter().enumerate() {
            let candidates = defined.iter().map(String::as_str).chain(builtin::BUILT_IN.iter().copied());
            let near = if at < MAX_SUGGESTIONS { suggest(&name, candidates) } else { None };
            let near = near.map(|near| format!("${near}"));
            let help = "define it with `set` or `map`";
            self.missing(span, format!("variable `${name}` is not defined"), near.as_deref(), help);
        }
    }

    /// Every variable some directive defines, and every named group of an expression.
    fn defined(&self) -> BTreeSet<String> {
        let mut defined = BTreeSet::new();
        for id in self.ids() {
            let args = self.tree.args(id);
            let at = match self.tree.name(id) {
                "set" | "auth_request_set" | "perl_set" => Some(0),
                "map" | "split_clients" => Some(1),
                "geo" => args.len().checked_sub(1),
                _ => None,
            };
            let name =
                at.and_then(|at| args.get(at)).and_then(|word| self.tree.value(word).strip_prefix('$'));
            defined.extend(name.map(|name| name.trim_matches(['{', '}']).to_ascii_lowercase()));
            for word in self.tree.words(id) {
                groups(self.tree.value(word), &mut defined);
            }
        }
        defined
    }
}

/// The variables a text reads, in lower case; numbered groups are left out.
fn used(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices('$') {
        let rest = text.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|char: char| char != '_' && !char.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if !name.is_empty() && !name.starts_with(|char: char| char.is_ascii_digit()) {
            names.push(name.to_ascii_lowercase());
        }
    }
    names
}

/// The named groups of an expression: `(?<name>…)`, `(?P<name>…)`, `(?'name'…)`.
fn groups(text: &str, into: &mut BTreeSet<String>) {
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
            into.insert(name.to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_sorted_for_searching() {
        assert!(READERS.is_sorted());
    }

    #[test]
    fn variables_are_found_in_texts() {
        assert_eq!(used("http://$Host${uri}?$1&x=$"), ["host", "uri"]);
        let mut found = BTreeSet::new();
        groups("~^/(?<user>.+)/(?P<page>x)(?!y)(?<=z)", &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["page", "user"]);
    }
}
