//! The library's model as [`wire::Model`].

use std::collections::BTreeMap;
use std::time::Duration;

use lbcheck::describe::{Described, Describer};
use lbcheck::model::{
    Action, AdminState, Affinity, Algorithm, CheckKind, ClientAddress, Condition, Config, Endpoint, Gap,
    HashKey, HealthCheck, KeyVariety, Listener, Match, Membership, Mode, Origin, OutlierDetection, Pool,
    PoolId, PoolKind, Route, RouteTable, Setting, SubsetFallback, TableId, Target, TextMatch, Weakens,
};
use lbcheck::source::Span;
use lbcheck::traffic::pool_shares;

use crate::json::{location, rounded};
use crate::mask::{is_secret_header, is_secret_parameter};
use crate::view::{View, show};
use crate::wire;

pub(crate) fn configuration(view: &View<'_>, input: wire::Input, config: &Config) -> wire::Configuration {
    let dump = Dump { view, config, describer: Describer::new(config) };
    wire::Configuration {
        input,
        listeners: config.listeners.iter().map(|listener| dump.listener(listener)).collect(),
        tables: (0u32..).zip(&config.tables).map(|(id, table)| dump.table(TableId(id), table)).collect(),
        pools: config.pools.iter().map(|pool| dump.pool(pool)).collect(),
        client_address: match config.client_address {
            ClientAddress::Peer => "peer",
            ClientAddress::Restored(_) => "restored",
            ClientAddress::Behind(_) => "behind_proxy",
        },
        workers: config.workers.as_ref().map(|workers| dump.value(workers, |count| *count)),
        settings: dump.settings(dump.describer.config()),
        gaps: config.coverage.gaps.iter().map(|gap| dump.gap(gap)).collect(),
    }
}

struct Dump<'a> {
    view: &'a View<'a>,
    config: &'a Config,
    describer: Describer<'a>,
}

impl Dump<'_> {
    /// A name, which holds a secret only if one can see that it does.
    fn name(&self, text: &str) -> String {
        show(text).into_owned()
    }

    /// The dialect's own words, which may hold one.
    fn words(&self, text: &str) -> String {
        self.view.words(text)
    }

    fn location(&self, span: Span) -> wire::Location {
        location(self.view, span)
    }

    fn value<T, U>(&self, setting: &Setting<T>, convert: impl FnOnce(&T) -> U) -> wire::Value<U> {
        let (origin, span, note) = match setting.origin {
            Origin::Written(span) => (wire::OriginName::Written, Some(span), None),
            Origin::Inherited(span) => (wire::OriginName::Inherited, Some(span), None),
            Origin::Default(note) => (wire::OriginName::Default, None, Some(note)),
        };
        wire::Value {
            value: convert(&setting.value),
            origin,
            location: span.map(|span| self.location(span)),
            note,
        }
    }

    fn copied<T: Copy>(&self, setting: Option<&Setting<T>>) -> Option<wire::Value<T>> {
        setting.map(|setting| self.value(setting, |value| *value))
    }

    fn seconds(&self, setting: Option<&Setting<Duration>>) -> Option<wire::Value<f64>> {
        setting.map(|setting| self.value(setting, Duration::as_secs_f64))
    }

    fn settings(&self, described: Vec<Described>) -> Vec<wire::Setting> {
        let shown = |described: Described| {
            let text = described.value?.in_full();
            Some(wire::Setting {
                name: described.name,
                value: self.words(&self.view.say_at(described.place, &text)),
                class: described.class.as_str(),
                location: described.place.map(|span| self.location(span)),
            })
        };
        described.into_iter().filter_map(shown).collect()
    }

    fn listener(&self, listener: &Listener) -> wire::Listener {
        wire::Listener {
            name: self.name(&listener.name.value),
            mode: mode(&listener.mode),
            binds: listener
                .binds
                .iter()
                .map(|bind| wire::Bind {
                    host: self.name(&bind.host),
                    ports: bind.ports,
                    tls: bind.tls,
                    accept_proxy: bind.accept_proxy,
                    location: self.location(bind.span),
                })
                .collect(),
            table: listener.table.0,
            settings: self.settings(self.describer.listener(listener)),
            location: self.location(listener.span),
        }
    }

    fn table(&self, id: TableId, table: &RouteTable) -> wire::RouteTable {
        wire::RouteTable {
            label: self.words(&table.label),
            settings: self.settings(self.describer.table(id)),
            routes: table.routes.iter().map(|route| self.route(route)).collect(),
        }
    }

    fn route(&self, route: &Route) -> wire::Route {
        wire::Route {
            label: self.words(&route.label),
            when: self.condition(&route.when),
            action: self.action(&route.action),
            mirrors: route
                .mirrors
                .iter()
                .map(|mirror| wire::Mirror {
                    target: self.target(&mirror.target),
                    share: f64::from(mirror.share_ppm) / 1e6,
                })
                .collect(),
            metadata: self.metadata(&route.metadata),
            hash_policies: route.hash_policies.iter().map(|policy| self.words(&policy.key)).collect(),
            settings: self.settings(self.describer.route(route)),
            location: self.location(route.span),
        }
    }

    /// Readers build conditions at most eight levels deep, so this may recurse.
    fn condition(&self, condition: &Condition) -> wire::Condition {
        let several = |parts: &[Condition]| parts.iter().map(|part| self.condition(part)).collect();
        match condition {
            Condition::Always => wire::Condition::Always,
            Condition::Never => wire::Condition::Never,
            Condition::All(parts) => wire::Condition::All(several(parts)),
            Condition::Any(parts) => wire::Condition::Any(several(parts)),
            Condition::Not(part) => wire::Condition::Not(Box::new(self.condition(part))),
            Condition::Is(test) => wire::Condition::Is(self.test(test)),
            Condition::Chance(ppm) => wire::Condition::Chance(f64::from(*ppm) / 1e6),
            Condition::Opaque(text) => wire::Condition::Opaque(self.words(text)),
        }
    }

    fn test(&self, test: &Match) -> wire::Test {
        let plain = |property, operator, value| wire::Test {
            property,
            name: None,
            operator,
            value,
            ignore_case: false,
        };
        match test {
            Match::Host(text) => self.text_test("host", None, text),
            Match::HostName(text) => self.text_test("host_name", None, text),
            Match::Path(text) => self.text_test("path", None, text),
            Match::Target(text) => self.text_test("target", None, text),
            Match::Method(text) => self.text_test("method", None, text),
            Match::Header(name, text) => self.text_test("header", Some(name), text),
            Match::HeaderLine(name, text) => self.text_test("header_line", Some(name), text),
            Match::Query(name, text) => self.text_test("query", Some(name), text),
            Match::Cookie(name, text) => self.text_test("cookie", Some(name), text),
            Match::Sni(text) => self.text_test("sni", None, text),
            Match::Source(network) => plain("source", "network", Some(self.name(network))),
            Match::Port(port) => plain("port", "exact", Some(port.to_string())),
            Match::Tls => plain("tls", "present", None),
        }
    }

    fn text_test(&self, property: &'static str, name: Option<&String>, text: &TextMatch) -> wire::Test {
        let (text, ignore_case) = match text {
            TextMatch::IgnoreCase(inner) => (inner.as_ref(), true),
            other => (other, false),
        };
        let range;
        let (operator, value) = match text {
            TextMatch::Between(from, to) => {
                range = format!("{from}:{to}");
                ("between", Some(&range))
            }
            TextMatch::Exact(value) => ("exact", Some(value)),
            TextMatch::Prefix(value) => ("prefix", Some(value)),
            TextMatch::Suffix(value) => ("suffix", Some(value)),
            TextMatch::Contains(value) => ("contains", Some(value)),
            TextMatch::SegmentPrefix(value) => ("segment_prefix", Some(value)),
            TextMatch::Regex(value) => ("regex", Some(value)),
            // Nothing reads without regard to case twice.
            TextMatch::Present | TextMatch::IgnoreCase(_) => ("present", None),
        };
        let secret = name
            .is_some_and(|name| is_secret_header(name) || (property == "query" && is_secret_parameter(name)));
        let shown = |value: &String| if secret { "***".to_owned() } else { self.words(value) };
        wire::Test {
            property,
            name: name.map(|name| self.name(name)),
            operator,
            value: value.map(shown),
            ignore_case,
        }
    }

    fn action(&self, action: &Action) -> wire::Action {
        match action {
            Action::Forward(target) => wire::Action::Forward(self.target(target)),
            Action::Split(arms) => wire::Action::Split(
                arms.iter()
                    .map(|arm| wire::Arm { target: self.target(&arm.target), weight: arm.weight })
                    .collect(),
            ),
            Action::Endpoint { pool, endpoint } => {
                wire::Action::Endpoint { pool: self.pool_name(*pool), endpoint: self.name(&endpoint.value) }
            }
            Action::Table(table) => wire::Action::Table(table.0),
            Action::Respond(response) => {
                wire::Action::Respond { status: response.status, kind: self.words(&response.kind) }
            }
            Action::Local(text) => wire::Action::Local(self.words(text)),
            Action::Opaque(text) => wire::Action::Opaque(self.words(text)),
        }
    }

    fn target(&self, target: &Target) -> wire::Target {
        match target {
            Target::Pool { pool, .. } => wire::Target::Pool(self.pool_name(*pool)),
            Target::Undefined(name) => wire::Target::Undefined(self.name(&name.value)),
            Target::Dynamic { text, candidates, .. } => wire::Target::Dynamic {
                text: self.words(&text.value),
                candidates: candidates.iter().map(|pool| self.pool_name(*pool)).collect(),
            },
        }
    }

    fn pool_name(&self, pool: PoolId) -> String {
        self.words(&self.config.pool(pool).name.value)
    }

    fn pool(&self, pool: &Pool) -> wire::Pool {
        let shares = pool_shares(self.config.dialect, pool);
        let share = |index: usize| shares.shares.get(index).copied().and_then(rounded);
        wire::Pool {
            name: self.words(&pool.name.value),
            declared: pool.kind == PoolKind::Declared,
            mode: self.value(&pool.mode, mode),
            algorithm: self.value(&pool.algorithm, |algorithm| self.name(&algorithm.policy_name())),
            hash_key: hash_key(&pool.algorithm.value).map(|key| self.words(key)),
            key_variety: pool.key_variety.map(|variety| match variety {
                KeyVariety::Listener => "listener",
                KeyVariety::Host => "host",
            }),
            subsets: pool.subsets.as_ref().map(|subsets| wire::Subsets {
                selectors: subsets
                    .selectors
                    .iter()
                    .map(|keys| keys.iter().map(|key| self.words(key)).collect())
                    .collect(),
                fallback: match subsets.fallback {
                    SubsetFallback::Refuse => "refuse",
                    SubsetFallback::Any => "any",
                    SubsetFallback::Other => "other",
                },
            }),
            locality_weighted: pool.locality_weighted.is_some(),
            overprovisioning_percent: self.copied(pool.overprovisioning_percent.as_ref()),
            panic_threshold_percent: self.copied(pool.panic_threshold_percent.as_ref()),
            shared_state: pool.shared_state.is_some(),
            membership_unknown: match &pool.membership {
                Membership::Static => None,
                Membership::Unknown(reason) => Some(self.words(reason)),
            },
            certainty: shares.certainty.as_str(),
            assumptions: shares.assumptions.iter().map(|text| self.words(text)).collect(),
            endpoints: pool
                .endpoints
                .iter()
                .enumerate()
                .map(|(index, endpoint)| self.endpoint(pool, endpoint, share(index)))
                .collect(),
            localities: pool
                .localities
                .iter()
                .map(|locality| wire::Locality {
                    name: self.name(&locality.name),
                    weight: self.copied(locality.weight.as_ref()),
                    priority: locality.priority,
                })
                .collect(),
            affinity: pool
                .affinity
                .iter()
                .map(|setting| self.value(setting, |affinity| self.affinity(affinity)))
                .collect(),
            health_checks: pool.health_checks.iter().map(|setting| self.check(setting)).collect(),
            outlier_detection: pool.outlier_detection.as_ref().map(|setting| self.outlier(setting)),
            all_backups: self.copied(pool.all_backups.as_ref()),
            timeouts: wire::Timeouts {
                connect: self.seconds(pool.timeouts.connect.as_ref()),
                response: self.seconds(pool.timeouts.response.as_ref()),
                queue: self.seconds(pool.timeouts.queue.as_ref()),
            },
            retries: wire::Retries {
                attempts: self.copied(pool.retries.attempts.as_ref()),
                redispatch: self.copied(pool.retries.redispatch.as_ref()),
                on: pool.retries.on.as_ref().map(|setting| self.value(setting, |on| self.words(on))),
            },
            limits: wire::Limits {
                max_connections: self.copied(pool.limits.max_connections.as_ref()),
                max_pending: self.copied(pool.limits.max_pending.as_ref()),
                max_requests: self.copied(pool.limits.max_requests.as_ref()),
                max_retries: self.copied(pool.limits.max_retries.as_ref()),
            },
            overrides: pool.overrides.iter().map(|route| self.route(route)).collect(),
            disabled: pool.disabled.is_some(),
            answers_locally: pool.answers_locally.is_some(),
            settings: self.settings(self.describer.pool(pool)),
            location: self.location(pool.header),
        }
    }

    fn affinity(&self, affinity: &Affinity) -> String {
        match affinity {
            Affinity::Cookie(name) => format!("cookie {}", self.name(name)),
            Affinity::StickTable(key) => format!("stick on {}", self.words(key)),
            Affinity::Other(text) => self.words(text),
        }
    }

    fn metadata(&self, metadata: &[(String, String)]) -> BTreeMap<String, String> {
        metadata
            .iter()
            .map(|(key, value)| {
                let secret = is_secret_parameter(key);
                (self.words(key), if secret { "***".to_owned() } else { self.words(value) })
            })
            .collect()
    }

    fn endpoint(&self, pool: &Pool, endpoint: &Endpoint, share: Option<f64>) -> wire::Endpoint {
        wire::Endpoint {
            name: self.words(&endpoint.name.value),
            address: self.words(&endpoint.address.to_string()),
            share,
            weight: self.value(&endpoint.weight, |weight| *weight),
            tier: self.value(&endpoint.tier, |tier| *tier),
            state: self.value(&endpoint.state, |state| match state {
                AdminState::Enabled => "enabled",
                AdminState::Disabled => "disabled",
                AdminState::Draining => "draining",
            }),
            check: endpoint.check.as_ref().map(|setting| self.check(setting)),
            check_disabled: endpoint.check_disabled.is_some(),
            outlier_detection: endpoint.outlier_detection.as_ref().map(|setting| self.outlier(setting)),
            max_connections: self.copied(endpoint.max_connections.as_ref()),
            max_queue: self.copied(endpoint.max_queue.as_ref()),
            tls: self.copied(endpoint.tls.as_ref()),
            slots: endpoint.slots,
            metadata: self.metadata(&endpoint.metadata),
            expands: endpoint.expands,
            locality: endpoint.locality,
            settings: self.settings(self.describer.endpoint(pool, endpoint)),
            location: self.location(endpoint.span),
        }
    }

    fn check(&self, setting: &Setting<HealthCheck>) -> wire::Value<wire::HealthCheck> {
        self.value(setting, |check| {
            let (kind, target) = match &check.kind {
                CheckKind::Tcp => ("tcp", None),
                CheckKind::Http { path } => ("http", path.as_deref()),
                CheckKind::Agent => ("agent", None),
                CheckKind::Track(server) => ("track", Some(server.as_str())),
                CheckKind::Other(name) => (name.as_str(), None),
            };
            wire::HealthCheck {
                kind: self.name(kind),
                target: target.map(|target| self.words(target)),
                interval: self.seconds(check.timing.interval.as_ref()),
                timeout: self.seconds(check.timing.timeout.as_ref()),
                fall: self.copied(check.timing.fall.as_ref()),
                rise: self.copied(check.timing.rise.as_ref()),
            }
        })
    }

    fn outlier(&self, setting: &Setting<OutlierDetection>) -> wire::Value<wire::OutlierDetection> {
        self.value(setting, |detection| wire::OutlierDetection {
            failures: detection.failures,
            ejection: detection.ejection.map(|ejection| ejection.as_secs_f64()),
            max_ejection_percent: detection.max_ejection_percent,
        })
    }

    fn gap(&self, gap: &Gap) -> wire::Gap {
        let (weakens, pool) = match gap.weakens {
            Weakens::Pool(pool) => ("pool", Some(self.pool_name(pool))),
            Weakens::Routing => ("routing", None),
            Weakens::Everything => ("everything", None),
        };
        wire::Gap { what: self.words(&gap.what), weakens, pool, location: self.location(gap.span) }
    }
}

fn mode(mode: &Mode) -> &'static str {
    match mode {
        Mode::Http => "http",
        Mode::Tcp => "tcp",
        Mode::Other => "other",
    }
}

fn hash_key(algorithm: &Algorithm) -> Option<&str> {
    let Algorithm::Hash { key, .. } = algorithm else { return None };
    Some(match key {
        HashKey::Source => "the client's address",
        HashKey::Expression(text) | HashKey::Constant(text) => text,
        HashKey::RoutePolicy => "as the route's hash policy says",
    })
}
