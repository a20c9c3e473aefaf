//! Networks in CIDR notation, as the model has them: an address, or an address and the length of its prefix.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    base: IpAddr,
    bits: u32,
}

impl Network {
    /// `None`: an address has not so many bits.
    pub(crate) fn new(base: IpAddr, bits: u32) -> Option<Self> {
        (bits <= length(base)).then_some(Self { base, bits })
    }

    /// The one address.
    pub(crate) fn single(base: IpAddr) -> Self {
        Self { base, bits: length(base) }
    }

    /// Whether an address is in it. An IPv4 address stays one when it is written as an IPv6 address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                u32::from(base) & mask == u32::from(ip) & mask
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                u128::from(base) & mask == u128::from(ip) & mask
            }
            _ => false,
        }
    }
}

fn length(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The text is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().map_err(|_| NotANetwork)?;
        match bits {
            Some(bits) => bits.parse().ok().and_then(|bits| Self::new(base, bits)).ok_or(NotANetwork),
            None => Ok(Self::single(base)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> Option<bool> {
        Some(network.parse::<Network>().ok()?.contains(address.parse().unwrap()))
    }

    #[test]
    fn addresses_are_in_networks() {
        assert_eq!(contains("10.0.0.0/8", "10.1.2.3"), Some(true));
        assert_eq!(contains("10.0.0.0/8", "::ffff:10.1.2.3"), Some(true));
        assert_eq!(contains("10.1.2.3", "10.1.2.4"), Some(false));
        assert_eq!(contains("0.0.0.0/0", "9.9.9.9"), Some(true));
        assert_eq!(contains("2001:db8::/32", "2001:db8:1::1"), Some(true));
        assert_eq!(contains("2001:db8::/32", "10.1.2.3"), Some(false));
        assert_eq!((contains("10.0.0.0/33", "10.0.0.1"), contains("host", "10.0.0.1")), (None, None));
    }
}
