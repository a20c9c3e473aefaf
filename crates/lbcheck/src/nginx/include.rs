//! Files and their includes, read into one tree.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::dump::{self, Section};
use super::glob::{Matches, expand, path_matches};
use super::lexer::{self, TokenKind};
use super::syntax::{self, Builder, Event, NodeId, Part, Tree};
use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::load::{FileLoader, LoadError, MAX_FILE_BYTES, MAX_FILES, MAX_INCLUDE_DEPTH};
use crate::reading::ReadOptions;
use crate::source::{FileId, Sources, Span};

/// Files that come with every nginx and have no part in who gets traffic: they may be missing.
const SHIPPED: &[&str] = &[
    "fastcgi.conf",
    "fastcgi_params",
    "fastcgi-php.conf",
    "koi-utf",
    "koi-win",
    "mime.types",
    "proxy_params",
    "scgi_params",
    "uwsgi_params",
    "win-utf",
];

/// Directories a configuration is installed in; a copy of it elsewhere still names files by these.
const HOMES: &[&str] = &[
    "/etc/nginx/",
    "/usr/local/etc/nginx/",
    "/usr/local/nginx/conf/",
    "/usr/local/openresty/nginx/conf/",
    "/opt/nginx/conf/",
    "/opt/homebrew/etc/nginx/",
];

/// An include that could not be followed.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    pub(super) span: Span,
    pub(super) what: String,
    /// The block it stands in.
    pub(super) parent: Option<NodeId>,
    /// Whether it is a pattern: nginx does not mind that nothing matches.
    pub(super) glob: bool,
}

/// Everything read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) tree: Tree,
    pub(super) files: Vec<FileId>,
    pub(super) comments: Vec<Span>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Includes that may hide something that matters.
    pub(super) missing: Vec<Missing>,
    pub(super) broken: bool,
    /// Whether the input held any directive at all.
    pub(super) empty: bool,
    /// The first file read.
    pub(super) main: Option<FileId>,
}

/// Reads `paths` and all they include.
pub(super) fn load(
    loader: &dyn FileLoader,
    sources: &mut Sources,
    paths: &[String],
    options: &ReadOptions,
) -> Loaded {
    let mut reader = Reader {
        loader,
        sources,
        options,
        base: String::new(),
        dump: None,
        parts: BTreeMap::new(),
        frames: Vec::new(),
        builder: Builder::default(),
        files: Vec::new(),
        comments: Vec::new(),
        missing: Vec::new(),
        inclusions: 0,
        bytes: 0,
        main: None,
    };
    for path in paths {
        reader.main(path);
    }
    let Reader { builder, files, comments, missing, main, .. } = reader;
    Loaded {
        empty: builder.tree.nodes.is_empty(),
        tree: builder.tree,
        files,
        comments,
        diagnostics: builder.diagnostics,
        missing,
        broken: builder.broken,
        main,
    }
}

/// A part being read.
struct Frame {
    path: String,
    part: Rc<Part>,
    next: usize,
    /// How many blocks were open when it began.
    base: usize,
    /// Files that its last include named and that are still to be read here.
    queue: VecDeque<String>,
    /// Where that include stands.
    include: Option<Span>,
}

struct Reader<'a> {
    loader: &'a dyn FileLoader,
    sources: &'a mut Sources,
    options: &'a ReadOptions,
    /// Where relative includes start, with a final `/` unless empty.
    base: String,
    dump: Option<Dump>,
    parts: BTreeMap<String, Rc<Part>>,
    frames: Vec<Frame>,
    builder: Builder,
    files: Vec<FileId>,
    comments: Vec<Span>,
    missing: Vec<Missing>,
    inclusions: usize,
    /// Bytes read, a file counted each time it is included.
    bytes: usize,
    main: Option<FileId>,
}

struct Dump {
    file: FileId,
    sections: Vec<Section>,
    /// Index into `sections` by path.
    by_path: BTreeMap<String, usize>,
}

fn directory(path: &str) -> String {
    path.rfind('/').map_or_else(String::new, |slash| path.get(..=slash).unwrap_or_default().to_owned())
}

impl Reader<'_> {
    fn main(&mut self, path: &str) {
        let bytes = match self.loader.read(path) {
            Ok(bytes) if bytes.len() <= MAX_FILE_BYTES => bytes,
            Ok(_) => return self.unreadable(path, &LoadError::TooLarge),
            Err(error) => return self.unreadable(path, &error),
        };
        self.base = match &self.options.prefix {
            Some(prefix) if prefix.is_empty() || prefix.ends_with('/') => prefix.clone(),
            Some(prefix) => format!("{prefix}/"),
            None => directory(path),
        };
        let file = self.sources.add(path, bytes);
        self.files.push(file);
        self.main.get_or_insert(file);
        let sections = dump::sections(self.sources.file(file).bytes());
        let Some(first) = sections.first().cloned() else {
            self.dump = None;
            let end = self.sources.file(file).bytes().len();
            let part = self.cut(file, 0, end);
            self.parts.insert(path.to_owned(), Rc::clone(&part));
            return self.run(path.to_owned(), part);
        };
        if self.options.prefix.is_none() {
            self.base = directory(&first.path);
        }
        let by_path =
            sections.iter().enumerate().rev().map(|(at, section)| (section.path.clone(), at)).collect();
        self.dump = Some(Dump { file, sections, by_path });
        let part = self.section(&first);
        self.parts.insert(first.path.clone(), Rc::clone(&part));
        self.run(first.path, part);
    }

    /// A file of the dump, under its own name: people look for a line where it is to be mended.
    fn section(&mut self, section: &Section) -> Rc<Part> {
        let text = self.dump.as_ref().map(|dump| self.sources.file(dump.file).bytes());
        let bytes = text.and_then(|text| text.get(section.start..section.end)).unwrap_or_default().to_vec();
        let end = bytes.len();
        let file = self.sources.add(&section.path, bytes);
        self.files.push(file);
        self.cut(file, 0, end)
    }

    fn unreadable(&mut self, path: &str, error: &LoadError) {
        let file = self.sources.add(path, Vec::new());
        self.files.push(file);
        self.builder.broken = true;
        self.builder.diagnostics.push(Diagnostic::new(
            RuleId::FileUnreadable,
            Severity::Error,
            Span::new(file, 0, 0),
            format!("cannot read `{path}`: {error}"),
        ));
    }

    /// Cuts a part into tokens, and reports what the lexer found wrong with it.
    fn cut(&mut self, file: FileId, start: usize, end: usize) -> Rc<Part> {
        let bytes = self.sources.file(file).bytes();
        let bom = start == 0 && bytes.starts_with(b"\xEF\xBB\xBF");
        let lexed = lexer::lex(bytes, start + if bom { 3 } else { 0 }, end);
        if bom {
            self.builder.diagnostics.push(
                Diagnostic::new(
                    RuleId::SyntaxError,
                    Severity::Error,
                    Span::new(file, 0, 3),
                    "the file starts with a byte order mark, which nginx takes for part of the first directive",
                )
                .help("save the file as UTF-8 without a byte order mark"),
            );
        }
        if let Some(nul) = nul_in_words(bytes, &lexed) {
            self.builder.broken = true;
            self.builder.diagnostics.push(
                Diagnostic::new(
                    RuleId::SyntaxError,
                    Severity::Error,
                    Span::new(file, nul, nul + 1),
                    "the file holds a NUL byte: it is binary data or damaged",
                )
                .help("save the file as plain text"),
            );
        }
        for &fault in &lexed.faults {
            if matches!(fault.kind, lexer::FaultKind::OpenQuote | lexer::FaultKind::OpenLua) {
                self.builder.broken = true;
            }
            self.builder.diagnostics.push(syntax::fault(file, fault, self.sources));
        }
        let comments = lexed.lexemes.iter().filter(|lexeme| lexeme.kind == TokenKind::Comment);
        self.comments.extend(comments.map(|lexeme| Span::new(file, lexeme.start, lexeme.end)));
        Rc::new(Part { file, end, lexemes: lexed.lexemes })
    }

    /// Reads a part and, in their places, the parts it includes.
    fn run(&mut self, path: String, part: Rc<Part>) {
        self.enter(path, part);
        while let Some(frame) = self.frames.last_mut() {
            if let Some(path) = frame.queue.pop_front() {
                let span = frame.include;
                self.include_file(&path, span);
                continue;
            }
            let Some(&lexeme) = frame.part.lexemes.get(frame.next) else {
                self.builder.finish(&frame.part, frame.base);
                self.frames.pop();
                continue;
            };
            frame.next += 1;
            let event = self.builder.take(self.sources, &frame.part, lexeme, frame.base);
            if let Event::Statement(id) = event
                && self.builder.tree.name(id) == "include"
                && self.builder.tree.args(id).len() == 1
            {
                self.include(id);
            }
        }
    }

    fn include(&mut self, id: NodeId) {
        let Some(word) = self.builder.tree.args(id).first().copied() else { return };
        let pattern = self.builder.tree.value(&word).to_owned();
        let path = if pattern.starts_with('/') { pattern.clone() } else { format!("{}{pattern}", self.base) };
        let path = tidy(&path);
        if !pattern.contains(['*', '?', '[']) {
            return self.queue(vec![path], word.span);
        }
        // What lies beside the file belongs to it; what this machine has installed may be anything.
        let beside = self.moved(&path).map(|moved| self.matches(&moved));
        let found = match beside.filter(|found| !found.paths.is_empty()) {
            Some(found) => {
                self.note_moved(&pattern, word.span);
                found
            }
            None => self.matches(&path),
        };
        if found.paths.is_empty() && !found.listed {
            let what = format!("no file matches `include {pattern}`, and its directory was not given");
            let parent = self.builder.open.last().copied();
            self.missing.push(Missing { span: word.span, what, parent, glob: true });
        }
        self.queue(found.paths, word.span);
    }

    fn queue(&mut self, paths: Vec<String>, include: Span) {
        if let Some(frame) = self.frames.last_mut() {
            frame.queue = paths.into();
            frame.include = Some(include);
        }
    }

    fn enter(&mut self, path: String, part: Rc<Part>) {
        let base = self.builder.open.len();
        self.frames.push(Frame { path, part, next: 0, base, queue: VecDeque::new(), include: None });
    }

    fn include_file(&mut self, path: &str, include: Option<Span>) {
        let Some(span) = include else { return };
        if self.frames.iter().any(|frame| frame.path == path) {
            return self
                .refuse(span, format!("`{path}` includes itself: nginx would read it again and again"));
        }
        if self.frames.len() > MAX_INCLUDE_DEPTH {
            return self.refuse(span, format!("includes are nested more than {MAX_INCLUDE_DEPTH} deep"));
        }
        self.inclusions += 1;
        if self.inclusions > MAX_FILES {
            if self.inclusions == MAX_FILES + 1 {
                self.refuse(span, format!("more than {MAX_FILES} files are included"));
            }
            return;
        }
        let Some(part) = self.part(path, span) else { return };
        self.bytes += part.end;
        if self.bytes > MAX_FILE_BYTES {
            return self.refuse(span, "the included files are too large to read together".to_owned());
        }
        self.enter(path.to_owned(), part);
    }

    fn refuse(&mut self, span: Span, message: String) {
        let parent = self.builder.open.last().copied();
        self.missing.push(Missing { span, what: message.clone(), parent, glob: false });
        self.builder.diagnostics.push(Diagnostic::new(
            RuleId::IncludeUnresolved,
            Severity::Error,
            span,
            message,
        ));
    }

    /// The part for a path, read if it has not been.
    fn part(&mut self, path: &str, span: Span) -> Option<Rc<Part>> {
        if let Some(part) = self.parts.get(path) {
            return Some(Rc::clone(part));
        }
        let part = match &self.dump {
            Some(dump) => {
                let found = dump.by_path.get(path).and_then(|&at| dump.sections.get(at)).cloned();
                match found {
                    Some(section) => self.section(&section),
                    None => {
                        self.not_found(path, span, &LoadError::NotFound);
                        return None;
                    }
                }
            }
            None => {
                let bytes = match self.read(path, span) {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        self.not_found(path, span, &error);
                        return None;
                    }
                };
                let end = bytes.len();
                let file = self.sources.add(path, bytes);
                self.files.push(file);
                self.cut(file, 0, end)
            }
        };
        self.parts.insert(path.to_owned(), Rc::clone(&part));
        Some(part)
    }

    fn read(&mut self, path: &str, span: Span) -> Result<Vec<u8>, LoadError> {
        let result = match self.moved(path).map(|moved| self.loader.read(&moved)) {
            Some(Ok(bytes)) => {
                self.note_moved(path, span);
                Ok(bytes)
            }
            _ => self.loader.read(path),
        };
        result.and_then(
            |bytes| {
                if bytes.len() > MAX_FILE_BYTES { Err(LoadError::TooLarge) } else { Ok(bytes) }
            },
        )
    }

    fn not_found(&mut self, path: &str, span: Span, error: &LoadError) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if SHIPPED.contains(&name) && *error == LoadError::NotFound {
            self.builder.diagnostics.push(Diagnostic::new(
                RuleId::IncludeUnresolved,
                Severity::Info,
                span,
                format!(
                    "`{path}`, which comes with nginx and does not route traffic, is not among the files read"
                ),
            ));
            return;
        }
        let parent = self.builder.open.last().copied();
        self.missing.push(Missing { span, what: format!("`{path}` was not read"), parent, glob: false });
        self.builder.diagnostics.push(
            Diagnostic::new(
                RuleId::IncludeUnresolved,
                Severity::Error,
                span,
                format!("cannot read the included file `{path}`: {error}"),
            )
            .help("add the file, or name with --prefix the directory that includes start from"),
        );
    }

    /// The path beside the main file for one below an installation directory.
    fn moved(&self, path: &str) -> Option<String> {
        if self.dump.is_some() || HOMES.iter().any(|home| self.base.starts_with(home)) {
            return None;
        }
        HOMES.iter().find_map(|home| path.strip_prefix(home)).map(|rest| format!("{}{rest}", self.base))
    }

    fn note_moved(&mut self, pattern: &str, span: Span) {
        self.builder.diagnostics.push(Diagnostic::new(
            RuleId::IncludeUnresolved,
            Severity::Info,
            span,
            format!("`{pattern}` was read from the directory of the main file"),
        ));
    }

    fn matches(&self, pattern: &str) -> Matches {
        match &self.dump {
            Some(dump) => Matches {
                paths: dump.by_path.keys().filter(|path| path_matches(pattern, path)).cloned().collect(),
                // The dump names every file nginx read: no match there is no match.
                listed: true,
            },
            None => expand(self.loader, pattern),
        }
    }
}

/// The first NUL byte inside an unquoted word.
fn nul_in_words(bytes: &[u8], lexed: &lexer::Lexed) -> Option<usize> {
    if !bytes.contains(&0) {
        return None;
    }
    lexed.lexemes.iter().filter(|lexeme| lexeme.kind == TokenKind::Word).find_map(|lexeme| {
        let text = bytes.get(lexeme.start..lexeme.end)?;
        let quoted = matches!(text.first(), Some(b'"' | b'\''));
        text.iter().position(|&byte| byte == 0 && !quoted).map(|at| lexeme.start + at)
    })
}

/// Takes `./` and `a/../` out of a path, so that one file has one name.
fn tidy(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|&last| last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        assert_eq!(tidy("/etc/nginx/./a/../b.conf"), "/etc/nginx/b.conf");
        assert_eq!(tidy("../x//y"), "../x/y");
        assert_eq!(tidy("conf/nginx.conf"), "conf/nginx.conf");
    }
}
