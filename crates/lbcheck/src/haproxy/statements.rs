//! Sections as statements: every line, whether the model has a field for it or not.

use super::keywords;
use super::lexer::Word;
use super::syntax::{Line, Modifier, Section, SectionKind};
use super::values::{self, Unit};
use crate::effect::EffectClass;
use crate::source::Span;
use crate::statement::{Inheritance, Scope, ScopeId, Statement, Statements, quoted};

/// Keywords of which the next word tells several settings apart.
const BY_NEXT_WORD: &[&str] = &[
    "compression",
    "cpu-map",
    "email-alert",
    "errorfile",
    "errorloc",
    "errorloc302",
    "errorloc303",
    "monitor",
    "nameserver",
    "option",
    "peer",
    "rate-limit",
    "setenv",
    "presetenv",
    "stats",
    "table",
    "timeout",
    "user",
    "group",
];

/// Keywords whose lines add up, and the sequence in which they run; empty where their order does not matter.
const ADDED: &[(&str, &str)] = &[
    ("acl", ""),
    ("capture", "capture"),
    ("filter", "filter"),
    ("http-after-response", "http-after-response"),
    ("http-check", "http-check"),
    ("http-request", "http-request"),
    ("http-response", "http-response"),
    ("log", ""),
    ("redirect", "http-request"),
    ("stick", "stick"),
    ("tcp-check", "tcp-check"),
    ("tcp-request", "tcp-request"),
    ("tcp-response", "tcp-response"),
    ("use-server", "use-server"),
    ("use_backend", "use_backend"),
];

/// Words of `server` and `bind` lines that take a time.
const TIMES: &[&str] =
    &["agent-inter", "downinter", "fastinter", "inter", "pool-purge-delay", "slowstart", "tcp-ut"];

/// All statements of a configuration. `parents` gives the `defaults` section that each section inherits.
pub(super) fn statements(sections: &[Section<'_>], parents: &[Option<usize>]) -> Statements {
    let mut all = Statements::default();
    let mut scopes: Vec<(ScopeId, ScopeId)> = Vec::with_capacity(sections.len());
    for (index, section) in sections.iter().enumerate() {
        let parent = parents.get(index).copied().flatten().and_then(|parent| scopes.get(parent)).copied();
        let template = section.kind == SectionKind::Defaults;
        let label = match section.name() {
            "" => section.kind.word().to_owned(),
            name => format!("{} {name}", section.kind.word()),
        };
        let own = all.scope(Scope {
            label,
            parent: None,
            inherits: parent.map(|(scope, _)| scope),
            template,
            sequence: None,
            span: section.header.span,
        });
        let mut servers = parent.map(|(_, servers)| servers);
        for line in &section.lines {
            match line.keyword() {
                "default-server" => servers = Some(default_server(&mut all, line, servers)),
                "server" | "server-template" if section.kind != SectionKind::Ring => {
                    server(&mut all, line, own, servers);
                }
                "bind" => bind(&mut all, line, own),
                _ => all.all.push(statement(line, own)),
            }
        }
        let servers = match servers {
            Some(servers) => servers,
            None => all.scope(Scope {
                label: "default-server".to_owned(),
                parent: None,
                inherits: None,
                template: true,
                sequence: None,
                span: section.header.span,
            }),
        };
        scopes.push((own, servers));
    }
    all
}

fn statement(line: &Line<'_>, scope: ScopeId) -> Statement {
    let keyword = line.keyword();
    let added = ADDED.iter().find(|(name, _)| *name == keyword).map(|(_, sequence)| *sequence);
    let sequence = added.filter(|sequence| !sequence.is_empty());
    let (name, key, from) = match (keyword, line.arg(1)) {
        ("acl", name) => return acl(line, scope, name),
        (_, next) if BY_NEXT_WORD.contains(&keyword) => (format!("{keyword} {next}"), String::new(), 2),
        _ => (keyword.to_owned(), String::new(), 1),
    };
    let time = keyword == "timeout" || (keyword == "stats" && line.arg(1) == "refresh");
    let words = canonical(line.args(from), |_| time);
    let value = match line.modifier {
        Modifier::None => words,
        Modifier::No => format!("no {words}").trim_end().to_owned(),
        Modifier::Default => format!("default {words}").trim_end().to_owned(),
    };
    let inheritance = if added.is_some() { Inheritance::Added } else { Inheritance::Replaced };
    let class = keywords::effect_of_line(keyword, line.arg(1));
    Statement { scope, name, key, value, sequence, inheritance, class, span: line.span }
}

/// A line of an ACL: its patterns may stand in any order, and so may its lines.
fn acl(line: &Line<'_>, scope: ScopeId, name: &str) -> Statement {
    let words = line.args(2);
    let takes_one = |word: &Word<'_>| matches!(word.as_str(), "-m" | "-f" | "-M" | "-u" | "-n");
    let mut at = 1;
    while let Some(word) = words.get(at).filter(|word| word.as_str().starts_with('-')) {
        at += if word.as_str() == "--" { 1 } else { 1 + usize::from(takes_one(word)) };
    }
    let (test, patterns) = words.split_at(at.min(words.len()));
    let mut patterns: Vec<String> = patterns.iter().map(|word| quoted(word.as_str())).collect();
    patterns.sort_unstable();
    let value = format!("{} {}", canonical(test, |_| false), patterns.join(" "));
    Statement {
        scope,
        name: "acl".to_owned(),
        key: name.to_owned(),
        value: value.trim_end().to_owned(),
        sequence: None,
        inheritance: Inheritance::Added,
        class: EffectClass::Routing,
        span: line.span,
    }
}

/// What servers from here on inherit.
fn default_server(all: &mut Statements, line: &Line<'_>, before: Option<ScopeId>) -> ScopeId {
    let scope = all.scope(Scope {
        label: "default-server".to_owned(),
        parent: None,
        inherits: before,
        template: true,
        sequence: None,
        span: line.span,
    });
    parameters(all, scope, line.args(1), keywords::SERVER);
    scope
}

fn server(all: &mut Statements, line: &Line<'_>, section: ScopeId, inherits: Option<ScopeId>) {
    let fixed = if line.keyword() == "server" { 3 } else { 4 };
    let label = format!("{} {}", line.keyword(), line.arg(1));
    let scope = all.scope(Scope {
        label,
        parent: Some(section),
        inherits,
        template: false,
        sequence: None,
        span: line.span,
    });
    let place = line.word(2).map_or(line.span, |first| first.span.to(line.at(fixed - 1)));
    push(all, scope, "address", &canonical(line.words.get(2..fixed).unwrap_or_default(), |_| false), place);
    parameters(all, scope, line.args(fixed), keywords::SERVER);
}

fn bind(all: &mut Statements, line: &Line<'_>, section: ScopeId) {
    // `*` and no address at all are every address.
    let address = line.arg(1);
    let address = match address.strip_prefix("0.0.0.0:").or_else(|| address.strip_prefix("*:")) {
        Some(port) => format!(":{port}"),
        None => address.to_owned(),
    };
    let label = format!("bind {address}");
    let scope = all.scope(Scope {
        label,
        parent: Some(section),
        inherits: None,
        template: false,
        sequence: None,
        span: line.span,
    });
    parameters(all, scope, line.args(2), keywords::BIND);
}

/// The words of a `server` or `bind` line, each with its arguments.
fn parameters(all: &mut Statements, scope: ScopeId, words: &[Word<'_>], table: &'static [keywords::Entry]) {
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let name = word.as_str();
        let known = name.split('(').next().unwrap_or(name);
        let count = keywords::find(table, known).map_or(0, |entry| usize::from(entry.args)).min(after.len());
        let (arguments, others) = after.split_at(count);
        let value = canonical(arguments, |_| TIMES.contains(&name));
        let end = arguments.last().unwrap_or(word).span;
        push(all, scope, name, &value, word.span.to(end));
        rest = others;
    }
}

fn push(all: &mut Statements, scope: ScopeId, name: &str, value: &str, span: Span) {
    let (name, value) = match name.strip_prefix("no-") {
        Some(off) => (off, "no"),
        None => (name, value),
    };
    all.all.push(Statement {
        scope,
        name: name.to_owned(),
        key: String::new(),
        value: value.to_owned(),
        sequence: None,
        inheritance: Inheritance::Replaced,
        class: keywords::effect_of_word(name),
        span,
    });
}

/// Words in one spelling: quoted only where they must be, times in one unit.
fn canonical(words: &[Word<'_>], is_time: impl Fn(usize) -> bool) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        let value = word.as_str();
        if is_time(index)
            && let Ok(time) = values::time(value, Unit::Milliseconds)
        {
            text += &crate::words::duration(time);
        } else {
            text += &quoted(value);
        }
    }
    text
}
