//! Listeners and filter chains.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::model::{
    Action, Bind, ClientAddress, Condition, Host, Listener, Match, Mode, Reach, Response, Route, RouteTable,
    TextMatch, Weakens,
};
use crate::source::{Span, Spanned};

use super::super::tree::Value;
use super::super::value::{inner_type, inner_value};
use super::connection_filters;
use super::endpoint::read_address;
use super::matcher::opaque;
use super::state::Lower;

const HCM: &str = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const MOBILE_HCM: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.EnvoyMobileHttpConnectionManager";
const TCP_PROXY: &str = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";

/// How specific a filter chain match is, in the order Envoy narrows down: destination port, destination
/// network, server name, transport, application protocols, source. A smaller rank is tried first.
type Rank = [u16; 7];
const NO_RANK: Rank = [u16::MAX; 7];

struct Chain<'t> {
    rank: Rank,
    when: Condition,
    chain: Value<'t>,
}

impl<'t> Lower<'t> {
    /// Lowers one listener.
    pub(super) fn listener(&mut self, listener: Value<'t>) {
        if !listener.is_map() {
            return;
        }
        let header = listener.field("name").map_or(listener.span(), |field| field.span());
        self.block(header, listener.span());
        self.check_bind(listener);
        self.check_chains(listener);
        let binds = binds(listener);
        if let Some(bind) = binds.iter().find(|bind| bind.accept_proxy) {
            self.config.client_address = ClientAddress::Restored(bind.span);
        }
        let name = listener.get("name").and_then(Value::spanned).unwrap_or_else(|| {
            let bind = binds.first().map(|bind| match bind.ports {
                Some((port, _)) => format!("{}:{port}", bind.host),
                None => bind.host.clone(),
            });
            Spanned::new(bind.unwrap_or_default(), listener.span_of("address"))
        });
        let mut table = RouteTable { routes: Vec::new(), label: format!("listener {}", name.value) };
        let mut mode = None;
        if listener.get("filter_chain_matcher").is_none() {
            self.check_overlap(listener);
        }
        for chain in chains(listener) {
            let label = chain_label(chain.chain);
            if let Some(mut route) = self.filter_chain(chain.chain, &label, &mut mode) {
                route.when = Condition::all([chain.when, route.when]);
                table.routes.push(route);
            }
        }
        let mut closing = Vec::new();
        for filter in listener.list("listener_filters") {
            let kind = filter.get("typed_config").and_then(Value::type_name).unwrap_or_default();
            let name = filter.text_of("name").filter(|text| !text.is_empty()).unwrap_or(kind);
            closing.extend(connection_filters::rule(
                connection_filters::listener(kind),
                "listener",
                name,
                filter.span(),
            ));
            self.listener_filter(filter, &mut table, &mut mode);
        }
        if let Some(tree) = listener.get("filter_chain_matcher") {
            self.gap(tree.span(), "filter_chain_matcher", Weakens::Routing);
        }
        let open = table.routes.last().is_none_or(|last| last.when != Condition::Always);
        if open {
            // A connection no chain wants is closed.
            let action = Action::Respond(Response { status: None, kind: "close".into() });
            table.routes.push(Route::new(Condition::Always, action, "no filter chain", listener.span()));
        }
        table.routes.splice(0..0, closing);
        let only = match table.routes.as_slice() {
            [Route { when: Condition::Always, action: Action::Table(only), .. }] => Some(*only),
            _ => None,
        };
        let table = match only {
            Some(only) => only,
            None => self.config.add_table(table),
        };
        let mode = mode.unwrap_or(Mode::Tcp);
        self.config.listeners.push(Listener { name, mode, binds, table, span: listener.span() });
    }

    /// Two chains that want the same connections are refused, whatever they do.
    fn check_overlap(&mut self, listener: Value<'t>) {
        // Everything but the server names, numbered; then every name is seen once for each number.
        let mut rules: BTreeMap<(Rank, String), usize> = BTreeMap::new();
        let mut seen: BTreeMap<(usize, String), Value<'t>> = BTreeMap::new();
        for chain in listener.list("filter_chains") {
            let rule = chain.get("filter_chain_match");
            let (rank, when) = rule.map_or((NO_RANK, Vec::new()), chain_match);
            let next = rules.len();
            let number = *rules.entry((rank, format!("{when:?}"))).or_insert(next);
            let mut names: Vec<String> = rule
                .into_iter()
                .flat_map(|rule| rule.list("server_names"))
                .filter_map(Value::string)
                // `*.a.test` and `.a.test` are one.
                .map(|name| name.strip_prefix('*').unwrap_or(name).to_ascii_lowercase())
                .collect();
            if names.is_empty() {
                names.push(String::new());
            }
            let first = names.into_iter().filter_map(|name| seen.insert((number, name), chain)).next();
            if let Some(first) = first {
                self.report_overlap(first, chain);
            }
        }
    }

    fn report_overlap(&mut self, first: Value<'t>, second: Value<'t>) {
        let span = |chain: Value<'_>| {
            chain.field("name").map_or(chain.span_of("filter_chain_match"), |field| field.span())
        };
        let message = "two filter chains want the same connections; Envoy refuses the listener";
        let diagnostic = Diagnostic::new(RuleId::DuplicateDefinition, Severity::Error, span(second), message)
            .also(span(first), "the other chain")
            .help("give the chains different `filter_chain_match` rules, or remove one");
        self.report(diagnostic);
    }

    /// The terminal filter of a chain decides; the filters before it can only close the connection.
    fn filter_chain(&mut self, chain: Value<'t>, label: &str, mode: &mut Option<Mode>) -> Option<Route> {
        let mut seen = None;
        let mut closing = Vec::new();
        for filter in chain.list("filters") {
            let Some(config) = filter.get("typed_config") else {
                self.discovered_filter(filter);
                continue;
            };
            let name = config.type_name().unwrap_or_default();
            let name = inner_type(config, name);
            let config = inner_value(config);
            let shown = filter.text_of("name").filter(|text| !text.is_empty()).unwrap_or(name);
            match name {
                HCM | MOBILE_HCM => {
                    *mode = Some(Mode::Http);
                    let route = self.connection_manager(config, label);
                    return Some(self.behind(closing, route));
                }
                TCP_PROXY => {
                    *mode = mode.or(Some(Mode::Tcp));
                    let route = self.tcp_proxy(config, label);
                    return Some(self.behind(closing, route));
                }
                _ => {}
            }
            match proxy_kind(name) {
                Proxy::Pass => {}
                Proxy::Ends(what) => {
                    *mode = mode.or(Some(Mode::Tcp));
                    let route = self.other_proxy(what, config, false);
                    return Some(self.behind(closing, route));
                }
                Proxy::Unknown => seen = Some((name, config)),
            }
            closing.extend(connection_filters::rule(
                connection_filters::network(name, config),
                "network",
                shown,
                filter.span(),
            ));
        }
        // Nothing known ends the chain: an extension from outside may.
        let (name, config) = seen?;
        *mode = mode.or(Some(Mode::Tcp));
        Some(self.other_proxy(&format!("network filter {name}"), config, true))
    }

    fn discovered_filter(&mut self, filter: Value<'t>) {
        if filter.get("config_discovery").is_some() {
            self.gap(filter.span(), "network filter from ECDS", Weakens::Routing);
        }
    }

    /// UDP listeners have no filter chains; their proxy stands among the listener filters.
    fn listener_filter(&mut self, filter: Value<'t>, table: &mut RouteTable, mode: &mut Option<Mode>) {
        let Some(config) = filter.get("typed_config") else { return };
        let name = config.type_name().unwrap_or_default();
        if name != "envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig" {
            return;
        }
        *mode = Some(Mode::Tcp);
        let route = match config.get("cluster").and_then(Value::spanned) {
            Some(cluster) => {
                let action = Action::Forward(self.target(cluster));
                self.mark_action(&action, Mode::Tcp);
                Route::new(Condition::Always, action, "udp_proxy", config.span())
            }
            None => self.other_proxy("udp_proxy matcher", config, config.get("matcher").is_some()),
        };
        table.routes.push(route);
    }
}

/// The chains of a listener, the most specific first.
fn chains(listener: Value<'_>) -> Vec<Chain<'_>> {
    let mut chains: Vec<Chain<'_>> = Vec::new();
    for chain in listener.list("filter_chains") {
        let Some(rule) = chain.get("filter_chain_match") else {
            chains.push(Chain { rank: NO_RANK, when: Condition::Always, chain });
            continue;
        };
        let (rank, when) = chain_match(rule);
        let names: Vec<&str> = rule.list("server_names").filter_map(Value::string).collect();
        if names.is_empty() {
            chains.push(Chain { rank, when: Condition::all(when), chain });
            continue;
        }
        // Exact names cannot overlap, so they share an entry; suffixes go by length, of which there are few.
        let mut by_rank: BTreeMap<u16, Vec<Condition>> = BTreeMap::new();
        for name in names {
            let (specific, sni) = server_name(name);
            by_rank.entry(specific).or_default().push(Condition::Is(Match::Sni(sni)));
        }
        for (specific, names) in by_rank {
            let mut rank = rank;
            rank[2] = specific;
            let mut conditions = when.clone();
            conditions.push(Condition::any(names));
            chains.push(Chain { rank, when: Condition::all(conditions), chain });
        }
    }
    chains.sort_by_key(|chain| chain.rank);
    if let Some(chain) = listener.get("default_filter_chain") {
        chains.push(Chain { rank: NO_RANK, when: Condition::Always, chain });
    }
    chains
}

fn chain_match(rule: Value<'_>) -> (Rank, Vec<Condition>) {
    let mut rank = NO_RANK;
    let mut conditions = Vec::new();
    if let Some(port) = rule.get("destination_port").and_then(Value::integer) {
        rank[0] = 0;
        if let Ok(port) = u16::try_from(port) {
            conditions.push(Condition::Is(Match::Port(port)));
        }
    }
    let longest = |ranges: &[(String, u16)]| ranges.iter().map(|(_, bits)| 128 - bits.min(&128)).min();
    let networks = |name: &str| rule.list(name).filter_map(cidr).collect::<Vec<_>>();
    let destinations = networks("prefix_ranges");
    if let Some(best) = longest(&destinations) {
        rank[1] = best;
        let text: Vec<&str> = destinations.iter().map(|(text, _)| text.as_str()).collect();
        conditions.push(opaque(format!("destination in {}", text.join(", "))));
    }
    if let Some(transport) = rule.text_of("transport_protocol").filter(|text| !text.is_empty()) {
        rank[3] = 0;
        conditions.push(match transport {
            "tls" => Condition::Is(Match::Tls),
            "raw_buffer" => Condition::Is(Match::Tls).not(),
            other => opaque(format!("transport protocol {other}")),
        });
    }
    let protocols: Vec<&str> = rule.list("application_protocols").filter_map(Value::string).collect();
    if !protocols.is_empty() {
        rank[4] = 0;
        conditions.push(opaque(format!("ALPN {}", protocols.join(", "))));
    }
    for name in ["direct_source_prefix_ranges", "source_prefix_ranges"] {
        let sources = networks(name);
        if let Some(best) = longest(&sources) {
            rank[5] = rank[5].min(best);
            let tests = sources.into_iter().map(|(text, _)| Condition::Is(Match::Source(text)));
            conditions.push(Condition::any(tests));
        }
    }
    if let Some(kind) = rule.get("source_type")
        && !matches!(kind.text(), "ANY" | "any" | "0" | "")
    {
        conditions.push(opaque(format!("source type {}", kind.text())));
        rank[5] = rank[5].min(129);
    }
    if rule.list("source_ports").next().is_some() {
        rank[6] = 0;
        conditions.push(opaque("source port"));
    }
    (rank, conditions)
}

/// An exact name comes first, then the longest suffix.
fn server_name(name: &str) -> (u16, TextMatch) {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix('*') {
        Some(suffix) => {
            let specific = u16::MAX - 1 - u16::try_from(suffix.len()).unwrap_or(u16::MAX - 2);
            (specific, TextMatch::Suffix(suffix.to_owned()))
        }
        None => (0, TextMatch::Exact(name)),
    }
}

fn cidr(range: Value<'_>) -> Option<(String, u16)> {
    let prefix = range.text_of("address_prefix")?;
    let bits = range.get("prefix_len").and_then(Value::integer).unwrap_or(0);
    let bits = u16::try_from(bits).ok()?;
    Some((format!("{prefix}/{bits}"), bits))
}

fn chain_label(chain: Value<'_>) -> String {
    match chain.text_of("name") {
        Some(name) if !name.is_empty() => format!("filter chain {name}"),
        _ => "filter chain".to_owned(),
    }
}

fn binds(listener: Value<'_>) -> Vec<Bind> {
    let mut chains: Vec<Value<'_>> = listener.list("filter_chains").collect();
    chains.extend(listener.get("default_filter_chain"));
    let tls = chains.iter().any(|chain| chain.get("transport_socket").is_some_and(terminates_tls));
    let proxy = listener.list("listener_filters").any(|filter| {
        let named = filter.text_of("name") == Some("envoy.filters.listener.proxy_protocol");
        let typed = filter.get("typed_config").and_then(Value::type_name);
        named || typed.is_some_and(|name| name.ends_with(".ProxyProtocol"))
    });
    // Chains without TLS may take plain connections, or pass TLS on.
    let mixed = tls && chains.iter().any(|chain| !chain.get("transport_socket").is_some_and(terminates_tls));
    let accept_proxy = proxy || chains.iter().any(|chain| chain.is_set("use_proxy_proto"));
    let mut addresses: Vec<Value<'_>> = listener.get("address").into_iter().collect();
    addresses.extend(listener.list("additional_addresses").filter_map(|extra| extra.get("address")));
    let reach = reach(listener);
    let bind = |address| Bind { reach, tls, mixed, accept_proxy, ..bind(address) };
    addresses.into_iter().map(bind).collect()
}

fn reach(listener: Value<'_>) -> Reach {
    let unbound = listener.is_off("bind_to_port")
        || listener.get("deprecated_v1").is_some_and(|old| old.is_off("bind_to_port"));
    let redirected = listener.list("listener_filters").any(|filter| {
        let typed = filter.get("typed_config").and_then(Value::type_name);
        filter.text_of("name") == Some("envoy.filters.listener.original_dst")
            || typed.is_some_and(|name| name.ends_with(".OriginalDst"))
    });
    match unbound {
        true => Reach::HandedOver,
        false if redirected || listener.is_set("use_original_dst") => Reach::Redirected,
        false => Reach::Bound,
    }
}

fn bind(address: Value<'_>) -> Bind {
    let place = read_address(address);
    let host = match place.host {
        Host::Ip(ip) if ip.is_unspecified() && ip.is_ipv4() => "*".to_owned(),
        Host::Ip(ip) => ip.to_string(),
        Host::Name(text) | Host::Unix(text) | Host::Special(text) | Host::Unknown(text) => text,
    };
    let span: Span = address.span();
    Bind {
        host,
        ports: place.port.map(|port| (port, port)),
        reach: Reach::Bound,
        tls: false,
        mixed: false,
        accept_proxy: false,
        span,
    }
}

fn terminates_tls(socket: Value<'_>) -> bool {
    let name = socket.get("typed_config").and_then(Value::type_name).unwrap_or_default();
    name.ends_with("DownstreamTlsContext") || name.ends_with("QuicDownstreamTransport")
}

/// What a network filter does to the connection.
enum Proxy {
    /// Looks at it and passes it on.
    Pass,
    /// Answers or forwards it by rules of its own, in these words.
    Ends(&'static str),
    /// Not an extension lbcheck knows.
    Unknown,
}

fn proxy_kind(name: &str) -> Proxy {
    let Some(short) = name.strip_prefix("envoy.extensions.filters.network.") else { return Proxy::Unknown };
    let family = short.split('.').next().unwrap_or_default();
    match family {
        "redis_proxy" => Proxy::Ends("redis_proxy"),
        "thrift_proxy" => Proxy::Ends("thrift_proxy"),
        "dubbo_proxy" => Proxy::Ends("dubbo_proxy"),
        "generic_proxy" => Proxy::Ends("generic_proxy"),
        "echo" => Proxy::Ends("echo"),
        "direct_response" => Proxy::Ends("direct_response"),
        "meta_protocol_proxy" | "sip_proxy" | "rocketmq_proxy" | "kafka_mesh" => Proxy::Unknown,
        "wasm" | "golang" | "dynamic_modules" | "ext_proc" | "match_delegate" => Proxy::Unknown,
        _ => Proxy::Pass,
    }
}
