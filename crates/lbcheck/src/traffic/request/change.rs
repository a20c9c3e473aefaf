//! New paths: nginx's `rewrite` and `try_files`, with the variables in them.

use super::pattern::{Engine, Groups, Patterns};
use super::value::Value;
use super::view::RequestView;
use crate::model::PathChange;

/// What a change makes of a request.
pub(super) enum Changed {
    /// The request with its new path.
    To(Box<RequestView>),
    /// The new path is not known, for this reason.
    Unknown(String),
}

/// Applies a change whose condition holds.
pub(super) fn apply(change: &PathChange, view: &RequestView, patterns: &mut Patterns) -> Changed {
    let groups = match groups(change, view, patterns) {
        Ok(groups) => groups,
        Err(why) => return Changed::Unknown(why),
    };
    let (path, query) = match change.to.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (change.to.as_str(), None),
    };
    let expanded = |text: &str| expand(text, view, &groups);
    let path = match expanded(path) {
        Ok(path) => path,
        Err(why) => return Changed::Unknown(why),
    };
    let query = match query.map(expanded).transpose() {
        Ok(query) => query,
        Err(why) => return Changed::Unknown(why),
    };
    if path.first() != Some(&b'/') {
        return Changed::Unknown("the new path does not start with a slash".to_owned());
    }
    Changed::To(Box::new(view.moved(path, query, change.keeps_query)))
}

fn groups(change: &PathChange, view: &RequestView, patterns: &mut Patterns) -> Result<Groups, String> {
    let Some(pattern) = &change.pattern else { return Ok(Groups::default()) };
    let path = view.path.first()?;
    let found = patterns.get(Engine::Pcre, false, pattern).and_then(|pattern| pattern.captures(path));
    match found {
        Ok(groups) => Ok(groups.unwrap_or_default()),
        Err(why) => Err(format!("`{pattern}` has {why}")),
    }
}

/// `text` with its variables replaced.
fn expand(text: &str, view: &RequestView, groups: &Groups) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.extend_from_slice(rest.get(..at).unwrap_or_default().as_bytes());
        let after = rest.get(at + 1..).unwrap_or_default();
        let (name, behind) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}').ok_or_else(|| format!("`{text}` has an open brace"))?,
            None => {
                let digits = after.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
                let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                let end = if digits { 1 } else { after.bytes().take_while(|byte| of_name(*byte)).count() };
                after.split_at(end)
            }
        };
        out.extend(variable(name, view, groups)?);
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

fn variable(name: &str, view: &RequestView, groups: &Groups) -> Result<Vec<u8>, String> {
    if let Ok(number) = name.parse::<usize>() {
        return Ok(groups.numbered.get(number).cloned().unwrap_or_default());
    }
    if let Some(group) = groups.named.get(name) {
        return Ok(group.clone());
    }
    let unknown = || Err(format!("the variable `${name}` is not known"));
    match view.variable(&name.to_ascii_lowercase()) {
        Some(Value::Known(values)) => Ok(values.into_iter().next().unwrap_or_default()),
        Some(Value::Unknown(why)) => Err(why),
        None => unknown(),
    }
}
