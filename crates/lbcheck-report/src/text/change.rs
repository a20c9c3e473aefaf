//! A comparison as text, built for review: the gist, what changed by pool, who gets how much, then findings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lbcheck::effect::EffectClass;
use lbcheck::report::{
    Change, ChangeKind, Counts, DiffFinding, DiffReport, Effect, Fate, Finding, PoolShift, RouteShift,
    StatementChange, Status, Written,
};
use lbcheck::source::Span;

use super::{closing, counted, coverage, excerpt};
use crate::Style;
use crate::view::{View, show};

pub(crate) fn diff(view: &View<'_>, report: &DiffReport, style: Style) -> String {
    let mut out = String::new();
    // What a configuration that could not be read differs in says nothing.
    if !report.broken {
        gist(&mut out, report);
        changes(&mut out, view, report);
        routes(&mut out, view, report);
        statements(&mut out, view, report);
    }
    findings(&mut out, view, report, style);
    let _ = writeln!(out, "old: {}", coverage(&report.old));
    let _ = writeln!(out, "new: {}", coverage(&report.new));
    out.push_str(&last_line(report));
    out.push('\n');
    out
}

/// The one thing to know, and how much there is besides.
fn gist(out: &mut String, report: &DiffReport) {
    let noun = report.new.dialect.pool_noun();
    let most = report
        .pools
        .iter()
        .filter_map(|shift| Some((shift, shift.share_moved?)))
        .filter(|(_, moved)| *moved > 0.0)
        .fold(None::<(&PoolShift, f64)>, |most, next| match most {
            Some(most) if most.1 >= next.1 => Some(most),
            _ => Some(next),
        });
    if let Some((shift, moved)) = most {
        let _ = writeln!(
            out,
            "{noun} `{}`: {} of its traffic goes to another {}",
            show(&shift.pool),
            percent(moved),
            report.new.dialect.endpoint_noun(),
        );
    }
    let summary = report.summary;
    if summary.behavioural + summary.cosmetic == 0 && report.statements.is_empty() {
        match summary.lines_differ {
            0 => out.push_str("no change\n\n"),
            lines => {
                let _ = writeln!(
                    out,
                    "no change in routes, pools, shares and checks, nor in timeouts and limits of pools; {} in what \
                     means the same or is not compared\n",
                    match lines {
                        1 => "1 line differs".to_owned(),
                        lines => format!("{lines} lines differ"),
                    },
                );
            }
        }
        return;
    }
    let statements = match report.statements.len() {
        0 => String::new(),
        count => format!("; {} as written", counted(count as u64, "more difference")),
    };
    let _ = writeln!(out, "{}{statements}\n", totals(report));
}

/// `3 behavioural changes, 1 cosmetic change; 1 backend changed, 2 servers added`.
fn totals(report: &DiffReport) -> String {
    let summary = report.summary;
    let mut line = counted(summary.behavioural as u64, "behavioural change");
    if summary.cosmetic > 0 {
        let _ = write!(line, ", {} cosmetic", summary.cosmetic);
    }
    let pool = report.new.dialect.pool_noun();
    let endpoint = report.new.dialect.endpoint_noun();
    let tallies = [
        (summary.pools_added, pool, "added"),
        (summary.pools_removed, pool, "removed"),
        (summary.pools_changed, pool, "changed"),
        (summary.endpoints_added, endpoint, "added"),
        (summary.endpoints_removed, endpoint, "removed"),
        (summary.endpoints_changed, endpoint, "changed"),
    ];
    let mut separator = ": ";
    for (count, noun, what) in tallies {
        if count > 0 {
            let _ = write!(line, "{separator}{} {what}", counted(count as u64, noun));
            separator = ", ";
        }
    }
    line
}

/// What changed about one pool.
#[derive(Default)]
struct OfPool<'a> {
    changes: Vec<&'a Change>,
    shift: Option<&'a PoolShift>,
}

/// Changes by pool, each pool with its table of shares; then those of no pool.
fn changes(out: &mut String, view: &View<'_>, report: &DiffReport) {
    let (pools, elsewhere) = by_pool(report);
    for (name, pool) in pools {
        // A pool that came or went is one line that names it.
        if let ([change], None) = (pool.changes.as_slice(), pool.shift)
            && matches!(change.kind, ChangeKind::PoolAdded | ChangeKind::PoolRemoved)
        {
            change_line(out, view, &[change]);
            out.push('\n');
            continue;
        }
        let _ = write!(out, "{} `{}`", report.new.dialect.pool_noun(), show(name));
        if let Some(old) = pool.shift.and_then(|shift| shift.renamed_from.as_deref()) {
            let _ = write!(out, " (was `{}`)", show(old));
        }
        out.push('\n');
        for alike in alike(&pool.changes) {
            change_line(out, view, &alike);
        }
        if let Some(shift) = pool.shift {
            shares(out, report, shift);
        }
        out.push('\n');
    }
    if !elsewhere.is_empty() {
        out.push_str("listeners and routes\n");
        for change in elsewhere {
            change_line(out, view, &[change]);
        }
        out.push('\n');
    }
    cosmetic(out, report);
}

/// What changed its name only, in one line each.
fn cosmetic(out: &mut String, report: &DiffReport) {
    let changes: Vec<&Change> =
        report.changes.iter().filter(|change| change.effect == Effect::Cosmetic).collect();
    if changes.is_empty() {
        return;
    }
    out.push_str("the same in effect\n");
    for change in changes.iter().take(MAX_COSMETIC) {
        let part = |text: &Option<String>| show(text.as_deref().unwrap_or("none")).into_owned();
        let noun = match (change.kind, &change.subject.endpoint) {
            (_, Some(_)) => report.new.dialect.endpoint_noun(),
            (_, None) => report.new.dialect.pool_noun(),
        };
        let _ = writeln!(out, "    {noun} `{}` is now `{}`", part(&change.old), part(&change.new));
    }
    if changes.len() > MAX_COSMETIC {
        let _ = writeln!(out, "    and {} more", changes.len() - MAX_COSMETIC);
    }
    out.push('\n');
}

/// Changes without effect that are spelt out.
const MAX_COSMETIC: usize = 20;

/// Behavioural changes and shifts by pool, in the order of the report, and the changes of no pool.
fn by_pool(report: &DiffReport) -> (Vec<(&str, OfPool<'_>)>, Vec<&Change>) {
    let mut pools: Vec<(&str, OfPool<'_>)> = Vec::new();
    let mut places = BTreeMap::new();
    let mut elsewhere = Vec::new();
    // What a route leads to is told with the requests that show it.
    let told: BTreeSet<_> = report
        .routes
        .iter()
        .map(|shift| (shift.old_span, shift.new_span, format!("{}: {}", shift.route, shift.new)))
        .collect();
    let is_told = |change: &Change| {
        let new = change.new.clone().unwrap_or_default();
        change.kind == ChangeKind::RouteChanged && told.contains(&(change.old_span, change.new_span, new))
    };
    let mut place = |pools: &mut Vec<_>, name| {
        *places.entry(name).or_insert_with(|| {
            pools.push((name, OfPool::default()));
            pools.len() - 1
        })
    };
    for change in report.changes.iter().filter(|change| change.effect == Effect::Behavioural) {
        let Some(name) = change.subject.pool.as_deref() else {
            if !is_told(change) {
                elsewhere.push(change);
            }
            continue;
        };
        let at = place(&mut pools, name);
        pools.get_mut(at).into_iter().for_each(|(_, pool)| pool.changes.push(change));
    }
    for shift in &report.pools {
        let at = place(&mut pools, shift.pool.as_str());
        pools.get_mut(at).into_iter().for_each(|(_, pool)| pool.shift = Some(shift));
    }
    (pools, elsewhere)
}

/// The changes of a pool, those that do the same to several endpoints together.
fn alike<'a>(changes: &[&'a Change]) -> Vec<Vec<&'a Change>> {
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    let mut places = BTreeMap::new();
    for &change in changes {
        let at = *places.entry((change.kind, &change.old, &change.new)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups.get_mut(at).into_iter().for_each(|group| group.push(change));
    }
    groups
}

/// `  ~ api1, api2: weight 10 → 100  (new.cfg:14)` for changes that are alike but for their endpoints.
fn change_line(out: &mut String, view: &View<'_>, alike: &[&Change]) {
    let Some(change) = alike.first() else { return };
    let spans = [change.old_span, change.new_span];
    let value = |text: &Option<String>| match text {
        Some(text) => view.say_at(spans.into_iter().flatten(), text).into_owned(),
        None => "none".to_owned(),
    };
    let (old, new) = (value(&change.old), value(&change.new));
    let (sign, words) = match (&change.old, &change.new) {
        (None, Some(_)) if change.kind.as_str().ends_with("-added") => ("+", new),
        (Some(_), None) if change.kind.as_str().ends_with("-removed") => ("-", old),
        _ => ("~", format!("{}{old} → {new}", noun(change.kind))),
    };
    let endpoints: Vec<&str> = alike.iter().filter_map(|change| change.subject.endpoint.as_deref()).collect();
    // Many an endpoint has no name but its address, which its description begins with.
    let _ = match endpoints.as_slice() {
        [] => write!(out, "  {sign} {words}"),
        [only] if words.starts_with(only) => write!(out, "  {sign} {words}"),
        all => write!(out, "  {sign} {}: {words}", names(all)),
    };
    place(out, view, change.new_span.or(change.old_span));
}

/// Names in a row; beyond four only their number.
fn names(all: &[&str]) -> String {
    let shown = if all.len() > 5 { 4 } else { all.len() };
    let mut text = all.iter().take(shown).map(|name| show(name)).collect::<Vec<_>>().join(", ");
    if all.len() > shown {
        let _ = write!(text, " and {} more", all.len() - shown);
    }
    text
}

/// What the value of a change is, where the value does not say it itself.
fn noun(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::AddressChanged => "address ",
        ChangeKind::AlgorithmChanged => "algorithm ",
        ChangeKind::HealthCheckChanged => "health check: ",
        ChangeKind::MembershipChanged => "members: ",
        ChangeKind::ModeChanged => "mode ",
        ChangeKind::OutlierDetectionChanged => "outlier detection: ",
        ChangeKind::WeightChanged => "weight ",
        ChangeKind::RoutesReordered => "order of routes: ",
        _ => "",
    }
}

/// Ends a line with the place that it speaks of.
fn place(out: &mut String, view: &View<'_>, span: Option<Span>) {
    if let Some(span) = span {
        let place = view.place(span);
        let _ = write!(out, "  ({}:{})", place.file, place.start.line);
    }
    out.push('\n');
}

/// Who gets how much, before and after.
fn shares(out: &mut String, report: &DiffReport, shift: &PoolShift) {
    if shift.shares.is_empty() {
        return;
    }
    let noun = report.new.dialect.endpoint_noun();
    let names: Vec<_> = shift.shares.iter().map(|share| show(&share.endpoint)).collect();
    let widest =
        names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(noun.chars().count()).min(40);
    let _ = writeln!(out, "    {noun:widest$}   before    after   change");
    for (name, share) in names.iter().zip(&shift.shares) {
        let cell = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
        let delta = match (share.old, share.new) {
            (None, None) => String::new(),
            (old, new) => points(new.unwrap_or(0.0) - old.unwrap_or(0.0)),
        };
        let line = format!(
            "    {name:widest$}  {:>7}  {:>7}  {delta:>7}  {}",
            cell(share.old),
            cell(share.new),
            bar(share.new.unwrap_or(0.0)),
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let certainty = shift.certainty.as_str();
    if let Some(remapped) = shift.keys_remapped {
        let _ = writeln!(out, "    {} of the hash keys go to another {noun}", percent(remapped));
    }
    match shift.share_moved {
        // Said by the keys already, where only they move.
        Some(moved) if moved <= 0.0 => {}
        Some(moved) => {
            let _ =
                writeln!(out, "    {} of the traffic goes to another {noun} ({certainty})", percent(moved));
        }
        None => out.push_str("    how much of the traffic goes elsewhere is not known\n"),
    }
}

/// `43.1 %`, with one decimal always, for columns.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `+43.1`, `-0.5`, `0.0`.
fn points(delta: f64) -> String {
    let rounded = (delta * 1000.0).round() / 10.0;
    if rounded == 0.0 { "0.0".to_owned() } else { format!("{rounded:+.1}") }
}

/// A bar of twenty cells at most.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * 160.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    bar.push_str(rest.get(eighths % 8).unwrap_or(&""));
    bar
}

/// What else differs, as it is written, by scope.
fn statements(out: &mut String, view: &View<'_>, report: &DiffReport) {
    let mut scopes: BTreeMap<&str, Vec<&StatementChange>> = BTreeMap::new();
    for one in &report.statements {
        scopes.entry(one.scope.as_str()).or_default().push(one);
    }
    if scopes.is_empty() {
        return;
    }
    out.push_str("what else differs, as it is written\n");
    for (scope, all) in scopes {
        let scopes = all.iter().map(|one| one.scopes).max().unwrap_or(1);
        let name = if scope.is_empty() { "top level".into() } else { show(scope) };
        let _ = match scopes {
            1 => writeln!(out, "  {name}"),
            scopes => writeln!(out, "  {name}, which {scopes} scopes inherit"),
        };
        for one in all {
            statement_line(out, view, one);
        }
    }
    out.push('\n');
}

fn statement_line(out: &mut String, view: &View<'_>, one: &StatementChange) {
    let spans = [&one.old, &one.new].map(|side| side.as_ref().map(|side| side.span));
    let say = |side: &Option<Written>| {
        side.as_ref().map(|side| shortened(&view.say_at(spans.into_iter().flatten(), &side.text)))
    };
    let class = match one.class {
        EffectClass::Unknown => String::new(),
        class => format!(" [{}]", class.as_str()),
    };
    let _ = match (say(&one.old), say(&one.new)) {
        (Some(old), Some(_)) if one.fate == Fate::Moved => {
            write!(out, "    ~ another order from `{old}` on{class}")
        }
        (Some(old), Some(new)) => write!(out, "    ~ `{old}` → `{new}`{class}"),
        (Some(old), None) => write!(out, "    - `{old}`{class}"),
        (None, Some(new)) => write!(out, "    + `{new}`{class}"),
        (None, None) => Ok(()),
    };
    place(out, view, spans[1].or(spans[0]));
}

/// Longest statement that is shown whole, in characters.
const MAX_STATEMENT: usize = 60;

/// A statement, cut where it is too long for a line.
fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_STATEMENT {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_STATEMENT - 1).collect();
    short.push('…');
    short
}

fn routes(out: &mut String, view: &View<'_>, report: &DiffReport) {
    if report.routes.is_empty() {
        return;
    }
    out.push_str("requests that go elsewhere\n");
    for shift in &report.routes {
        route_line(out, view, shift);
    }
    out.push('\n');
}

fn route_line(out: &mut String, view: &View<'_>, shift: &RouteShift) {
    let spans = [shift.old_span, shift.new_span];
    let say = |text: &str| view.say_at(spans.into_iter().flatten(), text).into_owned();
    let route = say(&shift.route);
    let shown = shift.witness.as_deref().map_or_else(|| route.clone(), say);
    let _ = write!(out, "  {shown}: {} → {}", say(&shift.old), say(&shift.new));
    if shift.witness.is_some() {
        let _ = write!(out, "  by {route}");
    }
    place(out, view, shift.new_span.or(shift.old_span));
}

/// New and worsened findings in full, fixed ones in a line each, unchanged ones as a number.
fn findings(out: &mut String, view: &View<'_>, report: &DiffReport, style: Style) {
    let renderer = excerpt::renderer(style);
    let counted_only = |found: &&DiffFinding| found.finding.suppressed.is_none();
    let of = |status: Status| {
        report.findings.iter().filter(counted_only).filter(move |found| found.status == status)
    };
    for found in of(Status::New).chain(of(Status::Worsened)) {
        excerpt::push(out, view, &renderer, &found.finding.diagnostic);
    }
    let fixed: Vec<&Finding> = of(Status::Fixed).map(|found| &found.finding).collect();
    if !fixed.is_empty() {
        out.push_str("fixed by this change\n");
        for finding in fixed {
            let diagnostic = &finding.diagnostic;
            let place = view.place(diagnostic.primary.span);
            let _ = writeln!(
                out,
                "  {}[{}] {}:{}: {}",
                diagnostic.severity,
                diagnostic.rule,
                place.file,
                place.start.line,
                view.say(diagnostic, &diagnostic.message),
            );
        }
        out.push('\n');
    }
    let unchanged = of(Status::Unchanged).count();
    if unchanged > 0 {
        let _ = writeln!(out, "{}\n", unchanged_line(unchanged));
    }
}

fn unchanged_line(unchanged: usize) -> String {
    format!("{} on both sides not shown", counted(unchanged as u64, "finding"))
}

/// What the change comes to.
pub(crate) fn last_line(report: &DiffReport) -> String {
    let counts = Counts::of(report.introduced());
    let mut line = closing(counts, report.broken);
    if counts.error + counts.warning + counts.info > 0 {
        line = format!("new or worsened: {line}");
    } else if !report.broken {
        line = format!("no new {}", line.strip_prefix("no ").unwrap_or(&line));
    }
    if !report.broken && report.expect_equivalent && !report.is_equivalent() {
        let changes = report.summary.behavioural + report.statements.len();
        let _ = write!(line, "; not equivalent: {}", counted(changes as u64, "change"));
    }
    line
}
