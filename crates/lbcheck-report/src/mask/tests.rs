use super::name::is_secret_name;
use super::*;

/// The text with its secrets as stars, one for each character but line ends.
fn shown(path: &str, text: &str) -> String {
    let secrets = find(path, text);
    text.char_indices()
        .map(
            |(at, letter)| {
                if letter != '\n' && secrets.iter().any(|secret| secret.contains(&at)) { '*' } else { letter }
            },
        )
        .collect()
}

#[test]
fn haproxy_and_nginx() {
    let cases = [
        ("    stats auth admin:s3cret", "    stats auth admin:******"),
        ("    stats  auht admin:s3cret", "    stats  auht admin:******"),
        ("    stats auth admin:s3:cret # x", "    stats auth admin:******* # x"),
        ("#stats auth admin:s3cret", "#stats auth admin:******"),
        ("  user joe password $5$abc/def groups g", "  user joe password ********** groups g"),
        ("  user joe password $1$abc$def", "  user joe password **********"),
        ("  user joe insecure-password pw", "  user joe insecure-password **"),
        ("  user joe insecure-password \"p w\"", "  user joe insecure-password \"***\""),
        ("  setenv API_TOKEN abc123", "  setenv API_TOKEN ******"),
        (
            "  http-request set-header Authorization \"Basic YWJj\" if x",
            "  http-request set-header Authorization \"**********\" if x",
        ),
        (
            "  http-request set-header Authorization Basic\\ YWJj",
            "  http-request set-header Authorization ***********",
        ),
        (
            "  option httpchk GET / HTTP/1.1\\r\\nAuthorization:\\ Basic\\ YWJj",
            "  option httpchk GET / HTTP/1.1\\r\\nAuthorization:*************",
        ),
        ("  http-check send hdr x-api-key abc", "  http-check send hdr x-api-key ***"),
        ("  tcp-check send AUTH\\ hunter2\\r\\n", "  tcp-check send AUTH\\************"),
        ("  acl k req.hdr(X-Api-Key) -m str abc def", "  acl k req.hdr(X-Api-Key) -m str *** ***"),
        (
            "  use_backend b if { http_auth_bearer -m str abc }",
            "  use_backend b if { http_auth_bearer -m str *** }",
        ),
        ("  server a 10.0.0.1:80 check", "  server a 10.0.0.1:80 check"),
        (
            "  proxy_set_header Authorization \"Bearer abc\";",
            "  proxy_set_header Authorization \"**********\";",
        ),
        (
            "  proxy_set_header Authorization $http_authorization;",
            "  proxy_set_header Authorization $http_authorization;",
        ),
        ("  proxy_pass http://joe:pw@10.0.0.1:80/x;", "  proxy_pass http://joe:**@10.0.0.1:80/x;"),
        (
            "  if ($http_x_api_key != \"abc\") { return 403; }",
            "  if ($http_x_api_key != \"***\") { return 403; }",
        ),
        ("  secure_link_secret word;", "  secure_link_secret ****;"),
        ("  server a 10.0.0.1:80 cookie s1", "  server a 10.0.0.1:80 cookie s1"),
        ("  http-request set-header Cookie SID=1", "  http-request set-header Cookie *****"),
        ("  group admins users joe", "  group admins users joe"),
        ("  auth_basic_user_file /etc/htpasswd /x", "  auth_basic_user_file /etc/htpasswd /x"),
        ("  bind :443 tcp-md5sig pass1 ktls on", "  bind :443 tcp-md5sig ***** ktls on"),
        ("  user secret password hunter2", "  user secret ******** *******"),
        ("  server_tokens off;", "  server_tokens off;"),
        ("  stats socket /run/x level admin", "  stats socket /run/x level admin"),
        ("  user joe passwrd pw1", "  user joe passwrd ***"),
        ("  server a 10.0.0.1:80 agent-send abc check", "  server a 10.0.0.1:80 agent-send *** check"),
        ("  option httpchk GET /x?token=abc", "  option httpchk GET /x?token=***"),
        ("  use_backend b if { urlp(sig) -m str abc }", "  use_backend b if { urlp(sig) -m str *** }"),
        ("ssl_password_file /x; root x;", "ssl_password_file /x; root x;"),
        ("  ssl_password_file abc x;", "  ssl_password_file *** *;"),
        ("  auth_basic_user_file /etc/pw x abc;", "  auth_basic_user_file /etc/pw * ***;"),
        ("  server joe:pw@10.0.0.1:80;", "  server joe:**@10.0.0.1:80;"),
        ("  ssl_certificate_key /etc/ssl/x.key;", "  ssl_certificate_key /etc/ssl/x.key;"),
        ("  ssl_password_file /etc/pw;", "  ssl_password_file /etc/pw;"),
        ("  auth_basic_user_file /etc/pw;", "  auth_basic_user_file /etc/pw;"),
        (
            "map $http_x_api_key $client {\n  default \"\";\n  \"abc\" joe;\n}\nroot /x;",
            "map $http_x_api_key $client {\n  default \"\";\n  \"***\" joe;\n}\nroot /x;",
        ),
    ];
    for (text, expected) in cases {
        let path = if text.contains(';') { "nginx.conf" } else { "haproxy.cfg" };
        assert_eq!(shown(path, text), expected);
    }
}

#[test]
fn what_is_behind_a_semicolon_is_no_value() {
    let cases = [
        ("set $jwt_secret abcSECRET1; bogus_b y;", "set $jwt_secret **********; bogus_b y;"),
        ("proxy_pass_header Authorization; root /x;", "proxy_pass_header Authorization; root /x;"),
        ("set $api_key; set $x y;", "set $api_key; set $x y;"),
        ("set $api_key\n  abc1;\nroot x;", "set $api_key\n  ****;\nroot x;"),
        ("ssl_password_file abc; root x;", "ssl_password_file ***; root x;"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown("nginx.conf", &format!("http {{\n{text}\n}}")), format!("http {{\n{expected}\n}}"));
    }
    // HAProxy has no semicolons.
    let text = "userlist u\n  user joe insecure-password abc;DEF";
    assert_eq!(shown("haproxy.cfg", text), "userlist u\n  user joe insecure-password *******");
}

#[test]
fn secrets_in_scripts() {
    let cases = [
        ("local password = \"abc d\"", "local password = \"*****\""),
        ("local t = { api_key = 'abc', x = 'y' }", "local t = { api_key = '***', x = 'y' }"),
        ("ngx.req.set_header(\"X-Api-Key\", \"abc\")", "ngx.req.set_header(\"X-Api-Key\", \"***\")"),
        ("h[\"Authorization\"] = \"abc\"", "h[\"Authorization\"] = \"***\""),
        ("{\"client_secret\": \"abc\", \"x\": \"y\"}", "{\"client_secret\": \"***\", \"x\": \"y\"}"),
    ];
    for (text, expected) in cases {
        let text = format!("http {{\n  content_by_lua_block {{\n    {text}\n  }}\n}}");
        let shown = shown("nginx.conf", &text);
        assert_eq!(shown.lines().nth(2).unwrap_or_default().trim(), expected);
    }
}

#[test]
fn tokens_are_known_by_their_form() {
    let hidden = [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc_d-e",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "sk-proj-abcdEFGHijklMNOP",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "xoxb-123456789012-abcdefghijkl",
    ];
    for token in hidden {
        assert_eq!(plain(&format!("set $x \"{token}\";")), "set $x \"***\";", "{token}");
    }
    for word in ["sk-west", "sk-region-backend-servers", "npm_registry", "eyJ", "SG.example.com", "AKIA"] {
        assert_eq!(plain(&format!("server {word} x")), format!("server {word} x"));
    }
}

#[test]
fn secrets_that_show_by_their_form() {
    let cases = [
        ("GET /health?token=abc123 is", "GET /health?token=*** is"),
        ("/x?a=1&sig=ab%2Fc&b=2", "/x?a=1&sig=***&b=2"),
        (
            "/x?access_token=a&apikey=b&key=c&password=d",
            "/x?access_token=***&apikey=***&key=***&password=***",
        ),
        ("`/x?X-Amz-Signature=abc`", "`/x?X-Amz-Signature=***`"),
        ("/x?page=2&sort=key", "/x?page=2&sort=key"),
        ("/x?token=$arg_token&x=1", "/x?token=$arg_token&x=1"),
        ("http://joe:pw@h/x@y", "http://joe:***@h/x@y"),
        ("redis://:pw@h:6379", "redis://:***@h:6379"),
        ("\"u:s3cret@10.0.0.1:80\"", "\"u:***@10.0.0.1:80\""),
        ("log syslog:abc@h:514 local0", "log syslog:***@h:514 local0"),
        ("bind 10.0.0.1:80,ipv4@10.0.0.2:80", "bind 10.0.0.1:80,ipv4@10.0.0.2:80"),
        ("bind unix@/run/a:b", "bind unix@/run/a:b"),
        ("mailto:joe@example.com", "mailto:joe@example.com"),
        ("image: nginx:1.2@sha256:abc", "image: nginx:1.2@sha256:abc"),
        ("\"@type\": x", "\"@type\": x"),
        ("$user:$pass@$host", "$user:$pass@$host"),
        ("\"Bearer abc\" x", "\"Bearer ***\" x"),
        ("is Bearer aB3dE6 x", "is Bearer *** x"),
        ("hdr Authorization:\\ Basic\\ YWJj", "hdr Authorization:\\ Basic\\ ***"),
        ("# Basic Settings", "# Basic Settings"),
        ("a basic authentication", "a basic authentication"),
        ("basic_auth: {users: x}", "basic_auth: {users: x}"),
        ("größe ?tökén=é&token=é x@é:é", "größe ?tökén=é&token=*** x@é:é"),
    ];
    for (text, expected) in cases {
        assert_eq!(plain(text), expected);
    }
}

#[test]
fn names_with_typing_mistakes_lead_to_secrets_too() {
    for name in
        ["passwrod", "pasword", "passwrd", "db_passwrod", "secrte", "scret", "insecure-pasword", "privte_key"]
    {
        assert!(is_secret_name(name), "{name}");
    }
    for name in [
        "server",
        "pass1",
        "secure",
        "socket",
        "pass",
        "proxy_pass",
        "passed",
        "postpone",
        "cluster_name",
        "path",
        "Bearer secret",
    ] {
        assert!(!is_secret_name(name), "{name}");
    }
    assert!(is_secret_header("Authorizaton"));
}

#[test]
fn keys_of_maps_from_secrets() {
    let cases = [
        (
            "map $http_authorization $ok { default 0; \"Bearer abc\" u; 'x y' v; }",
            "map $http_authorization $ok { default 0; \"**********\" u; '***' v; }",
        ),
        (
            "map $arg_token $a {\n  # c\n  abc 1;\n}\nroot x;",
            "map $arg_token $a {\n  # c\n  *** 1;\n}\nroot x;",
        ),
        ("map $cookie_sid $a { abc 1; }", "map $cookie_sid $a { *** 1; }"),
        (
            "map $cookie_who $a { canary 1; a1b2c3 2; ~^x 3; }",
            "map $cookie_who $a { canary 1; ****** 2; ~^x 3; }",
        ),
        ("map $host $a { example.com 1; }", "map $host $a { example.com 1; }"),
        ("map $arg_token $a", "map $arg_token $a"),
        ("map $arg_token $a { \"abc", "map $arg_token $a { \"***"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown("nginx.conf", text), expected);
    }
}

#[test]
fn sentences_lose_secrets_and_no_other_word() {
    let cases = [
        ("stats auth joe:hunter22", "`joe:hunter22` is wrong", "`joe:***` is wrong"),
        ("stats auth joe:hunter22", "has no hunter22x, hunter22.", "has no hunter22x, ***."),
        // Too short to look for, but for what stands before it.
        ("stats auth joe:pw", "`joe:pw` has pw in http", "`joe:***` has pw in http"),
        ("set $api_key x;", "the next x of http_x_api_key", "the next x of http_x_api_key"),
        // A word of the file besides, and one of the message's own.
        ("stats auth joe:canary\nbackend canary", "backend `canary`", "backend `canary`"),
        ("stats auth joe:traffic", "90 % of the traffic", "90 % of the traffic"),
        ("stats auth joe:traffic", "`traffic` is unknown", "`***` is unknown"),
        (
            "http-request set-header Authorization \"Bearer abcdef\"",
            "unknown `abcdef`, Bearer",
            "unknown `***`, Bearer",
        ),
        ("map $arg_token $x { A1B2C3 1; }", "key `a1b2c3` is given twice", "key `***` is given twice"),
        ("proxy_set_header Authorization \"Basic a1b2c3\"", "got a1b2c3", "got ***"),
    ];
    for (text, message, expected) in cases {
        let mut sources = Sources::new();
        let file = sources.add("haproxy.cfg", text.as_bytes().to_vec());
        let secrets = Secrets::new(&sources);
        let said = secrets.hide(&sources, [Span::new(file, 0, 1)], message);
        assert_eq!(said.as_deref().unwrap_or(message), expected, "{text}");
    }
}

#[test]
fn yaml_and_json() {
    let cases = [
        ("private_key:\n  inline_string: abc\nname: x", "private_key:\n  inline_string: ***\nname: x"),
        ("private_key: {inline_string: \"a, b\", x: y}", "private_key: {inline_string: \"****\", x: y}"),
        ("private_key: {filename: /etc/key.pem}", "private_key: {filename: /etc/key.pem}"),
        ("\"password\": \"hunter2\"", "\"password\": \"*******\""),
        (
            "{\"tls\":{\"password\":{\"inlineString\":\"a\\\"b\"},\"x\":\"y\"}}",
            "{\"tls\":{\"password\":{\"inlineString\":\"****\"},\"x\":\"y\"}}",
        ),
        (
            "hmac_secret:\n  name: hmac\n  sds_config: {path: /etc/x}",
            "hmac_secret:\n  name: hmac\n  sds_config: {path: /etc/x}",
        ),
        (
            "generic_secret:\n  secret:\n    inline_string: abc # c",
            "generic_secret:\n  secret:\n    inline_string: *** # c",
        ),
        (
            "password:\n  inline_string: |\n    one\n    two\nname: x",
            "password:\n  inline_string: |\n*******\n*******\nname: x",
        ),
        ("body:\n  inline_string: hello", "body:\n  inline_string: hello"),
        (
            "body:\n  inline_string: |\n    password: x\nname: y",
            "body:\n  inline_string: |\n    password: x\nname: y",
        ),
        (
            "session_ticket_keys:\n  keys:\n  - inline_bytes: YWJj",
            "session_ticket_keys:\n  keys:\n  - inline_bytes: ****",
        ),
        ("auth_passwords:\n- abc\n- def\nname: x", "auth_passwords:\n- ***\n- ***\nname: x"),
        (
            "- header:\n    key: Authorization\n    value: Basic abc\n- header:\n    key: x\n    value: y",
            "- header:\n    key: Authorization\n    value: *********\n- header:\n    key: x\n    value: y",
        ),
        (
            "- header: {key: x-api-key, value: abc}\n- header: {key: x, value: y}",
            "- header: {key: x-api-key, value: ***}\n- header: {key: x, value: y}",
        ),
        ("basic_auth:\n  users:\n    inline_string: abc", "basic_auth:\n  users:\n    inline_string: ***"),
        ("passwrod: abc", "passwrod: ***"),
        ("{\"tls\": {\"pasword\": \"abc\"}}", "{\"tls\": {\"pasword\": \"***\"}}"),
        ("address: \"u:abc@h\"", "address: \"u:***@h\""),
        ("path: \"/h?token=abc\"", "path: \"/h?token=***\""),
        ("- header: {key: authorization, valu: abc}", "- header: {key: authorization, valu: ***}"),
        ("token_bucket: {max_tokens: 10}", "token_bucket: {max_tokens: 10}"),
        ("secrets:\n- name: x", "secrets:\n- name: x"),
        ("client_secret: ${SECRET}", "client_secret: ${SECRET}"),
    ];
    for (text, expected) in cases {
        let text = format!("static_resources:\n{text}");
        // A JSON document stands alone.
        let text = text.strip_prefix("static_resources:\n{").map_or(text.clone(), |rest| format!("{{{rest}"));
        let shown = shown("envoy.yaml", &text);
        assert_eq!(shown.strip_prefix("static_resources:\n").unwrap_or(&shown), expected);
    }
}

#[test]
fn private_keys_are_hidden_wherever_they_stand() {
    let text = "x\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\ny\n-----BEGIN PRIVATE KEY-----\nq";
    let expected = "x\n-----BEGIN RSA PRIVATE KEY-----\n***\n-----END RSA PRIVATE KEY-----\ny\n-----BEGIN PRIVATE KEY-----\n*";
    assert_eq!(shown("x", text), expected);
}

#[test]
fn nesting_and_open_ends_are_harmless() {
    // Each of them is quadratic where something is looked for again from every word on.
    let repeated = [
        "{",
        "- ",
        "?",
        "&",
        "?a=",
        "@:",
        "a://",
        "a:b@",
        "bearer \\",
        "b ",
        "map $http_authorization ",
        "map $http_authorization {",
        "ssl_password_file ",
        "\"map $arg_token x {\" ",
        "password ",
        "req.hdr(x-api-key) ",
    ];
    let single = ["a: {b: [\"", "stats auth"].map(str::to_owned);
    for text in repeated.map(|part| part.repeat(50_000)).into_iter().chain(single) {
        let _ = find("envoy.yaml", &text);
        let _ = find("x.cfg", &text);
        let _ = find("nginx.conf", &text);
    }
}
