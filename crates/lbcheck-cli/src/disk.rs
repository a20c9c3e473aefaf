//! Files on disk, standard input and what a shell pipes in.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;

use lbcheck::{DiskLoader, FileLoader, LoadError, load::read_all};

/// What standard input is called in messages.
pub(crate) const STDIN: &str = "<stdin>";

/// Loads every file once, since a pipe can be read only once; so one run also sees one state of each.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    held: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl FileLoader for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        if let Some(content) = self.held.borrow().get(path) {
            return Ok(content.clone());
        }
        let content = if path == STDIN {
            read_all(io::stdin().lock())?
        } else if is_shell_pipe(path) {
            read_all(fs::File::open(path)?)?
        } else {
            DiskLoader.read(path)?
        };
        self.held.borrow_mut().insert(path.to_owned(), content.clone());
        Ok(content)
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
