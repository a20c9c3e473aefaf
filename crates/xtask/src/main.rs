//! Project chores: each task writes one file anew that is made from something else. `cargo xtask envoy-schema` the
//! tables of Envoy's schema, `cargo xtask envoy-extensions` the extensions of the Envoy that `LBCHECK_ENVOY` names,
//! `cargo xtask envoy-versions OLDER-PROGRAM…` what came with which version, `cargo xtask rules` the list of
//! rules, `cargo xtask public-api` what the library shows.

mod api_comments;
mod envoy_extensions;
mod envoy_program;
mod envoy_schema;
mod envoy_versions;
mod public_api;
mod rules;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const TASKS: &str = "envoy-schema, envoy-extensions, envoy-versions, public-api, rules";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let task = std::env::args().nth(1).unwrap_or_default();
    let envoy = || envoy_extensions::program().context("LBCHECK_ENVOY names no program");
    let (path, text) = match task.as_str() {
        "envoy-schema" => {
            let source = envoy_schema::locate(false, &envoy()?)?;
            (envoy_schema::output_path(), envoy_schema::generate(&source)?)
        }
        "envoy-extensions" => (envoy_extensions::output_path(), envoy_extensions::generate(&envoy()?)?),
        "envoy-versions" => {
            let mut programs: Vec<PathBuf> = std::env::args_os().skip(2).map(PathBuf::from).collect();
            programs.extend(envoy_extensions::program());
            (envoy_versions::output_path(), envoy_versions::generate(&programs)?)
        }
        "public-api" => (public_api::output_path(), public_api::generate()?),
        "rules" => (rules::output_path(), rules::generate()),
        "" => bail!("name a task: {TASKS}"),
        other => bail!("there is no task `{other}`; there are: {TASKS}"),
    };
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[allow(clippy::print_stderr, reason = "a task tells its user what went wrong")]
fn complain(message: &str) {
    eprintln!("xtask: {message}");
}
