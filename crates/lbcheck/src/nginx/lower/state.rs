//! The state of one lowering, and what every part of it needs.

use std::collections::BTreeMap;

use super::variable::Variables;
use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::dialect::{Edition, Version};
use crate::model::{Action, Config, Gap, Mode, PoolId, Weakens};
use crate::nginx::directives::Contexts;
use crate::nginx::syntax::{NodeId, Tree};
use crate::source::Span;

/// Which of the two languages inside an nginx configuration is being lowered. They share no names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::nginx) enum Family {
    Http,
    Stream,
}

impl Family {
    pub(super) fn mode(self) -> Mode {
        match self {
            Self::Http => Mode::Http,
            Self::Stream => Mode::Tcp,
        }
    }
}

/// What a variable chooses, found once for all its uses.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    /// One of several upstreams, by what the model can tell.
    Action(Action),
    /// One of these pools; none listed: anything.
    Any(Vec<PoolId>),
}

/// The state of one lowering.
pub(in crate::nginx) struct Lower<'a> {
    pub(super) tree: &'a Tree,
    pub(super) contexts: &'a [Contexts],
    pub(super) version: Version,
    pub(in crate::nginx) edition: Edition,
    pub(in crate::nginx) config: Config,
    pub(in crate::nginx) diagnostics: Vec<Diagnostic>,
    /// Declared upstreams by lower-case name.
    pub(super) upstreams: BTreeMap<(Family, String), PoolId>,
    /// Pools made for addresses, by address text.
    pub(super) implicit: BTreeMap<(Family, String), PoolId>,
    pub(super) variables: Variables,
    /// What variables choose, by lower-case name.
    pub(super) chosen: BTreeMap<(Family, String), Choice>,
    /// What to point at for something that is nowhere written: the start of the main file.
    pub(super) whole: Span,
}

impl<'a> Lower<'a> {
    pub(in crate::nginx) fn new(
        tree: &'a Tree,
        contexts: &'a [Contexts],
        config: Config,
        whole: Span,
    ) -> Self {
        Self {
            tree,
            contexts,
            version: config.version,
            edition: Edition::default(),
            config,
            diagnostics: Vec::new(),
            upstreams: BTreeMap::new(),
            implicit: BTreeMap::new(),
            variables: Variables::default(),
            chosen: BTreeMap::new(),
            whole,
        }
    }

    pub(super) fn error(&mut self, rule: RuleId, span: Span, message: impl Into<String>, help: &str) {
        let mut diagnostic = Diagnostic::new(rule, Severity::Error, span, message);
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn invalid(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.error(RuleId::InvalidValue, span, message, help);
    }

    pub(super) fn gap(&mut self, span: Span, what: impl Into<String>, weakens: Weakens) {
        self.config.coverage.gaps.push(Gap { span, what: what.into(), weakens, told: false });
    }

    /// The statement as written, for labels: name and arguments, cut where it is long.
    pub(super) fn text(&self, id: NodeId) -> String {
        let mut text = self.tree.name(id).to_owned();
        for value in self.tree.values(id) {
            text.push(' ');
            text.push_str(value);
            if text.len() > 120 {
                let mut cut = 120;
                while !text.is_char_boundary(cut) {
                    cut -= 1;
                }
                text.truncate(cut);
                text.push('…');
                break;
            }
        }
        text
    }
}
