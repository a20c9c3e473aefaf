//! All scenarios. [`each_scenario!`](crate::each_scenario) names them once; the tests are made from the same list.

mod envoy;
mod haproxy;
mod nginx;

use super::scenario::Scenario;

/// Calls a macro with the paths of all scenarios, `dialect::name`.
#[macro_export]
macro_rules! each_scenario {
    ($call:ident) => {
        $call! {
            haproxy: roundrobin roundrobin_four roundrobin_out weights_zero static_rr backup_first
                backup_all roundrobin_fails tracking_fails everybody_fails leastconn_idle leastconn_held leastconn_floor
                leastconn_flowing leastconn_fails first_idle first_maxconn maxconn_spill random_idle
                random_one nobodys_algorithm random_busy template use_server source_map source_neighbours source_ring
                source_ipv6 source_ipv6_ring uri_map uri_ring uri_len uri_depth uri_whole uri_path_only
                url_param hdr_map hdr_ring hash_expression map_sdbm_avalanche map_djb2 map_djb2_avalanche
                map_crc32 map_crc32_avalanche ring_sdbm ring_djb2 ring_djb2_avalanche ring_crc32
                ring_crc32_avalanche map_wt6 map_wt6_avalanche ring_wt6 ring_wt6_avalanche
                ring_ids map_fails ring_fails map_disabled rand_split
                cookie_sessions cookie_even leastconn_maxconn balance_factor errors_without_redispatch
                errors_with_redispatch errors_redispatch_map attempts ring_addresses ring_ports queue
                map_none ring_none ring_none_avalanche source_none default_balance stick_source ring_hash_key_id
                noticed_refused noticed_tcp noticed_down_interval noticed_silent noticed_silent_untimed noticed_spread
                noticed_tracked observe_mark_down observe_sudden_death observe_fail_check observe_layer7
                agent_alone every_loss every_loss_ring cascade_stops cascade_down load_grows load_queues;
            nginx: round_robin round_robin_four round_robin_out all_down keepalive backup_takes_over
                max_fails least_conn_idle least_conn_held least_conn_floor least_conn_flowing random
                random_two_idle random_two_skewed random_two_busy max_conns zone_workers hash hash_header
                hash_down hash_overweight hash_fails ketama ketama_header ketama_down ketama_fails ip_hash
                ip_hash_neighbours ip_hash_overweight ip_hash_down ip_hash_ipv6 hash_address_bytes ketama_address_bytes
                hash_address_bytes_ipv6 hash_empty split_clients
                attempts attempts_tries attempts_backup errors_next_upstream errors_without_next refused
                sticky_cookie noticed_fails noticed_once noticed_answers every_loss every_loss_ketama
                cascade_stops cascade_down load_grows load_refuses;
            envoy: round_robin round_robin_weights random least_request_equal least_request_choices
                least_request_idle least_request_busy least_request_bias_half least_request_bias_none
                least_request_bias_two unhealthy draining degraded panic panic_disabled priorities
                priorities_panic overprovisioning priorities_hash localities localities_ignored
                localities_partial localities_unweighted localities_hash ring ring_weights ring_murmur
                ring_small ring_maximum ring_hash_keys ring_unhealthy maglev maglev_weights maglev_small
                maglev_typed policy_query policy_cookie policy_path policy_source round_robin_fails
                ring_fails maglev_fails tier_spill tier_takes_over panic_by_failures weighted_clusters
                weighted_clusters_sum runtime_fraction runtime_fractions fraction_into_clusters attempts
                attempts_one attempts_none errors_unnoticed balance_factor localities_without_weights
                localities_random maglev_localities two_workers random_spill least_request_scan
                outlier_ejects outlier_does_not_eject breaker_connections breaker_requests
                outlier_one_always outlier_panics panic_off_by_failures tier_spill_without_reserve localities_fail
                every_loss every_loss_ring cascade_stops cascade_down load_grows breaker_load retries_at_once
                retries_at_once_more retry_budget retry_budget_least noticed_refused noticed_edges
                noticed_without_traffic noticed_silent noticed_jitter ejected_refused ejected_answers
                ejected_gateway ejected_local_origin ejected_always_one subset client_side_weights;
        }
    };
}

macro_rules! list {
    ($($dialect:ident: $($name:ident)*;)*) => {
        /// All scenarios by name, in the order of the table. A scenario's number is its place in it.
        #[must_use]
        pub fn all() -> Vec<(&'static str, Scenario)> {
            vec![$($((concat!(stringify!($dialect), "::", stringify!($name)), $dialect::$name()),)*)*]
        }
    };
}

each_scenario!(list);

/// One line for each text of options, numbered from 1.
fn servers_of(options: &[&str], line: impl Fn(usize, &str) -> String) -> String {
    options.iter().zip(1..).map(|(options, number)| line(number, options)).collect()
}
