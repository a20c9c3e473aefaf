//! `lbcheck.report/v1`, what `check` gives, and the parts it shares with the other formats.

use serde::Serialize;

/// What `lbcheck check --format json` prints.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// `lbcheck.report/v1`.
    #[cfg_attr(test, schemars(extend("const" = "lbcheck.report/v1")))]
    pub schema: &'static str,
    /// The program that wrote it.
    pub tool: Tool,
    /// The configurations that were checked.
    pub inputs: Vec<Input>,
    /// What was found, by file, place, severity, rule and message; suppressed findings included.
    pub findings: Vec<Finding>,
    /// How many findings count.
    pub summary: Summary,
    /// What became of the run.
    pub verdict: VerdictName,
}

/// The program that wrote an output.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tool {
    /// `lbcheck`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// One configuration that was read.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Input {
    /// The first path given for it.
    pub path: String,
    /// Every path given for it, in order.
    pub paths: Vec<String>,
    /// Every file read for it, includes too, in order.
    pub files: Vec<String>,
    /// `haproxy`, `nginx` or `envoy`.
    pub dialect: &'static str,
    /// The product version it was read for.
    pub version: String,
    /// Whether nobody named that version.
    pub version_assumed: bool,
    /// The environment whose rules held.
    pub environment: String,
    /// Who named the environment: `command-line`, `path`, `default-environment` or `assumed`.
    pub environment_source: &'static str,
    /// Whether it is only a part of a configuration: a snippet or a resource file.
    pub fragment: bool,
    /// Whether it could not be read well enough to conclude anything.
    pub broken: bool,
    /// Listeners read.
    pub listeners: usize,
    /// Pools read.
    pub pools: usize,
    /// Endpoints read.
    pub endpoints: u64,
    /// How much of it was understood.
    pub directives: Directives,
}

/// How much of an input was understood.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Directives {
    /// Directives seen.
    pub total: u32,
    /// Directives understood.
    pub understood: u32,
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Id of the rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: SeverityName,
    /// One sentence: what is wrong.
    pub message: String,
    /// Whom it is about.
    pub subject: Subject,
    /// The place that shows it.
    pub location: Location,
    /// A remark on that place.
    pub label: Option<String>,
    /// Other places that contribute.
    pub related: Vec<Related>,
    /// What to do about it.
    pub help: Option<String>,
    /// What would mend it, where that can be said in edits.
    pub fix: Option<Fix>,
    /// Stable across runs and edits elsewhere in the file.
    pub fingerprint: String,
    /// The reason of the suppression that silences it.
    pub suppressed: Option<String>,
}

/// Edits that mend a finding.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fix {
    /// What they do, in a few words.
    pub title: String,
    /// Whether there is no doubt, so that `--fix` makes them.
    pub certain: bool,
    /// All of them are to be made, or none.
    pub edits: Vec<Edit>,
}

/// One replacement.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Edit {
    /// What is replaced; empty where something is put in.
    pub location: Location,
    /// What stands there afterwards.
    pub replacement: String,
}

/// A severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SeverityName {
    /// Worth knowing.
    Info,
    /// Probably wrong.
    Warning,
    /// Wrong.
    Error,
}

/// The pool and endpoint that something is about.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subject {
    /// Name of the pool.
    pub pool: Option<String>,
    /// Name of the endpoint in it.
    pub endpoint: Option<String>,
}

/// A part of one file.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Location {
    /// The file's path as it was given or included.
    pub file: String,
    /// The first character.
    pub start: Point,
    /// One past the last character.
    pub end: Point,
}

/// A place in a file. Both numbers count from 1; columns count Unicode characters.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Point {
    /// Line.
    pub line: u32,
    /// Column in Unicode characters.
    pub column: u32,
}

/// Another place that contributes to a finding.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Related {
    /// Where.
    pub location: Location,
    /// What is to be seen there; may be empty.
    pub message: String,
}

/// How many findings count.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// Errors.
    pub error: usize,
    /// Warnings.
    pub warning: usize,
    /// Infos.
    pub info: usize,
    /// Suppressed findings of any severity; they are in none of the other numbers.
    pub suppressed: usize,
}

/// What became of a run. The exit code says the same: 0, 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum VerdictName {
    /// Nothing at or above the threshold.
    Pass,
    /// Findings at or above the threshold.
    Fail,
    /// The input could not be read well enough to conclude anything.
    Unreadable,
}
