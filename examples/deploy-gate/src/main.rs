//! A deploy tool that asks lbcheck before it replaces a running configuration.
//!
//! `deploy-gate RUNNING CANDIDATE` refuses a candidate that could not be read or brings new errors. What a real
//! tool would do with an accepted one is not shown.

use std::process::ExitCode;

use lbcheck::{Severity, detect};

/// Why `candidate` may not replace `running`, one reason a line; nothing if it may.
fn refusals(running: &str, candidate: &str) -> Vec<String> {
    let Some(dialect) = detect("candidate", candidate.as_bytes()) else {
        return vec!["the candidate is no HAProxy, nginx or Envoy configuration".to_owned()];
    };
    // Production unless said otherwise: `lbcheck::read_policy` takes an `lbcheck.toml` and gives other options.
    let report = lbcheck::diff_texts(dialect, running, candidate);
    let mut reasons: Vec<String> = report
        .introduced()
        .filter(|finding| finding.suppressed.is_none() && finding.diagnostic.severity == Severity::Error)
        .map(|finding| {
            let diagnostic = &finding.diagnostic;
            format!("{}: {} [{}]", report.place(diagnostic.primary.span), diagnostic.message, diagnostic.rule)
        })
        .collect();
    for (side, input) in [("running", &report.old), ("candidate", &report.new)] {
        if input.broken {
            reasons.push(format!("the {side} configuration could not be read"));
        }
    }
    reasons
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
