//! From paths on the command line to configurations that were read.

use std::time::SystemTime;

use lbcheck::date::Date;
use lbcheck::dialect::ByDialect;
use lbcheck::{Dialect, Found, Input, NotFound, Options, Sources, Version};
use lbcheck_report::clean;

use crate::Failure;
use crate::args::ReadingArgs;
use crate::disk::{Disk, STDIN};
use crate::policy::Located;

/// What stands for standard input on the command line.
pub(crate) const DASH: &str = "-";
/// What to do where the dialect cannot be told.
const PASS_DIALECT: &str = "pass --dialect haproxy, nginx or envoy";

/// Sorts `paths` into configurations; `snippets` says that none of them is a main file. Every problem is reported,
/// not only the first.
pub(crate) fn gather(
    disk: &Disk,
    paths: &[String],
    dialect: Option<Dialect>,
    snippets: bool,
) -> Result<Vec<Found>, Failure> {
    let mut failure = Failure::default();
    let nameless = |path: &&String| dialect.is_none() && *path == DASH;
    if paths.iter().any(|path| nameless(&path)) {
        let problem = format!("standard input has no name to tell its dialect by: {PASS_DIALECT}");
        failure.problems.push(problem);
    }
    let named = paths.iter().filter(|path| !nameless(path));
    let named: Vec<&str> = named.map(|path| if path == DASH { STDIN } else { path }).collect();
    match lbcheck::find(disk, &named, dialect, snippets) {
        Ok(found) if failure.problems.is_empty() => return Ok(found),
        Ok(_) => {}
        Err(problems) => failure.problems.extend(problems.iter().map(not_found)),
    }
    Err(failure)
}

fn not_found(why: &NotFound) -> String {
    let hint = match why {
        NotFound::Undetected(_) => format!(": {PASS_DIALECT}"),
        NotFound::Several(..) => ", or pass --dialect".to_owned(),
        _ => String::new(),
    };
    format!("{}{hint}", clean(&why.to_string()))
}

/// Reads a configuration.
pub(crate) fn load(
    disk: &Disk,
    sources: &mut Sources,
    found: Found,
    arguments: &ReadingArgs,
    policy: &Located,
) -> Result<Input, Failure> {
    if !lbcheck::nginx::is_context(&arguments.context) {
        return Err(Failure::new(format!(
            "--context {}: nginx has no such place; name the blocks from the outside in, such as http,server",
            arguments.context.join(",")
        )));
    }
    let mut environment = policy.environment(&found.files)?;
    environment.today = arguments.today.or_else(today);
    let mut options = Options::under(&policy.policy, found.dialect, environment);
    if let Some(version) = named_version(arguments, found.dialect) {
        options = options.version(version);
    }
    let variables = arguments.variables.iter();
    options.read.env.extend(variables.map(|variable| (variable.name.clone(), variable.value.clone())));
    options.read.prefix.clone_from(&arguments.prefix);
    options.read.context.clone_from(&arguments.context);
    let mut input = Input::read(disk, sources, &found.files, options);
    input.paths = found.paths;
    let paths = input.reading.config.files.iter().map(|&file| sources.file(file).path().to_owned());
    input.options.environment.paths = paths.map(|path| (path.clone(), policy.relative(&path))).collect();
    Ok(input)
}

/// The day it is, in UTC. A clock before 1970 knows no day.
fn today() -> Option<Date> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Date::from_unix_days(since.as_secs() / 86_400)
}

fn named_version(arguments: &ReadingArgs, dialect: Dialect) -> Option<Version> {
    let versions = ByDialect {
        haproxy: arguments.haproxy_version,
        nginx: arguments.nginx_version,
        envoy: arguments.envoy_version,
    };
    versions.of(dialect)
}

/// Reads every configuration that `paths` form.
pub(crate) fn load_all(
    sources: &mut Sources,
    paths: &[String],
    arguments: &ReadingArgs,
) -> Result<Vec<Input>, Failure> {
    load_from(&Disk::default(), sources, paths, arguments)
}

/// The same from a disk that the caller keeps: what came through a pipe can be read only once.
pub(crate) fn load_from(
    disk: &Disk,
    sources: &mut Sources,
    paths: &[String],
    arguments: &ReadingArgs,
) -> Result<Vec<Input>, Failure> {
    let policy = crate::policy::load(sources, arguments)?;
    gather(disk, paths, arguments.dialect, !arguments.context.is_empty())?
        .into_iter()
        .map(|found| load(disk, sources, found, arguments, &policy))
        .collect()
}
