//! What servers refer to, and what they lack: checks that need the whole configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::proxy::Proxy;
use super::settings::Pools;
use super::settings::Server;
use crate::diagnostic::{Diagnostic, Severity};
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::{Section, SectionKind};
use crate::haproxy::values::impossible_name;
use crate::model::{Config, Host, Mode};
use crate::source::Span;

/// Most names that are compared for a suggestion; a long list of wrong names must not cost its square.
const MAX_CANDIDATES: usize = 1_000;

/// Servers by name, for each proxy name.
type Names<'p> = BTreeMap<&'p str, BTreeMap<&'p str, &'p Server>>;

/// Checks the servers of all sections, and notes pools that are used by more than routes.
pub(super) fn check(
    proxies: &[Proxy<'_, '_>],
    pools: &Pools<'_>,
    sections: &[Section<'_>],
    config: &mut Config,
    report: &mut Report,
) {
    other_uses(proxies, pools, sections, config);
    let mut names: Names<'_> = BTreeMap::new();
    // Few configurations track servers, and the map is not cheap.
    let tracking =
        proxies.iter().flat_map(|proxy| &proxy.servers).any(|server| server.settings.track.is_some());
    let owners = proxies.iter().filter(|proxy| tracking && proxy.section.kind != SectionKind::Frontend);
    for proxy in owners {
        let servers = names.entry(proxy.section.name()).or_default();
        for server in &proxy.servers {
            servers.entry(server.name.as_str()).or_insert(server);
        }
    }
    let resolvers: BTreeSet<&str> = sections
        .iter()
        .filter(|section| section.kind == SectionKind::Resolvers)
        .map(Section::name)
        // The program makes this one itself from /etc/resolv.conf.
        .chain(["default"])
        .collect();
    let verify_off = sections
        .iter()
        .filter(|section| section.kind == SectionKind::Global)
        .flat_map(|section| &section.lines)
        .any(|line| line.keyword() == "ssl-server-verify" && line.arg(1) == "none");

    modes(proxies, pools, config, report);
    for proxy in proxies {
        let app = proxy.section.lines.iter().any(|line| line.keyword() == "use-fcgi-app");
        numbers(proxy, report);
        for server in &proxy.servers {
            report.assumed = server.assumed;
            resolver(server, proxy, &resolvers, report);
            track(server, proxy, &names, pools, config, report);
            agent_port(server, report);
            name_exists(server, report);
            if !verify_off {
                verification(server, proxy.settings.check_connects_with_tls, report);
            }
            if !proxy.settings.check_connects_to_port {
                check_port(server, report);
            }
            if !app && server.settings.fcgi.is_some_and(|fcgi| fcgi.value) {
                report.error(
                    rule::VALUE,
                    server.span,
                    format!(
                        "server `{}` speaks FastCGI, but its backend names no application",
                        server.name.as_str()
                    ),
                    "add `use-fcgi-app NAME` and define the `fcgi-app` section",
                );
            }
        }
        use_server(proxy, report);
    }
}

/// An HTTP listener cannot pass on to a backend in another mode; a TCP listener may pass on to an HTTP backend.
fn modes(proxies: &[Proxy<'_, '_>], pools: &Pools<'_>, config: &Config, report: &mut Report) {
    let clash = |from: Mode, name: &str| -> Option<Mode> {
        let to = pools.get(name).map(|&id| config.pool(id).mode.value)?;
        (from != to && !(from == Mode::Tcp && to == Mode::Http)).then_some(to)
    };
    for proxy in
        proxies.iter().filter(|proxy| proxy.section.kind != SectionKind::Backend && !proxy.is_disabled())
    {
        let from = proxy.mode();
        let fallback =
            proxy.settings.default_backend.iter().map(|name| (name.value.as_str(), name.span, false));
        let switched = proxy
            .section
            .lines
            .iter()
            .filter(|line| line.keyword() == "use_backend")
            .filter_map(|line| line.word(1).map(|word| (word.as_str(), word.span, line.assumed)));
        for (name, span, assumed) in switched.chain(fallback) {
            let Some(to) = clash(from, name) else { continue };
            report.assumed = assumed;
            let diagnostic = Diagnostic::new(
                rule::VALUE,
                Severity::Error,
                span,
                format!(
                    "{} is in `mode {}` and cannot use backend `{name}`, which is in `mode {}`",
                    proxy.section.label(),
                    mode_word(from),
                    mode_word(to)
                ),
            );
            report.push(
                diagnostic.also(proxy.section.header.span, "this section").help("give both the same mode"),
            );
        }
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Http => "http",
        Mode::Tcp => "tcp",
        Mode::Other => "log",
    }
}

/// Notes backends that log lines and SPOE filters use. A filter names its backend in a file of its own; the backend
/// gives itself away by its mode or its checks.
fn other_uses(proxies: &[Proxy<'_, '_>], pools: &Pools<'_>, sections: &[Section<'_>], config: &mut Config) {
    let mut filter = None;
    for line in sections.iter().flat_map(|section| &section.lines) {
        match line.keyword() {
            "log" => {
                if let Some(name) = line.arg(1).strip_prefix("backend@")
                    && let Some(&id) = pools.get(name)
                {
                    config.other_uses.push((id, line.span));
                }
            }
            "filter" if line.arg(1) == "spoe" => filter = filter.or(Some(line.span)),
            _ => {}
        }
    }
    let Some(filter) = filter else { return };
    for proxy in proxies {
        let agents = proxy.settings.spoe_agents.is_some_and(|agents| agents.value);
        if (agents || proxy.mode() == Mode::Other)
            && let Some(&id) = pools.get(proxy.section.name())
        {
            config.other_uses.push((id, filter));
        }
    }
}

fn resolver(server: &Server, proxy: &Proxy<'_, '_>, known: &BTreeSet<&str>, report: &mut Report) {
    let Some(wanted) = &server.settings.resolvers else { return };
    if known.contains(wanted.value.as_str()) || !matches!(server.address.host, Host::Name(_) | Host::Ip(_)) {
        return;
    }
    let help = match report.suggest(&wanted.value, known.iter().copied().take(MAX_CANDIDATES)) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("define a section `resolvers {}`", wanted.value),
    };
    report.error(
        rule::VALUE,
        wanted.span().unwrap_or(server.span),
        format!(
            "server `{}` of {} uses `resolvers {}`, which is not defined",
            server.name.as_str(),
            proxy.section.label(),
            wanted.value
        ),
        help,
    );
}

fn track(
    server: &Server,
    proxy: &Proxy<'_, '_>,
    names: &Names<'_>,
    pools: &Pools<'_>,
    config: &mut Config,
    report: &mut Report,
) {
    let Some(track) = &server.settings.track else { return };
    let span = track.span().unwrap_or(server.span);
    let own = proxy.section.name();
    let (pool, name) = track.value.split_once('/').unwrap_or((own, track.value.as_str()));
    if pool != own
        && let Some(&id) = pools.get(pool)
    {
        config.other_uses.push((id, span));
    }
    if server.settings.check.is_some_and(|check| check.value) {
        report.error(
            rule::VALUE,
            span,
            format!(
                "server `{}` both tracks another server and has a check of its own",
                server.name.as_str()
            ),
            "keep `track` or `check`",
        );
        return;
    }
    let Some(servers) = names.get(pool) else {
        missing(span, format!("there is no backend `{pool}` to track"), report);
        return;
    };
    match servers.get(name) {
        Some(found) => {
            let settings = &found.settings;
            let watched = [settings.check, settings.agent_check].iter().flatten().any(|check| check.value)
                || settings.track.is_some();
            if !watched {
                missing(span, format!("server `{pool}/{name}` cannot be tracked: it has no check"), report);
            } else if leads_back((own, server.name.as_str()), (pool, name), names) {
                let message = format!("server `{pool}/{name}` cannot be tracked: it tracks this one in turn");
                missing(span, message, report);
            }
        }
        None if template_prefixes(name)
            .any(|prefix| servers.get(prefix).is_some_and(|found| found.slots > 1)) => {}
        None => missing(span, format!("there is no server `{name}` in backend `{pool}` to track"), report),
    }
}

/// Most servers that a chain of `track` is followed over.
const LONGEST_CHAIN: usize = 64;

/// Whether servers that track each other lead from one server back to another.
fn leads_back<'n>(start: (&str, &str), from: (&'n str, &'n str), names: &Names<'n>) -> bool {
    let (mut pool, mut name) = from;
    for _ in 0..LONGEST_CHAIN {
        if (pool, name) == start {
            return true;
        }
        let Some(track) = names
            .get(pool)
            .and_then(|servers| servers.get(name))
            .and_then(|found| found.settings.track.as_ref())
        else {
            return false;
        };
        (pool, name) = track.value.split_once('/').unwrap_or((pool, track.value.as_str()));
    }
    false
}

/// Two servers of a backend cannot have the same number.
fn numbers(proxy: &Proxy<'_, '_>, report: &mut Report) {
    let mut first: BTreeMap<u32, &str> = BTreeMap::new();
    for server in proxy.servers.iter().filter(|server| server.slots == 1) {
        let Some(id) = &server.settings.id else { continue };
        match first.get(&id.value) {
            Some(before) => {
                report.assumed = server.assumed;
                report.error(
                    rule::VALUE,
                    id.span().unwrap_or(server.span),
                    format!("the id {} is already that of server `{before}`", id.value),
                    "give each server of a backend an id of its own",
                );
            }
            None if !server.assumed => {
                first.insert(id.value, server.name.as_str());
            }
            None => {}
        }
    }
}

fn missing(span: Span, message: String, report: &mut Report) {
    report.error(rule::VALUE, span, message, "name a server that is checked, as `BACKEND/SERVER`");
}

fn verification(server: &Server, checks_with_tls: bool, report: &mut Report) {
    let settings = &server.settings;
    let checks = checks_with_tls && settings.check.is_some_and(|check| check.value);
    let tls = checks || [settings.ssl, settings.check_ssl].iter().flatten().any(|tls| tls.value);
    if !tls || settings.verifiable.is_some_and(|verifiable| verifiable.value) || settings.unknown.is_some() {
        return;
    }
    // Newer versions fall back to the authorities of the system.
    if report.at_least(3, 3) {
        return;
    }
    report.error(
        rule::VALUE,
        server.span,
        format!(
            "server `{}` uses TLS but says neither how to verify it nor `verify none`",
            server.name.as_str()
        ),
        "add `ca-file @system-ca`, or `verify none` on a network you trust",
    );
}

/// The agent listens on a port of its own.
fn agent_port(server: &Server, report: &mut Report) {
    let settings = &server.settings;
    let Some(agent) = settings.agent_check.filter(|agent| agent.value) else { return };
    if settings.unknown.is_some() || settings.agent_port.is_some_and(|port| port.value > 0) {
        return;
    }
    let message = format!("server `{}` asks an agent but does not say on which port", server.name.as_str());
    report.push(
        Diagnostic::new(rule::VALUE, Severity::Error, server.span, message)
            .also(agent.span().unwrap_or(server.span), "the agent is asked for here")
            .help("add `agent-port N`"),
    );
}

/// A name that no name service can know keeps the program from starting, unless `init-addr` allows that.
fn name_exists(server: &Server, report: &mut Report) {
    let settings = &server.settings;
    let lenient = settings.may_lack_address.is_some_and(|lenient| lenient.value);
    if !impossible_name(&server.address.host)
        || lenient
        || settings.resolvers.is_some()
        || settings.unknown.is_some()
    {
        return;
    }
    let Host::Name(name) = &server.address.host else { return };
    report.error(
        rule::VALUE,
        server.span,
        format!(
            "`{name}`, the address of server `{}`, is neither an address nor the name of a host",
            server.name.as_str()
        ),
        "correct it",
    );
}

/// A check needs a port: that of the server, `port`, or one of a `connect` step.
fn check_port(server: &Server, report: &mut Report) {
    let settings = &server.settings;
    let checked = settings.check.is_some_and(|check| check.value);
    // A name is looked up too late for the program to notice.
    let has_host = matches!(server.address.host, Host::Ip(_));
    if !checked
        || !has_host
        || server.address.port.is_some_and(|port| port > 0)
        || settings.check_port.is_some()
    {
        return;
    }
    if settings.unknown.is_some() {
        return;
    }
    report.error(
        rule::VALUE,
        server.span,
        format!("server `{}` is checked but has neither a port nor a check port", server.name.as_str()),
        "write the port after the address, or add `port N` for the check",
    );
}

/// What a template must be called to make a server of this name: the name without one or more of its last digits.
fn template_prefixes(name: &str) -> impl Iterator<Item = &str> {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    (letters..name.len()).filter_map(|end| name.get(..end))
}

/// Reports `use-server` rules that name no server of their backend.
fn use_server(proxy: &Proxy<'_, '_>, report: &mut Report) {
    let mut names: Option<BTreeSet<&str>> = None;
    for line in proxy.section.lines.iter().filter(|line| line.keyword() == "use-server") {
        let Some(name) = line.word(1).filter(|name| !name.unset && !name.as_str().contains('%')) else {
            continue;
        };
        if proxy.section.kind == SectionKind::Frontend {
            continue;
        }
        report.assumed = line.assumed;
        let known =
            names.get_or_insert_with(|| proxy.servers.iter().map(|server| server.name.as_str()).collect());
        if known.contains(name.as_str())
            || template_prefixes(name.as_str()).any(|prefix| known.contains(prefix))
        {
            continue;
        }
        let help = match report.suggest(name.as_str(), known.iter().copied().take(MAX_CANDIDATES)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "name one of its `server` lines".to_owned(),
        };
        report.error(
            rule::VALUE,
            name.span,
            format!("{} has no server `{}`", proxy.section.label(), name.as_str()),
            help,
        );
    }
}
