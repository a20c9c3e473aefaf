//! `stream`.

use super::listen::Server;
use super::scope::Scope;
use super::state::{Family, Lower};
use crate::model::{
    Action, CheckKind, Condition, Listener, Mode, Response, Route, RouteTable, TableId, Target, Weakens,
};
use crate::nginx::syntax::NodeId;
use crate::source::{Span, Spanned};

impl Lower<'_> {
    pub(super) fn stream(&mut self, block: Option<NodeId>) {
        let range = block.map_or(0..self.tree.nodes.len(), |id| id + 1..self.tree.nodes[id].end);
        self.variables.collect(self.tree, self.contexts, range);
        self.upstreams_of(Family::Stream, block);
        let scope = Scope::default().extended(self.tree, block);
        let mut servers = Vec::new();
        for id in self.tree.children(block) {
            if self.tree.name(id) != "server" || !self.tree.nodes[id].block {
                continue;
            }
            let (listens, names) = self.served(Family::Stream, Some(id));
            let header = self.tree.header(id);
            let has_listen =
                self.tree.children(Some(id)).any(|id| matches!(self.tree.name(id), "listen" | "zone_sync"));
            if !has_listen {
                self.invalid(header, "this server of `stream` has no `listen`", "add `listen` with a port");
            }
            let table = self.stream_server(Some(id), &scope);
            servers.push(Server {
                listens,
                names,
                table,
                span: self.tree.span(id),
                header,
                keeps_slashes: false,
            });
        }
        self.listeners(Family::Stream, &servers);
    }

    /// The inside of a `server` of `stream` given alone.
    pub(super) fn stream_server_snippet(&mut self, whole: Span) {
        self.variables.collect(self.tree, self.contexts, 0..self.tree.nodes.len());
        let (listens, names) = self.served(Family::Stream, None);
        let table = self.stream_server(None, &Scope::default());
        if !listens.is_empty() {
            return self.listeners(
                Family::Stream,
                &[Server { listens, names, table, span: whole, header: whole, keeps_slashes: false }],
            );
        }
        self.config.listeners.push(Listener {
            name: Spanned::new("snippet".to_owned(), whole),
            mode: Mode::Tcp,
            binds: Vec::new(),
            table,
            span: whole,
        });
    }

    fn stream_server(&mut self, block: Option<NodeId>, outer: &Scope) -> TableId {
        let scope = outer.extended(self.tree, block);
        let mut action = None;
        for id in self.tree.children(block) {
            let name = self.tree.name(id);
            let found = match name {
                "proxy_pass" => self.stream_pass(id, &scope),
                "return" => Action::Respond(Response { status: None, kind: "return".to_owned() }),
                "pass" | "echo" | "echo_duplicate" | "zone_sync" => Action::Local(self.text(id)),
                "content_by_lua_block"
                | "content_by_lua_file"
                | "content_by_lua"
                | "preread_by_lua_block"
                | "preread_by_lua_file"
                | "preread_by_lua"
                | "js_preread"
                | "js_access" => {
                    let text = self.text(id);
                    self.gap(self.tree.header(id), format!("`{text}` decides at run time"), Weakens::Routing);
                    if !name.starts_with("content") {
                        continue;
                    }
                    Action::Opaque(text)
                }
                _ => continue,
            };
            action = Some((found, id));
        }
        if let Some((Action::Forward(Target::Pool { pool, .. }), _)) = &action {
            let pool = *pool;
            let checks: Vec<NodeId> =
                self.tree.children(block).filter(|&id| self.tree.name(id) == "health_check").collect();
            for id in checks {
                let check = self.health_check(id, CheckKind::Tcp);
                if let Some(pool) = self.config.pools.get_mut(pool.0 as usize) {
                    pool.health_checks.push(check);
                }
            }
        }
        let mut routes = Vec::new();
        if let Some((action, id)) = action {
            routes.push(Route::new(Condition::Always, action, self.text(id), self.tree.header(id)));
        }
        self.config.add_table(RouteTable { routes, label: "stream server".to_owned() })
    }
}
