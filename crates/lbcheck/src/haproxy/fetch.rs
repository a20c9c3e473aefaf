//! What the well-known sample expressions of conditions test.

use std::net::IpAddr;

use super::keywords;
use crate::model::{Condition, Match, TextMatch};
use crate::network::Network;

/// How values are compared (`-m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Default,
    Str,
    Beg,
    End,
    Sub,
    Dir,
    Dom,
    Reg,
    Found,
    /// `int`, `len`, `ip`, `bin`, `bool`: not a text.
    Other,
}

impl Method {
    fn of(word: &str) -> Self {
        match word {
            "str" => Self::Str,
            "beg" => Self::Beg,
            "end" => Self::End,
            "sub" => Self::Sub,
            "dir" => Self::Dir,
            "dom" => Self::Dom,
            "reg" => Self::Reg,
            "found" => Self::Found,
            _ => Self::Other,
        }
    }
}

/// A criterion taken apart.
struct Criterion<'t> {
    fetch: &'t str,
    argument: Option<&'t str>,
    converters: Vec<&'t str>,
    method: Method,
    ignore_case: bool,
    /// Values come from a file, or something else that cannot be followed.
    elsewhere: bool,
    values: Vec<&'t str>,
}

/// The condition a criterion with its flags and values stands for.
pub(crate) fn condition(words: &[&str]) -> Condition {
    let opaque = || Condition::Opaque(words.join(" "));
    let Some(criterion) = take_apart(words) else { return opaque() };
    lower(&criterion).unwrap_or_else(opaque)
}

fn take_apart<'t>(words: &[&'t str]) -> Option<Criterion<'t>> {
    let (first, mut rest) = words.split_first()?;
    let mut parts = split_expression(first).into_iter();
    let (name, argument) = call(parts.next()?);
    let (fetch, suffix) = split_suffix(name);
    let mut criterion = Criterion {
        fetch,
        argument,
        converters: parts.collect(),
        method: suffix.map_or(Method::Default, Method::of),
        ignore_case: false,
        elsewhere: false,
        values: Vec::new(),
    };
    while let Some((word, after)) = rest.split_first() {
        match *word {
            "-i" => criterion.ignore_case = true,
            "-n" | "-u" => {}
            "-f" | "-M" => {
                criterion.elsewhere = true;
                rest = after.split_first().map_or(after, |(_, after)| after);
                continue;
            }
            "-m" => {
                let (method, after) = after.split_first()?;
                criterion.method = Method::of(method);
                rest = after;
                continue;
            }
            "--" => {
                rest = after;
                break;
            }
            word if word.starts_with('-')
                && word.len() == 2
                && !word.ends_with(|c: char| c.is_ascii_digit()) =>
            {
                return None;
            }
            _ => break,
        }
        rest = after;
    }
    criterion.values = rest.to_vec();
    Some(criterion)
}

/// Cuts `fetch(a,b),conv(c),conv` at the commas outside parentheses.
pub(crate) fn split_expression(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Name and argument of `name(argument)`.
pub(crate) fn call(text: &str) -> (&str, Option<&str>) {
    match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')').unwrap_or(rest))),
        None => (text, None),
    }
}

/// `path_beg` is `path` with the method `beg`.
fn split_suffix(name: &str) -> (&str, Option<&str>) {
    if let Some((base, suffix)) = name.rsplit_once('_')
        && matches!(suffix, "beg" | "dir" | "dom" | "end" | "len" | "reg" | "sub" | "str")
        && keywords::ACL_BASES.contains(&base)
    {
        return (base, Some(suffix));
    }
    (name, None)
}

fn lower(criterion: &Criterion<'_>) -> Option<Condition> {
    if criterion.elsewhere {
        return None;
    }
    match criterion.fetch {
        "always_true" | "wait_end" if criterion.converters.is_empty() => return Some(Condition::Always),
        "always_false" if criterion.converters.is_empty() => return Some(Condition::Never),
        "rand" => return chance(criterion),
        "src" => return source(criterion),
        "dst_port" | "fc_dst_port" => return port(criterion),
        "ssl_fc" | "ssl_fc_has_sni" => return flag(criterion),
        "req.ssl_hello_type" | "req_ssl_hello_type" if criterion.values == ["1"] => {
            return Some(Condition::Is(Match::Tls));
        }
        "method" => return method(criterion),
        "hdr_cnt" | "req.hdr_cnt" | "req.fhdr_cnt" => return header_count(criterion),
        _ => {}
    }
    let property = Property::of(criterion)?;
    text_tests(criterion, property)
}

/// A property of the request that is a text.
#[derive(Clone, Debug)]
enum Property {
    Host,
    /// Its port taken off.
    HostName,
    Path,
    Sni,
    Header(String),
    /// As a whole.
    HeaderLine(String),
    Query(String),
    Cookie(String),
    /// Path and query string. A client of a forward proxy sends more before it, which nothing here tells.
    Url,
}

impl Property {
    fn of(criterion: &Criterion<'_>) -> Option<Self> {
        // A second argument of a fetch (an occurrence, a delimiter) asks for something else.
        let argument = criterion.argument.map(str::trim).filter(|argument| !argument.is_empty());
        let named = || argument.filter(|argument| !argument.contains(',')).map(str::to_owned);
        Some(match criterion.fetch {
            "hdr" | "req.hdr" | "req.fhdr" => match named()?.to_ascii_lowercase().as_str() {
                "host" => Self::Host,
                name if criterion.fetch == "req.fhdr" => Self::HeaderLine(name.to_owned()),
                name => Self::Header(name.to_owned()),
            },
            "path" if argument.is_none() => Self::Path,
            "url" | "pathq" if argument.is_none() => Self::Url,
            "urlp" | "url_param" => Self::Query(named()?),
            "cook" | "req.cook" | "cookie" => Self::Cookie(named()?),
            "ssl_fc_sni" | "req.ssl_sni" | "req_ssl_sni" => Self::Sni,
            _ => return None,
        })
    }

    fn matches(&self, test: TextMatch) -> Condition {
        Condition::Is(match self {
            Self::Host => Match::Host(test),
            Self::HostName => Match::HostName(test),
            Self::Path => Match::Path(test),
            Self::Url => Match::Target(test),
            Self::Sni => Match::Sni(test),
            Self::Header(name) => Match::Header(name.clone(), test),
            Self::HeaderLine(name) => Match::HeaderLine(name.clone(), test),
            Self::Query(name) => Match::Query(name.clone(), test),
            Self::Cookie(name) => Match::Cookie(name.clone(), test),
        })
    }
}

fn text_tests(criterion: &Criterion<'_>, mut property: Property) -> Option<Condition> {
    let mut fold_case = criterion.ignore_case;
    let mut lowered = false;
    for converter in &criterion.converters {
        match (call(converter), &property) {
            (("lower", None), _) => {
                fold_case = true;
                lowered = true;
            }
            (("host_only", None), Property::Host) => {
                // It also makes it lower case.
                fold_case = true;
                lowered = true;
                property = Property::HostName;
            }
            (("field", Some("1,:" | "1,\":\"")), Property::Host) => property = Property::HostName,
            _ => return None,
        }
    }
    if criterion.method == Method::Found {
        return Some(property.matches(TextMatch::Present));
    }
    if criterion.values.is_empty() {
        // No value: the test never holds, except that the program may mean presence; leave it open.
        return None;
    }
    let mut any = Vec::with_capacity(criterion.values.len());
    for value in &criterion.values {
        // After `lower` a value with capitals can never be met.
        if lowered
            && !criterion.ignore_case
            && value.chars().any(|c| c.is_ascii_uppercase())
            && criterion.method != Method::Reg
        {
            any.push(Condition::Never);
            continue;
        }
        any.push(text_test(criterion, &property, value, fold_case)?);
    }
    Some(Condition::any(any))
}

fn text_test(
    criterion: &Criterion<'_>,
    property: &Property,
    value: &str,
    fold_case: bool,
) -> Option<Condition> {
    let text = value.to_owned();
    let test = match (criterion.method, property) {
        (Method::Default | Method::Str, _) => TextMatch::Exact(text),
        (Method::Beg, _) => TextMatch::Prefix(text),
        (Method::End, _) => TextMatch::Suffix(text),
        (Method::Sub, _) => TextMatch::Contains(text),
        (Method::Reg, _) => TextMatch::Regex(text),
        (Method::Dir, _) => TextMatch::Regex(between(value, "/?")?),
        (Method::Dom, _) => TextMatch::Regex(between(value, "/?.:")?),
        (Method::Found | Method::Other, _) => return None,
    };
    Some(property.matches(if fold_case { test.ignoring_case() } else { test }))
}

/// A regular expression for "stands between delimiters", which is what `dir` and `dom` ask.
fn between(value: &str, delimiters: &str) -> Option<String> {
    let core = value.trim_matches(|c| delimiters.contains(c));
    if core.is_empty() {
        return None;
    }
    let mut regex = format!("(^|[{delimiters}])");
    for character in core.chars() {
        if !character.is_alphanumeric() && !matches!(character, '/' | '-' | '_') {
            regex.push('\\');
        }
        regex.push(character);
    }
    regex.push_str(&format!("([{delimiters}]|$)"));
    Some(regex)
}

fn flag(criterion: &Criterion<'_>) -> Option<Condition> {
    if !criterion.converters.is_empty() || !criterion.values.is_empty() {
        return None;
    }
    Some(Condition::Is(match criterion.fetch {
        "ssl_fc" => Match::Tls,
        _ => Match::Sni(TextMatch::Present),
    }))
}

/// The methods that the program knows by a number.
const METHODS: &[&str] = &["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE"];

fn method(criterion: &Criterion<'_>) -> Option<Condition> {
    let plain = criterion.converters.is_empty() && matches!(criterion.method, Method::Default | Method::Str);
    if !plain || criterion.values.is_empty() {
        return None;
    }
    let any = criterion.values.iter().map(|value| {
        let is = |test| Condition::Is(Match::Method(test));
        let exact = |text: &str| TextMatch::Exact(text.to_owned());
        // The methods that the program knows are no texts to it, unless `-m str` makes them so: `-i get` is not
        // the method GET.
        let as_text = criterion.method == Method::Str;
        if !criterion.ignore_case || (!as_text && METHODS.contains(value)) {
            return is(exact(value));
        }
        let folded = is(exact(value).ignoring_case());
        match METHODS.iter().find(|known| known.eq_ignore_ascii_case(value)) {
            Some(known) if !as_text => {
                Condition::All(vec![folded, Condition::Not(Box::new(is(exact(known))))])
            }
            _ => folded,
        }
    });
    Some(Condition::any(any))
}

fn header_count(criterion: &Criterion<'_>) -> Option<Condition> {
    let name = criterion.argument.filter(|name| !name.contains(','))?.to_ascii_lowercase();
    let at_least_one = matches!(criterion.values.as_slice(), ["gt", "0"] | ["ge", "1"] | ["1:"]);
    let none = matches!(criterion.values.as_slice(), ["eq", "0"] | ["0"] | ["lt", "1"]);
    let present = Condition::Is(Match::Header(name, TextMatch::Present));
    match (criterion.converters.is_empty(), at_least_one, none) {
        (true, true, _) => Some(present),
        (true, _, true) => Some(Condition::Not(Box::new(present))),
        _ => None,
    }
}

fn source(criterion: &Criterion<'_>) -> Option<Condition> {
    if !criterion.converters.is_empty() || criterion.argument.is_some() || criterion.values.is_empty() {
        return None;
    }
    if !matches!(criterion.method, Method::Default) {
        return None;
    }
    let mut any = Vec::with_capacity(criterion.values.len());
    for value in &criterion.values {
        any.push(Condition::Is(Match::Source(network(value)?)));
    }
    Some(Condition::any(any))
}

/// An address or network in CIDR notation. Shortened ones and names are left open.
fn network(text: &str) -> Option<String> {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    let ip: IpAddr = address.parse().ok()?;
    let length = mask.map(|mask| match mask.parse::<std::net::Ipv4Addr>() {
        Ok(mask) => {
            let bits = u32::from(mask);
            Some(bits.leading_ones()).filter(|length| bits.count_ones() == *length)
        }
        Err(_) => mask.parse().ok(),
    });
    let network = length.map_or(Some(Network::single(ip)), |length| Network::new(ip, length?))?;
    Some(network.to_string())
}

fn port(criterion: &Criterion<'_>) -> Option<Condition> {
    if !criterion.converters.is_empty() || criterion.argument.is_some() {
        return None;
    }
    let values = match criterion.values.split_first() {
        Some((&"eq", rest)) => rest,
        _ => criterion.values.as_slice(),
    };
    if values.is_empty() {
        return None;
    }
    let mut any = Vec::with_capacity(values.len());
    for value in values {
        any.push(Condition::Is(Match::Port(value.parse().ok()?)));
    }
    Some(Condition::any(any))
}

/// `rand(100) lt 10` and its kin: the share of draws that meet the comparison.
fn chance(criterion: &Criterion<'_>) -> Option<Condition> {
    if !criterion.converters.is_empty() {
        return None;
    }
    let range: u64 = match criterion.argument {
        None | Some("") => 1 << 32,
        Some(argument) => argument.trim().parse().ok().filter(|&range| range > 0)?,
    };
    let number = |text: &str| text.parse::<u64>().ok();
    // Draws are 0 up to, not including, the range.
    let (low, high) = match criterion.values.as_slice() {
        ["lt", value] => (0, number(value)?),
        ["le", value] => (0, number(value)?.checked_add(1)?),
        ["ge", value] => (number(value)?, range),
        ["gt", value] => (number(value)?.checked_add(1)?, range),
        ["eq", value] => (number(value)?, number(value)?.checked_add(1)?),
        [value] => match value.split_once(':') {
            Some((low, high)) => (
                if low.is_empty() { 0 } else { number(low)? },
                if high.is_empty() { range } else { number(high)?.checked_add(1)? },
            ),
            None => (number(value)?, number(value)?.checked_add(1)?),
        },
        _ => return None,
    };
    let hits = high.min(range).saturating_sub(low);
    let millionths = u128::from(hits) * 1_000_000 / u128::from(range);
    Some(match u32::try_from(millionths).ok()? {
        0 if hits == 0 => Condition::Never,
        1_000_000 => Condition::Always,
        share => Condition::Chance(share),
    })
}
