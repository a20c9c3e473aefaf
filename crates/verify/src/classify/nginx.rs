//! nginx stops at the first mistake, and ends its message with file and line.

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
    None
}
