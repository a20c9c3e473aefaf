//! A request as the proxy sees it when it chooses a route: what each language compares with.

use std::fmt;
use std::net::IpAddr;

use super::pattern::Engine;
use super::restored_address::restored;
use super::sent::Request;
use super::value::{Refused, Value};
use crate::dialect::Version;
use crate::model::{Config, Normalization, TableId};

/// How a proxy reads requests. Headers, names of parameters and the like are compared in as many ways as there are
/// proxies.
pub(crate) trait RequestReader: fmt::Debug + Sync {
    /// The path with which a request starts, before the settings of any table are known.
    fn path(&self, path: &str) -> Result<Value, Refused> {
        if path.contains('#') { Err(Refused::for_path(400)) } else { Ok(Value::one(path)) }
    }

    /// The path as a table with these settings reads it. `None`: as it was before.
    fn normalized_path(&self, _path: &str, _settings: &Normalization) -> Option<Result<Value, Refused>> {
        None
    }

    /// What is answered to a method that no rule gets to see.
    fn refused_method(&self, _version: Version, _method: &str) -> Option<Refused> {
        None
    }

    /// What a table with these settings answers before the path is looked at.
    fn refused(&self, _view: &RequestView, _settings: &Normalization) -> Option<Refused> {
        None
    }

    /// What host names in the configuration are compared with.
    fn host(&self, view: &RequestView) -> Value;

    /// A header by lower-case name, `host` left out.
    fn header(&self, view: &RequestView, name: &str) -> Value;

    /// The header `host`.
    fn host_header(&self, _view: &RequestView, host: &str) -> Value {
        Value::one(host)
    }

    /// Path and query string.
    fn target(&self, view: &RequestView) -> Value {
        match (view.path.first(), view.query.first()) {
            (Ok(path), Ok(query)) => {
                let joint: &[u8] = if query.is_empty() { b"" } else { b"?" };
                Value::one([path, joint, query].concat())
            }
            (Err(why), _) | (_, Err(why)) => Value::Unknown(why.to_owned()),
        }
    }

    /// A query parameter.
    fn parameter(&self, query: &[u8], name: &str) -> Value;

    /// A cookie, of the pairs that the request has.
    fn cookie(&self, cookies: &[(&str, &str)], name: &str) -> Value;

    /// A variable by lower-case name, as far as it is a property of the request. `None`: there is none.
    fn variable(&self, _view: &RequestView, _name: &str) -> Option<Value> {
        None
    }

    /// Whose regular expressions are written.
    fn engine(&self) -> Engine {
        Engine::Pcre
    }

    /// Whether a property without a character is there at all.
    fn empty_is_present(&self) -> bool {
        true
    }

    /// Whether what stands for the star of a host name may be empty.
    fn star_may_be_empty(&self) -> bool {
        true
    }
}

/// A request as routing sees it.
#[derive(Clone, Debug)]
pub(crate) struct RequestView {
    reader: &'static dyn RequestReader,
    pub(crate) version: Version,
    /// As it was sent.
    pub(crate) request: Request,
    pub(crate) path: Value,
    pub(crate) query: Value,
    /// The proxy answers by itself, because of the path.
    refused: Option<Refused>,
    /// The same, because of the method.
    refused_method: Option<Refused>,
    pub(crate) normalization: Option<Normalization>,
    /// The client's address was looked for in what a proxy tells; where that cannot be known, why.
    restored: Option<Result<(), String>>,
}

impl RequestView {
    pub(crate) fn new(reader: &'static dyn RequestReader, version: Version, request: &Request) -> Self {
        let path = request
            .path
            .as_deref()
            .map_or_else(|| Ok(Value::not_given("the path is")), |path| reader.path(path));
        let method = request.method.as_deref();
        Self {
            reader,
            version,
            refused: path.as_ref().err().copied(),
            path: path.unwrap_or_else(|_| invalid_path()),
            query: Value::given(request.query.as_deref(), "the query string is"),
            refused_method: method.and_then(|method| reader.refused_method(version, method)),
            normalization: None,
            restored: None,
            request: request.clone(),
        }
    }

    pub(super) fn reader(&self) -> &'static dyn RequestReader {
        self.reader
    }

    /// Why the client's address is not known.
    pub(super) fn no_source(&self) -> &str {
        match &self.restored {
            Some(Err(why)) => why,
            _ => "the client's address is not given",
        }
    }

    /// What host names in the configuration are compared with.
    pub(crate) fn host(&self) -> Value {
        self.reader.host(self)
    }

    /// The host where the configuration itself takes the port off.
    pub(super) fn host_name(&self) -> Value {
        Value::given(self.request.host.as_deref().map(without_port), "the host is")
    }

    pub(crate) fn method(&self) -> Value {
        Value::given(self.request.method.as_deref(), "the method is")
    }

    /// TLS server name.
    pub(super) fn sni(&self) -> Value {
        match (&self.request.sni, self.request.tls) {
            (Some(name), _) if name.is_empty() => Value::absent(),
            (Some(name), _) => Value::one(name.to_ascii_lowercase()),
            (None, Some(false)) => Value::absent(),
            (None, _) => Value::not_given("the TLS server name is"),
        }
    }

    /// A header by lower-case name.
    pub(crate) fn header(&self, name: &str) -> Value {
        match (name, &self.request.host) {
            ("host", Some(host)) => self.reader.host_header(self, host),
            ("host", None) => Value::not_given("the host is"),
            _ => self.reader.header(self, name),
        }
    }

    /// The values of the headers whose names are `same`, without the blanks around them.
    pub(crate) fn values(&self, same: impl Fn(&str) -> bool) -> Result<Vec<&str>, Value> {
        let headers = self.request.headers.as_ref().ok_or_else(|| Value::not_given("the headers are"))?;
        let found = headers.iter().filter(|(header, _)| same(header));
        Ok(found.map(|(_, value)| value.trim_matches([' ', '\t'])).collect())
    }

    /// A header, each of its lines as a whole.
    pub(super) fn header_lines(&self, name: &str) -> Value {
        let Some(headers) = &self.request.headers else { return Value::not_given("the headers are") };
        let found = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        match (name, &self.request.host) {
            ("host", Some(host)) => Value::one(host.as_bytes()),
            _ => Value::Known(found.map(|(_, value)| value.trim().as_bytes().to_vec()).collect()),
        }
    }

    /// Path and query string.
    pub(super) fn target(&self) -> Value {
        self.reader.target(self)
    }

    /// A query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Value {
        match self.query.first() {
            Ok(query) => self.reader.parameter(query, name),
            Err(why) => Value::Unknown(why.to_owned()),
        }
    }

    /// A cookie.
    pub(crate) fn cookie(&self, name: &str) -> Value {
        let Some(headers) = &self.request.headers else { return Value::not_given("the headers are") };
        let lines = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case("cookie"));
        let pairs = lines.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.split_once('='));
        let cookies: Vec<_> = pairs.map(|(cookie, value)| (cookie.trim(), value.trim())).collect();
        self.reader.cookie(&cookies, name)
    }

    /// A variable by lower-case name, as far as it is a property of the request.
    pub(super) fn variable(&self, name: &str) -> Option<Value> {
        self.reader.variable(self, name)
    }

    /// The request as routing goes on with it after its path was changed.
    pub(super) fn moved(&self, path: Vec<u8>, query: Option<Vec<u8>>, keeps_query: bool) -> Self {
        let query = match (query, self.query.first()) {
            (None, _) => self.query.clone(),
            (Some(new), _) if !keeps_query => Value::one(new),
            (Some(new), Ok(old)) => {
                let joint: &[u8] = if old.is_empty() || new.is_empty() { b"" } else { b"&" };
                Value::one([new.as_slice(), joint, old].concat())
            }
            (Some(_), Err(why)) => Value::Unknown(why.to_owned()),
        };
        Self { path: Value::one(path), query, ..self.clone() }
    }

    /// What is sent to the path of an error page is a GET, unless it was a HEAD.
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
        match self.refused_method {
            Some(Refused { status: Some(400), .. }) => self.refused_method,
            _ => self.refused.or(self.refused_method),
        }
    }

    /// Reads path and host as the rules of this table see them.
    pub(super) fn enter(&mut self, config: &Config, table: TableId) {
        self.restore_address(config, table);
        let Some(settings) = config.normalizations.get(&table) else { return };
        self.normalization = Some(settings.clone());
        self.refused = self.reader.refused(self, settings);
        let path = self.request.path.as_deref();
        let Some(found) = path.and_then(|path| self.reader.normalized_path(path, settings)) else { return };
        if let Err(refused) = &found {
            self.refused = self.refused.filter(|earlier| earlier.status == Some(400)).or(Some(*refused));
        }
        self.path = found.unwrap_or_else(|_| invalid_path());
    }

    /// Takes the client's address from what a trusted proxy tells of it. That happens once to a request.
    fn restore_address(&mut self, config: &Config, table: TableId) {
        let (None, Some(settings)) = (&self.restored, config.restored_addresses.get(&table)) else { return };
        let Some(source) = self.request.source else { return };
        let found: Result<IpAddr, String> = restored(settings, source, |name| self.header_lines(name));
        self.request.source = found.as_ref().ok().copied();
        self.restored = Some(found.map(|_| ()));
    }
}

fn invalid_path() -> Value {
    Value::Unknown("the path is not valid".to_owned())
}

/// The parameters of a query string, with values where they have any.
pub(crate) fn parameters<'q>(
    query: &'q [u8],
    separators: &'static [u8],
) -> impl Iterator<Item = (&'q [u8], Option<&'q [u8]>)> {
    query.split(|byte| separators.contains(byte)).map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        (parts.next().unwrap_or_default(), parts.next())
    })
}

/// The host of a `Host` header without its port.
pub(crate) fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').and_then(|end| host.get(..=end)).unwrap_or(host);
    }
    host.split(':').next().unwrap_or_default()
}
