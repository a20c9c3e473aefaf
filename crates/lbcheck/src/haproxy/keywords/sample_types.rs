//! Values that can be asked for: their types, the arguments of who gives them, and the criteria of ACLs.

use super::versions::Versions;
use crate::dialect::Version;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Only known when a request comes.
    Any,
    /// Of a converter: what it was given.
    Same,
    Bool,
    Int,
    /// An address of either family.
    Addr,
    Ipv4,
    Ipv6,
    Str,
    Bin,
    Method,
}

impl Type {
    /// Whether the program turns a value of this type into one of that type. Measured for every pair.
    pub(crate) fn casts_to(self, to: Self, version: Version) -> bool {
        use Type::{Addr, Any, Bin, Bool, Int, Ipv4, Ipv6, Method, Same, Str};
        match (self, to) {
            (_, Any | Same | Str) | (Any | Same | Int | Str | Ipv4, _) => true,
            (Bool, Bin) => version >= Version::new(2, 5),
            (Bool, Int | Bool)
            | (Addr | Ipv6, Addr | Ipv4 | Ipv6 | Bin)
            | (Bin | Method, Bin)
            | (Method, Method) => true,
            _ => false,
        }
    }

    /// As a noun for messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Any | Self::Same => "a value of any type",
            Self::Bool => "a boolean",
            Self::Int => "a number",
            Self::Addr => "an address",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Str => "a text",
            Self::Bin => "bytes",
            Self::Method => "a method",
        }
    }
}

/// The kind of an argument in parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    Text,
    Integer,
    Ipv4,
    Ipv6,
    Mask4,
    Mask6,
    /// The number of a Protocol Buffers field, such as `1.2`.
    Field,
    Regex,
    /// Names that must lead somewhere.
    Backend,
    Frontend,
    Server,
    Table,
    Userlist,
}

/// A sample fetch method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetch {
    /// Its name.
    pub(crate) name: &'static str,
    /// Fewest arguments.
    pub(crate) least: u8,
    /// The kinds of all arguments.
    pub(crate) arguments: &'static [Argument],
    /// What it gives.
    pub(crate) gives: Type,
    /// Where it can be asked, one bit each, see [`places`].
    pub(crate) places: u32,
    pub(super) versions: Versions,
}

/// A converter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Converter {
    /// Its name.
    pub(crate) name: &'static str,
    /// Fewest arguments.
    pub(crate) least: u8,
    /// The kinds of all arguments.
    pub(crate) arguments: &'static [Argument],
    /// What it works on.
    pub(crate) takes: Type,
    /// What it gives.
    pub(crate) gives: Type,
    pub(super) versions: Versions,
}

/// A criterion that only ACLs know: a fetch method with a way to compare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Criterion {
    /// Its name.
    pub(crate) name: &'static str,
    /// The fetch method.
    pub(crate) fetch: &'static str,
    /// The word after `-m` it implies.
    pub(crate) method: &'static str,
}

pub(super) const fn fetch(
    name: &'static str,
    least: u8,
    arguments: &'static [Argument],
    gives: Type,
    places: u32,
    since: super::versions::Since,
    until: super::versions::Until,
) -> Fetch {
    Fetch { name, least, arguments, gives, places, versions: Versions { since, until } }
}

pub(super) const fn converter(
    name: &'static str,
    least: u8,
    arguments: &'static [Argument],
    takes: Type,
    gives: Type,
    since: super::versions::Since,
    until: super::versions::Until,
) -> Converter {
    Converter { name, least, arguments, takes, gives, versions: Versions { since, until } }
}

const fn a(name: &'static str, fetch: &'static str, method: &'static str) -> Criterion {
    Criterion { name, fetch, method }
}

impl Fetch {
    /// Whether this version is not known to refuse it.
    pub(crate) fn known_in(&self, version: Version) -> bool {
        self.versions.allow(version)
    }
}

impl Converter {
    /// Whether this version is not known to refuse it.
    pub(crate) fn known_in(&self, version: Version) -> bool {
        self.versions.allow(version)
    }
}

/// Where a value can be asked for, in the order of the columns of `haproxy -dKall`: one bit for each place.
pub(crate) mod places {
    // What a fetch method may need.
    pub(crate) const ANYWHERE: u32 = 0x3f_ffff;
    /// Not while the configuration is read.
    pub(crate) const RUNTIME: u32 = 0x2f_ffff;
    /// The client connection, also in checks.
    pub(crate) const CLIENT: u32 = 0x0f_ffff;
    /// From the client connection on.
    pub(crate) const CONNECTION_ON: u32 = 0x07_ffff;
    /// From the session on.
    pub(crate) const SESSION_ON: u32 = 0x07_fffe;
    /// From the request on.
    pub(crate) const REQUEST_ON: u32 = 0x07_fffc;
    /// While there is a request.
    pub(crate) const REQUEST: u32 = 0x00_07fc;
    /// While there is a response.
    pub(crate) const RESPONSE: u32 = 0x0b_f800;
    /// While there is a request or a response.
    pub(crate) const BOTH: u32 = 0x0b_fffc;
    /// When a backend is chosen.
    pub(crate) const BACKEND_ON: u32 = 0x0f_ffc0;
    /// When a server is chosen.
    pub(crate) const SERVER_ON: u32 = 0x0f_fc00;
    /// When there is a connection to a server.
    pub(crate) const SERVER_SIDE: u32 = 0x0f_f800;
    pub(crate) const BYTES_OUT: u32 = 0x07_fe00;
    pub(crate) const LOGS: u32 = 0x04_0000;

    // Where an expression can stand.
    /// `tcp-request connection`.
    pub(crate) const AT_CONNECTION: u32 = 1;
    /// `tcp-request session`.
    pub(crate) const AT_SESSION: u32 = 1 << 1;
    /// `tcp-request content` of a frontend.
    pub(crate) const AT_CONTENT: u32 = 1 << 2;
    /// `http-request` of a frontend.
    pub(crate) const AT_REQUEST: u32 = 1 << 3;
    /// `use_backend`.
    pub(crate) const AT_SWITCH: u32 = 1 << 5;
    /// `tcp-request content` of a backend.
    pub(crate) const AT_BACKEND_CONTENT: u32 = 1 << 6;
    /// `http-request` of a backend.
    pub(crate) const AT_BACKEND_REQUEST: u32 = 1 << 7;
    /// `balance` and `stick`.
    pub(crate) const AT_BALANCE: u32 = 1 << 9;
    /// When the program connects to a server.
    pub(crate) const AT_CONNECT: u32 = 1 << 10;
    /// `tcp-response content` of a backend.
    pub(crate) const AT_BACKEND_ANSWER: u32 = 1 << 11;
    /// `http-response` of a backend.
    pub(crate) const AT_BACKEND_RESPONSE: u32 = 1 << 12;
    /// `stick store-response`.
    pub(crate) const AT_STORE: u32 = 1 << 14;
    /// `tcp-response content` of a frontend.
    pub(crate) const AT_ANSWER: u32 = 1 << 15;
    /// `http-response` of a frontend.
    pub(crate) const AT_RESPONSE: u32 = 1 << 16;
    /// Log lines.
    pub(crate) const AT_LOG: u32 = 1 << 18;
    /// `http-check` and `tcp-check`.
    pub(crate) const AT_CHECK: u32 = 1 << 19;
}

/// The criteria that only ACLs know.
#[rustfmt::skip]
pub(crate) const CRITERIA: &[Criterion] = &[
    a("base", "base", "str"),
    a("base_beg", "base", "beg"),
    a("base_dir", "base", "dir"),
    a("base_dom", "base", "dom"),
    a("base_end", "base", "end"),
    a("base_len", "base", "len"),
    a("base_reg", "base", "reg"),
    a("base_sub", "base", "sub"),
    a("cook", "req.cook", "str"),
    a("cook_beg", "req.cook", "beg"),
    a("cook_dir", "req.cook", "dir"),
    a("cook_dom", "req.cook", "dom"),
    a("cook_end", "req.cook", "end"),
    a("cook_len", "req.cook", "len"),
    a("cook_reg", "req.cook", "reg"),
    a("cook_sub", "req.cook", "sub"),
    a("hdr", "req.hdr", "str"),
    a("hdr_beg", "req.hdr", "beg"),
    a("hdr_dir", "req.hdr", "dir"),
    a("hdr_dom", "req.hdr", "dom"),
    a("hdr_end", "req.hdr", "end"),
    a("hdr_len", "req.hdr", "len"),
    a("hdr_reg", "req.hdr", "reg"),
    a("hdr_sub", "req.hdr", "sub"),
    a("http_auth_group", "http_auth_group", "str"),
    a("method", "method", "str"),
    a("path", "path", "str"),
    a("path_beg", "path", "beg"),
    a("path_dir", "path", "dir"),
    a("path_dom", "path", "dom"),
    a("path_end", "path", "end"),
    a("path_len", "path", "len"),
    a("path_reg", "path", "reg"),
    a("path_sub", "path", "sub"),
    a("payload", "req.payload", "bin"),
    a("payload_lv", "req.payload_lv", "bin"),
    a("req.ssl_ver", "req.ssl_ver", "int"),
    a("req_rdp_cookie", "req.rdp_cookie", "str"),
    a("req_rdp_cookie_cnt", "req.rdp_cookie_cnt", "int"),
    a("req_ssl_sni", "req.ssl_sni", "str"),
    a("req_ssl_ver", "req.ssl_ver", "int"),
    a("req_ver", "req.ver", "str"),
    a("resp_ver", "res.ver", "str"),
    a("scook", "res.cook", "str"),
    a("scook_beg", "res.cook", "beg"),
    a("scook_dir", "res.cook", "dir"),
    a("scook_dom", "res.cook", "dom"),
    a("scook_end", "res.cook", "end"),
    a("scook_len", "res.cook", "len"),
    a("scook_reg", "res.cook", "reg"),
    a("scook_sub", "res.cook", "sub"),
    a("shdr", "res.hdr", "str"),
    a("shdr_beg", "res.hdr", "beg"),
    a("shdr_dir", "res.hdr", "dir"),
    a("shdr_dom", "res.hdr", "dom"),
    a("shdr_end", "res.hdr", "end"),
    a("shdr_len", "res.hdr", "len"),
    a("shdr_reg", "res.hdr", "reg"),
    a("shdr_sub", "res.hdr", "sub"),
    a("ssl_fc_sni_end", "ssl_fc_sni", "end"),
    a("ssl_fc_sni_reg", "ssl_fc_sni", "reg"),
    a("url", "url", "str"),
    a("url_beg", "url", "beg"),
    a("url_dir", "url", "dir"),
    a("url_dom", "url", "dom"),
    a("url_end", "url", "end"),
    a("url_len", "url", "len"),
    a("url_reg", "url", "reg"),
    a("url_sub", "url", "sub"),
    a("urlp", "urlp", "str"),
    a("urlp_beg", "urlp", "beg"),
    a("urlp_dir", "urlp", "dir"),
    a("urlp_dom", "urlp", "dom"),
    a("urlp_end", "urlp", "end"),
    a("urlp_len", "urlp", "len"),
    a("urlp_reg", "urlp", "reg"),
    a("urlp_sub", "urlp", "sub"),
];
