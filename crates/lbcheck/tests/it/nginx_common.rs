//! What the nginx tests share: reading from memory, and following a request through the tables.

#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::panic, reason = "a test that finds nothing fails")]

use lbcheck::diagnostic::Severity;
use lbcheck::dialect::Dialect;
use lbcheck::load::MemoryLoader;
use lbcheck::model::{Action, Condition, Config, Match, Pool, TableId, Target, TextMatch};
use lbcheck::read::{ReadOptions, Reading, read};
use lbcheck::source::Sources;

/// Everything a test may look at.
pub(crate) struct Case {
    pub(crate) reading: Reading,
    pub(crate) sources: Sources,
}

impl Case {
    pub(crate) fn config(&self) -> &Config {
        &self.reading.config
    }

    pub(crate) fn pool(&self, name: &str) -> &Pool {
        let found = self.config().pools.iter().find(|pool| pool.name.value == name);
        found.unwrap_or_else(|| panic!("no pool {name} among {:?}", self.pool_names()))
    }

    pub(crate) fn pool_names(&self) -> Vec<&str> {
        self.config().pools.iter().map(|pool| pool.name.value.as_str()).collect()
    }

    /// `line:column rule: message` of every error.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.reports(Severity::Error)
    }

    pub(crate) fn reports(&self, severity: Severity) -> Vec<String> {
        let wanted = self.reading.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity);
        wanted
            .map(|diagnostic| {
                let at = self.sources.position(diagnostic.primary.span);
                format!("{at} {}: {}", diagnostic.rule.as_str(), diagnostic.message)
            })
            .collect()
    }

    /// Where a GET for `host` and `path` goes on the listener of that name: a pool, a status, or words.
    pub(crate) fn route(&self, listener: &str, host: &str, path: &str) -> String {
        self.send(listener, &Request { method: "GET", host, path, headers: &[] })
    }

    pub(crate) fn send(&self, listener: &str, request: &Request<'_>) -> String {
        let found = self.config().listeners.iter().find(|entry| entry.name.value == listener);
        let found = found.unwrap_or_else(|| panic!("no listener {listener}"));
        follow(self.config(), found.table, request).unwrap_or_else(|| "nothing".to_owned())
    }
}

pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

/// First match wins; a table without a match lets the next route try. What cannot be known counts as no.
fn follow(config: &Config, table: TableId, request: &Request<'_>) -> Option<String> {
    for route in &config.table(table).routes {
        if !holds(&route.when, request) {
            continue;
        }
        let target = |target: &Target| match target {
            Target::Pool { pool, .. } => config.pool(*pool).name.value.clone(),
            Target::Undefined(name) => format!("undefined {}", name.value),
            Target::Dynamic { text, candidates, .. } => {
                format!("dynamic {} of {}", text.value, candidates.len())
            }
        };
        return Some(match &route.action {
            Action::Table(table) => match follow(config, *table, request) {
                Some(found) => found,
                None => continue,
            },
            Action::Forward(to) => target(to),
            Action::Split(arms) => {
                let arms: Vec<String> =
                    arms.iter().map(|arm| format!("{}={}", target(&arm.target), arm.weight)).collect();
                arms.join(" ")
            }
            Action::Respond(response) => match response.status {
                Some(status) => status.to_string(),
                None => "closed".to_owned(),
            },
            Action::Local(text) => format!("local {text}"),
            Action::Opaque(text) => format!("opaque {text}"),
            other => format!("{other:?}"),
        });
    }
    None
}

fn holds(condition: &Condition, request: &Request<'_>) -> bool {
    match condition {
        Condition::Always => true,
        Condition::All(all) => all.iter().all(|condition| holds(condition, request)),
        Condition::Any(any) => any.iter().any(|condition| holds(condition, request)),
        Condition::Not(inner) => !holds(inner, request),
        Condition::Is(Match::Host(text) | Match::Sni(text)) => {
            !request.host.is_empty() && text_holds(text, request.host)
        }
        Condition::Is(Match::Path(text)) => text_holds(text, request.path),
        Condition::Is(Match::Method(text)) => text_holds(text, request.method),
        Condition::Is(Match::Header(name, text)) => {
            request.headers.iter().any(|(header, value)| header == name && text_holds(text, value))
        }
        _ => false,
    }
}

/// Expressions are tried only as far as these tests use them: literal text with `^` and `$`.
fn text_holds(text: &TextMatch, value: &str) -> bool {
    match text {
        TextMatch::Exact(text) => value == text,
        TextMatch::Prefix(text) => value.starts_with(text),
        TextMatch::Suffix(text) => value.ends_with(text),
        TextMatch::Contains(text) => value.contains(text),
        TextMatch::Present => true,
        TextMatch::Regex(regex) => {
            let literal = regex.trim_start_matches('^').trim_end_matches('$').replace('\\', "");
            match (regex.starts_with('^'), regex.ends_with('$')) {
                (true, true) => value == literal,
                (true, false) => value.starts_with(&literal),
                (false, true) => value.ends_with(&literal),
                (false, false) => value.contains(&literal),
            }
        }
        TextMatch::IgnoreCase(inner) => {
            let lower = match inner.as_ref() {
                TextMatch::Exact(text) => TextMatch::Exact(text.to_lowercase()),
                TextMatch::Prefix(text) => TextMatch::Prefix(text.to_lowercase()),
                TextMatch::Suffix(text) => TextMatch::Suffix(text.to_lowercase()),
                TextMatch::Regex(text) => TextMatch::Regex(text.to_lowercase()),
                other => other.clone(),
            };
            text_holds(&lower, &value.to_lowercase())
        }
        _ => false,
    }
}

/// Reads one file as a whole configuration.
pub(crate) fn main(text: &str) -> Case {
    with(&[("/etc/nginx/nginx.conf", text)], |_| {})
}

/// Reads what stands inside `http`, with an `events` block around it.
pub(crate) fn http(text: &str) -> Case {
    main(&format!("events {{}} http {{\n{text}\n}}"))
}

/// Reads what stands inside `stream`.
pub(crate) fn stream(text: &str) -> Case {
    main(&format!("events {{}} stream {{\n{text}\n}}"))
}

/// Reads a snippet; `context` is empty where the reader shall find out.
pub(crate) fn snippet(context: &str, text: &str) -> Case {
    with(&[("/etc/nginx/snippet.conf", text)], |options| {
        options.context = context.split_whitespace().map(str::to_owned).collect();
    })
}

/// Reads the first of several files.
pub(crate) fn files(files: &[(&str, &str)]) -> Case {
    with(files, |_| {})
}

pub(crate) fn with(files: &[(&str, &str)], change: impl FnOnce(&mut ReadOptions)) -> Case {
    let mut options = ReadOptions::new(Dialect::Nginx);
    change(&mut options);
    let files: Vec<(String, Vec<u8>)> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let main = files[0].0.clone();
    let loader = MemoryLoader { files: files.into_iter().collect() };
    let mut sources = Sources::new();
    let reading = read(&loader, &mut sources, &[main], &options);
    Case { reading, sources }
}
