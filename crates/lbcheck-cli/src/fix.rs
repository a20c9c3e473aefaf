//! `lbcheck check --fix`: mends what is certain.
//!
//! Nothing is written before the mended text was read again and found to be the same configuration but for the mends.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::PathBuf;

use lbcheck::Input;
use lbcheck::diagnostic::Fix;
use lbcheck::fix::{self, Mended, Overlay, Refused};
use lbcheck::read::{Reading, read};
use lbcheck::source::Sources;
use lbcheck_report::clean;

use crate::Failure;
use crate::disk::{Disk, STDIN};

/// What becomes of all configurations.
pub(crate) struct Plan {
    pub(crate) mended: Vec<Mended>,
    /// The configurations with their mends.
    pub(crate) after: Vec<Input>,
    /// What cannot be mended, and why.
    pub(crate) refused: Vec<(Fix, Refused)>,
}

/// Mends that uncover others are followed this often.
const ROUNDS: usize = 8;

/// Works out the mends of all configurations, and makes sure of each.
///
/// A block whose name was misspelt is only read once the name is mended, and may then have mends of its own; so it is
/// mended until nothing is left, and mending again changes nothing.
pub(crate) fn plan(sources: &mut Sources, disk: &Disk, inputs: Vec<Input>) -> Plan {
    let mut plan = Plan { mended: Vec::new(), after: inputs, refused: Vec::new() };
    for _ in 0..ROUNDS {
        let fixes = certain(sources, &plan.after);
        let proved = fix::provable(&fixes, |fixes| attempt(sources, disk, &plan, fixes));
        plan.refused = proved.refused.into_iter().map(|(fix, why)| (fix.clone(), why)).collect();
        let Some((mended, readings)) = proved.outcome else { break };
        plan.mended = over(&plan.mended, mended);
        for (input, reading) in plan.after.iter_mut().zip(readings) {
            if let Some(reading) = reading {
                input.reading = reading;
            }
        }
    }
    plan
}

/// The certain mends of all configurations, each once: several may have read the same file.
fn certain(sources: &Sources, inputs: &[Input]) -> Vec<Fix> {
    let mut seen = BTreeSet::new();
    let mut fixes = Vec::new();
    for input in inputs {
        let report = input.check(sources);
        for fix in fix::certain(&report.findings) {
            let edits = fix.edits.iter().map(|edit| {
                let path = sources.file(edit.span.file).path().to_owned();
                (path, edit.span.start, edit.span.end, edit.replacement.clone())
            });
            if seen.insert(edits.collect::<Vec<_>>()) {
                fixes.push(fix.clone());
            }
        }
    }
    fixes
}

/// What comes out of some mends: the files, and the readings of the configurations that have one of them.
type Attempt = (Vec<Mended>, Vec<Option<Reading>>);

fn attempt(sources: &mut Sources, disk: &Disk, plan: &Plan, fixes: &[&Fix]) -> Result<Attempt, Refused> {
    let round = fix::apply(sources, fixes.iter().copied());
    let mended = over(&plan.mended, round.clone());
    let overlay = Overlay::new(disk, &mended);
    let paths: BTreeSet<&str> = round.iter().map(|file| file.path.as_str()).collect();
    let mut readings = Vec::new();
    for input in &plan.after {
        let files = &input.reading.config.files;
        if !files.iter().any(|file| paths.contains(sources.file(*file).path())) {
            readings.push(None);
            continue;
        }
        let reading = read(&overlay, sources, &input.files, &input.options.read);
        fix::confirm(sources, &input.reading, &reading, &round)?;
        readings.push(Some(reading));
    }
    Ok((round, readings))
}

/// The files of earlier rounds with those of a later one in their place.
fn over(before: &[Mended], round: Vec<Mended>) -> Vec<Mended> {
    let mut all = before.to_vec();
    for file in round {
        match all.iter_mut().find(|known| known.path == file.path) {
            Some(known) => {
                known.content = file.content;
                known.edits.extend(file.edits);
            }
            None => all.push(file),
        }
    }
    all
}

/// Writes the mended files: all of them are prepared before the first takes its place.
pub(crate) fn write(sources: &Sources, mended: &[Mended]) -> Result<(), Failure> {
    let mut prepared = Vec::new();
    for file in mended {
        let path = clean(&file.path);
        if file.path == STDIN {
            return Err(Failure::new(format!(
                "`{path}` cannot be mended in place: name a file, or see the mends with --dry-run"
            )));
        }
        let one = prepare(sources, file)
            .map_err(|error| Failure::new(format!("nothing was written: `{path}`: {error}")))?;
        prepared.push((one, file));
    }
    let mut written: Vec<String> = Vec::new();
    for (one, file) in prepared {
        let path = clean(&file.path).into_owned();
        one.commit().map_err(|error| {
            let done = match written.as_slice() {
                [] => "nothing was written".to_owned(),
                done => format!("only `{}` was written", done.join("`, `")),
            };
            Failure::new(format!("{done}: cannot replace `{path}`: {error}"))
        })?;
        written.push(path);
    }
    Ok(())
}

/// A file written beside the one it replaces. It is removed again unless it is committed.
struct Prepared {
    temporary: PathBuf,
    target: PathBuf,
    done: bool,
}

impl Prepared {
    fn commit(mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be removed is a hidden file beside the one that was to be replaced, and whole.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

fn prepare(sources: &Sources, file: &Mended) -> io::Result<Prepared> {
    // A link stays a link: the file it leads to is the one that was read.
    let path = fs::canonicalize(&file.path)?;
    let about = fs::metadata(&path)?;
    if !about.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if fs::read(&path)? != sources.file(file.file).bytes() {
        return Err(io::Error::other("has changed since it was read"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.lbcheck-{}", std::process::id()));
    let mut to = File::create_new(&temporary)?;
    let prepared = Prepared { temporary, target: path, done: false };
    keep(&to, &about)?;
    to.write_all(&file.content)?;
    to.sync_all()?;
    Ok(prepared)
}

/// Owner and permissions stay, or nothing is written.
fn keep(to: &File, about: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let now = to.metadata()?;
        if (now.uid(), now.gid()) != (about.uid(), about.gid()) {
            std::os::unix::fs::fchown(to, Some(about.uid()), Some(about.gid()))?;
        }
    }
    to.set_permissions(about.permissions())
}
