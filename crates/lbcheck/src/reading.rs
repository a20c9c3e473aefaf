//! What readers take and what they give back.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::dialect::{Dialect, Edition, Version};
use crate::model::Config;
use crate::source::Span;
use crate::statement::Statements;

/// What to read and how.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct ReadOptions {
    /// The language.
    pub dialect: Dialect,
    /// The product version whose keywords and defaults hold.
    pub version: Version,
    /// nginx: the edition whose directives hold.
    pub edition: Edition,
    /// Directives of modules that lbcheck does not know, by the word the configuration uses. What they do is unknown.
    pub known_directives: BTreeSet<String>,
    /// Environment variables of the service (HAProxy `"${VAR}"`). Nothing is taken from lbcheck's own environment.
    pub env: BTreeMap<String, String>,
    /// nginx: the directory that relative includes start from. `None`: that of the main file.
    pub prefix: Option<String>,
    /// nginx: the blocks a snippet belongs in, outermost first, for example `http`, `server`. Empty: a whole
    /// configuration.
    pub context: Vec<String>,
}

impl ReadOptions {
    /// Defaults for a dialect: the assumed version, no variables.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            version: dialect.assumed_version(),
            edition: Edition::default(),
            known_directives: BTreeSet::new(),
            env: BTreeMap::new(),
            prefix: None,
            context: Vec::new(),
        }
    }
}

/// What a reader gives back. Reading never fails; what is wrong is in `diagnostics`.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Reading {
    /// The model, as far as the input could be understood.
    pub config: Config,
    /// Every statement, also those that the model has no field for.
    pub statements: Statements,
    /// What is wrong with the text itself.
    pub diagnostics: Vec<Diagnostic>,
    /// Comments, for suppressions: each from its `#` up to the end of the line.
    pub comments: Vec<Span>,
    /// Sections and blocks: a suppression at the head of one holds for all of it.
    pub blocks: Vec<Block>,
    /// The structure could not be trusted (unreadable file, unbalanced braces, binary data): nothing may be
    /// concluded from silence, and the command line exits 2.
    pub broken: bool,
}

impl Reading {
    /// A reading of nothing, to fill.
    #[must_use]
    pub fn new(options: &ReadOptions) -> Self {
        Self {
            config: Config::empty(options.dialect, options.version),
            statements: Statements::default(),
            diagnostics: Vec::new(),
            comments: Vec::new(),
            blocks: Vec::new(),
            broken: false,
        }
    }
}

/// A section or block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Block {
    /// Its first line.
    pub header: Span,
    /// All of it, header included.
    pub extent: Span,
}
