//! Names that must be defined somewhere: log formats, shared zones, certificates.
//!
//! Only a whole configuration can be judged: a snippet, or one with an include that was not read, may have the
//! definition elsewhere.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::directives::{Contexts, Directive, H, ML, MS, OTHER, S, T, TS, TU, UP, Vendor};
use super::syntax::{NodeId, Tree, Word};
use super::values;
use crate::diagnostic::{Diagnostic, RuleId, Severity, suggest};
use crate::dialect::Version;
use crate::source::Span;

/// Undefined names of a kind for which a suggestion is looked up; each costs a walk over all that are defined.
const MAX_SUGGESTIONS: usize = 32;

/// Checks all references of a whole configuration.
pub(super) fn check(
    tree: &Tree,
    contexts: &[Contexts],
    directives: &[Option<&'static Directive>],
    version: Version,
) -> Vec<Diagnostic> {
    let mut checker = ReferenceChecker { tree, contexts, directives, version, diagnostics: Vec::new() };
    checker.log_formats();
    checker.zones();
    checker.upstream_zones();
    checker.certificates();
    checker.keys();
    checker.paths();
    checker.addresses();
    checker.servers();
    checker.diagnostics
}

struct ReferenceChecker<'a> {
    tree: &'a Tree,
    contexts: &'a [Contexts],
    directives: &'a [Option<&'static Directive>],
    version: Version,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> ReferenceChecker<'a> {
    fn context(&self, id: NodeId) -> Contexts {
        self.contexts.get(id).copied().unwrap_or(OTHER)
    }

    fn ids(&self) -> std::ops::Range<NodeId> {
        0..self.tree.nodes.len()
    }

    fn is_stream(&self, id: NodeId) -> bool {
        self.context(id) & (T | TS | TU) != 0
    }

    fn missing(&mut self, span: Span, message: String, near: Option<&str>, help: &str) {
        let help = near.map_or_else(|| help.to_owned(), |near| format!("did you mean `{near}`?"));
        self.diagnostics
            .push(Diagnostic::new(RuleId::InvalidValue, Severity::Error, span, message).help(help));
    }

    fn log_formats(&mut self) {
        // With the place from which on each is known.
        let mut formats: BTreeMap<(bool, &str), NodeId> = BTreeMap::from([((false, "combined"), 0)]);
        for id in self.ids() {
            if self.tree.name(id) == "log_format" && self.context(id) & (H | T) != 0 {
                let Some(name) = self.tree.arg(id, 0) else { continue };
                let key = (self.is_stream(id), name);
                if let Entry::Vacant(vacant) = formats.entry(key) {
                    vacant.insert(id);
                    continue;
                }
                let message = format!("log format `{name}` is defined twice");
                self.diagnostics.push(
                    Diagnostic::new(
                        RuleId::DuplicateDefinition,
                        Severity::Error,
                        self.tree.header(id),
                        message,
                    )
                    .help("rename or remove one of them"),
                );
            }
        }
        let mut found: Vec<(Span, String)> = Vec::new();
        let mut early: Vec<(Span, Span, String)> = Vec::new();
        for id in self.ids() {
            if self.tree.name(id) != "access_log" || self.directives.get(id).is_none_or(Option::is_none) {
                continue;
            }
            let Some(word) = self.tree.args(id).get(1) else { continue };
            let name = self.tree.value(word);
            if self.tree.arg(id, 0) != Some("off") && !values::is_placeholder(name) {
                match formats.get(&(self.is_stream(id), name)) {
                    None => found.push((word.span, name.to_owned())),
                    Some(&made) if made > id => {
                        early.push((word.span, self.tree.header(made), name.to_owned()));
                    }
                    Some(_) => {}
                }
            }
        }
        for (span, made, name) in early {
            let message = format!("log format `{name}` is used before it is defined");
            self.diagnostics.push(
                Diagnostic::new(RuleId::InvalidValue, Severity::Error, span, message)
                    .also(made, "defined only here")
                    .help("move the `log_format` above: nginx looks for it while it reads the file"),
            );
        }
        for (at, (span, name)) in found.into_iter().enumerate() {
            let known = formats.keys().map(|&(_, name)| name);
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
        let mut makers: BTreeMap<&str, NodeId> = BTreeMap::new();
        let mut twice = Vec::new();
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
            let Some(zone) = zone.and_then(|zone| zone.split(':').next()) else { continue };
            zones.insert((self.is_stream(id), kind, zone));
            // All shared memory has one set of names, whatever it is for.
            match makers.get(zone) {
                Some(&first) => twice.push((id, first, zone.to_owned())),
                None => {
                    makers.insert(zone, id);
                }
            }
        }
        for (id, first, zone) in twice {
            let message = format!("zone `{zone}` is defined twice");
            self.twice(id, first, message, "rename one of the two");
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

    /// `zone` of an upstream: one of those with the same name says how large it is.
    fn upstream_zones(&mut self) {
        let mut sized: BTreeSet<&str> = BTreeSet::new();
        let mut bare: BTreeMap<&str, Span> = BTreeMap::new();
        for id in self.ids() {
            if self.tree.name(id) != "zone" || self.context(id) & (UP | TU) == 0 {
                continue;
            }
            match self.tree.args(id) {
                [name] => {
                    bare.entry(self.tree.value(name)).or_insert(self.tree.header(id));
                }
                [name, ..] => {
                    sized.insert(self.tree.value(name));
                }
                [] => {}
            }
        }
        for (name, span) in bare.into_iter().filter(|(name, _)| !sized.contains(name)) {
            let message = format!("zone `{name}` has no size");
            let help =
                format!("write a size, such as `zone {name} 64k`, in one of the upstreams that share it");
            self.diagnostics
                .push(Diagnostic::new(RuleId::InvalidValue, Severity::Error, span, message).help(help));
        }
    }

    /// What takes TLS needs a certificate: the default server of an address, or, where that one refuses handshakes,
    /// every other; its own or that of `http`.
    fn certificates(&mut self) {
        /// What is known of an address: its servers, the default one first in rank, and whether it takes TLS.
        #[derive(Default)]
        struct Listened {
            servers: Vec<(NodeId, Span)>,
            default: Option<usize>,
            tls: bool,
        }
        let mut seen: BTreeMap<(&str, bool), Listened> = BTreeMap::new();
        for id in self.ids() {
            if self.tree.name(id) != "listen" || self.context(id) != S {
                continue;
            }
            let Some((address, parameters)) = self.tree.args(id).split_first() else { continue };
            let is = |wanted: &str| parameters.iter().any(|word| self.tree.value(word) == wanted);
            let address = address_of(self.tree.value(address));
            let entry = seen.entry((address, is("quic"))).or_default();
            // TLS for one server of an address is TLS for all of them; the default server answers first.
            entry.tls |= is("ssl") || is("quic");
            if is("default_server") || is("default") {
                entry.default.get_or_insert(entry.servers.len());
            }
            if let Some(server) = self.tree.nodes[id].parent {
                entry.servers.push((server, self.tree.header(id)));
            }
        }
        let mut found = Vec::new();
        for ((address, _), listened) in seen {
            let Some(&(server, span)) = listened.servers.get(listened.default.unwrap_or(0)) else { continue };
            if !listened.tls || self.has(server, &["ssl_certificate", "acme_certificate"]) {
                continue;
            }
            if !self.rejects(server) {
                found.push((span, address.to_owned()));
                continue;
            }
            let bare = listened.servers.iter().filter(|&&(server, _)| {
                !self.has(server, &["ssl_certificate", "acme_certificate"]) && !self.rejects(server)
            });
            found.extend(bare.map(|&(_, span)| (span, address.to_owned())));
        }
        for (span, address) in found {
            let message = format!("the server of {address} takes TLS but has no `ssl_certificate`");
            self.missing(span, message, None, "add `ssl_certificate` and `ssl_certificate_key`");
        }
    }

    /// Whether a server or the block around it has one of these directives.
    fn has(&self, server: NodeId, names: &[&str]) -> bool {
        let sets = |id: NodeId| self.tree.children(Some(id)).any(|id| names.contains(&self.tree.name(id)));
        sets(server) || self.tree.nodes[server].parent.is_some_and(sets)
    }

    fn rejects(&self, server: NodeId) -> bool {
        let sets = |id: NodeId| {
            self.tree
                .children(Some(id))
                .any(|id| self.tree.name(id) == "ssl_reject_handshake" && self.tree.arg(id, 0) == Some("on"))
        };
        sets(server) || self.tree.nodes[server].parent.is_some_and(sets)
    }

    /// Every certificate needs a key; both come from the nearest block that has one.
    fn keys(&mut self) {
        let mut found = Vec::new();
        for id in self.ids() {
            if self.tree.name(id) != "server" || !self.tree.nodes[id].block || self.context(id) & (H | T) == 0
            {
                continue;
            }
            let outer = self.tree.nodes[id].parent;
            let named = |block: NodeId, name: &str| -> Vec<NodeId> {
                self.tree.children(Some(block)).filter(|&id| self.tree.name(id) == name).collect()
            };
            let effective = |name: &str| {
                let own = named(id, name);
                if own.is_empty() { outer.map(|outer| named(outer, name)).unwrap_or_default() } else { own }
            };
            let certificates = effective("ssl_certificate");
            if let Some(&bare) = certificates.get(effective("ssl_certificate_key").len()) {
                found.push(self.tree.header(bare));
            }
        }
        for span in found {
            let message = "this certificate has no `ssl_certificate_key`".to_owned();
            self.missing(span, message, None, "add the key in the same block");
        }
    }

    /// A folder of a cache belongs to that cache alone.
    fn paths(&mut self) {
        let mut seen: BTreeMap<&str, (NodeId, bool)> = BTreeMap::new();
        let mut found = Vec::new();
        for id in self.ids() {
            let name = self.tree.name(id);
            let cache = name.ends_with("_cache_path");
            if !cache && !name.ends_with("_temp_path") || self.directives.get(id).is_none_or(Option::is_none)
            {
                continue;
            }
            let Some(path) = self.tree.arg(id, 0) else { continue };
            match seen.get(path.trim_end_matches('/')) {
                Some(&(first, other)) if cache || other => found.push((id, first, path.to_owned())),
                Some(_) => {}
                None => {
                    seen.insert(path.trim_end_matches('/'), (id, cache));
                }
            }
        }
        for (id, first, path) in found {
            let message = format!("the folder `{path}` is used twice");
            self.twice(id, first, message, "give every cache a folder of its own");
        }
    }

    fn twice(&mut self, id: NodeId, first: NodeId, message: String, help: &str) {
        let diagnostic =
            Diagnostic::new(RuleId::DuplicateDefinition, Severity::Error, self.tree.header(id), message);
        self.diagnostics.push(diagnostic.also(self.tree.header(first), "first used here").help(help));
    }

    /// In `mail`, and in `stream` before it had virtual servers, an address belongs to one server.
    fn addresses(&mut self) {
        let mut seen: BTreeMap<(bool, bool, &str), NodeId> = BTreeMap::new();
        let mut found = Vec::new();
        for id in self.ids() {
            let context = self.context(id);
            let alone = context == MS || context == TS && self.version < STREAM_NAMES;
            if self.tree.name(id) != "listen" || !alone {
                continue;
            }
            let Some((address, parameters)) = self.tree.args(id).split_first() else { continue };
            let udp = parameters.iter().any(|word| self.tree.value(word) == "udp");
            let key = (context == MS, udp, address_of(self.tree.value(address)));
            match seen.get(&key) {
                // Twice in one stream server was told where that server was read.
                Some(&first)
                    if context == TS && self.tree.nodes[first].parent == self.tree.nodes[id].parent => {}
                Some(&first) => found.push((id, first, key.2.to_owned())),
                None => {
                    seen.insert(key, id);
                }
            }
        }
        for (id, first, address) in found {
            let message = format!("two servers listen on {address}");
            self.twice(id, first, message, "give each an address or port of its own");
        }
    }

    /// Servers of `stream` and `mail` that listen nowhere, and, in old versions, those that do nothing.
    fn servers(&mut self) {
        let mut found = Vec::new();
        for id in self.ids() {
            let context = self.context(id);
            if self.tree.name(id) != "server" || !self.tree.nodes[id].block || context & (T | ML) == 0 {
                continue;
            }
            let has =
                |names: &[&str]| self.tree.children(Some(id)).any(|id| names.contains(&self.tree.name(id)));
            let foreign = self.tree.children(Some(id)).any(
                |id| matches!(self.directives.get(id), Some(Some(entry)) if entry.vendor != Vendor::Nginx),
            );
            // A server of another module may have another reason to be.
            if foreign {
                continue;
            }
            // Those of `stream` that listen nowhere were told where they were read.
            if context == ML && !has(&["listen"]) {
                found.push((id, "this server has no `listen`", "add `listen` and a port"));
            } else if context == T && self.version < NO_HANDLER && !has(&["proxy_pass", "return", "pass"]) {
                found.push((
                    id,
                    "this server does nothing with its connections",
                    "add `proxy_pass` or `return`",
                ));
            }
        }
        for (id, message, help) in found {
            self.missing(self.tree.header(id), message.to_owned(), None, help);
        }
    }
}

/// Since when servers of `stream` may share an address and have names, by the change log of nginx.
const STREAM_NAMES: Version = Version { major: 1, minor: 25, patch: 5 };

/// Since when servers of `stream` need nothing that handles connections, by the change log of nginx.
const NO_HANDLER: Version = Version { major: 1, minor: 27, patch: 1 };

/// An address to listen on, without the forms that mean all of them.
fn address_of(text: &str) -> &str {
    text.strip_prefix("*:").or(text.strip_prefix("0.0.0.0:")).unwrap_or(text)
}
