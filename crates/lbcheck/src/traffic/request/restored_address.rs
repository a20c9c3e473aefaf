//! The address that nginx takes a client to have, where a trusted proxy tells it.

use std::net::{IpAddr, SocketAddr};

use super::value::Value;
use crate::model::{AddressSource, RestoredAddress};
use crate::network::Network;

/// The address of a request from `source` whose header lines `lines` looks up. `Err`: why that is not known.
pub(super) fn restored(
    settings: &RestoredAddress,
    source: IpAddr,
    lines: impl Fn(&str) -> Value,
) -> Result<IpAddr, String> {
    if settings.more {
        return Err("too many blocks say differently where the client's address comes from".to_owned());
    }
    let mut found = None;
    for way in &settings.ways {
        let address = by(way, source, &lines)?;
        if found.is_some_and(|found| found != address) {
            let text = "server and locations say differently where the client's address comes from";
            return Err(text.to_owned());
        }
        found = Some(address);
    }
    Ok(found.unwrap_or(source))
}

fn by(way: &AddressSource, source: IpAddr, lines: impl Fn(&str) -> Value) -> Result<IpAddr, String> {
    if !trusts(way, source)? {
        return Ok(source);
    }
    let Some(header) = &way.header else {
        return Err("the client's address comes from the PROXY protocol".to_owned());
    };
    // Whether nginx sees a header with an underscore is another setting.
    if header.contains('_') {
        return Err(format!("the client's address comes from the header `{header}`"));
    }
    let line = match lines(header) {
        Value::Unknown(why) => return Err(format!("the client's address comes from `{header}`: {why}")),
        Value::Known(lines) => match lines.as_slice() {
            [] => return Ok(source),
            [line] => String::from_utf8_lossy(line).into_owned(),
            _ => return Err(format!("the header `{header}` is given several times")),
        },
    };
    let mut address = source;
    for part in line.split([' ', ',']).rev().filter(|part| !part.is_empty()) {
        let read = part.parse().or_else(|_| part.parse::<SocketAddr>().map(|address| address.ip()));
        address = read.map_err(|_| format!("`{part}` in the header `{header}` is no address"))?;
        if !way.recursive || !trusts(way, address)? {
            break;
        }
    }
    Ok(address)
}

fn trusts(way: &AddressSource, address: IpAddr) -> Result<bool, String> {
    let mut unread = None;
    for network in way.trusted.iter().filter(|network| *network != "unix:") {
        match network.parse::<Network>() {
            Ok(network) if network.contains(address) => return Ok(true),
            Ok(_) => {}
            Err(_) => unread = Some(network),
        }
    }
    match unread {
        None => Ok(false),
        Some(network) => {
            Err(format!("whether `set_real_ip_from {network}` is about the client is not known"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_nginx_reads_them() {
        let read = |header: &str, recursive, source: &str, line: &str| {
            let trusted = ["127.0.0.0/8".to_owned()].into();
            let way = AddressSource { trusted, header: Some(header.to_owned()), recursive };
            let settings = RestoredAddress { ways: vec![way], more: false };
            let lines = |_: &str| Value::Known(vec![line.as_bytes().to_vec()]);
            restored(&settings, source.parse().unwrap(), lines).map(|address| address.to_string())
        };
        let of = |recursive, line| read("x-real-ip", recursive, "127.0.0.1", line).unwrap();
        assert_eq!(of(false, "10.1.1.1, 10.2.2.2:80"), "10.2.2.2");
        assert_eq!(of(false, "8.8.8.8, 127.0.0.4"), "127.0.0.4");
        assert_eq!(of(true, "8.8.8.8, 127.0.0.3, 127.0.0.4"), "8.8.8.8");
        assert_eq!(of(true, "8.8.8.8, 7.7.7.7, 127.0.0.4"), "7.7.7.7");
        assert_eq!(of(true, "127.0.0.3, 127.0.0.4"), "127.0.0.3");
        assert_eq!(of(false, "::1"), "::1");
        assert_eq!(read("x-real-ip", false, "9.9.9.9", "10.1.1.1").as_deref(), Ok("9.9.9.9"));
        assert!(read("x-real-ip", false, "127.0.0.1", "bad").is_err());
    }
}
