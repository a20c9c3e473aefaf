//! Blocks as statements: every directive, whether the model has a field for it or not.

use super::directives::{self, Contexts, DATA, Directive, H, L, LIF, LMT, M, S, SIF, T, TS, ValueKind};
use super::effects;
use super::syntax::{NodeId, Tree};
use super::values;
use crate::effect::EffectClass;
use crate::source::Span;
use crate::statement::{Inheritance, Scope, ScopeId, Statement, Statements, quoted};

/// Directives of which an inner block has none of its own when an outer one has one.
const STAYS: &[&str] = &[
    "alias",
    "break",
    "default_type_override",
    "empty_gif",
    "fastcgi_pass",
    "flv",
    "grpc_pass",
    "if",
    "internal",
    "limit_except",
    "listen",
    "location",
    "memcached_pass",
    "mirror_request",
    "mp4",
    "proxy_pass",
    "return",
    "rewrite",
    "scgi_pass",
    "server",
    "server_name",
    "set",
    "stub_status",
    "try_files",
    "uwsgi_pass",
];

/// Directives whose place among each other counts, and the sequence they make.
const SEQUENCES: &[(&str, &str)] = &[
    ("allow", "access"),
    ("break", "rewrite"),
    ("deny", "access"),
    ("if", "rewrite"),
    ("include", "include"),
    ("return", "rewrite"),
    ("rewrite", "rewrite"),
    ("set", "rewrite"),
    ("sub_filter", "sub_filter"),
];

/// Directives of which one block may hold several, told apart by their first argument.
const KEYED: &[&str] = &[
    "add_header",
    "add_trailer",
    "auth_jwt_require",
    "env",
    "error_log",
    "error_page",
    "fastcgi_param",
    "grpc_set_header",
    "js_import",
    "js_set",
    "limit_conn",
    "limit_conn_zone",
    "limit_req",
    "limit_req_zone",
    "listen",
    "load_module",
    "log_format",
    "map_hash",
    "proxy_cache_path",
    "proxy_cache_valid",
    "proxy_cookie_domain",
    "proxy_cookie_path",
    "proxy_hide_header",
    "proxy_ignore_headers",
    "proxy_pass_header",
    "proxy_redirect",
    "proxy_set_header",
    "scgi_param",
    "server",
    "set_real_ip_from",
    "sub_filter",
    "uwsgi_param",
    "access_log",
    "include",
    "server_name",
    "rewrite",
    "set",
    "ssl_certificate",
    "ssl_certificate_key",
    "more_set_headers",
    "more_clear_headers",
    "split_clients",
    "fastcgi_cache_path",
    "resolver",
    "auth_request_set",
];

/// All statements of a configuration.
pub(super) fn statements(
    tree: &Tree,
    contexts: &[Contexts],
    found: &[Option<&'static Directive>],
    whole: Span,
) -> Statements {
    let mut all = Statements::default();
    let mut scopes: Vec<Option<ScopeId>> = vec![None; tree.nodes.len()];
    let main = all.scope(Scope {
        label: String::new(),
        parent: None,
        inherits: None,
        template: false,
        sequence: None,
        span: whole,
    });
    for (id, node) in tree.nodes.iter().enumerate() {
        let outer = node.parent.and_then(|parent| scopes.get(parent).copied().flatten()).unwrap_or(main);
        let context = contexts.get(id).copied().unwrap_or(directives::OTHER);
        let name = tree.name(id);
        // What stands in an `if` of the rewrite module is a part of that step.
        if node.block && name != "if" {
            let inherits = (context & (M | H | S | L | SIF | LIF | T | TS) != 0).then_some(outer);
            // Of expressions the first that matches wins.
            let expression = name == "location" && tree.arg(id, 0).is_some_and(|sign| sign.starts_with('~'));
            let scope = all.scope(Scope {
                label: label(tree, id),
                parent: Some(outer),
                inherits,
                template: false,
                sequence: expression.then_some("location"),
                span: node.header,
            });
            if let Some(slot) = scopes.get_mut(id) {
                *slot = Some(scope);
            }
            continue;
        }
        if node.block {
            let scope = all.scope(Scope {
                label: label(tree, id),
                parent: Some(outer),
                inherits: Some(outer),
                template: false,
                sequence: None,
                span: node.header,
            });
            if let Some(slot) = scopes.get_mut(id) {
                *slot = Some(scope);
            }
            all.all.push(step(tree, id, outer, "if", "rewrite"));
            continue;
        }
        if context == DATA {
            all.all.push(data(tree, id, outer));
            continue;
        }
        if name == "server_name" {
            for word in tree.args(id) {
                all.all.push(Statement {
                    scope: outer,
                    name: name.to_owned(),
                    key: tree.value(word).to_ascii_lowercase(),
                    value: String::new(),
                    sequence: None,
                    inheritance: Inheritance::Stays,
                    class: EffectClass::Routing,
                    span: word.span,
                });
            }
            continue;
        }
        all.all.push(directive(tree, id, outer, context, found.get(id).copied().flatten()));
    }
    all
}

fn directive(
    tree: &Tree,
    id: NodeId,
    scope: ScopeId,
    context: Contexts,
    known: Option<&'static Directive>,
) -> Statement {
    let name = tree.name(id);
    let values: Vec<String> = tree.values(id).iter().map(|value| canonical(value, known)).collect();
    let keyed = KEYED.contains(&name) && !values.is_empty();
    let (key, rest) = match values.split_first() {
        Some((first, rest)) if keyed => (first.clone(), rest),
        _ => (String::new(), values.as_slice()),
    };
    let sequence = SEQUENCES.iter().find(|(word, _)| *word == name).map(|(_, sequence)| *sequence);
    let stays = STAYS.contains(&name) || context & (H | S | L | M | T | TS | LIF | SIF | LMT) == 0;
    let mut rest = rest.to_vec();
    // The words of a server in an upstream, and of `listen`, may stand in any order.
    if matches!(name, "server" | "listen") {
        rest.sort_unstable();
    }
    Statement {
        scope,
        name: name.to_owned(),
        key,
        value: rest.join(" "),
        sequence,
        inheritance: if stays { Inheritance::Stays } else { Inheritance::Replaced },
        class: effects::of(name, known),
        span: tree.header(id),
    }
}

/// A block that is one of several steps.
fn step(tree: &Tree, id: NodeId, scope: ScopeId, name: &str, sequence: &'static str) -> Statement {
    Statement {
        scope,
        name: name.to_owned(),
        key: tree.values(id).join(" "),
        value: String::new(),
        sequence: Some(sequence),
        inheritance: Inheritance::Stays,
        class: EffectClass::Routing,
        span: tree.header(id),
    }
}

/// A line of a `map`, `geo`, `split_clients` or `types`.
fn data(tree: &Tree, id: NodeId, scope: ScopeId) -> Statement {
    let name = tree.name(id);
    let ordered = name.starts_with('~') || name.ends_with('%');
    Statement {
        scope,
        name: name.to_owned(),
        key: String::new(),
        value: tree.values(id).into_iter().map(quoted).collect::<Vec<_>>().join(" "),
        sequence: ordered.then_some("lines"),
        inheritance: Inheritance::Stays,
        class: EffectClass::Routing,
        span: tree.header(id),
    }
}

/// What a block is called. A server is called by its first name, or where it has none by its first address.
fn label(tree: &Tree, id: NodeId) -> String {
    let name = tree.name(id);
    let values = tree.values(id).join(" ");
    if name == "server" && values.is_empty() {
        let first = |wanted: &str| {
            let mut lines = tree.children(Some(id)).filter(|&child| tree.name(child) == wanted);
            lines.find_map(|child| tree.arg(child, 0)).map(str::to_owned)
        };
        let called = first("server_name").filter(|name| !name.is_empty()).or_else(|| first("listen"));
        return format!("server {}", called.as_deref().unwrap_or("80"));
    }
    format!("{name} {values}").trim_end().to_owned()
}

/// A value in one spelling: times and sizes in one unit.
fn canonical(value: &str, known: Option<&'static Directive>) -> String {
    let time = |millis: bool| values::time(value, millis).map(crate::words::duration);
    let found = match known.map(|entry| entry.value) {
        Some(ValueKind::Millis) => time(true),
        Some(ValueKind::Seconds) => time(false),
        Some(ValueKind::Size) => values::size(value, false).map(|size| size.to_string()),
        Some(ValueKind::Offset) => values::size(value, true).map(|size| size.to_string()),
        _ => None,
    };
    match found {
        Some(text) => text,
        None => quoted(value),
    }
}
