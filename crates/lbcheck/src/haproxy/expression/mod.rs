//! Sample expressions: `fetch(arguments),converter(arguments)`, cut and refused as the program does.

use std::borrow::Cow;
use std::ops::Range;

use super::keywords::{self, Argument, Type};
use super::lexer::Word;
use super::report::{Reference, Report, Wanted, rule};

mod arguments;

pub(crate) use arguments::check_variable_action;

/// What is wrong with an expression, in bytes of the text it was read from.
pub(crate) struct Fault {
    at: Range<usize>,
    message: String,
    help: String,
    /// An unknown word rather than a wrong value.
    unknown: bool,
}

impl Fault {
    fn new(at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: help.into(), unknown: false }
    }

    fn report(self, word: &Word<'_>, offset: usize, report: &mut Report) {
        let span = word.part(self.at.start + offset..self.at.end + offset);
        match self.unknown {
            true => report.unknown(span, self.message, self.help),
            false => report.error(rule::VALUE, span, self.message, self.help),
        }
    }
}

/// One argument in parentheses.
struct Given<'t> {
    text: Cow<'t, str>,
    at: Range<usize>,
}

/// A name with its arguments.
struct Call<'t> {
    name: &'t str,
    at: Range<usize>,
    /// `None`: no parentheses.
    arguments: Option<Vec<Given<'t>>>,
    /// The first byte after it.
    end: usize,
}

/// Reads the expression that starts at word `index`, reports what the program refuses of it, and gives the first word
/// after it.
///
/// `place`: the places it stands in, see [`keywords::places`]; 0 for anywhere. Words after the first belong to it while
/// they name converters. `None`: it was refused, or depends on a variable that is not set.
pub(crate) fn check(words: &[Word<'_>], index: usize, place: u32, report: &mut Report) -> Option<usize> {
    let word = words.get(index)?;
    if word.unset {
        return None;
    }
    let mut reader = Reader::new(word.as_str(), report.version);
    let checked = reader.fetch(word, place, report).and_then(|gives| reader.converters(gives, word, report));
    let mut gives = match checked {
        Ok(gives) => gives,
        Err(fault) => {
            fault.report(word, 0, report);
            return None;
        }
    };
    if let Some(fault) = reader.rest() {
        fault.report(word, 0, report);
        return None;
    }
    let mut next = index + 1;
    while let Some(word) = words.get(next) {
        // A word that does not start with a converter is not part of the expression.
        let mut reader = Reader::new(word.as_str(), report.version);
        let name = reader.name();
        if word.unset || keywords::converter(name, report.version).is_none() {
            break;
        }
        let checked = reader
            .one_converter(gives, word, report)
            .and_then(|gives| reader.converters(gives, word, report));
        match checked {
            Ok(given) => gives = given,
            Err(fault) => {
                fault.report(word, 0, report);
                return None;
            }
        }
        next += 1;
    }
    Some(next)
}

/// Reads the expression at the start of `text`, a part of `word` that starts at its byte `offset`; gives where it ends.
///
/// For log formats, where `]` ends it.
pub(crate) fn check_inside(
    text: &str,
    word: &Word<'_>,
    offset: usize,
    place: u32,
    report: &mut Report,
) -> Option<usize> {
    let mut reader = Reader::new(text, report.version);
    let checked = reader.fetch(word, place, report).and_then(|gives| reader.converters(gives, word, report));
    match checked {
        Ok(_) => Some(reader.at),
        Err(fault) => {
            fault.report(word, offset, report);
            None
        }
    }
}

/// What the first word of an ACL asks for.
pub(crate) struct Asked {
    /// What it gives.
    pub(crate) gives: Type,
    /// The word after `-m` that the criterion implies, as `path_beg` does.
    pub(crate) method: Option<&'static str>,
}

/// Reads the criterion of an ACL.
pub(crate) fn check_criterion(word: &Word<'_>, report: &mut Report) -> Option<Asked> {
    if word.unset {
        return None;
    }
    let mut reader = Reader::new(word.as_str(), report.version);
    let name = reader.name();
    let criterion = keywords::criterion(name);
    let checked = reader.criterion(word, report).and_then(|gives| reader.converters(gives, word, report));
    let fault = match checked {
        Ok(gives) => match reader.rest() {
            // Converters make a criterion with a suffix an ordinary one again, but for its method.
            None => return Some(Asked { gives, method: criterion.map(|criterion| criterion.method) }),
            Some(fault) => fault,
        },
        Err(fault) => fault,
    };
    fault.report(word, 0, report);
    None
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    version: crate::dialect::Version,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, version: crate::dialect::Version) -> Self {
        Self { text, at: 0, version }
    }

    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The name at this place.
    fn name(&self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| !is_name_character(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// What is left after an expression that should have ended.
    fn rest(&self) -> Option<Fault> {
        (self.at < self.text.len()).then(|| {
            Fault::new(
                self.at..self.text.len(),
                format!(
                    "`{}` follows an expression without a comma",
                    self.text.get(self.at..).unwrap_or_default()
                ),
                "write `FETCH(ARGUMENTS),CONVERTER(ARGUMENTS)` without blanks",
            )
        })
    }

    fn fetch(&mut self, word: &Word<'_>, place: u32, report: &mut Report) -> Result<Type, Fault> {
        let (name, at) = (self.name(), self.at);
        if let Some(foreign) = self.foreign(keywords::FOREIGN_FETCHES)? {
            return Ok(foreign);
        }
        let Some(fetch) = keywords::fetch(name, self.version) else {
            return Err(self.unknown(name, at, "sample fetch method", report));
        };
        let call = self.call()?;
        if place != 0 && fetch.places & place == 0 {
            return Err(Fault::new(
                call.at,
                format!(
                    "`{name}` cannot be asked for here: what it looks at is not there yet, or not any more"
                ),
                "ask for it where it is known, and keep it in a variable for later",
            ));
        }
        arguments::check(&call, fetch.least, fetch.arguments, report.own)?;
        arguments::special_fetch(&call)?;
        note_references(&call, fetch.arguments, word, report);
        Ok(fetch.gives)
    }

    /// A fetch method, or a criterion that only ACLs know.
    fn criterion(&mut self, word: &Word<'_>, report: &mut Report) -> Result<Type, Fault> {
        let name = self.name();
        let Some(fetch) =
            keywords::criterion(name).and_then(|known| keywords::fetch(known.fetch, self.version))
        else {
            return self.fetch(word, 0, report);
        };
        let call = self.call()?;
        arguments::check(&call, fetch.least, fetch.arguments, report.own)?;
        note_references(&call, fetch.arguments, word, report);
        Ok(fetch.gives)
    }

    fn converters(&mut self, mut gives: Type, word: &Word<'_>, report: &mut Report) -> Result<Type, Fault> {
        while self.byte() == b',' {
            while self.byte() == b',' {
                self.at += 1;
            }
            if self.at >= self.text.len() {
                break;
            }
            gives = self.one_converter(gives, word, report)?;
        }
        Ok(gives)
    }

    fn one_converter(&mut self, given: Type, word: &Word<'_>, report: &mut Report) -> Result<Type, Fault> {
        let (name, at) = (self.name(), self.at);
        if let Some(foreign) = self.foreign(keywords::FOREIGN_CONVERTERS)? {
            return Ok(foreign);
        }
        let Some(converter) = keywords::converter(name, self.version) else {
            return Err(self.unknown(name, at, "converter", report));
        };
        let call = self.call()?;
        if !given.casts_to(converter.takes, self.version) {
            return Err(Fault::new(
                call.at,
                format!(
                    "`{name}` needs {}, and {} cannot be turned into one",
                    converter.takes.noun(),
                    given.noun()
                ),
                "put a converter between them that gives a text or a number",
            ));
        }
        arguments::check(&call, converter.least, converter.arguments, report.own)?;
        arguments::special_converter(&call)?;
        note_references(&call, converter.arguments, word, report);
        Ok(if converter.gives == Type::Same { given } else { converter.gives })
    }

    /// A name from a script or an extension, whose types are not known.
    fn foreign(&mut self, starts: &[&str]) -> Result<Option<Type>, Fault> {
        if !starts.iter().any(|start| self.name().starts_with(start)) {
            return Ok(None);
        }
        self.call()?;
        Ok(Some(Type::Any))
    }

    fn unknown(&self, name: &str, at: usize, what: &str, report: &mut Report) -> Fault {
        if name.is_empty() {
            return Fault::new(
                at..self.text.len(),
                format!("a {what} is missing in `{}`", self.text),
                "write `FETCH(ARGUMENTS),CONVERTER(ARGUMENTS)` without blanks",
            );
        }
        let version = self.version;
        let fetches =
            keywords::FETCHES.iter().filter(|entry| entry.known_in(version)).map(|entry| entry.name);
        let converters =
            keywords::CONVERTERS.iter().filter(|entry| entry.known_in(version)).map(|entry| entry.name);
        let close = match what {
            "converter" => report.suggest(name, converters),
            _ => report.suggest(name, fetches),
        };
        let help = match close {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("see `{what}` in the HAProxy configuration manual"),
        };
        let message = format!("`{name}` is not a {what} of HAProxy {version}");
        Fault { unknown: true, ..Fault::new(at..at + name.len(), message, help) }
    }

    /// Reads a name and its arguments.
    fn call(&mut self) -> Result<Call<'t>, Fault> {
        let name = self.name();
        let at = self.at..self.at + name.len();
        self.at = at.end;
        if self.byte() != b'(' {
            return Ok(Call { name, at, arguments: None, end: self.at });
        }
        let open = self.at;
        self.at += 1;
        let mut given = Vec::new();
        loop {
            let (argument, ended) = self.argument();
            given.push(argument);
            match ended {
                b',' => self.at += 1,
                b')' => {
                    self.at += 1;
                    return Ok(Call { name, at, arguments: Some(given), end: self.at });
                }
                _ => {
                    return Err(Fault::new(
                        open..self.text.len(),
                        format!("the arguments of `{name}` have no closing parenthesis"),
                        "close them with `)`; a `)` inside an argument needs quotes or `\\\\`",
                    ));
                }
            }
        }
    }

    /// Reads one argument, and gives the byte that ends it.
    fn argument(&mut self) -> (Given<'t>, u8) {
        let start = self.at;
        let mut quote = 0u8;
        let mut plain = true;
        let mut bytes = Vec::new();
        let mut ended = 0;
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'"' | b'\'' if quote == 0 => {
                    quote = byte;
                    plain = false;
                }
                _ if byte == quote => quote = 0,
                b'\\' if quote != b'\'' && self.at + 1 < self.text.len() => {
                    plain = false;
                    self.at += 1;
                    let next = self.byte();
                    if !matches!(next, b'\\' | b'"' | b'\'' | b' ' | b',' | b'(' | b')' | b'#') {
                        bytes.push(byte);
                    }
                    bytes.push(next);
                }
                b',' | b')' if quote == 0 => {
                    ended = byte;
                    break;
                }
                _ => bytes.push(byte),
            }
            self.at += 1;
        }
        let at = start..self.at;
        let text = match plain {
            true => Cow::Borrowed(self.text.get(at.clone()).unwrap_or_default()),
            false => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        };
        (Given { text, at }, ended)
    }
}

/// What the names of fetch methods and converters are made of.
fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-' | '+' | ':')
}

/// Notes the sections and servers that arguments name.
fn note_references(call: &Call<'_>, kinds: &[Argument], word: &Word<'_>, report: &mut Report) {
    let Some(given) = &call.arguments else { return };
    for (argument, kind) in given.iter().zip(kinds) {
        let wanted = match kind {
            Argument::Backend => Wanted::Backend,
            Argument::Frontend => Wanted::Frontend,
            Argument::Server => Wanted::Server,
            Argument::Userlist => Wanted::Userlist,
            Argument::Table => Wanted::Table,
            _ => continue,
        };
        if argument.text.is_empty() {
            continue;
        }
        let (name, fetch, assumed) = (argument.text.to_string(), call.name.to_owned(), report.assumed);
        report.references.push(Reference { wanted, name, fetch, span: word.span, assumed });
    }
}
