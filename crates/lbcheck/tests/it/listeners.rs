//! Which listener takes a request: by port, scheme and address, and never one on another port.

use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;
use lbcheck::traffic::{Request, RouteReport, Truth, explain};

fn ask(dialect: Dialect, text: &str, request: &str, wanted: Option<&str>) -> RouteReport {
    let mut sources = Sources::new();
    let loader = MemoryLoader::one("proxy", text.as_bytes());
    let reading = read(&loader, &mut sources, &["proxy".to_owned()], &ReadOptions::new(dialect));
    let request = Request::parse(request).expect("a request");
    explain(&reading.config, &request, wanted).expect("an answer")
}

/// "taken: listener pool, …", and the note.
fn answer(dialect: Dialect, text: &str, request: &str, wanted: Option<&str>) -> (String, String) {
    let report = ask(dialect, text, request, wanted);
    let taken = match report.taken {
        Truth::Yes => "yes",
        Truth::No => "no",
        Truth::Unknown => "unknown",
    };
    let listeners = report.listeners.iter().map(|listener| {
        let ends: Vec<_> =
            listener.ends.iter().map(|end| end.pool.clone().unwrap_or(end.words.clone())).collect();
        format!("{} {}", listener.listener, ends.join("|"))
    });
    let listeners: Vec<String> = listeners.collect();
    (format!("{taken}: {}", listeners.join(", ")), report.note.unwrap_or_default())
}

const HAPROXY: &str = "
frontend plain
    mode http
    bind :8000-8010
    default_backend a
frontend secure
    mode http
    bind :8443 ssl crt /c.pem
    default_backend b
frontend through
    mode tcp
    bind :9443
    use_backend c if { req.ssl_sni -i c.example }
    default_backend d
frontend one
    mode http
    bind 10.0.0.1:7000
    default_backend a
frontend all
    mode http
    bind *:7000
    default_backend b
frontend named
    mode http
    bind ${ADDRESS}:6000
    default_backend a
frontend socket
    mode http
    bind /run/x.sock
    default_backend a
backend a
    server a 10.0.0.1:80
backend b
    server b 10.0.0.1:80
backend c
    mode tcp
    server c 10.0.0.1:80
backend d
    mode tcp
    server d 10.0.0.1:80
";

#[test]
fn no_listener_on_another_port_answers() {
    let cases = [
        ("http://x:8005/", "yes: plain a"),
        ("http://x:8011/", "no: "),
        ("http://x/", "no: "),
        ("https://x/", "no: "),
        ("https://x:8443/", "yes: secure b"),
        // HTTP to a port that wants TLS, and the other way round.
        ("http://x:8443/", "no: "),
        ("https://x:8000/", "no: "),
        // TLS goes through a TCP listener, and only its server name is seen.
        ("https://c.example:9443/", "yes: through c"),
        ("https://x:9443/", "yes: through d"),
        // Which address a name has is not known; an address is.
        ("http://x:7000/", "yes: one a, all b"),
        ("http://10.0.0.1:7000/", "yes: one a"),
        ("http://127.0.0.1:7000/", "yes: all b"),
        ("http://10.9.9.9:7000/", "yes: one a, all b"),
        // The address is a variable that nobody gave, the port is not.
        ("http://x:6000/", "unknown: named a"),
    ];
    for (request, expected) in cases {
        assert_eq!(answer(Dialect::HaProxy, HAPROXY, request, None).0, expected, "{request}");
    }
}

#[test]
fn the_ports_there_are_are_named() {
    let (_, note) = answer(Dialect::HaProxy, HAPROXY, "https://x/", None);
    assert!(
        note.starts_with("no listener takes HTTPS on port 443; there is frontend `plain` on `*:8000-8010`")
    );
    assert!(note.ends_with("Write the port into the request, or choose one with --listener"), "{note}");
    let (_, note) = answer(Dialect::HaProxy, HAPROXY, "http://x:8443/", None);
    assert!(
        note.starts_with(
            "no listener takes HTTP on port 8443: frontend `secure` on `*:8443`, TLS takes HTTPS only; there is also"
        ),
        "{note}"
    );
}

#[test]
fn a_listener_is_chosen_by_name_or_address() {
    let cases = [
        ("https://x/", "secure", "yes: secure b"),
        ("https://x/", "8443", "yes: secure b"),
        ("https://x/", "*:8000-8010", "yes: plain a"),
        ("http://x/", "/run/x.sock", "yes: socket a"),
        ("http://x/", "10.0.0.1:7000", "yes: one a"),
        ("http://x/", ":7000", "yes: one a, all b"),
    ];
    for (request, wanted, expected) in cases {
        assert_eq!(answer(Dialect::HaProxy, HAPROXY, request, Some(wanted)).0, expected, "{wanted}");
    }
    let (_, note) = answer(Dialect::HaProxy, HAPROXY, "https://x/", Some("plain"));
    assert_eq!(note, "frontend `plain` on `*:8000-8010` takes HTTP: the request is taken to come so");
}

#[test]
fn a_chosen_listener_gives_port_and_scheme() {
    let text = "
frontend web
    mode http
    bind :8080
    bind :8443 ssl crt /c.pem
    use_backend b if { dst_port 8443 } { ssl_fc }
    default_backend a
backend a
    server a 10.0.0.1:80
backend b
    server b 10.0.0.1:80
";
    let cases = [
        ("https://x/", "web", "yes: web b"),
        ("http://x/", "web", "yes: web a"),
        ("https://x/", "8080", "yes: web a"),
        ("http://x:8443/", "8443", "yes: web b"),
    ];
    for (request, wanted, expected) in cases {
        assert_eq!(answer(Dialect::HaProxy, text, request, Some(wanted)).0, expected, "{request} {wanted}");
    }
}

fn envoy_listener(name: &str, port: u16, more: &str) -> String {
    format!(
        "  - name: {name}\n    address: {{ socket_address: {{ address: 0.0.0.0, port_value: {port} }} }}\n{more}    filter_chains:\n    - filters:\n      - name: tcp\n        typed_config:\n          \"@type\": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy\n          stat_prefix: x\n          cluster: {name}\n"
    )
}

#[test]
fn what_envoy_gets_by_redirection_is_not_certain() {
    let handed = "    bind_to_port: false\n";
    let redirected = "    listener_filters:\n    - name: envoy.filters.listener.original_dst\n      typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst\n";
    let with_both = format!(
        "static_resources:\n  listeners:\n{}{}",
        envoy_listener("outbound", 15001, redirected),
        envoy_listener("api", 9080, handed)
    );
    let alone = format!("static_resources:\n  listeners:\n{}", envoy_listener("api", 9080, handed));
    let taken = |text: &str, request: &str| answer(Dialect::Envoy, text, request, None);
    assert_eq!(taken(&with_both, "http://x:15001/").0, "yes: outbound outbound");
    assert_eq!(taken(&with_both, "http://x:9080/").0, "unknown: api api");
    assert_eq!(taken(&with_both, "http://x:7777/").0, "unknown: outbound outbound");
    assert_eq!(taken(&alone, "http://x:9080/").0, "no: ");
    assert!(taken(&with_both, "http://x:9080/").1.contains("gets what is redirected to another listener"));
}
