//! The typed walk: every field of a document against Envoy's schema.
//!
//! What Envoy refuses while it turns YAML or JSON into its messages is an error: unknown fields, wrong types,
//! two fields of a oneof, broken validation rules. A type the schema does not know may be an extension of
//! another build and is let through. The walk keeps its own stack, so depth costs no native stack.

mod hints;
mod rules;
mod scalars;

use crate::diagnostic::{Diagnostic, Fix, Severity, suggestion};
use crate::dialect::Version;
use crate::source::{Span, Spanned};

use super::schema::{self, Cardinality, Field, Kind, Message, Rule};
use super::tree::{Field as Entry, Value};

/// The version the schema is of.
const SCHEMA_VERSION: Version = Version::new(1, 40);
const CONFIG_SOURCE: &str = "envoy.config.core.v3.ConfigSource";

/// Unknown fields a document gets a suggestion for: each is compared with every field of its message, and whoever
/// has this many does not correct them one by one.
const MAX_SUGGESTIONS: u32 = 200;

/// What the walk finds.
#[derive(Debug)]
pub(crate) struct Check<'t> {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Fields seen, and those of them nobody knows.
    pub(crate) fields: u32,
    pub(crate) unknown: u32,
    /// Clusters that something other than a route names.
    pub(crate) uses: Vec<Spanned<&'t str>>,
    /// Files that resources are to be read from.
    pub(crate) files: Vec<Spanned<&'t str>>,
    /// How bad it is when Envoy's reader would refuse something: a dump is never read again.
    severity: Severity,
    version: Version,
    stack: Vec<Task<'t>>,
}

/// A value to look at, with the type it should have.
#[derive(Clone, Copy, Debug)]
struct Task<'t> {
    value: Value<'t>,
    kind: Kind,
    /// How to name it in a message: the field it stands in.
    field: &'t str,
    /// The validation rules of the parent skip this message.
    skip: bool,
}

impl<'t> Check<'t> {
    pub(crate) fn new(severity: Severity, version: Version) -> Self {
        Self {
            diagnostics: Vec::new(),
            fields: 0,
            unknown: 0,
            uses: Vec::new(),
            files: Vec::new(),
            severity,
            version,
            stack: Vec::new(),
        }
    }

    /// Walks a message of a type.
    pub(crate) fn message(&mut self, value: Value<'t>, name: &str) {
        let Some(number) = schema::message_number(name) else { return };
        self.stack.push(Task { value, kind: Kind::Nested(number), field: "", skip: false });
        self.run();
    }

    /// Walks a message that names its own type.
    pub(crate) fn any(&mut self, value: Value<'t>) {
        self.stack.push(Task { value, kind: Kind::Any, field: "", skip: false });
        self.run();
    }

    fn run(&mut self) {
        while let Some(task) = self.stack.pop() {
            match task.kind {
                Kind::Nested(number) => {
                    let Some(message) = schema::message(number) else { continue };
                    if self.is_map(task, schema::short(message.name)) {
                        self.fields_of(task, message, false);
                    }
                }
                Kind::Any => self.typed(task),
                _ => {}
            }
        }
    }

    fn is_map(&mut self, task: Task<'t>, wanted: &str) -> bool {
        if task.value.is_map() {
            return true;
        }
        if !task.value.is_null() {
            let message = format!("{} must be a {wanted} message, that is a map.", named(task.field));
            self.report("invalid-value", task.value.span(), message, None);
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
            if task.value.len() > 0 {
                let message = format!("{} does not say of which type it is.", named(task.field));
                let help = "Add `\"@type\": type.googleapis.com/…` with the full name of the message.";
                self.report("invalid-value", task.value.span(), message, Some(help.into()));
            }
            return;
        };
        self.fields += 1;
        let url = entry.value.text();
        let Some((_, name)) = url.rsplit_once('/').filter(|(host, _)| !host.is_empty()) else {
            let message = format!("The type `{url}` lacks the part before the slash.");
            let help = format!("Write `type.googleapis.com/{url}`.");
            self.report("invalid-value", entry.value.span(), message, Some(help));
            return;
        };
        if name == "xds.type.v3.TypedStruct" || name == "udpa.type.v1.TypedStruct" {
            let inner = task.value.text_of("type_url").unwrap_or_default();
            let inner = inner.rsplit('/').next().unwrap_or(inner);
            if let (Some(number), Some(value)) = (schema::message_number(inner), task.value.get("value")) {
                self.stack.push(Task { value, kind: Kind::Nested(number), field: "value", skip: task.skip });
            }
        }
        if hints::is_removed(name) && self.version >= SCHEMA_VERSION {
            let message =
                format!("Envoy {} no longer has the extension {}.", self.version, schema::short(name));
            self.report("invalid-value", entry.value.span(), message, None);
        }
        // An unknown type may belong to a build with more extensions: nothing is said about it.
        let Some(message) = schema::message_number(name).and_then(schema::message) else { return };
        self.fields_of(task, message, true);
    }

    /// The fields of a message whose value is a map.
    fn fields_of(&mut self, task: Task<'t>, message: &'static Message, typed: bool) {
        let mut oneofs: Vec<(u8, Entry<'t>)> = Vec::new();
        for entry in task.value.fields() {
            if typed && entry.key == "@type" {
                continue;
            }
            self.fields += 1;
            let Some(field) = message.field(entry.key) else {
                self.unknown_field(message, &entry);
                continue;
            };
            if entry.value.is_null() && field.kind != Kind::Json {
                continue;
            }
            if field.deprecated {
                self.deprecated(message, field, &entry);
            }
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
            self.field(field, &entry, task.skip);
        }
        if !task.skip {
            self.check_rules(task.value, message, &oneofs, task.field);
        }
    }

    fn field(&mut self, field: &'static Field, entry: &Entry<'t>, skip: bool) {
        let skip = skip || field.rules.contains(&Rule::Skip);
        let mut check = |value: Value<'t>| match field.kind {
            Kind::Nested(_) | Kind::Any => {
                self.stack.push(Task { value, kind: field.kind, field: entry.key, skip });
            }
            _ => self.scalar(field, entry, value),
        };
        match field.cardinality {
            Cardinality::One | Cardinality::Boxed => check(entry.value),
            // A list inside the list is read as if its items stood in the outer one.
            Cardinality::Many if entry.value.is_list() => {
                entry.value.items().filter(|item| !item.is_list()).for_each(check);
            }
            Cardinality::Many => check(entry.value),
            Cardinality::Map if entry.value.is_map() => {
                entry.value.fields().map(|inner| inner.value).for_each(check);
            }
            Cardinality::Map => {
                let message = format!("`{}` must be a map.", entry.key);
                self.report("invalid-value", entry.value.span(), message, None);
            }
        }
    }

    /// Collects what the rest of the reader wants to know of a field.
    fn note(&mut self, message: &Message, field: &Field, value: Value<'t>) {
        if let Kind::Nested(number) = field.kind {
            let source = schema::message(number).is_some_and(|message| message.name == CONFIG_SOURCE);
            if source && hints::is_followed(message.name, field.name) {
                let path = value.path(&["path_config_source", "path"]).or_else(|| value.get("path"));
                if let Some(path) = path
                    && let Some(text) = path.string()
                {
                    self.files.push(Spanned::new(text, path.span()));
                }
            }
            return;
        }
        if field.kind == Kind::Text && hints::names_cluster(message.name, field.name) {
            for item in value.items() {
                if let Some(text) = item.string() {
                    self.uses.push(Spanned::new(text, item.span()));
                }
            }
        }
    }

    /// A field that Envoy still takes and prints a warning about.
    fn deprecated(&mut self, message: &'static Message, field: &'static Field, entry: &Entry<'t>) {
        let text = format!(
            "`{}` of {} is deprecated: Envoy warns of it and will drop it.",
            field.name,
            schema::short(message.name)
        );
        self.diagnostics.push(
            Diagnostic::new("deprecated-directive", Severity::Warning, entry.key_span, text)
                .help("See the field in the Envoy API reference for what takes its place."),
        );
    }

    fn unknown_field(&mut self, message: &'static Message, entry: &Entry<'t>) {
        self.unknown += 1;
        let short = schema::short(message.name);
        if entry.key == "<<" {
            let text = "Envoy does not know YAML merge keys: it takes `<<` for a field and refuses it.";
            let help = "Write the fields out, or alias the whole value with `*name`.";
            self.report("syntax-error", entry.key_span, text.into(), Some(help.into()));
            return;
        }
        let text = format!("`{}` is not a field of {short}.", entry.key);
        let replacement = hints::replacement(short, entry.key).map(str::to_owned);
        let close = (replacement.is_none() && self.unknown <= MAX_SUGGESTIONS)
            .then(|| suggestion(entry.key, message.fields.iter().map(|field| field.name)))
            .flatten();
        let help = replacement.or_else(|| close.map(|close| format!("Did you mean `{}`?", close.word)));
        let mut diagnostic = Diagnostic::new("unknown-directive", self.severity, entry.key_span, text);
        if self.version > SCHEMA_VERSION {
            // A newer Envoy may have the field.
            diagnostic.severity = self.severity.min(Severity::Warning);
        }
        diagnostic.help = help;
        diagnostic.fix = close.and_then(|close| Fix::word(bare(entry), entry.key, close));
        self.diagnostics.push(diagnostic);
    }

    fn oneof_conflict(&mut self, first: &Entry<'t>, second: &Entry<'t>) {
        let message = format!(
            "`{}` and `{}` exclude each other: Envoy refuses a message that sets both.",
            first.key, second.key
        );
        self.diagnostics.push(
            Diagnostic::new("invalid-value", self.severity, second.key_span, message)
                .also(first.key_span, "already set here")
                .help("Keep one of them."),
        );
    }

    fn report(&mut self, rule: &'static str, span: Span, message: String, help: Option<String>) {
        let mut diagnostic = Diagnostic::new(rule, self.severity, span, message);
        diagnostic.help = help;
        self.diagnostics.push(diagnostic);
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
    if field.is_empty() { "This".to_owned() } else { format!("`{field}`") }
}
