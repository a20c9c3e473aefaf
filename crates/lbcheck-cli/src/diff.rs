//! `lbcheck diff`.

use std::process::ExitCode;

use lbcheck::analysis;
use lbcheck::dialect::Dialect;
use lbcheck::source::Sources;
use lbcheck_report::{View, clean};

use crate::args::DiffArgs;
use crate::disk::{Disk, STDIN};
use crate::input::Configuration;
use crate::{Failure, input, output, policy};

pub(crate) fn run(arguments: &DiffArgs) -> Result<ExitCode, Failure> {
    output::validate(&arguments.output)?;
    if arguments.old == "-" && arguments.new == "-" {
        return Err(Failure::new("only one side of a diff can come from standard input"));
    }
    let policy = policy::load(&arguments.reading)?;
    let mut disk = Disk::default();
    let (dialect, old, new) = sides(&mut disk, arguments)?;

    let mut sources = Sources::new();
    let mut old = input::load(&disk, &mut sources, old, dialect, &arguments.reading, &policy)?;
    let mut new = input::load(&disk, &mut sources, new, dialect, &arguments.reading, &policy)?;
    // Both sides are judged alike, or a difference of environments would look like one of configurations. Where
    // the new side has no path, that of the old one says where it belongs.
    if new.given.iter().any(|path| path == STDIN) {
        new.environment = old.environment.clone();
    } else {
        old.environment = new.environment.clone();
    }

    let mut report = analysis::diff(&sources, &old.subject(), &new.subject());
    report.expect_equivalent = arguments.expect_equivalent;
    if let Some(fail_on) = arguments.judging.fail_on {
        report.fail_on = fail_on.threshold();
    }
    let view = View::new(&sources);
    output::deliver(&arguments.output, report.verdict(), |format, style| {
        lbcheck_report::diff(format, &view, &report, style)
    })
}

/// Both configurations and their one dialect.
fn sides(disk: &mut Disk, arguments: &DiffArgs) -> Result<(Dialect, Configuration, Configuration), Failure> {
    let told = arguments.reading.dialect;
    let old = input::gather(disk, std::slice::from_ref(&arguments.old), told);
    let new = input::gather(disk, std::slice::from_ref(&arguments.new), told);
    let (mut old, mut new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let failures = [old.err(), new.err()];
            let problems = failures.into_iter().flatten().flat_map(|failure| failure.problems).collect();
            return Err(Failure { problems });
        }
    };
    match (old.pop_first(), new.pop_first()) {
        (Some((dialect, old)), Some((other, new))) if dialect == other => Ok((dialect, old, new)),
        (Some((dialect, _)), Some((other, _))) => Err(Failure::new(format!(
            "`{}` is {} and `{}` is {}: a diff compares two configurations of one dialect",
            clean(&arguments.old),
            dialect.product(),
            clean(&arguments.new),
            other.product(),
        ))),
        // `gather` gives a configuration for every path it accepts.
        _ => Err(Failure::new("there is nothing to compare")),
    }
}
