//! A request as the client sends it, and as people write it: `GET https://host/path`.

use std::net::IpAddr;

/// What is known of a request, as the client sends it. A part that is `None` is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Request {
    /// The `Host` header, with its port if the client writes one.
    pub host: Option<String>,
    /// Path without query string, not decoded.
    pub path: Option<String>,
    /// Query string without its question mark; empty where there is none.
    pub query: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// Every header but `Host`, in order.
    pub headers: Option<Vec<(String, String)>>,
    /// TLS server name; empty where the client sends none.
    pub sni: Option<String>,
    /// Whether it came over TLS.
    pub tls: Option<bool>,
    /// Destination port.
    pub port: Option<u16>,
    /// The address that the client connects to, where it has no name.
    pub destination: Option<IpAddr>,
    /// The client's address.
    pub source: Option<IpAddr>,
}

impl Request {
    /// Reads `GET https://host/path`, where the method may be left out. A port, query string and host are what a client
    /// would send for that address; of an address without scheme and host they are not known.
    ///
    /// # Errors
    ///
    /// Says in a sentence what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (method, address) = match words.as_slice() {
            [address] => ("GET", *address),
            [method, address] => (*method, *address),
            _ => return Err(format!("`{text}` is not a request: write it as `GET https://host/path`")),
        };
        if !method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') {
            return Err(format!("`{method}` is not a method"));
        }
        let mut request =
            Self { method: Some(method.to_owned()), headers: Some(Vec::new()), ..Self::default() };
        // Clients keep the fragment to themselves.
        let address = address.split('#').next().unwrap_or_default();
        let rest = match address.split_once("://") {
            Some((scheme, rest)) => {
                let tls = match scheme.to_ascii_lowercase().as_str() {
                    "http" => false,
                    "https" => true,
                    _ => return Err(format!("`{scheme}` is not a scheme: use http or https")),
                };
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, target) = rest.split_at(end);
                request.address(tls, authority)?;
                target
            }
            None if address.starts_with('/') => address,
            None => return Err(format!("`{address}` is not an address: write it as `https://host/path`")),
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        request.path = Some(if path.is_empty() { "/" } else { path }.to_owned());
        request.query = Some(query.to_owned());
        Ok(request)
    }

    /// Adds a header written as `name: value`. `Host` takes the place of the host in the address.
    ///
    /// # Errors
    ///
    /// Says in a sentence what is wrong with the text.
    pub fn add_header(&mut self, text: &str) -> Result<(), String> {
        let Some((name, value)) = text.split_once(':') else {
            return Err("a header is written as `name: value`".to_owned());
        };
        let (name, value) = (name.trim(), value.trim());
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(format!("`{name}` is not the name of a header"));
        }
        if name.eq_ignore_ascii_case("host") {
            self.host = Some(value.to_owned());
        } else {
            self.headers.get_or_insert_default().push((name.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    fn address(&mut self, tls: bool, authority: &str) -> Result<(), String> {
        if authority.contains('@') {
            return Err("leave user and password out of the address".to_owned());
        }
        let name_end = match authority.strip_prefix('[').and_then(|rest| rest.find(']')) {
            Some(close) => close + 2,
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (name, port) = authority.split_at(name_end.min(authority.len()));
        let default = if tls { 443 } else { 80 };
        let port = match port.strip_prefix(':') {
            None | Some("") => default,
            Some(port) => match port.parse::<u16>() {
                Ok(port) if port > 0 => port,
                _ => return Err(format!("`{port}` is not a port")),
            },
        };
        if name.is_empty() {
            return Err("the address has no host".to_owned());
        }
        // A client writes the port into the header unless it is the one of the scheme.
        self.host = Some(if port == default { name.to_owned() } else { format!("{name}:{port}") });
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        // There is no server name for an address.
        self.destination = bare.parse::<IpAddr>().ok();
        let named = tls && self.destination.is_none();
        self.sni = Some(if named { bare.trim_end_matches('.').to_owned() } else { String::new() });
        self.tls = Some(tls);
        self.port = Some(port);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, String, String, Option<u16>) {
        let request = Request::parse(text).unwrap();
        let text = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
        (text(request.method), text(request.host), text(request.path), text(request.query), request.port)
    }

    #[test]
    fn requests_are_what_a_client_sends() {
        let expect = |text: &str, method: &str, host: &str, path: &str, query: &str, port: Option<u16>| {
            assert_eq!(parts(text), (method.into(), host.into(), path.into(), query.into(), port), "{text}");
        };
        expect("https://a.com/x?y=1", "GET", "a.com", "/x", "y=1", Some(443));
        expect("POST http://a.com:8080", "POST", "a.com:8080", "/", "", Some(8080));
        expect("http://a.com:80/#top", "GET", "a.com", "/", "", Some(80));
        expect("https://[::1]:8443/", "GET", "[::1]:8443", "/", "", Some(8443));
        expect("/path?q", "GET", "-", "/path", "q", None);
        expect("http://a.com?q=1", "GET", "a.com", "/", "q=1", Some(80));
        assert_eq!(Request::parse("https://a.com/").unwrap().sni.as_deref(), Some("a.com"));
        assert_eq!(Request::parse("https://10.0.0.1/").unwrap().sni.as_deref(), Some(""));
    }

    #[test]
    fn what_is_no_request_is_said() {
        for bad in ["", "a b c", "ftp://a/", "a.com/x", "http:///x", "http://a:0/", "http://u:p@a/", "G=T /"]
        {
            assert!(Request::parse(bad).is_err(), "{bad}");
        }
        let mut request = Request::parse("/").unwrap();
        assert!(request.add_header("no colon").is_err());
        assert!(request.add_header("a b: c").is_err());
        request.add_header("HOST:  b.com ").unwrap();
        request.add_header("X-A: 1:2").unwrap();
        assert_eq!(request.host.as_deref(), Some("b.com"));
        assert_eq!(request.headers, Some(vec![("X-A".to_owned(), "1:2".to_owned())]));
    }
}
