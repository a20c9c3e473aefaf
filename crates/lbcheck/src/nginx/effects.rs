//! What the directives of nginx have an effect on, as data.

use super::directives::Directive;
use crate::effect::EffectClass::{
    self, Availability, Capacity, Content, Observability, Process, Routing, Security, Share, Time, Unknown,
};

/// What a directive has an effect on: by its name, by the end or the beginning of its name, then by its module.
pub(super) fn of(name: &str, known: Option<&'static Directive>) -> EffectClass {
    let by_name = NAMES.binary_search_by(|(word, _)| (*word).cmp(name)).ok().and_then(|at| NAMES.get(at));
    if let Some(&(_, class)) = by_name {
        return class;
    }
    let by_end = ENDS.iter().find(|(end, _)| name.ends_with(end));
    let by_start = || STARTS.iter().find(|(start, _)| name.starts_with(start));
    let by_module =
        || MODULES.iter().find(|(module, _)| known.is_some_and(|entry| entry.module.starts_with(module)));
    by_end.or_else(by_start).or_else(by_module).map_or(Unknown, |&(_, class)| class)
}

/// Directives by name, sorted.
#[rustfmt::skip]
const NAMES: &[(&str, EffectClass)] = &[
    ("absolute_redirect", Content),
    ("accept_mutex", Process),
    ("accept_mutex_delay", Process),
    ("add_after_body", Content),
    ("add_before_body", Content),
    ("add_header", Content),
    ("add_trailer", Content),
    ("alias", Routing),
    ("allow", Security),
    ("ancient_browser", Content),
    ("autoindex", Content),
    ("break", Routing),
    ("daemon", Process),
    ("dav_methods", Content),
    ("debug_connection", Observability),
    ("debug_points", Process),
    ("default_type", Content),
    ("deny", Security),
    ("directio", Process),
    ("disable_symlinks", Security),
    ("env", Process),
    ("epoll_events", Process),
    ("error_log", Observability),
    ("error_page", Routing),
    ("etag", Content),
    ("events", Process),
    ("expires", Content),
    ("geo", Routing),
    ("geoip_city", Routing),
    ("geoip_country", Routing),
    ("geoip_org", Routing),
    ("hash", Share),
    ("http", Routing),
    ("if", Routing),
    ("if_modified_since", Content),
    ("ignore_invalid_headers", Security),
    ("include", Unknown),
    ("index", Routing),
    ("internal", Routing),
    ("ip_hash", Share),
    ("keepalive", Capacity),
    ("keepalive_disable", Capacity),
    ("keepalive_requests", Capacity),
    ("large_client_header_buffers", Capacity),
    ("least_conn", Share),
    ("least_time", Share),
    ("limit_except", Security),
    ("listen", Routing),
    ("load_module", Process),
    ("location", Routing),
    ("lock_file", Process),
    ("log_not_found", Observability),
    ("log_subrequest", Observability),
    ("map", Routing),
    ("map_hash_bucket_size", Process),
    ("map_hash_max_size", Process),
    ("master_process", Process),
    ("match", Availability),
    ("merge_slashes", Routing),
    ("mirror", Content),
    ("mirror_request_body", Content),
    ("modern_browser", Content),
    ("multi_accept", Process),
    ("ntlm", Capacity),
    ("open_file_cache", Process),
    ("override_charset", Content),
    ("pcre_jit", Process),
    ("pid", Process),
    ("port_in_redirect", Content),
    ("preread_buffer_size", Capacity),
    ("proxy_bind", Routing),
    ("proxy_cache", Content),
    ("proxy_download_rate", Capacity),
    ("proxy_force_ranges", Content),
    ("proxy_http_version", Content),
    ("proxy_ignore_client_abort", Availability),
    ("proxy_intercept_errors", Routing),
    ("proxy_limit_rate", Capacity),
    ("proxy_method", Content),
    ("proxy_next_upstream", Availability),
    ("proxy_next_upstream_timeout", Availability),
    ("proxy_next_upstream_tries", Availability),
    ("proxy_protocol", Content),
    ("proxy_redirect", Content),
    ("proxy_request_buffering", Capacity),
    ("proxy_responses", Availability),
    ("proxy_set_body", Content),
    ("proxy_set_header", Content),
    ("proxy_socket_keepalive", Time),
    ("proxy_upload_rate", Capacity),
    ("queue", Capacity),
    ("random", Share),
    ("random_index", Content),
    ("recursive_error_pages", Routing),
    ("resolver", Availability),
    ("return", Routing),
    ("rewrite", Routing),
    ("root", Routing),
    ("satisfy", Security),
    ("sendfile", Process),
    ("server", Share),
    ("server_name", Routing),
    ("server_name_in_redirect", Content),
    ("server_tokens", Content),
    ("set", Routing),
    ("slice", Content),
    ("source_charset", Content),
    ("split_clients", Routing),
    ("state", Share),
    ("sticky", Share),
    ("sticky_cookie_insert", Share),
    ("stream", Routing),
    ("stub_status", Observability),
    ("tcp_nodelay", Capacity),
    ("tcp_nopush", Capacity),
    ("thread_pool", Process),
    ("timer_resolution", Process),
    ("try_files", Routing),
    ("types", Content),
    ("underscores_in_headers", Routing),
    ("upstream", Share),
    ("use", Process),
    ("user", Process),
    ("variables_hash_bucket_size", Process),
    ("variables_hash_max_size", Process),
    ("worker_aio_requests", Process),
    ("worker_connections", Capacity),
    ("worker_rlimit_nofile", Capacity),
    ("working_directory", Process),
    ("zone", Availability),
];

/// Ends of names; the first that fits counts.
const ENDS: &[(&str, EffectClass)] = &[
    ("_pass", Routing),
    ("_connect_timeout", Time),
    ("_timeout", Time),
    ("_delay", Time),
    ("_next_upstream", Availability),
    ("_next_upstream_tries", Availability),
    ("_intercept_errors", Routing),
    ("_buffers", Capacity),
    ("_buffering", Capacity),
    ("_buffer_size", Capacity),
    ("_buffers_size", Capacity),
    ("_max_body_size", Capacity),
    ("_max_temp_file_size", Capacity),
    ("_hash_bucket_size", Process),
    ("_hash_max_size", Process),
    ("_limit_rate", Capacity),
    ("_param", Content),
    ("_set_header", Content),
    ("_hide_header", Content),
    ("_pass_header", Content),
    ("_log", Observability),
    ("_log_level", Observability),
];

/// Beginnings of names; the first that fits counts.
const STARTS: &[(&str, EffectClass)] = &[
    ("access_log", Observability),
    ("log_", Observability),
    ("aio", Process),
    ("open_file_", Process),
    ("open_log_", Observability),
    ("worker_", Process),
    ("ssl_engine", Process),
    ("proxy_ssl", Security),
    ("grpc_ssl", Security),
    ("uwsgi_ssl", Security),
    ("ssl", Security),
    ("auth_", Security),
    ("secure_link", Security),
    ("limit_", Capacity),
    ("client_body", Capacity),
    ("client_header", Capacity),
    ("max_", Capacity),
    ("output_", Capacity),
    ("postpone_", Capacity),
    ("lingering_", Time),
    ("reset_timedout", Time),
    ("send_lowat", Capacity),
    ("sendfile", Process),
    ("health_check", Availability),
    ("resolver", Availability),
    ("real_ip", Security),
    ("set_real_ip", Security),
    ("quic", Content),
    ("http2", Content),
    ("http3", Content),
];

/// Modules, by how their names begin; the first that fits counts.
const MODULES: &[(&str, EffectClass)] = &[
    ("http_access", Security),
    ("http_auth", Security),
    ("http_naxsi", Security),
    ("http_modsecurity", Security),
    ("http_js", Routing),
    ("http_lua", Routing),
    ("stream_js", Routing),
    ("stream_lua", Routing),
    ("http_perl", Routing),
    ("http_upstream", Share),
    ("stream_upstream", Share),
    ("http_limit", Capacity),
    ("stream_limit", Capacity),
    ("http_ssl", Security),
    ("stream_ssl", Security),
    ("http_log", Observability),
    ("stream_log", Observability),
    ("http_status", Observability),
    ("http_api", Observability),
    ("http_opentelemetry", Observability),
    ("http_opentracing", Observability),
    ("otel", Observability),
    ("http_vhost_traffic_status", Observability),
    ("http_otel", Observability),
    ("http_geo", Routing),
    ("http_map", Routing),
    ("http_rewrite", Routing),
    ("stream_ssl_preread", Routing),
    ("stream_", Content),
    ("mail", Content),
    ("http_", Content),
    ("core", Process),
    ("events", Process),
    ("event", Process),
    ("mgmt", Process),
    ("google_perftools", Process),
];

#[cfg(test)]
mod tests {
    use super::super::directives::Vendor;
    use super::super::table::TABLE;
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted_by(|first, second| first.0 < second.0));
    }

    #[test]
    fn every_directive_of_nginx_has_a_class() {
        let own = TABLE.iter().filter(|entry| entry.vendor == Vendor::Nginx);
        let open: Vec<&str> =
            own.filter(|entry| of(entry.name, Some(entry)) == Unknown).map(|entry| entry.name).collect();
        assert!(open.is_empty(), "{open:?}");
        let none = TABLE.iter().filter(|entry| of(entry.name, Some(entry)) == EffectClass::None).count();
        assert_eq!(none, 0, "no directive is known to do nothing");
    }
}
