//! When an HTTP filter answers by itself, and what it changes for those behind it.

use crate::model::{Condition, Match, TextMatch};

use super::super::tree::Value;
use super::http_filter::{Effect, HttpFilter, Setup, http_family};
use super::jwt;
use super::matcher::{self, opaque};
use super::rbac::{self, Client, Layer};

/// Filters that pass every request on as it is, as far as routes and other filters can tell.
const PASSING: [&str; 31] = [
    "alternate_protocols_cache",
    "aws_eventstream_parser",
    "aws_request_signing",
    "bandwidth_limit",
    "bandwidth_share",
    "compressor",
    "connect_grpc_bridge",
    "credential_injector",
    "custom_response",
    "decompressor",
    "dynamic_forward_proxy",
    "gcp_authn",
    "geoip",
    "grpc_field_extraction",
    "grpc_http1_bridge",
    "grpc_http1_reverse_bridge",
    "grpc_json_reverse_transcoder",
    "grpc_stats",
    "grpc_web",
    "header_to_metadata",
    "ip_tagging",
    "json_to_metadata",
    "on_demand",
    "original_src",
    "proto_message_extraction",
    "router",
    "set_filter_state",
    "set_metadata",
    "sse_to_metadata",
    "tap",
    "thrift_to_metadata",
];

pub(super) fn decide(
    filter: &HttpFilter<'_>,
    setup: &Setup<'_>,
    client: Client,
    limits: bool,
    open_runtime: bool,
) -> Effect {
    let Some(family) = http_family(filter.kind) else {
        let name = if filter.name.is_empty() { filter.kind } else { filter.name };
        return Effect::may(&format!("{name} answers by itself"), None, name).changing();
    };
    if PASSING.contains(&family) {
        return Effect::default();
    }
    match family {
        "rbac" => rbac(setup, client),
        "fault" => fault(setup, open_runtime),
        "health_check" => health_check(setup),
        "basic_auth" => basic_auth(setup),
        "api_key_auth" => Effect::may("what it asks for is missing or not known", Some(401), family),
        "jwt_authn" => setup.config.map(|config| jwt::effect(config, setup.own)).unwrap_or_default(),
        "cors" => cors(setup),
        "csrf" => csrf(setup),
        "local_ratelimit" => local_ratelimit(setup),
        "ratelimit" => {
            let asks = limits || setup.own.is_some_and(|own| own.get("rate_limits").is_some());
            let asks = asks || setup.config.is_some_and(|config| config.get("rate_limits").is_some());
            if asks { Effect::may("the rate limit is reached", Some(429), family) } else { Effect::default() }
        }
        "rate_limit_quota" => Effect::may("the quota is used up", Some(429), family),
        "ext_authz" => ext_authz(setup),
        "ext_proc" if per_route_off(setup) => Effect::default(),
        "lua" => lua(setup),
        "header_mutation" => header_mutation(setup),
        "buffer" if per_route_off(setup) => Effect::default(),
        "buffer" | "body_size_limit" | "file_system_buffer" => body_limit(family),
        "cdn_loop" => {
            let there = Condition::Is(Match::HeaderLine("cdn-loop".into(), TextMatch::Present));
            Effect::answers(
                Condition::all([there, opaque("it has come through this CDN too often")]),
                Some(502),
                family,
            )
        }
        "stateful_session" => Effect::default(),
        "adaptive_concurrency" => {
            Effect::may("more requests are under way than it allows", Some(503), family)
        }
        "admission_control" => Effect::may("it turns requests away because many failed", Some(503), family),
        "cache" | "cache_v2" => {
            let get = Condition::any([method("GET"), method("HEAD")]);
            Effect::answers(Condition::all([get, opaque("the answer is in the cache")]), None, family)
        }
        "oauth2" => Effect::may("it knows no session of the client", None, family).changing(),
        // These can answer, and change what those behind them see.
        _ => Effect::may(&format!("{} answers by itself", filter.name), None, family).changing(),
    }
}

fn method(name: &str) -> Condition {
    Condition::Is(Match::Method(TextMatch::Exact(name.to_owned())))
}

fn header(name: &str, text: TextMatch) -> Condition {
    Condition::Is(Match::Header(name.to_owned(), text))
}

fn per_route_off(setup: &Setup<'_>) -> bool {
    setup.own.is_some_and(|own| own.is_set("disabled"))
}

/// A `RuntimeFractionalPercent` by its default.
fn fraction(value: Option<Value<'_>>, without: Condition) -> Condition {
    let Some(value) = value else { return without };
    matcher::chance(value.get("default_value"), "runtime_fraction")
}

fn rbac(setup: &Setup<'_>, client: Client) -> Effect {
    let config = match setup.own {
        Some(own) => own.get("rbac"),
        None => setup.config,
    };
    let Some(config) = config else { return Effect::default() };
    if let Some(rules) = config.get("rules") {
        return Effect::answers(rbac::refuses(rules, Layer::Request(client)), Some(403), "rbac");
    }
    match config.get("matcher") {
        Some(_) => Effect::may("its matcher refuses the request", Some(403), "rbac"),
        None => Effect::default(),
    }
}

fn fault(setup: &Setup<'_>, open_runtime: bool) -> Effect {
    let Some(config) = setup.own.or(setup.config) else { return Effect::default() };
    let Some(abort) = config.get("abort") else { return Effect::default() };
    let chance = matcher::chance(abort.get("percentage"), "percentage");
    let key = config.text_of("abort_percent_runtime").filter(|key| !key.is_empty());
    let chance = match open_runtime {
        true => opaque(format!(
            "{} of the runtime asks for a fault",
            key.unwrap_or("fault.http.abort.abort_percent")
        )),
        false => chance,
    };
    let mut parts: Vec<Condition> = config.list("headers").map(matcher::header).collect();
    if let Some(cluster) = config.text_of("upstream_cluster").filter(|name| !name.is_empty()) {
        parts.push(opaque(format!("the route leads to {cluster}")));
    }
    let nodes = config.list("downstream_nodes").filter_map(Value::string);
    let nodes: Vec<Condition> = nodes
        .map(|node| {
            let name = "x-envoy-downstream-service-node".to_owned();
            Condition::Is(Match::HeaderLine(name, TextMatch::Exact(node.to_owned())))
        })
        .collect();
    if !nodes.is_empty() {
        parts.push(Condition::any(nodes));
    }
    if config.get("max_active_faults").is_some() {
        parts.push(opaque("fewer faults than max_active_faults are under way"));
    }
    let status = abort.get("http_status").and_then(Value::integer).and_then(|code| u16::try_from(code).ok());
    if abort.get("header_abort").is_some() {
        let asked = "x-envoy-fault-abort-request".to_owned();
        parts.push(Condition::Is(Match::HeaderLine(asked, TextMatch::Present)));
        if chance != Condition::Never {
            parts.push(opaque("the headers ask for a fault"));
        }
    }
    parts.push(chance);
    Effect::answers(Condition::all(parts), status, "fault abort")
}

fn health_check(setup: &Setup<'_>) -> Effect {
    let Some(config) = setup.config else { return Effect::default() };
    let mut parts: Vec<Condition> = config.list("headers").map(matcher::header).collect();
    if !config.is_off("pass_through_mode") {
        if config.get("cache_time").is_none() {
            return Effect::default();
        }
        parts.push(opaque("an answer is kept for cache_time"));
        return Effect::answers(Condition::all(parts), None, "health_check");
    }
    // Without shares to hold it is healthy unless it was told to fail.
    let status = config.get("cluster_min_healthy_percentages").is_none().then_some(200);
    Effect::answers(Condition::all(parts), status, "health_check")
}

fn basic_auth(setup: &Setup<'_>) -> Effect {
    let name = setup.config.and_then(|config| config.text_of("authentication_header"));
    let name = name.filter(|name| !name.is_empty()).unwrap_or("authorization").to_ascii_lowercase();
    let there = header(&name, TextMatch::Present);
    let basic = header(&name, TextMatch::Prefix("Basic ".into()).ignoring_case());
    let mut effect = Effect::default();
    if setup.config.is_some_and(|config| config.is_set("allow_missing")) {
        effect.and(Condition::all([there, basic.clone().not()]), Some(401), "basic_auth");
    } else {
        effect.and(basic.clone().not(), Some(401), "basic_auth");
    }
    effect.and(
        Condition::all([basic, opaque("its users do not include whoever asks")]),
        Some(401),
        "basic_auth",
    );
    effect
}

/// Envoy answers a preflight request whose origin a policy of the route allows.
fn cors(setup: &Setup<'_>) -> Effect {
    let inherited = || {
        let [_, host, route] = setup.levels;
        let of_route = route.and_then(|route| route.path(&["route", "cors"]));
        of_route.or_else(|| host.and_then(|host| host.get("cors")))
    };
    let Some(policy) = setup.own.or_else(inherited) else { return Effect::default() };
    let enabled = fraction(policy.get("filter_enabled"), Condition::Always);
    let origins = policy.list("allow_origin_string_match").map(|text| match matcher::string_matcher(text) {
        Some(text) => header("origin", text),
        None => opaque("origin by an extension"),
    });
    let origins = Condition::any(origins);
    let forwards = policy.get("forward_not_matching_preflights").and_then(Value::boolean).unwrap_or(true);
    let parts = [
        enabled,
        method("OPTIONS"),
        header("access-control-request-method", TextMatch::Present),
        if forwards { origins } else { header("origin", TextMatch::Present) },
    ];
    Effect::answers(Condition::all(parts), Some(200), "cors preflight")
}

/// Requests that change something must come from the host they go to.
fn csrf(setup: &Setup<'_>) -> Effect {
    let Some(policy) = setup.own.or(setup.config) else { return Effect::default() };
    let enabled = fraction(policy.get("filter_enabled"), Condition::Always);
    let changes = Condition::any(["POST", "PUT", "DELETE", "PATCH"].map(method));
    let given = Condition::any([header("origin", TextMatch::Present), header("referer", TextMatch::Present)]);
    let mut effect = Effect::default();
    let without = [enabled.clone(), changes.clone(), given.clone().not()];
    effect.and(Condition::all(without), Some(403), "csrf");
    let foreign = opaque("origin or referer is neither the host nor among additional_origins");
    effect.and(Condition::all([enabled, changes, given, foreign]), Some(403), "csrf");
    effect
}

fn local_ratelimit(setup: &Setup<'_>) -> Effect {
    let Some(config) = setup.own.or(setup.config) else { return Effect::default() };
    // Neither is on by default.
    let parts = ["filter_enabled", "filter_enforced"];
    let off = parts.iter().any(|name| fraction(config.get(name), Condition::Never) == Condition::Never);
    let limited = config.get("token_bucket").is_some() || config.get("descriptors").is_some();
    if off || !limited {
        return Effect::default();
    }
    let status = config.path(&["status", "code"]);
    // An enum of status codes, of which only the common way of writing is read.
    let status = match status {
        None => Some(429),
        Some(code) => code.integer().and_then(|code| u16::try_from(code).ok()),
    };
    Effect::may("its bucket is empty", status, "local_ratelimit")
}

fn ext_authz(setup: &Setup<'_>) -> Effect {
    if per_route_off(setup) {
        return Effect::default();
    }
    let enabled = setup.config.and_then(|config| config.get("filter_enabled"));
    if fraction(enabled, Condition::Always) == Condition::Never
        && setup.config.is_some_and(|config| config.get("deny_at_disable").is_none())
    {
        return Effect::default();
    }
    Effect::may("its service refuses the request or fails", None, "ext_authz").changing()
}

fn lua(setup: &Setup<'_>) -> Effect {
    if per_route_off(setup) {
        return Effect::default();
    }
    let Some(config) = setup.config else { return Effect::default() };
    let code = match setup.own {
        Some(own) => match own.text_of("name") {
            Some(name) => config
                .get("source_codes")
                .and_then(|codes| codes.fields().find(|field| field.key == name))
                .and_then(|field| field.value.text_of("inline_string")),
            None => own.path(&["source_code", "inline_string"]).and_then(Value::string),
        },
        None => {
            let inline = config.text_of("inline_code").filter(|code| !code.is_empty());
            let named = config.path(&["default_source_code", "inline_string"]).and_then(Value::string);
            if inline.or(named).is_none() && config.get("default_source_code").is_none() {
                return Effect::default();
            }
            inline.or(named)
        }
    };
    let may = Effect::may("the script answers by itself", None, "lua");
    match code {
        None => may.changing(),
        Some(code) if code.contains("respond") => may.changing(),
        Some(code) => Effect { changes_all: code.contains("headers"), ..Effect::default() },
    }
}

fn header_mutation(setup: &Setup<'_>) -> Effect {
    let mut effect = Effect::default();
    let per_route = setup
        .levels
        .iter()
        .flatten()
        .filter_map(|level| level.get("typed_per_filter_config").map(Value::fields));
    // All levels may take part, in an order that does not matter here.
    let levels = per_route.flatten().map(|field| field.value).chain(setup.config);
    for mutations in levels.filter_map(|config| config.get("mutations")) {
        if mutations.list("query_parameter_mutations").next().is_some() {
            effect.headers.push(":path".to_owned());
        }
        for mutation in mutations.list("request_mutations") {
            let name = mutation
                .text_of("remove")
                .or_else(|| mutation.path(&["append", "header", "key"]).and_then(Value::string));
            match name.map(str::to_ascii_lowercase) {
                Some(name) if name == ":authority" => effect.headers.push("host".to_owned()),
                Some(name) => effect.headers.push(name),
                None => effect.changes_all = true,
            }
        }
    }
    effect
}

/// What a request without a body cannot run into.
fn body_limit(kind: &str) -> Effect {
    let bodiless = Condition::any([method("GET"), method("HEAD")]);
    Effect::answers(
        Condition::all([bodiless.not(), opaque("the body is larger than it allows")]),
        Some(413),
        kind,
    )
}
