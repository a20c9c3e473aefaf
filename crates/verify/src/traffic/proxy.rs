//! The real proxies, started for one scenario and asked how their servers are.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lbcheck::dialect::Dialect;

use super::arena::Arena;
use crate::process::Scratch;
use crate::program::Program;

/// Longest wait for something that is polled.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time between two looks.
const POLL: Duration = Duration::from_millis(5);

/// Something in which requests wait for a server.
pub trait Queue {
    /// How many do now.
    fn queued(&self) -> usize;
}

/// A running proxy, ended by its id.
pub struct Proxy {
    dialect: Dialect,
    child: Child,
    control: Control,
    // The last to go, since the proxy has files in it.
    _scratch: Scratch,
}

/// How a proxy is asked about itself.
enum Control {
    /// HAProxy's runtime API.
    Socket(PathBuf),
    /// Envoy's admin interface.
    Admin(SocketAddrV4),
    /// nginx has nothing of the kind.
    None,
}

/// `text` with the addresses of `arena` in place of `@FRONT@` and `@BACKn@`, and the addresses of the servers.
#[must_use]
pub fn fill(dialect: Dialect, text: &str, arena: &Arena, scratch: &Path) -> (String, Vec<SocketAddrV4>) {
    let shown = |address: SocketAddrV4| match dialect {
        Dialect::HaProxy | Dialect::Nginx => address.to_string(),
        Dialect::Envoy => {
            let (ip, port) = (address.ip(), address.port());
            format!("{{socket_address: {{address: {ip}, port_value: {port}}}}}")
        }
    };
    let mut text = text
        .replace("@FRONT@", &shown(arena.front()))
        .replace("@PORT@", &arena.front().port().to_string())
        .replace("@DIR@", &scratch.display().to_string());
    let mut servers = Vec::new();
    for index in 0..=99 {
        let name = format!("@BACK{}@", index + 1);
        if !text.contains(&name) {
            break;
        }
        text = text.replace(&name, &shown(arena.back(index)));
        servers.push(arena.back(index));
    }
    (text, servers)
}

impl Proxy {
    /// Starts `program` with the configuration `text` and waits until it serves.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn start(
        program: &Program,
        scratch: Scratch,
        arena: &Arena,
        text: &str,
        workers: u32,
    ) -> Result<Self> {
        let folder = scratch.path().to_owned();
        let mut command = Command::new(&program.path);
        command.current_dir(&folder);
        let control = match program.dialect {
            Dialect::HaProxy => {
                let socket = folder.join("stats");
                let stats = format!("global\n    stats socket {} level admin\n", socket.display());
                command.args(["-db", "-f"]).arg(scratch.write("haproxy.cfg", text));
                command.arg("-f").arg(scratch.write("stats.cfg", &stats));
                Control::Socket(socket)
            }
            Dialect::Nginx => {
                let mut global = format!("daemon off; pid {}/pid;", folder.display());
                if workers == 1 {
                    global.push_str(" master_process off;");
                }
                command.args(["-e", "stderr", "-g", &global, "-p"]).arg(&folder);
                command.arg("-c").arg(scratch.write("nginx.conf", text));
                Control::None
            }
            Dialect::Envoy => {
                let admin = arena.control();
                let (ip, port) = (admin.ip(), admin.port());
                let admin_text =
                    format!("admin: {{address: {{socket_address: {{address: {ip}, port_value: {port}}}}}}}");
                command.args(["--disable-hot-restart", "--use-dynamic-base-id", "--concurrency"]);
                command.args([&workers.to_string(), "-l", "error", "--config-yaml", &admin_text, "-c"]);
                command.arg(scratch.write("envoy.yaml", text));
                Control::Admin(admin)
            }
        };
        let log = folder.join("log");
        let said = std::fs::File::create(&log)?;
        let also = said.try_clone()?;
        command.stdin(Stdio::null()).stdout(said).stderr(also);
        let child = command.spawn().with_context(|| format!("cannot start {}", program.path.display()))?;
        let mut proxy = Self { dialect: program.dialect, child, control, _scratch: scratch };
        let begun = Instant::now();
        while !proxy.is_ready(arena.front()) {
            if proxy.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                let said = std::fs::read(&log).unwrap_or_default();
                bail!("the proxy does not start: {}", String::from_utf8_lossy(&said));
            }
            std::thread::sleep(POLL);
        }
        Ok(proxy)
    }

    /// Whether it serves. It is not asked by a request, which would be the first of its sequence.
    fn is_ready(&self, front: SocketAddrV4) -> bool {
        match &self.control {
            Control::Socket(socket) => cli(socket, "show version").is_some(),
            Control::Admin(admin) => fetch(*admin, "/ready").is_some_and(|said| said.contains("LIVE")),
            Control::None => TcpStream::connect(front).is_ok(),
        }
    }

    /// Waits until the proxy itself says that exactly the servers at `down` are down, and all others up. Calls
    /// `meanwhile` before each look.
    ///
    /// # Errors
    ///
    /// It does not say so in time, or cannot be asked.
    pub fn await_down(
        &self,
        servers: &[SocketAddrV4],
        down: &[usize],
        meanwhile: impl Fn() -> Result<()>,
    ) -> Result<()> {
        let wanted: Vec<bool> = (0..servers.len()).map(|index| down.contains(&index)).collect();
        let begun = Instant::now();
        loop {
            meanwhile()?;
            let seen: Vec<Option<bool>> = match &self.control {
                Control::Socket(socket) => {
                    let state = cli(socket, "show stat").unwrap_or_default();
                    servers.iter().map(|server| haproxy_down(&state, *server)).collect()
                }
                Control::Admin(admin) => {
                    let state = fetch(*admin, "/clusters").unwrap_or_default();
                    servers.iter().map(|server| envoy_down(&state, *server)).collect()
                }
                Control::None => bail!("nginx does not say which servers are down"),
            };
            if seen.iter().zip(&wanted).all(|(seen, wanted)| *seen == Some(*wanted)) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                bail!("servers {down:?} should be down, seen {seen:?}");
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Proxy {
    /// Whether the proxy says that a server is down.
    ///
    /// # Errors
    ///
    /// It does not say.
    pub fn is_down(&self, server: SocketAddrV4) -> Result<bool> {
        let seen = match &self.control {
            Control::Socket(socket) => {
                cli(socket, "show stat").and_then(|state| haproxy_down(&state, server))
            }
            Control::Admin(admin) => fetch(*admin, "/clusters").and_then(|state| envoy_down(&state, server)),
            Control::None => None,
        };
        seen.context("the proxy does not say whether a server is down")
    }
}

impl Proxy {
    /// Waits until HAProxy says that a server's check has passed. Others have nothing to wait for.
    ///
    /// # Errors
    ///
    /// It does not say so in time.
    pub fn await_checked(&self, server: SocketAddrV4) -> Result<()> {
        let Control::Socket(socket) = &self.control else { return Ok(()) };
        let begun = Instant::now();
        loop {
            let state = cli(socket, "show stat").unwrap_or_default();
            // A server that was just started is `UP 0/3`, and down with its first failure.
            let up = haproxy_cell(&state, server, "status") == Some("UP");
            // A check that is under way has a star before the result of the last one.
            let passed =
                haproxy_cell(&state, server, "check_status").is_some_and(|status| status.ends_with("OK"));
            if up && passed {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                bail!("HAProxy does not say that a check has passed");
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Queue for Proxy {
    fn queued(&self) -> usize {
        match &self.control {
            Control::Socket(socket) => haproxy_queued(&cli(socket, "show stat").unwrap_or_default()),
            Control::Admin(admin) => {
                let said = fetch(*admin, "/stats?filter=upstream_rq_pending_active").unwrap_or_default();
                said.lines()
                    .filter_map(|line| line.split_once("pending_active: ")?.1.trim().parse::<usize>().ok())
                    .sum()
            }
            Control::None => 0,
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The master process of nginx has to end its workers, and so must not be killed itself.
        let asked = self.dialect == Dialect::Nginx
            && Command::new("kill")
                .args(["-TERM", &self.child.id().to_string()])
                .status()
                .is_ok_and(|status| status.success());
        let begun = Instant::now();
        while asked && begun.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether HAProxy takes a server for down, from `show stat`.
fn haproxy_down(state: &str, server: SocketAddrV4) -> Option<bool> {
    // Out with checks that pass again it is `DOWN 1/2`.
    haproxy_cell(state, server, "status").map(|status| status.starts_with("DOWN"))
}

/// A cell of a server's line in `show stat`.
fn haproxy_cell<'s>(state: &'s str, server: SocketAddrV4, name: &str) -> Option<&'s str> {
    let mut lines = state.lines();
    let header: Vec<&str> = lines.next()?.trim_start_matches("# ").split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name);
    let (address, wanted) = (column("addr")?, column(name)?);
    let server = server.to_string();
    lines.find_map(|line| {
        // No cell before these holds a comma.
        let cells: Vec<&str> = line.split(',').collect();
        (cells.get(address)? == &server).then(|| cells.get(wanted).copied()).flatten()
    })
}

/// Requests that wait in HAProxy, for a server or for any.
fn haproxy_queued(state: &str) -> usize {
    let mut lines = state.lines();
    let header = lines.next().unwrap_or_default().trim_start_matches("# ");
    let Some(column) = header.split(',').position(|column| column == "qcur") else { return 0 };
    lines.filter_map(|line| line.split(',').nth(column)?.parse::<usize>().ok()).sum()
}

/// Whether Envoy takes a host for unhealthy, from `/clusters`.
fn envoy_down(state: &str, server: SocketAddrV4) -> Option<bool> {
    let mut key = String::new();
    let _ = write!(key, "::{server}::health_flags::");
    state.lines().find_map(|line| {
        let (_, flags) = line.split_once(&key)?;
        Some(flags.trim() != "healthy")
    })
}

/// Asks HAProxy's runtime API one thing.
fn cli(socket: &Path, command: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    writeln!(stream, "{command}").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Asks Envoy's admin interface one thing.
fn fetch(admin: SocketAddrV4, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(admin).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
