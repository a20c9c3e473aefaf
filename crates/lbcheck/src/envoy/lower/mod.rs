//! From the tree to the model: every default and precedence of Envoy is settled here.

mod closers;
mod cluster;
mod decide;
mod endpoint;
mod filters;
mod guards;
mod health;
mod jwt;
mod listener;
mod matcher;
mod policy;
mod rbac;
mod references;
mod refused;
mod route;
mod tcp;
mod vhost;

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Config, Gap, PoolId, Target, Weakens};
use crate::reading::Block;
use crate::source::{FileId, Span, Spanned};

use super::document::Resources;
use super::tree::Value;

/// What lowering works on and fills.
pub(crate) struct Lower<'t> {
    pub(crate) config: Config,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) blocks: Vec<Block>,
    /// First pool of each name.
    pools: BTreeMap<&'t str, PoolId>,
    routes: Named<'t>,
    assignments: Named<'t>,
    /// Resource files that were read, by the path the configuration names them with.
    files: BTreeMap<String, FileId>,
    /// Name of the cluster that holds the Envoy instances themselves.
    local_cluster: Option<&'t str>,
    /// The resources are those of a `config_dump`.
    dump: bool,
    /// The clusters of the bootstrap.
    statics: references::Statics<'t>,
    /// The files the bootstraps stand in.
    bootstrap_files: Vec<FileId>,
    /// The routes being read are resolved while Envoy starts.
    static_routes: bool,
    /// Names found missing among the static clusters.
    missing_clusters: usize,
    /// How each pool is used, by pool: by HTTP routes, by TCP proxies.
    uses: Vec<(bool, bool)>,
    /// Values of the runtime come from files or a control plane.
    open_runtime: bool,
    /// The HTTP filters in front of the routes being read.
    filters: guards::Filters<'t>,
}

/// Resources by name, and whether something took them.
type Named<'t> = BTreeMap<&'t str, Vec<NamedResource<'t>>>;

#[derive(Clone, Copy)]
struct NamedResource<'t> {
    value: Value<'t>,
    taken: bool,
}

impl<'t> Lower<'t> {
    pub(crate) fn new(config: Config, files: BTreeMap<String, FileId>) -> Self {
        Self {
            config,
            diagnostics: Vec::new(),
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
            missing_clusters: 0,
            uses: Vec::new(),
            open_runtime: false,
            filters: guards::Filters::default(),
        }
    }

    /// Lowers everything that was found.
    pub(crate) fn run(&mut self, resources: &Resources<'t>) {
        for &assignment in &resources.assignments {
            if let Some(name) = assignment.text_of("cluster_name") {
                let named = NamedResource { value: assignment, taken: false };
                self.assignments.entry(name).or_default().push(named);
            }
        }
        for &routes in &resources.routes {
            let name = routes.text_of("name").unwrap_or_default();
            self.routes.entry(name).or_default().push(NamedResource { value: routes, taken: false });
        }
        self.dump = resources.dump;
        self.statics = references::statics(resources);
        self.bootstrap_files = resources.bootstraps.iter().map(|bootstrap| bootstrap.span().file).collect();
        self.local_cluster = resources
            .bootstraps
            .iter()
            .find_map(|bootstrap| bootstrap.path(&["cluster_manager", "local_cluster_name"])?.string());
        for &bootstrap in &resources.bootstraps {
            self.dynamic_resources(bootstrap);
            let layers = bootstrap.path(&["layered_runtime", "layers"]).into_iter().flat_map(Value::items);
            self.open_runtime |= layers
                .into_iter()
                .any(|layer| ["disk_layer", "rtds_layer"].iter().any(|name| layer.get(name).is_some()));
        }
        for &cluster in &resources.clusters {
            self.cluster(cluster);
        }
        self.loose_assignments();
        self.check_listener_addresses(&resources.listeners);
        for &listener in &resources.listeners {
            self.listener(listener);
        }
        self.loose_routes();
        self.settle_modes();
    }

    /// Clusters and listeners that come from a control plane, or from a file that was not read, are not known:
    /// names may resolve there.
    fn dynamic_resources(&mut self, bootstrap: Value<'t>) {
        // A dump holds what the control plane has sent.
        let Some(dynamic) = bootstrap.get("dynamic_resources").filter(|_| !self.dump) else { return };
        for (field, what) in
            [("cds_config", "clusters come from CDS"), ("lds_config", "listeners come from LDS")]
        {
            let Some(source) = dynamic.field(field) else { continue };
            let path = cluster::source_path(source.value);
            if path.is_some_and(|path| self.files.contains_key(path.text())) {
                continue;
            }
            self.config.fragment = true;
            self.gap(source.span(), what, Weakens::Routing);
        }
    }

    /// The pool of a name, or the fact that there is none.
    fn target(&self, name: Spanned<String>) -> Target {
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

    /// Reports something. Nobody loads a dump again, so nothing in it is refused.
    fn report(&mut self, mut diagnostic: Diagnostic) {
        if self.dump {
            diagnostic.severity = diagnostic.severity.min(Severity::Warning);
        }
        self.diagnostics.push(diagnostic);
    }

    fn gap(&mut self, span: Span, what: impl Into<String>, weakens: Weakens) {
        self.config.coverage.gaps.push(Gap { span, what: what.into(), weakens, told: false });
    }

    fn block(&mut self, header: Span, extent: Span) {
        self.blocks.push(Block { header, extent });
    }
}
