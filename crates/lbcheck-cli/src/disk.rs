//! Files on disk, and what was already read from the command line.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use lbcheck::load::{DiskLoader, FileLoader, LoadError, read_all};

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
            read_all(io::stdin().lock())?
        } else if is_shell_pipe(path) {
            read_all(fs::File::open(path)?)?
        } else {
            DiskLoader.read(path)?
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
            None => DiskLoader.read(path),
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, LoadError> {
        DiskLoader.list(directory)
    }

    fn is_directory(&self, path: &str) -> bool {
        DiskLoader.is_directory(path)
    }
}

/// What `<(command)` becomes on the command line. Other pipes are refused: nobody may ever write to them.
fn is_shell_pipe(path: &str) -> bool {
    ["/dev/fd/", "/proc/self/fd/"].iter().any(|start| path.starts_with(start)) || path == "/dev/stdin"
}
