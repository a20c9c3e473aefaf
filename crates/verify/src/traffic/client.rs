//! A client that keeps its connection and sends requests ahead of the answers.
//!
//! Proxies serve the requests of one HTTP/1.1 connection one after another, so that sending ahead saves the round
//! trips and changes nothing for the order of the choices or the number in flight.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Requests sent ahead.
const AHEAD: usize = 64;
/// Connections of one batch that end before the proxy is taken for broken.
const MOST_CONNECTIONS: usize = 20_000;

/// One request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Path and query.
    pub path: String,
    /// Headers beside `Host`.
    pub headers: Vec<(&'static str, String)>,
    /// The client's address, told by the PROXY protocol; each has a connection of its own.
    pub source: Option<IpAddr>,
    /// What the proxy hashes of it.
    pub key: String,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The server that answered; `None`: the proxy itself did.
    pub server: Option<usize>,
    /// The `name=value` of the cookie it set.
    pub cookie: Option<String>,
}

/// Sends all requests, in order, and gives the answers in the same order.
///
/// # Errors
///
/// The proxy does not answer, or what it says is no HTTP.
pub fn ask_all(proxy: SocketAddrV4, asks: &[Ask]) -> Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(asks.len());
    let mut connections = 0;
    while let Some(rest) = asks.get(answers.len()..).filter(|rest| !rest.is_empty()) {
        connections += 1;
        if connections > MOST_CONNECTIONS {
            bail!("the proxy closes every connection: {} answers of {}", answers.len(), asks.len());
        }
        let source = rest.first().and_then(|ask| ask.source);
        let same = rest.iter().take_while(|ask| ask.source == source).count();
        let mut connection = Connection::open(proxy, source)?;
        connection.ask(rest.get(..same).unwrap_or_default(), &mut answers)?;
    }
    Ok(answers)
}

/// One connection to the proxy.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Nobody listens.
    pub fn open(proxy: SocketAddrV4, source: Option<IpAddr>) -> Result<Self> {
        let begun = Instant::now();
        let stream = loop {
            match TcpStream::connect(proxy) {
                Ok(stream) => break stream,
                Err(_) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(error).context("the proxy takes no connection"),
            }
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        if let Some(source) = source {
            let line = match source {
                IpAddr::V4(source) => {
                    format!("PROXY TCP4 {source} {} 40000 {}\r\n", proxy.ip(), proxy.port())
                }
                IpAddr::V6(source) => format!("PROXY TCP6 {source} ::1 40000 {}\r\n", proxy.port()),
            };
            (&stream).write_all(line.as_bytes())?;
        }
        Ok(Self { reader: BufReader::with_capacity(1 << 16, stream) })
    }

    /// Sends a request without waiting for its answer.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    pub fn send(&mut self, ask: &Ask) -> Result<()> {
        Ok(self.reader.get_mut().write_all(text(ask).as_bytes())?)
    }

    /// Takes the next answer. `None`: the proxy has closed the connection.
    ///
    /// # Errors
    ///
    /// No answer comes, or it is no HTTP.
    pub fn receive(&mut self) -> Result<Option<Answer>> {
        match read_answer(&mut self.reader) {
            Ok(Some((answer, _))) => Ok(Some(answer)),
            Ok(None) => Ok(None),
            Err(error) if is_cut(&error) => Ok(None),
            Err(error) => Err(error).context("no answer"),
        }
    }

    /// Whether an answer has begun to come, or the connection has ended.
    ///
    /// # Errors
    ///
    /// The connection cannot be asked.
    pub fn is_answered(&self) -> Result<bool> {
        let stream = self.reader.get_ref();
        stream.set_nonblocking(true)?;
        let answered = match stream.peek(&mut [0]) {
            Ok(_) => true,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        };
        stream.set_nonblocking(false)?;
        Ok(answered)
    }

    /// Sends requests and appends the answers, until all are there or the proxy closes the connection.
    fn ask(&mut self, asks: &[Ask], answers: &mut Vec<Answer>) -> Result<()> {
        for part in asks.chunks(AHEAD) {
            let texts: String = part.iter().map(text).collect();
            if self.reader.get_mut().write_all(texts.as_bytes()).is_err() {
                return Ok(());
            }
            for _ in part {
                match read_answer(&mut self.reader) {
                    Ok(Some((answer, close))) => {
                        answers.push(answer);
                        if close {
                            return Ok(());
                        }
                    }
                    Ok(None) => return Ok(()),
                    Err(error) if is_cut(&error) => return Ok(()),
                    Err(error) => return Err(error).context("no answer"),
                }
            }
        }
        Ok(())
    }
}

fn is_cut(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

fn text(ask: &Ask) -> String {
    let mut text = format!("GET {} HTTP/1.1\r\nHost: test.example\r\n", ask.path);
    for (name, value) in &ask.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text
}

/// One answer, and whether the proxy closes the connection after it. `None`: it is closed already.
fn read_answer(reader: &mut impl BufRead) -> std::io::Result<Option<(Answer, bool)>> {
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(invalid)?;
    let (mut length, mut close, mut cookie) = (None, false, None);
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok(),
            "connection" => close = value.eq_ignore_ascii_case("close"),
            "set-cookie" => cookie = value.split(';').next().map(str::to_owned),
            _ => {}
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        None => {
            close = true;
            reader.read_to_end(&mut body)?;
        }
    }
    let server = std::str::from_utf8(&body).ok().and_then(|body| body.parse().ok());
    Ok(Some((Answer { status, server, cookie }, close)))
}
