//! The real programs: found by name, asked for a verdict, never left running.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lbcheck::dialect::{Dialect, Version};

/// A real program on this machine.
pub(crate) struct Oracle {
    dialect: Dialect,
    program: PathBuf,
}

/// What a real program says of a file.
pub(crate) struct Verdict {
    /// It accepts it.
    pub(crate) accepted: bool,
    /// All it printed that is a complaint.
    pub(crate) said: String,
}

impl Oracle {
    /// The installed program. Where there is none the test is reported as skipped by name, and fails under `CI=true`.
    pub(crate) fn find(dialect: Dialect, test: &str) -> Option<Self> {
        let variable = format!("LBCHECK_{}", dialect.as_str().to_uppercase());
        let named = std::env::var_os(&variable).map(PathBuf::from);
        let places: &[&str] = match dialect {
            Dialect::HaProxy => &["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"],
            Dialect::Nginx => &["/usr/sbin/nginx", "/usr/local/sbin/nginx"],
            Dialect::Envoy => &["/usr/local/bin/envoy", "/usr/bin/envoy"],
        };
        let found = named.into_iter().chain(places.iter().map(PathBuf::from)).find(|path| path.is_file());
        let Some(program) = found else {
            let message = format!("SKIPPED {test}: no {dialect} here; scripts/test installs it");
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
            // Written past the capture of the test runner, so that nobody takes it for a pass.
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{message}");
            return None;
        };
        Some(Self { dialect, program })
    }

    /// Its path.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The version it says it has. `None`: it does not say.
    pub(crate) fn version(&self) -> Option<Version> {
        let argument = if self.dialect == Dialect::Envoy { "--version" } else { "-v" };
        let output = Command::new(&self.program).arg(argument).stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        said.split(|character: char| character.is_whitespace() || "/-".contains(character))
            .filter(|word| word.matches('.').count() == 2)
            .find_map(|word| word.parse().ok())
    }

    /// Asks the program to validate `file`.
    pub(crate) fn validate(&self, file: &Path) -> Verdict {
        let scratch = std::env::temp_dir().join(format!("lbcheck-oracle-{}", std::process::id()));
        std::fs::create_dir_all(&scratch).unwrap();
        let mut command = Command::new(&self.program);
        match self.dialect {
            Dialect::HaProxy => command.args(["-c", "-q", "-f"]).arg(file),
            Dialect::Nginx => command.arg("-t").arg("-q").arg("-p").arg(&scratch).arg("-c").arg(file),
            Dialect::Envoy => command.args(["--mode", "validate", "-l", "warning", "-c"]).arg(file),
        };
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said)
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with("configuration '"))
            .collect::<Vec<_>>()
            .join("\n");
        Verdict { accepted: output.status.success(), said }
    }
}
