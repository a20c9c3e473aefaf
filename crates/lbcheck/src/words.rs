//! Words for users: names of things in their dialect, percentages, algorithms, counts.

use std::time::Duration;

use crate::dialect::{Algorithms, Dialect};
use crate::model::{Algorithm, Condition, Endpoint, HashKey, HashTable, Match, Pool, PoolKind, TextMatch};

/// "backend `api`", "upstream `api`", "cluster `api`"; an implicit nginx pool is an "address".
pub(crate) fn pool(dialect: Dialect, pool: &Pool) -> String {
    match pool.kind {
        PoolKind::Declared => format!("{} `{}`", dialect.pool_noun(), pool.name.value),
        PoolKind::Implicit => format!("proxied address `{}`", pool.name.value),
    }
}

/// "server `api1`", "endpoint `10.0.0.1:80`".
pub(crate) fn endpoint(dialect: Dialect, endpoint: &Endpoint) -> String {
    format!("{} `{}`", dialect.endpoint_noun(), endpoint.name.value)
}

/// "1 server", "3 endpoints".
pub(crate) fn endpoints(dialect: Dialect, count: u64) -> String {
    let noun = dialect.endpoint_noun();
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A share as a percentage with at most one decimal: "20 %", "98.5 %", "<0.1 %".
pub(crate) fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round();
    if share > 0.0 && tenths < 1.0 {
        return "<0.1 %".into();
    }
    // Never round something less than all up to all: the rest is what the reader looks for.
    if share < 1.0 && tenths >= 1000.0 {
        return ">99.9 %".into();
    }
    decimal(tenths / 10.0) + " %"
}

/// A factor with at most one decimal: "5", "2.4".
pub(crate) fn factor(value: f64) -> String {
    decimal((value * 10.0).round() / 10.0)
}

fn decimal(value: f64) -> String {
    if (value - value.round()).abs() < 1e-9 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// "`a`, `b` and `c`"; after `limit` names "`a`, `b` and 7 more".
pub(crate) fn names<'a>(all: impl ExactSizeIterator<Item = &'a str>, limit: usize) -> String {
    let count = all.len();
    let shown = if count > limit { limit } else { count };
    let mut parts: Vec<String> = all.take(shown).map(|name| format!("`{name}`")).collect();
    if count > shown {
        parts.push(format!("{} more", count - shown));
    }
    match parts.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// An algorithm as the dialect writes it.
pub(crate) fn algorithm(dialect: Dialect, algorithm: &Algorithm) -> String {
    let names = &dialect.description().algorithms;
    match algorithm {
        Algorithm::RoundRobin => names.round_robin.into(),
        Algorithm::StaticRoundRobin => "static-rr".into(),
        Algorithm::LeastConnections { choices, bias_milli } => {
            let bias = (*bias_milli != 1000).then(|| factor(f64::from(*bias_milli) / 1000.0));
            (names.least_connections)(*choices, bias.as_deref())
        }
        Algorithm::LeastTime(arguments) => format!("least_time {arguments}"),
        Algorithm::Random { draws, by, .. } => (names.random)(*draws, by.as_deref()),
        Algorithm::First => "first".into(),
        Algorithm::Hash { key, table, balance_factor, .. } => {
            let mut name = hash(names, key, *table);
            if *balance_factor > 0 {
                name += &format!(" with balance factor {balance_factor}");
            }
            name
        }
        // A subset balancer holds no other subset balancer, so this goes one level deep.
        Algorithm::Subset(inner) => format!("subsets with {}", self::algorithm(dialect, inner)),
        Algorithm::OriginalDestination => "the original destination".into(),
        Algorithm::ClusterProvided => "CLUSTER_PROVIDED".into(),
        Algorithm::StickyLog => "sticky".into(),
        Algorithm::External(name) | Algorithm::Unknown(name) => name.clone(),
    }
}

fn hash(names: &Algorithms, key: &HashKey, table: HashTable) -> String {
    let key = match key {
        HashKey::Source => "the client address",
        HashKey::Expression(text) => text.as_str(),
        HashKey::Constant(text) => {
            return format!("hash of the constant {0}{text}{0}", names.quote);
        }
        HashKey::RoutePolicy => "",
    };
    match table {
        HashTable::Map => format!("{} {key}", names.map_hash),
        HashTable::Ring => format!("consistent hash of {key}"),
        HashTable::Ketama => format!("hash {key} consistent"),
        HashTable::IpHash => "ip_hash".into(),
        HashTable::EnvoyRing { min: 1024, .. } => "RING_HASH".into(),
        HashTable::EnvoyRing { min, max } => format!("RING_HASH with {min} to {max} entries"),
        HashTable::Maglev { size: 65537 } => "MAGLEV".into(),
        HashTable::Maglev { size } => format!("MAGLEV with {size} slots"),
    }
}

/// A condition in a few words: "path begins with /api and not host is a.example". At most a few levels deep, see
/// [`Condition`].
pub(crate) fn condition(condition: &Condition) -> String {
    condition_within(condition, MAX_PARTS)
}

/// A condition with all its parts.
pub(crate) fn whole_condition(condition: &Condition) -> String {
    condition_within(condition, usize::MAX)
}

fn condition_within(condition: &Condition, most: usize) -> String {
    let join = |parts: &[Condition], word: &str| {
        let shown = parts.iter().take(most).map(|part| match part {
            Condition::All(_) | Condition::Any(_) => format!("({})", condition_within(part, most)),
            part => condition_within(part, most),
        });
        let mut text = shown.collect::<Vec<_>>().join(word);
        if parts.len() > most {
            text += &format!("{word}{} more", parts.len() - most);
        }
        text
    };
    match condition {
        Condition::Always => "always".into(),
        Condition::Never => "never".into(),
        Condition::All(all) => join(all, " and "),
        Condition::Any(any) => join(any, " or "),
        Condition::Not(inner) => match inner.as_ref() {
            inner @ (Condition::All(_) | Condition::Any(_)) => {
                format!("not ({})", condition_within(inner, most))
            }
            inner => format!("not {}", condition_within(inner, most)),
        },
        Condition::Is(test) => property(test),
        Condition::Chance(share) => format!("{} of requests", percent(f64::from(*share) / 1_000_000.0)),
        Condition::Opaque(text) => text.clone(),
    }
}

/// Parts of a condition that are spelt out.
const MAX_PARTS: usize = 4;

fn property(test: &Match) -> String {
    match test {
        Match::Host(pattern) => format!("host {}", text(pattern)),
        Match::HostName(pattern) => format!("host without port {}", text(pattern)),
        Match::Path(pattern) => format!("path {}", text(pattern)),
        Match::Target(pattern) => format!("path with query {}", text(pattern)),
        Match::Method(pattern) => format!("method {}", text(pattern)),
        Match::Header(name, pattern) => format!("header {name} {}", text(pattern)),
        Match::HeaderLine(name, pattern) => format!("header {name} as a whole {}", text(pattern)),
        Match::Query(name, pattern) => format!("query parameter {name} {}", text(pattern)),
        Match::Cookie(name, pattern) => format!("cookie {name} {}", text(pattern)),
        Match::Sni(pattern) => format!("TLS server name {}", text(pattern)),
        Match::Source(network) => format!("client in {network}"),
        Match::Port(port) => format!("port {port}"),
        Match::Tls => "TLS".into(),
    }
}

fn text(pattern: &TextMatch) -> String {
    match pattern {
        TextMatch::Exact(text) => format!("is {text}"),
        TextMatch::Prefix(text) => format!("begins with {text}"),
        TextMatch::Suffix(text) => format!("ends with {text}"),
        TextMatch::Contains(text) => format!("contains {text}"),
        TextMatch::SegmentPrefix(text) => format!("is {text} or below"),
        TextMatch::Regex(text) => format!("matches {text}"),
        TextMatch::IgnoreCase(inner) => match inner.as_ref() {
            TextMatch::IgnoreCase(_) => "in any case".into(),
            inner => format!("{}, in any case", self::text(inner)),
        },
        TextMatch::Between(from, to) => format!("is a number from {from} to {}", to.saturating_sub(1)),
        TextMatch::Present => "is there".into(),
    }
}

/// "30s", "250ms", "1m30s".
pub(crate) fn duration(value: Duration) -> String {
    if value.is_zero() {
        return "0".into();
    }
    let millis = value.as_millis();
    if !millis.is_multiple_of(1000) || millis == 0 {
        return if value.subsec_micros().is_multiple_of(1000) {
            format!("{millis}ms")
        } else {
            format!("{}us", value.as_micros())
        };
    }
    let seconds = millis / 1000;
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, 0) => format!("{m}m"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, 0, 0) => format!("{h}h"),
        (h, m, 0) => format!("{h}h{m}m"),
        (h, m, s) => format!("{h}h{m}m{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_never_round_to_all_or_nothing() {
        for (share, text) in [
            (0.2, "20 %"),
            (0.985, "98.5 %"),
            (0.0004, "<0.1 %"),
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.9999, ">99.9 %"),
            (1.0 / 3.0, "33.3 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn lists_of_names_are_cut() {
        assert_eq!(names(["a"].into_iter(), 3), "`a`");
        assert_eq!(names(["a", "b"].into_iter(), 3), "`a` and `b`");
        assert_eq!(names(["a", "b", "c", "d"].into_iter(), 2), "`a`, `b` and 2 more");
    }
}
