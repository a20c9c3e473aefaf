//! `set_real_ip_from`: the address of a client behind a proxy that is trusted.

use std::rc::Rc;
use std::sync::Arc;

use super::location::Location;
use super::scope::Scope;
use super::state::Lower;
use crate::model::{AddressSource, RestoredAddress, TableId};

/// Most ways of one server that are told apart.
const MAX_WAYS: usize = 8;

impl Lower<'_> {
    /// Notes how the requests of a server get their address.
    ///
    /// nginx replaces it once, before the rewrites of the server. Where the server says nothing, or its header is
    /// missing, the location has another turn, after its own rewrites.
    pub(super) fn restored_address(&self, scope: &Scope, locations: &[Location]) -> RestoredAddress {
        let mut found = RestoredAddress::default();
        let mut scopes = vec![scope];
        for location in locations {
            let inner = &location.scope;
            let known = scopes.iter().any(|outer| {
                Rc::ptr_eq(&outer.trusted, &inner.trusted)
                    && outer.address_header == inner.address_header
                    && outer.address_recursive == inner.address_recursive
            });
            if known {
                continue;
            }
            if scopes.len() >= MAX_WAYS {
                found.more = true;
                break;
            }
            scopes.push(inner);
        }
        if scopes.iter().all(|scope| scope.trusted.is_empty()) {
            return RestoredAddress::default();
        }
        found.ways = scopes.into_iter().map(|scope| self.address_source(scope)).collect();
        found
    }

    /// Keeps it with the table of the server.
    pub(super) fn restores(&mut self, table: TableId, address: RestoredAddress) {
        if !address.ways.is_empty() {
            self.config.restored_addresses.insert(table, address);
        }
    }

    fn address_source(&self, scope: &Scope) -> AddressSource {
        let word = |id| self.tree.arg(id, 0).unwrap_or_default();
        let trusted: Arc<[String]> = scope.trusted.iter().map(|&id| word(id).to_owned()).collect();
        let header = scope.address_header.map_or("x-real-ip", word);
        AddressSource {
            trusted,
            header: (header != "proxy_protocol").then(|| header.to_ascii_lowercase()),
            recursive: scope.address_recursive.is_some_and(|id| word(id).eq_ignore_ascii_case("on")),
        }
    }
}
