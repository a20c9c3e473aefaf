//! Files on disk, and what was already read from the command line.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use lbcheck::load::{FileLoader, LoadError, MAX_FILE_BYTES};

/// What standard input is called in messages.
pub(crate) const STDIN: &str = "<stdin>";

/// Loads from disk. Files named on the command line are read once, since a pipe can be read only once.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    held: BTreeMap<String, Vec<u8>>,
}

impl Disk {
    /// Reads a file named on the command line and holds it. `STDIN` is standard input.
    pub(crate) fn hold(&mut self, path: &str) -> Result<(), LoadError> {
        if self.held.contains_key(path) {
            return Ok(());
        }
        let content = if path == STDIN {
            bounded(io::stdin().lock(), 0)?
        } else if is_shell_pipe(path) {
            bounded(fs::File::open(path).map_err(plain)?, 0)?
        } else {
            regular(path)?
        };
        self.held.insert(path.to_owned(), content);
        Ok(())
    }

    /// The content of a file that [`Disk::hold`] read.
    pub(crate) fn held(&self, path: &str) -> &[u8] {
        self.held.get(path).map(Vec::as_slice).unwrap_or_default()
    }
}

impl FileLoader for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match self.held.get(path) {
            Some(content) => Ok(content.clone()),
            None => regular(path),
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, LoadError> {
        let directory = if directory.is_empty() { "." } else { directory };
        let mut names = Vec::new();
        for entry in fs::read_dir(directory).map_err(plain)? {
            names.push(entry.map_err(plain)?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn is_directory(&self, path: &str) -> bool {
        let path = if path.is_empty() { "." } else { path };
        Path::new(path).is_dir()
    }
}

/// What `<(command)` becomes on the command line. Other pipes are refused: nobody may ever write to them.
fn is_shell_pipe(path: &str) -> bool {
    ["/dev/fd/", "/proc/self/fd/"].iter().any(|start| path.starts_with(start)) || path == "/dev/stdin"
}

/// Reads a regular file; devices, pipes and sockets could block or never end.
fn regular(path: &str) -> Result<Vec<u8>, LoadError> {
    let about = fs::metadata(path).map_err(plain)?;
    if about.is_dir() {
        return Err(LoadError::IsDirectory);
    }
    if !about.is_file() {
        return Err(LoadError::Other("not a regular file".to_owned()));
    }
    if about.len() > MAX_FILE_BYTES as u64 {
        return Err(LoadError::TooLarge);
    }
    bounded(fs::File::open(path).map_err(plain)?, about.len())
}

/// Reads to the end, but never more than the limit: a file may grow while it is read.
fn bounded(from: impl io::Read, expected: u64) -> Result<Vec<u8>, LoadError> {
    let mut content = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    from.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut content).map_err(plain)?;
    if content.len() > MAX_FILE_BYTES { Err(LoadError::TooLarge) } else { Ok(content) }
}

fn plain(error: io::Error) -> LoadError {
    match error.kind() {
        io::ErrorKind::NotFound => LoadError::NotFound,
        io::ErrorKind::PermissionDenied => LoadError::PermissionDenied,
        io::ErrorKind::IsADirectory => LoadError::IsDirectory,
        io::ErrorKind::NotADirectory => LoadError::Other("not a directory".to_owned()),
        _ => LoadError::Other(error.to_string()),
    }
}
