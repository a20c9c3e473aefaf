//! `jwt_authn`: which requests need a token, and which of them come without one.

use crate::model::{Condition, Match, TextMatch};

use super::super::tree::Value;
use super::http_filter::Effect;
use super::matcher::{match_condition, opaque};

/// Rules are tried one after the other; more than these are not set against each other.
const MAX_RULES: usize = 8;
const MAX_DEPTH: usize = 3;

/// What a requirement makes of a request.
struct Requirement {
    /// When it refuses, whatever is in a token: there is none.
    refuses: Condition,
    /// When a token decides.
    asks: Condition,
}

pub(super) fn effect(config: Value<'_>, own: Option<Value<'_>>) -> Effect {
    let mut effect = Effect::default();
    if own.is_some_and(|own| own.is_set("disabled")) {
        return effect;
    }
    let mut add = |when: Vec<Condition>, requirement: Requirement| {
        let with = |last: Condition| Condition::all(when.iter().cloned().chain([last]));
        effect.and(with(requirement.refuses), Some(401), "jwt_authn");
        let bad = Condition::all([requirement.asks, opaque("the JWT is not valid")]);
        effect.and(with(bad), None, "jwt_authn");
    };
    let preflight = || {
        let asks = Match::Header("access-control-request-method".into(), TextMatch::Present);
        let options = Match::Method(TextMatch::Exact("OPTIONS".into()));
        let origin = Match::Header("origin".into(), TextMatch::Present);
        Condition::all([options, origin, asks].map(Condition::Is)).not()
    };
    let base = if config.is_set("bypass_cors_preflight") { vec![preflight()] } else { Vec::new() };
    if let Some(name) = own.and_then(|own| own.text_of("requirement_name")) {
        add(base, named(config, name));
        return effect;
    }
    let mut before: Vec<Condition> = Vec::new();
    for (index, rule) in config.list("rules").enumerate() {
        let mut when = base.clone();
        if index >= MAX_RULES {
            add(base, unknown("a rule of jwt_authn"));
            return effect;
        }
        let matches = match_condition(rule);
        when.extend(before.iter().cloned());
        when.push(matches.clone());
        let requirement = match (rule.get("requires"), rule.text_of("requirement_name")) {
            (Some(requires), _) => requirement(config, requires, 0),
            (None, Some(name)) => named(config, name),
            (None, None) => passes(),
        };
        add(when, requirement);
        before.push(matches.not());
    }
    if config.get("filter_state_rules").is_some() {
        add([base, before].concat(), unknown("a rule by filter state"));
    }
    effect
}

fn passes() -> Requirement {
    Requirement { refuses: Condition::Never, asks: Condition::Never }
}

fn unknown(what: &str) -> Requirement {
    Requirement { refuses: Condition::Never, asks: opaque(format!("{what} applies")) }
}

fn named(config: Value<'_>, name: &str) -> Requirement {
    let map = config.get("requirement_map").into_iter().flat_map(Value::fields);
    match map.into_iter().find(|field| field.key == name) {
        Some(found) => requirement(config, found.value, 0),
        None => unknown(&format!("the requirement {name}")),
    }
}

fn requirement(config: Value<'_>, requires: Value<'_>, depth: usize) -> Requirement {
    if depth > MAX_DEPTH {
        return unknown("a requirement deep in others");
    }
    let inner = |list: Value<'_>| -> Vec<Requirement> {
        list.list("requirements").map(|inner| requirement(config, inner, depth + 1)).collect()
    };
    let provider = requires
        .text_of("provider_name")
        .or_else(|| requires.path(&["provider_and_audiences", "provider_name"]).and_then(Value::string));
    if let Some(name) = provider {
        let there = token(config, name);
        return Requirement { refuses: there.clone().not(), asks: there };
    }
    if let Some(list) = requires.get("requires_any") {
        let parts = inner(list);
        if parts.iter().any(|part| part.refuses == Condition::Never && part.asks == Condition::Never) {
            return passes();
        }
        let (refuses, asks): (Vec<_>, Vec<_>) =
            parts.into_iter().map(|part| (part.refuses, part.asks)).unzip();
        return Requirement { refuses: Condition::all(refuses), asks: Condition::any(asks) };
    }
    if let Some(list) = requires.get("requires_all") {
        let (refuses, asks): (Vec<_>, Vec<_>) =
            inner(list).into_iter().map(|part| (part.refuses, part.asks)).unzip();
        return Requirement { refuses: Condition::any(refuses), asks: Condition::any(asks) };
    }
    if requires.get("allow_missing").is_some() {
        let all = config.get("providers").into_iter().flat_map(Value::fields);
        let asks = Condition::any(all.map(|provider| token(config, provider.key)));
        return Requirement { refuses: Condition::Never, asks };
    }
    passes()
}

/// Whether there is a token where a provider looks for one.
fn token(config: Value<'_>, provider: &str) -> Condition {
    let mut all = config.get("providers").into_iter().flat_map(Value::fields);
    let Some(provider) = all.find(|field| field.key == provider).map(|field| field.value) else {
        return opaque(format!("a token for {provider}"));
    };
    let prefix = |name: &str, prefix: &str| {
        let text =
            if prefix.is_empty() { TextMatch::Present } else { TextMatch::Contains(prefix.to_owned()) };
        Condition::Is(Match::Header(name.to_ascii_lowercase(), text))
    };
    let mut places: Vec<Condition> = provider
        .list("from_headers")
        .filter_map(|header| {
            Some(prefix(header.text_of("name")?, header.text_of("value_prefix").unwrap_or_default()))
        })
        .collect();
    let parameter = |name: &str| Condition::Is(Match::Query(name.to_owned(), TextMatch::Present));
    places.extend(provider.list("from_params").filter_map(Value::string).map(parameter));
    let cookie = |name: &str| Condition::Is(Match::Cookie(name.to_owned(), TextMatch::Present));
    places.extend(provider.list("from_cookies").filter_map(Value::string).map(cookie));
    if places.is_empty() {
        places = vec![prefix("authorization", "Bearer "), parameter("access_token")];
    }
    Condition::any(places)
}
