//! `lbcheck check --fix`: mends what is certain.
//!
//! Nothing is written before the mended text was read again and found to be the same configuration but for the mends.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lbcheck::analysis;
use lbcheck::fix::{self, Mended, Overlay};
use lbcheck::read::read;
use lbcheck::source::Sources;
use lbcheck_report::clean;

use crate::Failure;
use crate::disk::{Disk, STDIN};
use crate::input::Input;

/// What becomes of one configuration.
pub(crate) struct Plan {
    pub(crate) mended: Vec<Mended>,
    /// The configuration with its mends.
    pub(crate) after: Input,
}

/// Mends that uncover others are followed this often.
const ROUNDS: usize = 8;

/// Works out the mends of a configuration, and makes sure of them. `None`: there is nothing to mend.
///
/// A block whose name was misspelt is only read once the name is mended, and may then have mends of its own; so it is
/// mended until nothing is left, and mending again changes nothing.
pub(crate) fn plan(sources: &mut Sources, disk: &Disk, input: &Input) -> Result<Option<Plan>, Failure> {
    let mut plan: Option<Plan> = None;
    for _ in 0..ROUNDS {
        let before = plan.as_ref().map_or(input, |plan| &plan.after);
        let report = analysis::check(sources, &before.subject());
        let round = fix::apply(sources, fix::certain(&report.findings));
        if round.is_empty() {
            break;
        }
        if let Some(file) = round.iter().find(|file| file.path == STDIN) {
            let path = clean(&file.path).into_owned();
            return Err(Failure::new(format!("`{path}` cannot be mended in place: name a file")));
        }
        let mut mended = plan.as_ref().map(|plan| plan.mended.clone()).unwrap_or_default();
        for file in &round {
            match mended.iter_mut().find(|known| known.path == file.path) {
                Some(known) => {
                    known.content.clone_from(&file.content);
                    known.edits.extend(file.edits.iter().cloned());
                }
                None => mended.push(file.clone()),
            }
        }
        let reading = read(&Overlay::new(disk, &mended), sources, &input.files, &input.options);
        fix::confirm(sources, &before.reading, &reading, &round).map_err(|refused| {
            Failure::new(format!("nothing was written: {}", clean(&refused.to_string())))
        })?;
        plan = Some(Plan { after: input.with(reading), mended });
    }
    Ok(plan)
}

/// Writes the mended files: all of them are prepared before the first takes its place.
pub(crate) fn write(sources: &Sources, plans: &[&Plan]) -> Result<(), Failure> {
    let mut prepared = Vec::new();
    for file in plans.iter().flat_map(|plan| &plan.mended) {
        let one = prepare(sources, file).map_err(|error| {
            let path = clean(&file.path).into_owned();
            Failure::new(format!("nothing was written: `{path}`: {error}"))
        })?;
        prepared.push(one);
    }
    for one in prepared {
        one.commit().map_err(|error| Failure::new(format!("cannot replace a file: {error}")))?;
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
    let path = Path::new(&file.path);
    let about = fs::symlink_metadata(path)?;
    if about.file_type().is_symlink() {
        // The link may lead to a file that other services share.
        let target = fs::read_link(path)?;
        let target = target.to_string_lossy();
        return Err(io::Error::other(format!(
            "is a symbolic link to `{}`: name that file itself",
            clean(&target)
        )));
    }
    if !about.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if fs::read(path)? != sources.file(file.file).bytes() {
        return Err(io::Error::other("has changed since it was read"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = folder.join(format!(".{name}.lbcheck-{}", std::process::id()));
    let mut to = File::create_new(&temporary)?;
    let prepared = Prepared { temporary, target: path.to_owned(), done: false };
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
