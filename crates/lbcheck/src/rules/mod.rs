//! The rules: one `.rs` and one `.md` each, listed once in [`ALL`].
//!
//! A rule sees the model, the facts derived from it and the policy, never dialect syntax. It reports
//! through a [`Sink`] that stamps its id and severity, so it can neither mislabel itself nor choose its level.

mod facts;
mod reach;
mod sink;

pub use facts::{Facts, PoolFacts};
pub use sink::Sink;
pub(crate) use sink::severity;

use crate::diagnostic::{Diagnostic, Severity};
use crate::dialect::Dialect;
use crate::diff::Comparison;
use crate::model::Config;
use crate::policy::Environment;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
pub struct Rule {
    /// Its id: kebab-case, names the offence.
    pub id: &'static str,
    /// One line: what it finds.
    pub summary: &'static str,
    /// What it is about.
    pub category: Category,
    /// How bad a finding is, outside production.
    pub severity: Severity,
    /// How bad a finding is in production.
    pub production: Severity,
    /// The dialects it speaks of.
    pub dialects: &'static [Dialect],
    /// Its page, which is also its test.
    pub docs: &'static str,
    /// How it looks.
    pub check: Check,
}

/// How a rule looks.
#[derive(Clone, Copy)]
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

/// Declares the modules of rules and lists them in [`ALL`]; the one line to add for a new rule.
macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*
        /// Every rule, in alphabetical order of ids.
        pub static ALL: &[&Rule] = &[$(&$module::RULE),*];
    };
}

rules! {
    algorithm_edition_mismatch,
    algorithm_first_without_maxconn,
    algorithm_not_allowed,
    balance_factor_without_ring,
    capacity_after_loss,
    config_empty_or_truncated,
    cookie_missing_on_server,
    deprecated_directive,
    diff_algorithm_changed,
    diff_health_check_removed,
    diff_pool_emptied,
    diff_pool_shrunk,
    diff_route_retargeted,
    diff_share_moved,
    diff_single_server_takeover,
    diff_weight_jump,
    directive_ineffective,
    duplicate_definition,
    duplicate_server,
    duplicate_singleton,
    env_variable_undefined,
    error_answers_eject_servers,
    file_unreadable,
    hash_key_constant,
    hash_policy_missing_on_route,
    hash_policy_without_hash,
    hash_table_empty,
    hash_weights_unsuitable,
    hash_without_avalanche,
    health_check_missing,
    health_check_partial,
    include_unresolved,
    invalid_value,
    least_conn_unequal_weights,
    limit_refuses_everything,
    locality_host_skew,
    locality_unweighted_gets_zero,
    locality_weight_ignored,
    outlier_cannot_eject,
    outlier_ejections_undone,
    overprovisioning_below_hundred,
    pool_empty,
    pool_no_active_server,
    pool_no_redundancy_in_rotation,
    pool_single_server,
    random_two_unequal_weights,
    redispatch_crash,
    redispatch_without_effect,
    ring_too_small,
    route_undefined_pool,
    router_filter_missing,
    server_share_excessive,
    single_server_loss_overload,
    source_affinity_behind_proxy,
    split_sum_unexpected,
    subset_matches_nothing,
    suppression_expired,
    suppression_invalid,
    suppression_unused,
    syntax_error,
    template_unrendered,
    timeout_unit_suspicious,
    traffic_concentration,
    unknown_directive,
    unparsed_construct,
    unstable_feature,
    upstream_zone_missing,
    weight_applies_per_resolved_address,
    weight_ignored,
    weight_outlier,
    weight_partially_specified,
}

/// The rule of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id == id)
}

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
