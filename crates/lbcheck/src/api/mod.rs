//! The library in one call for each question: about files, which a [`FileLoader`] gives, or about one text.

mod find;
mod input;
mod options;
mod sourced;

pub use find::{Found, NotFound, find};
pub use input::{Input, Unanswered, near_pool};
pub use options::{Options, read_policy};
pub use sourced::Sourced;

use crate::diagnostic::{RuleId, UnknownRule};
use crate::dialect::Dialect;
use crate::load::{FileLoader, MemoryLoader};
use crate::read::Reading;
use crate::report::{CheckReport, DiffReport};
use crate::rules::{self, Rule};
use crate::traffic::{Question, Request, RouteReport, Survey};

/// Reads a configuration: the model and what is wrong with the text, without judging it. [`Input::read`] says what
/// `paths` are.
///
/// ```
/// use lbcheck::{Dialect, MemoryLoader, Options};
///
/// let loader = MemoryLoader::one("nginx.conf", "events {}\nhttp { upstream api { server 10.0.0.1; } }\n");
/// let reading = lbcheck::read(&loader, &["nginx.conf"], &Options::new(Dialect::Nginx));
/// assert_eq!(reading.config.pools[0].name.value, "api");
/// ```
#[must_use]
pub fn read(loader: &dyn FileLoader, paths: &[impl AsRef<str>], options: &Options) -> Sourced<Reading> {
    ask(loader, paths, options, |input, _| input.reading)
}

/// What is wrong with a configuration, and what is risky. [`Input::read`] says what `paths` are.
///
/// A file that cannot be read is a finding, and [`CheckReport::verdict`] is then
/// [`Unreadable`](crate::Verdict::Unreadable).
///
/// ```
/// use lbcheck::{Dialect, MemoryLoader, Options, Verdict};
///
/// let loader = MemoryLoader::one("conf.d/api.cfg", "backend api\n    server a 10.0.0.1:80\n");
/// let report = lbcheck::check(&loader, &["conf.d/api.cfg"], &Options::new(Dialect::HaProxy));
/// assert_eq!(report.verdict(), Verdict::Fail); // one server, and no timeouts
/// ```
///
/// With the feature `std-fs`, `DiskLoader` reads files and what they include from the disk.
#[must_use]
pub fn check(loader: &dyn FileLoader, paths: &[impl AsRef<str>], options: &Options) -> Sourced<CheckReport> {
    ask(loader, paths, options, |input, sources| input.check(sources))
}

/// What a change does to traffic, and whether that is bad. Both sides are read and judged under the same options.
///
/// ```
/// use lbcheck::{Dialect, MemoryLoader, Options};
///
/// let mut loader = MemoryLoader::one("old.cfg", "listen api\n    bind :80\n    server a 10.0.0.1:80\n");
/// loader.files.insert("new.cfg".to_owned(), b"listen api\n    bind :80\n    server b 10.0.0.2:80\n".to_vec());
/// let report = lbcheck::diff(&loader, &["old.cfg"], &["new.cfg"], &Options::new(Dialect::HaProxy));
/// assert!(report.summary.behavioural > 0);
/// ```
#[must_use]
pub fn diff(
    loader: &dyn FileLoader,
    old: &[impl AsRef<str>],
    new: &[impl AsRef<str>],
    options: &Options,
) -> Sourced<DiffReport> {
    let mut sources = options.sources.clone();
    let old = Input::read(loader, &mut sources, old, options.clone());
    let new = Input::read(loader, &mut sources, new, options.clone());
    Sourced::new(new.replacing(&sources, &old), sources)
}

/// Who gets how much, now and when something fails or load rises.
///
/// Shares are parts of the traffic of a pool, from 0 to 1, each with how certain it is and what it assumes.
///
/// ```
/// use lbcheck::{Dialect, MemoryLoader, Options, Question};
///
/// let text = "listen api\n bind :80\n balance roundrobin\n server a 10.0.0.1:80\n server b 10.0.0.2:80 weight 3\n";
/// let loader = MemoryLoader::one("haproxy.cfg", text);
/// let survey = lbcheck::traffic(&loader, &["haproxy.cfg"], &Options::new(Dialect::HaProxy), &Question::default())?;
/// assert_eq!(survey.pools[0].figures.shares.shares, [0.25, 0.75]);
/// # Ok::<(), lbcheck::Unanswered>(())
/// ```
///
/// # Errors
/// The configuration could not be read as a whole, or does not have what `question` names.
pub fn traffic(
    loader: &dyn FileLoader,
    paths: &[impl AsRef<str>],
    options: &Options,
    question: &Question,
) -> Result<Sourced<Survey>, Unanswered> {
    ask(loader, paths, options, |input, _| input.traffic(question)).transposed()
}

/// Where a request goes, and why: every rule that was looked at, and every end it can have.
///
/// ```
/// use lbcheck::{Dialect, MemoryLoader, Options, Request};
///
/// let text = "events {}\nhttp { server { listen 80; location / { proxy_pass http://10.0.0.1:8080; } } }\n";
/// let loader = MemoryLoader::one("nginx.conf", text);
/// let request = Request::parse("GET http://www.example/").expect("it is a request");
/// let report = lbcheck::route(&loader, &["nginx.conf"], &Options::new(Dialect::Nginx), &request)?;
/// assert!(report.listeners[0].complete);
/// # Ok::<(), lbcheck::Unanswered>(())
/// ```
///
/// # Errors
/// The configuration could not be read as a whole, or has no listener.
pub fn route(
    loader: &dyn FileLoader,
    paths: &[impl AsRef<str>],
    options: &Options,
    request: &Request,
) -> Result<Sourced<RouteReport>, Unanswered> {
    ask(loader, paths, options, |input, _| input.route(request, None)).transposed()
}

/// The page of a rule, in Markdown: what it checks, why, how to fix it and when to allow it.
///
/// ```
/// assert!(lbcheck::explain("pool-empty").is_ok_and(|page| page.starts_with("# pool-empty")));
/// assert!(lbcheck::explain("pool-full").is_err());
/// ```
///
/// # Errors
/// There is no such rule.
pub fn explain(id: &str) -> Result<&'static str, UnknownRule> {
    Ok(rules::rule(id.parse::<RuleId>()?).docs)
}

/// Every rule, in alphabetical order of ids.
///
/// ```
/// assert!(lbcheck::rules().iter().any(|rule| rule.id == "pool-empty"));
/// ```
#[must_use]
pub fn rules() -> &'static [&'static Rule] {
    rules::ALL
}

/// [`check`] of one text, in production and for the assumed version of the product.
///
/// ```
/// use lbcheck::{Dialect, Verdict};
///
/// let report = lbcheck::check_text(Dialect::HaProxy, "backend api\n    server a 10.0.0.1:80\n");
/// for finding in &report.findings {
///     let diagnostic = &finding.diagnostic;
///     println!("{}: {} [{}]", report.place(diagnostic.primary.span), diagnostic.message, diagnostic.rule);
/// }
/// assert_eq!(report.verdict(), Verdict::Fail);
/// ```
#[must_use]
pub fn check_text(dialect: Dialect, text: impl Into<Vec<u8>>) -> Sourced<CheckReport> {
    let path = dialect.description().files.usual;
    check(&MemoryLoader::one(path, text), &[path], &Options::new(dialect))
}

/// [`diff`] of two texts, in production and for the assumed version of the product.
///
/// ```
/// use lbcheck::Dialect;
///
/// let old = "listen api\n bind :80\n balance roundrobin\n server a 10.0.0.1:80\n server b 10.0.0.2:80\n";
/// let new = old.replace("10.0.0.1:80", "10.0.0.1:80 weight 100");
/// let report = lbcheck::diff_texts(Dialect::HaProxy, old, new);
/// assert!(report.pools[0].share_moved.is_some_and(|moved| moved > 0.4));
/// assert!(report.introduced().any(|finding| finding.diagnostic.rule == "diff-share-moved"));
/// ```
#[must_use]
pub fn diff_texts(dialect: Dialect, old: impl Into<Vec<u8>>, new: impl Into<Vec<u8>>) -> Sourced<DiffReport> {
    let side = |folder| format!("{folder}/{}", dialect.description().files.usual);
    let (old_path, new_path) = (side("old"), side("new"));
    let mut loader = MemoryLoader::one(old_path.as_str(), old);
    loader.files.insert(new_path.clone(), new.into());
    diff(&loader, &[old_path], &[new_path], &Options::new(dialect))
}

/// [`traffic`] of one text, for the assumed version of the product.
///
/// ```
/// use lbcheck::{Dialect, Failing, Question};
///
/// let text = "listen api\n    bind :80\n    server a 10.0.0.1:80\n    server b 10.0.0.2:80\n";
/// let mut question = Question::default();
/// question.fail = Failing::WorstOne;
/// let survey = lbcheck::traffic_text(Dialect::HaProxy, text, &question)?;
/// assert_eq!(survey.pools[0].failed.len(), 1);
/// # Ok::<(), lbcheck::Unanswered>(())
/// ```
///
/// # Errors
/// The text could not be read as a whole, or does not have what `question` names.
pub fn traffic_text(
    dialect: Dialect,
    text: impl Into<Vec<u8>>,
    question: &Question,
) -> Result<Sourced<Survey>, Unanswered> {
    let path = dialect.description().files.usual;
    traffic(&MemoryLoader::one(path, text), &[path], &Options::new(dialect), question)
}

/// [`route`] of one text, for the assumed version of the product. The request is written as `GET https://host/path`.
///
/// ```
/// use lbcheck::{Dialect, EndKind};
///
/// let text = "listen web\n    bind :80\n    server a 10.0.0.1:80\n";
/// let report = lbcheck::route_text(Dialect::HaProxy, text, "GET http://www.example/")?;
/// assert_eq!(report.listeners[0].ends[0].kind, EndKind::Pool);
/// # Ok::<(), lbcheck::Unanswered>(())
/// ```
///
/// # Errors
/// The text could not be read as a whole or has no listener, or the request is none.
pub fn route_text(
    dialect: Dialect,
    text: impl Into<Vec<u8>>,
    request: &str,
) -> Result<Sourced<RouteReport>, Unanswered> {
    let request = Request::parse(request).map_err(Unanswered::Question)?;
    let path = dialect.description().files.usual;
    route(&MemoryLoader::one(path, text), &[path], &Options::new(dialect), &request)
}

fn ask<T>(
    loader: &dyn FileLoader,
    paths: &[impl AsRef<str>],
    options: &Options,
    question: impl FnOnce(Input, &crate::source::Sources) -> T,
) -> Sourced<T> {
    let mut sources = options.sources.clone();
    let input = Input::read(loader, &mut sources, paths, options.clone());
    Sourced::new(question(input, &sources), sources)
}
