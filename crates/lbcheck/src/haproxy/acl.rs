//! ACLs and conditions: `if`, `unless`, named and anonymous ACLs, into three-valued [`Condition`]s.
//!
//! Tests of well-known properties become tests of the model; everything else is [`Condition::Opaque`] in HAProxy's
//! words.

use std::collections::BTreeMap;

use super::expression;
use super::fetch;
use super::lexer::{Word, joined};
use super::patterns;
use super::report::{Reference, Report, Wanted, rule};
use super::syntax::{Line, is_name_character};
use crate::model::Condition;
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
            "unless" => built.not(),
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
                    any.push(Condition::all(std::mem::take(&mut all)));
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
            all.push(if negated { found.not() } else { found });
            negated = false;
        }
        if !all.is_empty() {
            any.push(Condition::all(all));
        }
        Condition::any(any)
    }

    fn named(&self, name: &str, word: &Word<'_>, budget: &mut Budget, report: &mut Report) -> Condition {
        if let Some(acl) = self.named.get(name) {
            if !budget.take(acl.nodes) {
                return Condition::Opaque(format!("acl {name}"));
            }
            return Condition::any(acl.alternatives.clone());
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
