//! Names that must resolve while Envoy starts, when it has only what the bootstrap defines.

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::source::{Span, Spanned};

use super::super::document::Resources;
use super::super::tree::Value;
use super::state::{Lower, Statics};

pub(super) fn statics<'t>(resources: &Resources<'t>) -> Statics<'t> {
    if resources.dump || resources.bootstraps.is_empty() {
        return None;
    }
    let clusters = resources
        .bootstraps
        .iter()
        .filter_map(|bootstrap| bootstrap.get("static_resources"))
        .flat_map(|resources| resources.list("clusters"));
    let eds = |cluster: Value<'t>| {
        cluster
            .get("type")
            .is_some_and(|kind| kind.text().eq_ignore_ascii_case("EDS") || kind.integer() == Some(3))
    };
    Some(clusters.filter_map(|cluster| Some((cluster.text_of("name")?, eds(cluster)))).collect())
}

impl<'t> Lower<'t> {
    /// Whether something stands in the file of a bootstrap, and not in one that is read later.
    pub(super) fn in_bootstrap(&self, value: Value<'t>) -> bool {
        self.statics.is_some() && self.bootstrap_files.contains(&value.span().file)
    }

    /// Reports a control plane or service whose cluster is not among the static ones.
    pub(crate) fn check_static_cluster(&mut self, name: &Spanned<String>, strict: bool) {
        let Some(statics) = &self.statics else { return };
        match statics.get(name.value.as_str()) {
            None => self.no_static_cluster(&name.value, name.span, "Envoy needs it to start"),
            Some(true) if strict => {
                let message = format!(
                    "the cluster `{}` gets its endpoints by EDS; Envoy refuses that for a source of configuration",
                    name.value
                );
                self.refuse(name.span, message, "use a cluster of another type");
            }
            Some(_) => {}
        }
    }

    /// Reports a route of a listener of the bootstrap whose cluster is not among the static ones. What the rules
    /// say of an undefined name is enough where no control plane adds clusters.
    pub(super) fn check_route_cluster(&mut self, name: Value<'t>) {
        let Some(text) = name.string().filter(|text| !text.is_empty()) else { return };
        let listed = self.statics.as_ref().is_none_or(|statics| statics.contains_key(text));
        let ruled = !self.config.fragment && !self.pools.contains_key(text);
        if self.static_routes && !listed && !ruled {
            self.no_static_cluster(
                text,
                name.span(),
                "a route of the bootstrap cannot wait for one from CDS",
            );
        }
    }

    fn no_static_cluster(&mut self, name: &str, span: Span, why: &str) {
        let names = self.statics.iter().flat_map(|statics| statics.keys().copied());
        let close = self.findings.suggest(name, names);
        let help = match close {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("define the cluster `{name}` under `static_resources`, or correct the name"),
        };
        let message = format!("there is no static cluster `{name}`, and {why}");
        self.report(Diagnostic::new(RuleId::InvalidValue, Severity::Error, span, message).help(help));
    }
}
