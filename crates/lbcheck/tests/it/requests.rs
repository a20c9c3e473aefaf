//! Where single requests go. Each expectation was seen on the running proxy; `crates/verify` asks them hundreds more.

use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;
use lbcheck::traffic::{EndKind, Request, RouteReport, explain};

fn ask(dialect: Dialect, text: &str, request: &str, headers: &[&str]) -> RouteReport {
    let mut sources = Sources::new();
    let loader = MemoryLoader::one("proxy", text.as_bytes());
    let reading = read(&loader, &mut sources, &["proxy".to_owned()], &ReadOptions::new(dialect));
    let mut request = Request::parse(request).expect("a request");
    for header in headers {
        request.add_header(header).expect("a header");
    }
    // Ports are another matter.
    let listener = reading.config.listeners[0].name.value.as_str();
    explain(&reading.config, &request, Some(listener)).expect("a listener takes it")
}

/// The ends of a request: pools by name, answers by status, with the share where it is not all.
pub(crate) fn ends(dialect: Dialect, text: &str, request: &str, headers: &[&str]) -> String {
    let report = ask(dialect, text, request, headers);
    let ends = report.listeners[0].ends.iter().map(|end| {
        let what = match (end.kind, end.status) {
            (EndKind::Pool, _) => end.pool.clone().unwrap_or_default(),
            (_, Some(status)) => status.to_string(),
            (kind, None) => kind.as_str().to_owned(),
        };
        match end.share {
            Some(1.0) => what,
            Some(share) => format!("{what} {:.0}%", share * 100.0),
            None => format!("{what} ?"),
        }
    });
    ends.collect::<Vec<_>>().join(", ")
}

/// Each request with its headers ends where it is said.
#[track_caller]
pub(crate) fn check(dialect: Dialect, text: &str, cases: &[(&str, &[&str], &str)]) {
    for (request, headers, expected) in cases {
        assert_eq!(ends(dialect, text, request, headers), *expected, "{request} {headers:?}");
    }
}

#[test]
fn nginx_restores_the_address_that_a_trusted_proxy_tells() {
    let of = |outer: &str, server: &str, location: &str| {
        format!(
            "events {{}} http {{ {outer} upstream a {{ server 10.0.0.1:1; }}
            server {{ listen 80; {server}
                location / {{ allow 10.0.0.0/8; deny all; {location} proxy_pass http://a; }}
                location /v {{ if ($remote_addr = 10.1.1.1) {{ return 202; }} return 201; }} }} }}"
        )
    };
    let ask = |text: &str, source: &str, path: &str, headers: &[&str]| {
        let mut sources = Sources::new();
        let loader = MemoryLoader::one("proxy", text.as_bytes());
        let options = ReadOptions::new(Dialect::Nginx);
        let config = read(&loader, &mut sources, &["proxy".to_owned()], &options).config;
        let mut request = Request::parse(&format!("http://h{path}")).expect("a request");
        request.source = source.parse().ok();
        for header in headers {
            request.add_header(header).expect("a header");
        }
        let report = explain(&config, &request, Some(config.listeners[0].name.value.as_str())).unwrap();
        let ends = report.listeners[0].ends.iter();
        ends.map(|end| end.status.map_or("a".to_owned(), |status| status.to_string()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let trust = "set_real_ip_from 127.0.0.0/8;";
    let real = &["X-Real-IP: 10.1.1.1"][..];
    for (http, server) in [(trust, ""), ("", trust)] {
        let text = of(http, server, "");
        assert_eq!(ask(&text, "127.0.0.6", "/", real), "a");
        assert_eq!(ask(&text, "127.0.0.6", "/", &["X-Real-IP: 9.9.9.9"]), "403");
        assert_eq!(ask(&text, "127.0.0.6", "/", &["X-Other: 1"]), "403");
        assert_eq!(ask(&text, "127.0.0.6", "/v", real), "202");
        // Who is not trusted is who connects.
        assert_eq!(ask(&text, "10.0.0.9", "/", &["X-Real-IP: 9.9.9.9"]), "a");
        assert_eq!(ask(&text, "", "/", real), "403, a");
        assert_eq!(ask(&text, "127.0.0.6", "/", &["X-Real-IP: nonsense"]), "403, a");
    }
    let text = of("", &format!("{trust} real_ip_header X-Forwarded-For; real_ip_recursive on;"), "");
    assert_eq!(ask(&text, "127.0.0.6", "/", &["X-Forwarded-For: 10.8.8.8, 127.0.0.3"]), "a");
    assert_eq!(ask(&text, "127.0.0.6", "/", &["X-Forwarded-For: 10.8.8.8, 7.7.7.7, 127.0.0.3"]), "403");
    let text = of("", &format!("{trust} real_ip_header proxy_protocol;"), "");
    assert_eq!(ask(&text, "127.0.0.6", "/", real), "403, a");
    // What only a location says is not followed where it makes a difference.
    let text = of("", "", trust);
    assert_eq!(ask(&text, "127.0.0.6", "/", real), "403, a");
    assert_eq!(ask(&text, "127.0.0.6", "/", &["X-Other: 1"]), "403");
    let text = of("", trust, "set_real_ip_from 9.9.9.9;");
    assert_eq!(ask(&text, "127.0.0.6", "/", real), "403, a");
}

#[test]
fn nginx_answers_methods_that_no_server_sees() {
    let ask = |text: &str, version: &str, method: &str| {
        let mut sources = Sources::new();
        let loader = MemoryLoader::one("proxy", text.as_bytes());
        let options =
            ReadOptions { version: version.parse().expect("a version"), ..ReadOptions::new(Dialect::Nginx) };
        let config = read(&loader, &mut sources, &["proxy".to_owned()], &options).config;
        let mut request = Request::parse("http://h/").expect("a request");
        request.method = Some(method.to_owned());
        let report = explain(&config, &request, Some(config.listeners[0].name.value.as_str())).unwrap();
        let [end] = report.listeners[0].ends.as_slice() else { panic!("one end") };
        (end.kind.as_str(), end.status)
    };
    let text = "events {} http { upstream a { server 10.0.0.1:1; }
        server { listen 80; location / { proxy_pass http://a; } } }";
    let respond = EndKind::Respond.as_str();
    for version in ["1.22.1", "1.30.6"] {
        assert_eq!(ask(text, version, "TRACE"), (respond, Some(405)));
        assert_eq!(ask(text, version, "get"), (respond, Some(400)));
        assert_eq!(ask(text, version, "A1"), (respond, Some(400)));
        assert_eq!(ask(text, version, "M-SEARCH").0, EndKind::Pool.as_str());
        assert_eq!(ask(text, version, "FOO_BAR").0, EndKind::Pool.as_str());
    }
    assert_eq!(ask(text, "1.26.3", "CONNECT"), (respond, Some(405)));
    assert_eq!(ask(text, "1.30.6", "CONNECT"), (respond, Some(400)));
    let paged = text.replace("listen 80;", "listen 80; error_page 405 =299 /e;");
    assert_eq!(ask(&paged, "1.30.6", "TRACE").0, EndKind::Opaque.as_str());
}

const NGINX: &str = "events {} http {
    upstream a { server 10.0.0.1:1; } upstream b { server 10.0.0.2:1; } upstream c { server 10.0.0.3:1; }
    server {
        listen 80;
        rewrite ^/one/(.*)$ /two/$1;
        rewrite ^/two/(.*)$ /b/$1 last;
        location / { proxy_pass http://a; }
        location /b/ { proxy_pass http://b; location ~ \\.c$ { proxy_pass http://c; } }
        location /only { limit_except GET { deny all; } rewrite ^ /b/x last; }
        location /loop { rewrite ^ /loop last; }
        location /hidden { internal; proxy_pass http://c; }
        location /seen { rewrite ^ /hidden last; }
        location /broken { if ($http_x) { break; } rewrite ^ /b/ last; proxy_pass http://c; }
        location /file { try_files $uri /b/z; }
    }
}";

#[test]
fn nginx_goes_on_with_the_new_path() {
    check(
        Dialect::Nginx,
        NGINX,
        &[
            ("http://h/", &[], "a"),
            ("http://h/one/x.c", &[], "c"),
            ("http://h/b//../b/x%2Ec", &[], "c"),
            ("http://h/only", &[], "b"),
            ("POST http://h/only", &[], "403"),
            ("http://h/loop", &[], "500"),
            ("http://h/hidden", &[], "404"),
            ("http://h/seen", &[], "c"),
            ("http://h/broken", &[], "b"),
            ("http://h/broken", &["X: 1"], "c"),
            ("http://h/..", &[], "400"),
            // Whether the file exists is not known.
            ("http://h/file", &[], "local ?, b ?"),
        ],
    );
}

const HAPROXY: &str = "defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\nfrontend f\n \
    bind :80\n monitor-uri /up\n use_backend a if { hdr(host) a.test }\n \
    use_backend b if { hdr(host),field(1,:) b.test }\n use_backend a if { urlp(q) 1 }\n \
    use_backend b if { hdr(x) 2 }\n use_backend a if { req.fhdr(x) -m beg 3 }\n use_backend b if { cook(c) -m found }\n \
    use_backend a if { path /r } { rand(100) lt 25 }\n use_backend b if { src 10.0.0.0/8 }\n default_backend c\n\
    backend a\n server s 10.0.0.1:1\nbackend b\n server s 10.0.0.2:1\nbackend c\n http-request deny if { path /no }\n \
    server s 10.0.0.3:1\n";

#[test]
fn haproxy_compares_what_came() {
    let with_source = |request: &str, headers: &[&str]| {
        let mut sources = Sources::new();
        let loader = MemoryLoader::one("proxy", HAPROXY.as_bytes());
        let options = ReadOptions::new(Dialect::HaProxy);
        let reading = read(&loader, &mut sources, &["proxy".to_owned()], &options);
        let mut asked = Request::parse(request).expect("a request");
        for header in headers {
            asked.add_header(header).expect("a header");
        }
        asked.source = "192.0.2.1".parse().ok();
        let report = explain(&reading.config, &asked, Some(&reading.config.listeners[0].name.value))
            .expect("it takes it");
        let ends = report.listeners[0].ends.iter();
        ends.map(|end| end.pool.clone().unwrap_or_else(|| format!("{:?}", end.status))).collect::<Vec<_>>()
    };
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("http://a.test/", &[], &["a"]),
        ("http://a.test:8080/", &["Host: a.test:80"], &["c"]),
        ("http://h/", &["Host: b.test:8080"], &["b"]),
        ("http://h/up", &[], &["Some(200)"]),
        ("http://h/up?x", &[], &["c"]),
        ("http://h/?a=b;q=1", &[], &["a"]),
        ("http://h/?q=%31", &[], &["c"]),
        ("http://h/", &["X: 1, 2"], &["b"]),
        ("http://h/", &["X: 3, 4"], &["a"]),
        ("http://h/", &["Cookie: c="], &["c"]),
        ("http://h/", &["Cookie: a=b; c=d"], &["b"]),
        ("http://h/no", &[], &["Some(403)"]),
        ("http://h/r", &[], &["a", "c"]),
    ];
    for (request, headers, expected) in cases {
        assert_eq!(with_source(request, headers), *expected, "{request} {headers:?}");
    }
}

#[test]
fn what_the_request_lacks_is_said() {
    let report = ask(Dialect::HaProxy, HAPROXY, "http://h/", &[]);
    let open: Vec<_> = report.listeners[0].steps.iter().filter(|step| !step.reasons.is_empty()).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].reasons, ["the client's address is not given"]);
    assert_eq!(ends(Dialect::HaProxy, HAPROXY, "http://h/", &[]), "b ?, c ?");
}

const GUARDED: &str = "events {} http {
    upstream a { server 10.0.0.1:1; } upstream b { server 10.0.0.2:1; } upstream c { server 10.0.0.3:1; }
    server {
        listen 80;
        location /basic { auth_basic x; auth_basic_user_file p; proxy_pass http://a; }
        location /off { auth_basic off; auth_basic_user_file p; proxy_pass http://a; }
        location /nofile { auth_basic x; proxy_pass http://a; }
        location /any { satisfy any; allow 10.0.0.0/8; deny all; auth_basic x; auth_basic_user_file p; proxy_pass http://a; }
        location /all { allow 10.0.0.0/8; deny all; auth_basic x; auth_basic_user_file p; proxy_pass http://a; }
        location /alone { satisfy any; deny all; proxy_pass http://a; }
        location /if { deny all; if ($http_x) { proxy_pass http://b; } proxy_pass http://a; }
        location /asks { auth_request /ask; error_page 401 = @login; proxy_pass http://a; }
        location @login { proxy_pass http://b; }
        location = /ask { internal; proxy_pass http://c; }
        location /methods { rewrite ^ /basic last; limit_except get { allow 10.0.0.0/8; deny all; } proxy_pass http://a; }
        location /post { try_files /x @login; limit_except GET { auth_basic x; } proxy_pass http://a; }
    }
}";

#[test]
fn nginx_asks_for_addresses_then_for_passwords() {
    let inside = |case: &str| {
        let mut sources = Sources::new();
        let loader = MemoryLoader::one("proxy", GUARDED.as_bytes());
        let reading = read(&loader, &mut sources, &["proxy".to_owned()], &ReadOptions::new(Dialect::Nginx));
        let mut request = Request::parse(&format!("http://x{case}")).expect("a request");
        request.source = "10.0.0.9".parse().ok();
        let report = explain(&reading.config, &request, None).expect("a listener takes it");
        report.listeners[0].ends.iter().map(|end| end.words.clone()).collect::<Vec<_>>()
    };
    let given: &[&str] = &["Authorization: Basic YTpi"];
    check(
        Dialect::Nginx,
        GUARDED,
        &[
            ("http://x/basic", &[], "401"),
            ("http://x/basic", &["Authorization: Bearer x"], "401"),
            ("http://x/basic", given, "401 ?, a ?"),
            ("http://x/off", &[], "a"),
            // Without a password file nobody is asked.
            ("http://x/nofile", &[], "a"),
            ("http://x/alone", &[], "403"),
            // An `if` with a handler of its own is guarded like its location.
            ("http://x/if", &["X: 1"], "403"),
            ("http://x/asks", &[], "b ?, 403 ?, 500 ?, a ?"),
            ("GET http://x/methods", &[], "401"),
            ("GET http://x/post", &[], "a ?, b ?"),
            ("POST http://x/post", &[], "a"),
        ],
    );
    assert_eq!(inside("/any"), ["upstream `a`"]);
    assert_eq!(inside("/all"), ["nginx answers 401 (auth_basic)"]);
}

const ERRORS: &str = "events {} http {
    upstream a { server 10.0.0.1:1; } upstream b { server 10.0.0.2:1; } upstream c { server 10.0.0.3:1; }
    server {
        listen 80;
        error_page 404 @b;
        error_page 418 =200 /c/x?y=1;
        location / { return 404; }
        location /text { return 404 text; }
        location /tea { return 418; }
        location /c/ { limit_except GET { deny all; } proxy_pass http://c; }
        location /hidden { internal; proxy_pass http://c; }
        location /once { error_page 403 = @twice; return 403; }
        location /again { recursive_error_pages on; error_page 403 = @twice; return 403; }
        location @twice { error_page 404 @b; return 404; }
        location /own { error_page 403 =404 @says; return 403; }
        location /kept { error_page 403 @says; return 403; }
        location @says { return 200 text; }
        location /away { error_page 403 =301 https://x/; return 403; }
        location /gone { error_page 403 @nowhere; return 403; }
        location /files { root /srv; }
        location /closed { return 499; }
        location /if { if ($http_x) { error_page 403 @b; } deny all; error_page 403 /c/; proxy_pass http://a; }
        location /circle { recursive_error_pages on; error_page 403 /circle; return 403; }
        location @b { proxy_pass http://b; }
    }
}";

#[test]
fn nginx_answers_errors_with_pages() {
    check(
        Dialect::Nginx,
        ERRORS,
        &[
            ("http://x/", &[], "b"),
            ("http://x/text", &[], "404"),
            ("http://x/tea", &[], "c"),
            // To a path the request goes on as a GET.
            ("POST http://x/tea", &[], "c"),
            ("POST http://x/c/", &[], "403"),
            ("http://x/hidden", &[], "b"),
            ("http://x/once", &[], "404"),
            ("http://x/again", &[], "b"),
            ("http://x/own", &[], "404"),
            ("http://x/kept", &[], "403"),
            ("http://x/away", &[], "301"),
            ("http://x/gone", &[], "500"),
            ("http://x/files/x", &[], "b ?, local ?"),
            ("http://x/closed", &[], "respond"),
            ("http://x/if", &["X: 1"], "b"),
            ("http://x/if", &[], "c"),
            ("http://x/circle", &[], "500"),
        ],
    );
}

#[test]
fn nginx_looks_for_the_index_of_a_folder() {
    let text = "events {} http { upstream php { server 10.0.0.1:1; } server {
        listen 80; root /srv; index index.html index.php;
        location / { try_files $uri $uri/ =404; }
        location /api { deny all; }
        location ~ \\.php$ { proxy_pass http://php; }
    } }";
    let cases: &[(&str, &[&str], &str)] = &[
        ("http://x/", &[], "local ?, php ?"),
        ("http://x/a/", &[], "local ?, php ?"),
        ("http://x/a", &[], "local"),
        ("http://x/a.php", &[], "php"),
        ("http://x/api/", &[], "403"),
        ("DELETE http://x/", &[], "local"),
    ];
    check(Dialect::Nginx, text, cases);
}

#[test]
fn what_answers_for_a_pool_that_fails_is_told() {
    let text = "events {} http { upstream a { server 10.0.0.1:1; } upstream b { server 10.0.0.2:1; } server {
        listen 80; error_page 502 503 504 @b; error_page 500 404 /50x.html;
        location / { proxy_pass http://a; }
        location /all/ { proxy_intercept_errors on; proxy_pass http://a; }
        location = /50x.html { root /srv; }
        location @b { proxy_pass http://b; }
    } }";
    let told = |request: &str| {
        let report = ask(Dialect::Nginx, text, request, &[]);
        let ends = &report.listeners[0].ends;
        ends.iter().flat_map(|end| &end.fallbacks).map(|(words, _)| words.clone()).collect::<Vec<_>>()
    };
    // Pages of nginx's own are not worth a word.
    assert_eq!(told("http://x/"), ["if the answer is 502 or 504: `error_page 502 503 504 @b`"]);
    assert_eq!(told("http://x/all/"), ["if the answer is 502, 503 or 504: `error_page 502 503 504 @b`"]);
}
