//! A seeded part of what `cargo verify diff` does in full: nothing that the program accepts is changed in silence.

use lbcheck::dialect::Dialect;
use lbcheck_verify::process::Scratch;
use lbcheck_verify::program::Program;
use lbcheck_verify::{base, changes};

fn slice(dialect: Dialect, test: &str, edits: usize) {
    let Some(program) = Program::for_test(dialect, test) else { return };
    let scratch = Scratch::new();
    let run = changes::run(&program, base::own(dialect).unwrap(), edits, 1, scratch.path()).unwrap();
    let told = run.cases.iter().filter(|case| case.outcome == changes::Outcome::Told).count();
    assert!(told * 10 > edits, "{}", changes::markdown(std::slice::from_ref(&run)));
    let silent: Vec<String> = run.silent().map(|case| format!("{}: {}", case.base, case.note)).collect();
    assert!(silent.is_empty(), "diff is silent about:\n{}", silent.join("\n"));
}

#[test]
fn edits_of_haproxy_are_told() {
    slice(Dialect::HaProxy, "edits_of_haproxy_are_told", 200);
}

#[test]
fn edits_of_nginx_are_told() {
    slice(Dialect::Nginx, "edits_of_nginx_are_told", 300);
}

#[test]
fn edits_of_envoy_are_told() {
    slice(Dialect::Envoy, "edits_of_envoy_are_told", 60);
}
