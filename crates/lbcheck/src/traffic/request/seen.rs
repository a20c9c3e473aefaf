//! A request as the proxy sees it when it chooses a route: what each language compares with.

use std::net::IpAddr;

use super::Request;
use super::envoy_headers;
use super::envoy_path;
use super::nginx_path::{BadPath, normalized};
use super::real_ip;
use crate::dialect::{Dialect, Version};
use crate::model::{Config, ForwardedScheme, Normalization, PortInHost, TableId, Underscores};

/// A property of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// It has these bytes; several where the proxy tries each of them.
    Known(Vec<Vec<u8>>),
    /// Not known, for this reason.
    Unknown(String),
}

impl Value {
    fn one(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Known(vec![bytes.into()])
    }

    fn absent() -> Self {
        Self::Known(Vec::new())
    }

    fn not_given(what: &str) -> Self {
        Self::Unknown(format!("{what} is not given"))
    }
}

/// The proxy's own answer to a path that it does not pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// `None`: it differs between versions.
    pub(super) status: Option<u16>,
    /// What it is about.
    pub(super) why: &'static str,
}

impl Refused {
    pub(super) fn for_path(status: u16) -> Self {
        Self { status: Some(status), why: "because of the path" }
    }
}

/// A request as routing sees it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    dialect: Dialect,
    version: Version,
    request: Request,
    pub(super) path: Value,
    query: Value,
    /// The proxy answers by itself, because of the path.
    refused: Option<Refused>,
    /// The same, because of the method.
    bad_method: Option<Refused>,
    normalization: Option<Normalization>,
    /// The client's address was looked for in what a proxy tells; where that cannot be known, why.
    restored: Option<Result<(), String>>,
}

impl Seen {
    pub(super) fn new(config: &Config, request: &Request) -> Self {
        let path = match (&request.path, config.dialect) {
            (None, _) => Ok(Value::not_given("the path")),
            (Some(path), Dialect::Nginx) => normalized(path.as_bytes(), true).map(Value::one),
            (Some(path), _) if path.contains('#') => Err(BadPath),
            (Some(path), _) => Ok(Value::one(path.as_bytes())),
        };
        let refused = path.is_err().then_some(Refused::for_path(400));
        let query = request.query.as_ref();
        let query =
            query.map_or_else(|| Value::not_given("the query string"), |text| Value::one(text.as_bytes()));
        Self {
            dialect: config.dialect,
            version: config.version,
            path: path.unwrap_or_else(|BadPath| Value::Unknown("the path is not valid".to_owned())),
            query,
            refused,
            bad_method: bad_method(config, request),
            normalization: None,
            restored: None,
            request: request.clone(),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn tls(&self) -> Option<bool> {
        self.request.tls
    }

    pub(super) fn port(&self) -> Option<u16> {
        self.request.port
    }

    pub(super) fn source(&self) -> Option<IpAddr> {
        self.request.source
    }

    /// Why the client's address is not known.
    pub(super) fn no_source(&self) -> &str {
        match &self.restored {
            Some(Err(why)) => why,
            _ => "the client's address is not given",
        }
    }

    /// What host names in the configuration are compared with. nginx and Envoy make it lower case, nginx takes port
    /// and final dot off.
    pub(super) fn host(&self) -> Value {
        if let Some(name) = self.normalization.as_ref().and_then(|settings| settings.host_header.as_ref()) {
            return self.host_in(name);
        }
        let Some(host) = &self.request.host else { return Value::not_given("the host") };
        match self.dialect {
            Dialect::HaProxy => Value::one(host.as_bytes()),
            Dialect::Envoy => {
                let host = self.envoy_host(host).to_ascii_lowercase();
                Value::one(self.compared_host(&host))
            }
            Dialect::Nginx => {
                let name = without_port(host);
                Value::one(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
            }
        }
    }

    /// The host in a header: the first of that name counts.
    fn host_in(&self, header: &str) -> Value {
        match self.header(header) {
            Value::Known(values) => match values.first() {
                Some(host) => {
                    let host = String::from_utf8_lossy(host).to_ascii_lowercase();
                    Value::one(self.compared_host(&host))
                }
                None => Value::absent(),
            },
            unknown @ Value::Unknown(_) => unknown,
        }
    }

    fn compared_host<'h>(&self, host: &'h str) -> &'h str {
        let ignores_port = self.normalization.as_ref().is_some_and(|settings| settings.ignores_port);
        if ignores_port { without_port(host) } else { host }
    }

    /// The host where the configuration itself takes the port off.
    pub(super) fn host_name(&self) -> Value {
        match &self.request.host {
            Some(host) => Value::one(without_port(host)),
            None => Value::not_given("the host"),
        }
    }

    pub(super) fn method(&self) -> Value {
        self.request
            .method
            .as_ref()
            .map_or_else(|| Value::not_given("the method"), |text| Value::one(text.as_bytes()))
    }

    /// TLS server name.
    pub(super) fn sni(&self) -> Value {
        match (&self.request.sni, self.request.tls) {
            (Some(name), _) if name.is_empty() => Value::absent(),
            (Some(name), _) => Value::one(name.to_ascii_lowercase()),
            (None, Some(false)) => Value::absent(),
            (None, _) => Value::not_given("the TLS server name"),
        }
    }

    /// A header by lower-case name.
    pub(super) fn header(&self, name: &str) -> Value {
        if name == "host" {
            let Some(host) = &self.request.host else { return Value::not_given("the host") };
            return match self.dialect {
                Dialect::Envoy => Value::one(self.envoy_host(host)),
                _ => Value::one(host.as_bytes()),
            };
        }
        if name == ":path" && self.dialect == Dialect::Envoy {
            return self.target();
        }
        let Some(headers) = &self.request.headers else {
            return Value::Unknown("the headers are not given".to_owned());
        };
        let mut found = headers
            .iter()
            .filter(|(header, _)| same_header(self.dialect, header, name))
            .map(|(_, value)| value.trim_matches([' ', '\t']));
        match self.dialect {
            // Every comma separates values, each of which is tried.
            Dialect::HaProxy => Value::Known(
                found
                    .flat_map(|value| value.split(','))
                    .map(|part| part.trim().as_bytes().to_vec())
                    .collect(),
            ),
            Dialect::Envoy if name == "x-forwarded-proto" => self.forwarded_proto(&found.collect::<Vec<_>>()),
            Dialect::Envoy if envoy_headers::set_by_envoy(name) => {
                Value::Unknown(format!("Envoy itself sets or changes the header `{name}`"))
            }
            // Dropped headers are not found by any name.
            Dialect::Envoy if name.contains('_') && self.drops_underscores() => Value::absent(),
            Dialect::Envoy => Value::Known(envoy_headers::values(name, &found.collect::<Vec<_>>())),
            Dialect::Nginx => {
                let Some(first) = found.next() else { return Value::absent() };
                let rest: Vec<&str> = found.collect();
                if rest.is_empty() {
                    return Value::one(first);
                }
                if self.version < (Version { major: 1, minor: 23, patch: 0 }) {
                    return Value::Unknown(format!("the header `{name}` is given several times"));
                }
                Value::one(format!("{first}, {}", rest.join(", ")))
            }
        }
    }

    /// What Envoy believes of how the client came.
    fn forwarded_proto(&self, sent: &[&str]) -> Value {
        let scheme = self.normalization.as_ref().map(|settings| settings.scheme).unwrap_or_default();
        let there = !sent.is_empty();
        let sent = sent.join(",");
        match (scheme, self.request.tls) {
            (ForwardedScheme::Unknown, _) => {
                Value::Unknown("Envoy itself sets or changes the header `x-forwarded-proto`".to_owned())
            }
            (ForwardedScheme::Kept, _) if there && sent.is_empty() => {
                Value::Unknown("the header `x-forwarded-proto` is empty".to_owned())
            }
            (ForwardedScheme::Kept, _) if there => Value::one(sent),
            (_, Some(tls)) => Value::one(if tls { "https" } else { "http" }),
            (_, None) => Value::not_given("whether it comes over TLS"),
        }
    }

    fn sends(&self, name: &str) -> bool {
        let Some(headers) = &self.request.headers else { return true };
        headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name))
    }

    fn drops_underscores(&self) -> bool {
        self.normalization.as_ref().is_some_and(|settings| settings.underscores == Underscores::Dropped)
    }

    /// A header, each of its lines as a whole.
    pub(super) fn header_lines(&self, name: &str) -> Value {
        let Some(headers) = &self.request.headers else {
            return Value::Unknown("the headers are not given".to_owned());
        };
        let found = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        match (name, &self.request.host) {
            ("host", Some(host)) => Value::one(host.as_bytes()),
            _ => Value::Known(found.map(|(_, value)| value.trim().as_bytes().to_vec()).collect()),
        }
    }

    /// Path and query string. nginx keeps the path as it came beside the one it works with.
    pub(super) fn target(&self) -> Value {
        if self.dialect == Dialect::Nginx {
            return self.variable("request_uri").unwrap_or_else(|| Value::not_given("the path"));
        }
        match (&self.path, &self.query) {
            (Value::Known(path), Value::Known(query)) => {
                let part = |value: &[Vec<u8>]| value.first().cloned().unwrap_or_default();
                let (path, query) = (part(path), part(query));
                let joint: &[u8] = if query.is_empty() { b"" } else { b"?" };
                Value::one([path.as_slice(), joint, &query].concat())
            }
            (Value::Unknown(why), _) | (_, Value::Unknown(why)) => Value::Unknown(why.clone()),
        }
    }

    /// A query parameter.
    pub(super) fn parameter(&self, name: &str) -> Value {
        let query = match &self.query {
            Value::Known(query) => query.first().map(Vec::as_slice).unwrap_or_default(),
            Value::Unknown(why) => return Value::Unknown(why.clone()),
        };
        let separates = |byte: &u8| match self.dialect {
            Dialect::HaProxy => matches!(byte, b'&' | b';' | b'?'),
            Dialect::Nginx | Dialect::Envoy => *byte == b'&',
        };
        let pairs = query.split(separates).map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], Some(&pair[at + 1..])),
            None => (pair, None),
        });
        let wanted = name.as_bytes();
        match self.dialect {
            // Values without `=` are none; each occurrence is tried.
            Dialect::HaProxy => Value::Known(
                pairs
                    .filter(|(name, _)| *name == wanted)
                    .filter_map(|(_, value)| value)
                    .map(<[u8]>::to_vec)
                    .collect(),
            ),
            // Names have no case, and a name without `=` is none.
            Dialect::Nginx => {
                let mut found = pairs
                    .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
                    .filter_map(|(_, value)| value);
                found.next().map_or_else(Value::absent, Value::one)
            }
            // Neither names nor values are decoded.
            Dialect::Envoy => {
                let mut found = pairs.filter(|(name, _)| *name == wanted);
                found.next().map_or_else(Value::absent, |(_, value)| Value::one(value.unwrap_or_default()))
            }
        }
    }

    /// A cookie.
    pub(super) fn cookie(&self, name: &str) -> Value {
        let Some(headers) = &self.request.headers else {
            return Value::Unknown("the headers are not given".to_owned());
        };
        let cookies = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case("cookie"));
        let mut found = cookies
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .filter(|(cookie, _)| match self.dialect {
                Dialect::Nginx => cookie.trim().eq_ignore_ascii_case(name),
                Dialect::HaProxy | Dialect::Envoy => cookie.trim() == name,
            });
        let value = |text: &str| text.trim().as_bytes().to_vec();
        match self.dialect {
            // One without a value is none.
            Dialect::HaProxy => {
                Value::Known(found.map(|(_, text)| value(text)).filter(|text| !text.is_empty()).collect())
            }
            _ => found.next().map_or_else(Value::absent, |(_, text)| Value::one(value(text))),
        }
    }

    /// A variable of nginx by lower-case name, as far as it is a property of the request.
    pub(super) fn variable(&self, name: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::one(text));
        match name {
            "uri" | "document_uri" => Some(self.path.clone()),
            "args" | "query_string" => Some(self.query.clone()),
            "is_args" => match &self.query {
                Value::Known(query) => {
                    text(if query.first().is_some_and(|query| !query.is_empty()) { "?" } else { "" })
                }
                Value::Unknown(why) => Some(Value::Unknown(why.clone())),
            },
            "host" => Some(self.host()),
            "request_method" => Some(self.method()),
            "request_uri" => {
                let path = self.request.path.as_deref()?;
                match self.request.query.as_deref()? {
                    "" => text(path),
                    query => text(&format!("{path}?{query}")),
                }
            }
            "scheme" => text(if self.request.tls? { "https" } else { "http" }),
            "server_port" => text(&self.request.port?.to_string()),
            "remote_addr" => text(&self.request.source?.to_string()),
            _ => {
                if let Some(name) = name.strip_prefix("http_") {
                    Some(self.header(&name.replace('_', "-")))
                } else if let Some(name) = name.strip_prefix("arg_") {
                    Some(self.parameter(name))
                } else {
                    Some(self.cookie(name.strip_prefix("cookie_")?))
                }
            }
        }
    }

    /// The request as routing goes on with it after its path was changed.
    pub(super) fn moved(&self, path: Vec<u8>, query: Option<Vec<u8>>, keeps_query: bool) -> Self {
        let query = match (query, &self.query) {
            (None, _) => self.query.clone(),
            (Some(new), _) if !keeps_query => Value::one(new),
            (Some(new), Value::Known(old)) => {
                let old = old.first().map(Vec::as_slice).unwrap_or_default();
                let joint: &[u8] = if old.is_empty() || new.is_empty() { b"" } else { b"&" };
                Value::one([new.as_slice(), joint, old].concat())
            }
            (Some(_), Value::Unknown(why)) => Value::Unknown(why.clone()),
        };
        Self { path: Value::one(path), query, ..self.clone() }
    }

    /// What nginx sends to the path of an `error_page` is a GET, unless it was a HEAD.
    pub(super) fn becomes_get(&mut self) {
        if let Some(method) = self.request.method.as_mut().filter(|method| *method != "HEAD") {
            "GET".clone_into(method);
        }
    }

    /// From here on the path is not known.
    pub(super) fn forget_path(&mut self, why: &str) {
        self.path = Value::Unknown(why.to_owned());
        self.query = Value::Unknown(why.to_owned());
    }

    /// The path for people.
    pub(super) fn shown_path(&self) -> Option<String> {
        match &self.path {
            Value::Known(path) => path.first().map(|path| String::from_utf8_lossy(path).into_owned()),
            Value::Unknown(_) => None,
        }
    }

    /// Whether the proxy answers by itself before any rule is looked at.
    pub(super) fn refused(&self) -> Option<Refused> {
        // The method is read first, but only one that no name has is refused at once.
        match self.bad_method {
            Some(Refused { status: Some(400), .. }) => self.bad_method,
            _ => self.refused.or(self.bad_method),
        }
    }

    /// Reads path and host as the rules of this table see them.
    pub(super) fn enter(&mut self, config: &Config, table: TableId) {
        self.restore_address(config, table);
        let Some(settings) = config.normalizations.get(&table) else { return };
        self.normalization = Some(settings.clone());
        self.refuse(settings);
        let Some(path) = self.request.path.clone() else { return };
        let found = match self.dialect {
            Dialect::Nginx => normalized(path.as_bytes(), settings.merge_slashes)
                .map(Value::one)
                .map_err(|BadPath| Refused::for_path(400)),
            Dialect::Envoy => envoy_path::normalized(path.as_bytes(), settings),
            Dialect::HaProxy => return,
        };
        if let Err(refused) = &found {
            self.refused = self.refused.filter(|earlier| earlier.status == Some(400)).or(Some(*refused));
        }
        self.path = found.unwrap_or_else(|_| Value::Unknown("the path is not valid".to_owned()));
    }

    /// What is answered before the path is looked at, or whatever the path is.
    fn refuse(&mut self, settings: &Normalization) {
        let method = self.request.method.as_deref();
        let underscore = || self.request.headers.iter().flatten().any(|(name, _)| name.contains('_'));
        let refused = if settings.refuses_methods
            && method.is_some_and(|name| !envoy_headers::is_method(name))
        {
            Some(Refused { status: Some(400), why: "because of the method" })
        } else if self.dialect == Dialect::Envoy && method == Some("QUERY") && !self.sends("content-type") {
            Some(Refused { status: Some(400), why: "because a QUERY says nothing of its content" })
        } else if settings.underscores == Underscores::Rejected && underscore() {
            Some(Refused { status: Some(400), why: "because of an underscore in the name of a header" })
        } else if settings.refuses_upgrades && self.asks_for_upgrade() {
            Some(Refused { status: Some(403), why: "the upgrade is not allowed" })
        } else {
            None
        };
        self.refused = refused;
    }

    /// Takes the client's address from what a trusted proxy tells of it. That happens once to a request.
    fn restore_address(&mut self, config: &Config, table: TableId) {
        let (None, Some(settings)) = (&self.restored, config.restored_addresses.get(&table)) else { return };
        let Some(source) = self.request.source else { return };
        let found = real_ip::restored(settings, source, |name| self.header_lines(name));
        self.request.source = found.as_ref().ok().copied();
        self.restored = Some(found.map(|_| ()));
    }

    /// Whether the client asks for another protocol. HTTP/2 in clear text is no upgrade to Envoy.
    fn asks_for_upgrade(&self) -> bool {
        let headers = || self.request.headers.iter().flatten();
        let connection = |(name, value): &(String, String)| {
            name.eq_ignore_ascii_case("connection")
                && value.split(',').any(|part| part.trim().eq_ignore_ascii_case("upgrade"))
        };
        let upgrade = |(name, value): &(String, String)| {
            name.eq_ignore_ascii_case("upgrade") && !value.trim().eq_ignore_ascii_case("h2c")
        };
        headers().any(connection) && headers().any(upgrade)
    }

    /// The host as Envoy compares it.
    fn envoy_host(&self, host: &str) -> String {
        let mut host = host.to_owned();
        let Some(settings) = &self.normalization else { return host };
        if settings.strips_dot {
            let name = without_port(&host);
            if let Some(bare) = name.strip_suffix('.') {
                host = format!("{bare}{}", host.get(name.len()..).unwrap_or_default());
            }
        }
        let name = without_port(&host);
        let port = host.get(name.len() + 1..).and_then(|port| port.parse::<u16>().ok());
        let strips = match settings.port {
            PortInHost::Kept => false,
            PortInHost::StrippedIfMatching => port.is_some() && port == self.request.port,
            PortInHost::Stripped => port.is_some(),
        };
        if strips { name.to_owned() } else { host }
    }
}

/// What nginx answers to a method that no server gets to see. From inside it sends none of them.
fn bad_method(config: &Config, request: &Request) -> Option<Refused> {
    let method = request.method.as_deref().filter(|_| config.dialect == Dialect::Nginx)?;
    let refused = |status| Some(Refused { status, why: "because of the method" });
    let version = |minor, patch| Version { major: 1, minor, patch };
    match method {
        "TRACE" => refused(Some(405)),
        "CONNECT" if config.version < version(21, 1) => None,
        // 1.26 says 405 to a path and 400 to host and port, 1.30 the reverse.
        "CONNECT" if config.version < version(27, 0) => refused(Some(405)),
        "CONNECT" if config.version >= version(30, 0) => refused(Some(400)),
        "CONNECT" => refused(None),
        _ => {
            let fits = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-');
            if method.bytes().all(fits) { None } else { refused(Some(400)) }
        }
    }
}

/// nginx has headers as variables, in which a dash and an underscore are one.
fn same_header(dialect: Dialect, header: &str, name: &str) -> bool {
    match dialect {
        // A header with an underscore in its name is dropped.
        Dialect::Nginx => {
            !header.contains('_')
                && header.len() == name.len()
                && header.eq_ignore_ascii_case(&name.replace('_', "-"))
        }
        _ => header.eq_ignore_ascii_case(name),
    }
}

fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').and_then(|end| host.get(..=end)).unwrap_or(host);
    }
    host.split(':').next().unwrap_or_default()
}
