//! A deploy tool that asks lbcheck before it replaces a running configuration.
//!
//! `deploy-gate RUNNING CANDIDATE` refuses a candidate that could not be read or brings new errors. What a real
//! tool would do with an accepted one is not shown.

use std::process::ExitCode;

use lbcheck::analysis::{self, Subject};
use lbcheck::detect::detect;
use lbcheck::diagnostic::Severity;
use lbcheck::load::MemoryLoader;
use lbcheck::policy::Environment;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;

/// Why `candidate` may not replace `running`, one reason a line; nothing if it may.
fn refusals(running: &str, candidate: &str) -> Vec<String> {
    let Some(dialect) = detect("candidate", candidate.as_bytes()) else {
        return vec!["the candidate is no HAProxy, nginx or Envoy configuration".to_owned()];
    };
    let options = ReadOptions::new(dialect);
    let mut sources = Sources::new();
    let mut take = |name: &str, text: &str| {
        let loader = MemoryLoader::one(name, text);
        read(&loader, &mut sources, &[name.to_owned()], &options)
    };
    let (old, new) = (take("running", running), take("candidate", candidate));

    // Production unless said otherwise. `Policy` reads an `lbcheck.toml` and gives other environments.
    let environment = Environment::default();
    let subject =
        |paths, reading| Subject { paths, reading, version_assumed: true, environment: &environment };
    let (old_paths, new_paths) = (["running".to_owned()], ["candidate".to_owned()]);
    let report = analysis::diff(&sources, &subject(&old_paths, &old), &subject(&new_paths, &new));

    let mut reasons: Vec<String> = report
        .introduced()
        .filter(|finding| finding.suppressed.is_none() && finding.diagnostic.severity == Severity::Error)
        .map(|finding| {
            let diagnostic = &finding.diagnostic;
            let place = sources.position(diagnostic.primary.span);
            format!("{place}: {} [{}]", diagnostic.message, diagnostic.rule)
        })
        .collect();
    if report.broken {
        reasons.push(format!("the {} configuration could not be read", unreadable(&old)));
    }
    reasons
}

fn unreadable(old: &Reading) -> &'static str {
    if old.broken { "running" } else { "candidate" }
}

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the program's own output")]
fn main() -> ExitCode {
    let mut texts = Vec::new();
    for path in std::env::args().skip(1) {
        match std::fs::read_to_string(&path) {
            Ok(text) => texts.push(text),
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    let [running, candidate] = texts.as_slice() else {
        eprintln!("usage: deploy-gate RUNNING CANDIDATE");
        return ExitCode::from(2);
    };
    let reasons = refusals(running, candidate);
    if reasons.is_empty() {
        println!("deploying");
        return ExitCode::SUCCESS;
    }
    reasons.iter().for_each(|reason| println!("refused: {reason}"));
    ExitCode::FAILURE
}
