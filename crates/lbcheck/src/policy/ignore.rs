//! `[[ignore]]`: findings that a policy silences.

use globset::GlobMatcher;

use super::Environment;
use crate::date::Date;
use crate::diagnostic::{Diagnostic, RuleId};
use crate::model::Config;
use crate::source::{Sources, Span};

/// One `[[ignore]]`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct IgnoreRule {
    /// The rule it silences.
    pub rule: RuleId,
    /// Why, with the owner and the ticket where they are given.
    pub reason: String,
    /// The last day it holds.
    pub expires: Option<Date>,
    /// Where it is written.
    pub span: Span,
    pub(super) file: Option<GlobMatcher>,
    pub(super) pool: Option<GlobMatcher>,
}

impl PartialEq for IgnoreRule {
    fn eq(&self, other: &Self) -> bool {
        self.span == other.span && self.rule == other.rule && self.reason == other.reason
    }
}

impl IgnoreRule {
    /// Whether it speaks of a finding.
    pub(crate) fn covers(&self, sources: &Sources, environment: &Environment, found: &Diagnostic) -> bool {
        let path = sources.file(found.primary.span.file).path();
        let pool = found.subject.pool.as_deref();
        self.rule == found.rule
            && self.file.as_ref().is_none_or(|glob| glob.is_match(environment.seen_path(path)))
            && self.pool.as_ref().is_none_or(|glob| pool.is_some_and(|pool| glob.is_match(pool)))
    }

    /// Whether what it speaks of is in this configuration at all; of another one it may silence something.
    pub(crate) fn is_about(&self, sources: &Sources, environment: &Environment, config: &Config) -> bool {
        let file = |glob: &GlobMatcher| {
            let mut paths = config.files.iter().map(|file| sources.file(*file).path());
            paths.any(|path| glob.is_match(environment.seen_path(path)))
        };
        let pool =
            |glob: &GlobMatcher| config.pools.iter().any(|pool| glob.is_match(pool.name.value.as_str()));
        self.file.as_ref().is_none_or(file) && self.pool.as_ref().is_none_or(pool)
    }
}

impl Environment {
    /// A path as the policy's globs see it.
    fn seen_path<'p>(&'p self, path: &'p str) -> &'p str {
        self.paths.get(path).map_or(path, String::as_str)
    }
}
