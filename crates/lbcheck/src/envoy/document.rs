//! What kind of document a file is, and the resources in it.

use super::schema;
use super::tree::Value;
use super::value::spells;

/// The resources of all files that make a configuration.
#[derive(Debug, Default)]
pub(crate) struct Resources<'t> {
    pub(crate) bootstraps: Vec<Value<'t>>,
    pub(crate) clusters: Vec<Value<'t>>,
    pub(crate) listeners: Vec<Value<'t>>,
    pub(crate) routes: Vec<Value<'t>>,
    pub(crate) assignments: Vec<Value<'t>>,
    /// A bootstrap or a dump was among them: what they name is all there is.
    pub(crate) whole: bool,
    /// They are those of a running Envoy, dynamic ones included.
    pub(crate) dump: bool,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One message of this type: a bootstrap, a cluster, a discovery response, a `config_dump`.
    One(&'static str),
    /// A list of messages of this type.
    List(&'static str),
    /// One `Any`, or a list of them.
    Typed,
    /// An empty list or map: readable, and nothing in it.
    Empty,
    /// Nothing Envoy reads.
    Unknown,
}

pub(crate) const BOOTSTRAP: &str = "envoy.config.bootstrap.v3.Bootstrap";
pub(crate) const STATIC_RESOURCES: &str = "envoy.config.bootstrap.v3.Bootstrap.StaticResources";
pub(crate) const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";
pub(crate) const LISTENER: &str = "envoy.config.listener.v3.Listener";
pub(crate) const ROUTES: &str = "envoy.config.route.v3.RouteConfiguration";
pub(crate) const ASSIGNMENT: &str = "envoy.config.endpoint.v3.ClusterLoadAssignment";
pub(crate) const VIRTUAL_HOST: &str = "envoy.config.route.v3.VirtualHost";
pub(crate) const SECRET: &str = "envoy.extensions.transport_sockets.tls.v3.Secret";
pub(crate) const DISCOVERY_RESPONSE: &str = "envoy.service.discovery.v3.DiscoveryResponse";
pub(crate) const CONFIG_DUMP: &str = "envoy.admin.v3.ConfigDump";

/// Fields that only one of the types has, in the order they are asked for.
const MARKS: [(&str, &[&str]); 10] = [
    (CONFIG_DUMP, &["configs"]),
    (DISCOVERY_RESPONSE, &["resources"]),
    (
        BOOTSTRAP,
        &[
            "static_resources",
            "dynamic_resources",
            "admin",
            "node",
            "cluster_manager",
            "layered_runtime",
            "stats_config",
            "stats_sinks",
            "overload_manager",
            "bootstrap_extensions",
            "hds_config",
            "flags_path",
            "watchdogs",
            "node_context_params",
            "default_config_source",
            "fatal_actions",
        ],
    ),
    (ROUTES, &["virtual_hosts", "vhds", "internal_only_headers", "validate_clusters"]),
    (STATIC_RESOURCES, &["clusters", "listeners", "secrets"]),
    (ASSIGNMENT, &["cluster_name", "endpoints", "named_endpoints"]),
    (VIRTUAL_HOST, &["domains", "routes"]),
    (
        LISTENER,
        &[
            "address",
            "filter_chains",
            "default_filter_chain",
            "listener_filters",
            "api_listener",
            "internal_listener",
            "access_log",
            "bind_to_port",
        ],
    ),
    (
        SECRET,
        &[
            "tls_certificate",
            "tls_certificates",
            "validation_context",
            "generic_secret",
            "session_ticket_keys",
        ],
    ),
    (
        CLUSTER,
        &[
            "connect_timeout",
            "load_assignment",
            "lb_policy",
            "type",
            "cluster_type",
            "eds_cluster_config",
            "load_balancing_policy",
            "health_checks",
            "transport_socket",
            "dns_lookup_family",
            // The v2 spelling, so that its diagnosis can be given.
            "hosts",
        ],
    ),
];

/// Tells what a document is from its outermost keys.
pub(crate) fn shape(root: Value<'_>) -> Shape {
    if (root.is_map() || root.is_list()) && root.len() == 0 {
        return Shape::Empty;
    }
    if root.is_map() {
        if root.type_name().is_some() {
            return Shape::Typed;
        }
        return message(root).map_or(Shape::Unknown, Shape::One);
    }
    if !root.is_list() {
        return Shape::Unknown;
    }
    if root.items().any(|item| item.type_name().is_some()) {
        return Shape::Typed;
    }
    // One item that can be told tells for the list.
    root.items().find_map(message).map_or(Shape::Unknown, Shape::List)
}

fn message(value: Value<'_>) -> Option<&'static str> {
    MARKS
        .iter()
        .find(|(_, marks)| value.fields().any(|field| marks.iter().any(|mark| spells(field.key, mark))))
        .map(|(name, _)| *name)
        .or_else(|| has_field_of(value, BOOTSTRAP).then_some(BOOTSTRAP))
}

/// Whether a key that tells more than `name` is a field of the message.
fn has_field_of(value: Value<'_>, name: &str) -> bool {
    let message = schema::message_number(name).and_then(schema::message);
    message.is_some_and(|message| value.fields().any(|field| message.field(field.key).is_some()))
}

impl<'t> Resources<'t> {
    /// Takes in one document.
    pub(crate) fn add(&mut self, root: Value<'t>, shape: Shape) {
        match shape {
            Shape::One(name) => self.message(name, root),
            Shape::List(name) => {
                for item in root.items() {
                    self.message(name, item);
                }
            }
            Shape::Typed => {
                for item in root.items() {
                    self.any(item);
                }
            }
            Shape::Empty | Shape::Unknown => {}
        }
    }

    fn any(&mut self, value: Value<'t>) {
        if let Some(name) = value.type_name() {
            self.message(name, value);
        }
    }

    fn message(&mut self, name: &str, value: Value<'t>) {
        match name {
            BOOTSTRAP => self.bootstrap(value),
            STATIC_RESOURCES => self.static_resources(value),
            CLUSTER => self.clusters.push(value),
            LISTENER => self.listeners.push(value),
            ROUTES => self.routes.push(value),
            ASSIGNMENT => self.assignments.push(value),
            DISCOVERY_RESPONSE => {
                for resource in value.list("resources") {
                    self.wrapped(resource);
                }
            }
            "envoy.service.discovery.v3.Resource" => self.wrapped(value),
            CONFIG_DUMP => {
                (self.whole, self.dump) = (true, true);
                for part in value.list("configs") {
                    self.dump(part);
                }
            }
            _ => self.dump(value),
        }
    }

    /// A resource, or one inside a `Resource` wrapper.
    fn wrapped(&mut self, value: Value<'t>) {
        match value.type_name() {
            Some("envoy.service.discovery.v3.Resource") | None => {
                if let Some(inner) = value.get("resource") {
                    self.any(inner);
                }
            }
            Some(name) => self.message(name, value),
        }
    }

    fn bootstrap(&mut self, value: Value<'t>) {
        self.whole = true;
        self.bootstraps.push(value);
        if let Some(resources) = value.get("static_resources") {
            self.static_resources(resources);
        }
    }

    fn static_resources(&mut self, value: Value<'t>) {
        self.clusters.extend(value.list("clusters"));
        self.listeners.extend(value.list("listeners"));
    }

    /// One part of an admin `config_dump`. Its bootstrap repeats the static resources of the other parts, so
    /// only those are taken.
    fn dump(&mut self, part: Value<'t>) {
        match part.type_name().unwrap_or_default() {
            "envoy.admin.v3.BootstrapConfigDump" => self.bootstraps.extend(part.get("bootstrap")),
            "envoy.admin.v3.ClustersConfigDump" => {
                for name in ["static_clusters", "dynamic_active_clusters"] {
                    self.clusters.extend(part.list(name).filter_map(|entry| entry.get("cluster")));
                }
            }
            "envoy.admin.v3.ListenersConfigDump" => {
                self.listeners
                    .extend(part.list("static_listeners").filter_map(|entry| entry.get("listener")));
                let active = part.list("dynamic_listeners");
                self.listeners.extend(active.filter_map(|entry| entry.path(&["active_state", "listener"])));
            }
            "envoy.admin.v3.RoutesConfigDump" => {
                // Static ones repeat what stands inside the listeners.
                self.routes
                    .extend(part.list("dynamic_route_configs").filter_map(|entry| entry.get("route_config")));
            }
            "envoy.admin.v3.EndpointsConfigDump" => {
                for name in ["static_endpoint_configs", "dynamic_endpoint_configs"] {
                    self.assignments.extend(part.list(name).filter_map(|entry| entry.get("endpoint_config")));
                }
            }
            _ => {}
        }
    }
}
