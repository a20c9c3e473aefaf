//! Every value of the model shows in a comparison, or is described as having no effect.
//!
//! The mutations take the types apart without `..` and use every field, so that a field without one does not compile.

#![deny(unused_variables)]

use std::collections::BTreeSet;
use std::time::Duration;

use lbcheck::describe::Describer;
use lbcheck::dialect::{Dialect, Version};
use lbcheck::diff::{Comparison, outcome};
use lbcheck::effect::EffectClass;
use lbcheck::model::*;
use lbcheck::report::Change;
use lbcheck::source::{Sources, Span, Spanned};

use crate::support;

/// The field, the name by which it is described as without effect if it is, and the change.
struct Mutation<'a> {
    field: &'static str,
    without_effect: Option<&'static str>,
    make: Box<dyn FnOnce() + 'a>,
}

type Mutations<'a> = Vec<Mutation<'a>>;

fn effect<'a>(field: &'static str, make: impl FnOnce() + 'a) -> Mutation<'a> {
    Mutation { field, without_effect: None, make: Box::new(make) }
}

fn none<'a>(field: &'static str, name: &'static str, make: impl FnOnce() + 'a) -> Mutation<'a> {
    Mutation { field, without_effect: Some(name), make: Box::new(make) }
}

fn toggle<T>(option: &mut Option<T>, value: T) {
    *option = if option.is_some() { None } else { Some(value) };
}

fn set<T>(value: T) -> Setting<T> {
    Setting::written(value, nowhere())
}

fn time() -> Setting<Duration> {
    set(Duration::from_millis(777))
}

fn nowhere() -> Span {
    let file = Sources::new().add("elsewhere", Vec::new());
    Span { file, start: 1, end: 2 }
}

fn response() -> Response {
    Response { status: Some(418), kind: "return".into() }
}

fn of_config(config: &mut Config) -> Mutations<'_> {
    let Config {
        dialect,
        version,
        listeners,
        tables,
        normalizations,
        answered_errors,
        restored_addresses,
        pools,
        other_uses,
        serves_other,
        client_address,
        workers,
        without_router,
        request_metadata,
        uncovered_splits,
        fragment,
        times,
        files,
        coverage,
    } = config;
    let _ = dialect;
    let mut all = vec![
        none("config.version", "version", || *version = Version { major: 1, minor: 0, patch: 0 }),
        effect("config.answered_errors", || answered_errors.push(599)),
        effect("config.other_uses", || match other_uses.is_empty() {
            true => other_uses.push((PoolId(0), nowhere())),
            false => other_uses.clear(),
        }),
        effect("config.serves_other", || toggle(serves_other, nowhere())),
        effect("config.client_address", || {
            *client_address = match client_address {
                ClientAddress::Peer | ClientAddress::Behind(_) => ClientAddress::Restored(nowhere()),
                ClientAddress::Restored(_) => ClientAddress::Peer,
            }
        }),
        effect("config.without_router", || without_router.push(Spanned::new("x".into(), nowhere()))),
        effect("config.request_metadata", || *request_metadata = !*request_metadata),
        effect("config.uncovered_splits", || {
            uncovered_splits.push((Spanned::new("x".into(), nowhere()), 100_000))
        }),
        none("config.fragment", "fragment", || *fragment = !*fragment),
        none("config.times", "times", || times.clear()),
        none("config.files", "files", || files.clear()),
        none("config.coverage", "coverage", || coverage.total += 1),
        match workers {
            Some(workers) => effect("config.workers", || toggle(&mut workers.value, 7)),
            None => none("config.workers", "workers", || *workers = Some(set(None))),
        },
    ];
    all.extend(normalizations.values_mut().flat_map(of_normalization));
    all.extend(restored_addresses.values_mut().flat_map(of_restored_address));
    let pools_before: Vec<bool> = pools.iter().map(|pool| pool.subsets.is_some()).collect();
    all.extend(listeners.iter_mut().flat_map(of_listener));
    all.extend(tables.iter_mut().flat_map(|table| of_table(table, &pools_before)));
    all.extend(pools.iter_mut().flat_map(|pool| of_pool(pool, &pools_before)));
    all
}

fn of_normalization(normalization: &mut Normalization) -> Mutations<'_> {
    let Normalization {
        dots,
        merge_slashes,
        escaped_slashes,
        port,
        ignores_port,
        strips_dot,
        refuses_upgrades,
        host_header,
        underscores,
        scheme,
        refuses_methods,
    } = normalization;
    vec![
        effect("normalization.dots", || *dots = !*dots),
        effect("normalization.merge_slashes", || *merge_slashes = !*merge_slashes),
        effect("normalization.escaped_slashes", || *escaped_slashes = EscapedSlashes::Rejected),
        effect("normalization.port", || *port = PortInHost::StrippedIfMatching),
        effect("normalization.ignores_port", || *ignores_port = !*ignores_port),
        effect("normalization.strips_dot", || *strips_dot = !*strips_dot),
        effect("normalization.refuses_upgrades", || *refuses_upgrades = !*refuses_upgrades),
        effect("normalization.host_header", || toggle(host_header, "x-host".into())),
        effect("normalization.underscores", || *underscores = Underscores::Dropped),
        effect("normalization.scheme", || *scheme = ForwardedScheme::Replaced),
        effect("normalization.refuses_methods", || *refuses_methods = !*refuses_methods),
    ]
}

fn of_restored_address(restored: &mut RestoredAddress) -> Mutations<'_> {
    let RestoredAddress { ways, more } = restored;
    let mut all = vec![effect("restored_address.more", || *more = !*more)];
    for AddressSource { trusted, header, recursive } in ways {
        all.extend([
            effect("address_source.trusted", || *trusted = vec!["192.0.2.0/24".to_owned()].into()),
            effect("address_source.header", || toggle(header, "x-real-ip".into())),
            effect("address_source.recursive", || *recursive = !*recursive),
        ]);
    }
    all
}

fn of_listener(listener: &mut Listener) -> Mutations<'_> {
    let Listener { name, mode, binds, table, span } = listener;
    let _ = table;
    let mut all = vec![
        none("listener.name", "name", || name.value.push('x')),
        effect("listener.mode", || *mode = Mode::Other),
        none("listener.span", "span", || *span = nowhere()),
    ];
    for Bind { host, ports, reach, tls, mixed, accept_proxy, span } in binds {
        all.extend([
            effect("bind.host", || host.push('9')),
            effect("bind.ports", || *ports = Some((1, 2))),
            effect("bind.reach", || *reach = Reach::HandedOver),
            effect("bind.tls", || *tls = !*tls),
            effect("bind.mixed", || *mixed = !*mixed),
            effect("bind.accept_proxy", || *accept_proxy = !*accept_proxy),
            none("bind.span", "span", || *span = nowhere()),
        ]);
    }
    all
}

fn of_table<'a>(table: &'a mut RouteTable, subsets: &[bool]) -> Mutations<'a> {
    let RouteTable { routes, label } = table;
    let mut all = vec![none("table.label", "label", || label.push('x'))];
    all.extend(routes.iter_mut().flat_map(|route| of_route(route, subsets)));
    all
}

fn of_route<'a>(route: &'a mut Route, subsets: &[bool]) -> Mutations<'a> {
    let Route {
        when,
        action,
        label,
        span,
        rewrite,
        path_change,
        goes_on,
        from_inside,
        on_error,
        fallbacks,
        takes_status,
        mirrors,
        hash_policies,
        metadata,
        retries,
        chance_denominator,
        timeout,
    } = route;
    let by_subset = action.targets().any(|target| match target {
        Target::Pool { pool, .. } => subsets[pool.0 as usize],
        Target::Undefined(_) | Target::Dynamic { .. } => true,
    });
    let change_metadata = || metadata.push(("stage".into(), "other".into()));
    let mut all = vec![
        none("route.label", "label", || label.push('x')),
        none("route.span", "span", || *span = nowhere()),
        effect("route.rewrite", || toggle(rewrite, "path /a → /b".into())),
        effect("route.takes_status", || *takes_status = !*takes_status),
        effect("route.chance_denominator", || toggle(chance_denominator, 100)),
        match by_subset {
            true => effect("route.metadata", change_metadata),
            false => none("route.metadata", "metadata_match", change_metadata),
        },
    ];
    all.push(effect("route.when", || *when = Condition::Is(Match::Port(9))));
    // Each of these leads somewhere else, or changes what is there.
    match path_change {
        None => all.push(effect("route.path_change", || {
            *path_change = Some(PathChange {
                pattern: None,
                to: "/x".into(),
                keeps_query: false,
                then: Then::Search(TableId(0)),
            })
        })),
        Some(PathChange { pattern, to, keeps_query, then }) => all.extend([
            effect("path_change.pattern", || toggle(pattern, "^/y".into())),
            effect("path_change.to", || to.push('x')),
            effect("path_change.keeps_query", || *keeps_query = !*keeps_query),
            effect("path_change.then", || {
                let search = then.search();
                *then = match then {
                    Then::Search(_) => Then::Next { until: 1, search },
                    Then::Next { .. } => Then::Search(search),
                }
            }),
        ]),
    }
    match on_error {
        None => all.push(effect("route.on_error", || {
            *on_error = Some(OnError { error: response(), answer: None, again: false, to: ErrorTarget::Path })
        })),
        Some(OnError { error, answer, again, to }) => all.extend([
            effect("on_error.error", || *error = response()),
            effect("on_error.answer", || toggle(answer, 299)),
            effect("on_error.again", || *again = !*again),
            effect("on_error.to", || *to = ErrorTarget::Answer(response())),
        ]),
    }
    all.push(effect("route.goes_on", || toggle(goes_on, TableId(0))));
    all.push(effect("route.from_inside", || toggle(from_inside, TableId(0))));
    for Fallback { statuses, intercepts, words, span } in fallbacks.iter_mut() {
        all.extend([
            effect("fallback.statuses", || statuses.push(599)),
            effect("fallback.intercepts", || *intercepts = !*intercepts),
            effect("fallback.words", || words.push('x')),
            none("fallback.span", "span", || *span = nowhere()),
        ]);
    }
    for Mirror { target, share_ppm, span } in mirrors {
        all.extend([
            effect("mirror.target", || *target = Target::Undefined(Spanned::new("gone".into(), nowhere()))),
            effect("mirror.share_ppm", || *share_ppm -= 1),
            none("mirror.span", "span", || *span = nowhere()),
        ]);
    }
    for HashPolicy { key, by_address, rewritten, variety, terminal, span } in hash_policies {
        all.extend([
            effect("hash_policy.key", || key.push('x')),
            effect("hash_policy.by_address", || *by_address = !*by_address),
            effect("hash_policy.rewritten", || toggle(rewritten, "a → b".into())),
            effect("hash_policy.variety", || toggle(variety, KeyVariety::Host)),
            effect("hash_policy.terminal", || *terminal = !*terminal),
            none("hash_policy.span", "span", || *span = nowhere()),
        ]);
    }
    match retries {
        None => all.push(effect("route.retries", || *retries = Some(Retries::default()))),
        Some(retries) => all.extend(of_retries(retries)),
    }
    all.push(effect("route.timeout", || toggle(timeout, set(Duration::from_secs(77)))));
    all.extend(of_action(action));
    all
}

fn of_action(action: &mut Action) -> Mutations<'_> {
    let mut all = Vec::new();
    match action {
        Action::Forward(target) => all.extend(of_target(target)),
        Action::Split(arms) => {
            for WeightedTarget { target, weight, span } in arms {
                all.extend([
                    effect("arm.weight", || *weight += 1),
                    none("arm.span", "span", || *span = nowhere()),
                ]);
                all.extend(of_target(target));
            }
        }
        Action::Respond(Response { status, kind }) => all.extend([
            effect("response.status", || toggle(status, 418)),
            effect("response.kind", || kind.push('x')),
        ]),
        Action::Endpoint { pool, endpoint } => {
            let _ = pool;
            all.push(effect("action.endpoint", || endpoint.value.push('x')));
        }
        // Where it leads is compared, whatever its number.
        Action::Table(_) => {}
        Action::Local(text) | Action::Opaque(text) => {
            all.push(effect("action.words", || text.push('x')));
        }
    }
    all
}

fn of_target(target: &mut Target) -> Mutations<'_> {
    match target {
        Target::Pool { .. } => vec![effect("target", || {
            *target = Target::Undefined(Spanned::new("gone".into(), nowhere()));
        })],
        Target::Undefined(name) => vec![effect("target.undefined", || name.value.push('x'))],
        Target::Dynamic { text, candidates, recipe } => vec![
            effect("target.text", || text.value.push('x')),
            effect("target.candidates", || match candidates.is_empty() {
                true => candidates.push(PoolId(0)),
                false => candidates.clear(),
            }),
            effect("target.recipe", || match recipe {
                None => *recipe = Some(Box::new(Recipe { parts: vec![RecipePart::Text("x".into())] })),
                Some(recipe) => recipe.parts.push(RecipePart::Text("x".into())),
            }),
        ],
    }
}

fn of_retries(retries: &mut Retries) -> Mutations<'_> {
    let Retries { attempts, on, redispatch } = retries;
    vec![
        effect("retries.attempts", || toggle(attempts, set(9))),
        effect("retries.on", || toggle(on, set("5xx".into()))),
        effect("retries.redispatch", || toggle(redispatch, set(4))),
    ]
}

fn of_pool<'a>(pool: &'a mut Pool, subset_pools: &[bool]) -> Mutations<'a> {
    let has = Has { weights: pool.locality_weighted.is_some(), subsets: pool.subsets.is_some() };
    let Pool {
        name,
        kind,
        mode,
        header,
        extent,
        algorithm,
        key_variety,
        hash_type,
        subsets,
        endpoints,
        membership,
        localities,
        locality_weighted,
        affinity,
        health_checks,
        checks_asked,
        outlier_detection,
        all_backups,
        overprovisioning_percent,
        panic_threshold_percent,
        timeouts: Timeouts { connect, response, queue },
        retries,
        limits:
            PoolLimits { max_connections, max_pending, max_requests, max_retries, retry_budget, full_connections },
        answers_locally,
        disabled,
        shared_state,
        overrides,
    } = pool;
    let mut all = vec![
        none("pool.name", "name", || name.value.push('x')),
        none("pool.kind", "kind", || *kind = PoolKind::Implicit),
        none("pool.header", "header and extent", || *header = nowhere()),
        none("pool.extent", "header and extent", || *extent = nowhere()),
        none("pool.hash_type", "hash type", || toggle(hash_type, nowhere())),
        none("pool.checks_asked", "checks asked", || toggle(checks_asked, nowhere())),
        effect("pool.mode", || mode.value = Mode::Other),
        effect("pool.key_variety", || toggle(key_variety, KeyVariety::Listener)),
        effect("pool.membership", || {
            *membership = match membership {
                Membership::Static => Membership::Unknown("somewhere".into()),
                Membership::Unknown(_) => Membership::Static,
            }
        }),
        effect("pool.locality_weighted", || toggle(locality_weighted, nowhere())),
        effect("pool.affinity", || affinity.push(set(Affinity::Cookie("SID".into())))),
        effect("pool.all_backups", || toggle(all_backups, set(true))),
        effect("pool.overprovisioning", || toggle(overprovisioning_percent, set(99))),
        effect("pool.panic_threshold", || toggle(panic_threshold_percent, set(99))),
        effect("timeouts.connect", || toggle(connect, time())),
        effect("timeouts.response", || toggle(response, time())),
        effect("timeouts.queue", || toggle(queue, time())),
        effect("limits.max_connections", || toggle(max_connections, set(9))),
        effect("limits.max_pending", || toggle(max_pending, set(9))),
        effect("limits.max_requests", || toggle(max_requests, set(9))),
        effect("limits.max_retries", || toggle(max_retries, set(9))),
        effect("limits.full_connections", || toggle(full_connections, set(9))),
        effect("pool.answers_locally", || toggle(answers_locally, nowhere())),
        effect("pool.disabled", || toggle(disabled, nowhere())),
        effect("pool.shared_state", || toggle(shared_state, nowhere())),
        of_algorithm(algorithm),
    ];
    match retry_budget {
        None => all.push(effect("limits.retry_budget", || {
            *retry_budget = Some(set(RetryBudget { percent_milli: 1, at_least: 1 }))
        })),
        Some(Setting { value: RetryBudget { percent_milli, at_least }, .. }) => all.extend([
            effect("retry_budget.percent_milli", || *percent_milli += 1),
            effect("retry_budget.at_least", || *at_least += 1),
        ]),
    }
    match subsets {
        None => all.push(effect("pool.subsets", || {
            let selectors = vec![vec!["zone".into()]];
            *subsets = Some(Subsets { selectors, fallback: SubsetFallback::Any, span: nowhere() })
        })),
        Some(Subsets { selectors, fallback, span }) => all.extend([
            effect("subsets.selectors", || selectors.push(vec!["zone".into(), "stage".into()])),
            effect("subsets.fallback", || *fallback = SubsetFallback::Other),
            none("subsets.span", "span", || *span = nowhere()),
        ]),
    }
    for Locality { name, weight, priority, span } in localities {
        let change_priority = || *priority += 1;
        if has.weights {
            all.extend([
                effect("locality.name", || name.push('x')),
                effect("locality.weight", || toggle(weight, set(9))),
                effect("locality.priority", change_priority),
                none("locality.span", "span", || *span = nowhere()),
            ]);
        } else {
            all.push(none("locality.priority without weights", "locality", change_priority));
        }
    }
    match outlier_detection {
        None => all.push(effect("pool.outlier_detection", || *outlier_detection = Some(set(detection())))),
        Some(setting) => all.extend(of_outlier_detection(&mut setting.value)),
    }
    match health_checks.is_empty() {
        true => all.push(effect("pool.health_checks", || health_checks.push(set(check())))),
        false => all.extend(health_checks.iter_mut().flat_map(|setting| of_check(&mut setting.value))),
    }
    all.extend(of_retries(retries));
    all.extend(endpoints.iter_mut().flat_map(|endpoint| of_endpoint(endpoint, &has)));
    all.extend(overrides.iter_mut().flat_map(|route| of_route(route, subset_pools)));
    all
}

/// What a pool has, on which it depends whether other things have an effect.
struct Has {
    weights: bool,
    subsets: bool,
}

fn of_algorithm(algorithm: &mut Setting<Algorithm>) -> Mutation<'_> {
    match &mut algorithm.value {
        Algorithm::Hash { function, .. } => effect("hash.function", || {
            *function = match function {
                HashFunction::XxHash => HashFunction::Murmur2,
                _ => HashFunction::Djb2 { avalanche: true },
            }
        }),
        Algorithm::Subset(inner) => effect("subset.inner", || **inner = Algorithm::First),
        other => effect("pool.algorithm", || *other = Algorithm::External("fair".into())),
    }
}

fn of_endpoint<'a>(endpoint: &'a mut Endpoint, has: &Has) -> Mutations<'a> {
    let Endpoint {
        name,
        address: Address { host, port, port_offset },
        span,
        weight,
        tier,
        state,
        degraded,
        check,
        check_disabled,
        outlier_detection,
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
    let several = *slots > 1;
    let change_metadata = || metadata.push(("stage".into(), "other".into()));
    let change_locality = || *locality = locality.map_or(Some(0), |_| None);
    let mut all = vec![
        none("endpoint.name", "name", || name.value.push('x')),
        none("endpoint.span", "span", || *span = nowhere()),
        effect("address.host", || *host = Host::Name("elsewhere.example".into())),
        effect("address.port", || *port = Some(9)),
        effect("address.port_offset", || *port_offset += 1),
        effect("endpoint.weight", || weight.value += 1),
        effect("endpoint.tier", || tier.value = u32::from(tier.value == 0)),
        effect("endpoint.state", || state.value = AdminState::Draining),
        effect("endpoint.degraded", || toggle(degraded, nowhere())),
        effect("endpoint.max_connections", || toggle(max_connections, set(9))),
        effect("endpoint.min_connections", || toggle(min_connections, set(9))),
        effect("endpoint.max_queue", || toggle(max_queue, set(9))),
        effect("endpoint.cookie", || toggle(cookie, set("c".into()))),
        effect("endpoint.id", || toggle(id, set(9))),
        effect("endpoint.hash_key", || toggle(hash_key, set("k".into()))),
        effect("endpoint.tls", || {
            let is = tls.is_some_and(|tls| tls.value);
            *tls = Some(set(!is));
        }),
        effect("endpoint.slots", || *slots += 1),
        effect("endpoint.expands", || *expands = !*expands),
        match has.subsets {
            true => effect("endpoint.metadata", change_metadata),
            false => none("endpoint.metadata without subsets", "metadata", change_metadata),
        },
        match has.weights {
            true => effect("endpoint.locality", change_locality),
            false => none("endpoint.locality without weights", "locality", change_locality),
        },
    ];
    if several {
        all.push(effect("endpoint.first_slot", || *first_slot += 1));
    } else {
        let _ = first_slot;
    }
    match check {
        // The pool's checks do not matter to an endpoint with its own.
        Some(setting) => all.extend(of_check(&mut setting.value)),
        None => {
            all.push(effect("endpoint.check", || *check = Some(set(self::check()))));
            all.push(effect("endpoint.check_disabled", || toggle(check_disabled, nowhere())));
        }
    }
    match outlier_detection {
        None => {
            all.push(effect("endpoint.outlier_detection", || *outlier_detection = Some(set(detection()))))
        }
        Some(setting) => all.extend(of_outlier_detection(&mut setting.value)),
    }
    all
}

fn detection() -> OutlierDetection {
    OutlierDetection {
        failures: 3,
        ejection: None,
        sweep: None,
        max_ejection_percent: None,
        always_eject_one: false,
    }
}

fn check() -> HealthCheck {
    HealthCheck { kind: CheckKind::Other("odd".into()), timing: CheckTiming::default() }
}

fn of_outlier_detection(detection: &mut OutlierDetection) -> Mutations<'_> {
    let OutlierDetection { failures, ejection, sweep, max_ejection_percent, always_eject_one } = detection;
    let ejects = *failures > 0;
    let mut all = vec![effect("outlier_detection.failures", || *failures += 1)];
    // What never ejects is the same whatever else is set.
    if ejects {
        all.extend([
            effect("outlier_detection.ejection", || toggle(ejection, Duration::from_secs(7))),
            effect("outlier_detection.sweep", || toggle(sweep, Duration::from_secs(7))),
            effect("outlier_detection.max_ejection", || toggle(max_ejection_percent, 7)),
            effect("outlier_detection.one", || *always_eject_one = !*always_eject_one),
        ]);
    }
    all
}

fn of_check(check: &mut HealthCheck) -> Mutations<'_> {
    let HealthCheck { kind, timing } = check;
    let CheckTiming {
        interval,
        fast_interval,
        down_interval,
        rising_interval,
        quiet,
        jitter: Jitter { sooner_percent, later_percent, later },
        timeout,
        fall,
        rise,
    } = timing;
    vec![
        effect("check.kind", || *kind = CheckKind::Other("odd".into())),
        effect("check.interval", || *interval = Some(time())),
        effect("check.fast_interval", || toggle(fast_interval, time())),
        effect("check.down_interval", || toggle(down_interval, time())),
        effect("check.rising_interval", || toggle(rising_interval, time())),
        effect("check.quiet", || *quiet = Some((Duration::from_secs(7), Duration::from_secs(8)))),
        effect("jitter.sooner_percent", || *sooner_percent += 1),
        effect("jitter.later_percent", || *later_percent += 1),
        effect("jitter.later", || *later += Duration::from_secs(1)),
        effect("check.timeout", || toggle(timeout, time())),
        effect("check.fall", || toggle(fall, set(9))),
        effect("check.rise", || toggle(rise, set(9))),
    ]
}

const HAPROXY: &str = include_str!("data/described.cfg");
const NGINX: &str = include_str!("data/described.conf");
const ENVOY: &str = include_str!("data/described.yaml");

fn configs() -> Vec<Config> {
    [(Dialect::HaProxy, HAPROXY), (Dialect::Nginx, NGINX), (Dialect::Envoy, ENVOY)]
        .into_iter()
        .map(|(dialect, text)| {
            let mut sources = Sources::new();
            let reading = support::reading(dialect, text.as_bytes(), &mut sources);
            assert!(!reading.broken, "{:?}", reading.diagnostics);
            reading.config
        })
        .collect()
}

fn changes(old: &Config, new: &Config) -> Vec<Change> {
    outcome(&Comparison::new(old, new)).changes
}

/// Names of what is described as without effect, a reason with each.
fn without_effect(config: &Config) -> BTreeSet<&'static str> {
    let describer = Describer::new(config);
    let mut all = describer.config();
    all.extend(config.listeners.iter().flat_map(|listener| describer.listener(listener)));
    for (index, table) in config.tables.iter().enumerate() {
        all.extend(describer.table(TableId(index as u32)));
        all.extend(table.routes.iter().flat_map(|route| describer.route(route)));
    }
    for pool in &config.pools {
        all.extend(describer.pool(pool));
        all.extend(pool.endpoints.iter().flat_map(|endpoint| describer.endpoint(pool, endpoint)));
    }
    let none = all.into_iter().filter(|described| described.class == EffectClass::None);
    none.inspect(|described| assert!(!described.why.is_empty(), "{described:?}"))
        .map(|described| described.name)
        .collect()
}

#[test]
fn any_change_of_the_model_shows_or_is_said_to_have_no_effect() {
    let mut seen = BTreeSet::new();
    let mut silent = Vec::new();
    for old in configs() {
        let known = without_effect(&old);
        let count = of_config(&mut old.clone()).len();
        for index in 0..count {
            let mut new = old.clone();
            let Mutation { field, without_effect, make } = of_config(&mut new).swap_remove(index);
            make();
            let found = changes(&old, &new);
            let place = format!("{field} in {}", old.dialect);
            match without_effect {
                Some(name) => assert!(known.contains(name), "{place}"),
                None if found.is_empty() => silent.push(place.clone()),
                None => {}
            }
            for change in &found {
                assert_ne!(change.old, change.new, "{place}: {change:?}");
            }
            seen.insert(field);
        }
        assert_eq!(changes(&old, &old), [], "{}", old.dialect);
    }
    assert_eq!(silent, Vec::<String>::new());
    // What no configuration has cannot be changed in any.
    let missed: Vec<&str> = FIELDS.iter().filter(|field| !seen.contains(*field)).copied().collect();
    assert_eq!(missed, Vec::<&str>::new());
}

/// Those that only a configuration with the thing in question has.
const FIELDS: &[&str] = &[
    "action.endpoint",
    "address_source.trusted",
    "arm.weight",
    "check.quiet",
    "endpoint.first_slot",
    "endpoint.locality",
    "endpoint.metadata",
    "fallback.statuses",
    "hash.function",
    "hash_policy.variety",
    "locality.priority",
    "mirror.share_ppm",
    "normalization.dots",
    "on_error.answer",
    "outlier_detection.sweep",
    "path_change.then",
    "response.status",
    "retry_budget.percent_milli",
    "route.metadata",
    "subsets.fallback",
    "target.candidates",
    "target.recipe",
];
