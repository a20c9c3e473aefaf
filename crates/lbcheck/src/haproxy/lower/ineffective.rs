//! Lines that are valid and do nothing where they stand. HAProxy warns of each of these, in 2.6, 3.0 and 3.2 alike.

use super::proxy::Proxy;
use crate::haproxy::keywords;
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::{Line, Modifier, SectionKind};
use crate::model::Mode;

/// Keywords that speak of servers.
const FOR_BACKENDS: &[&str] = &["balance", "cookie", "fullconn", "hash-type", "retries"];
/// The same after `timeout`.
const TIMEOUTS_FOR_BACKENDS: &[&str] = &["connect", "queue", "server"];

/// Keywords that speak of clients.
const FOR_FRONTENDS: &[&str] = &[
    "backlog",
    "bind",
    "capture",
    "default_backend",
    "maxconn",
    "monitor",
    "monitor-uri",
    "rate-limit",
    "use_backend",
];

/// Keywords that only mean something in HTTP.
const FOR_HTTP: &[&str] = &["cookie", "http-request", "http-response", "monitor-uri", "redirect"];

/// Looks at the lines of a section itself; what it inherits may be meant for others.
pub(super) fn check(proxy: &Proxy<'_, '_>, report: &mut Report) {
    let section = proxy.section;
    for line in &section.lines {
        // In a branch that was read on trust, the section may be another one.
        if line.assumed || line.modifier != Modifier::None {
            continue;
        }
        let reason = match section.kind {
            SectionKind::Frontend if for_backends(line) || idle_option(line, section.kind, report) => {
                Some("it is for backends, and a frontend has no servers")
            }
            SectionKind::Backend if for_frontends(line) || idle_option(line, section.kind, report) => {
                Some("it is for frontends, and a backend has no clients")
            }
            _ if proxy.mode() == Mode::Tcp && for_http(line, section.kind) => Some("it needs `mode http`"),
            _ => None,
        };
        let Some(reason) = reason else { continue };
        let shown = match line.keyword() {
            "option" | "timeout" => format!("{} {}", line.keyword(), line.arg(1)),
            keyword => keyword.to_owned(),
        };
        let message = format!("`{shown}` has no effect in {}: {reason}", section.label());
        report.warning(rule::INEFFECTIVE, line.span, message, "move it to where it works, or remove it");
    }
}

/// An option of the other side, of which this version only warns.
fn idle_option(line: &Line<'_>, kind: SectionKind, report: &Report) -> bool {
    let (name, version) = (line.arg(1), report.version);
    line.keyword() == "option"
        && keywords::known_option(name, version)
        && keywords::misplaced(name, kind, version).is_some_and(|sided| !sided.refused_in(version))
}

fn for_backends(line: &Line<'_>) -> bool {
    match line.keyword() {
        "timeout" => TIMEOUTS_FOR_BACKENDS.contains(&line.arg(1)),
        keyword => FOR_BACKENDS.contains(&keyword),
    }
}

fn for_frontends(line: &Line<'_>) -> bool {
    match line.keyword() {
        "timeout" => line.arg(1) == "client",
        keyword => FOR_FRONTENDS.contains(&keyword),
    }
}

fn for_http(line: &Line<'_>, kind: SectionKind) -> bool {
    match line.keyword() {
        "option" => line.arg(1) == "forwardfor" || line.arg(1) == "httplog" && kind == SectionKind::Frontend,
        keyword => FOR_HTTP.contains(&keyword),
    }
}
