//! Times, sizes, numbers and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::dialect::Version;
use crate::model::{Address, Host};

/// The unit of a number without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Milliseconds,
    Seconds,
}

/// Digits, and what is left after them: the unit.
fn quantity(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Units of times, with their microseconds; the first that fits counts.
const UNITS: &[(&str, u64)] = &[
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
];

/// Reads a time such as `5s`, `250ms` or a bare number. What follows the unit is ignored, see [`time_surplus`].
///
/// On failure gives the reason for a message "… is not a time: *reason*".
pub(crate) fn time(text: &str, bare: Unit) -> Result<Duration, String> {
    let (number, unit) = quantity(text).ok_or("it must start with a digit")?;
    let number: u64 = number.parse().map_err(|_| "it is too large".to_owned())?;
    let known = UNITS.iter().find(|(name, _)| unit.starts_with(name)).map(|&(_, micros)| micros);
    let per_unit = match (known, bare) {
        (Some(micros), _) => micros,
        (None, Unit::Milliseconds) if unit.is_empty() => 1_000,
        (None, Unit::Seconds) if unit.is_empty() => 1_000_000,
        _ => return Err(format!("`{unit}` is not one of the units us, ms, s, m, h, d")),
    };
    let micros = number.checked_mul(per_unit).ok_or("it is too large")?;
    // Timers are 31-bit millisecond counters.
    if micros / 1_000 > i32::MAX as u64 {
        return Err("it is more than 24 days, the longest timer".into());
    }
    Ok(Duration::from_micros(micros))
}

/// What stands after the unit of a time, which the program ignores with a warning: the `30s` of `1m30s`.
pub(crate) fn time_surplus(text: &str) -> Option<&str> {
    let (_, unit) = quantity(text)?;
    let rest = UNITS.iter().find_map(|(name, _)| unit.strip_prefix(name))?;
    (!rest.is_empty()).then_some(rest)
}

/// Reads a size such as `16k` or a bare number of bytes.
pub(crate) fn size(text: &str) -> Option<u64> {
    let (number, unit) = quantity(text)?;
    let number: u64 = number.parse().ok()?;
    let shift = match unit {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

/// Whether a text is an IPv4 address in the usual notation.
pub(crate) fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

/// Whether a text may be the name of a host: letters, digits, `-` and `_` in labels, and at least one letter, for
/// what has only digits and dots is an address or nothing.
pub(crate) fn may_be_host_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.bytes().any(|byte| byte.is_ascii_alphabetic()) && text.split('.').all(label)
}

/// Whether a host is a name that no name service can know.
pub(crate) fn impossible_name(host: &Host) -> bool {
    matches!(host, Host::Name(name) if !may_be_host_name(name) && !is_short_address(name))
}

/// Whether the C library takes a text for an IPv4 address with fewer than four parts, such as `127.1`.
fn is_short_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let Some((last, first)) = parts.split_last() else { return false };
    let bytes = 4u32.saturating_sub(u32::try_from(first.len()).unwrap_or(4));
    bytes > 0
        && first.iter().all(|part| part.parse::<u8>().is_ok())
        && last.parse::<u64>().is_ok_and(|number| number < 1 << (8 * bytes))
}

/// The number at the start of a text, as C's `atol` reads it: anything after it is ignored, nothing gives 0.
pub(crate) fn atol(text: &str) -> i64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number: i64 = match digits.get(..end) {
        Some("") | None => 0,
        Some(digits) => digits.parse().unwrap_or(i64::MAX),
    };
    sign * number
}

/// The same where the program keeps the number in 32 bits: what does not fit loses its upper bits.
pub(crate) fn atoi(text: &str) -> i64 {
    let low = atol(text) & 0xffff_ffff;
    if low > i64::from(i32::MAX) { low - (1 << 32) } else { low }
}

/// What the port of an address says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// None written.
    None,
    /// One port.
    One(u16),
    /// A range, first and last.
    Range(u16, u16),
    /// `+100` or `-100`: relative to the port the client used.
    Offset(i32),
}

/// An address as written after `bind`, `server` and their kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The host; an empty host or `*` is [`Host::Special`] with `*`.
    pub(crate) host: Host,
    /// The port part.
    pub(crate) port: Port,
    /// Whether the family has ports at all.
    pub(crate) has_port: bool,
    /// Whether it is reached over QUIC or another UDP protocol.
    pub(crate) datagram: bool,
}

impl Endpoint {
    /// As an address of the model.
    pub(crate) fn to_address(&self) -> Address {
        let (port, port_offset) = match self.port {
            Port::One(port) | Port::Range(port, _) => (Some(port), 0),
            Port::Offset(offset) => (None, offset),
            Port::None => (None, 0),
        };
        Address { host: self.host.clone(), port, port_offset }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Any,
    V4,
    V6,
}

/// Reads an address. On failure gives the reason for a message.
pub(crate) fn endpoint(text: &str) -> Result<Endpoint, String> {
    read_endpoint(text, false)
}

/// Reads an address as this version does: before 3.0 what follows the digits of a port is ignored.
pub(crate) fn endpoint_of(text: &str, version: Version) -> Result<Endpoint, String> {
    read_endpoint(text, version < Version::new(2, 9))
}

fn read_endpoint(text: &str, lenient: bool) -> Result<Endpoint, String> {
    let special = |datagram| {
        Ok(Endpoint { host: Host::Special(text.to_owned()), port: Port::None, has_port: false, datagram })
    };
    let unix = |path: &str, datagram| {
        Ok(Endpoint { host: Host::Unix(path.to_owned()), port: Port::None, has_port: false, datagram })
    };
    if matches!(text, "stdout" | "stderr") {
        return special(false);
    }
    let bare = text.strip_prefix("stream+").or_else(|| text.strip_prefix("dgram+")).unwrap_or(text);
    let (family, datagram, rest) = match bare.split_once('@') {
        None if bare.starts_with('/') => return unix(bare, false),
        None => (Family::Any, false, bare),
        Some((prefix, rest)) => match prefix {
            "unix" | "uxst" => return unix(rest, false),
            "uxdg" => return unix(rest, true),
            "abns" | "abnsz" | "fd" | "sockpair" | "rhttp" | "rev" | "ring" => return special(false),
            "ip" | "tcp" | "stream" | "mptcp" => (Family::Any, false, rest),
            "ipv4" | "tcp4" | "mptcp4" => (Family::V4, false, rest),
            "ipv6" | "tcp6" | "mptcp6" => (Family::V6, false, rest),
            "udp" | "dgram" => (Family::Any, true, rest),
            "udp4" | "quic4" => (Family::V4, true, rest),
            "udp6" | "quic6" => (Family::V6, true, rest),
            _ => (Family::Any, false, bare),
        },
    };
    let (host, port) = split_port(rest)?;
    Ok(Endpoint {
        host: read_host(host, family)?,
        port: read_port(port, text, lenient)?,
        has_port: true,
        datagram,
    })
}

/// Cuts at the last colon; brackets keep the colons of an IPv6 address.
fn split_port(text: &str) -> Result<(&str, &str), String> {
    if let Some(inside) = text.strip_prefix('[')
        && let Some((host, after)) = inside.rsplit_once(']')
    {
        let port = after.strip_prefix(':').unwrap_or(after);
        return Ok((host, port));
    }
    Ok(text.rsplit_once(':').unwrap_or((text, "")))
}

fn read_host(text: &str, family: Family) -> Result<Host, String> {
    let any = match family {
        Family::V6 => "::",
        _ => "*",
    };
    if text.is_empty() || text == "*" {
        return Ok(Host::Special(any.to_owned()));
    }
    // A scope id (`fe80::1%eth0`) is no part of the literal.
    let literal = text.split('%').next().unwrap_or(text);
    if let Ok(ip) = literal.parse::<Ipv6Addr>() {
        if family == Family::V4 {
            return Err(format!("`{text}` is not an IPv4 address"));
        }
        return Ok(Host::Ip(IpAddr::V6(ip)));
    }
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Ip(IpAddr::V4(ip)));
    }
    if text.contains([':', '/']) {
        return Err(format!("`{text}` is neither an address nor a name"));
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

fn read_port(text: &str, whole: &str, lenient: bool) -> Result<Port, String> {
    if text.is_empty() {
        return Ok(Port::None);
    }
    let number = |digits: &str| -> Result<u16, String> {
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if lenient && length > 0 {
            return u16::try_from(atoi(digits))
                .map_err(|_| format!("`{text}` in `{whole}` is not a port from 0 to 65535"));
        }
        // Digits alone are read in 32 bits by every version: 4294967296 is port 0.
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| u16::try_from(atoi(digits)).ok())
            .flatten()
            .ok_or_else(|| format!("`{text}` in `{whole}` is not a port from 0 to 65535"))
    };
    if let Some(digits) = text.strip_prefix('+') {
        return Ok(Port::Offset(i32::from(number(digits)?)));
    }
    if let Some(digits) = text.strip_prefix('-') {
        return Ok(Port::Offset(-i32::from(number(digits)?)));
    }
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (number(first)?, number(last)?);
        if last < first {
            return Err(format!("the port range `{text}` in `{whole}` ends before it starts"));
        }
        return Ok(Port::Range(first, last));
    }
    Ok(Port::One(number(text)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_limits() {
        let ms = |n| Ok(Duration::from_millis(n));
        let cases = [
            ("5000", ms(5_000)),
            ("5s", ms(5_000)),
            ("250ms", ms(250)),
            ("1m", ms(60_000)),
            ("2h", ms(7_200_000)),
            ("1d", ms(86_400_000)),
            ("500us", Ok(Duration::from_micros(500))),
            ("0", ms(0)),
        ];
        for (text, expected) in cases {
            assert_eq!(time(text, Unit::Milliseconds), expected, "{text}");
        }
        for text in ["", "s", "5x", "-1", "100d", "99999999999999999999"] {
            assert!(time(text, Unit::Milliseconds).is_err(), "{text}");
        }
        assert_eq!(time("5", Unit::Seconds), ms(5_000));
    }

    #[test]
    fn addresses_take_every_form() {
        let host = |text: &str| endpoint(text).map(|found| found.host);
        let port = |text: &str| endpoint(text).map(|found| found.port);
        assert_eq!(host("10.0.0.1:80"), Ok(Host::Ip("10.0.0.1".parse().unwrap())));
        assert_eq!(host("[::1]:80"), Ok(Host::Ip("::1".parse().unwrap())));
        assert_eq!(host(":::1247"), Ok(Host::Ip("::".parse().unwrap())));
        assert_eq!(port(":::20000-20199"), Ok(Port::Range(20000, 20199)));
        assert_eq!(host("Web.Example:80"), Ok(Host::Name("web.example".into())));
        assert_eq!(host("/run/x.sock"), Ok(Host::Unix("/run/x.sock".into())));
        assert_eq!(host("unix@x.sock"), Ok(Host::Unix("x.sock".into())));
        assert_eq!(host("abns@x"), Ok(Host::Special("abns@x".into())));
        assert_eq!(host("fd@3"), Ok(Host::Special("fd@3".into())));
        assert_eq!(host("ipv6@:443"), Ok(Host::Special("::".into())));
        assert_eq!(host("*:443"), Ok(Host::Special("*".into())));
        assert_eq!(port("10.0.0.1:+100"), Ok(Port::Offset(100)));
        assert_eq!(port("10.0.0.1:-5"), Ok(Port::Offset(-5)));
        assert_eq!(port("10.0.0.1"), Ok(Port::None));
        assert!(endpoint("quic4@:443").is_ok_and(|found| found.datagram));
        for text in ["10.0.0.1:65536", "10.0.0.1:90-80", "10.0.0.1:http", "ipv4@::1:80"] {
            assert!(endpoint(text).is_err(), "{text}");
        }
    }
}
