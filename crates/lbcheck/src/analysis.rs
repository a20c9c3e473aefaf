//! From readings to reports: rules run, suppressions applied, findings sorted and fingerprinted.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::diff::{self, Comparison};
use crate::policy::{Environment, Level};
use crate::reading::Reading;
use crate::report::{CheckReport, DiffFinding, DiffReport, Finding, InputSummary, Status};
use crate::rules::{self, Context, Facts};
use crate::source::Sources;
use crate::suppress;

/// One configuration to judge.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The paths as the user gave them.
    pub paths: &'a [String],
    /// What a reader made of them.
    pub reading: &'a Reading,
    /// Nobody named the product version.
    pub version_assumed: bool,
    /// The rules that hold for it.
    pub environment: &'a Environment,
}

/// Checks one configuration.
#[must_use]
pub fn check(sources: &Sources, subject: &Subject<'_>) -> CheckReport {
    CheckReport {
        inputs: vec![summary(sources, subject)],
        findings: findings(sources, subject, &Renames::new()),
        broken: subject.reading.broken,
        fail_on: subject.environment.fail_on,
    }
}

/// Compares two configurations of one dialect. The environment is that of `new`.
#[must_use]
pub fn diff(sources: &Sources, old: &Subject<'_>, new: &Subject<'_>) -> DiffReport {
    let broken = old.reading.broken || new.reading.broken;
    let mut renames = Renames::new();
    // Half a configuration differs from a whole one in ways that nobody wrote.
    let (mut outcome, mut change) = if broken {
        (diff::Outcome::default(), Vec::new())
    } else {
        let comparison = Comparison::new(&old.reading.config, &new.reading.config);
        renames = pool_renames(&comparison);
        (diff::outcome(&comparison), rules::check_change(&comparison, new.environment))
    };
    if !broken {
        outcome.summary.lines_differ = diff::lines::differing(sources, old.reading, new.reading);
    }
    let before = findings(sources, old, &renames);
    let after = findings(sources, new, &Renames::new());
    sort(&mut change);
    let change = finish(sources, change, &Renames::new());
    let change = suppress::apply_to_change(sources, new.reading, new.environment, change);
    DiffReport {
        old: summary(sources, old),
        new: summary(sources, new),
        summary: outcome.summary,
        changes: outcome.changes,
        pools: outcome.pools,
        routes: outcome.routes,
        findings: merge(before, after, change),
        broken,
        fail_on: new.environment.fail_on,
        expect_equivalent: false,
    }
}

/// A finding about a pool that was only renamed is still the same finding.
fn pool_renames(comparison: &Comparison<'_>) -> Renames {
    let renamed = comparison.pools.iter().filter(|pair| pair.renamed);
    let names = renamed.map(|pair| {
        let (old, new) = comparison.sides(pair);
        (old.pool.name.value.clone(), new.pool.name.value.clone())
    });
    names.collect()
}

/// Old pool names to new ones.
pub(crate) type Renames = BTreeMap<String, String>;

fn findings(sources: &Sources, subject: &Subject<'_>, renames: &Renames) -> Vec<Finding> {
    let reading = subject.reading;
    let mut found: Vec<Diagnostic> =
        reading.diagnostics.iter().filter_map(|diagnostic| graded(diagnostic, subject)).collect();
    // Where the structure could not be trusted, silence of a rule means nothing and noise is likely.
    if !reading.broken {
        let facts = Facts::new(&reading.config);
        let context = Context { config: &reading.config, facts: &facts, environment: subject.environment };
        // A gap that the reader has already reported as a mistake needs no second mention.
        let reported: BTreeSet<_> = found.iter().map(|diagnostic| diagnostic.primary.span).collect();
        let place = |diagnostic: &Diagnostic| {
            let span = diagnostic.primary.span;
            (span.file, sources.position(span).line)
        };
        // What stands in a hole of a template is not there yet, so no rule has anything to say about it.
        let holes: BTreeSet<_> = found
            .iter()
            .filter(|diagnostic| diagnostic.rule == RuleId::TemplateUnrendered)
            .map(place)
            .collect();
        let fresh = |diagnostic: &Diagnostic| match diagnostic.rule {
            RuleId::UnparsedConstruct => !reported.contains(&diagnostic.primary.span),
            _ => holes.is_empty() || !holes.contains(&place(diagnostic)),
        };
        found.extend(rules::check(&context).into_iter().filter(fresh));
    }
    sort(&mut found);
    suppress::apply(sources, reading, subject.environment, finish(sources, found, renames))
}

/// A reader's diagnostic with the severity that policy gives its id, if it gives one.
fn graded(diagnostic: &Diagnostic, subject: &Subject<'_>) -> Option<Diagnostic> {
    let mut diagnostic = diagnostic.clone();
    // What runs may be an older version, which sees nothing wrong.
    if subject.version_assumed && diagnostic.since.is_some() {
        diagnostic.severity = diagnostic.severity.min(Severity::Warning);
    }
    match subject.environment.severity.get(&diagnostic.rule).copied() {
        Some(Level::Off) => return None,
        Some(Level::On(severity)) => diagnostic.severity = severity,
        None => {}
    }
    Some(diagnostic)
}

/// By file, place, severity (worst first), rule and message: the same input gives the same order.
pub(crate) fn sort(found: &mut [Diagnostic]) {
    found.sort_by(|a, b| {
        (a.primary.span, std::cmp::Reverse(a.severity), a.rule, &a.message).cmp(&(
            b.primary.span,
            std::cmp::Reverse(b.severity),
            b.rule,
            &b.message,
        ))
    });
}

/// Adds fingerprints. Two findings of one rule about one subject in one file are told apart by their order.
pub(crate) fn finish(sources: &Sources, found: Vec<Diagnostic>, renames: &Renames) -> Vec<Finding> {
    let mut seen = BTreeMap::<String, u32>::new();
    found
        .into_iter()
        .map(|diagnostic| {
            let base = identity(sources, &diagnostic, renames);
            let nth = seen.entry(base.clone()).or_insert(0);
            *nth += 1;
            let fingerprint = format!("{:016x}", fnv1a(format!("{base}\u{0}{nth}").as_bytes()));
            Finding { diagnostic, fingerprint, suppressed: None }
        })
        .collect()
}

/// What a finding is about, without line numbers and without the figures in its message. A finding that names
/// no pool is known by the text it points at.
fn identity(sources: &Sources, diagnostic: &Diagnostic, renames: &Renames) -> String {
    let none = String::new();
    let pool = diagnostic.subject.pool.as_ref().unwrap_or(&none);
    let pool = renames.get(pool).unwrap_or(pool);
    let endpoint = diagnostic.subject.endpoint.as_ref().unwrap_or(&none);
    let text = if pool.is_empty() { sources.text(diagnostic.primary.span) } else { "" };
    let text: String = text.chars().take(200).collect();
    format!("{}\u{0}{pool}\u{0}{endpoint}\u{0}{text}", diagnostic.rule)
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Sets each finding against the other side by fingerprint.
fn merge(before: Vec<Finding>, after: Vec<Finding>, change: Vec<Finding>) -> Vec<DiffFinding> {
    let old: BTreeMap<&str, Severity> = before
        .iter()
        .filter(|finding| finding.suppressed.is_none())
        .map(|finding| (finding.fingerprint.as_str(), finding.diagnostic.severity))
        .collect();
    let new: BTreeSet<String> = after.iter().map(|finding| finding.fingerprint.clone()).collect();
    let mut merged: Vec<DiffFinding> =
        change.into_iter().map(|finding| DiffFinding { finding, status: Status::New }).collect();
    merged.extend(after.into_iter().map(|finding| {
        let status = match old.get(finding.fingerprint.as_str()) {
            None => Status::New,
            Some(severity) if *severity < finding.diagnostic.severity => Status::Worsened,
            Some(_) => Status::Unchanged,
        };
        DiffFinding { finding, status }
    }));
    merged.extend(
        before
            .iter()
            .filter(|finding| !new.contains(&finding.fingerprint))
            .map(|finding| DiffFinding { finding: finding.clone(), status: Status::Fixed }),
    );
    // A stable sort: within one status the order of places stays.
    merged.sort_by_key(|finding| finding.status);
    merged
}

/// What was read, without judging it.
#[must_use]
pub fn summary(sources: &Sources, subject: &Subject<'_>) -> InputSummary {
    let config = &subject.reading.config;
    InputSummary {
        paths: subject.paths.to_vec(),
        files: config.files.iter().map(|&file| sources.file(file).path().to_owned()).collect(),
        dialect: config.dialect,
        version: config.version,
        version_assumed: subject.version_assumed,
        environment: subject.environment.name.clone(),
        environment_source: subject.environment.source,
        directives: config.coverage.total,
        understood: understood(subject.reading),
        listeners: config.listeners.len(),
        pools: config.pools.len(),
        endpoints: config
            .pools
            .iter()
            .flat_map(|pool| &pool.endpoints)
            .map(|endpoint| u64::from(endpoint.slots))
            .sum(),
        fragment: config.fragment,
        broken: subject.reading.broken,
    }
}

/// What was understood, less what the reader did not know at all or could not conclude from.
fn understood(reading: &Reading) -> u32 {
    let coverage = &reading.config.coverage;
    let unknown =
        reading.diagnostics.iter().filter(|diagnostic| diagnostic.rule == RuleId::UnknownDirective).count();
    let lacking = unknown.max(coverage.gaps.len());
    coverage.understood.min(coverage.total.saturating_sub(lacking as u32))
}
