//! What a check and a diff give back, as plain data. Rendering is another crate's work.

pub use crate::change_kind::ChangeKind;
use crate::diagnostic::{Diagnostic, Severity, Subject};
use crate::dialect::{Dialect, Version};
use crate::effect::EffectClass;
use crate::policy::EnvironmentSource;
use crate::source::Span;
use crate::traffic::Certainty;

/// One configuration that was read.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct InputSummary {
    /// The paths as the user gave them.
    pub paths: Vec<String>,
    /// Every file that was read for it, includes too, in order.
    pub files: Vec<String>,
    /// Its language.
    pub dialect: Dialect,
    /// The product version it was read for.
    pub version: Version,
    /// Nobody named the version: it is the assumed one.
    pub version_assumed: bool,
    /// The environment whose rules hold.
    pub environment: String,
    /// Who named the environment.
    pub environment_source: EnvironmentSource,
    /// Directives seen.
    pub directives: u32,
    /// Directives understood.
    pub understood: u32,
    /// Listeners read.
    pub listeners: usize,
    /// Pools read.
    pub pools: usize,
    /// Endpoints read, `server-template` slots counted one by one.
    pub endpoints: u64,
    /// Only a part of a configuration was given: a snippet or a resource file.
    pub fragment: bool,
    /// It could not be read well enough to conclude anything.
    pub broken: bool,
}

/// A diagnostic with what only the whole run knows of it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Finding {
    /// What is wrong, and where.
    pub diagnostic: Diagnostic,
    /// Stable across runs and edits elsewhere: made of the rule, the subject and the fact, not of line numbers.
    pub fingerprint: String,
    /// The reason written in the suppression that silences it. A suppressed finding does not count.
    pub suppressed: Option<String>,
}

/// How many findings of each severity count, and how many are suppressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Counts {
    /// Errors.
    pub error: usize,
    /// Warnings.
    pub warning: usize,
    /// Infos.
    pub info: usize,
    /// Suppressed, of any severity.
    pub suppressed: usize,
}

impl Counts {
    /// Counts `findings`.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            match (&finding.suppressed, finding.diagnostic.severity) {
                (Some(_), _) => counts.suppressed += 1,
                (None, Severity::Error) => counts.error += 1,
                (None, Severity::Warning) => counts.warning += 1,
                (None, Severity::Info) => counts.info += 1,
            }
        }
        counts
    }

    /// Whether any counted finding is at or above `threshold`.
    #[must_use]
    pub fn reaches(self, threshold: Severity) -> bool {
        self.error > 0
            || (threshold <= Severity::Warning && self.warning > 0)
            || (threshold == Severity::Info && self.info > 0)
    }
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing at or above the threshold.
    Pass,
    /// Findings at or above the threshold.
    Fail,
    /// The input could not be read well enough to conclude anything.
    Unreadable,
}

impl Verdict {
    /// `pass`, `fail` or `unreadable`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The result of `check`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct CheckReport {
    /// What was read.
    pub inputs: Vec<InputSummary>,
    /// Findings by file, place, severity (worst first), rule and message; suppressed ones included.
    pub findings: Vec<Finding>,
    /// Some input could not be read well enough to conclude anything.
    pub broken: bool,
    /// The severity from which findings fail the run; `None`: never.
    pub fail_on: Option<Severity>,
}

impl CheckReport {
    /// Counted findings.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.findings)
    }

    /// Pass, fail or unreadable.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        verdict(self.broken, self.fail_on, self.counts())
    }
}

fn verdict(broken: bool, fail_on: Option<Severity>, counts: Counts) -> Verdict {
    if broken {
        return Verdict::Unreadable;
    }
    match fail_on {
        Some(threshold) if counts.reaches(threshold) => Verdict::Fail,
        _ => Verdict::Pass,
    }
}

/// The result of `diff`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct DiffReport {
    /// The old configuration.
    pub old: InputSummary,
    /// The new configuration.
    pub new: InputSummary,
    /// Totals.
    pub summary: DiffSummary,
    /// What changed in effect, in the order of the new configuration; removed things last.
    pub changes: Vec<Change>,
    /// Pools whose shares changed.
    pub pools: Vec<PoolShift>,
    /// Routes that lead somewhere else.
    pub routes: Vec<RouteShift>,
    /// What else differs, statement by statement.
    pub statements: Vec<StatementChange>,
    /// Findings of both sides and of the change itself.
    pub findings: Vec<DiffFinding>,
    /// One side could not be read well enough to compare.
    pub broken: bool,
    /// The severity from which new or worsened findings fail the run; `None`: never.
    pub fail_on: Option<Severity>,
    /// `--expect-equivalent`: any behavioural change fails the run.
    pub expect_equivalent: bool,
}

impl DiffReport {
    /// Whether nothing differs but what is shown to have no effect.
    #[must_use]
    pub fn is_equivalent(&self) -> bool {
        self.summary.behavioural == 0 && self.statements.iter().all(|one| one.class == EffectClass::None)
    }

    /// Findings that the change brought or made worse.
    pub fn introduced(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| matches!(finding.status, Status::New | Status::Worsened))
            .map(|finding| &finding.finding)
    }

    /// Pass, fail or unreadable.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !self.broken && self.expect_equivalent && !self.is_equivalent() {
            return Verdict::Fail;
        }
        verdict(self.broken, self.fail_on, Counts::of(self.introduced()))
    }
}

/// A finding and what the change did to it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct DiffFinding {
    /// The finding; for [`Status::Fixed`] its places are in the old files.
    pub finding: Finding,
    /// What the change did to it.
    pub status: Status,
}

/// What a change did to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Only there since the change, or about the change itself.
    New,
    /// There before, now of a higher severity.
    Worsened,
    /// There before and after.
    Unchanged,
    /// Gone with the change.
    Fixed,
}

impl Status {
    /// `new`, `worsened`, `unchanged` or `fixed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worsened => "worsened",
            Self::Unchanged => "unchanged",
            Self::Fixed => "fixed",
        }
    }
}

/// Totals of a diff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct DiffSummary {
    /// Pools only in the new configuration.
    pub pools_added: usize,
    /// Pools only in the old configuration.
    pub pools_removed: usize,
    /// Pools in both whose behaviour differs.
    pub pools_changed: usize,
    /// Endpoints only in the new side of pools that are in both.
    pub endpoints_added: usize,
    /// Endpoints only in the old side of pools that are in both.
    pub endpoints_removed: usize,
    /// Endpoints in both whose behaviour differs.
    pub endpoints_changed: usize,
    /// Changes that traffic can notice.
    pub behavioural: usize,
    /// Changes that it cannot: names, order that does not matter.
    pub cosmetic: usize,
    /// Lines, comments left out, that only one side has. With no change in effect they either mean the same or
    /// set something that is not compared.
    pub lines_differ: usize,
}

/// Whether traffic can notice a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It can.
    Behavioural,
    /// It cannot.
    Cosmetic,
}

impl Effect {
    /// `behavioural` or `cosmetic`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Behavioural => "behavioural",
            Self::Cosmetic => "cosmetic",
        }
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Change {
    /// What kind of thing: `pool-added`, `weight-changed`, …
    pub kind: ChangeKind,
    /// Whether traffic can notice.
    pub effect: Effect,
    /// The pool and endpoint, if it is about one.
    pub subject: Subject,
    /// The value before; `None` where there was none.
    pub old: Option<String>,
    /// The value after; `None` where there is none.
    pub new: Option<String>,
    /// Where the old value stands.
    pub old_span: Option<Span>,
    /// Where the new value stands.
    pub new_span: Option<Span>,
}

/// A statement that differs, and that no other part of the report tells of.
#[derive(Clone, Debug)]
pub struct StatementChange {
    /// What became of it.
    pub fate: Fate,
    /// The scope in which it is written, after those around it: `http › server a.example › location /`.
    pub scope: String,
    /// In how many scopes the difference is one: more than 1 where others inherit it.
    pub scopes: usize,
    /// The statement before; `None` where it was not there.
    pub old: Option<Written>,
    /// The statement after; `None` where it is not there.
    pub new: Option<Written>,
    /// What it has an effect on.
    pub class: EffectClass,
}

/// A statement as one line, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// In the dialect's words, arguments in canonical spelling.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
    /// It says the same at another place of a sequence whose order counts.
    Moved,
}

impl Fate {
    /// `added`, `removed`, `changed` or `moved`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Moved => "moved",
        }
    }
}

/// The shares of a pool before and after.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct PoolShift {
    /// The pool's name in the new configuration (in the old one if it is gone).
    pub pool: String,
    /// Its old name, if it was renamed.
    pub renamed_from: Option<String>,
    /// Each endpoint's share of the pool's traffic.
    pub shares: Vec<ShareShift>,
    /// Share of the pool's traffic that changes its endpoint, from 0 to 1. `None`: not known.
    pub share_moved: Option<f64>,
    /// For pools that hash: share of all keys that another endpoint serves now, from 0 to 1, from the proxies' own
    /// tables. `None`: the pool does not hash, did not change, or its table is not known.
    pub keys_remapped: Option<f64>,
    /// How sure the shares are; the lesser of both sides.
    pub certainty: Certainty,
}

/// One endpoint's share before and after, each from 0 to 1; `None` where it is not there or not known.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct ShareShift {
    /// The endpoint's name.
    pub endpoint: String,
    /// Before.
    pub old: Option<f64>,
    /// After.
    pub new: Option<f64>,
}

/// A request that now goes somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct RouteShift {
    /// A request that shows it, `GET https://host/path`, where one can be built from the conditions.
    pub witness: Option<String>,
    /// The route in the dialect's words.
    pub route: String,
    /// Where it went.
    pub old: String,
    /// Where it goes.
    pub new: String,
    /// The old route.
    pub old_span: Option<Span>,
    /// The new route.
    pub new_span: Option<Span>,
}
