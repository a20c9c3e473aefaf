//! Conditions of `if`, and tests of variables, in the model's words.

use std::net::IpAddr;

use super::request_step::not;
use super::state::Lower;
use crate::model::{Condition, Match, TextMatch};
use crate::nginx::regex;
use crate::nginx::syntax::NodeId;
use crate::nginx::values::variable;

/// What a variable holds, as far as the model has a word for it.
enum Subject {
    Text(fn(TextMatch) -> Match),
    Named(fn(String, TextMatch) -> Match, String),
    Scheme,
    Https,
    Source,
    Port,
}

fn subject(variable: &str) -> Option<Subject> {
    let header = |name: &str| Subject::Named(Match::Header, name.replace('_', "-"));
    Some(match variable {
        "host" => Subject::Text(Match::Host),
        "request_method" => Subject::Text(Match::Method),
        "uri" | "document_uri" => Subject::Text(Match::Path),
        "request_uri" => Subject::Text(Match::Target),
        "scheme" => Subject::Scheme,
        "https" => Subject::Https,
        "remote_addr" => Subject::Source,
        "server_port" => Subject::Port,
        "ssl_server_name" | "ssl_preread_server_name" => Subject::Text(Match::Sni),
        "content_type" => header("content_type"),
        "content_length" => header("content_length"),
        _ => {
            if let Some(name) = variable.strip_prefix("http_") {
                header(name)
            } else if let Some(name) = variable.strip_prefix("arg_") {
                Subject::Named(Match::Query, name.to_owned())
            } else if let Some(name) = variable.strip_prefix("cookie_") {
                Subject::Named(Match::Cookie, name.to_owned())
            } else {
                return None;
            }
        }
    })
}

/// The test that `variable` compares with `text`. `None`: the model has no word for it.
pub(super) fn test(variable: &str, text: TextMatch) -> Option<Condition> {
    let is = |test| Some(Condition::Is(test));
    match (subject(variable)?, text) {
        (Subject::Text(make), text) => is(make(text)),
        (Subject::Named(make, name), text) => is(make(name, text)),
        (Subject::Scheme, text) => match exact(&text)? {
            "https" => is(Match::Tls),
            "http" => Some(not(Condition::Is(Match::Tls))),
            _ => None,
        },
        (Subject::Https, text) => match exact(&text)? {
            "on" => is(Match::Tls),
            "" => Some(not(Condition::Is(Match::Tls))),
            _ => None,
        },
        (Subject::Source, text) => {
            let ip: IpAddr = exact(&text)?.parse().ok()?;
            let bits = if ip.is_ipv4() { 32 } else { 128 };
            is(Match::Source(format!("{ip}/{bits}")))
        }
        (Subject::Port, text) => is(Match::Port(exact(&text)?.parse().ok()?)),
    }
}

fn exact(text: &TextMatch) -> Option<&str> {
    match text {
        TextMatch::Exact(text) => Some(text),
        TextMatch::IgnoreCase(inner) => exact(inner),
        _ => None,
    }
}

impl Lower<'_> {
    /// The condition of an `if`. Malformed ones are reported.
    pub(super) fn if_condition(&mut self, id: NodeId) -> Condition {
        let words = self.tree.args(id);
        let values: Vec<String> = words.iter().map(|word| self.tree.value(word).to_owned()).collect();
        let text = values.join(" ");
        let opaque = || Condition::Opaque(format!("if {text}"));
        let Some(parts) = unwrap(values.clone()) else {
            let help = "write it as `if ($variable = value)`, the parentheses around everything";
            self.invalid(self.tree.header(id), format!("`{text}` is not a condition of `if`"), help);
            return opaque();
        };
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            [test, _] if is_file_test(test) => opaque(),
            [name] | [name, _, _] if !is_variable(name) => self.bad_condition(id, &text),
            [name] => self.truthy(name).unwrap_or_else(opaque),
            [name, operator, value] => {
                if operator.contains('~')
                    && let Some(fault) = regex::fault(value)
                {
                    let message = format!("regular expression `{value}` {fault}");
                    self.invalid(self.tree.header(id), message, "mend the expression");
                    return opaque();
                }
                let plain = !crate::nginx::values::has_variable(value) || operator.contains('~');
                let text = match *operator {
                    "=" | "!=" => TextMatch::Exact((*value).to_owned()),
                    "~" | "!~" => TextMatch::Regex((*value).to_owned()),
                    "~*" | "!~*" => TextMatch::IgnoreCase(Box::new(TextMatch::Regex((*value).to_owned()))),
                    _ => return self.bad_condition(id, &text),
                };
                let found = if plain { self.variable_test(name, text) } else { None };
                match found {
                    Some(condition) if operator.starts_with('!') => not(condition),
                    Some(condition) => condition,
                    None => opaque(),
                }
            }
            _ => self.bad_condition(id, &text),
        }
    }

    fn bad_condition(&mut self, id: NodeId, text: &str) -> Condition {
        let help = "write a variable, or a variable, one of `=` `!=` `~` `~*` `!~` `!~*`, and a value";
        self.invalid(self.tree.header(id), format!("`{text}` is not a condition of `if`"), help);
        Condition::Opaque(format!("if {text}"))
    }

    fn variable_test(&self, word: &str, text: TextMatch) -> Option<Condition> {
        let name = variable(word)?;
        // Comparing with nothing asks whether it is there.
        if text == TextMatch::Exact(String::new()) {
            return match subject(&name)? {
                Subject::Named(make, name) => Some(not(Condition::Is(make(name, TextMatch::Present)))),
                _ => None,
            };
        }
        test(&name, text)
    }

    /// A variable alone holds unless it is empty or `0`.
    fn truthy(&self, word: &str) -> Option<Condition> {
        let name = variable(word)?;
        match subject(&name)? {
            Subject::Named(make, name) => {
                let zero = Condition::Is(make(name.clone(), TextMatch::Exact("0".to_owned())));
                Some(Condition::All(vec![Condition::Is(make(name, TextMatch::Present)), not(zero)]))
            }
            Subject::Https => Some(Condition::Is(Match::Tls)),
            _ => None,
        }
    }
}

/// Here a name reaches up to the end of its word, braces included.
fn is_variable(word: &str) -> bool {
    let name = word.strip_prefix('$').unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn is_file_test(word: &str) -> bool {
    matches!(word, "-f" | "!-f" | "-d" | "!-d" | "-e" | "!-e" | "-x" | "!-x")
}

/// Takes the parentheses off: they are part of the first and last word, or words of their own.
fn unwrap(mut words: Vec<String>) -> Option<Vec<String>> {
    let first = words.first_mut()?.strip_prefix('(')?.to_owned();
    words[0] = first;
    let last = words.last()?.strip_suffix(')')?.to_owned();
    *words.last_mut()? = last;
    if words.first().is_some_and(String::is_empty) {
        words.remove(0);
    }
    if words.last().is_some_and(String::is_empty) {
        words.pop();
    }
    (!words.is_empty()).then_some(words)
}
