//! Words after the address of a `bind` line, and of others that take the same.

use super::super::keywords;
use super::super::report::{Report, rule};
use super::super::syntax::Line;
use super::forms::value;

/// What the words after the address of a `bind` line say.
pub(crate) struct BindWords {
    pub(crate) tls: bool,
    pub(crate) accept_proxy: bool,
    /// A certificate, or leave to start without one.
    pub(crate) certificate: bool,
}

/// Checks the words after the address.
pub(crate) fn bind_words(line: &Line<'_>, mut at: usize, report: &mut Report) -> BindWords {
    let mut found = BindWords { tls: false, accept_proxy: false, certificate: false };
    while let Some(word) = line.word(at) {
        let name = word.as_str();
        match name {
            "accept-proxy" => found.accept_proxy = true,
            "crt" | "crt-list" | "default-crt" | "strict-sni" => found.certificate = true,
            "ssl" => {
                found.tls = true;
                at += 1;
                continue;
            }
            _ => {}
        }
        let Some(entry) = keywords::find(keywords::BIND, name) else {
            let help = match report.suggest(name, keywords::BIND.iter().map(|entry| entry.name)) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "see `bind` in the HAProxy configuration manual; several addresses are separated by commas".into(),
            };
            report.unknown(word.span, format!("`{name}` is not a keyword of `bind`"), help);
            break;
        };
        if !entry.known_in(report.version) {
            report.error(
                rule::UNKNOWN,
                word.span,
                format!("`{name}` is not a keyword of `bind` in HAProxy {}", report.version),
                "remove it, or read the file for the version it was written for",
            );
        }
        if entry.args > 0
            && line.word(at + 1).is_none()
            && !matches!(name, "backlog" | "maxconn" | "nice" | "id")
        {
            report.error(
                rule::VALUE,
                word.span,
                format!("the keyword `{name}` of `bind` needs an argument"),
                format!("write `{name} VALUE`"),
            );
        } else if line.word(at + 1).is_some() {
            value(line, at, keywords::BIND_VALUES, report);
        }
        at += 1 + usize::from(entry.args);
    }
    found
}
