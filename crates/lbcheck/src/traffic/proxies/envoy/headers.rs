//! How Envoy keeps the headers of a request. Measured on Envoy 1.40.

/// Headers that Envoy adds, replaces or takes out before it chooses a route, whatever the client sends.
pub(super) fn set_by_envoy(name: &str) -> bool {
    name.starts_with(':')
        || name.starts_with("x-envoy-")
        || matches!(
            name,
            "keep-alive"
                | "proxy-connection"
                | "x-forwarded-for"
                | "x-request-id"
                | "x-forwarded-client-cert"
        )
}

/// The values of a header that are compared each by itself.
pub(super) fn values(name: &str, lines: &[&str]) -> Vec<Vec<u8>> {
    if lines.is_empty() {
        return Vec::new();
    }
    match name {
        // All that is left of it, on whatever line it came.
        "te" => {
            let trailers =
                lines.iter().flat_map(|line| line.split(',')).any(|part| part.trim() == "trailers");
            if trailers { vec![b"trailers".to_vec()] } else { Vec::new() }
        }
        _ if is_single(name) => vec![lines.join(",").into_bytes()],
        _ => lines.iter().map(|line| line.as_bytes().to_vec()).collect(),
    }
}

/// Headers whose lines Envoy joins as it reads them. Every other one keeps each of its lines.
fn is_single(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-encoding"
            | "access-control-request-headers"
            | "access-control-request-method"
            | "access-control-request-private-network"
            | "authorization"
            | "cache-control"
            | "connection"
            | "content-encoding"
            | "content-type"
            | "expect"
            | "grpc-accept-encoding"
            | "grpc-timeout"
            | "if-match"
            | "if-modified-since"
            | "if-none-match"
            | "if-range"
            | "if-unmodified-since"
            | "origin"
            | "pragma"
            | "proxy-status"
            | "referer"
            | "upgrade"
            | "user-agent"
            | "via"
            | "x-client-trace-id"
            | "x-forwarded-host"
            | "x-forwarded-port"
    )
}

/// The methods of the HTTP/1 codec.
pub(super) fn is_method(name: &str) -> bool {
    const METHODS: [&str; 35] = [
        "ACL",
        "BIND",
        "CHECKOUT",
        "CONNECT",
        "COPY",
        "DELETE",
        "GET",
        "HEAD",
        "LINK",
        "LOCK",
        "MERGE",
        "MKACTIVITY",
        "MKCALENDAR",
        "MKCOL",
        "MOVE",
        "MSEARCH",
        "NOTIFY",
        "OPTIONS",
        "PATCH",
        "POST",
        "PROPFIND",
        "PROPPATCH",
        "PURGE",
        "PUT",
        "QUERY",
        "REBIND",
        "REPORT",
        "SEARCH",
        "SOURCE",
        "SUBSCRIBE",
        "TRACE",
        "UNBIND",
        "UNLINK",
        "UNLOCK",
        "UNSUBSCRIBE",
    ];
    METHODS.contains(&name)
}
