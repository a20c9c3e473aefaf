//! A configuration that was read, and what can be asked of it.

use std::collections::BTreeSet;

use super::Options;
use crate::analysis::{self, Subject};
use crate::diagnostic::suggest;
use crate::load::FileLoader;
use crate::model::{Config, Host};
use crate::read::{Reading, read};
use crate::report::{CheckReport, DiffReport, InputSummary};
use crate::source::Sources;
use crate::traffic::{self, Question, Request, RouteReport, Survey, Unanswerable};

/// A configuration that was read, with what it is judged by. For several questions about one, or several
/// configurations in one run; for one question [`check`](crate::check) and its like are shorter.
///
/// ```
/// use lbcheck::{Dialect, Input, MemoryLoader, Options, Question, Sources};
///
/// let text = "listen api\n    bind :80\n    server a 10.0.0.1:80\n    server b 10.0.0.2:80 weight 3\n";
/// let loader = MemoryLoader::one("haproxy.cfg", text);
/// let mut sources = Sources::new();
/// let input = Input::read(&loader, &mut sources, &["haproxy.cfg"], Options::new(Dialect::HaProxy));
/// assert_eq!(input.reading.config.pools.len(), 1);
/// assert!(input.check(&sources).counts().error > 0); // no timeouts, no checks
/// assert!(input.traffic(&Question::default()).is_ok());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Input {
    /// What reports call it: the paths as the user gave them.
    pub paths: Vec<String>,
    /// The files that the service starts from.
    pub files: Vec<String>,
    /// How it was read, and what it is judged by.
    pub options: Options,
    /// The model, and what is wrong with the text.
    pub reading: Reading,
}

/// A question that a configuration gives no answer to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// The configuration at these paths could not be read as a whole, and half of one says nothing about traffic. A
    /// check names what is wrong.
    #[error("`{}` could not be read as a whole", .0.join("`, `"))]
    Broken(Vec<String>),
    /// The question is no question, or names something that the configuration does not have: a sentence that says so.
    #[error("{0}")]
    Question(String),
}

impl Input {
    /// Reads the configuration that starts from `files`, as the service would read them.
    ///
    /// HAProxy takes several files and folders in their order as one configuration, nginx one main file, Envoy one or
    /// several. Every file read is added to `sources`. Reading never fails: what is wrong is in the result.
    pub fn read(
        loader: &dyn FileLoader,
        sources: &mut Sources,
        files: &[impl AsRef<str>],
        options: Options,
    ) -> Self {
        let files: Vec<String> = files.iter().map(|path| path.as_ref().to_owned()).collect();
        let reading = read(loader, sources, &files, &options.read);
        Self { paths: files.clone(), files, options, reading }
    }

    /// What is wrong with it, and what is risky.
    #[must_use]
    pub fn check(&self, sources: &Sources) -> CheckReport {
        analysis::check(sources, &self.subject())
    }

    /// What changes when it takes the place of `old`, which is of the same dialect. It is judged by its own rules.
    #[must_use]
    pub fn replacing(&self, sources: &Sources, old: &Self) -> DiffReport {
        analysis::diff(sources, &old.subject(), &self.subject())
    }

    /// What was read, without judging it.
    #[must_use]
    pub fn summary(&self, sources: &Sources) -> InputSummary {
        analysis::summary(sources, &self.subject())
    }

    /// Who gets how much.
    ///
    /// # Errors
    /// It could not be read, or does not have what `question` names.
    pub fn traffic(&self, question: &Question) -> Result<Survey, Unanswered> {
        self.whole()?;
        traffic::survey(&self.reading.config, question)
            .map_err(|missing| Unanswered::Question(self.lacks(&missing)))
    }

    /// Where a request goes, and why. `listener` is a name or an address; without one, port, scheme and address of the
    /// request tell.
    ///
    /// # Errors
    /// It could not be read, or has no such listener.
    pub fn route(&self, request: &Request, listener: Option<&str>) -> Result<RouteReport, Unanswered> {
        self.whole()?;
        traffic::explain(&self.reading.config, request, listener).map_err(Unanswered::Question)
    }

    /// As the analysis takes it.
    fn subject(&self) -> Subject<'_> {
        Subject {
            paths: &self.paths,
            reading: &self.reading,
            version_assumed: self.options.version_assumed,
            environment: &self.options.environment,
        }
    }

    /// Nothing, or the error that it was not read as a whole.
    ///
    /// # Errors
    /// It was not.
    pub fn whole(&self) -> Result<(), Unanswered> {
        if self.reading.broken { Err(Unanswered::Broken(self.paths.clone())) } else { Ok(()) }
    }

    fn lacks(&self, missing: &Unanswerable) -> String {
        let config = &self.reading.config;
        let (noun, member) = (config.dialect.pool_noun(), config.dialect.endpoint_noun());
        let given = self.paths.join(", ");
        let endpoints = || config.pools.iter().flat_map(|pool| &pool.endpoints);
        match missing {
            Unanswerable::Pool(name) => {
                format!("there is no {noun} `{name}` in {given}{}", near_pool(config, name))
            }
            Unanswerable::Endpoint(name) => {
                let near = near(name, endpoints().map(|endpoint| endpoint.name.value.as_str()));
                format!("there is no {member} `{name}` among those asked for in {given}{near}")
            }
            Unanswerable::HostName(name) => {
                let known = endpoints().filter_map(|endpoint| match &endpoint.address.host {
                    Host::Name(host) => Some(host.as_str()),
                    _ => None,
                });
                format!("no {member} in {given} has the host name `{name}`{}", near(name, known))
            }
        }
    }
}

/// The end of a sentence that says there is no pool of that name: the one that was probably meant, otherwise those
/// there are.
#[must_use]
pub fn near_pool(config: &Config, name: &str) -> String {
    near(name, config.pools.iter().map(|pool| pool.name.value.as_str()))
}

/// Most names that a message lists.
const MOST_NAMES: usize = 8;

fn near<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: BTreeSet<&str> = known.collect();
    if let Some(near) = suggest(name, known.iter().copied()) {
        return format!("; did you mean `{near}`?");
    }
    let mut names: Vec<String> = known.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    if known.len() > MOST_NAMES {
        names.push(format!("{} more", known.len() - MOST_NAMES));
    }
    if names.is_empty() { "; it has none".to_owned() } else { format!("; there is {}", names.join(", ")) }
}
