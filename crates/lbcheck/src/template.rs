//! Holes that a template engine should have filled.
//!
//! A template is not a configuration: the program refuses it, and a reader that takes `{{ host }}` at its word reports
//! a page of errors that are none. So where the text cannot be read because of holes, it is read once more with each
//! hole painted over in the same number of bytes, every place keeps its span, and the hole is what is reported. What
//! is painted over is unknown afterwards, and so is the pool it stands in.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::dialect::{Description, Dialect, Form};
use crate::load::{FileLoader, LoadError};
use crate::model::{Gap, Membership, PoolId, Weakens};
use crate::reading::Reading;
use crate::source::{FileId, Sources, Span};

const RULE: RuleId = RuleId::TemplateUnrendered;
const HELP: &str = "render the template, and check what comes out of it";

/// What a hole is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HoleKind {
    /// A value: `{{ host }}`, `<%= @host %>`.
    Value,
    /// Something that decides about the lines after it: `{% for … %}`, `{{ range … }}`, `<% if … %>`.
    Statement,
    /// The end of such a thing, or a remark of the engine: nothing to report.
    Silent,
    /// `${NAME}`, which nginx reads as a variable and Envoy as text.
    Variable,
    /// A word that stands for another: `@@NAME@@`, `__NAME__`, `CHANGE_ME`.
    Marker,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hole {
    bytes: Range<usize>,
    kind: HoleKind,
    /// Inside quotes nginx takes braces for text.
    quoted: bool,
}

/// Words that nobody means as they stand.
const MARKERS: &[&str] = &["CHANGEME", "CHANGE_ME", "REPLACEME", "REPLACE_ME"];

/// Words that begin a statement in `{{ … }}` (Go, Handlebars).
const STATEMENTS: &[&str] = &["block", "define", "for", "if", "range", "unless", "with"];
const CLOSING: &[&str] = &["else", "elsif", "elif", "end"];

/// Every hole of a text, in order. Comments have none.
fn holes(text: &str, dialect: Dialect) -> Vec<Hole> {
    let language = dialect.description();
    let mut holes = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with(language.comment) {
            line_holes(line, at, language, &mut holes);
        }
        at += line.len();
    }
    if language.form == Form::Statements && holes.iter().any(|hole| hole.kind != HoleKind::Variable) {
        let quoted = quoted(text);
        for hole in
            holes.iter_mut().filter(|hole| !matches!(hole.kind, HoleKind::Variable | HoleKind::Marker))
        {
            let before = quoted.partition_point(|range| range.start <= hole.bytes.start);
            let around = before.checked_sub(1).and_then(|at| quoted.get(at));
            hole.quoted = around.is_some_and(|range| hole.bytes.end <= range.end);
        }
    }
    holes
}

/// The quoted words of an nginx text.
fn quoted(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for token in crate::nginx::tokens(text.as_bytes()) {
        let end = at + token.bytes.len();
        if let [quote @ (b'"' | b'\''), .., last] = token.bytes
            && quote == last
        {
            found.push(at..end);
        }
        at = end;
    }
    found
}

fn line_holes(line: &str, offset: usize, language: &Description, holes: &mut Vec<Hole>) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(rest) = line.get(at..) {
        let found = match bytes.get(at) {
            None => break,
            Some(b'{') => braces(rest),
            Some(b'<') => tags(rest),
            Some(b'$') if !language.reads_environment => variable(rest),
            Some(b'@') => fenced(rest, "@@"),
            Some(b'_' | b'C' | b'R') if at == 0 || !is_word(bytes[at - 1]) => {
                fenced(rest, "__").or_else(|| marker(rest))
            }
            Some(_) => None,
        };
        match found {
            Some((length, kind)) => {
                let bytes = offset + at..offset + at + length;
                holes.push(Hole { bytes, kind, quoted: false });
                at += length;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `{{ … }}`, `{% … %}` and `{# … #}`, closed on the same line.
fn braces(text: &str) -> Option<(usize, HoleKind)> {
    let (close, plain) = match text.as_bytes().get(1)? {
        b'{' => ("}}", true),
        b'%' => ("%}", false),
        b'#' => ("#}", false),
        _ => return None,
    };
    let inner = text.get(2..)?;
    let length = inner.find(close)?;
    let content = inner.get(..length)?.trim_matches(['-', '~', ' ', '\t']);
    // Mustache writes three braces around what is not to be escaped.
    let extra = usize::from(plain && content.starts_with('{') && inner.get(length + 2..)?.starts_with('}'));
    let kind = if plain {
        if content.is_empty() {
            return None;
        }
        kind_of(content, HoleKind::Value)
    } else if close == "#}" {
        HoleKind::Silent
    } else {
        kind_of(content, HoleKind::Statement)
    };
    Some((2 + length + 2 + extra, kind))
}

/// `<%= … %>` and `<% … %>`.
fn tags(text: &str) -> Option<(usize, HoleKind)> {
    let inner = text.strip_prefix("<%")?;
    let length = inner.find("%>")?;
    let content = inner.get(..length)?;
    let kind = match content.strip_prefix('=') {
        Some(_) => HoleKind::Value,
        None => kind_of(content.trim_matches(['-', ' ', '\t', '#', '}']), HoleKind::Statement),
    };
    Some((2 + length + 2, kind))
}

fn kind_of(content: &str, other: HoleKind) -> HoleKind {
    let word = content.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    if content.starts_with(['/', '^', '!'])
        || CLOSING.contains(&word)
        || word.starts_with("end")
        || content.is_empty()
    {
        return HoleKind::Silent;
    }
    if content.starts_with('#') || STATEMENTS.contains(&word) { HoleKind::Statement } else { other }
}

/// `${NAME}` in capitals, as `envsubst` and the shell write it; also `${NAME:-default}`.
fn variable(text: &str) -> Option<(usize, HoleKind)> {
    let inner = text.strip_prefix("${")?;
    let length = inner.find('}')?;
    let content = inner.get(..length)?;
    let name = content.split(':').next().unwrap_or_default();
    let capitals =
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    (capitals && name.starts_with(|first: char| first.is_ascii_uppercase()))
        .then_some((2 + length + 1, HoleKind::Variable))
}

/// `@@NAME@@` or `__NAME__`, in capitals.
fn fenced(text: &str, fence: &str) -> Option<(usize, HoleKind)> {
    let inner = text.strip_prefix(fence)?;
    let length = inner.find(fence)?;
    let name = inner.get(..length)?;
    let capitals =
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let closed = inner.as_bytes().get(length + fence.len()).is_none_or(|&next| !is_word(next));
    let named = name.starts_with(|first: char| first.is_ascii_uppercase()) && !name.ends_with('_');
    (capitals && closed && named).then_some((length + 2 * fence.len(), HoleKind::Marker))
}

fn marker(text: &str) -> Option<(usize, HoleKind)> {
    let word = MARKERS.iter().find(|word| text.starts_with(**word))?;
    let ends = text.as_bytes().get(word.len()).is_none_or(|&next| !is_word(next));
    ends.then_some((word.len(), HoleKind::Marker))
}

/// The text with its holes painted over, byte for byte: values become words, statements become blanks.
fn painted(text: &str, dialect: Dialect) -> Option<String> {
    let holes = holes(text, dialect);
    if holes.is_empty() {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    for hole in &holes {
        if hole.kind == HoleKind::Variable && is_declared(text, hole) {
            continue;
        }
        let blank = matches!(hole.kind, HoleKind::Statement | HoleKind::Silent)
            || hole.kind == HoleKind::Value && stands_alone(text, &holes, hole);
        for byte in bytes.get_mut(hole.bytes.clone()).into_iter().flatten() {
            *byte = match *byte {
                _ if blank => b' ',
                kept if is_word(kept) => kept,
                _ => b'_',
            };
        }
    }
    String::from_utf8(bytes).ok()
}

/// nginx declares a variable without braces: `set $NAME …`.
fn is_declared(text: &str, hole: &Hole) -> bool {
    let inner = text.get(hole.bytes.clone()).and_then(|text| text.strip_prefix("${")?.strip_suffix('}'));
    inner.is_some_and(|name| text.contains(&format!("${name}")))
}

/// Whether a line has nothing but holes.
fn stands_alone(text: &str, holes: &[Hole], hole: &Hole) -> bool {
    let start = text.get(..hole.bytes.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let end = text.get(hole.bytes.end..).and_then(|after| after.find('\n'));
    let end = end.map_or(text.len(), |at| hole.bytes.end + at);
    let first = holes.partition_point(|other| other.bytes.end <= start);
    let mut at = start;
    for other in holes.iter().skip(first).take_while(|other| other.bytes.start < end) {
        if !text.get(at..other.bytes.start).is_some_and(|between| between.trim().is_empty()) {
            return false;
        }
        at = other.bytes.end;
    }
    text.get(at..end).is_some_and(|rest| rest.trim().is_empty())
}

/// Gives out files with their holes painted over, and keeps the files as they are.
struct Painter<'a> {
    inner: &'a dyn FileLoader,
    dialect: Dialect,
    originals: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl FileLoader for Painter<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        let bytes = self.inner.read(path)?;
        let Some(painted) = std::str::from_utf8(&bytes).ok().and_then(|text| painted(text, self.dialect))
        else {
            return Ok(bytes);
        };
        self.originals.borrow_mut().insert(path.to_owned(), bytes);
        Ok(painted.into_bytes())
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, LoadError> {
        self.inner.list(directory)
    }

    fn is_directory(&self, path: &str) -> bool {
        self.inner.is_directory(path)
    }
}

/// Reports holes instead of what they make of the text. `first` is the number of files read before this reading;
/// `again` reads the same paths through another loader.
pub(crate) fn settle(
    loader: &dyn FileLoader,
    sources: &mut Sources,
    first: usize,
    dialect: Dialect,
    plain: Reading,
    again: impl FnOnce(&dyn FileLoader, &mut Sources) -> Reading,
) -> Reading {
    let found = lines_with_holes(sources, first, dialect);
    if found.is_empty() {
        return plain;
    }
    let on_a_hole = |sources: &Sources, diagnostic: &Diagnostic| {
        let span = diagnostic.primary.span;
        found.contains_key(&(span.file, sources.position(span).line))
    };
    let errors = |reading: &Reading| {
        reading.diagnostics.iter().filter(|found| found.severity == Severity::Error).count()
    };
    let blamed: BTreeSet<(FileId, u32)> = plain
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| (found.primary.span.file, sources.position(found.primary.span).line))
        .collect();
    let spoiled =
        plain.diagnostics.iter().any(|found| found.severity == Severity::Error && on_a_hole(sources, found));
    if !spoiled {
        return remarked(sources, &found, plain);
    }
    sources.truncate(first);
    let painter = Painter { inner: loader, dialect, originals: RefCell::default() };
    let mut reading = again(&painter, sources);
    sources.restore(first, &painter.originals.into_inner());
    if reading.broken && errors(&reading) >= errors(&plain) {
        // The holes are not what is wrong. Both readings took the same files up to where the text breaks.
        reading = plain;
    }
    let mut found = lines_with_holes(sources, first, dialect);
    // Quoted holes are text, unless the line is right without them and wrong with them.
    let wrong: BTreeSet<(FileId, u32)> = reading
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| (found.primary.span.file, sources.position(found.primary.span).line))
        .collect();
    found.retain(|place, line| !line.quoted || blamed.contains(place) && !wrong.contains(place));
    let on_a_hole = |diagnostic: &Diagnostic| {
        let span = diagnostic.primary.span;
        found.contains_key(&(span.file, sources.position(span).line))
    };
    // What is written once for each of two branches is not written twice.
    let branches = found.values().any(|line| line.statement);
    reading.diagnostics.retain(|diagnostic| {
        let doubled = branches && diagnostic.rule.as_str().starts_with("duplicate-");
        !doubled && !on_a_hole(diagnostic)
    });
    for line in found.values() {
        if line.reported {
            unknown(&mut reading, line.span);
            reading.diagnostics.push(finding(sources, line, Severity::Error));
        }
    }
    reading.config.fragment = true;
    reading
}

/// A line with at least one hole.
struct Line {
    /// The first hole worth a word, otherwise the first one.
    span: Span,
    reported: bool,
    statement: bool,
    marker: bool,
    /// All of its holes stand in quotes.
    quoted: bool,
}

fn lines_with_holes(sources: &Sources, first: usize, dialect: Dialect) -> BTreeMap<(FileId, u32), Line> {
    let mut lines: BTreeMap<(FileId, u32), Line> = BTreeMap::new();
    for (id, file) in sources.iter().skip(first) {
        for hole in holes(file.text(), dialect) {
            if hole.kind == HoleKind::Variable && is_declared(file.text(), &hole) {
                continue;
            }
            let span = Span::new(id, hole.bytes.start, hole.bytes.end);
            let line = file.position(span.start).line;
            let reported = hole.kind != HoleKind::Silent;
            let entry = lines.entry((id, line)).or_insert(Line {
                span,
                reported: false,
                statement: false,
                marker: hole.kind == HoleKind::Marker,
                quoted: true,
            });
            entry.quoted &= hole.quoted;
            if reported && !entry.reported {
                entry.span = span;
                entry.reported = true;
            }
            entry.statement |= matches!(hole.kind, HoleKind::Statement | HoleKind::Silent);
        }
    }
    lines
}

/// The program takes the text: only where a server should be is a hole worth a word.
fn remarked(sources: &Sources, found: &BTreeMap<(FileId, u32), Line>, mut reading: Reading) -> Reading {
    let endpoints = reading.config.pools.iter().flat_map(|pool| &pool.endpoints);
    // From the first to the last line of each server; servers do not overlap.
    let mut servers: Vec<(FileId, u32, u32)> = endpoints
        .map(|endpoint| {
            let last = Span { start: endpoint.span.end, ..endpoint.span };
            (endpoint.span.file, sources.position(endpoint.span).line, sources.position(last).line)
        })
        .collect();
    servers.sort_unstable();
    let on_server = |&(file, line): &(FileId, u32)| {
        let next = servers.partition_point(|server| (server.0, server.1) <= (file, line));
        servers.get(..next).and_then(<[_]>::last).is_some_and(|server| server.0 == file && line <= server.2)
    };
    let lines: Vec<&Line> = found
        .iter()
        .filter(|(place, line)| line.reported && on_server(place))
        .map(|(_, line)| line)
        .collect();
    for line in lines {
        unknown(&mut reading, line.span);
        reading.diagnostics.push(finding(sources, line, Severity::Warning));
    }
    reading
}

fn finding(sources: &Sources, line: &Line, severity: Severity) -> Diagnostic {
    let text: String = sources.text(line.span).chars().take(60).collect();
    let message = if line.marker {
        format!("`{text}` stands here for a value that was not filled in")
    } else {
        format!("the template was not rendered: `{text}` is still in the text")
    };
    Diagnostic::new(RULE, severity, line.span, message).help(HELP)
}

/// Says that nothing sure follows from what stands around a hole.
fn unknown(reading: &mut Reading, hole: Span) {
    let what = "a template was not rendered here".to_owned();
    let home = reading.config.pools.iter().position(|pool| pool.extent.contains(hole));
    let weakens = match home {
        Some(index) => {
            if let Some(pool) = reading.config.pools.get_mut(index)
                && pool.membership == Membership::Static
            {
                pool.membership = Membership::Unknown("a template was not rendered".to_owned());
            }
            Weakens::Pool(PoolId(u32::try_from(index).unwrap_or(u32::MAX)))
        }
        None => Weakens::Routing,
    };
    let coverage = &mut reading.config.coverage;
    coverage.gaps.push(Gap { span: hole, what, weakens, told: false });
    coverage.understood = coverage.understood.saturating_sub(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paint(dialect: Dialect, text: &str) -> String {
        painted(text, dialect).unwrap_or_else(|| "nothing".to_owned())
    }

    #[test]
    fn values_become_words_and_statements_blanks() {
        let paint = |text| paint(Dialect::Nginx, text);
        assert_eq!(paint("server {{ ip }}:80;"), "server ___ip___:80;");
        assert_eq!(paint("{% for x in y %}\na"), "                \na");
        assert_eq!(paint("listen 80{{ if .x }} ssl{{ end }};"), "listen 80            ssl         ;");
        assert_eq!(paint("  {{ lookup }}\n"), "              \n");
        assert_eq!(paint("weight=<%= @w %>"), "weight=_____w___");
        assert_eq!(paint("listen ${PORT};"), "listen __PORT_;");
        assert_eq!(paint("set $PORT 1; listen ${PORT};"), "set $PORT 1; listen ${PORT};");
        assert_eq!(paint("server @@IP@@;"), "server __IP__;");
        assert_eq!(paint("{{{ a }}}x"), "____a____x");
        assert_eq!(paint("é{{ é }}é"), "é________é");
    }

    #[test]
    fn what_is_no_hole_stays() {
        for text in [
            "location ~ a{2} { }",
            "# {{ in a comment }}",
            "set $x \"${host}\";",
            "if ($x) {# why\n}",
            "{{ never closed",
            "__init__ __a__ a__B__c",
            "{{}}",
            "user CHANGEMENT;",
        ] {
            assert_eq!(paint(Dialect::Nginx, text), "nothing", "{text}");
        }
        // HAProxy has variables of its own.
        assert_eq!(paint(Dialect::HaProxy, "server a \"${IP}\""), "nothing");
    }

    #[test]
    fn painting_keeps_every_byte_in_its_place() {
        let text = "a {{ b }} <% c %>\n{% d %}\n${E} @@F@@ __G__ CHANGE_ME é";
        for dialect in Dialect::ALL {
            let painted = paint(dialect, text);
            assert_eq!(painted.len(), text.len());
            assert_eq!(painted.matches('\n').count(), 2);
        }
    }
}
