//! From paths on the command line to configurations that were read.

use std::collections::BTreeMap;

use lbcheck::analysis::Subject;
use lbcheck::detect::detect;
use lbcheck::dialect::{Dialect, Version};
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
const DASH: &str = "-";

/// Files of one dialect that form one configuration.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    /// The paths as given.
    pub(crate) given: Vec<String>,
    /// The files they lead to, in the order the service reads them.
    files: Vec<String>,
}

/// A configuration that was read.
pub(crate) struct Input {
    pub(crate) given: Vec<String>,
    pub(crate) reading: Reading,
    version_assumed: bool,
    pub(crate) environment: Environment,
}

impl Input {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            paths: &self.given,
            reading: &self.reading,
            version_assumed: self.version_assumed,
            environment: &self.environment,
        }
    }
}

/// Sorts `paths` into configurations, by dialect. Every problem is reported, not only the first.
pub(crate) fn gather(
    disk: &mut Disk,
    paths: &[String],
    dialect: Option<Dialect>,
) -> Result<BTreeMap<Dialect, Configuration>, Failure> {
    let mut configurations = BTreeMap::<Dialect, Configuration>::new();
    let mut failure = Failure::default();
    for path in paths {
        let path = if path == DASH { STDIN } else { path.as_str() };
        match resolve(disk, path, dialect) {
            Ok((dialect, files)) => {
                let configuration = configurations.entry(dialect).or_default();
                configuration.given.push(path.to_owned());
                configuration.files.extend(files);
            }
            Err(problem) => failure.problems.push(problem),
        }
    }
    if failure.problems.is_empty() { Ok(configurations) } else { Err(failure) }
}

/// The dialect of a path and the files it leads to.
fn resolve(disk: &mut Disk, path: &str, told: Option<Dialect>) -> Result<(Dialect, Vec<String>), String> {
    if path == STDIN && told.is_none() {
        return Err(
            "standard input has no name to tell its dialect by: pass --dialect haproxy, nginx or envoy"
                .to_owned(),
        );
    }
    match disk.hold(path) {
        Ok(()) => {}
        Err(LoadError::IsDirectory) => return directory(disk, path, told),
        Err(error) => return Err(format!("cannot read `{}`: {error}", clean(path))),
    }
    match told.or_else(|| detect(path, disk.held(path))) {
        Some(dialect) => Ok((dialect, vec![path.to_owned()])),
        None => Err(format!(
            "cannot tell whether `{}` is a HAProxy, nginx or Envoy configuration: pass --dialect haproxy, nginx or envoy",
            clean(path)
        )),
    }
}

/// The configuration in a directory: HAProxy's `*.cfg`, nginx's `nginx.conf`, Envoy's YAML and JSON files.
fn directory(disk: &mut Disk, path: &str, told: Option<Dialect>) -> Result<(Dialect, Vec<String>), String> {
    let shown = clean(path).into_owned();
    let names = disk.list(path).map_err(|error| format!("cannot list `{shown}`: {error}"))?;
    let mut found = BTreeMap::<Dialect, Vec<String>>::new();
    let mut unreadable = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        let Some(dialect) = by_name(name).filter(|dialect| told.is_none_or(|told| told == *dialect)) else {
            continue;
        };
        let file = format!("{}/{name}", path.trim_end_matches('/'));
        match disk.hold(&file) {
            // A directory named `x.cfg` is passed over by HAProxy as well.
            Err(LoadError::IsDirectory) => continue,
            Err(error) => unreadable.push(format!("cannot read `{}`: {error}", clean(&file))),
            // Beside a proxy's files there may be YAML and `*.cfg` of any program.
            Ok(()) if told.is_none() && detect(name, disk.held(&file)) != Some(dialect) => continue,
            Ok(()) => found.entry(dialect).or_default().push(file),
        }
    }
    if !unreadable.is_empty() {
        return Err(unreadable.join("\nerror: "));
    }
    if found.len() > 1 {
        let products: Vec<_> = found.keys().map(|dialect| dialect.product()).collect();
        return Err(format!(
            "`{shown}` holds configurations of {}: name the files, or pass --dialect",
            products.join(" and ")
        ));
    }
    found.pop_first().ok_or_else(|| {
        let looked_for = match told {
            Some(Dialect::HaProxy) => "no *.cfg file",
            Some(Dialect::Nginx) => "no nginx.conf",
            Some(Dialect::Envoy) => "no *.yaml, *.yml or *.json file",
            None => "no HAProxy *.cfg, no nginx.conf, no Envoy *.yaml, *.yml or *.json",
        };
        format!("there is nothing to check in `{shown}`: {looked_for}")
    })
}

/// Which service would read a file of this name from a directory.
fn by_name(name: &str) -> Option<Dialect> {
    let (_, extension) = name.rsplit_once('.')?;
    match extension {
        "cfg" => Some(Dialect::HaProxy),
        "conf" if name == "nginx.conf" => Some(Dialect::Nginx),
        "yaml" | "yml" | "json" => Some(Dialect::Envoy),
        _ => None,
    }
}

/// Reads a configuration.
pub(crate) fn load(
    disk: &Disk,
    sources: &mut Sources,
    configuration: Configuration,
    dialect: Dialect,
    arguments: &ReadingArgs,
    policy: &Located,
) -> Result<Input, Failure> {
    let environment = policy.environment(&configuration.given)?;
    let named = named_version(arguments, dialect).or_else(|| policy.policy.version(dialect));
    let options = ReadOptions {
        version: named.unwrap_or_else(|| dialect.assumed_version()),
        env: arguments
            .variables
            .iter()
            .map(|variable| (variable.name.clone(), variable.value.clone()))
            .collect(),
        prefix: arguments.prefix.clone(),
        context: arguments.context.clone(),
        ..ReadOptions::new(dialect)
    };
    Ok(Input {
        reading: read(disk, sources, &configuration.files, &options),
        given: configuration.given,
        version_assumed: named.is_none(),
        environment,
    })
}

fn named_version(arguments: &ReadingArgs, dialect: Dialect) -> Option<Version> {
    match dialect {
        Dialect::HaProxy => arguments.haproxy_version,
        Dialect::Nginx => arguments.nginx_version,
        Dialect::Envoy => arguments.envoy_version,
    }
}

/// Reads every configuration that `paths` form.
pub(crate) fn load_all(
    sources: &mut Sources,
    paths: &[String],
    arguments: &ReadingArgs,
) -> Result<Vec<Input>, Failure> {
    let policy = crate::policy::load(arguments)?;
    let mut disk = Disk::default();
    let configurations = gather(&mut disk, paths, arguments.dialect)?;
    configurations
        .into_iter()
        .map(|(dialect, configuration)| load(&disk, sources, configuration, dialect, arguments, &policy))
        .collect()
}
