//! Requests: where the model says they go, and where they went.

use lbcheck::model::{Action, Config, Listener, PoolId, Target};
use lbcheck::traffic::{Request, find};

use lbcheck_verify::process::{Prepared, get};

/// What came of the requests of one configuration.
#[derive(Default)]
pub(super) struct Asked {
    /// Requests whose way the model knows.
    pub(super) decided: usize,
    /// Requests in all.
    pub(super) sent: usize,
    /// Where the two differ.
    pub(super) differences: Vec<String>,
}

/// Sends every request that the configuration names, and compares the answers with the model.
pub(super) fn ask_all(prepared: &Prepared, config: &Config) -> Asked {
    let mut asked = Asked::default();
    for line in prepared.text.lines().filter_map(|line| line.strip_prefix("# ask ")) {
        let words: Vec<&str> = line.split(' ').collect();
        let [port, host, path] = <[&str; 3]>::try_from(words).expect("port, host and path");
        let port = port.parse().expect("a port");
        asked.sent += 1;
        let Some(expected) = expect(config, port, host, path) else { continue };
        asked.decided += 1;
        let Some((status, body)) = get(port, host, path) else {
            asked.differences.push(format!("{line}: no answer, model: {expected:?}"));
            continue;
        };
        let backend = body.parse().ok().filter(|port| status == 200 && prepared.backends.contains(port));
        let same = match &expected {
            Expected::Ports(ports) => backend.is_some_and(|port| ports.contains(&port)),
            Expected::Status(wanted) => backend.is_none() && wanted.is_none_or(|wanted| wanted == status),
        };
        if !same {
            asked.differences.push(format!("{line}: {status} by {backend:?}, model: {expected:?}"));
        }
    }
    asked
}

/// What the model expects of an answer.
#[derive(Debug)]
enum Expected {
    /// One of these servers answers.
    Ports(Vec<u16>),
    /// The proxy itself answers, with this status if the configuration says so.
    Status(Option<u16>),
}

/// `None`: the model does not know.
fn expect(config: &Config, port: u16, host: &str, path: &str) -> Option<Expected> {
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        host: Some(host.to_ascii_lowercase()),
        path: Some(path.to_owned()),
        method: Some("GET".to_owned()),
        tls: Some(false),
        port: Some(port),
        ..Request::default()
    };
    let listener = listener(config, port)?;
    let action = &find(config, listener.table, &request)?.action;
    match action {
        Action::Forward(Target::Pool { pool, .. }) => Some(Expected::Ports(ports(config, *pool))),
        Action::Respond(response) => Some(Expected::Status(response.status)),
        Action::Local(_) => Some(Expected::Status(None)),
        _ => None,
    }
}

/// The listener that takes a connection to the loopback address: its own bind before a wildcard.
fn listener(config: &Config, port: u16) -> Option<&Listener> {
    let with = |wanted: fn(&str) -> bool| {
        config.listeners.iter().find(|listener| {
            listener.binds.iter().any(|bind| {
                bind.ports.is_some_and(|(first, last)| (first..=last).contains(&port)) && wanted(&bind.host)
            })
        })
    };
    with(|host| host == "127.0.0.1").or_else(|| with(|host| matches!(host, "*" | "0.0.0.0")))
}

/// The ports of the endpoints that get new traffic while all are up.
fn ports(config: &Config, pool: PoolId) -> Vec<u16> {
    let endpoints = &config.pool(pool).endpoints;
    endpoints
        .iter()
        .filter(|endpoint| endpoint.is_active())
        .filter_map(|endpoint| endpoint.address.port)
        .collect()
}
