use super::{Category, Check, Context, Rule, Sink};
use crate::diagnostic::{RuleId, Severity};
use crate::dialect::Dialects;
use crate::model::Weakens;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    id: RuleId::ConfigEmptyOrTruncated,
    summary: "The configuration has no listener or no pool, or ends too early",
    category: Category::Completeness,
    severity: Severity::Error,
    production: Severity::Error,
    dialects: Dialects::ALL,
    docs: include_str!("config_empty_or_truncated.md"),
    check: Check::Config(check),
};

fn check(context: &Context<'_>, sink: &mut Sink<'_>) {
    let config = context.config;
    let language = config.dialect.description();
    // A part of a configuration says nothing about the whole.
    if config.fragment || !config.listeners.is_empty() || config.serves_other.is_some() {
        return;
    }
    // A control plane may yet give everything; that is said elsewhere. What other files an empty configuration
    // without one would have had does not make it less empty.
    let incomplete = config.coverage.gaps.iter().any(|gap| !matches!(gap.weakens, Weakens::Pool(_)));
    if incomplete && (language.has_control_plane || !config.pools.is_empty()) {
        return;
    }
    let Some(&file) = config.files.first() else { return };
    let start = Span::new(file, 0, 0);
    if config.pools.is_empty() {
        let finding = sink
            .finding(start, "the configuration has neither a listener nor a pool: it serves nothing")
            .help("check that the right file was rendered, and rendered to its end");
        sink.push(finding);
        return;
    }
    let noun = config.dialect.listener_noun();
    let message =
        format!("the configuration has {} but no {noun}: nothing reaches them", count(config.pools.len()));
    // Those that start without a listener serve nobody.
    let finding =
        if language.needs_listener { sink.finding(start, message) } else { sink.lesser(start, message) };
    sink.push(finding.help("if this is one file of several, give lbcheck all of them"));
}

fn count(pools: usize) -> String {
    if pools == 1 { "1 pool".into() } else { format!("{pools} pools") }
}
