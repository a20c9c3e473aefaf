//! How path and host of a request change on their way to an upstream, in words.

use super::location::head;
use super::request_step::join;
use super::scope::{Protocol, Scope};
use super::state::Lower;
use crate::nginx::syntax::NodeId;
use crate::nginx::values;

impl Lower<'_> {
    /// What a `…_pass` makes of path and host. `None`: nothing beyond what nginx does by itself.
    pub(super) fn rewritten(&self, pass: NodeId, protocol: Protocol, scope: &Scope) -> Option<String> {
        let path = if protocol == Protocol::Proxy { self.replaced_path(pass) } else { None };
        join(path.into_iter().chain(self.replaced_host(protocol, scope)))
    }

    /// A path in `proxy_pass` takes the place of the part of the path that the location matched.
    fn replaced_path(&self, pass: NodeId) -> Option<String> {
        let uri = uri(self.tree.arg(pass, 0)?)?;
        // That is the path as it came.
        if matches!(uri, "$request_uri" | "${request_uri}") {
            return None;
        }
        if values::has_variable(uri) {
            return Some(format!("path → {uri}"));
        }
        // Only `if` and `limit_except` can stand between the two.
        let parent = self.tree.nodes[pass].parent;
        let outer = parent.and_then(|id| self.tree.nodes[id].parent);
        let location = [parent, outer].into_iter().flatten().find(|&id| self.tree.name(id) == "location");
        match location.and_then(|id| head(&self.tree.values(id))) {
            Some((_, path)) if path == uri => None,
            Some((_, path)) => Some(format!("path {path} → {uri}")),
            None => Some(format!("path of the location → {uri}")),
        }
    }

    fn replaced_host(&self, protocol: Protocol, scope: &Scope) -> Option<String> {
        match self.tree.arg(scope.host(protocol)?, 1)? {
            "$proxy_host" if protocol == Protocol::Proxy => None,
            "" => Some("host removed".to_owned()),
            host => Some(format!("host → {host}")),
        }
    }

    /// What a `rewrite` does to the paths it matches.
    pub(super) fn rewrite_words(&self, id: NodeId) -> Option<String> {
        let (regex, to) = (self.tree.arg(id, 0)?, self.tree.arg(id, 1)?);
        Some(format!("path {regex} → {to}"))
    }
}

/// The path in the address of a `proxy_pass`.
fn uri(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    if let Some(path) = values::strip_unix(rest) {
        return path.split_once(':').map(|(_, uri)| uri).filter(|uri| !uri.is_empty());
    }
    let slash = rest.find(['/', '?', '#']);
    let variable = super::target::PATHS.iter().filter_map(|path| rest.find(path)).min();
    let cut = match (slash, variable) {
        (Some(slash), Some(variable)) => slash.min(variable),
        (slash, variable) => slash.or(variable)?,
    };
    rest.get(cut..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_address() {
        assert_eq!(uri("http://api"), None);
        assert_eq!(uri("http://api/"), Some("/"));
        assert_eq!(uri("http://10.0.0.1:80/v1/$1"), Some("/v1/$1"));
        assert_eq!(uri("http://$up$request_uri"), Some("$request_uri"));
        assert_eq!(uri("http://unix:/run/a.sock:/x"), Some("/x"));
        assert_eq!(uri("http://unix:/run/a.sock"), None);
        assert_eq!(uri("$url"), None);
    }
}
