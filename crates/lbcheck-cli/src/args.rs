//! What can be typed. Parsing validates and does nothing else.

use std::net::IpAddr;
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
    /// Where does this request go, and why?
    Route(RouteArgs),
    /// Who gets how much, also when servers fail or load grows?
    Traffic(TrafficArgs),
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
    /// Fail on any change of routes, pools, shares, checks, or timeouts and limits of pools. Other settings are not
    /// compared.
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
#[command(after_help = ROUTE_EXIT_CODES)]
pub(crate) struct RouteArgs {
    /// Files or a directory of one configuration; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// The request, such as 'GET https://host/path'.
    #[arg(short, long, value_name = "REQUEST")]
    pub(crate) request: String,
    /// A header of the request, such as 'x-user: 1'; may be given several times.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// The client's address.
    #[arg(long, value_name = "IP")]
    pub(crate) src: Option<IpAddr>,
    /// The TLS server name. Default: the host of the request.
    #[arg(long, value_name = "NAME")]
    pub(crate) sni: Option<String>,
    /// The listener that takes it, by name or address. Default: by port and scheme of the request.
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub(crate) listener: Option<String>,
    /// Fail unless this backend, upstream or cluster certainly serves the request.
    #[arg(long, value_name = "POOL")]
    pub(crate) expect: Option<String>,
    /// Show every rule that does not match, however many there are.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = RouteFormat::Text)]
    pub(crate) format: RouteFormat,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
}

const ROUTE_EXIT_CODES: &str = "\
Exit codes:
  0  an answer was found, also if it names several ends or none
  1  the answer is not certainly that of --expect
  2  lbcheck could not do its work: unreadable input, no such listener, bad arguments";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RouteFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct TrafficArgs {
    /// Files or a directory of one configuration; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// text or json, on standard output or into a file; may be given several times. Default: text.
    #[arg(long = "format", value_parser = parse::<FormatTo>, value_name = "text|json[=FILE]", help_heading = "Output")]
    pub(crate) formats: Vec<FormatTo>,
    /// When to use colour.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: Colour,
}

/// What is asked, and what is known beside the configuration.
#[derive(Debug, Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct AskingArgs {
    /// Only this backend, upstream or cluster.
    #[arg(long, value_name = "NAME")]
    pub(crate) pool: Option<String>,
    /// With --pool: print where each hash key of this file goes, one key a line; `-` is standard input.
    #[arg(long, value_name = "FILE", requires = "pool")]
    pub(crate) keys: Option<String>,
    /// These fail: names, POOL/NAME or addresses; or any=1, in each pool the single worst loss.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…|any=1")]
    pub(crate) fail: Vec<String>,
    /// Traffic as a multiple of normal, such as 3x.
    #[arg(long, value_parser = parse::<Times>, default_value = "1x", value_name = "TIMES", hide_default_value = true)]
    pub(crate) load: Times,
    /// Requests in flight in each pool at normal load.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), value_name = "N")]
    pub(crate) concurrency: Option<u32>,
    /// Requests per second to each pool at normal load.
    #[arg(long, value_parser = parse::<Rate>, value_name = "N")]
    pub(crate) rate: Option<Rate>,
    /// What each server can take: requests at once, or a multiple of its normal load such as 1.5x.
    #[arg(long, value_parser = parse::<CapacityArg>, value_name = "N|TIMES")]
    pub(crate) capacity: Option<CapacityArg>,
    /// How many different hash keys, or client addresses where those are hashed, there are.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub(crate) clients: Option<u32>,
    /// The part of requests that belong to a session that has begun, such as 0.8 or 80%.
    #[arg(long, value_parser = parse::<Part>, value_name = "PART")]
    pub(crate) cookie_share: Option<Part>,
    /// How many addresses a host name has.
    #[arg(long, value_parser = parse::<Addresses>, value_name = "NAME=N")]
    pub(crate) addresses: Vec<Addresses>,
    /// What simulations start from.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) seed: u64,
}

/// A multiple: `3x`, `1.5x`, `3`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times(pub(crate) f64);

impl FromStr for Times {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_suffix(['x', 'X']).unwrap_or(text);
        match digits.parse::<f64>() {
            Ok(times) if times.is_finite() && times > 0.0 && times <= 1e6 => Ok(Self(times)),
            _ => Err("write a multiple above 0 such as 3x or 1.5x".to_owned()),
        }
    }
}

/// Requests per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(pub(crate) f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<f64>() {
            Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(Self(rate)),
            _ => Err("write a number of requests per second above 0".to_owned()),
        }
    }
}

/// A number of requests, or a multiple with an `x`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CapacityArg {
    Requests(u64),
    Multiple(f64),
}

impl FromStr for CapacityArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.ends_with(['x', 'X']) {
            return text.parse::<Times>().map(|times| Self::Multiple(times.0));
        }
        match text.parse::<u64>() {
            Ok(requests) if requests > 0 => Ok(Self::Requests(requests)),
            _ => Err("write a number of requests such as 200, or a multiple such as 1.5x".to_owned()),
        }
    }
}

/// A part of the whole: `0.8` or `80%`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part(pub(crate) f64);

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
            None => text.parse::<f64>(),
        };
        match part {
            Ok(part) if (0.0..=1.0).contains(&part) => Ok(Self(part)),
            _ => Err("write a part from 0 to 1, or a percentage such as 80%".to_owned()),
        }
    }
}

/// `NAME=N`.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) name: String,
    pub(crate) count: u32,
}

impl FromStr for Addresses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.rsplit_once('=').and_then(|(name, count)| Some((name, count.parse::<u32>().ok()?)));
        match parts {
            Some((name, count)) if !name.is_empty() => Ok(Self { name: name.to_owned(), count }),
            _ => Err("write it as NAME=N, such as app.internal=3".to_owned()),
        }
    }
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
    /// The HAProxy version in use, such as 3.4.
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
