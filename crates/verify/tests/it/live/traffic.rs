//! Predicted traffic against the running programs, one test for each scenario.

use lbcheck_verify::program::Program;
use lbcheck_verify::traffic::run::run;
use lbcheck_verify::traffic::scenarios;

macro_rules! tests {
    ($($dialect:ident: $($name:ident)*;)*) => {
        $(mod $dialect {
            $(#[test]
            fn $name() {
                super::holds(concat!(stringify!($dialect), "::", stringify!($name)));
            })*
        })*
    };
}

lbcheck_verify::each_scenario!(tests);

fn holds(name: &str) {
    let all = scenarios::all();
    let number = all.iter().position(|(known, _)| *known == name).expect("it is in the list");
    let scenario = &all[number].1;
    let Some(program) = Program::for_test(scenario.dialect, name) else { return };
    let number = u16::try_from(number).expect("there are not that many scenarios");
    let row = run(scenario, number, &program).expect(name);
    let Some(row) = row else {
        eprintln!("SKIPPED {name}: {} is too old for it", program.path.display());
        return;
    };
    eprintln!("{row:#?}");
    assert_eq!(row.problem, None, "{}: predicted {}, measured {}", row.title, row.predicted, row.measured);
}
