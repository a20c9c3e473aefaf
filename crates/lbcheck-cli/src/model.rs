//! `lbcheck model`.

use std::process::ExitCode;

use lbcheck::source::Sources;
use lbcheck_report::View;

use crate::args::ModelArgs;
use crate::{Failure, input, output};

pub(crate) fn run(arguments: &ModelArgs) -> Result<ExitCode, Failure> {
    let mut sources = Sources::new();
    let inputs = input::load_all(&mut sources, &arguments.paths, &arguments.reading)?;
    let summaries: Vec<_> = inputs.iter().map(|input| input.summary(&sources)).collect();
    let configs: Vec<_> =
        summaries.iter().zip(&inputs).map(|(summary, input)| (summary, &input.reading.config)).collect();
    let printed = output::print_only(&lbcheck_report::model(&View::new(&sources), &configs))?;
    let broken = inputs.iter().filter_map(|input| input.whole().err());
    let problems: Vec<String> = broken.flat_map(|why| Failure::from(why).problems).collect();
    if problems.is_empty() { Ok(printed) } else { Err(Failure { problems }) }
}
