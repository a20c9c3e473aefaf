//! Lines that are valid and do nothing where they stand. HAProxy warns of each of these, in 2.6, 3.0 and 3.2 alike.

use super::proxy::Proxy;
use crate::haproxy::keywords::{self, Side};
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::{Line, Modifier, SectionKind};
use crate::model::Mode;

/// Words after `timeout` that speak of servers.
const TIMEOUTS_FOR_SERVERS: &[&str] = &["connect", "queue", "server"];

/// Looks at the lines of a section itself; what it inherits may be meant for others.
pub(super) fn check(proxy: &Proxy<'_, '_>, report: &mut Report) {
    let section = proxy.section;
    for line in &section.lines {
        // In a branch that was read on trust, the section may be another one.
        if line.assumed || line.modifier != Modifier::None {
            continue;
        }
        let reason = match section.kind {
            SectionKind::Frontend
                if is_for(Side::Servers, line) || idle_option(line, section.kind, report) =>
            {
                Some("it is for backends, and a frontend has no servers")
            }
            SectionKind::Backend
                if is_for(Side::Clients, line) || idle_option(line, section.kind, report) =>
            {
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
    let version = report.version;
    line.keyword() == "option"
        && keywords::known_option(line.arg(1), version)
            .is_some_and(|option| option.misplaced(kind, version) && !option.refused_in(version))
}

/// Whether a line speaks only of this side of a proxy.
fn is_for(side: Side, line: &Line<'_>) -> bool {
    match (line.keyword(), side) {
        ("timeout", Side::Servers) => TIMEOUTS_FOR_SERVERS.contains(&line.arg(1)),
        ("timeout", Side::Clients) => line.arg(1) == "client",
        (keyword, _) => keywords::is_for(side, keyword),
    }
}

fn for_http(line: &Line<'_>, kind: SectionKind) -> bool {
    match line.keyword() {
        "option" => line.arg(1) == "forwardfor" || line.arg(1) == "httplog" && kind == SectionKind::Frontend,
        keyword => keywords::is_for_http(keyword),
    }
}
