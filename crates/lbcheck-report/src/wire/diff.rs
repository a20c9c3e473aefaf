//! `lbcheck.diff/v1`, what `diff` gives.

use serde::Serialize;

use super::{Finding, Input, Location, Subject, Tool, VerdictName};

/// What `lbcheck diff --format json` prints.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diff {
    /// `lbcheck.diff/v1`.
    #[cfg_attr(test, schemars(extend("const" = "lbcheck.diff/v1")))]
    pub schema: &'static str,
    /// The program that wrote it.
    pub tool: Tool,
    /// The old configuration.
    pub old: Input,
    /// The new configuration.
    pub new: Input,
    /// Totals.
    pub summary: DiffSummary,
    /// What changed in effect.
    pub changes: Vec<Change>,
    /// Pools whose shares changed.
    pub pools: Vec<PoolShift>,
    /// Requests that now go somewhere else.
    pub routes: Vec<RouteShift>,
    /// What else differs, as it is written.
    pub statements: Vec<Statement>,
    /// Findings of both sides and of the change itself: new ones first, then worsened, unchanged and fixed.
    pub findings: Vec<DiffFinding>,
    /// What became of the run.
    pub verdict: VerdictName,
}

/// Totals of a diff.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffSummary {
    /// Pools.
    pub pools: Tally,
    /// Endpoints of pools that are on both sides.
    pub endpoints: Tally,
    /// Changes that traffic can notice.
    pub behavioural: usize,
    /// Changes that it cannot notice.
    pub cosmetic: usize,
    /// Lines, comments left out, that only one side has, whatever they mean.
    pub lines_differ: usize,
}

/// How many were added, removed and changed.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tally {
    /// Only in the new configuration.
    pub added: usize,
    /// Only in the old configuration.
    pub removed: usize,
    /// In both, and different in effect.
    pub changed: usize,
}

/// One thing that differs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// What kind of thing: `pool-added`, `weight-changed`, …
    pub kind: &'static str,
    /// Whether traffic can notice.
    pub effect: EffectName,
    /// The pool and endpoint it is about.
    pub subject: Subject,
    /// The value before.
    pub old: Option<String>,
    /// The value after.
    pub new: Option<String>,
    /// Where the values stand.
    pub locations: Sides,
}

/// A statement that differs, and that nothing else here tells of.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Statement {
    /// `added`, `removed`, `changed` or `moved` (to another place of a sequence whose order counts).
    pub fate: &'static str,
    /// The scope in which it is written, after those around it.
    pub scope: String,
    /// In how many scopes the difference is one: more than 1 where others inherit it.
    pub scopes: usize,
    /// What it has an effect on: `routing`, `share`, `availability`, `capacity`, `time`, `content`, `security`,
    /// `observability`, `process`, `none` or `unknown`.
    pub class: &'static str,
    /// The statement before.
    pub old: Option<String>,
    /// The statement after.
    pub new: Option<String>,
    /// Where they stand.
    pub locations: Sides,
}

/// Whether traffic can notice a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum EffectName {
    /// It can.
    Behavioural,
    /// It cannot.
    Cosmetic,
}

/// A place on each side of a change.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sides {
    /// In the old files.
    pub old: Option<Location>,
    /// In the new files.
    pub new: Option<Location>,
}

/// The shares of a pool before and after.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PoolShift {
    /// The pool's name in the new configuration; in the old one if it is gone.
    pub pool: String,
    /// Its old name, if it was renamed.
    pub renamed_from: Option<String>,
    /// Each endpoint's share of the pool's traffic.
    pub shares: Vec<ShareShift>,
    /// Share of the pool's traffic that changes its endpoint, from 0 to 1; `null`: not known.
    pub share_moved: Option<f64>,
    /// How sure the shares are: `exact`, `expected`, `range` or `unknown`.
    pub certainty: &'static str,
    /// Share of hash keys that change their endpoint; `null`: not computed.
    pub keys_remapped: Option<f64>,
}

/// One endpoint's share before and after, from 0 to 1; `null` where it is not there or not known.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShareShift {
    /// The endpoint's name.
    pub endpoint: String,
    /// Before.
    pub old: Option<f64>,
    /// After.
    pub new: Option<f64>,
}

/// A request that now goes somewhere else.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RouteShift {
    /// A request that shows it, such as `GET https://host/path`, where one can be built.
    pub witness: Option<String>,
    /// The route in the dialect's words.
    pub route: String,
    /// Where it went.
    pub old: String,
    /// Where it goes.
    pub new: String,
    /// The routes.
    pub locations: Sides,
}

/// A finding and what the change did to it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffFinding {
    /// What the change did to it.
    pub status: StatusName,
    /// The finding; the places of a fixed one are in the old files.
    #[serde(flatten)]
    pub finding: Finding,
}

/// What a change did to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StatusName {
    /// Only there since the change, or about the change itself.
    New,
    /// There before, now of a higher severity.
    Worsened,
    /// There before and after.
    Unchanged,
    /// Gone with the change.
    Fixed,
}
