//! Endpoints before and after.

use super::settings::{change, health_check, outlier_detection, shown};
use super::{Comparison, Outcome, PoolPair};
use crate::diagnostic::Subject;
use crate::dialect::Dialect;
use crate::model::{AdminState, Algorithm, Endpoint, HashTable, HealthCheck, Pool};
use crate::report::{Change, ChangeKind, Effect};
use crate::words;

/// The endpoints of a pair of pools.
pub(super) fn compare(comparison: &Comparison<'_>, pair: &PoolPair, outcome: &mut Outcome) {
    let (old_side, new_side) = comparison.sides(pair);
    outcome.changes.extend(order(comparison.new.dialect, old_side.pool, new_side.pool, pair));
    for both in &pair.endpoints {
        let old = both.old.map(|index| &old_side.pool.endpoints[index]);
        let new = both.new.map(|index| &new_side.pool.endpoints[index]);
        let Some(named) = new.or(old) else { continue };
        let subject = Subject {
            pool: Some(new_side.pool.name.value.clone()),
            endpoint: Some(named.name.value.clone()),
        };
        match (old, new) {
            (Some(old), Some(new)) => {
                let before = outcome.changes.len();
                settings(comparison.new.dialect, &subject, old, new, &mut outcome.changes);
                let changed =
                    outcome.changes[before..].iter().any(|change| change.effect == Effect::Behavioural);
                outcome.summary.endpoints_changed += usize::from(changed);
            }
            (None, Some(new)) => {
                outcome.summary.endpoints_added += 1;
                let text = Some(describe(new));
                outcome.changes.extend(change(
                    ChangeKind::EndpointAdded,
                    &subject,
                    (None, None),
                    (text, Some(new.span)),
                ));
            }
            (Some(old), None) => {
                outcome.summary.endpoints_removed += 1;
                let text = Some(describe(old));
                outcome.changes.extend(change(
                    ChangeKind::EndpointRemoved,
                    &subject,
                    (text, Some(old.span)),
                    (None, None),
                ));
            }
            (None, None) => {}
        }
    }
}

/// The order of endpoints that are on both sides, where it decides anything.
fn order(dialect: Dialect, old: &Pool, new: &Pool, pair: &PoolPair) -> Option<Change> {
    let old_order: Vec<usize> =
        pair.endpoints.iter().filter(|both| both.new.is_some()).filter_map(|both| both.old).collect();
    if old_order.is_sorted() || !order_decides(dialect, new) {
        return None;
    }
    let names = |pool: &Pool| {
        let all: Vec<&str> = pool.endpoints.iter().map(|endpoint| endpoint.name.value.as_str()).collect();
        format!("order {}", words::names(all.into_iter(), 5))
    };
    let subject = Subject { pool: Some(new.name.value.clone()), endpoint: None };
    Some(Change {
        kind: ChangeKind::EndpointsReordered,
        effect: Effect::Behavioural,
        subject,
        old: Some(names(old)),
        new: Some(names(new)),
        old_span: Some(old.header),
        new_span: Some(new.header),
    })
}

/// Whether the order of a pool's endpoints decides where keys or traffic go: tables that are filled in order,
/// HAProxy rings of numbered servers without ids, and backups of which the first serves.
fn order_decides(dialect: Dialect, pool: &Pool) -> bool {
    let unnumbered = pool.endpoints.iter().any(|endpoint| endpoint.id.is_none());
    let backups = pool.endpoints.iter().filter(|endpoint| endpoint.tier.value > 0).count();
    let first_backup = backups > 1 && pool.all_backups.is_some_and(|all| !all.value);
    let by_table = match &pool.algorithm.value {
        Algorithm::First => unnumbered,
        Algorithm::Hash { table: HashTable::Map | HashTable::IpHash, .. } => true,
        Algorithm::Hash { table: HashTable::Ring, .. } => unnumbered,
        Algorithm::Random { .. } => dialect == Dialect::HaProxy && unnumbered,
        _ => false,
    };
    by_table || first_backup
}

fn describe(endpoint: &Endpoint) -> String {
    format!("{} weight {}", endpoint.address, endpoint.weight.value)
}

fn settings(dialect: Dialect, subject: &Subject, old: &Endpoint, new: &Endpoint, changes: &mut Vec<Change>) {
    // Where the name is the address's own text, writing it differently changes neither.
    if old.name.value != new.name.value && old.address == new.address {
        changes.push(Change {
            kind: ChangeKind::EndpointRenamed,
            effect: Effect::Cosmetic,
            subject: subject.clone(),
            old: Some(old.name.value.clone()),
            new: Some(new.name.value.clone()),
            old_span: Some(old.name.span),
            new_span: Some(new.name.span),
        });
    }
    let mut add = |kind, before, after| changes.extend(change(kind, subject, before, after));
    let address = |endpoint: &Endpoint| (Some(endpoint.address.to_string()), Some(endpoint.span));
    add(ChangeKind::AddressChanged, address(old), address(new));
    let weight = |endpoint: &Endpoint| {
        (Some(endpoint.weight.value.to_string()), Some(endpoint.weight.span().unwrap_or(endpoint.span)))
    };
    add(ChangeKind::WeightChanged, weight(old), weight(new));
    let slots = |endpoint: &Endpoint| (Some(format!("{} slots", endpoint.slots)), Some(endpoint.span));
    add(ChangeKind::LimitChanged, slots(old), slots(new));
    let tier = |endpoint: &Endpoint| {
        (Some(tier_words(dialect, endpoint.tier.value)), Some(endpoint.tier.span().unwrap_or(endpoint.span)))
    };
    add(ChangeKind::TierChanged, tier(old), tier(new));
    let state = |endpoint: &Endpoint| {
        let word = match endpoint.state.value {
            AdminState::Enabled => "enabled",
            AdminState::Disabled => "disabled",
            AdminState::Draining => "draining",
        };
        (Some(word.to_owned()), Some(endpoint.state.span().unwrap_or(endpoint.span)))
    };
    add(ChangeKind::StateChanged, state(old), state(new));
    let check = |endpoint: &Endpoint| match (&endpoint.check, endpoint.check_disabled) {
        (Some(check), _) => shown(Some(check), |value: &HealthCheck| health_check(value)),
        (None, Some(span)) => (Some("not checked".to_owned()), Some(span)),
        (None, None) => (None, Some(endpoint.span)),
    };
    add(ChangeKind::HealthCheckChanged, check(old), check(new));
    let outlier = |endpoint: &Endpoint| shown(endpoint.outlier_detection.as_ref(), outlier_detection);
    add(ChangeKind::OutlierDetectionChanged, outlier(old), outlier(new));
    let limits = |endpoint: &Endpoint| {
        [
            ("max connections", endpoint.max_connections),
            ("min connections", endpoint.min_connections),
            ("max queue", endpoint.max_queue),
        ]
    };
    for ((name, before), (_, after)) in limits(old).into_iter().zip(limits(new)) {
        // 0 and nothing both mean no limit.
        let before = before.filter(|limit| limit.value > 0);
        let after = after.filter(|limit| limit.value > 0);
        let read = |value: &u64| format!("{name} {value}");
        add(ChangeKind::LimitChanged, shown(before.as_ref(), read), shown(after.as_ref(), read));
    }
    let cookie = |value: &String| format!("cookie value {value}");
    add(
        ChangeKind::StickinessChanged,
        shown(old.cookie.as_ref(), cookie),
        shown(new.cookie.as_ref(), cookie),
    );
    let id = |value: &u32| format!("id {value}");
    add(ChangeKind::StickinessChanged, shown(old.id.as_ref(), id), shown(new.id.as_ref(), id));
    let hash_key = |value: &String| format!("hash key {value}");
    add(
        ChangeKind::StickinessChanged,
        shown(old.hash_key.as_ref(), hash_key),
        shown(new.hash_key.as_ref(), hash_key),
    );
    let tls = |value: &bool| if *value { "TLS" } else { "plain text" }.to_owned();
    let plain = |endpoint: &Endpoint| endpoint.tls.filter(|tls| tls.value);
    add(ChangeKind::TlsChanged, shown(plain(old).as_ref(), tls), shown(plain(new).as_ref(), tls));
}

fn tier_words(dialect: Dialect, tier: u32) -> String {
    match (dialect, tier) {
        (Dialect::Envoy, tier) => format!("priority {tier}"),
        (_, 0) => "active".to_owned(),
        (_, _) => "backup".to_owned(),
    }
}
