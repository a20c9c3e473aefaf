//! Variables that nginx defines itself: which language has them, since when, and whether a configuration may define
//! them anew.
//!
//! Every name was asked of nginx 1.18, 1.22, 1.26 and 1.30; the versions between come from the change log of nginx.
//! Those of the commercial edition come from its manual.

use crate::dialect::Version;

/// One variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    http: bool,
    stream: bool,
    /// Whether `set`, `map` and the like may define it: the built-in one is only a default.
    pub(super) open: bool,
    /// The version it appeared in, where that is later than the oldest version looked at (1.18).
    since: Option<Version>,
    /// The same for `stream`, where that came later.
    stream_since: Option<Version>,
}

impl Variable {
    const fn new(name: &'static str, http: bool, stream: bool) -> Self {
        Self { name, http, stream, open: false, since: None, stream_since: None }
    }

    const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    const fn since(mut self, minor: u16, patch: u16) -> Self {
        self.since = Some(Version { major: 1, minor, patch });
        self
    }

    const fn stream_since(mut self, minor: u16, patch: u16) -> Self {
        self.stream_since = Some(Version { major: 1, minor, patch });
        self
    }

    fn is_in(&self, stream: bool, version: Version) -> bool {
        let here = if stream { self.stream } else { self.http };
        let since = if stream { self.stream_since.or(self.since) } else { self.since };
        here && since.is_none_or(|since| since <= version)
    }
}

/// Of `http`.
const fn h(name: &'static str) -> Variable {
    Variable::new(name, true, false)
}

/// Of `stream`.
const fn s(name: &'static str) -> Variable {
    Variable::new(name, false, true)
}

/// Of both.
const fn b(name: &'static str) -> Variable {
    Variable::new(name, true, true)
}

/// Every name, sorted.
#[rustfmt::skip]
pub(super) static BUILT_IN: &[Variable] = &[
    h("ancient_browser").open(),
    h("args").open(),
    b("binary_remote_addr"),
    h("body_bytes_sent"),
    s("bytes_received"),
    b("bytes_sent"),
    b("connection"),
    h("connection_requests"),
    h("connection_time").since(19, 10),
    h("connections_active"),
    h("connections_reading"),
    h("connections_waiting"),
    h("connections_writing"),
    h("content_length"),
    h("content_type"),
    h("date_gmt"),
    h("date_local"),
    h("document_root"),
    h("document_uri"),
    h("fastcgi_path_info"),
    h("fastcgi_script_name"),
    b("geoip_area_code").open(),
    b("geoip_city").open(),
    b("geoip_city_continent_code").open(),
    b("geoip_city_country_code").open(),
    b("geoip_city_country_code3").open(),
    b("geoip_city_country_name").open(),
    b("geoip_country_code").open(),
    b("geoip_country_code3").open(),
    b("geoip_country_name").open(),
    b("geoip_dma_code").open(),
    b("geoip_latitude").open(),
    b("geoip_longitude").open(),
    b("geoip_org").open(),
    b("geoip_postal_code").open(),
    b("geoip_region").open(),
    b("geoip_region_name").open(),
    h("grpc_internal_trailers"),
    h("gzip_ratio"),
    h("host"),
    b("hostname"),
    h("http2"),
    h("http3").since(25, 0),
    h("http_cookie"),
    h("http_host"),
    h("http_referer"),
    h("http_user_agent"),
    h("http_via"),
    h("http_x_forwarded_for"),
    h("https"),
    h("invalid_referer").open(),
    h("is_args"),
    h("is_request_port").since(29, 3),
    b("limit_conn_status"),
    h("limit_rate").open(),
    h("limit_req_status"),
    h("modern_browser").open(),
    b("msec"),
    h("msie").open(),
    b("nginx_version"),
    b("pid"),
    h("pipe"),
    s("protocol"),
    h("proxy_add_x_forwarded_for"),
    h("proxy_host").open(),
    h("proxy_internal_body_length"),
    h("proxy_internal_chunked"),
    h("proxy_internal_host").open().since(29, 4),
    h("proxy_port").open(),
    b("proxy_protocol_addr"),
    b("proxy_protocol_port"),
    b("proxy_protocol_server_addr"),
    b("proxy_protocol_server_port"),
    h("query_string"),
    b("realip_remote_addr"),
    b("realip_remote_port"),
    h("realpath_root"),
    b("remote_addr"),
    b("remote_port"),
    h("remote_user"),
    h("request"),
    h("request_body"),
    h("request_body_file"),
    h("request_completion"),
    h("request_filename"),
    h("request_id"),
    h("request_length"),
    h("request_method"),
    h("request_port").since(29, 3),
    h("request_time"),
    h("request_uri"),
    h("scheme"),
    h("secure_link"),
    h("secure_link_expires"),
    h("sent_http_cache_control"),
    h("sent_http_connection"),
    h("sent_http_content_length"),
    h("sent_http_content_type"),
    h("sent_http_keep_alive"),
    h("sent_http_last_modified"),
    h("sent_http_link"),
    h("sent_http_location"),
    h("sent_http_transfer_encoding"),
    b("server_addr"),
    b("server_name").stream_since(25, 5),
    b("server_port"),
    h("server_protocol"),
    h("session_log_binary_id"),
    h("session_log_id"),
    h("session_readable_time"),
    s("session_time"),
    h("slice_range"),
    b("ssl_alpn_protocol").open().since(21, 4),
    b("ssl_cipher").open(),
    b("ssl_ciphers").open(),
    b("ssl_client_cert").open(),
    b("ssl_client_escaped_cert").open(),
    b("ssl_client_fingerprint").open(),
    b("ssl_client_i_dn").open(),
    h("ssl_client_i_dn_legacy").open(),
    b("ssl_client_raw_cert").open(),
    b("ssl_client_s_dn").open(),
    h("ssl_client_s_dn_legacy").open(),
    b("ssl_client_serial").open(),
    b("ssl_client_sigalg").open().since(29, 3),
    b("ssl_client_v_end").open(),
    b("ssl_client_v_remain").open(),
    b("ssl_client_v_start").open(),
    b("ssl_client_verify").open(),
    b("ssl_curve").open().since(21, 5),
    b("ssl_curves").open(),
    h("ssl_early_data").open(),
    b("ssl_ech_outer_server_name").open().since(29, 4),
    b("ssl_ech_status").open().since(29, 4),
    s("ssl_preread_alpn_protocols"),
    s("ssl_preread_protocol"),
    s("ssl_preread_server_name"),
    b("ssl_protocol").open(),
    b("ssl_server_name").open(),
    b("ssl_session_id").open(),
    b("ssl_session_reused").open(),
    b("ssl_sigalg").open().since(29, 3),
    b("status"),
    h("tcpinfo_rcv_space"),
    h("tcpinfo_rtt"),
    h("tcpinfo_rttvar"),
    h("tcpinfo_snd_cwnd"),
    b("time_iso8601"),
    b("time_local"),
    h("uid_got"),
    h("uid_reset").open(),
    h("uid_set"),
    b("upstream_addr"),
    b("upstream_bytes_received"),
    b("upstream_bytes_sent"),
    h("upstream_cache_etag"),
    h("upstream_cache_last_modified"),
    h("upstream_cache_status"),
    b("upstream_connect_time"),
    s("upstream_first_byte_time"),
    h("upstream_header_time"),
    b("upstream_last_server_name"),
    b("upstream_queue_time"),
    h("upstream_response_length"),
    h("upstream_response_time"),
    s("upstream_session_time"),
    h("upstream_status"),
    h("uri"),
];

/// Starts of names that stand for a family of `http`: `http_x_real_ip`, `arg_page`.
const FAMILIES: &[&str] = &[
    "arg_",
    "cookie_",
    "http_",
    "proxy_protocol_tlv_",
    "sent_http_",
    "sent_trailer_",
    "upstream_cookie_",
    "upstream_http_",
    "upstream_trailer_",
];

/// Starts of names that modules of others define, and the commercial edition.
const FOREIGN: &[&str] = &[
    "acme_",
    "brotli_",
    "echo_",
    "fancyindex_",
    "geoip2_",
    "jwt_",
    "memc_",
    "memcached_key",
    "nchan_",
    "oidc_",
    "otel_",
    "passenger_",
    "proxy_connect_",
    "push_stream_",
    "rds_",
    "redis",
    "secure_link_",
    "session_log",
    "spdy",
    "srcache_",
    "sticky_",
    "upload",
    "upstream_last_",
    "vts_",
    "zstd_",
];

/// Whether a variable is there without anybody defining it.
pub(super) fn is_built_in(name: &str, stream: bool, version: Version) -> bool {
    let known = find(name).is_some_and(|known| known.is_in(stream, version));
    let families = if stream { &FAMILIES[3..4] } else { FAMILIES };
    let starts = |list: &[&str]| list.iter().any(|start| name.len() > start.len() && name.starts_with(start));
    known || starts(families) || FOREIGN.iter().any(|start| name.starts_with(start))
}

/// Whether nginx refuses a second definition of a variable of its own.
pub(super) fn is_fixed(name: &str, stream: bool, version: Version) -> bool {
    find(name).is_some_and(|known| !known.open && known.is_in(stream, version))
}

fn find(name: &str) -> Option<&'static Variable> {
    let at = BUILT_IN.binary_search_by_key(&name, |known| known.name).ok()?;
    BUILT_IN.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Version = Version { major: 1, minor: 30, patch: 0 };
    const OLD: Version = Version { major: 1, minor: 18, patch: 0 };

    #[test]
    fn names_belong_to_a_language_and_a_version() {
        assert!(BUILT_IN.is_sorted_by_key(|known| known.name));
        assert!(is_built_in("host", false, NEW) && !is_built_in("host", true, NEW));
        assert!(is_built_in("arg_x", false, NEW) && !is_built_in("arg_x", true, NEW));
        assert!(is_built_in("ssl_alpn_protocol", true, NEW) && !is_built_in("ssl_alpn_protocol", true, OLD));
        assert!(!is_built_in("slow", false, NEW) && !is_built_in("arg_", false, NEW));
        assert!(
            is_fixed("host", false, NEW) && !is_fixed("args", false, NEW) && !is_fixed("mine", false, NEW)
        );
    }
}
