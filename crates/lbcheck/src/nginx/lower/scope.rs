//! Settings that blocks inherit from the blocks around them.

use std::rc::Rc;
use std::time::Duration;

use crate::model::{Retries, Setting, Timeouts};
use crate::nginx::syntax::{NodeId, Tree};
use crate::nginx::values;
use crate::source::Span;

/// The protocols nginx speaks to an upstream, by the prefix of their directives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Proxy,
    Fastcgi,
    Uwsgi,
    Scgi,
    Grpc,
    Memcached,
}

impl Protocol {
    const ALL: [Self; 6] = [Self::Proxy, Self::Fastcgi, Self::Uwsgi, Self::Scgi, Self::Grpc, Self::Memcached];

    /// The protocol of a `…_pass` directive.
    pub(super) fn of_pass(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| name.strip_suffix("_pass") == Some(protocol.prefix()))
    }

    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Fastcgi => "fastcgi",
            Self::Uwsgi => "uwsgi",
            Self::Scgi => "scgi",
            Self::Grpc => "grpc",
            Self::Memcached => "memcached",
        }
    }
}

/// Most mirrors of one block that are followed.
const MAX_MIRRORS: usize = 8;

/// What of a protocol is kept, in the order of [`Scope::upstream`].
const KEYS: [&str; 6] = [
    "connect_timeout",
    "read_timeout",
    "next_upstream",
    "next_upstream_tries",
    "next_upstream_timeout",
    "intercept_errors",
];
const CONNECT: usize = 0;
const READ: usize = 1;
const NEXT: usize = 2;
const TRIES: usize = 3;
const INTERCEPT: usize = 5;

/// Other modules that ask who somebody is.
const OTHER_AUTH: &[&str] = &[
    "access_by_lua",
    "access_by_lua_block",
    "access_by_lua_file",
    "auth_digest",
    "auth_gss",
    "auth_jwt",
    "auth_ldap",
    "auth_pam",
];

/// The directives in force in a block, each with the depth of nothing but its node: who wrote it is told by
/// comparing parents.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    upstream: [[Option<NodeId>; KEYS.len()]; Protocol::ALL.len()],
    /// Stream: `proxy_timeout`.
    stream_timeout: Option<NodeId>,
    /// `root` or `alias`.
    pub(super) root: Option<NodeId>,
    /// `mirror`, all of the nearest block that has any.
    pub(super) mirrors: Rc<[NodeId]>,
    /// `proxy_set_header Host` and `grpc_set_header Host`.
    hosts: [Option<NodeId>; 2],
    /// `auth_request`.
    pub(super) auth_request: Option<NodeId>,
    /// `allow` and `deny`, all of the nearest block that has any.
    pub(super) access: Rc<[NodeId]>,
    /// `satisfy any`: whoever is denied by address may still come in otherwise.
    pub(super) satisfy_any: bool,
    /// `error_page`, all of the nearest block that has any.
    pub(super) errors: Rc<[NodeId]>,
    /// `recursive_error_pages on`.
    pub(super) recursive_errors: bool,
    /// `auth_basic`, which does nothing without a password file.
    pub(super) auth_basic: Option<NodeId>,
    pub(super) password_file: bool,
    /// One of [`OTHER_AUTH`].
    pub(super) other_auth: Option<NodeId>,
    /// `internal`: only for requests from inside nginx. What is nested in such a location is so too.
    pub(super) internal: bool,
    /// `index`, all of the nearest block that has any.
    pub(super) index: Rc<[NodeId]>,
    /// `set_real_ip_from`, all of the nearest block that has any.
    pub(super) trusted: Rc<[NodeId]>,
    /// `real_ip_header`.
    pub(super) address_header: Option<NodeId>,
    /// `real_ip_recursive`.
    pub(super) address_recursive: Option<NodeId>,
    /// The block this scope is for.
    block: Option<NodeId>,
}

impl Scope {
    /// This scope with the directives of `block` over it.
    pub(super) fn extended(&self, tree: &Tree, block: Option<NodeId>) -> Self {
        let mut scope = self.clone();
        scope.block = block;
        let mut mirrors = Vec::new();
        let mut access = Vec::new();
        let mut errors = Vec::new();
        let mut index = Vec::new();
        let mut trusted = Vec::new();
        // A block with any `…_set_header` inherits none.
        let mut hosts = [None; 2];
        for id in tree.children(block) {
            let name = tree.name(id);
            match name {
                "root" | "alias" => scope.root = Some(id),
                // Each request goes to each mirror; nobody has many.
                "mirror" if mirrors.len() < MAX_MIRRORS => mirrors.push(id),
                "proxy_set_header" | "grpc_set_header" => {
                    let host = hosts[usize::from(name == "grpc_set_header")].get_or_insert(None);
                    if tree.arg(id, 0).is_some_and(|header| header.eq_ignore_ascii_case("host")) {
                        *host = Some(id);
                    }
                }
                "auth_request" => scope.auth_request = Some(id),
                "auth_basic" => scope.auth_basic = Some(id),
                "auth_basic_user_file" => scope.password_file = true,
                "error_page" => errors.push(id),
                "recursive_error_pages" => scope.recursive_errors = tree.arg(id, 0) == Some("on"),
                "index" => index.push(id),
                "set_real_ip_from" => trusted.push(id),
                "real_ip_header" => scope.address_header = Some(id),
                "real_ip_recursive" => scope.address_recursive = Some(id),
                "internal" => scope.internal = true,
                "allow" | "deny" => access.push(id),
                "satisfy" => scope.satisfy_any = tree.arg(id, 0) == Some("any"),
                "proxy_timeout" => scope.stream_timeout = Some(id),
                name if OTHER_AUTH.contains(&name) => scope.other_auth = Some(id),
                _ => {
                    if let Some((protocol, key)) = upstream_key(name) {
                        scope.upstream[protocol][key] = Some(id);
                    }
                }
            }
        }
        if !mirrors.is_empty() {
            scope.mirrors = mirrors.into();
        }
        if !access.is_empty() {
            scope.access = access.into();
        }
        if !errors.is_empty() {
            scope.errors = errors.into();
        }
        if !index.is_empty() {
            scope.index = index.into();
        }
        if !trusted.is_empty() {
            scope.trusted = trusted.into();
        }
        for (inherited, own) in scope.hosts.iter_mut().zip(hosts) {
            *inherited = own.unwrap_or(*inherited);
        }
        scope
    }

    /// The directive that sets the host for a protocol.
    pub(super) fn host(&self, protocol: Protocol) -> Option<NodeId> {
        match protocol {
            Protocol::Proxy => self.hosts[0],
            Protocol::Grpc => self.hosts[1],
            _ => None,
        }
    }

    fn setting<V>(&self, tree: &Tree, id: NodeId, value: V) -> Setting<V> {
        let span: Span = tree.header(id);
        if tree.nodes[id].parent == self.block {
            Setting::written(value, span)
        } else {
            Setting::inherited(value, span)
        }
    }

    fn time(&self, tree: &Tree, id: NodeId) -> Option<Setting<Duration>> {
        let value = values::time(tree.arg(id, 0)?, true)?;
        Some(self.setting(tree, id, value))
    }

    /// Timeouts towards the upstream of a protocol.
    pub(super) fn timeouts(&self, tree: &Tree, protocol: Protocol) -> Timeouts {
        let keys = &self.upstream[protocol as usize];
        let minute = Duration::from_secs(60);
        let time = |key: usize, note| {
            let default = Setting::default(minute, note);
            Some(keys[key].and_then(|id| self.time(tree, id)).unwrap_or(default))
        };
        Timeouts {
            connect: time(CONNECT, "nginx: connect timeout 60s"),
            response: time(READ, "nginx: read timeout 60s"),
            queue: None,
        }
    }

    /// Whether errors of the upstream are treated as nginx's own.
    pub(super) fn intercepts(&self, tree: &Tree, protocol: Protocol) -> bool {
        let written = self.upstream[protocol as usize][INTERCEPT];
        written.is_some_and(|id| tree.arg(id, 0).is_some_and(|word| word.eq_ignore_ascii_case("on")))
    }

    /// Attempts and what is retried.
    pub(super) fn retries(&self, tree: &Tree, protocol: Protocol) -> Retries {
        let keys = &self.upstream[protocol as usize];
        let on = match keys[NEXT] {
            Some(id) => self.setting(tree, id, tree.values(id).join(" ")),
            None => Setting::default("error timeout".to_owned(), "nginx: error timeout"),
        };
        let off = on.value.split(' ').any(|word| word == "off");
        let attempts = match keys[TRIES] {
            _ if off => Some(Setting { value: 0, origin: on.origin }),
            Some(id) => self.tries(tree, id),
            None => None,
        };
        Retries { attempts, on: Some(on), redispatch: None }
    }

    /// Stream: the same, where `proxy_next_upstream` is on or off and only connecting is retried.
    pub(super) fn stream_retries(&self, tree: &Tree) -> Retries {
        let keys = &self.upstream[Protocol::Proxy as usize];
        let on = match keys[NEXT] {
            Some(id) => {
                let value = if tree.arg(id, 0) == Some("off") { "off" } else { "connect" };
                self.setting(tree, id, value.to_owned())
            }
            None => Setting::default("connect".to_owned(), "nginx: proxy_next_upstream on"),
        };
        let attempts = match keys[TRIES] {
            _ if on.value == "off" => Some(Setting { value: 0, origin: on.origin }),
            Some(id) => self.tries(tree, id),
            None => None,
        };
        Retries { attempts, on: Some(on), redispatch: None }
    }

    /// Stream: timeouts towards the upstream.
    pub(super) fn stream_timeouts(&self, tree: &Tree) -> Timeouts {
        let connect = self.upstream[Protocol::Proxy as usize][CONNECT].and_then(|id| self.time(tree, id));
        let response = self.stream_timeout.and_then(|id| self.time(tree, id));
        let minute = Setting::default(Duration::from_secs(60), "nginx: proxy_connect_timeout 60s");
        let ten = Setting::default(Duration::from_secs(600), "nginx: proxy_timeout 10m");
        Timeouts {
            connect: Some(connect.unwrap_or(minute)),
            response: Some(response.unwrap_or(ten)),
            queue: None,
        }
    }

    /// Tries count the first attempt; 0 means no limit.
    fn tries(&self, tree: &Tree, id: NodeId) -> Option<Setting<u32>> {
        let tries = values::number(tree.arg(id, 0)?)?;
        let extra = u32::try_from(tries.checked_sub(1)?).ok()?;
        Some(self.setting(tree, id, extra))
    }
}

fn upstream_key(name: &str) -> Option<(usize, usize)> {
    let (prefix, key) = name.split_once('_')?;
    let protocol = Protocol::ALL.iter().position(|protocol| protocol.prefix() == prefix)?;
    Some((protocol, KEYS.iter().position(|&known| known == key)?))
}
