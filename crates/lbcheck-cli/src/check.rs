//! `lbcheck check`.

use std::fmt::Write as _;
use std::process::ExitCode;

use lbcheck::Input;
use lbcheck::fix::Refused;
use lbcheck::report::CheckReport;
use lbcheck::source::Sources;
use lbcheck_report::{View, clean, verdict};

use crate::args::CheckArgs;
use crate::disk::Disk;
use crate::fix::{self, Plan};
use crate::{Failure, input, output};

pub(crate) fn run(arguments: &CheckArgs) -> Result<ExitCode, Failure> {
    output::validate(&arguments.output, &arguments.paths)?;
    let mut sources = Sources::new();
    let disk = Disk::default();
    let mut inputs = input::load_from(&disk, &mut sources, &arguments.paths, &arguments.reading)?;
    if arguments.fix {
        let before = arguments.dry_run.then(|| judge(&sources, &inputs, arguments));
        let plan = fix::plan(&mut sources, &disk, inputs);
        if let Some(reports) = before {
            let shown = output::show(&patch(&sources, &plan), verdict(&reports));
            mention_refused(&sources, &plan);
            return shown;
        }
        fix::write(&sources, &plan.mended)?;
        output::mention(&mended(plan.mended.iter().map(|file| file.edits.len()).sum(), plan.refused.len()));
        mention_refused(&sources, &plan);
        inputs = plan.after;
    }
    let reports = judge(&sources, &inputs, arguments);
    let view = View::new(&sources);
    output::deliver(&arguments.output, verdict(&reports), |format, style| {
        lbcheck_report::check(format, &view, &reports, style)
    })
}

fn judge(sources: &Sources, inputs: &[Input], arguments: &CheckArgs) -> Vec<CheckReport> {
    let mut reports: Vec<_> = inputs.iter().map(|input| input.check(sources)).collect();
    if let Some(fail_on) = arguments.judging.fail_on {
        for report in &mut reports {
            report.fail_on = fail_on.threshold();
        }
    }
    reports
}

fn mended(edits: usize, refused: usize) -> String {
    match (edits, refused) {
        (0, 0) => "nothing has a certain mend".to_owned(),
        (0, _) => "nothing was mended".to_owned(),
        (1, _) => "1 place was mended".to_owned(),
        (more, _) => format!("{more} places were mended"),
    }
}

/// Names each mend that was not made, and why.
fn mention_refused(sources: &Sources, plan: &Plan) {
    let view = View::new(sources);
    for (fix, why) in &plan.refused {
        let Some(edit) = fix.edits.first() else { continue };
        let file = sources.file(edit.span.file);
        let place = format!("{}:{}", clean(file.path()), file.position(edit.span.start).line);
        let why = match why {
            Refused::NewError(_, span) => lbcheck_report::said(&view, *span, &why.to_string()),
            _ => clean(&why.to_string()).into_owned(),
        };
        output::mention(&format!("not mended: {place}: {}: {why}", clean(&fix.title)));
    }
}

/// What the plan would change.
fn patch(sources: &Sources, plan: &Plan) -> String {
    let mut sources = sources.clone();
    let pairs: Vec<_> = plan
        .mended
        .iter()
        .map(|file| (file.file, sources.add(file.path.clone(), file.content.clone())))
        .collect();
    let view = View::new(&sources);
    let mut text = String::new();
    for (old, new) in pairs {
        let _ = write!(text, "{}", lbcheck_report::unified(&view, old, new));
    }
    text
}
