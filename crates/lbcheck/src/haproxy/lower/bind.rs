//! `bind` lines.

use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::Line;
use crate::haproxy::validate::{BindWords, bind_words};
use crate::haproxy::values::{Endpoint, Port, endpoint_of, impossible_name};
use crate::model::{Bind, Host, Reach};

/// Reads a `bind` line: one [`Bind`] for each address.
///
/// `certified`: the section names certificates outside its `bind` lines.
pub(super) fn bind(line: &Line<'_>, certified: bool, report: &mut Report) -> Vec<Bind> {
    let Some(word) = line.word(1) else {
        report.error(
            rule::VALUE,
            line.span,
            "`bind` needs at least one address",
            "write `bind ADDRESS:PORT`, for example `bind :80`",
        );
        return Vec::new();
    };
    let BindWords { tls, accept_proxy, certificate } = bind_words(line, 2, report);
    let text = word.address_text();
    let mut binds = Vec::new();
    for (index, address) in text.split(',').enumerate() {
        if address.is_empty() && index > 0 && text.ends_with(',') {
            continue;
        }
        if word.unset {
            // A variable that is not known often leaves the port in sight.
            let known = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
            let (host, ports) = match known {
                Some((host, port)) => (host, Some((port, port))),
                None => (address, None),
            };
            binds.push(Bind {
                host: host.to_owned(),
                ports,
                reach: Reach::Unknown,
                tls,
                mixed: false,
                accept_proxy,
                span: word.span,
            });
            continue;
        }
        match endpoint_of(address, report.version).and_then(|found| check(found, address)) {
            Ok(found) => binds.push(Bind {
                host: host_text(&found.host),
                ports: match found.port {
                    Port::One(port) => Some((port, port)),
                    Port::Range(first, last) => Some((first, last)),
                    _ => None,
                },
                reach: if address.starts_with("fd@") { Reach::Unknown } else { Reach::Bound },
                tls: tls || address.starts_with("quic"),
                mixed: false,
                accept_proxy,
                span: word.span,
            }),
            Err(reason) => report.error(
                rule::VALUE,
                word.span,
                format!("the address `{address}` cannot be bound: {reason}"),
                "write ADDRESS:PORT, for example `:80`, `10.0.0.1:443`, `:8000-8010` or `unix@/run/x.sock`",
            ),
        }
    }
    let wants_certificate = tls || binds.iter().any(|bind| bind.tls);
    if wants_certificate && !certificate && !certified {
        report.error(
            rule::VALUE,
            word.span,
            format!("`bind {text}` uses TLS but names no certificate"),
            "add `crt FILE`",
        );
    }
    binds
}

fn check(found: Endpoint, text: &str) -> Result<Endpoint, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if !found.has_port {
        return Ok(found);
    }
    match found.port {
        _ if impossible_name(&found.host) => Err("it names no host".into()),
        Port::None => Err("it has no port".into()),
        Port::Offset(_) => Err("a port relative to another one is not possible here".into()),
        Port::One(0) | Port::Range(0, _) => Err("the port must be from 1 to 65535".into()),
        _ if found.datagram && !text.starts_with("quic") => {
            Err("a datagram address is not possible here".into())
        }
        _ => Ok(found),
    }
}

fn host_text(host: &Host) -> String {
    match host {
        Host::Ip(ip) => ip.to_string(),
        Host::Name(text) | Host::Unix(text) | Host::Special(text) | Host::Unknown(text) => text.clone(),
    }
}
