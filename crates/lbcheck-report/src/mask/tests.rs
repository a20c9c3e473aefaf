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
            "  if ($http_x_api_key != \"***** { return 403; }",
        ),
        ("  secure_link_secret word;", "  secure_link_secret ****;"),
        ("  server a 10.0.0.1:80 cookie s1", "  server a 10.0.0.1:80 cookie s1"),
        ("  http-request set-header Cookie SID=1", "  http-request set-header Cookie *****"),
        ("  group admins users joe", "  group admins users joe"),
        ("  auth_basic_user_file /etc/htpasswd /x", "  auth_basic_user_file /etc/htpasswd /x"),
        ("  bind :443 tcp-md5sig pass1 ktls on", "  bind :443 tcp-md5sig ***** ktls on"),
        ("  user secret password hunter2", "  user secret ******** *******"),
        ("  server_tokens off;", "  server_tokens off;"),
        ("  ssl_certificate_key /etc/ssl/x.key;", "  ssl_certificate_key /etc/ssl/x.key;"),
        ("  ssl_password_file /etc/pw;", "  ssl_password_file /etc/pw;"),
        ("  auth_basic_user_file /etc/pw;", "  auth_basic_user_file /etc/pw;"),
        (
            "map $http_x_api_key $client {\n  default \"\";\n  \"abc\" joe;\n}\nroot /x;",
            "map $http_x_api_key $client {\n  default \"\";\n  \"***\" joe;\n}\nroot /x;",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(shown("haproxy.cfg", text), expected);
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
    for text in ["{".repeat(200_000), "- ".repeat(200_000), "a: {b: [\"".to_owned(), "stats auth".to_owned()]
    {
        let _ = find("envoy.yaml", &text);
        let _ = find("x.cfg", &text);
    }
}
