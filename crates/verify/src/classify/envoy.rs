//! Envoy stops at the first mistake, and names a field more often than a line.

use super::{Outside, Place, Refusal, cause, says};

pub(super) fn refusals(said: &str, file: &str) -> Vec<Refusal> {
    let marker = "error initializing configuration '";
    let Some((_, rest)) = said.split_once(marker) else {
        return Vec::new();
    };
    let message = rest.split_once("': ").map_or(rest, |(_, message)| message);
    let message = message.lines().next().unwrap_or_default().replace(file, "FILE");
    vec![Refusal { cause: cause(&message), place: place(&message), outside: outside(&message), message }]
}

fn place(message: &str) -> Place {
    let after = |marker: &str| message.split_once(marker).map(|(_, rest)| rest);
    let number = |rest: &str| rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok();
    if let Some(line) = after("error at line ").and_then(number) {
        return Place::Line(line);
    }
    let field = after("no such field: '").or_else(|| after("ValidationError.")).and_then(|rest| {
        rest.split(|character: char| !character.is_alphanumeric() && character != '_').next()
    });
    field.map_or(Place::Changed, |field| Place::Field(field.to_owned()))
}

fn outside(message: &str) -> Option<Outside> {
    if says(message, &["file system path", "No such file", "unable to read file", "Invalid path:"]) {
        return Some(Outside::File);
    }
    None
}
