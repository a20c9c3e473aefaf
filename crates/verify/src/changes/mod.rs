//! Silence counted: edits that the program still accepts, and whether `diff` says anything of them.

mod harmless;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use lbcheck::dialect::{Dialect, Version};
use lbcheck::load::DiskLoader;
use lbcheck::read::{ReadOptions, read};
use lbcheck::source::Sources;

use crate::base::Base;
use crate::heal::{Healed, StandIns, heal, place};
use crate::mutate::{Mutant, edit};
use crate::program::Program;
use crate::random::Random;
use crate::reading::diff;
use crate::verdicts::parallel;

/// What comes of one edit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The program refuses the new text; nothing is to be said of its effect.
    Refused,
    /// `diff` does not call the two equivalent.
    Told,
    /// `diff` calls them equivalent, and a known reason says why that is right.
    Harmless(&'static str),
    /// `diff` calls them equivalent, and nobody knows why.
    Silent,
}

/// One edit.
#[derive(Clone, Debug)]
pub struct Case {
    /// The base it was made of.
    pub base: String,
    /// What was done, in words.
    pub note: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The text before and after, for somebody who looks into it.
    pub texts: (String, String),
}

/// The result of one run against one program.
#[derive(Clone, Debug)]
pub struct Run {
    /// The proxy.
    pub dialect: Dialect,
    /// The version that the program says it has.
    pub version: Version,
    /// The seed of the edits.
    pub seed: u64,
    /// Every edit.
    pub cases: Vec<Case>,
}

impl Run {
    /// Edits that nothing was said of and that no reason explains.
    pub fn silent(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.outcome == Outcome::Silent)
    }
}

/// Makes `edits` edits of accepted configurations, and asks the program and `diff`.
///
/// # Errors
///
/// The program cannot be run, or the scratch folder cannot be written.
pub fn run(program: &Program, bases: Vec<Base>, edits: usize, seed: u64, scratch: &Path) -> Result<Run> {
    let version = program.version().unwrap_or_else(|| program.dialect.assumed_version());
    let stand_ins = StandIns::new(&scratch.join("stand-in"))?;
    let healed = parallel(scratch, bases.len(), |index, folder| {
        let folder = folder.join(format!("base-{index}"));
        let healed = heal(program, bases[index].clone(), &stand_ins, &folder);
        std::fs::remove_dir_all(&folder).ok();
        Ok(match healed {
            Ok(Healed::Accepted(base)) => Some(base),
            _ => None,
        })
    })?;
    let usable: Vec<Base> = healed.into_iter().flatten().filter(|base| base.text().is_some()).collect();
    let cases = parallel(scratch, edits, |index, folder| {
        let mut random = Random::new(seed, index as u64);
        for _ in 0..100 {
            let Some(base) = random.choose(&usable) else { break };
            let text = base.text().unwrap_or_default();
            if let Some(mutant) = edit(program.dialect, text, &mut random) {
                return case(program, version, base, &mutant, folder).map(Some);
            }
        }
        Ok(None)
    })?;
    Ok(Run { dialect: program.dialect, version, seed, cases: cases.into_iter().flatten().collect() })
}

fn case(program: &Program, version: Version, base: &Base, mutant: &Mutant, folder: &Path) -> Result<Case> {
    let mut changed = base.clone();
    changed.set_text(mutant.text.clone());
    let (old, new) = (folder.join("old"), folder.join("new"));
    for (side, files) in [(&old, base), (&new, &changed)] {
        std::fs::remove_dir_all(side).ok();
        place(files, side)?;
    }
    let texts = (base.text().unwrap_or_default().to_owned(), mutant.text.clone());
    let mut case =
        Case { base: base.name.clone(), note: mutant.note.clone(), outcome: Outcome::Refused, texts };
    let answer = program.validate(&new.join(&base.main), &new, &base.variables);
    if !answer.is_ok_and(|answer| answer.accepted) {
        return Ok(case);
    }
    let mut sources = Sources::new();
    let mut side = |folder: &Path| {
        let mut options = ReadOptions::new(program.dialect);
        options.version = version;
        options.env = base.variables.iter().cloned().collect();
        if program.dialect == Dialect::Nginx {
            options.prefix = Some(folder.display().to_string());
        }
        read(&DiskLoader, &mut sources, &[folder.join(&base.main).display().to_string()], &options)
    };
    let (before, after) = (side(&old), side(&new));
    let report = diff(&sources, &before, &after);
    case.outcome = if report.broken || !report.is_equivalent() {
        Outcome::Told
    } else {
        match harmless::reason(program.dialect, &case.texts.0, &case.texts.1) {
            _ if report.summary.cosmetic > 0 => {
                Outcome::Harmless("only a name is another, which the diff says")
            }
            Some(why) => Outcome::Harmless(why),
            None => Outcome::Silent,
        }
    };
    Ok(case)
}

/// The table for `docs/verification.md`.
#[must_use]
pub fn markdown(runs: &[Run]) -> String {
    let mut text = String::from(
        "| program | edits | still accepted | told | harmless | silent |\n|---|---|---|---|---|---|\n",
    );
    let mut reasons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for run in runs {
        let count =
            |wanted: fn(&Outcome) -> bool| run.cases.iter().filter(|case| wanted(&case.outcome)).count();
        let refused = count(|outcome| *outcome == Outcome::Refused);
        let harmless = count(|outcome| matches!(outcome, Outcome::Harmless(_)));
        let _ = writeln!(
            text,
            "| {} {} | {} | {} | {} | {harmless} | {} |",
            run.dialect.product(),
            run.version,
            run.cases.len(),
            run.cases.len() - refused,
            count(|outcome| *outcome == Outcome::Told),
            run.silent().count(),
        );
        for case in &run.cases {
            if let Outcome::Harmless(why) = case.outcome {
                *reasons.entry((run.dialect.product(), why)).or_default() += 1;
            }
        }
    }
    if !reasons.is_empty() {
        text += "\n| program | why an edit has no effect | edits |\n|---|---|---|\n";
        for ((product, why), count) in reasons {
            let _ = writeln!(text, "| {product} | {why} | {count} |");
        }
    }
    text
}
