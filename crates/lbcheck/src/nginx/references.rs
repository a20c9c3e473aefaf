//! Names that must be defined somewhere: log formats, shared zones, certificates.
//!
//! Only a whole configuration can be judged: a snippet, or one with an include that was not read, may have the
//! definition elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::directives::{Contexts, Directive, H, OTHER, S, T, TS};
use super::syntax::{NodeId, Tree, Word};
use super::values;
use crate::diagnostic::{Diagnostic, Severity, suggest};
use crate::source::Span;

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
                && !values::is_placeholder(name)
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
}
