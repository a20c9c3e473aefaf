//! The program as a user meets it: `tests/cli/` holds what is typed and what is shown.
//!
//! `TRYCMD=overwrite cargo test -p lbcheck-cli` writes what is shown now.

#![allow(clippy::expect_used, reason = "a test that cannot be set up must fail")]

mod run;

#[test]
fn cases() {
    trycmd::TestCases::new()
        .env("LBCHECK_ENV", "")
        .env("NO_COLOR", "1")
        .case("../../tests/cli/*.trycmd")
        .case("../../tests/cli/*.toml");
}
