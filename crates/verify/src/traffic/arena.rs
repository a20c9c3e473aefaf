//! Addresses of one run. Every scenario has a /24 of the loopback network to itself, so that tests run beside each
//! other, and the same one each time, so that tables built from addresses are the same in every run.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};

use anyhow::{Result, bail};

/// The first block of 127.0.0.0/8 that is used. Nothing else is ordinarily above 127.1. Scenarios from 256 on have the
/// blocks of odd numbers.
const FIRST_BLOCK: u8 = 64;
/// Ports tried, in case a program listens on one of them on every address.
const PORTS: [u16; 3] = [8480, 18_480, 28_480];

/// A /24 and a port that are this run's as long as the value lives.
pub struct Arena {
    block: u8,
    number: u8,
    port: u16,
    /// Another run finds this taken. It is UDP, and so in the way of no server.
    _held: UdpSocket,
}

impl Arena {
    /// Reserves the addresses of scenario `number`; those of another block where another run has them.
    ///
    /// # Errors
    ///
    /// Nothing is free.
    pub fn reserve(number: u16) -> Result<Self> {
        let [above, number] = number.to_be_bytes();
        for block in (FIRST_BLOCK + above..u8::MAX).step_by(2) {
            let first = Ipv4Addr::new(127, block, number, 1);
            for port in PORTS {
                let Ok(held) = UdpSocket::bind((first, port)) else { continue };
                if TcpListener::bind((first, port)).is_ok() {
                    return Ok(Self { block, number, port, _held: held });
                }
            }
        }
        bail!("no loopback addresses are free for scenario {number}")
    }

    /// Where the proxy listens.
    #[must_use]
    pub fn front(&self) -> SocketAddrV4 {
        self.address(1)
    }

    /// Where the proxy is asked about itself.
    #[must_use]
    pub fn control(&self) -> SocketAddrV4 {
        self.address(2)
    }

    /// Where the server behind `@BACKn@` listens, counted from 0.
    #[must_use]
    pub fn back(&self, index: u8) -> SocketAddrV4 {
        self.address(11 + index)
    }

    fn address(&self, last: u8) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(127, self.block, self.number, last), self.port)
    }
}
