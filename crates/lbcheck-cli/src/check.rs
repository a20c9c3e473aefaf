//! `lbcheck check`.

use std::process::ExitCode;

use lbcheck::analysis;
use lbcheck::source::Sources;
use lbcheck_report::View;

use crate::args::CheckArgs;
use crate::{Failure, input, output};

pub(crate) fn run(arguments: &CheckArgs) -> Result<ExitCode, Failure> {
    output::validate(&arguments.output)?;
    let mut sources = Sources::new();
    let inputs = input::load_all(&mut sources, &arguments.paths, &arguments.reading)?;
    let mut reports: Vec<_> =
        inputs.iter().map(|input| analysis::check(&sources, &input.subject())).collect();
    if let Some(fail_on) = arguments.judging.fail_on {
        for report in &mut reports {
            report.fail_on = fail_on.threshold();
        }
    }
    let view = View::new(&sources);
    output::deliver(&arguments.output, lbcheck_report::verdict(&reports), |format, style| {
        lbcheck_report::check(format, &view, &reports, style)
    })
}
