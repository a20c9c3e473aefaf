//! `lbcheck route`.

use std::process::ExitCode;

use lbcheck::traffic::Truth;
use lbcheck::{EndKind, Request, RouteReport, Sources, near_pool};
use lbcheck_report::{Format, Routed, View, clean};

use crate::args::{RouteArgs, RouteFormat};
use crate::{Failure, input, output};

pub(crate) fn run(arguments: &RouteArgs) -> Result<ExitCode, Failure> {
    let request = request(arguments)?;
    let mut sources = Sources::new();
    let inputs = input::load_all(&mut sources, &arguments.paths, &arguments.reading)?;
    let [input] = inputs.as_slice() else {
        return Err(Failure::new("these files are several configurations: name those of one"));
    };
    let view = View::new(&sources);
    input.whole()?;
    if let Some(expected) = &arguments.expect {
        let mut known = input.reading.config.pools.iter().map(|pool| pool.name.value.as_str());
        if !known.any(|name| name == expected) {
            let noun = input.reading.config.dialect.pool_noun();
            let near = near_pool(&input.reading.config, expected);
            return Err(Failure::new(clean(&format!("--expect: there is no {noun} `{expected}`{near}"))));
        }
    }
    let report = input.route(&request, arguments.listener.as_deref())?;
    let summary = input.summary(&sources);
    let routed = Routed { input: &summary, request: &request, report: &report, verbose: arguments.verbose };
    let format = match arguments.format {
        RouteFormat::Text => Format::Text,
        RouteFormat::Json => Format::Json,
    };
    let printed = output::print_only(&lbcheck_report::route(format, &view, routed))?;
    match &arguments.expect {
        Some(expected) if !certain(&report, expected) => {
            output::mention(&format!("this is not certainly `{expected}`"));
            Ok(ExitCode::from(1))
        }
        _ => Ok(printed),
    }
}

/// Whether a listener takes the request, and this pool serves it whichever that is.
fn certain(report: &RouteReport, pool: &str) -> bool {
    let serves = |kind: EndKind, name: Option<&str>| kind == EndKind::Pool && name == Some(pool);
    report.taken == Truth::Yes
        && !report.listeners.is_empty()
        && report.listeners.iter().all(|listener| {
            listener.complete
                && !listener.ends.is_empty()
                && listener.ends.iter().all(|end| end.is_served && serves(end.kind, end.pool.as_deref()))
        })
}

fn request(arguments: &RouteArgs) -> Result<Request, Failure> {
    let problem = |option: &str, problem: String| Failure::new(format!("{option}: {}", clean(&problem)));
    let mut request = Request::parse(&arguments.request).map_err(|error| problem("--request", error))?;
    for header in &arguments.headers {
        request.add_header(header).map_err(|error| problem("--header", error))?;
    }
    request.source = arguments.src;
    if arguments.sni.is_some() {
        request.sni.clone_from(&arguments.sni);
    }
    Ok(request)
}
