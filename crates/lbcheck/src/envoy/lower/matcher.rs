//! Conditions: string, header, query and path matchers.

use crate::model::{Condition, Match, TextMatch};

use super::super::tree::Value;

/// A `StringMatcher`. `None` for one that cannot be told from the configuration.
pub(super) fn string_matcher(matcher: Value<'_>) -> Option<TextMatch> {
    let text = |name: &str| matcher.text_of(name).map(str::to_owned);
    let found = if let Some(value) = text("exact") {
        TextMatch::Exact(value)
    } else if let Some(value) = text("prefix") {
        TextMatch::Prefix(value)
    } else if let Some(value) = text("suffix") {
        TextMatch::Suffix(value)
    } else if let Some(value) = text("contains") {
        TextMatch::Contains(value)
    } else {
        return regex(matcher.get("safe_regex")?).map(TextMatch::Regex);
    };
    if matcher.is_set("ignore_case") { Some(TextMatch::IgnoreCase(Box::new(found))) } else { Some(found) }
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
        return if wanted == inverted { not(there) } else { there };
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
            return if inverted { not(there) } else { there };
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
        return not(condition);
    }
    Condition::All(vec![test(name, TextMatch::Present), not(condition)])
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
    let text = |name: &str| matcher.text_of(name).map(str::to_owned);
    let exact = text("exact_match").map(TextMatch::Exact);
    exact
        .or_else(|| text("prefix_match").map(TextMatch::Prefix))
        .or_else(|| text("suffix_match").map(TextMatch::Suffix))
        .or_else(|| text("contains_match").map(TextMatch::Contains))
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
        Some(false) => not(there),
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
    if inverted { not(condition) } else { condition }
}

pub(super) fn not(condition: Condition) -> Condition {
    match condition {
        Condition::Always => Condition::Never,
        Condition::Never => Condition::Always,
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

pub(super) fn opaque(text: impl Into<String>) -> Condition {
    Condition::Opaque(text.into())
}

/// All of them, without the ones that always hold.
pub(super) fn all(conditions: Vec<Condition>) -> Condition {
    let mut kept: Vec<Condition> = Vec::with_capacity(conditions.len());
    for condition in conditions {
        match condition {
            Condition::Always => {}
            Condition::All(inner) => kept.extend(inner),
            other => kept.push(other),
        }
    }
    match kept.len() {
        0 => Condition::Always,
        1 => kept.remove(0),
        _ => Condition::All(kept),
    }
}

/// Any of them.
pub(super) fn any(mut conditions: Vec<Condition>) -> Condition {
    if conditions.contains(&Condition::Always) {
        return Condition::Always;
    }
    match conditions.len() {
        0 => Condition::Never,
        1 => conditions.remove(0),
        _ => Condition::Any(conditions),
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
