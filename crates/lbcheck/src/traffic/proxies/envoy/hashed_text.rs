//! What text the hash policies of Envoy's routes hash.

use crate::model::{Config, HashPolicy, PoolId};

pub(super) fn of(config: &Config, id: PoolId) -> Option<String> {
    let mut lists: Vec<&[HashPolicy]> = Vec::new();
    for route in config.routes_to(id) {
        let same = |list: &&[HashPolicy]| in_words(list) == in_words(&route.hash_policies);
        // Routes that say the same are one; of many that differ a few are enough.
        if lists.len() < 4 && !lists.iter().any(same) {
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
