//! How files reach the library: through a [`FileLoader`] that the caller supplies.

#[cfg(feature = "std-fs")]
mod disk;

use std::collections::BTreeMap;

#[cfg(feature = "std-fs")]
pub use disk::{DiskLoader, read_all};

/// Most bytes of one file that are read; longer files are an error.
pub const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;
/// Most files of one configuration, includes counted.
pub const MAX_FILES: usize = 10_000;
/// Deepest chain of includes.
pub const MAX_INCLUDE_DEPTH: usize = 64;

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum LoadError {
    /// There is no such file.
    #[error("no such file")]
    NotFound,
    /// The file exists but may not be read.
    #[error("permission denied")]
    PermissionDenied,
    /// The path is a directory.
    #[error("is a directory")]
    IsDirectory,
    /// The file is larger than [`MAX_FILE_BYTES`].
    #[error("larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge,
    /// Anything else, in the words of the system.
    #[error("{0}")]
    Other(String),
}

/// Gives the library the files it asks for. Paths use `/`.
pub trait FileLoader {
    /// The whole content of a file.
    ///
    /// # Errors
    /// Says why the file cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError>;

    /// The names (not paths) in a directory, sorted by byte value, `.` and `..` left out.
    ///
    /// # Errors
    /// Says why the directory cannot be listed.
    fn list(&self, directory: &str) -> Result<Vec<String>, LoadError>;

    /// Whether the path is a directory.
    fn is_directory(&self, path: &str) -> bool {
        self.list(path).is_ok()
    }
}

/// Files held in memory, by path. For tests and for callers that already have the text.
#[derive(Clone, Debug, Default)]
pub struct MemoryLoader {
    /// Path to content.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl MemoryLoader {
    /// One file.
    pub fn one(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { files: BTreeMap::from([(path.into(), content.into())]) }
    }
}

impl FileLoader for MemoryLoader {
    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match self.files.get(path) {
            Some(content) => Ok(content.clone()),
            None if self.is_directory(path) => Err(LoadError::IsDirectory),
            None => Err(LoadError::NotFound),
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, LoadError> {
        let prefix = match directory.trim_end_matches('/') {
            "" if directory.starts_with('/') => "/".to_owned(),
            "" | "." => String::new(),
            path => format!("{path}/"),
        };
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix))
            .filter_map(|rest| rest.split('/').next())
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        names.dedup();
        if names.is_empty() { Err(LoadError::NotFound) } else { Ok(names) }
    }
}
