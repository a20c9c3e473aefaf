//! The `lbcheck` program: arguments, files and exit codes. What it knows of load balancers is in the library.

mod args;
mod catalogue;
mod check;
mod diff;
mod disk;
mod fix;
mod input;
mod model;
mod output;
mod policy;
mod route;
mod traffic;

use std::process::ExitCode;

use clap::Parser as _;
use lbcheck::Unanswered;
use lbcheck_report::clean;

use crate::args::{Cli, Command};

/// Why lbcheck could not do its work. Every text is one problem, shown on a line of its own.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    pub(crate) problems: Vec<String>,
}

impl Failure {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }
}

impl From<Unanswered> for Failure {
    fn from(why: Unanswered) -> Self {
        let hint = if matches!(why, Unanswered::Broken(_)) { "; `lbcheck check` says why" } else { "" };
        Self::new(format!("{}{hint}", clean(&why.to_string())))
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            output::usage(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let outcome = match cli.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Traffic(arguments) => traffic::run(&arguments),
        Command::Model(arguments) => model::run(&arguments),
        Command::Route(arguments) => route::run(&arguments),
        Command::Explain(arguments) => catalogue::explain(&arguments.rule),
        Command::Rules(arguments) => catalogue::rules(arguments.format),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            for problem in &failure.problems {
                output::complain(problem);
            }
            ExitCode::from(2)
        }
    }
}
