//! `balance`, `hash-type` and `hash-balance-factor`.

use super::settings::{Balance, HashType, Settings};
use crate::haproxy::keywords::places;
use crate::haproxy::lexer::joined;
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::Line;
use crate::haproxy::values::atol;
use crate::model::{Algorithm, HashFunction, HashKey, HashTable, KeyVariety, Mode, Origin, Setting};

const NAMES: &[&str] = &[
    "first",
    "hash",
    "hdr",
    "leastconn",
    "log-hash",
    "random",
    "rdp-cookie",
    "roundrobin",
    "source",
    "static-rr",
    "sticky",
    "uri",
    "url_param",
];

/// Reads `balance …`.
pub(super) fn balance(line: &Line<'_>, report: &mut Report) -> Option<Balance> {
    let Some(word) = line.word(1) else { return Some(Balance::Plain(default_algorithm(report).value)) };
    if word.unset {
        return Some(Balance::Plain(Algorithm::Unknown(word.text.to_string())));
    }
    let text = word.as_str();
    let rest = || joined(line.args(1));
    let (name, argument) = match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')').unwrap_or(rest))),
        None => (text, None),
    };
    let hash = |http_only| Some(Balance::Hash { key: HashKey::Expression(rest()), http_only });
    match (name, argument) {
        ("roundrobin", None) => Some(Balance::Plain(Algorithm::RoundRobin)),
        ("static-rr", None) => Some(Balance::Plain(Algorithm::StaticRoundRobin)),
        ("leastconn", None) => {
            Some(Balance::Plain(Algorithm::LeastConnections { choices: None, bias_milli: 1000 }))
        }
        ("first", None) => Some(Balance::Plain(Algorithm::First)),
        ("sticky", None) => Some(Balance::Plain(Algorithm::StickyLog)),
        ("source", None) => Some(Balance::Hash { key: HashKey::Source, http_only: false }),
        ("uri", None) => {
            uri_words(line, report);
            hash(true)
        }
        ("url_param", None) => {
            if line.word(2).is_none() {
                refuse(line, "`balance url_param` needs the name of a parameter", report);
            }
            only(line, 3, "check_post", report);
            hash(true)
        }
        ("hdr", argument) => {
            only(line, 2, "use_domain_only", report);
            if argument.is_none_or(str::is_empty) || !text.ends_with(')') {
                refuse(line, "`balance hdr` needs the name of a header, as in `hdr(host)`", report);
            }
            hash(true)
        }
        ("rdp-cookie", argument) => {
            if argument.is_some_and(|name| name.is_empty() || !text.ends_with(')')) {
                refuse(line, "`balance rdp-cookie(…)` needs the name of a cookie", report);
            }
            hash(false)
        }
        ("log-hash", None) => hash(false),
        ("hash", None) => match line.word(2) {
            None => {
                refuse(line, "`balance hash` needs an expression to hash", report);
                None
            }
            Some(expression) => {
                crate::haproxy::expression::check(&line.words, 2, places::AT_BALANCE, report);
                let key = match constant(expression.as_str()) {
                    true => HashKey::Constant(expression.text.to_string()),
                    false => HashKey::Expression(rest()),
                };
                Some(Balance::Hash { key, http_only: false })
            }
        },
        ("random", argument) => {
            let draws = argument.filter(|number| !number.is_empty()).map_or(2, atol);
            let Some(draws) = u32::try_from(draws).ok().filter(|&draws| draws > 0) else {
                refuse(line, "`balance random` needs a number of draws of at least 1", report);
                return None;
            };
            Some(Balance::Plain(Algorithm::Random { draws, weighted: true, by: None }))
        }
        _ => {
            let help = match report.suggest(name, NAMES.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("use one of {}", NAMES.join(", ")),
            };
            report.error(
                rule::VALUE,
                word.span,
                format!("`{text}` is not a balance algorithm of HAProxy"),
                help,
            );
            // Not the default either, which nobody asked for here.
            Some(Balance::Plain(Algorithm::Unknown(text.to_owned())))
        }
    }
}

fn uri_words(line: &Line<'_>, report: &mut Report) {
    let mut at = 2;
    while let Some(word) = line.word(at) {
        let counted = matches!(word.as_str(), "len" | "depth");
        let fits = atol(line.arg(at + 1)) > 0;
        if (counted && !fits) || (!counted && !matches!(word.as_str(), "whole" | "path-only")) {
            let message = format!("`{}` cannot stand in `balance uri` like this", word.as_str());
            report.error(
                rule::VALUE,
                word.span,
                message,
                "use `len N`, `depth N`, `whole` or `path-only`, with N above 0",
            );
            return;
        }
        at += if counted { 2 } else { 1 };
    }
}

/// Of the words at `at` only this one may stand.
fn only(line: &Line<'_>, at: usize, known: &str, report: &mut Report) {
    let Some(word) = line.word(at).filter(|word| word.as_str() != known && !word.unset) else { return };
    report.error(
        rule::VALUE,
        word.span,
        format!("`{}` cannot follow `balance {}`", word.as_str(), line.arg(1)),
        format!("use `{known}`, or nothing"),
    );
}

fn refuse(line: &Line<'_>, message: &str, report: &mut Report) {
    report.error(rule::VALUE, line.at(1), message, "see `balance` in the HAProxy configuration manual");
}

/// Whether an expression gives the same text for every request.
fn constant(expression: &str) -> bool {
    let fetch = expression.split([',', '(']).next().unwrap_or_default();
    matches!(
        fetch,
        "str" | "int" | "bool" | "bin" | "ipv4" | "ipv6" | "meth" | "always_true" | "always_false" | "env"
    )
}

/// How few values the key of a hash takes, judged by its first fetch.
pub(super) fn key_variety(algorithm: &Algorithm) -> Option<KeyVariety> {
    let Algorithm::Hash { key: HashKey::Expression(text), .. } = algorithm else { return None };
    let expression = text.strip_prefix("hash ").unwrap_or(text);
    let fetch = expression.split([',', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    match fetch.as_str() {
        "dst" | "dst_port" | "fe_id" | "fe_name" | "so_id" | "so_name" | "ssl_fc" => {
            Some(KeyVariety::Listener)
        }
        "hdr(host)" | "req.hdr(host)" | "req.fhdr(host)" | "ssl_fc_sni" | "req.ssl_sni" | "req_ssl_sni" => {
            Some(KeyVariety::Host)
        }
        _ => None,
    }
}

/// Reads `hash-type …`.
pub(super) fn hash_type(line: &Line<'_>, report: &mut Report) -> Option<HashType> {
    let table = match line.arg(1) {
        "consistent" => HashTable::Ring,
        "map-based" => HashTable::Map,
        // The spelling of old versions for a map with the avalanche modifier.
        "avalanche" => {
            refuse_hash(
                line,
                1,
                "`hash-type avalanche` is a modifier and needs a method and a function",
                report,
            );
            return None;
        }
        other => {
            refuse_hash(line, 1, &format!("`{other}` is not a hash method"), report);
            return None;
        }
    };
    let avalanche = match line.arg(3) {
        "" => false,
        "avalanche" => true,
        other => {
            refuse_hash(line, 3, &format!("`{other}` is not a modifier of `hash-type`"), report);
            false
        }
    };
    let function = match line.arg(2) {
        // Left out, the function is sdbm; the ring then scrambles it.
        "" => HashFunction::Sdbm { avalanche: table == HashTable::Ring },
        "sdbm" => HashFunction::Sdbm { avalanche },
        "djb2" => HashFunction::Djb2 { avalanche },
        "wt6" => HashFunction::Wt6 { avalanche },
        "crc32" => HashFunction::Crc32 { avalanche },
        "none" if report.at_least(2, 9) => HashFunction::Identity { avalanche },
        other => {
            refuse_hash(line, 2, &format!("`{other}` is not a hash function of HAProxy"), report);
            return None;
        }
    };
    Some(HashType { table, function })
}

fn refuse_hash(line: &Line<'_>, index: usize, message: &str, report: &mut Report) {
    let help = "write `hash-type map-based|consistent [sdbm|djb2|wt6|crc32|none] [avalanche]`";
    report.error(rule::VALUE, line.at(index), message, help);
}

/// Reads `hash-balance-factor N`.
pub(super) fn hash_balance_factor(line: &Line<'_>, report: &mut Report) -> Option<u32> {
    let text = line.arg(1);
    let factor = u32::try_from(atol(text)).ok().filter(|&factor| factor == 0 || factor > 100);
    match factor.filter(|_| !text.is_empty()) {
        Some(factor) => {
            if !text.bytes().all(|byte| byte.is_ascii_digit()) {
                report.warning(
                    rule::VALUE,
                    line.at(1),
                    format!("`{text}` is not a number; HAProxy reads it as {factor}"),
                    "write a whole number, 0 or above 100",
                );
            }
            Some(factor)
        }
        None => {
            report.error(
                rule::VALUE,
                line.at(1),
                format!("`hash-balance-factor {}` is neither 0 nor above 100", line.arg(1)),
                "a factor of 150 lets a server take 1.5 times the average; 0 switches it off",
            );
            None
        }
    }
}

/// What balances where nobody names an algorithm, in whatever mode.
fn default_algorithm(report: &Report) -> Setting<Algorithm> {
    if report.at_least(3, 3) {
        // Measured: without a name the number of draws stays 0, which draws once.
        let random = Algorithm::Random { draws: 1, weighted: true, by: None };
        return Setting::default(random, "HAProxy 3.3: random, with a single draw");
    }
    Setting::default(Algorithm::RoundRobin, "HAProxy up to 3.2: roundrobin")
}

/// The algorithm in force.
pub(super) fn algorithm(settings: &Settings, mode: Mode, report: &mut Report) -> Setting<Algorithm> {
    let Some(balance) = &settings.balance else { return default_algorithm(report) };
    let value = match &balance.value {
        Balance::Plain(algorithm) => algorithm.clone(),
        Balance::Hash { http_only: true, key } if mode == Mode::Tcp => {
            if let Some(span) = balance.span().filter(|_| matches!(balance.origin, Origin::Written(_))) {
                let HashKey::Expression(text) = key else {
                    return Setting { value: Algorithm::RoundRobin, origin: balance.origin };
                };
                report.warning(
                    rule::VALUE,
                    span,
                    format!(
                        "`balance {text}` needs `mode http`; in `mode tcp` HAProxy uses roundrobin instead"
                    ),
                    "use `balance source` or another hash that works on connections, or set `mode http`",
                );
            }
            Algorithm::RoundRobin
        }
        Balance::Hash { key, .. } => hash(settings, key),
    };
    Setting { value, origin: balance.origin }
}

fn hash(settings: &Settings, key: &HashKey) -> Algorithm {
    let HashType { table, function } = match &settings.hash_type {
        Some(setting) => setting.value,
        None => HashType { table: HashTable::Map, function: HashFunction::Sdbm { avalanche: false } },
    };
    // The source address is used as it is: only the modifier applies to it.
    let function = if *key == HashKey::Source {
        HashFunction::Identity { avalanche: avalanche(function) }
    } else {
        function
    };
    let balance_factor = settings.hash_balance_factor.map_or(0, |setting| setting.value);
    Algorithm::Hash { key: key.clone(), table, function, balance_factor }
}

fn avalanche(function: HashFunction) -> bool {
    match function {
        HashFunction::Sdbm { avalanche }
        | HashFunction::Djb2 { avalanche }
        | HashFunction::Wt6 { avalanche }
        | HashFunction::Crc32 { avalanche }
        | HashFunction::Identity { avalanche } => avalanche,
        HashFunction::Nginx | HashFunction::XxHash | HashFunction::Murmur2 => false,
    }
}
