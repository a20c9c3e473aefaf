//! A seeded part of the comparison that `cargo verify verdicts` makes in full.

use lbcheck::dialect::Dialect;
use lbcheck_verify::base;
use lbcheck_verify::process::Scratch;
use lbcheck_verify::program::Program;
use lbcheck_verify::verdicts::{self, Class, Run};

/// Compares `mutants` mutants. What must hold of the full run holds of this part too.
fn slice(dialect: Dialect, test: &str, mutants: usize) {
    let Some(program) = Program::for_test(dialect, test) else { return };
    let scratch = Scratch::new();
    let bases = base::own(dialect).unwrap();
    let run = verdicts::run(&program, bases, mutants, 1, scratch.path()).unwrap();
    let table = verdicts::markdown(std::slice::from_ref(&run));
    assert_eq!(run.count(Class::NoVerdict), 0, "{table}");
    let differences: Vec<String> = [Class::FalseError, Class::Missed, Class::OtherLine]
        .into_iter()
        .flat_map(|class| shown(&run, class))
        .collect();
    let short = run.shortfalls();
    assert!(short.is_empty(), "{dialect}: {}\n{table}\n{}", short.join("; "), differences.join("\n\n"));
}

fn shown(run: &Run, class: Class) -> Vec<String> {
    let cases = run.cases.iter().filter(|case| case.class == class);
    cases.map(|case| format!("{class:?} {}: {}\n{}", case.base, case.note, case.detail)).collect()
}

#[test]
fn haproxy_and_lbcheck_agree_on_mutants() {
    slice(Dialect::HaProxy, "haproxy_and_lbcheck_agree_on_mutants", 400);
}

#[test]
fn nginx_and_lbcheck_agree_on_mutants() {
    slice(Dialect::Nginx, "nginx_and_lbcheck_agree_on_mutants", 400);
}

#[test]
fn envoy_and_lbcheck_agree_on_mutants() {
    slice(Dialect::Envoy, "envoy_and_lbcheck_agree_on_mutants", 120);
}
