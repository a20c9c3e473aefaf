//! Files from the disk. The only room of the library that does I/O, and only with the feature `std-fs`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "who wants no I/O leaves out the feature that this needs"
)]

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::{FileLoader, LoadError, MAX_FILE_BYTES};

/// Loads files from the disk, by paths as the system understands them.
///
/// Regular files only: a device, pipe or socket could block or never end.
///
/// ```no_run
/// use lbcheck::load::{DiskLoader, FileLoader as _};
///
/// let content = DiskLoader.read("/etc/haproxy/haproxy.cfg")?;
/// # Ok::<(), lbcheck::load::LoadError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskLoader;

impl FileLoader for DiskLoader {
    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        let about = fs::metadata(path)?;
        if about.is_dir() {
            return Err(LoadError::IsDirectory);
        }
        if !about.is_file() {
            return Err(LoadError::Other("not a regular file".to_owned()));
        }
        if about.len() > MAX_FILE_BYTES as u64 {
            return Err(LoadError::TooLarge);
        }
        read_all(fs::File::open(path)?)
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, LoadError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(or_here(directory))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn is_directory(&self, path: &str) -> bool {
        Path::new(or_here(path)).is_dir()
    }
}

/// Reads to the end, for example of standard input, but never more than [`MAX_FILE_BYTES`].
///
/// ```
/// use lbcheck::load::read_all;
///
/// assert_eq!(read_all("global".as_bytes())?, b"global");
/// # Ok::<(), lbcheck::load::LoadError>(())
/// ```
///
/// # Errors
/// There is more than that, or the source fails.
pub fn read_all(from: impl io::Read) -> Result<Vec<u8>, LoadError> {
    let mut content = Vec::new();
    from.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut content)?;
    if content.len() > MAX_FILE_BYTES { Err(LoadError::TooLarge) } else { Ok(content) }
}

impl From<io::Error> for LoadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::PermissionDenied,
            io::ErrorKind::IsADirectory => Self::IsDirectory,
            io::ErrorKind::NotADirectory => Self::Other("not a directory".to_owned()),
            _ => Self::Other(error.to_string()),
        }
    }
}

/// The parent of a bare file name is written as nothing.
fn or_here(directory: &str) -> &str {
    if directory.is_empty() { "." } else { directory }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_tells_files_from_folders() {
        let here = env!("CARGO_MANIFEST_DIR");
        let manifest = DiskLoader.read(&format!("{here}/Cargo.toml")).unwrap();
        assert!(manifest.starts_with(b"[package]"));
        assert_eq!(DiskLoader.read(here), Err(LoadError::IsDirectory));
        assert_eq!(DiskLoader.read(&format!("{here}/none")), Err(LoadError::NotFound));
        assert!(DiskLoader.is_directory(here));
        assert!(DiskLoader.is_directory(""));
        let names = DiskLoader.list(here).unwrap();
        assert!(names.is_sorted());
        assert!(names.iter().any(|name| name == "src"));
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        assert_eq!(DiskLoader.read("/dev/null"), Err(LoadError::Other("not a regular file".to_owned())));
    }
}
