//! What may follow a keyword: the kinds of its arguments, as data.
//!
//! A keyword that is not listed is judged by the number of its arguments alone.

use super::statements::{B, D, F, GLOBAL, L, PEERS, PROXY, RESOLVERS, place};
use super::versions::{ALWAYS, IN_3_0, IN_3_2, KEPT};
use super::{Entry, e};
use crate::haproxy::syntax::SectionKind;
use Takes::{
    Address, Anything, Bytes, Count, Expression, Format, Known, Level, List, Maybe, Name, Number, Octal,
    OneOf, Regex, Size, Stored, Time,
};
use Then::{Condition, End, Free, Params};

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Takes {
    /// Any word.
    Anything,
    /// Any word, or none at the end of the line.
    Maybe,
    /// A time; the unit of a bare number is milliseconds.
    Time,
    /// A time; the unit of a bare number is seconds.
    Seconds,
    /// A size such as `16k`.
    Size,
    /// A size of at least this, of which versions before 3.1 read the digits alone: `16k` was 16.
    Bytes(i64),
    /// A whole number in this range, and nothing after it.
    Number(i64, i64),
    /// A number of which the program reads the digits at the start, taking the rest for nothing; in this range.
    Count(i64, i64),
    /// File permissions.
    Octal,
    /// An address with or without a port.
    Address,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these words, as far as the version knows it.
    Known(&'static [Entry]),
    /// Some of these, separated by commas, as far as the version knows them; each may have an argument.
    Stored(&'static [Entry]),
    /// Facility and level of a log.
    Level,
    /// A log format.
    Format,
    /// A sample expression, which may run over several words.
    Expression,
    /// A regular expression.
    Regex,
    /// The name of a section of this kind.
    Name(SectionKind),
    /// Some of these words, separated by commas.
    List(&'static [&'static str]),
}

/// What may follow the arguments that stand in their places.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// Nothing.
    End,
    /// Anything.
    Free,
    /// `if` or `unless` with a condition; true where one must follow.
    Condition(bool),
    /// Words in any order, each with its own arguments.
    Params(&'static [Param]),
    /// The same, and then a condition.
    ParamsThenCondition(&'static [Param]),
}

/// A word with its arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    /// The word.
    pub(crate) word: &'static str,
    /// Kinds of what must follow it.
    pub(crate) takes: &'static [Takes],
}

/// The form of the lines of a keyword.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// The keyword.
    pub(crate) keyword: &'static str,
    /// The word that must follow it for this form. Empty: any, or none.
    pub(crate) first: &'static str,
    /// Sections, one bit each.
    pub(crate) places: u32,
    /// Kinds of the arguments that stand in their places, after `first`.
    pub(crate) takes: &'static [Takes],
    /// How many of them may be left out, from the end.
    pub(crate) optional: usize,
    pub(crate) then: Then,
}

const fn p(word: &'static str, takes: &'static [Takes]) -> Param {
    Param { word, takes }
}

const fn m(
    keyword: &'static str,
    first: &'static str,
    places: u32,
    takes: &'static [Takes],
    optional: usize,
    then: Then,
) -> Form {
    Form { keyword, first, places, takes, optional, then }
}

const RING: u32 = place(SectionKind::Ring);
const USERLIST: u32 = place(SectionKind::Userlist);
const MAILERS: u32 = place(SectionKind::Mailers);
const LOG_FORWARD: u32 = place(SectionKind::LogForward);
const HTTP_ERRORS: u32 = place(SectionKind::HttpErrors);

const ON_OFF: Takes = OneOf(&["on", "off"]);
const TLS_VERSION: Takes = OneOf(&["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]);
const NATURAL: Takes = Number(0, i64::MAX);
const STATUS: Takes = OneOf(STATUSES);

/// The statuses HAProxy has pages for.
pub(crate) const STATUSES: &[&str] = &[
    "200", "400", "401", "403", "404", "405", "407", "408", "410", "413", "414", "421", "422", "425", "429",
    "431", "500", "501", "502", "503", "504",
];

/// What `set-log-level` takes: the levels of a log, and `silent`.
pub(crate) const LEVELS: &[&str] =
    &["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "silent"];

/// The levels of a log.
pub(crate) const LOG_LEVELS: &[&str] = LEVELS.split_at(LEVELS.len() - 1).0;

#[rustfmt::skip]
const TLS_OPTIONS: &[Param] = &[
    p("force-sslv3", &[]), p("force-tlsv10", &[]), p("force-tlsv11", &[]), p("force-tlsv12", &[]),
    p("force-tlsv13", &[]), p("no-sslv3", &[]), p("no-tlsv10", &[]), p("no-tlsv11", &[]), p("no-tlsv12", &[]),
    p("no-tlsv13", &[]), p("no-tls-tickets", &[]), p("tls-tickets", &[]), p("prefer-client-ciphers", &[]),
    p("ssl-min-ver", &[TLS_VERSION]), p("ssl-max-ver", &[TLS_VERSION]), p("strict-sni", &[]),
    p("no-strict-sni", &[]), p("renegotiate", &[]), p("no-renegotiate", &[]),
];

#[rustfmt::skip]
const TABLE_TYPES: &[Entry] = &[
    e("binary", 0, ALWAYS, KEPT), e("integer", 0, ALWAYS, KEPT), e("ip", 0, ALWAYS, KEPT), e("ipv4", 0, IN_3_2, KEPT),
    e("ipv6", 0, ALWAYS, KEPT), e("string", 0, ALWAYS, KEPT),
];

/// What a stick table can store.
#[rustfmt::skip]
const STORED: &[Entry] = &[
    e("bytes_in_cnt", 0, ALWAYS, KEPT),
    e("bytes_in_rate", 0, ALWAYS, KEPT),
    e("bytes_out_cnt", 0, ALWAYS, KEPT),
    e("bytes_out_rate", 0, ALWAYS, KEPT),
    e("conn_cnt", 0, ALWAYS, KEPT),
    e("conn_cur", 0, ALWAYS, KEPT),
    e("conn_rate", 0, ALWAYS, KEPT),
    e("glitch_cnt", 0, IN_3_0, KEPT),
    e("glitch_rate", 0, IN_3_0, KEPT),
    e("gpc", 0, ALWAYS, KEPT),
    e("gpc0", 0, ALWAYS, KEPT),
    e("gpc0_rate", 0, ALWAYS, KEPT),
    e("gpc1", 0, ALWAYS, KEPT),
    e("gpc1_rate", 0, ALWAYS, KEPT),
    e("gpc_rate", 0, ALWAYS, KEPT),
    e("gpt", 0, ALWAYS, KEPT),
    e("gpt0", 0, ALWAYS, KEPT),
    e("http_err_cnt", 0, ALWAYS, KEPT),
    e("http_err_rate", 0, ALWAYS, KEPT),
    e("http_fail_cnt", 0, ALWAYS, KEPT),
    e("http_fail_rate", 0, ALWAYS, KEPT),
    e("http_req_cnt", 0, ALWAYS, KEPT),
    e("http_req_rate", 0, ALWAYS, KEPT),
    e("server_id", 0, ALWAYS, KEPT),
    e("server_key", 0, ALWAYS, KEPT),
    e("server_name", 0, ALWAYS, KEPT),
    e("sess_cnt", 0, ALWAYS, KEPT),
    e("sess_rate", 0, ALWAYS, KEPT),
];

const SMALL_BUFFERS: &[Param] = &[p("queue", &[]), p("l7-retries", &[]), p("check", &[])];

#[rustfmt::skip]
const STICK_TABLE: &[Param] = &[
    p("type", &[Known(TABLE_TYPES)]), p("len", &[Number(1, i64::MAX)]),
    p("size", &[Size]), p("expire", &[Time]), p("nopurge", &[]), p("peers", &[Name(SectionKind::Peers)]), p("store", &[Stored(STORED)]),
    p("srvkey", &[OneOf(&["name", "addr"])]), p("write-to", &[Anything]), p("recv-only", &[]),
    p("brates-factor", &[Number(1, 1024)]),
];

#[rustfmt::skip]
const TRACE: &[Param] = &[
    p("name", &[Anything]), p("random-parsing", &[]), p("random-forwarding", &[]), p("hexdump", &[]), p("quiet", &[]),
    p("max-fwd", &[Anything]),
];

const STICK: &[Param] = &[p("table", &[Anything])];

#[rustfmt::skip]
const CHECK_CONNECT: &[Param] = &[
    p("default", &[]), p("port", &[Anything]), p("addr", &[Address]), p("send-proxy", &[]), p("via-socks4", &[]),
    p("ssl", &[]), p("sni", &[Anything]), p("alpn", &[Anything]), p("proto", &[Anything]), p("linger", &[]),
    p("comment", &[Anything]),
];

#[rustfmt::skip]
const CHECK_SEND: &[Param] = &[
    p("meth", &[Anything]), p("uri", &[Anything]), p("uri-lf", &[Format]), p("ver", &[Anything]),
    p("hdr", &[Anything, Format]), p("body", &[Anything]), p("body-lf", &[Format]), p("comment", &[Anything]),
];

const COMMENT: &[Param] = &[p("comment", &[Anything])];

/// Words of `expect` that describe the answer; the last one is followed by a pattern.
#[rustfmt::skip]
pub(crate) const EXPECT: &[Param] = &[
    p("comment", &[Anything]), p("min-recv", &[Number(-1, i32::MAX as i64)]), p("on-success", &[Format]),
    p("on-error", &[Format]), p("status-code", &[Expression]), p("tout-status", &[Anything]),
    p("ok-status", &[Anything]), p("error-status", &[Anything]),
];

/// Patterns of `http-check expect`, without their `!`.
pub(crate) const HTTP_PATTERNS: &[&str] =
    &["string", "rstring", "string-lf", "status", "rstatus", "hdr", "fhdr"];

/// Patterns of `tcp-check expect`, without their `!`.
pub(crate) const TCP_PATTERNS: &[&str] =
    &["string", "rstring", "string-lf", "binary", "rbinary", "binary-lf"];

#[rustfmt::skip]
const UNIX_BIND: &[Param] = &[
    p("prefix", &[Maybe]), p("mode", &[Maybe]), p("uid", &[Maybe]), p("gid", &[Maybe]),
    p("user", &[Maybe]), p("group", &[Maybe]),
];

const SOURCE: &[Param] = &[p("usesrc", &[Anything]), p("interface", &[Anything])];

/// Protocols that a listener or a server can be told to speak.
const PROTOCOL: Takes = OneOf(&["fcgi", "h1", "h2", "none", "qmux", "quic", "spop"]);

/// Kinds of the arguments of words of `bind`, where they are more than a text. Sorted.
#[rustfmt::skip]
pub(crate) const BIND_VALUES: &[Param] = &[
    p("accept-netscaler-cip", &[Count(1, u32::MAX as i64)]),
    p("backlog", &[Count(0, i32::MAX as i64)]),
    p("expose-fd", &[OneOf(&["listeners"])]),
    p("id", &[Number(1, i32::MAX as i64)]),
    p("level", &[OneOf(&["user", "operator", "admin"])]),
    p("maxconn", &[Count(0, i32::MAX as i64)]),
    p("mode", &[Octal]),
    p("mss", &[Number(-65_535, 65_535)]),
    p("proto", &[PROTOCOL]),
    p("severity-output", &[OneOf(&["none", "number", "string"])]),
    p("ssl-max-ver", &[TLS_VERSION]),
    p("ssl-min-ver", &[TLS_VERSION]),
    p("tcp-ut", &[Time]),
    p("verify", &[OneOf(&["none", "optional", "required"])]),
];

/// The same for words of `server`. What shapes the model is judged where it is lowered.
#[rustfmt::skip]
pub(crate) const SERVER_VALUES: &[Param] = &[
    p("addr", &[Address]),
    p("agent-addr", &[Address]),
    p("check-proto", &[PROTOCOL]),
    p("idle-ping", &[Time]),
    p("init-state", &[OneOf(&["none", "fully-up", "up", "down", "fully-down"])]),
    p("log-proto", &[OneOf(&["legacy", "octet-count"])]),
    p("observe", &[OneOf(&["none", "layer4", "layer7"])]),
    p("on-error", &[OneOf(&["fastinter", "fail-check", "sudden-death", "mark-down"])]),
    p("on-marked-down", &[OneOf(&["shutdown-sessions"])]),
    p("on-marked-up", &[OneOf(&["shutdown-backup-sessions"])]),
    p("pool-max-conn", &[Count(-1, i32::MAX as i64)]),
    p("pool-purge-delay", &[Time]),
    p("proto", &[PROTOCOL]),
    p("proxy-v2-options", &[List(&["ssl", "cert-cn", "cert-key", "cert-sig", "ssl-cipher", "authority", "crc32c", "unique-id"])]),
    p("resolve-opts", &[List(&["allow-dup-ip", "ignore-weight", "prevent-dup-ip"])]),
    p("resolve-prefer", &[OneOf(&["ipv4", "ipv6"])]),
    p("socks4", &[Address]),
    p("source", &[Address]),
    p("ssl-max-ver", &[TLS_VERSION]),
    p("ssl-min-ver", &[TLS_VERSION]),
    p("verify", &[OneOf(&["none", "required"])]),
    p("ws", &[OneOf(&["auto", "h1", "h2"])]),
];

/// The forms, sorted by keyword. Of several that fit, the first one counts.
#[rustfmt::skip]
pub(crate) const FORMS: &[Form] = &[
    m("accepted_payload_size", "", RESOLVERS, &[Count(512, 65_535)], 0, Free),
    m("backlog", "", PROXY, &[NATURAL], 0, End),
    m("capture", "cookie", PROXY, &[Anything, Anything, Anything, Anything], 1, End),
    m("capture", "request", PROXY, &[OneOf(&["header"]), Anything, OneOf(&["len"]), Anything], 0, End),
    m("capture", "response", PROXY, &[OneOf(&["header"]), Anything, OneOf(&["len"]), Anything], 0, End),
    m("clitcpka-cnt", "", PROXY, &[NATURAL], 0, Free),
    m("clitcpka-idle", "", PROXY, &[Takes::Seconds], 0, Free),
    m("clitcpka-intvl", "", PROXY, &[Takes::Seconds], 0, Free),
    m("compression", "", PROXY, &[OneOf(&["algo", "algo-req", "algo-res", "direction", "minsize-req", "minsize-res", "offload", "type", "type-req", "type-res"])], 0, Free),
    m("declare", "capture", F | L, &[OneOf(&["request", "response"]), OneOf(&["len"]), Number(1, i32::MAX as i64)], 0, End),
    m("default-path", "origin", GLOBAL, &[Anything], 0, Free),
    m("default-path", "", GLOBAL, &[OneOf(&["current", "config", "parent", "origin"])], 0, Free),
    m("email-alert", "", PROXY, &[OneOf(&["from", "level", "mailers", "myhostname", "to"])], 0, Free),
    m("errorfile", "", PROXY | HTTP_ERRORS, &[STATUS, Anything], 0, End),
    m("errorfiles", "", PROXY, &[Name(SectionKind::HttpErrors)], 0, Free),
    m("errorloc", "", PROXY, &[STATUS, Anything], 0, Free),
    m("errorloc302", "", PROXY, &[STATUS, Anything], 0, Free),
    m("errorloc303", "", PROXY, &[STATUS, Anything], 0, Free),
    m("external-check", "", PROXY, &[OneOf(&["command", "path"]), Anything], 0, Free),
    m("filter", "cache", PROXY, &[Name(SectionKind::Cache)], 0, Free),
    m("filter", "compression", PROXY, &[], 0, End),
    m("filter", "trace", PROXY, &[], 0, Params(TRACE)),
    m("fullconn", "", PROXY, &[Anything], 0, End),
    m("group", "", USERLIST, &[Anything], 0, Params(&[p("users", &[Anything])])),
    m("hard-stop-after", "", GLOBAL, &[Time], 0, Free),
    m("hold", "", RESOLVERS, &[OneOf(&["nx", "refused", "timeout", "other", "valid", "obsolete"]), Time], 0, Free),
    m("http-check", "comment", PROXY, &[Anything], 0, Free),
    m("http-check", "connect", PROXY, &[], 0, Params(CHECK_CONNECT)),
    m("http-check", "disable-on-404", PROXY, &[], 0, End),
    m("http-check", "send", PROXY, &[], 0, Params(CHECK_SEND)),
    m("http-check", "send-state", PROXY, &[], 0, End),
    m("http-error", "", PROXY, &[OneOf(&["status"]), STATUS], 0, Free),
    m("http-reuse", "", PROXY, &[OneOf(&["never", "safe", "aggressive", "always"])], 0, End),
    m("id", "", PROXY, &[Count(1, i32::MAX as i64)], 0, End),
    m("load-server-state-from-file", "", PROXY, &[OneOf(&["global", "local", "none"])], 0, Free),
    m("log", "global", D | F | B | L | PEERS | LOG_FORWARD, &[], 0, End),
    m("master-worker", "", GLOBAL, &[OneOf(&["no-exit-on-failure"])], 1, End),
    m("max-keep-alive-queue", "", PROXY, &[Number(-1, i32::MAX as i64)], 0, End),
    m("max-spread-checks", "", GLOBAL, &[Time], 0, End),
    m("maxconn", "", PROXY, &[Anything], 0, End),
    m("nbthread", "", GLOBAL, &[Number(1, 4096)], 0, End),
    m("option", "forwardfor", PROXY, &[], 0, Params(&[p("except", &[Address]), p("header", &[Anything]), p("if-none", &[])])),
    m("option", "http-restrict-req-hdr-names", PROXY, &[OneOf(&["preserve", "delete", "reject"])], 0, End),
    m("option", "httplog", PROXY, &[OneOf(&["clf"])], 1, End),
    m("option", "mysql-check", PROXY, &[OneOf(&["user"]), Anything, OneOf(&["post-41", "pre-41", "post-80"])], 3, End),
    m("option", "originalto", PROXY, &[], 0, Params(&[p("except", &[Address]), p("header", &[Anything])])),
    m("option", "pgsql-check", PROXY, &[OneOf(&["user"]), Anything], 0, End),
    m("option", "redispatch", PROXY, &[Anything], 1, Free),
    m("option", "tcplog", PROXY, &[OneOf(&["clf"])], 1, End),
    m("option", "use-small-buffers", PROXY, &[], 0, Params(SMALL_BUFFERS)),
    m("rate-limit", "", PROXY, &[OneOf(&["sessions"]), NATURAL], 0, Free),
    m("resolve_retries", "", RESOLVERS, &[Anything], 0, Free),
    m("retries", "", PROXY, &[Anything], 0, End),
    m("source", "", PROXY, &[Address], 0, Params(SOURCE)),
    m("spread-checks", "", GLOBAL, &[Count(0, 50)], 0, End),
    m("srvtcpka-cnt", "", PROXY, &[NATURAL], 0, Free),
    m("srvtcpka-idle", "", PROXY, &[Takes::Seconds], 0, Free),
    m("srvtcpka-intvl", "", PROXY, &[Takes::Seconds], 0, Free),
    m("ssl-default-bind-options", "", GLOBAL, &[], 0, Params(TLS_OPTIONS)),
    m("ssl-default-server-options", "", GLOBAL, &[], 0, Params(TLS_OPTIONS)),
    m("ssl-server-verify", "", GLOBAL, &[OneOf(&["none", "required"])], 0, End),
    m("stats", "admin", PROXY, &[], 0, Condition(true)),
    m("stats", "auth", PROXY, &[Anything], 0, Free),
    m("stats", "enable", PROXY, &[], 0, Free),
    m("stats", "hide-version", PROXY, &[], 0, Free),
    m("stats", "http-request", PROXY, &[OneOf(&["allow", "auth", "deny"])], 0, Then::ParamsThenCondition(&[p("realm", &[Anything])])),
    m("stats", "maxconn", GLOBAL, &[Count(1, i32::MAX as i64)], 0, Free),
    m("stats", "realm", PROXY, &[Anything], 0, Free),
    m("stats", "refresh", PROXY, &[Takes::Seconds], 0, Free),
    m("stats", "scope", PROXY, &[Anything], 0, Free),
    m("stats", "show-desc", PROXY, &[Anything], 1, Free),
    m("stats", "show-legends", PROXY, &[], 0, Free),
    m("stats", "show-modules", PROXY, &[], 0, Free),
    m("stats", "show-node", PROXY, &[Anything], 1, Free),
    m("stats", "timeout", GLOBAL, &[Time], 0, Free),
    m("stats", "uri", PROXY, &[Anything], 0, Free),
    m("stick", "match", B | L, &[Expression], 0, Then::ParamsThenCondition(STICK)),
    m("stick", "on", B | L, &[Expression], 0, Then::ParamsThenCondition(STICK)),
    m("stick", "store-request", B | L, &[Expression], 0, Then::ParamsThenCondition(STICK)),
    m("stick", "store-response", B | L, &[Expression], 0, Then::ParamsThenCondition(STICK)),
    m("stick-table", "", PROXY, &[], 0, Params(STICK_TABLE)),
    m("table", "", PEERS, &[Anything], 0, Params(STICK_TABLE)),
    m("tcp-check", "comment", PROXY, &[Anything], 0, Free),
    m("tcp-check", "connect", PROXY, &[], 0, Params(CHECK_CONNECT)),
    m("tcp-check", "send", PROXY, &[Anything], 0, Params(COMMENT)),
    m("tcp-check", "send-binary", PROXY, &[Anything], 0, Params(COMMENT)),
    m("tcp-check", "send-binary-lf", PROXY, &[Format], 0, Params(COMMENT)),
    m("tcp-check", "send-lf", PROXY, &[Format], 0, Params(COMMENT)),
    m("timeout", "", D | F | B | L, &[Anything, Anything], 2, End),
    m("timeout", "", RESOLVERS, &[OneOf(&["resolve", "retry"]), Time], 0, Free),
    m("timeout", "", RING, &[OneOf(&["connect", "server"]), Time], 0, Free),
    m("timeout", "", MAILERS, &[OneOf(&["mail"]), Time], 0, Free),
    m("tune.bufsize", "", GLOBAL, &[Bytes(1)], 0, End),
    m("tune.bufsize.large", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.bufsize.small", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.cli.max-payload-size", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.comp.maxlevel", "", GLOBAL, &[Count(1, 9)], 0, End),
    m("tune.notsent-lowat.client", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.notsent-lowat.server", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.pipesize", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.rcvbuf.backend", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.rcvbuf.client", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.rcvbuf.frontend", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.rcvbuf.server", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.recv_enough", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.sndbuf.backend", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.sndbuf.client", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.sndbuf.frontend", "", GLOBAL, &[Bytes(0)], 0, End),
    m("tune.sndbuf.server", "", GLOBAL, &[Bytes(0)], 0, End),
    m("unix-bind", "", GLOBAL, &[], 0, Params(UNIX_BIND)),
    m("use-fcgi-app", "", B | L, &[Name(SectionKind::FcgiApp)], 0, Free),
    m("user", "", USERLIST, &[Anything], 0, Params(&[p("password", &[Anything]), p("insecure-password", &[Anything]), p("groups", &[Anything])])),
];

/// The arguments of actions, sorted by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActionForm {
    /// The action, without parentheses.
    pub(crate) name: &'static str,
    pub(crate) takes: &'static [Takes],
    pub(crate) then: Then,
}

const fn n(name: &'static str, takes: &'static [Takes], then: Then) -> ActionForm {
    ActionForm { name, takes, then }
}

const IF: Then = Condition(false);

/// The arguments of actions. An action that is not listed is judged elsewhere, or not at all.
#[rustfmt::skip]
pub(crate) const ACTION_FORMS: &[ActionForm] = &[
    n("accept", &[], IF),
    n("add-acl", &[Format], IF),
    n("add-header", &[Anything, Format], IF),
    n("allow", &[], IF),
    n("attach-srv", &[Anything], Free),
    n("auth", &[], Then::ParamsThenCondition(&[p("realm", &[Anything])])),
    n("cache-store", &[Name(SectionKind::Cache)], IF),
    n("cache-use", &[Name(SectionKind::Cache)], IF),
    n("capture", &[Expression, OneOf(&["len", "id"]), Number(0, i32::MAX as i64)], IF),
    n("close", &[], IF),
    n("del-acl", &[Format], IF),
    n("del-header", &[Anything], Then::ParamsThenCondition(&[p("-m", &[OneOf(&["str", "beg", "end", "sub", "reg"])])])),
    n("del-map", &[Format], IF),
    n("disable-l7-retry", &[], IF),
    n("early-hint", &[Anything, Format], IF),
    n("expect-netscaler-cip", &[OneOf(&["layer4"])], IF),
    n("expect-proxy", &[OneOf(&["layer4"])], IF),
    n("pause", &[Anything], IF),
    n("reject", &[], IF),
    n("replace-header", &[Anything, Regex, Format], IF),
    n("replace-path", &[Regex, Format], IF),
    n("replace-pathq", &[Regex, Format], IF),
    n("replace-uri", &[Regex, Format], IF),
    n("replace-value", &[Anything, Regex, Format], IF),
    n("sc-inc-gpc0", &[], IF),
    n("sc-inc-gpc1", &[], IF),
    n("send-spoe-group", &[Anything, Anything], IF),
    n("set-dst", &[Expression], IF),
    n("set-dst-port", &[Expression], IF),
    n("set-header", &[Anything, Format], IF),
    n("set-log-level", &[Level], IF),
    n("set-map", &[Format, Format], IF),
    n("set-method", &[Format], IF),
    n("set-nice", &[Count(i64::MIN, i64::MAX)], IF),
    n("set-path", &[Format], IF),
    n("set-pathq", &[Format], IF),
    n("set-priority-class", &[Expression], IF),
    n("set-priority-offset", &[Expression], IF),
    n("set-query", &[Format], IF),
    n("set-src", &[Expression], IF),
    n("set-src-port", &[Expression], IF),
    n("set-status", &[Number(100, 999)], Then::ParamsThenCondition(&[p("reason", &[Anything])])),
    n("set-uri", &[Format], IF),
    n("set-var", &[Expression], IF),
    n("set-var-fmt", &[Format], IF),
    n("silent-drop", &[], Then::ParamsThenCondition(&[p("rst-ttl", &[Number(0, 255)])])),
    n("strict-mode", &[ON_OFF], IF),
    n("switch-mode", &[OneOf(&["http"])], Then::ParamsThenCondition(&[p("proto", &[Anything])])),
    n("unset-var", &[], IF),
    n("wait-for-body", &[OneOf(&["time"]), Time], Then::ParamsThenCondition(&[p("at-least", &[Size])])),
    n("wait-for-handshake", &[], IF),
];
