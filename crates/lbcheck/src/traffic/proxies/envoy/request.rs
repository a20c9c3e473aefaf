//! How Envoy reads a request.

use super::{headers, path};
use crate::model::{ForwardedScheme, Normalization, PortInHost, Underscores};
use crate::traffic::request::pattern::Engine;
use crate::traffic::request::sent::Request;
use crate::traffic::request::value::{Refused, Value};
use crate::traffic::request::view::{RequestReader, RequestView, parameters, without_port};

impl RequestReader for super::Envoy {
    fn normalized_path(&self, path: &str, settings: &Normalization) -> Option<Result<Value, Refused>> {
        Some(path::normalized(path.as_bytes(), settings))
    }

    fn refused(&self, view: &RequestView, settings: &Normalization) -> Option<Refused> {
        let request = &view.request;
        let method = request.method.as_deref();
        let sent = || request.headers.iter().flatten().map(|(name, _)| name);
        let refused = |status, why| Some(Refused { status: Some(status), why });
        if settings.refuses_methods && method.is_some_and(|name| !headers::is_method(name)) {
            return refused(400, "because of the method");
        }
        // Where headers are not given it may say so.
        let typed = || sent().any(|name| name.eq_ignore_ascii_case("content-type"));
        if method == Some("QUERY") && request.headers.is_some() && !typed() {
            return refused(400, "because a QUERY says nothing of its content");
        }
        if settings.underscores == Underscores::Rejected && sent().any(|name| name.contains('_')) {
            return refused(400, "because of an underscore in the name of a header");
        }
        if settings.refuses_upgrades && asks_for_upgrade(request) {
            return refused(403, "the upgrade is not allowed");
        }
        None
    }

    /// Lower case; in a header of its own where the settings name one.
    fn host(&self, view: &RequestView) -> Value {
        let settings = view.normalization.as_ref();
        let compared = |host: &str| {
            let host = host.to_ascii_lowercase();
            let ignores_port = settings.is_some_and(|settings| settings.ignores_port);
            Value::one(if ignores_port { without_port(&host) } else { &host })
        };
        if let Some(header) = settings.and_then(|settings| settings.host_header.as_ref()) {
            return match view.header(header) {
                // The first of that name counts.
                Value::Known(values) => {
                    values.first().map_or_else(Value::absent, |host| compared(&String::from_utf8_lossy(host)))
                }
                unknown @ Value::Unknown(_) => unknown,
            };
        }
        let host = view.request.host.as_ref();
        host.map_or_else(|| Value::not_given("the host is"), |host| compared(&kept_host(view, host)))
    }

    fn host_header(&self, view: &RequestView, host: &str) -> Value {
        Value::one(kept_host(view, host))
    }

    fn header(&self, view: &RequestView, name: &str) -> Value {
        if name == ":path" {
            return self.target(view);
        }
        let lines = match view.values(|header| header.eq_ignore_ascii_case(name)) {
            Ok(lines) => lines,
            Err(unknown) => return unknown,
        };
        let settings = view.normalization.as_ref();
        let drops_underscores = settings.is_some_and(|settings| settings.underscores == Underscores::Dropped);
        match name {
            "x-forwarded-proto" => forwarded_proto(view, &lines),
            _ if headers::set_by_envoy(name) => changed_header(name),
            // Dropped headers are not found by any name.
            _ if name.contains('_') && drops_underscores => Value::absent(),
            _ => Value::Known(headers::values(name, &lines)),
        }
    }

    /// Neither names nor values are decoded.
    fn parameter(&self, query: &[u8], name: &str) -> Value {
        let found = parameters(query, b"&").find(|(known, _)| *known == name.as_bytes());
        Value::maybe(found.map(|(_, value)| value.unwrap_or_default()))
    }

    fn cookie(&self, cookies: &[(&str, &str)], name: &str) -> Value {
        Value::maybe(cookies.iter().find(|(cookie, _)| *cookie == name).map(|(_, value)| *value))
    }

    fn engine(&self) -> Engine {
        Engine::Re2Full
    }

    fn star_may_be_empty(&self) -> bool {
        false
    }
}

fn changed_header(name: &str) -> Value {
    Value::Unknown(format!("Envoy itself sets or changes the header `{name}`"))
}

/// What Envoy believes of how the client came.
fn forwarded_proto(view: &RequestView, sent: &[&str]) -> Value {
    let scheme = view.normalization.as_ref().map(|settings| settings.scheme).unwrap_or_default();
    let there = !sent.is_empty();
    let sent = sent.join(",");
    match (scheme, view.request.tls) {
        (ForwardedScheme::Unknown, _) => changed_header("x-forwarded-proto"),
        (ForwardedScheme::Kept, _) if there && sent.is_empty() => {
            Value::Unknown("the header `x-forwarded-proto` is empty".to_owned())
        }
        (ForwardedScheme::Kept, _) if there => Value::one(sent),
        (_, Some(tls)) => Value::one(if tls { "https" } else { "http" }),
        (_, None) => Value::not_given("whether it comes over TLS is"),
    }
}

/// Whether the client asks for another protocol. HTTP/2 in clear text is no upgrade to Envoy.
fn asks_for_upgrade(request: &Request) -> bool {
    let headers = || request.headers.iter().flatten();
    let connection = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("connection")
            && value.split(',').any(|part| part.trim().eq_ignore_ascii_case("upgrade"))
    };
    let upgrade = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("upgrade") && !value.trim().eq_ignore_ascii_case("h2c")
    };
    headers().any(connection) && headers().any(upgrade)
}

/// The host as the settings leave it.
fn kept_host(view: &RequestView, host: &str) -> String {
    let mut host = host.to_owned();
    let Some(settings) = &view.normalization else { return host };
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
        PortInHost::StrippedIfMatching => port.is_some() && port == view.request.port,
        PortInHost::Stripped => port.is_some(),
    };
    if strips { name.to_owned() } else { host }
}
