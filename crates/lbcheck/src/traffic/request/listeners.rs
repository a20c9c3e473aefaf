//! Which listener takes a request.

use std::net::IpAddr;

use super::sent::Request;
use crate::model::{Bind, Config, Listener, Mode, Reach, Weakens};
use crate::traffic::proxies::{Proxy, proxy};
use crate::truth::Truth;
use crate::words;

/// A listener that may take the request, with the address it comes to.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'c> {
    pub(super) listener: &'c Listener,
    pub(super) bind: Option<&'c Bind>,
}

/// The listeners that may take a request.
pub(super) struct Found<'c> {
    pub(super) candidates: Vec<Candidate<'c>>,
    /// Whether one of them takes it.
    pub(super) taken: Truth,
    /// Why there is not exactly one, where there is not.
    pub(super) note: Option<String>,
}

/// Most addresses that a note names.
const MAX_NAMED: usize = 8;

/// The listeners that may take `request` by its port, scheme and address.
pub(super) fn by_port<'c>(config: &'c Config, request: &Request) -> Found<'c> {
    let hands_over = of_traffic(config).flat_map(|listener| &listener.binds).any(is_redirected);
    let mut fits: Vec<(Candidate<'c>, Truth)> = Vec::new();
    // On the right port, but HTTP where HTTPS is wanted or the other way round.
    let mut other_scheme: Vec<Candidate<'c>> = Vec::new();
    for listener in of_traffic(config) {
        for bind in &listener.binds {
            let on_port = has_port(bind, request.port, hands_over);
            let candidate = Candidate { listener, bind: Some(bind) };
            match (on_port, speaks(listener, bind, request.tls)) {
                (Truth::No, _) => {}
                (_, Truth::No) if on_port == Truth::Yes => other_scheme.push(candidate),
                (_, Truth::No) => {}
                (_, scheme) => fits.push((candidate, on_port.and(scheme))),
            }
        }
    }
    narrow(&mut fits, request);
    let mut seen = std::collections::BTreeSet::new();
    // A listener with several addresses is one; the address that certainly fits is shown.
    fits.sort_by_key(|(_, truth)| *truth != Truth::Yes);
    let certain = fits.iter().any(|(_, truth)| *truth == Truth::Yes);
    fits.retain(|(candidate, _)| seen.insert(std::ptr::from_ref(candidate.listener)));
    fits.sort_by_key(|(candidate, _)| candidate.listener.span);
    let candidates: Vec<Candidate<'c>> = fits.into_iter().map(|(candidate, _)| candidate).collect();
    if candidates.is_empty() {
        let elsewhere =
            config.fragment || config.coverage.gaps.iter().any(|gap| gap.weakens == Weakens::Everything);
        let taken = if elsewhere { Truth::Unknown } else { Truth::No };
        return Found { candidates, taken, note: Some(nothing(config, request, &other_scheme, elsewhere)) };
    }
    let note = match (certain, candidates.len()) {
        (true, 1) => None,
        (true, count) => {
            Some(format!("{count} listeners may take it, depending on the address; --listener names one"))
        }
        (false, _) => Some(uncertain(config, &candidates, request)),
    };
    let taken = if certain { Truth::Yes } else { Truth::Unknown };
    Found { candidates, taken, note }
}

/// The listeners that go by the name or address `wanted`.
///
/// # Errors
///
/// Says in a sentence that there is none, and which there are.
pub(super) fn by_name<'c>(config: &'c Config, request: &Request, wanted: &str) -> Result<Found<'c>, String> {
    let candidates: Vec<Candidate<'c>> =
        of_traffic(config).filter_map(|listener| named(listener, request, wanted)).collect();
    if candidates.is_empty() {
        let names: Vec<&str> = of_traffic(config).map(|listener| listener.name.value.as_str()).collect();
        let known = match names.as_slice() {
            [] => "this configuration has none".to_owned(),
            names => format!("there is {}", words::names(names.iter().copied(), MAX_NAMED)),
        };
        return Err(format!("there is no listener `{wanted}`: {known}"));
    }
    let note = match candidates.as_slice() {
        [only] => contradicts(only, request).map(|scheme| {
            format!(
                "{} takes {scheme}: the request is taken to come so",
                listener_words(config, only.listener, only.bind)
            )
        }),
        several => Some(format!("{} listeners go by `{wanted}`", several.len())),
    };
    Ok(Found { candidates, taken: Truth::Yes, note })
}

impl Candidate<'_> {
    /// The request as it comes to this listener. `chosen`: the user named the listener, so that port and scheme are
    /// those of the listener, whatever the address of the request says.
    pub(super) fn request(&self, request: &Request, proxy: &dyn Proxy, chosen: bool) -> Request {
        let mut request = request.clone();
        let Some(bind) = self.bind else { return request };
        let only = bind.ports.filter(|(first, last)| first == last).map(|(port, _)| port);
        if chosen && bind.reach != Reach::Redirected && bind.ports.is_some() {
            let inside = request.port.filter(|port| contains(bind, *port));
            request.port = inside.or(only);
        }
        if chosen && contradicts(self, &request).is_some() {
            request.tls = None;
            request.sni = match &request.host {
                _ if !bind.tls => Some(String::new()),
                Some(host) => Some(server_name(host)),
                None => None,
            };
        }
        request.port = request.port.or(only);
        if !bind.mixed {
            request.tls = request.tls.or(Some(bind.tls));
        }
        if self.listener.mode == Mode::Tcp && !bind.tls && !bind.mixed && request.tls == Some(true) {
            // TLS goes through: nothing of the request can be seen but the server name.
            request.method = None;
            request.host = None;
            request.path = None;
            request.query = None;
            request.headers = None;
            request.tls = proxy.sees_tls_that_goes_through();
        }
        request
    }
}

/// A listener in words: "frontend `web` on `*:443`, TLS".
pub(super) fn listener_words(config: &Config, listener: &Listener, bind: Option<&Bind>) -> String {
    let noun = proxy(config.dialect).taker_noun();
    let mut text = format!("{noun} `{}`", listener.name.value);
    let Some(bind) = bind else { return text };
    let address = address(bind);
    if address != listener.name.value {
        text.push_str(&format!(" on `{address}`"));
    }
    if bind.tls {
        text.push_str(", TLS");
    }
    text
}

fn address(bind: &Bind) -> String {
    let host = if bind.host.contains(':') { format!("[{}]", bind.host) } else { bind.host.clone() };
    match bind.ports {
        Some((first, last)) if first == last => format!("{host}:{first}"),
        Some((first, last)) => format!("{host}:{first}-{last}"),
        None => bind.host.clone(),
    }
}

fn of_traffic(config: &Config) -> impl Iterator<Item = &Listener> {
    config.listeners.iter().filter(|listener| listener.mode != Mode::Other)
}

fn is_redirected(bind: &Bind) -> bool {
    bind.reach == Reach::Redirected
}

fn contains(bind: &Bind, port: u16) -> bool {
    bind.ports.is_some_and(|(first, last)| (first..=last).contains(&port))
}

/// Whether connections to `port` come to this address. `hands_over`: there is a listener that hands over what was
/// redirected to it.
fn has_port(bind: &Bind, port: Option<u16>, hands_over: bool) -> Truth {
    let Some(port) = port else { return Truth::Yes };
    match (bind.reach, contains(bind, port)) {
        (Reach::Bound | Reach::Redirected, true) => Truth::Yes,
        (Reach::Redirected, false) => Truth::Unknown,
        (Reach::HandedOver, true) if hands_over => Truth::Unknown,
        (Reach::Unknown, known) if known || bind.ports.is_none() => Truth::Unknown,
        // A unix socket has no port.
        _ => Truth::No,
    }
}

/// Whether a client with (or without) TLS is understood there.
fn speaks(listener: &Listener, bind: &Bind, tls: Option<bool>) -> Truth {
    match tls {
        None => Truth::Yes,
        Some(_) if bind.mixed => Truth::Unknown,
        Some(tls) if tls == bind.tls => Truth::Yes,
        // It goes through to whoever ends it.
        Some(true) if listener.mode == Mode::Tcp => Truth::Yes,
        Some(_) => Truth::No,
    }
}

fn is_wildcard(bind: &Bind) -> bool {
    matches!(bind.host.as_str(), "*" | "::")
}

/// Takes out what another address is preferred to.
fn narrow(fits: &mut Vec<(Candidate<'_>, Truth)>, request: &Request) {
    let bind_is = |candidate: &Candidate<'_>, test: &dyn Fn(&Bind) -> bool| candidate.bind.is_some_and(test);
    if let Some(port) = request.port {
        // What is redirected goes to the listener for its port, and stays where there is none for every address.
        let handed = |bind: &Bind| bind.reach == Reach::HandedOver && is_wildcard(bind);
        if fits.iter().any(|(candidate, _)| bind_is(candidate, &handed)) {
            fits.retain(|(candidate, _)| {
                !bind_is(candidate, &|bind| is_redirected(bind) && !contains(bind, port))
            });
        }
    }
    let Some(destination) = request.destination else { return };
    let same = |bind: &Bind| bind.host.parse::<IpAddr>().is_ok_and(|ip| ip == destination);
    if fits.iter().any(|(candidate, _)| bind_is(candidate, &same)) {
        fits.retain(|(candidate, _)| bind_is(candidate, &same));
    } else if destination.is_loopback() {
        // Any other address may be translated on its way; this one never leaves the machine.
        fits.retain(|(candidate, _)| {
            bind_is(candidate, &|bind| is_wildcard(bind) || bind.host.parse::<IpAddr>().is_err())
        });
    }
}

fn scheme(tls: bool) -> &'static str {
    if tls { "HTTPS" } else { "HTTP" }
}

/// What is asked for: "HTTPS on port 443".
fn asked(request: &Request) -> String {
    let what = request.tls.map_or("a request", scheme);
    match request.port {
        Some(port) => format!("{what} on port {port}"),
        None => what.to_owned(),
    }
}

/// The note where no listener takes the request.
fn nothing(config: &Config, request: &Request, other_scheme: &[Candidate<'_>], elsewhere: bool) -> String {
    let mut text = format!("no listener takes {}", asked(request));
    if let Some(wrong) = other_scheme.first() {
        let takes = scheme(wrong.bind.is_some_and(|bind| bind.tls));
        text.push_str(&format!(
            ": {} takes {takes} only",
            listener_words(config, wrong.listener, wrong.bind)
        ));
    }
    let all: Vec<(&Listener, &Bind)> = of_traffic(config)
        .flat_map(|listener| listener.binds.iter().map(move |bind| (listener, bind)))
        .filter(|(_, bind)| !other_scheme.iter().any(|wrong| wrong.bind.is_some_and(|it| it == *bind)))
        .collect();
    let mut known: Vec<String> = all
        .iter()
        .take(MAX_NAMED)
        .map(|(listener, bind)| listener_words(config, listener, Some(bind)))
        .collect();
    if all.len() > known.len() {
        known.push(format!("{} more", all.len() - known.len()));
    }
    if !known.is_empty() {
        let also = if other_scheme.is_empty() { "there is" } else { "there is also" };
        text.push_str(&format!("; {also} {}", known.join("; ")));
    }
    if elsewhere {
        text.push_str("; a part of the configuration was not read and may have one");
    }
    text.push_str(". Write the port into the request, or choose one with --listener");
    text
}

/// The note where it is not known whether a listener takes the request.
fn uncertain(config: &Config, candidates: &[Candidate<'_>], request: &Request) -> String {
    let Some(first) = candidates.first() else { return String::new() };
    let who = match candidates.len() {
        1 => listener_words(config, first.listener, first.bind),
        count => format!("one of {count} listeners"),
    };
    let why = match first.bind {
        Some(bind) if bind.reach == Reach::Unknown => "its address is not known here",
        Some(bind) if bind.reach == Reach::HandedOver => {
            "it is not bound, and gets what is redirected to another listener"
        }
        Some(bind)
            if bind.reach == Reach::Redirected && request.port.is_some_and(|port| !contains(bind, port)) =>
        {
            "that depends on what is redirected to it"
        }
        _ => "only some of its filter chains speak this scheme",
    };
    format!("whether {who} takes {} is not known: {why}; --listener chooses it", asked(request))
}

/// The listener with its address, if it goes by this name.
fn named<'c>(listener: &'c Listener, request: &Request, wanted: &str) -> Option<Candidate<'c>> {
    let by_address = listener.binds.iter().find(|bind| {
        let Some((first, last)) = bind.ports else { return bind.host == wanted };
        let (host, port) = wanted.rsplit_once(':').unwrap_or(("", wanted));
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let ported = port.parse::<u16>().is_ok_and(|port| (first..=last).contains(&port));
        let all = host == "0.0.0.0" && bind.host == "*";
        (ported && (host.is_empty() || host == bind.host || all)) || address(bind) == wanted
    });
    match by_address {
        Some(bind) => Some(Candidate { listener, bind: Some(bind) }),
        // Of several addresses the one that suits the request best.
        None if listener.name.value == wanted => {
            let bind = listener.binds.iter().min_by_key(|bind| {
                let other_port = request.port.is_some_and(|port| !contains(bind, port));
                let other_scheme = speaks(listener, bind, request.tls) == Truth::No;
                (other_port, other_scheme)
            });
            Some(Candidate { listener, bind })
        }
        None => None,
    }
}

/// The scheme of a listener where the request has the other one.
fn contradicts(candidate: &Candidate<'_>, request: &Request) -> Option<&'static str> {
    let bind = candidate.bind?;
    let no = speaks(candidate.listener, bind, request.tls) == Truth::No;
    no.then(|| scheme(bind.tls))
}

/// The TLS server name that a client sends for a host.
fn server_name(host: &str) -> String {
    let name = match host.strip_prefix('[') {
        Some(_) => return String::new(),
        None => host.split(':').next().unwrap_or_default(),
    };
    if name.parse::<IpAddr>().is_ok() { String::new() } else { name.trim_end_matches('.').to_owned() }
}
