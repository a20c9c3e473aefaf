//! Mutants: a configuration with one small mistake in it.

use lbcheck::dialect::Dialect;

use crate::random::Random;

/// What is done to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A word is left out.
    Drop,
    /// A word is written twice.
    Double,
    /// A word changes places with the next one of its line.
    Swap,
    /// A letter of a word is left out, doubled, replaced, or swapped with the next.
    Misspell,
    /// A line stands elsewhere.
    Move,
    /// A number is another one.
    Number,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 6] =
        [Self::Drop, Self::Double, Self::Swap, Self::Misspell, Self::Move, Self::Number];

    /// Its name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "word dropped",
            Self::Double => "word doubled",
            Self::Swap => "words swapped",
            Self::Misspell => "word misspelt",
            Self::Move => "line moved",
            Self::Number => "number changed",
        }
    }
}

/// A text with one change.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What was done.
    pub change: Change,
    /// The whole text.
    pub text: String,
    /// The lines of it that differ, 1-based; where one was taken away, the line that has come to stand there.
    pub lines: Vec<usize>,
    /// What was done, in words, for somebody who looks into a disagreement.
    pub note: String,
}

/// A word of a line, as byte offsets within it.
type Word = (usize, usize);

/// Makes one mutant. `None`: the draw changes nothing, and another is to be made.
#[must_use]
pub fn mutate(dialect: Dialect, text: &str, random: &mut Random) -> Option<Mutant> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let change = *random.choose(&Change::ALL)?;
    let candidates: Vec<usize> =
        (0..lines.len()).filter(|line| !words(dialect, lines[*line]).is_empty()).collect();
    let at = *random.choose(&candidates)?;
    if change == Change::Move {
        return moved(&lines, &candidates, at, random);
    }
    let line = lines[at];
    let all = words(dialect, line);
    let eligible: Vec<usize> = (0..all.len())
        .filter(|index| match change {
            Change::Number => line[all[*index].0..all[*index].1].bytes().any(|byte| byte.is_ascii_digit()),
            Change::Swap => index + 1 < all.len(),
            _ => true,
        })
        .collect();
    let index = *random.choose(&eligible)?;
    let (start, end) = all[index];
    let word = &line[start..end];
    let (new, note) = match change {
        Change::Drop => (format!("{}{}", &line[..start], &line[end..]), format!("{word} dropped")),
        Change::Double => {
            (format!("{}{word} {word}{}", &line[..start], &line[end..]), format!("{word} doubled"))
        }
        Change::Swap => {
            let (next_start, next_end) = *all.get(index + 1)?;
            let next = &line[next_start..next_end];
            let between = &line[end..next_start];
            (
                format!("{}{next}{between}{word}{}", &line[..start], &line[next_end..]),
                format!("{word} and {next} swapped"),
            )
        }
        Change::Misspell => {
            let wrong = misspelt(word, random)?;
            (format!("{}{wrong}{}", &line[..start], &line[end..]), format!("{word} misspelt {wrong}"))
        }
        Change::Number => {
            let wrong = renumbered(word, random)?;
            (format!("{}{wrong}{}", &line[..start], &line[end..]), format!("{word} became {wrong}"))
        }
        Change::Move => return None,
    };
    if new == line {
        return None;
    }
    let text = [&lines[..at].concat(), &new, &lines[at + 1..].concat()].map(String::as_str).concat();
    Some(Mutant { change, text, lines: vec![at + 1], note })
}

/// Makes one edit of the kind that people make on purpose: a line goes, or moves, or a word or number of it is another.
/// `None`: the draw changes nothing, and another is to be made.
#[must_use]
pub fn edit(dialect: Dialect, text: &str, random: &mut Random) -> Option<Mutant> {
    if random.below(3) > 0 {
        return mutate(dialect, text, random).filter(|mutant| mutant.text != text);
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let candidates: Vec<usize> =
        (0..lines.len()).filter(|line| !words(dialect, lines[*line]).is_empty()).collect();
    let at = *random.choose(&candidates)?;
    let text = [lines[..at].concat(), lines[at + 1..].concat()].concat();
    let note = format!("line {} removed: {}", at + 1, lines[at].trim());
    Some(Mutant { change: Change::Drop, text, lines: vec![at + 1], note })
}

/// Puts a line elsewhere, with the indentation of the place.
fn moved(lines: &[&str], candidates: &[usize], from: usize, random: &mut Random) -> Option<Mutant> {
    let to = *random.choose(candidates)?;
    if to == from || to == from + 1 {
        return None;
    }
    let ended = |line: &str| if line.ends_with('\n') { line.to_owned() } else { format!("{line}\n") };
    let indent = &lines[to][..lines[to].len() - lines[to].trim_start().len()];
    let line = format!("{indent}{}", ended(lines[from].trim_start()));
    let mut text = String::new();
    for (index, old) in lines.iter().enumerate() {
        if index == to {
            text.push_str(&line);
        }
        if index != from {
            text.push_str(&ended(old));
        }
    }
    let (new, gap) = if to < from { (to + 1, from + 2) } else { (to, from + 1) };
    let note = format!("line {} moved to {new}: {}", from + 1, line.trim());
    Some(Mutant { change: Change::Move, text, lines: vec![new, gap], note })
}

/// The words of a line that a person could mistype; none for a comment or an empty line.
fn words(dialect: Dialect, line: &str) -> Vec<Word> {
    if line.trim_start().starts_with('#') {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in line.char_indices() {
        if character == '#' && start.is_none() {
            break;
        }
        let apart = match dialect {
            Dialect::HaProxy => character.is_whitespace(),
            Dialect::Nginx => character.is_whitespace() || "{};".contains(character),
            Dialect::Envoy => character.is_whitespace() || "{}[],:\"'".contains(character),
        };
        match (apart, start) {
            (false, None) => start = Some(at),
            (true, Some(begun)) => {
                found.push((begun, at));
                start = None;
            }
            _ => {}
        }
        // The punctuation that carries the structure of a language is a word too.
        if apart && !character.is_whitespace() {
            found.push((at, at + character.len_utf8()));
        }
    }
    found.extend(start.map(|begun| (begun, line.len())));
    found
}

fn misspelt(word: &str, random: &mut Random) -> Option<String> {
    let letters: Vec<char> = word.chars().collect();
    let at = random.below(letters.len());
    let mut wrong = letters.clone();
    match random.below(4) {
        0 => {
            wrong.remove(at);
        }
        1 => wrong.insert(at, *letters.get(at)?),
        2 => *wrong.get_mut(at)? = char::from(b'a' + random.below(26) as u8),
        _ if at + 1 < wrong.len() => wrong.swap(at, at + 1),
        _ => return None,
    }
    (wrong != letters && !wrong.is_empty()).then(|| wrong.into_iter().collect())
}

/// The word with one of its runs of digits replaced.
fn renumbered(word: &str, random: &mut Random) -> Option<String> {
    let mut runs: Vec<Word> = Vec::new();
    for (at, byte) in word.bytes().enumerate() {
        if !byte.is_ascii_digit() {
            continue;
        }
        match runs.last_mut() {
            Some((_, end)) if *end == at => *end = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    let (start, end) = *random.choose(&runs)?;
    let number: i128 = word[start..end].parse().ok()?;
    let new = match random.below(8) {
        0 => "0".to_owned(),
        1 => "-1".to_owned(),
        2 => (number * 10).to_string(),
        3 => (number * 1000).to_string(),
        4 => (number + 1).to_string(),
        5 => format!("{number}x"),
        6 => format!("{number}.5"),
        _ => "4294967296".to_owned(),
    };
    let wrong = format!("{}{new}{}", &word[..start], &word[end..]);
    (wrong != word).then_some(wrong)
}
