//! How `http-request` rules change the path and the host before a request is passed on.

use std::collections::BTreeMap;

use crate::haproxy::acl::Budget;
use crate::haproxy::lexer::joined;
use crate::haproxy::syntax::Line;
use crate::model::{Action, Condition, Config, PoolId, Target};

/// Longest description of one route's rewrites, in bytes; many routes may share many rules.
const MAX_TEXT: usize = 1 << 10;

/// Most rewrites that are compared with a route.
const MAX_RULES: usize = 64;

/// The rewrites of one section, in the order in which they run.
#[derive(Debug, Default)]
pub(super) struct Rewrites {
    all: Vec<Rewrite>,
}

#[derive(Debug)]
struct Rewrite {
    /// The action in HAProxy's words.
    action: String,
    /// From `if` or `unless` on; empty for an unconditional rule.
    condition: String,
    when: Condition,
}

impl Rewrites {
    /// Notes an `http-request` rule, if it changes the path or the host.
    pub(super) fn note(&mut self, line: &Line<'_>, when: &Condition) {
        let changes = match line.arg(1) {
            "set-path" | "set-pathq" | "set-uri" | "replace-path" | "replace-pathq" | "replace-uri" => true,
            "set-header" | "replace-header" | "replace-value" => line.arg(2).eq_ignore_ascii_case("host"),
            _ => false,
        };
        if !changes || *when == Condition::Never {
            return;
        }
        let words = line.args(1);
        let end =
            words.iter().position(|word| matches!(word.as_str(), "if" | "unless")).unwrap_or(words.len());
        self.all.push(Rewrite {
            action: joined(words.get(..end).unwrap_or_default()),
            condition: joined(words.get(end..).unwrap_or_default()),
            when: when.clone(),
        });
    }

    /// What is changed before a route with this condition is taken, in words.
    ///
    /// A rule under the route's own condition is as good as one without; one under the opposite never meets it.
    pub(super) fn before(&self, when: &Condition) -> Option<String> {
        let mut text = String::new();
        for (index, rewrite) in self.all.iter().enumerate() {
            let certain = rewrite.when == Condition::Always || rewrite.when == *when;
            if !certain && *when != Condition::Always && rewrite.when.clone().not() == *when {
                continue;
            }
            if index >= MAX_RULES || text.len() + rewrite.action.len() + rewrite.condition.len() > MAX_TEXT {
                text.push_str("; and more");
                break;
            }
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&rewrite.action);
            if !certain {
                text.push(' ');
                text.push_str(&rewrite.condition);
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Adds what backends change themselves to the routes that lead to them.
pub(super) fn pass_on(config: &mut Config, rewrites: &BTreeMap<PoolId, String>, budget: &mut Budget) {
    for route in config.tables.iter_mut().flat_map(|table| &mut table.routes) {
        let Action::Forward(Target::Pool { pool, .. }) = &route.action else { continue };
        let Some(own) = rewrites.get(pool) else { continue };
        // The text is copied to each route; the budget keeps the product of both small.
        if !budget.take(1 + own.len() / 64) {
            return;
        }
        let text = format!("in the backend: {own}");
        route.rewrite = Some(match route.rewrite.take() {
            Some(before) => format!("{before}; {text}"),
            None => text,
        });
    }
}
