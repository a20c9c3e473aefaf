//! `docs/rules.md`: every rule in one list, with the way to its page.

use std::fmt::Write as _;
use std::path::PathBuf;

use lbcheck::{Category, Dialect, Rule};

const HEAD: &str = "\
# Rules

<!-- Written by `cargo xtask rules` from the rules themselves. -->

What `lbcheck check` and `lbcheck diff` look for. Each id leads to a page that says what is checked, why it matters, how to
fix it and when to allow it, with examples that are the rule's tests; `lbcheck explain ID` prints it. How bad a finding is
depends on where it is: *production*, which is assumed, or *elsewhere*. `lbcheck.toml` can set another severity.
";

/// Where the list stands.
pub(crate) fn output_path() -> PathBuf {
    crate::envoy_schema::root().join("docs/rules.md")
}

/// The list, one table for each category.
pub(crate) fn generate() -> String {
    let mut categories: Vec<Category> = lbcheck::rules().iter().map(|rule| rule.category).collect();
    categories.sort_unstable();
    categories.dedup();
    let mut text = HEAD.to_owned();
    for category in categories {
        let _ = write!(text, "\n## {}\n\n{}\n", title(category), about(category));
        text.push_str(
            "\n| rule | what it finds | production | elsewhere | speaks of |\n|---|---|---|---|---|\n",
        );
        for rule in lbcheck::rules().iter().filter(|rule| rule.category == category) {
            text.push_str(&row(rule));
        }
    }
    text
}

fn row(rule: &Rule) -> String {
    let id = rule.id.as_str();
    let dialects: Vec<&str> = rule.dialects.iter().map(Dialect::product).collect();
    format!(
        "| [`{id}`](../crates/lbcheck/src/rules/{}.md) | {} | {} | {} | {} |\n",
        id.replace('-', "_"),
        rule.summary.replace('|', "\\|"),
        rule.production.as_str(),
        rule.severity.as_str(),
        dialects.join(", "),
    )
}

fn title(category: Category) -> String {
    let name = category.as_str();
    name.get(..1).unwrap_or_default().to_ascii_uppercase() + name.get(1..).unwrap_or_default()
}

fn about(category: Category) -> &'static str {
    match category {
        Category::Pools => "Members of pools.",
        Category::Distribution => "Weights and shares.",
        Category::Algorithms => "Algorithms, and whether they do what is expected of them.",
        Category::Health => "Health checks and outlier detection.",
        Category::Routing => "Which pool a request reaches.",
        Category::Limits => "Timeouts, retries and limits.",
        Category::Change => "What one change does: these speak in `lbcheck diff` only.",
        Category::Syntax => "Whether the text is valid.",
        Category::Completeness => "Whether the configuration is whole, and wholly understood.",
        Category::Policy => "lbcheck's own policy and suppressions.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_fresh() {
        let kept = std::fs::read_to_string(output_path()).unwrap();
        assert!(kept == generate(), "run `cargo xtask rules`");
    }

    #[test]
    fn every_page_is_where_the_list_says() {
        let pages = crate::envoy_schema::root().join("crates/lbcheck/src/rules");
        for rule in lbcheck::rules() {
            let page = pages.join(rule.id.as_str().replace('-', "_")).with_extension("md");
            assert!(page.is_file(), "{} is not there", page.display());
        }
    }
}
