//! From the tree to the model: every default and precedence of Envoy is settled here.

mod cluster;
mod connection_filters;
mod connection_manager;
mod endpoint;
mod filter_effect;
mod filter_rules;
mod health;
mod http_filter;
mod jwt;
mod listener;
mod load_balancing;
mod matcher;
mod rbac;
mod references;
mod refused;
mod route;
mod state;
mod tcp;
mod vhost;

use crate::model::Weakens;

use super::document::Resources;
use super::tree::Value;

pub(super) use state::Lower;
use state::NamedResource;

impl<'t> Lower<'t> {
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
        // Nobody loads a dump again, so nothing in it is refused.
        self.findings.on_trust = resources.dump;
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
            let path = state::source_path(source.value);
            if path.is_some_and(|path| self.files.contains_key(path.text())) {
                continue;
            }
            self.config.fragment = true;
            self.gap(source.span(), what, Weakens::Routing);
        }
    }
}
