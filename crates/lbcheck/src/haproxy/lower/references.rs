//! Names inside rules that must lead somewhere: stick tables, and the backends, servers and user lists of fetches.

use std::collections::{BTreeMap, BTreeSet};

use super::proxy::Proxy;
use crate::haproxy::report::{Report, Wanted, rule};
use crate::haproxy::syntax::{Line, Section, SectionKind};
use crate::model::Weakens;

/// Checks the names that rules refer to, once all sections are known.
pub(super) fn check(proxies: &[Proxy<'_, '_>], sections: &[Section<'_>], report: &mut Report) {
    // A branch that was not read may define what is missing here.
    let doubtful = report.coverage.gaps.iter().any(|gap| gap.weakens == Weakens::Everything);
    let named = |kinds: &[SectionKind]| -> BTreeSet<&str> {
        sections.iter().filter(|section| kinds.contains(&section.kind)).map(Section::name).collect()
    };
    let backends = named(&[SectionKind::Backend, SectionKind::Listen]);
    let frontends = named(&[SectionKind::Frontend, SectionKind::Listen]);
    let userlists = named(&[SectionKind::Userlist]);
    let groups: BTreeSet<(&str, &str)> = sections
        .iter()
        .filter(|section| section.kind == SectionKind::Userlist)
        .flat_map(|section| section.lines.iter().map(move |line| (section.name(), line)))
        .filter(|(_, line)| line.keyword() == "group")
        .map(|(list, line)| (list, line.arg(1)))
        .collect();
    let others: BTreeSet<(SectionKind, &str)> = sections
        .iter()
        .filter(|section| !section.kind.is_proxy())
        .map(|section| (section.kind, section.name()))
        .collect();
    let with_tables = table_owners(sections);
    let inherited_table =
        sections.iter().any(|section| section.kind == SectionKind::Defaults && has_table(section));
    let mut servers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let references = std::mem::take(&mut report.references);
    if references.iter().any(|reference| reference.wanted == Wanted::Server) {
        for proxy in proxies.iter().filter(|proxy| proxy.section.kind != SectionKind::Frontend) {
            let own = servers.entry(proxy.section.name()).or_default();
            // The names of a template's servers are not spelled out; such a section is not judged.
            own.extend(proxy.servers.iter().map(|server| server.name.as_str()));
            if proxy.servers.iter().any(|server| server.slots > 1) {
                own.insert("");
            }
        }
    }
    for reference in references {
        let name = reference.name.as_str();
        let missing = match reference.wanted {
            Wanted::Backend => (!backends.contains(name)).then(|| format!("there is no backend `{name}`")),
            Wanted::Frontend => (!frontends.contains(name)).then(|| format!("there is no frontend `{name}`")),
            Wanted::Group => match name.split_once('/') {
                Some((list, group)) if userlists.contains(list) && !groups.contains(&(list, group)) => {
                    Some(format!("userlist `{list}` has no group `{group}`"))
                }
                _ => None,
            },
            Wanted::Userlist => (!userlists.contains(name)).then(|| format!("there is no userlist `{name}`")),
            // The program makes this one itself from /etc/resolv.conf.
            Wanted::Section(SectionKind::Resolvers) if name == "default" => None,
            Wanted::Section(kind) => (!others.contains(&(kind, name)))
                .then(|| format!("there is no section `{} {name}`", kind.word())),
            // Tables of peers are named `PEERS/TABLE`.
            Wanted::Table => (!name.contains('/') && !with_tables.contains(name) && !inherited_table)
                .then(|| format!("there is no stick table `{name}`")),
            Wanted::Server => match name.split_once('/') {
                Some((proxy, server)) => match servers.get(proxy) {
                    _ if frontends.contains(proxy) && !backends.contains(proxy) => None,
                    None => Some(format!("there is no backend `{proxy}`")),
                    Some(known) if known.contains(server) || known.contains("") => None,
                    Some(_) => Some(format!("backend `{proxy}` has no server `{server}`")),
                },
                None => None,
            },
        };
        if let Some(missing) = missing {
            report.assumed = reference.assumed || doubtful;
            let message = format!("{missing}, which `{}` names", reference.fetch);
            report.error(rule::VALUE, reference.span, message, "define it, or correct the name");
        }
    }
    tables(sections, doubtful, report);
    loops(sections, &backends, doubtful, report);
}

fn has_table(section: &Section<'_>) -> bool {
    section.lines.iter().any(|line| line.keyword() == "stick-table")
}

/// The names of the proxies that have a stick table.
fn table_owners<'s>(sections: &'s [Section<'_>]) -> BTreeSet<&'s str> {
    sections
        .iter()
        .filter(|section| section.kind.is_proxy() && has_table(section))
        .map(Section::name)
        .collect()
}

/// A `stick` rule needs the table of its own section, or one that it names.
fn tables(sections: &[Section<'_>], doubtful: bool, report: &mut Report) {
    let proxies = || sections.iter().filter(|section| section.kind.is_proxy());
    let owners = table_owners(sections);
    if proxies().any(|section| section.kind == SectionKind::Defaults && has_table(section)) {
        return;
    }
    for section in proxies().filter(|section| section.kind != SectionKind::Defaults) {
        for line in &section.lines {
            let tracks =
                matches!(line.keyword(), "tcp-request" | "tcp-response" | "http-request" | "http-response")
                    && [1, 2].iter().any(|&at| line.arg(at).starts_with("track-sc"));
            if !tracks || line.words.iter().any(|word| word.unset) {
                continue;
            }
            // The action may name a table of its own; those of peers are named `PEERS/TABLE`.
            if let Some(at) = line.words.iter().position(|word| word.as_str() == "table") {
                let name = line.arg(at + 1);
                if !name.contains('/') && !owners.contains(name) {
                    report.assumed = line.assumed || doubtful;
                    report.error(
                        rule::VALUE,
                        line.at(at + 1),
                        format!("there is no stick table `{name}`"),
                        "add a `stick-table` to the section of that name, or correct the name",
                    );
                }
                continue;
            }
            if !owners.contains(section.name()) {
                report.assumed = line.assumed || doubtful;
                report.error(
                    rule::VALUE,
                    line.span,
                    format!("{} tracks clients but has no `stick-table`", section.label()),
                    "add a `stick-table`, or name the one of another section with `table NAME`",
                );
            }
        }
    }
    for section in
        proxies().filter(|section| matches!(section.kind, SectionKind::Backend | SectionKind::Listen))
    {
        for line in section.lines.iter().filter(|line| line.keyword() == "stick") {
            let named = line.words.iter().position(|word| word.as_str() == "table");
            let table = named.map_or(section.name(), |at| line.arg(at + 1));
            // Tables of peers are named `PEERS/TABLE`.
            if owners.contains(table) || table.contains('/') || line.words.iter().any(|word| word.unset) {
                continue;
            }
            report.assumed = line.assumed || doubtful;
            let (place, message) = match named {
                Some(at) => (line.at(at + 1), format!("there is no stick table `{table}`")),
                None => {
                    (line.span, format!("{} sticks to servers but has no `stick-table`", section.label()))
                }
            };
            report.error(rule::VALUE, place, message, "add for example `stick-table type ip size 100k`");
        }
    }
}

/// The program looks up the backends that a backend names, though it never goes there, and refuses its own name.
fn loops(sections: &[Section<'_>], backends: &BTreeSet<&str>, doubtful: bool, report: &mut Report) {
    let switches = |line: &&Line<'_>| matches!(line.keyword(), "use_backend" | "default_backend");
    for section in sections.iter().filter(|section| section.kind == SectionKind::Backend) {
        for line in section.lines.iter().filter(switches) {
            let Some(word) = line.word(1).filter(|word| !word.unset && !word.as_str().contains('%')) else {
                continue;
            };
            let name = word.as_str();
            let message = if name == section.name() {
                format!("{} passes on to itself with `{}`", section.label(), line.keyword())
            } else if !backends.contains(name) {
                format!("there is no backend `{name}`")
            } else {
                continue;
            };
            report.assumed = line.assumed || doubtful;
            report.error(
                rule::VALUE,
                word.span,
                message,
                "remove the line: backends are chosen in a `frontend` or `listen` section",
            );
        }
    }
}
