//! Reports made by hand, rendered in every format. What users see is in `snapshots/`.

mod render;
mod schemas;

use lbcheck::diagnostic::{Diagnostic, RuleId, Severity, Subject};
use lbcheck::dialect::{Dialect, Version};
use lbcheck::policy::EnvironmentSource;
use lbcheck::report::{
    Change, ChangeKind, CheckReport, DiffFinding, DiffReport, DiffSummary, Effect, Finding, InputSummary,
    PoolShift, RouteShift, ShareShift, Status,
};
use lbcheck::source::{FileId, Sources, Span};
use lbcheck::traffic::Certainty;

use crate::Style;

const PLAIN: Style = Style { colour: false, width: 140 };

const OLD: &str = "\
defaults
    mode http

backend api
    balance roundrobin
    server api1 10.0.0.1:80 weight 10 check
    server api2 10.0.0.2:80 weight 10 check

backend web
    stats auth admin:hunter2
";

const NEW: &str = "\
defaults
    mode http

backend api
    balance roundrobin
    server api1 10.0.0.1:80 weight 100 check
    server api2 10.0.0.2:80 weight 10

backend web
    stats auth admin:hunter2
";

/// The span of the first `text` in a file.
fn span(sources: &Sources, file: FileId, text: &str) -> Span {
    let at = sources.file(file).text().find(text).expect("the text is in the file");
    Span::new(file, at, at + text.len())
}

fn input(path: &str) -> InputSummary {
    InputSummary {
        paths: vec![path.to_owned()],
        files: vec![path.to_owned()],
        dialect: Dialect::HaProxy,
        version: Version::new(3, 2),
        version_assumed: true,
        environment: "production".to_owned(),
        environment_source: EnvironmentSource::Assumed,
        directives: 9,
        understood: 8,
        listeners: 0,
        pools: 2,
        endpoints: 2,
        fragment: false,
        broken: false,
    }
}

fn finding(diagnostic: Diagnostic) -> Finding {
    Finding { diagnostic, fingerprint: "00c0ffee00c0ffee".to_owned(), suppressed: None }
}

fn report(findings: Vec<Finding>) -> CheckReport {
    CheckReport {
        inputs: vec![input("haproxy.cfg")],
        findings,
        broken: false,
        fail_on: Some(Severity::Error),
    }
}

/// Findings of every severity, with labels near and far, in one file and another, one suppressed.
fn checked() -> (Sources, CheckReport) {
    let mut sources = Sources::new();
    let other =
        sources.add("conf.d/defaults.cfg", b"# shared\ndefaults shared\n    timeout server 5s\n".to_vec());
    let file = sources.add("haproxy.cfg", NEW.as_bytes().to_vec());
    let at = |text| span(&sources, file, text);
    let heavy = Diagnostic::new(
        RuleId::WeightOutlier,
        Severity::Error,
        at("weight 100"),
        "server `api1` of backend `api` has weight 100, 10 times the median weight 10 of its pool",
    )
    .label("10 times the median")
    .also(at("weight 10\n"), "the median")
    .also(at("mode http"), "far away")
    .also(span(&sources, other, "timeout server 5s"), "in another file")
    .help("check for a typing mistake")
    .pool("api")
    .endpoint("api1");
    let unchecked = Diagnostic::new(
        RuleId::HealthCheckPartial,
        Severity::Warning,
        at("server api2 10.0.0.2:80 weight 10\n"),
        "server `api2` of backend `api` is not checked",
    )
    .pool("api")
    .endpoint("api2");
    let secret = Diagnostic::new(
        RuleId::UnknownDirective,
        Severity::Info,
        at("admin:hunter2"),
        "`admin:hunter2` is shown to nobody",
    );
    let tall = Diagnostic::new(
        RuleId::PoolSingleServer,
        Severity::Warning,
        at(NEW),
        "a span over many lines is shown by its first",
    );
    let mut suppressed =
        finding(Diagnostic::new(RuleId::PoolEmpty, Severity::Error, at("backend web"), "empty"));
    suppressed.suppressed = Some("filled at run time".to_owned());
    let findings = vec![finding(heavy), finding(unchecked), finding(secret), finding(tall), suppressed];
    let report = report(findings);
    (sources, report)
}

/// A change of a weight and of a route, with findings of every status.
fn compared() -> (Sources, DiffReport) {
    let mut sources = Sources::new();
    let old = sources.add("old.cfg", OLD.as_bytes().to_vec());
    let new = sources.add("new.cfg", NEW.as_bytes().to_vec());
    let before = |text| span(&sources, old, text);
    let after = |text| span(&sources, new, text);
    let subject = |endpoint: Option<&str>| Subject {
        pool: Some("api".to_owned()),
        endpoint: endpoint.map(str::to_owned),
    };
    let change = |kind, subject, old: Option<&str>, new: Option<&str>| Change {
        kind,
        effect: Effect::Behavioural,
        subject,
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
        old_span: None,
        new_span: None,
    };
    let mut weight = change(ChangeKind::WeightChanged, subject(Some("api1")), Some("10"), Some("100"));
    weight.old_span = Some(before("weight 10"));
    weight.new_span = Some(after("weight 100"));
    let checks = ["api2", "api3"].map(|name| {
        change(ChangeKind::HealthCheckChanged, subject(Some(name)), Some("TCP check every 2s"), None)
    });
    let added = change(ChangeKind::EndpointAdded, subject(Some("api4")), None, Some("10.0.0.4:80 weight 1"));
    let none = Subject::default();
    let gone = Subject { pool: Some("legacy".to_owned()), endpoint: None };
    let changes = vec![
        weight,
        checks[0].clone(),
        checks[1].clone(),
        added,
        Change {
            effect: Effect::Cosmetic,
            ..change(ChangeKind::PoolRenamed, subject(None), Some("a"), Some("api"))
        },
        change(ChangeKind::PoolRemoved, gone, Some("backend `legacy` with 2 servers"), None),
        change(
            ChangeKind::ListenerChanged,
            none.clone(),
            Some("frontend `www`: *:80"),
            Some("frontend `www`: *:8080"),
        ),
        change(
            ChangeKind::RouteChanged,
            none,
            Some("default_backend: backend `web`"),
            Some("default_backend: backend `api`"),
        ),
    ];
    let shares = [
        ("api1", Some(0.5), Some(100.0 / 111.0)),
        ("api2", Some(0.5), Some(10.0 / 111.0)),
        ("api4", None, Some(1.0 / 111.0)),
    ];
    let moved = Diagnostic::new(
        RuleId::DiffShareMoved,
        Severity::Error,
        after("weight 100"),
        "40.1 % of the traffic of backend `api` moves",
    )
    .also(before("weight 10"), "weight before")
    .pool("api");
    let worse = Diagnostic::new(
        RuleId::WeightOutlier,
        Severity::Error,
        after("weight 100"),
        "weight 100 is worse now",
    );
    let same = Diagnostic::new(
        RuleId::PoolEmpty,
        Severity::Error,
        after("backend web"),
        "backend `web` has no server",
    );
    let fixed = Diagnostic::new(
        RuleId::HealthCheckMissing,
        Severity::Warning,
        before("backend api"),
        "was not checked",
    );
    let findings =
        [(moved, Status::New), (worse, Status::Worsened), (same, Status::Unchanged), (fixed, Status::Fixed)];
    let report = DiffReport {
        old: input("old.cfg"),
        new: input("new.cfg"),
        summary: DiffSummary {
            pools_removed: 1,
            pools_changed: 1,
            endpoints_added: 1,
            endpoints_changed: 3,
            behavioural: 7,
            cosmetic: 1,
            ..DiffSummary::default()
        },
        changes,
        pools: vec![PoolShift {
            pool: "api".to_owned(),
            renamed_from: Some("a".to_owned()),
            shares: shares
                .map(|(endpoint, old, new)| ShareShift { endpoint: endpoint.to_owned(), old, new })
                .to_vec(),
            keys_remapped: None,
            share_moved: Some(0.400_900_900_9),
            certainty: Certainty::Exact,
        }],
        routes: vec![RouteShift {
            witness: Some("GET http://example.com/api/".to_owned()),
            route: "default_backend".to_owned(),
            old: "backend `web`".to_owned(),
            new: "backend `api`".to_owned(),
            old_span: None,
            new_span: None,
        }],
        findings: findings
            .map(|(diagnostic, status)| DiffFinding { finding: finding(diagnostic), status })
            .to_vec(),
        broken: false,
        fail_on: Some(Severity::Error),
        expect_equivalent: false,
    };
    (sources, report)
}
