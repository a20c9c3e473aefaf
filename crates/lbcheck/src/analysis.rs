//! From readings to reports: rules run, suppressions applied, findings sorted and fingerprinted.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::diff::{self, Comparison};
use crate::facts::Facts;
use crate::fingerprint::{Renames, finish, sort};
use crate::policy::{Environment, Level};
use crate::reading::Reading;
use crate::report::{CheckReport, DiffFinding, DiffReport, Finding, InputSummary, Status};
use crate::rules::{self, Context};
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
    let mut statements = Vec::new();
    // Half a configuration differs from a whole one in ways that nobody wrote.
    let (mut outcome, mut change) = if broken {
        (diff::Outcome::default(), Vec::new())
    } else {
        let comparison = Comparison::new(&old.reading.config, &new.reading.config);
        renames = pool_renames(&comparison);
        (diff::outcome(&comparison), rules::check_change(&comparison, new.environment))
    };
    if !broken {
        let entries = diff::ledger::differences(
            &old.reading.statements,
            &new.reading.statements,
            &labels(new, &renames),
        );
        statements = diff::ledger::unclaimed(
            entries,
            &outcome.changes,
            &outcome.routes,
            (&old.reading.config, &new.reading.config),
        );
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
        statements,
        findings: merge(before, after, change),
        broken,
        fail_on: new.environment.fail_on,
        expect_equivalent: false,
    }
}

/// The labels of scopes whose pool was only renamed.
fn labels(subject: &Subject<'_>, renames: &Renames) -> BTreeMap<String, String> {
    let nouns = ["listen", subject.reading.config.dialect.pool_noun()];
    let label = |noun: &str, name: &str| format!("{noun} {name}");
    let all = renames
        .iter()
        .filter(|(old, new)| old != new)
        .flat_map(|(old, new)| nouns.into_iter().map(move |noun| (label(noun, old), label(noun, new))));
    all.collect()
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
