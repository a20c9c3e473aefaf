//! The tree of directives and blocks, flat: children follow their parent, and every node knows where its
//! descendants end.

use super::lexer::{self, FaultKind, Lexeme, TokenKind};
use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::source::{FileId, Sources, Span};

/// Index of a node.
pub(super) type NodeId = usize;

/// A word of a directive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) span: Span,
    /// Where its value lies in [`Tree::text`].
    at: u32,
    len: u32,
    pub(super) quoted: bool,
}

/// A directive, with or without a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// First word (the name) and one past the last, in [`Tree::words`].
    words: (u32, u32),
    /// The block it stands in; `None` at the top.
    pub(super) parent: Option<NodeId>,
    /// One past its last descendant.
    pub(super) end: NodeId,
    /// Whether it has a block.
    pub(super) block: bool,
    /// Name to last argument.
    pub(super) header: Span,
    /// Name to `;` or closing brace.
    pub(super) span: Span,
}

/// All directives of a configuration, includes in place.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    text: String,
    words: Vec<Word>,
    pub(super) nodes: Vec<Node>,
}

impl Tree {
    /// The value of a word.
    pub(super) fn value(&self, word: &Word) -> &str {
        self.text.get(word.at as usize..(word.at + word.len) as usize).unwrap_or_default()
    }

    /// Every word of a node, the name first.
    pub(super) fn words(&self, id: NodeId) -> &[Word] {
        let (from, to) = self.nodes.get(id).map_or((0, 0), |node| node.words);
        self.words.get(from as usize..to as usize).unwrap_or_default()
    }

    /// The arguments of a node.
    pub(super) fn args(&self, id: NodeId) -> &[Word] {
        self.words(id).get(1..).unwrap_or_default()
    }

    /// The name of a node; empty where there is none.
    pub(super) fn name(&self, id: NodeId) -> &str {
        self.words(id).first().map_or("", |word| self.value(word))
    }

    /// Argument `index` of a node, from 0.
    pub(super) fn arg(&self, id: NodeId, index: usize) -> Option<&str> {
        self.args(id).get(index).map(|word| self.value(word))
    }

    /// The values of all arguments.
    pub(super) fn values(&self, id: NodeId) -> Vec<&str> {
        self.args(id).iter().map(|word| self.value(word)).collect()
    }

    /// The children of a block, or the top-level nodes for `None`.
    pub(super) fn children(&self, parent: Option<NodeId>) -> Children<'_> {
        match parent {
            None => Children { tree: self, next: 0, end: self.nodes.len() },
            Some(id) => {
                let end = self.nodes.get(id).map_or(0, |node| node.end);
                Children { tree: self, next: id + 1, end }
            }
        }
    }

    /// The span of a node, name to end.
    pub(super) fn span(&self, id: NodeId) -> Span {
        self.nodes[id].span
    }

    /// The span of a node's name and arguments.
    pub(super) fn header(&self, id: NodeId) -> Span {
        self.nodes[id].header
    }
}

/// The children of a block, in order.
pub(super) struct Children<'a> {
    tree: &'a Tree,
    next: NodeId,
    end: NodeId,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        if self.next >= self.end {
            return None;
        }
        let id = self.next;
        self.next = self.tree.nodes.get(id)?.end.max(id + 1);
        Some(id)
    }
}

/// A file, or the part of a dump that stands for one, cut into tokens.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) file: FileId,
    /// Where the part ends.
    pub(super) end: usize,
    pub(super) lexemes: Vec<Lexeme>,
}

/// What one step of the parser came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A directive that ends with `;`.
    Statement(NodeId),
    /// Anything else; go on.
    Progress,
}

/// Builds a [`Tree`] from lexemes. The caller feeds the parts, so it can put an included file where its
/// `include` stands.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) tree: Tree,
    /// Blocks that are open, outermost first.
    pub(super) open: Vec<NodeId>,
    /// First word of the statement being read.
    pending: Option<u32>,
    /// Set once the structure cannot be trusted.
    pub(super) broken: bool,
    pub(super) diagnostics: Vec<Diagnostic>,
}

fn syntax_error(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(RuleId::SyntaxError, Severity::Error, span, message)
}

impl Builder {
    /// Takes one lexeme of `part`. `base` is how many blocks were open when the part began: the part may not
    /// close those.
    pub(super) fn take(&mut self, sources: &Sources, part: &Part, lexeme: Lexeme, base: usize) -> Event {
        let span = Span::new(part.file, lexeme.start, lexeme.end);
        match lexeme.kind {
            TokenKind::Space | TokenKind::Comment | TokenKind::Lua => {}
            TokenKind::Word => self.word(sources, span),
            TokenKind::Semicolon => {
                let Some(from) = self.pending.take() else {
                    self.diagnostics.push(
                        syntax_error(span, "unexpected `;`: there is no directive before it")
                            .help("remove the semicolon; a block ends with `}` alone"),
                    );
                    return Event::Progress;
                };
                return Event::Statement(self.node(from, span, false));
            }
            TokenKind::Open => {
                let from = self.pending.take().unwrap_or_else(|| {
                    self.broken = true;
                    self.diagnostics.push(
                        syntax_error(span, "unexpected `{`: no directive opens this block").help(
                            "write the directive's name before the brace, or end the one before with it",
                        ),
                    );
                    self.tree.words.len() as u32
                });
                let id = self.node(from, span, true);
                self.open.push(id);
            }
            TokenKind::Close => self.close(span, base),
        }
        Event::Progress
    }

    /// Ends a part: whatever it left open is reported and closed.
    pub(super) fn finish(&mut self, part: &Part, base: usize) {
        let end = Span::new(part.file, part.end, part.end);
        if let Some(from) = self.pending.take() {
            self.broken = true;
            let span = self.words_span(from).unwrap_or(end);
            let name = self.word_text(from);
            self.diagnostics.push(
                syntax_error(
                    span,
                    format!("the file ends inside directive `{name}`, which needs a `;` or a block"),
                )
                .help("end the directive with `;`"),
            );
            self.node(from, span, false);
        }
        if self.open.len() <= base {
            return;
        }
        self.broken = true;
        let unclosed = self.open.split_off(base);
        let mut diagnostic = Diagnostic::new(
            RuleId::ConfigEmptyOrTruncated,
            Severity::Error,
            end,
            match unclosed.len() {
                1 => "the file ends where `}` is expected: a block is not closed".to_owned(),
                count => format!("the file ends where `}}` is expected: {count} blocks are not closed"),
            },
        )
        .help("add the missing `}`");
        for &id in unclosed.iter().rev().take(3) {
            diagnostic = diagnostic.also(self.tree.header(id), "this block is open");
        }
        self.diagnostics.push(diagnostic);
        for id in unclosed {
            self.close_node(id, end);
        }
    }

    fn word(&mut self, sources: &Sources, span: Span) {
        // Asking for the text of the whole file checks all of it; one word is enough here.
        let raw = sources.file(span.file).bytes().get(span.range()).unwrap_or_default();
        let raw = std::str::from_utf8(raw).unwrap_or_else(|_| sources.text(span));
        let (value, quoted) = lexer::decode(raw);
        let at = self.tree.text.len() as u32;
        self.tree.text.push_str(&value);
        self.tree.words.push(Word { span, at, len: value.len() as u32, quoted });
        if self.pending.is_none() {
            self.pending = Some(self.tree.words.len() as u32 - 1);
        }
    }

    fn close(&mut self, span: Span, base: usize) {
        if let Some(from) = self.pending.take() {
            let name = self.word_text(from);
            let mut diagnostic =
                syntax_error(span, format!("unexpected `}}`: directive `{name}` is not ended by `;`"))
                    .help("add a `;` at the end of the directive");
            if let Some(words) = self.words_span(from) {
                diagnostic = diagnostic.also(words, "this directive has no `;`");
            }
            self.diagnostics.push(diagnostic);
            let words = self.words_span(from).unwrap_or(span);
            self.node(from, words, false);
        }
        if self.open.len() <= base {
            self.broken = true;
            self.diagnostics.push(
                syntax_error(span, "unexpected `}`: no block is open here")
                    .help("remove the brace, or find the one too many above"),
            );
            return;
        }
        if let Some(id) = self.open.pop() {
            self.close_node(id, span);
        }
    }

    fn close_node(&mut self, id: NodeId, end: Span) {
        let count = self.tree.nodes.len();
        if let Some(node) = self.tree.nodes.get_mut(id) {
            node.end = count;
            node.span = node.span.to(end);
        }
    }

    fn node(&mut self, from: u32, end: Span, block: bool) -> NodeId {
        let header = self.words_span(from).unwrap_or(end);
        let id = self.tree.nodes.len();
        self.tree.nodes.push(Node {
            words: (from, self.tree.words.len() as u32),
            parent: self.open.last().copied(),
            end: id + 1,
            block,
            header,
            span: header.to(end),
        });
        id
    }

    fn words_span(&self, from: u32) -> Option<Span> {
        let words = self.tree.words.get(from as usize..)?;
        Some(words.first()?.span.to(words.last()?.span))
    }

    fn word_text(&self, from: u32) -> String {
        self.tree.words.get(from as usize).map(|word| self.tree.value(word).to_owned()).unwrap_or_default()
    }
}

/// Puts a fault of the lexer into words.
pub(super) fn fault(file: FileId, fault: lexer::Fault, sources: &Sources) -> Diagnostic {
    let span = Span::new(file, fault.start, fault.end);
    match fault.kind {
        FaultKind::OpenQuote => {
            let quote = sources.text(span);
            syntax_error(span, format!("this quote is never closed: the file ends before another `{quote}`"))
                .help("close the quote on the same word")
        }
        FaultKind::AfterQuote => {
            let glued = sources.text(span);
            syntax_error(span, format!("unexpected `{glued}` after a closing quote"))
                .help("put a blank or `;` after the quote, or quote the whole word")
        }
        FaultKind::TooLong(true) => {
            syntax_error(span, "this quoted text is longer than the 4096 bytes nginx can read")
                .help("a closing quote is probably missing")
        }
        FaultKind::TooLong(false) => {
            syntax_error(span, "this word is longer than the 4096 bytes nginx can read")
                .help("shorten or split it")
        }
        FaultKind::OpenLua => {
            syntax_error(span, "this Lua block is never closed").help("add the missing `}`")
        }
    }
}
