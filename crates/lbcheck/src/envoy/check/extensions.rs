//! Extensions: whether what an `@type` names exists, and may stand where it stands.

use strsim::damerau_levenshtein;

use crate::diagnostic::{RuleId, suggest};
use crate::source::Span;

use super::super::schema::{self, Field, Message};
use super::{Check, SCHEMA_VERSION, Task, contrib, field_facts, named};

/// Types a document gets a suggestion for: each is compared with every type there is.
const MAX_SUGGESTIONS: u32 = 20;
/// A policy that Envoy does not have is passed over when another of the list is known.
const POLICIES: &str = "envoy.load_balancing_policies";

/// The category of extensions that a field of a message takes. What the field around the message says wins: an
/// upstream HTTP filter has the form of an HTTP filter.
pub(super) fn category(message: &Message, field: &Field, around: &'static str) -> &'static str {
    if !around.is_empty() && field.name == "typed_config" {
        return around;
    }
    message.takes.iter().find(|(name, _)| *name == field.name).map_or("", |(_, category)| category)
}

impl<'t> Check<'_, 't> {
    /// Checks the type of an extension's settings, which is what Envoy finds the extension by.
    pub(super) fn extension(&mut self, name: &str, span: Span, category: &'static str) {
        if name.is_empty() {
            return;
        }
        if field_facts::is_removed(name) && self.findings.version >= SCHEMA_VERSION {
            let message = format!(
                "Envoy {} no longer has the extension {}",
                self.findings.version,
                schema::short(name)
            );
            self.report(RuleId::InvalidValue, span, message, None);
            return;
        }
        if let Some(since) = self.comes_later(name, "") {
            let message =
                format!("Envoy {} has no type `{name}`: it comes with {since}", self.findings.version);
            self.report(RuleId::UnknownDirective, span, message, None);
            return;
        }
        let built = schema::categories().any(|known| known.has_type(name));
        if !built && schema::message_number(name).is_none() && !schema::is_well_known(name) {
            self.unknown_type(name, span);
            return;
        }
        if category.is_empty() || category == POLICIES || name.ends_with(".v3.TypedStruct") {
            return;
        }
        let mut wanted = category.split(',').filter_map(schema::category).peekable();
        // What may be an extension of another build is let through.
        if wanted.peek().is_none() || !wanted.all(|known| schema::cannot_be(name, known)) {
            return;
        }
        let other = schema::categories().find(|known| known.has_type(name));
        let message = match other {
            Some(other) => format!(
                "`{}` is an extension of the category {}, but this place takes {category}",
                schema::short(name),
                other.name
            ),
            None => format!("`{name}` is not the settings of an extension of the category {category}"),
        };
        self.report(RuleId::InvalidValue, span, message, None);
    }

    /// A type nobody knows may belong to a build with more extensions, unless it is a misspelt known one.
    fn unknown_type(&mut self, name: &str, span: Span) {
        self.unknown_types += 1;
        if self.unknown_types > MAX_SUGGESTIONS {
            return;
        }
        let close = close_type(name);
        // The packages of Envoy's own are known with everything that is in them.
        if close.is_none() && !schema::in_known_package(name) && !contrib::is_of_no_build(name) {
            return;
        }
        let message = format!("there is no type `{name}`, so Envoy cannot read these settings");
        self.unknown(span, message, close.map(|close| format!("did you mean `{close}`?")));
    }

    /// Extensions that are found by their name: cluster types, and what protocol options are for. A name nobody
    /// knows may belong to another build, unless it is empty or a misspelt known one.
    pub(super) fn named_extensions(&mut self, task: Task<'t>, message: &'static Message) {
        const OPTIONS: [&str; 3] = ["envoy.filters.http", "envoy.filters.network", "envoy.upstream_options"];
        let mut found: Vec<(&'t str, Span, Option<&'static str>)> = Vec::new();
        if message.name == "envoy.config.cluster.v3.Cluster.CustomClusterType" {
            let name = task.value.get("name").filter(|_| task.value.get("typed_config").is_none());
            if let Some((text, span)) = name.and_then(|name| Some((name.string()?, name.span()))) {
                found.push((text, span, misspelt(text, &["envoy.clusters"])));
            }
        } else if message.name == "envoy.config.cluster.v3.Cluster" {
            let options = task.value.get("typed_extension_protocol_options");
            for entry in options.into_iter().flat_map(super::Value::fields) {
                found.push((entry.key, entry.key_span, misspelt(entry.key, &OPTIONS)));
            }
        }
        for (name, span, close) in found {
            // No extension has a name with blanks in it, or none.
            if close.is_none() && name != "null" && !name.trim().is_empty() && !name.contains(' ') {
                continue;
            }
            let text = format!("there is no extension `{name}` that could stand here");
            let help = close.map(|close| format!("did you mean `{close}`?"));
            self.report(RuleId::UnknownDirective, span, text, help);
        }
    }

    /// A message that names an extension but has no settings for it: Envoy finds an extension by their type.
    pub(super) fn without_settings(&mut self, task: Task<'t>, message: &'static Message) {
        let Some(field) = message.field("typed_config") else { return };
        let category = category(message, field, task.category);
        // A cluster type is found by its name; a required field is missed by the rules.
        if category.is_empty() || category == "envoy.clusters" || !field.rules.is_empty() {
            return;
        }
        let sourced = ["typed_config", "config_discovery"].iter().any(|name| task.value.get(name).is_some());
        if sourced {
            return;
        }
        let name = task.value.text_of("name").unwrap_or_default();
        let what = if name.is_empty() { named(task.field) } else { format!("`{name}`") };
        let text = format!(
            "{what} ({}) has no `typed_config`, so Envoy cannot tell which extension is meant",
            schema::short(message.name)
        );
        let help = "add `typed_config` with an `@type`";
        self.report(RuleId::InvalidValue, task.value.span_of("name"), text, Some(help.into()));
    }
}

/// The name closest to a misspelt one, of extensions that are found by their name.
pub(super) fn misspelt(name: &str, categories: &[&str]) -> Option<&'static str> {
    let known: Vec<&'static str> = categories
        .iter()
        .filter_map(|category| schema::category(category))
        .flat_map(|category| category.names.iter().copied())
        .collect();
    if known.contains(&name) { None } else { suggest(name, known) }
}

/// The known type that a name is at most two typing errors away from.
fn close_type(name: &str) -> Option<&'static str> {
    let known =
        schema::message_names().chain(schema::categories().flat_map(|known| known.types.iter().copied()));
    // Two errors leave one of three parts as it is: most candidates have none of them and end here.
    let third = name.len().div_ceil(3).max(1);
    let parts: Vec<&str> =
        (0..3).filter_map(|part| name.get(part * third..((part + 1) * third).min(name.len()))).collect();
    let mut best: Option<(usize, &'static str)> = None;
    for candidate in known.filter(|candidate| candidate.len().abs_diff(name.len()) <= 2) {
        if !parts.iter().any(|part| candidate.contains(part)) {
            continue;
        }
        let distance = damerau_levenshtein(name, candidate);
        if distance <= 2 && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_types_are_found() {
        let router = "envoy.extensions.filters.http.router.v3.Router";
        assert_eq!(close_type("envoy.extensions.filters.http.ruter.v3.Router"), Some(router));
        assert_eq!(close_type("enjoy.extensions.filters.http.router.v3.Routr"), Some(router));
        assert_eq!(close_type("envoy.extensions.filters.http.golang.v3alpha.Config"), None);
        assert_eq!(close_type("istio.workload.BootstrapExtension"), None);
    }
}
