//! What the program refuses: unknown and misplaced keywords, wrong numbers of arguments, wrong words.
//!
//! Only what the program was seen to refuse is an error here; values that shape the model are judged where they are
//! lowered.

mod actions;
mod bind;
mod checks;
mod condition;
mod discouraged;
mod forms;
mod lines;
mod refuse;
mod sample_places;
mod users;

pub(super) use bind::{BindWords, bind_words};
pub(super) use forms::{value, warn_of_tail, warn_of_time};

use super::keywords::{self, ANY, Keyword};
use super::report::{Own, Report, rule};
use super::syntax::{Line, Modifier, Section, SectionKind, for_named_defaults, is_name_character};

/// Checks every line.
pub(super) fn check(sections: &[Section<'_>], report: &mut Report) {
    let tables = Own::inherits_tables(sections);
    for section in sections {
        report.assumed = section.header.assumed;
        report.own = Own::of(section, tables);
        header(section, report);
        // These kinds have no table.
        if matches!(section.kind, SectionKind::Spoe | SectionKind::Healthcheck) {
            continue;
        }
        for line in &section.lines {
            report.assumed = line.assumed;
            if keyword(line, section, report) {
                lines::check(line, section, report);
            }
        }
        report.assumed = section.header.assumed;
        if section.kind.is_proxy() {
            checks::sequences(section, report);
        }
        if section.kind == SectionKind::Userlist {
            users::check(section, report);
        }
        discouraged::check(section, report);
    }
    report.assumed = false;
    report.own = Own::UNKNOWN;
}

fn header(section: &Section<'_>, report: &mut Report) {
    let header = &section.header;
    let word = section.kind.word();
    if !keywords::section_known(section.kind, report.version) {
        report.error(
            rule::UNKNOWN,
            header.at(0),
            format!("HAProxy {} knows no section `{word}`", report.version),
            "remove it, or read the file for the version it was written for",
        );
        return;
    }
    match section.kind {
        SectionKind::Global | SectionKind::Traces => surplus(header, 0, report),
        SectionKind::CrtStore => surplus(header, 1, report),
        SectionKind::Frontend | SectionKind::Backend | SectionKind::Listen => {
            let referring = header.arg(2) == "from" && header.words.len() > 3;
            let extra = if referring { header.word(4) } else { header.word(2) };
            if let Some(extra) = extra {
                let help = match extra.as_str().contains(':') {
                    true => format!("write the address on a line of its own: `bind {}`", extra.as_str()),
                    false => format!("write `{word} NAME` or `{word} NAME from DEFAULTS`"),
                };
                report.error(
                    rule::VALUE,
                    extra.span,
                    format!("`{}` may not stand in the header of {}", extra.as_str(), section.label()),
                    help,
                );
            }
        }
        SectionKind::Acme
        | SectionKind::Cache
        | SectionKind::FcgiApp
        | SectionKind::HttpErrors
        | SectionKind::LogForward
        | SectionKind::LogProfile
        | SectionKind::Mailers
        | SectionKind::Peers
        | SectionKind::Program
        | SectionKind::Resolvers
        | SectionKind::Ring
        | SectionKind::Userlist => {
            let Some(name) = header.word(1) else {
                report.error(
                    rule::VALUE,
                    header.span,
                    format!("this `{word}` section has no name"),
                    format!("write `{word} NAME`"),
                );
                return;
            };
            let single = matches!(
                section.kind,
                SectionKind::Cache
                    | SectionKind::Peers
                    | SectionKind::Userlist
                    | SectionKind::FcgiApp
                    | SectionKind::LogForward
                    | SectionKind::LogProfile
            );
            if single {
                surplus(header, 1, report);
            }
            let strict =
                matches!(section.kind, SectionKind::Userlist | SectionKind::Peers | SectionKind::Resolvers);
            if let Some(bad) = name.as_str().chars().find(|&c| !is_name_character(c)).filter(|_| strict) {
                report.error(
                    rule::VALUE,
                    name.span,
                    format!("the character `{bad}` may not stand in the {word} name `{}`", name.as_str()),
                    "use letters, digits, `-`, `_`, `.` and `:`",
                );
            }
        }
        _ => {}
    }
}

/// Checks the keyword of a line and the number of its arguments. False: nothing more can be said of it.
fn keyword(line: &Line<'_>, section: &Section<'_>, report: &mut Report) -> bool {
    let name = line.keyword();
    if line.modifier != Modifier::None && !keywords::NEGATABLE.contains(&name) {
        let modifier = if line.modifier == Modifier::No { "no" } else { "default" };
        report.error(
            rule::VALUE,
            line.span,
            format!("`{modifier}` cannot stand before `{name}`"),
            "only `option`, `log` and a few keywords of `global` can be negated",
        );
        return false;
    }
    let place = keywords::place(section.kind);
    let entries = keywords::keyword(name);
    // A keyword that changes with the version has an entry for each.
    let mut here = entries.iter().filter(|entry| entry.places & place != 0);
    let first = here.clone().next();
    let Some(entry) = here.find(|entry| entry.known_in(report.version)).or(first) else {
        if !removed(line, place, report) {
            unknown(line, section, entries, report);
        }
        return false;
    };
    if !entry.known_in(report.version) {
        report.error(
            rule::UNKNOWN,
            line.at(0),
            format!("`{name}` is not a keyword of HAProxy {} in {}", report.version, article(section.kind)),
            "remove it, or read the file for the version it was written for",
        );
        return false;
    }
    let shared = place & keywords::place(SectionKind::Defaults) != 0 && for_named_defaults(line);
    if shared && (section.name().is_empty() || !report.at_least(2, 5)) {
        let (what, help) = match report.at_least(2, 5) {
            true => ("without a name", "give the section a name: `defaults NAME`"),
            false => ("of HAProxy 2.4", "move the rule to the sections that need it"),
        };
        let message = format!("`{name}` may not stand in a `defaults` section {what}");
        report.error(rule::VALUE, line.at(0), message, help);
        return false;
    }
    count(line, entry, report)
}

/// Reports a keyword that older versions had. False: it is none.
fn removed(line: &Line<'_>, place: u32, report: &mut Report) -> bool {
    let name = line.keyword();
    let mut known = keywords::REMOVED.iter();
    let Some(removed) = known.find(|removed| removed.name == name && removed.places & place != 0) else {
        return false;
    };
    if report.version < removed.since {
        return true;
    }
    report.error(
        rule::UNKNOWN,
        line.at(0),
        format!("`{name}` is no longer supported by HAProxy"),
        removed.advice,
    );
    true
}

fn count(line: &Line<'_>, entry: &Keyword, report: &mut Report) -> bool {
    if line.modifier == Modifier::None && line.words.len() <= usize::from(entry.least) {
        report.error(
            rule::VALUE,
            line.span,
            format!("`{}` needs an argument", entry.name),
            format!("see `{}` in the HAProxy configuration manual", entry.name),
        );
        return false;
    }
    if entry.most != ANY {
        surplus(line, usize::from(entry.most), report);
    }
    true
}

/// Reports a word after the last one that may stand on a line.
fn surplus(line: &Line<'_>, most: usize, report: &mut Report) {
    let Some(extra) = line.word(most + 1) else { return };
    let number = match most {
        0 => "no argument".to_owned(),
        1 => "one argument".to_owned(),
        more => format!("{more} arguments"),
    };
    report.error(
        rule::VALUE,
        extra.span,
        format!("`{}` takes {number}, so `{}` cannot follow", line.keyword(), extra.as_str()),
        "remove it; a comment starts with `#`, and blanks inside a value need quotes",
    );
}

fn unknown(line: &Line<'_>, section: &Section<'_>, entries: &[Keyword], report: &mut Report) {
    let name = line.keyword();
    let here = article(section.kind);
    if let Some(entry) = entries.first() {
        let home = KINDS.iter().find(|kind| entry.places & keywords::place(**kind) != 0);
        let help = match home {
            Some(&kind) => format!("`{name}` stands in {}", article(kind)),
            None => format!("see `{name}` in the HAProxy configuration manual"),
        };
        report.unknown(line.at(0), format!("`{name}` may not stand in {here}"), help);
        return;
    }
    let place = keywords::place(section.kind);
    let known = keywords::KEYWORDS.iter().filter(|entry| entry.places & place != 0).map(|entry| entry.name);
    let sections = super::syntax::SECTIONS.iter().map(|(word, _)| *word);
    let close = report.suggestion(name, known.chain(sections));
    let help = match close {
        Some(close) => format!("did you mean `{}`?", close.word),
        None => "see the HAProxy configuration manual for the keywords of this section".to_owned(),
    };
    report.unknown(line.at(0), format!("`{name}` is not a keyword of HAProxy in {here}"), help);
    report.mend(line.at(0), name, close);
}

const KINDS: &[SectionKind] = &[
    SectionKind::Global,
    SectionKind::Frontend,
    SectionKind::Backend,
    SectionKind::Listen,
    SectionKind::Defaults,
    SectionKind::Peers,
    SectionKind::Resolvers,
    SectionKind::Userlist,
    SectionKind::Cache,
    SectionKind::Ring,
    SectionKind::Mailers,
    SectionKind::Program,
    SectionKind::HttpErrors,
    SectionKind::FcgiApp,
    SectionKind::LogForward,
    SectionKind::LogProfile,
    SectionKind::CrtStore,
    SectionKind::Traces,
    SectionKind::Acme,
    SectionKind::NamespaceList,
];

/// "a `frontend` section".
fn article(kind: SectionKind) -> String {
    let word = kind.word();
    let article = if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} `{word}` section")
}
