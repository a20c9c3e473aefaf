//! What the running proxy does.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::backend::{ANSWER, Backends, CLIENT};
use super::client::{Answer, Ask, Connection, ask_all};
use super::proxy::Queue;
use super::scenario::Send;

/// Longest wait for a request to be accounted for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time between two looks.
const POLL: Duration = Duration::from_millis(2);

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Requests that wait in the proxy.
    pub queued: usize,
    /// The server of each request, in order; `None`: the proxy answered itself.
    pub servers: Vec<Option<usize>>,
    /// Requests that ended in a status from 500 on.
    pub failed: usize,
}

impl Measured {
    /// Requests that each of `servers` servers got.
    #[must_use]
    pub fn counts(&self, servers: usize) -> Vec<usize> {
        let mut counts = vec![0; servers];
        for count in self.servers.iter().flatten() {
            if let Some(count) = counts.get_mut(*count) {
                *count += 1;
            }
        }
        counts
    }
}

/// Sends what is to be sent.
///
/// # Errors
///
/// The proxy does not answer.
pub fn measure(
    send: &Send,
    proxy: SocketAddrV4,
    backends: &Backends,
    queue: &impl Queue,
) -> Result<Measured> {
    match send {
        Send::Same(count) => Ok(of(&ask_all(proxy, &vec![same(); *count])?)),
        Send::Each(asks) => Ok(of(&ask_all(proxy, asks)?)),
        Send::Nothing => Ok(Measured::default()),
        Send::Held(count) => held(*count, proxy, backends),
        Send::Crowd(count) => crowd(*count, proxy, backends, queue),
        Send::Flowing { at_once, count } => flowing(*at_once, *count, proxy, backends, |_| Vec::new()),
        Send::FlowingKeys { at_once, count, header } => {
            let key = |number| vec![(*header, format!("user-{number}"))];
            flowing(*at_once, *count, proxy, backends, key)
        }
        Send::Failing(count) => {
            let failing = Ask { headers: vec![(ANSWER, "500".into())], ..same() };
            Ok(of(&ask_all(proxy, &vec![failing; *count])?))
        }
        Send::Returning { clients, returns } => returning(*clients, *returns, proxy),
        Send::FailingAtOnce(count) => failing_at_once(*count, proxy, backends),
    }
}

fn of(answers: &[Answer]) -> Measured {
    Measured {
        servers: answers.iter().map(|answer| answer.server).collect(),
        failed: answers.iter().filter(|answer| answer.status >= 500).count(),
        ..Measured::default()
    }
}

/// The request that says nothing.
#[must_use]
pub fn same() -> Ask {
    Ask { path: "/".into(), ..Ask::default() }
}

/// Headers of the request with this number.
type Headers<'a> = &'a dyn Fn(usize) -> Vec<(&'static str, String)>;

fn numbered(client: usize, number: usize, headers: Headers<'_>) -> Ask {
    let mut headers = headers(number);
    headers.push((CLIENT, client.to_string()));
    Ask { headers, ..same() }
}

/// Connections that each have one request waiting at a server.
fn fill(
    count: usize,
    proxy: SocketAddrV4,
    backends: &Backends,
    headers: Headers<'_>,
) -> Result<Vec<Connection>> {
    backends.hold();
    let mut connections = Vec::with_capacity(count);
    for client in 0..count {
        let mut connection = Connection::open(proxy, None)?;
        connection.send(&numbered(client, client, headers))?;
        // The next comes only when this one is counted as in flight.
        backends.await_held(client + 1)?;
        connections.push(connection);
    }
    Ok(connections)
}

fn held(count: usize, proxy: SocketAddrV4, backends: &Backends) -> Result<Measured> {
    let connections = fill(count, proxy, backends, &|_| Vec::new())?;
    let mut servers = Vec::with_capacity(count);
    for (server, waiting) in backends.held().into_iter().enumerate() {
        servers.extend((0..waiting).map(|_| Some(server)));
    }
    backends.release_all();
    drop(connections);
    Ok(Measured { servers, ..Measured::default() })
}

/// Requests that are all accounted for, one after the other: at a server, waiting, or answered by the proxy.
fn crowd(count: usize, proxy: SocketAddrV4, backends: &Backends, queue: &impl Queue) -> Result<Measured> {
    backends.hold();
    let mut connections = Vec::with_capacity(count);
    let (mut held, mut queued) = (Vec::new(), 0);
    for client in 0..count {
        let mut connection = Connection::open(proxy, None)?;
        connection.send(&numbered(client, client, &|_| Vec::new()))?;
        connections.push(connection);
        let begun = Instant::now();
        loop {
            let mut refused = 0;
            for connection in &connections {
                refused += usize::from(connection.is_answered()?);
            }
            held = backends.held();
            queued = queue.queued();
            if held.iter().sum::<u64>() as usize + refused + queued == connections.len() {
                break;
            }
            if begun.elapsed() > PATIENCE {
                bail!("{held:?} are held, {queued} wait and {refused} are refused of {}", client + 1);
            }
            std::thread::sleep(POLL);
        }
    }
    backends.release_all();
    let mut servers = Vec::with_capacity(count);
    for (server, waiting) in held.into_iter().enumerate() {
        servers.extend((0..waiting).map(|_| Some(server)));
    }
    servers.resize(count - queued, None);
    Ok(Measured { servers, queued, ..Measured::default() })
}

/// Requests that all reach a server before any is answered, and then are all answered with 500. What is retried is
/// held again; the others have their answer.
fn failing_at_once(count: usize, proxy: SocketAddrV4, backends: &Backends) -> Result<Measured> {
    let failing = |_| vec![(ANSWER, "500".to_owned())];
    let connections = fill(count, proxy, backends, &failing)?;
    for _ in 0..count {
        backends.release_oldest();
    }
    let begun = Instant::now();
    loop {
        let mut answered = 0;
        for connection in &connections {
            answered += usize::from(connection.is_answered()?);
        }
        let held: u64 = backends.held().iter().sum();
        if answered + held as usize == count {
            break;
        }
        if begun.elapsed() > PATIENCE {
            bail!("of {count} requests {answered} are answered and {held} retried");
        }
        std::thread::sleep(POLL);
    }
    let mut servers = Vec::with_capacity(count);
    for (server, waiting) in backends.held().into_iter().enumerate() {
        servers.extend((0..waiting).map(|_| Some(server)));
    }
    let retried = servers.len();
    backends.release_all();
    drop(connections);
    Ok(Measured { servers, failed: count - retried, ..Measured::default() })
}

fn flowing(
    at_once: usize,
    count: usize,
    proxy: SocketAddrV4,
    backends: &Backends,
    headers: impl Fn(usize) -> Vec<(&'static str, String)>,
) -> Result<Measured> {
    let mut connections = fill(at_once, proxy, backends, &headers)?;
    let mut servers = Vec::with_capacity(count);
    while servers.len() < count {
        let client = backends.release_oldest().context("nobody waits")?;
        let connection = connections.get_mut(client).context("an unknown client")?;
        let Some(answer) = connection.receive()? else { bail!("the proxy closes the connection") };
        servers.push(answer.server);
        connection.send(&numbered(client, at_once + servers.len(), &headers))?;
        backends.await_held(at_once)?;
    }
    backends.release_all();
    Ok(Measured { servers, ..Measured::default() })
}

fn returning(clients: usize, returns: usize, proxy: SocketAddrV4) -> Result<Measured> {
    let first = ask_all(proxy, &vec![same(); clients])?;
    let mut servers: Vec<Option<usize>> = first.iter().map(|answer| answer.server).collect();
    let again: Vec<Ask> = first
        .iter()
        .flat_map(|answer| {
            let headers = answer.cookie.iter().map(|cookie| ("Cookie", cookie.clone())).collect();
            vec![Ask { headers, ..same() }; returns]
        })
        .collect();
    servers.extend(ask_all(proxy, &again)?.iter().map(|answer| answer.server));
    Ok(Measured { servers, ..Measured::default() })
}
