//! Where `proxy_pass` and its kin send requests.

use super::condition;
use super::scope::{Protocol, Scope};
use super::state::{Choice, Family, Lower};
use super::upstream::new_pool;
use super::variable::{self, Map, Source};
use crate::model::{
    Action, Address, Condition, Endpoint, Host, PoolId, PoolKind, Route, RouteTable, Setting, Target,
    TextMatch, WeightedTarget,
};
use crate::nginx::syntax::{NodeId, Word};
use crate::nginx::values::{self, BadAddress};
use crate::source::{Span, Spanned};

/// Most pools that are listed for a variable.
const MAX_CANDIDATES: usize = 256;

/// Variables that hold a path and start with a slash.
pub(super) const PATHS: &[&str] = &["$request_uri", "$uri", "$document_uri", "${request_uri}", "${uri}"];

/// The parts of a pass target without variables.
struct Url {
    /// Host and port, or `unix:path`, as written.
    address: String,
    tls: Option<bool>,
    /// Port where none is written.
    port: Option<u16>,
    /// Whether a path follows the address.
    uri: bool,
}

impl Lower<'_> {
    /// What a `…_pass` directive in http does. `strict` where no path may follow the address.
    pub(super) fn pass(&mut self, id: NodeId, protocol: Protocol, scope: &Scope, strict: bool) -> Action {
        let Some(word) = self.tree.args(id).first().copied() else { return self.unknown_pass(id) };
        let text = self.tree.value(&word).to_owned();
        if text.is_empty() {
            self.invalid(self.tree.header(id), format!("`{}` has an empty address", self.tree.name(id)), "");
            return self.unknown_pass(id);
        }
        // A path in a variable says nothing about the host before it.
        let fixed = PATHS.iter().find_map(|path| text.split_once(path)).map(|(head, _)| head.to_owned());
        let text = match fixed {
            Some(head) if !values::has_variable(&head) && head.contains("://") => format!("{head}/"),
            _ => text,
        };
        if values::has_variable(&text) {
            return self.dynamic(Family::Http, &word, &text);
        }
        let Some(url) = self.url(protocol, &word, &text) else { return self.unknown_pass(id) };
        if strict && url.uri && !self.tree.value(&word).contains('$') && protocol == Protocol::Proxy {
            let help = "take the path off the address, or move the directive to a location given by prefix";
            let place = "a location given by regular expression, a named location, `if` or `limit_except`";
            self.invalid(word.span, format!("`proxy_pass` cannot have a path inside {place}"), help);
        }
        let target = match self.resolve(Family::Http, &url, word.span) {
            Some(target) => target,
            None => return self.unknown_pass(id),
        };
        if let Target::Pool { pool, .. } = target {
            self.note_use(pool, scope, protocol, url.tls, word.span);
        }
        Action::Forward(target)
    }

    fn unknown_pass(&self, id: NodeId) -> Action {
        Action::Opaque(self.text(id))
    }

    /// What `proxy_pass` in stream does.
    pub(super) fn stream_pass(&mut self, id: NodeId, scope: &Scope) -> Action {
        let Some(word) = self.tree.args(id).first().copied() else { return self.unknown_pass(id) };
        let text = self.tree.value(&word).to_owned();
        if values::has_variable(&text) {
            return self.dynamic(Family::Stream, &word, &text);
        }
        let url = Url { address: text, tls: None, port: None, uri: false };
        let Some(target) = self.resolve(Family::Stream, &url, word.span) else {
            return self.unknown_pass(id);
        };
        if let Target::Pool { pool, .. } = target {
            let (timeouts, retries) = (scope.stream_timeouts(self.tree), scope.stream_retries(self.tree));
            if let Some(pool) = self.config.pools.get_mut(pool.0 as usize)
                && pool.timeouts.connect.is_none()
            {
                let queue = pool.timeouts.queue;
                pool.timeouts = timeouts;
                pool.timeouts.queue = queue;
                pool.retries = retries;
            }
        }
        Action::Forward(target)
    }

    fn url(&mut self, protocol: Protocol, word: &Word, text: &str) -> Option<Url> {
        let lower = text.get(..8.min(text.len())).unwrap_or_default().to_ascii_lowercase();
        let schemes: &[(&str, Option<u16>, bool)] = match protocol {
            Protocol::Proxy => &[("http://", Some(80), false), ("https://", Some(443), true)],
            Protocol::Grpc => &[("grpc://", Some(80), false), ("grpcs://", Some(443), true)],
            Protocol::Uwsgi => &[("uwsgi://", None, false), ("suwsgi://", None, true)],
            _ => &[],
        };
        let found = schemes.iter().find(|(scheme, _, _)| lower.starts_with(scheme));
        let (rest, port, tls) = match (found, protocol) {
            (Some((scheme, port, tls)), _) => (text.get(scheme.len()..)?, *port, Some(*tls)),
            (None, Protocol::Proxy) => {
                let help = "write `http://` or `https://` before the address";
                self.invalid(word.span, format!("`{text}` does not start with http:// or https://"), help);
                return None;
            }
            (None, Protocol::Grpc) => (text, None, Some(false)),
            (None, _) => (text, None, None),
        };
        let with_path = matches!(protocol, Protocol::Proxy);
        let (address, uri) = match values::strip_unix(rest) {
            // The path of a socket ends at a colon, where a path of the request may follow.
            Some(path) => match path.split_once(':') {
                Some((path, uri)) if with_path => (format!("unix:{path}"), !uri.is_empty()),
                _ => (rest.to_owned(), false),
            },
            None => match rest.find(['/', '?', '#']) {
                Some(cut) => (rest.get(..cut)?.to_owned(), true),
                None => (rest.to_owned(), false),
            },
        };
        Some(Url { address, tls, port, uri })
    }

    /// Finds the upstream of an address, or makes the pool that nginx makes for it.
    fn resolve(&mut self, family: Family, url: &Url, span: Span) -> Option<Target> {
        let text = url.address.to_ascii_lowercase();
        if let Some(&pool) = self.upstreams.get(&(family, text.clone())) {
            return Some(Target::Pool { pool, span });
        }
        if let Some((host, _)) = text.rsplit_once(':')
            && let Some(&pool) = self.upstreams.get(&(family, host.to_owned()))
        {
            let name = self.config.pool(pool).name.value.clone();
            let help = "take the port off; the ports of an upstream stand on its servers";
            self.invalid(span, format!("upstream `{name}` cannot be given a port"), help);
            return Some(Target::Pool { pool, span });
        }
        let address = match values::address(&url.address, url.port) {
            Ok(address) => address,
            Err(fault) => {
                let message = match fault {
                    BadAddress::NoHost => "the address names no host".to_owned(),
                    fault => format!("address `{}` has {}", url.address, fault.describe()),
                };
                self.invalid(span, message, "write host and port of a server, or the name of an upstream");
                return None;
            }
        };
        let unix = matches!(address.host, Host::Unix(_) | Host::Unknown(_));
        let bare = !url.address.contains([':', '.']) && url.address != "localhost" && !unix;
        if bare && matches!(address.host, Host::Name(_)) {
            return Some(Target::Undefined(Spanned::new(url.address.clone(), span)));
        }
        if address.port.is_none() && !unix {
            // A name may be an upstream defined elsewhere, an address may not.
            if matches!(address.host, Host::Name(_)) {
                return Some(Target::Undefined(Spanned::new(url.address.clone(), span)));
            }
            let help = "write the port after the address";
            self.invalid(span, format!("address `{}` has no port", url.address), help);
            return None;
        }
        Some(Target::Pool { pool: self.implicit_pool(family, url, address, span), span })
    }

    fn implicit_pool(&mut self, family: Family, url: &Url, address: Address, span: Span) -> PoolId {
        // The same host is two pools when the port differs, written or not.
        let key = (family, format!("{address}"));
        if let Some(&pool) = self.implicit.get(&key) {
            return pool;
        }
        let mut pool = new_pool(Spanned::new(url.address.clone(), span), span, family);
        pool.kind = PoolKind::Implicit;
        let mut endpoint = Endpoint::new(
            Spanned::new(url.address.clone(), span),
            address,
            span,
            "nginx: a server of its own",
        );
        endpoint.expands = matches!(endpoint.address.host, Host::Name(_));
        endpoint.outlier_detection = None;
        pool.endpoints.push(endpoint);
        let pool = self.config.add_pool(pool);
        self.implicit.insert(key, pool);
        pool
    }

    /// The first route that uses a pool gives it its timeouts, retries and TLS.
    fn note_use(&mut self, pool: PoolId, scope: &Scope, protocol: Protocol, tls: Option<bool>, span: Span) {
        let unset = self.config.pool(pool).timeouts.connect.is_none();
        if !unset {
            return;
        }
        let (timeouts, retries) = (scope.timeouts(self.tree, protocol), scope.retries(self.tree, protocol));
        let Some(pool) = self.config.pools.get_mut(pool.0 as usize) else { return };
        let queue = pool.timeouts.queue;
        pool.timeouts = timeouts;
        pool.timeouts.queue = queue;
        pool.retries = retries;
        for endpoint in &mut pool.endpoints {
            endpoint.tls = tls.map(|tls| Setting::inherited(tls, span));
        }
    }

    /// A target with variables. Where the variable chooses among upstreams, the choice is lowered.
    fn dynamic(&mut self, family: Family, word: &Word, text: &str) -> Action {
        let unknown = |candidates| {
            let text = Spanned::new(text.to_owned(), word.span);
            Action::Forward(Target::Dynamic { text, candidates, recipe: None })
        };
        // Only a variable that is the whole host says which upstream it is.
        let rest = text.find("://").map_or(text, |at| text.get(at + 3..).unwrap_or_default());
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let bare = PATHS.iter().find_map(|path| host.strip_suffix(path)).filter(|bare| !bare.is_empty());
        let Some(name) = values::variable(bare.unwrap_or(host)) else { return unknown(Vec::new()) };
        let key = (family, name.clone());
        if let Some(known) = self.chosen.get(&key) {
            return match known {
                Choice::Action(action) => action.clone(),
                Choice::Any(candidates) => unknown(candidates.clone()),
            };
        }
        let choice = self.choice(family, &name);
        self.chosen.insert(key, choice.clone());
        match choice {
            Choice::Action(action) => action,
            Choice::Any(candidates) => unknown(candidates),
        }
    }

    /// What is known of a variable that names an upstream.
    fn choice(&mut self, family: Family, name: &str) -> Choice {
        let sources = self.variables.of(name).to_vec();
        let unknown = |mut candidates: Vec<PoolId>| {
            candidates.sort();
            candidates.dedup();
            // A list this long says no more than none.
            if candidates.len() > MAX_CANDIDATES {
                candidates.clear();
            }
            Choice::Any(candidates)
        };
        match sources.as_slice() {
            [Source::Split(id)] => {
                self.note_uncovered(*id, name);
                match self.split_action(family, *id) {
                    Some(action) => Choice::Action(action),
                    None => unknown(Vec::new()),
                }
            }
            [Source::Map(id)] => {
                let map = variable::map(self.tree, *id);
                let Some(candidates) = self.pools_of_map(family, &map) else { return unknown(Vec::new()) };
                match self.map_table(family, *id, &map) {
                    Some(action) => Choice::Action(action),
                    None => unknown(candidates),
                }
            }
            [Source::Geo(id)] => {
                let map = variable::map(self.tree, *id);
                unknown(self.pools_of_map(family, &map).unwrap_or_default())
            }
            [] => unknown(Vec::new()),
            sources => {
                let mut candidates = Vec::new();
                for source in sources {
                    let Source::Set(id) = source else { return unknown(Vec::new()) };
                    let value = self.tree.arg(*id, 1).unwrap_or_default().to_owned();
                    match self.upstream_named(family, &value) {
                        Some(pool) => candidates.push(pool),
                        None => return unknown(Vec::new()),
                    }
                }
                unknown(candidates)
            }
        }
    }

    fn upstream_named(&self, family: Family, name: &str) -> Option<PoolId> {
        let name = name.split_once("://").map_or(name, |(_, rest)| rest);
        self.upstreams.get(&(family, name.to_ascii_lowercase())).copied()
    }

    /// The pools a map can name, if all its values name one.
    fn pools_of_map(&self, family: Family, map: &Map) -> Option<Vec<PoolId>> {
        let mut pools = Vec::new();
        for line in map.lines.iter().chain(&map.default) {
            pools.push(self.upstream_named(family, &line.value)?);
        }
        Some(pools)
    }

    /// Notes a `split_clients` that chooses where requests go and leaves some of them without a choice.
    fn note_uncovered(&mut self, id: NodeId, name: &str) {
        let Some(parts) = variable::split(self.tree, id) else { return };
        let given: u64 = parts.iter().filter_map(|part| part.share).sum();
        let rest = parts.iter().any(|part| part.share.is_none());
        let Some(missing) = 10_000u64.checked_sub(given).filter(|&missing| missing > 0 && !rest) else {
            return;
        };
        let name = Spanned::new(name.to_owned(), self.tree.header(id));
        self.config.uncovered_splits.push((name, u32::try_from(missing * 100).unwrap_or(u32::MAX)));
    }

    /// `split_clients` whose values are all upstreams.
    fn split_action(&mut self, family: Family, id: NodeId) -> Option<Action> {
        let parts = variable::split(self.tree, id)?;
        let given: u64 = parts.iter().filter_map(|part| part.share).sum();
        let rest = 10_000u64.checked_sub(given)?;
        // A key without variables falls into one part, whoever asks.
        let key = self.tree.arg(id, 0)?;
        let constant = (!values::has_variable(key)).then(|| {
            let shares: Vec<u32> = parts
                .iter()
                .map_while(|part| part.share)
                .filter_map(|share| u32::try_from(share).ok())
                .collect();
            crate::hash::split_clients(key.as_bytes(), &shares).unwrap_or(shares.len())
        });
        let mut arms = Vec::new();
        for part in parts {
            let span = self.tree.header(part.id);
            let target = Target::Pool { pool: self.upstream_named(family, &part.value)?, span };
            arms.push(WeightedTarget { target, weight: part.share.unwrap_or(rest), span });
        }
        let covered: u64 = arms.iter().map(|arm| arm.weight).sum();
        if let Some(taken) = constant {
            return arms.into_iter().nth(taken).map(|arm| Action::Forward(arm.target));
        }
        // What no line covers gets an empty address, and nobody knows what that does.
        (covered == 10_000).then_some(Action::Split(arms))
    }

    /// A map over something the model can test, as a table: exact keys, then wildcards, then expressions.
    fn map_table(&mut self, family: Family, id: NodeId, map: &Map) -> Option<Action> {
        let source = values::variable(self.tree.arg(id, 0)?)?;
        let mut routes: Vec<((u8, std::cmp::Reverse<usize>), Route)> = Vec::new();
        for line in &map.lines {
            let key = line.key.as_str();
            let any_case = |text| TextMatch::IgnoreCase(Box::new(text));
            let (rank, text) = if let Some(regex) = key.strip_prefix("~*") {
                ((3, 0), any_case(TextMatch::Regex(regex.to_owned())))
            } else if let Some(regex) = key.strip_prefix('~') {
                ((3, 0), TextMatch::Regex(regex.to_owned()))
            } else if map.hostnames && key.starts_with("*.") {
                ((1, key.len()), any_case(TextMatch::Suffix(key.get(1..)?.to_owned())))
            } else if map.hostnames && key.starts_with('.') {
                return None;
            } else if map.hostnames && key.ends_with(".*") {
                ((2, key.len()), any_case(TextMatch::Prefix(key.get(..key.len() - 1)?.to_owned())))
            } else {
                let key = key.strip_prefix('\\').unwrap_or(key);
                if key.is_empty() {
                    return None;
                }
                ((0, 0), any_case(TextMatch::Exact(key.to_owned())))
            };
            let condition = condition::test(&source, text)?;
            let route = self.map_route(family, line, condition)?;
            routes.push(((rank.0, std::cmp::Reverse(rank.1)), route));
        }
        routes.sort_by_key(|(rank, _)| *rank);
        let mut routes: Vec<Route> = routes.into_iter().map(|(_, route)| route).collect();
        // Without a default the value is empty, and the request fails.
        let default = map.default.as_ref()?;
        routes.push(self.map_route(family, default, Condition::Always)?);
        let label = format!("map {}", self.tree.values(id).join(" "));
        Some(Action::Table(self.config.add_table(RouteTable { routes, label })))
    }

    fn map_route(&self, family: Family, line: &variable::MapLine, when: Condition) -> Option<Route> {
        let span = self.tree.header(line.id);
        let pool = self.upstream_named(family, &line.value)?;
        let action = Action::Forward(Target::Pool { pool, span });
        Some(Route::new(when, action, format!("{} {}", line.key, line.value), span))
    }
}
