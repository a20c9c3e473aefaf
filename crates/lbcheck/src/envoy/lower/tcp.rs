//! Network filters that end a filter chain other than the HTTP connection manager.

use crate::model::{Action, Condition, Mode, Route, Target, Weakens, WeightedTarget};

use super::super::tree::Value;
use super::state::Lower;

impl<'t> Lower<'t> {
    /// A TCP proxy: one route that always applies.
    pub(super) fn tcp_proxy(&mut self, config: Value<'t>, label: &str) -> Route {
        let action = if let Some(weighted) = config.get("weighted_clusters") {
            let arms = weighted.list("clusters").filter_map(|arm| {
                let weight = arm.get("weight");
                Some(WeightedTarget {
                    target: self.target(arm.get("name")?.spanned()?),
                    weight: weight.and_then(Value::u64).unwrap_or(0),
                    span: weight.unwrap_or(arm).span(),
                })
            });
            Action::Split(arms.collect())
        } else if let Some(name) = config.get("cluster").and_then(Value::spanned) {
            Action::Forward(self.target(name))
        } else {
            Action::Opaque("tcp_proxy without a cluster".into())
        };
        self.mark_action(&action, Mode::Tcp);
        let mut route = Route::new(Condition::Always, action, label, config.span());
        route.hash_policies = config.list("hash_policy").filter_map(tcp_hash_policy).collect();
        route
    }

    /// A filter whose routing is not modelled: its clusters are known to be used, no more.
    pub(super) fn other_proxy(&mut self, what: &str, config: Value<'t>, gap: bool) -> Route {
        if gap {
            self.gap(config.span(), what, Weakens::Routing);
        }
        Route::new(Condition::Always, Action::Opaque(what.to_owned()), what, config.span())
    }

    /// Notes how the pools of an action are used.
    pub(super) fn mark_action(&mut self, action: &Action, mode: Mode) {
        match action {
            Action::Forward(target) => self.mark(target, mode),
            Action::Split(arms) => {
                for arm in arms {
                    self.mark(&arm.target, mode);
                }
            }
            _ => {}
        }
    }

    fn mark(&mut self, target: &Target, mode: Mode) {
        let Target::Pool { pool, .. } = target else { return };
        if let Some((http, tcp)) = self.uses.get_mut(pool.0 as usize) {
            match mode {
                Mode::Http => *http = true,
                Mode::Tcp | Mode::Other => *tcp = true,
            }
        }
    }
}

fn tcp_hash_policy(policy: Value<'_>) -> Option<crate::model::HashPolicy> {
    let key = match policy.get("filter_state") {
        Some(state) => format!("filter_state {}", state.text_of("key")?),
        None => {
            policy.field("source_ip")?;
            "source_ip".to_owned()
        }
    };
    Some(crate::model::HashPolicy {
        by_address: key == "source_ip",
        rewritten: None,
        key,
        variety: None,
        terminal: false,
        span: policy.span(),
    })
}
