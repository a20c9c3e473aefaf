//! Conditions: string, header, query and path matchers.

use crate::model::{Condition, Match, TextMatch};

use super::super::tree::Value;

/// A `StringMatcher`. `None` for one that cannot be told from the configuration.
pub(super) fn string_matcher(matcher: Value<'_>) -> Option<TextMatch> {
    let Some(found) = first_text(matcher, ["exact", "prefix", "suffix", "contains"]) else {
        return regex(matcher.get("safe_regex")?).map(TextMatch::Regex);
    };
    if matcher.is_set("ignore_case") { Some(found.ignoring_case()) } else { Some(found) }
}

/// The first of the fields that say how a text is to be: exactly, at its beginning, at its end, anywhere.
fn first_text(matcher: Value<'_>, names: [&str; 4]) -> Option<TextMatch> {
    const KINDS: [fn(String) -> TextMatch; 4] =
        [TextMatch::Exact, TextMatch::Prefix, TextMatch::Suffix, TextMatch::Contains];
    names.into_iter().zip(KINDS).find_map(|(name, kind)| Some(kind(matcher.text_of(name)?.to_owned())))
}

/// The expression of a `RegexMatcher`. Envoy wants it to match the whole text.
pub(super) fn regex(matcher: Value<'_>) -> Option<String> {
    matcher.text_of("regex").map(str::to_owned)
}

/// A `HeaderMatcher`.
pub(super) fn header(matcher: Value<'_>) -> Condition {
    let Some(name) = matcher.text_of("name") else { return opaque("header matcher without a name") };
    let name = name.to_ascii_lowercase();
    let inverted = matcher.is_set("invert_match");
    let present = matcher.get("present_match").map(|value| value.boolean() == Some(true));
    if let Some(wanted) = present {
        let there = test(&name, TextMatch::Present);
        return if wanted == inverted { there.not() } else { there };
    }
    if let Some(range) = matcher.get("range_match") {
        let bound = |name: &str| range.get(name).and_then(Value::integer).unwrap_or(0);
        let bound = |name: &str| i64::try_from(bound(name)).unwrap_or(i64::MAX);
        let inside = test(&name, TextMatch::Between(bound("start"), bound("end")));
        return if inverted { unless(matcher, &name, inside) } else { inside };
    }
    let condition = match header_text(matcher) {
        HeaderText::None => {
            let there = test(&name, TextMatch::Present);
            return if inverted { there.not() } else { there };
        }
        HeaderText::Unknown => return opaque(format!("header {name} by an extension")),
        HeaderText::Text(text) => test(&name, text),
    };
    if !inverted {
        return condition;
    }
    unless(matcher, &name, condition)
}

/// The opposite of a header's test. A header that is not there does not match, inverted or not, unless it is to be
/// read as empty.
fn unless(matcher: Value<'_>, name: &str, condition: Condition) -> Condition {
    if matcher.is_set("treat_missing_header_as_empty") {
        return condition.not();
    }
    Condition::all([test(name, TextMatch::Present), condition.not()])
}

enum HeaderText {
    None,
    Unknown,
    Text(TextMatch),
}

fn header_text(matcher: Value<'_>) -> HeaderText {
    if let Some(string) = matcher.get("string_match") {
        return string_matcher(string).map_or(HeaderText::Unknown, HeaderText::Text);
    }
    if let Some(pattern) = matcher.get("safe_regex_match") {
        return regex(pattern).map_or(HeaderText::Unknown, |text| HeaderText::Text(TextMatch::Regex(text)));
    }
    first_text(matcher, ["exact_match", "prefix_match", "suffix_match", "contains_match"])
        .map_or(HeaderText::None, HeaderText::Text)
}

/// A test of a header; pseudo headers are what they stand for.
fn test(name: &str, text: TextMatch) -> Condition {
    let absent = matches!(text, TextMatch::Present);
    Condition::Is(match name {
        // Always there.
        ":method" | ":authority" | "host" | ":path" if absent => return Condition::Always,
        ":method" => Match::Method(text),
        // Only domains have no case.
        ":authority" | "host" => Match::Header("host".to_owned(), text),
        _ => Match::Header(name.to_owned(), text),
    })
}

/// A `QueryParameterMatcher`.
pub(super) fn query(matcher: Value<'_>) -> Condition {
    let Some(name) = matcher.text_of("name") else { return opaque("query parameter without a name") };
    let name = name.to_owned();
    if let Some(string) = matcher.get("string_match") {
        return match string_matcher(string) {
            Some(text) => Condition::Is(Match::Query(name, text)),
            None => opaque(format!("query parameter {name} by an extension")),
        };
    }
    let there = Condition::Is(Match::Query(name, TextMatch::Present));
    match matcher.get("present_match").and_then(Value::boolean) {
        Some(false) => there.not(),
        _ => there,
    }
}

/// A `CookieMatcher`.
pub(super) fn cookie(matcher: Value<'_>) -> Condition {
    let name = matcher.text_of("name").unwrap_or_default().to_owned();
    let inverted = matcher.is_set("invert_match");
    let text = matcher.get("string_match").and_then(string_matcher);
    let Some(text) = text else { return opaque(format!("cookie {name} by an extension")) };
    let condition = Condition::Is(Match::Cookie(name, text));
    if inverted { condition.not() } else { condition }
}

pub(super) fn opaque(text: impl Into<String>) -> Condition {
    Condition::Opaque(text.into())
}

/// The chance that a `FractionalPercent` leaves; nothing is none.
pub(super) fn chance(fraction: Option<Value<'_>>, name: &str) -> Condition {
    match fraction.map_or(Some(0), fraction_ppm) {
        Some(0) => Condition::Never,
        Some(1_000_000) => Condition::Always,
        Some(ppm) => Condition::Chance(ppm),
        None => opaque(name),
    }
}

/// A `FractionalPercent` in millionths; `None` when it cannot be read.
pub(super) fn fraction_ppm(fraction: Value<'_>) -> Option<u32> {
    let numerator = fraction.get("numerator").map_or(Some(0), Value::u64)?;
    let unit = 1_000_000 / u64::from(fraction_denominator(fraction));
    u32::try_from(numerator.saturating_mul(unit).min(1_000_000)).ok()
}

/// What a `FractionalPercent` divides by.
pub(super) fn fraction_denominator(fraction: Value<'_>) -> u32 {
    const DENOMINATOR: [(&str, i64); 3] = [("HUNDRED", 0), ("TEN_THOUSAND", 1), ("MILLION", 2)];
    match fraction.get("denominator").and_then(|value| value.enumeration(&DENOMINATOR)) {
        Some("TEN_THOUSAND") => 10_000,
        Some("MILLION") => 1_000_000,
        _ => 100,
    }
}

/// When the `match` of a value applies.
pub(super) fn match_condition(rule: Value<'_>) -> Condition {
    route_match(rule).0
}

pub(super) fn route_match(route: Value<'_>) -> (Condition, String) {
    let Some(rule) = route.get("match") else { return (Condition::Always, "without match".into()) };
    let (path, label) = path_match(rule);
    let mut conditions = vec![path];
    conditions.extend(rule.list("headers").map(header));
    conditions.extend(rule.list("query_parameters").map(query));
    conditions.extend(rule.list("cookies").map(cookie));
    if rule.get("grpc").is_some() {
        let content_type = |text| Condition::Is(Match::Header("content-type".into(), text));
        conditions.push(Condition::any([
            content_type(TextMatch::Exact("application/grpc".into())),
            content_type(TextMatch::Prefix("application/grpc+".into())),
        ]));
    }
    if let Some(fraction) = rule.get("runtime_fraction") {
        conditions.push(chance(fraction.get("default_value"), "runtime_fraction"));
    }
    for name in ["tls_context", "dynamic_metadata", "filter_state"] {
        if rule.get(name).is_some_and(|value| value.len() > 0) {
            conditions.push(opaque(name));
        }
    }
    (Condition::all(conditions), label)
}

/// The path part of a match, with words for the label.
fn path_match(rule: Value<'_>) -> (Condition, String) {
    let ignore_case = rule.get("case_sensitive").and_then(Value::boolean) == Some(false);
    let path = |text: TextMatch| {
        let text = if ignore_case { text.ignoring_case() } else { text };
        Condition::Is(Match::Path(text))
    };
    if let Some(prefix) = rule.text_of("prefix") {
        let label = format!("prefix {prefix}");
        // Every path starts with a slash.
        let always = prefix.is_empty() || prefix == "/";
        return (if always { Condition::Always } else { path(TextMatch::Prefix(prefix.into())) }, label);
    }
    if let Some(exact) = rule.text_of("path") {
        return (path(TextMatch::Exact(exact.into())), format!("path {exact}"));
    }
    if let Some(prefix) = rule.text_of("path_separated_prefix") {
        return (path(TextMatch::SegmentPrefix(prefix.into())), format!("path_separated_prefix {prefix}"));
    }
    if let Some(regex) = rule.get("safe_regex").and_then(regex) {
        let label = format!("safe_regex {regex}");
        return (Condition::Is(Match::Path(TextMatch::Regex(regex))), label);
    }
    if rule.get("connect_matcher").is_some() {
        let connect = Condition::Is(Match::Method(TextMatch::Exact("CONNECT".into())));
        return (connect, "CONNECT".into());
    }
    if let Some(policy) = rule.get("path_match_policy") {
        let template = policy.get("typed_config").and_then(|config| config.text_of("path_template"));
        let text = match template {
            Some(template) => format!("path template {template}"),
            None => format!("path_match_policy {}", policy.text_of("name").unwrap_or_default()),
        };
        return (opaque(text.clone()), text);
    }
    (Condition::Always, "any path".into())
}

/// The `envoy.lb` part of some metadata, as key and text of the value.
pub(super) fn lb_metadata(metadata: Option<Value<'_>>) -> Vec<(String, String)> {
    metadata
        .and_then(|metadata| metadata.path(&["filter_metadata", "envoy.lb"]))
        .into_iter()
        .flat_map(Value::fields)
        .map(|field| (field.key.to_owned(), field.value.text().to_owned()))
        .collect()
}
