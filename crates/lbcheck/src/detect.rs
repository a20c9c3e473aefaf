//! Telling the dialect of a text: by its content first, then by its name.

use crate::dialect::Dialect;

/// How much of a file is looked at. What a file is shows early.
const LOOK: usize = 256 * 1024;

/// The dialect of the file at `path`, or `None` where nothing says so clearly.
///
/// Content outweighs the name, since many a `haproxy.cfg` lives under another one. A text that speaks for two
/// dialects alike is not decided by guessing.
#[must_use]
pub fn detect(path: &str, bytes: &[u8]) -> Option<Dialect> {
    let text = String::from_utf8_lossy(bytes.get(..LOOK).unwrap_or(bytes));
    let signs = Signs::of(&text);
    let ranked = signs.ranked();
    match ranked {
        [(0, _), ..] => by_name(path),
        [(most, _), (next, _), _] if most == next => None,
        [(_, dialect), ..] => Some(dialect),
    }
}

/// Whether a file is one that nginx or Envoy starts from, so that two of them are two configurations and not two
/// parts of one. HAProxy starts from any number of files.
#[must_use]
pub fn is_main(dialect: Dialect, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes.get(..LOOK).unwrap_or(bytes));
    match dialect {
        Dialect::HaProxy => false,
        Dialect::Nginx => text.lines().map(str::trim_start).any(|line| {
            ["events", "http", "stream", "mail"]
                .iter()
                .filter_map(|block| line.strip_prefix(block))
                .any(|rest| rest.trim_start().starts_with('{'))
        }),
        Dialect::Envoy if is_json(&text) => {
            ENVOY_MAIN_KEYS.iter().any(|key| text.contains(&format!("\"{key}\"")))
        }
        Dialect::Envoy => text.lines().any(|line| {
            line.split_once(':')
                .is_some_and(|(key, _)| ENVOY_MAIN_KEYS.contains(&key.trim_matches(['"', '\''])))
        }),
    }
}

/// Whether a text is JSON or flow style. `{{` and `{%` begin a template.
fn is_json(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    start.starts_with(['{', '[']) && !start.starts_with("{{") && !start.starts_with("{%")
}

/// By the names the products and their packages use.
fn by_name(path: &str) -> Option<Dialect> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        "cfg" => Some(Dialect::HaProxy),
        "conf" if stem.contains("haproxy") => Some(Dialect::HaProxy),
        "conf" => Some(Dialect::Nginx),
        "yaml" | "yml" | "json" if stem.contains("envoy") => Some(Dialect::Envoy),
        _ => None,
    }
}

/// How many lines speak for each dialect.
#[derive(Default)]
struct Signs {
    haproxy: u32,
    nginx: u32,
    envoy: u32,
}

impl Signs {
    fn of(text: &str) -> Self {
        let mut signs = Self::default();
        // JSON may be one single line, where only the keys tell.
        if is_json(text) {
            signs.envoy = ENVOY_KEYS.iter().filter(|key| text.contains(&format!("\"{key}\""))).count() as u32;
            signs.envoy += u32::from(text.contains(ENVOY_TYPE));
            return signs;
        }
        for line in text.lines() {
            let line = line.trim_start_matches('\u{feff}').trim_end();
            let inner = line.trim_start();
            if inner.is_empty() || inner.starts_with('#') {
                continue;
            }
            signs.haproxy += u32::from(is_haproxy(inner));
            signs.nginx += u32::from(is_nginx(inner));
            signs.envoy += u32::from(is_envoy(inner));
        }
        signs
    }

    fn ranked(&self) -> [(u32, Dialect); 3] {
        let mut ranked =
            [(self.haproxy, Dialect::HaProxy), (self.nginx, Dialect::Nginx), (self.envoy, Dialect::Envoy)];
        ranked.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        ranked
    }
}

/// A section header: the keyword, the right number of words, and nothing that closes a line in nginx.
fn is_haproxy(line: &str) -> bool {
    let code = line.split('#').next().unwrap_or(line).trim_end();
    if code.ends_with(['{', '}', ';']) {
        return false;
    }
    let mut words = code.split_whitespace();
    let Some(first) = words.next() else { return false };
    let more = words.count();
    match first {
        "global" | "mailers" | "ring" | "program" | "traces" => more <= 1,
        "defaults" => more <= 3,
        "frontend" | "listen" => (1..=2).contains(&more),
        "backend" => more == 1 || more == 3,
        "userlist" | "peers" | "resolvers" | "cache" | "http-errors" | "log-forward" | "fcgi-app"
        | "crt-store" | "log-profile" | "acme" => more == 1,
        _ => false,
    }
}

/// A well-known directive that ends or opens something on its line.
fn is_nginx(line: &str) -> bool {
    let end = line.find(|letter: char| letter.is_whitespace() || letter == '{' || letter == ';');
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    if NGINX_BLOCKS.contains(&word) {
        // Two braces, or one with a percent sign, begin a hole of a template.
        let opens = |(at, _): (usize, &str)| {
            !rest.get(at + 1..).unwrap_or_default().starts_with(['{', '%', '#'])
                && !rest.get(..at).unwrap_or_default().ends_with('{')
        };
        return rest.match_indices('{').any(opens);
    }
    NGINX_DIRECTIVES.contains(&word) && rest.contains(';')
}

/// A key that Envoy's resources have and other YAML has not.
fn is_envoy(line: &str) -> bool {
    let line = line.trim_start_matches("- ").trim_start();
    if line.contains(ENVOY_TYPE) {
        return true;
    }
    let Some((key, rest)) = line.split_once(':') else { return false };
    let key = key.trim().trim_matches(['"', '\'']);
    (rest.is_empty() || rest.starts_with([' ', '\t'])) && ENVOY_KEYS.contains(&key)
}

const NGINX_BLOCKS: &[&str] =
    &["events", "http", "stream", "server", "upstream", "location", "map", "split_clients", "geo", "mail"];

const NGINX_DIRECTIVES: &[&str] = &[
    "access_log",
    "error_log",
    "include",
    "keepalive_timeout",
    "listen",
    "load_module",
    "pid",
    "proxy_pass",
    "proxy_set_header",
    "root",
    "sendfile",
    "server",
    "server_name",
    "ssl_certificate",
    "user",
    "worker_connections",
    "worker_processes",
];

/// Outermost keys of a bootstrap or a `config_dump`.
const ENVOY_MAIN_KEYS: &[&str] =
    &["configs", "dynamic_resources", "dynamicResources", "static_resources", "staticResources"];

const ENVOY_TYPE: &str = "type.googleapis.com/envoy.";

const ENVOY_KEYS: &[&str] = &[
    "@type",
    "cluster_name",
    "clusterName",
    "connect_timeout",
    "connectTimeout",
    "dynamic_resources",
    "dynamicResources",
    "filter_chains",
    "filterChains",
    "generic_secret",
    "genericSecret",
    "http_filters",
    "httpFilters",
    "ignore_port_in_host_matching",
    "ignorePortInHostMatching",
    "lb_endpoints",
    "lbEndpoints",
    "lb_policy",
    "lbPolicy",
    "load_assignment",
    "loadAssignment",
    "route_config",
    "routeConfig",
    "socket_address",
    "socketAddress",
    "static_resources",
    "staticResources",
    "tls_certificate",
    "tlsCertificate",
    "virtual_hosts",
    "virtualHosts",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Option<Dialect> {
        detect(path, text.as_bytes())
    }

    #[test]
    fn content_outweighs_the_name() {
        let haproxy = "# comment\nglobal\n    daemon\n\nfrontend www\n    bind :80\n    server x;\n";
        let nginx = "events{}http{server{listen 80;}}\n";
        let envoy = "static_resources:\n  clusters:\n  - name: a\n    lb_policy: MAGLEV\n";
        for name in ["x", "x.cfg", "nginx.conf", "envoy.yaml", "x.txt"] {
            assert_eq!(told(name, haproxy), Some(Dialect::HaProxy), "{name}");
            assert_eq!(told(name, nginx), Some(Dialect::Nginx), "{name}");
            assert_eq!(told(name, envoy), Some(Dialect::Envoy), "{name}");
        }
    }

    #[test]
    fn json_is_told_by_its_keys() {
        assert_eq!(told("x", r#"{"staticResources":{"clusters":[]}}"#), Some(Dialect::Envoy));
        assert_eq!(told("x.json", r#"{"name":"left-pad","version":"1.0.0"}"#), None);
    }

    #[test]
    fn the_name_decides_only_where_content_is_silent() {
        assert_eq!(told("haproxy.cfg", ""), Some(Dialect::HaProxy));
        assert_eq!(told("conf.d/site.conf", "# nothing here\n"), Some(Dialect::Nginx));
        assert_eq!(told("envoy.yaml", "a: b\n"), Some(Dialect::Envoy));
        assert_eq!(told("docker-compose.yml", "services:\n  web:\n    image: x\n"), None);
        assert_eq!(told("notes.txt", "the backend is down\n"), None);
    }

    #[test]
    fn a_template_is_no_json() {
        let nginx = "{{ $all := . }}\nworker_processes 1;\nevents {\n}\n";
        assert_eq!(told("nginx.tmpl", nginx), Some(Dialect::Nginx));
        let haproxy = "backend api\n    server {{ name }} {{ ip }}:80\n    server {% if x %}a{% endif %}\n";
        assert_eq!(told("haproxy.cfg.j2", haproxy), Some(Dialect::HaProxy));
    }

    #[test]
    fn main_files_are_told_from_parts() {
        let main = |dialect, text: &str| is_main(dialect, text.as_bytes());
        assert!(main(Dialect::Nginx, "events{}\nhttp {\n}\n"));
        assert!(!main(Dialect::Nginx, "upstream http { server a; }\n"));
        assert!(main(Dialect::Envoy, "admin: {}\nstatic_resources:\n  clusters: []\n"));
        assert!(main(Dialect::Envoy, "{\"configs\": []}"));
        assert!(!main(Dialect::Envoy, "resources:\n- \"@type\": x\n"));
        assert!(!main(Dialect::HaProxy, "global\n"));
    }

    #[test]
    fn binary_data_is_nothing() {
        assert_eq!(detect("blob", &[0, 159, 146, 150, 10, 13, 0]), None);
    }
}
