//! nginx stops at the first mistake, and ends its message with file and line.

use lbcheck::dialect::Dialect;

use super::{Outside, Place, Refusal, cause, says};

pub(super) fn refusals(said: &str, file: &str) -> Vec<Refusal> {
    said.lines().filter_map(|line| refusal(line, file)).collect()
}

fn refusal(line: &str, file: &str) -> Option<Refusal> {
    let message = ["[emerg] ", "[alert] ", "[crit] "]
        .iter()
        .find_map(|level| Some(line.split_once(level)?.1))
        .map(|message| {
            message.split_once(": ").filter(|(id, _)| id.contains('#')).map_or(message, |(_, rest)| rest)
        })?;
    let (words, place) = match message.rsplit_once(" in ") {
        Some((words, place)) if place.contains(':') => (words, Some(place)),
        _ => (message, None),
    };
    let place = place
        .and_then(|place| place.trim().rsplit_once(':'))
        .filter(|(named, _)| *named == file)
        .and_then(|(_, line)| line.parse().ok())
        .map_or(Place::Nowhere, Place::Line);
    Some(Refusal { message: words.to_owned(), cause: cause(words), place, outside: outside(words) })
}

fn outside(message: &str) -> Option<Outside> {
    if says(
        message,
        &[
            "No such file",
            "Permission denied",
            "Is a directory",
            "Not a directory",
            "No such device",
            "File name too long",
            // Certificates, databases of addresses and scripts that are there, but are not what they should be.
            "PEM_read_bio",
            "X509_",
            "SSL_CTX_use_PrivateKey",
            "MMDB_open(",
            "GeoIP_open(",
            "ReferenceError",
            "SyntaxError",
        ],
    ) {
        return Some(Outside::File);
    }
    if says(message, &["host not found"]) {
        return Some(Outside::Name);
    }
    if says(message, &["getpwnam(", "getgrnam("]) {
        return Some(Outside::Account);
    }
    if says(message, &["bind() to", "socket() "]) {
        return Some(Outside::Socket);
    }
    if says(
        message,
        &["dlopen()", "the \"ssl\" parameter requires", "not binary compatible", "failed to load the 'resty"],
    ) {
        return Some(Outside::Module);
    }
    if says(
        message,
        &["mmap(", "munmap(", "malloc(", "is unsupported on this platform", "Cannot allocate memory"],
    ) {
        return Some(Outside::Machine);
    }
    unknown(message).filter(|name| is_optional(name)).map(|_| Outside::Module)
}

/// The directive that nginx says it does not know.
fn unknown(message: &str) -> Option<&str> {
    message.strip_prefix("unknown directive \"")?.strip_suffix('"')
}

/// Whether all modules that have a directive are such that nginx is often built without them.
fn is_optional(name: &str) -> bool {
    const OPTIONAL: [&str; 7] =
        ["stream", "mail", "google_perftools", "http_geoip", "http_image_filter", "http_perl", "http_xslt"];
    let version = Dialect::Nginx.assumed_version();
    let mut known =
        lbcheck::nginx::known_directives(version).into_iter().filter(|known| known.name == name).peekable();
    known.peek().is_some()
        && known.all(|known| {
            !known.commercial && (!known.own || OPTIONAL.iter().any(|start| known.module.starts_with(start)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_is_not_built_in_is_no_fault_of_the_file() {
        let of = |name: &str| outside(&format!("unknown directive \"{name}\""));
        assert_eq!(of("geoip2"), Some(Outside::Module));
        assert_eq!(of("stream"), Some(Outside::Module));
        assert_eq!(of("content_by_lua_block"), Some(Outside::Module));
        for of_the_file in ["proxy_pas", "proxy_pass", "listen", "auth_jwt_require", "map"] {
            assert_eq!(of(of_the_file), None, "{of_the_file}");
        }
    }
}
