//! The pages of the rules are their tests: each `bad` block must fire, each `good` one must not.

use std::collections::BTreeMap;

use lbcheck::diagnostic::RuleId;
use lbcheck::dialect::Dialect;
use lbcheck::policy::{Environment, Policy};
use lbcheck::rules::{self, Check, Rule};
use lbcheck::source::Sources;

use crate::support;

const HEADINGS: &[&str] =
    &["What it checks", "Why it matters", "Examples", "How to fix", "When to allow it", "References"];

/// Rules that no single text can show: they need a file system.
const NEEDS_FILES: &[RuleId] = &[RuleId::FileUnreadable];

pub(crate) struct Block {
    pub(crate) dialect: Dialect,
    /// The `toml policy` block before it, if the page has one.
    policy: Option<String>,
    kind: String,
    line: usize,
    pub(crate) text: String,
}

pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut policy: Option<String> = None;
    let mut in_policy = false;
    for (index, line) in page.lines().enumerate() {
        if in_policy {
            in_policy = line != "```";
            policy.iter_mut().filter(|_| line != "```").for_each(|text| *text += &format!("{line}\n"));
            continue;
        }
        match &mut open {
            None if line == "```toml policy" => {
                policy = Some(String::new());
                in_policy = true;
            }
            None => {
                let Some(info) = line.strip_prefix("```") else { continue };
                let mut words = info.split_whitespace();
                let dialect = words.next().and_then(|word| word.parse::<Dialect>().ok());
                if let (Some(dialect), Some(kind)) = (dialect, words.next()) {
                    let (kind, text) = (kind.to_owned(), String::new());
                    open = Some(Block { dialect, policy: policy.clone(), kind, line: index + 1, text });
                }
            }
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
    }
    blocks
}

fn fires(rule: &Rule, block: &Block) -> (bool, Vec<String>) {
    let mut sources = Sources::new();
    let reading = support::reading(block.dialect, block.text.as_bytes(), &mut sources);
    let mut environment = match &block.policy {
        None => Environment::default(),
        Some(text) => {
            let file = sources.add("lbcheck.toml", text.clone().into_bytes());
            let policy = Policy::parse(&sources, file).expect("the policy of a page is one");
            policy.environment(None, "x").expect("it has an environment")
        }
    };
    environment.today = support::TODAY.parse().ok();
    let report = support::check_in(&sources, &reading, &environment);
    let fired = report
        .findings
        .iter()
        .any(|finding| finding.diagnostic.rule == rule.id && finding.suppressed.is_none());
    (fired, support::lines(&sources, &report))
}

fn fires_on_change(rule: &Rule, dialect: Dialect, old: &str, new: &str) -> (bool, Vec<String>) {
    let mut sources = Sources::new();
    let old = support::reading(dialect, old.as_bytes(), &mut sources);
    let new = support::reading(dialect, new.as_bytes(), &mut sources);
    let report = support::diff(&sources, &old, &new);
    let fired = report.introduced().any(|finding| finding.diagnostic.rule == rule.id);
    let said =
        report.introduced().map(|f| format!("[{}] {}", f.diagnostic.rule, f.diagnostic.message)).collect();
    (fired, said)
}

#[test]
fn every_page_holds() {
    let mut failures = Vec::new();
    for rule in rules::ALL.iter().filter(|rule| rule.id != RuleId::InvalidPolicy) {
        let mut seen: BTreeMap<(Dialect, String), usize> = BTreeMap::new();
        let mut old: Option<Block> = None;
        for block in blocks(rule.docs) {
            *seen.entry((block.dialect, block.kind.clone())).or_insert(0) += 1;
            let (wanted, (fired, said)) = match block.kind.as_str() {
                "bad" => (true, fires(rule, &block)),
                "good" => (false, fires(rule, &block)),
                "old" => {
                    old = Some(block);
                    continue;
                }
                "new" | "new-ok" => {
                    let Some(old) = old.as_ref().filter(|old| old.dialect == block.dialect) else {
                        failures.push(format!("{}.md:{}: no `old` block before it", rule.id, block.line));
                        continue;
                    };
                    let found = fires_on_change(rule, block.dialect, &old.text, &block.text);
                    (block.kind == "new", found)
                }
                other => {
                    failures.push(format!("{}.md:{}: what is `{other}`?", rule.id, block.line));
                    continue;
                }
            };
            if fired != wanted {
                failures.push(format!(
                    "{}.md:{} ({} {}): {}; said:\n    {}",
                    rule.id,
                    block.line,
                    block.dialect,
                    block.kind,
                    if wanted { "stays silent" } else { "fires" },
                    said.join("\n    ")
                ));
            }
        }
        if NEEDS_FILES.contains(&rule.id) {
            continue;
        }
        let wanted: &[&str] = match rule.check {
            Check::Change(_) => &["old", "new", "new-ok"],
            Check::Config(_) | Check::Reader => &["bad", "good"],
        };
        for dialect in rule.dialects.iter() {
            for kind in wanted {
                if !seen.contains_key(&(dialect, (*kind).to_owned())) {
                    failures.push(format!("{}.md: no `{dialect} {kind}` block", rule.id));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// The page of mistakes in a policy holds policies instead of configurations.
#[test]
fn the_page_of_policies_holds() {
    let page = rules::rule(RuleId::InvalidPolicy).docs;
    let mut kinds = Vec::new();
    for block in page.split("\n```toml ").skip(1) {
        let (kind, rest) = block.split_once('\n').unwrap();
        let text = rest.split("```").next().unwrap();
        let mut sources = Sources::new();
        let file = sources.add("lbcheck.toml", text.as_bytes().to_vec());
        let mistakes = Policy::parse(&sources, file).err().unwrap_or_default();
        assert_eq!(mistakes.is_empty(), kind == "good", "{text}");
        assert!(mistakes.iter().all(|mistake| mistake.rule == RuleId::InvalidPolicy), "{mistakes:?}");
        kinds.push(kind);
    }
    assert_eq!(kinds, ["bad", "bad", "good"]);
}

#[test]
fn the_registry_is_in_order() {
    let ids: Vec<&str> = rules::ALL.iter().map(|rule| rule.id.as_str()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted, "ids are unique and alphabetical");
    // A diagnostic carries a `RuleId`, so that nothing else is ever printed for one: each has its rule, with a page.
    assert!(RuleId::ALL.iter().all(|&id| rules::rule(id).id == id));
    assert_eq!(RuleId::ALL.len(), rules::ALL.len());
    for rule in rules::ALL {
        let kebab = rule.id.as_str().chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
        assert!(kebab, "{}", rule.id);
        assert!(rule.production >= rule.severity, "{} is milder in production", rule.id);
        let title = rule.docs.lines().next().unwrap_or_default();
        assert_eq!(title, format!("# {}", rule.id));
        let headings: Vec<&str> = rule.docs.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}", rule.id);
    }
}

#[test]
fn every_rule_has_its_two_files_and_nothing_else_lies_there() {
    let folder = support::root().join("crates/lbcheck/src/rules");
    let mut stems: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let (stem, extension) = name.split_once('.').unwrap();
        stems.entry(stem.to_owned()).or_default().push(extension.to_owned());
    }
    for helper in ["mod", "host_names", "sink"] {
        stems.remove(helper);
    }
    let ids: Vec<String> = stems.keys().map(|stem| stem.replace('_', "-")).collect();
    let registered: Vec<&str> = RuleId::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids, registered);
    for (stem, mut extensions) in stems {
        extensions.sort();
        assert_eq!(extensions, ["md", "rs"], "{stem}");
    }
}
