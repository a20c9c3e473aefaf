//! What a configuration says, statement by statement: the ground on which two of them are compared.
//!
//! The model holds what lbcheck understands; statements hold everything. A reader gives one for each setting, also for
//! those that the model has no field for and for directives that nobody here knows, after includes, conditionals and
//! variables, with its arguments in one canonical spelling. Who inherits what is written down by scopes and not
//! expanded, so that ten thousand sections under one `defaults` cost no more than their own lines.

use crate::effect::EffectClass;
use crate::source::Span;

/// Index of a scope in [`Statements::scopes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(u32);

/// A place where statements hold: a section, a block, a message.
#[derive(Clone, Debug)]
pub struct Scope {
    /// What it is called, for people, the scopes around it left out: "backend api", "location /img/".
    pub label: String,
    /// The scope it stands in.
    pub parent: Option<ScopeId>,
    /// The scope whose statements hold here too, unless they are replaced here.
    pub inherits: Option<ScopeId>,
    /// Its statements hold only where they are inherited (HAProxy `defaults`).
    pub template: bool,
    /// The sequence of scopes of one parent in which its place counts: nginx locations with expressions, Envoy routes.
    pub sequence: Option<&'static str>,
    /// Its head.
    pub span: Span,
}

/// What becomes of a statement in the scopes that inherit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Inheritance {
    /// It holds only where it is written.
    Stays,
    /// It holds further in, until a statement of the same name replaces it and all others of that name.
    Replaced,
    /// It holds further in, besides what is written there.
    Added,
}

/// One setting in one scope.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Where it is written.
    pub scope: ScopeId,
    /// What is set, in the dialect's words: `timeout client`, `server api1`, `proxy_set_header`. A statement that
    /// replaces others in an inner scope replaces all of its name.
    pub name: String,
    /// Which of several of that name it is: the name of a header, the word of a `server` line. Often empty.
    pub key: String,
    /// What it is set to, in canonical spelling; empty where name and key say all.
    pub value: String,
    /// The sequence in which its place counts: `http-request`. `None`: its place does not matter.
    pub sequence: Option<&'static str>,
    /// What becomes of it in scopes that inherit.
    pub inheritance: Inheritance,
    /// What it has an effect on.
    pub class: EffectClass,
    /// Where it is written.
    pub span: Span,
}

/// All statements of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Statements {
    /// The scopes; a scope comes after the one it stands in and the one it inherits from.
    pub scopes: Vec<Scope>,
    /// The statements, those of one scope in the order in which they are written.
    pub all: Vec<Statement>,
}

impl Statements {
    /// Adds a scope and gives its id.
    pub fn scope(&mut self, scope: Scope) -> ScopeId {
        self.scopes.push(scope);
        ScopeId(u32::try_from(self.scopes.len() - 1).unwrap_or(u32::MAX))
    }
}

impl Statement {
    /// The whole statement as one line.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = [self.name.as_str(), &self.key, &self.value];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

impl ScopeId {
    pub(crate) fn new(index: u32) -> Self {
        Self(index)
    }

    /// Its place among all scopes.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A word in one spelling: in quotes only where it would not be one word without them.
pub(crate) fn quoted(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '\t', '\n', '"', '\'']) {
        return word.to_owned();
    }
    let mut text = String::with_capacity(word.len() + 2);
    text.push('"');
    for character in word.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    text
}
