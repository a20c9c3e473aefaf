//! Project chores. `cargo xtask envoy-schema` writes the Envoy schema tables anew, `cargo xtask envoy-extensions`
//! the extensions of the Envoy that `LBCHECK_ENVOY` names, `cargo xtask envoy-versions OLDER-PROGRAM…` what came with
//! which version.

mod api_comments;
mod envoy_extensions;
mod envoy_program;
mod envoy_schema;
mod envoy_versions;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const TASKS: &str = "envoy-schema, envoy-extensions, envoy-versions";

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
    match task.as_str() {
        "envoy-schema" => {
            let program = envoy_extensions::program().context("LBCHECK_ENVOY names no program")?;
            let source = envoy_schema::locate(false, &program)?;
            let text = envoy_schema::generate(&source)?;
            let path = envoy_schema::output_path();
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        }
        "envoy-extensions" => {
            let program = envoy_extensions::program().context("LBCHECK_ENVOY names no program")?;
            let text = envoy_extensions::generate(&program)?;
            let path = envoy_extensions::output_path();
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        }
        "envoy-versions" => {
            let mut programs: Vec<PathBuf> = std::env::args_os().skip(2).map(PathBuf::from).collect();
            programs.extend(envoy_extensions::program());
            let text = envoy_versions::generate(&programs)?;
            let path = envoy_versions::output_path();
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        }
        "" => bail!("name a task: {TASKS}"),
        other => bail!("there is no task `{other}`; there are: {TASKS}"),
    }
}

#[allow(clippy::print_stderr, reason = "a task tells its user what went wrong")]
fn complain(message: &str) {
    eprintln!("xtask: {message}");
}
