//! Options that do nothing on one side of a proxy, as data: one entry a line.
//!
//! HAProxy 2.6 to 3.0 warn of all of them where they do nothing; 3.2 and 3.4 refuse most.

use crate::dialect::Version;
use crate::haproxy::syntax::SectionKind;
use SectionKind::{Backend, Frontend};

/// An option for one side of a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sided {
    /// The word after `option`.
    pub(crate) name: &'static str,
    /// The section in which it does nothing.
    pub(crate) idle_in: SectionKind,
    /// The first version that refuses it there; others warn.
    refused: Option<Version>,
    /// The first version in which it is for both sides.
    both: Option<Version>,
}

impl Sided {
    /// Whether this version still has it for one side.
    pub(super) fn holds_in(&self, version: Version) -> bool {
        self.both.is_none_or(|both| version < both)
    }

    /// Whether this version refuses the option on the wrong side.
    pub(crate) fn refused_in(&self, version: Version) -> bool {
        self.refused.is_some_and(|first| version >= first)
    }
}

const fn refused(name: &'static str, idle_in: SectionKind) -> Sided {
    // 3.2 refuses them, 3.0 warns.
    Sided { name, idle_in, refused: Some(Version::new(3, 2)), both: None }
}

const fn idle(name: &'static str, idle_in: SectionKind) -> Sided {
    Sided { name, idle_in, refused: None, both: None }
}

/// Options that a frontend or a backend has no use for, sorted.
#[rustfmt::skip]
pub(crate) const SIDED: &[Sided] = &[
    // 3.4 takes it in frontends too.
    Sided { both: Some(Version::new(3, 3)), ..refused("abortonclose", Frontend) },
    idle("accept-invalid-http-request", Backend),
    idle("accept-invalid-http-response", Frontend),
    refused("accept-unsafe-violations-in-http-request", Backend),
    refused("accept-unsafe-violations-in-http-response", Frontend),
    refused("allbackups", Frontend),
    refused("assume-rfc6587-ntf", Backend),
    refused("checkcache", Frontend),
    refused("clitcpka", Backend),
    refused("contstats", Backend),
    refused("disable-h2-upgrade", Backend),
    refused("dont-parse-log", Backend),
    refused("dontlog-normal", Backend),
    refused("dontlognull", Backend),
    idle("forwarded", Frontend),
    refused("h1-case-adjust-bogus-client", Backend),
    refused("h1-case-adjust-bogus-server", Frontend),
    refused("http-drop-request-trailers", Frontend),
    refused("http-drop-response-trailers", Backend),
    refused("http-ignore-probes", Backend),
    refused("http-pretend-keepalive", Frontend),
    refused("http-use-proxy-header", Backend),
    idle("httpchk", Frontend),
    idle("httplog", Backend),
    idle("httpslog", Backend),
    refused("idle-close-on-response", Backend),
    idle("ldap-check", Frontend),
    refused("log-health-checks", Frontend),
    refused("log-separate-errors", Backend),
    refused("logasap", Backend),
    idle("mysql-check", Frontend),
    refused("persist", Frontend),
    idle("pgsql-check", Frontend),
    refused("prefer-last-server", Frontend),
    idle("redis-check", Frontend),
    idle("redispatch", Frontend),
    idle("smtpchk", Frontend),
    refused("socket-stats", Backend),
    idle("spop-check", Frontend),
    refused("srvtcpka", Frontend),
    idle("ssl-hello-chk", Frontend),
    idle("tcp-check", Frontend),
    refused("tcp-smart-accept", Backend),
    refused("tcp-smart-connect", Frontend),
    idle("tcplog", Backend),
    refused("transparent", Frontend),
    idle("use-small-buffers", Frontend),
];
