//! Running HAProxy: what its runtime API says of backends and servers, and where its frontends send requests.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lbcheck::dialect::Dialect;
use lbcheck::model::{AdminState, Affinity, Algorithm, CheckKind, Endpoint, HashKey, Host, Mode, Pool};

use super::ask::ask_all;
use lbcheck_verify::process::{Prepared, Running, Scratch, prepare};
use lbcheck_verify::program::Program;

/// One row of a table, by column.
type Row = BTreeMap<String, String>;

#[test]
fn servers_are_what_the_model_says() {
    let Some(program) = Program::for_test(Dialect::HaProxy, "live::haproxy") else { return };
    let mut differences = Vec::new();
    let mut servers = 0;
    let (mut sent, mut decided) = (0, 0);
    for (name, text) in super::configs(Dialect::HaProxy) {
        let prepared = prepare(&text);
        let reading = super::model(Dialect::HaProxy, program.version(), &prepared.text);
        let scratch = Scratch::new();
        let (_running, socket) = start(&program, &scratch, &prepared).expect(&name);
        let state = State::ask(&socket);
        let mut found = Vec::new();
        for (_, pool) in reading.config.pools().filter(|(_, pool)| pool.disabled.is_none()) {
            servers += pool.endpoints.len();
            compare_pool(&state, pool, &mut found);
        }
        let asked = ask_all(&prepared, &reading.config);
        sent += asked.sent;
        decided += asked.decided;
        found.extend(asked.differences);
        differences.extend(found.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    super::report(&differences);
    assert!(servers > 50, "only {servers} servers were compared");
    assert!(decided * 10 >= sent * 8, "the model decides only {decided} of {sent} requests");
}

/// Starts HAProxy with the configuration and a second file that opens a stats socket.
fn start(
    program: &Program,
    scratch: &Scratch,
    prepared: &Prepared,
) -> Result<(Running, std::path::PathBuf), String> {
    let socket = scratch.path().join("stats");
    let stats = format!("global\n    stats socket {} level admin\n", socket.display());
    let mut command = Command::new(&program.path);
    command
        .args(["-db", "-f"])
        .arg(scratch.write("haproxy.cfg", &prepared.text))
        .arg("-f")
        .arg(scratch.write("stats.cfg", &stats));
    let (running, _) = Running::start(command, scratch, || cli(&socket, "show version"))?;
    Ok((running, socket))
}

/// Asks the runtime API one thing.
fn cli(socket: &Path, command: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    writeln!(stream, "{command}").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// What HAProxy says of itself.
struct State {
    /// `show stat`: one row for each backend, by name.
    backends: BTreeMap<String, Row>,
    /// `show stat`: the servers of each backend, in order.
    servers: BTreeMap<String, Vec<Row>>,
    /// `show servers state`, by backend and server.
    states: BTreeMap<(String, String), Row>,
}

impl State {
    fn ask(socket: &Path) -> Self {
        let mut state = Self { backends: BTreeMap::new(), servers: BTreeMap::new(), states: BTreeMap::new() };
        let stat = cli(socket, "show stat").expect("show stat");
        let mut lines = stat.lines();
        let header = lines.next().unwrap_or_default().trim_start_matches("# ");
        for line in lines.filter(|line| !line.is_empty()) {
            let row = zip(&header.split(',').collect::<Vec<_>>(), &comma_separated(line));
            let backend = row["pxname"].clone();
            match row["svname"].as_str() {
                "FRONTEND" => {}
                "BACKEND" => drop(state.backends.insert(backend, row)),
                _ if row["type"] == "2" => state.servers.entry(backend).or_default().push(row),
                _ => {}
            }
        }
        let servers = cli(socket, "show servers state").expect("show servers state");
        // The first line is the format's version.
        let mut lines = servers.lines().skip(1);
        let header: Vec<&str> = lines.next().unwrap_or_default().split(' ').skip(1).collect();
        for line in lines.filter(|line| !line.is_empty()) {
            let cells: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let row = zip(&header, &cells);
            state.states.insert((row["be_name"].clone(), row["srv_name"].clone()), row);
        }
        state
    }
}

fn zip(header: &[&str], cells: &[String]) -> Row {
    header.iter().map(|name| (*name).to_owned()).zip(cells.iter().cloned()).collect()
}

/// The cells of a line, some of them in quotes.
fn comma_separated(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().expect("there is one").push(character),
        }
    }
    cells
}

/// Notes a difference, with the side each value is from.
struct Compared<'a> {
    subject: String,
    differences: &'a mut Vec<String>,
}

impl Compared<'_> {
    fn same(&mut self, what: &str, model: impl ToString, running: impl ToString) {
        let (model, running) = (model.to_string(), running.to_string());
        if model != running {
            self.differences.push(format!("{}: {what}: model {model}, running {running}", self.subject));
        }
    }
}

fn compare_pool(state: &State, pool: &Pool, differences: &mut Vec<String>) {
    let name = &pool.name.value;
    let Some(row) = state.backends.get(name) else {
        differences.push(format!("{name}: not among the running backends"));
        return;
    };
    let mut compared = Compared { subject: name.clone(), differences };
    let mode = match pool.mode.value {
        Mode::Http => "http",
        Mode::Tcp => "tcp",
        Mode::Other => row["mode"].as_str(),
    };
    compared.same("mode", mode, &row["mode"]);
    // HAProxy has no name for `random` in its statistics.
    compared.same("algorithm", algorithm(&pool.algorithm.value), &row["algo"]);
    let cookie = pool.affinity.iter().find_map(|affinity| match &affinity.value {
        Affinity::Cookie(name) => Some(name.as_str()),
        _ => None,
    });
    // HAProxy keeps the name in `mode tcp`, where it does nothing.
    if pool.mode.value == Mode::Http {
        compared.same("cookie", cookie.unwrap_or_default(), &row["cookie"]);
    }
    let running = state.servers.get(name).map(Vec::as_slice).unwrap_or_default();
    let slots = pool.endpoints.iter().flat_map(|endpoint| (0..endpoint.slots).map(move |_| endpoint));
    compared.same("number of servers", slots.clone().count(), running.len());
    for (endpoint, row) in slots.zip(running) {
        let server = row["svname"].clone();
        let Some(more) = state.states.get(&(name.clone(), server.clone())) else {
            differences.push(format!("{name}/{server}: no state"));
            continue;
        };
        let mut compared = Compared { subject: format!("{name}/{server}"), differences };
        compare_server(&mut compared, endpoint, row, more);
    }
}

fn compare_server(compared: &mut Compared<'_>, endpoint: &Endpoint, row: &Row, state: &Row) {
    // A template's servers are its name and a number.
    let name = row["svname"].trim_end_matches(|c: char| c.is_ascii_digit());
    if row["svname"] != endpoint.name.value {
        compared.same("name", endpoint.name.value.trim_end_matches(|c: char| c.is_ascii_digit()), name);
    }
    compared.same("weight", endpoint.weight.value, &state["srv_uweight"]);
    compared.same("backup", u32::from(endpoint.tier.value > 0), &row["bck"]);
    let number = |column: &str| state[column].parse::<u32>().unwrap_or_default();
    // Bit 4: in maintenance by configuration. Bit 2 of a check: it is configured.
    let disabled = endpoint.state.value == AdminState::Disabled;
    compared.same("disabled", disabled, number("srv_admin_state") & 4 != 0);
    let check = endpoint.check.as_ref().map(|check| &check.value.kind);
    let own = check.is_some_and(|kind| !matches!(kind, CheckKind::Agent | CheckKind::Track(_)));
    compared.same("check", own, number("srv_check_state") & 2 != 0);
    if check == Some(&CheckKind::Agent) {
        compared.same("agent check", true, number("srv_agent_state") & 2 != 0);
    }
    let limit = |limit: Option<u64>| limit.filter(|limit| *limit > 0).map(|limit| limit.to_string());
    let shown = |column: &str| row[column].trim_start_matches('0').to_owned();
    compared.same(
        "maxconn",
        limit(endpoint.max_connections.map(|limit| limit.value)).unwrap_or_default(),
        shown("slim"),
    );
    compared.same(
        "maxqueue",
        limit(endpoint.max_queue.map(|limit| limit.value)).unwrap_or_default(),
        shown("qlimit"),
    );
    compared.same(
        "cookie",
        endpoint.cookie.as_ref().map(|cookie| cookie.value.as_str()).unwrap_or_default(),
        &row["cookie"],
    );
    compared.same("tls", endpoint.tls.is_some_and(|tls| tls.value), state["srv_use_ssl"] == "1");
    if let Some(id) = endpoint.id {
        compared.same("id", id.value, &state["srv_id"]);
    }
    match &endpoint.address.host {
        Host::Ip(address) => compared.same("address", address, &state["srv_addr"]),
        Host::Name(name) => compared.same("host name", name, state["srv_fqdn"].to_lowercase()),
        _ => {}
    }
    let address = &endpoint.address;
    let port = address.port.map_or(address.port_offset, i32::from);
    // A negative offset is printed as an unsigned number.
    compared.same("port", port as u32, &state["srv_port"]);
    if own && let Some(timing) = endpoint.check.as_ref().map(|check| check.value.timing) {
        // Not shown of a check that is not running.
        if let Some(fall) = timing.fall.filter(|_| !row["check_fall"].is_empty()) {
            compared.same("fall", fall.value, &row["check_fall"]);
        }
        if let Some(rise) = timing.rise.filter(|_| !row["check_rise"].is_empty()) {
            compared.same("rise", rise.value, &row["check_rise"]);
        }
    }
}

/// The name in HAProxy's statistics.
fn algorithm(algorithm: &Algorithm) -> &str {
    match algorithm {
        Algorithm::RoundRobin => "roundrobin",
        Algorithm::StaticRoundRobin => "static-rr",
        Algorithm::LeastConnections { .. } => "leastconn",
        Algorithm::First => "first",
        Algorithm::Hash { key: HashKey::Source, .. } => "source",
        Algorithm::Hash { key: HashKey::Expression(text), .. } => ["uri", "url_param", "hdr", "rdp-cookie"]
            .into_iter()
            .find(|name| text.starts_with(name))
            .unwrap_or("hash"),
        // HAProxy has no name for `random` there.
        _ => "unknown",
    }
}
