//! Pools and endpoints, taken apart.

use super::detection::{duration, health_check, other_times, outlier_detection};
use super::{Described, Describer, Value, pairs};
use crate::change_kind::ChangeKind;
use crate::dialect::{Dialect, Tiers};
use crate::effect::EffectClass;
use crate::model::{
    AdminState, Affinity, Algorithm, Endpoint, HashFunction, HashKey, HashTable, KeyVariety, Locality,
    Membership, Mode, Pool, PoolLimits, Retries, RetryBudget, Setting, SubsetFallback, Subsets, Timeouts,
};
use crate::words;

impl Describer<'_> {
    /// The pool's own settings: all but its endpoints.
    #[must_use]
    pub fn pool(&self, pool: &Pool) -> Vec<Described> {
        let Pool {
            name: _,
            kind: _,
            mode,
            header: _,
            extent: _,
            algorithm,
            key_variety,
            hash_type: _,
            subsets,
            endpoints: _,
            membership,
            localities: _,
            locality_weighted,
            affinity,
            health_checks,
            checks_asked: _,
            outlier_detection: outlier,
            all_backups,
            overprovisioning_percent,
            panic_threshold_percent,
            timeouts: Timeouts { connect, response, queue },
            retries: Retries { attempts, on, redispatch },
            limits:
                PoolLimits {
                    max_connections,
                    max_pending,
                    max_requests,
                    max_retries,
                    retry_budget,
                    full_connections,
                },
            answers_locally,
            disabled,
            shared_state,
            overrides,
        } = pool;
        let tier = |name| Described::new(ChangeKind::TierChanged, name, EffectClass::Availability);
        let state = if disabled.is_some() { "disabled" } else { "enabled" };
        let stuck: Vec<String> = affinity.iter().map(|setting| self::affinity(&setting.value)).collect();
        let checks: Vec<String> = health_checks.iter().map(|setting| health_check(&setting.value)).collect();
        let times: Vec<String> =
            health_checks.iter().filter_map(|setting| other_times(&setting.value)).collect();
        let checked_at = health_checks.first().and_then(Setting::span);
        let (members, members_at) = match membership {
            Membership::Static => ("listed", None),
            Membership::Unknown(reason) => (reason.as_str(), Some(pool.header)),
        };
        let mut all = vec![
            Described::without_effect("name", "pools are told apart by it, and what refers to one says so"),
            Described::without_effect("kind", "whether it has a block of its own shows in what it is called"),
            Described::without_effect("header and extent", "where it is written"),
            Described::without_effect("hash type", "where the hash function of the algorithm is chosen"),
            Described::without_effect("checks asked", "whoever is checked says so, and how"),
            Described::new(ChangeKind::AlgorithmChanged, "algorithm", EffectClass::Share)
                .value(Some(words::algorithm(self.config.dialect, &algorithm.value)))
                .rest(parameters(&algorithm.value).chain(key_variety.map(variety)).collect())
                .at(algorithm.span()),
            Described::new(ChangeKind::RouteChanged, "subsets", EffectClass::Share)
                .value(subsets.as_ref().map(self::subsets))
                .at(subsets.as_ref().map(|subsets| subsets.span)),
            Described::new(ChangeKind::ModeChanged, "mode", EffectClass::Routing)
                .setting(Some(mode), |mode| mode_word(*mode).to_owned()),
            Described::new(ChangeKind::MembershipChanged, "members", EffectClass::Share)
                .value(Some(members.to_owned()))
                .at(members_at),
            Described::new(ChangeKind::StickinessChanged, "stickiness", EffectClass::Share)
                .value(joined(&stuck))
                .at(affinity.first().and_then(Setting::span)),
            Described::new(ChangeKind::HealthCheckChanged, "health checks", EffectClass::Availability)
                .value(joined(&checks))
                .at(checked_at),
            Described::new(ChangeKind::HealthCheckChanged, "check times", EffectClass::Availability)
                .value(joined(&times))
                .at(checked_at),
            Described::new(
                ChangeKind::OutlierDetectionChanged,
                "outlier detection",
                EffectClass::Availability,
            )
            .value(outlier.as_ref().map(|setting| outlier_detection(&setting.value)))
            .at(outlier.as_ref().and_then(Setting::span)),
        ];
        for (name, setting) in
            [("connect timeout", connect), ("response timeout", response), ("queue timeout", queue)]
        {
            all.push(
                Described::new(ChangeKind::TimeoutChanged, name, EffectClass::Time)
                    .setting(setting.as_ref(), |time| format!("{name} {}", duration(*time))),
            );
        }
        all.extend(retries(attempts.as_ref(), on.as_ref(), redispatch.as_ref()));
        for (name, setting) in [
            ("max connections", max_connections),
            ("max pending", max_pending),
            ("max requests", max_requests),
            ("max retries", max_retries),
            ("fullconn", full_connections),
        ] {
            all.push(limit(name, setting.as_ref()));
        }
        all.extend([
            Described::new(ChangeKind::LimitChanged, "retry budget", EffectClass::Capacity)
                .setting(retry_budget.as_ref(), budget),
            tier("all backups").setting(all_backups.as_ref(), |all| {
                if *all { "all backups share" } else { "only the first backup serves" }.to_owned()
            }),
            tier("overprovisioning").setting(overprovisioning_percent.as_ref(), |percent| {
                format!("overprovisioning {percent} %")
            }),
            tier("panic threshold")
                .setting(panic_threshold_percent.as_ref(), |percent| format!("panic below {percent} %")),
            Described::new(ChangeKind::LocalityChanged, "locality weights", EffectClass::Share)
                .value(localities(pool))
                .at(*locality_weighted),
            Described::new(ChangeKind::StateChanged, "state", EffectClass::Availability)
                .value(Some(state.to_owned()))
                .at(*disabled),
            Described::new(ChangeKind::StateChanged, "shared state", EffectClass::Share)
                .value(Some(
                    match shared_state {
                        Some(_) => "state shared by all workers",
                        None => "state of each worker's own",
                    }
                    .to_owned(),
                ))
                .at(*shared_state),
            Described::new(ChangeKind::RouteChanged, "answered by the proxy", EffectClass::Routing)
                .mark(*answers_locally, "answered by the proxy itself"),
            Described::new(ChangeKind::RouteChanged, "own rules", EffectClass::Routing)
                .value(self.rules(overrides))
                .at(overrides.first().map(|rule| rule.span)),
        ]);
        all
    }

    /// The settings of an endpoint of `pool`.
    #[must_use]
    pub fn endpoint(&self, pool: &Pool, endpoint: &Endpoint) -> Vec<Described> {
        let Endpoint {
            name: _,
            address,
            span,
            weight,
            tier,
            state,
            degraded,
            check,
            check_disabled,
            outlier_detection: outlier,
            max_connections,
            min_connections,
            max_queue,
            cookie,
            id,
            locality,
            metadata,
            hash_key,
            tls,
            slots,
            first_slot,
            expands,
        } = endpoint;
        let here = Some(*span);
        let stuck = |name| Described::new(ChangeKind::StickinessChanged, name, EffectClass::Share);
        let state_word = match state.value {
            AdminState::Enabled => "enabled",
            AdminState::Disabled => "disabled",
            AdminState::Draining => "draining",
        };
        let (checked, checked_at) = match (check, check_disabled) {
            (Some(check), _) => (Some(health_check(&check.value)), check.span()),
            (None, Some(span)) => (Some("not checked".to_owned()), Some(*span)),
            (None, None) => (None, here),
        };
        // 0 and nothing both mean no limit.
        let some = |limit: &Option<Setting<u64>>| limit.filter(|limit| limit.value > 0);
        let no_weights = pool.locality_weighted.is_none().then_some("localities have no weights");
        let no_subsets = pool.subsets.is_none().then_some("the pool has no subsets");
        let locality = locality.and_then(|index| pool.localities.get(index));
        vec![
            Described::without_effect("name", "endpoints are told apart by it"),
            Described::without_effect("span", "where it is written"),
            Described::new(ChangeKind::AddressChanged, "address", EffectClass::Routing)
                .value(Some(address.to_string()))
                .at(here),
            Described::new(ChangeKind::WeightChanged, "weight", EffectClass::Share)
                .value(Some(weight.value.to_string()))
                .at(weight.span().or(here)),
            Described::new(ChangeKind::LimitChanged, "slots", EffectClass::Capacity)
                .value(Some(format!("{slots} slots")))
                .rest(if *slots > 1 { vec![format!("from number {first_slot}")] } else { Vec::new() })
                .at(here),
            Described::new(ChangeKind::MembershipChanged, "addresses of the name", EffectClass::Share)
                .value(Some(
                    match expands {
                        true => "every address of the name",
                        false => "one address",
                    }
                    .to_owned(),
                ))
                .at(here),
            Described::new(ChangeKind::TierChanged, "tier", EffectClass::Availability)
                .value(Some(tier_word(self.config.dialect, tier.value)))
                .at(tier.span().or(here)),
            Described::new(ChangeKind::StateChanged, "state", EffectClass::Availability)
                .value(Some(state_word.to_owned()))
                .at(state.span().or(here)),
            Described::new(ChangeKind::StateChanged, "degraded", EffectClass::Availability)
                .value(Some(if degraded.is_some() { "degraded" } else { "not degraded" }.to_owned()))
                .at(degraded.or(here)),
            Described::new(ChangeKind::HealthCheckChanged, "health check", EffectClass::Availability)
                .value(checked)
                .at(checked_at),
            Described::new(ChangeKind::HealthCheckChanged, "check times", EffectClass::Availability)
                .value(check.as_ref().and_then(|check| other_times(&check.value)))
                .at(checked_at),
            Described::new(
                ChangeKind::OutlierDetectionChanged,
                "outlier detection",
                EffectClass::Availability,
            )
            .value(outlier.as_ref().map(|setting| outlier_detection(&setting.value)))
            .at(outlier.as_ref().and_then(Setting::span)),
            limit("max connections", some(max_connections).as_ref()),
            limit("min connections", some(min_connections).as_ref()),
            limit("max queue", some(max_queue).as_ref()),
            stuck("cookie value").setting(cookie.as_ref(), |value| format!("cookie value {value}")),
            stuck("id").setting(id.as_ref(), |id| format!("id {id}")),
            stuck("hash key").setting(hash_key.as_ref(), |key| format!("hash key {key}")),
            Described::new(ChangeKind::LocalityChanged, "locality", EffectClass::Share)
                .value(locality.map(|locality| format!("locality {}", locality.name)))
                .at(locality.map(|locality| locality.span))
                .unless(no_weights),
            Described::new(ChangeKind::RouteChanged, "metadata", EffectClass::Share)
                .value(pairs("metadata", metadata))
                .at(here)
                .unless(no_subsets),
            Described::new(ChangeKind::TlsChanged, "TLS", EffectClass::Security)
                .setting(tls.filter(|tls| tls.value).as_ref(), |_| "TLS".to_owned()),
        ]
    }
}

/// Attempts of a pool.
fn retries(
    attempts: Option<&Setting<u32>>,
    on: Option<&Setting<String>>,
    redispatch: Option<&Setting<i32>>,
) -> [Described; 3] {
    let part = |name| Described::new(ChangeKind::RetriesChanged, name, EffectClass::Availability);
    [
        part("retries").setting(attempts, |count| format!("{count} retries")),
        part("retry on").setting(on, |on| format!("retry on {on}")),
        part("redispatch").setting(redispatch, |after| format!("redispatch {after}")),
    ]
}

fn limit(name: &'static str, setting: Option<&Setting<u64>>) -> Described {
    Described::new(ChangeKind::LimitChanged, name, EffectClass::Capacity)
        .setting(setting, |limit| format!("{name} {limit}"))
}

fn budget(budget: &RetryBudget) -> String {
    let RetryBudget { percent_milli, at_least } = budget;
    format!("retry budget {} %, at least {at_least}", f64::from(*percent_milli) / 1000.0)
}

fn tier_word(dialect: Dialect, tier: u32) -> String {
    match (dialect.description().tiers, tier) {
        (Tiers::Levels, tier) => format!("priority {tier}"),
        (Tiers::Backups, 0) => "active".to_owned(),
        (Tiers::Backups, _) => "backup".to_owned(),
    }
}

pub(super) fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Http => "http",
        Mode::Tcp => "tcp",
        Mode::Other => "not client traffic",
    }
}

fn joined(all: &[String]) -> Option<String> {
    (!all.is_empty()).then(|| all.join(", "))
}

fn affinity(affinity: &Affinity) -> String {
    match affinity {
        Affinity::Cookie(name) => format!("cookie {name}"),
        Affinity::StickTable(key) => format!("stick on {key}"),
        Affinity::Other(text) => text.clone(),
    }
}

/// What the words for an algorithm leave out, because it is what the product does by itself or hardly matters.
fn parameters(algorithm: &Algorithm) -> impl Iterator<Item = String> {
    // A subset balancer holds no other subset balancer.
    let algorithm = match algorithm {
        Algorithm::Subset(inner) => inner,
        other => other,
    };
    let parts = match algorithm {
        Algorithm::LeastConnections { choices: _, bias_milli } => {
            let exact = format!("bias {}", f64::from(*bias_milli) / 1000.0);
            [(!bias_milli.is_multiple_of(100)).then_some(exact), None, None]
        }
        Algorithm::Random { draws: _, weighted, by: _ } => {
            [(!weighted).then(|| "whatever the weights".to_owned()), None, None]
        }
        Algorithm::Hash { key, table, function, balance_factor: _ } => {
            let of = match (table, key) {
                (HashTable::EnvoyRing { .. } | HashTable::Maglev { .. }, HashKey::Source) => {
                    Some("of the client address".to_owned())
                }
                (HashTable::EnvoyRing { .. } | HashTable::Maglev { .. }, HashKey::Expression(text)) => {
                    Some(format!("of {text}"))
                }
                _ => None,
            };
            let most = match table {
                HashTable::EnvoyRing { min: 1024, max } if *max != 8_388_608 => {
                    Some(format!("at most {max} entries"))
                }
                _ => None,
            };
            [of, most, hash_function(key, *table, *function)]
        }
        Algorithm::RoundRobin
        | Algorithm::StaticRoundRobin
        | Algorithm::LeastTime(_)
        | Algorithm::First
        | Algorithm::Subset(_)
        | Algorithm::OriginalDestination
        | Algorithm::ClusterProvided
        | Algorithm::StickyLog
        | Algorithm::External(_)
        | Algorithm::Unknown(_) => [None, None, None],
    };
    parts.into_iter().flatten()
}

/// The hash function, unless it is the one that is used where nobody chooses.
fn hash_function(key: &HashKey, table: HashTable, function: HashFunction) -> Option<String> {
    let (name, avalanche) = match function {
        HashFunction::Sdbm { avalanche } => ("sdbm", avalanche),
        HashFunction::Djb2 { avalanche } => ("djb2", avalanche),
        HashFunction::Wt6 { avalanche } => ("wt6", avalanche),
        HashFunction::Crc32 { avalanche } => ("crc32", avalanche),
        HashFunction::Identity { avalanche } => ("none", avalanche),
        HashFunction::Nginx | HashFunction::XxHash => return None,
        HashFunction::Murmur2 => return Some("hash function MURMUR_HASH_2".to_owned()),
    };
    // HAProxy does not hash an address, and by itself mixes the bits of a hash for its ring only.
    let usual = if *key == HashKey::Source { "none" } else { "sdbm" };
    if name == usual && avalanche == (table == HashTable::Ring) {
        return None;
    }
    Some(format!("hash function {name} {} avalanche", if avalanche { "with" } else { "without" }))
}

fn variety(variety: KeyVariety) -> String {
    match variety {
        KeyVariety::Listener => "one key for each listener",
        KeyVariety::Host => "one key for each host name",
    }
    .to_owned()
}

fn subsets(subsets: &Subsets) -> Value {
    let Subsets { selectors, fallback, span: _ } = subsets;
    let keys: Vec<String> = selectors.iter().map(|keys| keys.join(" + ")).collect();
    let fallback = match fallback {
        SubsetFallback::Refuse => "requests of no subset are refused",
        SubsetFallback::Any => "requests of no subset go to any endpoint",
        SubsetFallback::Other => "requests of no subset go to a default subset",
    };
    Value { words: format!("subset selectors {}", keys.join(", ")), rest: vec![fallback.to_owned()] }
}

/// Weights of localities, where they take part in the choice.
fn localities(pool: &Pool) -> Option<Value> {
    pool.locality_weighted?;
    let mut texts = Vec::new();
    let mut priorities = Vec::new();
    for Locality { name, weight, priority, span: _ } in &pool.localities {
        let weight = weight.map_or_else(|| "no weight".to_owned(), |weight| weight.value.to_string());
        texts.push(format!("{name} {weight}"));
        priorities.push(format!("{name} {weight} at priority {priority}"));
    }
    texts.sort_unstable();
    priorities.sort_unstable();
    Some(Value { words: format!("locality weights: {}", texts.join(", ")), rest: priorities })
}
