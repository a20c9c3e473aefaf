//! How a configuration is read and judged.

use super::Sourced;
use crate::diagnostic::Diagnostic;
use crate::dialect::{Dialect, Version};
use crate::policy::{Environment, EnvironmentError, Policy};
use crate::read::ReadOptions;
use crate::source::Sources;

/// How a configuration is read and judged.
///
/// ```
/// use lbcheck::{Dialect, Options, Version};
///
/// let mut options = Options::new(Dialect::HaProxy).version(Version::new(3, 2));
/// options.read.env.insert("PORT".to_owned(), "8080".to_owned());
/// options.environment.today = "2026-11-21".parse().ok(); // suppressions expire, and the library has no clock
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How it is read: the language, the product version, variables and more.
    pub read: ReadOptions,
    /// Nobody named the version, it is the assumed one: what only newer versions refuse is then a warning.
    pub version_assumed: bool,
    /// The rules it is judged by.
    pub environment: Environment,
    /// Texts that findings may point into beside the configuration: the policy, where there is one.
    pub sources: Sources,
}

impl Options {
    /// What holds when nobody says anything: the assumed version of the product, and production with built-in limits.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self::under(&Policy::default(), dialect, Environment::default())
    }

    /// What a policy says of a product, and the rules of one of its environments.
    #[must_use]
    pub fn under(policy: &Policy, dialect: Dialect, environment: Environment) -> Self {
        let read = ReadOptions {
            edition: policy.edition(),
            known_directives: policy.known_directives(dialect),
            env: policy.variables().clone(),
            ..ReadOptions::new(dialect)
        };
        let options = Self { read, version_assumed: true, environment, sources: Sources::new() };
        match policy.version(dialect) {
            Some(version) => options.version(version),
            None => options,
        }
    }

    /// The same for a named product version, whose keywords and defaults hold then.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.read.version = version;
        self.version_assumed = false;
        self
    }
}

/// Reads a policy, the text of an `lbcheck.toml`. `path` is what findings call it.
///
/// ```
/// use lbcheck::{Dialect, Severity};
///
/// let policy = lbcheck::read_policy("lbcheck.toml", "schema = 1\n[environments.staging]\npaths = ['staging/**']\n")
///     .expect("it is a valid policy");
/// let options = policy.options(Dialect::Nginx, "staging/nginx.conf").expect("one environment claims it");
/// assert!(!options.environment.production);
///
/// let mistakes = lbcheck::read_policy("lbcheck.toml", "schema = 2\n").expect_err("there is no such schema");
/// assert!(mistakes.iter().all(|mistake| mistake.severity == Severity::Error));
/// ```
///
/// # Errors
/// Every mistake, each at its place.
pub fn read_policy(path: &str, text: &str) -> Result<Sourced<Policy>, Sourced<Vec<Diagnostic>>> {
    let mut sources = Sources::new();
    let file = sources.add(path, text.as_bytes().to_vec());
    match Policy::parse(&sources, file) {
        Ok(policy) => Ok(Sourced::new(policy, sources)),
        Err(mistakes) => Err(Sourced::new(mistakes, sources)),
    }
}

impl Sourced<Policy> {
    /// The options for the configuration at `path`, which is relative to the policy's folder and uses `/`: its globs
    /// tell the environment.
    ///
    /// # Errors
    /// Two environments claim `path` alike.
    pub fn options(&self, dialect: Dialect, path: &str) -> Result<Options, EnvironmentError> {
        let environment = self.environment(None, path)?;
        Ok(Options { sources: self.sources.clone(), ..Options::under(self, dialect, environment) })
    }
}
