//! Servers of nginx put together at random, and where their requests go: what turns a request away, what answers errors,
//! and how the constructs change each other. `LBCHECK_RANDOM_SERVERS` sets how many servers are tried, `LBCHECK_SEED` which.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lbcheck::dialect::Dialect;
use lbcheck::traffic::{Decision, Request, RouteOutcome, Truth, route};
use lbcheck_verify::process::{Scratch, prepare};
use lbcheck_verify::program::Program;
use lbcheck_verify::random::Random;

use super::ask::{Answer, ask};
use super::{Bench, fits, plain, run};

/// Servers of one running program.
const BATCH: usize = 40;
/// Requests to each server.
const REQUESTS: usize = 30;

#[test]
fn random_servers_of_nginx() {
    let Some(program) = Program::for_test(Dialect::Nginx, "routing") else { return };
    let number = |name: &str, default: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (servers, seed) = (number("LBCHECK_RANDOM_SERVERS", 2 * BATCH), number("LBCHECK_SEED", 1));
    let (mut sent, mut undecided) = (0, 0);
    let mut differences: Vec<String> = Vec::new();
    for batch in 0..servers.div_ceil(BATCH) {
        let mut random = Random::new(seed as u64, batch as u64);
        let blocks: Vec<String> = (0..BATCH).map(|number| server(&mut random, number)).collect();
        let upstreams: String = (1..=5)
            .map(|number| format!("upstream u{number} {{ server 127.0.0.1:@BACK{number}@; }}\n"))
            .collect();
        let text = format!("events {{}}\nhttp {{\n{upstreams}{}\n}}\n", blocks.concat());
        let scratch = Scratch::new();
        files(&scratch);
        let bench = run(&program, "random.conf", &prepare(&text).text, scratch);
        for (number, block) in blocks.iter().enumerate() {
            for _ in 0..REQUESTS {
                let request = request(&mut random, &bench, number);
                let decision = route(&bench.config, &bench.config.listeners[0], &request);
                let answer = ask(&request);
                sent += 1;
                let decided =
                    decision.only().is_some_and(|end| !matches!(end.outcome, RouteOutcome::Opaque(_)));
                undecided += usize::from(!decided);
                let failed = block.contains("error_page");
                // A question that closes the connection closes that of the request.
                if answer.status.is_none() && block.contains("auth_request /refuse") {
                    continue;
                }
                if !decision.ends.iter().any(|end| is_answer(&bench, &end.outcome, &answer, failed)) {
                    let ends: Vec<_> = decision.ends.iter().map(|end| &end.outcome).collect();
                    let mut difference = format!("{request:?}: {answer:?}, predicted {ends:?}\n");
                    steps(&mut difference, &bench, &decision);
                    differences.push(format!("{difference}{block}"));
                    break;
                }
            }
        }
    }
    println!("{undecided} of {sent} requests are not decided");
    assert!(
        differences.is_empty(),
        "{} servers with differences:\n{}",
        differences.len(),
        differences.iter().take(6).cloned().collect::<Vec<_>>().join("\n")
    );
    // Whoever names every pool agrees with everything. Files and questions to other servers are not known.
    assert!(undecided * 2 <= sent, "{undecided} of {sent} requests are not decided");
}

/// Files are found or not, but nobody is asked for a password there, unless an earlier error had that status.
fn is_answer(bench: &Bench, outcome: &RouteOutcome, answer: &Answer, failed: bool) -> bool {
    match outcome {
        RouteOutcome::Local(_) => answer.backend.is_none() && (failed || answer.status != Some(401)),
        RouteOutcome::Opaque(_) => true,
        outcome => fits(bench, outcome, answer),
    }
}

fn steps(text: &mut String, bench: &Bench, decision: &Decision) {
    for step in decision.steps.iter().filter(|step| step.truth != Truth::No) {
        let route = &step.rules.routes(&bench.config)[step.route];
        let _ = writeln!(
            text,
            "  {:?} {} [{:?}] {:?}",
            step.truth,
            route.label,
            route.when,
            step.new_path.as_deref().unwrap_or_default()
        );
    }
}

/// Files to be found, and passwords.
fn files(scratch: &Scratch) {
    for folder in ["a", "b", "b/c"] {
        std::fs::create_dir_all(scratch.path().join(folder)).expect("a folder");
    }
    for name in ["index.html", "a.html", "a/index.html", "a/x.php", "b/x.html", "b/c/index.php", "err"] {
        scratch.write(name, "a file");
    }
    scratch.write("passwords", "alice:{PLAIN}secret\n");
}

/// One of several, with how often each.
fn pick<'t>(random: &mut Random, from: &[&'t str]) -> &'t str {
    random.choose(from).copied().unwrap_or_default()
}

fn chance(random: &mut Random, percent: usize) -> bool {
    random.below(100) < percent
}

const CODES: &[&str] =
    &["401", "403", "404", "404", "405", "418", "500", "301", "302", "403 404", "401 403 404"];
const TARGETS: &[&str] = &[
    "@one",
    "@two",
    "@two",
    "/err",
    "/err",
    "/a/x",
    "/b/c/",
    "/nowhere",
    "/err?x=1",
    "http://away.example/",
    "/in/side",
];
const STATUSES: &[&str] = &["", "", "", "=", "=200", "=418", "=503"];

fn error_page(random: &mut Random) -> String {
    let (codes, status, to) = (pick(random, CODES), pick(random, STATUSES), pick(random, TARGETS));
    format!("error_page {codes} {status} {to};\n")
}

/// What may stand in a server as well as in a location.
fn common(random: &mut Random, percent: usize) -> String {
    let mut text = String::new();
    while chance(random, percent) && text.len() < 200 {
        text += &error_page(random);
    }
    if chance(random, percent / 4) {
        text += "recursive_error_pages on;\n";
    }
    if chance(random, percent / 2) {
        text += pick(
            random,
            &["auth_basic off;\n", "auth_basic x; auth_basic_user_file passwords;\n", "auth_basic y;\n"],
        );
    }
    if chance(random, percent / 2) {
        text += pick(
            random,
            &[
                "deny all;\n",
                "allow 127.0.0.1; deny all;\n",
                "deny 10.0.0.0/8;\n",
                "allow 10.0.0.0/8; deny all;\n",
                "deny 127.0.0.1; allow all;\n",
                "allow all;\n",
            ],
        );
    }
    if chance(random, percent / 3) {
        text += pick(random, &["satisfy any;\n", "satisfy all;\n"]);
    }
    if chance(random, percent / 5) {
        text += pick(random, &["auth_request /ask;\n", "auth_request /refuse;\n", "auth_request off;\n"]);
    }
    if chance(random, percent / 5) {
        text += pick(random, &["mirror /ask;\n", "mirror off;\n", "proxy_intercept_errors on;\n"]);
    }
    if chance(random, percent / 3) {
        text += pick(
            random,
            &["index index.php;\n", "index none.html index.php index.html;\n", "index x.html /b/c/x;\n"],
        );
    }
    text
}

fn answer(random: &mut Random) -> &'static str {
    pick(
        random,
        &[
            "return 404;",
            "return 403;",
            "return 418;",
            "return 500;",
            "return 499;",
            "return 204;",
            "return 200 text;",
            "return 404 text;",
            "return 301 /b/;",
            "return 302 http://away.example/;",
            "return 444;",
        ],
    )
}

fn rewrite(random: &mut Random) -> String {
    let from = pick(random, &["^/a/(.*)$", "^/b", "^", "^/a", "^/(.*)\\.html$", "nothing"]);
    let to = pick(random, &["/b/$1", "/err", "/a/x", "/in/side", "/c/$1?y=2", "/"]);
    let flag = pick(random, &["last", "break", "break", "", "redirect", "permanent"]);
    format!("rewrite {from} {to} {flag};\n")
}

fn condition(random: &mut Random) -> &'static str {
    pick(
        random,
        &[
            "($http_x_a)",
            "($http_x_a = 1)",
            "($request_method = POST)",
            "($arg_x)",
            "($uri ~ ^/a)",
            "($request_uri ~ ^/b)",
            "($http_x_b != \"\")",
        ],
    )
}

fn branch(random: &mut Random, in_location: bool) -> String {
    let mut inside = match random.below(if in_location { 7 } else { 3 }) {
        0 => answer(random).to_owned(),
        1 => rewrite(random),
        2 => "break;".to_owned(),
        3 | 4 => format!("proxy_pass http://u{};", 1 + random.below(5)),
        5 => error_page(random),
        _ => "add_header X-If 1;".to_owned(),
    };
    if in_location && chance(random, 20) {
        inside += &error_page(random);
    }
    format!("if {} {{ {inside} }}\n", condition(random))
}

fn handler(random: &mut Random) -> String {
    match random.below(10) {
        0..6 => format!("proxy_pass http://u{};\n", 1 + random.below(5)),
        6 => "stub_status;\n".to_owned(),
        _ => String::new(),
    }
}

fn try_files(random: &mut Random) -> String {
    let files = pick(random, &["$uri", "$uri $uri/", "$uri $uri/index.html", "/a.html", "/none"]);
    let last = pick(random, &["=404", "=403", "@one", "@two", "/err", "/b/c/x.php?z", "/index.html"]);
    format!("try_files {files} {last};\n")
}

fn location(random: &mut Random, head: &str) -> String {
    let named = head.starts_with('@');
    let mut text = common(random, if named { 20 } else { 30 });
    if chance(random, 12) && !named {
        text += "internal;\n";
    }
    for _ in 0..random.below(3) {
        if chance(random, 40) {
            text += &branch(random, true);
        }
    }
    if chance(random, 15) {
        text += &rewrite(random);
    }
    if chance(random, 12) {
        text += answer(random);
    }
    if chance(random, 20) {
        text += &try_files(random);
    }
    if chance(random, 15) {
        let inner =
            pick(random, &["deny all;", "allow 127.0.0.1; deny all;", "auth_basic x;", "deny 10.0.0.0/8;"]);
        let own = if chance(random, 30) { "proxy_pass http://u4;" } else { "" };
        text += &format!(
            "limit_except {} {{ {inner} {own} }}\n",
            pick(random, &["GET", "GET POST", "POST", "get"])
        );
    }
    text += &handler(random);
    let nested = head.strip_prefix("^~ ").unwrap_or(head);
    if nested.starts_with('/') && nested.ends_with('/') && chance(random, 15) {
        let inner = pick(random, &["x", "c/", "index.html"]);
        text += &location(random, &format!("{nested}{inner}"));
    }
    if nested.starts_with('/') && chance(random, 10) {
        let inner = pick(random, &["~ x$", "~ \\.html$", "~ c"]);
        text += &location(random, inner);
    }
    format!("location {head} {{\n{text}}}\n")
}

fn server(random: &mut Random, number: usize) -> String {
    let mut text = format!("listen 127.0.0.1:@PORT1@; server_name s{number}.example;\n");
    text += &common(random, 20);
    if chance(random, 15) {
        text += &branch(random, false);
    }
    if chance(random, 10) {
        text += &rewrite(random);
    }
    if chance(random, 8) {
        text += &try_files(random);
    }
    let heads = [
        "/",
        "/a",
        "/a/",
        "/b/",
        "/b/c/",
        "^~ /b/c",
        "= /",
        "= /err",
        "= /a",
        "/err",
        "~ \\.html$",
        "~ ^/a/x",
        "~* \\.PHP$",
        "= /index.html",
        "/in/",
    ];
    let mut known: BTreeMap<&str, ()> = BTreeMap::new();
    for _ in 0..1 + random.below(6) {
        let head = pick(random, &heads);
        // The same place with and without `^~` is one.
        let path = head.strip_prefix("^~ ").unwrap_or(head);
        if known.insert(path, ()).is_none() {
            text += &location(random, head);
        }
    }
    text += &location(random, "@one");
    if chance(random, 70) {
        text += &location(random, "@two");
    }
    let ask = pick(random, &["proxy_pass http://u5;", "return 204;"]);
    let _ = write!(text, "location = /ask {{ {ask} }}\nlocation = /refuse {{ return 401; }}\n");
    format!("server {{\n{text}}}\n")
}

fn request(random: &mut Random, bench: &Bench, number: usize) -> Request {
    let paths = [
        "/",
        "/",
        "/a",
        "/a/",
        "/a/x",
        "/a/x.php",
        "/a.html",
        "/b/",
        "/b/x.html",
        "/b/c/",
        "/b/c/x",
        "/err",
        "/in/side",
        "/index.html",
        "/none.html",
        "/x.php?x=1",
        "/nowhere",
        "/a/?x=1",
        "/b",
        "/b/c",
    ];
    let path = pick(random, &paths);
    let mut request = plain(&bench.config.listeners[0], &format!("s{number}.example"), path);
    let method = pick(random, &["GET", "GET", "GET", "POST", "HEAD", "DELETE"]);
    request.method = Some(method.to_owned());
    let mut headers = Vec::new();
    let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    match random.below(4) {
        // alice:secret and alice:wrong
        0 => add("Authorization", "Basic YWxpY2U6c2VjcmV0"),
        1 => add("Authorization", pick(random, &["basic YWxpY2U6d3Jvbmc=", "Bearer x", "Basic"])),
        _ => {}
    }
    if chance(random, 40) {
        add("X-A", pick(random, &["1", "0", "x"]));
    }
    if chance(random, 20) {
        add("X-B", "1");
    }
    request.headers = Some(headers);
    request
}
