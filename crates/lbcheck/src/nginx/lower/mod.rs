//! From the tree of directives to the model.

mod action;
mod condition;
mod listen;
mod location;
mod names;
mod rewrite;
mod scope;
mod server;
mod stream;
mod target;
mod upstream;
mod variable;

use std::collections::BTreeMap;

use super::directives::{Contexts, H, L, LIF, M, S, T, TS, TU, UP};
use super::syntax::{NodeId, Tree};
use crate::diagnostic::{Diagnostic, Severity};
use crate::dialect::{Edition, Version};
use crate::model::{Config, Gap, Mode, PoolId, Weakens};
use crate::source::Span;
use scope::Scope;
use variable::Variables;

pub(super) use variable::percent;

/// Which of the two languages inside an nginx configuration is being lowered. They share no names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Http,
    Stream,
}

impl Family {
    fn mode(self) -> Mode {
        match self {
            Self::Http => Mode::Http,
            Self::Stream => Mode::Tcp,
        }
    }
}

/// The state of one lowering.
pub(super) struct Lower<'a> {
    tree: &'a Tree,
    contexts: &'a [Contexts],
    version: Version,
    pub(super) edition: Edition,
    pub(super) config: Config,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Declared upstreams by lower-case name.
    upstreams: BTreeMap<(Family, String), PoolId>,
    /// Pools made for addresses, by address text.
    implicit: BTreeMap<(Family, String), PoolId>,
    variables: Variables,
    /// What variables choose, by lower-case name.
    chosen: BTreeMap<(Family, String), target::Choice>,
    /// What to point at for something that is nowhere written: the start of the main file.
    whole: Span,
}

impl<'a> Lower<'a> {
    pub(super) fn new(tree: &'a Tree, contexts: &'a [Contexts], config: Config, whole: Span) -> Self {
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

    /// Lowers everything; `top` is the context of the top level.
    pub(super) fn run(&mut self, top: Contexts) {
        let whole = self.whole;
        match top {
            M => {
                for id in self.tree.children(None) {
                    if !self.tree.nodes[id].block {
                        continue;
                    }
                    match self.tree.name(id) {
                        "http" => self.http(Some(id)),
                        "stream" => self.stream(Some(id)),
                        _ => {}
                    }
                }
            }
            H => self.http(None),
            T => self.stream(None),
            UP | TU => {
                let family = if top == UP { Family::Http } else { Family::Stream };
                self.upstream_snippet(family, whole);
            }
            S | L | LIF => {
                self.variables.collect(self.tree, self.contexts, 0..self.tree.nodes.len());
                self.server_snippet(top, whole);
            }
            TS => self.stream_server_snippet(whole),
            _ => {}
        }
    }

    fn http(&mut self, block: Option<NodeId>) {
        let range = block.map_or(0..self.tree.nodes.len(), |id| id + 1..self.tree.nodes[id].end);
        self.variables.collect(self.tree, self.contexts, range);
        self.upstreams_of(Family::Http, block);
        let scope = Scope::default().extended(self.tree, block);
        self.servers(block, &scope);
    }

    fn error(&mut self, rule: &'static str, span: Span, message: impl Into<String>, help: &str) {
        let mut diagnostic = Diagnostic::new(rule, Severity::Error, span, message);
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.diagnostics.push(diagnostic);
    }

    fn invalid(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.error("invalid-value", span, message, help);
    }

    fn gap(&mut self, span: Span, what: impl Into<String>, weakens: Weakens) {
        self.config.coverage.gaps.push(Gap { span, what: what.into(), weakens });
    }

    /// The statement as written, for labels: name and arguments, cut where it is long.
    fn text(&self, id: NodeId) -> String {
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
