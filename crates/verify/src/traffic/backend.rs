//! Servers that say who they are, count what they got, hold requests back, and can be ended.

#![allow(clippy::unwrap_used, reason = "a lock is only poisoned when the harness itself has failed")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Longest wait for a request that is on its way to a server.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request with this path is a health check: answered and not counted.
pub const HEALTH: &str = "/health";
/// A request header that names the status to answer with.
pub const ANSWER: &str = "x-answer";
/// A request header with a number by which the client knows a request that was held back.
pub const CLIENT: &str = "x-client";

/// What a server does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// It answers.
    #[default]
    Well,
    /// It takes connections and requests and answers none.
    Silent,
    /// It answers checks, and every request with status 500.
    Sick,
}

/// All servers of one run.
pub struct Backends {
    hub: Arc<Hub>,
    servers: Vec<Server>,
}

struct Server {
    address: SocketAddrV4,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Hub {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    /// Requests seen by each server, checks left out.
    counts: Vec<u64>,
    ended: Vec<bool>,
    conditions: Vec<Condition>,
    /// When each server last took a connection, and when it last answered a health check.
    connected: Vec<Option<Instant>>,
    checked: Vec<Option<Instant>>,
    /// Open connections of each server, to be cut when it ends.
    connections: Vec<Vec<TcpStream>>,
    /// Whether requests wait until they are released.
    holding: bool,
    /// Requests that wait, in the order they came.
    held: VecDeque<Held>,
}

struct Held {
    server: usize,
    client: usize,
    release: SyncSender<()>,
}

impl Backends {
    /// Starts a server on each address.
    ///
    /// # Errors
    ///
    /// An address is taken.
    pub fn start(addresses: &[SocketAddrV4]) -> Result<Self> {
        let hub = Arc::new(Hub::default());
        {
            let mut state = hub.state.lock().unwrap();
            state.counts = vec![0; addresses.len()];
            state.ended = vec![false; addresses.len()];
            state.conditions = vec![Condition::Well; addresses.len()];
            state.connected = vec![None; addresses.len()];
            state.checked = vec![None; addresses.len()];
            state.connections.resize_with(addresses.len(), Vec::new);
        }
        let mut servers = Vec::new();
        for (index, &address) in addresses.iter().enumerate() {
            let listener = TcpListener::bind(address).with_context(|| format!("{address} is taken"))?;
            let hub = Arc::clone(&hub);
            let accepting = Some(std::thread::spawn(move || accept(&listener, index, &hub)));
            servers.push(Server { address, accepting });
        }
        Ok(Self { hub, servers })
    }

    /// Requests each server has seen, checks left out.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        self.hub.state.lock().unwrap().counts.clone()
    }

    /// Ends a server: nobody listens any more, and its connections are cut.
    pub fn end(&mut self, index: usize) {
        let connections = {
            let mut state = self.hub.state.lock().unwrap();
            state.ended[index] = true;
            std::mem::take(&mut state.connections[index])
        };
        self.hub.arrived.notify_all();
        let server = &mut self.servers[index];
        // The listener notices with the next connection.
        let _ = TcpStream::connect(server.address);
        if let Some(accepting) = server.accepting.take() {
            let _ = accepting.join();
        }
        for connection in connections {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Starts a server again that was ended.
    ///
    /// # Errors
    ///
    /// Its address is taken by now.
    pub fn restart(&mut self, index: usize) -> Result<()> {
        let server = &mut self.servers[index];
        let listener =
            TcpListener::bind(server.address).with_context(|| format!("{} is taken", server.address))?;
        self.hub.state.lock().unwrap().ended[index] = false;
        let hub = Arc::clone(&self.hub);
        server.accepting = Some(std::thread::spawn(move || accept(&listener, index, &hub)));
        Ok(())
    }

    /// From now on a server is in this condition.
    pub fn becomes(&self, index: usize, condition: Condition) {
        self.hub.state.lock().unwrap().conditions[index] = condition;
        self.hub.arrived.notify_all();
    }

    /// Waits until a server has answered any health check.
    ///
    /// # Errors
    ///
    /// Nobody checks it.
    pub fn await_first_check(&self, index: usize) -> Result<()> {
        let state = self.hub.state.lock().unwrap();
        let waits = |state: &mut State| state.checked[index].is_none();
        let (state, _) = self.hub.arrived.wait_timeout_while(state, PATIENCE, waits).unwrap();
        state.checked[index].map(|_| ()).context("nobody checks the server")
    }

    /// Waits until a server has answered a health check, or where these are only connections until it takes one, and
    /// says when that was. `None`: in so long a time it did not.
    pub fn await_check(&self, index: usize, only_connects: bool, patience: Duration) -> Option<Instant> {
        let since = Instant::now();
        let last = |state: &State| if only_connects { state.connected[index] } else { state.checked[index] };
        let state = self.hub.state.lock().unwrap();
        let waits = |state: &mut State| last(state).is_none_or(|checked| checked < since);
        let (state, _) = self.hub.arrived.wait_timeout_while(state, patience, waits).unwrap();
        last(&state).filter(|checked| *checked >= since)
    }

    /// From now on requests wait until they are released.
    pub fn hold(&self) {
        self.hub.state.lock().unwrap().holding = true;
    }

    /// Requests that wait at each server.
    #[must_use]
    pub fn held(&self) -> Vec<u64> {
        let state = self.hub.state.lock().unwrap();
        let mut counts = vec![0; self.servers.len()];
        for held in &state.held {
            counts[held.server] += 1;
        }
        counts
    }

    /// Waits until `count` requests are held back.
    ///
    /// # Errors
    ///
    /// They do not come.
    pub fn await_held(&self, count: usize) -> Result<()> {
        let state = self.hub.state.lock().unwrap();
        let waits = |state: &mut State| state.held.len() < count;
        let (state, timeout) = self.hub.arrived.wait_timeout_while(state, PATIENCE, waits).unwrap();
        if timeout.timed_out() {
            bail!("{} of {count} requests came to a server", state.held.len());
        }
        Ok(())
    }

    /// Lets the request go that has waited longest, and gives the number of its client.
    pub fn release_oldest(&self) -> Option<usize> {
        let oldest = self.hub.state.lock().unwrap().held.pop_front()?;
        let _ = oldest.release.send(());
        Some(oldest.client)
    }

    /// Lets all requests go, and holds no more.
    pub fn release_all(&self) {
        let held = {
            let mut state = self.hub.state.lock().unwrap();
            state.holding = false;
            std::mem::take(&mut state.held)
        };
        for held in held {
            let _ = held.release.send(());
        }
    }
}

impl Drop for Backends {
    fn drop(&mut self) {
        self.release_all();
        for index in 0..self.servers.len() {
            self.end(index);
        }
    }
}

fn accept(listener: &TcpListener, server: usize, hub: &Arc<Hub>) {
    for stream in listener.incoming().flatten() {
        let Ok(kept) = stream.try_clone() else { continue };
        {
            let mut state = hub.state.lock().unwrap();
            if state.ended[server] {
                return;
            }
            state.connected[server] = Some(Instant::now());
            state.connections[server].push(kept);
        }
        hub.arrived.notify_all();
        let _ = stream.set_nodelay(true);
        let hub = Arc::clone(hub);
        std::thread::spawn(move || {
            let _ = answer_all(&stream, server, &hub);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

/// One request's head, as far as it matters here.
#[derive(Default)]
struct Head {
    path: String,
    status: Option<String>,
    client: usize,
    close: bool,
}

fn answer_all(stream: &TcpStream, server: usize, hub: &Hub) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(head) = read_head(&mut reader)? {
        let check = head.path == HEALTH;
        if !check {
            count(server, head.client, hub);
        }
        let condition = speaks(server, hub);
        let status = match (condition, head.status.as_deref()) {
            (Condition::Sick, _) if !check => "500",
            (_, status) => status.unwrap_or("200"),
        };
        let body = server.to_string();
        let length = body.len();
        let close = if head.close { "Connection: close\r\n" } else { "" };
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{close}\r\n{body}");
        writer.write_all(answer.as_bytes())?;
        if check {
            hub.state.lock().unwrap().checked[server] = Some(Instant::now());
            hub.arrived.notify_all();
        }
        if head.close {
            break;
        }
    }
    Ok(())
}

/// Waits as long as a server is silent, and says in which condition it then is.
fn speaks(server: usize, hub: &Hub) -> Condition {
    let state = hub.state.lock().unwrap();
    let silent = |state: &mut State| state.conditions[server] == Condition::Silent && !state.ended[server];
    hub.arrived.wait_while(state, silent).unwrap().conditions[server]
}

/// Counts a request, and holds it back if requests are held.
fn count(server: usize, client: usize, hub: &Hub) {
    let (release, released) = sync_channel(1);
    {
        let mut state = hub.state.lock().unwrap();
        state.counts[server] += 1;
        if !state.holding {
            return;
        }
        state.held.push_back(Held { server, client, release });
    }
    hub.arrived.notify_all();
    let _ = released.recv();
}

/// `None`: the connection has ended.
fn read_head(reader: &mut impl BufRead) -> std::io::Result<Option<Head>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().skip(1);
    let mut head = Head { path: words.next().unwrap_or_default().to_owned(), ..Head::default() };
    head.close = words.next() == Some("HTTP/1.0");
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Some(head)) };
        let value = value.trim();
        if name.eq_ignore_ascii_case(ANSWER) {
            head.status = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case(CLIENT) {
            head.client = value.parse().unwrap_or_default();
        } else if name.eq_ignore_ascii_case("connection") {
            head.close |= value.eq_ignore_ascii_case("close");
        }
    }
}
