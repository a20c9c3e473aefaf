//! Nothing changes unseen: pairs of configurations that differ in one thing that a client or a server can notice.
//!
//! Each was accepted by the real program, and what differs was seen on the wire or is in its manual. Many differ in what
//! the model has no field for.

use lbcheck::source::Sources;

use crate::support;

/// The pair, and what must be told of it.
const PAIRS: &[(&str, &str)] = &[
    ("d2-degraded.yaml", "degraded"),
    ("e-check-statuses.yaml", "600"),
    ("e-jwt-rule-removed.yaml", "/s9/"),
    ("e-normalize-path.yaml", "normalize_path"),
    ("e-upstream-validation-removed.yaml", "validation_context"),
    ("e1-merge-slashes.yaml", "merge_slashes"),
    ("e2-strip-port.yaml", "strip_any_host_port"),
    ("e3-metadata-match.yaml", "canary"),
    ("e5-retry-budget.yaml", "budget"),
    ("e7-endpoint-metadata.yaml", "canary"),
    ("h-expect-status.cfg", "expect status 404"),
    ("h-hash-function.cfg", "djb2"),
    ("h-path-after-rewrite.cfg", "/internal/"),
    ("h-send-proxy-removed.cfg", "send-proxy-v2"),
    ("h-src-after-set-src.cfg", "0.0.0.0/0"),
    ("h-track-after-deny.cfg", "track-sc0"),
    ("h-tunnel-moved.cfg", "timeout tunnel"),
    ("h-weight-hides-rest.cfg", "X-Real-IP"),
    ("hp1-spread.cfg", "spread-checks"),
    ("hp2-slowstart.cfg", "slowstart"),
    ("hp3-sendproxy.cfg", "send-proxy"),
    ("hp4-setpath.cfg", "set-path"),
    ("hp5-maxconn.cfg", "maxconn"),
    ("hp6-redispatch.cfg", "redispatch"),
    ("n-error-page.conf", "error_page"),
    ("n-second-location-timeout.conf", "proxy_read_timeout"),
    ("n-ssl-verify-off.conf", "proxy_ssl_verify"),
    ("n-stream-preread.conf", "ssl_preread"),
    ("n2-real-ip.conf", "10.8.0.0/16"),
    ("n4-workers.conf", "worker"),
    ("n5-merge-slashes.conf", "merge_slashes"),
    ("n6-intercept.conf", "proxy_intercept_errors"),
];

/// Pairs that mean the same, in other words.
const SAME: &[&str] = &["h-two-backups-order.cfg", "n-prefix-order.conf"];

/// Everything that a comparison says, as one text.
fn said(old: &str, new: &str) -> (bool, String) {
    let folder = support::root().join("crates/lbcheck/tests/it/data/changes");
    let mut sources = Sources::new();
    let mut side = |name: &str| {
        let text = std::fs::read(folder.join(name)).expect(name);
        let dialect = match name.rsplit('.').next() {
            Some("cfg") => "haproxy",
            Some("conf") => "nginx",
            _ => "envoy",
        };
        support::reading(dialect.parse().unwrap(), &text, &mut sources)
    };
    let (before, after) = (side(old), side(new));
    let report = support::diff(&sources, &before, &after);
    assert!(!report.broken, "{old}");
    let changes = report.changes.iter().flat_map(|change| [change.old.as_deref(), change.new.as_deref()]);
    let statements = report.statements.iter().flat_map(|one| [one.old.as_ref(), one.new.as_ref()]);
    let texts: Vec<&str> =
        changes.flatten().chain(statements.flatten().map(|side| side.text.as_str())).collect();
    (report.is_equivalent(), texts.join("\n"))
}

fn sides(name: &str) -> (String, String) {
    let (stem, extension) = name.rsplit_once('.').unwrap();
    (format!("{stem}.old.{extension}"), format!("{stem}.new.{extension}"))
}

#[test]
fn what_reaches_a_client_or_a_server_is_told() {
    for &(name, wanted) in PAIRS {
        let (old, new) = sides(name);
        for (first, second) in [(&old, &new), (&new, &old)] {
            let (equivalent, texts) = said(first, second);
            assert!(!equivalent, "{first} → {second}: called equivalent");
            assert!(texts.contains(wanted), "{first} → {second}: `{wanted}` is not told, but\n{texts}");
        }
    }
}

#[test]
fn what_means_the_same_is_no_change() {
    for name in SAME {
        let (old, new) = sides(name);
        assert_eq!(said(&old, &new), (true, String::new()), "{name}");
    }
}

#[test]
fn a_configuration_is_equivalent_to_itself() {
    for &(name, _) in PAIRS {
        let (old, new) = sides(name);
        for side in [old, new] {
            assert_eq!(said(&side, &side), (true, String::new()), "{side}");
        }
    }
}
