//! Names of sections: what they may look like, which are doubled, and which `defaults` each section inherits.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::dialect::Version;
use crate::haproxy::report::{Report, rule};
use crate::haproxy::syntax::{Section, SectionKind, for_named_defaults, is_name_character};

/// For each section the index of the `defaults` section it inherits.
pub(super) fn parents(sections: &[Section<'_>], report: &mut Report) -> Vec<Option<usize>> {
    let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut referred: BTreeSet<&str> = BTreeSet::new();
    let mut last = None;
    let mut parents = Vec::with_capacity(sections.len());
    for (index, section) in sections.iter().enumerate() {
        report.assumed = section.header.assumed;
        let parent = if section.kind.is_proxy() { parent(section, &named, last, report) } else { None };
        parents.push(parent);
        if parent.is_some() && section.header.arg(2) == "from" {
            referred.insert(section.header.arg(3));
        }
        if section.kind == SectionKind::Defaults {
            last = Some(index);
            if referred.contains(section.name()) {
                report.error(
                    rule::DUPLICATE,
                    section.header.at(1),
                    format!("{} is defined again after a section referred to it by name", section.label()),
                    "rename one of the two sections",
                );
            }
            if !section.name().is_empty() {
                named.entry(section.name()).or_default().push(index);
            }
        }
    }
    parents
}

fn parent(
    section: &Section<'_>,
    named: &BTreeMap<&str, Vec<usize>>,
    last: Option<usize>,
    report: &mut Report,
) -> Option<usize> {
    let wanted = match (section.header.arg(2), section.header.word(3)) {
        ("from", Some(wanted)) => wanted,
        ("from", None) if section.kind == SectionKind::Defaults => {
            report.error(
                rule::VALUE,
                section.header.at(2),
                format!("{} does not say from which section it inherits", section.label()),
                "write `defaults NAME from OTHER`",
            );
            return None;
        }
        // `defaults from x` names a section called `from`.
        _ => {
            // A `defaults` section without `from` starts afresh.
            return last.filter(|_| section.kind != SectionKind::Defaults);
        }
    };
    match named.get(wanted.as_str()).map(Vec::as_slice) {
        Some([one]) => Some(*one),
        Some([.., last]) => {
            report.error(
                rule::VALUE,
                wanted.span,
                format!(
                    "several `defaults` sections are named `{}`, so {} cannot refer to one",
                    wanted.as_str(),
                    section.label()
                ),
                "give the sections names of their own",
            );
            Some(*last)
        }
        _ => {
            let help = match report.suggest(wanted.as_str(), named.keys().copied().take(1_000)) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("define `defaults {}` above this section", wanted.as_str()),
            };
            report.error(
                rule::VALUE,
                wanted.span,
                format!(
                    "{} refers to `defaults {}`, which is not defined above it",
                    section.label(),
                    wanted.as_str()
                ),
                help,
            );
            None
        }
    }
}

/// Reports sections that may not inherit the rules of their `defaults` section: rules know only one side of a proxy.
pub(super) fn shared_rules(sections: &[Section<'_>], parents: &[Option<usize>], report: &mut Report) {
    let mut first_heirs: BTreeMap<usize, SectionKind> = BTreeMap::new();
    for (section, parent) in sections.iter().zip(parents) {
        let Some(index) = *parent else { continue };
        let Some(parent) = sections.get(index).filter(|_| section.kind != SectionKind::Defaults) else {
            continue;
        };
        let mut rules =
            parent.lines.iter().filter(|line| line.keyword() != "acl" && for_named_defaults(line));
        let Some(shared) = rules.next() else { continue };
        report.assumed = section.header.assumed;
        let other_side = *first_heirs.entry(index).or_insert(section.kind) != section.kind;
        let message = match section.kind {
            SectionKind::Listen => format!(
                "{} inherits rules from {}, which a `listen` section cannot",
                section.label(),
                parent.label()
            ),
            _ if other_side => format!(
                "{} inherits rules from {}, which a section of the other side inherits too",
                section.label(),
                parent.label()
            ),
            _ => continue,
        };
        report.push(
            Diagnostic::new(rule::VALUE, Severity::Error, section.header.span, message)
                .also(shared.span, "one of the rules")
                .help("give frontends and backends `defaults` sections of their own, and `listen` sections one without rules"),
        );
    }
}

/// Reports names that are missing, misspelt or given twice.
pub(super) fn check(sections: &[Section<'_>], report: &mut Report) {
    let mut seen: BTreeMap<&str, Vec<&Section<'_>>> = BTreeMap::new();
    for section in sections {
        report.assumed = section.header.assumed;
        if !section.kind.is_proxy() {
            continue;
        }
        let Some(name) = section.header.word(1) else {
            if section.kind != SectionKind::Defaults {
                report.error(
                    rule::VALUE,
                    section.header.span,
                    format!("this `{}` section has no name", section.kind.word()),
                    format!("write `{} NAME`", section.kind.word()),
                );
            }
            continue;
        };
        if section.kind == SectionKind::Defaults {
            continue;
        }
        if let Some(bad) = name.as_str().chars().find(|&c| !is_name_character(c)) {
            report.error(
                rule::VALUE,
                name.span,
                format!(
                    "the character `{bad}` may not stand in the {} name `{}`",
                    section.kind.word(),
                    name.as_str()
                ),
                "use letters, digits, `-`, `_`, `.` and `:`",
            );
        }
        let others = seen.entry(name.as_str()).or_default();
        if let Some(other) = others.iter().find(|other| clash(other.kind, section.kind, report)) {
            let same = format!("{} has the same name as {}", section.label(), other.label());
            // Which of them is refused by a version alone.
            let (message, help) = match always_clash(other.kind, section.kind) {
                true => (format!("{same}, defined above it"), "rename one of them"),
                false => (
                    format!("{same}, which HAProxy refuses from 3.3 on"),
                    "rename one of them, or say which older version it is for",
                ),
            };
            let mut diagnostic = Diagnostic::new(rule::DUPLICATE, Severity::Error, name.span, message)
                .also(other.header.at(1), "first defined here")
                .help(help);
            diagnostic.since = (!always_clash(other.kind, section.kind)).then_some(EQUAL_NAMES_REFUSED);
            report.push(diagnostic);
        } else if let Some(other) = others.first() {
            report.push(
                Diagnostic::new(
                    rule::DUPLICATE,
                    Severity::Warning,
                    name.span,
                    format!(
                        "{} has the same name as {}; HAProxy 3.3 refuses this",
                        section.label(),
                        other.label()
                    ),
                )
                .also(other.header.at(1), "first defined here")
                .help("rename one of them"),
            );
        }
        // Two are enough to find every clash; more would make the search grow.
        if others.len() < 2 {
            others.push(section);
        }
    }
}

/// The first version that refuses a frontend and a backend of the same name.
const EQUAL_NAMES_REFUSED: Version = Version::new(3, 3);

fn clash(first: SectionKind, second: SectionKind, report: &Report) -> bool {
    report.version >= EQUAL_NAMES_REFUSED || always_clash(first, second)
}

/// Whether every version refuses the same name for both.
fn always_clash(first: SectionKind, second: SectionKind) -> bool {
    use SectionKind::{Backend, Frontend};
    !matches!((first, second), (Frontend, Backend) | (Backend, Frontend))
}
