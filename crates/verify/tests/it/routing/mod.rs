//! Where lbcheck says a request goes, and where it went: hundreds of requests of every kind for each proxy.
//!
//! The configurations are in `tests/routing/`. Every request is drawn from lists of hosts, paths, headers and methods that
//! are chosen to touch each rule and each way in which a proxy changes path and host before it compares them.

mod ask;
mod random_nginx;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::model::{Config, Listener};
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;
use lbcheck::traffic::{Request, RouteOutcome, route};
use lbcheck_verify::process::{Running, Scratch, prepare};
use lbcheck_verify::program::Program;
use lbcheck_verify::random::Random;
use lbcheck_verify::reading;

use ask::{Answer, ask};

/// Requests for each proxy.
const REQUESTS: u64 = 400;
/// Requests to each split.
const DRAWS: u32 = 600;

/// What requests are made of.
struct Material {
    hosts: &'static [&'static str],
    paths: &'static [&'static str],
    headers: &'static [(&'static str, &'static str)],
    /// Most requests of a hundred of which it may not be decided where they go.
    undecided: u64,
    /// Some requests ask whether another origin may send one.
    preflights: bool,
}

const NGINX: Material = Material {
    hosts: &[
        "shop.example",
        "SHOP.example",
        "www.shop.example",
        "shop.example:8080",
        "shop.example.",
        "acme.tenants.example",
        "a1.tenants.example",
        "www.other.example",
        "plain.example",
        "x.plain.example",
        "www.shop.test",
        "unknown.example",
    ],
    paths: &[
        "/",
        "/index.php",
        "/INDEX.PHP",
        "/api",
        "/api/",
        "/api/x",
        "/api/v1/",
        "/api/v1/users/7",
        "/api/v22/users/a%2Fb",
        "/api/raw/users.php",
        "/static/a.png",
        "/static/a.txt",
        "/a.JPEG",
        "/a.jpg?x=.php",
        "//api//v1//x",
        "/api/./v1/../v1/x",
        "/api%2Fv1%2Fx",
        "/%61pi/v1/x",
        "/old/v1/x",
        "/old/../old/y",
        "/moved/api/v1/x",
        "/moved/user/x",
        "/stay/v1/x",
        "/form",
        "/form?debug=1",
        "/form?DEBUG=1",
        "/form?debug=%31",
        "/form?x=1&debug=1",
        "/user/x",
        "/loop/a",
        "/inside/a",
        "/outside/a",
        "/a",
        "/ab?",
        "/public",
        "/private",
        "/a/../../x",
        "/a%",
        "/a%00",
        "/a#b",
        "/x.php%0A",
        "/a.php/b",
        "/%2e%2e/a",
        "/caf%C3%A9.php",
    ],
    headers: &[
        ("X-User", "alice"),
        ("X-User", "bob"),
        ("X-User", "carol"),
        ("X-User", "Alice"),
        ("X-Blocked", "1"),
        ("X-Blocked", "0"),
        ("X-Blocked", ""),
        ("Cookie", "beta=yes"),
        ("Cookie", "a=b; beta=no"),
        ("Cookie", "a=b; BETA=y"),
    ],
    undecided: 5,
    preflights: false,
};

const HAPROXY: Material = Material {
    hosts: &[
        "shop.example",
        "SHOP.example",
        "www.shop.example",
        "shop.example:8080",
        "shop.example.",
        "api.example",
        "API.shop.example",
        "acme.tenants.example",
        "tenants.example:80",
        "nottenants.example",
        "port.example",
        "port.example:8080",
        "exact.example",
        "exact.example:8080",
        "unknown.example",
    ],
    paths: &[
        "/",
        "/api",
        "/api/",
        "/api/x?debug=1",
        "/api/x?debug=true&debug=0",
        "/v1/x?debug=0;debug=1",
        "/v1/x?Debug=1",
        "/%61pi/x",
        "//api/x",
        "/API/x",
        "/a.png",
        "/a.JPEG",
        "/a.png?x",
        "/static",
        "/x/static/y",
        "/staticx",
        "/x/static?y",
        "/form",
        "/form?x",
        "/x/ping",
        "/ping",
        "/old",
        "/old?x",
        "/alive",
        "/alive?x",
        "/INDEX.PHP",
        "/index.php?a",
        "/index.php?",
        "/a/very/long/path/of/segments",
        "/a//b",
        "/a/../b",
        "/x?static",
        "/a%2Fstatic",
    ],
    headers: &[
        ("X-Beta", "on"),
        ("X-Beta", "off"),
        ("X-Beta", ""),
        ("X-Beta", "on, off"),
        ("Cookie", "beta=1"),
        ("Cookie", "beta="),
        ("Cookie", "a=1; beta=x"),
        ("X-Blocked", "yes"),
        ("X-Blocked", "no, yes"),
        ("X-Blocked", "YES"),
        ("X-User", "mallory"),
        ("Accept-Language", "de, en"),
        ("Accept-Language", "en-US,en;q=0.5"),
        ("Accept-Language", "de"),
    ],
    undecided: 5,
    preflights: false,
};

/// For names that are put together from the request.
const NAMES: Material = Material {
    hosts: &[
        "a.example",
        "A.EXAMPLE",
        "a.example:8080",
        "B.example",
        "b.example",
        "c.example",
        "d.example",
        "e.example",
        "f.example",
        "x.a.example.test",
        "test",
        "xtest",
        "unknown",
    ],
    paths: &[
        "/",
        "/a",
        "/a/",
        "/a/b",
        "/a/b/c",
        "/a/b/",
        "/a//b",
        "/ab",
        "/A",
        "/b/a",
        "/b/a/c",
        "/b",
        "/x/y.png",
        "//a",
        "/x1",
        "/c",
        "/keep",
        "/?pool=one",
        "/a?pool=two&pool=one",
        "/x?pool=none",
        "/x?pool=",
    ],
    headers: &[
        ("X-Pool", "a"),
        ("X-Pool", "A"),
        ("X-Pool", "a, b"),
        ("X-Pool", ""),
        ("X-Pool", "none"),
        ("Cookie", "pool=x"),
        ("Cookie", "pool=a; pool=x"),
        ("Cookie", "pool="),
    ],
    undecided: 5,
    preflights: false,
};

const ENVOY: Material = Material {
    hosts: &[
        "shop.example",
        "SHOP.example",
        "www.shop.example",
        "x.y.shop.example",
        "shop.example:8080",
        "shop.example.",
        "other.example",
        "www.other",
        "port.example",
        "port.example:8080",
        "shop.example.:99",
        "unknown",
    ],
    paths: &[
        "/",
        "/?x",
        "/api",
        "/api/",
        "/apix",
        "/api/v1/users/7",
        "/api/v1/users/7/x",
        "/api/v1/users/7?q=1",
        "/api?q=1",
        "/Static/x",
        "/STATICS",
        "/form",
        "/form?debug=1",
        "/form?debug=%31",
        "/form?x=1&debug=1",
        "/form?debug=2&debug=1",
        "/old",
        "/old?x",
        "/user/x",
        "/only",
        "//api/x",
        "/api//x",
        "/./api/x",
        "/x/../api/x",
        "/%61pi/x",
        "/api%2Fx",
        "/x?q=1",
        "/..",
        "/a/..//api/y",
        "/a\\api",
    ],
    headers: &[
        ("X-Beta", "on"),
        ("X-Beta", ""),
        ("X-Level", "3"),
        ("X-Level", "10"),
        ("X-Level", "1"),
        ("X-Level", "-1"),
        ("X-Level", "x"),
        ("X-User", "alice"),
        ("X-User", "ALICE"),
        ("X-User", "bob"),
    ],
    undecided: 5,
    preflights: false,
};

/// For filters that answer by themselves. Lists are short: many rules want several things at once.
const ENVOY_FILTERS: Material = Material {
    hosts: &["shop.example", "other.example", "secure.example"],
    paths: &[
        "/",
        "/healthz",
        "/healthz?x",
        "/gone",
        "/admin",
        "/admin/x?q",
        "/api/v1",
        "/api/v1?access_token=x",
        "/open",
        "/open/x",
        "/two/x",
        "/two/x?token=x",
        "/both/x",
        "/both/x?token=x&access_token=y",
        "/any/x",
        "/any/x?access_token=y",
        "/cors",
        "/draw/x",
    ],
    headers: &[
        ("X-User", "alice"),
        ("X-User", "mallory"),
        ("X-Role", "admin"),
        ("X-Fault", "1"),
        ("X-Forwarded-For", "10.1.2.3"),
        ("X-Forwarded-For", "10.1.2.3, 192.0.2.1"),
        ("Authorization", "Basic dXNlcjE6dGVzdDE="),
        ("Authorization", "basic nonsense"),
        ("Authorization", "Bearer x"),
        ("X-Token", "x"),
        ("X-Envoy-Fault-Abort-Request", "429"),
        ("Origin", "http://shop.example"),
        ("Origin", "http://evil.example"),
        ("Access-Control-Request-Method", "GET"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
    ],
    // Passwords, tokens, and what a filter in front may have changed.
    undecided: 40,
    preflights: true,
};

#[test]
fn envoy_filters() {
    compare(Dialect::Envoy, "envoy-filters.yaml", &ENVOY_FILTERS, &["/draw/"]);
}

#[test]
fn nginx() {
    compare(Dialect::Nginx, "nginx.conf", &NGINX, &["/split/"]);
}

#[test]
fn haproxy() {
    compare(Dialect::HaProxy, "haproxy.cfg", &HAPROXY, &["/split/"]);
}

#[test]
fn haproxy_names() {
    compare(Dialect::HaProxy, "haproxy-names.cfg", &NAMES, &[]);
}

#[test]
fn envoy() {
    compare(Dialect::Envoy, "envoy.yaml", &ENVOY, &["/split/", "/draw/"]);
}

/// A running proxy, its model, and the servers behind it.
struct Bench {
    config: Config,
    _running: Running,
    _scratch: Scratch,
}

fn compare(dialect: Dialect, file: &str, material: &Material, splits: &[&str]) {
    let Some(bench) = start(dialect, file) else { return };
    let mut random = Random::new(7, dialect as u64);
    let mut differences = Vec::new();
    let (mut undecided, mut sent) = (0_u64, 0_u64);
    for _ in 0..REQUESTS {
        let listener = random.choose(&bench.config.listeners).expect("the configuration has listeners");
        let request = draw(&mut random, material, listener);
        sent += 1;
        let decision = route(&bench.config, listener, &request);
        undecided += u64::from(decision.only().is_none());
        assert!(decision.complete && !decision.ends.is_empty(), "{request:?}");
        let answer = ask(&request);
        if !decision.ends.iter().any(|end| fits(&bench, &end.outcome, &answer)) {
            let ends: Vec<_> = decision.ends.iter().map(|end| &end.outcome).collect();
            differences.push(format!("{request:?}: {answer:?}, predicted {ends:?}"));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    // Whoever names every pool agrees with everything.
    assert!(undecided * 100 <= sent * material.undecided, "{undecided} of {sent} requests are not decided");
    for path in splits {
        shares(&bench, path);
    }
}

/// Whether an answer is what an outcome promises.
fn fits(bench: &Bench, outcome: &RouteOutcome, answer: &Answer) -> bool {
    match outcome {
        RouteOutcome::Pool { pool, .. } => {
            let port = bench.config.pool(*pool).endpoints.first().and_then(|endpoint| endpoint.address.port);
            answer.backend.is_some() && answer.backend == port
        }
        RouteOutcome::Respond(response) => {
            answer.backend.is_none() && response.status.is_none_or(|status| answer.status == Some(status))
        }
        RouteOutcome::Local(_) | RouteOutcome::Nothing => answer.backend.is_none(),
        _ => false,
    }
}

/// Each arm of a split gets its share, as far as chance allows.
fn shares(bench: &Bench, path: &str) {
    let listener = &bench.config.listeners[0];
    let mut request = plain(listener, "shop.example", path);
    request.headers = Some(Vec::new());
    let decision = route(&bench.config, listener, &request);
    assert!(decision.ends.len() > 1, "{path} is no split");
    let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
    for _ in 0..DRAWS {
        let answer = ask(&request);
        let arm = decision.ends.iter().position(|end| fits(bench, &end.outcome, &answer));
        *counts.entry(arm.expect("one of the predicted arms serves it")).or_default() += 1;
    }
    let n = f64::from(DRAWS);
    for (arm, end) in decision.ends.iter().enumerate() {
        let share = end.share.expect("the share is known");
        let count = f64::from(counts.get(&arm).copied().unwrap_or(0));
        // Five standard deviations of a binomial, and one request for its discreteness: missed once in a million runs.
        let bound = 5.0 * (n * share * (1.0 - share)).sqrt() + 1.0;
        assert!(
            (count - n * share).abs() <= bound,
            "{path}: {count} of {n}, predicted {share} of {:?}",
            end.outcome
        );
    }
    let total: f64 = decision.ends.iter().filter_map(|end| end.share).sum();
    assert!((total - 1.0).abs() < 1e-9, "{path}: the shares add up to {total}");
}

fn plain(listener: &Listener, host: &str, target: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let port = listener.binds.first().and_then(|bind| bind.ports).map(|(port, _)| port);
    Request {
        host: Some(host.to_owned()),
        path: Some(path.to_owned()),
        query: Some(query.to_owned()),
        method: Some("GET".to_owned()),
        headers: Some(Vec::new()),
        sni: Some(String::new()),
        tls: Some(false),
        port,
        destination: None,
        source: "127.0.0.1".parse().ok(),
    }
}

fn draw(random: &mut Random, material: &Material, listener: &Listener) -> Request {
    let host = random.choose(material.hosts).expect("hosts");
    let path = random.choose(material.paths).expect("paths");
    let mut request = plain(listener, host, path);
    if random.below(6) == 0 {
        request.method = Some("POST".to_owned());
    }
    let mut headers = Vec::new();
    // A browser asks first: these go together or not at all.
    if material.preflights && random.below(6) == 0 {
        request.method = Some("OPTIONS".to_owned());
        let origin = random.choose(&["http://shop.example", "http://evil.example"]).expect("origins");
        headers.push(("Origin".to_owned(), (*origin).to_owned()));
        headers.push(("Access-Control-Request-Method".to_owned(), "GET".to_owned()));
    }
    while random.below(2) == 0 && headers.len() < 3 {
        let (name, value) = random.choose(material.headers).expect("headers");
        // Proxies differ in what they make of a header given twice; that is not the matter here.
        if !headers.iter().any(|(known, _)| known == name) {
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    request.headers = Some(headers);
    request
}

fn start(dialect: Dialect, file: &str) -> Option<Bench> {
    let program = Program::for_test(dialect, "routing")?;
    let path = reading::root().join("tests/routing").join(file);
    let folder = reading::root().join("tests/routing");
    let text = std::fs::read_to_string(path).expect("the configuration is text");
    let text = prepare(&text.replace("@MAPS@", &folder.display().to_string())).text;
    Some(run(&program, file, &text, Scratch::new()))
}

/// Starts a program with a configuration in a folder.
fn run(program: &Program, file: &str, text: &str, scratch: Scratch) -> Bench {
    let dialect = program.dialect;
    let mut options = ReadOptions::new(dialect);
    options.version = program.version().unwrap_or(options.version);
    let mut sources = Sources::new();
    let mut loader = MemoryLoader::one(file, text.as_bytes());
    let folder = reading::root().join("tests/routing");
    for map in ["hosts.map", "paths.map", "labels.map", "expressions.map"].map(|map| folder.join(map)) {
        loader.files.insert(map.display().to_string(), std::fs::read(map).expect("the map is there"));
    }
    let read = read(&loader, &mut sources, &[file.to_owned()], &options);
    let mut text = text.to_owned();
    let mut command = Command::new(&program.path);
    match dialect {
        Dialect::Nginx => {
            let folder = scratch.path().display();
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!(" {kind}_temp_path {folder}/{kind};"))
                .concat();
            text = text.replacen("http {", &format!("http {{{temporary} access_log off; root {folder};"), 1);
            let settings = format!("daemon off; master_process off; pid {folder}/pid;");
            command.args(["-e", "stderr", "-g", &settings, "-p"]).arg(scratch.path()).arg("-c");
        }
        Dialect::HaProxy => drop(command.args(["-db", "-f"])),
        Dialect::Envoy => {
            let folder = scratch.path().join("envoy");
            command.args(["--disable-hot-restart", "--concurrency", "1", "-l", "error", "--log-path"]);
            command.arg(folder).arg("-c");
        }
    }
    command.arg(scratch.write(file, &text));
    let config = read.config;
    let first = plain(&config.listeners[0], "ready.example", "/");
    let ready = || ask::try_ask(&first, Duration::from_millis(200));
    let (running, _) = Running::start(command, &scratch, ready).expect(file);
    Bench { config, _running: running, _scratch: scratch }
}
