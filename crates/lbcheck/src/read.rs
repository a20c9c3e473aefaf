//! The entry point of the readers: paths in, a model and diagnostics out.

use crate::dialect::Dialect;
use crate::load::FileLoader;
pub use crate::reading::{Block, ReadOptions, Reading};
use crate::source::Sources;

/// Reads `paths` as the service would read them.
///
/// HAProxy takes several files and directories in order as one configuration; nginx and Envoy take one main
/// file (Envoy resource files may be several). Every file read is added to `sources`.
pub fn read(
    loader: &dyn FileLoader,
    sources: &mut Sources,
    paths: &[String],
    options: &ReadOptions,
) -> Reading {
    let once = |loader: &dyn FileLoader, sources: &mut Sources| match options.dialect {
        Dialect::HaProxy => crate::haproxy::read(loader, sources, paths, options),
        Dialect::Nginx => crate::nginx::read(loader, sources, paths, options),
        Dialect::Envoy => crate::envoy::read(loader, sources, paths, options),
    };
    let first = sources.len();
    let plain = once(loader, sources);
    let mut reading = crate::template::settle(loader, sources, first, options.dialect, plain, once);
    crate::declared::settle(sources, &options.known_directives, &mut reading);
    reading.blocks.sort_by_key(|block| (block.header.file, block.header.start));
    reading
}
