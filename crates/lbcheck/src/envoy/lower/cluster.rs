//! Clusters.

use std::time::Duration;

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::model::{
    Algorithm, Host, Membership, Mode, Pool, PoolId, PoolLimits, RetryBudget, Setting, TimeKind, TimeUnit,
    Timeouts, Weakens, WrittenTime,
};
use crate::source::{FileId, Spanned};

use super::super::tree::Value;
use super::endpoint::{Discovery, HostRules};
use super::state::{Lower, source_path, take};

const DISCOVERY: [(&str, i64); 5] =
    [("STATIC", 0), ("STRICT_DNS", 1), ("LOGICAL_DNS", 2), ("EDS", 3), ("ORIGINAL_DST", 4)];

impl<'t> Lower<'t> {
    /// Lowers one cluster into a pool.
    pub(super) fn cluster(&mut self, cluster: Value<'t>) {
        if !cluster.is_map() {
            return;
        }
        let name = cluster.get("name").filter(|name| name.string().is_some());
        let spanned = match name.and_then(Value::spanned) {
            Some(name) => name,
            None => Spanned::new(String::new(), cluster.span()),
        };
        let header = cluster.field("name").map_or(cluster.span(), |field| field.span());
        let mode = Setting::default(Mode::Http, "Envoy: the filter that uses the cluster decides");
        let algorithm = self.algorithm(cluster);
        let mut pool = Pool::new(spanned, header, mode, algorithm.algorithm);
        pool.extent = cluster.span();
        pool.locality_weighted = algorithm.locality_weighted;
        pool.affinity = algorithm.affinity;
        pool.subsets = algorithm.subsets;
        pool.health_checks =
            cluster.list("health_checks").filter_map(|check| self.health_check(check)).collect();
        pool.outlier_detection = self.outlier_detection(cluster);
        pool.limits = limits(cluster);
        pool.timeouts = timeouts(cluster);
        if let Some(connect) = pool.timeouts.connect
            && let Some(span) = connect.span()
        {
            self.config.times.push(WrittenTime {
                name: "connect_timeout".to_owned(),
                kind: TimeKind::Connect,
                value: connect.value,
                unit: TimeUnit::Only,
                span,
            });
        }
        pool.panic_threshold_percent = Some(panic_threshold(cluster));
        self.block(header, cluster.span());

        let id = PoolId(self.config.pools.len() as u32);
        let discovery = self.discovery(cluster, &mut pool, id);
        let rules = HostRules { discovery, hash_hostname: algorithm.use_hostname_for_hashing };
        self.members(cluster, rules, &mut pool, id);
        if matches!(discovery, Discovery::StrictDns) {
            for endpoint in &mut pool.endpoints {
                endpoint.expands = matches!(endpoint.address.host, Host::Name(_));
            }
        }
        self.tls(cluster, &mut pool);
        self.check_cluster(cluster, discovery, &pool);
        self.repeated_thresholds(cluster, &pool);
        self.superseded_policy(cluster, &pool);
        for gap in algorithm.gaps {
            self.gap(gap.span, gap.value, Weakens::Pool(id));
        }
        self.register(name, pool);
    }

    /// Adds a pool under its name; the first of a name wins, and a second one is refused by Envoy.
    fn register(&mut self, name: Option<Value<'t>>, pool: Pool) {
        let span = pool.name.span;
        let id = self.config.add_pool(pool);
        self.uses.push((false, false));
        let Some(text) = name.and_then(Value::string) else { return };
        if let Some(&first) = self.pools.get(text) {
            let there = self.config.pool(first).name.span;
            // A cluster of another file is left aside in silence: the one that was there first stays.
            let (severity, effect) = match there.file == span.file {
                true => (Severity::Error, "Envoy refuses the configuration"),
                false => (Severity::Warning, "Envoy keeps the first one"),
            };
            let message = format!("the cluster `{text}` is defined twice; {effect}");
            let diagnostic = Diagnostic::new(RuleId::DuplicateDefinition, severity, span, message)
                .label("defined again here")
                .also(there, "first defined here")
                .help("rename or remove one of them")
                .pool(text);
            self.report(diagnostic);
        } else {
            self.pools.insert(text, id);
        }
    }

    fn discovery(&mut self, cluster: Value<'t>, pool: &mut Pool, id: PoolId) -> Discovery {
        if let Some(custom) = cluster.get("cluster_type") {
            return self.cluster_type(custom, pool, id);
        }
        match cluster.get("type").and_then(|value| value.enumeration(&DISCOVERY)) {
            Some("STRICT_DNS") => Discovery::StrictDns,
            Some("LOGICAL_DNS") => Discovery::LogicalDns,
            Some("EDS") => Discovery::Eds,
            Some("ORIGINAL_DST") => Discovery::OriginalDst,
            _ => Discovery::Static,
        }
    }

    fn cluster_type(&mut self, custom: Value<'t>, pool: &mut Pool, id: PoolId) -> Discovery {
        let name = custom.text_of("name").unwrap_or_default();
        let config = custom.get("typed_config");
        let type_name = config.and_then(Value::type_name).unwrap_or_default();
        let unknown = |pool: &mut Pool, why: String| {
            pool.membership = Membership::Unknown(why);
            Discovery::Custom
        };
        match (type_name, name) {
            ("envoy.extensions.clusters.aggregate.v3.ClusterConfig", _)
            | ("envoy.extensions.clusters.aggregate.v3.AggregateClusterResource", _)
            | (_, "envoy.clusters.aggregate") => {
                let members: Vec<&str> = config
                    .into_iter()
                    .flat_map(|config| config.list("clusters"))
                    .filter_map(Value::string)
                    .collect();
                unknown(pool, format!("endpoints are those of the clusters {}", members.join(", ")))
            }
            ("envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig", _)
            | (_, "envoy.clusters.dynamic_forward_proxy") => {
                unknown(pool, "the host of each request is the endpoint".into())
            }
            ("envoy.extensions.clusters.redis.v3.RedisClusterConfig", _) | (_, "envoy.clusters.redis") => {
                // The listed endpoints are seeds; the Redis cluster tells Envoy the rest.
                pool.membership = Membership::Unknown("the Redis cluster names its own members".into());
                Discovery::StrictDns
            }
            ("envoy.extensions.clusters.dns.v3.DnsCluster", _) | (_, "envoy.cluster.dns") => {
                let logical = config.is_some_and(|config| config.is_set("all_addresses_in_single_endpoint"));
                if logical { Discovery::LogicalDns } else { Discovery::StrictDns }
            }
            (_, "envoy.cluster.static") => Discovery::Static,
            (_, "envoy.cluster.strict_dns") => Discovery::StrictDns,
            (_, "envoy.cluster.logical_dns") => Discovery::LogicalDns,
            (_, "envoy.cluster.eds") => Discovery::Eds,
            (_, "envoy.cluster.original_dst") => Discovery::OriginalDst,
            _ => {
                let shown = if type_name.is_empty() { name } else { type_name };
                self.gap(custom.span(), format!("cluster type {shown}"), Weakens::Pool(id));
                unknown(pool, format!("endpoints come from the cluster type {shown}"))
            }
        }
    }

    fn members(&mut self, cluster: Value<'t>, rules: HostRules, pool: &mut Pool, id: PoolId) {
        match rules.discovery {
            Discovery::Eds => self.eds_members(cluster, rules, pool, id),
            Discovery::OriginalDst => {
                pool.membership = Membership::Unknown("the original destination of each connection".into());
                pool.algorithm.value = Algorithm::OriginalDestination;
            }
            Discovery::Static | Discovery::StrictDns | Discovery::LogicalDns | Discovery::Custom => {
                if let Some(assignment) = cluster.get("load_assignment") {
                    self.load_assignment(assignment, rules, pool, id);
                }
            }
        }
    }

    fn eds_members(&mut self, cluster: Value<'t>, rules: HostRules, pool: &mut Pool, id: PoolId) {
        let eds = cluster.get("eds_cluster_config");
        let name = eds
            .and_then(|eds| eds.text_of("service_name"))
            .or_else(|| cluster.text_of("name"))
            .unwrap_or_default();
        let source = eds.and_then(|eds| eds.get("eds_config"));
        let file = source.and_then(source_path).map(|path| self.files.get(path.text()).copied());
        let found = match file {
            // A file was named but could not be read: the reader said so already.
            Some(None) => None,
            Some(Some(file)) => self.take_assignment(name, Some(file)),
            None => self.take_assignment(name, None),
        };
        match found {
            Some(assignment) => self.load_assignment(assignment, rules, pool, id),
            None => {
                pool.membership = Membership::Unknown("endpoints come from EDS".into());
            }
        }
    }

    fn take_assignment(&mut self, name: &str, file: Option<FileId>) -> Option<Value<'t>> {
        take(self.assignments.get_mut(name)?, file)
    }

    /// Endpoint resources that no cluster of this configuration asks for: the clusters are elsewhere, but the
    /// endpoints can be judged here.
    pub(super) fn loose_assignments(&mut self) {
        let loose: Vec<Value<'t>> = self
            .assignments
            .values()
            .flatten()
            .filter(|resource| !resource.taken)
            .map(|resource| resource.value)
            .collect();
        if !self.config.fragment {
            return;
        }
        for assignment in loose {
            let Some(name) = assignment.get("cluster_name").and_then(Value::spanned) else { continue };
            if self.pools.contains_key(name.value.as_str()) {
                continue;
            }
            let key = assignment.text_of("cluster_name").unwrap_or_default();
            let header = assignment.field("cluster_name").map_or(assignment.span(), |field| field.span());
            let mode = Setting::default(Mode::Http, "Envoy: the filter that uses the cluster decides");
            let algorithm = Algorithm::Unknown("the cluster is not part of what was read".into());
            let algorithm = Setting::default(algorithm, "Envoy: the cluster decides");
            let mut pool = Pool::new(name, header, mode, algorithm);
            pool.extent = assignment.span();
            let id = PoolId(self.config.pools.len() as u32);
            let rules = HostRules { discovery: Discovery::Eds, hash_hostname: None };
            self.load_assignment(assignment, rules, &mut pool, id);
            self.block(header, assignment.span());
            self.pools.insert(key, self.config.add_pool(pool));
            self.uses.push((false, false));
        }
    }

    fn tls(&mut self, cluster: Value<'t>, pool: &mut Pool) {
        let Some(socket) = cluster.get("transport_socket") else { return };
        let tls = Setting::written(is_tls(socket), socket.span());
        for endpoint in &mut pool.endpoints {
            endpoint.tls = Some(tls);
        }
    }

    /// Pools that only TCP proxies use are TCP pools.
    pub(super) fn settle_modes(&mut self) {
        for (pool, &(http, tcp)) in self.config.pools.iter_mut().zip(&self.uses) {
            if tcp && !http {
                pool.mode.value = Mode::Tcp;
            }
        }
    }
}

/// Whether a transport socket, or one it wraps, speaks TLS.
fn is_tls(socket: Value<'_>) -> bool {
    let mut socket = Some(socket);
    // Wrappers (PROXY protocol, http_11_proxy, tap) nest a socket each; more than a few is not a config.
    for _ in 0..8 {
        let Some(config) = socket.and_then(|socket| socket.get("typed_config")) else { return false };
        let name = config.type_name().unwrap_or_default();
        if name.ends_with("TlsContext") || name.ends_with("QuicUpstreamTransport") {
            return true;
        }
        socket = config.get("transport_socket").or_else(|| config.get("tls_socket_config"));
    }
    false
}

fn limits(cluster: Value<'_>) -> PoolLimits {
    const PRIORITY: [(&str, i64); 2] = [("DEFAULT", 0), ("HIGH", 1)];
    let default = |threshold: &Value<'_>| {
        threshold.get("priority").is_none_or(|value| value.enumeration(&PRIORITY) != Some("HIGH"))
    };
    let breakers = cluster.get("circuit_breakers");
    let threshold = breakers.and_then(|breakers| breakers.list("thresholds").find(default));
    let limit = |name: &str, value: u64, note: &'static str| {
        let written = threshold.and_then(|threshold| threshold.get(name));
        match written.and_then(|limit| Some(Setting::written(limit.u64()?, limit.span()))) {
            Some(setting) => Some(setting),
            None => Some(Setting::default(value, note)),
        }
    };
    let budget = threshold.and_then(|threshold| threshold.get("retry_budget")).map(|budget| {
        let percent = budget.path(&["budget_percent", "value"]).and_then(Value::number).unwrap_or(20.0);
        let value = RetryBudget {
            percent_milli: (percent * 1000.0).round() as u32,
            at_least: budget.get("min_retry_concurrency").and_then(Value::u64).unwrap_or(3),
        };
        Setting::written(value, budget.span())
    });
    PoolLimits {
        max_connections: limit("max_connections", 1024, "Envoy 1.40: 1024"),
        max_pending: limit("max_pending_requests", 1024, "Envoy 1.40: 1024"),
        max_requests: limit("max_requests", 1024, "Envoy 1.40: 1024"),
        // A retry budget takes the place of the fixed number.
        max_retries: if budget.is_some() { None } else { limit("max_retries", 3, "Envoy 1.40: 3") },
        retry_budget: budget,
        full_connections: None,
    }
}

fn timeouts(cluster: Value<'_>) -> Timeouts {
    let written = cluster.get("connect_timeout");
    let connect = written
        .and_then(|value| Some(Setting::written(value.duration()?, value.span())))
        .unwrap_or(Setting::default(Duration::from_secs(5), "Envoy 1.40: 5s"));
    Timeouts { connect: Some(connect), ..Timeouts::default() }
}

fn panic_threshold(cluster: Value<'_>) -> Setting<u32> {
    let written = cluster.path(&["common_lb_config", "healthy_panic_threshold"]);
    let percent = |value: Value<'_>| {
        // An empty Percent message is 0: panic is off.
        let number = if value.is_map() && value.len() == 0 { 0.0 } else { value.number()? };
        (0.0..=100.0).contains(&number).then_some(number.round() as u32)
    };
    written
        .and_then(|value| Some(Setting::written(percent(value)?, value.span())))
        .unwrap_or(Setting::default(50, "Envoy 1.40: 50%"))
}
