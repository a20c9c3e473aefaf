//! The arguments of fetch methods and converters.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Call, Fault, Given};
use crate::haproxy::keywords::Argument;
use crate::haproxy::lexer::Word;
use crate::haproxy::report::{Own, Report, rule};
use crate::regex;

/// Where a variable may live.
const SCOPES: &[&str] = &["proc", "sess", "psess", "txn", "ptxn", "req", "preq", "res", "pres", "check"];

/// Checks number and kinds of the arguments.
pub(super) fn check(call: &Call<'_>, least: u8, kinds: &[Argument], own: Own) -> Result<(), Fault> {
    let given: &[Given<'_>] = match call.arguments.as_deref() {
        // Nothing between the parentheses is no argument.
        Some([one]) if one.at.is_empty() => &[],
        Some(given) => given,
        None => &[],
    };
    // A single name that is left out is that of the section the expression stands in.
    let stands_in = given.is_empty()
        && least == 1
        && match kinds.first() {
            Some(Argument::Backend) => own.backend,
            Some(Argument::Frontend) => own.frontend,
            Some(Argument::Table) => own.table,
            _ => false,
        };
    if given.len() < usize::from(least) && !stands_in {
        return Err(Fault::new(
            call.at.start..call.end,
            format!("`{}` needs {}", call.name, counted(usize::from(least))),
            format!("write them in parentheses: `{}(…)`", call.name),
        ));
    }
    if let Some(extra) = given.get(kinds.len()) {
        let takes = match kinds.len() {
            0 => "no argument".to_owned(),
            most => format!("at most {}", counted(most)),
        };
        return Err(Fault::new(
            extra.at.clone(),
            format!("`{}` takes {takes}, so `{}` cannot follow", call.name, extra.text),
            "remove it; a comma inside an argument needs quotes",
        ));
    }
    for (argument, kind) in given.iter().zip(kinds) {
        check_one(call.name, argument, *kind)?;
    }
    Ok(())
}

fn counted(number: usize) -> String {
    match number {
        1 => "one argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

fn check_one(name: &str, given: &Given<'_>, kind: Argument) -> Result<(), Fault> {
    let text = &given.text;
    let (fits, what) = match kind {
        Argument::Integer => (is_integer(text), "a whole number"),
        Argument::Ipv4 => (text.parse::<Ipv4Addr>().is_ok(), "an IPv4 address"),
        Argument::Ipv6 => (text.parse::<Ipv6Addr>().is_ok(), "an IPv6 address"),
        Argument::Mask4 => (is_mask(text, 32), "a number of bits or a mask"),
        Argument::Mask6 => (is_mask(text, 128), "a number of bits or a mask"),
        Argument::Field => (is_field(text), "the number of a field, such as `1` or `2.1`"),
        Argument::Regex => {
            return match regex::fault(text) {
                Some(fault) => Err(Fault::new(
                    given.at.clone(),
                    format!("the regular expression `{text}` {fault}"),
                    "correct it, or escape what is meant literally",
                )),
                None => Ok(()),
            };
        }
        Argument::Text
        | Argument::Backend
        | Argument::Frontend
        | Argument::Server
        | Argument::Table
        | Argument::Userlist => return Ok(()),
    };
    if fits {
        return Ok(());
    }
    Err(Fault::new(
        given.at.clone(),
        format!("`{text}` is not {what}, which `{name}` needs here"),
        format!("write {what}"),
    ))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_mask(text: &str, bits: u32) -> bool {
    match text.parse::<u32>() {
        Ok(number) => number <= bits,
        Err(_) if bits == 32 => text.parse::<Ipv4Addr>().is_ok(),
        Err(_) => text.parse::<Ipv6Addr>().is_ok(),
    }
}

fn is_field(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What single fetch methods refuse beyond the kinds of their arguments.
pub(super) fn special_fetch(call: &Call<'_>) -> Result<(), Fault> {
    let Some(first) = call.arguments.as_ref().and_then(|given| given.first()) else { return Ok(()) };
    match call.name {
        "var" => variable(&first.text, first),
        "bool" if !matches!(&*first.text, "true" | "false" | "0" | "1") => {
            Err(one_of(first, call.name, &["true", "false"]))
        }
        "date" | "accept_date" | "request_date" => {
            let unit = call.arguments.as_ref().and_then(|given| given.get(usize::from(call.name == "date")));
            match unit {
                Some(unit) if !matches!(&*unit.text, "s" | "ms" | "us") => {
                    Err(one_of(unit, call.name, &["s", "ms", "us"]))
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// What single converters refuse beyond the kinds of their arguments.
pub(super) fn special_converter(call: &Call<'_>) -> Result<(), Fault> {
    let Some(first) = call.arguments.as_ref().and_then(|given| given.first()) else { return Ok(()) };
    match call.name {
        "set-var" | "unset-var" => variable(&first.text, first),
        "strcmp" | "secure_memcmp" => variable(&first.text, first),
        "add" | "sub" | "mul" | "div" | "mod" | "and" | "or" | "xor" if !is_integer(&first.text) => {
            variable(&first.text, first).map_err(|_| {
                Fault::new(
                    first.at.clone(),
                    format!(
                        "`{}` is neither a whole number nor a variable, which `{}` needs",
                        first.text, call.name
                    ),
                    "write a number, or a variable with its scope such as `txn.name`",
                )
            })
        }
        "sha2" if !matches!(&*first.text, "" | "224" | "256" | "384" | "512") => {
            Err(one_of(first, call.name, &["224", "256", "384", "512"]))
        }
        _ => Ok(()),
    }
}

fn one_of(given: &Given<'_>, name: &str, known: &[&str]) -> Fault {
    Fault::new(
        given.at.clone(),
        format!("`{}` is not a value that `{name}` takes", given.text),
        format!("use {}", known.join(", ")),
    )
}

fn variable(name: &str, given: &Given<'_>) -> Result<(), Fault> {
    match variable_fault(name) {
        None => Ok(()),
        Some((message, help)) => Err(Fault::new(given.at.clone(), message, help)),
    }
}

fn variable_fault(name: &str) -> Option<(String, String)> {
    let (scope, rest) = name.split_once('.').unwrap_or(("", name));
    if !SCOPES.contains(&scope) {
        return Some((
            format!("the variable name `{name}` does not start with a scope"),
            format!("write for example `txn.{name}`; the scopes are proc, sess, txn, req, res and check"),
        ));
    }
    if let Some(bad) = rest.chars().find(|&c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))) {
        return Some((
            format!("the character `{bad}` may not stand in the variable name `{name}`"),
            "use letters, digits, `_` and `.`".to_owned(),
        ));
    }
    None
}

/// Reports the variable of `set-var(NAME)` and its kin, and parentheses that do not close.
pub(crate) fn check_variable_action(word: &Word<'_>, report: &mut Report) -> bool {
    let text = word.as_str();
    let Some((action, inside)) = text.split_once('(') else {
        report.error(
            rule::VALUE,
            word.span,
            format!("`{text}` needs the name of a variable in parentheses"),
            format!("write for example `{text}(txn.name)`"),
        );
        return false;
    };
    let Some(inside) = inside.strip_suffix(')') else {
        report.error(
            rule::VALUE,
            word.span,
            format!("the parenthesis of `{text}` is not closed"),
            format!("write `{action}(NAME)` without blanks"),
        );
        return false;
    };
    let name = inside.split(',').next().unwrap_or_default();
    if let Some((message, help)) = variable_fault(name) {
        let start = action.len() + 1;
        report.error(rule::VALUE, word.part(start..start + name.len()), message, help);
        return false;
    }
    true
}
