//! Route configurations and virtual hosts, domain precedence settled.

use crate::model::{Action, Condition, Match, Response, Route, RouteTable, TableId, TextMatch, Weakens};
use crate::source::Span;

use super::super::tree::Value;
use super::http_filter::names_filters;
use super::matcher::opaque;
use super::route::Inherited;
use super::state::Lower;

const TLS: [(&str, i64); 3] = [("NONE", 0), ("EXTERNAL_ONLY", 1), ("ALL", 2)];

/// Every route repeats the mirrors it inherits; more than a few are not a config but an attack on memory.
const MAX_INHERITED_MIRRORS: usize = 64;

/// How specific a domain is. Envoy looks for an exact one, then for the longest suffix (`*.a.test`), then for
/// the longest prefix (`a.*`), then for `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Exact,
    Suffix(std::cmp::Reverse<usize>),
    Prefix(std::cmp::Reverse<usize>),
    Any,
}

/// A route of the host table before it is put in order.
struct Entry {
    rank: Rank,
    route: Route,
}

impl<'t> Lower<'t> {
    /// Lowers a route configuration into a table of hosts.
    pub(super) fn route_configuration(&mut self, configuration: Value<'t>) -> TableId {
        let mut mirrors: Vec<Value<'t>> = Vec::new();
        mirrors.extend(configuration.list("request_mirror_policies").take(MAX_INHERITED_MIRRORS));
        let around = Inherited { retry_policy: None, mirrors };
        self.check_domains(configuration);
        self.filters.prepare(configuration);
        let guards = self.early_guards();
        let unmatched = self.late_guards(&[None; 3]);
        let mut entries: Vec<Entry> = Vec::new();
        for host in configuration.list("virtual_hosts") {
            self.virtual_host(configuration, host, &around, unmatched, &mut entries);
        }
        if let Some(vhds) = configuration.get("vhds") {
            self.gap(vhds.span(), "virtual hosts come from VHDS", Weakens::Routing);
            let action = Action::Opaque("virtual hosts from VHDS".into());
            let route = Route::new(Condition::Always, action, "VHDS", vhds.span());
            entries.push(Entry { rank: Rank::Any, route });
        }
        // The sort is stable: within a rank the order of the file stays.
        entries.sort_by_key(|entry| entry.rank);
        let mut table = RouteTable { routes: Vec::new(), label: configuration_label(configuration) };
        table.routes.extend(guards);
        table.routes.extend(entries.into_iter().map(|entry| entry.route));
        self.close(&mut table, "no virtual host for this host", configuration.span(), unmatched);
        self.config.add_table(table)
    }

    /// `unmatched`: what filters do to requests without a route.
    fn virtual_host(
        &mut self,
        configuration: Value<'t>,
        host: Value<'t>,
        around: &Inherited<'t>,
        unmatched: Option<TableId>,
        entries: &mut Vec<Entry>,
    ) {
        if !host.is_map() {
            return;
        }
        let name = host.text_of("name").unwrap_or_default();
        let label = format!("virtual host {name}");
        let header = host.field("name").map_or(host.span(), |field| field.span());
        self.block(header, host.span());
        let mut inherited = Inherited { retry_policy: host.get("retry_policy"), ..Inherited::default() };
        inherited.mirrors.extend(host.list("request_mirror_policies").take(MAX_INHERITED_MIRRORS));
        if inherited.mirrors.is_empty() {
            inherited.mirrors.clone_from(&around.mirrors);
        }
        let mut table = RouteTable { routes: Vec::new(), label: label.clone() };
        self.require_tls(host, &mut table);
        if let Some(redirect) = table.routes.pop() {
            table.routes.push(self.guarded(redirect, unmatched));
        }
        let levels = [Some(configuration), Some(host), None];
        let common = self.late_guards(&levels);
        for route in host.list("routes") {
            let guards = match names_filters(route) {
                true => self.late_guards(&[Some(configuration), Some(host), Some(route)]),
                false => common,
            };
            if let Some(made) = self.route(route, &inherited) {
                let made = self.guarded(made, guards);
                table.routes.push(made);
            }
        }
        if let Some(tree) = host.get("matcher") {
            self.gap(tree.span(), "virtual host matcher tree", Weakens::Routing);
            let action = Action::Opaque("matcher".into());
            table.routes.push(Route::new(Condition::Always, action, "matcher", tree.span()));
        }
        self.close(&mut table, "no route", host.span(), unmatched);
        let id = self.config.add_table(table);
        let by_header = configuration.text_of("vhost_header").is_some_and(|name| !name.is_empty());
        host_entries(host, id, &label, header, by_header, entries);
    }

    fn require_tls(&mut self, host: Value<'t>, table: &mut RouteTable) {
        let Some(written) = host.get("require_tls") else { return };
        // Not the connection decides but what Envoy believes of it.
        let https = Match::Header("x-forwarded-proto".into(), TextMatch::Exact("https".into()));
        let plain = Condition::Is(https).not();
        let when = match written.enumeration(&TLS) {
            Some("ALL") => plain,
            Some("EXTERNAL_ONLY") => Condition::all([plain, opaque("the request is external")]),
            _ => return,
        };
        let action = Action::Respond(Response { status: Some(301), kind: "redirect".into() });
        table.routes.push(Route::new(when, action, "require_tls", written.span()));
    }

    fn close(&mut self, table: &mut RouteTable, label: &str, span: Span, guards: Option<TableId>) {
        let routes = table.routes.len();
        close_table(table, label, span);
        if table.routes.len() > routes
            && let Some(last) = table.routes.pop()
        {
            table.routes.push(self.guarded(last, guards));
        }
    }

    /// Route configurations that no listener of this configuration asks for.
    pub(super) fn loose_routes(&mut self) {
        let loose: Vec<Value<'t>> = self
            .routes
            .values()
            .flatten()
            .filter(|resource| !resource.taken)
            .map(|resource| resource.value)
            .collect();
        for configuration in loose {
            self.route_configuration(configuration);
        }
    }
}

/// One entry for all exact domains of a host, and one for each wildcard. `by_header`: hosts are compared with a header
/// that a request may lack, and then no domain takes it.
fn host_entries(
    host: Value<'_>,
    table: TableId,
    label: &str,
    header: Span,
    by_header: bool,
    entries: &mut Vec<Entry>,
) {
    let mut push = |rank: Rank, when: Condition| {
        let route = Route::new(when, Action::Table(table), label, header);
        entries.push(Entry { rank, route });
    };
    let mut exact: Vec<Condition> = Vec::new();
    for domain in host.list("domains").filter_map(Value::string) {
        let domain = domain.to_ascii_lowercase();
        let is = |text: TextMatch| Condition::Is(Match::Host(text));
        if domain == "*" {
            push(Rank::Any, if by_header { is(TextMatch::Present) } else { Condition::Always });
        } else if let Some(suffix) = domain.strip_prefix('*') {
            let rank = Rank::Suffix(std::cmp::Reverse(suffix.len()));
            push(rank, is(TextMatch::Suffix(suffix.to_owned())));
        } else if let Some(prefix) = domain.strip_suffix('*') {
            let rank = Rank::Prefix(std::cmp::Reverse(prefix.len()));
            push(rank, is(TextMatch::Prefix(prefix.to_owned())));
        } else {
            exact.push(is(TextMatch::Exact(domain)));
        }
    }
    if !exact.is_empty() {
        push(Rank::Exact, Condition::any(exact));
    }
}

/// A host or a route configuration that was chosen is not left again: what matches nothing is answered 404.
pub(super) fn close_table(table: &mut RouteTable, label: &str, span: Span) {
    let open = table.routes.last().is_none_or(|last| last.when != Condition::Always);
    if open {
        let action = Action::Respond(Response { status: Some(404), kind: "no route".into() });
        table.routes.push(Route::new(Condition::Always, action, label, span));
    }
}

fn configuration_label(configuration: Value<'_>) -> String {
    match configuration.text_of("name") {
        Some(name) if !name.is_empty() => format!("route configuration {name}"),
        _ => "route configuration".to_owned(),
    }
}
