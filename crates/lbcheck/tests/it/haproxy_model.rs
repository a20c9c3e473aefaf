//! What HAProxy configurations become in the model. Every fact was confirmed with the program.

use std::time::Duration;

use lbcheck::dialect::{Dialect, Version};
use lbcheck::load::MemoryLoader;
use lbcheck::model::{
    AdminState, Affinity, Algorithm, CheckKind, Config, Endpoint, HashFunction, HashKey, HashTable, Host,
    Membership, Mode, Origin, Pool,
};
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;

fn options(version: (u16, u16), env: &[(&str, &str)]) -> ReadOptions {
    let mut options = ReadOptions::new(Dialect::HaProxy);
    options.version = Version::new(version.0, version.1);
    options.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    options
}

fn reading_as(text: &str, version: (u16, u16), env: &[(&str, &str)]) -> Reading {
    let loader = MemoryLoader::one("haproxy.cfg", text);
    read(&loader, &mut Sources::new(), &["haproxy.cfg".to_owned()], &options(version, env))
}

fn config(text: &str) -> Config {
    let reading = reading_as(text, (3, 2), &[]);
    let messages: Vec<&String> = reading.diagnostics.iter().map(|found| &found.message).collect();
    assert!(messages.is_empty(), "{text}\n{messages:#?}");
    reading.config
}

fn pool<'c>(config: &'c Config, name: &str) -> &'c Pool {
    let found = config.pools.iter().position(|pool| pool.name.value == name);
    assert!(found.is_some(), "no pool {name}");
    &config.pools[found.unwrap_or_default()]
}

fn endpoint<'c>(pool: &'c Pool, name: &str) -> &'c Endpoint {
    let found = pool.endpoints.iter().position(|endpoint| endpoint.name.value == name);
    assert!(found.is_some(), "no server {name}");
    &pool.endpoints[found.unwrap_or_default()]
}

/// The server `s` of a backend that consists of `lines`.
fn server(lines: &str) -> Endpoint {
    let config = config(&format!("backend b\n{lines}\n"));
    endpoint(pool(&config, "b"), "s").clone()
}

#[test]
fn an_ordinary_file_is_understood_in_full() {
    let config = config(
        "global\n maxconn 5000\n log stdout format raw local0\n\
         defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30000\n \
         option httplog\n log global\n retries 2\n option redispatch\n\
         frontend web\n bind :80\n bind :443 ssl crt /etc/web.pem alpn h2,http/1.1\n default_backend app\n\
         backend api\n balance leastconn\n option httpchk GET /health\n \
         server a1 10.0.0.1:8080 check weight 10\n server a2 10.0.0.2:8080 check weight 20 backup\n\
         backend app\n cookie SRV insert indirect nocache\n server s1 10.0.1.1:8080 check cookie s1\n",
    );
    assert!(config.coverage.gaps.is_empty());
    assert_eq!((config.coverage.total, config.coverage.understood), (24, 24));
    let api = pool(&config, "api");
    assert_eq!(api.mode.value, Mode::Http);
    assert!(matches!(api.mode.origin, Origin::Inherited(_)));
    assert_eq!(api.algorithm.value, Algorithm::LeastConnections { choices: None, bias_milli: 1000 });
    assert_eq!(api.timeouts.response.unwrap().value, Duration::from_secs(30));
    assert_eq!(api.timeouts.queue.unwrap().value, Duration::from_secs(5));
    assert_eq!(api.retries.attempts.unwrap().value, 2);
    assert_eq!(api.retries.redispatch.unwrap().value, -1);
    let (first, second) = (endpoint(api, "a1"), endpoint(api, "a2"));
    assert_eq!((first.weight.value, first.tier.value), (10, 0));
    assert_eq!((second.weight.value, second.tier.value), (20, 1));
    let check = &first.check.as_ref().unwrap().value;
    assert_eq!(check.kind, CheckKind::Http { path: Some("/health".into()) });
    assert_eq!(check.timing.interval.unwrap().value, Duration::from_secs(2));
    assert_eq!((check.timing.fall.unwrap().value, check.timing.rise.unwrap().value), (3, 2));
    let app = pool(&config, "app");
    assert_eq!(app.affinity[0].value, Affinity::Cookie("SRV".into()));
    assert_eq!(app.endpoints[0].cookie.as_ref().unwrap().value, "s1");
    let binds = &config.listeners[0].binds;
    assert_eq!((binds[0].ports, binds[0].tls), (Some((80, 80)), false));
    assert_eq!((binds[1].ports, binds[1].tls), (Some((443, 443)), true));
}

#[test]
fn balance_lines() {
    let hash = |key: HashKey, table, function| Algorithm::Hash { key, table, function, balance_factor: 0 };
    let expression = |text: &str| HashKey::Expression(text.into());
    let sdbm = |avalanche| HashFunction::Sdbm { avalanche };
    let plain = HashFunction::Identity { avalanche: false };
    let cases = [
        ("", Algorithm::RoundRobin),
        ("balance roundrobin", Algorithm::RoundRobin),
        ("balance static-rr", Algorithm::StaticRoundRobin),
        ("balance first", Algorithm::First),
        ("balance random", Algorithm::Random { draws: 2, weighted: true, by: None }),
        ("balance random(4)", Algorithm::Random { draws: 4, weighted: true, by: None }),
        ("balance source", hash(HashKey::Source, HashTable::Map, plain)),
        ("balance uri", hash(expression("uri"), HashTable::Map, sdbm(false))),
        ("balance uri depth 2", hash(expression("uri depth 2"), HashTable::Map, sdbm(false))),
        (
            "balance hdr(x-user)\n hash-type consistent",
            hash(expression("hdr(x-user)"), HashTable::Ring, sdbm(true)),
        ),
        (
            "hash-type consistent djb2\n balance url_param id",
            hash(expression("url_param id"), HashTable::Ring, HashFunction::Djb2 { avalanche: false }),
        ),
        (
            "balance hash req.cook(sid)\n hash-type map-based crc32 avalanche",
            hash(expression("hash req.cook(sid)"), HashTable::Map, HashFunction::Crc32 { avalanche: true }),
        ),
        ("balance hash str(x)", hash(HashKey::Constant("str(x)".into()), HashTable::Map, sdbm(false))),
        (
            "balance uri\n hash-type consistent\n hash-balance-factor 150",
            Algorithm::Hash {
                key: expression("uri"),
                table: HashTable::Ring,
                function: sdbm(true),
                balance_factor: 150,
            },
        ),
    ];
    for (lines, expected) in cases {
        let config = config(&format!("backend b\n mode http\n {lines}\n server s 10.0.0.1:80\n"));
        assert_eq!(pool(&config, "b").algorithm.value, expected, "{lines}");
    }
}

#[test]
fn the_default_algorithm_depends_on_the_version() {
    let text = "backend b\n server s 10.0.0.1:80\n";
    let algorithm = |version| reading_as(text, version, &[]).config.pools[0].algorithm.clone();
    assert_eq!(algorithm((3, 2)).value, Algorithm::RoundRobin);
    assert!(matches!(algorithm((3, 3)).value, Algorithm::Random { .. }));
    assert!(!algorithm((3, 2)).is_explicit());
}

#[test]
fn a_layer_7_hash_in_tcp_mode_is_round_robin() {
    let text = "backend b\n mode tcp\n balance uri\n server s 10.0.0.1:80\n";
    let reading = reading_as(text, (3, 2), &[]);
    assert_eq!(reading.config.pools[0].algorithm.value, Algorithm::RoundRobin);
    assert_eq!(reading.diagnostics.len(), 1);
    assert!(reading.diagnostics[0].message.contains("roundrobin instead"));
}

#[test]
fn default_server_accumulates_and_servers_may_undo() {
    let config = config(
        "defaults\n default-server inter 5s fall 4 maxconn 100\n\
         backend b\n server early 10.0.0.1:80 check\n default-server check weight 7\n \
         default-server rise 6\n server late 10.0.0.2:80\n \
         server bare 10.0.0.3:80 no-check weight 0 disabled\n",
    );
    let b = pool(&config, "b");
    let early = endpoint(b, "early");
    assert_eq!(early.weight.value, 1);
    let timing = early.check.as_ref().unwrap().value.timing;
    assert_eq!(timing.interval.unwrap().value, Duration::from_secs(5));
    assert!(matches!(timing.interval.unwrap().origin, Origin::Inherited(_)));
    assert_eq!((timing.fall.unwrap().value, timing.rise.unwrap().value), (4, 2));
    let late = endpoint(b, "late");
    assert_eq!(late.weight.value, 7);
    assert!(matches!(late.weight.origin, Origin::Inherited(_)));
    assert!(matches!(late.check.as_ref().unwrap().origin, Origin::Inherited(_)));
    assert_eq!(late.check.as_ref().unwrap().value.timing.rise.unwrap().value, 6);
    assert_eq!(late.max_connections.unwrap().value, 100);
    let bare = endpoint(b, "bare");
    assert!(bare.check.is_none());
    assert_eq!((bare.weight.value, bare.state.value), (0, AdminState::Disabled));
}

#[test]
fn server_addresses() {
    let cases = [
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        ("ipv6@2001:db8::1:80", "[2001:db8::1]:80"),
        ("10.0.0.1:+100", "10.0.0.1:+100"),
        ("App.Example:8080", "app.example:8080"),
        ("unix@/run/app.sock", "/run/app.sock"),
        ("/run/app.sock", "/run/app.sock"),
        ("abns@app", "abns@app"),
        ("10.0.0.1", "10.0.0.1"),
    ];
    for (written, expected) in cases {
        let shown = server(&format!(" server s {written}")).address.to_string();
        assert!(shown.ends_with(expected), "{written}: {shown}");
    }
    assert_eq!(server(" server s App:1").address.host, Host::Name("app".into()));
    assert_eq!(server(" server s 10.0.0.1:+100").address.port_offset, 100);
}

#[test]
fn checks_of_servers() {
    let http = |path: &str| Some(CheckKind::Http { path: Some(path.into()) });
    let other = |name: &str| Some(CheckKind::Other(name.into()));
    let line = "server s 10.0.0.1:80 check";
    let cases = [
        ("server s 10.0.0.1:80".to_owned(), None),
        (line.to_owned(), Some(CheckKind::Tcp)),
        (format!("option tcp-check\n {line}"), Some(CheckKind::Tcp)),
        (
            format!("option tcp-check\n tcp-check connect\n tcp-check expect string OK\n {line}"),
            other("tcp-check"),
        ),
        (format!("option httpchk\n {line}"), http("/")),
        (format!("option httpchk /up\n {line}"), http("/up")),
        (format!("{line}\n option httpchk HEAD /up HTTP/1.1"), http("/up")),
        (format!("option httpchk\n http-check send meth GET uri /z hdr host x\n {line}"), http("/z")),
        (format!("option mysql-check\n {line}"), other("mysql")),
        (format!("option httpchk\n option redis-check\n {line}"), other("redis")),
        ("server s 10.0.0.1:80 agent-check agent-port 9".to_owned(), Some(CheckKind::Agent)),
        (
            "server t 10.0.0.2:80 check\n server s 10.0.0.1:80 track t".to_owned(),
            Some(CheckKind::Track("t".into())),
        ),
        ("default-server check\n server s 10.0.0.1:80 no-check".to_owned(), None),
    ];
    for (lines, expected) in cases {
        let kind = server(&format!(" {lines}")).check.map(|check| check.value.kind);
        assert_eq!(kind, expected, "{lines}");
    }
}

#[test]
fn passive_detection_needs_a_check() {
    let failures = |lines: &str| server(lines).outlier_detection.map(|found| found.value.failures);
    // Each time the limit is reached counts as one failed check, of which `fall` are needed.
    assert_eq!(failures(" server s 10.0.0.1:80 check observe layer4 error-limit 5"), Some(15));
    assert_eq!(
        failures(" server s 10.0.0.1:80 check observe layer4 error-limit 5 on-error mark-down"),
        Some(5)
    );
    assert_eq!(failures(" server s 10.0.0.1:80 check observe layer4 fall 1"), Some(10));
    assert_eq!(failures(" server s 10.0.0.1:80 observe layer4"), None);
    assert_eq!(failures(" server s 10.0.0.1:80 check observe none"), None);
}

#[test]
fn templates_and_srv_records() {
    let config = config(
        "resolvers dns\n nameserver one 10.0.0.53:53\n\
         backend names\n server-template s 5 app.example:80 resolvers dns check\n\
         backend ranges\n server-template s 1-3 app.example:80 resolvers dns init-addr none\n\
         backend records\n server-template s 2 _http._tcp.app.example resolvers dns\n",
    );
    assert_eq!(pool(&config, "names").endpoints[0].slots, 5);
    assert_eq!(pool(&config, "names").membership, Membership::Static);
    assert_eq!(pool(&config, "ranges").endpoints[0].slots, 3);
    assert!(matches!(pool(&config, "records").membership, Membership::Unknown(_)));
}

#[test]
fn defaults_are_inherited_by_position_and_by_name() {
    let config = config(
        "defaults base\n mode http\n balance leastconn\n timeout connect 1s\n\
         defaults slow from base\n timeout connect 9s\n\
         backend a\n server s 10.0.0.1:80\n\
         backend b from base\n server s 10.0.0.1:80\n\
         defaults fresh\n\
         backend c\n server s 10.0.0.1:80\n",
    );
    let connect = |pool: &Pool| pool.timeouts.connect.map(|timeout| timeout.value.as_secs());
    let facts: Vec<_> = config.pools.iter().map(|pool| (pool.mode.value, connect(pool))).collect();
    assert_eq!(facts, [(Mode::Http, Some(9)), (Mode::Http, Some(1)), (Mode::Tcp, None)]);
}

#[test]
fn a_later_option_undoes_an_inherited_one() {
    let config = config(
        "defaults\n option redispatch 3\n option allbackups\n\
         backend a\n server s 10.0.0.1:80\n\
         backend b\n no option redispatch\n no option allbackups\n server s 10.0.0.1:80\n",
    );
    let facts: Vec<_> = config
        .pools
        .iter()
        .map(|pool| (pool.retries.redispatch.map(|found| found.value), pool.all_backups.unwrap().value))
        .collect();
    assert_eq!(facts, [(Some(3), true), (None, false)]);
}

#[test]
fn bind_forms() {
    let cases = [
        (":::1247 v6only", "::", Some((1247, 1247))),
        (":::20000-20199", "::", Some((20000, 20199))),
        (":9000-9004", "*", Some((9000, 9004))),
        ("*:80", "*", Some((80, 80))),
        ("abns@x", "abns@x", None),
        ("fd@3", "fd@3", None),
        ("unix@/run/l.sock mode 660", "/run/l.sock", None),
        ("quic4@:443 ssl crt /x.pem", "*", Some((443, 443))),
    ];
    for (words, host, ports) in cases {
        let config = config(&format!("listen l\n bind {words}\n server s 10.0.0.1:80\n"));
        let bind = &config.listeners[0].binds[0];
        assert_eq!((bind.host.as_str(), bind.ports), (host, ports), "{words}");
    }
    let config = config("listen l\n bind 10.0.0.1:80,[::]:81 accept-proxy\n server s 10.0.0.2:80\n");
    let binds: Vec<_> = config.listeners[0]
        .binds
        .iter()
        .map(|bind| (bind.host.as_str(), bind.ports, bind.accept_proxy))
        .collect();
    assert_eq!(binds, [("10.0.0.1", Some((80, 80)), true), ("::", Some((81, 81)), true)]);
}

#[test]
fn disabled_sections_have_no_listener() {
    let config = config("frontend f\n bind :80\n disabled\nbackend b\n disabled\n server s 10.0.0.1:80\n");
    assert!(config.listeners.is_empty());
    assert!(pool(&config, "b").disabled.is_some());
}

#[test]
fn stick_tables_and_limits() {
    let config = config(
        "backend b\n stick-table type ip size 1m\n stick on src\n fullconn 500\n option allbackups\n \
         server s 10.0.0.1:80 maxconn 50 minconn 5 maxqueue 9 id 7 slowstart 10s\n",
    );
    let b = pool(&config, "b");
    assert_eq!(b.affinity[0].value, Affinity::StickTable("src".into()));
    assert_eq!(b.limits.full_connections.unwrap().value, 500);
    assert!(b.all_backups.unwrap().value);
    let s = endpoint(b, "s");
    let limits = [s.max_connections, s.min_connections, s.max_queue].map(|limit| limit.unwrap().value);
    assert_eq!(limits, [50, 5, 9]);
    assert_eq!(s.id.unwrap().value, 7);
}

#[test]
fn environment_variables() {
    let text = "global\n presetenv PORT 8080\n setenv NAME api\n\
                backend b\n server s \"${HOST}\":$PORT weight \"${W-5}\"\n server \"$NAME\" 10.0.0.2:${PORT}\n";
    let reading = reading_as(text, (3, 2), &[("HOST", "10.0.0.1")]);
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let pool = &reading.config.pools[0];
    assert_eq!(pool.endpoints[0].address.to_string(), "10.0.0.1:8080");
    assert_eq!(pool.endpoints[0].weight.value, 5);
    assert_eq!(pool.endpoints[1].name.value, "api");
    assert_eq!(pool.endpoints[1].address.to_string(), "10.0.0.2:8080");
}

#[test]
fn an_unset_variable_is_unknown_and_not_guessed() {
    let text = "backend b\n server s \"$HOST\":80 weight \"$W\" check\n";
    let reading = reading_as(text, (3, 2), &[]);
    let rules: Vec<_> =
        reading.diagnostics.iter().map(|found| (found.rule.as_str(), found.severity.as_str())).collect();
    assert_eq!(rules, [("env-variable-undefined", "warning"), ("env-variable-undefined", "warning")]);
    let endpoint = &reading.config.pools[0].endpoints[0];
    assert_eq!(endpoint.address.host, Host::Unknown("$HOST:80".into()));
    assert!(endpoint.check.is_some(), "words after the variable are read all the same");
    assert_eq!(reading.config.coverage.gaps.len(), 1);
}

#[test]
fn several_files_and_directories_are_one_configuration() {
    let loader = MemoryLoader {
        files: [
            ("main.cfg", "defaults\n mode http\n"),
            ("conf.d/20-back.cfg", "backend b\n server s 10.0.0.1:80\n"),
            ("conf.d/10-front.cfg", "frontend f\n bind :80\n default_backend b\n"),
            ("conf.d/notes.txt", "not a configuration\n"),
            ("conf.d/.hidden.cfg", "nor this\n"),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .collect(),
    };
    let paths = ["main.cfg".to_owned(), "conf.d".to_owned()];
    let mut sources = Sources::new();
    let reading = read(&loader, &mut sources, &paths, &options((3, 2), &[]));
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let files: Vec<_> = reading.config.files.iter().map(|&file| sources.file(file).path()).collect();
    assert_eq!(files, ["main.cfg", "conf.d/10-front.cfg", "conf.d/20-back.cfg"]);
    assert_eq!(reading.config.pools[0].mode.value, Mode::Http);
}

#[test]
fn conditional_blocks_are_followed() {
    let text = "backend b\n.if version_atleast(3.0)\n server new 10.0.0.1:80\n.else\n server old 10.0.0.2:80\n\
                .endif\n.if defined(CANARY)\n server canary 10.0.0.3:80\n.endif\n";
    let names = |version, env: &[(&str, &str)]| -> Vec<String> {
        let reading = reading_as(text, version, env);
        reading.config.pools[0].endpoints.iter().map(|endpoint| endpoint.name.value.clone()).collect()
    };
    assert_eq!(names((3, 2), &[]), ["new"]);
    assert_eq!(names((2, 6), &[]), ["old"]);
    assert_eq!(names((3, 2), &[("CANARY", "1")]), ["new", "canary"]);
}

#[test]
fn a_block_that_depends_on_the_build_is_a_gap_and_raises_no_errors() {
    let text = "backend b\n.if feature(QUIC)\n server s 10.0.0.1:80 nonsense\n.else\n server t 10.0.0.1:80\n\
                .endif\n";
    let reading = reading_as(text, (3, 2), &[]);
    assert_eq!(reading.config.coverage.gaps.len(), 1);
    assert_eq!(reading.config.pools[0].endpoints.len(), 1);
    assert!(reading.diagnostics.iter().all(|found| found.severity.as_str() == "warning"));
}

#[test]
fn comments_and_blocks_are_kept() {
    let text = "# head\nbackend b # tail\n server s 10.0.0.1:80#end\n # after\nbackend c\n";
    let reading = reading_as(text, (3, 2), &[]);
    let comments: Vec<_> = reading.comments.iter().map(|span| &text[span.range()]).collect();
    assert_eq!(comments, ["# head", "# tail", "#end", "# after"]);
    let blocks: Vec<_> = reading.blocks.iter().map(|block| &text[block.extent.range()]).collect();
    assert_eq!(blocks, ["backend b # tail\n server s 10.0.0.1:80", "backend c"]);
    assert_eq!(&text[reading.blocks[0].header.range()], "backend b");
}

#[test]
fn a_dispatch_address_takes_new_traffic_unless_a_balance_line_says_otherwise() {
    let config = config(
        "backend b\n dispatch 10.0.0.9:80\nbackend c\n dispatch 10.0.0.9:80\n server s 10.0.0.1:80\n\
         backend d\n balance roundrobin\n dispatch 10.0.0.9:80\n server s 10.0.0.1:80\n",
    );
    let active = |name| -> Vec<&str> {
        let endpoints = pool(&config, name).endpoints.iter();
        endpoints
            .filter(|endpoint| endpoint.is_active())
            .map(|endpoint| endpoint.name.value.as_str())
            .collect()
    };
    assert_eq!((active("b"), active("c"), active("d")), (vec!["dispatch"], vec!["dispatch"], vec!["s"]));
}

#[test]
fn backends_of_logs_and_filters_are_in_use() {
    let config = config(
        "frontend f\n mode http\n bind :80\n filter spoe engine e config /etc/e.cfg\n log backend@logs local0\n\
         backend logs\n mode log\n server s udp@10.0.0.1:514\n\
         backend agents\n option spop-check\n server s 10.0.0.2:12345 check\n\
         backend plain\n server s 10.0.0.3:80\n",
    );
    let mut used: Vec<&str> =
        config.other_uses.iter().map(|(id, _)| config.pool(*id).name.value.as_str()).collect();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, ["agents", "logs"]);
}
