//! Telling the dialect of a text: by its content first, then by its name.

use std::cmp::Reverse;

use crate::dialect::{Dialect, is_json};

/// How much of a file is looked at. What a file is shows early.
const LOOK: usize = 256 * 1024;

/// The dialect of the file at `path`, or `None` where nothing says so clearly.
///
/// Content outweighs the name, since many a `haproxy.cfg` lives under another one. A text that speaks for two
/// dialects alike is not decided by guessing.
#[must_use]
pub fn detect(path: &str, bytes: &[u8]) -> Option<Dialect> {
    let text = String::from_utf8_lossy(bytes.get(..LOOK).unwrap_or(bytes));
    let mut ranked = signs(&text);
    ranked.sort_by_key(|(count, _)| Reverse(*count));
    match ranked {
        [(0, _), ..] => by_name(path),
        [(most, _), (next, _), ..] if most == next => None,
        [(_, dialect), ..] => Some(dialect),
    }
}

/// Whether a file is one that nginx or Envoy starts from, so that two of them are two configurations and not two
/// parts of one. HAProxy starts from any number of files.
#[must_use]
pub fn is_main(dialect: Dialect, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes.get(..LOOK).unwrap_or(bytes));
    (dialect.description().files.is_main)(&text)
}

/// The dialect whose program would read a file of this name from a directory.
#[must_use]
pub fn of_directory(name: &str) -> Option<Dialect> {
    Dialect::ALL.into_iter().find(|dialect| {
        dialect.description().files.in_directory.iter().any(|pattern| match pattern.strip_prefix('*') {
            Some(ending) => name.ends_with(ending),
            None => name == *pattern,
        })
    })
}

/// What a directory lacks in which there is no file of a dialect, or of any: "no *.cfg file".
#[must_use]
pub fn looked_for(dialect: Option<Dialect>) -> String {
    let names = |dialect: Dialect| match dialect.description().files.in_directory {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        names => names.concat(),
    };
    // A pattern says of whose files it speaks, a whole name does not need to.
    let lacking = |dialect: Dialect, names: String| match names.starts_with('*') {
        true => format!("no {} {names}", dialect.product()),
        false => format!("no {names}"),
    };
    match dialect {
        Some(dialect) => {
            let names = names(dialect);
            let file = if names.starts_with('*') { " file" } else { "" };
            format!("no {names}{file}")
        }
        None => Dialect::ALL.map(|dialect| lacking(dialect, names(dialect))).join(", "),
    }
}

/// By the names the products and their packages use.
fn by_name(path: &str) -> Option<Dialect> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.')?;
    Dialect::ALL.into_iter().find(|dialect| {
        let names = dialect.description().files.names;
        names.iter().any(|(part, ending)| extension == *ending && stem.contains(part))
    })
}

/// How much in a text speaks for each dialect.
fn signs(text: &str) -> [(u32, Dialect); 3] {
    // JSON may be one single line, where only the keys tell.
    if is_json(text) {
        return Dialect::ALL.map(|dialect| ((dialect.description().files.json)(text), dialect));
    }
    let mut signs = Dialect::ALL.map(|dialect| (0, dialect));
    for line in text.lines() {
        let line = line.trim_start_matches('\u{feff}').trim();
        for (count, dialect) in &mut signs {
            let description = dialect.description();
            let says = !line.is_empty() && !line.starts_with(description.comment);
            *count += u32::from(says && (description.files.line)(line));
        }
    }
    signs
}

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
    fn what_is_missing_from_a_directory_is_named() {
        let files = Dialect::ALL.map(|dialect| looked_for(Some(dialect)));
        assert_eq!(files, ["no *.cfg file", "no nginx.conf", "no *.yaml, *.yml or *.json file"]);
        let any = "no HAProxy *.cfg, no nginx.conf, no Envoy *.yaml, *.yml or *.json";
        assert_eq!(looked_for(None), any);
    }

    #[test]
    fn binary_data_is_nothing() {
        assert_eq!(detect("blob", &[0, 159, 146, 150, 10, 13, 0]), None);
    }
}
