//! From the tree of directives to the model.

mod action;
mod condition;
mod errors;
mod guard;
mod listen;
mod location;
mod location_search;
mod locations;
mod names;
mod real_ip;
mod request_step;
mod rewrite;
mod scope;
mod server;
mod state;
mod stream;
mod target;
mod upstream;
mod variable;

use std::collections::BTreeSet;

use super::directives::{Contexts, DATA, H, L, LIF, M, S, T, TS, TU, UP};
use super::syntax::NodeId;
use crate::model::{ClientAddress, Setting};
use crate::source::Spanned;
use scope::Scope;
pub(super) use state::{Family, Lower};

/// Variables that hold what a proxy in front says of the client.
const FORWARDED: &[&str] =
    &["$http_x_forwarded_proto", "$http_x_real_ip", "$http_cf_connecting_ip", "$proxy_protocol_addr"];

impl<'a> Lower<'a> {
    /// Lowers everything; `top` is the context of the top level.
    pub(super) fn run(&mut self, top: Contexts) {
        let whole = self.whole;
        self.config.client_address = self.client_address();
        self.config.answered_errors = self.answered_errors();
        match top {
            M => {
                self.config.workers = Some(self.workers());
                for id in self.tree.children(None) {
                    if !self.tree.nodes[id].block {
                        continue;
                    }
                    match self.tree.name(id) {
                        "http" => self.http(Some(id)),
                        "stream" => self.stream(Some(id)),
                        _ => {}
                    }
                }
            }
            H => self.http(None),
            T => self.stream(None),
            UP | TU => {
                let family = if top == UP { Family::Http } else { Family::Stream };
                self.upstream_snippet(family, whole);
            }
            S | L | LIF => {
                self.variables.collect(self.tree, self.contexts, 0..self.tree.nodes.len());
                self.server_snippet(top, whole);
            }
            TS => self.stream_server_snippet(whole),
            _ => {}
        }
    }

    /// Whether addresses are restored anywhere, or something shows that there is a proxy in front.
    fn client_address(&self) -> ClientAddress {
        let mut front = None;
        for id in 0..self.tree.nodes.len() {
            if self.contexts.get(id).copied() == Some(DATA) {
                continue;
            }
            let span = self.tree.header(id);
            let shows = match self.tree.name(id) {
                "set_real_ip_from" => return ClientAddress::Restored(span),
                "listen" => self.tree.values(id).contains(&"proxy_protocol"),
                // Only who has a proxy in front passes on what that says of the client.
                "proxy_set_header" | "grpc_set_header" | "fastcgi_param" | "if" => {
                    self.tree.values(id).iter().any(|value| FORWARDED.iter().any(|name| value.contains(name)))
                }
                _ => false,
            };
            if shows && front.is_none() {
                front = Some(Spanned::new("this shows a proxy in front".to_owned(), span));
            }
        }
        front.map_or(ClientAddress::Peer, ClientAddress::Behind)
    }

    /// Statuses of every `error_page`.
    fn answered_errors(&self) -> Vec<u16> {
        let pages = (0..self.tree.nodes.len()).filter(|&id| self.tree.name(id) == "error_page");
        let codes =
            pages.flat_map(|id| self.tree.args(id)).filter_map(|word| self.tree.value(word).parse().ok());
        codes.collect::<BTreeSet<u16>>().into_iter().collect()
    }

    /// `worker_processes`; with `auto`, or with what cannot be read, their number is the machine's.
    fn workers(&self) -> Setting<Option<u32>> {
        let line = self.tree.children(None).find(|&id| self.tree.name(id) == "worker_processes");
        let Some(line) = line else { return Setting::default(Some(1), "nginx: worker_processes 1") };
        let number = self.tree.arg(line, 0).and_then(|text| text.parse().ok());
        Setting::written(number, self.tree.header(line))
    }

    fn http(&mut self, block: Option<NodeId>) {
        let range = block.map_or(0..self.tree.nodes.len(), |id| id + 1..self.tree.nodes[id].end);
        self.variables.collect(self.tree, self.contexts, range);
        self.upstreams_of(Family::Http, block);
        let scope = Scope::default().extended(self.tree, block);
        self.servers(block, &scope);
    }
}
