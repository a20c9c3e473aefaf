//! Backends and the backend half of `listen` sections.

use std::collections::BTreeMap;

use super::balance;
use super::checks;
use super::proxy::Proxy;
use super::settings::{DEFAULT_MODE, Server, Settings};
use crate::diagnostic::{Diagnostic, Severity};
use crate::haproxy::report::{Report, rule};
use crate::model::{
    AdminState, Affinity, Algorithm, Endpoint, Membership, Mode, Origin, Pool, Retries, Setting, Timeouts,
};
use crate::source::Spanned;

const NOTE: &str = "HAProxy";

/// Builds the pool of a section.
pub(super) fn build(proxy: &Proxy<'_, '_>, report: &mut Report) -> Pool {
    let section = proxy.section;
    let settings = &proxy.settings;
    let mode = settings.mode.unwrap_or(Setting::default(DEFAULT_MODE, "HAProxy: mode tcp"));
    let name = Spanned::new(section.name().to_owned(), section.header.at(1));
    let mut algorithm = balance::algorithm(settings, mode.value, report);
    if proxy.servers.is_empty()
        && let Some(transparent) = settings.transparent.filter(|transparent| transparent.value)
    {
        algorithm = Setting { value: Algorithm::OriginalDestination, origin: transparent.origin };
    }
    let variety = balance::key_variety(&algorithm.value);
    let mut pool = Pool::new(name, section.header.span, mode, algorithm);
    pool.key_variety = variety;
    pool.hash_type = settings.hash_type.and_then(|setting| setting.span());
    pool.extent = section.extent;
    pool.endpoints = proxy.servers.iter().map(|server| endpoint(server, settings)).collect();
    // Without a `balance` line of any kind `dispatch` takes all new traffic, and servers keep their sessions.
    if let Some(dispatch) = proxy.dispatch.as_ref().filter(|_| settings.balance.is_none()) {
        let dispatch = endpoint(dispatch, settings);
        for server in &mut pool.endpoints {
            server.state = Setting::inherited(AdminState::Draining, dispatch.span);
        }
        pool.endpoints.push(dispatch);
    }
    if let Some(server) = proxy.servers.iter().find(|server| server.srv_record) {
        pool.membership = Membership::Unknown(format!(
            "server `{}` takes its addresses from SRV records",
            server.name.as_str()
        ));
    }
    check_names(proxy, report);
    affinity(proxy, &mut pool);
    pool.all_backups = Some(
        settings.all_backups.unwrap_or(Setting::default(false, "HAProxy: only the first backup serves")),
    );
    pool.timeouts = Timeouts {
        connect: settings.timeout_connect,
        response: settings.timeout_server,
        // Left out, the queue waits as long as a connection may take.
        queue: settings.timeout_queue.or(settings.timeout_connect),
    };
    pool.checks_asked = settings
        .check
        .as_ref()
        .filter(|check| check.value.is_some())
        .and_then(|check| if let Origin::Written(span) = check.origin { Some(span) } else { None });
    pool.retries = retries(settings);
    pool.limits.full_connections = settings.full_connections;
    pool.disabled = settings.disabled.filter(|disabled| disabled.value).and_then(|disabled| disabled.span());
    if mode.value == Mode::Http {
        pool.answers_locally = settings.stats;
    }
    pool
}

fn retries(settings: &Settings) -> Retries {
    let redispatch = settings
        .redispatch
        .and_then(|redispatch| redispatch.value.map(|value| Setting { value, origin: redispatch.origin }));
    Retries {
        attempts: Some(settings.retries.unwrap_or(Setting::default(3, "HAProxy: retries 3"))),
        on: Some(settings.retry_on.clone().unwrap_or_else(|| {
            Setting::default("conn-failure".to_owned(), "HAProxy: retry-on conn-failure")
        })),
        redispatch,
    }
}

fn affinity(proxy: &Proxy<'_, '_>, pool: &mut Pool) {
    let settings = &proxy.settings;
    // Cookies exist only in HTTP.
    if let Some(cookie) = settings.cookie.as_ref().filter(|_| pool.mode.value == Mode::Http) {
        pool.affinity.push(Setting { value: Affinity::Cookie(cookie.value.clone()), origin: cookie.origin });
    }
    pool.affinity.extend(settings.persist.clone());
    pool.affinity.extend(proxy.stick.iter().cloned());
}

fn endpoint(server: &Server, settings: &Settings) -> Endpoint {
    let own = &server.settings;
    let name = Spanned::new(server.name.text.to_string(), server.name.span);
    let mut endpoint = Endpoint::new(name, server.address.clone(), server.span, NOTE);
    endpoint.weight = own.weight.unwrap_or(Setting::default(1, "HAProxy: weight 1"));
    if let Some(backup) = own.backup {
        endpoint.tier = Setting { value: u32::from(backup.value), origin: backup.origin };
    }
    if let Some(disabled) = own.disabled {
        let value = if disabled.value { AdminState::Disabled } else { AdminState::Enabled };
        endpoint.state = Setting { value, origin: disabled.origin };
    }
    endpoint.check = checks::of_server(own, settings);
    endpoint.check_disabled = own.check.filter(|check| !check.value).and_then(|check| check.span());
    endpoint.outlier_detection = checks::outlier_detection(own);
    endpoint.max_connections = own.maxconn;
    endpoint.min_connections = own.minconn;
    // HAProxy raises a maxconn below minconn to it, and takes minconn for maxconn where there is none.
    if let Some(least) = own.minconn
        && own.maxconn.is_none_or(|most| most.value < least.value)
    {
        endpoint.max_connections = Some(least);
    }
    endpoint.max_queue = own.maxqueue;
    endpoint.cookie = own.cookie.clone();
    endpoint.id = own.id;
    endpoint.hash_key = own.hash_key.clone();
    endpoint.tls = own.ssl;
    endpoint.slots = server.slots;
    endpoint.first_slot = server.first_slot;
    endpoint
}

/// Reports servers of one name.
fn check_names(proxy: &Proxy<'_, '_>, report: &mut Report) {
    let mut seen: BTreeMap<&str, &Server> = BTreeMap::new();
    for server in &proxy.servers {
        report.assumed = server.assumed;
        // A template makes names of its prefix and a number.
        if server.slots > 1 {
            continue;
        }
        let name = server.name.as_str();
        let Some(first) = seen.get(name) else {
            seen.insert(name, server);
            continue;
        };
        report.push(
            Diagnostic::new(
                rule::DUPLICATE,
                Severity::Error,
                server.name.span,
                format!("{} has two servers named `{name}`", proxy.section.label()),
            )
            .also(first.name.span, "first defined here")
            .help("give each server a name of its own")
            .pool(proxy.section.name())
            .endpoint(name),
        );
    }
}
