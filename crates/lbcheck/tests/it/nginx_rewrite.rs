//! What a route changes of the request on its way.

use lbcheck::model::Action;

use crate::nginx_common::{Case, http};

/// Every route that forwards, by its label, with what it changes.
fn rewrites(case: &Case) -> Vec<String> {
    let routes = case.config().tables.iter().flat_map(|table| &table.routes);
    let found = routes.filter_map(|route| match (&route.action, &route.rewrite) {
        (Action::Respond(_), _) | (_, None) => None,
        (_, Some(rewrite)) => Some(format!("{}: {rewrite}", route.label)),
    });
    let mut found: Vec<String> = found.collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_path_in_proxy_pass_replaces_what_the_location_matched() {
    let case = http(
        "upstream api { server 10.0.0.1; }
        server {
            location /api/ { proxy_pass http://api/; }
            location /kept/ { proxy_pass http://api; }
            location /same/ { proxy_pass http://api/same/; }
            location =/a { proxy_pass http://unix:/run/a.sock:/b; }
            location ^~ /v1 { proxy_pass http://api$request_uri; }
            location ~ ^/u/(.*)$ { proxy_pass http://api/users/$1; }
            location /g/ { grpc_pass grpc://api; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(
        rewrites(&case),
        [
            "location /api/: path /api/ → /",
            "location =/a: path /a → /b",
            "location ~ ^/u/(.*)$: path → /users/$1",
        ]
    );
}

#[test]
fn rewrites_before_the_handler_are_told() {
    let case = http(
        "upstream u { server 10.0.0.1; }
        server {
            location /a/ { rewrite ^/a/(.*)$ /$1 break; proxy_pass http://u; }
            location /b/ {
                if ($http_x = y) { rewrite ^/b/ /c/ break; }
                proxy_pass http://u;
            }
            location /d/ { rewrite ^ /a/d last; }
            location /files/ { rewrite ^/files/ / break; root /srv; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(
        rewrites(&case),
        [
            "location /a/: path ^/a/(.*)$ → /$1",
            "location /b/: path ^/b/ → /c/ if ($http_x = y)",
            "location /d/: path ^ → /a/d",
        ]
    );
}

#[test]
fn a_host_header_of_ones_own_is_told() {
    let case = http(
        "upstream u { server 10.0.0.1; }
        proxy_set_header Host $host;
        server {
            location /inherited { proxy_pass http://u; }
            location /replaced { proxy_set_header X-Real-IP $remote_addr; proxy_pass http://u; }
            location /default { proxy_set_header host $proxy_host; proxy_pass http://u; }
            location /none { proxy_set_header Host \"\"; proxy_pass http://u/; }
            location /grpc { grpc_set_header Host a.internal; grpc_pass u; }
            location /fastcgi { fastcgi_pass u; }
        }",
    );
    assert_eq!(case.errors(), [""; 0]);
    assert_eq!(
        rewrites(&case),
        [
            "location /grpc: host → a.internal",
            "location /inherited: host → $host",
            "location /none: path /none → /, host removed",
        ]
    );
}

/// Outside of a location, `break` ends the rewrites; the location is then found for the new path.
#[test]
fn a_break_in_the_server_leads_to_another_location() {
    let case = http(
        "server {
            rewrite ^ /b break;
            location /a { return 201; }
            location /b { return 202; }
        }",
    );
    assert_eq!(case.route("*:80", "x", "/a"), "202");
}
