//! Sends a request as it is, with nothing normalised on the way.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lbcheck::traffic::Request;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// `None`: the connection was closed.
    pub(super) status: Option<u16>,
    /// The port of the server that answered; `None`: the proxy did.
    pub(super) backend: Option<u16>,
}

/// Sends a request and waits for the answer.
pub(super) fn ask(request: &Request) -> Answer {
    try_ask(request, Duration::from_secs(5)).expect("the proxy takes connections")
}

/// The same; `None`: nobody listens, or nothing came.
pub(super) fn try_ask(request: &Request, patience: Duration) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", request.port?)).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let mark = if part(&request.query).is_empty() { "" } else { "?" };
    let mut head = format!(
        "{} {}{mark}{} HTTP/1.1\r\nHost: {}\r\n",
        part(&request.method),
        part(&request.path),
        part(&request.query),
        part(&request.host)
    );
    for (name, value) in request.headers.iter().flatten() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("Content-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    // What was read counts also where the connection is reset. A connection that was to be upgraded stays open.
    while !is_whole(&answer)
        && let Ok(read @ 1..) = stream.read(&mut part)
    {
        answer.extend_from_slice(&part[..read]);
    }
    let answer = String::from_utf8_lossy(&answer);
    let Some((head, _)) = answer.split_once("\r\n\r\n") else {
        return Some(Answer { status: None, backend: None });
    };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let of_server = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("x-served-by").then(|| value.trim().parse::<u16>().ok())?
    };
    Some(Answer { status, backend: head.lines().find_map(of_server) })
}

/// Whether an answer says how long it is, and is that long.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    length.is_some_and(|length| body.len() >= length)
}
