//! The rules: one `.rs` and one `.md` each. Their rows are in `rule_id.rs`.
//!
//! A rule sees the model, the facts derived from it and the policy, never dialect syntax. It reports
//! through a [`Sink`] that stamps its id and severity, so it can neither mislabel itself nor choose its level.

mod host_names;
mod sink;

mod algorithm_edition_mismatch;
mod algorithm_first_without_maxconn;
mod algorithm_not_allowed;
mod balance_factor_without_ring;
mod capacity_after_loss;
mod config_empty_or_truncated;
mod cookie_missing_on_server;
mod deprecated_directive;
mod diff_algorithm_changed;
mod diff_health_check_removed;
mod diff_pool_emptied;
mod diff_pool_shrunk;
mod diff_route_retargeted;
mod diff_share_moved;
mod diff_single_server_takeover;
mod diff_weight_jump;
mod directive_ineffective;
mod duplicate_definition;
mod duplicate_server;
mod duplicate_singleton;
mod env_variable_undefined;
mod error_answers_eject_servers;
mod file_unreadable;
mod hash_key_constant;
mod hash_policy_missing_on_route;
mod hash_policy_without_hash;
mod hash_table_empty;
mod hash_weights_unsuitable;
mod hash_without_avalanche;
mod health_check_missing;
mod health_check_partial;
mod include_unresolved;
mod invalid_policy;
mod invalid_value;
mod least_conn_unequal_weights;
mod limit_refuses_everything;
mod locality_host_skew;
mod locality_unweighted_gets_zero;
mod locality_weight_ignored;
mod outlier_cannot_eject;
mod outlier_ejections_undone;
mod overprovisioning_below_hundred;
mod pool_empty;
mod pool_no_active_server;
mod pool_no_redundancy_in_rotation;
mod pool_single_server;
mod random_two_unequal_weights;
mod redispatch_crash;
mod redispatch_without_effect;
mod ring_too_small;
mod route_undefined_pool;
mod router_filter_missing;
mod server_share_excessive;
mod single_server_loss_overload;
mod source_affinity_behind_proxy;
mod split_sum_unexpected;
mod subset_matches_nothing;
mod suppression_expired;
mod suppression_invalid;
mod suppression_unused;
mod syntax_error;
mod template_unrendered;
mod timeout_unit_suspicious;
mod traffic_concentration;
mod unknown_directive;
mod unparsed_construct;
mod unstable_feature;
mod upstream_zone_missing;
mod weight_applies_per_resolved_address;
mod weight_ignored;
mod weight_outlier;
mod weight_partially_specified;

pub use sink::Sink;
pub(crate) use sink::severity;

use crate::diagnostic::{Diagnostic, RuleId, Severity};
use crate::dialect::Dialects;
use crate::diff::Comparison;
use crate::facts::{Facts, PoolFacts};
use crate::model::Config;
use crate::policy::Environment;
use crate::rule_id::every_rule;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Category {
    /// Members of pools.
    Pools,
    /// Weights and shares.
    Distribution,
    /// Algorithms.
    Algorithms,
    /// Health checks and outlier detection.
    Health,
    /// Which pool a request reaches.
    Routing,
    /// Timeouts, retries and limits.
    Limits,
    /// What one change does.
    Change,
    /// Whether the text is valid.
    Syntax,
    /// Whether the configuration is whole, and wholly understood.
    Completeness,
    /// lbcheck's own policy and suppressions.
    Policy,
}

impl Category {
    /// The category in lower case, as shown to users.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pools => "pools",
            Self::Distribution => "distribution",
            Self::Algorithms => "algorithms",
            Self::Health => "health",
            Self::Routing => "routing",
            Self::Limits => "limits",
            Self::Change => "change",
            Self::Syntax => "syntax",
            Self::Completeness => "completeness",
            Self::Policy => "policy",
        }
    }
}

/// A rule.
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Rule {
    /// Its id, which names the offence.
    pub id: RuleId,
    /// One line: what it finds.
    pub summary: &'static str,
    /// What it is about.
    pub category: Category,
    /// How bad a finding is, outside production.
    pub severity: Severity,
    /// How bad a finding is in production.
    pub production: Severity,
    /// The dialects it speaks of.
    pub dialects: Dialects,
    /// Its page, which is also its test.
    pub docs: &'static str,
    /// How it looks.
    pub check: Check,
}

/// How a rule looks.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub enum Check {
    /// At one configuration.
    Config(fn(&Context<'_>, &mut Sink<'_>)),
    /// At a change.
    Change(fn(&Comparison<'_>, &mut Sink<'_>)),
    /// Not by itself: the readers and the runner report under its id.
    Reader,
}

/// What a configuration rule may look at.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "unstable"), non_exhaustive)]
pub struct Context<'a> {
    /// The model.
    pub config: &'a Config,
    /// What follows from it: uses and shares of every pool.
    pub facts: &'a Facts,
    /// The rules of its environment.
    pub environment: &'a Environment,
}

impl<'a> Context<'a> {
    /// Every pool with its facts.
    pub fn pools(&self) -> impl Iterator<Item = (&'a crate::model::Pool, &'a PoolFacts)> + use<'a> {
        self.config.pools.iter().zip(&self.facts.pools)
    }

    /// Pools that client traffic can reach, with their facts.
    pub fn routed_pools(&self) -> impl Iterator<Item = (&'a crate::model::Pool, &'a PoolFacts)> + use<'a> {
        self.pools().filter(|(_, facts)| facts.routed)
    }
}

macro_rules! table {
    ($($module:ident $variant:ident $id:literal,)*) => {
        /// Every rule, in alphabetical order of ids.
        pub static ALL: &[&Rule] = &[$(&$module::RULE),*];

        /// The rule of an id.
        #[must_use]
        pub fn rule(id: RuleId) -> &'static Rule {
            match id {
                $(RuleId::$variant => &$module::RULE,)*
            }
        }
    };
}

every_rule!(table);

/// Runs every configuration rule.
#[must_use]
pub fn check(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in ALL {
        if let Check::Config(look) = rule.check
            && let Some(mut sink) = Sink::open(rule, context.environment, &mut found)
        {
            look(context, &mut sink);
        }
    }
    found
}

/// Runs every change rule.
#[must_use]
pub fn check_change(comparison: &Comparison<'_>, environment: &Environment) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in ALL {
        if let Check::Change(look) = rule.check
            && let Some(mut sink) = Sink::open(rule, environment, &mut found)
        {
            look(comparison, &mut sink);
        }
    }
    found
}
