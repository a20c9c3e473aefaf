//! How nginx reads a request.

use super::path::normalized;
use crate::dialect::Version;
use crate::model::Normalization;
use crate::traffic::request::value::{Refused, Value};
use crate::traffic::request::view::{RequestReader, RequestView, parameters, without_port};

impl RequestReader for super::Nginx {
    fn path(&self, path: &str) -> Result<Value, Refused> {
        read_path(path, true)
    }

    fn normalized_path(&self, path: &str, settings: &Normalization) -> Option<Result<Value, Refused>> {
        Some(read_path(path, settings.merge_slashes))
    }

    /// From inside nginx sends none of these methods.
    fn refused_method(&self, version: Version, method: &str) -> Option<Refused> {
        let refused = |status| Some(Refused { status, why: "because of the method" });
        match method {
            "TRACE" => refused(Some(405)),
            "CONNECT" if version < since(21, 1) => None,
            // 1.26 says 405 to a path and 400 to host and port, 1.30 the reverse.
            "CONNECT" if version < since(27, 0) => refused(Some(405)),
            "CONNECT" if version >= since(30, 0) => refused(Some(400)),
            "CONNECT" => refused(None),
            _ => {
                let fits = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-');
                if method.bytes().all(fits) { None } else { refused(Some(400)) }
            }
        }
    }

    /// Lower case, without port and final dot.
    fn host(&self, view: &RequestView) -> Value {
        let Some(host) = &view.request.host else { return Value::not_given("the host is") };
        let name = without_port(host);
        Value::one(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
    }

    fn header(&self, view: &RequestView, name: &str) -> Value {
        let lines = match view.values(|header| is_header(header, name)) {
            Ok(lines) => lines,
            Err(unknown) => return unknown,
        };
        if lines.len() > 1 && view.version < since(23, 0) {
            return Value::Unknown(format!("the header `{name}` is given several times"));
        }
        Value::maybe((!lines.is_empty()).then(|| lines.join(", ")))
    }

    /// nginx keeps the path as it came beside the one it works with.
    fn target(&self, view: &RequestView) -> Value {
        self.variable(view, "request_uri").unwrap_or_else(|| Value::not_given("the path is"))
    }

    /// Names have no case, and a name without `=` is none.
    fn parameter(&self, query: &[u8], name: &str) -> Value {
        let named = |known: &[u8]| known.eq_ignore_ascii_case(name.as_bytes());
        let mut found = parameters(query, b"&").filter(|(known, _)| named(known));
        Value::maybe(found.find_map(|(_, value)| value))
    }

    fn cookie(&self, cookies: &[(&str, &str)], name: &str) -> Value {
        let found = cookies.iter().find(|(cookie, _)| cookie.eq_ignore_ascii_case(name));
        Value::maybe(found.map(|(_, value)| *value))
    }

    fn variable(&self, view: &RequestView, name: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::one(text));
        let request = &view.request;
        match name {
            "uri" | "document_uri" => Some(view.path.clone()),
            "args" | "query_string" => Some(view.query.clone()),
            "is_args" => match view.query.first() {
                Ok(query) => text(if query.is_empty() { "" } else { "?" }),
                Err(why) => Some(Value::Unknown(why.to_owned())),
            },
            "host" => Some(view.host()),
            "request_method" => Some(view.method()),
            "request_uri" => {
                let path = request.path.as_deref()?;
                match request.query.as_deref()? {
                    "" => text(path),
                    query => text(&format!("{path}?{query}")),
                }
            }
            "scheme" => text(if request.tls? { "https" } else { "http" }),
            "server_port" => text(&request.port?.to_string()),
            "remote_addr" => text(&request.source?.to_string()),
            _ => {
                if let Some(name) = name.strip_prefix("http_") {
                    Some(view.header(&name.replace('_', "-")))
                } else if let Some(name) = name.strip_prefix("arg_") {
                    Some(view.parameter(name))
                } else {
                    Some(view.cookie(name.strip_prefix("cookie_")?))
                }
            }
        }
    }

    /// An empty variable is none.
    fn empty_is_present(&self) -> bool {
        false
    }
}

fn read_path(path: &str, merge_slashes: bool) -> Result<Value, Refused> {
    normalized(path.as_bytes(), merge_slashes).map(Value::one).map_err(|_| Refused::for_path(400))
}

const fn since(minor: u16, patch: u16) -> Version {
    Version { major: 1, minor, patch }
}

/// nginx has headers as variables, in which a dash and an underscore are one. A header with an underscore in its name
/// is dropped.
fn is_header(header: &str, name: &str) -> bool {
    !header.contains('_')
        && header.len() == name.len()
        && header.eq_ignore_ascii_case(&name.replace('_', "-"))
}
