//! Names that lead to secrets.

use lbcheck::diagnostic::suggest;

/// No name is longer: what is, is a value.
pub(super) const LONGEST: usize = 100;

/// Whether what this key, directive or variable is set to is a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    // They lead to a secret, or speak of one, but hold none.
    const HARMLESS_ENDS: &[&str] =
        &["file", "path", "name", "header", "headers", "url", "uri", "dir", "type", "length", "timeout"];
    const PARTS: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "secret",
        "privatekey",
        "apikey",
        "accesskey",
        "securelinkmd5",
        "sessionticketkeys",
        "tcpmd5sig",
        "casignpass",
    ];
    // A path or an expression is no name.
    if name.len() > LONGEST || name.contains(['/', '(', '%', '=', '<', ' ']) {
        return false;
    }
    let plain: String =
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if HARMLESS_ENDS.iter().any(|end| plain.ends_with(end)) || plain.contains("sds") || plain == "secrets" {
        return false;
    }
    plain.ends_with("token") || PARTS.iter().any(|part| plain.contains(part)) || is_misspelt(name)
}

/// Whether the value of this parameter of a URL is a secret.
pub(crate) fn is_secret_parameter(name: &str) -> bool {
    const WHOLE: &[&str] = &["auth", "credential", "key", "pass", "pwd", "sig", "xamzcredential"];
    if name.contains(['?', '&']) {
        return false;
    }
    let name = name.strip_prefix("amp;").unwrap_or(name);
    let plain: String =
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    WHOLE.contains(&plain.as_str()) || plain.ends_with("signature") || is_secret_name(name)
}

/// Whether the value of this HTTP header is a secret.
pub(crate) fn is_secret_header(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    matches!(lower.as_str(), "authorization" | "proxy-authorization" | "x-auth-key" | "x-auth")
        || is_secret_name(&lower)
}

/// Whether a part of the name is a sensitive word with a typing mistake: `passwrod`, `db_pasword`.
fn is_misspelt(name: &str) -> bool {
    // Long enough that two mistakes leave them recognizable.
    const WORDS: &[&str] = &[
        "apikey",
        "authorization",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "privatekey",
        "secret",
    ];
    // Near one of them, and words of their own.
    const OTHERS: &[&str] =
        &["alike", "parsed", "passed", "passes", "passport", "secure", "secured", "server", "socket"];
    const MISTAKES: usize = 2;
    const SHORTEST: usize = 5;
    // Five letters may only lack one: `pass1` is more like a password than like the word for it.
    let lacks = |part: &str, word: &str| {
        let mut letters = word.bytes();
        part.bytes().all(|wanted| letters.any(|letter| letter == wanted))
    };
    let parts = name.split(|letter: char| !letter.is_alphanumeric());
    let whole: String = name.chars().filter(|letter| letter.is_alphanumeric()).collect();
    [whole.as_str()].into_iter().chain(parts).any(|part| {
        let part = part.to_ascii_lowercase();
        if part.len() < SHORTEST || OTHERS.contains(&part.as_str()) {
            return false;
        }
        // Few begin a word with a mistake, and most words end here.
        let near = WORDS.iter().copied().filter(|word| {
            word.len().abs_diff(part.len()) <= MISTAKES
                && word.as_bytes().first() == part.as_bytes().first()
                && (part.len() > SHORTEST || lacks(&part, word))
        });
        suggest(&part, near).is_some()
    })
}

/// Whether a word reads a secret from the request: `req.hdr(x-api-key)`, `http_auth_bearer`, `$http_x_api_key`.
pub(super) fn is_secret_fetch(word: &str) -> bool {
    let word = word.trim_start_matches('(');
    if word.starts_with("http_auth_bearer") {
        return true;
    }
    if let Some(variable) = word.strip_prefix('$') {
        if variable.strip_prefix("arg_").is_some_and(is_secret_parameter) {
            return true;
        }
        return ["http_", "cookie_"].iter().any(|kind| {
            variable.strip_prefix(kind).is_some_and(|name| is_secret_header(&name.replace('_', "-")))
        });
    }
    let Some((fetch, argument)) = word.split_once('(') else { return false };
    let name = argument.split([')', ',']).next().unwrap_or_default();
    is_secret_header(name) || (matches!(fetch, "urlp" | "url_param") && is_secret_parameter(name))
}
