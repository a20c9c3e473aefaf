//! What text a pool hashes, for people who have keys: often it is not what stands in the request.

use crate::dialect::Dialect;
use crate::model::{Action, Algorithm, Config, HashKey, HashPolicy, PoolId, Target};

/// What a key of this pool is, where that is not simply the value the configuration names; a part of a sentence.
#[must_use]
pub fn hashed_text(config: &Config, id: PoolId) -> Option<String> {
    let Algorithm::Hash { key, .. } = &config.pool(id).algorithm.value else { return None };
    match (config.dialect, key) {
        (_, HashKey::Constant(_)) => Some("anything, since the same text is hashed for every request".into()),
        (_, HashKey::Source) => None,
        (Dialect::HaProxy, HashKey::Expression(text)) => of_haproxy(text),
        (Dialect::Nginx, HashKey::Expression(text)) => {
            if matches!(text.as_str(), "$binary_remote_addr" | "${binary_remote_addr}") {
                return Some("the client's address".to_owned());
            }
            let name = text.strip_prefix('$').unwrap_or_default();
            let single = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            (name.is_empty() || !single).then(|| format!("`{text}` with the values of its variables"))
        }
        _ => of_envoy(config, id),
    }
}

fn of_haproxy(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let rest: Vec<&str> = words.collect();
    if first == "uri" {
        let mut said = match rest.contains(&"whole") {
            true => "the path with its query string".to_owned(),
            false => "the path without query string".to_owned(),
        };
        if rest.contains(&"len") || rest.contains(&"depth") {
            said.push_str(", as far as `len` and `depth` leave it");
        }
        return Some(said);
    }
    if rest.contains(&"use_domain_only") {
        return Some(format!("what `use_domain_only` leaves of `{first}`: `example` of www.example.com"));
    }
    (first == "hash" && rest.iter().any(|word| word.contains(',')))
        .then(|| format!("the result of `{}`", rest.join(" ")))
}

fn of_envoy(config: &Config, id: PoolId) -> Option<String> {
    let leads = |target: &Target| matches!(target, Target::Pool { pool, .. } if *pool == id);
    let mut lists: Vec<&[HashPolicy]> = Vec::new();
    for route in config.tables.iter().flat_map(|table| &table.routes) {
        let found = match &route.action {
            Action::Forward(target) => leads(target),
            Action::Split(arms) => arms.iter().any(|arm| leads(&arm.target)),
            _ => false,
        };
        let same = |list: &&[HashPolicy]| in_words(list) == in_words(&route.hash_policies);
        // Routes that say the same are one; of many that differ a few are enough.
        if found && lists.len() < 4 && !lists.iter().any(same) {
            lists.push(&route.hash_policies);
        }
    }
    let words: Vec<String> = lists.into_iter().filter_map(in_words).collect();
    match words.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(format!("by the route {}", several.join(", or "))),
    }
}

/// `None`: there is no policy.
fn in_words(policies: &[HashPolicy]) -> Option<String> {
    let first = policies.first()?;
    let one = |policy: &HashPolicy| {
        let value = match policy.key.split_once(' ') {
            Some(("query", name)) => format!("the value of the query parameter `{name}`, as it is sent"),
            Some((kind, name)) => format!("the value of the {} `{name}`", kind.replace('_', " ")),
            None => "the client's address, without port".to_owned(),
        };
        match &policy.rewritten {
            Some(rule) => format!("{value} after its regex_rewrite ({rule})"),
            None => value,
        }
    };
    let mut said = one(first);
    if let Some(next) = policies.get(1) {
        said.push_str(&match first.terminal {
            true => format!("; where there is none, {}", one(next)),
            false => format!("; a request with {} too is hashed by both, which no line can say", one(next)),
        });
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_haproxy_in_words() {
        assert_eq!(of_haproxy("uri").as_deref(), Some("the path without query string"));
        assert_eq!(
            of_haproxy("uri whole len 10").as_deref(),
            Some("the path with its query string, as far as `len` and `depth` leave it")
        );
        assert!(of_haproxy("hdr(host) use_domain_only").is_some());
        assert_eq!(of_haproxy("hdr(x-user)"), None);
        assert_eq!(of_haproxy("url_param id"), None);
    }

    #[test]
    fn keys_of_envoy_in_words() {
        let file = crate::source::Sources::new().add("envoy.yaml", Vec::new());
        let policy = |key: &str, terminal| HashPolicy {
            key: key.into(),
            by_address: key == "source_ip",
            rewritten: (key == "header x").then(|| "^(.).* → \\1".to_owned()),
            variety: None,
            terminal,
            span: crate::source::Span::new(file, 0, 0),
        };
        assert_eq!(
            in_words(&[policy("header x", true), policy("source_ip", false)]).as_deref(),
            Some(
                "the value of the header `x` after its regex_rewrite (^(.).* → \\1); where there is none, the client's address, without port"
            )
        );
        assert!(
            in_words(&[policy("cookie s", false), policy("query q", false)]).unwrap().contains("by both")
        );
        assert_eq!(in_words(&[]), None);
    }
}
