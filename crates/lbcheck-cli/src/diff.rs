//! `lbcheck diff`.

use std::process::ExitCode;

use lbcheck::{Dialect, Environment, Found, Input, Sources};
use lbcheck_report::{View, clean};

use crate::args::DiffArgs;
use crate::disk::{Disk, STDIN};
use crate::input::DASH;
use crate::{Failure, input, output, policy};

pub(crate) fn run(arguments: &DiffArgs) -> Result<ExitCode, Failure> {
    output::validate(&arguments.output, [&arguments.old, &arguments.new])?;
    if arguments.old == DASH && arguments.new == DASH {
        return Err(Failure::new("only one side of a diff can come from standard input"));
    }
    let mut sources = Sources::new();
    let policy = policy::load(&mut sources, &arguments.reading)?;
    let disk = Disk::default();
    let (old, new) = sides(&disk, arguments)?;

    let mut old = input::load(&disk, &mut sources, old, &arguments.reading, &policy)?;
    let mut new = input::load(&disk, &mut sources, new, &arguments.reading, &policy)?;
    // Both sides are judged alike, or a difference of environments would look like one of configurations. Where
    // the new side has no path, that of the old one says where it belongs.
    if new.paths.iter().any(|path| path == STDIN) {
        judge_as(&mut new, &old);
    } else {
        judge_as(&mut old, &new);
    }

    let mut report = new.replacing(&sources, &old);
    report.expect_equivalent = arguments.expect_equivalent;
    if let Some(fail_on) = arguments.judging.fail_on {
        report.fail_on = fail_on.threshold();
    }
    let view = View::new(&sources);
    output::deliver(&arguments.output, report.verdict(), |format, style| {
        lbcheck_report::diff(format, &view, &report, style)
    })
}

/// Takes over the rules of another input, for files of its own.
fn judge_as(input: &mut Input, other: &Input) {
    let paths = std::mem::take(&mut input.options.environment.paths);
    input.options.environment = Environment { paths, ..other.options.environment.clone() };
}

/// Both configurations, of one dialect. What comes from standard input is of the other side's.
fn sides(disk: &Disk, arguments: &DiffArgs) -> Result<(Found, Found), Failure> {
    let snippets = !arguments.reading.context.is_empty();
    let told = arguments.reading.dialect;
    let side = |path: &String, told| side(disk, path, told, snippets);
    let dialect_of = |side: &Result<Found, Failure>| side.as_ref().ok().map(|side| side.dialect);
    let (old, new) = if arguments.old == DASH {
        let new = side(&arguments.new, told);
        (side(&arguments.old, told.or(dialect_of(&new))), new)
    } else {
        let old = side(&arguments.old, told);
        let known = if arguments.new == DASH { dialect_of(&old) } else { None };
        let new = side(&arguments.new, told.or(known));
        (old, new)
    };
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let failures = [old.err(), new.err()];
            let problems = failures.into_iter().flatten().flat_map(|failure| failure.problems).collect();
            return Err(Failure { problems });
        }
    };
    if old.dialect == new.dialect {
        return Ok((old, new));
    }
    Err(Failure::new(format!(
        "`{}` is {} and `{}` is {}: a diff compares two configurations of one dialect",
        clean(&arguments.old),
        old.dialect.product(),
        clean(&arguments.new),
        new.dialect.product(),
    )))
}

/// The one configuration at `path`.
fn side(disk: &Disk, path: &String, told: Option<Dialect>, snippets: bool) -> Result<Found, Failure> {
    let mut found = input::gather(disk, std::slice::from_ref(path), told, snippets)?;
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (_, others) => Err(Failure::new(format!(
            "`{}` holds {} configurations: name the one to compare",
            clean(path),
            others + 1
        ))),
    }
}
