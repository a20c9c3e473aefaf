//! Policy: what a team allows where, and what its proxies are.
//!
//! Precedence, strongest first: command line, `[environments.NAME]` and what it inherits, the
//! top-level tables, built-in values. Without any policy the environment is production.

mod file;
mod ignore;
mod parse;

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobMatcher;

pub use file::{
    AlgorithmsTable, DiffLimitsTable, EditionName, EnvironmentTable, FailOnName, HaProxyTable, IgnoreTable,
    LevelName, LimitsTable, NginxTable, PolicyFile, PoolTable, ProductTable, ProxyTable, WhereTable,
};
pub use ignore::IgnoreRule;

use crate::date::Date;
use crate::diagnostic::{RuleId, Severity, suggest};
use crate::dialect::{Dialect, Edition, Version};

/// The environment that holds when nothing says otherwise.
pub const PRODUCTION: &str = "production";

/// Names of environments that may be used without a policy that defines them.
pub const USUAL_ENVIRONMENTS: &[&str] = &[
    "dev",
    "development",
    "local",
    "pre-production",
    "preprod",
    "preview",
    "prd",
    "prod",
    "production",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "stg",
    "test",
    "testing",
    "uat",
];

/// Policy names of the algorithms that production allows when no policy lists any.
///
/// What is left out does not spread requests, or not evenly enough for small pools: `random_one`, `first`,
/// `constant_hash`, and algorithms of third parties.
pub const PRODUCTION_ALGORITHMS: &[&str] = &[
    "round_robin",
    "static_rr",
    "least_conn",
    "least_time",
    "random_two",
    "consistent_hash",
    "modulo_hash",
    "source_hash",
    "ring_hash",
    "maglev",
    "subset",
    "cluster_provided",
    "original_dst",
    "sticky_log",
];

/// A policy: `lbcheck.toml` checked and ready to ask.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    versions: BTreeMap<Dialect, Version>,
    edition: Edition,
    known_directives: BTreeMap<Dialect, BTreeSet<String>>,
    default_environment: Option<String>,
    environments: BTreeMap<String, EnvironmentRules>,
    limits: Limits,
    severity: BTreeMap<RuleId, Level>,
    pools: Vec<PoolRules>,
    ignores: Vec<IgnoreRule>,
    variables: BTreeMap<String, String>,
}

/// One `[[pools]]`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PoolRules {
    /// The glob as written.
    pub pattern: String,
    matcher: GlobMatcher,
    /// Most requests at once that such a pool has to carry.
    pub peak_concurrency: Option<u64>,
}

impl PartialEq for PoolRules {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.peak_concurrency == other.peak_concurrency
    }
}

/// What a severity can be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The rule does not speak.
    Off,
    /// It speaks with this severity.
    On(Severity),
}

/// One `[environments.NAME]`.
#[derive(Clone, Debug, Default)]
struct EnvironmentRules {
    paths: Vec<(GlobMatcher, usize)>,
    production: Option<bool>,
    inherit: Option<String>,
    fail_on: Option<Option<Severity>>,
    allow: Option<Vec<String>>,
    require_explicit: Option<bool>,
    limits: Limits,
    severity: BTreeMap<RuleId, Level>,
}

/// Limits; `None` where nobody set one and the rule's own threshold holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Limits {
    /// Largest share of one endpoint in pools of three or more.
    pub max_share: Option<f64>,
    /// Smallest effective number of endpoints over their number.
    pub min_effective_servers: Option<f64>,
    /// Largest weight over the median weight.
    pub max_weight_ratio: Option<f64>,
    /// Largest share of a pool's traffic that one change may move.
    pub max_share_moved: Option<f64>,
    /// Largest part of a pool's active endpoints that one change may take away.
    pub max_pool_shrink: Option<f64>,
    /// Largest factor by which one change may alter one weight against its pool.
    pub max_weight_step: Option<f64>,
}

impl Limits {
    /// `self` where set, otherwise `below`.
    fn over(self, below: Self) -> Self {
        Self {
            max_share: self.max_share.or(below.max_share),
            min_effective_servers: self.min_effective_servers.or(below.min_effective_servers),
            max_weight_ratio: self.max_weight_ratio.or(below.max_weight_ratio),
            max_share_moved: self.max_share_moved.or(below.max_share_moved),
            max_pool_shrink: self.max_pool_shrink.or(below.max_pool_shrink),
            max_weight_step: self.max_weight_step.or(below.max_weight_step),
        }
    }
}

/// Who named the environment of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum EnvironmentSource {
    /// `--env`.
    CommandLine,
    /// A glob in `[environments.NAME] paths`.
    Path,
    /// `default-environment`.
    PolicyDefault,
    /// Nobody: production is assumed.
    Assumed,
}

impl EnvironmentSource {
    /// `command-line`, `path`, `default-environment` or `assumed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommandLine => "command-line",
            Self::Path => "path",
            Self::PolicyDefault => "default-environment",
            Self::Assumed => "assumed",
        }
    }
}

/// The rules that hold for one input.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Who named it.
    pub source: EnvironmentSource,
    /// Whether it serves real users.
    pub production: bool,
    /// Policy names of allowed algorithms; `*` allows all.
    pub allowed_algorithms: Vec<String>,
    /// Whether a policy, not lbcheck, wrote that list.
    pub algorithms_from_policy: bool,
    /// Whether every pool must name its algorithm.
    pub require_explicit_algorithm: bool,
    /// Limits.
    pub limits: Limits,
    /// Severities by rule id.
    pub severity: BTreeMap<RuleId, Level>,
    /// What the policy knows of pools by name.
    pub pools: Vec<PoolRules>,
    /// Findings that the policy silences.
    pub ignores: Vec<IgnoreRule>,
    /// Paths of files as the policy's globs see them, where those are not the paths themselves.
    pub paths: BTreeMap<String, String>,
    /// The severity from which findings fail a run; `None`: never. `Some(Error)` unless set.
    pub fail_on: Option<Severity>,
    /// The day suppressions are held against; `None`: nothing expires. The library has no clock.
    pub today: Option<Date>,
}

impl Environment {
    /// Most requests at once that the pool of this name has to carry, if the policy says so.
    #[must_use]
    pub fn peak_concurrency(&self, pool: &str) -> Option<u64> {
        self.pools
            .iter()
            .filter(|rules| rules.matcher.is_match(pool))
            .find_map(|rules| rules.peak_concurrency)
    }
}

impl Default for Environment {
    fn default() -> Self {
        Policy::default().effective(PRODUCTION, EnvironmentSource::Assumed)
    }
}

/// No environment can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum EnvironmentError {
    /// The policy has no such environment.
    #[error("no policy defines the environment `{name}`{}", .suggestion.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    Unknown {
        /// The name asked for.
        name: String,
        /// A close one.
        suggestion: Option<String>,
    },
    /// Two environments claim a path with globs of equal weight.
    #[error(
        "`{path}` belongs to the environments `{first}` and `{second}` alike; make one of their globs more specific or pass --env"
    )]
    Ambiguous {
        /// The path.
        path: String,
        /// One.
        first: String,
        /// The other.
        second: String,
    },
}

impl Policy {
    /// The pinned version of a product.
    #[must_use]
    pub fn version(&self, dialect: Dialect) -> Option<Version> {
        self.versions.get(&dialect).copied()
    }

    /// The edition of nginx it names.
    #[must_use]
    pub fn edition(&self) -> Edition {
        self.edition
    }

    /// The directives it declares for a product.
    #[must_use]
    pub fn known_directives(&self, dialect: Dialect) -> BTreeSet<String> {
        self.known_directives.get(&dialect).cloned().unwrap_or_default()
    }

    /// Environment variables of HAProxy that it gives.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The environment of the input at `path`, which is relative to the policy file and uses `/`.
    ///
    /// # Errors
    /// `named` is no environment of this policy, or two environments claim `path` alike.
    pub fn environment(&self, named: Option<&str>, path: &str) -> Result<Environment, EnvironmentError> {
        if let Some(name) = named {
            self.known(name)?;
            return Ok(self.effective(name, EnvironmentSource::CommandLine));
        }
        let mut best: Option<(usize, &str)> = None;
        let mut rival = None;
        for (name, rules) in &self.environments {
            let Some(weight) =
                rules.paths.iter().filter(|(glob, _)| glob.is_match(path)).map(|(_, weight)| *weight).max()
            else {
                continue;
            };
            match best {
                Some((most, _)) if weight < most => {}
                Some((most, first)) if weight == most => rival = Some((first, name)),
                _ => {
                    best = Some((weight, name));
                    rival = None;
                }
            }
        }
        if let Some((first, second)) = rival {
            return Err(EnvironmentError::Ambiguous {
                path: path.to_owned(),
                first: first.to_owned(),
                second: second.clone(),
            });
        }
        Ok(match (best, &self.default_environment) {
            (Some((_, name)), _) => self.effective(name, EnvironmentSource::Path),
            (None, Some(name)) => self.effective(name, EnvironmentSource::PolicyDefault),
            (None, None) => self.effective(PRODUCTION, EnvironmentSource::Assumed),
        })
    }

    fn known(&self, name: &str) -> Result<(), EnvironmentError> {
        if name == PRODUCTION || self.environments.contains_key(name) {
            return Ok(());
        }
        // Without environments of one's own a usual name says whether this is production; any other is more
        // likely a typing mistake, and would be judged as something it is not.
        if self.environments.is_empty() && USUAL_ENVIRONMENTS.contains(&name) {
            return Ok(());
        }
        let usual = USUAL_ENVIRONMENTS.iter().copied().filter(|_| self.environments.is_empty());
        let names = self.environments.keys().map(String::as_str).chain([PRODUCTION]).chain(usual);
        Err(EnvironmentError::Unknown {
            name: name.to_owned(),
            suggestion: suggest(name, names).map(str::to_owned),
        })
    }

    /// The chain of an environment and those it inherits from, nearest first. Loops were refused on reading.
    fn chain(&self, name: &str) -> Vec<&EnvironmentRules> {
        let mut chain = Vec::new();
        let mut next = self.environments.get(name);
        while let Some(rules) = next {
            chain.push(rules);
            if chain.len() > self.environments.len() {
                break;
            }
            next = rules.inherit.as_ref().and_then(|parent| self.environments.get(parent));
        }
        chain
    }

    fn effective(&self, name: &str, source: EnvironmentSource) -> Environment {
        let chain = self.chain(name);
        let own = chain.first();
        // Whether an environment is production is said of itself, never inherited: staging may well
        // inherit production's rules.
        let production =
            own.and_then(|rules| rules.production).unwrap_or(matches!(name, PRODUCTION | "prod" | "prd"));
        let allow = chain.iter().find_map(|rules| rules.allow.clone());
        let mut severity = self.severity.clone();
        let mut limits = self.limits;
        for rules in chain.iter().rev() {
            severity.extend(rules.severity.iter().map(|(rule, level)| (*rule, *level)));
            limits = rules.limits.over(limits);
        }
        Environment {
            name: name.to_owned(),
            source,
            production,
            algorithms_from_policy: allow.is_some(),
            allowed_algorithms: allow.unwrap_or_else(|| {
                let builtin = if production { PRODUCTION_ALGORITHMS } else { &["*"] };
                builtin.iter().map(|&name| name.to_owned()).collect()
            }),
            require_explicit_algorithm: chain
                .iter()
                .find_map(|rules| rules.require_explicit)
                .unwrap_or(false),
            limits,
            severity,
            pools: self.pools.clone(),
            ignores: self.ignores.clone(),
            paths: BTreeMap::new(),
            fail_on: chain.iter().find_map(|rules| rules.fail_on).unwrap_or(Some(Severity::Error)),
            today: None,
        }
    }
}

#[cfg(test)]
mod tests;
