//! Flags and values of ACLs that the program refuses.
//!
//! Only values whose type is certain are judged: after a converter, or of a fetch that is not listed here, anything
//! may stand. Host names among addresses are left open, for the program resolves them when it starts.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::lexer::Word;
use super::report::{Report, rule};

/// Matching methods of `-m`.
const METHODS: &[&str] =
    &["found", "bool", "int", "ip", "bin", "len", "str", "beg", "sub", "dir", "dom", "end", "reg"];

/// Fetches that give an address.
const ADDRESSES: &[&str] = &["dst", "hdr_ip", "req.hdr_ip", "src"];

/// Fetches that give a whole number.
const NUMBERS: &[&str] = &[
    "avg_queue",
    "be_conn",
    "be_sess_rate",
    "connslots",
    "dst_port",
    "fe_conn",
    "fe_sess_rate",
    "hdr_cnt",
    "hdr_val",
    "nbsrv",
    "queue",
    "rand",
    "req.hdr_cnt",
    "req.hdr_val",
    "sc0_conn_cur",
    "sc0_conn_rate",
    "sc0_http_req_rate",
    "sc_conn_cur",
    "sc_conn_rate",
    "sc_http_req_rate",
    "src_port",
    "srv_conn",
    "status",
    "url_port",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Number,
    Address,
}

/// Checks what follows the criterion, which is the first of `words`.
pub(crate) fn check(words: &[Word<'_>], report: &mut Report) {
    let Some((criterion, mut rest)) = words.split_first() else { return };
    let mut kind = kind_of(criterion.as_str());
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
            "-f" => rest = after.split_first().map_or(after, |(_, after)| after),
            "-m" => {
                let method = after.first().map_or("", Word::as_str);
                if !METHODS.contains(&method) {
                    let place = after.first().unwrap_or(flag);
                    report.error(
                        rule::VALUE,
                        place.span,
                        format!("`{method}` is not a matching method of ACLs"),
                        format!("use one of {}", METHODS.join(", ")),
                    );
                    return;
                }
                kind = match method {
                    "int" | "len" => Kind::Number,
                    "ip" => Kind::Address,
                    _ => Kind::Any,
                };
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
    let problem = |text: &str| match kind {
        Kind::Any => None,
        Kind::Number => (!is_number(text)).then_some("a number, a range of numbers or a comparison"),
        Kind::Address => (!may_be_address(text, names_allowed)).then_some("an address or a network"),
    };
    let Some((bad, wanted)) = rest.iter().find_map(|word| Some((word, problem(word.as_str())?))) else {
        return;
    };
    let help = match kind {
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

fn kind_of(criterion: &str) -> Kind {
    // A converter may give another type; a comma inside parentheses is taken for one, which only says less.
    if criterion.contains(',') {
        return Kind::Any;
    }
    let name = criterion.split('(').next().unwrap_or(criterion);
    if ADDRESSES.contains(&name) {
        Kind::Address
    } else if NUMBERS.contains(&name) || matches!(name, "path_len" | "hdr_len" | "url_len") {
        Kind::Number
    } else {
        Kind::Any
    }
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
        return names_allowed && !host.contains(',');
    }
    // Left out parts are zero, as in `10/8`; the last one may stand for several bytes.
    let fits = |part: &&str| part.parse::<u32>().is_ok_and(|number| number <= 255);
    parts.len() <= 4
        && parts.split_last().is_some_and(|(_, first)| first.iter().all(fits))
        && (parts.len() < 4 || parts.iter().all(fits))
}
