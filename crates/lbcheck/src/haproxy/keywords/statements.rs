//! Keywords of the sections, removed keywords, and options.
//!
//! A row says everything about its word but the kinds of its arguments.

use super::versions::*;
use crate::dialect::Version;
use crate::effect::EffectClass::{
    self, Availability, Capacity, Content, Observability, Process, Routing, Security, Share, Time, Unknown,
};
use crate::haproxy::syntax::SectionKind;

/// A keyword and the sections it may stand in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyword {
    /// The keyword.
    pub(crate) name: &'static str,
    /// Sections, one bit each.
    pub(crate) places: u32,
    /// Fewest arguments.
    pub(crate) least: u8,
    /// Most arguments; [`ANY`] where the program does not count them.
    pub(crate) most: u8,
    pub(super) versions: Versions,
    /// What its lines have an effect on; unknown where the word after it decides.
    pub(super) class: EffectClass,
    /// Of several lines in a section the last one holds, and the others are forgotten in silence.
    pub(super) last_wins: bool,
    /// The only side of a proxy on which it does something; on the other the program warns.
    pub(super) side: Option<Side>,
    /// Whether it only does something in `mode http`.
    pub(super) for_http: bool,
    pub(super) deprecated: Option<Deprecated>,
}

/// A side of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// That of the clients: a `frontend`, or half of a `listen`.
    Clients,
    /// That of the servers: a `backend`, or the other half.
    Servers,
}

/// A word that the program still takes and warns of. It stands here for what the program itself prints about it
/// (`haproxy -c`), or for what the manual of that version says where the program stays silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deprecated {
    /// The first version that warns of it.
    pub(crate) since: Version,
    /// What to do instead.
    pub(crate) advice: &'static str,
}

/// A keyword that is refused with advice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removed {
    /// The keyword.
    pub(crate) name: &'static str,
    /// Sections it once stood in.
    pub(crate) places: u32,
    /// What to do instead.
    pub(crate) advice: &'static str,
    /// The first version that refuses it.
    pub(crate) since: Version,
}

/// A word after `option`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProxyOption {
    /// The word.
    pub(crate) name: &'static str,
    /// Most arguments; [`ANY`] where the program does not count them.
    pub(crate) most: u8,
    /// Whether `no option` is possible.
    pub(crate) negatable: bool,
    pub(super) versions: Versions,
    /// What it has an effect on.
    pub(super) class: EffectClass,
    /// The only side of a proxy on which it does something.
    side: Option<Side>,
    /// The first version that refuses it on the other side; others warn.
    refused: Option<Version>,
    /// The first version in which it is for both sides.
    both: Option<Version>,
    pub(super) deprecated: Option<Deprecated>,
}

/// Any number of arguments.
pub(crate) const ANY: u8 = u8::MAX;
const NO: bool = true;
const NEVER: bool = false;

pub(super) const GLOBAL: u32 = place(SectionKind::Global);
pub(super) const D: u32 = place(SectionKind::Defaults);
pub(super) const F: u32 = place(SectionKind::Frontend);
pub(super) const B: u32 = place(SectionKind::Backend);
pub(super) const L: u32 = place(SectionKind::Listen);
pub(super) const PROXY: u32 = D | F | B | L;
const ACME: u32 = place(SectionKind::Acme);
const CACHE: u32 = place(SectionKind::Cache);
const CRT_STORE: u32 = place(SectionKind::CrtStore);
const FCGI_APP: u32 = place(SectionKind::FcgiApp);
const HTTP_ERRORS: u32 = place(SectionKind::HttpErrors);
const LOG_FORWARD: u32 = place(SectionKind::LogForward);
const LOG_PROFILE: u32 = place(SectionKind::LogProfile);
const MAILERS: u32 = place(SectionKind::Mailers);
const NAMESPACE_LIST: u32 = place(SectionKind::NamespaceList);
pub(super) const PEERS: u32 = place(SectionKind::Peers);
const PROGRAM: u32 = place(SectionKind::Program);
pub(super) const RESOLVERS: u32 = place(SectionKind::Resolvers);
const RING: u32 = place(SectionKind::Ring);
const TRACES: u32 = place(SectionKind::Traces);
const USERLIST: u32 = place(SectionKind::Userlist);

/// The bit of a section.
pub(crate) const fn place(kind: SectionKind) -> u32 {
    1 << (kind as u32)
}

const fn k(
    name: &'static str,
    places: u32,
    least: u8,
    most: u8,
    since: Since,
    until: Until,
    class: EffectClass,
) -> Keyword {
    let versions = Versions { since, until };
    Keyword {
        name,
        places,
        least,
        most,
        versions,
        class,
        last_wins: false,
        side: None,
        for_http: false,
        deprecated: None,
    }
}

impl Keyword {
    const fn last_wins(self) -> Self {
        Self { last_wins: true, ..self }
    }

    const fn for_clients(self) -> Self {
        Self { side: Some(Side::Clients), ..self }
    }

    const fn for_servers(self) -> Self {
        Self { side: Some(Side::Servers), ..self }
    }

    const fn for_http(self) -> Self {
        Self { for_http: true, ..self }
    }

    const fn deprecated(self, major: u16, minor: u16, advice: &'static str) -> Self {
        Self { deprecated: Some(Deprecated { since: Version::new(major, minor), advice }), ..self }
    }
}

const fn r(name: &'static str, places: u32, advice: &'static str) -> Removed {
    Removed { name, places, advice, since: Version::new(2, 4) }
}

const fn gone(name: &'static str, places: u32, since: Version, advice: &'static str) -> Removed {
    Removed { name, places, advice, since }
}

const fn o(
    name: &'static str,
    most: u8,
    negatable: bool,
    since: Since,
    until: Until,
    class: EffectClass,
) -> ProxyOption {
    let versions = Versions { since, until };
    ProxyOption {
        name,
        most,
        negatable,
        versions,
        class,
        side: None,
        refused: None,
        both: None,
        deprecated: None,
    }
}

impl ProxyOption {
    /// Whether a section is of the side on which it does nothing.
    pub(crate) fn misplaced(&self, kind: SectionKind, version: Version) -> bool {
        let idle = match self.side {
            Some(Side::Clients) => kind == SectionKind::Backend,
            Some(Side::Servers) => kind == SectionKind::Frontend,
            None => false,
        };
        idle && self.both.is_none_or(|both| version < both)
    }

    /// Whether this version refuses it there, and does not only warn.
    pub(crate) fn refused_in(&self, version: Version) -> bool {
        self.refused.is_some_and(|first| version >= first)
    }

    const fn for_clients(self) -> Self {
        Self { side: Some(Side::Clients), ..self }
    }

    const fn for_servers(self) -> Self {
        Self { side: Some(Side::Servers), ..self }
    }

    /// HAProxy 2.6 to 3.0 warn of it on the other side, 3.2 and 3.4 refuse it.
    const fn refused(self) -> Self {
        Self { refused: Some(Version::new(3, 2)), ..self }
    }

    /// HAProxy 3.4 takes it on both sides.
    const fn until_3_3(self) -> Self {
        Self { both: Some(Version::new(3, 3)), ..self }
    }

    const fn deprecated(self, major: u16, minor: u16, advice: &'static str) -> Self {
        Self { deprecated: Some(Deprecated { since: Version::new(major, minor), advice }), ..self }
    }
}

/// Whether a version knows a kind of section. Those that are not listed are older than all.
pub(crate) fn section_known(kind: SectionKind, version: Version) -> bool {
    let (since, until) = match kind {
        SectionKind::CrtStore => (IN_3_0, KEPT),
        SectionKind::Acme | SectionKind::LogProfile | SectionKind::Traces => (IN_3_2, KEPT),
        SectionKind::Healthcheck => (IN_3_4, KEPT),
        SectionKind::Program => (ALWAYS, GONE_IN_3_4),
        _ => return true,
    };
    Versions { since, until }.allow(version)
}

/// Keywords with their sections and the number of their arguments. A name may have several lines.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword] = &[
    k("accepted_payload_size", RESOLVERS, 1, ANY, ALWAYS, KEPT, Capacity),
    k("account-key", ACME, 1, 1, IN_3_2, KEPT, Security),
    k("acl", D | F | B | L | FCGI_APP, 1, ANY, ALWAYS, KEPT, Routing),
    k("acme-vars", ACME, 1, 1, IN_3_2, KEPT, Security),
    k("acme.scheduler", GLOBAL, 1, 1, IN_3_2, KEPT, Security),
    k("anonkey", GLOBAL, 1, ANY, IN_2_8, KEPT, Observability),
    k("backing-file", RING, 1, ANY, ALWAYS, KEPT, Process),
    k("backlog", D | F | B | L | LOG_FORWARD, 1, 1, ALWAYS, KEPT, Capacity).for_clients(),
    k("balance", PROXY, 0, ANY, ALWAYS, KEPT, Share).last_wins().for_servers(),
    k("be-unpublished", B | L, 0, ANY, IN_3_4, KEPT, Routing),
    k("bind", F | B | L, 1, ANY, ALWAYS, KEPT, Security).for_clients(),
    k("bind", LOG_FORWARD | PEERS, 0, ANY, ALWAYS, KEPT, Security),
    k("bits", ACME, 1, ANY, IN_3_2, KEPT, Security),
    k("busy-polling", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("ca-base", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("capture", PROXY, 1, ANY, ALWAYS, KEPT, Content).for_clients(),
    k("challenge", ACME, 1, ANY, IN_3_2, KEPT, Security),
    k("challenge-ready", ACME, 1, ANY, IN_3_2, KEPT, Security),
    k("chroot", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("clitcpka-cnt", PROXY, 1, ANY, ALWAYS, KEPT, Time),
    k("clitcpka-idle", PROXY, 1, ANY, ALWAYS, KEPT, Time),
    k("clitcpka-intvl", PROXY, 1, ANY, ALWAYS, KEPT, Time),
    k("close-spread-time", GLOBAL, 1, ANY, IN_2_6, KEPT, Time),
    k("cluster-secret", GLOBAL, 1, 1, IN_2_6, KEPT, Security),
    k("command", PROGRAM, 1, ANY, ALWAYS, GONE_IN_3_4, Process),
    k("compression", PROXY, 1, ANY, ALWAYS, KEPT, Content),
    k("contact", ACME, 1, 1, IN_3_2, KEPT, Security),
    k("cookie", PROXY, 1, ANY, ALWAYS, KEPT, Share).last_wins().for_servers().for_http(),
    k("cpu-affinity", GLOBAL, 1, 2, IN_3_4, KEPT, Process),
    k("cpu-map", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("cpu-policy", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("cpu-set", GLOBAL, 1, ANY, IN_3_2, KEPT, Process),
    k("crt-base", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("crt-base", CRT_STORE, 1, ANY, IN_3_0, KEPT, Security),
    k("curves", ACME, 1, 1, IN_3_2, KEPT, Security),
    k("daemon", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("declare", D | F | L, 1, ANY, ALWAYS, KEPT, Content),
    k("default-bind", PEERS, 0, ANY, ALWAYS, KEPT, Security),
    k("default-path", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("default-server", D | B | L | PEERS, 0, ANY, ALWAYS, KEPT, Availability),
    k("default_backend", PROXY, 1, 1, ALWAYS, KEPT, Routing).last_wins().for_clients(),
    k("description", GLOBAL | F | B | L | RING, 1, ANY, ALWAYS, KEPT, Observability),
    k("dgram-bind", LOG_FORWARD, 0, ANY, ALWAYS, KEPT, Observability),
    k("directory", ACME, 1, 1, IN_3_2, KEPT, Security),
    k("disabled", PROXY, 0, 0, ALWAYS, KEPT, Routing),
    k("disabled", PEERS, 0, ANY, ALWAYS, KEPT, Routing),
    k("dispatch", F | B | L, 1, ANY, ALWAYS, KEPT, Routing),
    k("dns-accept-family", GLOBAL, 1, 1, IN_3_2, KEPT, Availability),
    k("dns-delay", ACME, 1, ANY, IN_3_2, KEPT, Availability),
    k("dns-timeout", ACME, 1, ANY, IN_3_2, KEPT, Availability),
    k("docroot", FCGI_APP, 1, 1, ALWAYS, KEPT, Routing),
    k("dynamic-cookie-key", PROXY, 1, ANY, ALWAYS, KEPT, Share),
    k("eab-key-id", ACME, 1, ANY, IN_3_2, KEPT, Security),
    k("eab-mac-alg", ACME, 1, ANY, IN_3_2, KEPT, Security),
    k("eab-mac-key", ACME, 1, ANY, IN_3_2, KEPT, Security),
    k("email-alert", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("enabled", PROXY, 0, 0, ALWAYS, KEPT, Routing),
    k("enabled", PEERS, 0, ANY, ALWAYS, KEPT, Routing),
    k("error-log-format", PROXY, 1, ANY, IN_2_6, KEPT, Observability),
    k("errorfile", D | F | B | L | HTTP_ERRORS, 1, ANY, ALWAYS, KEPT, Availability),
    k("errorfiles", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("errorloc", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("errorloc302", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("errorloc303", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("expose-deprecated-directives", GLOBAL, 0, ANY, IN_3_0, GONE_IN_3_2, Process),
    k("expose-deprecated-directives", GLOBAL, 0, 0, IN_3_2, KEPT, Process),
    k("expose-experimental-directives", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("external-check", GLOBAL, 0, 1, ALWAYS, KEPT, Availability),
    k("external-check", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("fd-hard-limit", GLOBAL, 1, 1, IN_2_6, KEPT, Process),
    k("filter", F | B | L, 1, ANY, ALWAYS, KEPT, Content),
    k("force-be-switch", F | L, 1, ANY, IN_3_4, KEPT, Routing),
    k("force-cfg-parser-pause", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("force-persist", F | B | L, 1, ANY, ALWAYS, KEPT, Routing),
    k("format", RING, 1, ANY, ALWAYS, KEPT, Observability),
    k("fullconn", PROXY, 1, 1, ALWAYS, KEPT, Capacity).last_wins().for_servers(),
    k("gid", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("grace", GLOBAL, 1, ANY, IN_2_6, KEPT, Time),
    k("group", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("group", PROGRAM, 1, 1, ALWAYS, GONE_IN_3_4, Security),
    k("group", USERLIST, 1, ANY, ALWAYS, KEPT, Security),
    k("guid", F | B | L, 1, ANY, IN_3_0, KEPT, Observability),
    k("h1-accept-payload-with-any-method", GLOBAL, 0, 0, IN_2_6, KEPT, Security),
    k("h1-case-adjust", GLOBAL, 1, 2, ALWAYS, KEPT, Content),
    k("h1-case-adjust-file", GLOBAL, 1, 1, ALWAYS, KEPT, Content),
    k("h1-do-not-close-on-insecure-transfer-encoding", GLOBAL, 0, 0, IN_3_0, KEPT, Security),
    k("h2-workaround-bogus-websocket-clients", GLOBAL, 0, 0, ALWAYS, KEPT, Security),
    k("hard-stop-after", GLOBAL, 1, ANY, ALWAYS, KEPT, Time),
    k("harden.reject-privileged-ports.quic", GLOBAL, 1, ANY, IN_2_8, KEPT, Security),
    k("harden.reject-privileged-ports.tcp", GLOBAL, 1, ANY, IN_2_8, KEPT, Security),
    k("hash-balance-factor", PROXY, 1, ANY, ALWAYS, KEPT, Share).last_wins(),
    k("hash-preserve-affinity", PROXY, 1, ANY, IN_3_2, KEPT, Share),
    k("hash-type", PROXY, 1, ANY, ALWAYS, KEPT, Share).last_wins().for_servers(),
    k("hold", RESOLVERS, 1, ANY, ALWAYS, KEPT, Time),
    k("http-after-response", PROXY, 1, ANY, ALWAYS, KEPT, Unknown),
    k("http-check", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("http-err-codes", GLOBAL, 1, ANY, IN_3_0, KEPT, Availability),
    k("http-error", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("http-fail-codes", GLOBAL, 1, ANY, IN_3_0, KEPT, Availability),
    k("http-request", PROXY, 1, ANY, ALWAYS, KEPT, Unknown).for_http(),
    k("http-response", PROXY, 1, ANY, ALWAYS, KEPT, Unknown).for_http(),
    k("http-reuse", PROXY, 1, ANY, ALWAYS, KEPT, Capacity),
    k("http-send-name-header", PROXY, 1, ANY, ALWAYS, KEPT, Share),
    k("httpclient.resolvers.disabled", GLOBAL, 1, 1, IN_2_8, KEPT, Availability),
    k("httpclient.resolvers.id", GLOBAL, 0, 1, IN_2_6, KEPT, Availability),
    k("httpclient.resolvers.prefer", GLOBAL, 1, 1, IN_2_6, KEPT, Availability),
    k("httpclient.retries", GLOBAL, 1, 1, IN_2_8, KEPT, Availability),
    k("httpclient.ssl.ca-file", GLOBAL, 0, 1, IN_2_6, KEPT, Availability),
    k("httpclient.ssl.verify", GLOBAL, 1, 1, IN_2_6, KEPT, Availability),
    k("httpclient.timeout.connect", GLOBAL, 1, 1, IN_2_8, KEPT, Availability),
    k("id", F | B | L, 1, 1, ALWAYS, KEPT, Observability),
    k("ignore-persist", F | B | L, 1, ANY, ALWAYS, KEPT, Routing),
    k("index", FCGI_APP, 1, 1, ALWAYS, KEPT, Routing),
    k("insecure-fork-wanted", GLOBAL, 0, 0, ALWAYS, KEPT, Security),
    k("insecure-setuid-wanted", GLOBAL, 0, 0, ALWAYS, KEPT, Security),
    k("issuers-chain-path", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("jwt.allow_none_alg", GLOBAL, 0, 0, IN_3_4, KEPT, Security),
    k("jwt.decrypt_alg_list", GLOBAL, 0, ANY, IN_3_4, KEPT, Security),
    k("jwt.decrypt_enc_list", GLOBAL, 0, ANY, IN_3_4, KEPT, Security),
    k("key-base", GLOBAL, 1, 1, IN_3_0, KEPT, Security),
    k("key-base", CRT_STORE, 1, ANY, IN_3_0, KEPT, Security),
    k("keytype", ACME, 1, 1, IN_3_2, KEPT, Security),
    k("limited-quic", GLOBAL, 0, 0, IN_2_8, KEPT, Capacity),
    k("load", CRT_STORE, 1, ANY, IN_3_0, KEPT, Security),
    k("load-server-state-from-file", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("localpeer", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("log", GLOBAL | D | F | B | L | LOG_FORWARD | PEERS, 1, ANY, ALWAYS, KEPT, Observability),
    k("log-format", PROXY, 1, ANY, ALWAYS, KEPT, Observability),
    k("log-format-sd", PROXY, 1, ANY, ALWAYS, KEPT, Observability),
    k("log-send-hostname", GLOBAL, 0, ANY, ALWAYS, KEPT, Observability),
    k("log-stderr", FCGI_APP, 1, ANY, ALWAYS, KEPT, Observability),
    k("log-steps", PROXY, 0, ANY, IN_3_2, KEPT, Observability),
    k("log-tag", GLOBAL, 1, 1, ALWAYS, KEPT, Observability),
    k("log-tag", PROXY, 1, ANY, ALWAYS, KEPT, Observability),
    k("log-tag", LOG_PROFILE, 1, ANY, IN_3_2, KEPT, Observability),
    k("lua-load", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("lua-load-per-thread", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("lua-prepend-path", GLOBAL, 1, 2, ALWAYS, KEPT, Process),
    k("mailer", MAILERS, 1, ANY, ALWAYS, KEPT, Availability),
    k("map", ACME, 1, 1, IN_3_2, KEPT, Routing),
    // HAProxy 3.4.7 warns, 3.2.26 does not; the program says 3.3 itself, and that 3.5 removes it.
    k("master-worker", GLOBAL, 0, 1, ALWAYS, KEPT, Process)
        .deprecated(3, 3, "start HAProxy with `-W` or `-Ws` instead"),
    k("max-age", CACHE, 0, 1, ALWAYS, KEPT, Capacity),
    k("max-keep-alive-queue", PROXY, 1, ANY, ALWAYS, KEPT, Capacity),
    k("max-object-size", CACHE, 0, 1, ALWAYS, KEPT, Capacity),
    k("max-secondary-entries", CACHE, 0, 1, ALWAYS, KEPT, Capacity),
    k("max-session-srv-conns", PROXY, 1, ANY, ALWAYS, KEPT, Capacity),
    k("max-spread-checks", GLOBAL, 1, 1, ALWAYS, KEPT, Availability),
    k("max-threads-per-group", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("maxcompcpuusage", GLOBAL, 1, 1, ALWAYS, KEPT, Capacity),
    k("maxcomprate", GLOBAL, 1, 1, ALWAYS, KEPT, Capacity),
    k("maxconn", GLOBAL | D | F | B | L | LOG_FORWARD, 1, 1, ALWAYS, KEPT, Capacity).last_wins().for_clients(),
    k("maxconnrate", GLOBAL, 1, 1, ALWAYS, KEPT, Capacity),
    k("maxlen", RING, 1, ANY, ALWAYS, KEPT, Capacity),
    k("maxpipes", GLOBAL, 1, 1, ALWAYS, KEPT, Capacity),
    k("maxsessrate", GLOBAL, 1, 1, ALWAYS, KEPT, Capacity),
    k("maxsslconn", GLOBAL, 1, 1, ALWAYS, KEPT, Capacity),
    k("maxsslrate", GLOBAL, 1, 1, ALWAYS, KEPT, Capacity),
    k("maxzlibmem", GLOBAL, 1, 1, ALWAYS, KEPT, Capacity),
    k("mode", PROXY, 1, 1, ALWAYS, KEPT, Routing).last_wins(),
    k("monitor", F | B | L, 1, ANY, ALWAYS, KEPT, Routing).for_clients(),
    k("monitor-uri", PROXY, 1, 1, ALWAYS, KEPT, Routing).last_wins().for_clients().for_http(),
    k("mworker-max-reloads", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("nameserver", RESOLVERS, 1, ANY, ALWAYS, KEPT, Availability),
    k("namespace", NAMESPACE_LIST, 0, ANY, ALWAYS, KEPT, Process),
    k("nbthread", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("no-memory-trimming", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("no-quic", GLOBAL, 0, 0, IN_2_8, GONE_IN_3_4, Process),
    k("node", GLOBAL, 1, 1, ALWAYS, KEPT, Observability),
    k("noepoll", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("noevports", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("nogetaddrinfo", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("nokqueue", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("noktls", GLOBAL, 0, 0, IN_3_4, KEPT, Process),
    k("nopoll", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("noreuseport", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("nosplice", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("numa-cpu-mapping", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("ocsp-update.disable", GLOBAL, 0, ANY, IN_3_0, KEPT, Security),
    k("ocsp-update.httpproxy", GLOBAL, 1, 1, IN_3_0, KEPT, Security),
    k("ocsp-update.maxdelay", GLOBAL, 1, ANY, IN_3_0, KEPT, Security),
    k("ocsp-update.mindelay", GLOBAL, 1, ANY, IN_3_0, KEPT, Security),
    k("ocsp-update.mode", GLOBAL, 0, ANY, IN_3_0, KEPT, Security),
    k("on", LOG_PROFILE, 1, ANY, IN_3_2, KEPT, Observability),
    k("option", D | F | B | L | FCGI_APP, 1, ANY, ALWAYS, KEPT, Unknown),
    k("option", LOG_FORWARD, 1, ANY, IN_3_2, KEPT, Unknown),
    k("option", PROGRAM, 1, ANY, ALWAYS, GONE_IN_3_4, Unknown),
    k("parse-resolv-conf", RESOLVERS, 0, ANY, ALWAYS, KEPT, Availability),
    k("pass-header", FCGI_APP, 1, ANY, ALWAYS, KEPT, Content),
    k("path-info", FCGI_APP, 1, 1, ALWAYS, KEPT, Routing),
    k("peer", PEERS, 0, ANY, ALWAYS, KEPT, Availability),
    k("persist", PROXY, 1, ANY, ALWAYS, KEPT, Share),
    k("pidfile", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("pp2-never-send-local", GLOBAL, 0, 0, ALWAYS, KEPT, Content),
    k("prealloc-fd", GLOBAL, 0, 0, IN_2_8, KEPT, Process),
    k("presetenv", GLOBAL, 2, 2, ALWAYS, KEPT, Process),
    k("process-vary", CACHE, 0, 1, ALWAYS, KEPT, Capacity),
    k("profile", ACME, 1, ANY, IN_3_2, KEPT, Security),
    k("profiling.tasks", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("provider-name", ACME, 1, 1, IN_3_2, KEPT, Security),
    k("quic-initial", D | F | L, 1, ANY, IN_3_2, KEPT, Availability),
    k("quick-exit", GLOBAL, 0, 0, IN_2_8, KEPT, Process),
    k("quiet", GLOBAL, 0, 0, ALWAYS, KEPT, Observability),
    k("rate-limit", PROXY, 1, ANY, ALWAYS, KEPT, Capacity).for_clients(),
    k("redirect", F | B | L, 1, ANY, ALWAYS, KEPT, Routing).for_http(),
    k("resetenv", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("resolve_retries", RESOLVERS, 1, ANY, ALWAYS, KEPT, Availability),
    k("retries", PROXY, 1, 1, ALWAYS, KEPT, Availability).last_wins().for_servers(),
    k("retry-on", PROXY, 1, ANY, ALWAYS, KEPT, Availability).last_wins(),
    k("reuse-key", ACME, 1, 1, IN_3_2, KEPT, Security),
    k("server", B | L | RING, 1, ANY, ALWAYS, KEPT, Availability),
    k("server", PEERS, 0, ANY, ALWAYS, KEPT, Availability),
    k("server-state-base", GLOBAL, 1, ANY, ALWAYS, KEPT, Availability),
    k("server-state-file", GLOBAL, 1, ANY, ALWAYS, KEPT, Availability),
    k("server-state-file-name", PROXY, 0, 1, ALWAYS, KEPT, Availability),
    k("server-template", B | L, 1, ANY, ALWAYS, KEPT, Share),
    k("set-dumpable", GLOBAL, 0, 1, ALWAYS, KEPT, Process),
    k("set-param", FCGI_APP, 1, ANY, ALWAYS, KEPT, Content),
    k("set-var", GLOBAL, 1, ANY, ALWAYS, KEPT, Content),
    k("set-var-fmt", GLOBAL, 1, ANY, IN_2_6, KEPT, Content),
    k("setcap", GLOBAL, 1, ANY, IN_2_8, KEPT, Security),
    k("setenv", GLOBAL, 2, 2, ALWAYS, KEPT, Process),
    k("shards", PEERS, 1, ANY, IN_2_8, KEPT, Process),
    k("shm-stats-file", GLOBAL, 1, ANY, IN_3_4, KEPT, Process),
    k("shm-stats-file-max-objects", GLOBAL, 1, ANY, IN_3_4, KEPT, Process),
    k("size", RING, 1, ANY, ALWAYS, KEPT, Capacity),
    k("source", PROXY, 1, ANY, ALWAYS, KEPT, Content),
    k("spread-checks", GLOBAL, 1, 1, ALWAYS, KEPT, Availability),
    k("srvtcpka-cnt", PROXY, 1, ANY, ALWAYS, KEPT, Time),
    k("srvtcpka-idle", PROXY, 1, ANY, ALWAYS, KEPT, Time),
    k("srvtcpka-intvl", PROXY, 1, ANY, ALWAYS, KEPT, Time),
    k("ssl-default-bind-ciphers", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("ssl-default-bind-ciphersuites", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("ssl-default-bind-client-sigalgs", GLOBAL, 1, 1, IN_2_8, KEPT, Security),
    k("ssl-default-bind-curves", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("ssl-default-bind-options", GLOBAL, 1, ANY, ALWAYS, KEPT, Security),
    k("ssl-default-bind-sigalgs", GLOBAL, 1, 1, IN_2_8, KEPT, Security),
    k("ssl-default-server-ciphers", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("ssl-default-server-ciphersuites", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("ssl-default-server-client-sigalgs", GLOBAL, 1, 1, IN_3_0, KEPT, Security),
    k("ssl-default-server-curves", GLOBAL, 1, 1, IN_3_0, KEPT, Security),
    k("ssl-default-server-options", GLOBAL, 1, ANY, ALWAYS, KEPT, Security),
    k("ssl-default-server-sigalgs", GLOBAL, 1, 1, IN_3_0, KEPT, Security),
    k("ssl-dh-param-file", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("ssl-engine", GLOBAL, 1, ANY, ALWAYS, KEPT, Security),
    k("ssl-f-use", D | B, 0, ANY, IN_3_2, KEPT, Security),
    k("ssl-f-use", F | L, 1, ANY, IN_3_2, KEPT, Security),
    k("ssl-load-extra-del-ext", GLOBAL, 0, ANY, ALWAYS, KEPT, Security),
    k("ssl-load-extra-files", GLOBAL, 1, ANY, ALWAYS, KEPT, Security),
    k("ssl-mode-async", GLOBAL, 0, ANY, ALWAYS, KEPT, Security),
    k("ssl-passphrase-cmd", GLOBAL, 1, ANY, IN_3_4, KEPT, Security),
    k("ssl-propquery", GLOBAL, 1, ANY, IN_2_6, KEPT, Security),
    k("ssl-provider", GLOBAL, 1, ANY, IN_2_6, KEPT, Security),
    k("ssl-provider-path", GLOBAL, 1, ANY, IN_2_6, KEPT, Security),
    k("ssl-security-level", GLOBAL, 1, ANY, IN_3_0, KEPT, Security),
    k("ssl-server-verify", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("ssl-skip-self-issued-ca", GLOBAL, 0, ANY, ALWAYS, KEPT, Security),
    k("stats", GLOBAL | D | F | B | L, 1, ANY, ALWAYS, KEPT, Observability),
    k("stats-file", GLOBAL, 1, ANY, IN_3_0, KEPT, Observability),
    k("stick", F, 0, ANY, ALWAYS, KEPT, Share),
    k("stick", B | L, 1, ANY, ALWAYS, KEPT, Share),
    k("stick-table", F | B | L, 1, ANY, ALWAYS, KEPT, Share),
    k("stress-level", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("strict-limits", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
    k("table", PEERS, 1, ANY, ALWAYS, KEPT, Share),
    k("tcp-check", PROXY, 1, ANY, ALWAYS, KEPT, Availability),
    k("tcp-request", PROXY, 1, ANY, ALWAYS, KEPT, Unknown),
    k("tcp-response", PROXY, 1, ANY, ALWAYS, KEPT, Unknown),
    k("thread-group", GLOBAL, 1, ANY, IN_2_6, KEPT, Process),
    k("thread-groups", GLOBAL, 1, 1, IN_2_6, KEPT, Process),
    k("thread-hard-limit", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("timeout", D | F | B | L | LOG_FORWARD | MAILERS | RESOLVERS, 1, ANY, ALWAYS, KEPT, Time),
    k("timeout", RING, 0, ANY, ALWAYS, KEPT, Time),
    k("total-max-size", CACHE, 0, 1, ALWAYS, KEPT, Capacity),
    k("trace", GLOBAL, 1, ANY, IN_2_8, GONE_IN_3_2, Observability),
    k("trace", TRACES, 0, ANY, IN_3_2, KEPT, Observability),
    k("transparent", PROXY, 0, 0, ALWAYS, KEPT, Routing),
    k("tune.applet.zero-copy-forwarding", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.buffers.limit", GLOBAL, 0, 1, ALWAYS, KEPT, Process),
    k("tune.buffers.reserve", GLOBAL, 0, 1, ALWAYS, KEPT, Process),
    k("tune.bufsize", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.bufsize.large", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.bufsize.small", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.cli.max-payload-size", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.comp.maxlevel", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.defaults.purge", GLOBAL, 0, 0, IN_3_4, KEPT, Process),
    k("tune.disable-fast-forward", GLOBAL, 0, 0, IN_2_8, KEPT, Process),
    k("tune.disable-zero-copy-forwarding", GLOBAL, 0, 0, IN_3_0, KEPT, Process),
    k("tune.epoll.mask-events", GLOBAL, 0, 1, IN_3_0, KEPT, Process),
    k("tune.events.max-events-at-once", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.fail-alloc", GLOBAL, 0, 1, IN_2_6, KEPT, Process),
    k("tune.fd.edge-triggered", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.glitches.kill.cpu-usage", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.h1.be.glitches-threshold", GLOBAL, 0, 1, IN_3_4, KEPT, Process),
    k("tune.h1.fe.glitches-threshold", GLOBAL, 0, 1, IN_3_4, KEPT, Process),
    k("tune.h1.zero-copy-fwd-recv", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.h1.zero-copy-fwd-send", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.h2.be.glitches-threshold", GLOBAL, 0, 1, IN_2_8, KEPT, Process),
    k("tune.h2.be.initial-window-size", GLOBAL, 0, 1, IN_2_8, KEPT, Process),
    k("tune.h2.be.max-concurrent-streams", GLOBAL, 0, 1, IN_2_8, KEPT, Process),
    k("tune.h2.be.max-frames-at-once", GLOBAL, 0, 1, IN_3_2, KEPT, Process),
    k("tune.h2.be.rxbuf", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.h2.fe.glitches-threshold", GLOBAL, 0, 1, IN_2_8, KEPT, Process),
    k("tune.h2.fe.initial-window-size", GLOBAL, 0, 1, IN_2_8, KEPT, Process),
    k("tune.h2.fe.max-concurrent-streams", GLOBAL, 0, 1, IN_2_8, KEPT, Process),
    k("tune.h2.fe.max-frames-at-once", GLOBAL, 0, 1, IN_3_2, KEPT, Process),
    k("tune.h2.fe.max-rst-at-once", GLOBAL, 0, 1, IN_3_2, KEPT, Process),
    k("tune.h2.fe.max-total-streams", GLOBAL, 0, 1, IN_2_8, KEPT, Process),
    k("tune.h2.fe.rxbuf", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.h2.header-table-size", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.h2.initial-window-size", GLOBAL, 0, 1, ALWAYS, KEPT, Process),
    k("tune.h2.log-errors", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.h2.max-concurrent-streams", GLOBAL, 0, 1, ALWAYS, KEPT, Process),
    k("tune.h2.max-frame-size", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.h2.zero-copy-fwd-send", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.http.cookielen", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.http.logurilen", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.http.maxhdr", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.idle-pool.shared", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.idletimer", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.listener.default-shards", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.listener.multi-queue", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.lua.bool-sample-conversion", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.lua.burst-timeout", GLOBAL, 1, ANY, IN_2_8, KEPT, Process),
    k("tune.lua.forced-yield", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("tune.lua.log.loggers", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.lua.log.stderr", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.lua.maxmem", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("tune.lua.openlibs", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.lua.service-timeout", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("tune.lua.session-timeout", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("tune.lua.task-timeout", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("tune.max-checks-per-thread", GLOBAL, 0, 1, IN_3_0, KEPT, Process),
    k("tune.max-rules-at-once", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.maxaccept", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.maxpollevents", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.maxrewrite", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.memory.hot-size", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.notsent-lowat.client", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.notsent-lowat.server", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.pattern.cache-size", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.peers.max-updates-at-once", GLOBAL, 1, 1, IN_2_6, KEPT, Process),
    k("tune.pipesize", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.pool-high-fd-ratio", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.pool-low-fd-ratio", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.pt.zero-copy-forwarding", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.quic.backend.max-idle-timeou", GLOBAL, 1, 1, IN_2_8, GONE_IN_3_2, Process),
    k("tune.quic.be.cc.cubic-min-losses", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.cc.hystart", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.cc.max-frame-loss", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.cc.max-win-size", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.cc.reorder-ratio", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.max-idle-timeout", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.sec.glitches-threshold", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.stream.data-ratio", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.stream.max-concurrent", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.stream.rxbuf", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.tx.pacing", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.be.tx.udp-gso", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.cc-hystart", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.quic.cc.cubic.min-losses", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.quic.disable-tx-pacing", GLOBAL, 0, 0, IN_3_2, KEPT, Process),
    k("tune.quic.disable-udp-gso", GLOBAL, 0, 0, IN_3_2, KEPT, Process),
    k("tune.quic.fe.cc.cubic-min-losses", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.cc.hystart", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.cc.max-frame-loss", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.cc.max-win-size", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.cc.reorder-ratio", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.max-idle-timeout", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.sec.glitches-threshold", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.sec.retry-threshold", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.sock-per-conn", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.stream.data-ratio", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.stream.max-concurrent", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.stream.max-total", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.stream.rxbuf", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.tx.pacing", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.fe.tx.udp-gso", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.frontend.conn-tx-buffers.limit", GLOBAL, 1, 1, IN_2_8, GONE_IN_3_4, Process),
    k("tune.quic.frontend.default-max-window-size", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.quic.frontend.glitches-threshold", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.quic.frontend.max-data-size", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.quic.frontend.max-idle-timeout", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.quic.frontend.max-streams-bidi", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.quic.frontend.max-tx-mem", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.quic.frontend.stream-data-ratio", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.quic.listen", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.max-frame-loss", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.quic.mem.tx-max", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.quic.reorder-ratio", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.quic.retry-threshold", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.quic.socket-owner", GLOBAL, 1, 1, IN_2_8, KEPT, Process),
    k("tune.quic.zero-copy-fwd-send", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.rcvbuf.backend", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.rcvbuf.client", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.rcvbuf.frontend", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.rcvbuf.server", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.recv_enough", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.renice.runtime", GLOBAL, 0, 1, IN_3_2, KEPT, Process),
    k("tune.renice.startup", GLOBAL, 0, 1, IN_3_2, KEPT, Process),
    k("tune.ring.queues", GLOBAL, 0, 1, IN_3_0, KEPT, Process),
    k("tune.runqueue-depth", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.sched.low-latency", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.sndbuf.backend", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.sndbuf.client", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.sndbuf.frontend", GLOBAL, 1, 1, IN_3_0, KEPT, Process),
    k("tune.sndbuf.server", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("tune.ssl.cachesize", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("tune.ssl.capture-buffer-size", GLOBAL, 1, 1, IN_2_6, KEPT, Security),
    // HAProxy 2.6.12 warns, 2.4.30 does not.
    k("tune.ssl.capture-cipherlist-size", GLOBAL, 1, 1, ALWAYS, KEPT, Security)
        .deprecated(2, 6, "write `tune.ssl.capture-buffer-size`"),
    k("tune.ssl.certificate-compression", GLOBAL, 1, 1, IN_2_8, KEPT, Security),
    k("tune.ssl.default-dh-param", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("tune.ssl.force-private-cache", GLOBAL, 0, 0, ALWAYS, KEPT, Security),
    k("tune.ssl.hard-maxrecord", GLOBAL, 1, 1, IN_2_6, KEPT, Security),
    k("tune.ssl.keylog", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("tune.ssl.keyupdate-rate-limit", GLOBAL, 1, 1, IN_3_4, KEPT, Security),
    k("tune.ssl.lifetime", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("tune.ssl.maxrecord", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("tune.ssl.ocsp-update.maxdelay", GLOBAL, 1, ANY, IN_2_8, KEPT, Security),
    k("tune.ssl.ocsp-update.mindelay", GLOBAL, 1, ANY, IN_2_8, KEPT, Security),
    k("tune.ssl.ssl-ctx-cache-size", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("tune.stick-counters", GLOBAL, 0, ANY, IN_2_8, KEPT, Process),
    k("tune.streams-elasticity", GLOBAL, 1, 1, IN_3_4, KEPT, Process),
    k("tune.takeover-other-tg-connections", GLOBAL, 1, 1, IN_3_2, KEPT, Process),
    k("tune.vars.check-max-size", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("tune.vars.global-max-size", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("tune.vars.proc-max-size", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("tune.vars.reqres-max-size", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("tune.vars.sess-max-size", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("tune.vars.txn-max-size", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("uid", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("ulimit-n", GLOBAL, 1, 1, ALWAYS, KEPT, Process),
    k("unique-id-format", PROXY, 1, ANY, ALWAYS, KEPT, Content),
    k("unique-id-header", PROXY, 1, ANY, ALWAYS, KEPT, Content),
    k("unix-bind", GLOBAL, 0, ANY, ALWAYS, KEPT, Process),
    k("unsetenv", GLOBAL, 1, ANY, ALWAYS, KEPT, Process),
    k("use-fcgi-app", F, 1, 1, ALWAYS, KEPT, Routing),
    k("use-fcgi-app", B | L, 1, ANY, ALWAYS, KEPT, Routing),
    k("use-server", F | B | L, 1, ANY, ALWAYS, KEPT, Routing),
    k("use_backend", F | B | L, 1, ANY, ALWAYS, KEPT, Routing).for_clients(),
    k("user", GLOBAL, 1, 1, ALWAYS, KEPT, Security),
    k("user", PROGRAM, 1, 1, ALWAYS, GONE_IN_3_4, Security),
    k("user", USERLIST, 1, ANY, ALWAYS, KEPT, Security),
    k("usesrc", PROXY, 1, ANY, ALWAYS, KEPT, Routing),
    k("warn-blocked-traffic-after", GLOBAL, 1, ANY, IN_3_0, KEPT, Observability),
    k("zero-warning", GLOBAL, 0, 0, ALWAYS, KEPT, Process),
];

/// Keywords that are refused with advice.
#[rustfmt::skip]
pub(crate) const REMOVED: &[Removed] = &[
    r("appsession", PROXY, "use a `stick-table` with `stick on`, or `cookie`"),
    gone("bind-process", PROXY, Version::new(2, 7), "use `thread` on the `bind` lines"),
    r("block", PROXY, "write `http-request deny` with the same condition"),
    r("cliexp", PROXY, "use `http-request replace-path`, `replace-uri` or `replace-header`"),
    r("clitimeout", PROXY, "write `timeout client`"),
    r("contimeout", PROXY, "write `timeout connect`"),
    r("grace", PROXY, "remove it; `grace` in `global` has taken its place"),
    r("monitor-net", PROXY, "write `http-request return status 200 if { src ADDRESS }`"),
    gone("nbproc", GLOBAL, Version::new(2, 5), "remove it; threads are used without being asked, see `nbthread`"),
    r("redisp", PROXY, "write `option redispatch`"),
    r("redispatch", PROXY, "write `option redispatch`"),
    r("reqadd", PROXY, "use `http-request add-header`"),
    r("reqallow", PROXY, "use `http-request allow`"),
    r("reqdel", PROXY, "use `http-request del-header`"),
    r("reqdeny", PROXY, "use `http-request deny`"),
    r("reqiallow", PROXY, "use `http-request allow`"),
    r("reqidel", PROXY, "use `http-request del-header`"),
    r("reqideny", PROXY, "use `http-request deny`"),
    r("reqipass", PROXY, "remove it; order the `http-request` rules instead"),
    r("reqirep", PROXY, "use `http-request replace-header`"),
    r("reqitarpit", PROXY, "use `http-request tarpit`"),
    r("reqpass", PROXY, "remove it; order the `http-request` rules instead"),
    r("reqrep", PROXY, "use `http-request replace-header`"),
    r("reqtarpit", PROXY, "use `http-request tarpit`"),
    r("resolution_pool_size", RESOLVERS, "remove it"),
    r("rspadd", PROXY, "use `http-response add-header`"),
    r("rspdel", PROXY, "use `http-response del-header`"),
    r("rspdeny", PROXY, "use `http-response deny`"),
    r("rspidel", PROXY, "use `http-response del-header`"),
    r("rspideny", PROXY, "use `http-response deny`"),
    r("rspirep", PROXY, "use `http-response replace-header`"),
    r("rsprep", PROXY, "use `http-response replace-header`"),
    r("srvexp", PROXY, "use `http-response replace-header`"),
    r("srvtimeout", PROXY, "write `timeout server`"),
    r("tune.chksize", GLOBAL, "remove it; `tune.bufsize` holds for checks too"),
];

/// Words after `option` in proxy sections.
#[rustfmt::skip]
pub(crate) const OPTIONS: &[ProxyOption] = &[
    o("abortonclose", 0, NO, ALWAYS, KEPT, Availability).for_servers().refused().until_3_3(),
    // HAProxy 3.2.26 warns of both, 3.0.11 does not; 3.1 does not know the successors either.
    o("accept-invalid-http-request", 0, NEVER, ALWAYS, KEPT, Routing).for_clients()
        .deprecated(3, 2, "fix the clients, or write `option accept-unsafe-violations-in-http-request`"),
    o("accept-invalid-http-response", 0, NEVER, ALWAYS, KEPT, Content).for_servers()
        .deprecated(3, 2, "fix the servers, or write `option accept-unsafe-violations-in-http-response`"),
    o("accept-unsafe-violations-in-http-request", 0, NO, IN_3_2, KEPT, Routing).for_clients().refused(),
    o("accept-unsafe-violations-in-http-response", 0, NO, IN_3_2, KEPT, Content).for_servers().refused(),
    o("allbackups", 0, NO, ALWAYS, KEPT, Share).for_servers().refused(),
    o("assume-rfc6587-ntf", 0, NO, IN_3_2, KEPT, Observability).for_clients().refused(),
    o("checkcache", 0, NO, ALWAYS, KEPT, Content).for_servers().refused(),
    o("clitcpka", 0, NO, ALWAYS, KEPT, Time).for_clients().refused(),
    o("contstats", 0, NO, ALWAYS, KEPT, Observability).for_clients().refused(),
    o("disable-h2-upgrade", 0, NO, ALWAYS, KEPT, Routing).for_clients().refused(),
    o("dont-parse-log", 0, NO, IN_3_2, KEPT, Observability).for_clients().refused(),
    o("dontlog-normal", 0, NO, ALWAYS, KEPT, Observability).for_clients().refused(),
    o("dontlognull", 0, NO, ALWAYS, KEPT, Observability).for_clients().refused(),
    o("external-check", 0, NEVER, ALWAYS, KEPT, Availability),
    o("forwarded", ANY, NO, IN_2_8, KEPT, Content).for_servers(),
    o("forwardfor", ANY, NEVER, ALWAYS, KEPT, Content),
    o("h1-case-adjust-bogus-client", 0, NO, ALWAYS, KEPT, Content).for_clients().refused(),
    o("h1-case-adjust-bogus-server", 0, NO, ALWAYS, KEPT, Content).for_servers().refused(),
    o("http-buffer-request", 0, NO, ALWAYS, KEPT, Capacity),
    o("http-drop-request-trailers", 0, NO, IN_3_2, KEPT, Content).for_servers().refused(),
    o("http-drop-response-trailers", 0, NO, IN_3_2, KEPT, Content).for_clients().refused(),
    o("http-ignore-probes", 0, NO, ALWAYS, KEPT, Routing).for_clients().refused(),
    o("http-keep-alive", 0, NO, ALWAYS, KEPT, Capacity),
    o("http-no-delay", 0, NO, ALWAYS, KEPT, Capacity),
    o("http-pretend-keepalive", 0, NO, ALWAYS, KEPT, Capacity).for_servers().refused(),
    o("http-restrict-req-hdr-names", 1, NEVER, ALWAYS, KEPT, Content),
    o("http-server-close", 0, NO, ALWAYS, KEPT, Capacity),
    o("http-use-proxy-header", 0, NO, ALWAYS, KEPT, Routing).for_clients().refused(),
    o("httpchk", ANY, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("httpclose", 0, NO, ALWAYS, KEPT, Capacity),
    o("httplog", 1, NEVER, ALWAYS, KEPT, Observability).for_clients(),
    o("httpslog", ANY, NEVER, IN_2_6, KEPT, Observability).for_clients(),
    o("idle-close-on-response", 0, NO, ALWAYS, KEPT, Capacity).for_clients().refused(),
    o("independent-streams", 0, NO, ALWAYS, KEPT, Capacity),
    o("ldap-check", 0, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("log-health-checks", 0, NO, ALWAYS, KEPT, Availability).for_servers().refused(),
    o("log-separate-errors", 0, NO, ALWAYS, KEPT, Observability).for_clients().refused(),
    o("logasap", 0, NO, ALWAYS, KEPT, Observability).for_clients().refused(),
    o("mysql-check", ANY, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("nolinger", 0, NO, ALWAYS, KEPT, Capacity),
    o("originalto", ANY, NEVER, ALWAYS, KEPT, Content),
    o("persist", 0, NO, ALWAYS, KEPT, Share).for_servers().refused(),
    o("pgsql-check", 2, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("prefer-last-server", 0, NO, ALWAYS, KEPT, Share).for_servers().refused(),
    o("redis-check", 0, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("redispatch", ANY, NO, ALWAYS, KEPT, Availability).for_servers(),
    o("smtpchk", 2, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("socket-stats", 0, NO, ALWAYS, KEPT, Observability).for_clients().refused(),
    o("splice-auto", 0, NO, ALWAYS, KEPT, Capacity),
    o("splice-request", 0, NO, ALWAYS, KEPT, Capacity),
    o("splice-response", 0, NO, ALWAYS, KEPT, Capacity),
    o("spop-check", 0, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("srvtcpka", 0, NO, ALWAYS, KEPT, Time).for_servers().refused(),
    o("ssl-hello-chk", 0, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("tcp-check", 0, NEVER, ALWAYS, KEPT, Availability).for_servers(),
    o("tcp-smart-accept", 0, NO, ALWAYS, KEPT, Capacity).for_clients().refused(),
    o("tcp-smart-connect", 0, NO, ALWAYS, KEPT, Capacity).for_servers().refused(),
    o("tcpka", 0, NEVER, ALWAYS, KEPT, Time),
    o("tcplog", 1, NEVER, ALWAYS, KEPT, Observability).for_clients(),
    // HAProxy 3.4.7 warns, 3.2.26 does not; the program says 3.3 itself, and that 3.5 removes it.
    o("transparent", 0, NO, ALWAYS, KEPT, Routing).for_servers().refused()
        .deprecated(3, 3, "write a server with the address 0.0.0.0"),
    o("use-small-buffers", ANY, NO, IN_3_4, KEPT, Capacity).for_servers(),
];

/// Options that are refused with advice.
pub(crate) const REMOVED_OPTIONS: &[Removed] = &[
    r("forceclose", PROXY, "write `option httpclose`"),
    r("http-tunnel", PROXY, "remove it; `option http-keep-alive` is the default"),
    r("http_proxy", PROXY, "use `http-request do-resolve` and `http-request set-dst`"),
];

/// Keywords that may follow `no` and `default`, beside `option`.
pub(crate) const NEGATABLE: &[&str] = &[
    "busy-polling",
    "insecure-fork-wanted",
    "log",
    "numa-cpu-mapping",
    "option",
    "set-dumpable",
    "strict-limits",
];
