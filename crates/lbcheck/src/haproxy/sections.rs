//! Lines into sections, with conditional blocks and the environment settled on the way.

use super::conditionals::{Conditionals, Macro};
use super::environment::Environment;
use super::lexer::{LexError, Lexed, lex_line};
use super::report::{Report, rule};
use super::syntax::{Line, Modifier, SECTIONS, Section, SectionKind};
use crate::diagnostic::suggest;
use crate::model::Weakens;
use crate::reading::ReadOptions;
use crate::source::{FileId, SourceFile, Span};

/// Everything read from the files, before it is lowered.
pub(crate) struct Done<'a> {
    /// The sections in order.
    pub(crate) sections: Vec<Section<'a>>,
    /// Every comment.
    pub(crate) comments: Vec<Span>,
    /// The structure cannot be trusted.
    pub(crate) broken: bool,
    /// A `[scope]` line was seen: a SPOE file, which is no configuration of its own.
    pub(crate) scoped: bool,
}

/// Reads files one after the other.
pub(crate) struct SectionReader<'a, 'o> {
    options: &'o ReadOptions,
    env: Environment,
    done: Done<'a>,
    /// Whether a section of the current file is open.
    open: bool,
    /// Whether the current file was already blamed for text outside any section.
    stray: bool,
    /// Whether a word was already blamed for its length.
    too_long: bool,
}

impl<'a, 'o> SectionReader<'a, 'o> {
    /// A reader that has read nothing.
    pub(crate) fn new(options: &'o ReadOptions) -> Self {
        Self {
            options,
            env: Environment::new(&options.env),
            done: Done { sections: Vec::new(), comments: Vec::new(), broken: false, scoped: false },
            open: false,
            stray: false,
            too_long: false,
        }
    }

    /// What was read.
    pub(crate) fn finish(self) -> Done<'a> {
        self.done
    }

    /// Reads one file.
    pub(crate) fn read_file(&mut self, source: &'a SourceFile, file: FileId, report: &mut Report) {
        let text = source.text();
        let bytes = source.bytes();
        self.open = false;
        self.stray = false;
        let mut at = 0;
        if bytes.starts_with(b"\xef\xbb\xbf") {
            self.done.broken = true;
            report.error(
                rule::SYNTAX,
                Span::new(file, 0, 3),
                "the file starts with a byte order mark, which HAProxy takes for a part of the first word",
                "save the file as UTF-8 without a byte order mark",
            );
            at = 3;
        }
        if let Some(nul) = bytes.iter().position(|&byte| byte == 0) {
            self.done.broken = true;
            report.error(
                rule::SYNTAX,
                Span::new(file, nul, nul + 1),
                "the file contains a NUL byte, at which HAProxy takes it for truncated",
                "check that this is a text file and that it was written completely",
            );
        }
        let mut conditionals = Conditionals::default();
        while at < text.len() {
            let lexed = lex_line(text, file, at, &self.env);
            if !lexed.terminated && lexed.next > at {
                report.error(
                    rule::TRUNCATED,
                    Span::new(file, at, lexed.next),
                    "the last line does not end with a newline, so HAProxy takes the file for truncated",
                    "end the file with a newline, after making sure that nothing is missing",
                );
            }
            at = lexed.next.max(at + 1);
            self.read_line(lexed, &mut conditionals, report);
        }
        report.assumed = false;
        for opened in conditionals.unclosed() {
            report.error(
                rule::SYNTAX,
                opened,
                "this `.if` has no matching `.endif` in its file",
                "close the conditional block with `.endif`",
            );
        }
    }

    fn read_line(&mut self, lexed: Lexed<'a>, conditionals: &mut Conditionals, report: &mut Report) {
        self.done.comments.extend(lexed.comment);
        report.assumed = conditionals.assumed();
        if let Some((error, span)) = lexed.error {
            if conditionals.reading() {
                self.done.broken |= error == LexError::UnmatchedQuote;
                report.error(rule::SYNTAX, span, error.message(), error.help());
            }
            return;
        }
        let Some(first) = lexed.words.first() else { return };
        let span = lexed.words.iter().fold(first.span, |all, word| all.to(word.span));
        let modifier = match first.as_str() {
            "no" => Modifier::No,
            "default" => Modifier::Default,
            _ => Modifier::None,
        };
        if first.as_str().starts_with('.') {
            let answer = conditionals.handle(&lexed.words, self.options.version, &self.env);
            self.obey(answer, report);
            return;
        }
        if !conditionals.reading() {
            return;
        }
        if let Some(span) = lexed.empty {
            let help = "remove the empty word, or give the variable a value";
            // 3.4 refuses it, 3.2 warns, and 3.0 says nothing.
            if report.at_least(3, 4) {
                let message = "an empty word ends the line here, which HAProxy refuses from 3.4 on";
                report.error(rule::VALUE, span, message, help);
            } else {
                let message = "an empty word ends the line here: HAProxy ignores every word after it";
                report.warning(rule::VALUE, span, message, help);
            }
        }
        for (name, span) in &lexed.undefined {
            report.warning(
                rule::ENVIRONMENT,
                *span,
                format!(
                    "the environment variable `{name}` is not set and has no default; it reads as nothing"
                ),
                format!("set it for this run, or write a default: `\"${{{name}-value}}\"`"),
            );
        }
        if let Some(span) = lexed.too_long {
            self.blame_length(span, report);
        }
        let mut words = lexed.words;
        if modifier != Modifier::None {
            words.remove(0);
        }
        let mut line = Line { words, modifier, span, assumed: report.assumed };
        self.expand_addresses(&mut line, report);
        // What an unset variable will hold may make the line right or wrong.
        line.assumed |= line.words.iter().any(|word| word.unset);
        self.change_environment(&line);
        self.place(line, report);
    }

    /// Replaces variables that stand outside quotes in words that may be addresses.
    fn expand_addresses(&mut self, line: &mut Line<'a>, report: &mut Report) {
        let bears_addresses = matches!(
            line.keyword(),
            "bind"
                | "server"
                | "server-template"
                | "default-server"
                | "source"
                | "dispatch"
                | "peer"
                | "nameserver"
                | "mailer"
                | "log"
                | "stats"
                | "dgram-bind"
                | "http-check"
                | "tcp-check"
        );
        if !bears_addresses {
            return;
        }
        let mut too_long = None;
        for word in line.words.iter_mut().skip(1).filter(|word| !word.unset) {
            let Some(expanded) = self.env.expand_address(word.as_str()) else { continue };
            if expanded.too_long {
                word.unset = true;
                too_long = too_long.or(Some(word.span));
                continue;
            }
            for name in expanded.missing {
                word.unset = true;
                if !self.env.is_set_by_program(&name) {
                    report.warning(
                        rule::ENVIRONMENT,
                        word.span,
                        format!("the environment variable `{name}` is not set; in this address it reads as nothing"),
                        format!("set it for this run, or write `\"${{{name}-value}}\"` with a default"),
                    );
                }
            }
            word.address = Some(expanded.text.into_boxed_str());
        }
        if let Some(span) = too_long {
            self.blame_length(span, report);
        }
    }

    /// The program takes such words, at the price of the memory they need; here they stay unknown.
    fn blame_length(&mut self, span: Span, report: &mut Report) {
        // One is enough: a variable that is doubled on every line would earn one a line.
        if std::mem::replace(&mut self.too_long, true) {
            return;
        }
        report.warning(
            rule::VALUE,
            span,
            "variables make this word longer than lbcheck follows (64 KiB, and 64 MiB for all words together); \
             its value is taken as unknown",
            "look for a variable that is repeated inside another one",
        );
    }

    fn change_environment(&mut self, line: &Line<'a>) {
        if self.done.sections.last().is_none_or(|section| section.kind != SectionKind::Global) {
            return;
        }
        match line.keyword() {
            "setenv" | "presetenv" if line.words.len() == 3 && line.words.iter().any(|word| word.unset) => {
                self.set_unknown(line);
            }
            "setenv" if line.words.len() == 3 => self.env.set(line.arg(1), line.arg(2)),
            "presetenv" if line.words.len() == 3 => self.env.preset(line.arg(1), line.arg(2)),
            "unsetenv" => line.args(1).iter().for_each(|word| self.env.unset(word.as_str())),
            "resetenv" => self.env.reset(line.args(1).iter().map(|word| word.as_str())),
            _ => {}
        }
    }

    /// `setenv` or `presetenv` with a word that is not known.
    fn set_unknown(&mut self, line: &Line<'a>) {
        let name = line.arg(1);
        if line.keyword() == "setenv" || self.env.get(name).is_none() {
            self.env.set_unknown(name);
        }
    }

    fn place(&mut self, line: Line<'a>, report: &mut Report) {
        if let Some(kind) = self.opens(&line) {
            self.open = true;
            self.done.sections.push(Section::new(kind, line));
            return;
        }
        if line.keyword().starts_with('[') {
            self.done.scoped = true;
            return;
        }
        match self.done.sections.last_mut() {
            Some(section) if self.open => {
                section.extent = section.extent.to(line.span);
                section.lines.push(line);
            }
            _ => self.blame_stray(&line, report),
        }
    }

    fn opens(&self, line: &Line<'a>) -> Option<SectionKind> {
        if line.modifier != Modifier::None {
            return None;
        }
        let word = line.keyword();
        if self.done.scoped && matches!(word, "spoe-agent" | "spoe-message" | "spoe-group") {
            return Some(SectionKind::Spoe);
        }
        SectionKind::of(word)
    }

    fn blame_stray(&mut self, line: &Line<'a>, report: &mut Report) {
        // One complaint is enough: a file in another language would earn one a line.
        if std::mem::replace(&mut self.stray, true) {
            return;
        }
        self.done.broken = true;
        let word = line.keyword();
        let help = match suggest(word, SECTIONS.iter().map(|(name, _)| *name)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "start with a section such as `global`, `defaults`, `frontend` or `backend`".to_owned(),
        };
        report.error(
            rule::SYNTAX,
            line.at(0),
            format!("`{word}` stands before the first section of the file and opens none itself"),
            help,
        );
    }

    fn obey(&mut self, answer: Macro, report: &mut Report) {
        match answer {
            Macro::Done => {}
            Macro::Assumed(span) => {
                report.gap(span, "a condition that depends on the build of HAProxy", Weakens::Everything);
            }
            Macro::Alert(text, span) => report.error(
                rule::VALUE,
                span,
                format!("the configuration refuses itself with `.alert`: {text}"),
                "meet the condition around it, for example by setting the variable it asks for",
            ),
            Macro::Bad(message, span) => report.error(
                rule::SYNTAX,
                span,
                message,
                "conditional blocks are written `.if CONDITION`, `.elif CONDITION`, `.else`, `.endif`",
            ),
        }
    }
}
