//! Where an expression stands decides what it can ask for.

use super::super::keywords::places as at;
use super::super::keywords::{AFTER, ANSWER, CONNECTION, CONTENT, REQUEST, RESPONSE, SESSION};
use super::super::syntax::{Line, SectionKind};

/// The places of the expressions on a line; 0 where nothing is known of them.
pub(super) fn of_line(line: &Line<'_>, kind: SectionKind) -> u32 {
    match line.keyword() {
        "http-request" | "redirect" => of_rules(REQUEST, kind),
        "http-response" => of_rules(RESPONSE, kind),
        "http-after-response" => of_rules(AFTER, kind),
        "use_backend" => at::AT_SWITCH,
        "log-format" | "log-format-sd" | "error-log-format" => at::AT_LOG,
        "http-check" | "tcp-check" => at::AT_CHECK,
        "stick" if line.arg(1) == "store-response" => at::AT_STORE,
        "stick" => at::AT_BALANCE,
        _ => 0,
    }
}

/// The places of a rule set in a section. A `listen` or `defaults` section has both sides.
pub(super) fn of_rules(set: u8, kind: SectionKind) -> u32 {
    let (front, back) = match set {
        CONNECTION => (at::AT_CONNECTION, 0),
        SESSION => (at::AT_SESSION, 0),
        CONTENT => (at::AT_CONTENT, at::AT_BACKEND_CONTENT),
        ANSWER => (at::AT_ANSWER, at::AT_BACKEND_ANSWER),
        REQUEST => (at::AT_REQUEST, at::AT_BACKEND_REQUEST),
        RESPONSE | AFTER => (at::AT_RESPONSE, at::AT_BACKEND_RESPONSE),
        _ => return 0,
    };
    match kind {
        SectionKind::Frontend => front,
        SectionKind::Backend => back,
        _ => front | back,
    }
}
