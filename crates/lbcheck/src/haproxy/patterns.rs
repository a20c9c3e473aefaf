//! Flags and values of ACLs that the program refuses.
//!
//! What a value may be follows from the matching method, which follows from the type of what is asked. Host names among
//! addresses are left open, for the program resolves them when it starts.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::expression::Asked;
use super::keywords::Type;
use super::lexer::Word;
use super::report::{Report, rule};
use super::values::may_be_host_name;
use crate::dialect::Version;
use crate::regex;

/// Matching methods of `-m`.
const METHODS: &[&str] =
    &["found", "bool", "int", "ip", "bin", "len", "str", "beg", "sub", "dir", "dom", "end", "reg"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Number,
    Address,
    Regex,
    Bytes,
}

impl Kind {
    /// What values are under a matching method.
    fn of(method: &str) -> Self {
        match method {
            "int" | "len" => Self::Number,
            "ip" => Self::Address,
            "reg" => Self::Regex,
            "bin" => Self::Bytes,
            _ => Self::Any,
        }
    }
}

/// Checks what follows the criterion, which is the first of `words`.
pub(crate) fn check(words: &[Word<'_>], asked: &Asked, report: &mut Report) {
    let Some((criterion, mut rest)) = words.split_first() else { return };
    let mut method = asked.method.or_else(|| default_method(asked.gives, report.version));
    let mut names_allowed = true;
    while let Some((flag, after)) = rest.split_first() {
        let text = flag.as_str();
        if !text.starts_with('-') || text.len() < 2 {
            break;
        }
        rest = after;
        match text {
            "-i" | "-u" | "-M" => {}
            "-n" => names_allowed = false,
            "--" => break,
            "-f" => {
                if after.is_empty() {
                    report.error(
                        rule::VALUE,
                        flag.span,
                        "the flag `-f` is not followed by a file",
                        "name a file with one value on each line",
                    );
                    return;
                }
                rest = after.split_first().map_or(after, |(_, after)| after);
            }
            "-m" => {
                let wanted = after.first().map_or("", Word::as_str);
                let Some(known) = METHODS.iter().find(|known| **known == wanted) else {
                    let place = after.first().unwrap_or(flag);
                    report.error(
                        rule::VALUE,
                        place.span,
                        format!("`{wanted}` is not a matching method of ACLs"),
                        format!("use one of {}", METHODS.join(", ")),
                    );
                    return;
                };
                if !asked.gives.casts_to(compared(known), report.version) {
                    report.error(
                        rule::VALUE,
                        after.first().unwrap_or(flag).span,
                        format!(
                            "`{}` gives {}, which `-m {known}` cannot compare",
                            criterion.as_str(),
                            asked.gives.noun()
                        ),
                        "use another matching method, or a converter before it",
                    );
                    return;
                }
                method = Some(known);
                rest = after.split_first().map_or(after, |(_, after)| after);
            }
            _ => {
                report.error(
                    rule::VALUE,
                    flag.span,
                    format!("`{text}` is not a flag of ACLs"),
                    "write `--` before values that start with a dash",
                );
                return;
            }
        }
    }
    let Some(method) = method else {
        report.error(
            rule::VALUE,
            criterion.span,
            format!(
                "`{}` gives {}, so the way to compare must be named",
                criterion.as_str(),
                asked.gives.noun()
            ),
            "write `-m` and a matching method before the values, for example `-m str`",
        );
        return;
    };
    let kind = Kind::of(method);
    let problem = |text: &str| match kind {
        Kind::Any => None,
        Kind::Regex => regex::fault(text).map(|_| "a regular expression"),
        Kind::Bytes => (!is_bytes(text)).then_some("an even number of hexadecimal digits"),
        Kind::Number => (!is_number(text)).then_some("a number, a range of numbers or a comparison"),
        Kind::Address => (!may_be_address(text, names_allowed)).then_some("an address or a network"),
    };
    let Some((bad, wanted)) = rest.iter().find_map(|word| Some((word, problem(word.as_str())?))) else {
        return;
    };
    let help = match kind {
        Kind::Regex => "correct it, or escape what is meant literally",
        Kind::Bytes => "write for example `16030100`",
        Kind::Address => "write addresses and networks with blanks between them: `10.0.0.0/8 192.168.0.0/16`",
        _ => "write numbers, ranges such as `80:90`, or a comparison such as `gt 10`",
    };
    report.error(
        rule::VALUE,
        bad.span,
        format!("`{}` is not {wanted}, which `{}` compares with", bad.as_str(), criterion.as_str()),
        help,
    );
}

/// How values of a type are compared without `-m`. `None`: it must be said.
fn default_method(gives: Type, version: Version) -> Option<&'static str> {
    match gives {
        Type::Bool => Some("bool"),
        Type::Int => Some("int"),
        Type::Addr | Type::Ipv4 | Type::Ipv6 => Some("ip"),
        Type::Str | Type::Method => Some("str"),
        // Measured: 2.4 lets it pass.
        Type::Any | Type::Same => (version < Version::new(2, 5)).then_some("str"),
        Type::Bin => None,
    }
}

/// What a value is turned into before it is compared.
fn compared(method: &str) -> Type {
    match method {
        "found" => Type::Any,
        "bool" | "int" => Type::Int,
        "ip" => Type::Addr,
        "bin" => Type::Bin,
        _ => Type::Str,
    }
}

fn is_bytes(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_number(text: &str) -> bool {
    if matches!(text, "" | "eq" | "ne" | "ge" | "gt" | "le" | "lt") {
        return true;
    }
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, ':' | '-' | '+'))
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'-' | b'+'))
}

fn may_be_address(text: &str, names_allowed: bool) -> bool {
    let (host, mask) = match text.split_once('/') {
        Some((host, mask)) => (host, Some(mask)),
        None => (text, None),
    };
    if let Some(mask) = mask
        && mask.parse::<Ipv4Addr>().is_err()
        && !mask.parse::<u32>().is_ok_and(|bits| bits <= if host.contains(':') { 128 } else { 32 })
    {
        return false;
    }
    if host.contains(':') {
        return host.parse::<Ipv6Addr>().is_ok();
    }
    let parts: Vec<&str> = host.split('.').collect();
    let numeric = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(numeric) {
        return names_allowed && may_be_host_name(host);
    }
    // Left out parts are zero, as in `10/8`; the last one may stand for several bytes.
    let fits = |part: &&str| part.parse::<u32>().is_ok_and(|number| number <= 255);
    parts.len() <= 4
        && parts.split_last().is_some_and(|(_, first)| first.iter().all(fits))
        && (parts.len() < 4 || parts.iter().all(fits))
}
