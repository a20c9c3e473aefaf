//! JSON: the wire types filled and written.

use lbcheck::diagnostic::{self, Severity};
use lbcheck::model::Config;
use lbcheck::report::{self, CheckReport, Counts, DiffReport, InputSummary, Status, Verdict};
use lbcheck::source::{Position, Span};
use serde::Serialize;

use crate::clean::clean;
use crate::view::{View, show};
use crate::wire;

pub(crate) const TOOL: wire::Tool = wire::Tool { name: "lbcheck", version: env!("CARGO_PKG_VERSION") };

pub(crate) fn check(view: &View<'_>, reports: &[CheckReport]) -> String {
    write(&wire::Report {
        schema: "lbcheck.report/v1",
        tool: TOOL,
        inputs: reports.iter().flat_map(|report| &report.inputs).map(input).collect(),
        findings: reports
            .iter()
            .flat_map(|report| &report.findings)
            .map(|found| finding(view, found))
            .collect(),
        summary: summary(Counts::of(reports.iter().flat_map(|report| &report.findings))),
        verdict: verdict(crate::verdict(reports)),
    })
}

pub(crate) fn diff(view: &View<'_>, report: &DiffReport) -> String {
    write(&wire::Diff {
        schema: "lbcheck.diff/v1",
        tool: TOOL,
        old: input(&report.old),
        new: input(&report.new),
        summary: diff_summary(report.summary),
        statements: report.statements.iter().map(|one| statement(view, one)).collect(),
        changes: report.changes.iter().map(|changed| change(view, changed)).collect(),
        pools: report.pools.iter().map(pool_shift).collect(),
        routes: report.routes.iter().map(|shift| route_shift(view, shift)).collect(),
        findings: report.findings.iter().map(|found| diff_finding(view, found)).collect(),
        verdict: verdict(report.verdict()),
    })
}

/// The models of configurations as `lbcheck.model/v1`.
#[must_use]
pub fn model(view: &View<'_>, configs: &[(&InputSummary, &Config)]) -> String {
    write(&wire::Model {
        schema: "lbcheck.model/v1",
        tool: TOOL,
        configurations: configs
            .iter()
            .map(|(summary, config)| crate::model::configuration(view, input(summary), config))
            .collect(),
    })
}

/// The catalogue of rules as `lbcheck.rules/v1`.
#[must_use]
pub fn rules() -> String {
    let rules = lbcheck::rules().iter().map(|rule| wire::Rule {
        id: rule.id.as_str(),
        category: rule.category.as_str(),
        severity: severity(rule.severity),
        production: severity(rule.production),
        dialects: rule.dialects.iter().map(|dialect| dialect.as_str()).collect(),
        summary: rule.summary,
        docs: rule.docs,
    });
    write(&wire::Rules { schema: "lbcheck.rules/v1", tool: TOOL, rules: rules.collect() })
}

pub(crate) fn write(value: &impl Serialize) -> String {
    // These types hold no maps with keys that are not strings and no writer that fails: there is no error.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) fn input(summary: &InputSummary) -> wire::Input {
    let paths: Vec<String> = summary.paths.iter().map(|path| clean(path).into_owned()).collect();
    wire::Input {
        path: paths.first().cloned().unwrap_or_default(),
        paths,
        files: summary.files.iter().map(|path| clean(path).into_owned()).collect(),
        dialect: summary.dialect.as_str(),
        version: summary.version.to_string(),
        version_assumed: summary.version_assumed,
        environment: clean(&summary.environment).into_owned(),
        environment_source: summary.environment_source.as_str(),
        fragment: summary.fragment,
        broken: summary.broken,
        listeners: summary.listeners,
        pools: summary.pools,
        endpoints: summary.endpoints,
        directives: wire::Directives { total: summary.directives, understood: summary.understood },
    }
}

fn finding(view: &View<'_>, found: &report::Finding) -> wire::Finding {
    let diagnostic = &found.diagnostic;
    let say = |text: &str| view.say(diagnostic, text).into_owned();
    wire::Finding {
        rule: diagnostic.rule.as_str(),
        severity: severity(diagnostic.severity),
        message: say(&diagnostic.message),
        subject: subject(&diagnostic.subject),
        location: location(view, diagnostic.primary.span),
        label: Some(diagnostic.primary.message.as_str()).filter(|label| !label.is_empty()).map(say),
        related: diagnostic
            .related
            .iter()
            .map(|label| wire::Related { location: location(view, label.span), message: say(&label.message) })
            .collect(),
        help: diagnostic.help.as_deref().map(say),
        fix: diagnostic.fix.as_ref().map(|fix| wire::Fix {
            title: say(&fix.title),
            certain: fix.certainty == diagnostic::Certainty::Certain,
            edits: fix
                .edits
                .iter()
                .map(|edit| wire::Edit {
                    location: location(view, edit.span),
                    replacement: say(&edit.replacement),
                })
                .collect(),
        }),
        fingerprint: found.fingerprint.clone(),
        suppressed: found.suppressed.as_deref().map(say),
    }
}

pub(crate) fn subject(subject: &diagnostic::Subject) -> wire::Subject {
    let owned = |name: &Option<String>| name.as_deref().map(|name| show(name).into_owned());
    wire::Subject { pool: owned(&subject.pool), endpoint: owned(&subject.endpoint) }
}

pub(crate) fn location(view: &View<'_>, span: Span) -> wire::Location {
    let place = view.place(span);
    wire::Location { file: place.file.into_owned(), start: point(place.start), end: point(place.end) }
}

fn point(position: Position) -> wire::Point {
    wire::Point { line: position.line, column: position.column }
}

fn summary(counts: Counts) -> wire::Summary {
    wire::Summary {
        error: counts.error,
        warning: counts.warning,
        info: counts.info,
        suppressed: counts.suppressed,
    }
}

fn diff_summary(summary: report::DiffSummary) -> wire::DiffSummary {
    wire::DiffSummary {
        pools: wire::Tally {
            added: summary.pools_added,
            removed: summary.pools_removed,
            changed: summary.pools_changed,
        },
        endpoints: wire::Tally {
            added: summary.endpoints_added,
            removed: summary.endpoints_removed,
            changed: summary.endpoints_changed,
        },
        behavioural: summary.behavioural,
        cosmetic: summary.cosmetic,
        lines_differ: summary.lines_differ,
    }
}

fn change(view: &View<'_>, changed: &report::Change) -> wire::Change {
    let spans = [changed.old_span, changed.new_span];
    let say = |text: &String| view.say_at(spans.into_iter().flatten(), text).into_owned();
    wire::Change {
        kind: changed.kind.as_str(),
        effect: match changed.effect {
            report::Effect::Behavioural => wire::EffectName::Behavioural,
            report::Effect::Cosmetic => wire::EffectName::Cosmetic,
        },
        subject: subject(&changed.subject),
        old: changed.old.as_ref().map(say),
        new: changed.new.as_ref().map(say),
        locations: sides(view, changed.old_span, changed.new_span),
    }
}

fn statement(view: &View<'_>, one: &report::StatementChange) -> wire::Statement {
    let spans = [&one.old, &one.new].map(|side| side.as_ref().map(|side| side.span));
    let say = |side: &report::Written| view.say_at(spans.into_iter().flatten(), &side.text).into_owned();
    wire::Statement {
        fate: one.fate.as_str(),
        scope: show(&one.scope).into_owned(),
        scopes: one.scopes,
        class: one.class.as_str(),
        old: one.old.as_ref().map(say),
        new: one.new.as_ref().map(say),
        locations: sides(view, spans[0], spans[1]),
    }
}

fn sides(view: &View<'_>, old: Option<Span>, new: Option<Span>) -> wire::Sides {
    wire::Sides { old: old.map(|span| location(view, span)), new: new.map(|span| location(view, span)) }
}

fn pool_shift(shift: &report::PoolShift) -> wire::PoolShift {
    wire::PoolShift {
        pool: show(&shift.pool).into_owned(),
        renamed_from: shift.renamed_from.as_deref().map(|name| show(name).into_owned()),
        shares: shift
            .shares
            .iter()
            .map(|share| wire::ShareShift {
                endpoint: show(&share.endpoint).into_owned(),
                old: share.old.and_then(rounded),
                new: share.new.and_then(rounded),
            })
            .collect(),
        share_moved: shift.share_moved.and_then(rounded),
        certainty: shift.certainty.as_str(),
        keys_remapped: shift.keys_remapped.and_then(rounded),
    }
}

/// Six decimals: finer than any weight can make a difference, and free of the noise of binary fractions.
pub(crate) fn rounded(share: f64) -> Option<f64> {
    // Adding 0.0 turns -0.0 into 0.0.
    share.is_finite().then(|| (share * 1e6).round() / 1e6 + 0.0)
}

fn route_shift(view: &View<'_>, shift: &report::RouteShift) -> wire::RouteShift {
    let spans = [shift.old_span, shift.new_span];
    let say = |text: &str| view.say_at(spans.into_iter().flatten(), text).into_owned();
    wire::RouteShift {
        witness: shift.witness.as_deref().map(say),
        route: say(&shift.route),
        old: say(&shift.old),
        new: say(&shift.new),
        locations: sides(view, shift.old_span, shift.new_span),
    }
}

fn diff_finding(view: &View<'_>, found: &report::DiffFinding) -> wire::DiffFinding {
    wire::DiffFinding {
        status: match found.status {
            Status::New => wire::StatusName::New,
            Status::Worsened => wire::StatusName::Worsened,
            Status::Unchanged => wire::StatusName::Unchanged,
            Status::Fixed => wire::StatusName::Fixed,
        },
        finding: finding(view, &found.finding),
    }
}

fn severity(severity: Severity) -> wire::SeverityName {
    match severity {
        Severity::Info => wire::SeverityName::Info,
        Severity::Warning => wire::SeverityName::Warning,
        Severity::Error => wire::SeverityName::Error,
    }
}

fn verdict(verdict: Verdict) -> wire::VerdictName {
    match verdict {
        Verdict::Pass => wire::VerdictName::Pass,
        Verdict::Fail => wire::VerdictName::Fail,
        Verdict::Unreadable => wire::VerdictName::Unreadable,
    }
}
