//! Where HAProxy sends a request: conditions, and the order of rules.

use lbcheck::dialect::{Dialect, Version};
use lbcheck::load::MemoryLoader;
use lbcheck::model::{Action, Condition, Config, Match, Pool, Target, TextMatch};
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;
use lbcheck::traffic::{Request, RouteOutcome, route};

const BACKENDS: &str =
    "backend a\n mode http\n server s 10.0.0.1:80\nbackend b\n mode http\n server s 10.0.0.2:80\n";

fn config(text: &str) -> Config {
    let loader = MemoryLoader::one("haproxy.cfg", text);
    let options = ReadOptions::new(Dialect::HaProxy);
    let reading = read(&loader, &mut Sources::new(), &["haproxy.cfg".to_owned()], &options);
    let messages: Vec<&String> = reading.diagnostics.iter().map(|found| &found.message).collect();
    assert!(messages.is_empty(), "{text}\n{messages:#?}");
    reading.config
}

/// The routes of an HTTP frontend that consists of `lines`.
fn routes(lines: &str) -> String {
    first_table(&config(&format!("frontend f\n mode http\n bind :80\n {lines}\n{BACKENDS}")))
}

/// The routes of the first listener, one a line: condition, then target.
fn first_table(config: &Config) -> String {
    let mut out = String::new();
    for route in &config.table(config.listeners[0].table).routes {
        let action = match &route.action {
            Action::Forward(Target::Pool { pool, .. }) => config.pool(*pool).name.value.clone(),
            Action::Forward(Target::Undefined(name)) => format!("undefined {}", name.value),
            Action::Forward(Target::Dynamic { text, .. }) => format!("dynamic {}", text.value),
            Action::Respond(response) => match response.status {
                Some(status) => format!("{} {status}", response.kind),
                None => response.kind.clone(),
            },
            Action::Local(what) => format!("local {what}"),
            other => format!("{other:?}"),
        };
        out += &format!("{} -> {action}\n", text(&route.when));
    }
    out
}

fn text(condition: &Condition) -> String {
    let list = |parts: &[Condition], joint: &str| {
        format!("({})", parts.iter().map(text).collect::<Vec<_>>().join(joint))
    };
    match condition {
        Condition::Always => "always".into(),
        Condition::Never => "never".into(),
        Condition::All(parts) => list(parts, " & "),
        Condition::Any(parts) => list(parts, " | "),
        Condition::Not(inner) => format!("!{}", text(inner)),
        Condition::Chance(share) => format!("{share}ppm"),
        Condition::Opaque(words) => format!("?{words}?"),
        Condition::Is(test) => match test {
            Match::Host(test) => format!("host{}", compare(test)),
            Match::HostName(test) => format!("hostname{}", compare(test)),
            Match::Path(test) => format!("path{}", compare(test)),
            Match::Target(test) => format!("target{}", compare(test)),
            Match::Method(test) => format!("method{}", compare(test)),
            Match::Header(name, test) => format!("header[{name}]{}", compare(test)),
            Match::HeaderLine(name, test) => format!("line[{name}]{}", compare(test)),
            Match::Query(name, test) => format!("query[{name}]{}", compare(test)),
            Match::Cookie(name, test) => format!("cookie[{name}]{}", compare(test)),
            Match::Sni(test) => format!("sni{}", compare(test)),
            Match::Source(network) => format!("src={network}"),
            Match::Port(port) => format!("port={port}"),
            Match::Tls => "tls".into(),
        },
    }
}

fn compare(test: &TextMatch) -> String {
    match test {
        TextMatch::Exact(text) => format!("={text}"),
        TextMatch::Prefix(text) => format!("^{text}"),
        TextMatch::Suffix(text) => format!("${text}"),
        TextMatch::Contains(text) => format!("*{text}"),
        TextMatch::SegmentPrefix(text) => format!("/^{text}"),
        TextMatch::Regex(text) => format!("~{text}"),
        TextMatch::IgnoreCase(inner) => format!("(i){}", compare(inner)),
        TextMatch::Between(from, to) => format!("[{from},{to})"),
        TextMatch::Present => "?".into(),
    }
}

fn pool<'c>(config: &'c Config, name: &str) -> &'c Pool {
    let found = config.pools.iter().position(|pool| pool.name.value == name);
    assert!(found.is_some(), "no pool {name}");
    &config.pools[found.unwrap_or_default()]
}

#[test]
fn conditions_of_well_known_fetches() {
    let cases = [
        ("", "always"),
        ("if TRUE", "always"),
        ("unless TRUE", "never"),
        ("if api", "(path^/api | path^/v2)"),
        ("if !api get", "(!(path^/api | path^/v2) & method=GET)"),
        ("if api || get", "(path^/api | path^/v2 | method=GET)"),
        ("if api OR get", "(path^/api | path^/v2 | method=GET)"),
        ("unless { path /x }", "!path=/x"),
        ("if ! { path /x }", "!path=/x"),
        ("if METH_GET", "(method=GET | method=HEAD)"),
        ("if { hdr(Host) -i A.example b.example }", "(host(i)=A.example | host(i)=b.example)"),
        ("if { req.hdr(host),lower a.example }", "host(i)=a.example"),
        ("if { hdr(host),lower A.example }", "never"),
        ("if { req.hdr(host),host_only -m end .example }", "hostname(i)$.example"),
        ("if { req.hdr(host),field(1,:) -i a }", "hostname(i)=a"),
        ("if { hdr(host) a:8080 }", "host=a:8080"),
        ("if { hdr_beg(host) www. }", "host^www."),
        ("if { hdr_dom(host) a.b }", "host~(^|[/?.:])a\\.b([/?.:]|$)"),
        ("if { path_dir img }", "path~(^|[/?])img([/?]|$)"),
        ("if { path_end .png .jpg }", "(path$.png | path$.jpg)"),
        ("if { path_reg ^/a }", "path~^/a"),
        ("if { path_sub /b/ }", "path*/b/"),
        ("if { path -m beg -i /A }", "path(i)^/A"),
        ("if { url_beg /a }", "target^/a"),
        ("if { url /a?b }", "target=/a?b"),
        ("if { hdr(X-A) -m found }", "header[x-a]?"),
        ("if { hdr_cnt(x-a) eq 0 }", "!header[x-a]?"),
        ("if { urlp(q) 1 }", "query[q]=1"),
        ("if { cook(a) b }", "cookie[a]=b"),
        ("if { src 10.0.0.0/8 192.168.1.1 }", "(src=10.0.0.0/8 | src=192.168.1.1/32)"),
        ("if { src 10.0.0.0/255.0.0.0 }", "src=10.0.0.0/8"),
        ("if { src -f blocked.lst }", "?src -f blocked.lst?"),
        ("if { ssl_fc }", "tls"),
        ("if { ssl_fc_sni a.example }", "sni=a.example"),
        ("if { dst_port 80 }", "port=80"),
        ("if { rand(100) lt 10 }", "100000ppm"),
        ("if { rand(4) ge 1 }", "750000ppm"),
        ("if { rand(10) lt 10 }", "always"),
        ("if { nbsrv(b) lt 1 }", "?nbsrv(b) lt 1?"),
        ("if { path -- -i }", "path=-i"),
    ];
    for (words, expected) in cases {
        let all = routes(&format!(
            "acl api path_beg /api\n acl api path_beg /v2\n acl get method GET\n use_backend b {words}"
        ));
        assert_eq!(all.split(" -> ").next(), Some(expected), "{words}");
    }
}

#[test]
fn rules_are_ordered_as_they_run() {
    let lines = "use_backend a if { path /a }\n default_backend b\n \
                 redirect location /new code 301 if { path /old }\n \
                 http-request deny deny_status 429 if { src 10.0.0.0/8 }\n monitor-uri /up\n \
                 http-request return status 204 if { path /empty }\n \
                 tcp-request connection reject if { src 192.0.2.0/24 }\n stats uri /stats\n \
                 http-request use-service prometheus-exporter if { path /metrics }";
    assert_eq!(
        routes(lines),
        "src=192.0.2.0/24 -> reject\n\
         target=/up -> monitor-uri 200\n\
         src=10.0.0.0/8 -> deny 429\n\
         path=/empty -> return 204\n\
         path=/metrics -> local prometheus-exporter\n\
         target^/stats -> local stats\n\
         path=/old -> redirect 301\n\
         path=/a -> a\n\
         always -> b\n"
    );
}

#[test]
fn an_allow_rule_shields_what_follows_in_its_set_only() {
    let lines = "http-request allow if { path /free }\n http-request deny\n default_backend b";
    assert_eq!(routes(lines), "!path=/free -> deny 403\nalways -> b\n");
    let lines = "http-request allow\n http-request deny\n default_backend b";
    assert_eq!(routes(lines), "never -> deny 403\nalways -> b\n");
}

#[test]
fn a_test_of_a_rewritten_property_is_opaque() {
    let lines = "http-request deny if { path /secret }\n http-request set-path /x%[path]\n \
                 http-request set-header X-A b\n use_backend b if { path_beg /x }\n \
                 use_backend b if { hdr(x-a) b }\n use_backend b if { hdr(x-b) b }";
    assert_eq!(
        routes(lines),
        "path=/secret -> deny 403\n\
         ?the path after a rule rewrote it? -> b\n\
         ?the header `x-a` after a rule rewrote it? -> b\n\
         header[x-b]=b -> b\n\
         always -> no backend 503\n"
    );
}

#[test]
fn targets_may_be_undefined_or_dynamic() {
    let lines = "use_backend gone if { path /a }\n use_backend %[path,field(2,/)]\n default_backend b";
    assert_eq!(
        routes(lines),
        "path=/a -> undefined gone\nalways -> dynamic %[path,field(2,/)]\nalways -> b\n"
    );
}

#[test]
fn http_rules_are_not_evaluated_in_tcp_mode() {
    let config = config(&format!(
        "frontend f\n mode tcp\n bind :80\n tcp-request content reject if {{ src 10.0.0.0/8 }}\n \
         use_backend a if {{ req.ssl_sni -m end .example }}\n{BACKENDS}"
    ));
    assert_eq!(first_table(&config), "src=10.0.0.0/8 -> reject\nsni$.example -> a\nalways -> no backend\n");
}

#[test]
fn a_listen_section_is_listener_and_pool() {
    let config = config("listen l\n bind :80\n server s 10.0.0.2:80\n");
    assert_eq!(first_table(&config), "always -> l\n");
    assert_eq!(config.pools.len(), 1);
}

#[test]
fn a_backend_may_answer_by_itself_or_override_its_algorithm() {
    let config = config(
        "backend gone\n mode http\n http-request return status 410\n\
         backend page\n mode http\n stats enable\n\
         backend canary\n mode http\n use-server c if { hdr(x-canary) 1 }\n \
         http-request deny if { path /no }\n server s 10.0.0.1:80\n server c 10.0.0.2:80 weight 0\n",
    );
    assert!(pool(&config, "gone").answers_locally.is_some());
    assert!(pool(&config, "page").answers_locally.is_some());
    let canary = pool(&config, "canary");
    assert!(canary.answers_locally.is_none());
    assert_eq!(canary.overrides.len(), 2);
    assert!(matches!(&canary.overrides[0].action, Action::Respond(response) if response.status == Some(403)));
    assert!(
        matches!(&canary.overrides[1].action, Action::Endpoint { endpoint, .. } if endpoint.value == "c")
    );
}

#[test]
fn rules_of_named_defaults_run_before_those_of_their_heirs() {
    let config = config(
        "defaults d\n mode http\n http-request deny if { path /no }\n\
         frontend f from d\n bind :80\n http-request deny deny_status 404 if { path /mine }\n \
         default_backend b\ndefaults e\n mode http\n http-request deny if { path /no }\n\
         backend b from e\n server s 10.0.0.1:80\n",
    );
    assert_eq!(first_table(&config), "path=/no -> deny 403\npath=/mine -> deny 404\nalways -> b\n");
    assert_eq!(pool(&config, "b").overrides.len(), 1);
}

#[test]
fn routes_tell_how_the_path_and_host_are_changed() {
    let text = "\
frontend f
  mode http
  acl api path_beg /api
  http-request set-header X-Other 1
  http-request replace-path /api/(.*) /\\1 if api
  http-request set-header Host www.example unless api
  use_backend api if api
  use_backend old if { path_beg /old }
  default_backend web
backend api
  mode http
  http-request set-path /v1%[path]
backend old
  mode http
backend web
  mode http
";
    let config = config(text);
    let rewrites: Vec<Option<&str>> =
        config.tables[0].routes.iter().map(|route| route.rewrite.as_deref()).collect();
    let both = "replace-path /api/(.*) /\\1 if api; set-header Host www.example unless api";
    assert_eq!(
        rewrites,
        [Some("replace-path /api/(.*) /\\1; in the backend: set-path /v1%[path]"), Some(both), Some(both)]
    );
}

/// Where a request goes, by the names of pools or the status of an answer.
fn sent(config: &Config, path: &str, host: &str, headers: &[(&str, &str)]) -> String {
    let request = Request {
        host: Some(host.to_owned()),
        path: Some(path.to_owned()),
        query: Some(String::new()),
        method: Some("GET".to_owned()),
        headers: Some(
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ),
        ..Request::default()
    };
    let decision = route(config, &config.listeners[0], &request);
    let ends: Vec<String> = decision
        .ends
        .iter()
        .map(|end| match &end.outcome {
            RouteOutcome::Pool { pool, .. } => config.pool(*pool).name.value.clone(),
            RouteOutcome::Respond(response) => format!("{:?}", response.status),
            other => format!("{other:?}"),
        })
        .collect();
    ends.join(" or ")
}

#[test]
fn names_of_backends_are_put_together_from_the_request() {
    let text = "defaults\n mode http\nfrontend f\n bind :80\n http-request set-header x-set %[src]\n \
                use_backend %[req.hdr(host),host_only,map(hosts.map)] if { path_beg /host }\n \
                use_backend bk_%[req.hdr(x-pool),lower] if { path_beg /header }\n \
                use_backend %[path,map(gone.map,a)] if { path_beg /gone }\n \
                use_backend bk_%[req.hdr(x-set)] if { path_beg /set }\n \
                default_backend rest\nbackend a\nbackend bk_a\nbackend bk_\nbackend rest\n";
    let mut loader = MemoryLoader::one("haproxy.cfg", text);
    loader.files.insert("hosts.map".to_owned(), b"x.example a\n".to_vec());
    let options = ReadOptions::new(Dialect::HaProxy);
    let config = read(&loader, &mut Sources::new(), &["haproxy.cfg".to_owned()], &options).config;
    assert_eq!(sent(&config, "/host", "X.example:80", &[]), "a");
    // A name that no backend has ends the choice: the default backend serves it.
    assert_eq!(sent(&config, "/host", "y.example", &[]), "rest");
    assert_eq!(sent(&config, "/header", "y", &[("x-pool", "A")]), "bk_a");
    assert_eq!(sent(&config, "/header", "y", &[]), "bk_");
    assert_eq!(sent(&config, "/header", "y", &[("x-pool", "none")]), "rest");
    // A map that cannot be read and a header that a rule has set are not known.
    assert!(sent(&config, "/gone", "y", &[]).starts_with("Dynamic"));
    assert!(sent(&config, "/set", "y", &[]).starts_with("Dynamic"));
}

#[test]
fn host_only_makes_the_host_lower_case() {
    let text = "frontend f\n mode http\n bind :80\n use_backend a if { hdr(host),host_only x.example }\n \
                use_backend b if { hdr(host),host_only X.example }\n default_backend b\n";
    let config = config(&format!("{text}{BACKENDS}"));
    assert_eq!(sent(&config, "/", "X.example:8080", &[]), "a");
}

/// The same as [`config`], read for a version and without a look at what it says.
fn config_as(text: &str, (major, minor): (u16, u16)) -> Config {
    let mut options = ReadOptions::new(Dialect::HaProxy);
    options.version = Version::new(major, minor);
    let loader = MemoryLoader::one("haproxy.cfg", text);
    read(&loader, &mut Sources::new(), &["haproxy.cfg".to_owned()], &options).config
}

#[test]
fn a_server_that_is_switched_off_is_not_used() {
    let chosen = |lines: &str| {
        let text = format!(
            "frontend f\n mode http\n bind :80\n default_backend b\nbackend b\n mode http\n{lines} \
             server a 10.0.0.1:80 disabled\n server b 10.0.0.2:80\n server c 10.0.0.3:80 weight 0\n"
        );
        let config = config_as(&text, (3, 4));
        let request = Request { path: Some("/".to_owned()), ..Request::default() };
        match &route(&config, &config.listeners[0], &request).only().unwrap().outcome {
            RouteOutcome::Pool { endpoint, .. } => endpoint.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(chosen(" use-server a if TRUE\n"), None);
    assert_eq!(chosen(" use-server a if TRUE\n use-server c if TRUE\n"), Some("c".to_owned()));
    assert_eq!(chosen(" option persist\n use-server a if TRUE\n"), Some("a".to_owned()));
    // Which requests it forces depends on its condition.
    assert_eq!(chosen(" force-persist if TRUE\n use-server a if TRUE\n"), None);
}

#[test]
fn methods_that_the_program_knows_keep_their_case() {
    assert_eq!(
        routes("use_backend a if { method -i get }"),
        "(method(i)=get & !method=GET) -> a\nalways -> no backend 503\n"
    );
    let to = |condition: &str, method: &str| {
        let text = format!(
            "frontend f\n mode http\n bind :80\n use_backend a if {{ {condition} }}\n default_backend b\n{BACKENDS}"
        );
        let config = config(&text);
        let request = Request { method: Some(method.to_owned()), ..Request::default() };
        match route(&config, &config.listeners[0], &request).only().unwrap().outcome {
            RouteOutcome::Pool { pool, .. } => config.pool(pool).name.value.clone(),
            ref other => panic!("{other:?}"),
        }
    };
    for (condition, method, pool) in [
        ("method -i get", "GET", "b"),
        ("method -i get", "get", "a"),
        ("method -i GET", "GET", "a"),
        ("method -i GET", "get", "b"),
        ("method -m str -i get", "GET", "a"),
        ("method -i patch", "PATCH", "a"),
        ("method patch", "PATCH", "b"),
    ] {
        assert_eq!(to(condition, method), pool, "{condition} {method}");
    }
}

#[test]
fn a_backend_that_is_switched_off_serves_nothing() {
    let text = "defaults\n mode http\nfrontend f\n bind :80\n use_backend q if { path_beg /a }\n \
                use_backend r if { path_beg /a }\n use_backend %[path,field(2,/)] if { path_beg /q }\n \
                use_backend r if { path_beg /q }\n default_backend d\nfrontend g\n bind :81\n \
                default_backend q\nbackend q\n disabled\nbackend r\nbackend d\n";
    let old = config_as(text, (3, 2));
    let new = config_as(text, (3, 4));
    for path in ["/a", "/q"] {
        assert_eq!(sent(&new, path, "x", &[]), "r", "{path}");
        assert_eq!(sent(&old, path, "x", &[]), "Some(503)", "{path}");
        // Nobody asked the version between them.
        assert!(sent(&config_as(text, (3, 3)), path, "x", &[]).starts_with("Opaque"), "{path}");
    }
    for config in [&old, &new] {
        assert_eq!(sent(config, "/", "x", &[]), "d");
        let flows = lbcheck::traffic::flow::flows(config);
        let arrivals = &flows[1].cases[0].arrivals;
        let answer = "backend q is switched off 503".to_owned();
        assert_eq!(arrivals[0].to, lbcheck::traffic::flow::Destination::Answer(answer));
        assert_eq!(arrivals[0].share, 1.0);
        let mut only = config.clone();
        only.listeners.remove(0);
        assert_eq!(sent(&only, "/", "x", &[]), "Some(503)");
    }
}
