//! `lbcheck.toml` as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// `lbcheck.toml`. One file per repository; unknown keys are errors.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PolicyFile {
    /// Version of this format. The only one is 1.
    #[cfg_attr(feature = "schema", schemars(with = "Option<u32>", range(min = 1, max = 1)))]
    pub schema: Option<Spanned<u32>>,
    /// The environment of inputs that no environment's `paths` match. Default: `production`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub default_environment: Option<Spanned<String>>,
    /// What runs the configurations.
    #[serde(default)]
    pub proxy: ProxyTable,
    /// Environments by name. `production` is always there.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, EnvironmentTable>"))]
    pub environments: BTreeMap<Spanned<String>, EnvironmentTable>,
    /// Limits for every environment.
    #[serde(default)]
    pub limits: LimitsTable,
    /// Severities for every environment: rule id to `off`, `info`, `warning` or `error`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, LevelName>"))]
    pub severity: BTreeMap<Spanned<String>, LevelName>,
    /// What is known of pools by name. Of several that match a pool the first counts.
    #[serde(default)]
    pub pools: Vec<PoolTable>,
    /// Findings that are right where they are, with the reason.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<IgnoreTable>"))]
    pub ignore: Vec<Spanned<IgnoreTable>>,
}

/// `[[ignore]]`: silences the findings of one rule in some place.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct IgnoreTable {
    /// The rule's id.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub rule: Spanned<String>,
    /// Where: in a file, about a pool, or both.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "WhereTable"))]
    pub place: Spanned<WhereTable>,
    /// Why this is right here.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub reason: Spanned<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it is tracked.
    pub ticket: Option<String>,
    /// The last day it holds, as a TOML date: `2027-01-31`. In production errors are only silenced up to a day.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub expires: Option<Spanned<toml::value::Datetime>>,
}

/// `where` of an `[[ignore]]`; what is given must all fit.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct WhereTable {
    /// A glob of the file that the finding points at, relative to this file.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub file: Option<Spanned<String>>,
    /// A glob of the pool's name.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub pool: Option<Spanned<String>>,
}

/// `[[pools]]`: what the configuration cannot say of a pool.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PoolTable {
    /// A glob of the pools' names: `api`, `api-*`.
    #[serde(rename = "match")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub name: Spanned<String>,
    /// Most requests at once that the pool has to carry.
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>", range(min = 1)))]
    pub peak_concurrency: Option<Spanned<u64>>,
}

/// `[proxy]`: product versions, which decide keywords and defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct ProxyTable {
    /// HAProxy.
    #[serde(default)]
    pub haproxy: HaProxyTable,
    /// nginx.
    #[serde(default)]
    pub nginx: NginxTable,
    /// Envoy.
    #[serde(default)]
    pub envoy: ProductTable,
}

/// HAProxy, whose configuration may use environment variables.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct HaProxyTable {
    /// The version in use, such as `3.2`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub version: Option<Spanned<String>>,
    /// Directives that lbcheck does not know: names as the configuration writes them.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub known_directives: Vec<Spanned<String>>,
    /// Environment variables of the service; `--env-var` outweighs them.
    #[serde(default)]
    pub env_vars: BTreeMap<String, String>,
}

/// nginx, which comes in two editions.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct NginxTable {
    /// The version in use, such as `1.30` or `1.27.3`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub version: Option<Spanned<String>>,
    /// The edition in use. Without it lbcheck only warns of balancing that belongs to NGINX Plus.
    pub edition: Option<EditionName>,
    /// Directives of modules that lbcheck does not know: names as the configuration writes them.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub known_directives: Vec<Spanned<String>>,
}

/// An edition of nginx as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EditionName {
    /// Open source nginx.
    Oss,
    /// NGINX Plus.
    Plus,
}

/// A product with nothing of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct ProductTable {
    /// The version in use, such as `3.2` or `1.27.3`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub version: Option<Spanned<String>>,
    /// Directives of modules that lbcheck does not know: names as the configuration writes them.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub known_directives: Vec<Spanned<String>>,
}

/// `[environments.NAME]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct EnvironmentTable {
    /// Globs of the inputs that belong to it, relative to this file. The most specific match wins.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub paths: Vec<Spanned<String>>,
    /// Whether it serves real users. Default: true for `production`, `prod` and `prd`.
    pub production: Option<bool>,
    /// The environment whose settings hold where this one says nothing.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub inherit: Option<Spanned<String>>,
    /// The severity that fails a run. Default: `error`.
    pub fail_on: Option<FailOnName>,
    /// Allowed algorithms.
    #[serde(default)]
    pub algorithms: AlgorithmsTable,
    /// Limits that hold here instead of `[limits]`.
    #[serde(default)]
    pub limits: LimitsTable,
    /// Severities that hold here instead of `[severity]`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, LevelName>"))]
    pub severity: BTreeMap<Spanned<String>, LevelName>,
}

/// `[environments.NAME.algorithms]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct AlgorithmsTable {
    /// The algorithms a pool may use, by policy name; `*` allows all.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub allow: Option<Vec<Spanned<String>>>,
    /// Whether every pool must name its algorithm. Default: false.
    pub require_explicit: Option<bool>,
}

/// `[limits]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct LimitsTable {
    /// Largest share of one server in pools of three or more, from 0 to 1. Default: 0.5.
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>", range(min = 0, max = 1)))]
    pub max_share: Option<Spanned<f64>>,
    /// Smallest effective number of servers over the number of servers, from 0 to 1. Default: 0.34.
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>", range(min = 0, max = 1)))]
    pub min_effective_servers: Option<Spanned<f64>>,
    /// Largest weight over the median weight of its pool. Default: 10.
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>", range(min = 1)))]
    pub max_weight_ratio: Option<Spanned<f64>>,
    /// Limits on changes.
    #[serde(default)]
    pub diff: DiffLimitsTable,
}

/// `[limits.diff]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct DiffLimitsTable {
    /// Largest share of a pool's traffic that one change may move, from 0 to 1. Default: 0.25.
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>", range(min = 0, max = 1)))]
    pub max_share_moved: Option<Spanned<f64>>,
    /// Largest part of a pool's active servers that one change may take away, from 0 to 1. Default: 0.5.
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>", range(min = 0, max = 1)))]
    pub max_pool_shrink: Option<Spanned<f64>>,
    /// Largest factor by which one change may raise or lower one weight against its pool. Default: 5.
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>", range(min = 1)))]
    pub max_weight_step: Option<Spanned<f64>>,
}

/// A severity as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LevelName {
    /// The rule does not speak.
    Off,
    /// Info.
    Info,
    /// Warning.
    Warning,
    /// Error.
    Error,
}

/// A threshold as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailOnName {
    /// Errors fail.
    Error,
    /// Warnings and errors fail.
    Warning,
    /// Everything fails.
    Info,
    /// Nothing fails.
    Never,
}
