//! What nginx refuses, and where the reader says so. `nginx -t` refuses each of these files, too, and takes
//! those that are expected to be fine.

#![allow(clippy::panic, reason = "a test that finds too much fails")]

use crate::nginx_common::{http, main, snippet, stream, with};
use lbcheck::diagnostic::Severity;
use lbcheck::dialect::{Dialect, Edition};
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;

/// Each line inside `http` on a line of its own, so that positions start at line 2.
fn first_error(text: &str) -> String {
    let errors = http(text).errors();
    match errors.as_slice() {
        [] => "fine".to_owned(),
        [one] => one.clone(),
        many => panic!("{text}: {many:#?}"),
    }
}

#[test]
fn upstreams_and_servers() {
    for (inner, expected) in [
        ("", "upstream `u` has no server"),
        ("server 10.0.0.1 weight=0;", "nginx does not take `weight=0`"),
        ("server 10.0.0.1 weight=;", "parameter `weight=` of a server has an invalid value"),
        ("server 10.0.0.1 weight;", "parameter `weight` of a server needs a value"),
        ("server 10.0.0.1 wieght=1;", "parameter `wieght=1` of a server is unknown"),
        ("server 10.0.0.1 max_fails=-1;", "parameter `max_fails=-1` of a server has an invalid value"),
        (
            "server 10.0.0.1 fail_timeout=1ms;",
            "parameter `fail_timeout=1ms` of a server has an invalid value",
        ),
        ("server 10.0.0.1 fail_timeout=;", "parameter `fail_timeout=` of a server has an invalid value"),
        ("server 10.0.0.1 backup;", "upstream `u` has only backup servers"),
        ("server 10.0.0.1:0;", "server address `10.0.0.1:0` has an invalid port"),
        ("server 10.0.0.1:70000;", "server address `10.0.0.1:70000` has an invalid port"),
        ("server :80;", "server address `:80` has no host"),
        ("server unix:;", "server address `unix:` has no path after `unix:`"),
        ("server http://10.0.0.1;", "`http://10.0.0.1` is not the address of a server"),
        ("server 10.0.0.1:80/x;", "server address `10.0.0.1:80/x` has an invalid port"),
        ("ip_hash; server 10.0.0.2; server 10.0.0.1 backup;", "does not take `backup` servers"),
        ("random; server 10.0.0.2; server 10.0.0.1 backup;", "does not take `backup` servers"),
        ("hash $uri; server 10.0.0.2; server 10.0.0.1 backup;", "does not take `backup` servers"),
        // The check is made while the line is read, so an earlier line passes.
        ("server 10.0.0.2; server 10.0.0.1 backup; ip_hash;", "fine"),
        ("least_conn; server 10.0.0.2; server 10.0.0.1 backup;", "fine"),
        ("hash $uri b; server 10.0.0.1;", "`b` is not a parameter of directive `hash`"),
        ("random three; server 10.0.0.1;", "`three` is not a parameter of directive `random`"),
        ("server 10.0.0.1 down;", "fine"),
        ("server 10.0.0.1 weight=1 weight=2;", "fine"),
    ] {
        let found = first_error(&format!("upstream u {{ {inner} }}"));
        assert!(found.contains(expected), "{inner}: {found}");
    }
    let twice = http("upstream u { server 10.0.0.1; }\nupstream U { server 10.0.0.2; }").errors();
    assert_eq!(twice, ["3:1 duplicate-definition: upstream `U` is defined twice"]);
    assert!(stream("upstream u { server 10.0.0.1; }").errors()[0].contains("has no port"));
}

#[test]
fn places_names_and_numbers_of_arguments() {
    for (text, expected) in [
        ("server { location / { proxy_passs http://a; } }", "nginx has no directive `proxy_passs`"),
        ("server { server_name# x; }", "nginx has no directive `server_name#`"),
        ("proxy_pass http://10.0.0.1;", "directive `proxy_pass` is not allowed in `http`"),
        ("server { upstream u { server 10.0.0.1; } }", "directive `upstream` is not allowed in `server`"),
        ("server { if ($host) { proxy_pass http://10.0.0.1; } }", "not allowed in `if` in `server`"),
        ("keepalive_timeout;", "directive `keepalive_timeout` takes 1 to 2 arguments, but has none"),
        ("sendfile on off;", "directive `sendfile` takes 1 argument, but has 2"),
        ("server;", "directive `server` has no block"),
        ("sendfile on { }", "directive `sendfile` takes no block"),
        ("sendfile yes;", "`yes` is not a value that directive `sendfile` takes"),
        ("client_max_body_size 1x;", "`1x` is not a value that directive `client_max_body_size` takes"),
        ("proxy_connect_timeout 1.5s;", "`1.5s` is not a value that directive `proxy_connect_timeout` takes"),
        (
            "proxy_next_upstream_tries x;",
            "`x` is not a value that directive `proxy_next_upstream_tries` takes",
        ),
        (
            "proxy_next_upstream error htp_502;",
            "`htp_502` is not a value that directive `proxy_next_upstream` takes",
        ),
        ("sendfile on; sendfile off;", "directive `sendfile` is given twice in this block"),
        ("sendfile on; server { sendfile off; }", "fine"),
        ("include;", "directive `include` takes 1 argument"),
        ("\"sendfile\" on;", "fine"),
    ] {
        let found = first_error(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
    let help = http("serverr { }").reading.diagnostics[0].help.clone();
    assert_eq!(help.as_deref(), Some("did you mean `server`?"));
}

#[test]
fn commercial_and_third_party_directives_are_no_errors() {
    let case = http(
        "upstream u { zone u 64k; server 10.0.0.1; state /var/s; ntlm; }
        server {
            status_zone z; vhost_traffic_status_zone; more_set_headers 'X: y';
            location /api { api write=on; }
            location / { proxy_pass http://u; health_check; auth_jwt realm; opentracing on; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
}

/// Nobody said which edition runs: a word on balancing. With the edition named, what the program does.
#[test]
fn the_edition_decides_over_commercial_directives() {
    let text = "events {}
        http {
            upstream u { server 10.0.0.1 slow_start=9s; server 10.0.0.2; queue 10; }
            server { location / { proxy_pass http://u; health_check; } }
        }";
    let found = |edition| {
        let mut options = ReadOptions::new(Dialect::Nginx);
        options.edition = edition;
        let mut sources = Sources::new();
        let loader = MemoryLoader::one("nginx.conf", text);
        let reading = read(&loader, &mut sources, &["nginx.conf".to_owned()], &options);
        let found = reading.diagnostics.iter();
        found
            .map(|found| (found.rule.as_str(), found.severity, sources.text(found.primary.span).to_owned()))
            .collect::<Vec<_>>()
    };
    let balancing = |severity| {
        ["slow_start=9s", "queue"]
            .map(|text| ("algorithm-edition-mismatch", severity, text.to_owned()))
            .to_vec()
    };
    let mut warned = balancing(Severity::Warning);
    warned.push(("unknown-directive", Severity::Warning, "health_check".to_owned()));
    assert_eq!(found(Edition::Unknown), warned);
    let mut refused = balancing(Severity::Error);
    refused.push(("unknown-directive", Severity::Error, "health_check".to_owned()));
    assert_eq!(found(Edition::OpenSource), refused);
    assert_eq!(found(Edition::Plus), []);
}

#[test]
fn listen_and_server_names() {
    for (inner, expected) in [
        ("listen 0;", "`0` is not a port to listen on"),
        ("listen 70000;", "`70000` is not a port to listen on"),
        ("listen :80;", "`listen :80` has no host"),
        ("listen unix:;", "no path after `unix:`"),
        ("listen 80 foo;", "`foo` is not a parameter of `listen`"),
        ("listen 80 backlog=x;", "`backlog=x` is not a parameter of `listen`"),
        ("listen 80 so_keepalive=a;", "`so_keepalive=a` is not a parameter of `listen`"),
        ("listen 80 so_keepalive=30m::10;", "fine"),
        ("listen [::1;", "is not a port to listen on"),
        ("listen 80; listen *:80;", "this server listens on *:80 twice"),
        ("listen 80 udp;", "`udp` is not a parameter of `listen`"),
        ("server_name *;", "`*` is not a server name"),
        ("server_name *a.com;", "`*a.com` is not a server name"),
        ("server_name ~;", "`~` is not a server name"),
        ("server_name a.*.com _ \"\" $hostname;", "fine"),
    ] {
        let found = first_error(&format!("server {{ {inner} }}"));
        assert!(found.contains(expected), "{inner}: {found}");
    }
    let found = first_error("server { listen 80 default_server; } server { listen 80 default_server; }");
    assert!(found.contains("*:80 has two default servers"), "{found}");
    let case = http("server { server_name a; }\nserver { server_name A; }");
    let warning =
        "3:22 duplicate-definition: server name `A` on *:80 is already taken: nginx ignores it here";
    assert_eq!(case.reports(Severity::Warning), [warning]);
}

#[test]
fn locations() {
    for (inner, expected) in [
        ("location /a { } location /a { }", "location `/a` is defined twice"),
        ("location = /a { } location /a { }", "fine"),
        ("location ^~ /a { } location /a { }", "location `/a` is defined twice"),
        ("location ~ a { } location ~ a { }", "fine"),
        ("location /a { location /b { } }", "location `/b` is outside location `/a`"),
        ("location = /a { location /a/b { } }", "cannot be inside the exact location"),
        ("location /a { location @b { } }", "can stand only directly in `server`"),
        ("location x /a { }", "`x` is not a modifier of `location`"),
        ("location =/a { } location ~*\\.x$ { } location ^~/b { }", "fine"),
        ("location ~ x { proxy_pass http://10.0.0.1/y; }", "`proxy_pass` cannot have a path inside"),
        ("location ~ x { proxy_pass http://10.0.0.1; }", "fine"),
    ] {
        let found = first_error(&format!("server {{ {inner} }}"));
        assert!(found.contains(expected), "{inner}: {found}");
    }
}

#[test]
fn targets() {
    for (inner, expected) in [
        ("proxy_pass 10.0.0.1;", "does not start with http:// or https://"),
        ("proxy_pass http://;", "the address names no host"),
        ("proxy_pass http:///x;", "the address names no host"),
        ("proxy_pass http://:80;", "the address names no host"),
        ("proxy_pass http://10.0.0.1:x;", "has an invalid port"),
        ("proxy_pass http://u:80;", "upstream `u` cannot be given a port"),
        ("fastcgi_pass 10.0.0.1;", "address `10.0.0.1` has no port"),
        ("return abc;", "`abc` is not a return code"),
        ("return 1000;", "`1000` is not a return code"),
        ("if ($host = a) { } if (x) { }", "`(x)` is not a condition of `if`"),
        ("if $host { }", "`$host` is not a condition of `if`"),
        ("if ($host == a) { }", "is not a condition of `if`"),
        ("if (-f $request_filename) { }", "fine"),
        ("if ( $host = \"\" ) { }", "fine"),
        ("rewrite a b c;", "`c` is not a flag of `rewrite`"),
        ("grpc_pass 10.0.0.1;", "address `10.0.0.1` has no port"),
        ("proxy_pass http://10.0.0.1; proxy_pass http://10.0.0.2;", "directive `proxy_pass` is given twice"),
        ("root /a; root /b;", "directive `root` is given twice"),
        ("set x 1;", "`x` is not a variable"),
        ("deny foo;", "`foo` is not a network"),
    ] {
        let found =
            first_error(&format!("upstream u {{ server 10.0.0.1; }} server {{ location / {{ {inner} }} }}"));
        assert!(found.contains(expected), "{inner}: {found}");
    }
}

#[test]
fn maps_splits_and_networks() {
    for (text, expected) in [
        ("map $host $a { a b; A c; }", "key `a` is given twice"),
        ("map $host $a { default b; default c; }", "key `default` is given twice"),
        ("map $host $a { ~a b; ~a c; hostnames; volatile; }", "fine"),
        ("map $host $a { a; }", "has a key and a value, but this one has 1 words"),
        ("map $host a { a b; }", "`a` is not a variable"),
        ("map $host $a { a { } }", "unexpected `{` after `a`"),
        ("split_clients $host $a { 60% x; 60% y; }", "add up to more than 100%"),
        ("split_clients $host $a { 0% x; }", "`0%` is not a share"),
        ("geo $a { default 1; 10.0.0.0/33 2; }", "`10.0.0.0/33` is not a network"),
        ("geo $a { ranges; 10.0.0.0/8 2; }", "`10.0.0.0/8` is not a range"),
        ("geo $host $a { ranges; 10.0.0.0-10.0.0.9 2; }", "fine"),
    ] {
        let found = first_error(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn names_that_are_nowhere_defined() {
    for (text, expected) in [
        ("server { return 200 $slow; }", "variable `$slow` is not defined"),
        ("server { return 200 \"${slow}x$1$http_x$Host\"; }", "variable `$slow` is not defined"),
        ("server { location ~ ^/(?<id>x) { return 200 $id; } }", "fine"),
        ("server { set $b $a; set $a $b; }", "fine"),
        ("access_log /l fmt;", "log format `fmt` is not defined"),
        ("access_log /l combined buffer=8k; access_log off;", "fine"),
        ("limit_req zone=x;", "zone `x` of `limit_req` is not defined"),
        ("proxy_cache x;", "zone `x` of `proxy_cache` is not defined"),
        ("proxy_cache_path /c keys_zone=x:1m; proxy_cache x;", "fine"),
        ("server { listen 443 ssl; }", "takes TLS but has no `ssl_certificate`"),
        ("server { listen 443 ssl; ssl_reject_handshake on; }", "fine"),
        ("ssl_certificate a; ssl_certificate_key b; server { listen 443 ssl; }", "fine"),
    ] {
        let found = first_error(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
    // A snippet may have the definition elsewhere, and so may a module.
    assert_eq!(snippet("http", "server { listen 443 ssl; return 200 $slow; }").errors(), [""; 0]);
    assert_eq!(http("opentracing on; server { return 200 $slow; }").errors(), [""; 0]);
    // Lua finds variables, it does not make them.
    assert_eq!(http("lua_shared_dict d 1m; server { return 200 $slow; }").errors().len(), 1);
}

#[test]
fn broken_structure_is_reported_where_it_breaks_and_reading_goes_on() {
    let case = main(
        "events {}\nhttp {\n  server {\n    listen 80\n  }\n  upstream u { server 10.0.0.1 weight=0; }\n}\n",
    );
    assert_eq!(
        case.errors(),
        [
            "5:3 syntax-error: unexpected `}`: directive `listen` is not ended by `;`",
            "6:32 invalid-value: nginx does not take `weight=0`",
        ]
    );
    for (text, place, broken) in [
        ("events {}\n}\n", "2:1 syntax-error: unexpected `}`", true),
        ("events {\n", "2:1 config-empty-or-truncated: the file ends where `}` is expected", true),
        ("events {}\nuser\n", "2:1 syntax-error: the file ends inside directive `user`", true),
        ("events {}\nuser \"a;\n", "2:6 syntax-error: this quote is never closed", true),
        ("events {};\n", "1:10 syntax-error: unexpected `;`", false),
        ("events {} {}\n", "1:11 syntax-error: unexpected `{`", true),
        ("events {}\nuser \"a\"b;\n", "2:9 syntax-error: unexpected `b` after a closing quote", false),
        (
            "events {}\nhttp { server { access_by_lua_block { x",
            "2:37 syntax-error: this Lua block is never closed",
            true,
        ),
    ] {
        let case = main(text);
        assert!(case.errors().iter().any(|error| error.starts_with(place)), "{text}: {:?}", case.errors());
        assert_eq!(case.reading.broken, broken, "{text}");
    }
}

#[test]
fn bytes_that_are_no_configuration() {
    for (bytes, expected) in [
        (&b""[..], "the configuration is empty"),
        (b"# only a comment\n", "the configuration is empty"),
        (b"\xEF\xBB\xBFevents {}\n", "byte order mark"),
        (b"events {}\n\0\0\0 x;\n", "NUL byte"),
    ] {
        let loader = lbcheck::load::MemoryLoader::one("n.conf", bytes);
        let mut sources = lbcheck::source::Sources::new();
        let options = lbcheck::read::ReadOptions::new(lbcheck::dialect::Dialect::Nginx);
        let reading = lbcheck::read::read(&loader, &mut sources, &["n.conf".to_owned()], &options);
        let found = reading.diagnostics.iter().any(|diagnostic| diagnostic.message.contains(expected));
        assert!(found, "{expected}: {:?}", reading.diagnostics);
    }
    let long = |length: usize| main(&format!("events {{}} http {{ log_format a {}; }}", "x".repeat(length)));
    assert_eq!(long(4095).errors(), [""; 0]);
    assert!(long(4096).errors()[0].contains("longer than the 4096 bytes"));
    let latin = "events {} # caf\u{e9}\n";
    assert_eq!(main(latin).errors(), [""; 0]);
}

#[test]
fn a_file_that_is_not_there() {
    let loader = lbcheck::load::MemoryLoader::default();
    let mut sources = lbcheck::source::Sources::new();
    let options = lbcheck::read::ReadOptions::new(lbcheck::dialect::Dialect::Nginx);
    let reading = lbcheck::read::read(&loader, &mut sources, &["n.conf".to_owned()], &options);
    assert!(reading.broken);
    assert_eq!(reading.diagnostics[0].rule, "file-unreadable");
}

#[test]
fn a_context_that_does_not_exist() {
    let case = with(&[("n.conf", "server { }")], |options| options.context = vec!["htpt".to_owned()]);
    assert!(case.errors().iter().any(|error| error.contains("nginx has no block `htpt`")));
}

/// Each refused by nginx 1.22 and 1.30 alike.
#[test]
fn values_that_only_their_own_directive_knows() {
    let server = |text: &str| http(&format!("server {{ {text} }}")).errors();
    for bad in [
        "location ~ ^/( { }",
        "location ~*a) { }",
        "location ~ *.php$ { }",
        "location ~ \"[z-a]\" { }",
        "server_name ~^(www;",
        "rewrite ^/( /b;",
        "listen 1.2.3.4.5:80;",
        "listen 256.0.0.1:80;",
        "error_page abc /x;",
        "error_page 200 /x;",
        "limit_rate abc;",
        "proxy_cache_valid 99 1m;",
        "error_log /x foo;",
        "location / { limit_except FOO { deny all; } }",
        "location / { root /a; alias /b; }",
        "location / { proxy_pass http://256.0.0.1:80; }",
        "location / { proxy_pass http://10.0.0.1; proxy_pass http://10.0.0.2; }",
    ] {
        assert_eq!(server(bad).len(), 1, "{bad}: {:?}", server(bad));
    }
    for bad in [
        "map $host $b { ~( 1; }",
        "split_clients $host $b { 50% a; * b; 20% c; }",
        "upstream u { server 256.0.0.1:1; }",
        "upstream u { zone u 1; server 10.0.0.1; }",
        "resolver 10.0.0.53; upstream u { server a.example.com resolve; }",
        "upstream u { server 10.0.0.1; keepalive x; }",
        "limit_req_zone $host zone=a rate=1r/s;",
        "log_format a x; log_format a y;",
    ] {
        assert_eq!(http(bad).errors().len(), 1, "{bad}: {:?}", http(bad).errors());
    }
    let two = "server { listen 80; proxy_pass 10.0.0.1:1; proxy_pass 10.0.0.2:1; }";
    assert_eq!(stream(two).errors().len(), 1);
    assert_eq!(main("worker_processes x; events { worker_connections y; }").errors().len(), 2);
}

#[test]
fn values_with_variables_holes_and_odd_forms_are_let_through() {
    let case = http(
        "error_page 404 = @x; error_page 500 502 =200 /x; error_log /dev/stderr debug_http;
        split_clients $host $s { 50% a; * b; * c; }
        upstream u { zone u 32k; server 10.1:80; server \"{{ ip }}:80\"; }
        server {
            limit_rate $limit_rate; limit_rate_after \"{{ rate }}\"; proxy_cache_valid any 1m;
            location ~ [[:digit:]] { limit_except get { deny all; } }
            location ~ \"^/(?<a>[^/]+)/{{ x }}(\" { return 200; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
}

/// Each refused by nginx 1.22, 1.26 and 1.30 alike.
#[test]
fn words_that_directives_read_themselves() {
    for bad in [
        "access_log /l combined buffer=0;",
        "access_log /l combined flush=1s;",
        "access_log /l combined gzpi;",
        "access_log off combined;",
        "add_header a b alwys;",
        "aio foo;",
        "client_body_temp_path /t 3 8;",
        "disable_symlinks yes;",
        "error_log /l warn error;",
        "error_page = /x;",
        "error_page 404 =x /x;",
        "expires @25h;",
        "expires modified max;",
        "fastcgi_param a b if_no_empty;",
        "fastcgi_store_access user:rx;",
        "keepalive_timeout 1 2ms;",
        "limit_conn_zone zone=a:1m $host;",
        "limit_req_zone $host zone=a:1m rate=0r/s;",
        "limit_req_zone $host rate=1r/s rate=1r/s;",
        "log_format a escape=xml b;",
        "open_file_cache inactive=1s;",
        "proxy_bind localhost;",
        "proxy_cache_path /c levels=3 keys_zone=a:1m;",
        "proxy_cache_path /c keys_zone=a:4k;",
        "proxy_redirect foo;",
        "resolver valid=30s;",
        "resolver 127.0.0.1 ipv6=of;",
        "ssl_session_cache shared:a:16k;",
        "server { try_files $uri =1000; }",
        "server { location / { proxy_redirect default; proxy_pass http://10.0.0.1; } }",
        "server { valid_referers a.com a.com; }",
        "server { set $host x; }",
        "server { return 200 $; }",
        "server { alias /a/${x; }",
        "map $host $uri { a b; }",
        "map $host $b { hostnames; a.*.com x; }",
        "geo $b { 10.0.0.0/8 a b; }",
        "geo $b { ranges; ::1-::2 a; }",
        "charset_map a b { 80 E282AC; }",
    ] {
        assert_eq!(http(bad).errors().len(), 1, "{bad}: {:?}", http(bad).errors());
    }
    let good = http(
        "access_log /l combined gzip flush=1s if=$host; access_log off;
        open_file_cache max=3 off; client_body_timeout s0; geo $g { default x; 127.00..1 y; }
        limit_req_zone $host zone=a:1m rate=10; proxy_set_header X $nosuch;",
    );
    assert_eq!(good.errors(), [""; 0]);
}

/// Each refused by nginx 1.22 and 1.30 alike: settings that do not fit one another, and names used twice.
#[test]
fn settings_that_do_not_fit_one_another() {
    for bad in [
        "proxy_buffer_size 64k; server { }",
        "proxy_buffers 1 4k; server { }",
        "proxy_busy_buffers_size 1k; server { }",
        "fastcgi_buffers 8 4k; server { fastcgi_busy_buffers_size 29k; }",
        "proxy_max_temp_file_size 1k; server { }",
        "limit_req_zone $host zone=a:1m rate=1r/s; limit_conn_zone $host zone=a:1m;",
        "limit_conn_zone $host zone=a:1m; limit_conn a 1; limit_conn a 2;",
        "proxy_redirect off; proxy_redirect a b;",
        "proxy_cache_path /c keys_zone=a:1m; proxy_cache_path /c keys_zone=b:1m;",
        "server { listen 80; ssl_certificate /c.pem; }",
        "server { listen 80 ssl; ssl_reject_handshake on; } server { listen 80 ssl; server_name b; }",
        "server { location / { proxy_set_header X $$host; } }",
    ] {
        assert_eq!(http(bad).errors().len(), 1, "{bad}: {:?}", http(bad).errors());
    }
    let good = http(
        "proxy_buffers 1 4k; fastcgi_buffers 8 4k; fastcgi_busy_buffers_size 28k; proxy_max_temp_file_size 0;
        limit_conn_zone $host zone=a:1m; limit_conn a 1; ssl_certificate_key /k.pem;",
    );
    assert_eq!(good.errors(), [""; 0]);
    let case = http("http2_recv_timeout 1s; server { }");
    let told = case.reports(Severity::Warning);
    assert!(told.iter().any(|told| told.contains("directive `http2_recv_timeout` is obsolete")), "{told:?}");
    let old = "server { listen 1; proxy_pass 10.0.0.1:1; } server { listen 1; return x; }";
    assert_eq!(stream(old).errors(), [""; 0]);
    assert_eq!(stream("server { proxy_pass 10.0.0.1:1; }").errors().len(), 1);
}

#[test]
fn a_log_format_is_defined_before_its_use() {
    let late = http("server { listen 80; access_log /a x; return 404; } log_format x '$uri';");
    assert_eq!(late.errors(), ["2:35 invalid-value: log format `x` is used before it is defined"]);
    let early = http("log_format x '$uri'; server { listen 80; access_log /a x; return 404; }");
    assert_eq!(early.errors(), [""; 0]);
}

#[test]
fn one_of_the_upstreams_that_share_a_zone_says_its_size() {
    let bare = http("upstream a { zone z; server 10.0.0.1; } server { location / { proxy_pass http://a; } }");
    assert_eq!(bare.errors(), ["2:14 invalid-value: zone `z` has no size"]);
    let shared = http(
        "upstream a { zone z; server 10.0.0.1; } upstream b { zone z 64k; server 10.0.0.1; }
        server { location / { proxy_pass http://a; } location /b { proxy_pass http://b; } }",
    );
    assert_eq!(shared.errors(), [""; 0]);
}

#[test]
fn browser_versions_are_dots_and_digits() {
    let case =
        http("server { modern_browser msie .30; modern_browser opera 5..5; modern_browser gecko 5a; }");
    assert_eq!(
        case.errors(),
        ["2:83 invalid-value: `5a` is not a value that directive `modern_browser` takes"]
    );
}

#[test]
fn braces_in_quotes_are_text() {
    let case = http("log_format x '{{ok}}'; server { lisen 80; access_log /a x; return 200 \"{% if %}\"; }");
    assert_eq!(case.errors(), ["2:33 unknown-directive: nginx has no directive `lisen`"]);
    let template = http("server { listen {{ port }}; return 404; }");
    assert!(
        template.errors().iter().all(|error| error.contains("template-unrendered")),
        "{:?}",
        template.errors()
    );
}

#[test]
fn an_unknown_directive_is_told_once() {
    let case = http("server { lisen 80; return 404; }");
    assert_eq!(case.errors(), ["2:10 unknown-directive: nginx has no directive `lisen`"]);
    assert!(case.config().coverage.gaps.iter().all(|gap| gap.told));
}

#[test]
fn what_only_the_commercial_edition_has_is_worth_a_warning() {
    let case =
        http("server { location / { auth_jwt a; return 404; } location /b { auth_jwt b; return 404; } }");
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(
        case.reports(lbcheck::diagnostic::Severity::Warning),
        ["2:23 unknown-directive: directive `auth_jwt` belongs to NGINX Plus: open source nginx refuses it"]
    );
}

#[test]
fn geo_reads_its_address_from_a_variable() {
    let case = http("geo geo $x { default 1; } geo $remote_addr $y { default 1; } server { return 404; }");
    assert_eq!(case.errors(), ["2:5 invalid-value: `geo` is not a variable"]);
}

#[test]
fn codes_of_utf_8_are_characters() {
    let case = http(
        "charset_map koi8-r utf-8 { C0 D18E; C1 D0E; C2 D018; C3 E0A080; C4 F0A08000; } server { return 404; }",
    );
    let codes: Vec<String> = ["2:40 ", "2:48 ", "2:68 "]
        .into_iter()
        .zip(["D0E", "D018", "F0A08000"])
        .map(|(at, code)| format!("{at}invalid-value: `{code}` is not a code"))
        .collect();
    assert_eq!(case.errors(), codes);
}

#[test]
fn sticky_begins_with_its_kind() {
    let with = |line: &str| {
        http(&format!(
            "upstream u {{ server 10.0.0.1:80; {line} }} server {{ location / {{ proxy_pass http://u; }} }}"
        ))
    };
    assert_eq!(with("sticky cookie id expires=1h;").errors(), [""; 0]);
    assert_eq!(with("sticky route $arg_r;").errors(), [""; 0]);
    assert_eq!(with("sticky sticky cookie id;").errors().len(), 1);
}

#[test]
fn names_at_run_time_need_somebody_to_ask() {
    let with = |outer: &str, inner: &str| {
        first_error(&format!(
            "{outer} upstream u {{ zone u 64k; {inner} }} server {{ location / {{ proxy_pass http://u; }} }}"
        ))
    };
    let missing = "`resolve` in upstream `u` has no `resolver` to ask";
    assert!(with("", "server a.invalid:80 resolve;").contains(missing));
    assert!(with("", "server localhost resolve;").contains(missing));
    assert_eq!(with("resolver 127.0.0.1;", "server a.invalid:80 resolve;"), "fine");
    assert_eq!(with("", "server a.invalid:80 resolve; resolver 127.0.0.1;"), "fine");
    assert_eq!(with("", "server 10.0.0.1:80 resolve;"), "fine");
    assert_eq!(with("", "server unix:/run/x resolve;"), "fine");
    let service = "server a.invalid service=a";
    assert!(with("", &format!("{service};")).contains("`service=a` of a server needs `resolve`"));
    assert!(with("resolver 127.0.0.1;", &format!("{service} resolve;")) == "fine");
    let address = with("resolver 127.0.0.1;", "server 10.0.0.1 service=a resolve;");
    assert!(address.contains("needs a name, not an address"), "{address}");
    // A snippet may stand where there is one.
    assert_eq!(snippet("http", "upstream u { zone u 64k; server a.invalid:80 resolve; }").errors(), [""; 0]);
}

#[test]
fn help_names_the_word_that_is_wrong() {
    let help = |text: &str| {
        let case = http(text);
        let found = case
            .reading
            .diagnostics
            .iter()
            .find(|found| found.severity == Severity::Error)
            .expect("an error");
        (found.message.clone(), found.help.clone().unwrap_or_default())
    };
    let random = "upstream u { server 10.0.0.1; random two least_conn foo; } server { return 404; }";
    assert_eq!(http(random).errors().len(), 1);
    assert!(help(random).0.contains("directive `random` takes 0 to 2 arguments"));
    let split = "split_clients $uri $x { 60% a; 60% b; } server { return 404; }";
    assert!(!help(split).1.is_empty());
    let (_, protocols) = help("server { ssl_protocols TLSv1.4; return 404; }");
    assert!(protocols.contains("TLSv1.2, TLSv1.3"), "{protocols}");
}
