//! From paths on the command line to configurations that were read.

use std::collections::BTreeMap;
use std::time::SystemTime;

use lbcheck::analysis::Subject;
use lbcheck::date::Date;
use lbcheck::detect::{detect, is_main, looked_for, of_directory};
use lbcheck::dialect::{ByDialect, Dialect, Version};
use lbcheck::load::{FileLoader as _, LoadError};
use lbcheck::policy::Environment;
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;
use lbcheck_report::clean;

use crate::Failure;
use crate::args::ReadingArgs;
use crate::disk::{Disk, STDIN};
use crate::policy::Located;

/// What stands for standard input on the command line.
pub(crate) const DASH: &str = "-";
/// What to do where the dialect cannot be told.
const PASS_DIALECT: &str = "pass --dialect haproxy, nginx or envoy";

/// Files of one dialect that form one configuration.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) dialect: Dialect,
    /// The paths as given.
    pub(crate) given: Vec<String>,
    /// The files they lead to, in the order the service reads them.
    files: Vec<String>,
}

/// A file with the path it was given by, which may be that of its directory.
struct Part {
    given: String,
    file: String,
    /// nginx and Envoy start from one such file.
    main: bool,
}

/// A configuration that was read.
pub(crate) struct Input {
    pub(crate) given: Vec<String>,
    pub(crate) reading: Reading,
    /// The files the service starts from, and how they were read.
    pub(crate) files: Vec<String>,
    pub(crate) options: ReadOptions,
    version_assumed: bool,
    pub(crate) environment: Environment,
}

impl Input {
    /// The same input, read as something else.
    pub(crate) fn with(&self, reading: Reading) -> Self {
        Self {
            given: self.given.clone(),
            reading,
            files: self.files.clone(),
            options: self.options.clone(),
            version_assumed: self.version_assumed,
            environment: self.environment.clone(),
        }
    }

    /// Takes over the rules of another input, for files of its own.
    pub(crate) fn judge_as(&mut self, other: &Self) {
        let paths = std::mem::take(&mut self.environment.paths);
        self.environment = Environment { paths, ..other.environment.clone() };
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            paths: &self.given,
            reading: &self.reading,
            version_assumed: self.version_assumed,
            environment: &self.environment,
        }
    }
}

/// Sorts `paths` into configurations; `snippets` says that none of them is a main file. Every problem is reported,
/// not only the first.
pub(crate) fn gather(
    disk: &mut Disk,
    paths: &[String],
    dialect: Option<Dialect>,
    snippets: bool,
) -> Result<Vec<Configuration>, Failure> {
    let mut parts = BTreeMap::<Dialect, Vec<Part>>::new();
    let mut failure = Failure::default();
    for path in paths {
        let path = if path == DASH { STDIN } else { path.as_str() };
        match resolve(disk, path, dialect) {
            Ok((dialect, files)) => {
                let of_dialect = parts.entry(dialect).or_default();
                of_dialect.extend(files.into_iter().map(|file| Part {
                    given: path.to_owned(),
                    main: !snippets && is_main(dialect, disk.held(&file)),
                    file,
                }));
            }
            Err(problems) => failure.problems.extend(problems),
        }
    }
    if !failure.problems.is_empty() {
        return Err(failure);
    }
    Ok(parts.into_iter().flat_map(|(dialect, parts)| divide(dialect, parts)).collect())
}

/// The configurations that files of one dialect form, as the service would read them: HAProxy takes all of them
/// as one; nginx and Envoy start from one main file. What is not a main file is a part: of the one bootstrap in
/// Envoy, where there is one, otherwise the parts are taken together.
fn divide(dialect: Dialect, parts: Vec<Part>) -> Vec<Configuration> {
    let mains = parts.iter().filter(|part| part.main).count();
    if mains == 0 || (mains == 1 && dialect.description().files.join_main) {
        return vec![configuration(dialect, parts)];
    }
    let (mains, rest): (Vec<Part>, Vec<Part>) = parts.into_iter().partition(|part| part.main);
    // Several of one directory must still be told apart.
    let several = mains.len() > 1;
    let mut configurations: Vec<Configuration> = mains
        .into_iter()
        .map(|part| {
            let given = if several { part.file.clone() } else { part.given };
            configuration(dialect, vec![Part { given, ..part }])
        })
        .collect();
    if !rest.is_empty() {
        configurations.push(configuration(dialect, rest));
    }
    configurations
}

fn configuration(dialect: Dialect, parts: Vec<Part>) -> Configuration {
    let mut configuration = Configuration { dialect, given: Vec::new(), files: Vec::new() };
    for part in parts {
        if configuration.given.last() != Some(&part.given) {
            configuration.given.push(part.given);
        }
        configuration.files.push(part.file);
    }
    configuration
}

/// The dialect of a path and the files it leads to.
fn resolve(
    disk: &mut Disk,
    path: &str,
    told: Option<Dialect>,
) -> Result<(Dialect, Vec<String>), Vec<String>> {
    if path == STDIN && told.is_none() {
        return Err(vec![format!("standard input has no name to tell its dialect by: {PASS_DIALECT}")]);
    }
    match disk.hold(path) {
        Ok(()) => {}
        Err(LoadError::IsDirectory) => return directory(disk, path, told),
        Err(error) => return Err(vec![format!("cannot read `{}`: {error}", clean(path))]),
    }
    match told.or_else(|| detect(path, disk.held(path))) {
        Some(dialect) => Ok((dialect, vec![path.to_owned()])),
        None => Err(vec![format!(
            "cannot tell whether `{}` is a HAProxy, nginx or Envoy configuration: {PASS_DIALECT}",
            clean(path)
        )]),
    }
}

/// The configuration in a directory: HAProxy's `*.cfg`, nginx's `nginx.conf`, Envoy's YAML and JSON files.
fn directory(
    disk: &mut Disk,
    path: &str,
    told: Option<Dialect>,
) -> Result<(Dialect, Vec<String>), Vec<String>> {
    let shown = clean(path).into_owned();
    let names = disk.list(path).map_err(|error| vec![format!("cannot list `{shown}`: {error}")])?;
    let mut found = BTreeMap::<Dialect, Vec<String>>::new();
    let mut unreadable = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        let Some(dialect) = of_directory(name).filter(|dialect| told.is_none_or(|told| told == *dialect))
        else {
            continue;
        };
        let file = format!("{}/{name}", path.trim_end_matches('/'));
        match disk.hold(&file) {
            Ok(()) => found.entry(dialect).or_default().push(file),
            // HAProxy passes over a directory named `x.cfg` as well.
            Err(LoadError::IsDirectory) => {}
            Err(error) => unreadable.push(format!("cannot read `{}`: {error}", clean(&file))),
        }
    }
    if !unreadable.is_empty() {
        return Err(unreadable);
    }
    if told.is_none() {
        let speaks = |file: &String, dialect| detect(file, disk.held(file)) == Some(dialect);
        for (dialect, files) in &mut found {
            if dialect.description().files.told_by_content {
                files.retain(|file| speaks(file, *dialect));
            }
        }
        found.retain(|dialect, files| files.iter().any(|file| speaks(file, *dialect)));
    }
    if found.len() > 1 {
        let products: Vec<_> = found.keys().map(|dialect| dialect.product()).collect();
        return Err(vec![format!(
            "`{shown}` holds configurations of {}: name the files, or pass --dialect",
            products.join(" and ")
        )]);
    }
    found
        .pop_first()
        .ok_or_else(|| vec![format!("there is nothing to check in `{shown}`: {}", looked_for(told))])
}

/// Reads a configuration.
pub(crate) fn load(
    disk: &Disk,
    sources: &mut Sources,
    configuration: Configuration,
    arguments: &ReadingArgs,
    policy: &Located,
) -> Result<Input, Failure> {
    if !lbcheck::nginx::is_context(&arguments.context) {
        return Err(Failure::new(format!(
            "--context {}: nginx has no such place; name the blocks from the outside in, such as http,server",
            arguments.context.join(",")
        )));
    }
    let mut environment = policy.environment(&configuration.files)?;
    environment.today = arguments.today.or_else(today);
    let dialect = configuration.dialect;
    let version = named_version(arguments, dialect).or_else(|| policy.policy.version(dialect));
    let variables = arguments.variables.iter();
    let named = variables.map(|variable| (variable.name.clone(), variable.value.clone()));
    let options = ReadOptions {
        version: version.unwrap_or_else(|| dialect.assumed_version()),
        edition: policy.policy.edition(),
        known_directives: policy.policy.known_directives(dialect),
        env: policy.policy.variables().clone().into_iter().chain(named).collect(),
        prefix: arguments.prefix.clone(),
        context: arguments.context.clone(),
        ..ReadOptions::new(dialect)
    };
    let reading = read(disk, sources, &configuration.files, &options);
    let paths = reading.config.files.iter().map(|&file| sources.file(file).path().to_owned());
    environment.paths = paths.map(|path| (path.clone(), policy.relative(&path))).collect();
    Ok(Input {
        reading,
        files: configuration.files,
        options,
        given: configuration.given,
        version_assumed: version.is_none(),
        environment,
    })
}

/// The day it is, in UTC. A clock before 1970 knows no day.
fn today() -> Option<Date> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Date::from_unix_days(since.as_secs() / 86_400)
}

fn named_version(arguments: &ReadingArgs, dialect: Dialect) -> Option<Version> {
    let ReadingArgs { haproxy_version: haproxy, nginx_version: nginx, envoy_version: envoy, .. } = *arguments;
    ByDialect { haproxy, nginx, envoy }.of(dialect)
}

/// Reads every configuration that `paths` form.
pub(crate) fn load_all(
    sources: &mut Sources,
    paths: &[String],
    arguments: &ReadingArgs,
) -> Result<Vec<Input>, Failure> {
    load_from(&mut Disk::default(), sources, paths, arguments)
}

/// The same from a disk that the caller keeps: what came through a pipe can be read only once.
pub(crate) fn load_from(
    disk: &mut Disk,
    sources: &mut Sources,
    paths: &[String],
    arguments: &ReadingArgs,
) -> Result<Vec<Input>, Failure> {
    let policy = crate::policy::load(sources, arguments)?;
    gather(disk, paths, arguments.dialect, !arguments.context.is_empty())?
        .into_iter()
        .map(|configuration| load(disk, sources, configuration, arguments, &policy))
        .collect()
}
