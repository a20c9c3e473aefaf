//! `upstream` blocks.

use std::time::Duration;

use super::state::{Family, Lower};
use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::dialect::Edition;
use crate::model::{
    AdminState, Affinity, Algorithm, Endpoint, HashFunction, HashKey, HashTable, Host, KeyVariety,
    Membership, Origin, OutlierDetection, Pool, PoolKind, Setting, Weakens,
};
use crate::nginx::syntax::{NodeId, Word};
use crate::nginx::values;
use crate::source::{Span, Spanned};

const DEFAULTS: &str = "nginx: weight=1 max_fails=1 fail_timeout=10s";

/// What one pass over an upstream has seen so far.
#[derive(Default)]
struct Seen {
    /// The directive that chose the method in force, if it refuses `backup`.
    no_backup: Option<Span>,
    servers: usize,
    active: usize,
}

impl Lower<'_> {
    pub(super) fn upstreams_of(&mut self, family: Family, block: Option<NodeId>) {
        for id in self.tree.children(block) {
            if self.tree.name(id) == "upstream" && self.tree.nodes[id].block {
                self.upstream(family, id);
            }
        }
    }

    fn upstream(&mut self, family: Family, id: NodeId) {
        let Some(word) = self.tree.args(id).first().copied() else { return };
        let name = self.tree.value(&word).to_owned();
        let header = self.tree.header(id);
        let mut pool = new_pool(Spanned::new(name.clone(), word.span), header, family);
        pool.extent = self.tree.span(id);
        let seen = self.upstream_body(&mut pool, family, Some(id));
        self.judge_upstream(&pool, &seen);
        self.judge_resolve(&pool, id);
        self.only_server(&pool);
        let key = (family, name.to_ascii_lowercase());
        if let Some(&first) = self.upstreams.get(&key) {
            let first = self.config.pool(first).header;
            self.diagnostics.push(
                Diagnostic::new(
                    RuleId::DuplicateDefinition,
                    Severity::Error,
                    header,
                    format!("upstream `{name}` is defined twice"),
                )
                .also(first, "first defined here")
                .help("rename or remove one of them")
                .pool(name),
            );
            return;
        }
        let pool = self.config.add_pool(pool);
        self.upstreams.insert(key, pool);
        self.upstream_gaps(id, pool);
    }

    /// The inside of an `upstream` block given alone.
    pub(super) fn upstream_snippet(&mut self, family: Family, whole: Span) {
        let mut pool = new_pool(Spanned::new("upstream".to_owned(), whole), whole, family);
        self.upstream_body(&mut pool, family, None);
        self.config.add_pool(pool);
    }

    fn judge_upstream(&mut self, pool: &Pool, seen: &Seen) {
        let name = &pool.name.value;
        let fault = if seen.servers == 0 && pool.membership == Membership::Static {
            Some((format!("upstream `{name}` has no server"), "add a `server` line"))
        } else if seen.servers > 0 && seen.active == 0 {
            Some((
                format!("upstream `{name}` has only backup servers"),
                "take `backup` off at least one server",
            ))
        } else {
            None
        };
        if let Some((message, help)) = fault {
            self.diagnostics.push(
                Diagnostic::new(RuleId::InvalidValue, Severity::Error, pool.header, message)
                    .help(help)
                    .pool(name.clone()),
            );
        }
    }

    /// Workers share what they resolve, so there must be shared memory; and somebody must be asked.
    fn judge_resolve(&mut self, pool: &Pool, block: NodeId) {
        if pool.shared_state.is_some() {
            self.judge_resolver(pool, block);
            return;
        }
        let servers = self.tree.children(Some(block)).filter(|&id| self.tree.name(id) == "server");
        let first = servers.flat_map(|id| self.tree.args(id)).find(|word| self.tree.value(word) == "resolve");
        if let Some(span) = first.map(|word| word.span) {
            let message = format!("`resolve` needs a `zone` in upstream `{}`", pool.name.value);
            self.invalid(span, message, "add a line such as `zone name 64k;` to the upstream");
        }
    }

    fn judge_resolver(&mut self, pool: &Pool, block: NodeId) {
        // Around a snippet there may be one.
        let Some(outer) = self.tree.nodes[block].parent else { return };
        let is_name = |id: NodeId| {
            let address = self.tree.arg(id, 0).and_then(|text| values::address(text, Some(80)).ok());
            address.is_some_and(|address| matches!(address.host, Host::Name(_)))
        };
        let servers = self.tree.children(Some(block)).filter(|&id| self.tree.name(id) == "server");
        let first = servers
            .filter(|&id| is_name(id))
            .flat_map(|id| self.tree.args(id))
            .find(|word| self.tree.value(word) == "resolve");
        let Some(span) = first.map(|word| word.span) else { return };
        let names_one = |block| self.tree.children(Some(block)).any(|id| self.tree.name(id) == "resolver");
        if !names_one(block) && !names_one(outer) {
            let message = format!("`resolve` in upstream `{}` has no `resolver` to ask", pool.name.value);
            self.invalid(
                span,
                message,
                "add `resolver` with the address of a name server to the upstream or around it",
            );
        }
    }

    fn upstream_body(&mut self, pool: &mut Pool, family: Family, block: Option<NodeId>) -> Seen {
        let mut seen = Seen::default();
        for id in self.tree.children(block) {
            let span = self.tree.header(id);
            match self.tree.name(id) {
                "server" => {
                    // One whose address is refused is a server all the same.
                    let endpoint = self.endpoint(pool, family, id, &seen);
                    seen.servers += 1;
                    seen.active +=
                        usize::from(endpoint.as_ref().is_none_or(|endpoint| endpoint.tier.value == 0));
                    pool.endpoints.extend(endpoint);
                }
                "zone" => pool.shared_state = Some(span),
                "state" => {
                    pool.membership = Membership::Unknown("servers are kept in a `state` file".to_owned())
                }
                "queue" => {
                    let time = self
                        .tree
                        .values(id)
                        .iter()
                        .find_map(|word| word.strip_prefix("timeout=").map(str::to_owned));
                    let time = time.and_then(|time| values::time(&time, false));
                    let time = time.map(|time| Setting::written(time, span));
                    pool.timeouts.queue = time
                        .or(Some(Setting::default(Duration::from_secs(60), "NGINX Plus: queue timeout=60s")));
                }
                "sticky" | "session_sticky" | "sticky_cookie_insert" => {
                    pool.affinity.push(Setting::written(self.affinity(id), span));
                }
                _ => {
                    if let Some((algorithm, no_backup)) = self.method(id) {
                        self.repeated_method(pool, span);
                        pool.key_variety = key_variety(&algorithm);
                        pool.algorithm = Setting::written(algorithm, span);
                        seen.no_backup = no_backup.then_some(span);
                    }
                }
            }
        }
        seen
    }

    /// Blames a parameter of `server` that only NGINX Plus has.
    fn commercial_parameter(&mut self, span: Span, name: &str) {
        let severity = match self.edition {
            Edition::Plus => return,
            Edition::OpenSource => Severity::Error,
            Edition::Unknown => Severity::Warning,
        };
        let message =
            format!("open source nginx has no parameter `{name}` of `server`: it belongs to NGINX Plus");
        self.diagnostics.push(
            Diagnostic::new(RuleId::AlgorithmEditionMismatch, severity, span, message)
                .help(crate::nginx::EDITION_HELP),
        );
    }

    /// nginx never takes the only server of an upstream out, whatever is written about failures.
    fn only_server(&mut self, pool: &Pool) {
        let [only] = pool.endpoints.as_slice() else { return };
        let written = only.outlier_detection.filter(|setting| setting.is_explicit());
        let Some(span) = written.and_then(|setting| setting.span()) else { return };
        // A name may stand for several addresses, which are servers each.
        if only.expands || pool.membership != Membership::Static {
            return;
        }
        let name = &pool.name.value;
        let message = format!(
            "max_fails and fail_timeout have no effect in upstream `{name}`: nginx never takes an only server out"
        );
        self.diagnostics.push(
            Diagnostic::new(RuleId::DirectiveIneffective, Severity::Warning, span, message)
                .help("add a second server, or remove the parameters")
                .pool(name.clone()),
        );
    }

    /// nginx takes the last method of several, and warns.
    fn repeated_method(&mut self, pool: &Pool, span: Span) {
        let Origin::Written(first) = pool.algorithm.origin else { return };
        let message = format!(
            "upstream `{}` has two load balancing methods, and nginx takes this one",
            pool.name.value
        );
        self.diagnostics.push(
            Diagnostic::new(RuleId::DuplicateSingleton, Severity::Warning, span, message)
                .also(first, "this one has no effect")
                .help("keep the one that is meant")
                .pool(pool.name.value.clone()),
        );
    }

    /// Directives of modules that take the choice of servers away from what is written.
    fn upstream_gaps(&mut self, block: NodeId, pool: crate::model::PoolId) {
        for id in self.tree.children(Some(block)) {
            let name = self.tree.name(id);
            let what = match name {
                "balancer_by_lua_block" | "balancer_by_lua_file" | "balancer_by_lua" => {
                    "Lua picks the server"
                }
                "upsync" | "consul" | "dynamic_resolve" | "jdomain" | "server_list" | "dynamic_upstream" => {
                    "servers come from elsewhere"
                }
                _ => continue,
            };
            let what = format!("`{name}`: {what}");
            self.gap(self.tree.header(id), what.clone(), Weakens::Pool(pool));
            if let Some(pool) = self.config.pools.get_mut(pool.0 as usize) {
                pool.membership = Membership::Unknown(what);
            }
        }
    }

    fn affinity(&self, id: NodeId) -> Affinity {
        let values = self.tree.values(id);
        match (self.tree.name(id), values.as_slice()) {
            ("sticky", ["cookie", name, ..]) => Affinity::Cookie((*name).to_owned()),
            ("sticky", ["learn" | "route", ..]) => Affinity::Other(values.join(" ")),
            // The third-party module: `sticky name=…`.
            ("sticky", values) => {
                let name = values.iter().find_map(|word| word.strip_prefix("name="));
                Affinity::Cookie(name.unwrap_or("route").to_owned())
            }
            ("sticky_cookie_insert", [name, ..]) => Affinity::Cookie((*name).to_owned()),
            _ => Affinity::Other(self.text(id)),
        }
    }

    /// The method a directive chooses, and whether it refuses `backup`.
    fn method(&mut self, id: NodeId) -> Option<(Algorithm, bool)> {
        let values: Vec<String> = self.tree.values(id).into_iter().map(str::to_owned).collect();
        let words: Vec<&str> = values.iter().map(String::as_str).collect();
        let least_conn = Algorithm::LeastConnections { choices: None, bias_milli: 1000 };
        let hash = |key: &str, table| Algorithm::Hash {
            key: hash_key(key),
            table,
            function: HashFunction::Nginx,
            balance_factor: 0,
        };
        let name = self.tree.name(id).to_owned();
        Some(match (name.as_str(), words.as_slice()) {
            ("least_conn", _) => (least_conn, false),
            ("ip_hash", _) => {
                let key = HashKey::Source;
                let (table, function) = (HashTable::IpHash, HashFunction::Nginx);
                (Algorithm::Hash { key, table, function, balance_factor: 0 }, true)
            }
            ("hash", [key]) => (hash(key, HashTable::Map), true),
            ("hash", [key, "consistent"]) => (hash(key, HashTable::Ketama), true),
            ("hash", [_, _]) => {
                self.bad_word(id, 1, "the only word after the key is `consistent`");
                return None;
            }
            ("consistent_hash", [key, ..]) => (hash(key, HashTable::Ketama), true),
            ("random", []) => (random(1, None), true),
            ("random", ["two"]) => (random(2, Some("least_conn")), true),
            ("random", ["two", by]) if *by == "least_conn" || by.starts_with("least_time=") => {
                (random(2, Some(by)), true)
            }
            ("random", ["two", _]) => {
                self.bad_word(id, 1, "write `least_conn` or `least_time=header`");
                return None;
            }
            // The number of words is judged elsewhere.
            ("random", ["two", _, _, ..]) => return None,
            ("random", _) => {
                self.bad_word(id, 0, "the only word is `two`");
                return None;
            }
            ("least_time", words) => (Algorithm::LeastTime(words.join(" ")), false),
            ("fair", _) => (Algorithm::External("fair".to_owned()), false),
            ("upstream_hash" | "vnswrr", _) => (Algorithm::External(name), false),
            ("balancer_by_lua_block" | "balancer_by_lua_file" | "balancer_by_lua", _) => {
                (Algorithm::External("balancer_by_lua".to_owned()), false)
            }
            _ => return None,
        })
    }

    fn bad_word(&mut self, id: NodeId, index: usize, help: &str) {
        let Some(word) = self.tree.args(id).get(index).copied() else { return };
        let message =
            format!("`{}` is not a parameter of directive `{}`", self.tree.value(&word), self.tree.name(id));
        self.invalid(word.span, message, help);
    }

    fn endpoint(&mut self, pool: &mut Pool, family: Family, id: NodeId, seen: &Seen) -> Option<Endpoint> {
        let (word, parameters) = self.tree.args(id).split_first()?;
        let (word, parameters) = (*word, parameters.to_vec());
        let text = self.tree.value(&word).to_owned();
        let line = self.tree.header(id);
        let service = parameters.iter().any(|word| self.tree.value(word).starts_with("service="));
        // Only in http is there a port to assume.
        let port = (family == Family::Http).then_some(80);
        let address = match values::address(&text, port) {
            Ok(address) if text.contains('/') && !matches!(address.host, Host::Unix(_)) => {
                let help = "write only host and port; scheme and path belong in `proxy_pass`";
                self.invalid(word.span, format!("`{text}` is not the address of a server"), help);
                return None;
            }
            Ok(address) => address,
            Err(fault) if text.contains("://") => {
                let _ = fault;
                let help = "write only host and port; scheme and path belong in `proxy_pass`";
                self.invalid(word.span, format!("`{text}` is not the address of a server"), help);
                return None;
            }
            Err(fault) => {
                self.invalid(word.span, format!("server address `{text}` has {}", fault.describe()), "");
                return None;
            }
        };
        let has_port =
            address.port.is_some() || matches!(address.host, Host::Unix(_) | Host::Unknown(_)) || service;
        if family == Family::Stream && !has_port {
            self.invalid(
                word.span,
                format!("server address `{text}` has no port"),
                "in `stream` the port must be written",
            );
        }
        let mut endpoint = Endpoint::new(Spanned::new(text, word.span), address, line, DEFAULTS);
        endpoint.expands = matches!(endpoint.address.host, Host::Name(_));
        let mut passive = Passive::default();
        for word in &parameters {
            self.parameter(&mut endpoint, &mut passive, word, seen);
        }
        if let Some(word) = parameters.iter().find(|word| self.tree.value(word).starts_with("service=")) {
            let text = self.tree.value(word).to_owned();
            if !parameters.iter().any(|word| self.tree.value(word) == "resolve") {
                let message = format!("parameter `{text}` of a server needs `resolve`");
                self.invalid(word.span, message, "add `resolve`: SRV records are only looked up at run time");
            } else if matches!(endpoint.address.host, Host::Ip(_)) {
                let message = format!("parameter `{text}` of a server needs a name, not an address");
                self.invalid(word.span, message, "write the name that has the SRV records");
            }
        }
        if service {
            pool.membership = Membership::Unknown("servers come from DNS SRV records".to_owned());
        }
        endpoint.outlier_detection = Some(passive.setting());
        Some(endpoint)
    }

    fn parameter(&mut self, endpoint: &mut Endpoint, passive: &mut Passive, word: &Word, seen: &Seen) {
        let text = self.tree.value(word).to_owned();
        let (key, value) = text.split_once('=').unwrap_or((text.as_str(), ""));
        let span = word.span;
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let ok = match (key, text.contains('=')) {
            ("weight", true) => match values::number(value) {
                Some(0) => {
                    let help = "the least weight is 1; to send no traffic write `down` instead";
                    return self.invalid(span, "nginx does not take `weight=0`", help);
                }
                Some(weight) => {
                    endpoint.weight = Setting::written(small(weight), span);
                    true
                }
                None => false,
            },
            ("max_conns", true) => values::number(value)
                .map(|limit| endpoint.max_connections = Some(Setting::written(limit, span)))
                .is_some(),
            ("max_fails", true) => {
                values::number(value).map(|fails| passive.fails = Some((small(fails), span))).is_some()
            }
            ("fail_timeout", true) => {
                let time = values::time(value, false);
                if let Some(time) = time {
                    let written = values::written_time(key, value, time, span);
                    self.config.times.push(written);
                }
                time.map(|time| passive.timeout = Some((time, span))).is_some()
            }
            ("backup", false) => {
                if let Some(method) = seen.no_backup {
                    self.diagnostics.push(
                        Diagnostic::new(
                            RuleId::InvalidValue,
                            Severity::Error,
                            span,
                            "the load balancing method of this upstream does not take `backup` servers",
                        )
                        .also(method, "this method")
                        .help("use least_conn or round robin, or take the server out of the upstream"),
                    );
                }
                endpoint.tier = Setting::written(1, span);
                true
            }
            ("down", false) => {
                endpoint.state = Setting::written(AdminState::Disabled, span);
                true
            }
            ("drain", false) => {
                endpoint.state = Setting::written(AdminState::Draining, span);
                true
            }
            ("resolve", false) => true,
            ("route", true) => {
                endpoint.cookie = Some(Setting::written(value.to_owned(), span));
                true
            }
            ("service", true) => !value.is_empty(),
            ("slow_start", true) => {
                self.commercial_parameter(span, "slow_start");
                values::time(value, false).is_some()
            }
            // Third-party modules.
            (
                "id" | "srun_id" | "gid" | "tag" | "max_busy" | "protocol" | "addr" | "user" | "password"
                | "dbname",
                true,
            ) => true,
            _ => {
                let known = [
                    "weight=",
                    "max_conns=",
                    "max_fails=",
                    "fail_timeout=",
                    "backup",
                    "down",
                    "drain",
                    "resolve",
                    "route=",
                    "service=",
                    "slow_start=",
                ];
                let near = crate::diagnostic::suggest(&text, known)
                    .or_else(|| crate::diagnostic::suggest(&format!("{key}="), known));
                let help = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
                let fault =
                    if known.contains(&format!("{key}=").as_str()) { "needs a value" } else { "is unknown" };
                return self.invalid(span, format!("parameter `{text}` of a server {fault}"), &help);
            }
        };
        if !ok {
            let help = match key {
                "fail_timeout" | "slow_start" => "write a time in whole seconds, such as `10s`",
                _ => "write a whole number",
            };
            self.invalid(span, format!("parameter `{text}` of a server has an invalid value"), help);
        }
    }
}

#[derive(Default)]
struct Passive {
    fails: Option<(u32, Span)>,
    timeout: Option<(Duration, Span)>,
}

impl Passive {
    fn setting(&self) -> Setting<OutlierDetection> {
        let value = OutlierDetection {
            failures: self.fails.map_or(1, |(fails, _)| fails),
            ejection: Some(self.timeout.map_or(Duration::from_secs(10), |(time, _)| time)),
            sweep: None,
            max_ejection_percent: None,
            always_eject_one: false,
        };
        match self.fails.map(|(_, span)| span).or(self.timeout.map(|(_, span)| span)) {
            Some(span) => Setting::written(value, span),
            None => Setting::default(value, "nginx: max_fails=1 fail_timeout=10s"),
        }
    }
}

fn random(draws: u32, by: Option<&str>) -> Algorithm {
    Algorithm::Random { draws, weighted: true, by: by.map(str::to_owned) }
}

/// A hash key in the model's words; one without a variable sends everything to one server.
fn hash_key(text: &str) -> HashKey {
    match text {
        "$remote_addr" | "${remote_addr}" => HashKey::Source,
        text if values::has_variable(text) => HashKey::Expression(text.to_owned()),
        text => HashKey::Constant(text.to_owned()),
    }
}

/// Variables that are the same for all requests of a `server` block or of one address it listens on.
const PER_LISTENER: &[&str] =
    &["hostname", "nginx_version", "pid", "scheme", "server_addr", "server_name", "server_port"];
/// Variables with one value for each host name.
const PER_HOST: &[&str] = &["host", "http_host"];

/// How few values the key of `hash` takes, judged by the variables in it.
fn key_variety(algorithm: &Algorithm) -> Option<KeyVariety> {
    let Algorithm::Hash { key: HashKey::Expression(text), .. } = algorithm else { return None };
    let mut variety = KeyVariety::Listener;
    for name in values::variables(text) {
        if PER_HOST.contains(&name.as_str()) {
            variety = KeyVariety::Host;
        } else if !PER_LISTENER.contains(&name.as_str()) {
            return None;
        }
    }
    Some(variety)
}

/// A pool with what nginx gives every upstream.
pub(super) fn new_pool(name: Spanned<String>, header: Span, family: Family) -> Pool {
    let mode = Setting { value: family.mode(), origin: crate::model::Origin::Inherited(header) };
    let algorithm = Setting::default(Algorithm::RoundRobin, "nginx: round robin");
    let mut pool = Pool::new(name, header, mode, algorithm);
    pool.kind = PoolKind::Declared;
    pool.all_backups = Some(Setting::default(true, "nginx: all backups share the load"));
    pool
}
