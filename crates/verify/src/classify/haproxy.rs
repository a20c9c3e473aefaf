//! HAProxy names file and line of most mistakes, and goes on after each.

use super::{Outside, Place, Refusal, cause, says};

pub(super) fn refusals(said: &str, file: &str) -> Vec<Refusal> {
    said.lines().filter_map(|line| refusal(line, file)).collect()
}

/// Lines that sum up what was said before, or follow from it.
const SUMMARIES: &[&str] = &[
    "Fatal errors found",
    "Error(s) found in configuration",
    "Failed to initialize server(s) addr",
    "Could not find any",
];

fn refusal(line: &str, file: &str) -> Option<Refusal> {
    let alert = line.strip_prefix("[ALERT]")?;
    // "    (1234) : config : parsing [file:12] : message"
    let message = alert.split_once(" : ")?.1.trim();
    let message = message.strip_prefix("config :").unwrap_or(message).trim();
    if SUMMARIES.iter().any(|start| message.starts_with(start)) || message.contains("too many fatal errors") {
        return None;
    }
    // "[file:12]" where it is read, "(file:12)" of a section that was declared there.
    let line_after = |marker: String, end: char| -> Option<usize> {
        message.split_once(&marker)?.1.split_once(end)?.0.parse().ok()
    };
    let place = line_after(format!("[{file}:"), ']')
        .or_else(|| line_after(format!("({file}:"), ')'))
        .map_or(Place::Nowhere, Place::Line);
    let words = message.replace(file, "FILE");
    let words = words.split_once("] : ").map_or(words.as_str(), |(_, words)| words);
    Some(Refusal { message: words.to_owned(), cause: cause(words), place, outside: outside(words) })
}

/// Why a complaint is no matter of the text. Certificates count as files.
fn outside(message: &str) -> Option<Outside> {
    let files = [
        "No such file",
        "unable to stat",
        "unable to load",
        "cannot open",
        "failed to open",
        "couldn't open",
        "unable to open",
        "error opening file",
        "Permission denied",
        "Is a directory",
        "is not a directory",
        "not able to read",
        "no start line",
        "No Private Key",
        "inconsistencies between private key",
        "Lua file",
        "error in Lua",
    ];
    if says(message, &files) {
        return Some(Outside::File);
    }
    let lookups = [
        ("could not resolve address '", '\''),
        ("unable to resolve '", '\''),
        ("Couldn't resolve '", '\''),
        ("invalid address: '", '\''),
    ];
    let looked_up =
        lookups.iter().find_map(|(start, end)| Some(message.split_once(start)?.1.split_once(*end)?.0));
    if looked_up.or_else(|| not_an_address(message)).is_some_and(may_be_host_name) {
        return Some(Outside::Name);
    }
    if says(message, &["cannot find user id", "cannot find group id", "unknown user", "unknown group"]) {
        return Some(Outside::Account);
    }
    if says(message, &["Cannot open namespace", "error encountered while processing 'namespace'"]) {
        return Some(Outside::Machine);
    }
    let modules =
        ["not compiled in", "not built in", "support is not", "not supported on this", "built without"];
    if says(message, &modules) || message.contains("'lua.") {
        return Some(Outside::Module);
    }
    None
}

/// The word of "'WORD/MASK' is not a valid IPv4 or IPv6 address".
fn not_an_address(message: &str) -> Option<&str> {
    let before = message.split_once("' is not a valid IPv4 or IPv6 address")?.0;
    let word = before.rsplit_once('\'')?.1;
    Some(word.split_once('/').map_or(word, |(host, _)| host))
}

/// Whether a name service could know a text. What has no letter is an address or nothing.
fn may_be_host_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.bytes().any(|byte| byte.is_ascii_alphabetic()) && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(message: &str) -> Refusal {
        refusal(&format!("[ALERT]    (7) : config : {message}"), "/x/a.cfg").expect("a refusal")
    }

    #[test]
    fn places_and_reasons_are_told_apart() {
        let typo = one("parsing [/x/a.cfg:3] : 'bind' : invalid address: '127.0.0.' in '127.0.0.:80'");
        assert_eq!((typo.place, typo.outside), (Place::Line(3), None));
        let name = one("parsing [/x/a.cfg:3] : 'server b/s' : could not resolve address 'web1'.");
        assert_eq!((name.place, name.outside), (Place::Line(3), Some(Outside::Name)));
        let acl = one(
            "parsing [/x/a.cfg:9] : error detected while parsing ACL 'a' : '10.x.0.0/8' is not a valid IPv4 or IPv6 address.",
        );
        assert_eq!(acl.outside, Some(Outside::Name));
        let mode =
            one("http frontend 'f' (/x/a.cfg:4) tries to use incompatible tcp backend 'b' (/x/a.cfg:9)");
        assert_eq!((mode.place, mode.outside), (Place::Line(4), None));
        let service = one("parsing [/x/a.cfg:2] : rule : 'lua.send' unknown service name.");
        assert_eq!(service.outside, Some(Outside::Module));
    }

    #[test]
    fn what_only_sums_up_is_passed_over() {
        for line in [
            "[ALERT]    (7) : config : Fatal errors found in configuration.",
            "[ALERT]    (7) : Failed to initialize server(s) addr.",
            "[ALERT]    (7) : config : parsing [/x/a.cfg:78]: too many fatal errors (50), stopping now.",
            "[WARNING]  (7) : config : parsing [/x/a.cfg:7] : missing timeouts",
        ] {
            assert_eq!(refusal(line, "/x/a.cfg"), None, "{line}");
        }
    }
}
