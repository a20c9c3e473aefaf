//! Running Envoy: what its admin interface says of clusters and hosts, its `config_dump` read back, and where its
//! routes send requests.

use std::collections::BTreeMap;
use std::process::Command;

use lbcheck::dialect::Dialect;
use lbcheck::model::{AdminState, Algorithm, Config, Endpoint, Host, Pool};

use super::ask::ask_all;
use lbcheck_verify::process::{Prepared, Running, Scratch, free_port, get, prepare};
use lbcheck_verify::program::Program;

#[test]
fn clusters_are_what_the_model_says() {
    let Some(program) = Program::for_test(Dialect::Envoy, "live::envoy") else { return };
    let mut differences = Vec::new();
    let mut hosts = 0;
    let (mut sent, mut decided) = (0, 0);
    for (name, text) in super::configs(Dialect::Envoy) {
        let prepared = prepare(&text);
        let reading = super::model(Dialect::Envoy, program.version(), &prepared.text);
        let scratch = Scratch::new();
        let (_running, admin) = start(&program, &scratch, &prepared).expect(&name);
        let mut found = Vec::new();
        let clusters = Clusters::ask(admin);
        for (_, pool) in reading.config.pools() {
            hosts += pool.endpoints.len();
            clusters.compare(pool, &mut found);
        }
        let (_, dump) = get(admin, "admin", "/config_dump?include_eds").expect("config_dump");
        let again = super::model(Dialect::Envoy, program.version(), &dump);
        compare_dump(&reading.config, &again.config, &mut found);
        let asked = ask_all(&prepared, &reading.config);
        let dumped = ask_all(&prepared, &again.config);
        if dumped.decided != asked.decided {
            found.push(format!(
                "of config_dump {} requests are decided, not {}",
                dumped.decided, asked.decided
            ));
        }
        sent += asked.sent;
        decided += asked.decided;
        found.extend(asked.differences);
        found.extend(dumped.differences.into_iter().map(|difference| format!("config_dump: {difference}")));
        differences.extend(found.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    super::report(&differences);
    assert!(hosts > 10, "only {hosts} hosts were compared");
    assert!(decided * 10 >= sent * 8, "the model decides only {decided} of {sent} requests");
}

/// Starts Envoy with an admin interface merged into the configuration, and waits until it serves.
fn start(program: &Program, scratch: &Scratch, prepared: &Prepared) -> Result<(Running, u16), String> {
    let admin = free_port();
    let address = format!("{{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}");
    let mut command = Command::new(&program.path);
    command
        .args([
            "--disable-hot-restart",
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
            "-l",
            "error",
            "--config-yaml",
        ])
        .arg(format!("admin: {{address: {address}}}"))
        .arg("-c")
        .arg(scratch.write("envoy.yaml", &prepared.text));
    let (running, ()) = Running::start(command, scratch, || {
        get(admin, "admin", "/ready").filter(|(status, _)| *status == 200).map(|_| ())
    })?;
    Ok((running, admin))
}

/// `/clusters`: the facts of each cluster and of each host, in Envoy's words.
struct Clusters {
    facts: BTreeMap<(String, String), String>,
    /// By cluster and address.
    hosts: BTreeMap<(String, String), BTreeMap<String, String>>,
}

impl Clusters {
    fn ask(admin: u16) -> Self {
        let (_, text) = get(admin, "admin", "/clusters").expect("/clusters");
        let mut clusters = Self { facts: BTreeMap::new(), hosts: BTreeMap::new() };
        for line in text.lines() {
            // An IPv6 address is in brackets, so that `::` parts the fields only outside of them.
            let fields = fields(line);
            match &fields[..] {
                [cluster, group, fact, value] if group.ends_with("_priority") => {
                    clusters.facts.insert((cluster.clone(), format!("{group} {fact}")), value.clone());
                }
                [cluster, address, fact, value] => {
                    let key = (cluster.clone(), address.clone());
                    clusters.hosts.entry(key).or_default().insert(fact.clone(), value.clone());
                }
                _ => {}
            }
        }
        clusters
    }

    fn compare(&self, pool: &Pool, differences: &mut Vec<String>) {
        let name = &pool.name.value;
        let limits = &pool.limits;
        for (fact, model) in [
            ("max_connections", limits.max_connections),
            ("max_pending_requests", limits.max_pending),
            ("max_requests", limits.max_requests),
            ("max_retries", limits.max_retries),
        ] {
            let running = self.facts.get(&(name.clone(), format!("default_priority {fact}")));
            let model = model.map(|limit| limit.value.to_string());
            if model.as_ref() != running {
                differences.push(format!("{name}: {fact}: model {model:?}, running {running:?}"));
            }
        }
        let hosts: BTreeMap<&str, &BTreeMap<String, String>> = self
            .hosts
            .iter()
            .filter(|((cluster, _), _)| cluster == name)
            .map(|((_, address), facts)| (address.as_str(), facts))
            .collect();
        // How many hosts a name gives is not in the configuration.
        let named = pool.endpoints.iter().any(|endpoint| matches!(endpoint.address.host, Host::Name(_)));
        if !named && hosts.len() != pool.endpoints.len() {
            let addresses: Vec<&&str> = hosts.keys().collect();
            differences.push(format!("{name}: {} endpoints, running {addresses:?}", pool.endpoints.len()));
        }
        for endpoint in &pool.endpoints {
            let Host::Ip(_) = endpoint.address.host else { continue };
            let address = endpoint.address.to_string();
            match hosts.get(address.as_str()) {
                Some(facts) => compare_host(pool, endpoint, facts, differences),
                None => differences.push(format!("{name}: {address} is not among the running hosts")),
            }
        }
    }
}

fn compare_host(
    pool: &Pool,
    endpoint: &Endpoint,
    facts: &BTreeMap<String, String>,
    differences: &mut Vec<String>,
) {
    let locality = endpoint.locality.and_then(|index| pool.localities.get(index));
    let parts: Vec<&str> = locality.map_or("//", |locality| locality.name.as_str()).split('/').collect();
    let part = |index: usize| parts.get(index).copied().unwrap_or_default().to_owned();
    // A host drained by the file is not counted as failed: only `UNHEALTHY` and `TIMEOUT` raise the flag.
    let failed = facts.get("health_flags").is_some_and(|flags| flags.contains("failed_eds_health"));
    let running = |fact: &str| facts.get(fact).cloned().unwrap_or_default();
    for (fact, model, running) in [
        ("weight", endpoint.weight.value.to_string(), running("weight")),
        ("priority", endpoint.tier.value.to_string(), running("priority")),
        ("region", part(0), running("region")),
        ("zone", part(1), running("zone")),
        ("sub_zone", part(2), running("sub_zone")),
        ("failed", (endpoint.state.value == AdminState::Disabled).to_string(), failed.to_string()),
    ] {
        if model != running {
            let name = &pool.name.value;
            differences
                .push(format!("{name} {}: {fact}: model {model}, running {running}", endpoint.address));
        }
    }
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut bracketed = false;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        bracketed = (bracketed || character == '[') && character != ']';
        if !bracketed && let Some(after) = rest.strip_prefix("::") {
            fields.push(String::new());
            rest = after;
            continue;
        }
        fields.last_mut().expect("there is one").push(character);
        rest = &rest[character.len_utf8()..];
    }
    fields
}

/// The file and what Envoy dumps of it must read as the same pools.
fn compare_dump(file: &Config, dump: &Config, differences: &mut Vec<String>) {
    let digests = |config: &Config| -> BTreeMap<String, Vec<String>> {
        config.pools().map(|(_, pool)| (pool.name.value.clone(), digest(pool))).collect()
    };
    let (file, dump) = (digests(file), digests(dump));
    for name in file.keys().chain(dump.keys().filter(|name| !file.contains_key(*name))) {
        let (old, new) = (file.get(name), dump.get(name));
        if old != new {
            differences
                .push(format!("{name}: read from config_dump it is\n  {new:?}, from the file\n  {old:?}"));
        }
    }
}

/// What a pool does, without places and origins.
fn digest(pool: &Pool) -> Vec<String> {
    let algorithm: &Algorithm = &pool.algorithm.value;
    let value = |setting: Option<lbcheck::model::Setting<u64>>| setting.map(|setting| setting.value);
    let limits = &pool.limits;
    let mut digest = vec![
        format!("{algorithm:?} {:?} {:?}", pool.mode.value, pool.membership),
        format!(
            "{:?} {:?} {:?} {:?}",
            value(limits.max_connections),
            value(limits.max_pending),
            value(limits.max_requests),
            value(limits.max_retries)
        ),
        format!(
            "{:?} {:?} {:?} {:?} {}",
            pool.overprovisioning_percent.map(|setting| setting.value),
            pool.panic_threshold_percent.map(|setting| setting.value),
            pool.outlier_detection.map(|setting| setting.value),
            pool.timeouts.connect.map(|setting| setting.value),
            pool.locality_weighted.is_some()
        ),
    ];
    digest.extend(pool.health_checks.iter().map(|check| {
        let timing = &check.value.timing;
        format!(
            "{:?} {:?} {:?} {:?} {:?}",
            check.value.kind,
            timing.interval.map(|setting| setting.value),
            timing.timeout.map(|setting| setting.value),
            timing.fall.map(|setting| setting.value),
            timing.rise.map(|setting| setting.value)
        )
    }));
    digest.extend(pool.localities.iter().map(|locality| {
        let weight = locality.weight.map(|weight| weight.value);
        format!("{} {weight:?} {}", locality.name, locality.priority)
    }));
    digest.extend(pool.endpoints.iter().map(|endpoint| {
        format!(
            "{} {} {} {:?} {:?} {}",
            endpoint.address,
            endpoint.weight.value,
            endpoint.tier.value,
            endpoint.state.value,
            endpoint.locality,
            endpoint.check_disabled.is_some()
        )
    }));
    digest
}
