//! What counts as a change, and what does not.

use lbcheck::dialect::Dialect;
use lbcheck::report::{ChangeKind, DiffReport, Effect, Status};
use lbcheck::source::Sources;

use crate::support;

fn compare(dialect: Dialect, old: &str, new: &str) -> DiffReport {
    let mut sources = Sources::new();
    let old = support::reading(dialect, old.as_bytes(), &mut sources);
    let new = support::reading(dialect, new.as_bytes(), &mut sources);
    assert!(!old.broken && !new.broken);
    support::diff(&sources, &old, &new)
}

/// "kind pool/endpoint old → new" for each change.
fn changes(report: &DiffReport) -> Vec<String> {
    report
        .changes
        .iter()
        .map(|change| {
            let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
            let subject = [&change.subject.pool, &change.subject.endpoint]
                .into_iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
                .join("/");
            format!("{} {subject} {} → {}", change.kind, part(&change.old), part(&change.new))
        })
        .collect()
}

const HEAD: &str = "\
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend web
    bind :80
    use_backend api if { path_beg /api }
    default_backend site
backend site
    balance roundrobin
    server w1 10.0.1.1:80 check
    server w2 10.0.1.2:80 check
";

const API: &str = "\
backend api
    balance roundrobin
    server a1 10.0.0.1:80 check inter 3s weight 10
    server a2 10.0.0.2:80 check inter 3s weight 10
    server a3 10.0.0.3:80 check inter 3s weight 10
";

fn haproxy(api: &str) -> String {
    format!("{HEAD}{api}")
}

#[track_caller]
fn silent(new_api: &str) {
    let report = compare(Dialect::HaProxy, &haproxy(API), &haproxy(new_api));
    assert_eq!(changes(&report), Vec::<String>::new());
    assert!(report.pools.is_empty(), "{:?}", report.pools);
    assert_eq!(report.introduced().count(), 0);
}

#[test]
fn comments_and_blanks_are_no_change() {
    silent(
        "# the API\n\n\nbackend api   # here\n  balance  roundrobin\n  server a1 10.0.0.1:80 check inter 3s weight 10\n\n  server a2 10.0.0.2:80 check inter 3s weight 10\n  server a3 10.0.0.3:80 check inter 3s weight 10\n",
    );
}

#[test]
fn values_that_move_to_default_server_are_no_change() {
    silent(
        "backend api\n balance roundrobin\n default-server check inter 3000 weight 10\n server a1 10.0.0.1:80\n server a2 10.0.0.2:80\n server a3 10.0.0.3:80\n",
    );
}

#[test]
fn defaults_written_out_are_no_change() {
    silent(
        "backend api\n mode http\n balance roundrobin\n server a1 10.0.0.1:80 check inter 3s weight 10 fall 3 rise 2\n server a2 10.0.0.2:80 check inter 3s weight 10\n server a3 10.0.0.3:80 check inter 3s weight 10\n",
    );
}

#[test]
fn the_order_of_sections_is_no_change() {
    let (head, site) = HEAD.rsplit_once("backend site").unwrap();
    let reordered = format!("{head}{API}backend site{site}");
    let report = compare(Dialect::HaProxy, &haproxy(API), &reordered);
    assert_eq!(changes(&report), Vec::<String>::new());
}

#[test]
fn weights_rescaled_alike_move_nothing() {
    let report = compare(Dialect::HaProxy, &haproxy(API), &haproxy(&API.replace("weight 10", "weight 100")));
    assert!(report.pools.is_empty(), "{:?}", report.pools);
    assert_eq!(report.introduced().count(), 0);
    assert_eq!(report.summary.endpoints_changed, 3);
}

#[test]
fn a_renamed_pool_is_known_by_its_members() {
    let renamed = haproxy(API)
        .replace("backend api", "backend api_v2")
        .replace("use_backend api ", "use_backend api_v2 ");
    let report = compare(Dialect::HaProxy, &haproxy(API), &renamed);
    assert_eq!(changes(&report), ["pool-renamed api_v2 api → api_v2"]);
    assert_eq!(report.changes[0].effect, Effect::Cosmetic);
    assert_eq!(report.introduced().count(), 0, "{:#?}", report.findings);
}

#[test]
fn findings_of_a_renamed_pool_stay_the_same_findings() {
    let lame = API.replace(" check inter 3s", "");
    let renamed = haproxy(&lame)
        .replace("backend api", "backend api_v2")
        .replace("use_backend api ", "use_backend api_v2 ");
    let report = compare(Dialect::HaProxy, &haproxy(&lame), &renamed);
    let statuses: Vec<Status> = report.findings.iter().map(|finding| finding.status).collect();
    assert_eq!(statuses, [Status::Unchanged], "{:#?}", report.findings);
}

#[test]
fn a_renamed_server_is_known_by_its_address() {
    let report = compare(Dialect::HaProxy, &haproxy(API), &haproxy(&API.replace("server a3", "server a9")));
    assert_eq!(changes(&report), ["endpoint-renamed api/a9 a3 → a9"]);
}

#[test]
fn one_weight_typed_wrong_is_told_with_its_share() {
    let typo = API.replace("10.0.0.1:80 check inter 3s weight 10", "10.0.0.1:80 check inter 3s weight 100");
    let report = compare(Dialect::HaProxy, &haproxy(API), &haproxy(&typo));
    assert_eq!(changes(&report), ["weight-changed api/a1 10 → 100"]);
    let messages: Vec<&str> =
        report.introduced().map(|finding| finding.diagnostic.message.as_str()).collect();
    assert!(
        messages.iter().any(|message| message
            == &"50 % of the traffic of backend `api` moves: server `a1` 33.3 % → 83.3 % (weight of `a1` 10 → 100)"),
        "{messages:#?}"
    );
}

#[test]
fn one_more_server_moves_what_it_must_and_no_rule_speaks() {
    let more = format!("{API}    server a4 10.0.0.4:80 check inter 3s weight 10\n");
    let report = compare(Dialect::HaProxy, &haproxy(API), &haproxy(&more));
    assert_eq!(changes(&report), ["endpoint-added api/a4 - → 10.0.0.4:80 weight 10"]);
    assert_eq!(report.introduced().count(), 0);
    let moved = report.pools[0].share_moved.unwrap();
    assert!((moved - 0.25).abs() < 1e-9, "{moved}");
}

#[test]
fn a_route_to_another_pool_has_a_witness() {
    let moved = haproxy(API).replace("default_backend site", "default_backend api");
    let report = compare(Dialect::HaProxy, &haproxy(API), &moved);
    assert_eq!(report.routes.len(), 1);
    assert_eq!(report.routes[0].witness.as_deref(), Some("GET http://*/"));
    assert_eq!(report.routes[0].old, "backend `site`");
    assert_eq!(report.routes[0].new, "backend `api`");
}

#[test]
fn an_order_that_decides_is_a_change() {
    let two = "    use_backend api if { path_beg /api }\n    use_backend site if { path_beg /api/v1 }\n";
    let turned = "    use_backend site if { path_beg /api/v1 }\n    use_backend api if { path_beg /api }\n";
    let with = |rules: &str| haproxy(API).replace("    use_backend api if { path_beg /api }\n", rules);
    let report = compare(Dialect::HaProxy, &with(two), &with(turned));
    assert_eq!(report.changes.len(), 1, "{:?}", changes(&report));
    assert_eq!(report.changes[0].kind, ChangeKind::RoutesReordered);
}

#[test]
fn every_kind_of_change_is_listed() {
    let new = "\
backend api
    balance leastconn
    cookie S insert
    option redispatch
    timeout server 20s
    server a1 10.0.0.9:80 check inter 1s weight 20 cookie one maxconn 5
    server a2 10.0.0.2:80 backup weight 10
    server a4 10.0.0.4:80 check ssl verify none disabled
";
    let report = compare(Dialect::HaProxy, &haproxy(API), &haproxy(new));
    let kinds: std::collections::BTreeSet<&str> =
        report.changes.iter().map(|change| change.kind.as_str()).collect();
    for kind in [
        "address-changed",
        "algorithm-changed",
        "endpoint-added",
        "endpoint-removed",
        "health-check-changed",
        "limit-changed",
        "stickiness-changed",
        "tier-changed",
        "timeout-changed",
        "weight-changed",
    ] {
        assert!(kinds.contains(kind), "{kind} is missing: {:#?}", changes(&report));
    }
}

/// "witness: old → new" for each request shown to go elsewhere.
fn elsewhere(report: &DiffReport) -> Vec<String> {
    report
        .routes
        .iter()
        .map(|shift| format!("{}: {} → {}", shift.witness.as_deref().unwrap_or("?"), shift.old, shift.new))
        .collect()
}

#[test]
fn a_condition_turned_round_is_shown_by_requests() {
    let turned = haproxy(API).replace("use_backend api if", "use_backend api unless");
    let report = compare(Dialect::HaProxy, &haproxy(API), &turned);
    assert_eq!(
        elsewhere(&report),
        ["GET http://*/: backend `site` → backend `api`", "GET http://*/api: backend `api` → backend `site`"]
    );
    assert!(report.introduced().any(|finding| finding.diagnostic.rule == "diff-route-retargeted"));
}

#[test]
fn a_condition_changed_behind_its_name_is_spelt_out() {
    let named = |path: &str| {
        let acl = format!("    acl is_api path_beg {path}\n    use_backend api if is_api\n");
        haproxy(API).replace("    use_backend api if { path_beg /api }\n", &acl)
    };
    let report = compare(Dialect::HaProxy, &named("/api"), &named("/api/"));
    assert_eq!(
        changes(&report),
        [
            "route-added  - → use_backend api if is_api: backend `api` if path begins with /api/",
            "route-removed  use_backend api if is_api: backend `api` if path begins with /api → -",
        ]
    );
    assert_eq!(elsewhere(&report), ["GET http://*/api: backend `api` → backend `site`"]);
}

#[test]
fn a_rule_put_in_front_leaves_the_others_what_they_were() {
    let rule = "    http-request deny if { path_beg /api }\n    use_backend api ";
    let denied = haproxy(API).replacen("    use_backend api ", rule, 1);
    let report = compare(Dialect::HaProxy, &haproxy(API), &denied);
    assert_eq!(report.changes.len(), 1, "{:?}", changes(&report));
    assert_eq!(elsewhere(&report), ["GET http://*/api: backend `api` → deny 403"]);
}

#[test]
fn the_order_of_servers_counts_where_a_table_is_filled_by_it() {
    let swapped = |balance: &str| {
        let api = API.replace("balance roundrobin", balance);
        let (a1, a2) = ("a1 10.0.0.1", "a2 10.0.0.2");
        let other = api.replace(a1, "#").replace(a2, a1).replace('#', a2);
        changes(&compare(Dialect::HaProxy, &haproxy(&api), &haproxy(&other)))
    };
    assert_eq!(swapped("balance roundrobin"), [""; 0]);
    let expected = ["endpoints-reordered api order `a1`, `a2` and `a3` → order `a2`, `a1` and `a3`"];
    assert_eq!(swapped("balance uri"), expected);
    assert_eq!(swapped("balance uri\n    hash-type consistent"), expected);
}

#[test]
fn a_backend_switched_off_or_pinned_is_a_danger() {
    let rules = |line: &str| -> Vec<&'static str> {
        let new = API.replace("balance roundrobin", &format!("balance roundrobin\n    {line}"));
        let report = compare(Dialect::HaProxy, &haproxy(API), &haproxy(&new));
        report.introduced().map(|finding| finding.diagnostic.rule.as_str()).collect()
    };
    assert!(rules("disabled").contains(&"diff-pool-emptied"));
    assert!(rules("use-server a1 if TRUE").contains(&"diff-single-server-takeover"));
}

#[test]
fn a_route_behind_a_catch_all_is_lost() {
    let routes = |order: &str| {
        format!(
            "static_resources:\n  listeners:\n  - address: {{socket_address: {{address: 127.0.0.1, port_value: 80}}}}\n    \
             filter_chains:\n    - filters:\n      - name: hcm\n        typed_config:\n          \
             \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          \
             stat_prefix: a\n          route_config:\n            virtual_hosts:\n            - name: v\n              \
             domains: [\"*\"]\n              routes: [{order}]\n  clusters:\n  - {{name: web, type: STATIC}}\n  - {{name: api, type: STATIC}}\n"
        )
    };
    let (api, rest) =
        ("{match: {prefix: /api}, route: {cluster: api}}", "{match: {prefix: /}, route: {cluster: web}}");
    let report =
        compare(Dialect::Envoy, &routes(&format!("{api}, {rest}")), &routes(&format!("{rest}, {api}")));
    assert_eq!(elsewhere(&report), ["GET http://*/api: cluster `api` → cluster `web`"]);
    assert!(
        report.changes.iter().any(|change| change.kind == ChangeKind::RoutesReordered),
        "{:?}",
        changes(&report)
    );
}

/// The changes between a text and the same with one part of it replaced.
#[track_caller]
fn replaced(dialect: Dialect, text: &str, part: &str, by: &str) -> Vec<String> {
    assert!(text.contains(part), "{part}");
    let report = compare(dialect, text, &text.replacen(part, by, 1));
    assert_eq!(report.summary.behavioural, report.changes.len());
    changes(&report)
}

#[test]
fn what_chooses_among_the_endpoints_of_envoy_is_compared() {
    let of = |part, by| replaced(Dialect::Envoy, include_str!("data/described.yaml"), part, by);
    assert_eq!(
        of(
            "metadata_match: {filter_metadata: {envoy.lb: {stage: prod",
            "metadata_match: {filter_metadata: {envoy.lb: {stage: canary"
        ),
        [
            "route-changed  route prefix /: metadata_match stage=prod → route prefix /: metadata_match stage=canary"
        ]
    );
    assert_eq!(
        of("{stage: canary}", "{stage: prod}"),
        ["route-changed site/10.0.0.2:80 metadata stage=canary → metadata stage=prod"]
    );
    assert_eq!(
        of("keys: [stage]", "keys: [stage, version]"),
        ["route-changed site subset selectors stage → subset selectors stage + version"]
    );
    assert_eq!(
        of("fallback_policy: NO_FALLBACK", "fallback_policy: ANY_ENDPOINT"),
        ["route-changed site subset selectors stage (requests of no subset are refused) → \
             subset selectors stage (requests of no subset go to any endpoint)"]
    );
    assert_eq!(
        of("health_status: DEGRADED", "health_status: HEALTHY"),
        ["state-changed site/10.0.0.2:80 degraded → not degraded"]
    );
    assert_eq!(
        of("budget_percent: {value: 20}", "budget_percent: {value: 1}"),
        ["limit-changed site retry budget 20 %, at least 3 → retry budget 1 %, at least 3"]
    );
    assert_eq!(
        of("merge_slashes: true", "merge_slashes: false"),
        [
            "listener-changed  route configuration main: slashes merged → route configuration main: slashes kept"
        ]
    );
    assert_eq!(
        of("num_retries: 2", "num_retries: 3"),
        ["route-changed  route prefix /: 2 retries on 5xx → route prefix /: 3 retries on 5xx"]
    );
}

#[test]
fn what_nginx_makes_of_requests_is_compared() {
    let of = |part, by| replaced(Dialect::Nginx, include_str!("data/described.conf"), part, by);
    assert_eq!(of("worker_processes 4", "worker_processes 8"), ["limit-changed  4 workers → 8 workers"]);
    assert_eq!(
        of("merge_slashes off;", ""),
        ["listener-changed  listen *:8080: slashes kept → listen *:8080: slashes merged"]
    );
    assert_eq!(
        of("set_real_ip_from 10.9.0.0/16", "set_real_ip_from 10.8.0.0/16"),
        ["listener-changed  server: client address from x-forwarded-for of 10.9.0.0/16, recursively → \
             server: client address from x-forwarded-for of 10.8.0.0/16, recursively"]
    );
    assert_eq!(
        of("proxy_intercept_errors on;", ""),
        ["route-changed  location /: 502, 504 of the pool answered by error_page 502 504 = @other \
             (502, 504 that a server itself sends too) → \
             location /: 502, 504 of the pool answered by error_page 502 504 = @other"]
    );
    assert_eq!(
        of("zone site 64k;", ""),
        ["state-changed site state shared by all workers → state of each worker's own"]
    );
}

#[test]
fn what_haproxy_does_beside_its_choice_is_compared() {
    let of = |part, by| replaced(Dialect::HaProxy, include_str!("data/described.cfg"), part, by);
    assert_eq!(
        of("fastinter 1s", "fastinter 500ms"),
        [
            "health-check-changed site/w1 every 1s while failing, every 1s while coming back, up to 5 % sooner or \
             later → every 500ms while failing, every 500ms while coming back, up to 5 % sooner or later"
        ]
    );
    assert_eq!(
        of("consistent djb2", "consistent wt6"),
        ["algorithm-changed site consistent hash of hdr(host) (hash function djb2 without avalanche) → \
             consistent hash of hdr(host) (hash function wt6 without avalanche)"]
    );
    assert_eq!(
        of("template a 3", "template a 2-4"),
        ["limit-changed api/a 3 slots (from number 1) → 3 slots (from number 2)"]
    );
}
