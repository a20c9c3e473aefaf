//! The haproxy reader.

use crate::load::FileLoader;
use crate::read::{ReadOptions, Reading};
use crate::source::Sources;

/// Reads a configuration.
pub(crate) fn read(
    _loader: &dyn FileLoader,
    _sources: &mut Sources,
    _paths: &[String],
    options: &ReadOptions,
) -> Reading {
    Reading::new(options)
}
