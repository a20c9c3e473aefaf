//! What can be typed. Parsing validates and does nothing else.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use lbcheck::date::Date;
use lbcheck::diagnostic::Severity;
use lbcheck::dialect::{Dialect, Version};
use lbcheck_report::Format;

/// Check and compare HAProxy, nginx and Envoy configurations before they are deployed.
#[derive(Debug, Parser)]
#[command(name = "lbcheck", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing at or above the threshold of --fail-on
  1  findings (for diff: new or worsened ones)
  2  lbcheck could not do its work: unreadable input, bad policy, bad arguments";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Is this configuration safe?
    Check(CheckArgs),
    /// What does this change do to traffic?
    Diff(DiffArgs),
    /// Print the model that a configuration is read into, as JSON.
    Model(ModelArgs),
    /// Print the page of a rule.
    Explain(ExplainArgs),
    /// List the rules.
    Rules(RulesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Files or directories; `-` is standard input. Those of one dialect form one configuration, in order.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Mend what has one certain mend, in the files themselves, and check what comes out.
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: write nothing, and show what would change as a unified diff.
    #[arg(long, requires = "fix")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) judging: JudgingArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The configuration before: a file, a directory, or `-` for standard input.
    pub(crate) old: String,
    /// The configuration after.
    pub(crate) new: String,
    /// Fail on any change that traffic can notice.
    #[arg(long)]
    pub(crate) expect_equivalent: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) judging: JudgingArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Files or directories; `-` is standard input. Those of one dialect form one configuration, in order.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Id of the rule, for example pool-empty.
    pub(crate) rule: String,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// How to list them.
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub(crate) format: ListFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Text,
    Json,
}

/// How the input is read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadingArgs {
    /// The language of the input; otherwise told by its content, then its name.
    #[arg(long, value_parser = parse::<Dialect>, value_name = "haproxy|nginx|envoy")]
    pub(crate) dialect: Option<Dialect>,
    /// The HAProxy version in use, such as 3.2.
    #[arg(long, value_parser = parse::<Version>, value_name = "VERSION")]
    pub(crate) haproxy_version: Option<Version>,
    /// The nginx version in use, such as 1.27.3.
    #[arg(long, value_parser = parse::<Version>, value_name = "VERSION")]
    pub(crate) nginx_version: Option<Version>,
    /// The Envoy version in use, such as 1.40.
    #[arg(long, value_parser = parse::<Version>, value_name = "VERSION")]
    pub(crate) envoy_version: Option<Version>,
    /// nginx: the blocks a snippet belongs in, outermost first, such as http,server.
    #[arg(long, value_delimiter = ',', value_name = "BLOCKS")]
    pub(crate) context: Vec<String>,
    /// nginx: where relative includes start from. Default: the directory of the main file.
    #[arg(long, value_name = "DIR")]
    pub(crate) prefix: Option<String>,
    /// HAProxy: an environment variable of the service. None is taken from lbcheck's own environment.
    #[arg(long = "env-var", value_parser = parse::<Variable>, value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<Variable>,
    /// The policy. Default: lbcheck.toml in the current directory or the nearest one above it.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,
    /// Use no policy.
    #[arg(long)]
    pub(crate) no_config: bool,
    /// The environment whose rules hold; also LBCHECK_ENV. Default: as the policy says, else production.
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// The day that the dates of suppressions are held against. Default: today, in UTC.
    #[arg(long, value_parser = parse::<Date>, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<Date>,
}

/// What fails a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Judging")]
pub(crate) struct JudgingArgs {
    /// The least severity that fails the run. Default: as the policy says, else error.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    pub(crate) fn threshold(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Info => Some(Severity::Info),
            Self::Never => None,
        }
    }
}

/// How the result is shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// text, json, sarif or github, on standard output or into a file; may be given several times.
    /// Default: text.
    #[arg(long = "format", value_parser = parse::<FormatTo>, value_name = "FORMAT[=FILE]")]
    pub(crate) formats: Vec<FormatTo>,
    /// When to use colour.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(crate) color: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

/// A format and where it goes; `None`: standard output.
#[derive(Clone, Debug)]
pub(crate) struct FormatTo {
    pub(crate) format: Format,
    pub(crate) file: Option<PathBuf>,
}

impl FromStr for FormatTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name is missing after `=`".to_owned()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = format.parse::<Format>().map_err(|error| error.to_string())?;
        Ok(Self { format, file })
    }
}

/// `NAME=VALUE`.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("write it as NAME=VALUE".to_owned()),
        }
    }
}

/// Parses with [`FromStr`], keeping its message.
fn parse<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse::<T>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn arguments_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }
}
