//! The lines of a `defaults`, `frontend`, `backend` or `listen` section.

use super::balance;
use super::bind;
use super::checks;
use super::server;
use super::settings::{DEFAULT_MODE, Opt, Server, Settings};
use crate::haproxy::lexer::joined;
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::{Line, Modifier, Section, SectionKind};
use crate::haproxy::validate::warn_of_time;
use crate::haproxy::values::{Unit, atol, time};
use crate::model::{Affinity, Bind, Mode, Setting, TimeKind};
use crate::source::Spanned;

/// A proxy section, read.
#[derive(Debug)]
pub(super) struct Proxy<'s, 'a> {
    pub(super) section: &'s Section<'a>,
    /// The `defaults` section it inherits, whose rules run before its own.
    pub(super) parent: Option<&'s Section<'a>>,
    pub(super) settings: Settings,
    pub(super) servers: Vec<Server>,
    pub(super) binds: Vec<Bind>,
    /// `stick on` and `stick match` rules.
    pub(super) stick: Vec<Setting<Affinity>>,
    /// The address of `dispatch`, which serves when there is no `server` line.
    pub(super) dispatch: Option<Server>,
}

impl Proxy<'_, '_> {
    /// The mode in force.
    pub(super) fn mode(&self) -> Mode {
        self.settings.mode.map_or(DEFAULT_MODE, |mode| mode.value)
    }

    /// Whether it is switched off.
    pub(super) fn is_disabled(&self) -> bool {
        self.settings.disabled.is_some_and(|disabled| disabled.value)
    }

    /// Whether it makes a pool. A `listen` section that only passes on to other backends does not.
    pub(super) fn is_pool(&self) -> bool {
        match self.section.kind {
            SectionKind::Backend => true,
            SectionKind::Listen => !self.servers.is_empty() || self.settings.default_backend.is_none(),
            _ => false,
        }
    }
}

/// Reads the lines of a section.
pub(super) fn read<'s, 'a>(
    section: &'s Section<'a>,
    parent: Option<&'s Section<'a>>,
    settings: Settings,
    report: &mut Report,
) -> Proxy<'s, 'a> {
    let mut proxy = Proxy {
        section,
        parent,
        settings,
        servers: Vec::new(),
        binds: Vec::new(),
        stick: Vec::new(),
        dispatch: None,
    };
    let certified = section.lines.iter().any(|line| line.keyword() == "ssl-f-use");
    for line in &section.lines {
        report.assumed = line.assumed;
        read_line(&mut proxy, line, certified, report);
        report.understood();
    }
    proxy
}

fn read_line(proxy: &mut Proxy<'_, '_>, line: &Line<'_>, certified: bool, report: &mut Report) {
    let kind = proxy.section.kind;
    let settings = &mut proxy.settings;
    match line.keyword() {
        "mode" => mode(line, settings, report),
        "balance" => set(&mut settings.balance, balance::balance(line, report), line),
        "hash-type" => set(&mut settings.hash_type, balance::hash_type(line, report), line),
        "hash-balance-factor" => {
            set(&mut settings.hash_balance_factor, balance::hash_balance_factor(line, report), line);
        }
        "timeout" => timeout(line, settings, report),
        "retries" => {
            let retries = u32::try_from(atol(line.arg(1))).ok();
            set(&mut settings.retries, retries, line);
        }
        "retry-on" => {
            set(&mut settings.retry_on, Some(joined(line.args(1))), line);
        }
        "fullconn" => set(&mut settings.full_connections, u64::try_from(atol(line.arg(1))).ok(), line),
        "cookie" => set(&mut settings.cookie, line.word(1).map(|word| word.text.to_string()), line),
        "persist" => {
            let persist = line.arg(1).starts_with("rdp-cookie").then(|| Affinity::Other(joined(&line.words)));
            set(&mut settings.persist, persist, line);
        }
        "default_backend" => {
            settings.default_backend =
                line.word(1).map(|word| Spanned::new(word.text.to_string(), word.span));
        }
        "disabled" => settings.disabled = Some(Setting::written(true, line.span)),
        "enabled" => settings.disabled = Some(Setting::written(false, line.span)),
        "transparent" => settings.transparent = Some(Setting::written(true, line.span)),
        "monitor-uri" => set(&mut settings.monitor_uri, line.word(1).map(|word| word.text.to_string()), line),
        "stats" => stats(line, settings),
        "option" => option(line, settings, report),
        "http-check" | "tcp-check" => checks::rule(line, settings, report),
        "default-server" => server::default_server(line, &mut settings.default_server, report),
        "server" | "server-template" if kind != SectionKind::Defaults => {
            let inherited = &settings.default_server;
            proxy.servers.extend(server::server(line, inherited, report));
        }
        "bind" if matches!(kind, SectionKind::Frontend | SectionKind::Listen) => {
            proxy.binds.extend(bind::bind(line, certified, report));
        }
        "dispatch" if kind != SectionKind::Defaults => proxy.dispatch = server::dispatch(line),
        "stick" if matches!(line.arg(1), "on" | "match") => {
            proxy.stick.push(Setting::written(Affinity::StickTable(line.arg(2).to_owned()), line.span));
        }
        _ => {}
    }
}

/// Takes a value that was read; one that was refused leaves what was there.
fn set<T>(slot: &mut Opt<T>, value: Option<T>, line: &Line<'_>) {
    if let Some(value) = value {
        *slot = Some(Setting::written(value, line.span));
    }
}

fn mode(line: &Line<'_>, settings: &mut Settings, report: &mut Report) {
    let mode = match line.arg(1) {
        "http" => Mode::Http,
        "tcp" => Mode::Tcp,
        "log" | "spop" | "haterm" => Mode::Other,
        "health" => {
            report.error(
                rule::VALUE,
                line.at(1),
                "`mode health` is no longer a mode of HAProxy",
                "answer with `http-request return status 200` in `mode http`",
            );
            Mode::Other
        }
        other => {
            report.error(
                rule::VALUE,
                line.at(1),
                format!("`{other}` is not a mode of HAProxy"),
                "use `mode http` or `mode tcp`",
            );
            return;
        }
    };
    settings.mode = Some(Setting::written(mode, line.span));
}

fn timeout(line: &Line<'_>, settings: &mut Settings, report: &mut Report) {
    let name = line.arg(1);
    let slot = match name {
        "connect" => Some(&mut settings.timeout_connect),
        "server" => Some(&mut settings.timeout_server),
        "queue" => Some(&mut settings.timeout_queue),
        "check" => Some(&mut settings.timeout_check),
        "client" | "client-fin" | "client-hs" | "http-keep-alive" | "http-request" | "server-fin"
        | "tarpit" | "tunnel" => None,
        _ => {
            report.unknown(
                line.at(1),
                format!("`{name}` is not a timeout of HAProxy"),
                "use one of check, client, client-fin, connect, http-keep-alive, http-request, queue, server, \
                 server-fin, tarpit, tunnel",
            );
            return;
        }
    };
    let Some(value) = line.word(2) else {
        report.error(
            rule::VALUE,
            line.span,
            format!("`timeout {name}` needs a time"),
            format!("write for example `timeout {name} 30s`"),
        );
        return;
    };
    if value.unset {
        return;
    }
    warn_of_time(value, report);
    match time(value.as_str(), Unit::Milliseconds) {
        Ok(duration) => {
            let kind = if name == "connect" { TimeKind::Connect } else { TimeKind::Wait };
            report.time(format!("timeout {name}"), kind, value, duration);
            if let Some(slot) = slot {
                *slot = Some(Setting::written(duration, line.span));
            }
        }
        Err(reason) => report.error(
            rule::VALUE,
            value.span,
            format!("`{}` is not a time for `timeout {name}`: {reason}", value.as_str()),
            "write a number and a unit, for example `500ms` or `30s`",
        ),
    }
}

fn stats(line: &Line<'_>, settings: &mut Settings) {
    match line.arg(1) {
        "enable" | "uri" | "realm" | "auth" | "scope" | "hide-version" | "refresh" | "show-legends"
        | "show-desc" | "show-node" | "admin" | "show-modules" => {
            // Every statistics setting also enables the page.
            settings.stats.get_or_insert(line.span);
            if line.arg(1) == "uri" {
                set(&mut settings.stats_uri, line.word(2).map(|word| word.text.to_string()), line);
            }
        }
        _ => {}
    }
}

fn option(line: &Line<'_>, settings: &mut Settings, report: &mut Report) {
    let on = line.modifier == Modifier::None;
    let written = |value| Some(Setting::written(value, line.span));
    match line.arg(1) {
        "redispatch" => {
            let value = if line.word(2).is_some() {
                i32::try_from(atol(line.arg(2))).ok()
            } else {
                // Left out, only the last retry goes elsewhere.
                Some(-1)
            };
            settings.redispatch = Some(Setting::written(value.filter(|_| on), line.span));
        }
        "persist" => settings.uses_down = written(on),
        "allbackups" => settings.all_backups = written(on),
        "transparent" => settings.transparent = written(on),
        _ => checks::option(line, settings, report),
    }
}
