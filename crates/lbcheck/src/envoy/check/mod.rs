//! The typed walk: every field of a document against Envoy's schema.
//!
//! What Envoy refuses while it turns YAML or JSON into its messages is an error: unknown fields, wrong types,
//! two fields of a oneof, broken validation rules. A type the schema does not know may be an extension of
//! another build and is let through. The walk keeps its own stack, so depth costs no native stack.

mod api_rules;
mod clusters;
mod contrib;
mod extensions;
mod field_facts;
mod messages;
mod pattern;
mod regex;
mod routes;
mod scalars;
mod tls;

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::dialect::Version;
use crate::findings::Findings;
use crate::source::{Span, Spanned};

use super::schema::{self, Cardinality, Field, FieldKind, Message, Rule};
use super::tree::{Field as Entry, Value};

/// The version the schema is of.
const SCHEMA_VERSION: Version = Version::new(1, 40);
const CONFIG_SOURCE: &str = "envoy.config.core.v3.ConfigSource";

/// What the walk finds.
#[derive(Debug)]
pub(crate) struct Check<'f, 't> {
    findings: &'f mut Findings,
    /// Types nobody knows.
    unknown_types: u32,
    /// Clusters that something other than a route names.
    pub(crate) uses: Vec<Spanned<&'t str>>,
    /// Clusters that must be among the static ones, and whether an EDS cluster will not do.
    pub(crate) needed: Vec<(Spanned<&'t str>, bool)>,
    /// Files that resources are to be read from.
    pub(crate) files: Vec<Spanned<&'t str>>,
    /// How bad it is when Envoy's reader would refuse something: a dump is never read again.
    severity: Severity,
    /// The runtime of the configuration allows what is deprecated and refused by default.
    pub(crate) allows_deprecated: bool,
    /// Where keys stand that their map had already, in a file that goes to Envoy's JSON reader; in order.
    pub(crate) repeated: Vec<(u32, u32)>,
    /// Packages that were said to be work in progress.
    unstable: BTreeSet<&'static str>,
    /// The runtime sets how large the program of a regex may be.
    pub(crate) sets_program_size: bool,
    stack: Vec<Task<'t>>,
}

/// A value to look at, with the type it should have.
#[derive(Clone, Copy, Debug)]
struct Task<'t> {
    value: Value<'t>,
    kind: FieldKind,
    /// How to name it in a message: the field it stands in.
    field: &'t str,
    /// The validation rules of the parent skip this message.
    skip: bool,
    /// The category of extensions it belongs to, as the field says it stands in. Empty: none.
    category: &'static str,
}

impl<'f, 't> Check<'f, 't> {
    pub(crate) fn new(findings: &'f mut Findings, severity: Severity) -> Self {
        Self {
            findings,
            unknown_types: 0,
            uses: Vec::new(),
            needed: Vec::new(),
            files: Vec::new(),
            severity,
            allows_deprecated: false,
            repeated: Vec::new(),
            unstable: BTreeSet::new(),
            sets_program_size: false,
            stack: Vec::new(),
        }
    }

    /// Walks a message of a type.
    pub(crate) fn message(&mut self, value: Value<'t>, name: &str) {
        let Some(number) = schema::message_number(name) else { return };
        self.stack.push(Task {
            value,
            kind: FieldKind::Nested(number),
            field: "",
            skip: false,
            category: "",
        });
        self.run();
    }

    /// Walks a message that names its own type.
    pub(crate) fn any(&mut self, value: Value<'t>) {
        self.stack.push(Task { value, kind: FieldKind::Any, field: "", skip: false, category: "" });
        self.run();
    }

    fn run(&mut self) {
        while let Some(task) = self.stack.pop() {
            match task.kind {
                FieldKind::Nested(number) => {
                    let Some(message) = schema::message(number) else { continue };
                    if self.is_map(task, schema::short(message.name)) {
                        self.fields_of(task, message, false);
                    }
                }
                FieldKind::Any => self.typed(task),
                _ => {}
            }
        }
    }

    fn is_map(&mut self, task: Task<'t>, wanted: &str) -> bool {
        if task.value.is_map() {
            return true;
        }
        if !task.value.is_null() {
            let message = format!("{} must be a {wanted} message, that is a map", named(task.field));
            self.report(RuleId::InvalidValue, task.value.span(), message, None);
        }
        false
    }

    /// An `Any`: its `@type` says what the other keys are.
    fn typed(&mut self, task: Task<'t>) {
        if !self.is_map(task, "typed") {
            return;
        }
        let entry = task.value.fields().find(|entry| entry.key == "@type");
        let Some(entry) = entry else {
            if task.value.len() > 0 || !task.category.is_empty() {
                let message = format!("{} does not say of which type it is", named(task.field));
                let help = "add `\"@type\": type.googleapis.com/…` with the full name of the message";
                self.report(RuleId::InvalidValue, task.value.span(), message, Some(help.into()));
            }
            return;
        };
        self.seen(true);
        if self.is_repeated(entry.key_span) {
            let message = "the `@type` is written twice; Envoy's JSON reader refuses that".to_owned();
            self.report(
                RuleId::DuplicateDefinition,
                entry.key_span,
                message,
                Some("keep one of them".into()),
            );
        }
        let url = entry.value.text();
        let Some((_, name)) = url.rsplit_once('/').filter(|(host, _)| !host.is_empty()) else {
            let message = format!("the type `{url}` lacks the part before the slash");
            let help = format!("write `type.googleapis.com/{url}`");
            self.report(RuleId::InvalidValue, entry.value.span(), message, Some(help));
            return;
        };
        let mut chosen = (name, entry.value.span());
        if name == "xds.type.v3.TypedStruct" || name == "udpa.type.v1.TypedStruct" {
            let url = task.value.get("type_url");
            let inner = url.and_then(Value::string).unwrap_or_default();
            let inner = inner.rsplit('/').next().unwrap_or(inner);
            if let (Some(number), Some(value)) = (schema::message_number(inner), task.value.get("value")) {
                let kind = FieldKind::Nested(number);
                self.stack.push(Task { value, kind, field: "value", skip: task.skip, category: "" });
            }
            chosen = (inner, url.map_or(chosen.1, |url| url.span()));
        }
        self.extension(chosen.0, chosen.1, task.category);
        // What is inside is a message of its own.
        let task = Task { category: "", ..task };
        // An unknown type may belong to a build with more extensions: nothing is said about what is in it.
        let Some(message) = schema::message_number(name).and_then(schema::message) else { return };
        self.fields_of(task, message, true);
    }

    /// The fields of a message whose value is a map.
    fn fields_of(&mut self, task: Task<'t>, message: &'static Message, typed: bool) {
        if schema::is_unstable(message.name, "") {
            let place = task.value.fields().next().map_or(task.value.span(), |first| first.key_span);
            let place = if typed { task.value.span_of("@type") } else { place };
            self.unstable(message.name, place);
        }
        let mut oneofs: Vec<(u8, Entry<'t>)> = Vec::new();
        for entry in task.value.fields() {
            if typed && entry.key == "@type" {
                continue;
            }
            let Some(field) = message.field(entry.key) else {
                self.seen(false);
                self.unknown_field(message, &entry);
                continue;
            };
            if let Some(since) = self.comes_later(message.name, field.name) {
                self.seen(false);
                let short = schema::short(message.name);
                let text = format!(
                    "`{}` is not a field of {short} in Envoy {}: it comes with {since}",
                    field.name, self.findings.version
                );
                self.report(RuleId::UnknownDirective, entry.key_span, text, None);
                continue;
            }
            self.seen(true);
            if entry.value.is_null() && field.kind != FieldKind::Json {
                continue;
            }
            if field.deprecated {
                self.deprecated(message, field, &entry);
            }
            if schema::is_unstable(message.name, field.name) {
                let text = format!(
                    "`{}` of {} is work in progress: Envoy warns that it is not stable",
                    field.name,
                    schema::short(message.name)
                );
                self.say(RuleId::UnstableFeature, Severity::Info, entry.key_span, text, None);
            }
            self.repeats(field, &entry);
            if field.oneof > 0 {
                match oneofs.iter().find(|(number, _)| *number == field.oneof) {
                    Some((_, first)) => {
                        let first = *first;
                        self.oneof_conflict(&first, &entry);
                    }
                    None => oneofs.push((field.oneof, entry)),
                }
            }
            self.note(message, field, entry.value);
            self.field(message, field, &entry, task);
        }
        self.without_settings(task, message);
        self.named_extensions(task, message);
        self.check_message(task.value, message);
        if !task.skip {
            self.check_rules(task.value, message, &oneofs, task.field);
        }
    }

    /// A message that Envoy warns of; one is enough for its package.
    fn unstable(&mut self, name: &'static str, place: Span) {
        let package = name.rsplit_once('.').map_or(name, |(package, _)| package);
        if self.unstable.insert(package) {
            let text =
                format!("`{}` is work in progress: Envoy warns that it is not stable", schema::short(name));
            self.say(RuleId::UnstableFeature, Severity::Info, place, text, None);
        }
    }

    /// The version that brings a part of the API, if it is a later one.
    pub(super) fn comes_later(&self, name: &str, part: &str) -> Option<Version> {
        if self.findings.version.series() >= SCHEMA_VERSION {
            return None;
        }
        schema::since(name, part).filter(|since| *since > self.findings.version.series())
    }

    fn field(&mut self, message: &Message, field: &'static Field, entry: &Entry<'t>, task: Task<'t>) {
        let skip = task.skip || field.rules.contains(&Rule::Skip);
        let category = extensions::category(message, field, task.category);
        let mut check = |value: Value<'t>| match field.kind {
            FieldKind::Nested(_) | FieldKind::Any => {
                self.stack.push(Task { value, kind: field.kind, field: entry.key, skip, category });
            }
            _ => self.scalar(field, entry, value),
        };
        match field.cardinality {
            Cardinality::One | Cardinality::Boxed => check(entry.value),
            Cardinality::Many => entry.value.items().for_each(check),
            Cardinality::Map if entry.value.is_map() => {
                entry.value.fields().map(|inner| inner.value).for_each(check);
            }
            Cardinality::Map => {
                let message = format!("`{}` must be a map", entry.key);
                self.report(RuleId::InvalidValue, entry.value.span(), message, None);
            }
        }
    }

    /// Collects what the rest of the reader wants to know of a field.
    fn note(&mut self, message: &Message, field: &Field, value: Value<'t>) {
        if let FieldKind::Nested(number) = field.kind {
            if let Some(strict) = field_facts::needs_static_service(message.name, field.name) {
                self.note_services(value, strict);
            }
            let source = schema::message(number).is_some_and(|message| message.name == CONFIG_SOURCE);
            if source && field_facts::is_followed(message.name, field.name) {
                let path = value.path(&["path_config_source", "path"]).or_else(|| value.get("path"));
                if let Some(path) = path
                    && let Some(text) = path.string()
                {
                    self.files.push(Spanned::new(text, path.span()));
                }
            }
            return;
        }
        if field.kind == FieldKind::Text
            && field_facts::needs_static_cluster(message.name, field.name)
            && let Some(text) = value.string().filter(|text| !text.is_empty())
        {
            self.needed.push((Spanned::new(text, value.span()), false));
        }
        if field.kind == FieldKind::Text && field_facts::names_cluster(message.name, field.name) {
            for item in value.items() {
                if let Some(text) = item.string() {
                    self.uses.push(Spanned::new(text, item.span()));
                }
            }
        }
    }

    /// The clusters of a `ConfigSource`, an `ApiConfigSource` or a `GrpcService`.
    fn note_services(&mut self, value: Value<'t>, strict: bool) {
        let api = value.get("api_config_source").unwrap_or(value);
        self.asks_somebody(api);
        let services = api.list("grpc_services").chain(std::iter::once(api));
        let named = services.filter_map(|service| service.path(&["envoy_grpc", "cluster_name"]));
        for name in named.chain(api.list("cluster_names")) {
            if let Some(text) = name.string().filter(|text| !text.is_empty()) {
                self.needed.push((Spanned::new(text, name.span()), strict));
            }
        }
    }

    /// A field that Envoy warns of, or refuses unless its runtime is told to take it.
    fn deprecated(&mut self, message: &'static Message, field: &'static Field, entry: &Entry<'t>) {
        let short = schema::short(message.name);
        let gone = field.rules.contains(&Rule::Gone) && !self.allows_deprecated;
        let text = match gone {
            true => format!("`{}` of {short} is deprecated, and Envoy refuses it", field.name),
            false => {
                format!("`{}` of {short} is deprecated: Envoy warns of it and will drop it", field.name)
            }
        };
        let help = schema::successor(message.name, field.name).map_or_else(
            || "see the field in the Envoy API reference for what takes its place".into(),
            str::to_owned,
        );
        let severity = if gone { self.severity } else { self.severity.min(Severity::Warning) };
        self.say(RuleId::DeprecatedDirective, severity, entry.key_span, text, Some(help));
    }

    fn unknown_field(&mut self, message: &'static Message, entry: &Entry<'t>) {
        let short = schema::short(message.name);
        if entry.key == "<<" {
            let text = "Envoy does not know YAML merge keys: it takes `<<` for a field and refuses it";
            let help = "write the fields out, or alias the whole value with `*name`";
            self.report(RuleId::SyntaxError, entry.key_span, text.into(), Some(help.into()));
            return;
        }
        let text = format!("`{}` is not a field of {short}", entry.key);
        let replacement = field_facts::replacement(short, entry.key).map(str::to_owned);
        let close = match replacement {
            Some(_) => None,
            None => self.findings.suggestion(entry.key, message.fields.iter().map(|field| field.name)),
        };
        let help = replacement.or_else(|| close.map(|close| format!("did you mean `{}`?", close.word)));
        self.unknown(entry.key_span, text, help);
        self.findings.mend(bare(entry), entry.key, close);
    }

    fn is_repeated(&self, key: Span) -> bool {
        self.repeated.binary_search_by(|(start, _)| start.cmp(&key.start)).is_ok()
    }

    /// A key written twice: Envoy's JSON reader takes the last one, but not in an `Any`, a map or a oneof.
    fn repeats(&mut self, field: &Field, entry: &Entry<'t>) {
        if self.repeated.is_empty() {
            return;
        }
        let found: Vec<Span> = match (field.kind, field.cardinality) {
            (FieldKind::Struct | FieldKind::Json | FieldKind::JsonList, _) => {
                let value = entry.value.span();
                let spans = self.repeated.iter().map(|&(start, end)| (start as usize, end as usize));
                let inside = spans.filter(|(start, _)| value.range().contains(start));
                inside.map(|(start, end)| Span::new(value.file, start, end)).collect()
            }
            (_, Cardinality::Map) => entry
                .value
                .fields()
                .map(|inner| inner.key_span)
                .filter(|span| self.is_repeated(*span))
                .collect(),
            _ if field.oneof > 0 && self.is_repeated(entry.key_span) => vec![entry.key_span],
            _ => Vec::new(),
        };
        for span in found {
            let message = "this key is written twice; Envoy's JSON reader refuses that here".to_owned();
            self.report(RuleId::DuplicateDefinition, span, message, Some("keep one of them".into()));
        }
    }

    fn oneof_conflict(&mut self, first: &Entry<'t>, second: &Entry<'t>) {
        let message = format!(
            "`{}` and `{}` exclude each other: Envoy refuses a message that sets both",
            first.key, second.key
        );
        self.findings.push(
            Diagnostic::new(RuleId::InvalidValue, self.severity, second.key_span, message)
                .also(first.key_span, "already set here")
                .help("keep one of them"),
        );
    }

    /// Counts a field that was seen, and whether it is known.
    fn seen(&mut self, known: bool) {
        self.findings.coverage.total += 1;
        self.findings.coverage.understood += u32::from(known);
    }

    /// Something that nobody knows, and that a later version may have.
    fn unknown(&mut self, span: Span, message: String, help: Option<String>) {
        let later = self.findings.version.series() > SCHEMA_VERSION;
        let severity = if later { self.severity.min(Severity::Warning) } else { self.severity };
        self.say(RuleId::UnknownDirective, severity, span, message, help);
    }

    fn report(&mut self, rule: RuleId, span: Span, message: String, help: Option<String>) {
        self.say(rule, self.severity, span, message, help);
    }

    fn say(&mut self, rule: RuleId, severity: Severity, span: Span, message: String, help: Option<String>) {
        let mut diagnostic = Diagnostic::new(rule, severity, span, message);
        diagnostic.help = help;
        self.findings.push(diagnostic);
    }
}

/// The place of a key without the quotes around it.
fn bare(entry: &Entry<'_>) -> Span {
    let span = entry.key_span;
    if span.range().len() != entry.key.len() + 2 {
        return span;
    }
    Span { start: span.start + 1, end: span.end - 1, ..span }
}

/// A field as the subject of a sentence.
fn named(field: &str) -> String {
    if field.is_empty() { "this".to_owned() } else { format!("`{field}`") }
}
