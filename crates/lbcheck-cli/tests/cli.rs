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
        .case(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cli/*.trycmd"))
        .case(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cli/*.toml"));
}

#[test]
fn readme_shows_what_the_program_prints() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    // The README's commands are run in the root of the repository.
    std::env::set_current_dir(root).expect("the repository is there");
    trycmd::TestCases::new().env("NO_COLOR", "1").case("README.md");
}
