//! ACLs and conditions: `if`, `unless`, named and anonymous ACLs, into three-valued [`Condition`]s.
//!
//! Tests of well-known properties become [`Match`]es; everything else is [`Condition::Opaque`] in HAProxy's words. A
//! test of a property that an earlier rule rewrites is opaque too: what it sees is not what the client sent.

use std::collections::BTreeMap;

use super::expression;
use super::fetch;
use super::lexer::Word;
use super::patterns;
use super::report::{Reference, Report, Wanted, rule};
use super::syntax::{Line, is_name_character};
use crate::model::{Condition, Match, TextMatch};
use crate::source::Span;

/// Most nodes all conditions of one configuration may have together, for each line of it. An ACL with many
/// patterns that many rules use would otherwise be copied in full for each of them.
const NODES_PER_LINE: usize = 64;

/// Predefined ACLs, with the expression each stands for.
const PREDEFINED: &[(&str, &[&str])] = &[
    ("FALSE", &["always_false"]),
    ("HTTP", &["req.proto_http"]),
    ("HTTP_1.0", &["req.ver", "1.0"]),
    ("HTTP_1.1", &["req.ver", "1.1"]),
    ("HTTP_2.0", &["req.ver", "2.0"]),
    ("HTTP_3.0", &["req.ver", "3.0"]),
    ("HTTP_CONTENT", &["req.hdr_val(content-length)", "gt", "0"]),
    ("HTTP_URL_ABS", &["url_reg", "^[^/:]*://"]),
    ("HTTP_URL_SLASH", &["url_beg", "/"]),
    ("HTTP_URL_STAR", &["url", "*"]),
    ("LOCALHOST", &["src", "127.0.0.1/8", "::1"]),
    ("METH_CONNECT", &["method", "CONNECT"]),
    ("METH_DELETE", &["method", "DELETE"]),
    ("METH_GET", &["method", "GET", "HEAD"]),
    ("METH_HEAD", &["method", "HEAD"]),
    ("METH_OPTIONS", &["method", "OPTIONS"]),
    ("METH_POST", &["method", "POST"]),
    ("METH_PUT", &["method", "PUT"]),
    ("METH_TRACE", &["method", "TRACE"]),
    ("RDP_COOKIE", &["req.rdp_cookie_cnt", "gt", "0"]),
    ("REQ_CONTENT", &["req.len", "gt", "0"]),
    ("TRUE", &["always_true"]),
    ("WAIT_END", &["wait_end"]),
];

/// Properties of the request that rules seen so far may have rewritten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rewritten {
    pub(crate) path: bool,
    pub(crate) query: bool,
    pub(crate) host: bool,
    pub(crate) method: bool,
    pub(crate) source: bool,
    pub(crate) port: bool,
    /// Lower-case names of headers; cookies are the header `cookie`.
    pub(crate) headers: Vec<String>,
    /// Some header whose name is not in the configuration.
    pub(crate) any_header: bool,
}

impl Rewritten {
    /// Notes what an `http-request` or `tcp-request` action changes.
    pub(crate) fn note(&mut self, action: &str, argument: &str) {
        let name = action.split('(').next().unwrap_or(action);
        match name {
            "set-path" | "replace-path" | "normalize-uri" => self.path = true,
            "set-pathq" | "replace-pathq" => {
                self.path = true;
                self.query = true;
            }
            "set-uri" | "replace-uri" => {
                self.path = true;
                self.query = true;
                self.host = true;
            }
            "set-query" => self.query = true,
            "set-method" => self.method = true,
            "set-src" => self.source = true,
            "set-dst-port" | "set-dst" => self.port = true,
            "set-header" | "add-header" | "del-header" | "replace-header" | "replace-value" => {
                let header = argument.to_ascii_lowercase();
                if header == "host" {
                    self.host = true;
                } else if header.contains('%') || header.is_empty() {
                    self.any_header = true;
                } else if !self.headers.contains(&header) && self.headers.len() < 64 {
                    self.headers.push(header);
                } else if self.headers.len() >= 64 {
                    self.any_header = true;
                }
            }
            "lua" => {
                self.path = true;
                self.query = true;
                self.host = true;
                self.any_header = true;
            }
            _ => {}
        }
    }

    fn touches(&self, test: &Match) -> bool {
        let header = |name: &str| self.any_header || self.headers.iter().any(|header| header == name);
        match test {
            Match::Host(_) | Match::HostName(_) => self.host || header("host"),
            Match::Path(_) => self.path,
            Match::Target(_) => self.path || self.query,
            Match::Method(_) => self.method,
            Match::Header(name, _) | Match::HeaderLine(name, _) => {
                header(name) || (name == "host" && self.host)
            }
            Match::Query(..) => self.query,
            Match::Cookie(..) => header("cookie"),
            Match::Source(_) => self.source,
            Match::Port(_) => self.port,
            Match::Sni(_) | Match::Tls => false,
        }
    }

    /// The same condition with every test of a rewritten property made opaque.
    pub(crate) fn blur(&self, condition: Condition) -> Condition {
        if self.is_clean() {
            return condition;
        }
        match condition {
            Condition::All(parts) => Condition::All(parts.into_iter().map(|part| self.blur(part)).collect()),
            Condition::Any(parts) => Condition::Any(parts.into_iter().map(|part| self.blur(part)).collect()),
            Condition::Not(inner) => Condition::Not(Box::new(self.blur(*inner))),
            Condition::Is(test) if self.touches(&test) => {
                Condition::Opaque(format!("{} after a rule rewrote it", property(&test)))
            }
            other => other,
        }
    }

    fn is_clean(&self) -> bool {
        !(self.path || self.query || self.host || self.method || self.source || self.port || self.any_header)
            && self.headers.is_empty()
    }
}

/// What a test looks at, for messages.
fn property(test: &Match) -> String {
    match test {
        Match::Host(_) | Match::HostName(_) => "the host".into(),
        Match::Path(_) => "the path".into(),
        Match::Target(_) => "the path with its query string".into(),
        Match::Method(_) => "the method".into(),
        Match::Header(name, _) | Match::HeaderLine(name, _) => format!("the header `{name}`"),
        Match::Query(name, _) => format!("the parameter `{name}`"),
        Match::Cookie(name, _) => format!("the cookie `{name}`"),
        Match::Sni(_) => "the TLS server name".into(),
        Match::Source(_) => "the client address".into(),
        Match::Port(_) => "the destination port".into(),
        Match::Tls => "TLS".into(),
    }
}

/// A named ACL of one section.
#[derive(Clone, Debug)]
struct Acl {
    /// One for each line that names it.
    alternatives: Vec<Condition>,
    nodes: usize,
}

/// Most nodes that may still be made; shared by all sections.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Budget {
    /// A budget for a configuration of this many lines.
    pub(crate) fn for_lines(lines: usize) -> Self {
        Self((lines + 1_000).saturating_mul(NODES_PER_LINE))
    }

    /// Takes some of it; false when there is not enough left.
    pub(crate) fn take(&mut self, nodes: usize) -> bool {
        match self.0.checked_sub(nodes) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

/// The ACLs of one section, as far as its lines were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acls {
    named: BTreeMap<String, Acl>,
}

impl Acls {
    /// Reads an `acl NAME CRITERION …` line.
    pub(crate) fn define(&mut self, line: &Line<'_>, report: &mut Report) {
        let (Some(name), Some(_)) = (line.word(1), line.word(2)) else {
            report.error(
                rule::VALUE,
                line.span,
                "`acl` needs a name and a criterion",
                "write `acl NAME CRITERION [FLAGS] [VALUES]`",
            );
            return;
        };
        if let Some(bad) = name.as_str().chars().find(|&c| !is_name_character(c)) {
            report.error(
                rule::VALUE,
                name.span,
                format!("the character `{bad}` may not stand in the ACL name `{}`", name.as_str()),
                "use letters, digits, `-`, `_`, `.` and `:`",
            );
            return;
        }
        if name.as_str() == "or" {
            report.error(
                rule::VALUE,
                name.span,
                "an ACL cannot be named `or`, which joins conditions",
                "choose another name",
            );
            return;
        }
        let condition = test(line.args(2), line.span, report);
        let nodes = count_nodes(&condition);
        let acl =
            self.named.entry(name.text.to_string()).or_insert(Acl { alternatives: Vec::new(), nodes: 1 });
        acl.alternatives.push(condition);
        acl.nodes += nodes;
    }

    /// Reads `if …` or `unless …` at the start of `words`. No words: always.
    pub(crate) fn condition(
        &self,
        words: &[Word<'_>],
        budget: &mut Budget,
        report: &mut Report,
    ) -> Condition {
        let Some((head, rest)) = words.split_first() else { return Condition::Always };
        if rest.is_empty() {
            // The program takes it, and no alternative means that none holds.
            report.warning(
                rule::VALUE,
                head.span,
                format!("`{}` is not followed by a condition, so it never holds", head.as_str()),
                "name one or more ACLs, or write an anonymous one between `{` and `}`",
            );
            return if head.as_str() == "unless" { Condition::Always } else { Condition::Never };
        }
        let built = self.terms(rest, budget, report);
        match head.as_str() {
            "unless" => negate(built),
            _ => built,
        }
    }

    fn terms(&self, words: &[Word<'_>], budget: &mut Budget, report: &mut Report) -> Condition {
        let mut any: Vec<Condition> = Vec::new();
        let mut all: Vec<Condition> = Vec::new();
        let mut negated = false;
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let mut text = word.as_str();
            if text.eq_ignore_ascii_case("or") || text == "||" {
                if !all.is_empty() {
                    any.push(join(std::mem::take(&mut all), Condition::All));
                }
                negated = false;
                continue;
            }
            while let Some(rest) = text.strip_prefix('!') {
                negated = !negated;
                text = rest;
            }
            if text.is_empty() {
                continue;
            }
            let found = if text == "{" {
                let start = at;
                while words.get(at).is_some_and(|word| word.as_str() != "}") {
                    at += 1;
                }
                let inside = words.get(start..at).unwrap_or_default();
                if words.get(at).is_none() {
                    report.error(
                        rule::VALUE,
                        word.span,
                        "the anonymous ACL opened here has no closing `}`",
                        "write ` }` with a blank before it",
                    );
                    return Condition::Opaque(joined(words));
                }
                at += 1;
                test(inside, word.span, report)
            } else {
                self.named(text, word, budget, report)
            };
            all.push(if negated { negate(found) } else { found });
            negated = false;
        }
        if !all.is_empty() {
            any.push(join(all, Condition::All));
        }
        join(any, Condition::Any)
    }

    fn named(&self, name: &str, word: &Word<'_>, budget: &mut Budget, report: &mut Report) -> Condition {
        if let Some(acl) = self.named.get(name) {
            if !budget.take(acl.nodes) {
                return Condition::Opaque(format!("acl {name}"));
            }
            return join(acl.alternatives.clone(), Condition::Any);
        }
        if let Some((_, expression)) = PREDEFINED.iter().find(|(known, _)| *known == name) {
            return fetch::condition(expression);
        }
        let known = self.named.keys().map(String::as_str).chain(PREDEFINED.iter().map(|(name, _)| *name));
        let help = match report.suggest(name, known.take(1_000)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("define it before its first use in this section: `acl {name} …`"),
        };
        report.error(rule::VALUE, word.span, format!("there is no ACL `{name}` at this point"), help);
        Condition::Opaque(name.to_owned())
    }
}

/// Reads a criterion with its flags and values.
fn test(words: &[Word<'_>], span: Span, report: &mut Report) -> Condition {
    let Some(first) = words.first() else {
        report.error(
            rule::VALUE,
            span,
            "an ACL without a criterion",
            "write what to test, for example `{ path_beg /api }`",
        );
        return Condition::Opaque("{ }".into());
    };
    let asked = expression::check_criterion(first, report);
    if words.iter().any(|word| word.unset) {
        return Condition::Opaque(joined(words));
    }
    if let Some(asked) = asked {
        patterns::check(words, &asked, report);
        groups(words, report);
    }
    let texts: Vec<&str> = words.iter().map(Word::as_str).collect();
    fetch::condition(&texts)
}

/// What `http_auth_group` compares with are groups of its list.
fn groups(words: &[Word<'_>], report: &mut Report) {
    let Some((criterion, values)) = words.split_first() else { return };
    let Some(list) =
        criterion.as_str().strip_prefix("http_auth_group(").and_then(|rest| rest.strip_suffix(')'))
    else {
        return;
    };
    // With flags of their own the values may be files, or of another kind.
    if values.iter().any(|value| value.as_str().starts_with('-')) {
        return;
    }
    for value in values {
        report.references.push(Reference {
            wanted: Wanted::Group,
            name: format!("{list}/{}", value.as_str()),
            fetch: "http_auth_group".to_owned(),
            span: value.span,
            assumed: report.assumed,
        });
    }
}

fn count_nodes(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => 1 + parts.iter().map(count_nodes).sum::<usize>(),
        Condition::Not(inner) => 1 + count_nodes(inner),
        _ => 1,
    }
}

/// One condition stays itself; several are wrapped.
pub(crate) fn join(mut parts: Vec<Condition>, wrap: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.len() {
        0 => Condition::Always,
        1 => parts.pop().unwrap_or(Condition::Always),
        _ => wrap(parts),
    }
}

/// The opposite.
pub(crate) fn negate(condition: Condition) -> Condition {
    match condition {
        Condition::Always => Condition::Never,
        Condition::Never => Condition::Always,
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

/// The words with one blank between them.
pub(crate) fn joined(words: &[Word<'_>]) -> String {
    words.iter().map(Word::as_str).collect::<Vec<_>>().join(" ")
}

/// A text test without regard to case.
pub(crate) fn ignoring_case(test: TextMatch) -> TextMatch {
    TextMatch::IgnoreCase(Box::new(test))
}
