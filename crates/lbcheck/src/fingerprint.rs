//! The order of findings, and what each is known by from one run to the next.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::report::Finding;
use crate::source::Sources;

/// Old pool names to new ones.
pub(crate) type Renames = BTreeMap<String, String>;

/// By file, place, severity (worst first), rule and message: the same input gives the same order.
pub(crate) fn sort(found: &mut [Diagnostic]) {
    found.sort_by(|a, b| {
        (a.primary.span, std::cmp::Reverse(a.severity), a.rule, &a.message).cmp(&(
            b.primary.span,
            std::cmp::Reverse(b.severity),
            b.rule,
            &b.message,
        ))
    });
}

/// Adds fingerprints. Two findings of one rule about one subject in one file are told apart by their order.
pub(crate) fn finish(sources: &Sources, found: Vec<Diagnostic>, renames: &Renames) -> Vec<Finding> {
    let mut seen = BTreeMap::<String, u32>::new();
    found
        .into_iter()
        .map(|diagnostic| {
            let base = identity(sources, &diagnostic, renames);
            let nth = seen.entry(base.clone()).or_insert(0);
            *nth += 1;
            let fingerprint = format!("{:016x}", fnv1a(format!("{base}\u{0}{nth}").as_bytes()));
            Finding { diagnostic, fingerprint, suppressed: None }
        })
        .collect()
}

/// What a finding is about, without line numbers and without the figures in its message. A finding that names
/// no pool is known by the text it points at.
fn identity(sources: &Sources, diagnostic: &Diagnostic, renames: &Renames) -> String {
    let none = String::new();
    let pool = diagnostic.subject.pool.as_ref().unwrap_or(&none);
    let pool = renames.get(pool).unwrap_or(pool);
    let endpoint = diagnostic.subject.endpoint.as_ref().unwrap_or(&none);
    let text = if pool.is_empty() { sources.text(diagnostic.primary.span) } else { "" };
    let text: String = text.chars().take(200).collect();
    format!("{}\u{0}{pool}\u{0}{endpoint}\u{0}{text}", diagnostic.rule)
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
