//! Processes, ports and files of one run; all of them gone when it ends.

#![allow(
    clippy::unwrap_used,
    reason = "a harness without a file or a port cannot go on, and says where it stopped"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for a program to be ready; it is polled, and ordinarily ready within a second.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time between two looks.
const POLL: Duration = Duration::from_millis(10);

/// A folder for one run, removed with all in it.
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty folder of its own.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it makes a folder: not a default value")]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lbcheck-live-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and gives its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program, ended by its id when dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `command` and waits until `ready` gives something.
    pub fn start<T>(
        mut command: Command,
        scratch: &Scratch,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<(Self, T), String> {
        let log = scratch.path().join("log");
        let said = std::fs::File::create(&log).unwrap();
        let also = said.try_clone().unwrap();
        let child = command.stdin(Stdio::null()).stdout(said).stderr(also).spawn().unwrap();
        let mut running = Self { child, log };
        let begun = Instant::now();
        loop {
            if let Some(found) = ready() {
                return Ok((running, found));
            }
            let ended = running.child.try_wait().unwrap().is_some();
            if ended || begun.elapsed() > PATIENCE {
                let said = std::fs::read(&running.log).unwrap_or_default();
                return Err(format!("it does not start: {}", String::from_utf8_lossy(&said)));
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A configuration with its ports filled in, and the servers behind `@BACKn@`.
pub struct Prepared {
    /// The text, with every port filled in.
    pub text: String,
    /// The ports of the servers behind `@BACKn@`, in the order of their numbers.
    pub backends: Vec<u16>,
}

/// Fills in the ports of a configuration. The servers live as long as the test's process.
pub fn prepare(text: &str) -> Prepared {
    let mut text = text.to_owned();
    let mut backends = Vec::new();
    for number in 1..=9 {
        let name = format!("@BACK{number}@");
        if text.contains(&name) {
            let port = serve();
            text = text.replace(&name, &port.to_string());
            backends.push(port);
        }
    }
    // All are held before any is let go, so that they differ.
    let held: Vec<TcpListener> = (0..9).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    for (number, listener) in (1..).zip(&held) {
        let port = listener.local_addr().unwrap().port();
        text = text.replace(&format!("@PORT{number}@"), &port.to_string());
    }
    Prepared { text, backends }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Answers every request with its own port, in a thread of its own.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
            if read_head(&mut stream).is_empty() {
                continue;
            }
            let body = port.to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nX-Served-By: {port}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    port
}

fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    let mut part = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return Vec::new(),
            Ok(count) => head.extend_from_slice(&part[..count]),
        }
    }
    head
}

/// Sends one request and gives status and body.
pub fn get(port: u16, host: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    // Not every server closes the connection when asked to; what was read counts also where it is reset.
    while !is_complete(&answer) {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&part[..count]),
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Some((status, if chunked { dechunked(body) } else { body.to_owned() }))
}

/// Whether an answer's body has come as far as its head announces.
fn is_complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return answer.ends_with(b"\r\n0\r\n\r\n");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    length.is_some_and(|length: usize| answer.len() >= end + 4 + length)
}

fn dechunked(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = after.get(..size).filter(|chunk| !chunk.is_empty()) else { break };
        text.push_str(chunk);
        rest = after.get(size + 2..).unwrap_or_default();
    }
    text
}
