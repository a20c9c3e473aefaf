//! No input makes the reader panic, and tokens always are the text.

use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::nginx::tokens;
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;
use proptest::prelude::*;

const SAMPLE: &str = r#"events { worker_connections 10; }
http {
    map $host $m { hostnames; *.a.com u; ~^x 'v'; default u; }
    split_clients $remote_addr $s { 10% u; * v; }
    geo $g { default 0; 10.0.0.0/8 1; }
    upstream u { hash $uri consistent; server 10.0.0.1 weight=2 max_fails=3; server unix:/s down; }
    upstream v { random two; server [::1]:80; }
    server {
        listen 80 default_server; listen [::]:8080-8090 ssl; server_name .a.com ~^(?<x>.+)$ "";
        mirror /m; if ($http_x ~* "a") { return 301 https://$host; }
        location = /m { internal; proxy_pass http://v$request_uri; }
        location /a/ { proxy_pass http://$m; location ~ \.b$ { proxy_pass http://$s; } limit_except GET { deny all; } }
        location / { try_files $uri @x; rewrite ^/(.*)$ /a/$1 last; }
        location @x { content_by_lua_block { local a = [==[ } ]==] -- }
        } }
    }
}
stream { server { listen 53 udp; proxy_pass 10.0.0.1:53; } }
"#;

fn read_bytes(bytes: &[u8], context: &str) {
    let joined: Vec<u8> = tokens(bytes).iter().flat_map(|token| token.bytes.to_vec()).collect();
    assert_eq!(joined, bytes);
    let mut options = ReadOptions::new(Dialect::Nginx);
    options.context = context.split_whitespace().map(str::to_owned).collect();
    let mut sources = Sources::new();
    let loader = MemoryLoader::one("n.conf", bytes);
    let reading = read(&loader, &mut sources, &["n.conf".to_owned()], &options);
    for diagnostic in &reading.diagnostics {
        let _ = sources.position(diagnostic.primary.span);
    }
}

#[test]
fn every_beginning_of_a_configuration() {
    for end in 0..=SAMPLE.len() {
        read_bytes(&SAMPLE.as_bytes()[..end], "");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for context in ["", "http", "http server location", "stream server", "http upstream"] {
            read_bytes(&bytes, context);
        }
    }

    #[test]
    fn any_words(words in proptest::collection::vec(
        prop::sample::select(vec![
            "http", "server", "location", "upstream", "{", "}", ";", "listen", "80", "if", "($a", "=", ")", "~", "^~",
            "proxy_pass", "http://u", "$x", "${", "map", "geo", "split_clients", "10%", "*", "server_name", "~^(",
            "try_files", "@x", "/", "rewrite", "return", "include", "set", "\"", "'", "#\n", "\\", "stream", "types",
            "x_by_lua_block", "--", "[[", "]]", "\n", "weight=0", "backup", "unix:", "[::1]:80", "health_check",
        ]), 0..60)
    ) {
        read_bytes(words.join(" ").as_bytes(), "");
        read_bytes(words.concat().as_bytes(), "http");
    }

    #[test]
    fn a_configuration_with_some_bytes_changed(
        changes in proptest::collection::vec((0..SAMPLE.len(), any::<u8>()), 1..6),
        cut in 0..SAMPLE.len(),
    ) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        read_bytes(&bytes, "");
        bytes.remove(cut);
        read_bytes(&bytes, "");
    }
}

#[test]
fn depth_and_size_cost_only_what_they_hold() {
    let deep =
        format!("events {{}} http {{ server {{ {}{} }} }}", "location / { ".repeat(3000), "}".repeat(3000));
    read_bytes(deep.as_bytes(), "");
    read_bytes("{".repeat(20_000).as_bytes(), "");
    read_bytes("\"a 'b\n".repeat(5_000).as_bytes(), "");
    let many: String = (0..1000)
        .map(|at| {
            format!("location /p{at} {{ proxy_pass http://10.0.0.1; }} location ~ r{at} {{ return 200; }}\n")
        })
        .collect();
    let case = crate::nginx_common::http(&format!("server {{ {many} }}"));
    let routes: usize = case.config().tables.iter().map(|table| table.routes.len()).sum();
    assert!(routes < 6000, "{routes} routes for 2000 locations");
}

/// Each of these took minutes once: their cost grew with the square of their number.
#[test]
fn long_chains_and_many_addresses_take_no_longer_than_their_length() {
    const MANY: usize = 10_000;
    let lines = |line: &dyn Fn(usize) -> String| (0..MANY).map(line).collect::<String>();
    let sets = lines(&|at| format!("set $a{} \"$a{at}x\"; set $b{} \"${{b{at}}}x\";\n", at + 1, at + 1));
    let case = crate::nginx_common::http(&format!(
        "server {{ set $a0 a; set $b0 b; {sets} location / {{ proxy_pass http://$b{MANY}; }} }}"
    ));
    assert_eq!(case.route("*:80", "x", "/"), format!("dynamic http://$b{MANY} of 0"));
    let listens = lines(&|at| format!("listen 127.0.{}.{}:80;\n", at / 250, at % 250));
    let case = crate::nginx_common::http(&format!("server {{ {listens} }}"));
    assert_eq!(case.config().listeners.len(), MANY);
    let maps = lines(&|at| format!("map $m{} $m{at} {{ default $m{}; }}\n", at + 1, at + 1));
    crate::nginx_common::http(&format!(
        "{maps} map $host $m{MANY} {{ default u; }} server {{ location / {{ proxy_pass http://$m0; }} }}"
    ));
    let tries = lines(&|at| format!("location /l{at} {{ try_files $uri /l{}; }}\n", at + 1));
    crate::nginx_common::http(&format!("server {{ {tries} }}"));
    let unknown = lines(&|at| format!("listne{at} 80;\n"));
    let case = crate::nginx_common::http(&unknown);
    assert_eq!(case.errors().len(), MANY);
}
