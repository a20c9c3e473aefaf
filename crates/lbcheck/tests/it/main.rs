//! Tests of the library from outside, in one binary.

// The tests read the repository's own files and start real proxies; the library itself does no I/O.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
// A test that cannot go on fails by panicking, and says what it skips on standard error.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stderr)]

mod changes;
mod corpus;
mod incidents;
mod invariants;
mod live;
mod oracle;
mod rule_pages;
mod support;
