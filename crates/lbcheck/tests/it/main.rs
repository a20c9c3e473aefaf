//! Tests of the library from outside, in one binary.

// The tests read the repository's own files and start real proxies; the library itself does no I/O.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
// A test that cannot go on fails by panicking, and says what it skips on standard error.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stderr)]

mod changes;
mod corpus;
mod described;
mod envoy_extensions;
mod envoy_model;
mod envoy_refused;
mod envoy_robust;
mod fixes;
mod given_shares;
mod haproxy_errors;
mod haproxy_model;
mod haproxy_robust;
mod haproxy_routes;
mod invariants;
mod layers;
mod listeners;
mod nginx_common;
mod nginx_errors;
mod nginx_files;
mod nginx_model;
mod nginx_rewrite;
mod nginx_robust;
mod requests;
mod requests_envoy;
mod rule_pages;
mod support;
mod templates;
mod traffic_measured;
mod traffic_scenarios;
mod unseen;
mod voice;
