//! Times, sizes, numbers and addresses as nginx reads them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::model::{Address, Host, TimeKind, TimeUnit, WrittenTime};
use crate::source::Span;

/// Units of time in falling order, in milliseconds.
const UNITS: &[(u8, i64)] = &[
    (b'y', 31_536_000_000),
    (b'M', 2_592_000_000),
    (b'w', 604_800_000),
    (b'd', 86_400_000),
    (b'h', 3_600_000),
    (b'm', 60_000),
    (b's', 1000),
];

/// A time such as `30s`, `1h 30m` or `500ms`; a bare number counts seconds. `None`: nginx refuses it.
///
/// Units must come in falling order, each once. `ms` is read only where `millis` holds, `y` and `M` only where not.
/// Like nginx it wants one digit somewhere, not before every unit, and takes a blank for the unit of seconds.
pub(super) fn time(text: &str, millis: bool) -> Option<Duration> {
    /// The step after all units: milliseconds, or a blank.
    const LAST: usize = 7;
    // Nginx counts in whole seconds where no milliseconds are allowed.
    let one = if millis { 1 } else { 1000 };
    let mut next = if millis { 2 } else { 0 };
    let (mut total, mut value, mut digits) = (0i64, 0i64, false);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte.is_ascii_digit() {
            value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
            digits = true;
            continue;
        }
        let (at, scale) = match byte {
            b'm' if bytes.next_if_eq(&b's').is_some() => {
                if !millis || next > LAST {
                    return None;
                }
                (LAST, 1)
            }
            b' ' if next < LAST => (LAST, 1000 / one),
            unit => {
                let at = UNITS.iter().position(|&(letter, _)| letter == unit).filter(|&at| at >= next)?;
                (at, UNITS.get(at)?.1 / one)
            }
        };
        total = total.checked_add(value.checked_mul(scale)?)?;
        value = 0;
        next = at + 1;
        while bytes.next_if_eq(&b' ').is_some() {}
    }
    if !digits {
        return None;
    }
    let total = u64::try_from(total.checked_add(value.checked_mul(1000 / one)?)?).ok()?;
    Some(if millis { Duration::from_millis(total) } else { Duration::from_secs(total) })
}

/// An IPv4 address as nginx itself reads one: four numbers up to 255, any of which may be missing or start with zeros.
pub(super) fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut at = 0;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                let octet = octets.get_mut(at)?;
                *octet = octet.checked_mul(10)?.checked_add(byte - b'0')?;
            }
            b'.' => at += 1,
            _ => return None,
        }
    }
    (at == 3).then(|| Ipv4Addr::from(octets))
}

/// A size such as `8k` or `1m`; `g` where `giga` says so. `None`: nginx refuses it.
pub(super) fn size(text: &str, giga: bool) -> Option<u64> {
    let (digits, scale) = match text.as_bytes().last()? {
        b'k' | b'K' => (text.get(..text.len() - 1)?, 1 << 10),
        b'm' | b'M' => (text.get(..text.len() - 1)?, 1 << 20),
        b'g' | b'G' if giga => (text.get(..text.len() - 1)?, 1 << 30),
        _ => (text, 1),
    };
    number(digits)?.checked_mul(scale).filter(|&size| i64::try_from(size).is_ok())
}

/// A whole number without sign. `None`: nginx refuses it.
pub(super) fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<u64>().ok().filter(|&number| i64::try_from(number).is_ok())
}

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadAddress {
    NoHost,
    Port,
    Ipv4,
    Ipv6,
    UnixPath,
}

impl BadAddress {
    /// What is wrong, to follow "has" or stand alone.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::NoHost => "no host",
            Self::Port => "an invalid port",
            Self::Ipv4 => "an invalid IPv4 address",
            Self::Ipv6 => "an invalid IPv6 address",
            Self::UnixPath => "no path after `unix:`",
        }
    }
}

/// `host`, `host:port`, `[v6]:port` or `unix:path`; `port` is the one to use where none is written.
pub(super) fn address(text: &str, port: Option<u16>) -> Result<Address, BadAddress> {
    let make = |host, port| Address { host, port, port_offset: 0 };
    if is_placeholder(text) {
        return Ok(make(Host::Unknown(text.to_owned()), None));
    }
    if let Some(path) = strip_unix(text) {
        return if path.is_empty() {
            Err(BadAddress::UnixPath)
        } else {
            Ok(make(Host::Unix(path.to_owned()), None))
        };
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']').ok_or(BadAddress::Ipv6)?;
        let ip: Ipv6Addr = ip.parse().map_err(|_| BadAddress::Ipv6)?;
        let port = match rest.strip_prefix(':') {
            Some(text) => Some(parse_port(text)?),
            None if rest.is_empty() => port,
            None => return Err(BadAddress::Port),
        };
        return Ok(make(Host::Ip(IpAddr::V6(ip)), port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, text)) => (host, Some(parse_port(text)?)),
        None => (text, port),
    };
    if host.is_empty() {
        return Err(BadAddress::NoHost);
    }
    match host.parse::<IpAddr>() {
        Ok(ip) => Ok(make(Host::Ip(ip), port)),
        Err(_) if is_no_ipv4(host) => Err(BadAddress::Ipv4),
        Err(_) => Ok(make(Host::Name(host.to_ascii_lowercase()), port)),
    }
}

/// Whether a host looks like an IPv4 address and cannot be one: `256.0.0.1`, `1.2.3.4.5`. Short and octal forms are
/// addresses to the C library.
pub(super) fn is_no_ipv4(host: &str) -> bool {
    let parts: Vec<&str> = host.split('.').collect();
    let plain = parts.iter().all(|part| number(part).is_some());
    let large = |part: &&str| !part.starts_with('0') && number(part).is_some_and(|number| number > 255);
    plain && (parts.len() > 4 || parts.len() == 4 && parts.iter().any(large))
}

/// Whether a text is a hole of a template, to be filled before nginx sees it: `<host>`, `{{ host }}`, `%%HOST%%`.
pub(super) fn is_placeholder(text: &str) -> bool {
    [("<", ">"), ("{{", "}}"), ("%%", "%%")]
        .iter()
        .any(|(open, close)| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close)))
}

/// The path of a `unix:` address.
pub(super) fn strip_unix(text: &str) -> Option<&str> {
    let head = text.get(..5)?;
    head.eq_ignore_ascii_case("unix:").then(|| text.get(5..).unwrap_or_default())
}

/// A port from 1 to 65535.
pub(super) fn parse_port(text: &str) -> Result<u16, BadAddress> {
    match number(text).and_then(|port| u16::try_from(port).ok()) {
        Some(port) if port > 0 => Ok(port),
        _ => Err(BadAddress::Port),
    }
}

/// The names of the variables in a text, in lower case.
pub(super) fn variables(text: &str) -> Vec<String> {
    text.split('$')
        .skip(1)
        .map(|rest| {
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            let name = rest.bytes().take_while(|&byte| byte == b'_' || byte.is_ascii_alphanumeric()).count();
            rest.get(..name).unwrap_or_default().to_ascii_lowercase()
        })
        .collect()
}

/// Whether a text holds a variable.
pub(super) fn has_variable(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, &byte)| {
        byte == b'$'
            && bytes
                .get(at + 1)
                .is_some_and(|&next| next == b'{' || next == b'_' || next.is_ascii_alphanumeric())
    })
}

/// An address, or a network in CIDR notation, as nginx reads one.
pub(super) fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let most = match (ipv4(address), address.parse::<Ipv6Addr>()) {
        (Some(_), _) => 32,
        (None, Ok(_)) => 128,
        (None, Err(_)) => return false,
    };
    bits.is_none_or(|bits| number(bits).is_some_and(|bits| bits <= most))
}

/// Whether a host has a star where nginx takes none: one stands alone before the first dot or after the last.
pub(super) fn bad_wildcard(host: &str) -> bool {
    let inner = host.strip_prefix("*.").or(host.strip_prefix('.')).unwrap_or(host);
    let inner = if inner.len() == host.len() { host.strip_suffix(".*").unwrap_or(host) } else { inner };
    inner.is_empty() || inner.contains('*') || inner.contains("..")
}

/// `12.34%` in units of 0.01 %; at most two digits after the point, and more than nothing.
pub(super) fn percent(text: &str) -> Option<u64> {
    let share = text.strip_suffix('%')?;
    let (whole, fraction) = share.split_once('.').unwrap_or((share, ""));
    if fraction.len() > 2 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = number(if whole.is_empty() { "0" } else { whole })?;
    let fraction: u64 = format!("{fraction:0<2}").parse().ok()?;
    let share = whole.checked_mul(100)?.checked_add(fraction)?;
    (share > 0 && share <= 10_000).then_some(share)
}

/// `$name` or `${name}` and nothing else: the name, in lower case as nginx keeps it.
pub(super) fn variable(text: &str) -> Option<String> {
    let rest = text.strip_prefix('$')?;
    let name = match rest.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => rest,
    };
    let ok = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    ok.then(|| name.to_ascii_lowercase())
}

/// The part of a URI before its query string; what comes after a variable is not known and shown by a star.
pub(super) fn cut(text: &str) -> String {
    let path = text.split('?').next().unwrap_or_default();
    match path.find('$') {
        Some(at) => format!("{}*", path.get(..at).unwrap_or_default()),
        None => path.to_owned(),
    }
}

/// A time with what its name says it limits; a number without a unit counts seconds.
pub(super) fn written_time(name: &str, text: &str, value: Duration, span: Span) -> WrittenTime {
    let kind = if name.ends_with("connect_timeout") { TimeKind::Connect } else { TimeKind::Wait };
    let bare = text.bytes().all(|byte| byte.is_ascii_digit());
    let unit = if bare { TimeUnit::Assumed } else { TimeUnit::Written };
    WrittenTime { name: name.to_owned(), kind, value, unit, span }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let ms = |text| time(text, true).map(|time| time.as_millis());
        assert_eq!(ms("30"), Some(30_000));
        assert_eq!(ms("1h30m"), Some(5_400_000));
        assert_eq!(ms("1h 30m"), Some(5_400_000));
        assert_eq!(ms("500ms"), Some(500));
        assert_eq!(ms("1d"), Some(86_400_000));
        assert_eq!(ms("1s 2"), Some(3000));
        // One digit anywhere is enough.
        assert_eq!(ms("s0"), Some(0));
        for bad in ["1M", "30 s", "2 1s", "", "s", "1x", "30m1h", "1.5s", "-1", "99999999999999999999s"] {
            assert_eq!(ms(bad), None, "{bad}");
        }
        assert_eq!(time("500ms", false), None);
        assert_eq!(time("1M", false).map(|time| time.as_secs()), Some(2_592_000));
        assert_eq!(time("9999999999999999y", false), None);
    }

    #[test]
    fn addresses_of_the_old_kind() {
        let show = |text| ipv4(text).map(|ip| ip.to_string());
        assert_eq!(show("127.00..01").as_deref(), Some("127.0.0.1"));
        for bad in ["10.0.0", "1.2.3.4.5", "256.0.0.1", "a.0.0.1", ""] {
            assert_eq!(show(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("8k", false), Some(8192));
        assert_eq!(size("1g", true), Some(1 << 30));
        assert_eq!(size("1g", false), None);
        assert_eq!(size("k", false), None);
        assert_eq!(size("", false), None);
        assert_eq!(size("99999999999999999999", false), None);
    }

    #[test]
    fn addresses() {
        let show = |text| address(text, Some(80)).map(|address| address.to_string());
        assert_eq!(show("10.0.0.1"), Ok("10.0.0.1:80".to_owned()));
        assert_eq!(show("[::1]:8080"), Ok("[::1]:8080".to_owned()));
        assert_eq!(show("API.local:9"), Ok("api.local:9".to_owned()));
        assert_eq!(show("unix:/run/a.sock"), Ok("unix:/run/a.sock".to_owned()));
        assert_eq!(show(":80"), Err(BadAddress::NoHost));
        assert_eq!(show("256.0.0.1"), Err(BadAddress::Ipv4));
        assert_eq!(show("1.2.3.4.5"), Err(BadAddress::Ipv4));
        assert!(show("10.1").is_ok() && show("010.0.0.1").is_ok() && show("1.2.3.4a").is_ok());
        assert_eq!(show("a:0"), Err(BadAddress::Port));
        assert_eq!(show("a:65536"), Err(BadAddress::Port));
        assert_eq!(show("unix:"), Err(BadAddress::UnixPath));
    }

    #[test]
    fn variables() {
        assert!(has_variable("http://$up") && has_variable("a${b}"));
        assert!(!has_variable("^/x$") && !has_variable("plain"));
    }

    #[test]
    fn shares() {
        assert_eq!(percent("12.5%"), Some(1250));
        assert_eq!(percent("0.01%"), Some(1));
        assert_eq!(percent("100%"), Some(10_000));
        for bad in ["0%", "101%", "1.234%", "5", "x%", "-1%"] {
            assert_eq!(percent(bad), None, "{bad}");
        }
    }
}
