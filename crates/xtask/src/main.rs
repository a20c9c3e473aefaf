//! Project chores. `cargo xtask envoy-schema` writes the Envoy schema tables anew, `cargo xtask envoy-extensions`
//! the extensions of the Envoy that `LBCHECK_ENVOY` names.

mod api_comments;
mod envoy_extensions;
mod envoy_schema;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

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
            let source = envoy_schema::locate(false)?;
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
        "" => bail!("name a task: envoy-schema, envoy-extensions"),
        other => bail!("there is no task `{other}`; there are: envoy-schema, envoy-extensions"),
    }
}

#[allow(clippy::print_stderr, reason = "a task tells its user what went wrong")]
fn complain(message: &str) {
    eprintln!("xtask: {message}");
}
