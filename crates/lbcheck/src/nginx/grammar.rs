//! The words of directives that read them with code of their own, one directive a line: data, easy to extend.
//!
//! Every line was tried on nginx 1.18, 1.22, 1.26 and 1.30, right and wrong. What needs more than words in places and
//! named parameters is in `special.rs`.

use super::argument_kinds::ArgumentKind::{self, *};
use crate::dialect::Version;

/// A word that may stand after those in fixed places: a flag, or a key that ends in `=` and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) text: &'static str,
    /// What follows the `=`.
    pub(super) value: ArgumentKind,
    /// The version it appeared in, where that is later than the oldest version looked at (1.18).
    pub(super) since: Option<Version>,
    /// Only the commercial edition has it.
    pub(super) plus: bool,
}

/// What the arguments of a directive are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// The directives this holds for.
    pub(super) names: &'static [&'static str],
    /// How their modules begin.
    pub(super) module: &'static str,
    /// The first word this holds for; empty for any.
    pub(super) when: &'static str,
    /// A first word that leaves nothing more to say.
    pub(super) instead: &'static [&'static str],
    /// The words in fixed places.
    pub(super) places: &'static [ArgumentKind],
    /// The words after those, in any order.
    pub(super) named: &'static [Named],
    /// Keys that must be there.
    pub(super) needs: &'static [&'static str],
}

const fn g(names: &'static [&'static str], module: &'static str) -> Grammar {
    Grammar { names, module, when: "", instead: &[], places: &[], named: &[], needs: &[] }
}

impl Grammar {
    const fn when(mut self, when: &'static str) -> Self {
        self.when = when;
        self
    }

    const fn or(mut self, instead: &'static [&'static str]) -> Self {
        self.instead = instead;
        self
    }

    const fn at(mut self, places: &'static [ArgumentKind]) -> Self {
        self.places = places;
        self
    }

    const fn with(mut self, named: &'static [Named]) -> Self {
        self.named = named;
        self
    }

    const fn needs(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }
}

const fn k(text: &'static str, value: ArgumentKind) -> Named {
    Named { text, value, since: None, plus: false }
}

const fn flag(text: &'static str) -> Named {
    k(text, Text)
}

impl Named {
    const fn since(mut self, minor: u16, patch: u16) -> Self {
        self.since = Some(Version { major: 1, minor, patch });
        self
    }

    const fn plus(mut self) -> Self {
        self.plus = true;
        self
    }
}

/// The least shared memory: eight pages, of 4k where they are smallest.
pub(super) const LEAST_ZONE: u64 = 8 * 4096;

/// What log files are written with.
const LOG: &[Named] = &[
    k("buffer=", SomeSize),
    flag("gzip"),
    k("gzip=", Within(1, 9)),
    k("flush=", SomeMillis),
    k("if=", Text),
];

const SAMESITE: ArgumentKind = Of(&["strict", "lax", "none"]);

#[rustfmt::skip]
pub(super) static GRAMMAR: &[Grammar] = &[
    g(&["access_log"], "").at(&[Text, Text]).with(LOG),
    g(&["add_header", "add_trailer"], "http").at(&[Text, Text]).with(&[flag("always")]),
    g(&["aio"], "http").with(&[flag("on"), flag("off"), flag("threads"), k("threads=", Filled)]),
    g(&["client_body_temp_path", "proxy_temp_path", "fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path"], "http")
        .at(&[Text, Within(1, 10), Within(1, 10), Within(1, 10)]),
    g(&["dav_access", "proxy_store_access", "fastcgi_store_access", "uwsgi_store_access", "scgi_store_access"], "http")
        .at(&[Access, Access, Access]),
    g(&["directio"], "http").or(&["off"]).at(&[Offset]),
    g(&["disable_symlinks"], "http").or(&["off"]).at(&[Of(&["on", "if_not_owner"])]).with(&[k("from=", Text)]),
    g(&["fastcgi_bind", "grpc_bind", "memcached_bind", "proxy_bind", "scgi_bind", "uwsgi_bind"], "")
        .or(&["off"]).at(&[Bind]).with(&[flag("transparent")]),
    g(&["fastcgi_param", "uwsgi_param", "scgi_param"], "http").at(&[Text, Text]).with(&[flag("if_not_empty")]),
    g(&["image_filter"], "http").or(&["off", "test", "size"]).when("rotate").at(&[Text, Degrees]),
    g(&["image_filter"], "http").when("resize").at(&[Text, Length, Length]),
    g(&["image_filter"], "http").when("crop").at(&[Text, Length, Length]),
    g(&["image_filter"], "http").at(&[Of(&["off", "test", "size", "rotate", "resize", "crop"])]),
    g(&["js_shared_dict_zone"], "").with(&[
        k("zone=", Zone(LEAST_ZONE)), k("timeout=", Millis), k("type=", Of(&["string", "number"])), flag("evict"),
        k("state=", Filled),
    ]),
    g(&["keepalive_timeout"], "http_core").at(&[Millis, Seconds]),
    g(&["limit_conn"], "").at(&[Text, Within(1, 65535)]),
    g(&["limit_conn_zone"], "").at(&[Text]).with(&[k("zone=", Zone(LEAST_ZONE))]).needs(&["zone="]),
    g(&["limit_req"], "http").needs(&["zone="]).with(&[
        k("zone=", Text), k("burst=", Within(1, -1)), k("delay=", Within(1, -1)), flag("nodelay"),
    ]),
    g(&["limit_req_zone"], "http").at(&[Text]).needs(&["zone="])
        .with(&[k("zone=", Zone(LEAST_ZONE)), k("rate=", Rate), flag("sync").plus()]),
    g(&["lua_shared_dict"], "").at(&[Text, SomeSize]),
    g(&["modern_browser"], "http").or(&["unlisted"])
        .at(&[Of(&["msie", "gecko", "opera", "safari", "konqueror"]), Browser]),
    g(&["open_file_cache"], "http").needs(&["max="])
        .with(&[flag("off"), k("max=", Within(1, -1)), k("inactive=", Seconds)]),
    g(&["open_log_file_cache"], "").needs(&["max="]).with(&[
        flag("off"), k("max=", Within(1, -1)), k("inactive=", Seconds), k("min_uses=", Number), k("valid=", Seconds),
    ]),
    g(&["protocol"], "mail").at(&[Of(&["imap", "pop3", "smtp"])]),
    g(&["proxy_cache_path", "fastcgi_cache_path", "uwsgi_cache_path", "scgi_cache_path"], "http").at(&[Text])
        .needs(&["keys_zone="]).with(&[
            k("levels=", Levels), k("use_temp_path=", OnOff), k("keys_zone=", Zone(8192)), k("inactive=", Seconds),
            k("max_size=", Offset), k("min_free=", Offset).since(19, 1), k("loader_files=", Number),
            k("loader_sleep=", Millis), k("loader_threshold=", Millis), k("manager_files=", Number),
            k("manager_sleep=", Millis), k("manager_threshold=", Millis), k("purger=", OnOff).plus(),
            k("purger_files=", Number).plus(), k("purger_sleep=", Millis).plus(),
            k("purger_threshold=", Millis).plus(),
        ]),
    g(&["ssl_certificate_cache", "proxy_ssl_certificate_cache", "grpc_ssl_certificate_cache",
        "uwsgi_ssl_certificate_cache"], "").needs(&["max="])
        .with(&[flag("off"), k("max=", Within(1, -1)), k("inactive=", Seconds), k("valid=", Seconds)]),
    g(&["ssl_ocsp_cache"], "").or(&["off"]).with(&[k("shared:", Zone(LEAST_ZONE))]),
    g(&["ssl_session_cache"], "").with(&[
        flag("off"), flag("none"), flag("builtin"), k("builtin:", Number), k("shared:", Zone(LEAST_ZONE)),
    ]),
    g(&["sticky"], "http_upstream_sticky").when("cookie").at(&[Text, Filled]).with(&[
        k("expires=", SecondsOrMax), k("domain=", Filled), k("path=", Filled), flag("secure"), flag("httponly"),
        k("samesite=", SAMESITE),
    ]),
    g(&["sticky"], "http_upstream_sticky").at(&[Of(&["cookie", "route", "learn"])]).with(&[k("", Text)]),
    g(&["thread_pool"], "").at(&[Text]).needs(&["threads="])
        .with(&[k("threads=", Within(1, -1)), k("max_queue=", Number), k("", Text)]),
];

/// The grammars of a directive; the first whose [`Grammar::when`] fits holds.
pub(super) fn of(name: &str, module: &str) -> impl Iterator<Item = &'static Grammar> {
    GRAMMAR.iter().filter(move |entry| entry.names.contains(&name) && module.starts_with(entry.module))
}
