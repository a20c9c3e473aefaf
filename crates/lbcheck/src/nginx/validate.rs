//! What nginx refuses about a directive before its module looks at it: unknown names, wrong places, wrong
//! numbers of arguments, and values of the plain kinds.

use std::collections::{BTreeMap, BTreeSet};

use super::directive_values;
use super::directives::{self, Contexts, DATA, Directive, OTHER, TU, UP, ValueKind, Vendor};
use super::syntax::{NodeId, Tree, Word};
use super::values;
use crate::diagnostic::{Diagnostic, Fix, RuleId, Severity, Suggestion, suggest, suggestion};
use crate::dialect::{Dialect, Edition, Version};
use crate::model::WrittenTime;
use crate::reading::ReadOptions;

/// Since when `proxy_redirect off` must be the only one of its block; measured: 1.18 takes it, 1.22 does not.
const ONE_REDIRECT: Version = Version { major: 1, minor: 22, patch: 0 };

/// Unknown names for which a suggestion is looked up; each costs a walk over the table.
const MAX_SUGGESTIONS: usize = 64;

/// Checks every directive of the tree.
pub(super) struct Validator<'a> {
    pub(super) tree: &'a Tree,
    pub(super) contexts: &'a [Contexts],
    pub(super) version: Version,
    edition: Edition,
    /// Directives of the commercial edition that were spoken of.
    paid: BTreeSet<&'static str>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Times as they were written.
    pub(super) times: Vec<WrittenTime>,
    suggestions: BTreeMap<(String, Contexts), Option<Suggestion<'static>>>,
}

impl<'a> Validator<'a> {
    pub(super) fn new(tree: &'a Tree, contexts: &'a [Contexts], options: &ReadOptions) -> Self {
        Self {
            tree,
            contexts,
            version: options.version,
            edition: options.edition,
            paid: BTreeSet::new(),
            diagnostics: Vec::new(),
            times: Vec::new(),
            suggestions: BTreeMap::new(),
        }
    }

    /// Checks all; for every node the directive it is, where nginx would take it.
    pub(super) fn run(&mut self) -> Vec<Option<&'static Directive>> {
        let mut found = Vec::with_capacity(self.tree.nodes.len());
        // The first use of every single-valued directive of a block.
        let mut once: BTreeMap<(Option<NodeId>, &'static str), NodeId> = BTreeMap::new();
        let mut zones: BTreeMap<(Option<NodeId>, &str), NodeId> = BTreeMap::new();
        for id in 0..self.tree.nodes.len() {
            let context = self.contexts.get(id).copied().unwrap_or(OTHER);
            let directive = self.place(id, context);
            if let Some(directive) = directive {
                self.deprecated(id, directive);
                self.obsolete(id, directive);
                self.value(id, directive);
                self.diagnostics.append(&mut directive_values::check(self.tree, id, directive, self.version));
                self.repeated_reference(id, directive, &mut zones);
                if repeats_are_refused(directive) {
                    // The two share one setting.
                    let name = if directive.name == "alias" { "root" } else { directive.name };
                    let key = (self.tree.nodes[id].parent, name);
                    match once.get(&key) {
                        Some(&first) => self.duplicate(id, first),
                        None => {
                            once.insert(key, id);
                        }
                    }
                }
            }
            found.push(directive);
        }
        found
    }

    /// A block uses a zone, or turns something off, once.
    fn repeated_reference(
        &mut self,
        id: NodeId,
        directive: &Directive,
        seen: &mut BTreeMap<(Option<NodeId>, &'a str), NodeId>,
    ) {
        let parent = self.tree.nodes[id].parent;
        let mut values = self.tree.args(id).iter().map(|word| self.tree.value(word));
        let key = match directive.name {
            "limit_conn" => values.next(),
            "limit_req" => values.find_map(|value| value.strip_prefix("zone=")),
            // Before, the last one counted.
            "proxy_redirect" if self.version >= ONE_REDIRECT => {
                let off = values.len() == 1 && values.next() == Some("off");
                let before = seen.get(&(parent, "proxy_redirect off")).copied();
                let any = seen.get(&(parent, "proxy_redirect")).copied();
                seen.entry((parent, "proxy_redirect")).or_insert(id);
                if off {
                    seen.entry((parent, "proxy_redirect off")).or_insert(id);
                }
                if let Some(first) = before.or(any.filter(|_| off)) {
                    self.duplicate(id, first);
                }
                return;
            }
            "mirror" => {
                let off = values.next() == Some("off");
                let any = seen.get(&(parent, "mirror")).copied();
                let before = seen.get(&(parent, "mirror off")).copied();
                seen.entry((parent, if off { "mirror off" } else { "mirror" })).or_insert(id);
                if let Some(first) = before.or(any.filter(|_| off)) {
                    self.duplicate(id, first);
                }
                return;
            }
            _ => return,
        };
        let Some(key) = key else { return };
        match seen.get(&(parent, key)) {
            Some(&first) if self.tree.name(first) == directive.name => self.duplicate(id, first),
            Some(_) => {}
            None => {
                seen.insert((parent, key), id);
            }
        }
    }

    /// What nginx takes with a warning.
    fn deprecated(&mut self, id: NodeId, directive: &Directive) {
        let Some((since, instead)) = directive.deprecated.filter(|&(since, _)| since <= self.version) else {
            return;
        };
        let message = format!("directive `{}` is obsolete since nginx {since}", directive.name);
        self.diagnostics.push(
            Diagnostic::new(RuleId::DeprecatedDirective, Severity::Warning, self.tree.header(id), message)
                .help(format!("use `{instead}` instead")),
        );
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn duplicate(&mut self, id: NodeId, first: NodeId) {
        let (name, other) = (self.tree.name(id), self.tree.name(first));
        let message = if name == other {
            format!("directive `{name}` is given twice in this block")
        } else {
            format!("directive `{name}` cannot stand beside `{other}` in one block")
        };
        self.error(
            Diagnostic::new(RuleId::DuplicateDefinition, Severity::Error, self.tree.header(id), message)
                .also(self.tree.header(first), "first given here")
                .help("keep one of the two"),
        );
    }

    /// Finds the directive a node is; says why nginx refuses it if it does.
    fn place(&mut self, id: NodeId, context: Contexts) -> Option<&'static Directive> {
        let node = self.tree.nodes[id];
        let name = self.tree.name(id);
        if context == DATA {
            if node.block {
                self.error(Diagnostic::new(
                    RuleId::SyntaxError,
                    Severity::Error,
                    node.header,
                    format!("unexpected `{{` after `{name}`: this block holds values, not blocks"),
                ));
            }
            return None;
        }
        if context == OTHER || self.tree.words(id).is_empty() {
            return None;
        }
        if name == "include" {
            self.include(id);
            return None;
        }
        let known = directives::lookup(name);
        if known.is_empty() {
            self.unknown(id, context);
            return None;
        }
        let here: Vec<&'static Directive> =
            known.iter().filter(|entry| entry.contexts & context != 0).collect();
        let Some(&first) = here.first() else {
            self.wrong_context(id, context, known);
            return None;
        };
        if self.edition != Edition::Plus
            && !here.iter().any(|entry| entry.vendor != Vendor::Plus && self.available(entry))
            && let Some(&paid) = here.iter().find(|entry| entry.vendor == Vendor::Plus)
        {
            self.commercial(id, paid, &here);
            return Some(paid);
        }
        if let Some(late) = here.iter().find(|entry| !self.available(entry)) {
            if !here.iter().any(|entry| self.available(entry)) {
                self.unavailable(id, late);
            }
            return Some(late);
        }
        let Some(&entry) = here.iter().find(|entry| entry.arity.block == node.block) else {
            self.wrong_block(id, first);
            return None;
        };
        let count = self.tree.args(id).len();
        match here.iter().find(|entry| entry.arity.block == node.block && entry.arity.allows(count)) {
            Some(&fits) => Some(fits),
            None => {
                self.wrong_count(id, entry, count);
                None
            }
        }
    }

    fn include(&mut self, id: NodeId) {
        let count = self.tree.args(id).len();
        if count != 1 || self.tree.nodes[id].block {
            self.error(Diagnostic::new(
                RuleId::InvalidValue,
                Severity::Error,
                self.tree.header(id),
                format!("directive `include` takes 1 argument and no block, but has {count}"),
            ));
        }
    }

    fn available(&self, entry: &Directive) -> bool {
        entry.since.is_none_or(|since| since <= self.version)
            && entry.until.is_none_or(|until| self.version < until)
    }

    /// Blames a directive that only NGINX Plus has: the open source program does not know it.
    fn commercial(&mut self, id: NodeId, paid: &Directive, here: &[&'static Directive]) {
        let name = paid.name;
        // Without a word on the edition the file may be meant for NGINX Plus; balancing is worth a word even so.
        let sure = self.edition == Edition::OpenSource;
        let balancing = paid.contexts & (UP | TU) != 0 && paid.contexts & !(UP | TU) == 0;
        let rule = if balancing { RuleId::AlgorithmEditionMismatch } else { RuleId::UnknownDirective };
        // Each is worth one word, not one a line.
        if !sure && !balancing && !self.paid.insert(paid.name) {
            return;
        }
        let later = here.iter().filter(|entry| entry.vendor == Vendor::Nginx).find_map(|entry| entry.since);
        let message = match later {
            Some(since) => format!(
                "open source nginx {} has no directive `{name}`: it is in NGINX Plus, and in open source nginx from {since}",
                self.version
            ),
            None if sure => format!("open source nginx has no directive `{name}`: it belongs to NGINX Plus"),
            None => format!("directive `{name}` belongs to NGINX Plus: open source nginx refuses it"),
        };
        self.error(
            Diagnostic::new(
                rule,
                if sure { Severity::Error } else { Severity::Warning },
                self.tree.words(id)[0].span,
                message,
            )
            .help(super::EDITION_HELP),
        );
    }

    /// Says that nginx reads a directive and drops it. Seen with 1.22, 1.26 and 1.30; server push went in 1.25.1.
    fn obsolete(&mut self, id: NodeId, directive: &Directive) {
        let (since, instead) = match directive.name {
            "http2_push" | "http2_push_preload" | "http2_max_concurrent_pushes" => (
                Version { major: 1, minor: 25, patch: 1 },
                "remove it: browsers no longer take pushed answers",
            ),
            _ => return,
        };
        if self.version < since {
            return;
        }
        let message = format!("`{}` has no effect: nginx ignores it since {since}", directive.name);
        self.error(
            Diagnostic::new(RuleId::DirectiveIneffective, Severity::Warning, self.tree.header(id), message)
                .help(instead),
        );
    }

    fn unavailable(&mut self, id: NodeId, entry: &Directive) {
        let name = entry.name;
        let (message, help) = match (entry.since, entry.until) {
            (Some(since), _) if since > self.version => (
                format!("nginx {} has no directive `{name}`: it appeared in {since}", self.version),
                "upgrade nginx or remove the directive",
            ),
            (_, Some(until)) => (
                format!("nginx {} has no directive `{name}`: it was removed in {until}", self.version),
                if name == "ssl" { "write `listen … ssl` instead" } else { "remove the directive" },
            ),
            _ => return,
        };
        // A version newer than the one assumed may well be what runs.
        let newer = entry.since.is_some_and(|since| since > Dialect::Nginx.assumed_version());
        let severity = if newer { Severity::Warning } else { Severity::Error };
        let mut diagnostic =
            Diagnostic::new(RuleId::UnknownDirective, severity, self.tree.words(id)[0].span, message)
                .help(help);
        // Distributions ship versions that still have it.
        diagnostic.since = entry.until.filter(|until| *until <= self.version);
        self.error(diagnostic);
    }

    fn unknown(&mut self, id: NodeId, context: Contexts) {
        let name = self.tree.name(id);
        let span = self.tree.words(id).first().map_or(self.tree.span(id), |word| word.span);
        let mut diagnostic = Diagnostic::new(
            RuleId::UnknownDirective,
            Severity::Error,
            span,
            format!("nginx has no directive `{name}`"),
        );
        let room = self.suggestions.len() < MAX_SUGGESTIONS && name.len() < 64;
        let key = (name.to_owned(), context);
        let suggestion = match self.suggestions.get(&key) {
            Some(&known) => known,
            None if room => {
                let found = suggestion(name, directives::names_in(context));
                self.suggestions.insert(key, found);
                found
            }
            None => None,
        };
        diagnostic = match (suggestion, name.contains('#'), name.chars().next()) {
            (Some(close), _, _) => {
                diagnostic.help(format!("did you mean `{}`?", close.word)).fix(Fix::word(span, name, close))
            }
            (None, true, _) => {
                diagnostic.help("a comment starts only at the start of a word: put a blank before the `#`")
            }
            (None, _, Some('<' | '{' | '%' | '@')) => {
                diagnostic.help("this looks like a template: render it before it is checked")
            }
            _ => diagnostic.help("check the spelling, or that the module which defines it is loaded"),
        };
        self.error(diagnostic);
    }

    fn wrong_context(&mut self, id: NodeId, context: Contexts, known: &[Directive]) {
        let name = self.tree.name(id);
        let allowed = known.iter().fold(0, |all, entry| all | entry.contexts);
        // What the commercial edition takes is known from its manual only.
        let sure = known.iter().any(|entry| entry.vendor != Vendor::Plus);
        let mut diagnostic = Diagnostic::new(
            RuleId::InvalidValue,
            if sure { Severity::Error } else { Severity::Warning },
            self.tree.header(id),
            format!("directive `{name}` is not allowed in {}", directives::describe(context)),
        )
        .help(match known.first() {
            Some(entry) => {
                format!("it belongs in {} (module {})", directives::describe_all(allowed), entry.module)
            }
            None => String::new(),
        });
        if let Some(parent) = self.tree.nodes[id].parent {
            diagnostic = diagnostic.also(self.tree.header(parent), "it stands in this block");
        }
        self.error(diagnostic);
    }

    fn wrong_block(&mut self, id: NodeId, entry: &Directive) {
        let name = entry.name;
        let (message, help) = if entry.arity.block {
            (
                format!("directive `{name}` has no block"),
                "open a block with `{` instead of ending it with `;`",
            )
        } else {
            (
                format!("directive `{name}` takes no block"),
                "end the directive with `;`; a `}` before it may be missing",
            )
        };
        self.error(
            Diagnostic::new(RuleId::InvalidValue, Severity::Error, self.tree.header(id), message).help(help),
        );
    }

    fn wrong_count(&mut self, id: NodeId, entry: &Directive, count: usize) {
        let name = entry.name;
        let is = if count == 0 { "none".to_owned() } else { count.to_string() };
        let mut diagnostic = Diagnostic::new(
            RuleId::InvalidValue,
            Severity::Error,
            self.tree.header(id),
            format!("directive `{name}` takes {}, but has {is}", entry.arity.describe()),
        );
        // A forgotten semicolon makes the next directive an argument of this one.
        let swallowed = self.tree.args(id).iter().find(|word| {
            !word.quoted
                && word.span.file == self.tree.header(id).file
                && !directives::lookup(self.tree.value(word)).is_empty()
        });
        diagnostic = match swallowed {
            Some(word) => diagnostic.also(word.span, "a `;` before this word may be missing"),
            None => diagnostic,
        };
        self.error(diagnostic);
    }

    /// Checks the value of a directive whose place and number of arguments are right.
    fn value(&mut self, id: NodeId, directive: &'static Directive) {
        if directive.vendor == Vendor::Plus {
            return;
        }
        let Some(&word) = self.tree.args(id).first() else { return };
        let text = self.tree.value(&word);
        let ok = match directive.value {
            ValueKind::Any | ValueKind::Text | ValueKind::Once => true,
            ValueKind::Flag | ValueKind::FlagMany => {
                text.eq_ignore_ascii_case("on") || text.eq_ignore_ascii_case("off")
            }
            ValueKind::Number => values::number(text).is_some(),
            ValueKind::Between(low, high) => {
                match values::number(text).and_then(|number| i64::try_from(number).ok()) {
                    Some(number) => (low..=high).contains(&number) || high == -1 && number >= low,
                    None => false,
                }
            }
            ValueKind::Size => values::size(text, false).is_some(),
            ValueKind::Offset => values::size(text, true).is_some(),
            ValueKind::Millis | ValueKind::Seconds => {
                let time = values::time(text, directive.value == ValueKind::Millis);
                if let Some(time) = time.filter(|_| directive.name.ends_with("_timeout")) {
                    self.times.push(values::written_time(directive.name, text, time, word.span));
                }
                time.is_some()
            }
            ValueKind::Buffers => {
                let second = self.tree.arg(id, 1).unwrap_or_default();
                values::number(text).is_some_and(|number| number > 0)
                    && values::size(second, false).is_some_and(|size| size > 0)
            }
            ValueKind::Enum(words) => words.iter().any(|word| word.eq_ignore_ascii_case(text)),
            ValueKind::Bits(words) => return self.bits(id, words),
        };
        // The commercial edition takes any text here.
        let free = directive.name == "server_tokens" && !text.is_empty();
        if !ok && !free {
            self.bad_value(id, &word, directive.value);
        }
    }

    fn bits(&mut self, id: NodeId, words: &'static [&'static str]) {
        let bad: Vec<Word> = self
            .tree
            .args(id)
            .iter()
            .filter(|word| !words.iter().any(|known| known.eq_ignore_ascii_case(self.tree.value(word))))
            .copied()
            .collect();
        for word in bad {
            self.bad_value(id, &word, ValueKind::Bits(words));
        }
    }

    fn bad_value(&mut self, id: NodeId, word: &Word, kind: ValueKind) {
        let name = self.tree.name(id);
        let text = self.tree.value(word);
        let help = match kind {
            ValueKind::Flag | ValueKind::FlagMany => "write `on` or `off`".to_owned(),
            ValueKind::Number => "write a whole number".to_owned(),
            ValueKind::Between(low, high) if high > low => {
                format!("write a whole number from {low} to {high}")
            }
            ValueKind::Between(low, _) => format!("write a whole number from {low}"),
            ValueKind::Size => "write a size such as `8k` or `1m`".to_owned(),
            ValueKind::Offset => "write a size such as `8k`, `1m` or `2g`".to_owned(),
            ValueKind::Millis => "write a time such as `500ms`, `30s` or `1h30m`".to_owned(),
            ValueKind::Seconds => "write a time such as `30s` or `1h30m`, in whole seconds".to_owned(),
            ValueKind::Buffers => "write a number and a size, for example `8 4k`".to_owned(),
            ValueKind::Enum(words) | ValueKind::Bits(words) => {
                let near = suggest(text, words.iter().copied());
                // Of several that are near none is the one.
                let others = || words.iter().copied().filter(|word| Some(*word) != near);
                match near {
                    Some(_) if suggest(text, others()).is_some() => {
                        format!("write one of: {}", words.join(", "))
                    }
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write one of: {}", words.join(", ")),
                }
            }
            ValueKind::Any | ValueKind::Text | ValueKind::Once => return,
        };
        self.error(
            Diagnostic::new(
                RuleId::InvalidValue,
                Severity::Error,
                word.span,
                format!("`{text}` is not a value that directive `{name}` takes"),
            )
            .help(help),
        );
    }
}

fn repeats_are_refused(directive: &Directive) -> bool {
    directive.vendor != Vendor::Plus
        && !matches!(directive.value, ValueKind::Any | ValueKind::FlagMany | ValueKind::Bits(_))
}
