//! Includes, dumps and the oddities of real files.

use crate::nginx_common::{files, http, main, snippet, with};
use lbcheck::nginx::{TokenKind, tokens};

#[test]
fn includes_are_read_in_place_in_the_order_of_their_names() {
    let case = files(&[
        ("/etc/nginx/nginx.conf", "events {} http { include conf.d/*.conf; include up/b; }"),
        ("/etc/nginx/conf.d/20.conf", "server { server_name b; return 402; }"),
        ("/etc/nginx/conf.d/10.conf", "server { server_name a; include more.conf; }"),
        ("/etc/nginx/conf.d/.30.conf", "nonsense"),
        ("/etc/nginx/more.conf", "return 401;"),
        ("/etc/nginx/up/b", "upstream u { server 10.0.0.1; }"),
    ]);
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(case.route("*:80", "other", "/"), "401");
    assert_eq!(case.route("*:80", "b", "/"), "402");
    assert_eq!(case.pool_names(), ["u"]);
    assert_eq!(case.config().files.len(), 5);
}

#[test]
fn includes_work_inside_blocks_of_values() {
    let case = files(&[
        (
            "/n/nginx.conf",
            "events {} http { map $http_a $x { include m; default u; } upstream u { server 10.0.0.1; }\n\
            server { location / { proxy_pass http://$x; } } }",
        ),
        ("/n/m", "key u;"),
    ]);
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(case.route("*:80", "h", "/"), "u");
}

#[test]
fn includes_that_fail() {
    let missing = main("events {} http { include gone.conf; }");
    assert!(missing.errors()[0].contains("cannot read the included file `/etc/nginx/gone.conf`"));
    assert_eq!(missing.config().coverage.gaps.len(), 1);
    // A pattern may match nothing, and files that come with nginx may be missing.
    assert_eq!(main("events {} http { include conf.d/*.conf; include mime.types; }").errors(), [""; 0]);
    let circle =
        files(&[("/n/nginx.conf", "events {} include a;"), ("/n/a", "include b;"), ("/n/b", "include a;")]);
    assert!(circle.errors()[0].contains("includes itself"));
    // An included file may not close a block it did not open.
    let brace = files(&[("/n/nginx.conf", "events {} http { include a; }"), ("/n/a", "}")]);
    assert_eq!(brace.errors(), ["1:1 syntax-error: unexpected `}`: no block is open here"]);
}

#[test]
fn a_tree_may_be_read_from_another_place() {
    let case = files(&[
        ("repo/nginx.conf", "events {} http { include /etc/nginx/conf.d/*.conf; }"),
        ("repo/conf.d/a.conf", "server { return 404; }"),
    ]);
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(case.route("*:80", "h", "/"), "404");
    let prefixed = with(
        &[("repo/main.conf", "events {} http { include a; }"), ("/srv/a", "server { return 404; }")],
        |options| options.prefix = Some("/srv".to_owned()),
    );
    assert_eq!(prefixed.errors(), [""; 0]);
}

#[test]
fn the_output_of_nginx_t_is_read_from_itself() {
    let dump = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
        nginx: configuration file /etc/nginx/nginx.conf test is successful\n\
        # configuration file /etc/nginx/nginx.conf:\n\
        events {}\nhttp { include mime.types; include /etc/nginx/sites/*; }\n\n\
        # configuration file /etc/nginx/mime.types:\ntypes { text/html html; }\n\n\
        # configuration file /etc/nginx/sites/a:\nserver { listen 80; return 404; }\n\
        upstream u { server 10.0.0.1 weight=0; }\n";
    let case = main(dump);
    assert_eq!(case.errors(), ["2:30 invalid-value: nginx does not take `weight=0`"]);
    // Each file has its own name and lines.
    let found = &case.reading.diagnostics;
    let error = found.iter().find(|found| found.severity == lbcheck::diagnostic::Severity::Error).unwrap();
    assert_eq!(case.sources.file(error.primary.span.file).path(), "/etc/nginx/sites/a");
    assert_eq!(case.route("*:80", "h", "/"), "404");
    let cut = dump.replace("# configuration file /etc/nginx/mime.types:", "");
    assert!(main(&cut).errors().iter().any(|error| error.contains("unexpected") || error.contains("types")));
}

#[test]
fn a_missing_include_is_an_error_in_a_snippet_too() {
    let case = snippet("http server", "include snippets/tls.conf;");
    let errors = case.errors();
    assert!(errors.len() == 1 && errors[0].contains("cannot read the included file"), "{errors:?}");
}

#[test]
fn oddities_of_real_files() {
    for text in [
        // Line ends, last line without one, several statements a line, glued blocks, quoted names.
        "events {}\r\nhttp {\r\n}\r\n",
        "events {}\rhttp {\r}",
        "events{worker_connections 10;}http{server{listen 80;location /{return 200;}}}",
        "\"events\" {} 'http' { \"server\"{\"listen\" 80;} }",
        // Comments stand between arguments, and only at the start of a word.
        "events {} http { log_format # here\n a # there\n b; server { location /a#b { } } }",
        // Braces in words.
        "events {} http { server { location ~ \"^/a{2}$\" { } location /\\{\\;\\}\\ #\\ ab {}# hello\n } }",
        "events {} http { server { location ~ x\\d+{ } } }",
        "events {} http { server { set $a ${uri}x; return 200 \"${remote_addr}AAA$a\"; } }",
        "events {} http { server { index index.${uri}html; add_header A inner\"-\"quote; add_header B \"\"; } }",
        // Lua, whose braces, strings and comments are its own.
        "events {} http { server { location / { content_by_lua_block {\n\
            local s = '}' -- } \n --[[ } ]] local t = [==[ } ]==] if x then y = { 1, { 2 } } end\n } } } }",
        "events {} http { server { set_by_lua_block $res { return \"}\" } location / { \"access_by_lua_block\" { } } } }",
        "events {} http { upstream content_by_lua_block { server 10.0.0.1; } }",
        "events {} http { log_format j escape=json '{\"a\": \"$uri\",\n \"b\": {\"c\": 1}}'; }",
        "events {} http { map $uri $x { '' 0; '~^0{32}$' 1; \"~a;b\" 2; default 3; } types { text/html html htm; } }",
        "events {} http { server { if ( $uri ~* \"a b\" ) { return 403; } } }",
    ] {
        assert_eq!(main(text).errors(), [""; 0], "{text}");
    }
}

#[test]
fn an_unquoted_brace_ends_a_word() {
    let errors = http("server { location ~ ^/a{2}$ { } }").errors();
    assert!(!errors.is_empty());
    assert!(!http("server { location \"/a\"\"b\" { } }").errors().is_empty());
}

#[test]
fn tokens_are_the_text() {
    let text = "a 'b c' # d\n{ e_by_lua_block { x = \"}\" } }\t\"f\"g;\r\n";
    let found = tokens(text.as_bytes());
    let joined: Vec<u8> = found.iter().flat_map(|token| token.bytes.to_vec()).collect();
    assert_eq!(String::from_utf8(joined).unwrap(), text);
    let count = |kind| found.iter().filter(|token| token.kind == kind).count();
    assert_eq!((count(TokenKind::Lua), count(TokenKind::Comment), count(TokenKind::Word)), (1, 1, 5));
}

#[test]
fn blocks_and_comments_are_handed_on() {
    let case = main("events {} # one\nhttp {\n  # two\n  server { }\n}\n");
    let text = |span| case.sources.text(span).to_owned();
    let comments: Vec<String> = case.reading.comments.iter().map(|&span| text(span)).collect();
    assert_eq!(comments, ["# one", "# two"]);
    let headers: Vec<String> = case.reading.blocks.iter().map(|block| text(block.header)).collect();
    assert_eq!(headers, ["events", "http", "server"]);
    assert!(text(case.reading.blocks[1].extent).ends_with("}\n}"));
}
