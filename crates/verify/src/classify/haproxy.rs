//! HAProxy names file and line of most mistakes, and goes on after each.

use super::{Outside, Place, Refusal, cause, says};

pub(super) fn refusals(said: &str, file: &str) -> Vec<Refusal> {
    said.lines().filter_map(|line| refusal(line, file)).collect()
}

fn refusal(line: &str, file: &str) -> Option<Refusal> {
    let alert = line.strip_prefix("[ALERT]")?;
    // "    (1234) : config : parsing [file:12] : message"
    let message = alert.split_once(" : ")?.1.trim();
    let message = message.strip_prefix("config :").unwrap_or(message).trim();
    let summary = ["Fatal errors found", "Error(s) found in configuration", "Parsing [", "parsing ["];
    if summary[..2].iter().any(|start| message.starts_with(start)) {
        return None;
    }
    let marker = format!("[{file}:");
    let place = message
        .split_once(&marker)
        .and_then(|(_, rest)| rest.split_once(']')?.0.parse().ok())
        .map_or(Place::Nowhere, Place::Line);
    let words = message.replace(file, "FILE");
    let words = words.split_once("] : ").map_or(words.as_str(), |(_, words)| words);
    Some(Refusal { message: words.to_owned(), cause: cause(words), place, outside: outside(words) })
}

fn outside(message: &str) -> Option<Outside> {
    let files = [
        "No such file",
        "unable to stat",
        "unable to load",
        "cannot open",
        "failed to open",
        "couldn't open",
        "unable to open",
        "Permission denied",
        "Is a directory",
    ];
    if says(message, &files) {
        return Some(Outside::File);
    }
    if says(message, &["could not resolve address", "unable to resolve", "Couldn't resolve"]) {
        return Some(Outside::Name);
    }
    if says(message, &["cannot find user id", "cannot find group id"]) {
        return Some(Outside::Account);
    }
    if says(message, &["not compiled in", "not built in", "support is not", "not supported on this"]) {
        return Some(Outside::Module);
    }
    None
}
