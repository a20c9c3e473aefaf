//! `listen`, and how servers are grouped by the address they listen on.

use std::collections::BTreeMap;

use super::names::{Name, Served};
use super::state::{Family, Lower};
use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::dialect::Version;
use crate::model::{
    Action, Bind, Condition, Listener, Match, Normalization, Reach, Route, RouteTable, TableId, TextMatch,
};
use crate::nginx::syntax::{NodeId, Word};
use crate::nginx::values;
use crate::source::{Span, Spanned};

/// A `server` block, lowered but for its place among the others.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) listens: Vec<Listen>,
    /// Every `server_name`, as written.
    pub(super) names: Vec<(String, Span)>,
    pub(super) table: TableId,
    pub(super) span: Span,
    pub(super) header: Span,
    /// Slashes in a row are kept (`merge_slashes off`).
    pub(super) keeps_slashes: bool,
}

/// One `listen`.
#[derive(Clone, Debug)]
pub(super) struct Listen {
    /// `*`, an address or a path.
    host: String,
    ports: Option<(u16, u16)>,
    /// Datagrams: `quic` in http, `udp` in stream.
    datagrams: bool,
    default: Option<Span>,
    tls: bool,
    proxy_protocol: bool,
    span: Span,
}

impl Listen {
    fn key(&self) -> (String, Option<(u16, u16)>, bool) {
        (self.host.clone(), self.ports, self.datagrams)
    }

    fn name(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let mut name = match self.ports {
            None => format!("unix:{}", self.host),
            Some((first, last)) if first == last => format!("{host}:{first}"),
            Some((first, last)) => format!("{host}:{first}-{last}"),
        };
        if self.datagrams {
            name.push_str("/udp");
        }
        name
    }

    /// What a server without `listen` listens on.
    pub(super) fn implied(span: Span) -> Self {
        Self {
            host: "*".to_owned(),
            ports: Some((80, 80)),
            datagrams: false,
            default: None,
            tls: false,
            proxy_protocol: false,
            span,
        }
    }
}

/// A server by its index, and its `listen` for the address in question.
type Member<'a> = (usize, &'a Listen);

/// Words that take no value, in http and stream.
const FLAGS: &[&str] =
    &["bind", "deferred", "reuseport", "proxy_protocol", "ssl", "default", "default_server", "multipath"];
/// Words that take a value.
const PAIRS: &[&str] = &[
    "backlog=",
    "rcvbuf=",
    "sndbuf=",
    "ipv6only=",
    "fastopen=",
    "setfib=",
    "accept_filter=",
    "so_keepalive=",
];

impl Lower<'_> {
    /// Reads a `listen` directive. `None`: it was refused.
    pub(super) fn listen(&mut self, family: Family, id: NodeId) -> Option<Listen> {
        let (word, parameters) = self.tree.args(id).split_first()?;
        let (word, parameters) = (*word, parameters.to_vec());
        let mut listen = self.listen_address(family, &word, self.tree.header(id))?;
        for parameter in &parameters {
            self.listen_parameter(family, &mut listen, parameter);
        }
        Some(listen)
    }

    fn listen_address(&mut self, family: Family, word: &Word, span: Span) -> Option<Listen> {
        let text = self.tree.value(word).to_owned();
        let mut listen = Listen { span, ..Listen::implied(span) };
        if let Some(path) = values::strip_unix(&text) {
            if path.is_empty() {
                self.invalid(word.span, "`listen` has no path after `unix:`", "write `unix:/path`");
                return None;
            }
            listen.host = path.to_owned();
            listen.ports = None;
            return Some(listen);
        }
        let (host, port) = match text.rfind(']') {
            Some(close) if text.starts_with('[') => {
                let (host, rest) = text.split_at(close + 1);
                (host, rest.strip_prefix(':'))
            }
            _ => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None if text.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
                    && !text.contains('.') =>
                {
                    ("*", Some(text.as_str()))
                }
                None => (text.as_str(), None),
            },
        };
        let plain = port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'));
        let ports = match port {
            Some(port) if plain => ports(port),
            Some(_) => None,
            None if family == Family::Http => Some((80, 80)),
            None => None,
        };
        let Some(ports) = ports else {
            let message = match port {
                Some(port) => format!("`{port}` is not a port to listen on"),
                None => format!("`listen {text}` names no port"),
            };
            self.invalid(word.span, message, "write a port from 1 to 65535");
            return None;
        };
        if host.is_empty() {
            self.invalid(
                word.span,
                format!("`listen {text}` has no host"),
                "write the port alone, or `*:port`",
            );
            return None;
        }
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        listen.host = match inner {
            Some(ip) => match ip.parse::<std::net::Ipv6Addr>() {
                Ok(ip) => ip.to_string(),
                Err(_) => {
                    self.invalid(word.span, format!("`{host}` is not an IPv6 address"), "");
                    return None;
                }
            },
            None if values::is_no_ipv4(host) => {
                self.invalid(word.span, format!("`{host}` is not an IPv4 address"), "");
                return None;
            }
            None if host == "0.0.0.0" => "*".to_owned(),
            None => host.to_ascii_lowercase(),
        };
        listen.ports = Some(ports);
        Some(listen)
    }

    fn listen_parameter(&mut self, family: Family, listen: &mut Listen, word: &Word) {
        let text = self.tree.value(word).to_owned();
        let http = family == Family::Http;
        let patch = |minor, patch| Version { major: 1, minor, patch };
        match text.as_str() {
            "default_server" => listen.default = Some(word.span),
            "default" if http => listen.default = Some(word.span),
            "ssl" => listen.tls = true,
            "quic" if http && self.version >= patch(25, 0) => {
                listen.datagrams = true;
                listen.tls = true;
            }
            "udp" if !http => listen.datagrams = true,
            "proxy_protocol" => listen.proxy_protocol = true,
            "http2" if http && self.version >= patch(25, 1) => self.diagnostics.push(
                Diagnostic::new(
                    RuleId::DeprecatedDirective,
                    Severity::Warning,
                    word.span,
                    "the parameter `http2` of `listen` is deprecated since nginx 1.25.1",
                )
                .help("write the directive `http2 on;` in the server instead"),
            ),
            "http2" if http => {}
            "bind" | "deferred" | "reuseport" | "multipath" => {}
            _ => {
                let (key, value) = text.split_once('=').unwrap_or((text.as_str(), ""));
                let ok = text.contains('=')
                    && match key {
                        "backlog" | "fastopen" | "setfib" => values::number(value).is_some(),
                        "rcvbuf" | "sndbuf" => values::size(value, false).is_some(),
                        "ipv6only" => matches!(value, "on" | "off"),
                        "so_keepalive" => keepalive(value),
                        "accept_filter" => true,
                        _ => false,
                    };
                if ok {
                    return;
                }
                let known = FLAGS.iter().chain(PAIRS).copied().chain(if http {
                    ["quic", "http2"]
                } else {
                    ["udp", "udp"]
                });
                let near = crate::diagnostic::suggest(&text, known.clone());
                let help = match (near, PAIRS.contains(&format!("{key}=").as_str())) {
                    (_, true) => "its value is not valid".to_owned(),
                    (Some(near), _) => format!("did you mean `{near}`?"),
                    _ => String::new(),
                };
                self.invalid(word.span, format!("`{text}` is not a parameter of `listen`"), &help);
            }
        }
    }

    /// Reads the `listen` and `server_name` lines of a server.
    pub(super) fn served(
        &mut self,
        family: Family,
        block: Option<NodeId>,
    ) -> (Vec<Listen>, Vec<(String, Span)>) {
        let mut listens: Vec<Listen> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut names = Vec::new();
        for id in self.tree.children(block) {
            match self.tree.name(id) {
                "listen" => {
                    let Some(listen) = self.listen(family, id) else { continue };
                    if !seen.insert(listen.key()) {
                        let message = format!("this server listens on {} twice", listen.name());
                        self.error(
                            RuleId::DuplicateDefinition,
                            listen.span,
                            message,
                            "remove one of the two lines",
                        );
                        continue;
                    }
                    listens.push(listen);
                }
                "server_name" => {
                    let words = self.tree.args(id).to_vec();
                    for word in words {
                        let text = self.tree.value(&word).to_owned();
                        if Name::parse(&text).is_none() {
                            let help =
                                "a star stands alone before the first dot or after the last: `*.example.com`";
                            self.invalid(word.span, format!("`{text}` is not a server name"), help);
                            continue;
                        }
                        names.push((text, word.span));
                    }
                }
                _ => {}
            }
        }
        (listens, names)
    }

    /// Makes one listener for every address, with a table that picks the server by name.
    pub(super) fn listeners(&mut self, family: Family, servers: &[Server]) {
        let mut order: Vec<(&Listen, Vec<Member<'_>>)> = Vec::new();
        let mut index = BTreeMap::new();
        for (at, server) in servers.iter().enumerate() {
            for listen in &server.listens {
                let slot = *index.entry(listen.key()).or_insert_with(|| {
                    order.push((listen, Vec::new()));
                    order.len() - 1
                });
                if let Some((_, members)) = order.get_mut(slot) {
                    members.push((at, listen));
                }
            }
        }
        for (first, members) in order {
            self.listener(family, servers, first, &members);
        }
    }

    fn listener(&mut self, family: Family, servers: &[Server], first: &Listen, members: &[Member<'_>]) {
        let mut bind = Bind {
            host: first.host.clone(),
            ports: first.ports,
            reach: Reach::Bound,
            tls: false,
            mixed: false,
            accept_proxy: false,
            span: first.span,
        };
        let mut default: Option<(usize, Span)> = None;
        for &(at, listen) in members {
            bind.tls |= listen.tls;
            bind.accept_proxy |= listen.proxy_protocol;
            let Some(span) = listen.default else { continue };
            match default {
                None => default = Some((at, span)),
                Some((_, first)) => self.diagnostics.push(
                    Diagnostic::new(
                        RuleId::DuplicateDefinition,
                        Severity::Error,
                        span,
                        format!("{} has two default servers", listen.name()),
                    )
                    .also(first, "the first one")
                    .help("keep `default_server` on one of them"),
                ),
            }
        }
        let default = default.map(|(at, _)| at).or(members.first().map(|&(at, _)| at));
        let Some(default) = default.and_then(|at| Some((at, servers.get(at)?))) else { return };
        let table = self.name_table(family, servers, members, default, &first.name());
        // The path is read before the host is: what the default server says holds for all.
        if default.1.keeps_slashes {
            self.config
                .normalizations
                .insert(table, Normalization { merge_slashes: false, ..Normalization::nginx() });
        }
        self.config.listeners.push(Listener {
            name: Spanned::new(first.name(), first.span),
            mode: family.mode(),
            binds: vec![bind],
            table,
            span: default.1.span,
        });
    }

    fn name_table(
        &mut self,
        family: Family,
        servers: &[Server],
        members: &[Member<'_>],
        default: (usize, &Server),
        address: &str,
    ) -> TableId {
        let mut served = self.names_of(servers, members, address);
        served.retain(|entry| entry.server != default.0 || members.len() > 1);
        // Where one server is all there is, its name decides nothing.
        if members.len() == 1 {
            served.clear();
        }
        served.sort_by_key(|entry| entry.name.rank());
        let make: fn(TextMatch) -> Match = match family {
            Family::Http => Match::Host,
            Family::Stream => Match::Sni,
        };
        let mut table = RouteTable { routes: Vec::new(), label: format!("listen {address}") };
        for entry in served {
            let Some(server) = servers.get(entry.server) else { continue };
            let label = match entry.text.as_str() {
                "" => "server without a name".to_owned(),
                text => format!("server {text}"),
            };
            let condition = entry.name.condition(make);
            table.routes.push(Route::new(condition, Action::Table(server.table), label, entry.span));
        }
        let label = match default.1.names.first() {
            Some((name, _)) if !name.is_empty() => format!("default server {name}"),
            _ => "default server".to_owned(),
        };
        table.routes.push(Route::new(
            Condition::Always,
            Action::Table(default.1.table),
            label,
            default.1.header,
        ));
        self.config.add_table(table)
    }

    /// Every name on an address; of two equal ones the first counts.
    fn names_of(&mut self, servers: &[Server], members: &[Member<'_>], address: &str) -> Vec<Served> {
        let mut seen: BTreeMap<Name, usize> = BTreeMap::new();
        let mut served = Vec::new();
        for &(at, _) in members {
            let Some(server) = servers.get(at) else { continue };
            if server.names.is_empty() {
                // No `server_name` is the empty name.
                let name = Name::Empty;
                if seen.insert(name.clone(), at).is_none() {
                    served.push(Served { name, text: String::new(), span: server.header, server: at });
                }
            }
            for (text, span) in &server.names {
                let names = Name::parse(text).unwrap_or_default();
                // `.example.com` is two names, and gives way as a whole if one of them is taken.
                let taken = names.iter().filter(|name| !matches!(name, Name::Regex(_)));
                if let Some(&first) = taken.filter_map(|name| seen.get(name)).next() {
                    self.conflict(text, *span, servers, first, at, address);
                    // nginx has noted the bare name by then, so nobody else gets it, either.
                    for name in names.into_iter().filter(|name| matches!(name, Name::Exact(_))) {
                        seen.entry(name).or_insert(at);
                    }
                    continue;
                }
                for name in names {
                    seen.insert(name.clone(), at);
                    served.push(Served { name, text: text.clone(), span: *span, server: at });
                }
            }
        }
        served
    }

    /// nginx warns about a name that two servers of one address have, and ignores the second.
    fn conflict(
        &mut self,
        text: &str,
        span: Span,
        servers: &[Server],
        first: usize,
        at: usize,
        address: &str,
    ) {
        if text.is_empty() || first == at && !text.starts_with('.') {
            return;
        }
        let mut diagnostic = Diagnostic::new(
            RuleId::DuplicateDefinition,
            Severity::Warning,
            span,
            format!("server name `{text}` on {address} is already taken: nginx ignores it here"),
        )
        .help("remove the name from one of the two servers");
        let taken = servers.get(first).and_then(|server| server.names.iter().find(|(name, _)| name == text));
        if let Some((_, other)) = taken {
            diagnostic = diagnostic.also(*other, "taken here");
        }
        self.diagnostics.push(diagnostic);
    }
}

/// `80` or `8000-8010`.
fn ports(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (values::parse_port(first).ok()?, values::parse_port(last).ok()?);
    (first <= last).then_some((first, last))
}

/// `on`, `off`, or times and a count: `30m::10`.
fn keepalive(text: &str) -> bool {
    if matches!(text, "on" | "off") {
        return true;
    }
    let parts: Vec<&str> = text.split(':').collect();
    let time = |part: &str| part.is_empty() || values::time(part, false).is_some();
    match parts.as_slice() {
        [idle, interval, count] => {
            time(idle)
                && time(interval)
                && (count.is_empty() || values::number(count).is_some())
                && text != "::"
        }
        _ => false,
    }
}
