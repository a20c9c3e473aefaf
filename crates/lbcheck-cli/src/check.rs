//! `lbcheck check`.

use std::fmt::Write as _;
use std::process::ExitCode;

use lbcheck::analysis;
use lbcheck::report::CheckReport;
use lbcheck::source::Sources;
use lbcheck_report::{View, verdict};

use crate::args::CheckArgs;
use crate::disk::Disk;
use crate::fix::{self, Plan};
use crate::input::Input;
use crate::{Failure, input, output};

pub(crate) fn run(arguments: &CheckArgs) -> Result<ExitCode, Failure> {
    output::validate(&arguments.output)?;
    let mut sources = Sources::new();
    let mut disk = Disk::default();
    let mut inputs = input::load_from(&mut disk, &mut sources, &arguments.paths, &arguments.reading)?;
    if arguments.fix {
        let plans = inputs
            .iter()
            .map(|input| fix::plan(&mut sources, &disk, input))
            .collect::<Result<Vec<_>, _>>()?;
        if arguments.dry_run {
            let reports = judge(&sources, &inputs, arguments);
            return output::show(&patch(&sources, &plans), verdict(&reports));
        }
        fix::write(&sources, &plans.iter().flatten().collect::<Vec<_>>())?;
        let edits = plans.iter().flatten().flat_map(|plan| &plan.mended).map(|file| file.edits.len()).sum();
        output::mention(&mended(edits));
        let kept = inputs.into_iter().zip(plans);
        inputs = kept.map(|(input, plan)| plan.map_or(input, |plan| plan.after)).collect();
    }
    let reports = judge(&sources, &inputs, arguments);
    let view = View::new(&sources);
    output::deliver(&arguments.output, verdict(&reports), |format, style| {
        lbcheck_report::check(format, &view, &reports, style)
    })
}

fn judge(sources: &Sources, inputs: &[Input], arguments: &CheckArgs) -> Vec<CheckReport> {
    let mut reports: Vec<_> = inputs.iter().map(|input| analysis::check(sources, &input.subject())).collect();
    if let Some(fail_on) = arguments.judging.fail_on {
        for report in &mut reports {
            report.fail_on = fail_on.threshold();
        }
    }
    reports
}

fn mended(edits: usize) -> String {
    match edits {
        0 => "nothing has a certain mend".to_owned(),
        1 => "1 place was mended".to_owned(),
        more => format!("{more} places were mended"),
    }
}

/// What every plan would change.
fn patch(sources: &Sources, plans: &[Option<Plan>]) -> String {
    let mut sources = sources.clone();
    let pairs: Vec<_> = plans
        .iter()
        .flatten()
        .flat_map(|plan| &plan.mended)
        .map(|file| (file.file, sources.add(file.path.clone(), file.content.clone())))
        .collect();
    let view = View::new(&sources);
    let mut text = String::new();
    for (old, new) in pairs {
        let _ = write!(text, "{}", lbcheck_report::unified(&view, old, new));
    }
    text
}
