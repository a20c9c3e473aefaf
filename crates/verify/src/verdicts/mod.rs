//! Verdicts compared: what the program says of a file and of its mutants, and what lbcheck says.

mod judge;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use lbcheck::dialect::{Dialect, Version};

use crate::base::Base;
use crate::classify::{Outside, Place, Refusal, refusals};
use crate::heal::{Healed, StandIns, heal, place};
use crate::mutate::{Mutant, mutate};
use crate::program::Program;
use crate::random::Random;
pub use judge::{Finding, judge};
pub use table::{markdown, reason};

/// What comes of one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Accepted by the program, and without an error-level syntax finding.
    Accepted,
    /// Accepted by the program, and called an error by lbcheck.
    FalseError,
    /// Refused by the program, and called an error by lbcheck on the same line.
    SameLine,
    /// Refused by the program, which names no place here, and called an error by lbcheck.
    Refused,
    /// Refused by the program, and called an error by lbcheck at another place only.
    OtherLine,
    /// Refused by the program, and not called an error.
    Missed,
    /// Refused by the program for a reason that does not lie in the file.
    Outside(Outside),
    /// The program gave no verdict: it ended without a reason, or not at all.
    NoVerdict,
}

/// One file or mutant on which the two were compared.
#[derive(Clone, Debug)]
pub struct Case {
    /// The base it was made of.
    pub base: String,
    /// What was done to it. `None`: nothing.
    pub change: Option<&'static str>,
    /// What was done, in words.
    pub note: String,
    /// What came of it.
    pub class: Class,
    /// The cause: of the refusal, or of lbcheck's error where the program accepts.
    pub cause: String,
    /// What each said, for somebody who looks into it.
    pub detail: String,
    /// The text.
    pub text: String,
}

/// The result of one run against one program.
#[derive(Clone, Debug)]
pub struct Run {
    /// The proxy.
    pub dialect: Dialect,
    /// The version that the program says it has.
    pub version: Version,
    /// The seed of the mutants.
    pub seed: u64,
    /// Bases that the program accepts and mutants were made of.
    pub bases: usize,
    /// Bases as they are, then mutants.
    pub cases: Vec<Case>,
}

impl Run {
    /// Cases of a class, mutants and bases alike.
    #[must_use]
    pub fn count(&self, class: Class) -> usize {
        self.cases.iter().filter(|case| case.class == class).count()
    }

    /// Of what the program accepts: how much lbcheck does not call an error of syntax.
    #[must_use]
    pub fn accepted(&self) -> Rate {
        let part = self.count(Class::Accepted);
        Rate { part, whole: part + self.count(Class::FalseError) }
    }

    /// Of what the program refuses for a reason in the file: how much lbcheck calls an error.
    #[must_use]
    pub fn seen(&self) -> Rate {
        let part = self.count(Class::SameLine) + self.count(Class::OtherLine) + self.count(Class::Refused);
        Rate { part, whole: part + self.count(Class::Missed) }
    }

    /// Of what both call an error, where the place can be compared: how much on the same line.
    #[must_use]
    pub fn same_line(&self) -> Rate {
        let part = self.count(Class::SameLine);
        Rate { part, whole: part + self.count(Class::OtherLine) }
    }

    /// What must hold of every run and does not, in words.
    #[must_use]
    pub fn shortfalls(&self) -> Vec<String> {
        let wanted = [
            ("accepted without a false error", self.accepted(), 9950),
            ("refused and seen", self.seen(), 9700),
            ("seen on the same line", self.same_line(), 9500),
        ];
        let short = wanted.into_iter().filter(|(_, rate, least)| rate.part * 10_000 < rate.whole * least);
        short
            .map(|(what, rate, least)| format!("{what}: {rate}, wanted {} %", least as f64 / 100.0))
            .collect()
    }
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub part: usize,
    /// Of how many.
    pub whole: usize,
}

impl std::fmt::Display for Rate {
    /// In hundredths of a percent, rounded down, so that what falls short is never shown as reached.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.part * 10_000).checked_div(self.whole) {
            Some(hundredths) => write!(f, "{}.{:02} %", hundredths / 100, hundredths % 100),
            None => f.write_str("–"),
        }
    }
}

/// Compares bases and `mutants` mutants of them.
///
/// # Errors
///
/// The program cannot be run, or the scratch folder cannot be written.
pub fn run(program: &Program, bases: Vec<Base>, mutants: usize, seed: u64, scratch: &Path) -> Result<Run> {
    let version = program.version().unwrap_or_else(|| program.dialect.assumed_version());
    let stand_ins = StandIns::new(&scratch.join("stand-in"))?;
    let compared = Compared { program, version };
    let mut cases = Vec::new();
    let mut accepted = Vec::new();
    let healed = parallel(scratch, bases.len(), |index, folder| {
        let base = bases[index].clone();
        let folder = folder.join(format!("base-{index}"));
        Ok((heal(program, base, &stand_ins, &folder), folder))
    })?;
    for (index, (result, folder)) in healed.into_iter().enumerate() {
        let name = bases[index].name.clone();
        match result {
            Ok(Healed::Accepted(base)) => {
                cases.push(compared.case(&base, None, &folder)?);
                accepted.push(base);
            }
            Ok(Healed::Refused(_)) => cases.push(compared.case(&bases[index], None, &folder)?),
            Err(error) => cases.push(no_verdict(name, format!("{error:#}"))),
        }
        std::fs::remove_dir_all(&folder).ok();
    }
    let usable: Vec<&Base> = accepted.iter().filter(|base| base.text().is_some()).collect();
    if !usable.is_empty() {
        cases.extend(parallel(scratch, mutants, |index, folder| {
            let mut random = Random::new(seed, index as u64);
            // Most draws make a mutant; a few change nothing and are drawn again.
            for _ in 0..100 {
                let Some(base) = random.choose(&usable) else { break };
                let text = base.text().unwrap_or_default();
                if let Some(mutant) = mutate(program.dialect, text, &mut random) {
                    return compared.case(base, Some(&mutant), &folder.join("mutant"));
                }
            }
            Ok(no_verdict("no mutant".into(), "a hundred draws changed nothing".into()))
        })?);
    }
    Ok(Run { dialect: program.dialect, version, seed, bases: usable.len(), cases })
}

fn no_verdict(base: String, detail: String) -> Case {
    let cause = detail.lines().next().unwrap_or_default().chars().take(80).collect();
    Case {
        base,
        change: None,
        note: String::new(),
        class: Class::NoVerdict,
        cause,
        detail,
        text: String::new(),
    }
}

/// Does `work` for every index on as many threads as there are cores, each with a folder of its own; results in order.
pub(crate) fn parallel<T: Send>(
    scratch: &Path,
    count: usize,
    work: impl Fn(usize, &Path) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, Result<T>>> = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let folder = scratch.join(format!("worker-{worker}"));
            let (next, results, work) = (&next, &results, &work);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let result = work(index, &folder);
                    let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    results.insert(index, result);
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.into_values().collect()
}

struct Compared<'a> {
    program: &'a Program,
    version: Version,
}

impl Compared<'_> {
    /// Asks both about a base or a mutant of it.
    fn case(&self, base: &Base, mutant: Option<&Mutant>, folder: &Path) -> Result<Case> {
        std::fs::remove_dir_all(folder).ok();
        let mut changed = base.clone();
        if let Some(mutant) = mutant {
            changed.set_text(mutant.text.clone());
        }
        place(&changed, folder)?;
        let main = folder.join(&base.main);
        let mut case = Case {
            base: base.name.clone(),
            change: mutant.map(|mutant| mutant.change.as_str()),
            note: mutant.map(|mutant| mutant.note.clone()).unwrap_or_default(),
            class: Class::NoVerdict,
            cause: String::new(),
            detail: String::new(),
            text: changed.text().unwrap_or_default().to_owned(),
        };
        let answer = match self.program.validate(&main, folder, &base.variables) {
            Ok(answer) => answer,
            Err(error) => {
                case.detail = format!("{error:#}");
                return Ok(case);
            }
        };
        let findings = judge(self.program.dialect, self.version, &changed, folder);
        let mut found = refusals(self.program.dialect, &answer.said, &main.display().to_string());
        for refusal in &mut found {
            // A directive of a module that is missing may be misplaced, too.
            if let (Some(Outside::Module), Place::Line(line)) = (refusal.outside, &refusal.place)
                && findings.iter().any(|finding| finding.lines.contains(line))
            {
                refusal.outside = None;
            }
        }
        let lines = mutant.map(|mutant| mutant.lines.as_slice()).unwrap_or_default();
        (case.class, case.cause) = classify(answer.accepted, &found, &findings, lines);
        let program_said: Vec<String> =
            found.iter().map(|refusal| format!("{:?} {}", refusal.place, refusal.message)).collect();
        let lbcheck_said: Vec<String> = findings.iter().map(ToString::to_string).collect();
        case.detail = format!(
            "program: {}\nlbcheck: {}",
            if found.is_empty() { answer.said } else { program_said.join("\n         ") },
            lbcheck_said.join("\n         ")
        );
        Ok(case)
    }
}

/// Compares two verdicts.
fn classify(
    accepted: bool,
    refusals: &[Refusal],
    findings: &[Finding],
    changed: &[usize],
) -> (Class, String) {
    if accepted {
        return match findings.iter().find(|finding| finding.is_syntax) {
            Some(finding) => (Class::FalseError, finding.rule.to_string()),
            None => (Class::Accepted, String::new()),
        };
    }
    // Where one reason lies in the file and another outside, the file is at fault.
    let inside: Vec<&Refusal> = refusals.iter().filter(|refusal| refusal.outside.is_none()).collect();
    let Some(first) = inside.first() else {
        return match refusals.first() {
            Some(Refusal { outside: Some(outside), cause, .. }) => (Class::Outside(*outside), cause.clone()),
            _ => (Class::NoVerdict, String::new()),
        };
    };
    if findings.is_empty() {
        return (Class::Missed, first.cause.clone());
    }
    // A file as it is has no changed line, and a place that is not named cannot be compared.
    let comparable = |refusal: &&&Refusal| match refusal.place {
        Place::Line(_) | Place::Stopped(_) => true,
        Place::Field(_) | Place::Changed => !changed.is_empty(),
        Place::Nowhere => false,
    };
    let placed: Vec<&&Refusal> = inside.iter().filter(comparable).collect();
    let same = placed.iter().any(|refusal| findings.iter().any(|finding| is_same(refusal, finding, changed)));
    let class = match (placed.is_empty(), same) {
        (true, _) => Class::Refused,
        (false, true) => Class::SameLine,
        (false, false) => Class::OtherLine,
    };
    (class, first.cause.clone())
}

/// Whether a finding stands where the program sees the mistake. A program that names a field and no line is taken to mean
/// the changed line, or a line on which that field stands.
fn is_same(refusal: &Refusal, finding: &Finding, changed: &[usize]) -> bool {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    match &refusal.place {
        Place::Line(line) => finding.lines.contains(line),
        Place::Stopped(line) => finding.lines.iter().any(|found| found == line || changed.contains(found)),
        Place::Field(field) => {
            finding.lines.iter().any(|line| changed.contains(line))
                || plain(&finding.excerpt).contains(&plain(field))
                // A field that is missing stands nowhere: the message says which one it is.
                || plain(&finding.message).contains(&format!("`{}`", plain(field)))
        }
        Place::Changed => finding.lines.iter().any(|line| changed.contains(line)),
        Place::Nowhere => false,
    }
}
