//! What the HAProxy reader refuses, and where. Every verdict was confirmed with the program.

use lbcheck::diagnostic::Severity;
use lbcheck::dialect::{Dialect, Version};
use lbcheck::load::MemoryLoader;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;

use crate::support;

fn reading(text: impl Into<Vec<u8>>, version: (u16, u16)) -> Reading {
    let loader = MemoryLoader::one("haproxy.cfg", text);
    let mut options = ReadOptions::new(Dialect::HaProxy);
    options.version = Version::new(version.0, version.1);
    read(&loader, &mut Sources::new(), &["haproxy.cfg".to_owned()], &options)
}

/// Each error as `rule: the words it points at`.
fn errors_as(text: &str, version: (u16, u16)) -> Vec<String> {
    reading(text, version)
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| format!("{}: {}", found.rule.as_str(), &text[found.primary.span.range()]))
        .collect()
}

fn check(lines: &str, expected: &[&str]) {
    let text = format!("listen l\n bind :80\n {lines}\n");
    assert_eq!(errors_as(&text, (3, 2)), expected, "{lines}");
}

#[test]
fn wrong_lines_of_a_proxy_section() {
    let cases: &[(&str, &[&str])] = &[
        ("serverr s 10.0.0.1:80", &["unknown-directive: serverr"]),
        ("daemon", &["unknown-directive: daemon"]),
        ("reqirep a b", &["unknown-directive: reqirep"]),
        ("mode ftp", &["invalid-value: ftp"]),
        ("mode http tcp", &["invalid-value: tcp"]),
        ("balance fastest", &["invalid-value: fastest"]),
        ("balance random(0)", &["invalid-value: random(0)"]),
        ("balance uri len x", &["invalid-value: len"]),
        ("hash-type consistent md5", &["invalid-value: md5"]),
        ("hash-balance-factor 50", &["invalid-value: 50"]),
        ("timeout server 5x", &["invalid-value: 5x"]),
        ("timeout servr 5s", &["unknown-directive: servr"]),
        ("option htpchk", &["unknown-directive: htpchk"]),
        ("option forceclose", &["unknown-directive: forceclose"]),
        ("option httpchk GET / HTTP/1.1\\r\\nHost:\\ a", &["invalid-value: HTTP/1.1\\r\\nHost:\\ a"]),
        ("no mode http", &["invalid-value: no mode http"]),
        ("no option httplog", &["invalid-value: httplog"]),
        ("server s", &["invalid-value: server s"]),
        ("server s 10.0.0.1:99999", &["invalid-value: 10.0.0.1:99999"]),
        ("server s 10.0.0.1:80-90", &["invalid-value: 10.0.0.1:80-90"]),
        ("server a/b 10.0.0.1:80", &["invalid-value: a/b"]),
        ("server s 10.0.0.1:80 weight 257", &["invalid-value: weight 257"]),
        ("server s 10.0.0.1:80 chek", &["unknown-directive: chek"]),
        ("server s 10.0.0.1:80 rise 0", &["invalid-value: rise 0"]),
        ("server s 10.0.0.1:80 inter 0", &["invalid-value: 0"]),
        ("server s 10.0.0.1:80 resolvers none", &["invalid-value: resolvers none"]),
        ("server s 10.0.0.1:80 track x", &["invalid-value: track x"]),
        ("server s 10.0.0.1 check", &["invalid-value: server s 10.0.0.1 check"]),
        ("server s 10.0.0.1:80 ssl", &["invalid-value: server s 10.0.0.1:80 ssl"]),
        ("server s 10.0.0.1:1\n server s 10.0.0.1:2", &["duplicate-definition: s"]),
        ("server-template s 3-1 a.example:80", &["invalid-value: 3-1"]),
        ("bind :99999", &["invalid-value: :99999"]),
        ("bind :90-80", &["invalid-value: :90-80"]),
        ("bind 10.0.0.1", &["invalid-value: 10.0.0.1"]),
        ("bind :443 ssl", &["invalid-value: :443"]),
        ("bind :80 tfoo", &["unknown-directive: tfoo"]),
        ("acl a@b path /", &["invalid-value: a@b"]),
        ("acl a foo bar", &["unknown-directive: foo"]),
        ("acl a path,lowr /", &["unknown-directive: lowr"]),
        ("acl a var(x) y", &["invalid-value: x"]),
        ("use_backend l if nope", &["invalid-value: nope"]),
        ("use_backend l if { path /", &["invalid-value: {"]),
        ("use_backend l path /", &["invalid-value: path"]),
        ("server s 10.0.0.1:80\n use-server s", &["invalid-value: use-server s"]),
        ("use-server s if TRUE", &["invalid-value: s"]),
        ("http-request dney", &["unknown-directive: dney"]),
        ("http-request deny now", &["invalid-value: now"]),
        ("http-request set-header X", &["invalid-value: X"]),
        ("http-request set-header X %[foo]", &["unknown-directive: foo"]),
        ("redirect location /x code 200", &["invalid-value: 200"]),
        ("stick-table type ip", &["invalid-value: stick-table type ip"]),
        ("http-reuse often", &["invalid-value: often"]),
        ("bind 'x", &["syntax-error: 'x"]),
        // Taken by the program, whatever they look like.
        ("server s 10.0.0.1:80 maxconn x", &[]),
        ("retries x", &[]),
        ("balance source and more", &[]),
        ("balance random()", &[]),
        ("hash-balance-factor 150x", &[]),
        ("hash-balance-factor x", &[]),
        ("server s :80", &[]),
        // Refused by the program, but by a rule of lbcheck and not by its reader.
        ("use_backend nowhere", &[]),
    ];
    for (lines, expected) in cases {
        check(lines, expected);
    }
}

#[test]
fn wrong_words_inside_rules() {
    let cases: &[(&str, &[&str])] = &[
        ("acl a path -x", &["invalid-value: -x"]),
        ("acl a path -m foo x", &["invalid-value: foo"]),
        ("acl a path -m len abc", &["invalid-value: abc"]),
        ("acl a path -- -x", &[]),
        ("acl a dst_port abc", &["invalid-value: abc"]),
        ("acl a dst_port > 80", &["invalid-value: >"]),
        ("acl a dst_port gt 80 443 90: :70 8000-8010", &[]),
        ("acl a dst_port -m str abc", &[]),
        ("acl a src 10.0.0.0/33", &["invalid-value: 10.0.0.0/33"]),
        ("acl a src 10.0.0.0/8,192.168.0.0/16", &["invalid-value: 10.0.0.0/8,192.168.0.0/16"]),
        ("acl a src 256.1.1.1", &["invalid-value: 256.1.1.1"]),
        ("acl a src -n localhost", &["invalid-value: localhost"]),
        ("acl a src 10/8 10.1 1.2.3.4/255.255.0.0 ::1/128 localhost", &[]),
        ("acl a src,map_ip(/etc/map) x", &[]),
        ("acl a nbsrv(nosuch) lt 1", &["invalid-value: nbsrv(nosuch)"]),
        ("acl a nbsrv(l) lt 1", &[]),
        ("acl a fe_conn(nosuch) gt 1", &["invalid-value: fe_conn(nosuch)"]),
        ("acl a srv_is_up(nosuch/x)", &["invalid-value: srv_is_up(nosuch/x)"]),
        ("acl a srv_is_up(l/x)", &["invalid-value: srv_is_up(l/x)"]),
        ("server s 10.0.0.1:80\n acl a srv_is_up(l/s)", &[]),
        ("server-template s 3 10.0.0.1:80\n acl a srv_is_up(l/s2)", &[]),
        ("acl a http_auth(nosuch)", &["invalid-value: http_auth(nosuch)"]),
        ("stick on src", &["invalid-value: stick on src"]),
        ("stick on src table nosuch", &["invalid-value: nosuch"]),
        ("stick-table type ip size 1m\n stick on src", &[]),
        ("http-request deny deny_status 418", &["invalid-value: 418"]),
        ("http-request deny deny_status 418 hdr x y", &[]),
        ("http-request deny deny_status 429 if TRUE", &[]),
        ("http-request return status 418", &[]),
        ("http-request del-header X iff TRUE", &["invalid-value: iff"]),
        ("redirect scheme https iff TRUE", &["invalid-value: iff"]),
        ("use_backend %[nosuch]", &["unknown-directive: nosuch"]),
        ("http-request set-header X 100%", &["invalid-value: %"]),
        ("http-request set-path /a%20b", &["invalid-value: %2"]),
        ("http-request set-header X %[src", &["invalid-value: %[src"]),
        ("http-request set-header X %%20%[src]%ci%{+Q}r%,%[path,regsub(a,%20)]", &[]),
        ("log-format \"a %\"", &["invalid-value: \"a %\""]),
        ("balance hdr(x", &["invalid-value: hdr(x"]),
        ("balance hdr(x) foo", &["invalid-value: foo"]),
        ("balance url_param x foo", &["invalid-value: foo"]),
        ("balance rdp-cookie(", &["invalid-value: rdp-cookie("]),
        ("balance hash nosuch(x)", &["unknown-directive: nosuch"]),
    ];
    for (lines, expected) in cases {
        let text = format!("listen l\n mode http\n bind :80\n {lines}\n");
        assert_eq!(errors_as(&text, (3, 2)), *expected, "{lines}");
    }
    let own = "backend b\n use_backend b if TRUE\n default_backend c\n";
    assert_eq!(errors_as(own, (3, 2)), ["invalid-value: b", "invalid-value: c"]);
}

#[test]
fn wrong_sections() {
    let cases: &[(&str, &[&str])] = &[
        ("backend\n", &["invalid-value: backend"]),
        ("backend a b\n", &["invalid-value: b"]),
        ("backend a from b\n", &["invalid-value: b"]),
        ("frontend a@b\n", &["invalid-value: a@b"]),
        ("listen x :80\n", &["invalid-value: :80"]),
        ("backend a\nbackend a\n", &["duplicate-definition: a"]),
        ("listen a\nbackend a\n", &["duplicate-definition: a"]),
        ("frontend a\nbackend a\n", &[]),
        ("defaults a\ndefaults a\nbackend b from a\n", &["invalid-value: a"]),
        ("defaults a\ndefaults a\nbackend b\n", &[]),
        ("defaults a\nbackend b from a\ndefaults a\n", &["duplicate-definition: a"]),
        ("defaults a\nbackend b\ndefaults a\n", &[]),
        ("defaults a\nbackend b from a x\n", &["invalid-value: x"]),
        ("global\n log global\n", &["invalid-value: global"]),
        ("defaults\n acl a path /\n", &["invalid-value: acl"]),
        ("global x\n", &["invalid-value: x"]),
        ("global\n nbproc 2\n", &["unknown-directive: nbproc"]),
        ("global\n tune.ssl.nosuch 2\n", &["unknown-directive: tune.ssl.nosuch"]),
        ("peers\n", &["invalid-value: peers"]),
        ("resolvers r\n nameserver n 10.0.0.1\n", &["invalid-value: 10.0.0.1"]),
        ("frontend f\n mode http\n default_backend b\nbackend b\n mode tcp\n", &["invalid-value: b"]),
        ("frontend f\n mode tcp\n default_backend b\nbackend b\n mode http\n", &[]),
        ("hello\nbackend a\n", &["syntax-error: hello"]),
        ("backend a\n.endif\n", &["syntax-error: .endif"]),
        ("backend a\n.if 1\n", &["syntax-error: .if"]),
        ("backend a\n.if bogus(1)\n.endif\n", &["syntax-error: .if bogus(1)"]),
        ("backend a\n.if !defined(NEEDED)\n.alert \"set NEEDED\"\n.endif\n", &["invalid-value: .alert"]),
    ];
    for (text, expected) in cases {
        assert_eq!(errors_as(text, (3, 2)), *expected, "{text}");
    }
}

#[test]
fn verdicts_depend_on_the_version() {
    let one_name = "frontend a\nbackend a\n";
    assert_eq!(errors_as(one_name, (3, 2)), Vec::<String>::new());
    assert_eq!(errors_as(one_name, (3, 3)), ["duplicate-definition: a"]);
    let newer = "backend a\n server s 10.0.0.1:80 hash-key addr\n";
    assert_eq!(errors_as(newer, (2, 6)), ["unknown-directive: hash-key"]);
    assert_eq!(errors_as(newer, (3, 0)), Vec::<String>::new());
    // What a version after the newest known one may have learnt is no error.
    assert_eq!(errors_as("backend a\n some-new-keyword\n", (3, 5)), Vec::<String>::new());
}

#[test]
fn files_that_cannot_be_trusted_are_broken() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "config-empty-or-truncated"),
        (b"# nothing\n", "config-empty-or-truncated"),
        (b"\xef\xbb\xbfbackend a\n", "syntax-error"),
        (b"backend a\n # \x00\n", "syntax-error"),
        (b"backend a\n bind \"x\n", "syntax-error"),
        (b"upstream a { server 10.0.0.1; }\n", "syntax-error"),
    ];
    for (text, rule) in cases {
        let reading = reading(*text, (3, 2));
        assert!(reading.broken, "{text:?}");
        assert!(reading.diagnostics.iter().any(|found| found.rule == *rule), "{text:?}");
    }
}

#[test]
fn a_missing_final_newline_is_an_error_but_the_file_is_read() {
    let text = "backend a\n server s 10.0.0.1:80";
    assert_eq!(errors_as(text, (3, 2)), ["config-empty-or-truncated:  server s 10.0.0.1:80"]);
    assert_eq!(reading(text, (3, 2)).config.pools[0].endpoints.len(), 1);
    assert!(errors_as("backend a\r\n server s 10.0.0.1:80\r\n", (3, 2)).is_empty());
}

#[test]
fn a_missing_file_is_reported_and_broken() {
    let loader = MemoryLoader::default();
    let options = ReadOptions::new(Dialect::HaProxy);
    let reading = read(&loader, &mut Sources::new(), &["gone.cfg".to_owned()], &options);
    assert!(reading.broken);
    assert_eq!(reading.diagnostics[0].rule, "file-unreadable");
}

#[test]
fn close_words_are_suggested() {
    let help = |text: &str| reading(text, (3, 2)).diagnostics[0].help.clone().unwrap_or_default();
    assert_eq!(help("backend b\n serverr s 10.0.0.1:80\n"), "did you mean `server`?");
    assert_eq!(help("backnd b\n"), "did you mean `backend`?");
    assert_eq!(help("listen l\n acl api path /\n use_backend l if apo\n"), "did you mean `api`?");
    assert_eq!(help("backend b\n balance roundrobbin\n"), "did you mean `roundrobin`?");
    assert_eq!(
        help("global\n contimeout 5\nbackend b\n contimeout 5\n"),
        "see the HAProxy configuration manual for the keywords of this section"
    );
}

#[test]
fn a_patch_release_is_not_a_newer_series() {
    let mut sources = Sources::new();
    let mut options = ReadOptions::new(Dialect::HaProxy);
    options.version = "3.2.26".parse().unwrap();
    let text = "defaults\n  timeuot connect 5s\n";
    let reading = read(
        &MemoryLoader::one("haproxy.cfg", text.as_bytes()),
        &mut sources,
        &["haproxy.cfg".to_owned()],
        &options,
    );
    let unknown = reading.diagnostics.iter().find(|found| found.rule == "unknown-directive").unwrap();
    assert_eq!(unknown.severity, Severity::Error);
}

#[test]
fn an_option_of_the_other_side_is_refused_from_3_2_on() {
    let text = "backend b\n option dontlognull\n no option contstats\n option httplog\nfrontend f\n bind :80\n \
                option allbackups\n option abortonclose\n option httpchk\n default_backend b\n";
    let refused =
        ["unknown-directive: dontlognull", "unknown-directive: contstats", "unknown-directive: allbackups"];
    assert_eq!(errors_as(text, (3, 0)), [""; 0]);
    assert_eq!(errors_as(text, (3, 4)), refused);
    assert_eq!(errors_as(text, (3, 2)), [&refused[..], &["unknown-directive: abortonclose"]].concat());
    let idle = |version| {
        let found = reading(text, version).diagnostics;
        let mut idle: Vec<_> = found.iter().filter(|found| found.rule == "directive-ineffective").collect();
        idle.sort_by_key(|found| found.primary.span.range().start);
        idle.iter().map(|found| text[found.primary.span.range()].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        idle((3, 0)),
        [
            "option dontlognull",
            "option httplog",
            "option allbackups",
            "option abortonclose",
            "option httpchk"
        ]
    );
    assert_eq!(idle((3, 4)), ["option httplog", "option httpchk"]);
}

#[test]
fn steps_of_http_check_have_an_order() {
    let check = |lines: &str, expected: &[&str]| {
        let text = format!("listen l\n bind :80\n {}\n", lines.replace("; ", "\n "));
        assert_eq!(errors_as(&text, (3, 4)), expected, "{lines}");
    };
    let send = "http-check send uri /a";
    let expect = "http-check expect status 200";
    let connect = "http-check connect";
    check(
        &format!("option httpchk; {send}; {expect}; {connect}; {send}; {expect}; {expect}"),
        &["invalid-value: connect"],
    );
    check(&format!("option httpchk; {connect}; {send}; {expect}; {connect}; {send}"), &[]);
    check(&format!("option httpchk; {send}; http-check comment x; {send}"), &["invalid-value: send"]);
    check(&format!("{expect}; option httpchk; {send}"), &["invalid-value: send"]);
    check(&format!("option httpchk; {connect}; {expect}"), &["invalid-value: expect"]);
    check(&format!("option httpchk; {connect}; {connect}"), &["invalid-value: connect"]);
    // Without the option nobody looks.
    check(&format!("{send}; {send}; option httpchk"), &[]);
    check(&format!("option httpchk; option tcp-check; {send}; {send}"), &[]);
    let inherited = format!("defaults\n option httpchk\n {expect}\nbackend b\n {send}\n {send}\n");
    assert_eq!(errors_as(&inherited, (3, 4)), ["invalid-value: send"]);
}

#[test]
fn sizes_have_units_since_3_1() {
    let text = |value: &str| format!("global\n tune.bufsize {value}\n tune.sndbuf.client {value}\n");
    assert_eq!(errors_as(&text("16k"), (3, 4)), [""; 0]);
    assert_eq!(errors_as(&text("16kx"), (3, 4)), ["invalid-value: 16kx", "invalid-value: 16kx"]);
    assert_eq!(errors_as(&text("16kx"), (3, 0)), [""; 0]);
    let warned = reading(text("16k"), (3, 0)).diagnostics;
    let warned: Vec<_> = warned.iter().map(|found| found.message.as_str()).collect();
    assert!(warned.contains(&"HAProxy 3.0 reads `16k` of `tune.bufsize` as 16 bytes"), "{warned:?}");
}

#[test]
fn words_of_the_time_with_processes_go_with_their_version() {
    let text = "global\n nbproc 2\n stats bind-process 1\nlisten l\n bind :80 process 1\n bind-process 1\n";
    assert_eq!(errors_as(text, (2, 4)), [""; 0]);
    assert_eq!(errors_as(text, (2, 6)), ["unknown-directive: nbproc"]);
    assert_eq!(
        errors_as(text, (2, 8)),
        [
            "unknown-directive: nbproc",
            "invalid-value: bind-process",
            "unknown-directive: bind-process",
            "unknown-directive: process"
        ]
    );
}

#[test]
fn an_empty_word_is_refused_from_3_4_on() {
    let text = "listen l\n bind :80\n server s 10.0.0.1:80 weight \"\" check\n";
    assert_eq!(errors_as(text, (3, 2)), [""; 0]);
    assert_eq!(errors_as(text, (3, 4)), ["invalid-value: \"\""]);
}

#[test]
fn words_of_filters_paths_and_groups() {
    check("filter trace nname x", &["invalid-value: nname"]);
    check("filter trace name x random-parsing hexdump", &[]);
    check("filter compression x", &["invalid-value: x"]);
    check("stats http-request auth unlesx FALSE", &["invalid-value: unlesx"]);
    check("stats http-request auth realm x unless FALSE", &[]);
    check("stats http-request deny x", &["invalid-value: x"]);
    assert_eq!(errors_as("global\n default-path currentx\n", (3, 4)), ["invalid-value: currentx"]);
    assert_eq!(errors_as("global\n default-path config\n", (3, 4)), [""; 0]);
    let list = "userlist u\n group g\n user a groups g insecure-password x\n";
    let text = format!("{list}listen l\n bind :80\n acl ok http_auth_group(u) g h\n");
    assert_eq!(errors_as(&text, (3, 4)), ["invalid-value: h"]);
}

#[test]
fn equal_names_tell_since_when_they_are_refused() {
    let said = |text: &str, version| {
        let found = reading(text, version).diagnostics;
        let found = found.iter().find(|found| found.rule == "duplicate-definition").unwrap().clone();
        (found.severity, found.message)
    };
    let text = "frontend web\n bind :80\n default_backend web\nbackend web\n server s 10.0.0.1:80\n";
    let (severity, message) = said(text, (3, 4));
    assert_eq!(severity, Severity::Error);
    assert_eq!(
        message,
        "backend `web` has the same name as frontend `web`, which HAProxy refuses from 3.3 on"
    );
    assert_eq!(said(text, (3, 2)).0, Severity::Warning);
    // Which version runs is not known where none was named.
    let mut sources = Sources::new();
    let reading = support::reading(Dialect::HaProxy, text.as_bytes(), &mut sources);
    let assumed = support::check(&sources, &reading);
    let found =
        assumed.findings.iter().find(|found| found.diagnostic.rule == "duplicate-definition").unwrap();
    assert_eq!(found.diagnostic.severity, Severity::Warning);
    let twice = "listen web\n bind :80\nlisten web\n bind :81\n";
    assert!(said(twice, (3, 4)).1.ends_with("defined above it"));
}

#[test]
fn headers_after_the_version_of_a_check_are_refused_from_2_8_on() {
    let text = "listen l\n bind :80\n option httpchk GET / HTTP/1.1\\r\\nHost:\\ a\n";
    assert_eq!(errors_as(text, (2, 6)), [""; 0]);
    assert_eq!(errors_as(text, (2, 8)).len(), 1);
}

#[test]
fn users_and_groups_name_each_other() {
    let list = |lines: &str| format!("userlist u\n{lines}listen l\n bind :80\n");
    let good = " group g users a,b\n user a password x groups h\n user b password x\n group h\n";
    assert_eq!(errors_as(&list(good), (3, 4)), [""; 0]);
    let bad = " group g users a,b\n user a password x groups h,\n";
    assert_eq!(errors_as(&list(bad), (2, 6)), ["invalid-value: a,b", "invalid-value: h,"]);
}

#[test]
fn nothing_follows_an_option_that_is_switched_off() {
    let with = |option: &str| format!("backend b\n no option {option}\n server s 10.0.0.1:80\n");
    assert_eq!(errors_as(&with("abortonclose abortonclose"), (3, 4)), ["invalid-value: abortonclose"]);
    assert_eq!(errors_as(&with("redispatch 2"), (3, 4)), [""; 0]);
}

#[test]
fn a_patch_release_knows_the_variables_of_its_series() {
    let text = "frontend f\n bind :80\n log-format \"%ci [%tt]\"\n";
    let mut options = ReadOptions::new(Dialect::HaProxy);
    options.version = "3.4.7".parse().unwrap();
    let loader = MemoryLoader::one("haproxy.cfg", text);
    let found = read(&loader, &mut Sources::new(), &["haproxy.cfg".to_owned()], &options).diagnostics;
    assert!(found.iter().any(|found| found.message.contains("`%tt` is not a variable")), "{found:?}");
}

#[test]
fn the_negation_of_an_expected_answer_may_stand_alone() {
    let http = |what: &str| format!("backend b\n mode http\n option httpchk\n http-check expect {what}\n");
    let tcp = |what: &str| format!("backend b\n option tcp-check\n tcp-check expect {what}\n");
    for version in [(2, 6), (3, 4)] {
        for good in [
            "! status 500",
            "! string x",
            "! rstring ^5",
            "min-recv 3 ! rstatus ^5 comment hi",
            "! ! status 500",
            "! !status 500",
            "! hdr name x",
        ] {
            assert_eq!(errors_as(&http(good), version), [""; 0], "{good}");
        }
        assert_eq!(errors_as(&tcp("! string x"), version), [""; 0]);
        for bad in ["!", "! comment x status 500", "! wrong x"] {
            assert_eq!(errors_as(&http(bad), version).len(), 1, "{bad}");
        }
    }
}

#[test]
fn arguments_that_the_program_supplies_itself_may_be_left_out() {
    let backend = |acl: &str| format!("backend b\n mode http\n acl a {acl}\n server s 10.0.0.1:80\n");
    let frontend = |acl: &str| format!("frontend f\n mode http\n bind :80\n acl a {acl}\n");
    for version in [(2, 6), (3, 4)] {
        for name in
            ["avg_queue", "be_conn", "be_conn_free", "be_sess_rate", "connslots", "nbsrv", "queue", "nbsrv()"]
        {
            let acl = format!("{name} gt 1");
            assert_eq!(errors_as(&backend(&acl), version), [""; 0], "{name}");
            // A frontend has no servers to count.
            assert_eq!(errors_as(&frontend(&acl), version).len(), 1, "{name}");
        }
        for name in ["fe_conn", "fe_req_rate", "fe_sess_rate"] {
            let acl = format!("{name} gt 1");
            assert_eq!(errors_as(&frontend(&acl), version), [""; 0], "{name}");
            assert_eq!(errors_as(&backend(&acl), version).len(), 1, "{name}");
        }
        for converters in
            ["path,url_enc", "date,utime", "path,json", "path,concat", "path,ltrim", "path,language"]
        {
            let text = frontend(&format!("{converters} -m found"));
            assert_eq!(errors_as(&text, version), [""; 0], "{converters}");
        }
        // The table of the own section, where there is one.
        for acl in ["src_conn_cur gt 1", "src,in_table -m bool", "src,table_gpc0 gt 1", "table_cnt gt 1"] {
            let text = frontend(acl);
            assert_eq!(errors_as(&text, version).len(), 1, "{acl}");
            let table = format!("{text} stick-table type ip size 1k store gpc0,conn_cur\n");
            assert_eq!(errors_as(&table, version), [""; 0], "{acl}");
        }
        assert_eq!(errors_as(&backend("srv_is_up"), version).len(), 1);
    }
    assert_eq!(errors_as(&frontend("str(x),bytes -m found"), (2, 6)).len(), 1);
    assert_eq!(errors_as(&frontend("str(x),bytes -m found"), (3, 4)), [""; 0]);
}

#[test]
fn words_that_3_2_and_3_4_brought_are_known() {
    let table = "backend b\n stick-table type ipv4 size 1k\n";
    assert_eq!(errors_as(table, (3, 2)), [""; 0]);
    assert_eq!(errors_as(table, (2, 8)), ["invalid-value: ipv4"]);
    let option = |words: &str| format!("backend b\n{words}\n server s 10.0.0.1:80\n");
    for good in [
        " option use-small-buffers",
        " no option use-small-buffers",
        " option use-small-buffers queue l7-retries check",
    ] {
        assert_eq!(errors_as(&option(good), (3, 4)), [""; 0], "{good}");
        assert_eq!(errors_as(&option(good), (3, 2)).len(), 1, "{good}");
    }
    let wrong = option(" option use-small-buffers a");
    assert_eq!(errors_as(&wrong, (3, 4)), ["invalid-value: a"]);
}

#[test]
fn units_of_counts_are_told_to_be_ignored() {
    let warnings = |text: &str| -> Vec<String> {
        let found = reading(text, (3, 4)).diagnostics;
        found.into_iter().filter(|found| found.rule == "invalid-value").map(|found| found.message).collect()
    };
    let front = "frontend f\n bind :80 maxconn 5k\n maxconn 10k\n";
    assert_eq!(
        warnings(front),
        [
            "HAProxy reads `maxconn 10k` as 10: it takes no unit",
            "HAProxy reads `maxconn 5k` as 5: it takes no unit"
        ]
    );
    let server = |words: &str| format!("backend b\n server s 10.0.0.1:80 {words}\n");
    assert_eq!(warnings(&server("maxconn 1k maxqueue 5k weight 10x")).len(), 3);
    assert_eq!(warnings(&server("maxconn 1000 maxqueue 0 weight 10")), [""; 0]);
    assert_eq!(warnings(&server("weight ten")), ["`ten` is not a number; HAProxy reads `weight ten` as 0"]);
}

#[test]
fn what_names_nothing_or_stands_twice_is_refused() {
    let check = |words: &str| format!("backend b\n mode http\n option httpchk GET /h HTTP/1.1{words}\n");
    assert_eq!(errors_as(&check(" Host: x"), (2, 6)), ["invalid-value: Host:"]);
    assert_eq!(errors_as(&check(" Host: x"), (3, 4)), ["invalid-value: x"]);
    assert_eq!(errors_as(&check(" x"), (3, 4)), [""; 0]);
    assert_eq!(errors_as(&check(" x"), (3, 0)), ["invalid-value: x"]);

    let track = |table: &str| {
        format!(
            "frontend f\n mode http\n bind :80\n http-request track-sc0 src table b if TRUE\nbackend b\n{table}"
        )
    };
    assert_eq!(errors_as(&track(""), (3, 4)), ["invalid-value: b"]);
    assert_eq!(errors_as(&track(" stick-table type ip size 1k\n"), (3, 4)), [""; 0]);

    let servers = |one: &str, two: &str| {
        format!("backend b\n server s1 10.0.0.1:80 {one}\n server s2 10.0.0.2:80 {two}\n")
    };
    assert_eq!(errors_as(&servers("track b/s2", "track s1"), (3, 4)).len(), 2);
    assert_eq!(errors_as(&servers("track s1", ""), (3, 4)).len(), 1);
    assert_eq!(errors_as(&servers("track s2", "check"), (3, 4)), [""; 0]);
    assert_eq!(errors_as(&servers("id 1", "id 1"), (3, 4)).len(), 1);
    assert_eq!(errors_as(&servers("id 1", "id 2"), (3, 4)), [""; 0]);

    let store = |what: &str| format!("backend b\n stick-table type ip size 1k store {what}\n");
    assert_eq!(errors_as(&store("http_req_rat(20s)"), (3, 4)).len(), 1);
    assert_eq!(errors_as(&store("http_req_rate(20s),gpc(2),conn_cur"), (2, 6)), [""; 0]);
    assert_eq!(errors_as(&store("glitch_cnt"), (2, 8)).len(), 1);
    assert_eq!(errors_as(&store("glitch_cnt"), (3, 0)), [""; 0]);
}
