//! Pool settings before and after, and pools that came or went.

use std::time::Duration;

use super::{Comparison, Outcome, PoolPair};
use crate::diagnostic::Subject;
use crate::dialect::Dialect;
use crate::model::{Affinity, CheckKind, HealthCheck, Membership, Mode, OutlierDetection, Pool, Setting};
use crate::report::{Change, ChangeKind, Effect};
use crate::source::Span;
use crate::words;

/// One value on both sides: how it reads and where it stands.
pub(super) type Shown = (Option<String>, Option<Span>);

/// A change of one value of a pool or endpoint, unless both sides read the same.
pub(super) fn change(kind: ChangeKind, subject: &Subject, old: Shown, new: Shown) -> Option<Change> {
    if old.0 == new.0 {
        return None;
    }
    Some(Change {
        kind,
        effect: Effect::Behavioural,
        subject: subject.clone(),
        old: old.0,
        new: new.0,
        old_span: old.1,
        new_span: new.1,
    })
}

/// How a setting reads and where it stands.
pub(super) fn shown<T>(setting: Option<&Setting<T>>, read: impl Fn(&T) -> String) -> Shown {
    match setting {
        None => (None, None),
        Some(setting) => (Some(read(&setting.value)), setting.span()),
    }
}

/// The pool's own settings.
pub(super) fn compare(comparison: &Comparison<'_>, pair: &PoolPair, changes: &mut Vec<Change>) {
    let (old_side, new_side) = comparison.sides(pair);
    let (old, new) = (old_side.pool, new_side.pool);
    let dialect = comparison.new.dialect;
    let subject = Subject { pool: Some(new.name.value.clone()), endpoint: None };
    if pair.renamed {
        changes.push(Change {
            kind: ChangeKind::PoolRenamed,
            effect: Effect::Cosmetic,
            subject: subject.clone(),
            old: Some(old.name.value.clone()),
            new: Some(new.name.value.clone()),
            old_span: Some(old.name.span),
            new_span: Some(new.name.span),
        });
    }
    let mut add = |kind, old, new| changes.extend(change(kind, &subject, old, new));
    let algorithm = |pool: &Pool| {
        let text = words::algorithm(dialect, &pool.algorithm.value);
        // Parameters that the words leave out must still tell two algorithms apart.
        let detail = if old.algorithm.value != new.algorithm.value
            && words::algorithm(dialect, &old.algorithm.value)
                == words::algorithm(dialect, &new.algorithm.value)
        {
            format!("{text} ({:?})", pool.algorithm.value)
        } else {
            text
        };
        (Some(detail), pool.algorithm.span())
    };
    add(ChangeKind::AlgorithmChanged, algorithm(old), algorithm(new));
    add(ChangeKind::ModeChanged, shown(Some(&old.mode), mode), shown(Some(&new.mode), mode));
    add(ChangeKind::MembershipChanged, membership(old), membership(new));
    add(ChangeKind::StickinessChanged, affinity(old), affinity(new));
    add(ChangeKind::HealthCheckChanged, pool_checks(old), pool_checks(new));
    let outlier = |pool: &Pool| shown(pool.outlier_detection.as_ref(), outlier_detection);
    add(ChangeKind::OutlierDetectionChanged, outlier(old), outlier(new));
    // In nginx the locations that use a pool set its timeouts; a pool that none uses has none to lose.
    let both_used = !old_side.facts.uses.is_empty() && !new_side.facts.uses.is_empty();
    let timeouts = [
        ("connect", old.timeouts.connect, new.timeouts.connect),
        ("response", old.timeouts.response, new.timeouts.response),
        ("queue", old.timeouts.queue, new.timeouts.queue),
    ];
    for (name, before, after) in timeouts.into_iter().filter(|_| both_used) {
        let read = |value: &Duration| format!("{name} timeout {}", duration(*value));
        add(ChangeKind::TimeoutChanged, shown(before.as_ref(), read), shown(after.as_ref(), read));
    }
    let attempts = |value: &u32| format!("{value} retries");
    add(
        ChangeKind::RetriesChanged,
        shown(old.retries.attempts.as_ref(), attempts),
        shown(new.retries.attempts.as_ref(), attempts),
    );
    let on = |value: &String| format!("retry on {value}");
    add(ChangeKind::RetriesChanged, shown(old.retries.on.as_ref(), on), shown(new.retries.on.as_ref(), on));
    let redispatch = |value: &i32| format!("redispatch {value}");
    add(
        ChangeKind::RetriesChanged,
        shown(old.retries.redispatch.as_ref(), redispatch),
        shown(new.retries.redispatch.as_ref(), redispatch),
    );
    let limits = |pool: &Pool| {
        [
            ("max connections", pool.limits.max_connections),
            ("max pending", pool.limits.max_pending),
            ("max requests", pool.limits.max_requests),
            ("max retries", pool.limits.max_retries),
            ("fullconn", pool.limits.full_connections),
        ]
    };
    for ((name, before), (_, after)) in limits(old).into_iter().zip(limits(new)) {
        let read = |value: &u64| format!("{name} {value}");
        add(ChangeKind::LimitChanged, shown(before.as_ref(), read), shown(after.as_ref(), read));
    }
    let backups =
        |value: &bool| if *value { "all backups share" } else { "only the first backup serves" }.to_owned();
    add(
        ChangeKind::TierChanged,
        shown(old.all_backups.as_ref(), backups),
        shown(new.all_backups.as_ref(), backups),
    );
    let overprovisioning = |value: &u32| format!("overprovisioning {value} %");
    add(
        ChangeKind::TierChanged,
        shown(old.overprovisioning_percent.as_ref(), overprovisioning),
        shown(new.overprovisioning_percent.as_ref(), overprovisioning),
    );
    let panic = |value: &u32| format!("panic below {value} %");
    add(
        ChangeKind::TierChanged,
        shown(old.panic_threshold_percent.as_ref(), panic),
        shown(new.panic_threshold_percent.as_ref(), panic),
    );
    add(ChangeKind::LocalityChanged, localities(old), localities(new));
    let state = |pool: &Pool| match pool.disabled {
        Some(span) => (Some("disabled".to_owned()), Some(span)),
        None => (Some("enabled".to_owned()), None),
    };
    add(ChangeKind::StateChanged, state(old), state(new));
    let answers = |pool: &Pool| match pool.answers_locally {
        Some(span) => (Some("answered by the proxy itself".to_owned()), Some(span)),
        None => (None, None),
    };
    add(ChangeKind::RouteChanged, answers(old), answers(new));
    add(ChangeKind::RouteChanged, overrides(old), overrides(new));
}

/// Pools that are on one side only.
pub(super) fn whole_pools(comparison: &Comparison<'_>, outcome: &mut Outcome) {
    let describe = |dialect: Dialect, pool: &Pool| {
        let members: u64 = pool.endpoints.iter().map(|endpoint| u64::from(endpoint.slots)).sum();
        format!("{} with {}", words::pool(dialect, pool), words::endpoints(dialect, members))
    };
    for &id in &comparison.added_pools {
        let pool = comparison.new.pool(id);
        outcome.changes.push(Change {
            kind: ChangeKind::PoolAdded,
            effect: Effect::Behavioural,
            subject: Subject { pool: Some(pool.name.value.clone()), endpoint: None },
            old: None,
            new: Some(describe(comparison.new.dialect, pool)),
            old_span: None,
            new_span: Some(pool.header),
        });
    }
    for &id in &comparison.removed_pools {
        let pool = comparison.old.pool(id);
        outcome.changes.push(Change {
            kind: ChangeKind::PoolRemoved,
            effect: Effect::Behavioural,
            subject: Subject { pool: Some(pool.name.value.clone()), endpoint: None },
            old: Some(describe(comparison.old.dialect, pool)),
            new: None,
            old_span: Some(pool.header),
            new_span: None,
        });
    }
    outcome.summary.pools_added = comparison.added_pools.len();
    outcome.summary.pools_removed = comparison.removed_pools.len();
}

fn mode(value: &Mode) -> String {
    match value {
        Mode::Http => "http",
        Mode::Tcp => "tcp",
        Mode::Other => "not client traffic",
    }
    .to_owned()
}

/// The pool's own rules before its algorithm, in order.
fn overrides(pool: &Pool) -> Shown {
    let labels: Vec<&str> = pool.overrides.iter().map(|rule| rule.label.as_str()).collect();
    if labels.is_empty() {
        return (None, None);
    }
    (Some(labels.join("; ")), pool.overrides.first().map(|rule| rule.span))
}

fn membership(pool: &Pool) -> Shown {
    match &pool.membership {
        Membership::Static => (Some("listed".to_owned()), None),
        Membership::Unknown(reason) => (Some(reason.clone()), Some(pool.header)),
    }
}

fn affinity(pool: &Pool) -> Shown {
    let read = |setting: &Setting<Affinity>| match &setting.value {
        Affinity::Cookie(name) => format!("cookie {name}"),
        Affinity::StickTable(key) => format!("stick on {key}"),
        Affinity::Other(text) => text.clone(),
    };
    let texts: Vec<String> = pool.affinity.iter().map(read).collect();
    let span = pool.affinity.first().and_then(Setting::span);
    if texts.is_empty() { (None, None) } else { (Some(texts.join(", ")), span) }
}

fn pool_checks(pool: &Pool) -> Shown {
    let texts: Vec<String> = pool.health_checks.iter().map(|check| health_check(&check.value)).collect();
    let span = pool.health_checks.first().and_then(Setting::span);
    if texts.is_empty() { (None, None) } else { (Some(texts.join(", ")), span) }
}

fn localities(pool: &Pool) -> Shown {
    let Some(span) = pool.locality_weighted else { return (None, None) };
    let read = |locality: &crate::model::Locality| {
        let weight =
            locality.weight.map_or_else(|| "no weight".to_owned(), |weight| weight.value.to_string());
        format!("{} {weight}", locality.name)
    };
    let mut texts: Vec<String> = pool.localities.iter().map(read).collect();
    texts.sort_unstable();
    (Some(format!("locality weights: {}", texts.join(", "))), Some(span))
}

/// A health check in a few words, timing included.
pub(super) fn health_check(check: &HealthCheck) -> String {
    let mut text = match &check.kind {
        CheckKind::Tcp => "TCP check".to_owned(),
        CheckKind::Http { path: Some(path) } => format!("HTTP check of {path}"),
        CheckKind::Http { path: None } => "HTTP check".to_owned(),
        CheckKind::Agent => "agent check".to_owned(),
        CheckKind::Track(server) => format!("tracks {server}"),
        CheckKind::Other(name) => format!("{name} check"),
    };
    let timing = &check.timing;
    let times = [("every", timing.interval), ("within", timing.timeout)];
    for (word, setting) in times {
        if let Some(setting) = setting {
            text += &format!(" {word} {}", duration(setting.value));
        }
    }
    let counts = [("fall", timing.fall), ("rise", timing.rise)];
    for (word, setting) in counts {
        if let Some(setting) = setting {
            text += &format!(" {word} {}", setting.value);
        }
    }
    text
}

/// Passive detection in a few words.
pub(super) fn outlier_detection(detection: &OutlierDetection) -> String {
    if detection.failures == 0 {
        return "never ejects".to_owned();
    }
    let mut text = format!("out after {} failures", detection.failures);
    if let Some(ejection) = detection.ejection {
        text += &format!(" for {}", duration(ejection));
    }
    if let Some(percent) = detection.max_ejection_percent {
        text += &format!(", at most {percent} % at once");
    }
    if detection.always_eject_one {
        text += ", one always";
    }
    text
}

/// "30s", "250ms", "1m30s".
pub(super) fn duration(value: Duration) -> String {
    if value.is_zero() {
        return "0".into();
    }
    let millis = value.as_millis();
    if !millis.is_multiple_of(1000) || millis == 0 {
        return if value.subsec_micros().is_multiple_of(1000) {
            format!("{millis}ms")
        } else {
            format!("{}us", value.as_micros())
        };
    }
    let seconds = millis / 1000;
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, 0, 0) => format!("{h}h"),
        (h, m, 0) => format!("{h}h{m}m"),
        (h, m, s) => format!("{h}h{m}m{s}s"),
    }
}
