//! The five outages: real programs accept every file without a word, lbcheck does not.

use lbcheck::dialect::Dialect;
use lbcheck::read::ReadOptions;
use lbcheck::report::{Status, Verdict};
use lbcheck::source::Sources;

use lbcheck_verify::process::Scratch;
use lbcheck_verify::program::Program;
use lbcheck_verify::reading;

/// One outage in one dialect: the rules that must speak, and what the diff must name.
struct Incident {
    folder: &'static str,
    /// Rules that fire on the new file, in every dialect.
    check: &'static [&'static str],
    /// Rules that fire on the change, in every dialect.
    change: &'static [&'static str],
}

const INCIDENTS: &[Incident] = &[
    Incident {
        folder: "a-weight-on-a-few",
        check: &[
            "server-share-excessive",
            "traffic-concentration",
            "weight-outlier",
            "weight-partially-specified",
        ],
        change: &["diff-share-moved", "diff-weight-jump"],
    },
    Incident {
        folder: "b-one-server-takes-all",
        check: &["pool-no-redundancy-in-rotation"],
        change: &["diff-pool-shrunk", "diff-share-moved", "diff-single-server-takeover"],
    },
    Incident {
        folder: "c-heavy-and-unchecked",
        check: &["health-check-missing", "server-share-excessive", "weight-outlier"],
        change: &["diff-health-check-removed", "diff-share-moved", "diff-weight-jump"],
    },
    Incident {
        folder: "d-disproportionate-share",
        check: &["server-share-excessive", "traffic-concentration"],
        change: &["diff-share-moved", "diff-weight-jump"],
    },
    Incident {
        folder: "e-test-algorithm",
        check: &["algorithm-not-allowed"],
        change: &["diff-algorithm-changed"],
    },
];

fn files(folder: &str, dialect: Dialect) -> [std::path::PathBuf; 2] {
    let extension = match dialect {
        Dialect::HaProxy => "cfg",
        Dialect::Nginx => "conf",
        Dialect::Envoy => "yaml",
    };
    let folder = reading::root().join("examples/incidents").join(folder).join(dialect.as_str());
    ["old", "new"].map(|side| folder.join(format!("{side}.{extension}")))
}

/// The real program and lbcheck side by side over the ten files of one dialect.
fn side_by_side(dialect: Dialect, test: &str) {
    let program = Program::for_test(dialect, test);
    let scratch = Scratch::new();
    let options = ReadOptions::new(dialect);
    let mut failures = Vec::new();
    for incident in INCIDENTS {
        let [old_path, new_path] = files(incident.folder, dialect);
        for path in [&old_path, &new_path] {
            if let Some(program) = &program {
                let verdict = program.validate(path, scratch.path(), &[]).unwrap();
                if !verdict.accepted || !verdict.said.is_empty() {
                    failures.push(format!("{}: the program says {}", path.display(), verdict.said));
                }
            }
        }
        let mut sources = Sources::new();
        let old = reading::reading(&std::fs::read(&old_path).unwrap(), &mut sources, &options);
        let new = reading::reading(&std::fs::read(&new_path).unwrap(), &mut sources, &options);
        let before = reading::check(&sources, &old);
        if !before.findings.is_empty() || before.verdict() != Verdict::Pass {
            failures.push(format!(
                "{}: not clean: {:#?}",
                old_path.display(),
                reading::lines(&sources, &before)
            ));
        }
        let after = reading::check(&sources, &new);
        if after.verdict() != Verdict::Fail {
            failures.push(format!("{}: passes", new_path.display()));
        }
        for rule in incident.check {
            if !after.findings.iter().any(|finding| finding.diagnostic.rule == *rule) {
                failures.push(format!("{}: {rule} is silent", new_path.display()));
            }
        }
        let change = reading::diff(&sources, &old, &new);
        if change.verdict() != Verdict::Fail {
            failures.push(format!("{}: diff passes", new_path.display()));
        }
        let of_change: Vec<_> = change
            .findings
            .iter()
            .filter(|finding| {
                finding.status == Status::New && finding.finding.diagnostic.rule.as_str().starts_with("diff-")
            })
            .map(|finding| &finding.finding.diagnostic)
            .collect();
        for rule in incident.change {
            if !of_change.iter().any(|diagnostic| diagnostic.rule == *rule) {
                failures.push(format!("{}: {rule} is silent", new_path.display()));
            }
        }
        // The server that is in danger, its share before and after, and the cause, in one message.
        let telling = of_change.iter().any(|diagnostic| {
            let message = &diagnostic.message;
            let server = diagnostic.subject.endpoint.as_ref().is_some_and(|name| message.contains(name))
                || message.contains(dialect.endpoint_noun());
            server && message.matches(" %").count() >= 2 && message.contains(" → ")
        });
        if !telling {
            let said: Vec<_> = of_change.iter().map(|diagnostic| &diagnostic.message).collect();
            failures.push(format!("{}: nothing names server and shares: {said:#?}", new_path.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn haproxy_accepts_the_outages_in_silence_and_lbcheck_does_not() {
    side_by_side(Dialect::HaProxy, "haproxy_accepts_the_outages_in_silence_and_lbcheck_does_not");
}

#[test]
fn nginx_accepts_the_outages_in_silence_and_lbcheck_does_not() {
    side_by_side(Dialect::Nginx, "nginx_accepts_the_outages_in_silence_and_lbcheck_does_not");
}

#[test]
fn envoy_accepts_the_outages_in_silence_and_lbcheck_does_not() {
    side_by_side(Dialect::Envoy, "envoy_accepts_the_outages_in_silence_and_lbcheck_does_not");
}
