//! What a program's complaint is about: its place, its cause, and whether the cause lies in the file at all.

mod envoy;
mod haproxy;
mod nginx;

use lbcheck::dialect::Dialect;

/// One complaint of a program that refuses a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its words.
    pub message: String,
    /// The words with every name and number taken out, so that the same mistake counts together.
    pub cause: String,
    /// Where it says the mistake is.
    pub place: Place,
    /// Why it is no matter of the file. `None`: it is.
    pub outside: Option<Outside>,
}

/// A place that a program names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line, 1-based, of the file that was changed.
    Line(usize),
    /// The line at which a parser gave up: that of the mistake, or one after it.
    Stopped(usize),
    /// A field, by its name.
    Field(String),
    /// The program names no line, ever: the line that was changed is taken for it.
    Changed,
    /// None, though it names lines elsewhere: the place cannot be compared.
    Nowhere,
}

/// Reasons that do not lie in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outside {
    /// A file or folder that is missing or unreadable: certificates, maps, Lua scripts, includes.
    File,
    /// A host name that does not resolve.
    Name,
    /// A user or group that does not exist.
    Account,
    /// An address or port that cannot be used on this machine.
    Socket,
    /// A module, extension or library that this build does not have.
    Module,
    /// A limit or a missing capability of this machine.
    Machine,
}

impl Outside {
    /// Its name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "files",
            Self::Name => "host names",
            Self::Account => "users and groups",
            Self::Socket => "sockets",
            Self::Module => "modules not built in",
            Self::Machine => "limits of the machine",
        }
    }
}

/// The complaints in what a program said when it refused `file`.
#[must_use]
pub fn refusals(dialect: Dialect, said: &str, file: &str) -> Vec<Refusal> {
    match dialect {
        Dialect::HaProxy => haproxy::refusals(said, file),
        Dialect::Nginx => nginx::refusals(said, file),
        Dialect::Envoy => envoy::refusals(said, file),
    }
}

/// Takes names, paths and numbers out of a message.
fn cause(message: &str) -> String {
    let mut text = String::new();
    let mut quote = None;
    for character in message.chars() {
        match quote {
            Some(end) if character == end => {
                quote = None;
                text.push(character);
            }
            Some(_) => {}
            None if "'\"".contains(character) => {
                quote = Some(if character == '`' { '\'' } else { character });
                text.push(character);
                text.push('…');
            }
            None if character.is_ascii_digit() => {
                if !text.ends_with('N') {
                    text.push('N');
                }
            }
            None => text.push(character),
        }
    }
    let short: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    short.chars().take(120).collect()
}

/// Whether a message contains one of these words.
fn says(message: &str, words: &[&str]) -> bool {
    words.iter().any(|word| message.contains(word))
}
