//! Secrets that show by their own form, in whatever text they stand: `?token=…`, `user:…@host`, `Bearer …`.

use std::ops::Range;

use super::name::{LONGEST, is_secret_parameter};
use super::value::{self, is_reference};

/// Neither a URL nor credentials go on behind these.
fn ends(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b';')
}

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let mut start = 0;
    for word in text.split(|letter: char| letter.is_ascii() && ends(letter as u8)) {
        parameters(word, start, found);
        if word.contains("://") {
            urls(word, start, found);
        } else {
            address(word, start, found);
        }
        start += word.len() + 1;
    }
    schemes(text, found);
    tokens(text, found);
}

/// Tokens that their makers gave a form to be known by, such as `eyJ….….…`, `AKIA…` and `ghp_…`.
fn tokens(text: &str, found: &mut Vec<Range<usize>>) {
    const BEGINNINGS: &[&str] = &[
        "AIza",
        "AKIA",
        "ASIA",
        "SG.",
        "dop_v1_",
        "gho_",
        "ghp_",
        "ghr_",
        "ghs_",
        "ghu_",
        "github_pat_",
        "glpat-",
        "hvs.",
        "npm_",
        "pypi-",
        "rk_live_",
        "rk_test_",
        "shpat_",
        "sk-",
        "sk_live_",
        "sk_test_",
        "xoxa-",
        "xoxb-",
        "xoxp-",
        "xoxs-",
    ];
    const LEAST: usize = 16;
    let of_token = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let mut start = 0;
    for word in text.split(|letter| !of_token(letter)) {
        let is_web_token = word.starts_with("eyJ") && word.len() >= LEAST && word.contains('.');
        let rest = BEGINNINGS.iter().find_map(|beginning| word.strip_prefix(beginning));
        // What people name has no capitals within small letters, and hardly a number.
        let has = |test: fn(&u8) -> bool| rest.is_some_and(|rest| rest.as_bytes().iter().any(test));
        let mixed = has(u8::is_ascii_digit) && (has(u8::is_ascii_alphabetic));
        let cases = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
        if is_web_token || (rest.is_some_and(|rest| rest.len() >= LEAST) && (mixed || cases)) {
            found.push(start..start + word.len());
        }
        let after = start + word.len();
        start = after + text.get(after..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
}

/// `?token=…&sig=…`
fn parameters(word: &str, base: usize, found: &mut Vec<Range<usize>>) {
    let mut from = 0;
    while let Some(at) = word.get(from..).and_then(|rest| rest.find(['?', '&'])) {
        from += at + 1;
        let rest = word.get(from..).unwrap_or_default();
        // A name is short: no more of the word is looked at for every mark in it.
        let Some(length) = rest.bytes().take(LONGEST).position(|byte| byte == b'=') else { continue };
        if !rest.get(..length).is_some_and(is_secret_parameter) {
            continue;
        }
        let value = rest.get(length + 1..).unwrap_or_default().split(['&', '#']).next().unwrap_or_default();
        let start = from + length + 1;
        from = start + value.len();
        if !value.is_empty() && !is_reference(value) {
            found.push(base + start..base + from);
        }
    }
}

/// `http://user:…@host`, and `redis://:…@host`.
fn urls(word: &str, base: usize, found: &mut Vec<Range<usize>>) {
    for (at, mark) in word.match_indices("://") {
        let start = at + mark.len();
        let rest = word.get(start..).unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some(end) = authority.rfind('@')
            && let Some(colon) = authority.get(..end).and_then(|user| user.find(':'))
            && authority.get(colon + 1..end).is_some_and(|password| !is_reference(password))
        {
            found.push(base + start + colon + 1..base + start + end);
        }
    }
}

/// `user:…@host` without a scheme.
fn address(word: &str, base: usize, found: &mut Vec<Range<usize>>) {
    // HAProxy writes them before an address, perhaps as the second of a list.
    const FAMILIES: &[&str] = &[
        "abns", "abnsz", "dgram", "fd", "ipv4", "ipv6", "quic4", "quic6", "rhttp", "ring", "sockpair",
        "stream", "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix",
    ];
    let Some((before, host)) = word.rsplit_once('@') else { return };
    let Some((user, password)) = before.split_once(':') else { return };
    let named = user.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '-' | '.' | '+'));
    let hosted = host.starts_with(|first: char| first.is_alphanumeric() || matches!(first, '[' | '$' | '_'));
    let family = password.rsplit(',').next().is_some_and(|last| FAMILIES.contains(&last));
    let other = user.ends_with("mailto") || host.starts_with("sha256:") || password.starts_with(['/', '%']);
    if named && hosted && !family && !other && !password.is_empty() && !is_reference(password) {
        found.push(base + user.len() + 1..base + before.len());
    }
}

/// `Bearer …` and `Basic …`.
fn schemes(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(['b', 'B'])) {
        let start = from + at;
        from = start + 1;
        let before = text.get(..start).unwrap_or_default();
        if before.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '-' | '.')) {
            continue;
        }
        let Some(length) = ["bearer", "basic"].iter().map(|name| name.len()).find(|length| {
            text.get(start..start + length)
                .is_some_and(|word| ["bearer", "basic"].iter().any(|name| word.eq_ignore_ascii_case(name)))
        }) else {
            continue;
        };
        let mut open = start + length;
        while bytes.get(open).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\\')) {
            open += 1;
        }
        let rest = text.get(open..).unwrap_or_default();
        let close = open + rest.bytes().position(ends).unwrap_or(rest.len());
        let credentials = text.get(open..close).unwrap_or_default();
        from = open.max(from);
        // A sentence may speak of "basic settings"; in quotes or behind a colon it is a header's value.
        let is_value = before.trim_end().ends_with(['"', '\'', ':', '=', '\\']);
        let is_word = value::is_plain(credentials) || credentials.len() < value::SHORTEST;
        let is_prose = credentials.starts_with("realm=")
            || ["auth", "authentication", "token", "tokens", "credentials"].contains(&credentials);
        if open > start + length && !is_prose && (is_value || !is_word) && !is_reference(credentials) {
            found.push(open..close);
        }
    }
}
