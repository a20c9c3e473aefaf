//! Names that are put together from a request, as HAProxy does it.

use super::pattern::{Engine, Patterns};
use super::value::Value;
use super::view::RequestView;
use crate::model::{KeyFits, Recipe, RecipePart, SampleStep, Sampled};

/// The name. `Err`: why it is not known.
pub(super) fn name(recipe: &Recipe, view: &RequestView, patterns: &mut Patterns) -> Result<Vec<u8>, String> {
    let mut name = Vec::new();
    for part in &recipe.parts {
        match part {
            RecipePart::Text(text) => name.extend_from_slice(text.as_bytes()),
            RecipePart::Sample { of, steps } => {
                let mut text = property(of, view)?;
                for step in steps {
                    let Some(known) = text else { break };
                    text = apply(step, known, patterns)?;
                }
                name.extend(text.unwrap_or_default());
            }
        }
    }
    Ok(name)
}

/// A property of the request; `None`: the request lacks it.
fn property(of: &Sampled, view: &RequestView) -> Result<Option<Vec<u8>>, String> {
    let (value, first) = match of {
        Sampled::Constant(text) => return Ok(Some(text.clone().into_bytes())),
        Sampled::Source => {
            let source = view.request.source.ok_or("the client's address is not given")?;
            return Ok(Some(source.to_string().into_bytes()));
        }
        Sampled::Port => {
            let port = view.request.port.ok_or("the port is not given")?;
            return Ok(Some(port.to_string().into_bytes()));
        }
        Sampled::Host => (view.host(), false),
        Sampled::Path => (view.path.clone(), false),
        Sampled::Target => (view.target(), false),
        Sampled::Method => (view.method(), false),
        Sampled::Header(name) => (view.header(name), false),
        Sampled::HeaderLine(name) => (view.header_lines(name), false),
        Sampled::Query(name) => (view.parameter(name), true),
        Sampled::Cookie(name) => (view.cookie(name), false),
        Sampled::Sni => (view.sni(), false),
    };
    match value {
        Value::Known(mut values) if first => Ok((!values.is_empty()).then(|| values.swap_remove(0))),
        Value::Known(mut values) => Ok(values.pop()),
        Value::Unknown(why) => Err(why),
    }
}

fn apply(step: &SampleStep, text: Vec<u8>, patterns: &mut Patterns) -> Result<Option<Vec<u8>>, String> {
    Ok(match step {
        SampleStep::Lower => Some(text.to_ascii_lowercase()),
        SampleStep::Upper => Some(text.to_ascii_uppercase()),
        SampleStep::HostOnly => {
            let end = text.iter().rposition(|byte| *byte == b':').filter(|_| text.last() != Some(&b']'));
            let host = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
            Some(host.to_ascii_lowercase())
        }
        SampleStep::Field { index, delimiters } => {
            let fields: Vec<&[u8]> = text.split(|byte| delimiters.as_bytes().contains(byte)).collect();
            nth(&fields, *index)
        }
        SampleStep::Word { index, delimiters } => {
            let fields = text.split(|byte| delimiters.as_bytes().contains(byte));
            let words: Vec<&[u8]> = fields.filter(|word| !word.is_empty()).collect();
            nth(&words, *index)
        }
        SampleStep::Map { fits, entries, default } => {
            let found = match fits {
                KeyFits::LongestPrefix => {
                    let mut best: Option<&(String, String)> = None;
                    for entry in entries.iter().filter(|(key, _)| text.starts_with(key.as_bytes())) {
                        if best.is_none_or(|best| entry.0.len() > best.0.len()) {
                            best = Some(entry);
                        }
                    }
                    best
                }
                KeyFits::Regex => {
                    let mut found = None;
                    for entry in entries.iter() {
                        if patterns.get(Engine::Pcre, false, &entry.0)?.matches(&text)? {
                            found = Some(entry);
                            break;
                        }
                    }
                    found
                }
                _ => entries.iter().find(|(key, _)| fit(*fits, key.as_bytes(), &text)),
            };
            found.map(|(_, value)| value).or(default.as_ref()).map(|value| value.clone().into_bytes())
        }
    })
}

fn nth(of: &[&[u8]], index: i64) -> Option<Vec<u8>> {
    let at = usize::try_from(index.unsigned_abs()).ok()?.checked_sub(1)?;
    let found = if index > 0 { of.get(at) } else { of.iter().rev().nth(at) };
    found.map(|field| field.to_vec())
}

fn fit(fits: KeyFits, key: &[u8], text: &[u8]) -> bool {
    match fits {
        KeyFits::Exactly => text == key,
        KeyFits::Suffix => text.ends_with(key),
        KeyFits::Contains => contains(text, key),
        KeyFits::Segment => between(text, key, b"/?"),
        KeyFits::Label => between(text, key, b"/?.:"),
        KeyFits::LongestPrefix | KeyFits::Regex => false,
    }
}

fn contains(text: &[u8], key: &[u8]) -> bool {
    key.is_empty() || text.windows(key.len()).any(|window| window == key)
}

/// Whether the key, without delimiters at its ends, stands between delimiters.
fn between(text: &[u8], key: &[u8], delimiters: &[u8]) -> bool {
    let edge = |byte: &u8| delimiters.contains(byte);
    let Some(start) = key.iter().position(|byte| !edge(byte)) else { return false };
    let end = key.iter().rposition(|byte| !edge(byte)).map_or(key.len(), |at| at + 1);
    let key = key.get(start..end).unwrap_or_default();
    text.windows(key.len()).enumerate().any(|(at, window)| {
        window == key
            && at.checked_sub(1).and_then(|before| text.get(before)).is_none_or(edge)
            && text.get(at + key.len()).is_none_or(edge)
    })
}
