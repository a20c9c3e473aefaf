//! The real programs: found by name, asked for a verdict, never left running.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lbcheck::dialect::{Dialect, Version};

/// Longest time a program may take for a verdict. Ordinarily it takes less than a second, but HAProxy asks for each of
/// the names of a file, one after the other, and some files have two thousand.
const PATIENCE: Duration = Duration::from_secs(90);
/// What glibc is told of name servers: one question, for which one second is enough. Names are no matter of the file.
const RESOLVER: (&str, &str) = ("RES_OPTIONS", "timeout:1 attempts:1");
/// Time between two looks whether it has ended.
const POLL: Duration = Duration::from_millis(2);

/// A real program on this machine.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it reads.
    pub dialect: Dialect,
    /// Where it is.
    pub path: PathBuf,
}

/// What a real program says of a file.
#[derive(Clone, Debug)]
pub struct Answer {
    /// It accepts it.
    pub accepted: bool,
    /// All it printed, except the words by which it accepts.
    pub said: String,
}

impl Program {
    /// The program named by `LBCHECK_HAPROXY`, `LBCHECK_NGINX` or `LBCHECK_ENVOY`, else the installed one.
    #[must_use]
    pub fn find(dialect: Dialect) -> Option<Self> {
        let variable = format!("LBCHECK_{}", dialect.as_str().to_uppercase());
        let named = std::env::var_os(variable).map(PathBuf::from);
        let places: &[&str] = match dialect {
            Dialect::HaProxy => &["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"],
            Dialect::Nginx => &["/usr/sbin/nginx", "/usr/local/sbin/nginx"],
            Dialect::Envoy => &["/usr/local/bin/envoy", "/usr/bin/envoy"],
        };
        let path = named.into_iter().chain(places.iter().map(PathBuf::from)).find(|path| path.is_file())?;
        Some(Self { dialect, path })
    }

    /// The program for a test. Where there is none the test is reported as skipped by name.
    ///
    /// # Panics
    ///
    /// Under `CI=true` a missing program fails the test.
    #[must_use]
    pub fn for_test(dialect: Dialect, test: &str) -> Option<Self> {
        let found = Self::find(dialect);
        if found.is_none() {
            let message = format!("SKIPPED {test}: no {dialect} here; scripts/test installs it");
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
            // Written past the capture of the test runner, so that nobody takes it for a pass.
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{message}");
        }
        found
    }

    /// The version it says it has. `None`: it does not say.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let argument = if self.dialect == Dialect::Envoy { "--version" } else { "-v" };
        let output = Command::new(&self.path).arg(argument).stdin(Stdio::null()).output().ok()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        said.split(|character: char| character.is_whitespace() || "/-".contains(character))
            .filter(|word| word.matches('.').count() == 2)
            .find_map(|word| word.parse().ok())
    }

    /// Asks the program to validate `file`; relative paths in it start from `folder`.
    ///
    /// # Errors
    ///
    /// The program cannot be started, or does not come to an end.
    pub fn validate(&self, file: &Path, folder: &Path, variables: &[(String, String)]) -> Result<Answer> {
        let mut command = Command::new(&self.path);
        match self.dialect {
            Dialect::HaProxy => command.args(["-c", "-f"]).arg(file),
            Dialect::Nginx => {
                command.args(["-t", "-q", "-e", "stderr", "-p"]).arg(folder).arg("-c").arg(file)
            }
            // Node and cluster are given by whoever starts Envoy, ordinarily not by the file.
            Dialect::Envoy => command
                .args(["--service-node", "node", "--service-cluster", "cluster"])
                .args(["--mode", "validate", "-l", "warning", "-c"])
                .arg(file),
        };
        command
            .current_dir(folder)
            .env(RESOLVER.0, RESOLVER.1)
            .envs(variables.iter().map(|(name, value)| (name, value)));
        let (success, said) = run(command)?;
        // HAProxy has no complaint about the text when it only finds nothing to listen on.
        let success = success || said.contains("Configuration file has no error but will not start");
        let said = said
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with("configuration '"))
            .filter(|line| *line != "Configuration file is valid")
            .collect::<Vec<_>>()
            .join("\n");
        Ok(Answer { accepted: success, said })
    }
}

/// Runs a command to its end: whether it succeeded, and all it said.
fn run(mut command: Command) -> Result<(bool, String)> {
    let program = command.get_program().to_owned();
    let (mut reader, writer) = std::io::pipe()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    // The command holds the writing ends; the reader would never see the end while it lives.
    drop(command);
    // Read beside the waiting, so that a program that says much never waits for us.
    let said = std::thread::spawn(move || {
        let mut said = Vec::new();
        reader.read_to_end(&mut said).map(|_| said)
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("{} did not end within {} s", program.display(), PATIENCE.as_secs());
        }
        std::thread::sleep(POLL);
    };
    let said = said.join().map_err(|_| anyhow::anyhow!("reading what it said failed"))??;
    Ok((status.success(), String::from_utf8_lossy(&said).into_owned()))
}
