//! Users and groups of a userlist, which name each other.

use std::collections::BTreeSet;

use super::super::report::{Report, rule};
use super::super::syntax::Section;

/// Groups name their users and users their groups; both may come later in the section.
pub(super) fn check(section: &Section<'_>, report: &mut Report) {
    // What an unread line defines is not known.
    if section.lines.iter().any(|line| line.words.iter().any(|word| word.unset)) {
        return;
    }
    let named = |keyword: &str| -> BTreeSet<&str> {
        section.lines.iter().filter(|line| line.keyword() == keyword).map(|line| line.arg(1)).collect()
    };
    let (users, groups) = (named("user"), named("group"));
    for line in &section.lines {
        let (list, other, known) = match line.keyword() {
            "group" => ("users", "user", &users),
            "user" => ("groups", "group", &groups),
            _ => continue,
        };
        let words = line.args(2);
        let Some(names) =
            words.iter().position(|word| word.as_str() == list).and_then(|at| words.get(at + 1))
        else {
            continue;
        };
        let missing = names.as_str().split(',').filter(|name| !name.is_empty() && !known.contains(name));
        for name in missing {
            report.error(
                rule::VALUE,
                names.span,
                format!("userlist `{}` has no {other} `{name}`", section.name()),
                format!("add `{other} {name}` to this section, or correct the name"),
            );
        }
    }
}
