//! The HTTP connection manager and the HTTP filters that can change where a request goes.

use crate::model::{
    Action, Affinity, ClientAddress, Condition, EscapedSlashes, ForwardedScheme, Normalization, PortInHost,
    Route, Setting, Target, Underscores, Weakens,
};
use crate::source::Spanned;

use super::super::tree::Value;
use super::super::value::{inner_type, inner_value};
use super::http_filter::{Filters, client, http_family};
use super::rbac::Client;
use super::state::{Lower, source_path, take};

impl<'t> Lower<'t> {
    /// Lowers a connection manager into one route that leads to its table of hosts.
    pub(super) fn connection_manager(&mut self, config: Value<'t>, label: &str) -> Route {
        let tables_before = self.config.tables.len();
        self.filters = Filters::read(config, self.open_runtime);
        let (action, routes) = self.routing(config);
        let refuses_upgrades = std::mem::take(&mut self.filters).refuses_upgrades;
        if let Action::Table(table) = action {
            self.mark_tables(tables_before);
            let settings = normalization(config, routes, refuses_upgrades);
            self.config.normalizations.insert(table, settings);
        }
        for filter in config.list("http_filters") {
            self.http_filter(filter, tables_before);
        }
        self.note_missing_router(config, &action);
        self.note_client_address(config);
        Route::new(Condition::Always, action, label, config.span())
    }

    /// Envoy takes an empty list of filters, and then nobody answers.
    fn note_missing_router(&mut self, config: Value<'t>, action: &Action) {
        let empty = config.list("http_filters").next().is_none();
        if !empty || !matches!(action, Action::Table(_)) {
            return;
        }
        let name = config.text_of("stat_prefix").unwrap_or_default().to_owned();
        let span = config.field("http_filters").map_or(config.span(), |field| field.span());
        self.config.without_router.push(Spanned::new(name, span));
    }

    /// Without `use_remote_address` Envoy takes the client's address from `x-forwarded-for`, and with trusted hops, too.
    fn note_client_address(&mut self, config: Value<'t>) {
        if client(config) != Client::Peer {
            self.config.client_address = ClientAddress::Restored(config.span());
        }
    }

    /// What takes the requests, and the route configuration that says so.
    fn routing(&mut self, config: Value<'t>) -> (Action, Option<Value<'t>>) {
        if let Some(routes) = config.get("route_config") {
            self.static_routes = self.in_bootstrap(config) && !routes.is_off("validate_clusters");
            let table = self.route_configuration(routes);
            self.static_routes = false;
            return (Action::Table(table), Some(routes));
        }
        if let Some(rds) = config.get("rds") {
            return self.rds(rds);
        }
        if let Some(scoped) = config.get("scoped_routes") {
            self.gap(scoped.span(), "scoped_routes", Weakens::Routing);
            return (Action::Opaque("scoped_routes".into()), None);
        }
        (Action::Opaque("connection manager without routes".into()), None)
    }

    fn rds(&mut self, rds: Value<'t>) -> (Action, Option<Value<'t>>) {
        let name = rds.text_of("route_config_name").unwrap_or_default();
        let path = rds.get("config_source").and_then(source_path);
        let file = path.map(|path| self.files.get(path.text()).copied());
        let found = match file {
            Some(None) => None,
            Some(Some(file)) => self.take_routes(name, Some(file)),
            None => self.take_routes(name, None),
        };
        match found {
            Some(routes) => (Action::Table(self.route_configuration(routes)), Some(routes)),
            None => {
                self.gap(rds.span(), format!("route configuration {name} comes from RDS"), Weakens::Routing);
                (Action::Opaque(format!("route configuration {name} from RDS")), None)
            }
        }
    }

    fn take_routes(&mut self, name: &str, file: Option<crate::source::FileId>) -> Option<Value<'t>> {
        take(self.routes.get_mut(name)?, file)
    }

    /// Notes which pools the tables from `first` on send HTTP requests to.
    fn mark_tables(&mut self, first: usize) {
        for id in self.pools_of_tables(first) {
            if let Some((http, _)) = self.uses.get_mut(id as usize) {
                *http = true;
            }
        }
    }

    fn pools_of_tables(&self, first: usize) -> Vec<u32> {
        let mut pools = Vec::new();
        let mut add = |target: &Target| {
            if let Target::Pool { pool, .. } = target {
                pools.push(pool.0);
            }
        };
        for table in self.config.tables.get(first..).unwrap_or_default() {
            for route in &table.routes {
                match &route.action {
                    Action::Forward(target) => add(target),
                    Action::Split(arms) => arms.iter().for_each(|arm| add(&arm.target)),
                    _ => {}
                }
            }
        }
        pools.sort_unstable();
        pools.dedup();
        pools
    }

    fn http_filter(&mut self, filter: Value<'t>, first_table: usize) {
        if filter.is_set("disabled") {
            return;
        }
        self.config.request_metadata |= sets_metadata(filter);
        if filter.get("config_discovery").is_some() {
            self.gap(filter.span(), "HTTP filter from ECDS", Weakens::Routing);
            return;
        }
        let Some(config) = filter.get("typed_config") else { return };
        let name = inner_type(config, config.type_name().unwrap_or_default());
        let config = inner_value(config);
        let Some(family) = http_family(name) else {
            self.gap(filter.span(), format!("HTTP filter {name}"), Weakens::Routing);
            return;
        };
        if family == "stateful_session" {
            self.stateful_session(config, first_table);
            return;
        }
        if may_reroute(family, config) {
            self.gap(filter.span(), format!("HTTP filter {family} may change the route"), Weakens::Routing);
        }
    }

    /// A stateful session pins requests to the host a cookie or header names, whatever the cluster's policy.
    fn stateful_session(&mut self, config: Value<'t>, first_table: usize) {
        let Some(state) = config.get("session_state") else { return };
        let settings = state.get("typed_config");
        let cookie = settings.and_then(|config| config.get("cookie")?.text_of("name"));
        let header = settings.and_then(|config| config.text_of("name"));
        let affinity = match (cookie, header) {
            (Some(cookie), _) => Affinity::Cookie(cookie.to_owned()),
            (None, Some(header)) => Affinity::Other(format!("stateful session header {header}")),
            (None, None) => Affinity::Other("stateful session".into()),
        };
        for id in self.pools_of_tables(first_table) {
            if let Some(pool) = self.config.pools.get_mut(id as usize) {
                pool.affinity.push(Setting::written(affinity.clone(), config.span()));
            }
        }
    }
}

/// Whether a filter can write the metadata by which subsets are chosen. One that is not known may.
fn sets_metadata(filter: Value<'_>) -> bool {
    let Some(settings) = filter.get("typed_config") else { return true };
    let name = inner_type(settings, settings.type_name().unwrap_or_default());
    match http_family(name) {
        None => true,
        Some(family) => {
            family.ends_with("_to_metadata")
                || matches!(
                    family,
                    "set_metadata"
                        | "lua"
                        | "wasm"
                        | "golang"
                        | "dynamic_modules"
                        | "composite"
                        | "match_delegate"
                        | "ext_proc"
                        | "ext_authz"
                        | "jwt_authn"
                )
        }
    }
}

/// What the connection manager makes of a request before it looks at `routes`.
fn normalization(config: Value<'_>, routes: Option<Value<'_>>, refuses_upgrades: bool) -> Normalization {
    const UNDERSCORES: [(&str, i64); 3] = [("ALLOW", 0), ("REJECT_REQUEST", 1), ("DROP_HEADER", 2)];
    const CODECS: [(&str, i64); 4] = [("AUTO", 0), ("HTTP1", 1), ("HTTP2", 2), ("HTTP3", 3)];
    const ESCAPED: [(&str, i64); 5] = [
        ("IMPLEMENTATION_SPECIFIC_DEFAULT", 0),
        ("KEEP_UNCHANGED", 1),
        ("REJECT_REQUEST", 2),
        ("UNESCAPE_AND_REDIRECT", 3),
        ("UNESCAPE_AND_FORWARD", 4),
    ];
    let escaped =
        config.get("path_with_escaped_slashes_action").and_then(|action| action.enumeration(&ESCAPED));
    let underscores = config
        .path(&["common_http_protocol_options", "headers_with_underscores_action"])
        .and_then(|action| action.enumeration(&UNDERSCORES));
    let codec = config.get("codec_type").and_then(|codec| codec.enumeration(&CODECS));
    let custom_methods =
        config.get("http_protocol_options").is_some_and(|options| options.is_set("allow_custom_methods"));
    let host_header = routes.and_then(|routes| routes.text_of("vhost_header"));
    Normalization {
        dots: config.is_set("normalize_path"),
        merge_slashes: config.is_set("merge_slashes"),
        escaped_slashes: match escaped {
            Some("REJECT_REQUEST") => EscapedSlashes::Rejected,
            Some("UNESCAPE_AND_REDIRECT") => EscapedSlashes::Redirected,
            Some("UNESCAPE_AND_FORWARD") => EscapedSlashes::Decoded,
            _ => EscapedSlashes::Kept,
        },
        ignores_port: routes.is_some_and(|routes| routes.is_set("ignore_port_in_host_matching")),
        port: if config.is_set("strip_any_host_port") {
            PortInHost::Stripped
        } else if config.is_set("strip_matching_host_port") {
            PortInHost::StrippedIfMatching
        } else {
            PortInHost::Kept
        },
        strips_dot: config.is_set("strip_trailing_host_dot"),
        refuses_upgrades,
        host_header: host_header.filter(|name| !name.is_empty()).map(str::to_ascii_lowercase),
        underscores: match underscores {
            Some("REJECT_REQUEST") => Underscores::Rejected,
            Some("DROP_HEADER") => Underscores::Dropped,
            _ => Underscores::Kept,
        },
        scheme: forwarded_scheme(config),
        // Only HTTP/1 has a list of methods.
        refuses_methods: !custom_methods && !matches!(codec, Some("HTTP2" | "HTTP3")),
    }
}

/// Envoy believes the client's `x-forwarded-proto` where it is not the first proxy.
fn forwarded_scheme(config: Value<'_>) -> ForwardedScheme {
    let trusted_hops = config.get("xff_num_trusted_hops").and_then(Value::u32).unwrap_or(0);
    if config.get("scheme_header_transformation").is_some() {
        ForwardedScheme::Unknown
    } else if config.is_set("use_remote_address") && trusted_hops == 0 {
        ForwardedScheme::Replaced
    } else {
        ForwardedScheme::Kept
    }
}

/// Whether a filter can send a request elsewhere than the route table says. The route is chosen before the
/// filters run; only a filter that has it chosen again, or names the cluster or host itself, can change it.
fn may_reroute(family: &str, config: Value<'_>) -> bool {
    match family {
        "wasm" | "golang" | "dynamic_modules" | "composite" | "match_delegate" | "ext_proc" => true,
        "lua" => lua_reroutes(config),
        "ext_authz" => config.is_set("clear_route_cache"),
        "header_to_metadata" | "json_to_metadata" => false,
        "jwt_authn" => config
            .get("providers")
            .into_iter()
            .flat_map(Value::fields)
            .any(|provider| provider.value.is_set("clear_route_cache")),
        "grpc_json_transcoder" => !config.is_set("match_incoming_request_route"),
        _ => false,
    }
}

fn lua_reroutes(config: Value<'_>) -> bool {
    let mut sources: Vec<Value<'_>> = Vec::new();
    sources.extend(config.get("default_source_code"));
    sources.extend(config.get("source_codes").into_iter().flat_map(Value::fields).map(|field| field.value));
    let inline = config.get("inline_code").map(|code| code.text());
    let listed = sources.iter().map(|source| source.get("inline_string").map(|code| code.text()));
    let unseen = |code: Option<&str>| {
        code.is_none_or(|code| code.contains("clearRouteCache") || code.contains("setUpstreamOverrideHost"))
    };
    inline.map(Some).into_iter().chain(listed).any(unseen)
}
