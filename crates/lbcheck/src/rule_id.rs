//! The registry of rules: one row each, from which [`RuleId`] and the table of rules are made.

use std::fmt;
use std::str::FromStr;

/// Hands the rows of all rules to the macro `$then`: module, variant, id as users write it. In alphabetical order of
/// ids, which is the order in which findings at one place are shown.
macro_rules! every_rule {
    ($then:ident) => {
        $then! {
            algorithm_edition_mismatch AlgorithmEditionMismatch "algorithm-edition-mismatch",
            algorithm_first_without_maxconn AlgorithmFirstWithoutMaxconn "algorithm-first-without-maxconn",
            algorithm_not_allowed AlgorithmNotAllowed "algorithm-not-allowed",
            balance_factor_without_ring BalanceFactorWithoutRing "balance-factor-without-ring",
            capacity_after_loss CapacityAfterLoss "capacity-after-loss",
            config_empty_or_truncated ConfigEmptyOrTruncated "config-empty-or-truncated",
            cookie_missing_on_server CookieMissingOnServer "cookie-missing-on-server",
            deprecated_directive DeprecatedDirective "deprecated-directive",
            diff_algorithm_changed DiffAlgorithmChanged "diff-algorithm-changed",
            diff_health_check_removed DiffHealthCheckRemoved "diff-health-check-removed",
            diff_pool_emptied DiffPoolEmptied "diff-pool-emptied",
            diff_pool_shrunk DiffPoolShrunk "diff-pool-shrunk",
            diff_route_retargeted DiffRouteRetargeted "diff-route-retargeted",
            diff_share_moved DiffShareMoved "diff-share-moved",
            diff_single_server_takeover DiffSingleServerTakeover "diff-single-server-takeover",
            diff_weight_jump DiffWeightJump "diff-weight-jump",
            directive_ineffective DirectiveIneffective "directive-ineffective",
            duplicate_definition DuplicateDefinition "duplicate-definition",
            duplicate_server DuplicateServer "duplicate-server",
            duplicate_singleton DuplicateSingleton "duplicate-singleton",
            env_variable_undefined EnvVariableUndefined "env-variable-undefined",
            error_answers_eject_servers ErrorAnswersEjectServers "error-answers-eject-servers",
            file_unreadable FileUnreadable "file-unreadable",
            hash_key_constant HashKeyConstant "hash-key-constant",
            hash_policy_missing_on_route HashPolicyMissingOnRoute "hash-policy-missing-on-route",
            hash_policy_without_hash HashPolicyWithoutHash "hash-policy-without-hash",
            hash_table_empty HashTableEmpty "hash-table-empty",
            hash_weights_unsuitable HashWeightsUnsuitable "hash-weights-unsuitable",
            hash_without_avalanche HashWithoutAvalanche "hash-without-avalanche",
            health_check_missing HealthCheckMissing "health-check-missing",
            health_check_partial HealthCheckPartial "health-check-partial",
            include_unresolved IncludeUnresolved "include-unresolved",
            invalid_policy InvalidPolicy "invalid-policy",
            invalid_value InvalidValue "invalid-value",
            least_conn_unequal_weights LeastConnUnequalWeights "least-conn-unequal-weights",
            limit_refuses_everything LimitRefusesEverything "limit-refuses-everything",
            locality_host_skew LocalityHostSkew "locality-host-skew",
            locality_unweighted_gets_zero LocalityUnweightedGetsZero "locality-unweighted-gets-zero",
            locality_weight_ignored LocalityWeightIgnored "locality-weight-ignored",
            outlier_cannot_eject OutlierCannotEject "outlier-cannot-eject",
            outlier_ejections_undone OutlierEjectionsUndone "outlier-ejections-undone",
            overprovisioning_below_hundred OverprovisioningBelowHundred "overprovisioning-below-hundred",
            pool_empty PoolEmpty "pool-empty",
            pool_no_active_server PoolNoActiveServer "pool-no-active-server",
            pool_no_redundancy_in_rotation PoolNoRedundancyInRotation "pool-no-redundancy-in-rotation",
            pool_single_server PoolSingleServer "pool-single-server",
            random_two_unequal_weights RandomTwoUnequalWeights "random-two-unequal-weights",
            redispatch_crash RedispatchCrash "redispatch-crash",
            redispatch_without_effect RedispatchWithoutEffect "redispatch-without-effect",
            ring_too_small RingTooSmall "ring-too-small",
            route_undefined_pool RouteUndefinedPool "route-undefined-pool",
            router_filter_missing RouterFilterMissing "router-filter-missing",
            server_share_excessive ServerShareExcessive "server-share-excessive",
            single_server_loss_overload SingleServerLossOverload "single-server-loss-overload",
            source_affinity_behind_proxy SourceAffinityBehindProxy "source-affinity-behind-proxy",
            split_sum_unexpected SplitSumUnexpected "split-sum-unexpected",
            subset_matches_nothing SubsetMatchesNothing "subset-matches-nothing",
            suppression_expired SuppressionExpired "suppression-expired",
            suppression_invalid SuppressionInvalid "suppression-invalid",
            suppression_unused SuppressionUnused "suppression-unused",
            syntax_error SyntaxError "syntax-error",
            template_unrendered TemplateUnrendered "template-unrendered",
            timeout_unit_suspicious TimeoutUnitSuspicious "timeout-unit-suspicious",
            traffic_concentration TrafficConcentration "traffic-concentration",
            unknown_directive UnknownDirective "unknown-directive",
            unparsed_construct UnparsedConstruct "unparsed-construct",
            unstable_feature UnstableFeature "unstable-feature",
            upstream_zone_missing UpstreamZoneMissing "upstream-zone-missing",
            weight_applies_per_resolved_address WeightAppliesPerResolvedAddress "weight-applies-per-resolved-address",
            weight_ignored WeightIgnored "weight-ignored",
            weight_outlier WeightOutlier "weight-outlier",
            weight_partially_specified WeightPartiallySpecified "weight-partially-specified",
        }
    };
}
pub(crate) use every_rule;

macro_rules! ids {
    ($($module:ident $variant:ident $id:literal,)*) => {
        /// The id of a rule: what offence a finding is about. Each has a page, see `lbcheck explain`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum RuleId {
            $(
                #[doc = concat!("`", $id, "`")]
                $variant,
            )*
        }

        impl RuleId {
            /// Every id, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The id as users write it, in kebab case: `pool-empty`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)*
                }
            }
        }
    };
}

every_rule!(ids);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the id of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule `{0}`")]
pub struct UnknownRule(pub String);

impl FromStr for RuleId {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|id| id.as_str() == text).ok_or_else(|| UnknownRule(text.to_owned()))
    }
}

impl PartialEq<&str> for RuleId {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
