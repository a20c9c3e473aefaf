//! `lbcheck model`.

use std::process::ExitCode;

use lbcheck::analysis;
use lbcheck::source::Sources;
use lbcheck_report::View;

use crate::args::ModelArgs;
use crate::{Failure, input, output};

pub(crate) fn run(arguments: &ModelArgs) -> Result<ExitCode, Failure> {
    let mut sources = Sources::new();
    let inputs = input::load_all(&mut sources, &arguments.paths, &arguments.reading)?;
    let summaries: Vec<_> =
        inputs.iter().map(|input| analysis::summary(&sources, &input.subject())).collect();
    let configs: Vec<_> =
        summaries.iter().zip(&inputs).map(|(summary, input)| (summary, &input.reading.config)).collect();
    let printed = output::print_only(&lbcheck_report::model(&View::new(&sources), &configs))?;
    let mut failure = Failure::default();
    for input in inputs.iter().filter(|input| input.reading.broken) {
        let paths: Vec<_> = input.given.iter().map(|path| lbcheck_report::clean(path)).collect();
        failure
            .problems
            .push(format!("`{}` could not be read as a whole; `lbcheck check` says why", paths.join("`, `")));
    }
    if failure.problems.is_empty() { Ok(printed) } else { Err(failure) }
}
