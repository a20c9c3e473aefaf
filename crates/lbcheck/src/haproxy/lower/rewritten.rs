//! What `http-request` and `tcp-request` rules change of a request, so that a later test of it does not see what the
//! client sent.

use crate::model::{Changed, Condition, Match};

/// Notes what an action changes.
pub(super) fn note(changed: &mut Changed, action: &str, argument: &str) {
    let name = action.split('(').next().unwrap_or(action);
    match name {
        "set-path" | "replace-path" | "normalize-uri" => changed.path = true,
        "set-pathq" | "replace-pathq" => {
            changed.path = true;
            changed.query = true;
        }
        "set-uri" | "replace-uri" => {
            changed.path = true;
            changed.query = true;
            changed.host = true;
        }
        "set-query" => changed.query = true,
        "set-method" => changed.method = true,
        "set-src" => changed.source = true,
        "set-dst-port" | "set-dst" => changed.port = true,
        "set-header" | "add-header" | "del-header" | "replace-header" | "replace-value" => {
            match argument.to_ascii_lowercase() {
                header if header.contains('%') || header.is_empty() => changed.any_header(),
                header => changed.header(&header),
            }
        }
        "lua" => {
            changed.path = true;
            changed.query = true;
            changed.host = true;
            changed.any_header();
        }
        _ => {}
    }
}

/// The same condition with every test of a changed property made opaque.
pub(super) fn blur(changed: &Changed, condition: Condition) -> Condition {
    changed.blur(condition, &|test| format!("{} after a rule rewrote it", property(test)))
}

/// What a test looks at, for messages.
fn property(test: &Match) -> String {
    match test {
        Match::Host(_) | Match::HostName(_) => "the host".into(),
        Match::Path(_) => "the path".into(),
        Match::Target(_) => "the path with its query string".into(),
        Match::Method(_) => "the method".into(),
        Match::Header(name, _) | Match::HeaderLine(name, _) => format!("the header `{name}`"),
        Match::Query(name, _) => format!("the parameter `{name}`"),
        Match::Cookie(name, _) => format!("the cookie `{name}`"),
        Match::Sni(_) => "the TLS server name".into(),
        Match::Source(_) => "the client address".into(),
        Match::Port(_) => "the destination port".into(),
        Match::Tls => "TLS".into(),
    }
}
