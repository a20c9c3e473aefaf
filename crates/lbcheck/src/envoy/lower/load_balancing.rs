//! How a cluster picks an endpoint: `lb_policy` with its partial settings, or `load_balancing_policy`.

use crate::model::{Affinity, Algorithm, HashFunction, HashKey, HashTable, Setting, SubsetFallback, Subsets};
use crate::source::{Span, Spanned};

use super::super::tree::Value;
use super::super::value::{inner_type, inner_value};
use super::state::Lower;

const LB_POLICY: [(&str, i64); 7] = [
    ("ROUND_ROBIN", 0),
    ("LEAST_REQUEST", 1),
    ("RING_HASH", 2),
    ("RANDOM", 3),
    ("MAGLEV", 5),
    ("CLUSTER_PROVIDED", 6),
    ("LOAD_BALANCING_POLICY_CONFIG", 7),
];
const TYPED: &str = "envoy.extensions.load_balancing_policies.";
/// Policies may wrap each other; a chain longer than this is not a config.
const MAX_WRAPPERS: usize = 8;

/// The algorithm of a cluster with what else its settings say.
pub(super) struct Choice {
    pub(super) algorithm: Setting<Algorithm>,
    pub(super) locality_weighted: Option<Span>,
    pub(super) use_hostname_for_hashing: Option<Span>,
    pub(super) affinity: Affinities,
    pub(super) subsets: Option<Subsets>,
    pub(super) gaps: Vec<Spanned<String>>,
}

impl Choice {
    fn new(algorithm: Setting<Algorithm>) -> Self {
        Self {
            algorithm,
            locality_weighted: None,
            use_hostname_for_hashing: None,
            affinity: Vec::new(),
            subsets: None,
            gaps: Vec::new(),
        }
    }
}

impl<'t> Lower<'t> {
    /// The algorithm of a cluster. A typed policy wins over `lb_policy`.
    pub(super) fn algorithm(&mut self, cluster: Value<'t>) -> Choice {
        let mut choice = match cluster.get("load_balancing_policy") {
            Some(policy) => self.typed_policy(policy),
            None => named_policy(cluster),
        };
        let zone_aware = cluster.path(&["common_lb_config", "zone_aware_lb_config"]);
        if let (Some(_), Some(zone_aware)) = (self.local_cluster, zone_aware) {
            let what = "zone aware routing prefers the zone this Envoy runs in".to_owned();
            choice.gaps.push(Spanned::new(what, zone_aware.span()));
        }
        let fails = zone_aware.and_then(|zone_aware| zone_aware.get("fail_traffic_on_panic"));
        if let Some(fails) = fails.filter(|fails| fails.boolean() == Some(true)) {
            choice.gaps.push(Spanned::new("`fail_traffic_on_panic`".to_owned(), fails.span()));
        }
        choice
    }

    /// `load_balancing_policy`: the first entry that Envoy knows.
    fn typed_policy(&mut self, policy: Value<'t>) -> Choice {
        let mut choice = Choice::new(Setting::written(Algorithm::RoundRobin, policy.span()));
        let mut policy = policy;
        let mut subset = false;
        for _ in 0..MAX_WRAPPERS {
            let Some((short, config)) = first_known(policy) else {
                let shown = policy.list("policies").next().and_then(|entry| {
                    let typed = entry.get("typed_extension_config")?;
                    typed.path(&["typed_config"]).and_then(Value::type_name).or_else(|| typed.text_of("name"))
                });
                let shown = shown.unwrap_or("none").to_owned();
                let what = format!("load balancing policy {shown}");
                choice.gaps.push(Spanned::new(what, policy.span()));
                choice.algorithm.value = Algorithm::External(shown);
                break;
            };
            choice.algorithm = Setting::written(Algorithm::RoundRobin, config.span());
            locality_settings(config, &mut choice);
            let inner = match short {
                "wrr_locality" => {
                    choice.locality_weighted = Some(config.span());
                    self.check_wrr_locality(config);
                    config.get("endpoint_picking_policy")
                }
                "subset" => {
                    subset |= config.list("subset_selectors").next().is_some();
                    choice.subsets = subsets(config);
                    config.get("subset_lb_policy")
                }
                "override_host" => {
                    let sources = config.list("override_host_sources").filter_map(override_source);
                    let text = format!("override_host {}", sources.collect::<Vec<_>>().join(", "));
                    choice.affinity.push(Setting::written(Affinity::Other(text), config.span()));
                    config.get("fallback_policy")
                }
                _ => {
                    match short {
                        "maglev" => self.check_maglev(Some(config)),
                        "ring_hash" => self.check_ring(Some(config)),
                        _ => {}
                    }
                    choice.algorithm.value = typed_algorithm(short, config, &mut choice);
                    None
                }
            };
            match inner {
                Some(inner) => policy = inner,
                None => break,
            }
        }
        if subset {
            let inner = choice.algorithm.value;
            choice.algorithm.value = Algorithm::Subset(Box::new(inner));
        }
        choice
    }

    /// In 1.40 the locality policy balances with one kind of child only.
    fn check_wrr_locality(&mut self, config: Value<'t>) {
        let child = config.get("endpoint_picking_policy").and_then(first_known);
        if let Some((short, inner)) = child
            && short != "client_side_weighted_round_robin"
        {
            let text =
                format!("wrr_locality takes only client_side_weighted_round_robin as its child, not {short}");
            let help = "use the policy itself with `locality_lb_config.locality_weighted_lb_config`";
            self.refuse(inner.span(), text, help);
        }
    }
}

/// `lb_policy` with `*_lb_config` and `common_lb_config`.
fn named_policy(cluster: Value<'_>) -> Choice {
    let written = cluster.get("lb_policy");
    let name = written.and_then(|value| value.enumeration(&LB_POLICY)).unwrap_or("ROUND_ROBIN");
    let common = cluster.get("common_lb_config");
    let consistent = common.and_then(|common| common.get("consistent_hashing_lb_config"));
    let balance_factor =
        consistent.and_then(|config| config.get("hash_balance_factor")).and_then(Value::u32).unwrap_or(0);
    let algorithm = match name {
        "LEAST_REQUEST" => least_request(cluster.get("least_request_lb_config")),
        "RANDOM" => Algorithm::Random { draws: 1, weighted: false, by: None },
        "RING_HASH" => ring_hash(cluster.get("ring_hash_lb_config"), balance_factor),
        "MAGLEV" => maglev(cluster.get("maglev_lb_config"), balance_factor),
        "CLUSTER_PROVIDED" => Algorithm::ClusterProvided,
        "LOAD_BALANCING_POLICY_CONFIG" => Algorithm::Unknown("load_balancing_policy is missing".into()),
        _ => Algorithm::RoundRobin,
    };
    let subset =
        cluster.get("lb_subset_config").filter(|subset| subset.list("subset_selectors").next().is_some());
    let divided = subset.and_then(subsets);
    let algorithm = if subset.is_some() { Algorithm::Subset(Box::new(algorithm)) } else { algorithm };
    let mut choice = Choice::new(match written {
        Some(written) => Setting::written(algorithm, written.span()),
        None => Setting::default(algorithm, "Envoy 1.40: ROUND_ROBIN"),
    });
    choice.locality_weighted =
        common.and_then(|common| Some(common.get("locality_weighted_lb_config")?.span()));
    choice.use_hostname_for_hashing = consistent.and_then(hostname_switch);
    choice.subsets = divided;
    choice
}

/// How a subset balancer divides endpoints, from `lb_subset_config` or the typed policy.
fn subsets(config: Value<'_>) -> Option<Subsets> {
    const FALLBACK: [(&str, i64); 3] = [("NO_FALLBACK", 0), ("ANY_ENDPOINT", 1), ("DEFAULT_SUBSET", 2)];
    let mut own_rules = false;
    let selectors = config.list("subset_selectors").map(|selector| {
        own_rules |= selector.get("fallback_policy").is_some();
        let mut keys: Vec<String> =
            selector.list("keys").filter_map(Value::string).map(str::to_owned).collect();
        keys.sort_unstable();
        keys
    });
    let selectors: Vec<Vec<String>> = selectors.collect();
    if selectors.is_empty() {
        return None;
    }
    // Lists, several sets of metadata for one route and keys beyond the selectors make other rules of matching.
    own_rules |=
        ["list_as_any", "allow_redundant_keys", "panic_mode_any"].iter().any(|name| config.is_set(name));
    own_rules |= config.get("metadata_fallback_policy").is_some();
    let written = config.get("fallback_policy").and_then(|policy| policy.enumeration(&FALLBACK));
    let fallback = match written.unwrap_or("NO_FALLBACK") {
        _ if own_rules => SubsetFallback::Other,
        "NO_FALLBACK" => SubsetFallback::Refuse,
        "ANY_ENDPOINT" => SubsetFallback::Any,
        _ => SubsetFallback::Other,
    };
    Some(Subsets { selectors, fallback, span: config.span() })
}

fn hostname_switch(config: Value<'_>) -> Option<Span> {
    config.is_set("use_hostname_for_hashing").then(|| config.span_of("use_hostname_for_hashing"))
}

/// The first policy of the list that this Envoy has, by short name, with its settings.
fn first_known(policy: Value<'_>) -> Option<(&str, Value<'_>)> {
    policy.list("policies").find_map(|entry| {
        let config = entry.path(&["typed_extension_config", "typed_config"])?;
        let name = inner_type(config, config.type_name()?);
        let config = inner_value(config);
        let (short, _) = name.strip_prefix(TYPED)?.split_once(".v3.")?;
        let known = matches!(
            short,
            "round_robin"
                | "least_request"
                | "random"
                | "ring_hash"
                | "maglev"
                | "client_side_weighted_round_robin"
                | "wrr_locality"
                | "subset"
                | "override_host"
                | "cluster_provided"
        );
        known.then_some((short, config))
    })
}

fn typed_algorithm(short: &str, config: Value<'_>, choice: &mut Choice) -> Algorithm {
    let consistent = config.get("consistent_hashing_lb_config");
    let factor = |config: Value<'_>| config.get("hash_balance_factor").and_then(Value::u32).unwrap_or(0);
    let balance_factor = consistent.map_or(0, factor);
    match short {
        "least_request" => least_request(Some(config)),
        "random" => Algorithm::Random { draws: 1, weighted: false, by: None },
        "ring_hash" | "maglev" => {
            choice.use_hostname_for_hashing = consistent.and_then(hostname_switch);
            let algorithm = match short {
                "maglev" => maglev(Some(config), balance_factor),
                _ => ring_hash(Some(config), balance_factor),
            };
            with_own_key(algorithm, consistent)
        }
        "cluster_provided" => Algorithm::ClusterProvided,
        "round_robin" => Algorithm::RoundRobin,
        // Weights come from the endpoints' own load reports.
        _ => Algorithm::External(short.to_owned()),
    }
}

/// A hash policy inside the load balancing policy takes the place of the route's.
fn with_own_key(algorithm: Algorithm, consistent: Option<Value<'_>>) -> Algorithm {
    let keys: Vec<String> = consistent
        .into_iter()
        .flat_map(|config| config.list("hash_policy"))
        .filter_map(super::route::hash_policy)
        .map(|policy| policy.key)
        .collect();
    match algorithm {
        Algorithm::Hash { table, function, balance_factor, .. } if !keys.is_empty() => {
            Algorithm::Hash { key: HashKey::Expression(keys.join(", ")), table, function, balance_factor }
        }
        other => other,
    }
}

fn locality_settings(config: Value<'_>, choice: &mut Choice) {
    let weighted = config
        .path(&["locality_lb_config", "locality_weighted_lb_config"])
        .or_else(|| config.get("locality_weighted_lb_config"));
    if let Some(weighted) = weighted {
        choice.locality_weighted = Some(weighted.span());
    }
}

fn override_source(source: Value<'_>) -> Option<String> {
    if let Some(header) = source.text_of("header") {
        return Some(format!("header {header}"));
    }
    Some(format!("metadata {}", source.get("metadata")?.text_of("key")?))
}

fn least_request(config: Option<Value<'_>>) -> Algorithm {
    const SELECTION: [(&str, i64); 2] = [("N_CHOICES", 0), ("FULL_SCAN", 1)];
    let field = |name: &str| config.and_then(|config| config.get(name));
    let full_scan =
        field("selection_method").and_then(|value| value.enumeration(&SELECTION)) == Some("FULL_SCAN");
    let choices = field("choice_count").and_then(Value::u32).unwrap_or(2);
    let bias = field("active_request_bias")
        .and_then(|bias| bias.get("default_value"))
        .and_then(Value::number)
        // Envoy warns about a negative bias and takes 1.
        .filter(|bias| *bias >= 0.0 && *bias <= 1e6)
        .unwrap_or(1.0);
    Algorithm::LeastConnections {
        choices: (!full_scan).then_some(choices),
        bias_milli: (bias * 1000.0).round() as u32,
    }
}

fn ring_hash(config: Option<Value<'_>>, balance_factor: u32) -> Algorithm {
    // XX_HASH is 0 in the cluster's own enum and 1 in the extension's; only names are told apart here.
    let number = |name: &str| config.and_then(|config| config.get(name)).and_then(Value::u64);
    let function = config.and_then(|config| config.get("hash_function"));
    let murmur = function.is_some_and(|function| {
        let named = function.string().is_some_and(|text| text.eq_ignore_ascii_case("MURMUR_HASH_2"));
        let typed = config.is_some_and(|config| config.type_name().is_some());
        named || function.integer() == Some(if typed { 2 } else { 1 })
    });
    Algorithm::Hash {
        key: HashKey::RoutePolicy,
        table: HashTable::EnvoyRing {
            min: number("minimum_ring_size").unwrap_or(1024),
            max: number("maximum_ring_size").unwrap_or(8_388_608),
        },
        function: if murmur { HashFunction::Murmur2 } else { HashFunction::XxHash },
        balance_factor,
    }
}

fn maglev(config: Option<Value<'_>>, balance_factor: u32) -> Algorithm {
    let size = config.and_then(|config| config.get("table_size")).and_then(Value::u64).unwrap_or(65_537);
    Algorithm::Hash {
        key: HashKey::RoutePolicy,
        table: HashTable::Maglev { size },
        function: HashFunction::XxHash,
        balance_factor,
    }
}

/// Sessions pinned beside the algorithm, with where that is written.
pub(super) type Affinities = Vec<Setting<Affinity>>;
