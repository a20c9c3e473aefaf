//! lbcheck beside the running proxies, in one binary.

// A test that cannot go on fails by panicking, and says what it skips on standard error.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stderr)]

mod changes;
mod haproxy_words;
mod incidents;
mod live;
mod nginx_table;
mod routing;
mod verdicts;
