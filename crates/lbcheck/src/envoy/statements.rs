//! Messages as statements: every field that is set, whether the model has one for it or not.

use super::document::Shape;
use super::scalar::Scalar;
use super::schema::{self, Cardinality, Field, FieldKind, Message};
use super::tree::Value;
use crate::effect::EffectClass;
use crate::source::Span;
use crate::statement::{Inheritance, Scope, ScopeId, Statement, Statements, quoted};

/// Most statements of a configuration; aliases may stand for more than anybody wrote.
const MAX_STATEMENTS: usize = 2_000_000;

/// Lists whose order does not matter.
const UNORDERED: &[&str] = &[
    "clusters",
    "configs",
    "domains",
    "dynamic_active_clusters",
    "dynamic_endpoint_configs",
    "dynamic_listeners",
    "dynamic_route_configs",
    "endpoints",
    "hosts",
    "keys",
    "lb_endpoints",
    "listeners",
    "secrets",
    "server_names",
    "static_clusters",
    "static_endpoint_configs",
    "static_listeners",
    "static_route_configs",
    "virtual_hosts",
];

/// Messages of the admin interface, of which a dump is made.
const DUMP: &str = "envoy.admin.";

/// Fields of a dump that say when and by which update something came.
const OF_A_DUMP: &[&str] = &["client_status", "last_updated", "version_info"];

/// What an entry of a dump holds, and the field that names it.
const HELD: &[(&str, &str)] = &[
    ("cluster", "name"),
    ("route_config", "name"),
    ("endpoint_config", "cluster_name"),
    ("listener", "name"),
];

/// What is in hand: a value, how it is to be read, and where its statements go.
struct Task<'t> {
    value: Value<'t>,
    kind: FieldKind,
    /// The message and the field whose value it is.
    of: (&'static str, &'static str),
    cardinality: Cardinality,
    /// What it has an effect on, as far as the messages around it say.
    class: EffectClass,
    scope: ScopeId,
    /// Names of the fields from the scope down to it.
    path: String,
    span: Span,
}

/// All statements of the documents of a configuration.
pub(super) fn statements<'t>(documents: impl Iterator<Item = (Value<'t>, Shape)>) -> Statements {
    let mut all = Statements::default();
    for (root, shape) in documents {
        let scope = all.scope(Scope {
            label: match shape {
                Shape::One(name) | Shape::List(name) => schema::short(name).to_owned(),
                Shape::Typed | Shape::Empty | Shape::Unknown => "resources".to_owned(),
            },
            parent: None,
            inherits: None,
            template: false,
            sequence: None,
            span: root.span(),
        });
        let (kind, cardinality) = match shape {
            Shape::One(name) => (nested(name), Cardinality::One),
            Shape::List(name) => (nested(name), Cardinality::Many),
            Shape::Typed => (FieldKind::Any, Cardinality::Many),
            Shape::Empty | Shape::Unknown => (FieldKind::Struct, Cardinality::One),
        };
        let span = root.span();
        walk(
            &mut all,
            Task {
                value: root,
                kind,
                of: ("", ""),
                cardinality,
                class: EffectClass::Unknown,
                scope,
                path: String::new(),
                span,
            },
        );
    }
    all
}

fn nested(name: &str) -> FieldKind {
    schema::message_number(name).map_or(FieldKind::Struct, FieldKind::Nested)
}

fn walk(all: &mut Statements, first: Task<'_>) {
    let mut stack = vec![first];
    while let Some(task) = stack.pop() {
        if all.all.len() >= MAX_STATEMENTS {
            return;
        }
        if task.cardinality == Cardinality::Many || (task.value.is_list() && untyped(task.kind)) {
            list(all, &mut stack, &task);
            continue;
        }
        match task.kind {
            FieldKind::Nested(number) => match schema::message(number) {
                Some(message) if task.value.is_map() => fields(&mut stack, &task, message),
                _ => leaf(all, &task),
            },
            FieldKind::Any => typed(all, &mut stack, &task),
            // What no message describes may name its type all the same, as the parts of a dump do.
            FieldKind::Struct if task.value.type_name().is_some() => typed(all, &mut stack, &task),
            FieldKind::Struct | FieldKind::Json | FieldKind::JsonList if task.value.is_map() => {
                plain(&mut stack, &task)
            }
            _ => leaf(all, &task),
        }
    }
}

fn untyped(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Struct | FieldKind::Json | FieldKind::JsonList)
}

/// The fields of a message, those in a map each under its key.
fn fields<'t>(stack: &mut Vec<Task<'t>>, task: &Task<'t>, message: &'static Message) {
    for entry in task.value.fields().filter(|entry| entry.key != "@type") {
        if entry.value.is_null() {
            continue;
        }
        let Some(field) = message.field(entry.key) else {
            let kind = FieldKind::Struct;
            let path = joined(&task.path, entry.key);
            let (of, scope) = ((message.name, ""), task.scope);
            let cardinality = Cardinality::One;
            let class = task.class;
            stack.push(Task {
                value: entry.value,
                kind,
                of,
                cardinality,
                class,
                scope,
                path,
                span: entry.span(),
            });
            continue;
        };
        let Field { name, kind, cardinality, .. } = *field;
        if message.name.starts_with(DUMP) && OF_A_DUMP.contains(&name) {
            continue;
        }
        let path = joined(&task.path, name);
        let of = (message.name, name);
        let class = match schema::effect_class(message.name, name) {
            EffectClass::Unknown => task.class,
            class => class,
        };
        if cardinality == Cardinality::Map && entry.value.is_map() {
            for inner in entry.value.fields() {
                let path = joined(&path, inner.key);
                let (scope, cardinality, value) = (task.scope, Cardinality::Boxed, inner.value);
                stack.push(Task { value, kind, of, cardinality, class, scope, path, span: inner.span() });
            }
            continue;
        }
        stack.push(Task {
            value: entry.value,
            kind,
            of,
            class,
            cardinality,
            scope: task.scope,
            path,
            span: entry.span(),
        });
    }
}

/// The entries of a map that no message describes.
fn plain<'t>(stack: &mut Vec<Task<'t>>, task: &Task<'t>) {
    for entry in task.value.fields().filter(|entry| entry.key != "@type") {
        if task.of.0 == DUMP && OF_A_DUMP.contains(&snake(entry.key).as_str()) {
            continue;
        }
        let path = joined(&task.path, entry.key);
        stack.push(Task {
            value: entry.value,
            path,
            span: entry.span(),
            cardinality: Cardinality::Boxed,
            ..*task
        });
    }
}

/// A message that names its type.
fn typed<'t>(all: &mut Statements, stack: &mut Vec<Task<'t>>, task: &Task<'t>) {
    let Some(name) = task.value.type_name() else {
        plain(stack, &Task { kind: FieldKind::Struct, path: task.path.clone(), ..*task });
        return;
    };
    push(all, task, &joined(&task.path, "@type"), "", schema::short(name));
    let kind = nested(name);
    let path = task.path.clone();
    let of = if name.starts_with(DUMP) { (DUMP, "") } else { ("", "") };
    let inner = Task { kind, path, of, cardinality: Cardinality::One, ..*task };
    match kind {
        FieldKind::Nested(_) => stack.push(inner),
        // Of a type that nobody here knows: as it is written.
        _ => plain(stack, &inner),
    }
}

/// The items of a list: messages are scopes of their own, scalars are one statement.
fn list<'t>(all: &mut Statements, stack: &mut Vec<Task<'t>>, task: &Task<'t>) {
    let unordered = UNORDERED.contains(&task.path.rsplit('.').next().unwrap_or_default());
    let items: Vec<Value<'t>> = task.value.items().collect();
    if !items.iter().any(Value::is_map) {
        if unordered {
            for item in &items {
                push(
                    all,
                    &Task { span: item.span(), path: String::new(), ..*task },
                    &task.path,
                    &scalar(task.kind, *item),
                    "",
                );
            }
            return;
        }
        let texts: Vec<String> = items.iter().map(|item| scalar(task.kind, *item)).collect();
        push(all, task, &task.path, "", &texts.join(", "));
        return;
    }
    for (index, item) in items.into_iter().enumerate() {
        let id = identity(item);
        let noun = task.path.rsplit('.').next().unwrap_or_default();
        let label = match &id {
            Some(id) => format!("{} {id}", singular(noun)),
            None => format!("{} #{}", singular(noun), index + 1),
        };
        let scope = all.scope(Scope {
            label,
            parent: Some(task.scope),
            inherits: None,
            template: false,
            sequence: (id.is_some() && !unordered).then_some("list"),
            span: item.span(),
        });
        stack.push(Task {
            value: item,
            scope,
            path: String::new(),
            span: item.span(),
            cardinality: Cardinality::One,
            ..*task
        });
    }
}

fn leaf(all: &mut Statements, task: &Task<'_>) {
    let text = scalar(task.kind, task.value);
    // What is zero says no more than what is not there, unless the difference is kept.
    let zero = matches!(text.as_str(), "0" | "false" | "\"\"" | "");
    let kept = task.cardinality != Cardinality::One
        || matches!(task.kind, FieldKind::Nested(_) | FieldKind::Duration);
    if zero && !kept {
        return;
    }
    push(all, task, &task.path, "", &text);
}

fn push(all: &mut Statements, task: &Task<'_>, name: &str, key: &str, value: &str) {
    all.all.push(Statement {
        scope: task.scope,
        name: name.to_owned(),
        key: key.to_owned(),
        value: value.to_owned(),
        sequence: None,
        inheritance: Inheritance::Stays,
        class: task.class,
        span: task.span,
    });
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A scalar in one spelling.
fn scalar(kind: FieldKind, value: Value<'_>) -> String {
    let found = match kind {
        FieldKind::Duration => value.duration().map(crate::words::duration),
        FieldKind::Bool => value.boolean().map(|value| value.to_string()),
        FieldKind::Int32 | FieldKind::Int64 | FieldKind::UInt32 | FieldKind::UInt64 => {
            value.integer().map(|value| value.to_string())
        }
        FieldKind::Float | FieldKind::Double => value.number().map(|value| value.to_string()),
        FieldKind::Choice(number) => schema::choice(number).and_then(|choice| {
            let names: Vec<(&'static str, i64)> =
                choice.values.iter().map(|&(name, number)| (name, i64::from(number))).collect();
            value.enumeration(&names).map(str::to_owned)
        }),
        _ => None,
    };
    found.unwrap_or_else(|| match value.scalar() {
        Some(Scalar::Null) => "null".to_owned(),
        Some(Scalar::Bool(value)) => value.to_string(),
        Some(Scalar::Int(value)) => value.to_string(),
        Some(Scalar::Text(text)) => quoted(text),
        None => "{}".to_owned(),
    })
}

/// What tells one item of a list from the others, if anything written does.
fn identity(item: Value<'_>) -> Option<String> {
    for name in ["name", "cluster_name", "key", "domain", "path_prefix"] {
        if let Some(text) = item.text_of(name) {
            return Some(text.to_owned());
        }
    }
    for (field, name) in HELD {
        if let Some(name) = item.path(&[field, name]).and_then(Value::string) {
            return Some(name.to_owned());
        }
    }
    if let Some(name) = item.type_name() {
        return Some(schema::short(name).to_owned());
    }
    if let Some(key) = item.path(&["header", "key"]).and_then(Value::string) {
        return Some(key.to_owned());
    }
    if let Some(address) = item.path(&["endpoint", "address", "socket_address"]) {
        let port = address.get("port_value").and_then(Value::u32).unwrap_or(0);
        return Some(format!("{}:{port}", address.text_of("address").unwrap_or_default()));
    }
    item.get("match").map(flat)
}

/// A small message as one text.
fn flat(message: Value<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut stack = vec![(String::new(), message)];
    while let Some((path, value)) = stack.pop() {
        if parts.len() >= MAX_PARTS {
            break;
        }
        if value.is_map() {
            stack.extend(value.fields().map(|field| (joined(&path, &snake(field.key)), field.value)));
        } else if value.is_list() {
            stack.extend(value.items().map(|item| (path.clone(), item)));
        } else {
            parts.push(format!("{path}={}", value.text()));
        }
    }
    parts.sort_unstable();
    parts.join(" ")
}

/// Most fields by which an item is told from others.
const MAX_PARTS: usize = 32;

/// A key as protobuf declares it.
fn snake(key: &str) -> String {
    let mut text = String::with_capacity(key.len() + 4);
    for character in key.chars() {
        if character.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

/// What one item of a list is called.
fn singular(list: &str) -> &str {
    match list {
        "clusters" => "cluster",
        "filter_chains" => "filter chain",
        "http_filters" => "HTTP filter",
        "listeners" => "listener",
        "" => "resource",
        "virtual_hosts" => "virtual host",
        _ => list.strip_suffix('s').unwrap_or(list),
    }
}
