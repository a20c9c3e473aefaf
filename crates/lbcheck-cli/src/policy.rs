//! Finding `lbcheck.toml`, and the environment of an input.

use std::env;
use std::fs;
use std::path::{Component, Path, PathBuf};

use lbcheck::load::{DiskLoader, FileLoader as _, LoadError};
use lbcheck::policy::{Environment, EnvironmentSource, Policy};
use lbcheck::source::Sources;
use lbcheck_report::{Style, View, clean};

use crate::Failure;
use crate::args::ReadingArgs;
use crate::disk::STDIN;

/// The file looked for in the current directory and those above it.
const FILE_NAME: &str = "lbcheck.toml";

/// A policy and the directory that its globs start from.
pub(crate) struct Located {
    pub(crate) policy: Policy,
    directory: Option<PathBuf>,
    environment: Option<String>,
}

/// Reads the policy that holds for this run. Without one, the built-in rules hold. Findings may point at it, so it is
/// one of the run's sources.
pub(crate) fn load(sources: &mut Sources, arguments: &ReadingArgs) -> Result<Located, Failure> {
    let environment = named_environment(arguments);
    let path = match &arguments.config {
        Some(path) => Some(path.clone()),
        None if arguments.no_config => None,
        None => find(),
    };
    let Some(path) = path else {
        return Ok(Located { policy: Policy::default(), directory: None, environment });
    };
    let shown = path.to_string_lossy().into_owned();
    let content = DiskLoader.read(&shown).map_err(|error| unreadable(&shown, &error))?;
    let file = sources.add(shown.clone(), content);
    let policy = Policy::parse(sources, file).map_err(|mut mistakes| {
        mistakes.sort_by_key(|mistake| mistake.primary.span);
        let view = View::new(sources);
        let style = Style { colour: false, width: crate::output::WIDTH };
        for mistake in &mistakes {
            crate::output::complain_verbatim(&lbcheck_report::diagnostic(&view, mistake, style));
        }
        Failure::new(format!("`{}` is not a valid policy; nothing was checked", clean(&shown)))
    })?;
    let directory = absolute(path.parent().unwrap_or(Path::new("")));
    Ok(Located { policy, directory: Some(directory), environment })
}

/// `--env`, otherwise `LBCHECK_ENV` unless it is empty.
fn named_environment(arguments: &ReadingArgs) -> Option<String> {
    arguments.env.clone().or_else(|| env::var("LBCHECK_ENV").ok().filter(|name| !name.is_empty()))
}

fn find() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    let found = here.ancestors().map(|directory| directory.join(FILE_NAME)).find(|path| path.is_file())?;
    // Shown to the user: the short name where it is the nearest one.
    match found.strip_prefix(&here) {
        Ok(short) => Some(short.to_owned()),
        Err(_) => Some(found),
    }
}

fn unreadable(path: &str, error: &LoadError) -> Failure {
    Failure::new(format!("cannot read the policy `{}`: {error}", clean(path)))
}

impl Located {
    /// The environment of one configuration, by the files it was given as.
    pub(crate) fn environment(&self, paths: &[String]) -> Result<Environment, Failure> {
        let mut chosen: Option<(Environment, &str)> = None;
        for path in paths {
            let environment = self
                .policy
                .environment(self.environment.as_deref(), &self.relative(path))
                .map_err(|error| Failure::new(clean(&error.to_string()).into_owned()))?;
            chosen = match chosen {
                None => Some((environment, path)),
                // A path that an environment claims outweighs those that none does.
                Some((so_far, _)) if so_far.source != EnvironmentSource::Path => Some((environment, path)),
                Some((so_far, first))
                    if environment.source == EnvironmentSource::Path && environment.name != so_far.name =>
                {
                    return Err(Failure::new(format!(
                        "`{}` belongs to the environment `{}` and `{}` to `{}`; check them one by one or pass --env",
                        clean(first),
                        clean(&so_far.name),
                        clean(path),
                        clean(&environment.name)
                    )));
                }
                kept => kept,
            };
        }
        Ok(chosen.map(|(environment, _)| environment).unwrap_or_default())
    }

    /// `path` as the policy's globs see it: from the policy's directory where it lies in it, with `/`.
    pub(crate) fn relative(&self, path: &str) -> String {
        if path == STDIN {
            return path.to_owned();
        }
        let full = absolute(Path::new(path));
        let Some(directory) = &self.directory else { return slashed(&full) };
        if let Ok(inside) = full.strip_prefix(directory) {
            return slashed(inside);
        }
        // Reached by a symbolic link: try where both really are.
        if let (Ok(real), Ok(root)) = (fs::canonicalize(&full), fs::canonicalize(directory))
            && let Ok(inside) = real.strip_prefix(root)
        {
            return slashed(inside);
        }
        slashed(&full)
    }
}

/// The absolute path without `.` and `..`, told from its text alone.
fn absolute(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for component in full.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            kept => plain.push(kept),
        }
    }
    plain
}

fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace('\\', "/") }
}
