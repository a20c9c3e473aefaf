//! What lowering works on, and what all of its rooms do with it.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::findings::Findings;
use crate::model::{Config, PoolId, Target, Weakens};
use crate::reading::Block;
use crate::source::{FileId, Span, Spanned};

use super::super::tree::Value;
use super::http_filter::Filters;

/// What lowering works on and fills.
pub(crate) struct Lower<'t> {
    pub(crate) config: Config,
    pub(crate) findings: Findings,
    pub(crate) blocks: Vec<Block>,
    /// First pool of each name.
    pub(super) pools: BTreeMap<&'t str, PoolId>,
    pub(super) routes: Named<'t>,
    pub(super) assignments: Named<'t>,
    /// Resource files that were read, by the path the configuration names them with.
    pub(super) files: BTreeMap<String, FileId>,
    /// Name of the cluster that holds the Envoy instances themselves.
    pub(super) local_cluster: Option<&'t str>,
    /// The resources are those of a `config_dump`.
    pub(super) dump: bool,
    /// The clusters of the bootstrap.
    pub(super) statics: Statics<'t>,
    /// The files the bootstraps stand in.
    pub(super) bootstrap_files: Vec<FileId>,
    /// The routes being read are resolved while Envoy starts.
    pub(super) static_routes: bool,
    /// How each pool is used, by pool: by HTTP routes, by TCP proxies.
    pub(super) uses: Vec<(bool, bool)>,
    /// Values of the runtime come from files or a control plane.
    pub(super) open_runtime: bool,
    /// The HTTP filters in front of the routes being read.
    pub(super) filters: Filters<'t>,
}

/// Resources by name, and whether something took them.
pub(super) type Named<'t> = BTreeMap<&'t str, Vec<NamedResource<'t>>>;

#[derive(Clone, Copy)]
pub(super) struct NamedResource<'t> {
    pub(super) value: Value<'t>,
    pub(super) taken: bool,
}

/// The clusters of the bootstrap, and whether each gets its endpoints by EDS. `None`: no bootstrap was read, or a
/// dump of what came later.
pub(super) type Statics<'t> = Option<BTreeMap<&'t str, bool>>;

/// The first resource of a name, from one file if it matters which.
pub(super) fn take<'t>(named: &mut [NamedResource<'t>], file: Option<FileId>) -> Option<Value<'t>> {
    let wanted =
        |resource: &&mut NamedResource<'t>| file.is_none_or(|file| resource.value.span().file == file);
    let resource = named.iter_mut().find(wanted)?;
    resource.taken = true;
    Some(resource.value)
}

/// The file a `ConfigSource` names.
pub(super) fn source_path(source: Value<'_>) -> Option<Value<'_>> {
    source.path(&["path_config_source", "path"]).or_else(|| source.get("path"))
}

impl<'t> Lower<'t> {
    pub(crate) fn new(config: Config, findings: Findings, files: BTreeMap<String, FileId>) -> Self {
        Self {
            config,
            findings,
            blocks: Vec::new(),
            pools: BTreeMap::new(),
            routes: BTreeMap::new(),
            assignments: BTreeMap::new(),
            files,
            local_cluster: None,
            dump: false,
            statics: None,
            bootstrap_files: Vec::new(),
            static_routes: false,
            uses: Vec::new(),
            open_runtime: false,
            filters: Filters::default(),
        }
    }

    /// The pool of a name, or the fact that there is none.
    pub(super) fn target(&self, name: Spanned<String>) -> Target {
        match self.pools.get(name.value.as_str()) {
            Some(&pool) => Target::Pool { pool, span: name.span },
            None => Target::Undefined(name),
        }
    }

    /// Notes that something other than a route needs a cluster.
    pub(crate) fn other_use(&mut self, name: &Spanned<String>) {
        if let Some(&pool) = self.pools.get(name.value.as_str()) {
            self.config.other_uses.push((pool, name.span));
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.findings.push(diagnostic);
    }

    pub(super) fn gap(&mut self, span: Span, what: impl Into<String>, weakens: Weakens) {
        self.findings.gap(span, what, weakens);
    }

    pub(super) fn block(&mut self, header: Span, extent: Span) {
        self.blocks.push(Block { header, extent });
    }
}
