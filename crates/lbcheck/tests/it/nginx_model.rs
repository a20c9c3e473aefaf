//! What nginx configurations mean: pools, servers, locations. Every fact was seen on a running nginx.

use std::time::Duration;

use crate::nginx_common::{Request, http, main, snippet, stream, with};
use lbcheck::model::{
    AdminState, Affinity, Algorithm, CheckKind, HashKey, HashTable, Host, Membership, Mode, Origin, PoolKind,
    Target,
};

#[test]
fn servers_of_an_upstream_in_full() {
    let case = http(
        "upstream api {
            zone api 64k;
            least_conn;
            server 10.0.0.1;
            server API.internal:8080 weight=5 max_conns=100 max_fails=3 fail_timeout=1m;
            server unix:/run/api.sock down;
            server [2001:db8::1]:81 backup max_fails=0;
            keepalive 16;
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    let pool = case.pool("api");
    assert_eq!(pool.kind, PoolKind::Declared);
    assert_eq!(pool.mode.value, Mode::Http);
    assert_eq!(pool.algorithm.value, Algorithm::LeastConnections { choices: None, bias_milli: 1000 });
    assert!(pool.shared_state.is_some());
    let shown: Vec<String> = pool.endpoints.iter().map(|endpoint| endpoint.address.to_string()).collect();
    assert_eq!(shown, ["10.0.0.1:80", "api.internal:8080", "unix:/run/api.sock", "[2001:db8::1]:81"]);
    let [first, second, third, fourth] = pool.endpoints.as_slice() else { panic!("four servers") };
    assert_eq!(first.weight.value, 1);
    assert!(matches!(first.weight.origin, Origin::Default(_)));
    assert_eq!(second.weight.value, 5);
    assert!(matches!(second.weight.origin, Origin::Written(_)));
    assert_eq!(second.max_connections.map(|limit| limit.value), Some(100));
    assert_eq!(second.name.value, "API.internal:8080");
    assert_eq!(third.state.value, AdminState::Disabled);
    assert_eq!(fourth.tier.value, 1);
    let passive = |index: usize| {
        let outlier = pool.endpoints[index].outlier_detection.unwrap().value;
        (outlier.failures, outlier.ejection.unwrap().as_secs())
    };
    assert_eq!(passive(0), (1, 10));
    assert_eq!(passive(1), (3, 60));
    assert_eq!(passive(3), (0, 10));
    assert_eq!(pool.all_backups.map(|all| all.value), Some(true));
}

#[test]
fn methods() {
    let hash = |key: HashKey, table| (key, table);
    for (line, policy, detail) in [
        ("", "round_robin", None),
        ("least_conn;", "least_conn", None),
        ("ip_hash;", "source_hash", Some(hash(HashKey::Source, HashTable::IpHash))),
        ("hash $remote_addr;", "source_hash", Some(hash(HashKey::Source, HashTable::Map))),
        ("hash $uri;", "modulo_hash", Some(hash(HashKey::Expression("$uri".into()), HashTable::Map))),
        (
            "hash \"$host$uri\" consistent;",
            "consistent_hash",
            Some(hash(HashKey::Expression("$host$uri".into()), HashTable::Ketama)),
        ),
        ("hash same;", "constant_hash", Some(hash(HashKey::Constant("same".into()), HashTable::Map))),
        ("random;", "random_one", None),
        ("random two;", "random_two", None),
        ("random two least_time=header;", "random_two", None),
        ("least_time last_byte;", "least_time", None),
        ("fair;", "external(fair)", None),
        // The last one counts.
        ("ip_hash; least_conn;", "least_conn", None),
    ] {
        let case = http(&format!("upstream u {{ {line} server 10.0.0.1; server 10.0.0.2; }}"));
        assert_eq!(case.errors(), [""; 0], "{line}");
        let algorithm = &case.pool("u").algorithm;
        assert_eq!(algorithm.value.policy_name(), policy, "{line}");
        assert_eq!(algorithm.is_explicit(), !line.is_empty(), "{line}");
        if let (Some((key, table)), Algorithm::Hash { key: found, table: found_table, .. }) =
            (detail, &algorithm.value)
        {
            assert_eq!((&key, &table), (found, found_table), "{line}");
        }
    }
}

#[test]
fn sticky_sessions_and_commercial_parameters() {
    let case = http(
        "upstream u {
            server 10.0.0.1 route=a slow_start=30s;
            server 10.0.0.2 drain;
            sticky cookie srv expires=1h;
            queue 100 timeout=70;
        }
        upstream s { zone z 64k; resolver 127.0.0.1; server backends.example.com service=http resolve; }",
    );
    assert_eq!(case.errors(), [""; 0]);
    let pool = case.pool("u");
    assert_eq!(pool.affinity[0].value, Affinity::Cookie("srv".into()));
    assert_eq!(pool.endpoints[1].state.value, AdminState::Draining);
    assert_eq!(pool.timeouts.queue.map(|time| time.value), Some(Duration::from_secs(70)));
    assert!(matches!(case.pool("s").membership, Membership::Unknown(_)));
}

#[test]
fn timeouts_and_retries_are_inherited_and_keep_their_origin() {
    let case = http(
        "proxy_read_timeout 20s;
        upstream u { server 10.0.0.1; server 10.0.0.2; }
        server {
            proxy_connect_timeout 500ms;
            location / {
                proxy_pass https://u;
                proxy_next_upstream error http_502;
                proxy_next_upstream_tries 3;
            }
        }",
    );
    let pool = case.pool("u");
    let connect = pool.timeouts.connect.unwrap();
    assert_eq!(connect.value, Duration::from_millis(500));
    assert!(matches!(connect.origin, Origin::Inherited(_)));
    assert_eq!(pool.timeouts.response.unwrap().value, Duration::from_secs(20));
    let on = pool.retries.on.as_ref().unwrap();
    assert_eq!(on.value, "error http_502");
    assert!(matches!(on.origin, Origin::Written(_)));
    // Three tries are two more after the first.
    assert_eq!(pool.retries.attempts.unwrap().value, 2);
    assert!(pool.endpoints[0].tls.unwrap().value);
}

#[test]
fn addresses_without_an_upstream_are_pools_of_their_own() {
    let case = http(
        "server {
            location /a { proxy_pass http://10.0.0.1; }
            location /b { proxy_pass https://10.0.0.1; }
            location /c { proxy_pass http://10.0.0.1:80/x/; }
            location /d { fastcgi_pass unix:/run/php.sock; }
            location /e { grpc_pass grpc://grpc.example.com:50051; }
            location /f { proxy_pass http://unix:/run/app.sock:/uri; }
            location /g { proxy_pass http://localhost:3000; }
            location /h { proxy_pass http://10.0.0.9:81$request_uri; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    let shown: Vec<String> =
        case.config().pools.iter().map(|pool| pool.endpoints[0].address.to_string()).collect();
    assert_eq!(
        shown,
        [
            "10.0.0.1:80",
            "10.0.0.1:443",
            "unix:/run/php.sock",
            "grpc.example.com:50051",
            "unix:/run/app.sock",
            "localhost:3000",
            "10.0.0.9:81",
        ]
    );
    assert!(case.config().pools.iter().all(|pool| pool.kind == PoolKind::Implicit));
    assert_eq!(
        case.pool("grpc.example.com:50051").endpoints[0].address.host,
        Host::Name("grpc.example.com".into())
    );
}

#[test]
fn a_bare_name_without_an_upstream_is_undefined() {
    let case = http(
        "server { location / { proxy_pass http://backend; } location /x { proxy_pass http://a.example.com; } }",
    );
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(case.route("*:80", "h", "/"), "undefined backend");
    assert_eq!(case.route("*:80", "h", "/x"), "a.example.com");
}

#[test]
fn upstream_names_ignore_case() {
    let case = http("upstream Api { server 10.0.0.1; } server { location / { proxy_pass http://aPI; } }");
    assert_eq!(case.route("*:80", "h", "/"), "Api");
}

#[test]
fn server_names_in_the_order_nginx_tries_them() {
    let case = http(
        "server { server_name ~^re; return 401; }
        server { server_name www.example.*; return 402; }
        server { server_name *.org; return 403; }
        server { server_name *.example.org; return 404; }
        server { server_name www.example.org; return 405; }
        server { server_name .example.net; return 406; }
        server { listen 80 default_server; return 407; }
        server { server_name ~^re2; return 418; }
        server { server_name \"\"; return 409; }",
    );
    assert_eq!(case.errors(), [""; 0]);
    for (host, status) in [
        ("www.example.org", "405"),
        ("WWW.Example.ORG", "405"),
        ("a.example.org", "404"),
        ("a.b.example.org", "404"),
        ("example.org", "403"),
        ("www.example.com", "402"),
        ("www.example.co.uk", "402"),
        ("example.net", "406"),
        ("a.example.net", "406"),
        ("reg", "401"),
        ("re2x", "401"),
        ("other", "407"),
    ] {
        assert_eq!(case.route("*:80", host, "/"), status, "{host}");
    }
}

#[test]
fn a_name_with_a_leading_dot_gives_way_as_a_whole() {
    let case = http(
        "server { server_name x; return 401; }
        server { server_name *.b.x; return 402; }
        server { server_name .b.x; return 403; }
        server { server_name c.x; return 404; }
        server { server_name .c.x; return 405; }
        server { server_name .d.x; return 406; }
        server { server_name d.x; return 407; }
        server { server_name b.x *.x; return 418; }",
    );
    let hosts = [
        ("b.x", "418"),
        ("a.b.x", "402"),
        ("c.x", "404"),
        ("a.c.x", "418"),
        ("d.x", "406"),
        ("a.d.x", "406"),
    ];
    for (host, status) in hosts {
        assert_eq!(case.route("*:80", host, "/"), status, "{host}");
    }
}

#[test]
fn the_first_server_is_the_default_unless_one_says_so() {
    let two =
        "server { listen 80; server_name a; return 401; } server { listen 80; server_name b; return 402; }";
    assert_eq!(http(two).route("*:80", "x", "/"), "401");
    let marked = two.replace("listen 80; server_name b", "listen 80 default_server; server_name b");
    assert_eq!(http(&marked).route("*:80", "x", "/"), "402");
}

#[test]
fn listen_in_all_forms() {
    let case = http(
        "ssl_certificate a; ssl_certificate_key b;
        server {
            listen 8080;
            listen 127.0.0.1:81 proxy_protocol;
            listen [::]:82 ipv6only=off;
            listen *:83 default_server ssl;
            listen unix:/run/n.sock;
            listen 84-86;
            listen 10.0.0.1;
            listen 443 quic reuseport;
        }
        server { server_name second; }",
    );
    assert_eq!(case.errors(), [""; 0]);
    let names: Vec<&str> =
        case.config().listeners.iter().map(|listener| listener.name.value.as_str()).collect();
    assert_eq!(
        names,
        [
            "*:8080",
            "127.0.0.1:81",
            "[::]:82",
            "*:83",
            "unix:/run/n.sock",
            "*:84-86",
            "10.0.0.1:80",
            "*:443/udp",
            "*:80",
        ]
    );
    let bind = |index: usize| &case.config().listeners[index].binds[0];
    assert!(bind(1).accept_proxy && !bind(0).accept_proxy);
    assert!(bind(3).tls && bind(7).tls && !bind(0).tls);
    assert_eq!(bind(5).ports, Some((84, 86)));
    assert_eq!(bind(4).ports, None);
}

#[test]
fn locations_in_the_order_nginx_tries_them() {
    let case = http(
        r"server {
            location = /exact { return 401; }
            location /exact { return 402; }
            location ~ \.jpg$ { return 403; }
            location ~ \.JPG$ { return 404; }
            location ~* \.png$ { return 405; }
            location ^~ /static/ { return 406; }
            location /img/ { return 407; }
            location /img/deep/ { return 418; }
            location / { return 409; }
            location ~ jpg { return 410; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    for (path, status) in [
        ("/exact", "401"),
        ("/exact/more", "402"),
        ("/exact.jpg", "403"),
        ("/a.JPG", "404"),
        ("/a.PnG", "405"),
        ("/static/a.jpg", "406"),
        ("/img/a.gif", "407"),
        ("/img/deep/a.gif", "418"),
        ("/img/deep/a.jpg", "403"),
        ("/x", "409"),
        ("/jpgs", "410"),
    ] {
        assert_eq!(case.route("*:80", "h", path), status, "{path}");
    }
}

#[test]
fn nested_locations_come_before_the_expressions_around_them() {
    let case = http(
        r"server {
            location /a/ {
                return 401;
                location /a/b/ { return 402; location ~ x$ { return 403; } }
                location ^~ /a/c/ { return 404; }
                location = /a/d { return 405; }
                location ~ y$ { return 406; }
            }
            location ^~ /n/ { return 407; location ~ w$ { return 418; } }
            location ~ z$ { return 409; location ~ zz$ { return 410; } }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    for (path, status) in [
        ("/a/1", "401"),
        ("/a/b/1", "402"),
        ("/a/b/x", "403"),
        ("/a/b/y", "406"),
        ("/a/b/z", "409"),
        ("/a/c/1", "404"),
        ("/a/c/y", "404"),
        // `^~` speaks for its own level only.
        ("/a/c/z", "409"),
        ("/a/d", "405"),
        ("/n/z", "407"),
        ("/n/w", "418"),
        ("/zz", "410"),
        ("/z", "409"),
    ] {
        assert_eq!(case.route("*:80", "h", path), status, "{path}");
    }
}

#[test]
fn a_missing_final_slash_is_redirected_where_a_location_proxies() {
    let case = http(
        "server { location /app/ { proxy_pass http://10.0.0.1; } location /files/ { root /srv; } location / { return 404; } }",
    );
    assert_eq!(case.route("*:80", "h", "/app"), "301");
    assert_eq!(case.route("*:80", "h", "/app/"), "10.0.0.1");
    assert_eq!(case.route("*:80", "h", "/files"), "404");
    let own = http("server { location /app/ { proxy_pass http://10.0.0.1; } location /app { return 410; } }");
    assert_eq!(own.route("*:80", "h", "/app"), "410");
}

#[test]
fn return_in_a_server_comes_before_all_locations() {
    let case =
        http("server { location / { proxy_pass http://10.0.0.1; } return 301 https://$host$request_uri; }");
    assert_eq!(case.route("*:80", "h", "/"), "301");
    assert_eq!(http("server { return 444; }").route("*:80", "h", "/"), "closed");
    assert_eq!(http("server { return https://x/; }").route("*:80", "h", "/"), "302");
}

#[test]
fn conditions_of_if() {
    let case = http(
        "server {
            if ($request_method = POST) { return 405; }
            if ($http_x_debug) { return 406; }
            if ($host != good) { return 407; }
            location / { return 200; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    let request = |method, host, headers| Request { method, host, path: "/", headers };
    assert_eq!(case.send("*:80", &request("POST", "good", &[])), "405");
    assert_eq!(case.send("*:80", &request("GET", "good", &[("x-debug", "1")])), "406");
    assert_eq!(case.send("*:80", &request("GET", "good", &[("x-debug", "0")])), "200");
    assert_eq!(case.send("*:80", &request("GET", "bad", &[])), "407");
}

#[test]
fn of_several_ifs_in_a_location_the_last_that_holds_counts_unless_one_returns() {
    let case = http(
        "server { location / {
            if ($http_a) { proxy_pass http://10.0.0.1; }
            if ($http_b) { proxy_pass http://10.0.0.2; }
            if ($http_c) { set $x 1; }
            if ($http_d) { return 403; }
            proxy_pass http://10.0.0.9;
        } }",
    );
    let send = |headers| case.send("*:80", &Request { method: "GET", host: "h", path: "/", headers });
    assert_eq!(send(&[]), "10.0.0.9");
    assert_eq!(send(&[("a", "1")]), "10.0.0.1");
    assert_eq!(send(&[("a", "1"), ("b", "1")]), "10.0.0.2");
    assert_eq!(send(&[("a", "1"), ("c", "1")]), "10.0.0.9");
    assert_eq!(send(&[("a", "1"), ("d", "1")]), "403");
}

#[test]
fn try_files_falls_back_to_named_locations_and_paths() {
    let case = http(
        r"server {
            location / { try_files $uri @app; }
            location @app { proxy_pass http://10.0.0.1; }
            location /php/ { try_files $uri /index.php?$args; }
            location ~ \.php$ { fastcgi_pass 10.0.0.2:9000; }
            location /none/ { try_files $uri =404; }
            location /lost/ { try_files $uri @lost; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    // Whether the file exists is not known; here it is taken not to.
    assert_eq!(case.route("*:80", "h", "/x"), "10.0.0.1");
    assert_eq!(case.route("*:80", "h", "/php/x"), "10.0.0.2:9000");
    assert!(case.route("*:80", "h", "/none/x").starts_with("local"));
    assert_eq!(case.route("*:80", "h", "/lost/x"), "500");
}

#[test]
fn a_circle_of_internal_redirects_ends() {
    let case = http(
        "server {
            location / { try_files $uri /index.html; }
            location /a { rewrite ^ /b last; }
            location /b { rewrite ^ /a last; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    assert!(case.route("*:80", "h", "/a").starts_with("opaque"));
    assert!(case.route("*:80", "h", "/x").starts_with("opaque"));
}

#[test]
fn rewrites_redirect_or_lead_to_other_locations() {
    let case = http(
        "server {
            rewrite ^/old$ /new permanent;
            rewrite ^/away$ https://example.com/;
            location /from { rewrite ^/from$ /to/here last; return 410; }
            location /to/ { proxy_pass http://10.0.0.1; }
            location /keep { rewrite ^/keep$ /x break; proxy_pass http://10.0.0.2; }
        }",
    );
    assert_eq!(case.route("*:80", "h", "/old"), "301");
    assert_eq!(case.route("*:80", "h", "/away"), "302");
    assert_eq!(case.route("*:80", "h", "/from"), "10.0.0.1");
    assert_eq!(case.route("*:80", "h", "/from2"), "410");
    assert_eq!(case.route("*:80", "h", "/keep"), "10.0.0.2");
}

#[test]
fn a_map_over_a_header_is_a_table() {
    let case = http(
        "map $http_x_tier $pool { default slow; gold fast; }
        upstream slow { server 10.0.0.1; }
        upstream fast { server 10.0.0.2; }
        server { location / { proxy_pass http://$pool; } }",
    );
    let send = |headers| case.send("*:80", &Request { method: "GET", host: "h", path: "/", headers });
    assert_eq!(send(&[]), "slow");
    assert_eq!(send(&[("x-tier", "Gold")]), "fast");
}

#[test]
fn variables_with_constant_values_name_their_candidates() {
    let text = "upstream a { server 10.0.0.1; } upstream b { server 10.0.0.2; }
        map $connection $m { default a; 1 b; }
        server {
            location /m { proxy_pass http://$m; }
            location /s { set $s a; if ($arg_x) { set $s b; } proxy_pass http://$s; }
            location /h { proxy_pass http://$host; }
            location /t { set $t other.example.com; proxy_pass http://$t; }
        }";
    let case = http(text);
    assert_eq!(case.route("*:80", "h", "/m"), "dynamic http://$m of 2");
    assert_eq!(case.route("*:80", "h", "/s"), "dynamic http://$s of 2");
    assert_eq!(case.route("*:80", "h", "/h"), "dynamic http://$host of 0");
    assert_eq!(case.route("*:80", "h", "/t"), "dynamic http://$t of 0");
}

#[test]
fn split_clients_is_a_split_in_hundredths_of_a_percent() {
    let case = http(
        "upstream a { server 10.0.0.1; } upstream b { server 10.0.0.2; }
        split_clients $remote_addr $ab { 12.5% b; 0.05% b; * a; }
        split_clients $remote_addr $part { 50% a; }
        server { location / { proxy_pass http://$ab; } location /p { proxy_pass http://$part; } }",
    );
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(case.route("*:80", "h", "/"), "b=1250 b=5 a=8745");
    // Half of the clients get an empty address.
    assert_eq!(case.route("*:80", "h", "/p"), "dynamic http://$part of 0");
}

#[test]
fn limit_except_and_deny() {
    let case = http(
        "server {
            location / { limit_except GET { proxy_pass http://10.0.0.2; } proxy_pass http://10.0.0.1; }
            location /ro { limit_except GET { deny all; } proxy_pass http://10.0.0.1; }
            location /no { deny all; }
        }",
    );
    let send = |method, path| case.send("*:80", &Request { method, host: "h", path, headers: &[] });
    assert_eq!(send("GET", "/"), "10.0.0.1");
    assert_eq!(send("HEAD", "/"), "10.0.0.1");
    assert_eq!(send("POST", "/"), "10.0.0.2");
    assert_eq!(send("POST", "/ro"), "403");
    assert_eq!(send("GET", "/no"), "403");
}

#[test]
fn access_by_address_is_inherited_as_a_whole() {
    let case = http(
        "deny 10.9.0.0/16;
        server {
            allow 192.168.0.0/16; allow 172.16.0.9; deny all;
            location / { proxy_pass http://10.0.0.1; }
            location /open { allow all; proxy_pass http://10.0.0.1; }
            location /either { satisfy any; proxy_pass http://10.0.0.1; }
            location /ldap { satisfy any; auth_ldap x; proxy_pass http://10.0.0.1; }
        }
        server { server_name b; location / { proxy_pass http://10.0.0.1; } }",
    );
    let send = |source: &str, host: &str, path: &str| {
        let request = lbcheck::traffic::Request {
            host: Some(host.to_owned()),
            path: Some(path.to_owned()),
            source: source.parse().ok(),
            ..lbcheck::traffic::Request::default()
        };
        let config = case.config();
        let listener = config.listeners.first().unwrap();
        lbcheck::traffic::find(config, listener.table, &request).map(|route| route.label.clone())
    };
    assert_eq!(send("1.2.3.4", "a", "/").as_deref(), Some("deny all"));
    assert_eq!(send("192.168.7.1", "a", "/").as_deref(), Some("location /"));
    assert_eq!(send("172.16.0.9", "a", "/").as_deref(), Some("location /"));
    assert_eq!(send("1.2.3.4", "a", "/open").as_deref(), Some("location /open"));
    // Whoever is not let in by address may be by a password, where there is one.
    assert_eq!(send("1.2.3.4", "a", "/either").as_deref(), Some("deny all"));
    assert_eq!(send("1.2.3.4", "a", "/ldap"), None);
    assert_eq!(send("10.9.1.1", "b", "/").as_deref(), Some("deny 10.9.0.0/16"));
    assert_eq!(send("10.8.1.1", "b", "/").as_deref(), Some("location /"));
}

#[test]
fn internal_locations_and_side_requests_are_other_uses() {
    let case = http(
        "upstream auth { server 10.0.0.1; } upstream copy { server 10.0.0.2; } upstream app { server 10.0.0.3; }
        upstream err { server 10.0.0.4; }
        server {
            mirror /copy;
            error_page 502 @err;
            location / { auth_request /auth; proxy_pass http://app; }
            location = /auth { internal; proxy_pass http://auth; }
            location = /copy { internal; proxy_pass http://copy$request_uri; }
            location @err { proxy_pass http://err; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(case.route("*:80", "h", "/auth"), "404");
    let mut used: Vec<&str> = case
        .config()
        .other_uses
        .iter()
        .map(|(pool, _)| case.config().pool(*pool).name.value.as_str())
        .collect();
    used.dedup();
    assert_eq!(used, ["auth", "copy", "err"]);
    let mirrored = case.config().tables.iter().flat_map(|table| &table.routes).filter(|route| {
        route
            .mirrors
            .iter()
            .any(|mirror| matches!(mirror.target, Target::Pool { .. }) && mirror.share_ppm == 1_000_000)
    });
    assert!(mirrored.count() > 0);
}

#[test]
fn active_checks_of_the_commercial_edition() {
    let case = http(
        "upstream u { zone u 64k; server 10.0.0.1; }
        server { location / { proxy_pass http://u; health_check interval=10 fails=3 uri=/ok; } }",
    );
    assert_eq!(case.errors(), [""; 0]);
    let check = &case.pool("u").health_checks[0].value;
    assert_eq!(check.kind, CheckKind::Http { path: Some("/ok".into()) });
    assert_eq!(check.timing.interval.unwrap().value, Duration::from_secs(10));
    assert_eq!(check.timing.fall.unwrap().value, 3);
}

#[test]
fn stream_servers() {
    let case = stream(
        "upstream db { least_conn; server 10.0.0.1:5432; server 10.0.0.2:5432 backup; }
        map $ssl_preread_server_name $by_name { db.example.com db; default other; }
        upstream other { server 10.0.0.3:1; }
        server { listen 5432; proxy_pass db; proxy_connect_timeout 3s; }
        server { listen 443; ssl_preread on; proxy_pass $by_name; }
        server { listen 53 udp; proxy_pass 10.0.0.9:53; }",
    );
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(case.pool("db").mode.value, Mode::Tcp);
    assert_eq!(case.pool("db").timeouts.connect.unwrap().value, Duration::from_secs(3));
    assert_eq!(case.pool("db").timeouts.response.unwrap().value, Duration::from_secs(600));
    assert_eq!(case.route("*:5432", "", ""), "db");
    assert_eq!(case.route("*:443", "db.example.com", ""), "db");
    assert_eq!(case.route("*:443", "x", ""), "other");
    assert_eq!(case.route("*:53/udp", "", ""), "10.0.0.9:53");
}

#[test]
fn lua_leaves_a_gap_and_an_ordinary_configuration_none() {
    let lua = http("server { location / { content_by_lua_block { ngx.say(\"}\") } } }");
    assert_eq!(lua.errors(), [""; 0]);
    assert!(lua.route("*:80", "h", "/").starts_with("opaque"));
    assert_eq!(lua.config().coverage.gaps.len(), 1);
    let ordinary = main(
        "user www-data; worker_processes auto; events { worker_connections 768; }
        http {
            sendfile on; gzip on; server_tokens off; log_format x '$remote_addr'; access_log /var/log/a x;
            limit_req_zone $binary_remote_addr zone=z:10m rate=10r/s;
            upstream u { server 10.0.0.1; keepalive 8; }
            server {
                server_name a; root /srv; index index.html; limit_req zone=z burst=5;
                add_header X-Frame-Options DENY always;
                location / { proxy_pass http://u; proxy_set_header Host $host; proxy_http_version 1.1; }
                location ~ /\\.ht { deny all; }
            }
        }",
    );
    assert_eq!(ordinary.errors(), [""; 0]);
    assert_eq!(ordinary.config().coverage.gaps, []);
    assert_eq!(ordinary.config().coverage.total, ordinary.config().coverage.understood);
}

#[test]
fn snippets_are_recognised_by_what_they_hold() {
    for (text, listeners) in [
        ("upstream u { server 10.0.0.1; } server { location / { proxy_pass http://u; } }", "*:80"),
        ("location / { return 200; }", "snippet"),
        ("proxy_pass http://10.0.0.1;", "snippet"),
        ("listen 8080; server_name x; location / { }", "*:8080"),
        ("server { listen 5432; proxy_pass 10.0.0.1:5432; }", "*:5432"),
    ] {
        let case = snippet("", text);
        assert_eq!(case.errors(), [""; 0], "{text}");
        assert!(case.config().fragment, "{text}");
        assert_eq!(case.config().listeners[0].name.value, listeners, "{text}");
    }
    assert_eq!(snippet("", "listen 5432; proxy_pass 10.0.0.1:5432;").config().listeners[0].mode, Mode::Tcp);
    assert!(!main("events {} http {}").config().fragment);
    let given = snippet("http upstream", "server 10.0.0.1 weight=2; least_conn;");
    assert_eq!(given.config().pools[0].endpoints[0].weight.value, 2);
}

#[test]
fn directives_of_other_versions() {
    let text = "events {} http { server { listen 80; http2 on; } }";
    let old = with(&[("/n.conf", text)], |options| options.version = "1.22".parse().unwrap());
    assert_eq!(
        old.errors(),
        ["1:38 unknown-directive: nginx 1.22 has no directive `http2`: it appeared in 1.25.1"]
    );
    assert_eq!(main(text).errors(), [""; 0]);
    let removed = main("events {} http { server { listen 80; ssl on; } }");
    assert_eq!(
        removed.errors(),
        ["1:38 unknown-directive: nginx 1.30 has no directive `ssl`: it was removed in 1.25.1"]
    );
}
